//! Tests of the analysis by hand-made series.

use std::f32::consts::PI;

use num_complex::Complex;

use super::look_angle::{Member, Series, choose_series, distinct_peak};
use super::*;

type C32 = Complex<f32>;

const OPTIONS: EdgeSeriesOptions = EdgeSeriesOptions {
    method: Method::Full,
    look_angle_error: true,
    time_window_days: 730.0,
    trial_wraps: 0.5,
};

fn phasor(angle_rad: f64) -> C32 {
    #[expect(clippy::cast_possible_truncation, reason = "phases are single")]
    let phasor = Complex::new(angle_rad.cos() as f32, angle_rad.sin() as f32);
    phasor
}

/// Numbers in [0, 1) without a pattern.
fn share(k: usize) -> f64 {
    ((k + 1) as f64 * 0.618_033_988_749_894_9).fract()
}

/// A master and images every twelve days.
struct Stack {
    day: Vec<f64>,
    pairs: Vec<[usize; 2]>,
    bperp_m: Vec<f64>,
}

fn stack(images: usize, master: usize) -> Stack {
    let day = (0..images).map(|i| 12.0 * (i as f64 - master as f64)).collect();
    let pairs: Vec<[usize; 2]> =
        (0..images).filter(|&i| i != master).map(|i| [master, i]).collect();
    let bperp_m = pairs.iter().map(|pair| 200.0 * share(pair[1]) - 90.0).collect();
    Stack { day, pairs, bperp_m }
}

impl Stack {
    fn network(&self) -> Network<'_> {
        Network { day: &self.day, pairs: &self.pairs, bperp_m: &self.bperp_m }
    }

    fn series(&self, options: &EdgeSeriesOptions) -> EdgeSeries {
        EdgeSeries::new(&self.network(), options).unwrap()
    }

    /// Differences of `edges` edges: a slope on the baselines, a rate and noise that differ from
    /// edge to edge.
    fn phases(&self, edges: usize) -> Vec<C32> {
        let value = |column: usize, edge: usize| {
            let [first, second] = self.pairs[column];
            let days = self.day[second] - self.day[first];
            let slope = 0.02 * (share(edge) - 0.5);
            let noise = (share(edge + 31 * second) - share(edge + 31 * first)) * share(3 * edge);
            phasor(slope * self.bperp_m[column] + 0.02 * share(7 * edge) * days + 2.0 * noise)
        };
        let columns = 0..self.pairs.len();
        columns.flat_map(|column| (0..edges).map(move |edge| value(column, edge))).collect()
    }
}

fn analyse(series: &EdgeSeries, differences: &[C32]) -> Tile {
    let ones = vec![Complex::new(1.0, 0.0); differences.len()];
    series.analyse(&ones, differences, &mut series.scratch())
}

fn close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() < 3e-6 || a.is_nan() && b.is_nan(), "{k}: {a} {b}");
    }
}

#[test]
fn peaks_must_stand_out() {
    assert_eq!(distinct_peak(&[]), None);
    assert_eq!(distinct_peak(&[f32::NAN; 3]), None);
    assert_eq!(distinct_peak(&[0.5]), Some(0));
    assert_eq!(distinct_peak(&[0.3, 0.6, 0.9, 0.7]), Some(2), "one hill");
    assert_eq!(distinct_peak(&[0.75, 0.5, 0.9, 0.3, 0.25]), Some(2));
    assert_eq!(distinct_peak(&[0.85, 0.5, 0.9, 0.3, 0.25]), None, "0.05 above the second hill");
    assert_eq!(distinct_peak(&[0.9, 0.5, 0.9, 0.5, 0.2]), None, "the first of two");
    assert_eq!(distinct_peak(&[0.5, 0.25, 0.625]), Some(2));
    // The margin of exactly a tenth (in single precision) is not enough.
    assert_eq!(distinct_peak(&[0.1, 0.0, 0.2, 0.0]), None);
}

#[test]
fn series_for_the_search() {
    let design = |images: usize, pairs: &[[usize; 2]]| {
        let day: Vec<f64> = (0..images).map(|i| 12.0 * i as f64).collect();
        let bperp_m = vec![1.0; pairs.len()];
        Design::new(&Network { day: &day, pairs, bperp_m: &bperp_m }).unwrap()
    };
    let chain = design(4, &[[0, 1], [0, 2], [2, 1], [2, 3]]);
    assert_eq!(choose_series(&chain), Series::Direct(vec![0, 2, 3]));
    let member = |number, reversed| Member::Interferogram { number, reversed };
    let star = design(5, &[[2, 4], [0, 2], [2, 3], [2, 1]]);
    let expected =
        vec![member(1, true), member(3, false), Member::Master, member(2, false), member(0, false)];
    assert_eq!(choose_series(&star), Series::Consecutive(expected));
    let loose = design(6, &[[0, 2], [1, 3], [2, 4], [3, 5]]);
    assert_eq!(choose_series(&loose), Series::Direct(vec![0, 1, 2, 3]));
}

#[test]
fn images_without_interferograms_are_left_out() {
    let network =
        Network { day: &[0.0, 5.0, 7.0, 9.0], pairs: &[[0, 2], [2, 3]], bperp_m: &[1.0, 2.0] };
    let series = EdgeSeries::new(&network, &OPTIONS).unwrap();
    assert_eq!(series.design(), (&[-1.0, 0.0, 1.0, -1.0, 0.0, 1.0][..], 2, 3));
    assert_eq!(series.design.day, [0.0, 7.0, 9.0]);
}

#[test]
fn a_slope_and_a_rate_leave_no_noise() {
    let stack = stack(20, 7);
    let series = stack.series(&OPTIONS);
    assert!(series.trials() > 5 && !series.contested());
    let expected =
        |column: usize| 0.013 * stack.bperp_m[column] + 0.015 * stack.day[stack.pairs[column][1]];
    let differences: Vec<C32> = (0..19).map(|column| phasor(expected(column))).collect();
    let tile = analyse(&series, &differences);
    // The rate is seen between dates, as noise of the slope.
    assert!((tile.slope_rad_per_m[0] - 0.013).abs() < 2e-3, "{:?}", tile.slope_rad_per_m);
    assert!(tile.dph_noise_rad.iter().all(|noise| noise.abs() < 0.15), "{:?}", tile.dph_noise_rad);
    for (column, value) in tile.dph_space_uw_rad.iter().enumerate() {
        assert!((f64::from(*value) - expected(column)).abs() < 1e-5, "{column} {value}");
    }
    assert_eq!(tile.with_statistics, [true]);
}

#[test]
fn tiles_of_any_size_give_the_same_bits() {
    let stack = stack(12, 5);
    for method in [
        Method::Spatial2D,
        Method::NoDeformation,
        Method::Full,
        Method::Quick,
        Method::SmallDeformation,
    ] {
        let series = stack.series(&EdgeSeriesOptions { method, ..OPTIONS });
        let edges = 45;
        let differences = stack.phases(edges);
        let whole = analyse(&series, &differences);
        assert!(whole.slope_rad_per_m.iter().any(|slope| *slope != 0.0));
        for size in [1, 7, 8, 20] {
            for first in (0..edges).step_by(size) {
                let last = (first + size).min(edges);
                let cut = |values: &[C32]| -> Vec<C32> {
                    values.chunks(edges).flat_map(|c| c[first..last].to_vec()).collect()
                };
                let tile = analyse(&series, &cut(&differences));
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                for (own, all) in [
                    (&tile.dph_space_uw_rad, &whole.dph_space_uw_rad),
                    (&tile.dph_noise_rad, &whole.dph_noise_rad),
                    (&tile.slope_rad_per_m, &whole.slope_rad_per_m),
                ] {
                    let part: Vec<f32> =
                        all.chunks(edges).flat_map(|c| c[first..last].to_vec()).collect();
                    assert_eq!(bits(own), bits(&part), "{method:?} {size} {first}");
                }
            }
        }
    }
}

#[test]
fn pairs_of_nodes_are_the_same_as_gathered_phases() {
    let stack = stack(9, 0);
    let series = stack.series(&OPTIONS);
    let nodes = 10;
    let phases: Vec<C32> = stack.phases(nodes).iter().map(|z| z * 3.5).collect();
    let edges = [[0, 1], [0, 4], [2, 9], [3, 3]];
    let gather = |end: usize| -> Vec<C32> {
        let of = |plane: &[C32]| edges.map(|edge| plane[edge[end] as usize]);
        phases.chunks(nodes).flat_map(of).collect()
    };
    let mut scratch = series.scratch();
    let tile = series.analyse_edges(&phases, &edges, &mut scratch);
    assert_eq!(tile, series.analyse(&gather(0), &gather(1), &mut scratch));
    assert_eq!(tile.dph_space_uw_rad[3], 0.0);
    let empty = series.analyse_edges(&phases, &[], &mut scratch);
    assert_eq!(empty, Tile::default());
    assert!(series.memory_bytes(1000) > 64_000);
}

#[test]
fn order_and_direction_of_interferograms_do_not_matter() {
    let straight = stack(14, 6);
    let (edges, columns) = (30, straight.pairs.len());
    let differences = straight.phases(edges);
    let order: Vec<usize> = (0..columns).map(|k| k * 5 % columns).collect();
    // Every third interferogram the other way round.
    let reversed = |k: usize| k.is_multiple_of(3);
    let turned = Stack {
        day: straight.day.clone(),
        pairs: (0..columns)
            .map(|k| {
                let [a, b] = straight.pairs[order[k]];
                if reversed(k) { [b, a] } else { [a, b] }
            })
            .collect(),
        bperp_m: (0..columns)
            .map(|k| straight.bperp_m[order[k]] * if reversed(k) { -1.0 } else { 1.0 })
            .collect(),
    };
    let other: Vec<C32> = (0..columns)
        .flat_map(|k| {
            differences[order[k] * edges..][..edges]
                .iter()
                .map(move |z| if reversed(k) { z.conj() } else { *z })
        })
        .collect();
    for method in [Method::Full, Method::Quick] {
        let options = EdgeSeriesOptions { method, ..OPTIONS };
        // Trials are counted over the range of baselines, which reversing changes.
        let range = |values: &[f64]| {
            values.iter().copied().fold(f64::MIN, f64::max)
                - values.iter().copied().fold(f64::MAX, f64::min)
        };
        let ratio = range(&turned.bperp_m) / range(&straight.bperp_m);
        let scaled = EdgeSeriesOptions { trial_wraps: 0.5 * ratio, ..options };
        let expected = analyse(&straight.series(&options), &differences);
        let got = analyse(&turned.series(&scaled), &other);
        // The deviation of noise is one around its mean, which signs change: compare what both keep.
        let both = |edge: &usize| got.with_statistics[*edge] && expected.with_statistics[*edge];
        let kept: Vec<usize> = (0..edges).filter(both).collect();
        assert!(kept.len() > edges / 2, "{method:?} {kept:?}");
        for (k, &from) in order.iter().enumerate() {
            let sign = if reversed(k) { -1.0 } else { 1.0 };
            for (got, expected) in [
                (&got.dph_space_uw_rad, &expected.dph_space_uw_rad),
                (&got.dph_noise_rad, &expected.dph_noise_rad),
            ] {
                let of = |values: &[f32], column: usize, sign: f32| -> Vec<f32> {
                    kept.iter().map(|edge| sign * values[column * edges + edge]).collect()
                };
                close(&of(got, k, 1.0), &of(expected, from, sign));
            }
        }
    }
}

#[test]
fn noisy_edges_have_no_statistics() {
    let stack = stack(16, 3);
    let count = stack.pairs.len();
    // The first edge jumps by more than two radians from date to date, the second does not.
    let differences: Vec<C32> = (0..count)
        .flat_map(|k| [phasor(if k % 2 == 0 { 1.5 } else { -1.4 }), phasor(0.1)])
        .collect();
    let options = EdgeSeriesOptions { look_angle_error: false, ..OPTIONS };
    for (method, known) in [
        (Method::Full, [false, true]),
        (Method::Quick, [false, true]),
        (Method::NoDeformation, [true, true]),
        (Method::Spatial2D, [true, true]),
    ] {
        let tile = analyse(&stack.series(&EdgeSeriesOptions { method, ..options }), &differences);
        assert_eq!(tile.with_statistics, known, "{method:?}");
        for (edge, known) in known.into_iter().enumerate() {
            let values = tile.dph_space_uw_rad.iter().chain(&tile.dph_noise_rad);
            assert!(
                values.skip(edge).step_by(2).all(|value| value.is_nan() != known),
                "{method:?}"
            );
        }
        let no_noise = method == Method::Spatial2D;
        assert_eq!(tile.dph_noise_rad.is_empty(), no_noise);
    }
}

#[test]
fn missing_phases_do_no_harm_to_other_edges() {
    let stack = stack(11, 4);
    let mut differences = stack.phases(10);
    let series = stack.series(&OPTIONS);
    let complete = analyse(&series, &differences);
    differences[3] = Complex::new(0.0, 0.0);
    differences[10 * 4 + 5] = Complex::new(f32::NAN, 1.0);
    differences[10 * 7 + 8] = Complex::new(f32::INFINITY, 1.0);
    let tile = analyse(&series, &differences);
    for edge in 0..10 {
        let of = |values: &[f32]| values.iter().skip(edge).step_by(10).copied().collect::<Vec<_>>();
        if [3, 5, 8].contains(&edge) {
            assert!(!tile.with_statistics[edge]);
            assert!(of(&tile.dph_space_uw_rad).iter().all(|value| value.is_nan()));
            assert_eq!(tile.slope_rad_per_m[edge], 0.0);
        } else {
            close(&of(&tile.dph_space_uw_rad), &of(&complete.dph_space_uw_rad));
        }
    }
    let alone = stack.series(&EdgeSeriesOptions { method: Method::NoDeformation, ..OPTIONS });
    let tile = analyse(&alone, &differences);
    let unknown = tile.dph_noise_rad.iter().filter(|value| value.is_nan()).count();
    assert_eq!((unknown, tile.with_statistics.iter().filter(|known| !**known).count()), (3, 3));
}

#[test]
fn one_and_two_interferograms() {
    for (images, master) in [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] {
        let stack = stack(images, master);
        let differences = stack.phases(5);
        for method in [Method::Spatial2D, Method::NoDeformation, Method::Full, Method::Quick] {
            let mut series = stack.series(&EdgeSeriesOptions { method, ..OPTIONS });
            assert_eq!(series.contested(), method == Method::Full, "{images}");
            if images == 2 {
                assert_eq!(series.trials(), 0, "a single baseline has no range");
            }
            let edges = [[0, 1], [1, 2], [3, 4], [0, 4], [2, 3]];
            let mut scratch = series.scratch();
            let mut joined = series.moments(&differences, &edges[3..], &mut scratch);
            joined.join(&series.moments(&differences, &edges[..3], &mut scratch));
            assert_eq!(joined, series.moments(&differences, &edges, &mut scratch));
            series.settle(&joined);
            let tile = series.analyse_edges(&differences, &edges, &mut scratch);
            assert!(tile.dph_space_uw_rad.iter().all(|value| value.abs() < 4.0 * PI));
            if method == Method::Full {
                // Every other image smooths its single interferogram perfectly.
                assert!(tile.dph_noise_rad.iter().all(|noise| noise.abs() < 1e-6));
                assert!(tile.with_statistics.iter().all(|known| *known));
            }
        }
    }
}

#[test]
fn equal_days_and_equal_baselines() {
    let mut equal = stack(8, 2);
    equal.bperp_m.fill(40.0);
    assert_eq!(equal.series(&OPTIONS).trials(), 0);
    let differences = equal.phases(6);
    assert_eq!(analyse(&equal.series(&OPTIONS), &differences).slope_rad_per_m, [0.0; 6]);
    equal.day.fill(0.0);
    for method in [Method::Full, Method::Quick] {
        let tile = analyse(&equal.series(&EdgeSeriesOptions { method, ..OPTIONS }), &differences);
        assert_eq!(tile.dph_space_uw_rad.len(), 42);
        assert!(tile.dph_noise_rad.iter().any(|noise| noise.is_finite()));
    }
    // Opposite phasors of one day have no mean, and so no angle to add up.
    let pair = Stack {
        day: vec![0.0, 12.0, 12.0, 12.0, 12.0],
        pairs: (1..5).map(|image| [0, image]).collect(),
        bperp_m: vec![0.0; 4],
    };
    let opposite = [1.0, 1.0, -1.0, -1.0].map(|re| Complex::new(re, 0.0));
    let tile = analyse(&pair.series(&OPTIONS), &opposite);
    assert!(!tile.with_statistics[0], "a deviation of 1.8 rad");
}

#[test]
fn networks_that_cannot_be_analysed() {
    let stack = stack(5, 1);
    let error = |change: &dyn Fn(&mut Stack, &mut EdgeSeriesOptions)| {
        let mut changed = Stack {
            day: stack.day.clone(),
            pairs: stack.pairs.clone(),
            bperp_m: stack.bperp_m.clone(),
        };
        let mut options = OPTIONS;
        change(&mut changed, &mut options);
        EdgeSeries::new(&changed.network(), &options).unwrap_err()
    };
    assert_eq!(error(&|s, _| s.pairs.clear()), EdgeSeriesError::NoInterferograms);
    let count = EdgeSeriesError::BaselineCount { expected: 4, found: 3 };
    assert_eq!(error(&|s, _| s.bperp_m.truncate(3)), count);
    let pair = EdgeSeriesError::InvalidPair { interferogram: 2 };
    assert_eq!(error(&|s, _| s.pairs[2] = [1, 5]), pair);
    assert_eq!(error(&|s, _| s.pairs[2] = [3, 3]), pair);
    let day = EdgeSeriesError::NotFinite { quantity: "day", index: 4 };
    assert_eq!(error(&|s, _| s.day[4] = f64::NAN), day);
    let bperp = EdgeSeriesError::NotFinite { quantity: "bperp_m", index: 0 };
    assert_eq!(error(&|s, _| s.bperp_m[0] = f64::INFINITY), bperp);
    let window = EdgeSeriesError::InvalidTimeWindow { days: 0.0 };
    assert_eq!(error(&|_, o| o.time_window_days = 0.0), window);
    for wraps in [-1.0, 1e9, f64::NAN, f64::INFINITY] {
        let error = error(&|_, o| o.trial_wraps = wraps);
        assert!(matches!(error, EdgeSeriesError::InvalidTrials { .. }), "{wraps} {error}");
    }
}

#[test]
fn gradients_replace_shaky_edges() {
    // Edges from node 0 to 1, three columns to the right; gradients say 1 rad a column.
    let nodes = [[4, 2], [4, 5]];
    let down = [0.5; 8];
    let right = [0.5, 1.5, 0.5, 1.5, 0.5, 1.5, f32::NAN, 1.0];
    let columns = 3;
    let tile = |noise: [f32; 3]| Tile {
        dph_space_uw_rad: vec![3.1, 3.0 + 2.0 * PI, 2.8],
        dph_noise_rad: noise.to_vec(),
        slope_rad_per_m: vec![0.0],
        with_statistics: vec![true],
    };
    let run = |tile: &mut Tile, right: &[f32]| {
        smooth_along_gradients(tile, &[[0, 1]], &nodes, [&down[..2 * columns], right])
    };
    let mut quiet = tile([0.1, -0.1, 0.0]);
    let before = quiet.clone();
    let result = run(&mut quiet, &right[..6]);
    assert_eq!(
        (quiet, &result.shaky[..], &result.spread[..]),
        (before, &[false][..], &[0.0; 3][..])
    );
    let mut shaky = tile([0.9, -0.9, 0.0]);
    let result = run(&mut shaky, &right[..6]);
    assert_eq!((&result.shaky[..], &result.spread[..]), (&[true][..], &[1.0; 3][..]));
    close(&shaky.dph_noise_rad, &[0.1, 0.0, -0.2]);
    close(&shaky.dph_space_uw_rad, &[3.1, 3.0, 2.8]);
    // Unknown gradients replace nothing but what is unknown anyway.
    let mut kept = tile([0.9, -0.9, 0.0]);
    assert_eq!(run(&mut kept, &right[2..8]).shaky, [false]);
    let mut unknown = tile([f32::NAN; 3]);
    assert_eq!(run(&mut unknown, &right[2..8]).shaky, [true]);
    assert!(!unknown.with_statistics[0] && unknown.dph_space_uw_rad.iter().all(|x| x.is_nan()));
    let none = smooth_along_gradients(&mut Tile::default(), &[], &nodes, [&[], &[]]);
    assert_eq!(none, GradientTile::default());
}

#[test]
fn several_masters_fit_noisy_edges() {
    // Every image with its next three; a rate that needs more than a cycle in three steps.
    let images = 10;
    let day: Vec<f64> = (0..images).map(|i| 12.0 * i as f64).collect();
    let pairs: Vec<[usize; 2]> =
        (0..images).flat_map(|i| (i + 1..images.min(i + 4)).map(move |j| [i, j])).collect();
    let bperp_m: Vec<f64> = (0..pairs.len()).map(|k| 100.0 * share(k)).collect();
    let network = Stack { day, pairs, bperp_m };
    let rates = [0.01, 1.3];
    let phases: Vec<C32> = network
        .pairs
        .iter()
        .flat_map(|pair| {
            let steps = (pair[1] - pair[0]) as f64;
            [phasor(0.0), phasor(rates[0] * steps), phasor(rates[1] * steps)]
        })
        .collect();
    let edges = [[0, 1], [0, 2]];
    let options = EdgeSeriesOptions { look_angle_error: false, ..OPTIONS };
    let quick = network.series(&EdgeSeriesOptions { method: Method::Quick, ..options });
    let mut several = network.series(&EdgeSeriesOptions { method: Method::MultiMaster, ..options });
    let plain = quick.analyse_edges(&phases, &edges, &mut quick.scratch());
    assert_eq!(plain.with_statistics, [true, false]);
    let tile = several.analyse_edges(&phases, &edges, &mut several.scratch());
    assert_eq!(tile.with_statistics, [true, true]);
    // The quiet edge is the same, the other has found its rate.
    let of = |tile: &Tile, edge: usize| -> Vec<f32> {
        tile.dph_space_uw_rad.iter().skip(edge).step_by(2).copied().collect()
    };
    assert_eq!(of(&tile, 0), of(&plain, 0));
    let fitted = of(&tile, 1);
    let right = fitted.iter().zip(&network.pairs).filter(|(value, pair)| {
        let expected = rates[1] * (pair[1] - pair[0]) as f64;
        (f64::from(**value) - expected).abs() < 1e-5
    });
    assert!(right.count() > network.pairs.len() * 3 / 4);
    // Weights from edges change nothing of that here; without NaN they are finite.
    several.weigh(&phases, &vec![Complex::new(1.0, 0.0); phases.len()], &edges);
    let weighed = several.analyse_edges(&phases, &edges, &mut several.scratch());
    assert_eq!(of(&weighed, 0), of(&plain, 0));
    assert!(weighed.dph_noise_rad.iter().all(|noise| noise.is_finite()));
}
