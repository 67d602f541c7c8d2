//! The variables of stage 1 (matfiles.md).

use super::Axis::{Candidate, Fixed, Image, Interferogram, MeasuredInterferogram, Scatterer};
use super::table::{column, complex, double, scalar, single, single_with_one_master, table};
use super::{Unit, Variable};

/// Angle of view; see [`VARIABLES`].
pub const LOOK_ANGLE: Variable = column(
    "la1.mat",
    "la",
    Scatterer,
    Unit::Radian,
    "incidence angle (single master), look angle (small baselines)",
);

/// Interferometric phase, see [`VARIABLES`].
pub const PHASE: Variable = complex(single(double(
    "ph1.mat",
    "ph",
    [Scatterer, Interferogram],
    Unit::Phasor,
    "interferograms; ones in the master's slot",
)));

/// Perpendicular baselines, see [`VARIABLES`].
pub const BASELINES: Variable = single_with_one_master(double(
    "bp1.mat",
    "bperp_mat",
    [Scatterer, MeasuredInterferogram],
    Unit::Metre,
    "perpendicular baseline of every row and interferogram",
));

/// Pixels, see [`VARIABLES`].
pub const PIXELS: Variable =
    table("ps1.mat", "ij", 3, Unit::None, "row number, azimuth line, range sample (from 0)");

/// Every variable that both kinds of project have, grouped by file.
pub static VARIABLES: [Variable; 18] = [
    PIXELS,
    table("ps1.mat", "lonlat", 2, Unit::Degree, "longitude, latitude"),
    single(table("ps1.mat", "xy", 3, Unit::None, "row number, local coordinates in m")),
    single_with_one_master(column(
        "ps1.mat",
        "bperp",
        Interferogram,
        Unit::Metre,
        "mean perpendicular baseline; 0 in the master's slot",
    )),
    column("ps1.mat", "day", Image, Unit::Day, "dates of the images"),
    scalar("ps1.mat", "master_day", Unit::Day, "date of the master"),
    scalar("ps1.mat", "master_ix", Unit::None, "place of the master among the images, from 1"),
    scalar("ps1.mat", "n_ifg", Unit::None, "interferograms, with the master's slot"),
    scalar("ps1.mat", "n_image", Unit::None, "images"),
    scalar("ps1.mat", "n_ps", Unit::None, "rows"),
    column("ps1.mat", "sort_ix", Candidate, Unit::None, "candidate of every row, before removal"),
    double("ps1.mat", "ll0", [Fixed(1), Fixed(2)], Unit::Degree, "origin of the local coordinates"),
    scalar("ps1.mat", "mean_incidence", Unit::Radian, "mean incidence angle"),
    PHASE,
    BASELINES,
    LOOK_ANGLE,
    column("hgt1.mat", "hgt", Scatterer, Unit::Metre, "height"),
    column("da1.mat", "D_A", Scatterer, Unit::None, "amplitude dispersion"),
];

#[cfg(test)]
mod tests {
    use pystamps_mat::{Value, Variables, WriteOptions};

    use super::super::{AxisLengths, check_folder, load};
    use super::*;

    const LENGTHS: AxisLengths = AxisLengths {
        scatterers: 2,
        candidates: 3,
        interferograms: 4,
        measured_interferograms: 3,
        images: 4,
    };

    fn folder_with(value: Value) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let variables: Variables = [("la", value)].into_iter().collect();
        let path = folder.path().join("la1.mat");
        pystamps_mat::write(path, &variables, &WriteOptions::default()).unwrap();
        folder
    }

    #[test]
    fn axes_classes_and_units_are_checked() {
        let good = folder_with(Value::column_f64(&[0.6, 0.7]));
        let value = load(good.path(), &LOOK_ANGLE, &LENGTHS).unwrap();
        assert_eq!(value.to_f64_vec().unwrap(), [0.6, 0.7]);
        check_folder(good.path(), &VARIABLES, &LENGTHS, false).unwrap();
        for (value, name) in [
            (Value::column_f64(&[0.6, 0.7, 0.8]), "variable-shape"),
            (Value::column_f64(&[34.0, 39.0]), "variable-unit"),
            (Value::from_logical_column(&[true, false]), "variable-class"),
        ] {
            let folder = folder_with(value);
            let error = load(folder.path(), &LOOK_ANGLE, &LENGTHS).unwrap_err();
            assert_eq!(error.name(), name);
            let error = check_folder(folder.path(), &VARIABLES, &LENGTHS, false).unwrap_err();
            assert_eq!(error.name(), name);
        }
        // Singles are read, because other routes store them, but never stored by this one.
        let singles = folder_with(Value::column_f32(&[0.6, 0.7]));
        load(singles.path(), &LOOK_ANGLE, &LENGTHS).unwrap();
        let error = check_folder(singles.path(), &VARIABLES, &LENGTHS, false).unwrap_err();
        assert_eq!(error.name(), "variable-class");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let variables: Variables = [("inc", Value::scalar(0.6))].into_iter().collect();
        let path = folder.path().join("la1.mat");
        pystamps_mat::write(path, &variables, &WriteOptions::default()).unwrap();
        let error = check_folder(folder.path(), &VARIABLES, &LENGTHS, false).unwrap_err();
        assert_eq!(error.name(), "variable-missing");
        assert!(error.to_string().contains("inc"), "{error}");
    }
}
