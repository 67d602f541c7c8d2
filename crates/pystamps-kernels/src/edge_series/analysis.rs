//! Runs the analysis over tiles of edges.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wide vectors")]

use std::f64::consts::TAU;

use num_complex::Complex;

use super::annealing::Annealing;
use super::full::{self, Moments};
use super::lanes::{LANES, Lanes, Phasors, angles, single, unit_difference, wrapped};
use super::{EdgeSeries, Smoothing, look_angle};
use crate::elementary::sin_cos;
use crate::simd::{Kernel, run_widest};

/// Standard deviation of noise above which an edge has no statistics, rad: `3D_FULL` …
const MOST_NOISE_FULL: f32 = 1.2;
/// … and `3D_QUICK`, `3D_SMALL_DEF`.
const MOST_NOISE_QUICK: f32 = 1.3;
/// Standard deviation of noise above which several masters call for another model, rad.
const MOST_NOISE_BEFORE_ANNEALING: f32 = 1.0;

/// Memory of the analysis, made once a thread.
#[derive(Clone, Debug)]
pub struct Scratch {
    differences: Phasors,
    /// Angles of the differences without look-angle error, cycles.
    angle: Vec<Lanes>,
    /// Smooth part: first cycles, then rad in single precision.
    smooth: Vec<Lanes>,
    /// Noise, rad in single precision.
    noise: Vec<Lanes>,
    slope: Lanes,
    look_angle: look_angle::Scratch,
    full: full::Scratch,
}

/// Results of some edges; matrices are `[edges, interferograms]`, column-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tile {
    /// Unwrapped difference, rad: congruent with the wrapped one. NaN without statistics. StaMPS:
    /// `dph_space_uw`.
    pub dph_space_uw_rad: Vec<f32>,
    /// Its noise, rad: `dph_space_uw_rad` less what was expected. Empty for
    /// [`Method::Spatial2D`](super::Method::Spatial2D). StaMPS: `dph_noise`.
    pub dph_noise_rad: Vec<f32>,
    /// Slope on the baselines of every edge, rad/m; 0 where none was found. StaMPS: `K`.
    pub slope_rad_per_m: Vec<f32>,
    /// Whether the edge's noise is known in every interferogram.
    pub with_statistics: Vec<bool>,
}

/// Node phases of edges.
#[derive(Clone, Copy)]
enum Ends<'a> {
    /// Those of both ends, `[edges, interferograms]`.
    Gathered { low: &'a [Complex<f32>], high: &'a [Complex<f32>], edges: usize },
    /// Those of all nodes, `[nodes, interferograms]`, and the pairs of nodes.
    Network { phases: &'a [Complex<f32>], nodes: usize, edges: &'a [[u32; 2]] },
}

impl Ends<'_> {
    fn edges(&self) -> usize {
        match self {
            Self::Gathered { edges, .. } => *edges,
            Self::Network { edges, .. } => edges.len(),
        }
    }

    #[inline(always)]
    fn difference(&self, column: usize, edge: usize) -> [f32; 2] {
        match self {
            Self::Gathered { low, high, edges } => {
                let at = column * edges + edge;
                unit_difference(low[at], high[at])
            }
            Self::Network { phases, nodes, edges } => {
                let plane = &phases[column * nodes..][..*nodes];
                let [low, high] = edges[edge].map(|node| plane[node as usize]);
                unit_difference(low, high)
            }
        }
    }
}

impl Scratch {
    /// Takes in up to [`LANES`] edges from `first` on; lanes beyond the last repeat it.
    #[inline(always)]
    fn load(&mut self, ends: &Ends<'_>, first: usize) -> usize {
        let count = (ends.edges() - first).min(LANES);
        let lanes = self.differences.re.iter_mut().zip(&mut self.differences.im);
        for (column, (re, im)) in lanes.enumerate() {
            for lane in 0..LANES {
                let [x, y] = ends.difference(column, first + lane.min(count - 1));
                re[lane] = f64::from(x);
                im[lane] = f64::from(y);
            }
        }
        count
    }

    /// Rounds the smooth part and takes it away from the angles.
    #[inline(always)]
    fn split_angles(&mut self) {
        let Self { angle, smooth, noise, .. } = self;
        for ((angle, smooth), noise) in angle.iter().zip(smooth).zip(noise) {
            for value in smooth.iter_mut() {
                *value = single(TAU * *value);
            }
            for lane in 0..LANES {
                let left = angle[lane] - smooth[lane] * (1.0 / TAU);
                noise[lane] = single(TAU * wrapped(left));
            }
        }
    }
}

impl EdgeSeries {
    /// Memory for calls of [`EdgeSeries::analyse`].
    pub fn scratch(&self) -> Scratch {
        let columns = self.interferograms();
        let lanes = || vec![[0.0; LANES]; columns];
        Scratch {
            differences: Phasors::new(columns),
            angle: lanes(),
            smooth: lanes(),
            noise: lanes(),
            slope: [0.0; LANES],
            look_angle: self
                .look_angle
                .as_ref()
                .map(look_angle::LookAngle::scratch)
                .unwrap_or_default(),
            full: match &self.smoothing {
                Smoothing::Full(full) => full.scratch(),
                _ => full::Scratch::default(),
            },
        }
    }

    /// Analyses edges, given the phases of their lower and higher nodes: both
    /// `[edges, interferograms]`, column-major.
    ///
    /// Node phases need not have modulus 1. Where one is 0 or NaN the difference is NaN, and so is
    /// all that depends on it.
    ///
    /// # Panics
    /// If the lengths differ or are no multiple of the interferograms.
    pub fn analyse(
        &self,
        low: &[Complex<f32>],
        high: &[Complex<f32>],
        scratch: &mut Scratch,
    ) -> Tile {
        assert_eq!(low.len(), high.len(), "phases of both ends");
        assert!(low.len().is_multiple_of(self.interferograms()), "whole edges");
        self.run(&Ends::Gathered { low, high, edges: low.len() / self.interferograms() }, scratch)
    }

    /// Analyses edges, given as pairs of nodes from 0 (lower, higher), and the phases of all nodes,
    /// `[nodes, interferograms]`, column-major.
    ///
    /// # Panics
    /// If there are no whole columns of nodes, or an edge has a node that is not there.
    pub fn analyse_edges(
        &self,
        phases: &[Complex<f32>],
        edges: &[[u32; 2]],
        scratch: &mut Scratch,
    ) -> Tile {
        assert!(phases.len().is_multiple_of(self.interferograms()), "whole columns");
        let nodes = phases.len() / self.interferograms();
        self.run(&Ends::Network { phases, nodes, edges }, scratch)
    }

    /// Whether an interferogram has several images that could smooth it: then [`EdgeSeries::settle`]
    /// has to choose before the analysis, from [`EdgeSeries::moments`] of all edges. Only so with
    /// `3D_FULL` and three images or fewer, or a network as dense.
    pub fn contested(&self) -> bool {
        matches!(&self.smoothing, Smoothing::Full(full) if full.contested())
    }

    /// What the candidates leave of the phase of edges; arguments as for
    /// [`EdgeSeries::analyse_edges`].
    ///
    /// # Panics
    /// As there.
    pub fn moments(
        &self,
        phases: &[Complex<f32>],
        edges: &[[u32; 2]],
        scratch: &mut Scratch,
    ) -> Moments {
        let mut moments = Moments::default();
        let nodes = phases.len() / self.interferograms();
        let ends = Ends::Network { phases, nodes, edges };
        if let Smoothing::Full(full) = &self.smoothing {
            for first in (0..edges.len()).step_by(LANES) {
                let count = scratch.load(&ends, first);
                self.remove_look_angle_error(scratch);
                let Scratch { differences, angle, full: work, .. } = &mut *scratch;
                full.add_moments(differences, angle, count, work, &mut moments);
            }
        }
        moments
    }

    /// Chooses for every interferogram the image that leaves least, given the moments of all edges
    /// (those of parts of them joined).
    pub fn settle(&mut self, moments: &Moments) {
        if let Smoothing::Full(full) = &mut self.smoothing {
            full.settle(moments);
        }
    }

    fn run(&self, ends: &Ends<'_>, scratch: &mut Scratch) -> Tile {
        let edges = ends.edges();
        let values = edges * self.interferograms();
        let of_noise = if matches!(self.smoothing, Smoothing::Spatial) { 0 } else { values };
        let mut tile = Tile {
            dph_space_uw_rad: vec![0.0; values],
            dph_noise_rad: vec![0.0; of_noise],
            slope_rad_per_m: vec![0.0; edges],
            with_statistics: vec![true; edges],
        };
        run_widest(Analyse { series: self, ends, scratch, tile: &mut tile });
        tile
    }

    /// Finds the slopes, turns the differences back by them and takes their angles.
    #[inline(always)]
    fn remove_look_angle_error(&self, scratch: &mut Scratch) {
        scratch.slope = [0.0; LANES];
        if let Some(search) = &self.look_angle {
            scratch.slope = search.slopes(&scratch.differences, &mut scratch.look_angle);
        }
        let Phasors { re, im } = &mut scratch.differences;
        if scratch.slope != [0.0; LANES] {
            for ((re, im), &bperp_m) in re.iter_mut().zip(&mut *im).zip(&self.bperp_m) {
                for lane in 0..LANES {
                    let (sin, cos) = sin_cos(scratch.slope[lane] * bperp_m);
                    let (x, y) = (re[lane], im[lane]);
                    re[lane] = single(x * cos + y * sin);
                    im[lane] = single(y * cos - x * sin);
                }
            }
        }
        for (angle, (re, im)) in scratch.angle.iter_mut().zip(re.iter().zip(&*im)) {
            *angle = angles(im, re);
        }
    }

    /// Splits the angles into smooth part and noise.
    #[inline(always)]
    fn split(&self, scratch: &mut Scratch) {
        let Scratch { differences, angle, smooth, full: work, .. } = &mut *scratch;
        match &self.smoothing {
            Smoothing::Spatial | Smoothing::Nothing => smooth.fill([0.0; LANES]),
            Smoothing::Full(full) => full.smooth(differences, angle, work, smooth),
            Smoothing::Quick(quick) | Smoothing::MultiMaster(quick, _) => {
                quick.smooth(angle, smooth);
            }
        }
        scratch.split_angles();
        if let Smoothing::MultiMaster(_, annealing) = &self.smoothing {
            fit_noisy_lanes(annealing, scratch);
        }
    }

    /// Whether the noise of every lane is known and small enough.
    #[inline(always)]
    fn judge(&self, noise: &[Lanes]) -> [bool; LANES] {
        let most = match self.smoothing {
            Smoothing::Spatial => return [true; LANES],
            Smoothing::Nothing | Smoothing::MultiMaster(..) => f32::INFINITY,
            Smoothing::Full(_) => MOST_NOISE_FULL,
            Smoothing::Quick(_) => MOST_NOISE_QUICK,
        };
        deviations(noise).map(|deviation| deviation <= most)
    }
}

/// Gives noisy lanes the smooth part that annealing finds.
#[inline(never)]
fn fit_noisy_lanes(annealing: &Annealing, scratch: &mut Scratch) {
    let noisy = deviations(&scratch.noise).map(|value| value > MOST_NOISE_BEFORE_ANNEALING);
    for (lane, _) in noisy.into_iter().enumerate().filter(|(_, noisy)| *noisy) {
        let phase_rad: Vec<f64> = scratch.angle.iter().map(|angle| TAU * angle[lane]).collect();
        for (column, smooth) in annealing.fit(&phase_rad).into_iter().enumerate() {
            let smooth = single(smooth);
            scratch.smooth[column][lane] = smooth;
            let left = scratch.angle[column][lane] - smooth * (1.0 / TAU);
            scratch.noise[column][lane] = single(TAU * wrapped(left));
        }
    }
}

/// Standard deviation of every lane, divisor n - 1, in single precision; 0 of a single value.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "deviations are single")]
fn deviations(values: &[Lanes]) -> [f32; LANES] {
    let count = values.len() as f64;
    let mut mean = [0.0; LANES];
    for value in values {
        for lane in 0..LANES {
            mean[lane] += value[lane] / count;
        }
    }
    let mut squares = [0.0; LANES];
    for value in values {
        for lane in 0..LANES {
            let deviation = value[lane] - mean[lane];
            squares[lane] += deviation * deviation;
        }
    }
    squares.map(|square| (square / (count - 1.0).max(1.0)).sqrt() as f32)
}

struct Analyse<'a, 'e> {
    series: &'a EdgeSeries,
    ends: &'a Ends<'e>,
    scratch: &'a mut Scratch,
    tile: &'a mut Tile,
}

impl Kernel for Analyse<'_, '_> {
    #[inline(always)]
    fn run(self) {
        let Self { series, ends, scratch, tile } = self;
        for first in (0..ends.edges()).step_by(LANES) {
            let count = scratch.load(ends, first);
            series.remove_look_angle_error(scratch);
            series.split(scratch);
            tile.store(series, scratch, first, count);
        }
    }
}

impl Tile {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "results are single")]
    fn store(&mut self, series: &EdgeSeries, scratch: &Scratch, first: usize, count: usize) {
        let edges = self.with_statistics.len();
        let known = series.judge(&scratch.noise);
        // Without smoothing in time, NaN in one interferogram leaves the others as they are.
        let blank = match series.smoothing {
            Smoothing::Spatial | Smoothing::Nothing => [false; LANES],
            Smoothing::Full(_) | Smoothing::Quick(_) | Smoothing::MultiMaster(..) => {
                known.map(|known| !known)
            }
        };
        self.with_statistics[first..first + count].copy_from_slice(&known[..count]);
        let slopes = &mut self.slope_rad_per_m[first..first + count];
        for (out, slope) in slopes.iter_mut().zip(scratch.slope) {
            *out = slope as f32;
        }
        for (column, &bperp_m) in series.bperp_m.iter().enumerate() {
            let (smooth, noise) = (&scratch.smooth[column], &scratch.noise[column]);
            let start = column * edges + first;
            let whole = &mut self.dph_space_uw_rad[start..start + count];
            for (lane, out) in whole.iter_mut().enumerate() {
                let error = (scratch.slope[lane] * bperp_m) as f32;
                let value = (smooth[lane] as f32 + noise[lane] as f32) + error;
                *out = if blank[lane] { f32::NAN } else { value };
            }
            if let Some(out) = self.dph_noise_rad.get_mut(start..start + count) {
                for (lane, out) in out.iter_mut().enumerate() {
                    *out = if blank[lane] { f32::NAN } else { noise[lane] as f32 };
                }
            }
        }
    }
}
