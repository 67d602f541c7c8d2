//! Fits ramps, low polynomials in the position, to the phase of interferograms.

use crate::least_squares::PivotedQr;

/// A ramp needs more PS than this.
const TOO_FEW: usize = 5;

/// Terms of a ramp in `X`, `Y`, km. StaMPS: the variable `degree` of `deramp_degree.mat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RampDegree {
    /// `X Y 1`. StaMPS: 1.
    Plane,
    /// `X Y XY 1`. StaMPS: 1.5.
    Bilinear,
    /// `X² Y² XY 1`, without the linear terms. StaMPS: 2.
    Quadratic,
    /// `X³ Y³ X²Y Y²X X² Y² XY 1`, without the linear terms. StaMPS: 3.
    Cubic,
}

impl RampDegree {
    /// The terms that StaMPS has for a degree: 1, 1.5, 2 or 3.
    pub fn of(degree: f64) -> Option<Self> {
        [(1.0, Self::Plane), (1.5, Self::Bilinear), (2.0, Self::Quadratic), (3.0, Self::Cubic)]
            .into_iter()
            .find_map(|(number, terms)| (number == degree).then_some(terms))
    }

    /// Number of terms.
    pub fn terms(self) -> usize {
        match self {
            Self::Plane => 3,
            Self::Bilinear | Self::Quadratic => 4,
            Self::Cubic => 8,
        }
    }

    /// The terms at a place, in the order of the coefficients; only the first [`Self::terms`] count.
    fn at(self, [x, y]: [f64; 2]) -> [f64; 8] {
        match self {
            Self::Plane => [x, y, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::Bilinear => [x, y, x * y, 1.0, 0.0, 0.0, 0.0, 0.0],
            Self::Quadratic => [x * x, y * y, x * y, 1.0, 0.0, 0.0, 0.0, 0.0],
            Self::Cubic => [x * x * x, y * y * y, x * x * y, y * y * x, x * x, y * y, x * y, 1.0],
        }
    }
}

/// The terms of every PS, and their factorisation for columns without gaps.
///
/// # StaMPS compatibility
/// `ps_deramp`, stage7.md section 3: ordinary least squares as MATLAB's backslash has it. Where the
/// PS do not determine all terms (PS on a line, repeated places) a dependent term gets the
/// coefficient 0. Coordinates are divided by 1000 in single precision before they become double.
#[derive(Clone, Debug)]
pub struct RampDesign {
    degree: RampDegree,
    place_km: Vec<[f64; 2]>,
    /// Of all PS; `None` for too few of them.
    complete: Option<PivotedQr>,
}

impl RampDesign {
    /// The terms of PS at `xy_m`, m, single precision.
    pub fn new(xy_m: &[[f32; 2]], degree: RampDegree) -> Self {
        let place_km: Vec<[f64; 2]> =
            xy_m.iter().map(|place| place.map(|metres| f64::from(metres / 1000.0))).collect();
        let rows: Vec<usize> = (0..place_km.len()).collect();
        let complete = factorised(&place_km, &rows, degree);
        Self { degree, place_km, complete }
    }

    /// Coefficients of the ramp nearest to the phase of one interferogram, `[n_ps]`, rad; PS whose
    /// phase is NaN are left out. `None` where five PS or fewer are left: StaMPS then keeps the
    /// phase and calls the ramp NaN.
    ///
    /// # Panics
    /// If there is not one phase for every PS.
    pub fn fit(&self, phase_rad: &[f32]) -> Option<Vec<f64>> {
        assert_eq!(phase_rad.len(), self.place_km.len(), "one phase for every PS");
        let valid = |phase: &&f32| !phase.is_nan();
        let right: Vec<f64> = phase_rad.iter().filter(valid).map(|&phase| phase.into()).collect();
        if right.len() == phase_rad.len() {
            return self.complete.as_ref().map(|qr| qr.solve(&right).coefficients);
        }
        let numbers = 0..phase_rad.len();
        let rows: Vec<usize> = numbers.filter(|&row| !phase_rad[row].is_nan()).collect();
        let qr = factorised(&self.place_km, &rows, self.degree)?;
        Some(qr.solve(&right).coefficients)
    }

    /// The ramp of every PS, rad.
    ///
    /// # Panics
    /// If there is not one coefficient for every term.
    pub fn values(&self, coefficients: &[f64]) -> Vec<f64> {
        assert_eq!(coefficients.len(), self.degree.terms(), "one coefficient for every term");
        let value = |&place: &[f64; 2]| {
            let terms = self.degree.at(place);
            coefficients.iter().zip(terms).map(|(coefficient, term)| coefficient * term).sum()
        };
        self.place_km.iter().map(value).collect()
    }

    /// Bytes of the design and of one call of [`Self::fit`] for so many PS.
    pub fn memory_bytes(scatterers: usize, degree: RampDegree) -> u64 {
        // Places, both factorisations, their right-hand sides, and the numbers of the rows.
        (scatterers * 8 * (2 + 2 * degree.terms() + 2 + 1)) as u64
    }
}

/// Factorises the terms of some PS, unless they are too few.
fn factorised(place_km: &[[f64; 2]], rows: &[usize], degree: RampDegree) -> Option<PivotedQr> {
    if rows.len() <= TOO_FEW {
        return None;
    }
    let mut design = vec![0.0; rows.len() * degree.terms()];
    for (number, &row) in rows.iter().enumerate() {
        let terms = degree.at(place_km[row]);
        for (term, value) in terms.iter().take(degree.terms()).enumerate() {
            design[term * rows.len() + number] = *value;
        }
    }
    Some(PivotedQr::new(&design, rows.len()))
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "phases are single")]
mod tests {
    use super::*;

    fn places() -> Vec<[f32; 2]> {
        (0..40_u16)
            .map(|k| [f32::from(k * 37 % 41) * 90.0, f32::from(k * 11 % 43) * 70.0])
            .collect()
    }

    #[test]
    fn degrees_of_stamps() {
        let of = |degree| RampDegree::of(degree).map(RampDegree::terms);
        assert_eq!([1.0, 1.5, 2.0, 3.0].map(of), [3, 4, 4, 8].map(Some));
        assert_eq!([0.0, 2.5, -1.0, f64::NAN].map(of), [None; 4]);
    }

    #[test]
    fn a_ramp_of_every_degree_is_found_again() {
        for degree in
            [RampDegree::Plane, RampDegree::Bilinear, RampDegree::Quadratic, RampDegree::Cubic]
        {
            let design = RampDesign::new(&places(), degree);
            let given: Vec<f64> = (0..degree.terms()).map(|k| 0.3 - 0.1 * k as f64).collect();
            let mut phase: Vec<f32> = design.values(&given).iter().map(|&v| v as f32).collect();
            for gaps in [0, 9] {
                phase[..gaps].fill(f32::NAN);
                let found = design.fit(&phase).unwrap();
                for (found, given) in found.iter().zip(&given) {
                    assert!((found - given).abs() < 1e-5, "{degree:?} {found} {given}");
                }
            }
        }
    }

    #[test]
    fn scatterers_on_a_line_get_the_basic_solution() {
        let places: Vec<[f32; 2]> = (0..8_u8).map(|k| [f32::from(k) * 1000.0, 2000.0]).collect();
        let design = RampDesign::new(&places, RampDegree::Plane);
        let phase: Vec<f32> = (0..8_u8).map(|k| 3.0 + 0.5 * f32::from(k)).collect();
        let coefficients = design.fit(&phase).unwrap();
        assert_eq!(coefficients.iter().filter(|&&c| c == 0.0).count(), 1, "{coefficients:?}");
        for (ramp, phase) in design.values(&coefficients).iter().zip(&phase) {
            assert!((ramp - f64::from(*phase)).abs() < 1e-12);
        }
    }

    #[test]
    fn five_values_are_too_few() {
        let design = RampDesign::new(&places(), RampDegree::Plane);
        let mut phase = vec![f32::NAN; 40];
        phase[..5].fill(1.0);
        assert_eq!(design.fit(&phase), None);
        phase[5] = 1.0;
        assert!(design.fit(&phase).is_some());
        assert_eq!(RampDesign::new(&[], RampDegree::Cubic).fit(&[]), None);
    }

    #[test]
    fn coordinates_that_are_no_numbers_harm_nobody() {
        let design = RampDesign::new(&[[f32::NAN, f32::INFINITY]; 7], RampDegree::Cubic);
        assert_eq!(design.values(&design.fit(&[1.0; 7]).unwrap()).len(), 7);
    }
}
