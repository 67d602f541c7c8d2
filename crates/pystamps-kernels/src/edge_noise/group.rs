//! Holds the phase differences of a few edges, one edge a vector lane.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use super::Phasors;
use crate::elementary::atan2;

/// Edges that are worked on together.
pub(super) const LANES: usize = 8;

/// Phase differences of `LANES` edges, interferogram by interferogram.
pub(super) struct Group {
    /// Real part of `w(e2) conj(w(e1))`, rounded to single precision.
    pub(super) re: Vec<[f64; LANES]>,
    /// Imaginary part.
    pub(super) im: Vec<[f64; LANES]>,
    /// Lanes that hold an edge; the others repeat the first.
    pub(super) count: usize,
}

impl Group {
    pub(super) fn new(columns: usize) -> Self {
        Self { re: vec![[0.0; LANES]; columns], im: vec![[0.0; LANES]; columns], count: 0 }
    }

    pub(super) fn columns(&self) -> usize {
        self.re.len()
    }

    /// Takes in up to [`LANES`] edges.
    #[inline(always)]
    pub(super) fn load(&mut self, phasors: &Phasors<'_>, edges: &[[u32; 2]]) {
        self.count = edges.len();
        let columns = phasors.columns;
        for lane in 0..LANES {
            let [from, to] = edges[if lane < edges.len() { lane } else { 0 }];
            let row = |end: u32| &phasors.values[end as usize * columns..][..columns];
            let differences = row(from).iter().zip(row(to));
            for ((a, b), (re, im)) in differences.zip(self.re.iter_mut().zip(&mut self.im)) {
                re[lane] = f64::from(b.re * a.re + b.im * a.im);
                im[lane] = f64::from(b.im * a.re - b.re * a.im);
            }
        }
    }
}

/// Angles of complex numbers, rad, lane by lane.
#[inline(always)]
pub(super) fn angles(im: &[f64; LANES], re: &[f64; LANES]) -> [f64; LANES] {
    let mut angles = [0.0; LANES];
    for lane in 0..LANES {
        angles[lane] = atan2(im[lane], re[lane]);
    }
    angles
}

/// Standard deviation (divisor n - 1) and largest absolute value of every lane of `values`.
///
/// # StaMPS compatibility
/// MATLAB's `std`: a single value deviates by 0.
#[inline(always)]
pub(super) fn spread(values: &[[f64; LANES]]) -> [[f64; LANES]; 2] {
    let mut mean = [0.0; LANES];
    let mut largest = [0.0_f64; LANES];
    for value in values {
        for lane in 0..LANES {
            mean[lane] += value[lane];
            let size = value[lane].abs();
            largest[lane] = if size > largest[lane] { size } else { largest[lane] };
        }
    }
    let count = values.len() as f64;
    let mut squares = [0.0; LANES];
    for value in values {
        for lane in 0..LANES {
            let deviation = value[lane] - mean[lane] / count;
            squares[lane] += deviation * deviation;
        }
    }
    let divisor = (count - 1.0).max(1.0);
    for (lane, square) in squares.iter_mut().enumerate() {
        *square = (*square / divisor).sqrt();
        // A comparison passes over NaN; the mean does not.
        largest[lane] = if mean[lane].is_nan() { f64::NAN } else { largest[lane] };
    }
    [squares, largest]
}
