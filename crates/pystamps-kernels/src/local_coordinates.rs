//! Defines local metric coordinates: polyconic projection and rotation along the flight direction.

/// Semi-major axis of WGS 84, m.
const SEMI_MAJOR_AXIS_M: f64 = 6_378_137.0;
/// First eccentricity as StaMPS has it. True WGS 84 is 0.081 819 190 8: kept for parity, the effect
/// on local coordinates is parts in 10^5.
const ECCENTRICITY: f64 = 0.082_094_437_949_70;

/// Length of the meridian arc from the equator to `latitude_rad`, m.
fn meridian_arc_m(latitude_rad: f64) -> f64 {
    let e2 = ECCENTRICITY.powi(2);
    let e4 = ECCENTRICITY.powi(4);
    let e6 = ECCENTRICITY.powi(6);
    SEMI_MAJOR_AXIS_M
        * ((1.0 - e2 / 4.0 - 3.0 * e4 / 64.0 - 5.0 * e6 / 256.0) * latitude_rad
            - (3.0 * e2 / 8.0 + 3.0 * e4 / 32.0 + 45.0 * e6 / 1024.0) * (2.0 * latitude_rad).sin()
            + (15.0 * e4 / 256.0 + 45.0 * e6 / 1024.0) * (4.0 * latitude_rad).sin()
            - (35.0 * e6 / 3072.0) * (6.0 * latitude_rad).sin())
}

/// Projects longitude and latitude (degrees) to east and north of `origin_lonlat_deg`, km.
///
/// # StaMPS compatibility
/// `llh2local`, stage1.md section E: polyconic projection of WGS 84 with the eccentricity constant
/// given there. Returns kilometres as the original does; callers multiply by 1000.
///
/// # Algorithm
/// 1. Meridian arc `M` of both latitudes, transverse radius `N = a / sqrt(1 - e² sin² φ)`.
/// 2. `E = (λ - λ0) sin φ`; `x = N cot φ sin E`; `y = M - M0 + N cot φ (1 - cos E)`.
/// 3. On the equator exactly: `x = a (λ - λ0)`, `y = -M0`.
pub fn polyconic_km(lonlat_deg: [f64; 2], origin_lonlat_deg: [f64; 2]) -> [f64; 2] {
    let radians = |degrees: f64| degrees * std::f64::consts::PI / 180.0;
    let [longitude, latitude] = lonlat_deg.map(radians);
    let [longitude0, latitude0] = origin_lonlat_deg.map(radians);
    let arc0_m = meridian_arc_m(latitude0);
    let [x_m, y_m] = if latitude == 0.0 {
        [SEMI_MAJOR_AXIS_M * (longitude - longitude0), -arc0_m]
    } else {
        let (sin_latitude, cos_latitude) = (latitude.sin(), latitude.cos());
        let cotangent = cos_latitude / sin_latitude;
        let transverse_radius_m =
            SEMI_MAJOR_AXIS_M / (1.0 - ECCENTRICITY.powi(2) * sin_latitude.powi(2)).sqrt();
        let angle = (longitude - longitude0) * sin_latitude;
        [
            transverse_radius_m * cotangent * angle.sin(),
            meridian_arc_m(latitude) - arc0_m
                + transverse_radius_m * cotangent * (1.0 - angle.cos()),
        ]
    };
    [x_m / 1000.0, y_m / 1000.0]
}

/// Rotates east/north coordinates so that the flight direction points along an axis, if that makes
/// the bounding box smaller in both directions; returns whether it did.
///
/// `heading_deg` is clockwise from north. NaN coordinates are carried along and ignored in extents.
///
/// # StaMPS compatibility
/// Stage1.md B.8: rotation by `180° - heading`, accepted only if both extents strictly shrink.
pub fn rotate_to_heading(xy_m: &mut [[f64; 2]], heading_deg: f64) -> bool {
    let rotate = heading_rotation(heading_deg);
    let before = extents(xy_m.iter().copied());
    let after = extents(xy_m.iter().copied().map(&rotate));
    let shrinks = after[0] < before[0] && after[1] < before[1];
    if shrinks {
        for point in xy_m {
            *point = rotate(*point);
        }
    }
    shrinks
}

/// Turns points so that the flight direction points along an axis.
pub fn heading_rotation(heading_deg: f64) -> impl Fn([f64; 2]) -> [f64; 2] {
    let mut theta_rad = (180.0 - heading_deg) * std::f64::consts::PI / 180.0;
    if theta_rad > std::f64::consts::PI {
        theta_rad -= 2.0 * std::f64::consts::PI;
    }
    let (sin, cos) = (theta_rad.sin(), theta_rad.cos());
    move |[x, y]| [cos * x + sin * y, -sin * x + cos * y]
}

/// Midpoint of the range of each coordinate, NaN ignored; NaN if there is no number at all.
pub fn centre(points: &[[f64; 2]]) -> [f64; 2] {
    bounds(points.iter().copied()).map(|(low, high)| f64::midpoint(high, low))
}

fn extents(points: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    bounds(points).map(|(low, high)| high - low)
}

fn bounds(points: impl Iterator<Item = [f64; 2]>) -> [(f64, f64); 2] {
    // `f64::min` and `max` return the other operand when one is NaN, as MATLAB's do.
    points.fold([(f64::NAN, f64::NAN); 2], |bounds, point| {
        [0, 1].map(|axis| (bounds[axis].0.min(point[axis]), bounds[axis].1.max(point[axis])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_vector_of_the_specification() {
        let [x, y] = polyconic_km([12.6, 45.25], [12.5, 45.2]);
        assert!((x * 1000.0 - 7_850.407_789_344).abs() < 1e-8, "{x}");
        assert!((y * 1000.0 - 5_561.611_795_427).abs() < 1e-8, "{y}");
    }

    #[test]
    fn equator_and_origin() {
        let [x, y] = polyconic_km([1.0, 0.0], [0.0, 0.0]);
        assert!((x - 6378.137 * std::f64::consts::PI / 180.0).abs() < 1e-12);
        assert_eq!(y, 0.0);
        assert_eq!(polyconic_km([12.5, 45.2], [12.5, 45.2]), [0.0, 0.0]);
    }

    #[test]
    fn rotation_needs_both_extents_to_shrink() {
        // A strip along the flight direction of heading 190: tilted by 10 degrees from north.
        let tilt = 10_f64.to_radians();
        let mut strip: Vec<[f64; 2]> =
            (0..100).map(|i| [f64::from(i) * tilt.sin(), f64::from(i) * tilt.cos()]).collect();
        strip.extend(strip.clone().iter().map(|p| [p[0] + tilt.cos(), p[1] - tilt.sin()]));
        strip.push([f64::NAN, 0.0]);
        // Width shrinks but the strip becomes longer: no rotation.
        assert!(!rotate_to_heading(&mut strip, 190.0));
        let mut square =
            vec![[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.5, 0.5], [f64::NAN, 0.0]];
        assert!(rotate_to_heading(&mut square, 135.0));
        let half_side = std::f64::consts::FRAC_1_SQRT_2;
        assert!((square[0][0].abs() - half_side).abs() < 1e-15);
        assert!((square[0][1].abs() - half_side).abs() < 1e-15);
    }

    #[test]
    fn centre_ignores_nan() {
        assert_eq!(centre(&[[1.0, f64::NAN], [3.0, 4.0], [f64::NAN, 8.0]]), [2.0, 6.0]);
    }
}
