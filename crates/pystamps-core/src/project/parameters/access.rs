//! Defines parameter access by full name or unique abbreviation.

use std::path::PathBuf;

use pystamps_mat::{Value, Variables};

use super::parse::{Typed, display_value};
use crate::error::{Diagnostic, Error, Result};
use crate::project::layout::{LOCALPARMS_MAT, PARMS_MAT};

/// The parameters that act in one folder: `parms.mat` there or one level up, overridden by the
/// folder's own `localparms.mat`, completed by the defaults.
///
/// # StaMPS compatibility
/// `getparm`, `setparm` and `ps_parms_default` of parameters.md sections 2, 4 and 5: an abbreviation
/// must be the beginning of exactly one name, even if another name equals it; insertion order and
/// unknown fields are kept. Difference: an unknown name is an error with the nearest names, where
/// the original returns an empty value.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The folder asked about.
    pub(super) folder: PathBuf,
    /// The folder that holds `parms.mat`.
    pub(super) home: PathBuf,
    pub(super) parms: Variables,
    pub(super) local: Option<Variables>,
}

impl Parameters {
    /// Resolves `name`, an unambiguous beginning or (digits) a position counted from 1, to the full
    /// name.
    ///
    /// # Errors
    /// `parameter-unknown` with the nearest names, `parameter-ambiguous` with the candidates.
    pub fn resolve(&self, name: &str) -> Result<String> {
        let names: Vec<&str> = self.parms.iter().map(|(name, _)| name).collect();
        if let Ok(position) = name.parse::<usize>()
            && let Some(found) = position.checked_sub(1).and_then(|i| names.get(i))
        {
            return Ok((*found).to_owned());
        }
        let matches: Vec<&str> = names.iter().copied().filter(|n| n.starts_with(name)).collect();
        match matches.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(self.unknown(name, &names)),
            several => Err(Diagnostic::new(
                "parameter-ambiguous",
                format!("several parameters begin with '{name}'"),
            )
            .path(self.home.join(PARMS_MAT))
            .variable(name)
            .expected("the beginning of exactly one name")
            .found(several.join(", "))
            .remedy("give more letters of the name")
            .usage()),
        }
    }

    fn unknown(&self, name: &str, names: &[&str]) -> Error {
        let mut ranked: Vec<(usize, &str)> =
            names.iter().map(|&known| (edit_distance(name, known), known)).collect();
        ranked.sort_unstable();
        let nearest: Vec<&str> = ranked.iter().take(3).map(|&(_, known)| known).collect();
        Diagnostic::new("parameter-unknown", format!("there is no parameter '{name}'"))
            .path(self.home.join(PARMS_MAT))
            .variable(name)
            .expected(format!("a parameter; the nearest names are {}", nearest.join(", ")))
            .found(name)
            .remedy("see `pystamps-native params list` for all of them")
            .usage()
    }

    /// Full name and value of `name` (full or abbreviated).
    ///
    /// # Errors
    /// As [`Parameters::resolve`].
    pub fn get(&self, name: &str) -> Result<(String, &Value)> {
        let full = self.resolve(name)?;
        let value = self
            .local
            .as_ref()
            .and_then(|local| local.get(&full))
            .or_else(|| self.parms.get(&full))
            .expect("invariant: `resolve` returns names of `parms`");
        Ok((full, value))
    }

    /// All names and acting values, sorted by name, with whether the folder's own file set them.
    pub fn list(&self) -> Vec<(&str, &Value, bool)> {
        let mut rows: Vec<_> = self
            .parms
            .iter()
            .map(|(name, value)| {
                let own = self.local.as_ref().and_then(|local| local.get(name));
                (name, own.unwrap_or(value), own.is_some())
            })
            .collect();
        rows.sort_by_key(|row| row.0);
        rows
    }

    /// The number called `name`.
    ///
    /// # Errors
    /// `parameter-type` if it is not one real number.
    pub fn number(&self, name: &str) -> Result<f64> {
        let (full, value) = self.get(name)?;
        value.to_scalar().ok_or_else(|| self.wrong_type(&full, value, "one real number"))
    }

    /// The text called `name`.
    ///
    /// # Errors
    /// `parameter-type` if it is not a row of characters.
    pub fn text(&self, name: &str) -> Result<String> {
        let (full, value) = self.get(name)?;
        value.to_text().ok_or_else(|| self.wrong_type(&full, value, "text"))
    }

    /// Whether the flag called `name` is `y` (in either case).
    ///
    /// # Errors
    /// `parameter-type` if it is not a row of characters.
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.text(name)?.eq_ignore_ascii_case("y"))
    }

    fn wrong_type(&self, name: &str, value: &Value, expected: &str) -> Error {
        Diagnostic::new("parameter-type", format!("parameter {name} cannot be used"))
            .path(self.home.join(PARMS_MAT))
            .variable(name)
            .expected(expected)
            .found(display_value(value))
            .remedy(format!("pystamps-native params set --dataset … {name} VALUE (nan resets)"))
            .data()
    }

    /// Changes the acting value: in `localparms.mat` if that already sets it, otherwise in
    /// `parms.mat`; [`Typed::Reset`] restores the default in both. Returns the full name.
    ///
    /// # Errors
    /// As [`Parameters::resolve`]; `parameter-fixed` for `small_baseline_flag`, which the candidate
    /// files of a prepared project no longer follow.
    pub fn set(&mut self, name: &str, typed: Typed) -> Result<String> {
        let full = self.resolve(name)?;
        self.refuse_fixed(&full)?;
        match typed {
            Typed::Reset => self.reset(&full)?,
            Typed::Value(value) => match &mut self.local {
                Some(local) if local.get(&full).is_some() => {
                    local.insert(full.as_str(), value);
                }
                _ => {
                    self.parms.insert(full.as_str(), value);
                }
            },
        }
        Ok(full)
    }

    /// Changes the value in the folder's own `localparms.mat`; a reset removes it there.
    ///
    /// # Errors
    /// As [`Parameters::resolve`].
    pub fn set_local(&mut self, name: &str, typed: Typed) -> Result<String> {
        let full = self.resolve(name)?;
        self.refuse_fixed(&full)?;
        let local = self.local.get_or_insert_with(|| {
            let mut fresh = Variables::new();
            fresh.insert("Created", Value::text(&super::store::creation_date()));
            fresh
        });
        match typed {
            Typed::Value(value) => {
                local.insert(full.as_str(), value);
            }
            Typed::Reset => {
                local.remove(&full);
            }
        }
        Ok(full)
    }

    /// Sets or adds `name`, taken literally, in `parms.mat` (what stage 1 does with `heading`,
    /// `lambda` and `platform`). Returns whether anything changed.
    pub fn add(&mut self, name: &str, value: Value) -> bool {
        if self.parms.get(name) == Some(&value) {
            return false;
        }
        self.parms.insert(name, value);
        true
    }

    fn refuse_fixed(&self, full: &str) -> Result<()> {
        if full != "small_baseline_flag" {
            return Ok(());
        }
        Err(Diagnostic::new("parameter-fixed", "small_baseline_flag is fixed by preparation")
            .path(self.home.join(PARMS_MAT))
            .variable(full)
            .expected("the kind of stack that was prepared")
            .found("a change")
            .remedy("prepare the other kind of stack in another folder")
            .usage())
    }

    fn reset(&mut self, full: &str) -> Result<()> {
        self.parms.remove(full);
        if let Some(local) = &mut self.local {
            local.remove(full);
        }
        self.fill_defaults()?;
        Ok(())
    }

    /// Path of the file that a plain [`Parameters::set`] of `full` changes.
    pub fn file_of(&self, full: &str) -> PathBuf {
        match &self.local {
            Some(local) if local.get(full).is_some() => self.folder.join(LOCALPARMS_MAT),
            _ => self.home.join(PARMS_MAT),
        }
    }
}

/// Levenshtein distance, for suggestions.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::parameters::parse_value;

    fn project() -> (tempfile::TempDir, Parameters) {
        let folder = tempfile::tempdir().unwrap();
        let parameters = Parameters::create(folder.path(), false, "snap").unwrap();
        (folder, parameters)
    }

    #[test]
    fn abbreviations_must_be_unique() {
        let (_folder, parameters) = project();
        assert_eq!(parameters.get("scla_dr").unwrap().0, "scla_drop_index");
        let error = parameters.get("scla_d").unwrap_err();
        assert_eq!((error.name(), error.exit_code()), ("parameter-ambiguous", 2));
        assert!(error.to_string().contains("scla_drop_index, scla_deramp"), "{error}");
    }

    #[test]
    fn a_name_that_begins_another_is_ambiguous_even_when_complete() {
        let (_folder, mut parameters) = project();
        parameters.add("lambda_extra", Value::scalar(1.0));
        assert_eq!(parameters.get("lambda").unwrap_err().name(), "parameter-ambiguous");
    }

    #[test]
    fn unknown_names_suggest_the_nearest() {
        let (_folder, parameters) = project();
        let error = parameters.get("max_topo_eror").unwrap_err();
        assert_eq!(error.name(), "parameter-unknown");
        assert!(error.to_string().contains("max_topo_err"), "{error}");
    }

    #[test]
    fn nan_resets_and_positions_address() {
        let (_folder, mut parameters) = project();
        let typed = parse_value("max_topo_err", "35").unwrap();
        parameters.set("max_topo_err", typed).unwrap();
        assert_eq!(parameters.number("max_topo_err").unwrap(), 35.0);
        parameters.set("max_topo_err", Typed::Reset).unwrap();
        assert_eq!(parameters.number("max_topo_err").unwrap(), 20.0);
        // A reset moves the field to the end, as removing and refilling does in the original.
        assert_eq!(parameters.resolve("2").unwrap(), "small_baseline_flag");
        let error = parameters.set("small_baseline_flag", Typed::Reset).unwrap_err();
        assert_eq!(error.name(), "parameter-fixed");
    }

    #[test]
    fn local_values_override_and_receive_changes() {
        let (_folder, mut parameters) = project();
        parameters.set_local("n_cores", Typed::Value(Value::scalar(4.0))).unwrap();
        assert_eq!(parameters.number("n_cores").unwrap(), 4.0);
        parameters.set("n_cores", Typed::Value(Value::scalar(5.0))).unwrap();
        assert_eq!(parameters.number("n_cores").unwrap(), 5.0);
        parameters.set_local("n_cores", Typed::Reset).unwrap();
        assert_eq!(parameters.number("n_cores").unwrap(), 1.0);
    }
}
