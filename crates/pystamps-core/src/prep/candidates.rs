//! Writes the candidate lists of a patch (prep.md, sections 9 and 12).

use std::io::Write;
use std::path::{Path, PathBuf};

use super::patches::Window;
use super::scan::Block;
use super::text_format::push_six_digits;
use crate::Result;
use crate::error::IoContext;
use crate::project::layout::patch as names;

/// The growing candidate files of one patch. Nothing is kept open between blocks, so the number of
/// patches has no limit but the disk.
#[derive(Debug)]
pub(crate) struct PatchFiles {
    /// The patch folder.
    pub(crate) folder: PathBuf,
    /// The patch with its overlap.
    pub(crate) window: Window,
    /// Candidates so far.
    pub(crate) accepted: u64,
    /// Accepted but low pixels so far.
    pub(crate) low: u64,
    /// Whether `pscands.1.ij0` is written (single master only).
    lists_low: bool,
}

/// Rows of some lines, as the files hold them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    ij: Vec<u8>,
    ij_int: Vec<u8>,
    ij0: Vec<u8>,
    dispersion: Vec<u8>,
    amplitude: Vec<u8>,
}

impl PatchFiles {
    /// Makes empty files in `folder`, which must exist.
    pub(crate) fn create(folder: &Path, window: &Window, lists_low: bool) -> Result<Self> {
        let (folder, window) = (folder.to_path_buf(), window.clone());
        let files = Self { folder, window, accepted: 0, low: 0, lists_low };
        for (name, _) in files.contents(&Rows::default()) {
            fs_err::File::create(files.folder.join(name)).while_doing("make a candidate file")?;
        }
        Ok(files)
    }

    /// Appends `rows` in order.
    pub(crate) fn append(&self, rows: &[Rows]) -> Result<()> {
        let action = "write candidates";
        for (index, (name, _)) in self.contents(&Rows::default()).into_iter().enumerate() {
            let contents = || rows.iter().map(|rows| self.contents(rows)[index].1);
            if contents().all(<[u8]>::is_empty) {
                continue;
            }
            let path = self.folder.join(name);
            let mut file =
                fs_err::OpenOptions::new().append(true).open(path).while_doing(action)?;
            contents().try_for_each(|content| file.write_all(content)).while_doing(action)?;
        }
        Ok(())
    }

    fn contents<'a>(&self, rows: &'a Rows) -> Vec<(&'static str, &'a [u8])> {
        let mut contents: Vec<(_, &[u8])> = vec![
            (names::CANDIDATES_IJ, &rows.ij),
            (names::CANDIDATES_IJ_INT, &rows.ij_int),
            (names::CANDIDATES_DA, &rows.dispersion),
            (names::MEAN_AMP_FLT, &rows.amplitude),
        ];
        if self.lists_low {
            contents.push((names::CANDIDATES_IJ0, &rows.ij0));
        }
        contents
    }
}

/// The rows of `block` inside `window`, numbered from `accepted + 1`.
///
/// # StaMPS compatibility
/// `id azimuth range` counts pixels from 0 and ids from 1; a low pixel repeats the last id.
/// `pscands.1.ij.int` has range first. Dispersions have six significant digits.
pub(crate) fn format_rows(block: &Block, window: &Window, accepted: u64) -> Rows {
    let mut rows = Rows::default();
    let mut id = accepted;
    for pick in block.picks.iter().filter(|pick| window.contains(pick)) {
        let ij = if pick.low {
            &mut rows.ij0
        } else {
            id += 1;
            rows.ij_int.extend_from_slice(&pixel_number(pick.sample).to_be_bytes());
            rows.ij_int.extend_from_slice(&pixel_number(pick.line).to_be_bytes());
            push_six_digits(&mut rows.dispersion, pick.dispersion);
            rows.dispersion.push(b'\n');
            &mut rows.ij
        };
        writeln!(ij, "{id} {} {}", pick.line, pick.sample)
            .expect("invariant: a Vec takes every write");
    }
    let width = block.amplitude.len() / block.lines;
    for (row, amplitude) in block.amplitude.chunks_exact(width).enumerate() {
        if window.azimuth.contains(&(block.first_line + row)) {
            let inside = &amplitude[window.range.clone()];
            rows.amplitude.extend(inside.iter().flat_map(|sum| sum.to_le_bytes()));
        }
    }
    rows
}

fn pixel_number(pixel: usize) -> i32 {
    i32::try_from(pixel).expect("invariant: width and length were read as 32-bit numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prep::scan::Pick;

    #[test]
    fn rows_of_a_window() {
        let pick = |line, sample, dispersion, low| Pick { line, sample, dispersion, low };
        let block = Block {
            first_line: 4,
            lines: 2,
            amplitude: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            picks: vec![
                pick(4, 0, 0.1, false),
                pick(4, 2, 0.25, false),
                pick(5, 1, 0.3, true),
                pick(5, 2, 0.2, false),
            ],
        };
        let rows = format_rows(&block, &Window { range: 1..3, azimuth: 0..9 }, 7);
        assert_eq!(rows.ij, b"8 4 2\n9 5 2\n");
        assert_eq!(rows.ij0, b"8 5 1\n");
        assert_eq!(rows.dispersion, b"0.25\n0.2\n");
        assert_eq!(rows.ij_int, [0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 5]);
        let sums: Vec<u8> = [2.0_f32, 3.0, 5.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(rows.amplitude, sums);
        let rows = format_rows(&block, &Window { range: 0..3, azimuth: 5..6 }, 0);
        assert_eq!((&rows.ij0[..], &rows.ij[..]), (&b"0 5 1\n"[..], &b"1 5 2\n"[..]));
    }
}
