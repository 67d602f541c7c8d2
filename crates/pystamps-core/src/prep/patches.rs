//! Cuts the scene into overlapping patches (prep.md, section 4).

use std::ops::Range;

use super::request::PrepRequest;
use super::scan::Pick;
use crate::{Diagnostic, Result};

/// A rectangle of pixels, 0-based and half-open; StaMPS writes it 1-based and inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Samples of a line.
    pub range: Range<usize>,
    /// Lines.
    pub azimuth: Range<usize>,
}

impl Window {
    /// Number of pixels.
    pub fn pixels(&self) -> u64 {
        self.range.len() as u64 * self.azimuth.len() as u64
    }

    /// Whether `pick` lies inside.
    pub(crate) fn contains(&self, pick: &Pick) -> bool {
        self.azimuth.contains(&pick.line) && self.range.contains(&pick.sample)
    }

    /// Four lines: first and last range, first and last azimuth, 1-based inclusive.
    pub(crate) fn to_text(&self) -> String {
        let (range, azimuth) = (&self.range, &self.azimuth);
        format!("{}\n{}\n{}\n{}\n", range.start + 1, range.end, azimuth.start + 1, azimuth.end)
    }
}

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What is processed: `patch.in`.
    pub window: Window,
    /// What survives the merge: `patch_noover.in`.
    pub core: Window,
}

/// Folders a project can sensibly have.
const MOST_PATCHES: usize = 100_000;

/// Lays out the patches, range outside, azimuth inside: the order of `patch.list`.
///
/// # Errors
/// `patch-count` for zero patches or more patches than pixels in a direction.
///
/// # StaMPS compatibility
/// Integer division: a remainder of `width mod range_patches` columns (or lines) belongs to no
/// core and is processed only as far as the last overlap reaches, as in StaMPS.
pub(crate) fn lay_out(request: &PrepRequest, width: usize, length: usize) -> Result<Vec<Patch>> {
    let range_step = step(request.range_patches, width, "range")?;
    let azimuth_step = step(request.azimuth_patches, length, "azimuth")?;
    let count = request.range_patches.saturating_mul(request.azimuth_patches);
    if count > MOST_PATCHES {
        return Err(too_many("the scene", MOST_PATCHES, count));
    }
    let mut patches = Vec::new();
    for range_index in 0..request.range_patches {
        let range = range_step * range_index..range_step * (range_index + 1);
        for azimuth_index in 0..request.azimuth_patches {
            let azimuth = azimuth_step * azimuth_index..azimuth_step * (azimuth_index + 1);
            let window = Window {
                range: widen(&range, request.range_overlap, width),
                azimuth: widen(&azimuth, request.azimuth_overlap, length),
            };
            patches.push(Patch { window, core: Window { range: range.clone(), azimuth } });
        }
    }
    Ok(patches)
}

fn too_many(what: &str, most: usize, found: usize) -> crate::Error {
    Diagnostic::new("patch-count", format!("cannot cut {what} into patches"))
        .variable(format!("{what} patches"))
        .expected(format!("1 to {most}"))
        .found(found)
        .remedy("ask for fewer patches; one patch per 5 to 10 million pixels is usual")
        .usage()
}

fn step(patches: usize, pixels: usize, direction: &str) -> Result<usize> {
    if patches == 0 || patches > pixels {
        return Err(too_many(direction, pixels, patches));
    }
    Ok(pixels / patches)
}

fn widen(span: &Range<usize>, overlap: usize, limit: usize) -> Range<usize> {
    span.start.saturating_sub(overlap)..span.end.saturating_add(overlap).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prep::request::Processor;

    fn request(range: usize, azimuth: usize, overlaps: (usize, usize)) -> PrepRequest {
        PrepRequest {
            range_patches: range,
            azimuth_patches: azimuth,
            range_overlap: overlaps.0,
            azimuth_overlap: overlaps.1,
            ..PrepRequest::new(Processor::Snap, "x")
        }
    }

    #[test]
    fn windows_of_the_oracle_scene_p() {
        let patches = lay_out(&request(2, 2, (12, 15)), 150, 260).unwrap();
        let texts: Vec<_> = patches.iter().map(|patch| patch.window.to_text()).collect();
        assert_eq!(
            texts,
            ["1\n87\n1\n145\n", "1\n87\n116\n260\n", "64\n150\n1\n145\n", "64\n150\n116\n260\n"]
        );
        assert_eq!(patches[1].core.to_text(), "1\n75\n131\n260\n");
        assert_eq!(patches[0].window.pixels(), 87 * 145);
    }

    #[test]
    fn remainder_columns_are_reached_by_the_overlap_only() {
        let patches = lay_out(&request(3, 1, (1, 0)), 11, 4).unwrap();
        assert_eq!(patches[2].core.range, 6..9);
        assert_eq!(patches[2].window.range, 5..10);
    }

    #[test]
    fn overlaps_stop_at_the_scene() {
        let patches = lay_out(&request(2, 1, (usize::MAX, 500)), 10, 7).unwrap();
        assert!(patches.iter().all(|patch| patch.window == Window { range: 0..10, azimuth: 0..7 }));
    }

    #[test]
    fn empty_patches_are_refused() {
        for (range, azimuth) in [(0, 1), (1, 0), (11, 1), (1, 5)] {
            let error = lay_out(&request(range, azimuth, (0, 0)), 10, 4).unwrap_err();
            assert_eq!((error.name(), error.exit_code()), ("patch-count", 2));
        }
    }
}
