//! Adds weighted phasors into the cells of a grid.

use num_complex::Complex;

/// Adds the phasors of one interferogram to their cells of `plane`, candidate after candidate, in
/// single precision (stage2.md 5.2). `cell` holds an index into `plane` for every candidate.
///
/// Sums in single precision depend on their order, which is that of the candidates. Planes may be
/// filled side by side, candidates of one plane not.
///
/// # Panics
/// If the lengths differ or a cell is not in the plane.
pub fn accumulate_plane(
    weighted_re: &[f32],
    weighted_im: &[f32],
    cell: &[u32],
    plane: &mut [Complex<f32>],
) {
    assert_eq!(weighted_re.len(), cell.len(), "one cell for every candidate");
    assert_eq!(weighted_im.len(), cell.len(), "one cell for every candidate");
    for ((&re, &im), &cell) in weighted_re.iter().zip(weighted_im).zip(cell) {
        let sum = &mut plane[cell as usize];
        sum.re += re;
        sum.im += im;
    }
}

#[cfg(test)]
mod tests {
    use super::accumulate_plane;
    use num_complex::Complex;

    #[test]
    fn sums_are_single_and_in_order() {
        let mut plane = [Complex::new(0.0_f32, 0.0); 3];
        let re = [16_777_216.0, 1.0, 1.0, 5.0];
        let im = [1.0, 2.0, f32::NAN, 4.0];
        accumulate_plane(&re, &im, &[2, 2, 2, 0], &mut plane);
        // 2^24 + 1 + 1 in single precision and this order: each 1 is lost.
        assert_eq!(plane[2].re, 16_777_216.0);
        assert!(plane[2].im.is_nan());
        assert_eq!(plane[0], Complex::new(5.0, 4.0));
        assert_eq!(plane[1], Complex::new(0.0, 0.0));
    }
}
