//! Products: velocities, displacements, and every part of the phase, as StaMPS's `ps_plot` names them.
//!
//! ```text
//! definition (name -> sum of named terms) -> project (opens the terms)
//!   -> phase_series (takes them out) -> velocity, bootstrap | wrapped -> values
//!   -> description -> mat, csv, npy
//! ```
//!
//! # StaMPS compatibility
//! `ps_plot`, `ps_mean_v`, products.md 1 to 5. Velocities and displacements are positive towards the
//! satellite. An empty reference area, where the original goes on with a message, is refused, and small
//! baselines refer to it too where a phase is NaN.

mod bootstrap;
mod csv;
mod date_range;
mod definition;
mod description;
mod mat;
mod npy;
mod oscillator;
mod project;
mod publication;
mod values;
mod velocity;
mod wrapped;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Diagnostic, IoContext, Result};
use crate::patch_scope::acting_parameters;
use crate::progress::Progress;
use crate::project::lock::shared_lock;
use crate::project::parameters::Parameters;
use crate::ramp_degree::ramp_bytes;
use crate::samples::{Residence, compressed_bytes};
use crate::scratch::Room;
use crate::stage::{StageOptions, settle};

pub use bootstrap::Bootstrap;
pub use date_range::DateRange;
use definition::Quantity;
pub(crate) use definition::{Definition, Series, Term};
pub use description::{Description, Reference};
pub(crate) use project::Project;
use publication::{Format, Publication};
use values::Values;
pub(crate) use values::is_single;
pub(crate) use velocity::{MeanVelocity, VelocitySeries};

/// What to make and where to put it.
#[derive(Clone, Debug)]
pub struct ProductRequest {
    /// Name of the product (`v-do`).
    pub value_type: String,
    /// File to write, `.mat`, `.csv` or `.npy`.
    pub out: PathBuf,
    /// How the standard deviation of a velocity is drawn.
    pub bootstrap: Bootstrap,
    /// Dates it is made of.
    pub dates: DateRange,
}

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct ProductOutcome {
    /// The file.
    pub file: PathBuf,
    /// What is in it.
    #[serde(flatten)]
    pub description: Description,
}

/// Makes a product of the project `dataset`, which is not changed.
///
/// # Errors
/// `product-unknown`, `format-unknown`, `file-exists`, `stage-input-missing`, `reference-empty`,
/// `interferograms-too-few`, `dates-empty`; memory limit; MATLAB file errors; I/O errors. No file is written then.
pub fn make_product(
    dataset: &Path,
    request: &ProductRequest,
    options: &StageOptions,
    progress: &Progress,
) -> Result<ProductOutcome> {
    let root = &std::path::absolute(dataset).while_doing("find the project")?;
    let format = Format::of(&request.out)?;
    request.dates.refuse_backwards()?;
    Parameters::load(root)?;
    settle(root, progress)?;
    let _project_stays = shared_lock(root)?;
    let project = Project::open(root, acting_parameters(root, options)?)?.within(request.dates);
    let definition = Definition::of(&request.value_type, project.stack.network)?;
    refuse_without_resamples(&definition, request.bootstrap)?;
    let publication = Publication::begin(&request.out, root, format, options.force)?;
    let residence = residence(&project, &definition, options)?;
    let room = Room { residence, folder: publication.folder() };
    let values = Values::of(&project, &definition, request.bootstrap, &room, progress)?;
    let drawn =
        values.deviation.is_some() || matches!(definition.quantity, Quantity::VelocityDeviation(_));
    let bootstrap = drawn.then_some(request.bootstrap);
    let description = Description::of(&project, &definition, &values.columns, bootstrap)?;
    let product = Product { project, definition, values, description };
    match format {
        Format::Mat => mat::write(&product, &publication, progress)?,
        Format::Csv => csv::write(&product, &publication, progress)?,
        Format::Npy => npy::write(&product, &publication, progress)?,
    }
    publication.finish()?;
    Ok(ProductOutcome { file: request.out.clone(), description: product.description })
}

/// A product about to be written.
struct Product {
    project: Project,
    definition: Definition,
    values: Values,
    description: Description,
}

/// Memory of the process itself.
const BASE_BYTES: u64 = 10 << 20;
/// What one PS takes: coordinates, positions, reference, sums, results.
const PS_BYTES: u64 = 120;
/// What one PS takes in a thread that makes a column.
const THREAD_PS_BYTES: u64 = 24;

/// Where the columns are kept, by the memory limit.
fn residence(
    project: &Project,
    definition: &Definition,
    options: &StageOptions,
) -> Result<Residence> {
    let rows = project.stack.row_count() as u64;
    let columns = project.stack.interferogram_count().max(project.stack.day.len()) as u64;
    let threads = rayon::current_num_threads() as u64;
    let whole = matches!(definition.quantity, Quantity::VelocityWithoutEach(_));
    let stored = if whole { 8 * rows * columns } else { 0 };
    let arrays = ["phuw2.mat", "phuw_sb2.mat"].map(|file| (file, "ph_uw"));
    let terms =
        [("scla2.mat", "ph_scla"), ("scla_sb2.mat", "ph_scla"), ("scn2.mat", "ph_scn_slave")];
    let held = compressed_bytes(&project.root, &[&arrays[..], &terms[..]].concat())?;
    let ramps = if definition.minus.contains(&Term::Ramp) { ramp_bytes(rows) } else { 0 };
    let fixed = BASE_BYTES + held + ramps + stored + rows * (PS_BYTES + threads * THREAD_PS_BYTES);
    let limit_bytes = options.memory_limit_bytes;
    if limit_bytes.is_none_or(|limit| limit >= fixed + 4 * rows * columns) {
        return Ok(Residence::Memory);
    }
    crate::plan::check_memory(limit_bytes, fixed, "this product")?;
    Ok(Residence::File)
}

/// Refuses a deviation without resamples to take it from.
fn refuse_without_resamples(definition: &Definition, bootstrap: Bootstrap) -> Result<()> {
    let needed = match definition.quantity {
        Quantity::VelocityDeviation(_) => true,
        Quantity::Velocity(_) => bootstrap.resamples != 0,
        _ => false,
    };
    if bootstrap.resamples >= 2 || !needed {
        return Ok(());
    }
    Err(Diagnostic::new("resamples-too-few", "a standard deviation needs resamples")
        .variable("--bootstrap")
        .expected("2 or more")
        .found(bootstrap.resamples)
        .remedy("leave the option out: 200 are drawn then")
        .usage())
}

/// Says that a product needs another kind of file.
fn no_such_format(out: &Path) -> crate::Error {
    Diagnostic::new(
        "format-unknown",
        "products are written as MATLAB files, as text, or as NumPy arrays",
    )
    .path(out)
    .variable("--out")
    .expected("a name that ends in .mat, .csv or .npy")
    .found(out.extension().map_or_else(|| "none".into(), std::ffi::OsStr::to_string_lossy))
    .remedy("give the file such a name")
    .usage()
}
