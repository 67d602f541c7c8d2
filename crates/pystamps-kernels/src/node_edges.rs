//! Lists the pairs of nodes that meet in a grid of nearest nodes.

use rayon::prelude::*;

/// Pairs of different nodes whose territories touch, and where they do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeEdges {
    /// Node numbers from 0 of every edge, the lower first; sorted.
    pub ends: Vec<[u32; 2]>,
    /// `(rows - 1) x columns`, column-major: from each cell to the one in the next row. The number
    /// of the edge from 1, negative where the step goes from its higher node to its lower; 0 inside
    /// one node's territory. StaMPS: `rowix`.
    pub down: Vec<i32>,
    /// `rows x (columns - 1)`, column-major: the same from each cell to the one in the next column.
    /// StaMPS: `colix`.
    pub right: Vec<i32>,
}

impl NodeEdges {
    /// How many steps of the grid go along every edge. StaMPS: `n_occ`.
    pub fn occurrences(&self) -> Vec<u32> {
        let mut counts = vec![0; self.ends.len()];
        for &step in self.down.iter().chain(&self.right) {
            if step != 0 {
                counts[step.unsigned_abs() as usize - 1] += 1;
            }
        }
        counts
    }
}

/// The edges of a grid of nearest nodes: `nearest` is `rows * columns`, column-major.
///
/// # StaMPS compatibility
/// Stage6.md section 4, steps 3 to 5. The original drops the first of the unique pairs, which it
/// takes for "twice the same node". In a full grid there is no such pair and it loses its first
/// edge, whose steps then count as steps inside one node; here it stays.
///
/// # Panics
/// If `nearest` has another length, or there are more than 2^31 - 1 edges.
pub fn node_edges(nearest: &[u32], rows: usize, columns: usize) -> NodeEdges {
    assert_eq!(nearest.len(), rows * columns, "a grid of rows * columns cells");
    let steps = || down_steps(nearest, rows).chain(right_steps(nearest, rows));
    let mut keys: Vec<u64> = steps().filter(|[a, b]| a != b).map(|pair| key(pair).0).collect();
    keys.par_sort_unstable();
    keys.dedup();
    assert!(i32::try_from(keys.len()).is_ok(), "edge numbers fit");
    let first_of = first_keys(&keys);
    let numbered = |pair: [u32; 2]| {
        let (key, sign) = key(pair);
        let low = pair[0].min(pair[1]) as usize;
        let range = first_of.get(low).zip(first_of.get(low + 1));
        let own = range.map_or(&keys[..0], |(&from, &to)| &keys[from..to]);
        // The few edges of one node: searching is quicker than bisecting.
        let found = own.iter().position(|&other| other == key).zip(range);
        let number = found.map_or(0, |(place, (&from, _))| from + place + 1);
        sign * i32::try_from(number).expect("invariant: checked above")
    };
    NodeEdges {
        down: down_steps(nearest, rows).map(numbered).collect(),
        right: right_steps(nearest, rows).map(numbered).collect(),
        ends: keys.iter().map(|&key| [(key >> 32) as u32, (key & 0xFFFF_FFFF) as u32]).collect(),
    }
}

fn down_steps(nearest: &[u32], rows: usize) -> impl Iterator<Item = [u32; 2]> {
    nearest.chunks(rows.max(1)).flat_map(|column| column.windows(2).map(|pair| [pair[0], pair[1]]))
}

fn right_steps(nearest: &[u32], rows: usize) -> impl Iterator<Item = [u32; 2]> {
    let next = nearest.get(rows..).unwrap_or(&[]);
    nearest.iter().zip(next).map(|(&from, &to)| [from, to])
}

/// A number that sorts like the ascending pair, and whether the pair was ascending.
fn key([from, to]: [u32; 2]) -> (u64, i32) {
    let (low, high, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
    (u64::from(low) << 32 | u64::from(high), sign)
}

/// For every lower node the place of its first key, and the end after the last.
fn first_keys(keys: &[u64]) -> Vec<usize> {
    let mut first_of = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let low = (key >> 32) as usize;
        if first_of.len() <= low {
            first_of.resize(low + 1, place);
        }
    }
    first_of.push(keys.len());
    first_of
}

#[cfg(test)]
mod tests {
    use super::{NodeEdges, node_edges};

    #[test]
    fn signs_and_numbers() {
        // 0 0 1
        // 2 0 1
        let edges = node_edges(&[0, 2, 0, 0, 1, 1], 2, 3);
        assert_eq!(edges.ends, [[0, 1], [0, 2]]);
        assert_eq!(edges.down, [2, 0, 0]);
        assert_eq!(edges.right, [0, -2, 1, 1]);
        assert_eq!(edges.occurrences(), [2, 2]);
    }

    #[test]
    fn a_full_grid_keeps_its_first_edge() {
        let kept = node_edges(&[0, 1, 2, 3], 2, 2);
        assert_eq!(kept.ends, [[0, 1], [0, 2], [1, 3], [2, 3]]);
        assert_eq!((&kept.down[..], &kept.right[..]), (&[1, 4][..], &[2, 3][..]));
    }

    #[test]
    fn degenerate_grids() {
        for (nearest, rows, columns) in [(&[][..], 0, 0), (&[0][..], 1, 1), (&[], 0, 4)] {
            assert_eq!(node_edges(nearest, rows, columns), NodeEdges::default());
        }
        let line = node_edges(&[0, 0, 1], 1, 3);
        assert_eq!((line.down.len(), &line.right[..]), (0, &[0, 1][..]));
    }
}
