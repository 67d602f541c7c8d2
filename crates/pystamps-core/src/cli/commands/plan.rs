//! `plan --dataset DIR`.

use crate::cli::all_cores;
use crate::cli::arguments::PlanArguments;
use crate::cli::output::{print_json, print_line};
use crate::error::Result;
use crate::plan::{display_bytes, plan_project};
use crate::progress::{Progress, ProgressMode};
use crate::project::dataset::patches;
use crate::stage::settle;

pub(in crate::cli) fn run(arguments: &PlanArguments) -> Result<()> {
    let threads = arguments.threads.map_or_else(|| all_cores() as u64, u64::from);
    let progress = Progress::new(ProgressMode::Plain, "plan");
    settle(&arguments.dataset, &progress)?;
    for patch in patches(&arguments.dataset)? {
        settle(&patch.folder, &progress)?;
    }
    let plan = plan_project(&arguments.dataset, threads)?;
    if arguments.json {
        return print_json(&plan);
    }
    print_line(format!("{} interferograms, {threads} threads", plan.interferograms))?;
    print_line(format!(
        "{:<12} {:>12} {:>16} {:>16}  stage 1",
        "patch", "candidates", "memory", "disk"
    ))?;
    for patch in &plan.patches {
        print_line(format!(
            "{:<12} {:>12} {:>16} {:>16}  {}",
            patch.name,
            patch.candidates,
            display_bytes(patch.stage1_memory_bytes),
            display_bytes(patch.stage1_disk_bytes),
            patch.stage1
        ))?;
    }
    if let Some(free) = plan.free_disk_bytes {
        print_line(format!("free disk: {}", display_bytes(free)))?;
    }
    for warning in &plan.warnings {
        print_line(format!("warning: {warning}"))?;
    }
    Ok(())
}
