//! `plan --dataset DIR`.

use crate::cli::arguments::PlanArguments;
use crate::cli::output::{print_json, print_line};
use crate::cli::{all_cores, on_threads};
use crate::error::Result;
use crate::plan::{StagePlan, Times, display_bytes, plan_project};
use crate::progress::{Progress, ProgressMode};
use crate::project::dataset::patches;
use crate::stage::settle;

pub(in crate::cli) fn run(arguments: &PlanArguments) -> Result<()> {
    let threads = arguments.threads.map_or_else(|| all_cores() as u64, u64::from);
    let progress = Progress::new(ProgressMode::Plain, "plan");
    settle(&arguments.dataset, &progress)?;
    // What is wrong with the list of patches is said by the plan.
    for patch in patches(&arguments.dataset).unwrap_or_default() {
        settle(&patch.folder, &progress)?;
    }
    let count = usize::try_from(threads).ok();
    let times = if arguments.without_times { Times::LeftOut } else { Times::Measured };
    let plan = on_threads(count, || {
        plan_project(&arguments.dataset, threads, times, &arguments.choices.options())
    })?;
    if arguments.json {
        return print_json(&plan);
    }
    print_line(format!("{} interferograms, {threads} threads", plan.interferograms))?;
    print_line(format!(
        "{:<12} {:>5}  {:>10} {:>12} {:>10} {:>9}  state",
        "patch", "stage", "memory", "at least", "disk", "time"
    ))?;
    for patch in &plan.patches {
        let sizes = &patch.sizes;
        print_line(format!(
            "{:<12} {} candidates, {} x {} cells; {}{} selected, {} kept",
            patch.name,
            sizes.candidates,
            sizes.cells[0],
            sizes.cells[1],
            if sizes.assumed { "assumed " } else { "" },
            sizes.selected,
            sizes.kept,
        ))?;
        for (stage, state) in patch.stages.iter().zip(&patch.states) {
            print_line(row(stage, state))?;
        }
    }
    print_line("all patches")?;
    print_line(row(&plan.merge, format!("merge {}", plan.merge_state)))?;
    let sizes = &plan.merged_sizes;
    print_line(format!(
        "{:<12} {}{} PS, {} cells, {} of them with PS, {} edges",
        "merged",
        if sizes.assumed { "assumed " } else { "" },
        sizes.scatterers,
        sizes.cells,
        sizes.nodes,
        sizes.edges,
    ))?;
    for (stage, state) in [
        (&plan.unwrap, &plan.unwrap_state),
        (&plan.look_angle_error, &plan.look_angle_error_state),
        (&plan.noise_filter, &plan.noise_filter_state),
    ] {
        print_line(row(stage, state))?;
    }
    let free = plan.free_disk_bytes.map_or("unknown".into(), display_bytes);
    print_line(format!(
        "what is due takes {} of disk ({free} free) and {}",
        display_bytes(plan.due_disk_bytes),
        display_seconds(plan.due_seconds)
    ))?;
    for warning in &plan.warnings {
        print_line(format!("warning: {warning}"))?;
    }
    Ok(())
}

fn row(stage: &StagePlan, remark: impl std::fmt::Display) -> String {
    format!(
        "{:<12} {:>5}  {:>10} {:>12} {:>10} {:>9}  {remark}",
        "",
        stage.stage,
        display_bytes(stage.memory_bytes),
        display_bytes(stage.least_memory_bytes),
        display_bytes(stage.disk_bytes),
        display_seconds(stage.seconds),
    )
}

/// A time for people; a dash where it was not predicted.
fn display_seconds(seconds: f64) -> String {
    if seconds.is_nan() { "-".to_owned() } else { format!("{seconds:.1} s") }
}
