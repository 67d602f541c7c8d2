//! Defines every StaMPS parameter: its default, its kind and what it means (parameters.md 3).

use pystamps_mat::Value;

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `y` or `n`.
    Flag,
    /// Free text.
    Text,
    /// One number.
    Number,
    /// A row of numbers of fixed or free length, `[]` allowed.
    Numbers,
}

/// A default value, in a form a constant table can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DefaultValue {
    /// Characters.
    Text(&'static str),
    /// One number.
    Number(f64),
    /// A row of numbers; an empty one is MATLAB's `[]`.
    Row(&'static [f64]),
    /// First number in this file of the project (or its parents), NaN without it.
    FromFile(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// StaMPS name.
    pub name: &'static str,
    /// Default of single-master projects; `None` if only small-baseline projects have it.
    pub single_master: Option<DefaultValue>,
    /// Default of small-baseline projects.
    pub small_baseline: DefaultValue,
    /// Kind of value.
    pub kind: Kind,
    /// Meaning, with unit.
    pub meaning: &'static str,
    /// Stages it acts on.
    pub stages: &'static str,
}

use DefaultValue::{FromFile, Number, Row, Text};

const fn both(
    name: &'static str,
    default: DefaultValue,
    kind: Kind,
    stages: &'static str,
    meaning: &'static str,
) -> Parameter {
    Parameter { name, single_master: Some(default), small_baseline: default, kind, meaning, stages }
}

const fn number(
    name: &'static str,
    value: f64,
    stages: &'static str,
    meaning: &'static str,
) -> Parameter {
    both(name, Number(value), Kind::Number, stages, meaning)
}

const fn text(
    name: &'static str,
    value: &'static str,
    stages: &'static str,
    meaning: &'static str,
) -> Parameter {
    both(name, Text(value), Kind::Text, stages, meaning)
}

const fn flag(
    name: &'static str,
    value: &'static str,
    stages: &'static str,
    meaning: &'static str,
) -> Parameter {
    both(name, Text(value), Kind::Flag, stages, meaning)
}

const fn row(
    name: &'static str,
    value: &'static [f64],
    stages: &'static str,
    meaning: &'static str,
) -> Parameter {
    both(name, Row(value), Kind::Numbers, stages, meaning)
}

impl Parameter {
    /// Gives small-baseline projects another default.
    const fn small_baseline(mut self, default: DefaultValue) -> Self {
        self.small_baseline = default;
        self
    }

    /// Restricts the parameter to small-baseline projects.
    const fn only_small_baseline(mut self) -> Self {
        self.single_master = None;
        self
    }
}

const INF: f64 = f64::INFINITY;

/// All parameters with a default, in the order StaMPS creates them.
pub const PARAMETERS: &[Parameter] = &[
    number("max_topo_err", 20.0, "2", "largest DEM error searched for, m"),
    flag("quick_est_gamma_flag", "y", "2 3", "estimate coherence on a grid (n is not in StaMPS)"),
    flag("select_reest_gamma_flag", "y", "3", "re-estimate coherence without the pixel's own cell"),
    number("filter_grid_size", 50.0, "2", "cell size of the coherence grid, m"),
    text("filter_weighting", "P-square", "2", "P-square, anything else weights by SNR"),
    number("gamma_change_convergence", 0.005, "2", "change of coherence at which stage 2 stops"),
    number("gamma_max_iterations", 3.0, "2", "largest number of iterations of stage 2"),
    number("slc_osf", 1.0, "3", "oversampling factor of the images"),
    number("clap_win", 32.0, "2 3", "window of the CLAP filter, cells"),
    number("clap_low_pass_wavelength", 800.0, "2", "cut-off of the CLAP low pass, m"),
    number("clap_alpha", 1.0, "2 3", "CLAP weighting exponent"),
    number("clap_beta", 0.3, "2 3", "CLAP weight of the adaptive part"),
    text("select_method", "DENSITY", "3", "DENSITY or PERCENT"),
    number("density_rand", 20.0, "3", "accepted random pixels per km2").small_baseline(Number(2.0)),
    number("percent_rand", 20.0, "3", "accepted random pixels, percent")
        .small_baseline(Number(1.0)),
    number("gamma_stdev_reject", 0.0, "3", "rejected standard deviation of coherence, 0 is off"),
    number("weed_time_win", 730.0, "4", "temporal smoothing window of weeding, days"),
    number("weed_max_noise", INF, "4", "largest noise of a kept PS in any interferogram, rad"),
    number("weed_standard_dev", 1.0, "4", "largest noise standard deviation of a kept PS, rad")
        .small_baseline(Number(INF)),
    flag("weed_zero_elevation", "n", "4", "drop PS of zero height"),
    flag("weed_neighbours", "n", "4", "drop the noisier of two adjacent PS"),
    text("unwrap_method", "3D", "6", "3D, 3D_FULL, 3D_QUICK, 3D_NO_DEF, 3D_SMALL_DEF or 2D")
        .small_baseline(Text("3D_QUICK")),
    flag("unwrap_patch_phase", "n", "6", "unwrap the patch phase only"),
    row("drop_ifg_index", &[], "3 4 6", "interferograms left out, counted from 1 with the master"),
    flag("unwrap_la_error_flag", "y", "6", "remove the look-angle error before unwrapping"),
    flag("unwrap_spatial_cost_func_flag", "n", "6", "spatial cost functions"),
    flag("unwrap_prefilter_flag", "y", "6", "Goldstein filter before unwrapping"),
    number("unwrap_grid_size", 200.0, "6", "cell size of the unwrapping grid, m"),
    number("unwrap_gold_n_win", 32.0, "6", "window of the Goldstein filter, cells"),
    number("unwrap_alpha", 8.0, "6", "weight of the cost functions"),
    number("unwrap_time_win", 730.0, "6", "temporal smoothing window of unwrapping, days"),
    number("unwrap_gold_alpha", 0.8, "6", "exponent of the Goldstein filter"),
    flag("unwrap_hold_good_values", "n", "6", "keep well unwrapped values of the last run"),
    row("scla_drop_index", &[], "7", "interferograms (or images) left out of stage 7"),
    number("scn_wavelength", 100.0, "8", "spatial filter wavelength, m"),
    number("scn_time_win", 365.0, "8", "temporal filter window, days"),
    row("scn_deramp_ifg", &[], "8", "interferograms deramped before filtering"),
    flag("scn_kriging_flag", "n", "8", "filter by kriging"),
    row("ref_lon", &[-INF, INF], "6 7 8", "reference area, longitude limits, deg"),
    row("ref_lat", &[-INF, INF], "6 7 8", "reference area, latitude limits, deg"),
    row("ref_centre_lonlat", &[0.0, 0.0], "6 7 8", "reference centre, longitude and latitude, deg"),
    number("ref_radius", INF, "6 7 8", "reference radius, m"),
    number("ref_velocity", 0.0, "6 7 8", "velocity of the reference area, mm/yr"),
    number("n_cores", 1.0, "-", "processes of StaMPS's own launcher"),
    number("plot_dem_posting", 90.0, "-", "posting of the plotted DEM, m"),
    number("plot_scatterer_size", 120.0, "-", "size of a plotted scatterer, m"),
    number("plot_pixels_scatterer", 3.0, "-", "pixels a plotted scatterer"),
    text("plot_color_scheme", "inflation", "-", "colours of plots"),
    row("shade_rel_angle", &[90.0, 45.0], "-", "illumination of shaded relief, deg"),
    row("lonlat_offset", &[0.0, 0.0], "-", "shift of plotted coordinates, deg"),
    number("merge_resample_size", 0.0, "5", "cell size of the merged PS, m, 0 keeps all")
        .small_baseline(Number(100.0)),
    number("merge_standard_dev", INF, "5", "largest standard deviation of a resampled cell, rad"),
    text("scla_method", "L2", "7", "L2 or L1"),
    flag("scla_deramp", "n", "7", "remove an orbital ramp from every interferogram"),
    both("lambda", FromFile("lambda.1.in"), Kind::Number, "2 7", "radar wavelength, m"),
    both(
        "heading",
        FromFile("heading.1.in"),
        Kind::Number,
        "1 5",
        "flight direction, deg from north",
    ),
    row("sb_scla_drop_index", &[], "7", "small-baseline interferograms left out of stage 7")
        .only_small_baseline(),
    flag("subtr_tropo", "n", "6 7 8", "subtract a tropospheric correction"),
    text("tropo_method", "a_l", "6 7 8", "which tropospheric correction"),
];

/// The row called `name`, if StaMPS has a default for it.
pub fn parameter(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

impl DefaultValue {
    /// The value as it stands in `parms.mat`; `read_number` looks a file default up.
    pub(super) fn value(self, read_number: impl Fn(&str) -> Option<f64>) -> Value {
        match self {
            Text(text) => Value::text(text),
            Number(number) => Value::scalar(number),
            Row([]) => Value::empty(),
            Row(numbers) => Value::row_f64(numbers),
            FromFile(name) => Value::scalar(read_number(name).unwrap_or(f64::NAN)),
        }
    }
}
