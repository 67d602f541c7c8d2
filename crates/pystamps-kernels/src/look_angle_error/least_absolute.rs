//! Searches the slope with the least sum of absolute residuals.

/// Relative size of the first simplex, and its size where a coefficient is 0.
const FIRST_STEP: f64 = 0.05;
const FIRST_STEP_FROM_ZERO: f64 = 0.000_25;
/// The search ends when values and coefficients differ by less.
const TOLERANCE: f64 = 1e-4;
/// Evaluations and iterations for each coefficient.
const EFFORT: usize = 200;

/// Slope K on the baselines of the observations of one PS, rad/m, with the least sum of absolute
/// residuals from `[1, bperp, dt]`. The search starts at `start`, the coefficients of the
/// least-squares solution ([`SlopeWeights::coefficients`](super::SlopeWeights::coefficients)): two,
/// or three with `interval_days`. Numbers that are not finite give NaN.
///
/// # StaMPS compatibility
/// `scla_method = 'L1'`, stage7.md section 4 step 12: `fminsearch` with its default settings, the
/// simplex search of Nelder and Mead as Lagarias, Reeds, Wright and Wright (1998) define it.
/// MATLAB's and Octave's programs of that name differ; this follows the description of MATLAB's:
/// a first simplex of 5 % steps (0.00025 from 0), tolerances of 1e-4, 200 evaluations and 200
/// iterations for each coefficient. The tolerance is absolute, also for K in rad/m, so that the
/// result stays close to its start.
///
/// # Panics
/// If the lengths do not fit together.
pub fn slope_least_absolute(
    observations: &[f64],
    bperp_m: &[f64],
    interval_days: Option<&[f64]>,
    start: &[f64],
) -> f64 {
    assert_eq!(observations.len(), bperp_m.len(), "a baseline for every observation");
    let days = interval_days.unwrap_or_default();
    let columns = if interval_days.is_some() { 3 } else { 2 };
    assert_eq!(start.len(), columns, "a coefficient for every column");
    assert!(columns == 2 || days.len() == bperp_m.len(), "an interval for every observation");
    if ![observations, bperp_m, days, start].iter().all(|part| part.iter().all(|x| x.is_finite())) {
        return f64::NAN;
    }
    let residual = |row: usize, at: &[f64]| {
        let expected = at[0] + at[1] * bperp_m[row];
        let moved = if columns == 3 { at[2] * days[row] } else { 0.0 };
        (observations[row] - (expected + moved)).abs()
    };
    let sum = |at: &[f64]| (0..observations.len()).map(|row| residual(row, at)).sum::<f64>();
    minimum(sum, start)[1]
}

/// A corner of the simplex and the value there.
type Corner = (Vec<f64>, f64);

/// Where `function` is least, near `start`.
fn minimum(function: impl Fn(&[f64]) -> f64, start: &[f64]) -> Vec<f64> {
    let size = start.len();
    let corner = |at: Vec<f64>| -> Corner {
        let value = function(&at);
        (at, value)
    };
    let mut simplex = vec![corner(start.to_vec())];
    for coordinate in 0..size {
        let mut at = start.to_vec();
        let step = &mut at[coordinate];
        *step = if *step == 0.0 { FIRST_STEP_FROM_ZERO } else { (1.0 + FIRST_STEP) * *step };
        simplex.push(corner(at));
    }
    let mut evaluations = size + 1;
    order(&mut simplex);
    for _ in 1..EFFORT * size {
        if evaluations >= EFFORT * size || converged(&simplex) {
            break;
        }
        let towards = |factor: f64| corner(from_centre(&simplex, factor));
        let (best, worst) = (simplex[0].1, simplex[size].1);
        let reflected = towards(1.0);
        evaluations += 1;
        let taken = if reflected.1 < best {
            evaluations += 1;
            let expanded = towards(2.0);
            Some(if expanded.1 < reflected.1 { expanded } else { reflected })
        } else if reflected.1 < simplex[size - 1].1 {
            Some(reflected)
        } else {
            evaluations += 1;
            let (contracted, limit) = if reflected.1 < worst {
                (towards(0.5), reflected.1)
            } else {
                (towards(-0.5), worst)
            };
            // Outside, what is as good as the reflected corner is taken; inside, only better.
            let good = contracted.1 < limit || (reflected.1 < worst && contracted.1 == limit);
            good.then_some(contracted)
        };
        if let Some(taken) = taken {
            simplex[size] = taken;
        } else {
            evaluations += size;
            let centre = simplex[0].0.clone();
            for shrunk in &mut simplex[1..] {
                let halves = centre.iter().zip(&shrunk.0).map(|(c, x)| c + 0.5 * (x - c));
                *shrunk = corner(halves.collect());
            }
        }
        order(&mut simplex);
    }
    simplex.swap_remove(0).0
}

/// The lowest corner first; of equal ones the one that was there before.
fn order(simplex: &mut [Corner]) {
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
}

/// The point `factor` times as far from the middle of the better corners as the worst corner, on
/// the other side.
fn from_centre(simplex: &[Corner], factor: f64) -> Vec<f64> {
    let (worst, better) = simplex.split_last().expect("invariant: a simplex has corners");
    let middle = |k: usize| better.iter().map(|(at, _)| at[k]).sum::<f64>() / better.len() as f64;
    (0..better.len()).map(|k| (1.0 + factor) * middle(k) - factor * worst.0[k]).collect()
}

fn converged(simplex: &[Corner]) -> bool {
    let (lowest, others) = simplex.split_first().expect("invariant: a simplex has corners");
    let farthest = |(at, value): &Corner| {
        let steps = at.iter().zip(&lowest.0).map(|(x, y)| (x - y).abs());
        (steps.fold(0.0, f64::max), (value - lowest.1).abs())
    };
    let greatest = lowest.0.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    others.iter().map(farthest).all(|(step, rise)| {
        rise <= TOLERANCE.max(10.0 * spacing(lowest.1))
            && step <= TOLERANCE.max(10.0 * spacing(greatest))
    })
}

/// Distance to the next larger number. MATLAB: `eps(x)`.
fn spacing(x: f64) -> f64 {
    x.abs().next_up() - x.abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look_angle_error::slope_weights;

    const BPERP: [f64; 9] = [30.0, -80.0, 120.0, -15.0, 60.0, -100.0, 44.0, 150.0, -140.0];

    #[test]
    fn one_outlier_moves_it_less() {
        let days: Vec<f64> = (0..9).map(|k| 11.0 + f64::from(k * k % 5)).collect();
        let mut observations: Vec<f64> =
            (0..9).map(|k| 0.4 + 0.05 * BPERP[k] - 0.01 * days[k]).collect();
        observations[7] += 5.0;
        for interval_days in [None, Some(&days[..])] {
            let weights = slope_weights(&BPERP, interval_days, None).unwrap();
            let start = weights.coefficients(&observations);
            let slope = slope_least_absolute(&observations, &BPERP, interval_days, &start);
            let (before, after) = ((start[1] - 0.05).abs(), (slope - 0.05).abs());
            assert!(after < 0.5 * before, "{before} {after}");
        }
    }

    #[test]
    fn the_minimum_of_a_bowl() {
        let bowl = |at: &[f64]| (at[0] - 1.0).powi(2) + 4.0 * (at[1] + 2.0).powi(2);
        let found = minimum(bowl, &[0.0, 3.0]);
        assert!((found[0] - 1.0).abs() < 1e-3 && (found[1] + 2.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn numbers_that_are_none_end_the_search() {
        let mut observations = [0.0; 9];
        assert_eq!(slope_least_absolute(&observations, &BPERP, None, &[0.0, 0.0]), 0.0);
        observations[3] = f64::NAN;
        assert!(slope_least_absolute(&observations, &BPERP, None, &[0.0, 0.0]).is_nan());
        assert_eq!(slope_least_absolute(&[], &[], None, &[0.0, 0.5]), 0.5);
    }
}
