//! Describes the interferograms as the analysis of edges takes them.

use pystamps_kernels::edge_series::{
    EdgeSeries, EdgeSeriesOptions, Method, Network as EdgeNetwork,
};

use super::rules::Rules;
use crate::error::{Diagnostic, Result};
use crate::project::stack::{Network, Stack};

/// Images and baselines of the interferograms as the analysis of edges takes them.
pub(super) struct SeriesNetwork {
    day: Vec<f64>,
    pairs: Vec<[usize; 2]>,
    bperp_m: Vec<f64>,
}

impl SeriesNetwork {
    pub(super) fn of(stack: &Stack, used: &[usize]) -> Self {
        let master_day = stack.day[stack.master];
        let pair = |&column: &usize| match stack.network {
            Network::SingleMaster => [stack.master, column],
            Network::SmallBaselines => stack.pairs[column],
        };
        Self {
            day: stack.day.iter().map(|day| day - master_day).collect(),
            pairs: used.iter().map(pair).collect(),
            bperp_m: used.iter().map(|&column| stack.bperp_m[column]).collect(),
        }
    }

    pub(super) fn plan(
        &self,
        rules: &Rules,
        method: Method,
        trial_wraps: f64,
    ) -> Result<EdgeSeries> {
        let options = EdgeSeriesOptions {
            method,
            look_angle_error: rules.look_angle_error,
            time_window_days: rules.time_window_days,
            trial_wraps,
        };
        let network = EdgeNetwork { day: &self.day, pairs: &self.pairs, bperp_m: &self.bperp_m };
        EdgeSeries::new(&network, &options).map_err(|error| {
            Diagnostic::new("series-impossible", "the series of the edges cannot be analysed")
                .variable("unwrap_method, ifgday_ix, bperp")
                .expected("interferograms that the method can use")
                .found(error)
                .remedy("choose another unwrap_method, for example 3D_QUICK")
                .data()
        })
    }
}
