//! Reads `docs/differences.md`: sections, each with a table of what original StaMPS does and we do.

/// One section of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading.
    pub(crate) heading: String,
    /// The heading as a link has it.
    pub(crate) anchor: String,
    /// The rows of its table.
    pub(crate) rows: Vec<Difference>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What original StaMPS does.
    pub(crate) original: String,
    /// What pystamps does.
    pub(crate) pystamps: String,
}

/// The sections of the document `text`.
///
/// # Errors
/// The number of a line that is no row of two cells, or a row outside a section.
pub(crate) fn sections(text: &str) -> Result<Vec<Section>, String> {
    let mut sections: Vec<Section> = Vec::new();
    // Rows until the next line that is none: the first two are the head and the rule below it.
    let mut place_in_table = 0;
    for (line, number) in text.lines().zip(1..) {
        let wrong = |problem: &str| Err(format!("docs/differences.md, line {number}: {problem}"));
        if let Some(heading) = line.strip_prefix("## ") {
            let heading = heading.trim().to_owned();
            sections.push(Section { anchor: anchor(&heading), heading, rows: Vec::new() });
        }
        if !line.trim_start().starts_with('|') {
            place_in_table = 0;
            continue;
        }
        place_in_table += 1;
        let cells = cells(line);
        let [original, pystamps] = cells.as_slice() else {
            return wrong("a row has two cells, `| original | pystamps |`");
        };
        if original.is_empty() || pystamps.is_empty() {
            return wrong("a cell is empty");
        }
        match (place_in_table, sections.last_mut()) {
            (1, _) if [original.as_str(), pystamps.as_str()] != ["original", "pystamps"] => {
                return wrong("a table begins with `| original | pystamps |`");
            }
            (2, _) if !line.chars().all(|c| "|-: ".contains(c)) => {
                return wrong("the second line of a table is `|---|---|`");
            }
            (1 | 2, _) => {}
            (_, Some(section)) => {
                let row = Difference { original: original.clone(), pystamps: pystamps.clone() };
                section.rows.push(row);
            }
            (_, None) => return wrong("a row stands before the first section"),
        }
    }
    Ok(sections)
}

/// The cells of a row; `\|` is a line inside a cell. None where the row does not end with a line.
fn cells(line: &str) -> Vec<String> {
    let hidden = line.trim().replace("\\|", "\u{0}");
    let inner = hidden.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
    let cells = inner.into_iter().flat_map(|inner| inner.split('|'));
    cells.map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// A heading as GitHub makes links of it: lower case, blanks as hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}
