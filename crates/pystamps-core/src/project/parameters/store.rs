//! Defines `parms.mat` and `localparms.mat` on disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pystamps_mat::{Value, Variables, WriteOptions};

use super::access::Parameters;
use super::defaults::PARAMETERS;
use super::migrate::migrate;
use crate::dates;
use crate::error::{Diagnostic, IoContext, Result};
use crate::project::commit::replace_file;
use crate::project::layout::{LOCALPARMS_MAT, PARMS_MAT, root};
use crate::project::lock::{PARAMETERS_LOCK, short_lock};

impl Parameters {
    /// A new parameter set for the folder `home` with every default; nothing is written yet.
    ///
    /// # Errors
    /// I/O errors while looking for `lambda.1.in` and `heading.1.in`.
    pub fn create(home: &Path, small_baseline: bool, processor: &str) -> Result<Self> {
        let mut parms = Variables::new();
        parms.insert("Created", Value::text(&creation_date()));
        parms.insert("small_baseline_flag", Value::text(if small_baseline { "y" } else { "n" }));
        parms.insert("insar_processor", Value::text(processor));
        let mut parameters =
            Self { folder: home.to_path_buf(), home: home.to_path_buf(), parms, local: None };
        parameters.fill_defaults()?;
        Ok(parameters)
    }

    /// Loads the parameters that act in `folder` and completes them by the defaults, in memory.
    ///
    /// # Errors
    /// `parameters-missing` if there is no `parms.mat` in the folder or one level up; MATLAB file
    /// errors.
    pub fn load(folder: &Path) -> Result<Self> {
        // An absolute path, because the parent of `.` or of `PATCH_1` is not in its text.
        let folder = std::path::absolute(folder).while_doing("find the project folder")?;
        let home = [Some(folder.as_path()), folder.parent()]
            .into_iter()
            .flatten()
            .find(|candidate| candidate.join(PARMS_MAT).exists())
            .map(Path::to_path_buf)
            .ok_or_else(|| {
                Diagnostic::new("parameters-missing", "this is not a StaMPS project")
                    .path(&folder)
                    .expected(format!("{PARMS_MAT} here or one level up"))
                    .found("none")
                    .remedy("run `pystamps-native prep` first, or check the path")
                    .data()
            })?;
        let parms = pystamps_mat::read(home.join(PARMS_MAT))?;
        let local_path = folder.join(LOCALPARMS_MAT);
        let local = local_path.exists().then(|| pystamps_mat::read(&local_path)).transpose()?;
        let mut parameters = Self { folder, home, parms, local };
        parameters.fill_defaults()?;
        Ok(parameters)
    }

    /// The folder whose `parms.mat` acts.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Adds every missing field of the table, in its order, and migrates superseded ones.
    pub(super) fn fill_defaults(&mut self) -> Result<()> {
        if self.parms.get("Created").is_none() {
            self.parms.insert("Created", Value::text(&creation_date()));
        }
        if self.parms.get("small_baseline_flag").is_none() {
            self.parms.insert("small_baseline_flag", Value::text("n"));
        }
        // A flag of another class must not keep the other parameters from being read and mended.
        let flag = self.parms.get("small_baseline_flag").and_then(Value::to_text);
        let small_baseline = flag.is_some_and(|flag| flag.eq_ignore_ascii_case("y"));
        for parameter in PARAMETERS {
            // A set without a processor gets it just before this field.
            if parameter.name == "subtr_tropo" && self.parms.get("insar_processor").is_none() {
                let processor = first_word(&self.home, root::PROCESSOR_TXT);
                let processor = processor.unwrap_or_else(|| "doris".into());
                self.parms.insert("insar_processor", Value::text(&processor));
            }
            let default = if small_baseline {
                Some(parameter.small_baseline)
            } else {
                parameter.single_master
            };
            if let Some(default) = default
                && self.parms.get(parameter.name).is_none()
            {
                let number = |file: &str| first_word(&self.home, file)?.parse().ok();
                self.parms.insert(parameter.name, default.value(number));
            }
        }
        migrate(&mut self.parms, &self.folder)
    }

    /// Writes `parms.mat` to `path` (used inside a transaction).
    ///
    /// # Errors
    /// MATLAB file and I/O errors.
    pub fn write_to(&self, path: &Path) -> Result<()> {
        Ok(pystamps_mat::write(path, &self.parms, &WriteOptions::default())?)
    }

    /// Writes what [`Parameters::set`] changed back to where it was found, atomically. An own set
    /// that holds nothing but its date is deleted.
    ///
    /// # Errors
    /// MATLAB file and I/O errors; the old files stay.
    pub fn save(&self) -> Result<()> {
        replace_file(&self.home.join(PARMS_MAT), |path| self.write_to(path))?;
        let local_path = self.folder.join(LOCALPARMS_MAT);
        match &self.local {
            Some(local) if local.iter().any(|(name, _)| name != "Created") => {
                replace_file(&local_path, |path| {
                    Ok(pystamps_mat::write(path, local, &WriteOptions::default())?)
                })
            }
            Some(_) if local_path.exists() => {
                fs_err::remove_file(local_path).while_doing("remove the empty localparms.mat")
            }
            _ => Ok(()),
        }
    }

    /// Loads, changes and saves the parameters of `folder` as one step that no other process of
    /// ours can come between; nothing is written if `change` returns false.
    ///
    /// # Errors
    /// Those of loading, `change` and saving.
    pub fn update<T>(
        folder: &Path,
        change: impl FnOnce(&mut Self) -> Result<(T, bool)>,
    ) -> Result<T> {
        let home = Self::load(folder)?.home;
        let _guard = short_lock(&home, PARAMETERS_LOCK)?;
        let mut parameters = Self::load(folder)?;
        let (outcome, changed) = change(&mut parameters)?;
        if changed {
            parameters.save()?;
        }
        Ok(outcome)
    }
}

/// Today as StaMPS writes it, `22-Nov-2026`; the day of `SOURCE_DATE_EPOCH` where that is set.
///
/// This is the one place where the clock enters an artefact, because StaMPS defines it so.
pub(super) fn creation_date() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let seconds: u64 = epoch.unwrap_or_else(now);
    dates::day_month_year(seconds / 86_400)
}

/// First word of `name` in `folder` or up to three levels above.
fn first_word(folder: &Path, name: &str) -> Option<String> {
    let mut folder: Option<PathBuf> = Some(folder.to_path_buf());
    for _ in 0..4 {
        let here = folder?;
        if let Ok(text) = fs_err::read_to_string(here.join(name)) {
            return text.split_whitespace().next().map(str::to_owned);
        }
        folder = here.parent().map(Path::to_path_buf);
    }
    None
}
