//! Decides which patch a pixel of overlapping patches belongs to.

use std::collections::BTreeMap;

use super::merge_inputs::PatchRows;

/// Rows of all patches in the order they are appended to the merged project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Appended {
    /// Patch and row of each.
    pub(super) sources: Vec<[u32; 2]>,
    /// Which of them a later patch has taken over.
    pub(super) removed: Vec<bool>,
    /// For every patch, its rows whose pixel was appended before, with the first place where.
    pub(super) common: Vec<Vec<[u32; 2]>>,
}

/// Appends the patches one after another.
///
/// # StaMPS compatibility
/// Stage5.md B1. A pixel belongs to the patch whose own window holds it: that patch takes it over
/// from those before. A pixel that nobody before has selected is taken from any patch, overlap or
/// not. What no window owns stays with the first patch in the list. A pixel taken over is looked
/// for at its first place only, as in the original.
pub(super) fn append_patches(patches: &[PatchRows]) -> Appended {
    let mut appended = Appended::default();
    let mut first_place: BTreeMap<[i32; 2], u32> = BTreeMap::new();
    for (patch, rows) in (0_u32..).zip(patches) {
        let mut common = Vec::new();
        let mut added = Vec::new();
        for (row, pixel) in (0_u32..).zip(&rows.pixels) {
            let own = rows.own[row as usize];
            let place = first_place.get(pixel).copied();
            if let Some(place) = place {
                common.push([row, place]);
                appended.removed[place as usize] |= own;
            }
            if own || place.is_none() {
                added.push(row);
            }
        }
        for row in added {
            let place = u32::try_from(appended.sources.len())
                .expect("invariant: rows of all patches number below 2^32");
            first_place.entry(rows.pixels[row as usize]).or_insert(place);
            appended.sources.push([patch, row]);
            appended.removed.push(false);
        }
        appended.common.push(common);
    }
    appended
}
