//! Tests of the topographic fit on the specification's vectors and against its plain formula.

#![expect(clippy::cast_possible_truncation, reason = "small numbers, and rounding on purpose")]

use std::f64::consts::{FRAC_PI_4, PI};

use super::*;
use num_complex::Complex64;
use proptest::prelude::*;

const BPERP_M: [f64; 6] = [-120.0, -60.0, 10.0, 45.0, 80.0, 150.0];

struct Direct {
    slope: f64,
    offset: f64,
    coherence: f64,
    residual: Vec<f64>,
    margin: f64,
}

/// Section 4 of the specification word for word, with the standard library's functions.
fn direct(z: &[Complex64], bperp_m: &[f64], n_trial_wraps: f64) -> Direct {
    let kept: Vec<(Complex64, f64)> =
        z.iter().zip(bperp_m).filter(|(z, _)| z.norm_sqr() != 0.0).map(|(&z, &b)| (z, b)).collect();
    let highest = kept.iter().map(|k| k.1).fold(f64::NEG_INFINITY, f64::max);
    let lowest = kept.iter().map(|k| k.1).fold(f64::INFINITY, f64::min);
    let range = highest - lowest;
    let weights: f64 = kept.iter().map(|k| k.0.norm()).sum();
    let rotated = |slope: f64| -> Vec<Complex64> {
        kept.iter().map(|(z, b)| z * Complex64::from_polar(1.0, -slope * b)).collect()
    };
    let half = (8.0 * n_trial_wraps).ceil() as i32;
    let (mut best, mut second, mut k0) = (f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NAN);
    for t in -half..=half {
        let slope = FRAC_PI_4 / range * f64::from(t);
        let coherence = rotated(slope).iter().sum::<Complex64>().norm() / weights;
        if coherence > best {
            (second, best, k0) = (best, coherence, slope);
        } else if coherence > second {
            second = coherence;
        }
    }
    let turned = rotated(k0);
    let sum: Complex64 = turned.iter().sum();
    let (mut numerator, mut denominator) = (0.0, 0.0);
    for (r, (z, b)) in turned.iter().zip(&kept) {
        numerator += z.norm_sqr() * b * (r * sum.conj()).arg();
        denominator += z.norm_sqr() * b * b;
    }
    let slope = k0 + numerator / denominator;
    let residuals = rotated(slope);
    let mean: Complex64 = residuals.iter().sum();
    Direct {
        slope,
        offset: mean.arg(),
        coherence: mean.norm() / residuals.iter().map(|r| r.norm()).sum::<f64>(),
        residual: residuals.iter().map(|r| r.arg()).collect(),
        margin: best - second,
    }
}

fn parts(z: &[Complex64]) -> (Vec<f64>, Vec<f64>) {
    (z.iter().map(|z| z.re).collect(), z.iter().map(|z| z.im).collect())
}

fn fit_one(z: &[Complex64], bperp_m: &[f64], n_trial_wraps: f64, rounding: Rounding) -> Fits {
    let (re, im) = parts(z);
    let block = Block { rows: 1, columns: z.len(), re: &re, im: &im };
    let mut fits = Fits::default();
    topofit(&block, bperp_m, &Trials::for_wraps(n_trial_wraps), rounding, &mut fits);
    fits
}

fn phasors(phases: &[f64]) -> Vec<Complex64> {
    phases.iter().map(|&phase| Complex64::from_polar(1.0, phase)).collect()
}

#[test]
fn trial_multipliers() {
    assert_eq!(Trials::for_wraps(1.3).count(), 23);
    assert_eq!(Trials::for_wraps(0.0).count(), 1);
    assert_eq!(Trials::for_wraps(0.125).count(), 3);
    assert_eq!(Trials::for_wraps(f64::NAN).count(), 1);
}

#[test]
fn vectors_of_the_specification() {
    let first = phasors(&[2.9, -2.2, 0.7, 1.9, -3.0, -0.4]);
    let noise = [0.1, -0.2, 0.15, 0.0, -0.1, 0.05];
    let second: Vec<f64> = BPERP_M.iter().zip(noise).map(|(b, n)| 0.021 * b + 0.8 + n).collect();
    for (z, slope, offset, coherence) in [
        (first, 0.035_199_703_6, 0.415_779_816_2, 0.960_114_420_1),
        (phasors(&second), 0.020_995_879_9, 0.800_198_920_3, 0.992_932_009_6),
    ] {
        let fits = fit_one(&z, &BPERP_M, 1.3, Rounding::Double);
        assert!((fits.slope_rad_per_m[0] - slope).abs() < 1e-10, "{fits:?}");
        assert!((fits.offset_rad[0] - offset).abs() < 1e-10, "{fits:?}");
        assert!((fits.coherence[0] - coherence).abs() < 1e-10, "{fits:?}");
    }
}

#[test]
fn single_rounding_gives_single_numbers() {
    let z = phasors(&[2.9, -2.2, 0.7, 1.9, -3.0, -0.4]);
    let single = fit_one(&z, &BPERP_M, 1.3, Rounding::Single);
    let double = fit_one(&z, &BPERP_M, 1.3, Rounding::Double);
    for (single, double, close) in [
        (single.slope_rad_per_m[0], double.slope_rad_per_m[0], 4e-9),
        (single.offset_rad[0], double.offset_rad[0], 4e-7),
        (single.coherence[0], double.coherence[0], 1e-7),
    ] {
        assert_eq!(single, f64::from(single as f32));
        assert!(single != double && (single - double).abs() < close, "{single} {double}");
    }
}

#[test]
fn small_baselines_keep_slopes_in_double() {
    let z = phasors(&[2.9, -2.2, 0.7, 1.9, -3.0, -0.4]);
    let results = fit_one(&z, &BPERP_M, 1.3, Rounding::SingleResults);
    let double = fit_one(&z, &BPERP_M, 1.3, Rounding::Double);
    assert_eq!(results.slope_rad_per_m, double.slope_rad_per_m);
    assert_eq!(results.offset_rad[0], f64::from(double.offset_rad[0] as f32));
    assert_eq!(results.coherence[0], f64::from(double.coherence[0] as f32));
}

#[test]
fn what_cannot_be_fitted_is_nan() {
    let z = phasors(&[0.1, 0.2, 0.3]);
    for (z, bperp_m) in [
        (z.clone(), [5.0, 5.0, 5.0]),
        (vec![Complex64::default(), z[0], Complex64::default()], [1.0, 2.0, 3.0]),
        (vec![z[0], Complex64::new(f64::NAN, 0.0), z[1]], [1.0, 2.0, 3.0]),
    ] {
        let fits = fit_one(&z, &bperp_m, 0.3, Rounding::Double);
        assert!(fits.slope_rad_per_m[0].is_nan(), "{fits:?}");
        assert!(fits.offset_rad[0].is_nan() && fits.coherence[0].is_nan(), "{fits:?}");
        assert!(fits.residual_rad.iter().all(|residual| residual.is_nan()), "{fits:?}");
    }
}

#[test]
fn phasors_that_cancel_have_no_coherence() {
    let z = [Complex64::new(1.0, 0.0), Complex64::new(-1.0, 0.0)];
    let fits = fit_one(&z, &[-1.0, 1.0], 0.0, Rounding::Double);
    assert!(fits.coherence[0] < 1e-15, "{fits:?}");
    assert_eq!(fits.slope_rad_per_m[0], 0.0);
    assert!((f64::from(fits.residual_rad[1]).abs() - PI).abs() < 1e-6);
    assert_eq!(fits.trial_margin[0], f64::INFINITY);
    let [one, other] = [1.0, -1.0].map(|re| Complex64::new(re, 0.0));
    let unknown =
        fit_one(&[one, other, one, other], &[f64::NAN, 1.0, 2.0, 3.0], 0.0, Rounding::Double);
    assert!(unknown.slope_rad_per_m[0].is_nan(), "{unknown:?}");
}

#[test]
fn the_most_negative_of_equal_trials_wins() {
    // Two samples with opposite phases and nothing to tell +t from -t.
    let z = [Complex64::new(1.0, 0.0), Complex64::new(1.0, 0.0)];
    let fits = fit_one(&phasors(&[0.0, PI]), &[-1.0, 1.0], 0.5, Rounding::Double);
    assert!(fits.slope_rad_per_m[0] < 0.0, "{fits:?}");
    assert!(fits.trial_margin[0] < 1e-15);
    assert_eq!(fit_one(&z, &[-1.0, 1.0], 0.5, Rounding::Double).slope_rad_per_m[0], 0.0);
}

#[test]
fn rows_with_common_baselines_equal_rows_with_their_own() {
    let (rows, columns) = (37, 11);
    let bperp_m: Vec<f64> = (0..columns).map(|m| ((m * 7919) % 997) as f64 - 300.5).collect();
    let z: Vec<Complex64> = (0..rows * columns)
        .map(|i| if i % 41 == 3 { Complex64::default() } else { Complex64::cis((i * i) as f64) })
        .collect();
    let (re, im) = parts(&z);
    let block = Block { rows, columns, re: &re, im: &im };
    let repeated: Vec<f64> = bperp_m.iter().flat_map(|&b| vec![b; rows]).collect();
    let trials = Trials::for_wraps(9.0);
    let (mut each, mut common) = (Fits::default(), Fits::default());
    topofit(&block, &repeated, &trials, Rounding::Single, &mut each);
    topofit_row_invariant(&block, &bperp_m, &trials, Rounding::Single, &mut common);
    assert_eq!(each.slope_rad_per_m, common.slope_rad_per_m);
    assert_eq!(each.residual_rad, common.residual_rad);
    assert_eq!(each.trial_margin, common.trial_margin);
    let mut coherence = vec![0.0; rows];
    topofit_row_invariant(&block, &bperp_m, &trials, Rounding::Double, &mut common);
    topofit_coherence_row_invariant(&block, &bperp_m, &trials, &mut coherence);
    assert_eq!(coherence, common.coherence);
}

fn scene() -> impl Strategy<Value = (usize, usize, Vec<Complex64>, Vec<f64>, f64)> {
    (1_usize..20, 3_usize..12).prop_flat_map(|(rows, columns)| {
        let sample = (0.0..6.3_f64, 0.1..3.0_f64, 0..12_u8).prop_map(|(phase, weight, zero)| {
            if zero == 0 { Complex64::default() } else { Complex64::from_polar(weight, phase) }
        });
        (
            Just(rows),
            Just(columns),
            proptest::collection::vec(sample, rows * columns),
            proptest::collection::vec(-500.0..500.0_f64, rows * columns),
            0.0..11.0_f64,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_follows_the_plain_formula((rows, columns, z, bperp_m, wraps) in scene()) {
        let (re, im) = parts(&z);
        let block = Block { rows, columns, re: &re, im: &im };
        let mut fits = Fits::default();
        topofit(&block, &bperp_m, &Trials::for_wraps(wraps), Rounding::Double, &mut fits);
        for row in 0..rows {
            let pick = |values: &[f64]| -> Vec<f64> {
                (0..columns).map(|m| values[m * rows + row]).collect()
            };
            let z: Vec<Complex64> = (0..columns).map(|m| z[m * rows + row]).collect();
            let own = pick(&bperp_m);
            let expected = direct(&z, &own, wraps);
            // The same row alone, to the bit.
            let alone = fit_one(&z, &own, wraps, Rounding::Double);
            prop_assert_eq!(alone.slope_rad_per_m[0].to_bits(), fits.slope_rad_per_m[row].to_bits());
            prop_assert_eq!(alone.coherence[0].to_bits(), fits.coherence[row].to_bits());
            if expected.coherence.is_nan() {
                prop_assert!(fits.coherence[row].is_nan());
                continue;
            }
            if expected.margin < 1e-12 {
                continue;
            }
            prop_assert!((fits.trial_margin[row] - expected.margin).abs() < 1e-12);
            // A turn that lies on the cut may go either way in two evaluations.
            prop_assume!((fits.slope_rad_per_m[row] - expected.slope).abs() < 1e-6);
            prop_assert!((fits.slope_rad_per_m[row] - expected.slope).abs() < 1e-14);
            prop_assert!((fits.coherence[row] - expected.coherence).abs() < 1e-12);
            let mut kept = expected.residual.iter();
            for (m, z) in z.iter().enumerate() {
                let got = f64::from(fits.residual_rad[m * rows + row]);
                if z.norm_sqr() == 0.0 {
                    prop_assert_eq!(got, 0.0);
                } else {
                    let difference = got - kept.next().unwrap();
                    prop_assert!((difference.abs() % (2.0 * PI)).min(2.0 * PI - difference.abs()).abs() < 1e-6
                        || difference.abs() < 1e-6);
                }
            }
            if fits.coherence[row] > 1e-3 {
                let turn = (fits.offset_rad[row] - expected.offset).abs();
                prop_assert!(turn.min((2.0 * PI - turn).abs()) < 1e-9);
            }
        }
    }
}
