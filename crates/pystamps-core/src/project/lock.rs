//! Defines the one-writer rule: at most one process changes a scope (root or patch) at a time.
//!
//! The lock is an advisory lock of the operating system on `.pystamps/lock`, so it vanishes with
//! its holder however that dies; the file's text says who holds it, for people. A text left behind
//! by a dead holder is reported and replaced. Where the file system knows no locks (some parallel
//! ones), the text alone decides: a living process of this host, or any process of another host,
//! counts as a holder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, IoContext, Result};
use crate::progress::Progress;
use crate::project::layout::CONTROL_FOLDER;

/// Name of the short lock on `parms.mat` and the other small files stages share in a project.
pub(crate) const PARAMETERS_LOCK: &str = "parameters.lock";

/// Exclusive right to write in one scope; released when dropped.
#[derive(Debug)]
pub struct ScopeLock {
    scope: PathBuf,
    file: File,
}

/// Who holds a lock, as its file says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Holder {
    pid: u32,
    host: String,
    command: String,
}

impl ScopeLock {
    /// Takes the lock of the folder `scope` for `command` (a few words for people).
    ///
    /// # Errors
    /// `scope-locked` if another process holds it; I/O errors if the folder cannot be written.
    pub fn acquire(scope: &Path, command: &str, progress: &Progress) -> Result<Self> {
        let action = || format!("lock {}", scope.display());
        let path = lock_path(scope, "lock").while_doing(action())?;
        let mut file = open_lock_file(&path).while_doing(action())?;
        let os_lock = file.try_lock();
        let mut text = String::new();
        // An unreadable or foreign text is treated as no holder: the system's lock decides.
        let _ = (&file).take(4096).read_to_string(&mut text);
        let previous = parse_holder(&text);
        let held = match os_lock {
            // The folder may have been replaced between opening and locking: then the lock is on a
            // file that nobody else will look at.
            Ok(()) => !is_same_file(&file, &path),
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => previous.as_ref().is_some_and(Holder::may_be_alive),
        };
        if held {
            return Err(refusal(scope, previous.as_ref()).data());
        }
        if let Some(holder) = previous {
            progress.note(&format!(
                "{} was left locked by {holder}, which no longer runs: recovered",
                scope.display()
            ));
        }
        let holder = Holder { pid: std::process::id(), host: host_name(), command: command.into() };
        let text = serde_json::to_string(&holder).expect("invariant: plain strings serialise");
        overwrite(&mut file, &text).while_doing(action())?;
        Ok(Self { scope: scope.to_path_buf(), file })
    }

    /// The folder this lock protects.
    pub fn scope(&self) -> &Path {
        &self.scope
    }
}

impl Drop for ScopeLock {
    fn drop(&mut self) {
        // The file stays (removing a lock file races with the next holder); its text goes. If that
        // fails, the next holder merely reports a recovery.
        let _ = overwrite(&mut self.file, "");
        let _ = self.file.unlock();
    }
}

/// Who says in the lock of `scope` to be writing there, if that process may be alive. The lock itself is not
/// tried: that could disturb a writer who is just taking it.
pub fn present_holder(scope: &Path) -> Option<String> {
    living_holder(scope).map(|holder| holder.to_string())
}

fn living_holder(scope: &Path) -> Option<Holder> {
    let text = fs_err::read_to_string(scope.join(CONTROL_FOLDER).join("lock")).ok()?;
    let holder = parse_holder(&text)?;
    holder.may_be_alive().then_some(holder)
}

/// Who works in a folder inside `project`: what shares the project's lock leaves no text in it.
fn inner_holder(project: &Path) -> Option<String> {
    let entries = fs_err::read_dir(project).ok()?.flatten();
    let mut folders: Vec<_> =
        entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name()).collect();
    folders.sort();
    folders.into_iter().find_map(|name| {
        let holder = living_holder(&project.join(&name))?;
        Some(format!("{holder}, in {}", name.to_string_lossy()))
    })
}

/// Who wrote the text of a lock file; nobody if it is damaged or another program's.
pub(crate) fn parse_holder(text: &str) -> Option<Holder> {
    serde_json::from_str(text).ok()
}

impl Holder {
    fn may_be_alive(&self) -> bool {
        self.host != host_name() || Path::new("/proc").join(self.pid.to_string()).exists()
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "'{}' (process {} on {})", self.command, self.pid, self.host)
    }
}

/// Waits for the short exclusive right to change one small file of `scope`; several stages of one
/// project may want it at the same moment. Released when the file is dropped.
///
/// # Errors
/// I/O errors.
pub(crate) fn short_lock(scope: &Path, name: &str) -> Result<File> {
    let action = || format!("lock {}", scope.display());
    let path = lock_path(scope, name).while_doing(action())?;
    let file = open_lock_file(&path).while_doing(action())?;
    // A file system without locks: the replacement is still atomic, only a simultaneous change
    // could be lost.
    let _ = file.lock();
    Ok(file)
}

/// The right to read a project while one of its patches is worked on: many may hold it, but nobody
/// prepares or merges the project meanwhile. Released when the file is dropped.
///
/// # Errors
/// `scope-locked` if the project itself is being written; I/O errors.
pub(crate) fn shared_lock(project: &Path) -> Result<File> {
    let action = || format!("lock {}", project.display());
    let path = lock_path(project, "lock").while_doing(action())?;
    let mut file = open_lock_file(&path).while_doing(action())?;
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        return Err(refusal(project, parse_holder(&text).as_ref()).data());
    }
    Ok(file)
}

/// Path of a lock in an existing scope; makes the control folder but never the scope itself, which
/// another process may just be replacing.
fn lock_path(scope: &Path, name: &str) -> std::io::Result<PathBuf> {
    let control = scope.join(CONTROL_FOLDER);
    match fs_err::create_dir(&control) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(control.join(name)),
    }
}

fn refusal(scope: &Path, holder: Option<&Holder>) -> Diagnostic {
    let holder = holder.map(ToString::to_string).or_else(|| inner_holder(scope));
    let holder = holder.unwrap_or_else(|| "another process".to_owned());
    Diagnostic::new("scope-locked", "another process is writing in this folder")
        .path(scope)
        .expected("no other writer")
        .found(format!("locked by {holder}"))
        .remedy("wait for it to finish, or stop it; a killed process leaves no lock behind")
}

fn open_lock_file(path: &Path) -> std::io::Result<File> {
    let mut options = fs_err::OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    Ok(file.into_parts().0)
}

fn is_same_file(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (Ok(open), Ok(there)) = (file.metadata(), fs_err::metadata(path)) else { return false };
    identity(open) == identity(there)
}

fn overwrite(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

/// The host's name; empty where the system does not tell, which only weakens the fallback.
fn host_name() -> String {
    fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_writer_is_refused_and_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let progress = Progress::silent();
        let first = ScopeLock::acquire(folder.path(), "stage 1", &progress).unwrap();
        let error = ScopeLock::acquire(folder.path(), "stage 2", &progress).unwrap_err();
        assert_eq!(error.name(), "scope-locked");
        assert!(error.to_string().contains("'stage 1'"), "{error}");
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        ScopeLock::acquire(folder.path(), "stage 2", &progress).unwrap();
    }

    #[test]
    fn readers_share_a_project_and_keep_its_writer_out() {
        let folder = tempfile::tempdir().unwrap();
        let one = shared_lock(folder.path()).unwrap();
        let two = shared_lock(folder.path()).unwrap();
        let writer = || ScopeLock::acquire(folder.path(), "prep", &Progress::silent());
        assert_eq!(writer().unwrap_err().name(), "scope-locked");
        drop((one, two));
        let held = writer().unwrap();
        let error = shared_lock(folder.path()).unwrap_err();
        assert!(error.to_string().contains("'prep'"), "{error}");
        drop(held);
        shared_lock(folder.path()).unwrap();
    }

    #[test]
    fn a_project_says_which_patch_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let patch = folder.path().join("PATCH_2");
        fs_err::create_dir(&patch).unwrap();
        let progress = Progress::silent();
        let _project = shared_lock(folder.path()).unwrap();
        let _patch = ScopeLock::acquire(&patch, "stage 2", &progress).unwrap();
        let error = ScopeLock::acquire(folder.path(), "stage 6", &progress).unwrap_err();
        let holder = format!("'stage 2' (process {} on ", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        assert!(error.to_string().contains("in PATCH_2"), "{error}");
    }

    #[test]
    fn text_of_a_dead_holder_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join(CONTROL_FOLDER)).unwrap();
        let stale = r#"{"pid":4194305,"host":"elsewhere","command":"prep"}"#;
        fs_err::write(folder.path().join(CONTROL_FOLDER).join("lock"), stale).unwrap();
        ScopeLock::acquire(folder.path(), "stage 1", &Progress::silent()).unwrap();
    }
}
