//! `params get|set|list`.

use std::path::Path;

use pystamps_mat::Value;

use crate::cli::arguments::{ParamsAction, ParamsArguments};
use crate::cli::output::{print_json, print_line};
use crate::error::Result;
use crate::progress::{Progress, ProgressMode};
use crate::project::parameters::defaults::{Parameter, parameter};
use crate::project::parameters::{Parameters, display_value, parse_value};
use crate::stage::settle;

pub(in crate::cli) fn run(arguments: ParamsArguments) -> Result<()> {
    let (ParamsAction::Get { dataset, .. }
    | ParamsAction::Set { dataset, .. }
    | ParamsAction::List { dataset, .. }) = &arguments.action;
    settle(&dataset.folder, &Progress::new(ProgressMode::Plain, "params"))?;
    match arguments.action {
        ParamsAction::Get { dataset, name, json } => get(&dataset.folder, &name, json),
        ParamsAction::Set { dataset, name, value, local } => {
            set(&dataset.folder, &name, &value, local)
        }
        ParamsAction::List { dataset, json } => list(&dataset.folder, json),
    }
}

fn get(folder: &Path, name: &str, json: bool) -> Result<()> {
    let parameters = Parameters::load(folder)?;
    let (full, value) = parameters.get(name)?;
    if json {
        return print_json(&serde_json::json!({ "name": full, "value": json_value(value) }));
    }
    print_line(format!("{full} = {}", display_value(value)))
}

fn set(folder: &Path, name: &str, typed: &str, local: bool) -> Result<()> {
    let line = Parameters::update(folder, |parameters| {
        let full = parameters.resolve(name)?;
        let before = display_value(parameters.get(&full)?.1);
        let value = parse_value(&full, typed)?;
        let file = if local {
            parameters.set_local(&full, value)?;
            folder.join("localparms.mat")
        } else {
            parameters.set(&full, value)?;
            parameters.file_of(&full)
        };
        // A parameter without a default is gone after its reset.
        let after = parameters.get(&full).map_or("(removed)".into(), |(_, v)| display_value(v));
        Ok((format!("{full} = {after}  (was {before}, in {})", file.display()), true))
    })?;
    print_line(line)
}

fn list(folder: &Path, json: bool) -> Result<()> {
    let parameters = Parameters::load(folder)?;
    if json {
        let rows: Vec<_> = parameters
            .list()
            .into_iter()
            .map(|(name, value, local)| {
                let known = parameter(name);
                serde_json::json!({
                    "name": name,
                    "value": json_value(value),
                    "local": local,
                    "stages": known.map_or("", |p| p.stages),
                    "meaning": known.map_or("", |p| p.meaning),
                })
            })
            .collect();
        return print_json(&rows);
    }
    print_line(format!("{:<30} {:<18} {:<7} meaning", "name", "value", "stages"))?;
    for (name, value, local) in parameters.list() {
        let (stages, meaning) = match parameter(name) {
            Some(Parameter { stages, meaning, .. }) => (*stages, *meaning),
            None => ("", ""),
        };
        let origin = if local { " (localparms.mat)" } else { "" };
        print_line(format!(
            "{name:<30} {:<18} {stages:<7} {meaning}{origin}",
            display_value(value)
        ))?;
    }
    Ok(())
}

/// A value for programs; numbers JSON does not know (`Inf`, `NaN`) become text.
fn json_value(value: &Value) -> serde_json::Value {
    if let Some(text) = value.to_text() {
        return text.into();
    }
    let number = |x: f64| {
        serde_json::Number::from_f64(x)
            .map_or_else(|| display_value(&Value::scalar(x)).into(), serde_json::Value::Number)
    };
    match value.to_f64_vec() {
        Some(row) if row.len() == 1 => number(row[0]),
        Some(row) => row.into_iter().map(number).collect(),
        None => display_value(value).into(),
    }
}
