//! Topographic fits.

use super::{Matrix, Phasors, Vector, require, run};
use numpy::ndarray::{ArrayView2, Axis, s};
use numpy::{Complex32, Complex64, IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pystamps_kernels::topofit::{
    Block, Fits, Rounding, Trials, topofit, topofit_coherence_row_invariant, topofit_row_invariant,
};
use rayon::prelude::*;

/// Rows copied and fitted together.
const BLOCK_ROWS: usize = 256;

/// Slope, offset, coherence and residual phase.
type FitArrays<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray2<f32>>,
);

/// A view of either precision that can be read block by block.
#[derive(Clone, Copy)]
enum View<'a, S, D> {
    Single(ArrayView2<'a, S>),
    Double(ArrayView2<'a, D>),
}

impl<S: Copy, D: Copy> View<'_, S, D> {
    fn shape(&self) -> [usize; 2] {
        match self {
            Self::Single(view) => [view.nrows(), view.ncols()],
            Self::Double(view) => [view.nrows(), view.ncols()],
        }
    }

    /// Rows from `first` on, column after column, widened by one of the functions.
    fn columns(
        &self,
        first: usize,
        rows: usize,
        widen: fn(S) -> f64,
        take: fn(D) -> f64,
    ) -> Vec<f64> {
        fn gather<T: Copy>(
            view: &ArrayView2<T>,
            first: usize,
            rows: usize,
            to: fn(T) -> f64,
        ) -> Vec<f64> {
            let block = view.slice(s![first..first + rows, ..]);
            block
                .axis_iter(Axis(1))
                .flat_map(|column| column.into_iter().map(move |&x| to(x)))
                .collect()
        }
        match self {
            Self::Single(view) => gather(view, first, rows, widen),
            Self::Double(view) => gather(view, first, rows, take),
        }
    }
}

type ComplexView<'a> = View<'a, Complex32, Complex64>;
type RealView<'a> = View<'a, f32, f64>;

impl Phasors<'_> {
    fn view(&self) -> ComplexView<'_> {
        match self {
            Self::Single(array) => View::Single(array.as_array()),
            Self::Double(array) => View::Double(array.as_array()),
        }
    }
}

impl Matrix<'_> {
    fn view(&self) -> RealView<'_> {
        match self {
            Self::Single(array) => View::Single(array.as_array()),
            Self::Double(array) => View::Double(array.as_array()),
        }
    }
}

/// Real and imaginary parts of some rows, column after column.
fn parts(phasors: ComplexView, first: usize, rows: usize) -> [Vec<f64>; 2] {
    [
        phasors.columns(first, rows, |z| z.re.into(), |z| z.re),
        phasors.columns(first, rows, |z| z.im.into(), |z| z.im),
    ]
}

/// The precision StaMPS has with operands of these classes.
fn rounding(phasors: &ComplexView, single_baselines: bool) -> Rounding {
    match phasors {
        _ if single_baselines => Rounding::Single,
        View::Single(_) => Rounding::SingleResults,
        View::Double(_) => Rounding::Double,
    }
}

/// Fits every row with its own baselines: K [n], C [n], coherence [n], residual phase [n, m].
#[pyfunction]
#[pyo3(signature = (phasors, bperp, n_trial_wraps, *, threads = None))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn stage2_topofit<'py>(
    py: Python<'py>,
    phasors: Phasors<'py>,
    bperp: Matrix<'py>,
    n_trial_wraps: f64,
    threads: Option<usize>,
) -> PyResult<FitArrays<'py>> {
    let (phasors, bperp) = (phasors.view(), bperp.view());
    let same = phasors.shape() == bperp.shape();
    require(same, "phasors and bperp have different shapes; both are [n, m]")?;
    let rounding = rounding(&phasors, matches!(bperp, View::Single(_)));
    fit(py, phasors, n_trial_wraps, threads, move |block, first, trials, fits| {
        let bperp_m = bperp.columns(first, block.rows, f64::from, |b| b);
        topofit(block, &bperp_m, trials, rounding, fits);
    })
}

/// The same with one vector of baselines for all rows.
#[pyfunction]
#[pyo3(signature = (phasors, bperp, n_trial_wraps, *, threads = None))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn stage2_topofit_row_invariant<'py>(
    py: Python<'py>,
    phasors: Phasors<'py>,
    bperp: Vector<'py>,
    n_trial_wraps: f64,
    threads: Option<usize>,
) -> PyResult<FitArrays<'py>> {
    let (phasors, bperp_m) = (phasors.view(), bperp.to_vec());
    let same = phasors.shape()[1] == bperp_m.len();
    require(same, "bperp has another length than the rows of phasors")?;
    let rounding = rounding(&phasors, matches!(bperp, Vector::Single(_)));
    fit(py, phasors, n_trial_wraps, threads, move |block, _, trials, fits| {
        topofit_row_invariant(block, &bperp_m, trials, rounding, fits);
    })
}

/// The trials for so many wraps.
fn trials_for(n_trial_wraps: f64) -> PyResult<Trials> {
    let possible = (0.0..=Trials::MOST_WRAPS).contains(&n_trial_wraps);
    require(possible, "n_trial_wraps is not a number from 0 to 1,000")?;
    Ok(Trials::for_wraps(n_trial_wraps))
}

fn fit<'py>(
    py: Python<'py>,
    phasors: ComplexView,
    n_trial_wraps: f64,
    threads: Option<usize>,
    fit_block: impl Fn(&Block, usize, &Trials, &mut Fits) + Send + Sync,
) -> PyResult<FitArrays<'py>> {
    let [n, m] = phasors.shape();
    let trials = trials_for(n_trial_wraps)?;
    let blocks = run(py, threads, || -> Vec<Fits> {
        let starts: Vec<usize> = (0..n).step_by(BLOCK_ROWS).collect();
        let one = |fits: &mut Fits, &first: &usize| {
            let rows = BLOCK_ROWS.min(n - first);
            let [re, im] = parts(phasors, first, rows);
            let block = Block { rows, columns: m, re: &re, im: &im };
            fit_block(&block, first, &trials, fits);
            fits.clone()
        };
        starts.par_iter().map_init(Fits::default, one).collect()
    })?;
    let join = |part: fn(&Fits) -> &[f64]| -> Vec<f64> {
        blocks.iter().flat_map(|fits| part(fits).iter().copied()).collect()
    };
    let slope = join(|fits| &fits.slope_rad_per_m).into_pyarray(py);
    let offset = join(|fits| &fits.offset_rad).into_pyarray(py);
    let coherence = join(|fits| &fits.coherence).into_pyarray(py);
    let mut residual = Vec::with_capacity(n * m);
    for fits in &blocks {
        let rows = fits.coherence.len();
        for row in 0..rows {
            residual.extend((0..m).map(|column| fits.residual_rad[column * rows + row]));
        }
    }
    Ok((slope, offset, coherence, residual.into_pyarray(py).reshape([n, m])?))
}

/// Coherence alone of rows that share their baselines, [n].
#[pyfunction]
#[pyo3(signature = (phasors, bperp, n_trial_wraps, *, threads = None))]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn stage2_topofit_coh_row_invariant<'py>(
    py: Python<'py>,
    phasors: Phasors<'py>,
    bperp: Vector<'py>,
    n_trial_wraps: f64,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (view, bperp_m) = (phasors.view(), bperp.to_vec());
    let [n, m] = view.shape();
    require(m == bperp_m.len(), "bperp has another length than the rows of phasors")?;
    let trials = trials_for(n_trial_wraps)?;
    let rounding = rounding(&view, matches!(bperp, Vector::Single(_)));
    let coherence = run(py, threads, || {
        let mut coherence = vec![0.0; n];
        coherence.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(number, coherence)| {
            let [re, im] = parts(view, number * BLOCK_ROWS, coherence.len());
            let block = Block { rows: coherence.len(), columns: m, re: &re, im: &im };
            if rounding == Rounding::Double {
                topofit_coherence_row_invariant(&block, &bperp_m, &trials, coherence);
            } else {
                let mut fits = Fits::default();
                topofit_row_invariant(&block, &bperp_m, &trials, rounding, &mut fits);
                coherence.copy_from_slice(&fits.coherence);
            }
        });
        coherence
    })?;
    Ok(coherence.into_pyarray(py))
}
