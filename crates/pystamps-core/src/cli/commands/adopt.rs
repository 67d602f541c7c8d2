//! `adopt N --from DIR`.

use crate::adopt::{AdoptRequest, adopt};
use crate::cli::arguments::AdoptArguments;
use crate::cli::on_threads;
use crate::cli::output::{print_event, print_line};
use crate::error::Result;
use crate::progress::Progress;
use crate::stage::StageOptions;
use crate::status::ScopeKind;

pub(in crate::cli) fn run(arguments: &AdoptArguments) -> Result<()> {
    let (scope, folder) = match (&arguments.patch, &arguments.dataset) {
        (Some(patch), _) => (ScopeKind::Patch, patch),
        (None, Some(dataset)) => (ScopeKind::Merged, dataset),
        (None, None) => unreachable!("invariant: the command line demands one of them"),
    };
    let request = AdoptRequest {
        stage: arguments.stage,
        scope,
        folder: folder.clone(),
        from: arguments.from.clone(),
        origin: arguments.origin.into(),
    };
    let options = StageOptions { force: arguments.force, ..arguments.choices.options() };
    let progress = Progress::new(arguments.progress.into(), format!("adopt {}", arguments.stage));
    let adoption = on_threads(None, || adopt(&request, &options, &progress))?;
    if arguments.prints_json() {
        return print_event("outcome", &adoption);
    }
    let outcome = &adoption.outcome;
    let files = adoption.files.len();
    print_line(format!("stage {}: {}, {files} files", outcome.stage, outcome.details))
}
