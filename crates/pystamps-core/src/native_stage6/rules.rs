//! Reads what the parameters ask of stage 6 and refuses what cannot work, before anything is read.

use pystamps_kernels::edge_series::Method;

use crate::error::{Diagnostic, Result};
use crate::parameter_checks::{not_negative, out_of_range, positive};
use crate::project::parameters::Parameters;
use crate::project::stack::{Network, Stack};
use crate::troposphere::subtracted_field;

/// Parameters that decide what stage 6 does.
pub(super) const ACTING_PARAMETERS: [&str; 17] = [
    "small_baseline_flag",
    "unwrap_method",
    "unwrap_patch_phase",
    "unwrap_grid_size",
    "unwrap_gold_n_win",
    "unwrap_gold_alpha",
    "unwrap_prefilter_flag",
    "unwrap_time_win",
    "unwrap_la_error_flag",
    "unwrap_spatial_cost_func_flag",
    "unwrap_hold_good_values",
    "drop_ifg_index",
    "max_topo_err",
    "lambda",
    "scla_deramp",
    "subtr_tropo",
    "tropo_method",
];

/// What the parameters ask for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "StaMPS's flags, each by itself")]
pub(super) struct Rules {
    pub(super) network: Network,
    /// `unwrap_method` as typed.
    method: String,
    /// Unwrap the smoothed phase and add the rest as it is.
    pub(super) patch_phase: bool,
    /// Side of a cell, m; 0 if the coordinates are cells already.
    pub(super) cell_m: f32,
    pub(super) window_cells: usize,
    pub(super) alpha: f64,
    pub(super) prefilter: bool,
    pub(super) time_window_days: f64,
    pub(super) look_angle_error: bool,
    /// Let the local gradient stand in for the smoothed series of restless edges.
    local_gradients: bool,
    pub(super) max_topo_err_m: f64,
    pub(super) wavelength_m: f64,
    /// Leave out the ramps of an earlier pass too.
    pub(super) deramp: bool,
    /// Fields of the tropospheric correction to leave out, if any.
    pub(super) troposphere: Option<&'static str>,
}

impl Rules {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `parameter-range`, `parameter-type`; `mode-not-native` for what StaMPS can do and we cannot.
    pub(super) fn of(parameters: &Parameters) -> Result<Self> {
        let network = Network::of(parameters)?;
        if network == Network::SmallBaselines && parameters.flag("unwrap_hold_good_values")? {
            return Err(not_native("unwrap_hold_good_values", "y", "n"));
        }
        let patch_phase = parameters.flag("unwrap_patch_phase")?;
        Ok(Self {
            network,
            method: checked_method(parameters.text("unwrap_method")?)?,
            patch_phase,
            cell_m: cell_size(parameters)?,
            window_cells: window(parameters)?,
            alpha: exponent(parameters)?,
            prefilter: parameters.flag("unwrap_prefilter_flag")?,
            time_window_days: positive(parameters, "unwrap_time_win")?,
            look_angle_error: parameters.flag("unwrap_la_error_flag")?,
            local_gradients: parameters.flag("unwrap_spatial_cost_func_flag")?,
            max_topo_err_m: not_negative(parameters, "max_topo_err")?,
            wavelength_m: positive(parameters, "lambda")?,
            deramp: parameters.flag("scla_deramp")?,
            troposphere: subtracted_field(parameters)?,
        })
    }

    /// How edges are analysed in the interferograms `used` of `stack`.
    ///
    /// # StaMPS compatibility
    /// `3D` and `3D_NEW` mean `3D_FULL` where one image is the first of every interferogram
    /// (`uw_3d`, stage6.md 2).
    pub(super) fn method(&self, stack: &Stack, used: &[usize]) -> Method {
        let first_image = |&column: &usize| stack.pairs.get(column).map(|pair| pair[0]);
        let one_master = used.windows(2).all(|pair| first_image(&pair[0]) == first_image(&pair[1]));
        match self.method.as_str() {
            "2D" => Method::Spatial2D,
            "3D_NO_DEF" => Method::NoDeformation,
            "3D_QUICK" => Method::Quick,
            "3D_SMALL_DEF" => Method::SmallDeformation,
            "3D" | "3D_NEW" if !one_master => Method::MultiMaster,
            _ => Method::Full,
        }
    }
}

impl Rules {
    /// Whether local gradients are asked for and the method can use them (stage6.md 5, step 8).
    pub(super) fn uses_gradients(&self, method: Method) -> bool {
        self.local_gradients && !matches!(method, Method::Spatial2D | Method::NoDeformation)
    }
}

const METHODS: [&str; 7] =
    ["3D", "3D_FULL", "3D_NEW", "3D_QUICK", "3D_NO_DEF", "3D_SMALL_DEF", "2D"];

fn checked_method(method: String) -> Result<String> {
    if METHODS.contains(&method.as_str()) {
        return Ok(method);
    }
    Err(out_of_range("unwrap_method", &METHODS.join(", "), method))
}

fn cell_size(parameters: &Parameters) -> Result<f32> {
    let size_m = not_negative(parameters, "unwrap_grid_size")?;
    if size_m > 0.0 && !(1e-3..=1e6).contains(&size_m) {
        return Err(out_of_range("unwrap_grid_size", "0.001 to 1000000 m, or 0", size_m));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the original divides single by it")]
    Ok(size_m as f32)
}

/// Exponent of the filter's response; a large one overflows.
fn exponent(parameters: &Parameters) -> Result<f64> {
    let value = not_negative(parameters, "unwrap_gold_alpha")?;
    if value > 20.0 {
        return Err(out_of_range("unwrap_gold_alpha", "0 to 20 (usual is 0.8)", value));
    }
    Ok(value)
}

/// Side of the filter's window, cells.
fn window(parameters: &Parameters) -> Result<usize> {
    let value = positive(parameters, "unwrap_gold_n_win")?;
    if value % 2.0 == 0.0 && (4.0..=1024.0).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number up to 1024"
        )]
        return Ok(value as usize);
    }
    Err(out_of_range("unwrap_gold_n_win", "an even number of cells from 4 to 1024", value))
}

fn not_native(name: &str, value: &str, instead: &str) -> crate::Error {
    Diagnostic::new("mode-not-native", "this branch of StaMPS is not native")
        .variable(name)
        .expected(instead)
        .found(value)
        .remedy(format!("pystamps-native params set --dataset … {name} {instead}"))
        .usage()
}
