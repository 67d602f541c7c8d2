//! `prep snap|gamma`.

use std::path::Path;

use crate::cli::arguments::PrepArguments;
use crate::cli::output::{print_json, print_line};
use crate::cli::{all_cores, on_threads};
use crate::error::Result;
use crate::prep::{Existing, PrepRequest, PrepSummary, Prepared, plan, prepare};
use crate::progress::Progress;

pub(in crate::cli) fn run(arguments: PrepArguments) -> Result<()> {
    let common = arguments.common;
    let request = PrepRequest {
        processor: arguments.processor.into(),
        export: arguments.export,
        master: arguments.master,
        amplitude_dispersion: arguments.amp_dispersion,
        range_patches: arguments.range_patches,
        azimuth_patches: arguments.azimuth_patches,
        range_overlap: arguments.range_overlap,
        azimuth_overlap: arguments.azimuth_overlap,
        mask: arguments.mask,
    };
    let progress = Progress::new(common.progress.into(), "prep");
    let existing = if common.force { Existing::Replace } else { Existing::Keep };
    let mut plan = plan(&request)?;
    if let Some(limit_bytes) = common.memory_limit {
        plan.fit_into(limit_bytes, common.thread_count().unwrap_or_else(all_cores))?;
    }
    let prepared = on_threads(common.thread_count(), || {
        prepare(&plan, &arguments.dataset, existing, &progress)
    })?;
    if common.prints_json() {
        return print_json(&prepared);
    }
    match prepared {
        Prepared::SkippedExisting => print_line(format!(
            "{}: already prepared from the same inputs, nothing done",
            arguments.dataset.display()
        )),
        Prepared::Completed(summary) => report(&arguments.dataset, &summary, &progress),
    }
}

fn report(dataset: &Path, summary: &PrepSummary, progress: &Progress) -> Result<()> {
    print_line(format!(
        "{}: master {}, {} images, {} interferograms, {} x {} pixels",
        dataset.display(),
        summary.master,
        summary.images.len(),
        summary.interferograms,
        summary.length,
        summary.width
    ))?;
    for patch in &summary.patches {
        print_line(format!(
            "{:<10} {:>12} candidates of {:>12} pixels",
            patch.name, patch.candidates, patch.pixels
        ))?;
    }
    for warning in &summary.warnings {
        progress.note(&format!("warning: {warning}"));
    }
    Ok(())
}
