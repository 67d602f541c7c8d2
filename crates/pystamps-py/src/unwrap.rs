//! The unwrapping solver for Python: `_native.unwrap`. The interpreter is free meanwhile.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pystamps_unwrap::{
    ArcCost, Certificate, GridArcs, GridProblem, UnwrapError, Workspace, integrate_cycles,
    solve_grid as solve, verify_grid as verify,
};

/// Variance that stands for an arc without statistics, |f|.
const ABSOLUTE: i16 = 0;
/// Variance that stands for a free arc.
const FREE: i16 = -1;

/// Adds the submodule `unwrap`.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let unwrap = PyModule::new(py, "unwrap")?;
    unwrap.add_function(wrap_pyfunction!(solve_grid, &unwrap)?)?;
    unwrap.add_function(wrap_pyfunction!(verify_grid, &unwrap)?)?;
    unwrap.add("ABSOLUTE", ABSOLUTE)?;
    unwrap.add("FREE", FREE)?;
    module.add_submodule(&unwrap)?;
    // So that `import pystamps_shim._native.unwrap` finds it: a submodule has no file.
    let modules: Bound<'_, PyDict> = py.import("sys")?.getattr("modules")?.cast_into()?;
    modules.set_item("pystamps_shim._native.unwrap", unwrap)
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
fn refused(error: UnwrapError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Wraps and costs taken over from Python.
struct Arcs {
    rows: usize,
    columns: usize,
    wraps: GridArcs<i8>,
    costs: GridArcs<ArcCost>,
}

impl Arcs {
    /// `phase_rad`: [rows, columns]. `down`, `right`: [.., .., 2] offset and variance of the arcs.
    fn extract(
        phase_rad: &PyReadonlyArray2<'_, f32>,
        down: &PyReadonlyArray3<'_, i16>,
        right: &PyReadonlyArray3<'_, i16>,
    ) -> PyResult<Self> {
        let phase = phase_rad.as_array();
        let (rows, columns) = phase.dim();
        let phase: Vec<f32> = phase.iter().copied().collect();
        let wraps = GridArcs::from_wrapped_phase(rows, columns, &phase).map_err(refused)?;
        let down = costs("down", down, (rows - 1, columns, 2))?;
        let right = costs("right", right, (rows, columns - 1, 2))?;
        Ok(Self { rows, columns, wraps, costs: GridArcs { down, right } })
    }

    fn problem(&self) -> Result<GridProblem<'_, ArcCost>, UnwrapError> {
        GridProblem::new(self.rows, self.columns, &self.wraps, &self.costs)
    }
}

fn costs(
    name: &str,
    records: &PyReadonlyArray3<'_, i16>,
    expected: (usize, usize, usize),
) -> PyResult<Vec<ArcCost>> {
    let records = records.as_array();
    let found = records.dim();
    if found != expected {
        let message = format!("{name} has the shape {found:?}, expected {expected:?}");
        return Err(PyValueError::new_err(message));
    }
    let values: Vec<i16> = records.iter().copied().collect();
    let cost = |record: &[i16]| match (record[0], record[1]) {
        (_, ABSOLUTE) => Ok(ArcCost::ABSOLUTE),
        (_, FREE) => Ok(ArcCost::FREE),
        (offset, variance) => ArcCost::checked_quadratic(offset, variance)
            .ok_or_else(|| PyValueError::new_err(format!("{name} has a variance of {variance}"))),
    };
    values.chunks_exact(2).map(cost).collect()
}

fn to_dict<'py>(py: Python<'py>, certificate: &Certificate) -> PyResult<Bound<'py, PyDict>> {
    let entries = PyDict::new(py);
    entries.set_item("objective", certificate.objective)?;
    entries.set_item("dual_bound", certificate.dual_bound)?;
    entries.set_item("gap", certificate.gap())?;
    entries.set_item("optimal", certificate.is_optimal())?;
    entries.set_item("residues", certificate.residues)?;
    entries.set_item("unbalanced_cells", certificate.unbalanced_cells)?;
    entries.set_item("infeasible_arcs", certificate.infeasible_arcs)?;
    entries.set_item("largest_flow", certificate.largest_flow)?;
    Ok(entries)
}

/// Flows down and right, cycles of the pixels, potentials, certificate.
type Solved<'py> = (
    Bound<'py, PyArray2<i16>>,
    Bound<'py, PyArray2<i16>>,
    Bound<'py, PyArray2<i32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyDict>,
);

/// Unwraps a grid: wrapped phase [rows, columns] and (offset, variance) of the arcs down
/// [rows - 1, columns, 2] and right [rows, columns - 1, 2].
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
fn solve_grid<'py>(
    py: Python<'py>,
    phase_rad: PyReadonlyArray2<'py, f32>,
    down: PyReadonlyArray3<'py, i16>,
    right: PyReadonlyArray3<'py, i16>,
) -> PyResult<Solved<'py>> {
    let arcs = Arcs::extract(&phase_rad, &down, &right)?;
    let (rows, columns) = (arcs.rows, arcs.columns);
    let solved = py.detach(|| {
        let problem = arcs.problem()?;
        let solution = solve(&problem, &mut Workspace::new())?;
        let certificate = verify(&problem, &solution.flow, &solution.potentials);
        let cycles = integrate_cycles(rows, columns, &arcs.wraps, &solution.flow);
        Ok((solution, certificate, cycles))
    });
    let (solution, certificate, cycles) = solved.map_err(refused)?;
    Ok((
        solution.flow.down.into_pyarray(py).reshape([rows - 1, columns])?,
        solution.flow.right.into_pyarray(py).reshape([rows, columns - 1])?,
        cycles.into_pyarray(py).reshape([rows, columns])?,
        solution.potentials.into_pyarray(py),
        to_dict(py, &certificate)?,
    ))
}

/// Checks flows down [rows - 1, columns] and right [rows, columns - 1] with potentials [cells + 1]
/// as `solve_grid` returns them.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "extracted from Python")]
fn verify_grid<'py>(
    py: Python<'py>,
    phase_rad: PyReadonlyArray2<'py, f32>,
    down: PyReadonlyArray3<'py, i16>,
    right: PyReadonlyArray3<'py, i16>,
    flow_down: PyReadonlyArray2<'py, i16>,
    flow_right: PyReadonlyArray2<'py, i16>,
    potentials: Vec<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let arcs = Arcs::extract(&phase_rad, &down, &right)?;
    let flow = |flow: &PyReadonlyArray2<'py, i16>| flow.as_array().iter().copied().collect();
    let flow = GridArcs { down: flow(&flow_down), right: flow(&flow_right) };
    flow.check(arcs.rows, arcs.columns).map_err(refused)?;
    let nodes = (arcs.rows - 1) * (arcs.columns - 1) + 1;
    if potentials.len() != nodes {
        let message = format!("{} potentials for {nodes} nodes", potentials.len());
        return Err(PyValueError::new_err(message));
    }
    let certificate = py.detach(|| Ok(verify(&arcs.problem()?, &flow, &potentials)));
    to_dict(py, &certificate.map_err(refused)?)
}
