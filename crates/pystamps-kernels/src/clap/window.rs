//! Takes windows out of a plane for their transform.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use num_complex::Complex64;

/// Copies the window of `window` x `window` cells that begins at `first` (row, column) of a plane with
/// `rows` rows into the top left of the zero-padded `size` x `size` cells; whether there is anything
/// in it.
#[inline(always)]
pub(crate) fn gather_window(
    plane: &[Complex64],
    rows: usize,
    first: [usize; 2],
    [window, size]: [usize; 2],
    cells: &mut [Complex64],
) -> bool {
    let [row, column] = first;
    let mut total = 0.0;
    for (k, line) in cells.chunks_exact_mut(size).enumerate() {
        let (inside, padding) = line.split_at_mut(window);
        padding.fill(Complex64::ZERO);
        if k < window {
            let start = (column + k) * rows + row;
            inside.copy_from_slice(&plane[start..start + window]);
            for cell in inside {
                total += cell.re.abs() + cell.im.abs();
            }
        } else {
            inside.fill(Complex64::ZERO);
        }
    }
    total != 0.0
}
