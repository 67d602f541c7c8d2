//! Adds differences along edges up to values of the points.

/// Relative size of the residual at which a solution is good enough.
const TOLERANCE: f64 = 1e-10;
const MOST_STEPS: usize = 20_000;

/// Points joined by edges: row k lists the points next to point k.
#[derive(Clone, Debug)]
pub struct EdgeNetwork {
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl EdgeNetwork {
    /// The network of so many points.
    ///
    /// # Panics
    /// If an edge ends outside the points.
    pub fn new(points: usize, edges: &[[u32; 2]]) -> Self {
        let mut starts = vec![0; points + 1];
        for end in edges.as_flattened() {
            starts[*end as usize + 1] += 1;
        }
        for point in 0..points {
            starts[point + 1] += starts[point];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0; 2 * edges.len()];
        for &[a, b] in edges {
            for (from, to) in [(a, b), (b, a)] {
                neighbours[next[from as usize]] = to;
                next[from as usize] += 1;
            }
        }
        Self { starts, neighbours }
    }

    /// Values whose differences along the edges are nearest to given ones in the least-squares
    /// sense. `inflow` holds for every point the differences of the edges that end there less those
    /// of the edges that begin there. The value of the first point is 0; parts that no chain of edges
    /// joins have equal means. NaN makes all values NaN.
    ///
    /// # StaMPS compatibility
    /// The original factorises the sparse incidence matrix; here conjugate gradients solve its normal
    /// equations, in double precision and a fixed order, to a relative residual of 1e-10.
    ///
    /// # Panics
    /// If there is not one number for every point.
    pub fn integrate(&self, inflow: &[f64]) -> Vec<f64> {
        let points = self.starts.len() - 1;
        assert_eq!(inflow.len(), points, "a number for every point");
        let mut values = vec![0.0; points];
        let mut left = inflow.to_vec();
        let mut direction = inflow.to_vec();
        let mut turned = vec![0.0; points];
        let mut size = dot(&left, &left);
        if !size.is_finite() {
            return vec![f64::NAN; points];
        }
        let enough = size * TOLERANCE * TOLERANCE;
        for _ in 0..MOST_STEPS {
            if size <= enough {
                break;
            }
            self.apply(&direction, &mut turned);
            let step = size / dot(&direction, &turned);
            if !step.is_finite() {
                break;
            }
            add(&mut values, step, &direction);
            add(&mut left, -step, &turned);
            let after = dot(&left, &left);
            let kept = after / size;
            for (direction, left) in direction.iter_mut().zip(&left) {
                *direction = left + kept * *direction;
            }
            size = after;
        }
        let first = values.first().copied().unwrap_or(0.0);
        for value in &mut values {
            *value -= first;
        }
        values
    }

    /// The Laplacian of the network times values.
    fn apply(&self, values: &[f64], out: &mut [f64]) {
        for (point, out) in out.iter_mut().enumerate() {
            let around = &self.neighbours[self.starts[point]..self.starts[point + 1]];
            let sum: f64 = around.iter().map(|&other| values[other as usize]).sum();
            *out = around.len() as f64 * values[point] - sum;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflow(points: usize, edges: &[[u32; 2]], differences: &[f64]) -> Vec<f64> {
        let mut inflow = vec![0.0; points];
        for (edge, difference) in edges.iter().zip(differences) {
            inflow[edge[0] as usize] -= difference;
            inflow[edge[1] as usize] += difference;
        }
        inflow
    }

    #[test]
    fn gradients_are_added_up() {
        // A ladder of 2 x 60 points.
        let mut edges: Vec<[u32; 2]> = (0..118).map(|k| [k, k + 2]).collect();
        edges.extend((0..60).map(|k| [2 * k, 2 * k + 1]));
        let values: Vec<f64> = (0..120).map(|k| (f64::from(k) * 0.7).sin() * 5.0).collect();
        let differences: Vec<f64> =
            edges.iter().map(|e| values[e[1] as usize] - values[e[0] as usize]).collect();
        let found = EdgeNetwork::new(120, &edges).integrate(&inflow(120, &edges, &differences));
        for (found, value) in found.iter().zip(&values) {
            assert!((found - (value - values[0])).abs() < 1e-7, "{found} {value}");
        }
    }

    #[test]
    fn contradictions_are_shared() {
        // Around a triangle the differences add up to 3 instead of 0: each is off by 1.
        let edges = [[0, 1], [1, 2], [2, 0]];
        let found = EdgeNetwork::new(3, &edges).integrate(&inflow(3, &edges, &[1.0, 1.0, 1.0]));
        assert!(found.iter().all(|value| value.abs() < 1e-12));
        let found = EdgeNetwork::new(3, &edges).integrate(&inflow(3, &edges, &[3.0, 0.0, 0.0]));
        assert!((found[1] - 2.0).abs() < 1e-9 && (found[2] - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn parts_and_numbers_that_are_none() {
        let edges = [[0, 1], [2, 3]];
        let found = EdgeNetwork::new(5, &edges).integrate(&inflow(5, &edges, &[2.0, 4.0]));
        assert_eq!(found.len(), 5);
        assert!((found[1] - 2.0).abs() < 1e-12 && (found[3] - found[2] - 4.0).abs() < 1e-12);
        let lost = EdgeNetwork::new(2, &edges[..1]).integrate(&[f64::NAN, 1.0]);
        assert!(lost.iter().all(|value| value.is_nan()));
        assert_eq!(EdgeNetwork::new(0, &[]).integrate(&[]), Vec::<f64>::new());
    }
}
