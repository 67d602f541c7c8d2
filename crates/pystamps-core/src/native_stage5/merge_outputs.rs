//! Writes the files of the merged project, one column of one array at a time.

use std::path::Path;

use num_complex::Complex;
use pystamps_kernels::rounding::round_to_millimetre;
use pystamps_mat::{ElementSource, ElementType, NumericData, Value, Variables};

use super::contribution::Contribution;
use super::joined::Joined;
use super::merge_inputs::PatchRows;
use crate::columns::Columns;
use crate::error::Result;
use crate::mat_output::{
    Streamed, count, matrix, single_variable, write_streamed, write_variables,
};
use crate::plan::check_memory;
use crate::progress::{Phase, Progress};
use crate::project::artifacts::{Variable, stage4, stage5};
use crate::project::stack::Network;
use crate::stored_array::{StoredArray, column};

/// The merged project on its way into `staging`.
pub(super) struct MergedOutputs<'a> {
    pub(super) patches: &'a [PatchRows],
    pub(super) joined: &'a Joined,
    /// Whether cells are combined: their arrays are double (matfiles.md).
    pub(super) resampled: bool,
    pub(super) staging: &'a Path,
    pub(super) memory: Memory,
}

/// Memory the merge may take, and what it takes besides the arrays of patches, bytes.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub(super) limit_bytes: Option<u64>,
    pub(super) needed_bytes: u64,
}

/// How the rows of a cell are combined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Combined {
    /// Weighted sum.
    Sum,
    /// Weighted mean.
    Mean,
}

impl MergedOutputs<'_> {
    /// Writes `ps2 ph2 rc2 pm2 bp2 la2 inc2 hgt2 psver`.
    ///
    /// # StaMPS compatibility
    /// Stage5.md B3. Arrays that some patch lacks are saved as `[]`; `ps2.mat` has the other fields
    /// of the last patch with PS, `ll0` and `bperp` among them; `ph_rc` has modulus 1.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` where files disagree in length.
    pub(super) fn write(&self, progress: &Progress) -> Result<()> {
        self.write_positions()?;
        let columns = self.patches[0].stack.interferogram_count();
        let phase = progress.phase("merging", 6 * columns as u64, "columns");
        let ph = self.open(&stage4::PHASE)?;
        let mut source = self.complex(&ph, false, &phase);
        self.write_arrays(&[&ph], &mut [&mut *source], &Variables::new())?;
        self.write_corrected(&phase)?;
        self.write_estimates(&phase)?;
        let bperp_m = self.open(&stage4::BASELINES)?;
        // Single in every project: the original appends to an empty single array.
        let mut source = self.real(&bperp_m, Combined::Mean, ElementType::F32, &phase);
        let mut streamed = self.streamed(&bperp_m, &mut *source);
        streamed.element = ElementType::F32;
        let file = stage4::BASELINES.file;
        write_streamed(self.staging, file, &mut [streamed], &Variables::new())?;
        for variable in [stage4::LOOK_ANGLE, stage4::INCIDENCE, stage4::HEIGHT] {
            let lacking = self.patches_without(&variable);
            let value = if lacking.is_empty() { self.means(&variable)? } else { Value::empty() };
            if !lacking.is_empty() && lacking.len() < self.patches.len() {
                progress.note(&format!(
                    "{} is missing in {}: the merged one stays empty",
                    variable.file,
                    lacking.join(", ")
                ));
            }
            let variables = single_variable(variable.name, value);
            write_variables(self.staging, variable.file, &variables)?;
        }
        write_variables(self.staging, "psver.mat", &single_variable("psver", Value::scalar(2.0)))
    }

    /// `rc2.mat`; small baselines have no phase of the surroundings.
    fn write_corrected(&self, phase: &Phase<'_>) -> Result<()> {
        let corrected = self.open(&stage5::CORRECTED_PHASE)?;
        let mut first = self.complex(&corrected, true, phase);
        if self.patches[0].stack.network == Network::SmallBaselines {
            let none = single_variable(stage5::SURROUNDING_PHASE.name, Value::empty());
            return self.write_arrays(&[&corrected], &mut [&mut *first], &none);
        }
        let surrounding = self.open(&stage5::SURROUNDING_PHASE)?;
        let mut second = self.complex(&surrounding, false, phase);
        self.write_arrays(
            &[&corrected, &surrounding],
            &mut [&mut *first, &mut *second],
            &Variables::new(),
        )
    }

    /// `pm2.mat`.
    fn write_estimates(&self, phase: &Phase<'_>) -> Result<()> {
        let mut variables = Variables::new();
        for variable in [stage4::SLOPE, stage4::OFFSET] {
            variables.insert(variable.name, self.means(&variable)?);
        }
        let mut coherence = vec![0.0; self.joined.len()];
        for (patch, contribution) in self.contributions() {
            contribution.place_coherence(&patch.coherence, &mut coherence);
        }
        variables.insert(stage4::COHERENCE.name, Value::column_f64(&coherence));
        let patch_phase = self.open(&stage4::PATCH_PHASE)?;
        let residual = self.open(&stage4::RESIDUAL)?;
        let mut first = self.complex(&patch_phase, false, phase);
        let element = self.element(&residual);
        let mut second = self.real(&residual, Combined::Sum, element, phase);
        self.write_arrays(&[&patch_phase, &residual], &mut [&mut *first, &mut *second], &variables)
    }

    /// One file with `arrays`, whose merged elements the `sources` give, and small `variables`.
    fn write_arrays(
        &self,
        arrays: &[&MergedArray],
        sources: &mut [&mut dyn ElementSource],
        variables: &Variables,
    ) -> Result<()> {
        let file = arrays[0].variable.file;
        let mut streamed: Vec<Streamed<'_>> = arrays
            .iter()
            .zip(sources)
            .map(|(array, source)| self.streamed(array, *source))
            .collect();
        write_streamed(self.staging, file, &mut streamed, variables)
    }

    fn streamed<'s>(&self, array: &MergedArray, source: &'s mut dyn ElementSource) -> Streamed<'s> {
        let dims = vec![self.joined.len(), array.column_count()];
        Streamed { name: array.variable.name, element: self.element(array), dims, source }
    }

    /// Type of the merged array: that of the patches, double where cells are combined.
    fn element(&self, array: &MergedArray) -> ElementType {
        match (array.variable.complex, self.resampled) {
            (true, false) => ElementType::C32,
            (true, true) => ElementType::C64,
            (false, true) => ElementType::F64,
            (false, false) => array.patches[0].element(),
        }
    }

    /// Opens an array in every patch. Those that another program compressed are decoded whole, so
    /// that they count.
    fn open(&self, variable: &Variable) -> Result<MergedArray> {
        let patches: Vec<StoredArray> = self
            .patches
            .iter()
            .map(|patch| StoredArray::open(&patch.folder, variable, &patch.stack.axis_lengths()))
            .collect::<Result<_>>()?;
        let resident_bytes: u64 = patches.iter().map(StoredArray::resident_bytes).sum();
        let needed_bytes = self.memory.needed_bytes + resident_bytes;
        check_memory(self.memory.limit_bytes, needed_bytes, "the merge of compressed patches")?;
        Ok(MergedArray { variable: *variable, patches })
    }

    fn contributions(&self) -> impl Iterator<Item = (&PatchRows, &Contribution)> {
        self.patches.iter().zip(&self.joined.contributions)
    }

    /// Elements of a complex array; all of modulus 1 if `normalised`, but zeros.
    fn complex<'a>(
        &'a self,
        array: &'a MergedArray,
        normalised: bool,
        phase: &'a Phase<'a>,
    ) -> Box<dyn ElementSource + 'a> {
        let column = move |index: usize| -> Result<Vec<Complex<f64>>> {
            let mut merged = vec![Complex::new(0.0, 0.0); self.joined.len()];
            for (patch, contribution) in array.patches.iter().zip(&self.joined.contributions) {
                contribution.place_sums(&patch.complex_column(index)?, &mut merged);
            }
            if normalised {
                merged.iter_mut().for_each(normalise);
            }
            Ok(merged)
        };
        let (rows, columns) = (self.joined.len(), array.column_count());
        if self.resampled {
            return Box::new(Columns::new(rows, columns, column, phase));
        }
        #[expect(clippy::cast_possible_truncation, reason = "single precision as in the patches")]
        let single = move |index| {
            let values = column(index)?.into_iter();
            Ok(values.map(|z| Complex::new(z.re as f32, z.im as f32)).collect::<Vec<_>>())
        };
        Box::new(Columns::new(rows, columns, single, phase))
    }

    /// Elements of a real array of type `element`.
    fn real<'a>(
        &'a self,
        array: &'a MergedArray,
        combined: Combined,
        element: ElementType,
        phase: &'a Phase<'a>,
    ) -> Box<dyn ElementSource + 'a> {
        let column = move |index: usize| -> Result<Vec<f64>> {
            let mut merged = vec![0.0; self.joined.len()];
            for (patch, contribution) in array.patches.iter().zip(&self.joined.contributions) {
                let values = patch.real_column::<f64>(index)?;
                match combined {
                    Combined::Sum => contribution.place_real_sums(&values, &mut merged),
                    Combined::Mean => contribution.place_means(&values, &mut merged),
                }
            }
            Ok(merged)
        };
        let (rows, columns) = (self.joined.len(), array.column_count());
        if element == ElementType::F64 {
            return Box::new(Columns::new(rows, columns, column, phase));
        }
        #[expect(clippy::cast_possible_truncation, reason = "single precision is asked for")]
        let single = move |index| {
            Ok(column(index)?.into_iter().map(|value| value as f32).collect::<Vec<_>>())
        };
        Box::new(Columns::new(rows, columns, single, phase))
    }

    /// Names of the patches that lack the file of `variable`.
    fn patches_without(&self, variable: &Variable) -> Vec<String> {
        let lacking = self.patches.iter().filter(|p| !p.folder.join(variable.file).is_file());
        lacking.map(PatchRows::name).collect()
    }

    /// One number a row, of patches as they are or averaged.
    fn means(&self, variable: &Variable) -> Result<Value> {
        let mut merged = vec![0.0; self.joined.len()];
        for (patch, contribution) in self.contributions() {
            let values = column(&patch.folder, variable, &patch.stack.axis_lengths())?;
            contribution.place_means(&values, &mut merged);
        }
        Ok(Value::column_f64(&merged))
    }

    /// `ps2.mat`: the last patch's, with the pixels and positions of all.
    fn write_positions(&self) -> Result<()> {
        let joined = self.joined;
        let last = self.patches.last().expect("invariant: some patch has PS");
        let mut variables = pystamps_mat::read(last.folder.join("ps2.mat"))?;
        let sources = || joined.order.sources.iter().map(|&source| source as usize);
        let numbers = 1..=joined.len();
        let axis = |axis: usize| sources().map(move |source| joined.places.pixels[source][axis]);
        let ij = numbers.clone().map(|row| row as f64).chain(axis(0)).chain(axis(1)).collect();
        let position =
            |axis: usize| sources().map(move |source| joined.places.lonlat_deg[source][axis]);
        let lonlat = position(0).chain(position(1)).collect();
        let metres =
            |axis: usize| joined.order.xy_m.iter().map(move |xy| round_to_millimetre(xy[axis]));
        let xy = numbers.map(|row| row as f32).chain(metres(0)).chain(metres(1)).collect();
        variables.insert("ij", matrix(joined.len(), 3, NumericData::F64(ij)));
        variables.insert("xy", matrix(joined.len(), 3, NumericData::F32(xy)));
        variables.insert("lonlat", matrix(joined.len(), 2, NumericData::F64(lonlat)));
        variables.insert("n_ps", count(joined.len()));
        write_variables(self.staging, "ps2.mat", &variables)
    }
}

/// One array of all patches.
struct MergedArray {
    variable: Variable,
    patches: Vec<StoredArray>,
}

impl MergedArray {
    fn column_count(&self) -> usize {
        self.patches[0].column_count()
    }
}

/// Brings a number to modulus 1; zero stays.
fn normalise(z: &mut Complex<f64>) {
    if z.re != 0.0 || z.im != 0.0 {
        *z /= (z.re * z.re + z.im * z.im).sqrt();
    }
}
