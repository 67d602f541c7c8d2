//! Defines the low-pass response.

/// Low-pass response of a square window in the order of a discrete Fourier transform: the first
/// element belongs to zero frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct LowPass {
    window: usize,
    values: Vec<f64>,
}

impl LowPass {
    /// Butterworth response of order 5 in each direction, for cells of `grid_size_m` and a cut-off
    /// wavelength of `wavelength_m` (stage2.md 2.5).
    ///
    /// # Panics
    /// If `window` is odd or 0.
    pub fn new(window: usize, grid_size_m: f64, wavelength_m: f64) -> Self {
        assert!(window > 0 && window.is_multiple_of(2), "a window of an even number of cells");
        let cutoff_per_m = 1.0 / wavelength_m;
        let response = |k: usize| {
            // Half a window further: zero frequency comes first.
            let k = (k + window / 2) % window;
            let frequency_per_m =
                -1.0 / (2.0 * grid_size_m) + k as f64 / (grid_size_m * window as f64);
            1.0 / (1.0 + (frequency_per_m / cutoff_per_m).powi(10))
        };
        let line: Vec<f64> = (0..window).map(response).collect();
        let values = line.iter().flat_map(|x| line.iter().map(move |y| y * x)).collect();
        Self { window, values }
    }

    /// A given response, column-major.
    ///
    /// # Panics
    /// If `window` is odd or 0 or `values` are not `window * window`.
    pub fn from_values(window: usize, values: Vec<f64>) -> Self {
        assert!(window > 0 && window.is_multiple_of(2), "a window of an even number of cells");
        assert_eq!(values.len(), window * window, "a square response");
        Self { window, values }
    }

    /// Number of cells along a side.
    pub fn window(&self) -> usize {
        self.window
    }

    /// The response, column-major, `window * window`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The response row after row.
    pub(super) fn row_major(&self) -> Vec<f64> {
        let row = |i: usize| (0..self.window).map(move |j| self.values[j * self.window + i]);
        (0..self.window).flat_map(row).collect()
    }
}
