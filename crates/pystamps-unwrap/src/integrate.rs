//! From flows to whole cycles of the pixels and back.

use crate::{GridArcs, UnwrapError};

/// Whole cycles k [rows, columns], row after row, that a flow adds to the pixels: `k_next - k` is the
/// wrap plus the flow of the arc between, and k(0, 0) is 0.
///
/// The first column is summed downwards, then every row from it. For a flow that balances, every
/// other way gives the same.
///
/// # Panics
///
/// If the lengths of the arrays do not fit the shape ([`GridArcs::check`] says so beforehand).
#[must_use]
pub fn integrate_cycles(
    rows: usize,
    columns: usize,
    wraps: &GridArcs<i8>,
    flow: &GridArcs<i16>,
) -> Vec<i32> {
    let fits = wraps.check(rows, columns).and_then(|()| flow.check(rows, columns));
    assert!(fits.is_ok(), "wraps or flow of another shape: {fits:?}");
    let mut cycles = Vec::with_capacity(rows * columns);
    let mut first = 0i32;
    for row in 0..rows {
        if row > 0 {
            let arc = (row - 1) * columns;
            first = first.wrapping_add(i32::from(wraps.down[arc]) + i32::from(flow.down[arc]));
        }
        let arcs = row * (columns - 1)..(row + 1) * (columns - 1);
        let mut here = first;
        cycles.push(here);
        for (&wrap, &flow) in wraps.right[arcs.clone()].iter().zip(&flow.right[arcs]) {
            here = here.wrapping_add(i32::from(wrap) + i32::from(flow));
            cycles.push(here);
        }
    }
    cycles
}

/// The flow that a solution given as whole cycles k of the pixels [rows, columns] amounts to: the
/// inverse of [`integrate_cycles`], for checking somebody else's result. It balances by construction.
///
/// # Errors
///
/// Arrays whose lengths do not fit the shape; neighbours that differ by more cycles than 16 bits hold.
pub fn flows_of_cycles(
    rows: usize,
    columns: usize,
    wraps: &GridArcs<i8>,
    cycles: &[i32],
) -> Result<GridArcs<i16>, UnwrapError> {
    wraps.check(rows, columns)?;
    if cycles.len() != rows * columns {
        let (expected, found) = (rows * columns, cycles.len());
        return Err(UnwrapError::Length { what: "cycles", expected, found });
    }
    let flow = |from: i32, to: i32, wrap: i8, arc: usize| {
        let flow = i64::from(to) - i64::from(from) - i64::from(wrap);
        i16::try_from(flow).map_err(|_| UnwrapError::FlowOverflow { arc })
    };
    let down = (0..wraps.down.len())
        .map(|arc| flow(cycles[arc], cycles[arc + columns], wraps.down[arc], arc))
        .collect::<Result<_, _>>()?;
    let right = (0..wraps.right.len())
        .map(|arc| {
            let pixel = arc + arc / (columns - 1);
            flow(cycles[pixel], cycles[pixel + 1], wraps.right[arc], arc)
        })
        .collect::<Result<_, _>>()?;
    Ok(GridArcs { down, right })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_and_flows_are_inverse() {
        let wraps = GridArcs { down: vec![1, 0, -1], right: vec![0, 1, 1, -1] };
        let cycles = vec![0, 4, -3, 7, 7, 2];
        let flow = flows_of_cycles(2, 3, &wraps, &cycles).unwrap();
        assert_eq!(flow.down, [6, 3, 6]);
        assert_eq!(flow.right, [4, -8, -1, -4]);
        assert_eq!(integrate_cycles(2, 3, &wraps, &flow), cycles);
    }

    #[test]
    fn jumps_beyond_sixteen_bits_are_refused() {
        let wraps = GridArcs { down: vec![], right: vec![0] };
        let error = flows_of_cycles(1, 2, &wraps, &[i32::MIN, i32::MAX]).unwrap_err();
        assert_eq!(error, UnwrapError::FlowOverflow { arc: 0 });
        assert!(flows_of_cycles(1, 2, &wraps, &[0]).is_err());
        assert!(flows_of_cycles(2, 2, &wraps, &[0; 4]).is_err());
    }

    #[test]
    fn a_line_of_pixels_has_no_cells() {
        let wraps = GridArcs { down: vec![1, -1], right: vec![] };
        let flow = GridArcs { down: vec![0, 3], right: vec![] };
        assert_eq!(integrate_cycles(3, 1, &wraps, &flow), [0, 1, 3]);
        assert_eq!(flows_of_cycles(3, 1, &wraps, &[0, 1, 3]).unwrap(), flow);
    }
}
