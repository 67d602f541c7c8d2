//! Defines the angles of side-looking radar over a sphere and the perpendicular baseline.

/// Distances that fix the imaging triangle, from the master's parameter file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrbitSphere {
    /// Satellite to earth centre, m (`sar_to_earth_center`).
    pub satellite_radius_m: f64,
    /// Earth radius below the sensor, m (`earth_radius_below_sensor`).
    pub earth_radius_m: f64,
}

impl OrbitSphere {
    /// Angle at the satellite between nadir and the target, rad.
    ///
    /// `acos((s² + r² - e²) / (2 s r))`, stage1.md B.5. NaN if no such triangle exists.
    pub fn look_angle_rad(&self, slant_range_m: f64) -> f64 {
        let (s, e, r) = (self.satellite_radius_m, self.earth_radius_m, slant_range_m);
        ((s.powi(2) + r.powi(2) - e.powi(2)) / (2.0 * s * r)).acos()
    }

    /// Angle at the target between the vertical and the satellite, rad.
    ///
    /// `acos((s² - e² - r²) / (2 e r))`, stage1.md B.5. NaN if no such triangle exists.
    pub fn incidence_angle_rad(&self, slant_range_m: f64) -> f64 {
        let (s, e, r) = (self.satellite_radius_m, self.earth_radius_m, slant_range_m);
        ((s.powi(2) - e.powi(2) - r.powi(2)) / (2.0 * e * r)).acos()
    }
}

/// Baseline of one interferogram in the track, cross-track, normal frame at the scene centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// Cross-track component, m.
    pub cross_track_m: f64,
    /// Normal component, m.
    pub normal_m: f64,
    /// Change of the cross-track component, m/s.
    pub cross_track_rate_m_s: f64,
    /// Change of the normal component, m/s.
    pub normal_rate_m_s: f64,
}

impl Baseline {
    /// Perpendicular baseline, m, `time_s` after the scene centre, under a look angle given by its
    /// cosine and sine (the same for every interferogram, so they are computed once).
    ///
    /// Stage1.md B.5: `bc cos(look) - bn sin(look)`.
    pub fn perpendicular_m(&self, time_s: f64, cos_look: f64, sin_look: f64) -> f64 {
        let cross_track_m = self.cross_track_m + self.cross_track_rate_m_s * time_s;
        let normal_m = self.normal_m + self.normal_rate_m_s * time_s;
        cross_track_m * cos_look - normal_m * sin_look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_angled_triangle() {
        // 3-4-5 triangle: satellite radius 5, earth radius 3, range 4.
        let sphere = OrbitSphere { satellite_radius_m: 5.0, earth_radius_m: 3.0 };
        assert!((sphere.look_angle_rad(4.0) - 0.8_f64.acos()).abs() < 1e-15);
        assert!((sphere.incidence_angle_rad(4.0) - std::f64::consts::FRAC_PI_2).abs() < 1e-15);
        assert!(sphere.look_angle_rad(1.0).is_nan());
    }

    #[test]
    fn baseline_moves_with_time() {
        let baseline = Baseline {
            cross_track_m: 100.0,
            normal_m: 50.0,
            cross_track_rate_m_s: 2.0,
            normal_rate_m_s: -1.0,
        };
        assert_eq!(baseline.perpendicular_m(0.0, 1.0, 0.0), 100.0);
        assert_eq!(baseline.perpendicular_m(3.0, 1.0, 0.0), 106.0);
        assert_eq!(baseline.perpendicular_m(3.0, 0.0, 1.0), -47.0);
    }
}
