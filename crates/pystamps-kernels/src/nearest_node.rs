//! Finds the occupied cell nearest to every cell of a grid.

use rayon::prelude::*;

/// Rows or columns that are worked on together, so that memory is read in whole lines.
const BLOCK: usize = 16;

/// For every cell of a grid the number of the occupied cell nearest to it, column-major.
///
/// `occupied` is `rows * columns`, column-major; occupied cells are numbered from 0 in that order.
/// Distances are Euclidean, in cells, and compared exactly. Without an occupied cell the result is
/// empty.
///
/// # StaMPS compatibility
/// `Z` of stage6.md section 4. Of several cells at the same distance the one of the smallest number
/// wins; the original walks through a triangulation and leaves such ties to chance.
///
/// # Algorithm
/// 1. In every column, for every row, the nearest occupied cell of that column.
/// 2. In every row the squared distance to the candidate of column `c'` is a parabola in the column
///    `c`: the lower envelope of all of them says which column wins where (Meijster, Roerdink and
///    Hesselink 2000). Both steps take time in proportion to the cells.
///
/// # Panics
/// If `occupied` has another length, or a side has 2^30 cells or more.
pub fn nearest_nodes(occupied: &[bool], rows: usize, columns: usize) -> Vec<u32> {
    assert_eq!(occupied.len(), rows * columns, "a grid of rows * columns cells");
    assert!(rows < 1 << 30 && columns < 1 << 30, "squared distances fit");
    if !occupied.contains(&true) {
        return Vec::new();
    }
    let candidates = column_candidates(occupied, rows);
    let mut by_rows = vec![0_u32; rows * columns];
    by_rows.par_chunks_mut(columns * BLOCK).enumerate().for_each_init(
        Vec::new,
        |envelope, (block, lines)| {
            let first_row = block * BLOCK;
            // The lines of a block lie side by side in the columns: fetched together.
            let height = lines.len() / columns;
            let mut own = vec![Candidate::NONE; lines.len()];
            for (column, candidates) in candidates.chunks_exact(rows).enumerate() {
                for (row, candidate) in candidates[first_row..first_row + height].iter().enumerate()
                {
                    own[row * columns + column] = *candidate;
                }
            }
            let own = own.chunks_exact(columns);
            for (line, candidates) in lines.chunks_exact_mut(columns).zip(own) {
                fill_line(candidates, envelope, line);
            }
        },
    );
    let mut nearest = vec![0; rows * columns];
    nearest.par_chunks_mut(rows * BLOCK).enumerate().for_each(|(block, lines)| {
        for row in 0..rows {
            let from = &by_rows[row * columns + block * BLOCK..];
            for (out, number) in lines[row..].iter_mut().step_by(rows).zip(from) {
                *out = *number;
            }
        }
    });
    nearest
}

/// Nearest numbers along one row, given the candidates of all its columns.
fn fill_line(candidates: &[Candidate], envelope: &mut Vec<Piece>, line: &mut [u32]) {
    lower_envelope(candidates, envelope);
    let mut pieces = envelope.iter().peekable();
    let mut number = 0;
    for (column, nearest) in (0_i64..).zip(line) {
        while let Some(piece) = pieces.next_if(|piece| piece.first_column <= column) {
            number = piece.number;
        }
        *nearest = number;
    }
}

/// The occupied cell of one column that is nearest to a row.
#[derive(Clone, Copy)]
struct Candidate {
    /// Rows between, or `u32::MAX` without an occupied cell in the column.
    rows: u32,
    number: u32,
}

impl Candidate {
    const NONE: Self = Self { rows: u32::MAX, number: 0 };
}

fn column_candidates(occupied: &[bool], rows: usize) -> Vec<Candidate> {
    let mut first = 0_u32;
    let firsts: Vec<u32> = occupied
        .chunks(rows)
        .map(|column| {
            let own = first;
            first += column.iter().map(|&cell| u32::from(cell)).sum::<u32>();
            own
        })
        .collect();
    let height = u32::try_from(rows).expect("invariant: checked by the caller");
    let mut candidates = vec![Candidate::NONE; occupied.len()];
    candidates.par_chunks_mut(rows).zip(occupied.par_chunks(rows)).zip(firsts).for_each(
        |((candidates, cells), first)| {
            let mut above = None;
            let mut number = first;
            for (row, (candidate, &cell)) in (0_u32..).zip(candidates.iter_mut().zip(cells)) {
                if cell {
                    above = Some((row, number));
                    number += 1;
                }
                if let Some((at, number)) = above {
                    *candidate = Candidate { rows: row - at, number };
                }
            }
            let mut below = None;
            let upwards = candidates.iter_mut().zip(cells).rev();
            for (row, (candidate, &cell)) in (0..height).rev().zip(upwards) {
                if cell {
                    number -= 1;
                    below = Some((row, number));
                }
                // At the same distance the cell above has the smaller number and stays.
                if let Some((at, number)) = below
                    && at - row < candidate.rows
                {
                    *candidate = Candidate { rows: at - row, number };
                }
            }
        },
    );
    candidates
}

/// A run of columns that one candidate is nearest to.
struct Piece {
    column: i64,
    squared: i64,
    number: u32,
    /// The run's first column; it ends where the next begins.
    first_column: i64,
}

fn lower_envelope(candidates: &[Candidate], pieces: &mut Vec<Piece>) {
    pieces.clear();
    let occupied = |candidate: &&Candidate| candidate.rows != u32::MAX;
    let columns = (0_i64..).zip(candidates).filter(|(_, candidate)| occupied(candidate));
    for (column, &Candidate { rows, number }) in columns {
        let squared = i64::from(rows) * i64::from(rows);
        let mut first_column = 0;
        while let Some(last) = pieces.last() {
            // Up to this column the earlier candidate is as near or nearer: ties are its own.
            let rise = (column * column + squared) - (last.column * last.column + last.squared);
            first_column = rise.div_euclid(2 * (column - last.column)) + 1;
            if first_column > last.first_column {
                break;
            }
            pieces.pop();
            first_column = 0;
        }
        pieces.push(Piece { column, squared, number, first_column });
    }
}

#[cfg(test)]
mod tests {
    use super::nearest_nodes;
    use proptest::prelude::*;

    fn by_trying_all(occupied: &[bool], rows: usize) -> Vec<u32> {
        let nodes: Vec<usize> = (0..occupied.len()).filter(|&k| occupied[k]).collect();
        let distance = |a: usize, b: usize| {
            (a % rows).abs_diff(b % rows).pow(2) + (a / rows).abs_diff(b / rows).pow(2)
        };
        let nearest = |cell| {
            (0_u32..).zip(&nodes).min_by_key(|&(number, &node)| (distance(cell, node), number))
        };
        (0..occupied.len()).filter_map(nearest).map(|(number, _)| number).collect()
    }

    #[test]
    fn ties_go_to_the_smallest_number() {
        // The corners of a square of three cells: every other cell has a tie.
        let corners: Vec<bool> = (0..9).map(|k| [0, 2, 6, 8].contains(&k)).collect();
        assert_eq!(nearest_nodes(&corners, 3, 3), [0, 0, 1, 0, 0, 1, 2, 2, 3]);
    }

    #[test]
    fn degenerate_grids() {
        assert!(nearest_nodes(&[], 0, 0).is_empty());
        assert!(nearest_nodes(&[], 0, 5).is_empty());
        assert!(nearest_nodes(&[false; 6], 2, 3).is_empty());
        assert_eq!(nearest_nodes(&[true; 6], 2, 3), [0, 1, 2, 3, 4, 5]);
        assert_eq!(nearest_nodes(&[false, true, false], 1, 3), [0; 3]);
    }

    proptest! {
        #[test]
        fn the_same_as_trying_all(
            rows in 1_usize..40,
            cells in prop::collection::vec(prop::bool::weighted(0.05), 40..900),
        ) {
            let columns = cells.len() / rows;
            let cells = &cells[..rows * columns];
            prop_assert_eq!(nearest_nodes(cells, rows, columns), by_trying_all(cells, rows));
        }
    }
}
