//! The merged project before it is written: which rows it has and where their values come from.

use crate::error::Result;

use super::contribution::{Contribution, Items};
use super::merge_inputs::PatchRows;
use super::merged_order::{MergedOrder, Places};
use super::ownership::{Appended, append_patches};
use super::resampling::{Resampling, cells_of};

/// Rows of the merged project.
pub(super) struct Joined {
    /// What each patch gives.
    pub(super) contributions: Vec<Contribution>,
    /// Rows as they were appended; `None` where cells are combined.
    pub(super) appended: Option<Appended>,
    /// Azimuth line and range sample of every candidate for a row.
    pub(super) places: Places,
    /// Their order.
    pub(super) order: MergedOrder,
}

impl Joined {
    /// Joins `patches`, as they are or cell by cell.
    ///
    /// # Errors
    /// MATLAB file errors.
    pub(super) fn of(
        patches: &[PatchRows],
        resampling: Option<&Resampling>,
        heading_deg: f64,
    ) -> Result<Self> {
        let (places, items, appended) = match resampling {
            None => {
                let appended = append_patches(patches);
                let (places, items) = rows_as_they_are(patches, &appended);
                (places, items, Some(appended))
            }
            Some(resampling) => {
                let (places, items) = combined_cells(patches, resampling)?;
                (places, items, None)
            }
        };
        let order = MergedOrder::of(&places, heading_deg);
        let contributions = contributions(items, &order.rows_of_sources(places.removed.len()));
        Ok(Self { contributions, appended, places, order })
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.order.sources.len()
    }
}

fn rows_as_they_are(patches: &[PatchRows], appended: &Appended) -> (Places, Vec<Items>) {
    let mut places = Places { removed: appended.removed.clone(), ..Places::default() };
    let mut rows_of = vec![Vec::new(); patches.len()];
    for &[patch, row] in &appended.sources {
        let rows = &patches[patch as usize];
        places.pixels.push(rows.pixels[row as usize].map(f64::from));
        places.lonlat_deg.push(rows.lonlat_deg[row as usize]);
        places.coherence.push(rows.coherence[row as usize]);
        rows_of[patch as usize].push(row);
    }
    (places, rows_of.into_iter().map(Items::Rows).collect())
}

fn combined_cells(patches: &[PatchRows], resampling: &Resampling) -> Result<(Places, Vec<Items>)> {
    let mut places = Places::default();
    let mut items = Vec::new();
    for patch in patches {
        let cells = cells_of(patch, resampling)?;
        let axis = |values: &[[f64; 2]], axis: usize| -> Vec<f64> {
            values.iter().map(|value| value[axis]).collect()
        };
        let pixels: Vec<[f64; 2]> = patch.pixels.iter().map(|p| p.map(f64::from)).collect();
        let (pixels, lonlat) = (
            [axis(&pixels, 0), axis(&pixels, 1)],
            [axis(&patch.lonlat_deg, 0), axis(&patch.lonlat_deg, 1)],
        );
        for cell in &cells {
            places.pixels.push([0, 1].map(|axis| cell.mean(&pixels[axis]).round()));
            places.lonlat_deg.push([0, 1].map(|axis| cell.mean(&lonlat[axis])));
            places.coherence.push(cell.coherence());
            places.removed.push(false);
        }
        items.push(Items::Cells(cells));
    }
    Ok((places, items))
}

/// Gives every item its row of the merged project and forgets those that have none. Items lie
/// patch after patch, as the candidates for rows do.
fn contributions(items: Vec<Items>, rows: &[Option<u32>]) -> Vec<Contribution> {
    let mut first = 0;
    items
        .into_iter()
        .map(|items| {
            let count = match &items {
                Items::Rows(rows) => rows.len(),
                Items::Cells(cells) => cells.len(),
            };
            let of_patch = &rows[first..first + count];
            first += count;
            let kept = of_patch.iter().map(Option::is_some);
            let items = match items {
                Items::Rows(rows) => Items::Rows(filtered(rows, kept)),
                Items::Cells(cells) => Items::Cells(filtered(cells, kept)),
            };
            Contribution { places: of_patch.iter().copied().flatten().collect(), items }
        })
        .collect()
}

fn filtered<T>(values: Vec<T>, keep: impl Iterator<Item = bool>) -> Vec<T> {
    values.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(value, _)| value).collect()
}
