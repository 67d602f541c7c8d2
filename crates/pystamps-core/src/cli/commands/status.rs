//! `status --dataset DIR`.

use crate::cli::arguments::StatusArguments;
use crate::cli::on_threads;
use crate::cli::output::{print_json, print_line};
use crate::error::Result;
use crate::status::{ScopeStatus, StageReport, project_status};

pub(in crate::cli) fn run(arguments: &StatusArguments) -> Result<()> {
    let options = arguments.choices.options();
    let status = on_threads(None, || project_status(&arguments.dataset, &options))?;
    if arguments.json {
        return print_json(&status);
    }
    print_line(format!("{:<12} {:>5}  {:<9} {:>9}  why", "scope", "stage", "state", "rows"))?;
    for scope in &status.scopes {
        for (place, stage) in scope.stages.iter().enumerate() {
            let name = if place == 0 { scope.target.as_str() } else { "" };
            print_line(row(name, stage))?;
        }
        for remark in remarks(scope) {
            print_line(format!("{:<12} {remark}", ""))?;
        }
    }
    Ok(())
}

fn row(name: &str, stage: &StageReport) -> String {
    let rows = stage.rows.map_or_else(String::new, |rows| rows.to_string());
    let mut why = stage.reason.clone();
    if let Some(refusal) = stage.refusal.as_ref().filter(|_| !stage.state.stands()) {
        why.push_str("; as it is, a run would fail: ");
        why.push_str(refusal);
    }
    for (what, files) in [("needs", &stage.missing), ("would remove", &stage.invalidates)] {
        if !files.is_empty() && !stage.state.stands() {
            why = format!("{why}; {what} {}", files.join(", "));
        }
    }
    format!("{name:<12} {:>5}  {:<9} {rows:>9}  {why}", stage.stage, stage.state)
}

fn remarks(scope: &ScopeStatus) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(holder) = &scope.in_use_by {
        remarks.push(format!("in use by {holder}"));
    }
    if scope.unfinished_publication {
        remarks.push("a publication has begun and not ended".to_owned());
    }
    remarks
}
