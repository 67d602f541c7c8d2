//! Names of tropospheric corrections, which TRAIN writes into `tca2.mat` and `tca_sb2.mat`.

use crate::error::Result;
use crate::parameter_checks::out_of_range;
use crate::project::parameters::Parameters;

/// The variable of the correction that stages 6 and 7 subtract; none where `subtr_tropo` is not set.
///
/// # Errors
/// As for [`tropospheric_field`].
pub(crate) fn subtracted_field(parameters: &Parameters) -> Result<Option<&'static str>> {
    if !parameters.flag("subtr_tropo")? {
        return Ok(None);
    }
    tropospheric_field(&parameters.text("tropo_method")?).map(Some)
}

/// The variable that holds the correction called `method` (products.md 7).
///
/// # Errors
/// `parameter-range` for a name that stands for no single variable.
pub(crate) fn tropospheric_field(method: &str) -> Result<&'static str> {
    const FIELDS: [(&[&str], &str); 28] = [
        (&["a_linear", "a_l"], "ph_tropo_linear"),
        (&["a_powerlaw", "a_p"], "ph_tropo_powerlaw"),
        (&["a_meris", "a_m"], "ph_tropo_meris"),
        (&["a_meris-ni", "a_mi"], "ph_tropo_meris_no_interp"),
        (&["a_erai", "a_e"], "ph_tropo_era"),
        (&["a_erai-h", "a_eh"], "ph_tropo_era_hydro"),
        (&["a_erai-w", "a_ew"], "ph_tropo_era_wet"),
        (&["a_wrf", "a_w"], "ph_tropo_wrf"),
        (&["a_wrf-h", "a_wh"], "ph_tropo_wrf_hydro"),
        (&["a_wrf-w", "a_ww"], "ph_tropo_wrf_wet"),
        (&["a_modis", "a_M"], "ph_tropo_modis"),
        (&["a_modis-ni", "a_MI"], "ph_tropo_modis_no_interp"),
        (&["a_linear-man", "a_lman"], "strat_corr"),
        (&["a_recalmodis", "a_RM"], "ph_tropo_modis_recal"),
        (&["a_recalmodis-ni", "a_RMI"], "ph_tropo_modis_no_interp_recal"),
        (&["a_merra"], "ph_tropo_merra"),
        (&["a_merra-h"], "ph_tropo_merra_hydro"),
        (&["a_merra-w"], "ph_tropo_merra_wet"),
        (&["a_merra2"], "ph_tropo_merra2"),
        (&["a_merra2-h"], "ph_tropo_merra2_hydro"),
        (&["a_merra2-w"], "ph_tropo_merra2_wet"),
        (&["a_gacos"], "ph_tropo_gacos"),
        (&["a_narr"], "ph_tropo_narr"),
        (&["a_narr-h"], "ph_tropo_narr_hydro"),
        (&["a_narr-w"], "ph_tropo_narr_wet"),
        (&["a_era5"], "ph_tropo_era5"),
        (&["a_era5-h"], "ph_tropo_era5_hydro"),
        (&["a_era5-w"], "ph_tropo_era5_wet"),
    ];
    let found = FIELDS.iter().find(|(names, _)| names.contains(&method));
    found.map(|(_, field)| *field).ok_or_else(|| {
        out_of_range("tropo_method", "a correction of one field, such as a_gacos or a_era5", method)
    })
}
