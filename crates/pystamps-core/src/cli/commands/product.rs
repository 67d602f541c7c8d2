//! `product VALUE --dataset DIR --out FILE`.

use crate::cli::arguments::ProductArguments;
use crate::cli::on_threads;
use crate::cli::output::{print_json, print_line};
use crate::error::Result;
use crate::products::{Bootstrap, DateRange, ProductRequest, make_product};
use crate::progress::Progress;
use crate::stage::StageOptions;

pub(in crate::cli) fn run(arguments: &ProductArguments) -> Result<()> {
    let common = &arguments.common;
    let request = ProductRequest {
        value_type: arguments.value_type.clone(),
        out: arguments.out.clone(),
        bootstrap: Bootstrap { resamples: arguments.bootstrap, seed: arguments.seed },
        dates: DateRange { first: arguments.from, last: arguments.to },
    };
    let options = StageOptions {
        overrides: arguments.set.clone(),
        memory_limit_bytes: common.memory_limit,
        force: common.force,
        ..StageOptions::default()
    };
    let progress =
        Progress::new(common.progress.into(), format!("product {}", arguments.value_type));
    let outcome = on_threads(common.thread_count(), || {
        make_product(&arguments.dataset, &request, &options, &progress)
    })?;
    if common.prints_json() {
        return print_json(&outcome);
    }
    let description = &outcome.description;
    print_line(format!(
        "product {}: {} PS, {} ({}), relative to: {} -> {}",
        description.value_type,
        description.ps_count,
        description.unit,
        description.sign_convention,
        description.reference.description,
        outcome.file.display()
    ))
}
