//! The candidates of the first selection, and which of them stay (stage3.md 5 to 7).

use std::path::Path;

use pystamps_mat::Value;

use super::inputs::CoherenceEstimates;
use crate::error::{Diagnostic, Result};
use crate::samples::{ComplexColumns, RealColumns, Residence};
use crate::scratch::{Room, ScratchColumns};

/// Candidates of the first selection and what is known of them.
#[derive(Debug)]
pub(super) struct Selected {
    /// Their rows in `ps1`, from 0, ascending.
    pub(super) rows: Vec<usize>,
    pub(super) slope_rad_per_m: Vec<f64>,
    pub(super) offset_rad: Vec<f64>,
    pub(super) coherence: Vec<f64>,
    /// Filtered phasors of their surroundings.
    pub(super) patch_re: ScratchColumns,
    pub(super) patch_im: ScratchColumns,
    /// Phase left after the fit, rad.
    pub(super) residual_rad: ScratchColumns,
}

impl Selected {
    /// Room for the estimates of `rows` in `columns` interferograms.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn without_estimates(
        rows: Vec<usize>,
        columns: usize,
        room: &Room<'_>,
    ) -> Result<Self> {
        let count = rows.len();
        Ok(Self {
            slope_rad_per_m: vec![0.0; count],
            offset_rad: vec![0.0; count],
            coherence: vec![0.0; count],
            patch_re: room.columns(count, columns)?,
            patch_im: room.columns(count, columns)?,
            residual_rad: room.columns(count, columns)?,
            rows,
        })
    }

    /// `rows` with the estimates that stage 2 left in the patch `folder`.
    ///
    /// # Errors
    /// I/O and MATLAB file errors.
    pub(super) fn of_stage2(
        folder: &Path,
        rows: Vec<usize>,
        stage2: &CoherenceEstimates,
        columns: usize,
        room: &Room<'_>,
    ) -> Result<Self> {
        let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        let (slope_rad_per_m, offset_rad) =
            (pick(&stage2.slope_rad_per_m), pick(&stage2.offset_rad));
        let coherence = pick(&stage2.coherence);
        let path = folder.join("pm1.mat");
        let dims = [stage2.coherence.len(), columns];
        let arrays = StoredArrays::open(&path, ["ph_patch", "ph_res"], dims)?;
        let stored = rows.clone();
        let mut selected = Self::without_estimates(rows, columns, room)?;
        selected.copy_arrays(&arrays, &stored)?;
        Ok(Self { slope_rad_per_m, offset_rad, coherence, ..selected })
    }

    /// What an earlier run of stage 3 left in the `select1.mat` of the patch `folder`.
    ///
    /// # Errors
    /// `variable-shape` if it does not fit the `candidates` of the patch; MATLAB file errors.
    pub(super) fn of_earlier_run(
        folder: &Path,
        candidates: usize,
        columns: usize,
        room: &Room<'_>,
    ) -> Result<Self> {
        let path = folder.join("select1.mat");
        let variables = pystamps_mat::read_variables(&path, &["ix", "K_ps2", "C_ps2", "coh_ps2"])?;
        let numbers =
            |name: &str| variables.get(name).and_then(Value::to_f64_vec).unwrap_or_default();
        let misfit = |name: &str| {
            Diagnostic::new("variable-shape", "select1.mat does not fit the patch")
                .path(&path)
                .variable(name)
                .expected(format!("rows of ps1 from 1 to {candidates}, and a value for each"))
                .found("other rows, or more or fewer values")
                .remedy("run stage 3 again without --reuse-coherence")
                .data()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rows of the patch, checked"
        )]
        let rows: Option<Vec<usize>> = numbers("ix")
            .into_iter()
            .map(|row| {
                let exists = row >= 1.0 && row <= candidates as f64 && row.fract() == 0.0;
                exists.then(|| row as usize - 1)
            })
            .collect();
        let rows = rows.ok_or_else(|| misfit("ix"))?;
        let column = |name: &str| {
            Some(numbers(name)).filter(|n| n.len() == rows.len()).ok_or_else(|| misfit(name))
        };
        let (slope_rad_per_m, offset_rad) = (column("K_ps2")?, column("C_ps2")?);
        let coherence = column("coh_ps2")?;
        let arrays = StoredArrays::open(&path, ["ph_patch2", "ph_res2"], [rows.len(), columns])?;
        let stored: Vec<usize> = (0..rows.len()).collect();
        let mut selected = Self::without_estimates(rows, columns, room)?;
        selected.copy_arrays(&arrays, &stored)?;
        Ok(Self { slope_rad_per_m, offset_rad, coherence, ..selected })
    }

    /// Copies the `stored` rows of large arrays, column by column.
    fn copy_arrays(&mut self, arrays: &StoredArrays, stored: &[usize]) -> Result<()> {
        let all = 0..arrays.rows;
        let (mut re, mut im) = (vec![0.0; arrays.rows], vec![0.0; arrays.rows]);
        let pick = |values: &[f32]| stored.iter().map(|&row| values[row]).collect::<Vec<f32>>();
        for column in 0..self.residual_rad.column_count() {
            arrays.patch.read(column, all.clone(), &mut re, &mut im)?;
            self.patch_re.write(column, 0, &pick(&re))?;
            self.patch_im.write(column, 0, &pick(&im))?;
            arrays.residual_rad.read(column, all.clone(), &mut re)?;
            self.residual_rad.write(column, 0, &pick(&re))?;
        }
        Ok(())
    }

    /// Whether each stays: coherent enough, and its slope close to that of stage 2.
    pub(super) fn kept(
        &self,
        threshold: impl Fn(usize) -> f64,
        slope_before: &[f64],
        largest_change: f64,
    ) -> Vec<bool> {
        self.rows
            .iter()
            .enumerate()
            .map(|(n, &row)| {
                let change = (slope_before[row] - self.slope_rad_per_m[n]).abs();
                // NaN is neither above nor below.
                self.coherence[n] > threshold(row) && change < largest_change
            })
            .collect()
    }
}

/// Patch phase and residuals as a file holds them.
struct StoredArrays {
    rows: usize,
    patch: ComplexColumns,
    residual_rad: RealColumns,
}

impl StoredArrays {
    fn open(path: &Path, [patch, residual]: [&str; 2], dims: [usize; 2]) -> Result<Self> {
        let columns = || (0..dims[1]).collect();
        Ok(Self {
            rows: dims[0],
            patch: ComplexColumns::open(path, patch, dims, columns(), Residence::File)?,
            residual_rad: RealColumns::open(path, residual, dims, columns(), Residence::File)?,
        })
    }
}
