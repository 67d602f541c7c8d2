//! Finds the nearest of many points.

use super::ordinary::separation;

/// Points in a cell in the mean.
const CROWD: f64 = 4.0;

/// Points sorted into a grid of square cells.
#[derive(Clone, Debug)]
pub(super) struct NearestPoints<'a> {
    places: &'a [[f64; 2]],
    origin: [f64; 2],
    size: f64,
    /// Rows and columns of cells.
    shape: [usize; 2],
    /// Where cells begin in `points`, row by row.
    starts: Vec<usize>,
    points: Vec<usize>,
}

impl<'a> NearestPoints<'a> {
    /// Sorts the points whose places are numbers.
    pub(super) fn new(places: &'a [[f64; 2]]) -> Self {
        let known = |point: &usize| places[*point].iter().all(|x| x.is_finite());
        let known: Vec<usize> = (0..places.len()).filter(known).collect();
        let bound = |axis: usize, of: fn(f64, f64) -> f64, from: f64| {
            known.iter().map(|&point| places[point][axis]).fold(from, of)
        };
        let low = [0, 1].map(|axis| bound(axis, f64::min, f64::INFINITY));
        let high = [0, 1].map(|axis| bound(axis, f64::max, f64::NEG_INFINITY));
        let side = [high[0] - low[0], high[1] - low[1]];
        let longest = side[0].max(side[1]);
        let cells = (known.len() as f64 / CROWD).max(1.0);
        // Cells of equal crowds where the points fill their rectangle, and never many more.
        let size = (side[0] * side[1] / cells).sqrt().max(longest / cells);
        let size = if size.is_finite() && size > 0.0 { size } else { 1.0 };
        let shape = if known.is_empty() { [1, 1] } else { side.map(|side| whole(side / size) + 1) };
        let mut grid = Self { places, origin: low, size, shape, starts: Vec::new(), points: known };
        let cell = |point: &usize| {
            let [column, row] = grid.cell(places[*point]);
            row * grid.shape[0] + column
        };
        let mut sorted: Vec<(usize, usize)> =
            grid.points.iter().map(|point| (cell(point), *point)).collect();
        sorted.sort_unstable();
        grid.starts = (0..=shape[0] * shape[1])
            .map(|number| sorted.partition_point(|(cell, _)| *cell < number))
            .collect();
        grid.points = sorted.into_iter().map(|(_, point)| point).collect();
        grid
    }

    fn cell(&self, at: [f64; 2]) -> [usize; 2] {
        [0, 1]
            .map(|axis| whole((at[axis] - self.origin[axis]) / self.size).min(self.shape[axis] - 1))
    }

    /// The `most` points nearest to `at` and nearer than `reach`; the nearest first, ties in their
    /// order. `at` is inside the rectangle that the points fill.
    pub(super) fn of(&self, at: [f64; 2], most: usize, reach: f64) -> Vec<usize> {
        let [column, row] = self.cell(at);
        let mut near: Vec<(f64, usize)> = Vec::new();
        for ring in 0..self.shape[0].max(self.shape[1]) {
            // All points nearer than this were in the rings before.
            let seen = ring.saturating_sub(1) as f64 * self.size;
            let enough = near.iter().filter(|(distance, _)| *distance <= seen).count() >= most;
            if enough || seen > reach {
                break;
            }
            self.add_ring(at, [column, row], ring, reach, &mut near);
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(most);
        near.into_iter().map(|(_, point)| point).collect()
    }

    /// Adds the points in reach from the cells so many rings around a cell.
    fn add_ring(
        &self,
        at: [f64; 2],
        [column, row]: [usize; 2],
        ring: usize,
        reach: f64,
        near: &mut Vec<(f64, usize)>,
    ) {
        let rows = row.saturating_sub(ring)..(row + ring + 1).min(self.shape[1]);
        for y in rows {
            let columns = column.saturating_sub(ring)..(column + ring + 1).min(self.shape[0]);
            // Rows between the first and the last of a ring have two cells in it.
            let step = if y.abs_diff(row) == ring { 1 } else { 2 * ring };
            let first = if step > 1 && column < ring { column + ring } else { columns.start };
            for x in (first..columns.end).step_by(step.max(1)) {
                let cell = y * self.shape[0] + x;
                for &point in &self.points[self.starts[cell]..self.starts[cell + 1]] {
                    let distance = separation(self.places[point], at);
                    if distance < reach {
                        near.push((distance, point));
                    }
                }
            }
        }
    }
}

/// A number of cells, at most 2^32.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole(value: f64) -> usize {
    value.min(4_294_967_296.0) as usize
}

#[cfg(test)]
mod tests {
    use super::super::{Kriging, KrigingMethod};
    use super::*;

    #[test]
    fn the_same_points_as_one_by_one() {
        let line: Vec<[f64; 2]> = (0..50).map(|k| [f64::from(k * 7 % 50), 3.0]).collect();
        let cloud: Vec<[f64; 2]> = (0..700)
            .map(|k| [0.754_877, 0.569_84].map(|step| (f64::from(k) * step).fract() * 900.0))
            .collect();
        let mut odd = cloud.clone();
        odd[3] = [f64::NAN, 0.0];
        odd.extend([[5e4, 5e4]; 3]);
        for places in [line, cloud, odd, vec![[1.0, 1.0]; 9], Vec::new()] {
            let nearest = NearestPoints::new(&places);
            for (most, reach) in [(1, 1e9), (20, 60.0), (50, 400.0), (1000, 1e9)] {
                let all = Kriging { structures: &[], method: KrigingMethod::Simple, most, reach };
                for &at in places.iter().step_by(17).filter(|at| at[0].is_finite()) {
                    let expected = all.nearest(&places, at);
                    assert_eq!(nearest.of(at, most, reach), expected, "{at:?} {most}");
                }
            }
        }
    }
}
