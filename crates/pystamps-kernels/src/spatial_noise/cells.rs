//! Sorts scattered points into square cells.

use std::ops::Range;

/// Standard deviations that sources reach.
pub(super) const REACH: f64 = 4.0;
/// Cells get smaller until no more points than this share one in the mean …
const MANY: f64 = 32.0;
/// … or until so many fit along a standard deviation.
const FINEST: f64 = 8.0;

/// A cell with points.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Row and column.
    place: [i64; 2],
    /// Where its points begin in the order.
    begin: usize,
}

/// A row of cells with points.
#[derive(Clone, Copy, Debug)]
struct Row {
    number: i64,
    /// Where its cells begin.
    begin: usize,
}

/// Points in the order of rows of cells, from cell to cell in a row, and by number in a cell.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// Numbers of the points in that order.
    order: Vec<u32>,
    occupied: Vec<Cell>,
    rows: Vec<Row>,
    size_m: f64,
    reach_m: f64,
}

impl Cells {
    /// Cells of points at `xy_m` for means with a standard deviation of `sigma_m`.
    pub(super) fn new(xy_m: &[[f32; 2]], sigma_m: f64) -> Self {
        let possible = sigma_m.is_finite() && sigma_m > 0.0;
        let mut size_m = if possible { sigma_m } else { f64::INFINITY };
        let mut sorted = sorted(xy_m, size_m);
        while possible && size_m * FINEST > sigma_m && crowd(&sorted) > MANY {
            size_m *= 0.5;
            sorted = self::sorted(xy_m, size_m);
        }
        let (mut occupied, mut rows): (Vec<Cell>, Vec<Row>) = (Vec::new(), Vec::new());
        for (begin, &(place, _)) in sorted.iter().enumerate() {
            if rows.last().is_none_or(|row| row.number != place[0]) {
                rows.push(Row { number: place[0], begin: occupied.len() });
            }
            if occupied.last().is_none_or(|cell| cell.place != place) {
                occupied.push(Cell { place, begin });
            }
        }
        let order = sorted.into_iter().map(|(_, number)| number).collect();
        Self { order, occupied, rows, size_m, reach_m: REACH * sigma_m }
    }

    /// Numbers of the points in the order of the cells.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Number of cells with points.
    pub(super) fn count(&self) -> usize {
        self.occupied.len()
    }

    /// Points of a cell, as places in the order.
    pub(super) fn members(&self, cell: usize) -> Range<usize> {
        let end = self.occupied.get(cell + 1).map_or(self.order.len(), |next| next.begin);
        self.occupied[cell].begin..end
    }

    /// Runs of places in the order that hold all points in reach of those of a cell, ascending.
    pub(super) fn in_reach(&self, cell: usize) -> Vec<Range<usize>> {
        let [row, column] = self.occupied[cell].place;
        let mut runs: Vec<Range<usize>> = Vec::new();
        // Cells of infinite size are all cell 0.
        let steps = (self.reach_m / self.size_m).ceil();
        let steps = if steps.is_finite() { whole(steps).max(1) } else { 1 };
        let first = self.rows.partition_point(|near| near.number < row.saturating_sub(steps));
        for number in first..self.rows.len() {
            let near = self.rows[number];
            if near.number > row.saturating_add(steps) {
                break;
            }
            let end = self.rows.get(number + 1).map_or(self.occupied.len(), |next| next.begin);
            let across = self.columns_in_reach(near.number - row);
            let cells = &self.occupied[near.begin..end];
            let from = cells.partition_point(|c| c.place[1] < column.saturating_sub(across));
            let to = cells.partition_point(|c| c.place[1] <= column.saturating_add(across));
            if from < to {
                runs.push(cells[from].begin..self.members(near.begin + to - 1).end);
            }
        }
        runs
    }

    /// How far cells so many rows away reach to the side: the gap to the nearest point of the row
    /// is one cell less, and so is that to the nearest point of the column.
    fn columns_in_reach(&self, rows_away: i64) -> i64 {
        let gap_m = (rows_away.saturating_abs() - 1).max(0) as f64 * self.size_m;
        let rest_m = (self.reach_m * self.reach_m - gap_m * gap_m).max(0.0).sqrt();
        let across = (rest_m / self.size_m).ceil();
        if across.is_finite() { whole(across).max(1) } else { 1 }
    }
}

/// Cell and number of every point, sorted.
fn sorted(xy_m: &[[f32; 2]], size_m: f64) -> Vec<([i64; 2], u32)> {
    let cell = |metres: f32| whole((f64::from(metres) / size_m).floor());
    let mut sorted: Vec<([i64; 2], u32)> =
        xy_m.iter().zip(0..).map(|(&[x, y], number)| ([cell(y), cell(x)], number)).collect();
    sorted.sort_unstable();
    sorted
}

/// The mean number of points in the cell of a point.
fn crowd(sorted: &[([i64; 2], u32)]) -> f64 {
    let squares = sorted.chunk_by(|a, b| a.0 == b.0).map(|cell| (cell.len() as f64).powi(2));
    squares.sum::<f64>() / sorted.len() as f64
}

/// The number of a cell; beyond what can be told apart, the last one. NaN is in cell 0.
#[expect(clippy::cast_possible_truncation, reason = "casts of floating-point numbers saturate")]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a sequence that fills a square of so many metres evenly.
    fn points(count: usize, side_m: f64) -> Vec<[f32; 2]> {
        let fraction = |k: usize, step: f64| (k as f64 * step).fract() * side_m - 0.3 * side_m;
        #[expect(clippy::cast_possible_truncation, reason = "coordinates are single")]
        let point = |k| [fraction(k, 0.754_877_666) as f32, fraction(k, 0.569_840_29) as f32];
        (0..count).map(point).collect()
    }

    #[test]
    fn every_point_in_reach_is_found() {
        for (count, side_m) in [(1, 10.0), (300, 900.0), (3000, 1500.0), (500, 90_000.0)] {
            let xy_m = points(count, side_m);
            let cells = Cells::new(&xy_m, 100.0);
            let mut seen = vec![false; count];
            for cell in 0..cells.count() {
                let mut near = vec![false; count];
                for run in cells.in_reach(cell) {
                    run.for_each(|at| near[cells.order()[at] as usize] = true);
                }
                for target in cells.members(cell).map(|at| cells.order()[at] as usize) {
                    assert!(!std::mem::replace(&mut seen[target], true), "once");
                    for (source, near) in near.iter().enumerate() {
                        let [dx, dy] = [0, 1].map(|k| xy_m[source][k] - xy_m[target][k]);
                        assert!(*near || dx.hypot(dy) >= 400.0, "{source} from {target}");
                    }
                }
            }
            assert!(seen.iter().all(|&seen| seen));
        }
    }

    #[test]
    fn crowded_points_get_smaller_cells() {
        assert_eq!(Cells::new(&points(300, 2000.0), 100.0).size_m, 100.0);
        assert!(Cells::new(&points(3000, 500.0), 100.0).size_m <= 50.0);
        assert_eq!(Cells::new(&[[5.0, 5.0]; 1000], 100.0).size_m, 12.5);
    }

    #[test]
    fn far_cells_are_left_out() {
        let cells = Cells::new(&points(4000, 4000.0), 100.0);
        let most = (0..cells.count())
            .map(|cell| cells.in_reach(cell).iter().map(ExactSizeIterator::len).sum::<usize>())
            .max();
        // 250 points/km²; the sources of a cell lie in less than the square of nine cells.
        assert!(most.unwrap() < 200, "{most:?}");
    }

    #[test]
    fn places_and_deviations_without_sense() {
        let xy_m = [[f32::NAN, 0.0], [f32::INFINITY, 1.0], [0.0, f32::NEG_INFINITY], [3e38, -3e38]];
        for sigma_m in [100.0, 0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
            let cells = Cells::new(&xy_m, sigma_m);
            let found: usize = (0..cells.count()).map(|cell| cells.in_reach(cell).len()).sum();
            assert!(found > 0);
        }
    }
}
