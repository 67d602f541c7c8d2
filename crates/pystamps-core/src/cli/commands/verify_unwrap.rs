//! `verify-unwrap`.

use crate::cli::arguments::VerifyUnwrapArguments;
use crate::cli::on_threads;
use crate::cli::output::{print_json, print_line};
use crate::error::{Diagnostic, Result};
use crate::native_stage6::{Verification, verify_unwrapping};
use crate::progress::Progress;

pub(in crate::cli) fn run(arguments: &VerifyUnwrapArguments) -> Result<()> {
    let progress = Progress::new(arguments.progress.into(), "verify-unwrap");
    let answer = on_threads(arguments.threads.map(usize::from), || {
        verify_unwrapping(&arguments.dataset, &progress)
    })?;
    if arguments.json {
        print_json(&answer)?;
    } else {
        print_answer(&answer)?;
    }
    if answer.holds() {
        return Ok(());
    }
    let wrong = answer.interferograms.iter().filter(|one| !one.problems.is_empty()).count();
    Err(Diagnostic::new("certificates-broken", "the unwrapping is not what its certificates prove")
        .path(&arguments.dataset)
        .expected("every certificate confirmed, every file as stage 6 wrote it")
        .found(format!(
            "{wrong} interferograms do not fit; {} other findings",
            answer.problems.len()
        ))
        .remedy("read the findings above; run stage 6 again with --force if they matter")
        .difference())
}

fn print_answer(answer: &Verification) -> Result<()> {
    let [rows, columns] = answer.grid;
    print_line(format!("{rows} x {columns} cells, unwrapped by {}", answer.solver))?;
    print_line("ifg     objective    dual bound  gap  residues  certificate")?;
    for one in &answer.interferograms {
        let verdict = match one.problems.join("; ") {
            none if none.is_empty() && one.gap > 0 => "true, and above the optimum".to_owned(),
            none if none.is_empty() => "holds".to_owned(),
            problems => problems,
        };
        print_line(format!(
            "{:>3} {:>13} {:>13} {:>4} {:>9}  {verdict}",
            one.interferogram, one.objective, one.dual_bound, one.gap, one.residues
        ))?;
    }
    for problem in &answer.problems {
        print_line(problem)?;
    }
    Ok(())
}
