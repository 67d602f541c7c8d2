//! Places rows in metres around their middle and orders them: stage 1 for the candidates of a
//! patch, the merge for all patches together.

use pystamps_kernels::local_coordinates::{centre, polyconic_km, rotate_to_heading};
use rayon::prelude::*;

/// Local coordinates and where they start from.
#[derive(Debug)]
pub(crate) struct LocalCoordinates {
    /// Origin: the middle of the longitudes and of the latitudes, deg.
    pub(crate) origin_lonlat_deg: [f64; 2],
    /// Metres from the origin, along the flight direction if that encloses the rows more tightly.
    pub(crate) xy_m: Vec<[f32; 2]>,
}

impl LocalCoordinates {
    /// Coordinates of `lonlat_deg`.
    ///
    /// # StaMPS compatibility
    /// Stage1.md B.7 to B.9.
    pub(crate) fn of(lonlat_deg: &[[f64; 2]], heading_deg: f64) -> Self {
        let origin_lonlat_deg = centre(lonlat_deg);
        let mut xy_m: Vec<[f64; 2]> = lonlat_deg
            .par_iter()
            .map(|&point| polyconic_km(point, origin_lonlat_deg).map(|km| km * 1000.0))
            .collect();
        rotate_to_heading(&mut xy_m, heading_deg);
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        let xy_m = xy_m.into_iter().map(|point| point.map(|metres| metres as f32)).collect();
        Self { origin_lonlat_deg, xy_m }
    }
}

/// Sorts by y, then x, both in single precision; ties keep their order, NaN goes last.
pub(crate) fn sort_by_position(xy_m: &[[f32; 2]]) -> Vec<u32> {
    let count = u32::try_from(xy_m.len()).expect("invariant: rows number below 2^32");
    let mut sorted: Vec<u32> = (0..count).collect();
    let ascending =
        |a: f32, b: f32| a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
    sorted.par_sort_by(|&a, &b| {
        let ([xa, ya], [xb, yb]) = (xy_m[a as usize], xy_m[b as usize]);
        ascending(ya, yb).then(ascending(xa, xb))
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_to_south_then_west_to_east_nan_last() {
        let nan = f32::NAN;
        let points = [[1.0, 2.0], [nan, 1.0], [0.0, 2.0], [5.0, 1.0], [5.0, 1.0], [0.0, nan]];
        assert_eq!(sort_by_position(&points), [3, 4, 1, 2, 0, 5]);
    }

    #[test]
    fn signed_zeros_are_equal() {
        assert_eq!(sort_by_position(&[[1.0, 0.0], [0.5, -0.0]]), [1, 0]);
    }
}
