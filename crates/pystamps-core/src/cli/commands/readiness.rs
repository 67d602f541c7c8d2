//! `readiness`.

use pystamps_stages::INVENTORY;

use crate::cli::arguments::ReadinessArguments;
use crate::cli::output::{print_json, print_line};
use crate::error::Result;

pub(in crate::cli) fn run(arguments: &ReadinessArguments) -> Result<()> {
    if arguments.json {
        let rows: Vec<_> = INVENTORY
            .iter()
            .map(|r| {
                serde_json::json!({
                    "stage": r.stage, "scope": r.scope.to_string(), "name": r.name,
                    "state": r.state.to_string(), "rust_entry": r.rust_entry,
                    "python_entry": r.python_entry, "refused": r.refused,
                })
            })
            .collect();
        return print_json(&rows);
    }
    print_line(format!("{:<6} {:<7} {:<22} {:<8} refuses", "stage", "scope", "name", "state"))?;
    for record in &INVENTORY {
        print_line(format!(
            "{:<6} {:<7} {:<22} {:<8} {}",
            record.stage,
            record.scope,
            record.name,
            record.state,
            record.refused.join(", ")
        ))?;
    }
    Ok(())
}
