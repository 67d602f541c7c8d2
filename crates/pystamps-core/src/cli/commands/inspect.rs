//! `inspect FILE [VARIABLE]`.

use std::path::Path;

use pystamps_mat::Value;

use crate::cli::arguments::InspectArguments;
use crate::cli::output::{print_json, print_line};
use crate::error::{Diagnostic, Result};
use crate::project::artifacts::Variable;
use crate::project::artifacts::stage1::VARIABLES;
use crate::project::parameters::display_value;

/// Elements printed before a value is cut short.
const SHOWN: usize = 200;

pub(in crate::cli) fn run(arguments: &InspectArguments) -> Result<()> {
    match &arguments.variable {
        None => list(&arguments.file, arguments.json),
        Some(name) => show(&arguments.file, name, arguments.json),
    }
}

fn list(file: &Path, json: bool) -> Result<()> {
    let variables = pystamps_mat::list(file)?;
    if json {
        let rows: Vec<_> = variables
            .iter()
            .map(|v| {
                serde_json::json!({
                    "name": v.name, "class": v.class.to_string(), "dims": v.dims,
                    "complex": v.complex, "bytes": v.bytes,
                })
            })
            .collect();
        return print_json(&rows);
    }
    let heading = format!("{:<26} {:<16} {:<15}", "variable", "size", "class");
    print_line(format!("{heading} {:>13}  {:<7} meaning", "bytes", "unit"))?;
    for variable in &variables {
        let dims: Vec<String> = variable.dims.iter().map(ToString::to_string).collect();
        let kind = if variable.complex { " complex" } else { "" };
        let class = format!("{}{kind}", variable.class);
        let row = format!("{:<26} {:<16} {class:<15}", variable.name, dims.join(" x "));
        let known = known_variable(file, &variable.name);
        let (unit, meaning) = known.map_or(("", ""), |known| (known.unit.symbol(), known.meaning));
        let line = format!("{row} {:>13}  {unit:<7} {meaning}", variable.bytes);
        print_line(line.trim_end())?;
    }
    Ok(())
}

/// What we know of a variable of a StaMPS file.
fn known_variable(file: &Path, name: &str) -> Option<&'static Variable> {
    let file = file.file_name()?.to_str()?;
    VARIABLES.iter().find(|variable| variable.file == file && variable.name == name)
}

fn show(file: &Path, name: &str, json: bool) -> Result<()> {
    let names: Vec<String> = pystamps_mat::list(file)?.into_iter().map(|v| v.name).collect();
    if !names.iter().any(|known| known == name) {
        return Err(Diagnostic::new("variable-missing", format!("there is no variable '{name}'"))
            .path(file)
            .variable(name)
            .expected(format!("one of {}", names.join(", ")))
            .found(name)
            .remedy("check the spelling")
            .usage());
    }
    let value = pystamps_mat::read_variable(file, name)?;
    if json {
        return print_json(&serde_json::json!({
            "name": name, "class": value.class().to_string(), "dims": value.dims(),
            "values": value.to_f64_vec(), "text": value.to_text(),
        }));
    }
    print_line(format!("{name}: {} {:?}", value.class(), value.dims()))?;
    for line in rows(&value) {
        print_line(line)?;
    }
    Ok(())
}

/// The first elements, row by row.
fn rows(value: &Value) -> Vec<String> {
    let (Some(numbers), [row_count, column_count]) = (value.to_f64_vec(), value.dims()) else {
        return vec![match value.to_array2_c64() {
            Some(complex) => {
                let shown: Vec<String> =
                    complex.iter().take(SHOWN).map(ToString::to_string).collect();
                shown.join(" ")
            }
            None => display_value(value),
        }];
    };
    let shown_rows = (*row_count).min(SHOWN / column_count.clamp(&1, &SHOWN));
    let mut lines: Vec<String> = (0..shown_rows)
        .map(|row| {
            let cells: Vec<String> = (0..*column_count)
                .take(SHOWN)
                .map(|column| format!("{:>14}", numbers[column * row_count + row]))
                .collect();
            cells.join(" ")
        })
        .collect();
    if shown_rows < *row_count {
        lines.push(format!("… {} more rows", row_count - shown_rows));
    }
    lines
}
