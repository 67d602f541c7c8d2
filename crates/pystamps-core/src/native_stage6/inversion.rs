//! Inverts unwrapped small-baseline interferograms to one phase an image.

use std::ops::Range;
use std::path::{Path, PathBuf};

use num_complex::Complex;
use pystamps_kernels::least_squares::{PivotedQr, Weighting};
use pystamps_mat::{ElementType, NumericData, Value, Variables};
use rayon::prelude::*;

use super::phase::angle;
use crate::columns::Columns;
use crate::error::{Diagnostic, Error, Result};
use crate::image_network::{image_weights, images_tied_to_master};
use crate::mat_output::{Streamed, matrix, single_variable, write_streamed};
use crate::progress::Progress;
use crate::project::artifacts::{Variable, check_folder, stage4, stage5, stage6};
use crate::project::parameters::Parameters;
use crate::project::stack::Stack;
use crate::reference_area::reference_rows;
use crate::samples::{ComplexColumns, Residence, compressed_bytes, row_blocks};
use crate::stored_array::StoredArray;

/// Least reciprocal condition of the noise's covariance; below it the diagonal grows.
const LEAST_CONDITION: f64 = 1e-3;
/// By how much, rad^2.
const DIAGONAL_STEP: f64 = 0.01;
/// At most so often: variances of wrapped phase are below 10 rad^2.
const MOST_STEPS: usize = 100_000;

/// What the inversion needs besides the unwrapped phase; found out before that is made.
#[derive(Debug)]
pub(super) struct Inversion {
    /// Images that are estimated: those in use, without the master.
    images: Vec<usize>,
    /// PS of the reference area.
    reference: Vec<usize>,
}

impl Inversion {
    /// Examines network and reference area.
    ///
    /// # Errors
    /// `images-isolated`; those of [`reference_rows`].
    pub(super) fn prepare(
        root: &Path,
        stack: &Stack,
        parameters: &Parameters,
        used: &[usize],
    ) -> Result<Self> {
        let images = images_tied_to_master(stack, used)?;
        Ok(Self { images, reference: reference_rows(root, stack, parameters)? })
    }
}

/// Writes `phuw2.mat` and `phuw_sb_res2.mat` from `phuw_sb2.mat` in `staging`.
///
/// # StaMPS compatibility
/// `sb_invert_uw`, small-baseline.md 2. The reference is subtracted interferogram by interferogram
/// also where it is a single PS.
///
/// # Errors
/// `phase-missing`; MATLAB file errors; I/O errors.
pub(super) fn invert(
    root: &Path,
    staging: &Path,
    stack: &Stack,
    inversion: &Inversion,
    used: &[usize],
    progress: &Progress,
) -> Result<()> {
    let Inversion { images, reference } = inversion;
    let noise_covariance = noise_covariance(root, stack, progress)?;
    let all = stack.interferogram_count();
    let of_used: Vec<f64> = used
        .iter()
        .flat_map(|&k| used.iter().map(move |&i| (i, k)))
        .map(|(i, k)| noise_covariance[k * all + i])
        .collect();
    let operator = Operator::new(stack, used, images, conditioned(of_used, used.len()))?;
    let lengths = stack.axis_lengths();
    let stored = StoredArray::open(staging, &stage6::UNWRAPPED_SMALL_BASELINES, &lengths)?;
    let offsets_rad = offsets(&stored, used, reference)?;

    let (rows, image_count) = (stack.row_count(), stack.day.len());
    let phase = progress.phase("inversion", (image_count + all) as u64, "columns");
    let image = |image: usize| {
        let Some(place) = images.iter().position(|&of| of == image) else {
            return Ok(vec![0.0_f32; rows]);
        };
        operator.image(place, &stored, used, &offsets_rad, rows)
    };
    let mut source = Columns::new(rows, image_count, image, &phase);
    let variable = stage6::INVERTED_PHASE;
    let (element, dims) = (ElementType::F32, vec![rows, image_count]);
    let mut streamed = [Streamed { name: variable.name, element, dims, source: &mut source }];
    let mut with_master = images.clone();
    with_master.push(stack.master);
    with_master.sort_unstable();
    let numbers: Vec<f64> = with_master.iter().map(|&image| image as f64 + 1.0).collect();
    let index = matrix(1, numbers.len(), NumericData::F64(numbers));
    let variables = single_variable("unwrap_ifg_index_sm", index);
    write_streamed(staging, variable.file, &mut streamed, &variables)?;
    check_folder(staging, &[variable], &lengths, true)?;

    let inverted = StoredArray::open(staging, &variable, &lengths)?;
    let modelled = |column: usize| {
        let [first, second] = stack.pairs[column];
        let first: Vec<f32> = inverted.real_column(first)?;
        let second: Vec<f32> = inverted.real_column(second)?;
        Ok(second.iter().zip(&first).map(|(second, first)| second - first).collect())
    };
    let mut source = Columns::new(rows, all, modelled, &phase);
    let variable = stage6::MODELLED_PHASE;
    let dims = vec![rows, all];
    let mut streamed = [Streamed { name: variable.name, element, dims, source: &mut source }];
    let variables: Variables = [
        ("sb_cov", matrix(all, all, NumericData::F64(noise_covariance))),
        ("sm_cov", operator.covariance(images, image_count)),
    ]
    .into_iter()
    .collect();
    write_streamed(staging, variable.file, &mut streamed, &variables)?;
    check_folder(staging, &[variable], &lengths, true)
}

/// Memory that the inversion takes because its inputs cannot be read piece by piece.
///
/// # Errors
/// MATLAB file errors.
pub(super) fn resident_bytes(root: &Path) -> Result<u64> {
    let arrays = [stage5::CORRECTED_PHASE, stage4::PATCH_PHASE].map(|of| (of.file, of.name));
    if smoothed_phase_is_known(root)? { compressed_bytes(root, &arrays) } else { Ok(0) }
}

fn smoothed_phase_is_known(root: &Path) -> Result<bool> {
    let path = root.join(stage4::PATCH_PHASE.file);
    let listed = if path.is_file() { pystamps_mat::list(&path)? } else { Vec::new() };
    let known = listed.iter().find(|info| info.name == stage4::PATCH_PHASE.name);
    Ok(known.is_some_and(|info| !info.dims.contains(&0)))
}

/// Covariance of the noise of all interferograms, column by column, rad^2; the identity where the
/// smoothed phase is not known.
fn noise_covariance(root: &Path, stack: &Stack, progress: &Progress) -> Result<Vec<f64>> {
    let (rows, count) = (stack.row_count(), stack.interferogram_count());
    let mut covariance = vec![0.0; count * count];
    if !smoothed_phase_is_known(root)? {
        for column in 0..count {
            covariance[column * count + column] = 1.0;
        }
        return Ok(covariance);
    }
    let noise = Noise::open(root, rows, count)?;
    let phase = progress.phase("noise of interferograms", rows as u64, "PS");
    let mut sums = vec![0.0; count];
    for block in row_blocks(rows, NOISE_ROWS) {
        let columns: Vec<Vec<f32>> = (0..count)
            .into_par_iter()
            .map(|column| noise.rad(column, block.clone()))
            .collect::<Result<_>>()?;
        for (sum, column) in sums.iter_mut().zip(&columns) {
            *sum += column.iter().map(|&value| f64::from(value)).sum::<f64>();
        }
        covariance.par_chunks_mut(count).zip(&columns).for_each(|(out, of)| {
            for (value, other) in out.iter_mut().zip(&columns) {
                let products = of.iter().zip(other).map(|(&a, &b)| f64::from(a) * f64::from(b));
                *value += products.sum::<f64>();
            }
        });
        phase.advance(block.len() as u64);
    }
    for (place, value) in covariance.iter_mut().enumerate() {
        let product = sums[place / count] * sums[place % count] / rows as f64;
        *value = (*value - product) / rows.saturating_sub(1).max(1) as f64;
    }
    Ok(covariance)
}

/// PS whose noise is held in all interferograms at a time.
const NOISE_ROWS: usize = 1 << 13;

/// What smoothing leaves of the corrected phase.
struct Noise {
    corrected: ComplexColumns,
    smoothed: ComplexColumns,
    smoothed_path: PathBuf,
}

impl Noise {
    fn open(root: &Path, rows: usize, count: usize) -> Result<Self> {
        let open = |variable: &Variable| {
            let path = root.join(variable.file);
            let all = (0..count).collect();
            ComplexColumns::open(&path, variable.name, [rows, count], all, Residence::File)
        };
        Ok(Self {
            corrected: open(&stage5::CORRECTED_PHASE)?,
            smoothed: open(&stage4::PATCH_PHASE)?,
            smoothed_path: root.join(stage4::PATCH_PHASE.file),
        })
    }

    fn missing(&self, column: usize, row: usize) -> Error {
        Diagnostic::new("phase-missing", "the noise of interferograms needs the phase of all PS")
            .path(&self.smoothed_path)
            .variable(format!("ph_patch(:, {}), or ph_rc of rc2.mat", column + 1))
            .expected("complex samples other than NaN and Inf")
            .found(format!("none at PS {}", row + 1))
            .remedy("run stages 3 to 5 again, or leave the interferogram out (drop_ifg_index)")
            .data()
    }

    /// Noise of some PS in an interferogram, rad.
    ///
    /// # Errors
    /// `phase-missing`; I/O errors.
    fn rad(&self, column: usize, rows: Range<usize>) -> Result<Vec<f32>> {
        let read = |array: &ComplexColumns| -> Result<Vec<Complex<f32>>> {
            let (mut re, mut im) = (vec![0.0; rows.len()], vec![0.0; rows.len()]);
            array.read(column, rows.clone(), &mut re, &mut im)?;
            Ok(re.into_iter().zip(im).map(|(re, im)| Complex::new(re, im)).collect())
        };
        let pairs = read(&self.corrected)?.into_iter().zip(read(&self.smoothed)?);
        let noise_rad = pairs.map(|(corrected, smoothed)| angle(corrected * smoothed.conj()));
        let noise_rad: Vec<f32> = noise_rad.collect();
        match noise_rad.iter().position(|noise| !noise.is_finite()) {
            None => Ok(noise_rad),
            Some(place) => Err(self.missing(column, rows.start + place)),
        }
    }
}

/// Adds to the diagonal until the matrix can be inverted well enough.
fn conditioned(mut covariance: Vec<f64>, size: usize) -> Vec<f64> {
    // Each step brings the condition nearer to 1; numbers are finite, so a few steps do.
    for _ in 0..MOST_STEPS {
        if reciprocal_condition(&covariance, size) >= LEAST_CONDITION {
            break;
        }
        for k in 0..size {
            covariance[k * size + k] += DIAGONAL_STEP;
        }
    }
    covariance
}

/// Reciprocal of the condition number in the 1-norm, with the explicit inverse.
fn reciprocal_condition(matrix: &[f64], size: usize) -> f64 {
    let qr = PivotedQr::new(matrix, size);
    if qr.solve(&vec![0.0; size]).rank < size {
        return 0.0;
    }
    let norm = |columns: &mut dyn Iterator<Item = f64>| columns.fold(0.0, f64::max);
    let sum = |column: &[f64]| column.iter().map(|value| value.abs()).sum::<f64>();
    let unit = |k: usize| (0..size).map(|i| f64::from(u8::from(i == k))).collect::<Vec<_>>();
    let of_inverse = norm(&mut (0..size).map(|k| sum(&qr.solve(&unit(k)).coefficients)));
    1.0 / (norm(&mut matrix.chunks_exact(size).map(sum)) * of_inverse)
}

/// The fixed linear operator from interferograms to images.
struct Operator {
    /// One column an interferogram, one row an image.
    weights: Vec<f64>,
    covariance: Vec<f64>,
    image_count: usize,
}

impl Operator {
    fn new(stack: &Stack, used: &[usize], images: &[usize], covariance: Vec<f64>) -> Result<Self> {
        let weighting = Weighting::Covariance(&covariance);
        let weights = image_weights(stack, used, images, weighting).map_err(|error| {
            Diagnostic::new("covariance-impossible", "the noise of interferograms has no weights")
                .variable("ph_patch, ph_rc")
                .expected("noise whose covariance can be inverted")
                .found(error)
                .remedy("run stages 3 to 5 again")
                .data()
        })?;
        Ok(Self { weights, covariance, image_count: images.len() })
    }

    fn weight(&self, image: usize, interferogram: usize) -> f64 {
        self.weights[interferogram * self.image_count + image]
    }

    /// Phase of the image at `place` at every PS.
    fn image(
        &self,
        place: usize,
        stored: &StoredArray,
        used: &[usize],
        offsets_rad: &[f64],
        rows: usize,
    ) -> Result<Vec<f32>> {
        let mut sum = vec![0.0_f64; rows];
        for (k, &column) in used.iter().enumerate() {
            let weight = self.weight(place, k);
            let values: Vec<f32> = stored.real_column(column)?;
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += weight * (f64::from(value) - offsets_rad[k]);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "stored in single precision")]
        Ok(sum.into_iter().map(|value| value as f32).collect())
    }

    /// Covariance of the images, zero for those without estimate.
    fn covariance(&self, images: &[usize], image_count: usize) -> Value {
        let used = self.weights.len() / self.image_count.max(1);
        let mut full = vec![0.0; image_count * image_count];
        for (a, &image_a) in images.iter().enumerate() {
            let spread: Vec<f64> = (0..used)
                .map(|k| {
                    let column = &self.covariance[k * used..(k + 1) * used];
                    column.iter().enumerate().map(|(i, c)| self.weight(a, i) * c).sum()
                })
                .collect();
            for (b, &image_b) in images.iter().enumerate() {
                full[image_b * image_count + image_a] =
                    spread.iter().enumerate().map(|(k, value)| value * self.weight(b, k)).sum();
            }
        }
        matrix(image_count, image_count, NumericData::F64(full))
    }
}

/// Mean of every used interferogram over the reference, rad.
fn offsets(stored: &StoredArray, used: &[usize], reference: &[usize]) -> Result<Vec<f64>> {
    used.iter()
        .map(|&column| {
            let values: Vec<f32> = stored.real_column(column)?;
            let known = reference.iter().map(|&row| f64::from(values[row]));
            let known: Vec<f64> = known.filter(|value| !value.is_nan()).collect();
            Ok(known.iter().sum::<f64>() / known.len() as f64)
        })
        .collect()
}
