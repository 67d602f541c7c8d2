//! Of selected candidates that touch, or lie on one spot, keeps the most coherent.

use std::collections::BTreeMap;

/// Which rows stay when of every group of adjacent pixels only the most coherent does.
///
/// # StaMPS compatibility
/// Stage4.md section 2, literally: a pixel is linked to the first row (by number) among its eight
/// neighbours and to no other, and a row that was visited does not link again, so that groups may
/// be smaller than what is connected. The original paints rows into an image of the patch; here
/// the neighbours are looked up, which gives the same first row.
///
/// # Algorithm
/// 1. Every row goes to the list of the lowest row among its neighbours.
/// 2. From every row with a list, in order: follow lists from member to member and empty them.
/// 3. In each group thus found all but the first of highest coherence go.
pub(super) fn best_of_neighbours(pixels: &[[i64; 2]], coherence: &[f64]) -> Vec<bool> {
    let mut lists = linked_to_first_neighbour(pixels);
    let mut stays = vec![true; pixels.len()];
    for row in 0..pixels.len() {
        if lists[row].is_empty() {
            continue;
        }
        let mut group = vec![row];
        let mut next = 0;
        while let Some(&member) = group.get(next) {
            group.append(&mut lists[member]);
            next += 1;
        }
        group.sort_unstable();
        group.dedup();
        keep_most_coherent(&group, coherence, &mut stays);
    }
    stays
}

/// For every row, the rows whose first neighbour it is, in order.
fn linked_to_first_neighbour(pixels: &[[i64; 2]]) -> Vec<Vec<usize>> {
    let mut first_at: BTreeMap<[i64; 2], usize> = BTreeMap::new();
    for (row, &pixel) in pixels.iter().enumerate() {
        first_at.entry(pixel).or_insert(row);
    }
    let mut lists = vec![Vec::new(); pixels.len()];
    for (row, &[azimuth, range]) in pixels.iter().enumerate() {
        let around = (-1..=1).flat_map(|i| (-1..=1).map(move |j| [i, j]));
        let neighbours = around.filter(|&step| step != [0, 0]);
        let first =
            neighbours.filter_map(|[i, j]| first_at.get(&[azimuth + i, range + j])).min().copied();
        if let Some(first) = first {
            lists[first].push(row);
        }
    }
    lists
}

/// Drops all of `group` (in order) but the first of highest coherence; NaN is never the highest.
fn keep_most_coherent(group: &[usize], coherence: &[f64], stays: &mut [bool]) {
    let mut best = group[0];
    for &row in group {
        if coherence[row] > coherence[best]
            || (coherence[best].is_nan() && !coherence[row].is_nan())
        {
            best = row;
        }
    }
    for &row in group.iter().filter(|&&row| row != best) {
        stays[row] = false;
    }
}

/// Which rows stay when of all at exactly one position only the most coherent does.
///
/// # StaMPS compatibility
/// Stage4.md section 4 (x and y, m), stage5.md B3 (longitude and latitude, deg); ties go to the
/// lowest row.
pub(crate) fn best_of_coincident(positions: &[[f64; 2]], coherence: &[f64]) -> Vec<bool> {
    // Adding zero makes both zeros one.
    let key = |position: &[f64; 2]| position.map(|coordinate| (coordinate + 0.0).to_bits());
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by_key(|&row| (key(&positions[row]), row));
    let mut stays = vec![true; positions.len()];
    for group in order.chunk_by(|&a, &b| positions[a] == positions[b]) {
        keep_most_coherent(group, coherence, &mut stays);
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_a_chain_stays() {
        // 0 1 2 in a line, 3 apart. First neighbours: 0 -> 1, 1 -> 0, 2 -> 1. From row 0: {0, 1, 2}.
        let pixels = [[5, 5], [5, 6], [5, 7], [9, 9]];
        assert_eq!(best_of_neighbours(&pixels, &[0.5, 0.6, 0.7, 0.1]), [false, false, true, true]);
        // Ties go to the lowest row, NaN to nobody.
        assert_eq!(
            best_of_neighbours(&pixels, &[0.5, 0.5, f64::NAN, 0.1]),
            [true, false, false, true]
        );
    }

    #[test]
    fn only_first_neighbours_link() {
        // Rows 0 and 1 lie apart, with 2 between them: 2 is linked to 0 alone, and 0 and 1 both to
        // 2. From row 0 the group is {0, 2, 1}: row 1 comes in by the list of row 2.
        let pixels = [[0, 0], [0, 2], [0, 1]];
        assert_eq!(best_of_neighbours(&pixels, &[0.9, 0.8, 0.1]), [true, false, false]);
    }

    #[test]
    fn a_visited_row_does_not_link_again() {
        // In the line 3 1 0 2 4: first neighbours 3 -> 1, 1 -> 0, 0 -> 1, 2 -> 0, 4 -> 2, so the
        // lists are 0: [1, 2], 1: [0, 3], 2: [4], and everything is one group from row 0.
        let pixels = [[0, 0], [0, -1], [0, 1], [0, -2], [0, 2]];
        let stays = best_of_neighbours(&pixels, &[0.1, 0.2, 0.3, 0.4, 0.5]);
        assert_eq!(stays, [false, false, false, false, true]);
    }

    #[test]
    fn diagonal_pixels_touch_and_the_same_pixel_does_not() {
        assert_eq!(best_of_neighbours(&[[0, 0], [1, 1]], &[0.2, 0.3]), [false, true]);
        assert_eq!(best_of_neighbours(&[[0, 0], [0, 2], [0, 0]], &[0.2, 0.3, 0.4]), [true; 3]);
        assert_eq!(best_of_neighbours(&[], &[]), [] as [bool; 0]);
    }

    #[test]
    fn one_of_each_position_stays() {
        let xy = [[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0], [1.0, 2.0]];
        assert_eq!(
            best_of_coincident(&xy, &[0.4, 0.5, 0.6, 0.5, 0.6]),
            [false, true, true, false, false]
        );
        assert_eq!(best_of_coincident(&xy, &[f64::NAN; 5]), [true, true, false, false, false]);
    }
}
