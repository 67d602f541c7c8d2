//! Wrapped differences of neighbouring pixels and their residues.

use std::f64::consts::{PI, TAU};

use crate::{GridArcs, UnwrapError};

impl GridArcs<i8> {
    /// Whole cycles w of every arc that bring the difference of its pixels into one cycle:
    /// `psi_next - psi + 2 pi w` lies in (-pi, pi], w in {-1, 0, 1}.
    ///
    /// `phase_rad`: wrapped phase [rows, columns], row after row, in any range of one cycle. Differences
    /// are formed in double precision.
    ///
    /// # Errors
    ///
    /// A phase that is not finite, or that differs from its neighbour by more than a cycle and a
    /// half; a length that is not rows x columns; a grid without pixels.
    pub fn from_wrapped_phase(
        rows: usize,
        columns: usize,
        phase_rad: &[f32],
    ) -> Result<Self, UnwrapError> {
        if rows == 0 || columns == 0 {
            return Err(UnwrapError::Empty { rows, columns });
        }
        let expected = rows.saturating_mul(columns);
        if phase_rad.len() != expected {
            let found = phase_rad.len();
            return Err(UnwrapError::Length { what: "wrapped phase", expected, found });
        }
        if let Some(at) = phase_rad.iter().position(|phase| !phase.is_finite()) {
            let (row, column) = (at / columns, at % columns);
            return Err(UnwrapError::PhaseNotFinite {
                row,
                column,
                value: phase_rad[at].to_string(),
            });
        }
        let (down_count, right_count) = Self::lengths(rows, columns);
        let mut down = vec![0; down_count];
        let mut right = vec![0; right_count];
        for row in 0..rows {
            let here = &phase_rad[row * columns..][..columns];
            let to = &mut right[row * (columns - 1)..][..columns - 1];
            let mut wrapped = wrap_arcs(here, &here[1..], to);
            if row + 1 < rows {
                let below = &phase_rad[(row + 1) * columns..][..columns];
                wrapped &= wrap_arcs(here, below, &mut down[row * columns..][..columns]);
            }
            if !wrapped {
                let column = first_unwrapped(phase_rad, columns, row);
                return Err(UnwrapError::PhaseNotWrapped { row, column });
            }
        }
        Ok(Self { down, right })
    }
}

/// Cycles of the arcs from `from` to `to`; whether all differences are within a cycle and a half.
fn wrap_arcs(from: &[f32], to: &[f32], cycles: &mut [i8]) -> bool {
    let mut wrapped = true;
    for ((cycles, &from), &to) in cycles.iter_mut().zip(from).zip(to) {
        let difference = f64::from(to) - f64::from(from);
        *cycles = i8::from(difference <= -PI) - i8::from(difference > PI);
        wrapped &= difference.abs() <= PI + TAU;
    }
    wrapped
}

/// Column of the first pixel of `row` that differs too much from a neighbour.
fn first_unwrapped(phase_rad: &[f32], columns: usize, row: usize) -> usize {
    let at = |index: usize| phase_rad.get(index).copied().map(f64::from);
    let far = |from: f64, to: Option<f64>| to.is_some_and(|to| (to - from).abs() > PI + TAU);
    (0..columns)
        .find(|&column| {
            let index = row * columns + column;
            let here = f64::from(phase_rad[index]);
            far(here, at(index + columns)) || (column + 1 < columns && far(here, at(index + 1)))
        })
        .unwrap_or(0)
}

/// Number of cells of 2 x 2 pixels round which the wrapped differences do not add up to 0.
///
/// The sums are taken clockwise: right along the top, down, back along the bottom, up.
#[must_use]
pub fn count_residues(rows: usize, columns: usize, wraps: &GridArcs<i8>) -> u64 {
    let mut count = 0;
    for row in 0..rows.saturating_sub(1) {
        let top = &wraps.right[row * (columns - 1)..][..columns - 1];
        let bottom = &wraps.right[(row + 1) * (columns - 1)..][..columns - 1];
        let side = &wraps.down[row * columns..][..columns];
        let mut in_row = 0u32;
        for (((&top, &bottom), &left), &right) in top.iter().zip(bottom).zip(side).zip(&side[1..]) {
            in_row += u32::from(top + right != bottom + left);
        }
        count += u64::from(in_row);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_cycle_up_stays_and_down_is_turned() {
        // The nearest double to pi is below it, the nearest single above.
        let below = 3.141_592_5_f32;
        let wraps = GridArcs::from_wrapped_phase(1, 3, &[0.0, below, 0.0]).unwrap();
        assert_eq!(wraps.right, [0, 0]);
        let above = std::f32::consts::PI;
        let wraps = GridArcs::from_wrapped_phase(1, 3, &[0.0, above, 0.0]).unwrap();
        assert_eq!(wraps.right, [-1, 1]);
    }

    #[test]
    fn a_vortex_is_one_residue() {
        let phases = [0.0, 1.5, 4.5, 3.0];
        let wraps = GridArcs::from_wrapped_phase(2, 2, &phases).unwrap();
        assert_eq!(wraps.right, [0, 0]);
        assert_eq!(wraps.down, [-1, 0]);
        assert_eq!(count_residues(2, 2, &wraps), 1);
    }

    #[test]
    fn what_is_no_wrapped_phase_is_refused() {
        let error = GridArcs::from_wrapped_phase(1, 2, &[0.0, f32::NAN]).unwrap_err();
        assert!(matches!(error, UnwrapError::PhaseNotFinite { row: 0, column: 1, .. }));
        let error = GridArcs::from_wrapped_phase(2, 2, &[0.0, 0.0, 0.0, 12.0]).unwrap_err();
        assert_eq!(error, UnwrapError::PhaseNotWrapped { row: 0, column: 1 });
        let error = GridArcs::from_wrapped_phase(2, 2, &[0.0; 3]).unwrap_err();
        assert!(matches!(error, UnwrapError::Length { expected: 4, found: 3, .. }));
        let error = GridArcs::from_wrapped_phase(0, 2, &[]).unwrap_err();
        assert_eq!(error, UnwrapError::Empty { rows: 0, columns: 2 });
        assert!(GridArcs::from_wrapped_phase(usize::MAX, 2, &[]).is_err());
    }
}
