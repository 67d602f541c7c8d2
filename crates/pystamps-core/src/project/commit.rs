//! Defines atomic publication: a scope (root or patch) shows the old results or the new, whole.
//!
//! ```text
//! <scope>/.pystamps/staging/
//!   new/            the outputs, written and fsynced here first
//!   journal.json    what to move where; its appearance (one rename) is the commit point
//!   old/            replaced files and folders on their way out
//! ```
//! 1. A [`Transaction`] hands out `new/`; whatever goes wrong before the commit point leaves the
//!    scope untouched, and the next transaction clears the staging folder.
//! 2. After it, the moves are carried out: first the marker files of the old result step aside, so
//!    that a foreign reader never takes a mixture for a finished stage, then everything is renamed
//!    into place, markers last but for the ledger.
//! 3. A process that dies in between is completed by whoever opens the scope next
//!    ([`recover`]). Every step may be repeated.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::error::{Diagnostic, IoContext, Result};
use crate::project::layout::CONTROL_FOLDER;
use crate::project::ledger::{LEDGER_FILE, Ledger};
use crate::project::lock::ScopeLock;

const STAGING: &str = "staging";
const JOURNAL: &str = "journal.json";

/// The moves that turn the old state of a scope into the new one.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Entries of the scope that go without replacement.
    remove: Vec<String>,
    /// Entries of `new/` that take their place in the scope, in this order.
    install: Vec<String>,
    /// Those of `install` whose old version must step aside before anything else moves.
    markers: Vec<String>,
}

/// A set of outputs on its way into a scope.
#[derive(Debug)]
pub struct Transaction<'lock> {
    lock: &'lock ScopeLock,
}

impl<'lock> Transaction<'lock> {
    /// Opens a transaction on the locked scope: completes an interrupted publication, then makes an
    /// empty staging folder.
    ///
    /// # Errors
    /// I/O errors, for example on a read-only folder.
    pub fn begin(lock: &'lock ScopeLock) -> Result<Self> {
        recover(lock)?;
        let staging = staging_folder(lock.scope());
        let action = || format!("prepare to write in {}", lock.scope().display());
        if is_there(&staging).while_doing(action())? {
            fs_err::remove_dir_all(&staging).while_doing(action())?;
        }
        fs_err::create_dir_all(staging.join("new")).while_doing(action())?;
        Ok(Self { lock })
    }

    /// Where the outputs are to be written, under their final names.
    pub fn folder(&self) -> PathBuf {
        staging_folder(self.lock.scope()).join("new")
    }

    /// Makes the staged entries and `ledger` the scope's state, and removes the entries `remove`.
    ///
    /// `markers` are the staged files whose presence tells other programs that the stage is done;
    /// they are installed last.
    ///
    /// # Errors
    /// I/O errors. Before the commit point the scope is unchanged; after it, the next
    /// [`recover`] finishes the work.
    pub fn publish(self, remove: &[String], markers: &[&str], ledger: &Ledger) -> Result<()> {
        let scope = self.lock.scope();
        let action = || format!("publish results in {}", scope.display());
        let staging = staging_folder(scope);
        let new = staging.join("new");
        let mut install = entry_names(&new).while_doing(action())?;
        // Sorting on "is a marker" is stable: names stay in order, markers come last.
        install.sort_by_key(|name| markers.contains(&name.as_str()));
        ledger.write(&new.join(LEDGER_FILE))?;
        let journal = Journal {
            remove: remove.iter().filter(|name| !install.contains(name)).cloned().collect(),
            markers: markers.iter().map(|&name| name.to_owned()).collect(),
            install,
        };
        let draft = staging.join("journal.draft");
        let text = serde_json::to_vec(&journal).expect("invariant: plain strings serialise");
        fs_err::write(&draft, text).while_doing(action())?;
        fault_point();
        // All of it must be on the disk before anything moves, and so must the way to the journal.
        let mut staged = tree(&new).while_doing(action())?;
        staged.extend([draft.clone(), staging.clone(), scope.to_owned()]);
        staged.push(scope.join(CONTROL_FOLDER));
        sync_all(&staged).while_doing(action())?;
        fault_point();
        fs_err::rename(draft, staging.join(JOURNAL)).while_doing(action())?;
        carry_out(scope, &journal)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Work that failed gives its disk space back; if that fails too, the next transaction
        // clears the folder. Where there is a journal, or may be one, it needs what is staged.
        if !is_pending(self.lock.scope()) {
            let _ = fs_err::remove_dir_all(staging_folder(self.lock.scope()));
        }
    }
}

/// Completes a publication that a dead process left half done; returns whether there was one.
///
/// # Errors
/// `journal-damaged` if the journal does not parse or points outside the scope;
/// `publication-unfinished` if it cannot be carried out; I/O errors.
pub fn recover(lock: &ScopeLock) -> Result<bool> {
    let path = staging_folder(lock.scope()).join(JOURNAL);
    let action = || format!("complete the interrupted publication in {}", lock.scope().display());
    if !is_there(&path).while_doing(action())? {
        return Ok(false);
    }
    let text = fs_err::read(&path).while_doing(action())?;
    carry_out(lock.scope(), &Journal::parse(&text, &path)?)?;
    Ok(true)
}

impl Journal {
    /// The journal that is written in `text`, with no entry that leads out of the scope; `path` is
    /// only named in errors.
    ///
    /// # Errors
    /// `journal-damaged`.
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        let damaged = |found: String| {
            Diagnostic::new(
                "journal-damaged",
                "the record of an interrupted publication is unusable",
            )
            .path(path)
            .expected("a journal written by pystamps-native")
            .found(found)
            .remedy("look at the files in `new` beside it, then delete this staging folder")
            .data()
        };
        let journal: Self = serde_json::from_slice(text).map_err(|e| damaged(e.to_string()))?;
        if let Some(name) = journal.entries().find(|name| !is_plain(name)) {
            return Err(damaged(format!("the entry '{name}'")));
        }
        Ok(journal)
    }

    /// Every name in it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        [&self.remove, &self.install, &self.markers].into_iter().flatten().map(String::as_str)
    }
}

/// Whether a publication of `scope` waits to be completed, or may, where the system does not tell.
pub fn is_pending(scope: &Path) -> bool {
    !matches!(is_there(&staging_folder(scope).join(JOURNAL)), Ok(false))
}

/// Whether there is an entry of that name.
fn is_there(path: &Path) -> std::io::Result<bool> {
    Ok(found(fs_err::symlink_metadata(path))?.is_some())
}

/// Whether there is a folder, or a link to one.
fn is_folder(path: &Path) -> std::io::Result<bool> {
    Ok(found(fs_err::metadata(path))?.is_some_and(|entry| entry.is_dir()))
}

/// What was found, if there is anything. That the system does not tell is no answer: taken for
/// "nothing", it would cost what is there.
fn found(asked: std::io::Result<Metadata>) -> std::io::Result<Option<Metadata>> {
    match asked {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        told => told.map(Some),
    }
}

/// Brings the commit point to the disk and carries out the moves of the journal.
///
/// # Errors
/// `publication-unfinished`: the journal stays.
fn carry_out(scope: &Path, journal: &Journal) -> Result<()> {
    let moved = sync(&staging_folder(scope)).and_then(|()| {
        fault_point();
        apply(scope, journal)
    });
    moved.map_err(|error| {
        Diagnostic::new("publication-unfinished", "the results are complete, but not all in place")
            .path(scope)
            .expected("files that can be moved to their places")
            .found(error)
            .remedy("mend the cause: the next command here moves the rest")
            .data()
    })
}

fn staging_folder(scope: &Path) -> PathBuf {
    scope.join(CONTROL_FOLDER).join(STAGING)
}

/// Carries out the moves of a journal; safe to repeat after any interruption, because an entry is
/// moved aside only while its successor is still staged.
fn apply(scope: &Path, journal: &Journal) -> std::io::Result<()> {
    let staging = staging_folder(scope);
    let (new, old) = (staging.join("new"), staging.join("old"));
    fs_err::create_dir_all(&old)?;
    for name in &journal.markers {
        if is_there(&new.join(name))? {
            set_aside(scope, &old, name)?;
        }
    }
    for name in &journal.remove {
        set_aside(scope, &old, name)?;
    }
    for name in &journal.install {
        let staged = new.join(name);
        if is_there(&staged)? {
            // A file is replaced by the rename itself, a folder has to make room first.
            if is_folder(&scope.join(name))? {
                set_aside(scope, &old, name)?;
            }
            fs_err::rename(&staged, scope.join(name))?;
            fault_point();
        }
    }
    let ledger = new.join(LEDGER_FILE);
    if is_there(&ledger)? {
        fs_err::rename(&ledger, scope.join(CONTROL_FOLDER).join(LEDGER_FILE))?;
        fault_point();
    }
    sync_all(&[scope.to_owned(), scope.join(CONTROL_FOLDER)])?;
    fs_err::remove_file(staging.join(JOURNAL))?;
    fault_point();
    // A journal that came back after a power cut would remove what was made since.
    sync(&staging)?;
    fs_err::remove_dir_all(&staging)
}

fn set_aside(scope: &Path, old: &Path, name: &str) -> std::io::Result<()> {
    let target = scope.join(name);
    if !is_there(&target)? {
        return Ok(());
    }
    let refuge = old.join(name);
    if is_folder(&refuge)? {
        fs_err::remove_dir_all(&refuge)?;
    }
    fs_err::rename(target, refuge)?;
    fault_point();
    Ok(())
}

/// Where tests make the process die: a debug build aborts when it passes its
/// `PYSTAMPS_FAULT_AFTER`-th fault point. Release builds have none.
fn fault_point() {
    #[cfg(debug_assertions)]
    {
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let limit = std::env::var("PYSTAMPS_FAULT_AFTER").ok().and_then(|text| text.parse().ok());
        if limit == Some(PASSED.fetch_add(1, Ordering::Relaxed) + 1) {
            std::process::abort();
        }
    }
}

/// One ordinary path component that is not our own folder, so that a journal can never reach
/// outside its scope or destroy what it is carried out with.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    // The whole text must be that name: `.pystamps/` has one component as well.
    let single = match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) => part == name,
        _ => false,
    };
    single && name != CONTROL_FOLDER
}

fn entry_names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Replaces one file as a whole: `write` fills a draft in the control folder beside it, which is
/// then renamed.
///
/// # Errors
/// Those of `write`, and I/O errors; the old file stays.
pub fn replace_file(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let action = || format!("replace {}", path.display());
    fs_err::create_dir_all(folder.join(CONTROL_FOLDER)).while_doing(action())?;
    let draft = folder.join(CONTROL_FOLDER).join(format!("{name}.{}.draft", std::process::id()));
    let replaced = write(&draft).and_then(|()| {
        fs_err::File::open(&draft)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs_err::rename(&draft, path))
            .while_doing(action())
    });
    if replaced.is_err() {
        // On a full disk every attempt would leave another.
        let _ = fs_err::remove_file(&draft);
    }
    replaced?;
    sync(folder).while_doing(action())
}

/// A folder and everything below it.
fn tree(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![folder.to_owned()];
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(tree(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Waits until files and folders are on the disk, for several at a time: the file system writes
/// down what is asked for meanwhile in one go.
fn sync_all(paths: &[PathBuf]) -> std::io::Result<()> {
    const AT_A_TIME: usize = 8;
    let next = AtomicUsize::new(0);
    let take = || paths.get(next.fetch_add(1, Ordering::Relaxed));
    let sync_rest = || std::iter::from_fn(take).try_for_each(|path| sync(path));
    std::thread::scope(|scope| {
        // Where there can be no more threads, this one does it all.
        let others: Vec<_> = (1..AT_A_TIME.min(paths.len()))
            .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, sync_rest).ok())
            .collect();
        let own = sync_rest();
        let failed = |_| Err(std::io::Error::other("synchronising panicked"));
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(failed))
            .fold(own, std::result::Result::and)
    })
}

fn sync(path: &Path) -> std::io::Result<()> {
    fs_err::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    fn read(path: PathBuf) -> Option<String> {
        fs_err::read_to_string(path).ok()
    }

    fn staged(lock: &ScopeLock) -> Transaction<'_> {
        let transaction = Transaction::begin(lock).unwrap();
        fs_err::write(transaction.folder().join("data"), "new").unwrap();
        fs_err::write(transaction.folder().join("marker"), "new").unwrap();
        fs_err::create_dir(transaction.folder().join("PATCH_1")).unwrap();
        fs_err::write(transaction.folder().join("PATCH_1/x"), "new").unwrap();
        transaction
    }

    /// The state of a process that died just after the commit point.
    fn die_after_commit(scope: &Path, lock: &ScopeLock) {
        let transaction = staged(lock);
        let journal = Journal {
            remove: vec!["later".into()],
            install: vec!["PATCH_1".into(), "data".into(), "marker".into()],
            markers: vec!["marker".into()],
        };
        let text = serde_json::to_vec(&journal).unwrap();
        fs_err::write(staging_folder(scope).join(JOURNAL), text).unwrap();
        drop(transaction);
    }

    fn old_state(scope: &Path) {
        for name in ["data", "marker", "later", "bystander"] {
            fs_err::write(scope.join(name), "old").unwrap();
        }
        fs_err::create_dir(scope.join("PATCH_1")).unwrap();
        fs_err::write(scope.join("PATCH_1/x"), "old").unwrap();
        fs_err::write(scope.join("PATCH_1/stale"), "old").unwrap();
    }

    fn assert_new_state(scope: &Path) {
        for name in ["data", "marker", "PATCH_1/x"] {
            assert_eq!(read(scope.join(name)).as_deref(), Some("new"), "{name}");
        }
        assert_eq!(read(scope.join("bystander")).as_deref(), Some("old"));
        assert!(!scope.join("later").exists());
        assert!(!scope.join("PATCH_1/stale").exists());
        assert!(!staging_folder(scope).exists());
    }

    /// Carries out the first `steps` elementary moves of a publication by hand, then recovers.
    #[test]
    fn recovery_from_every_intermediate_state() {
        for steps in 0..=6 {
            let folder = tempfile::tempdir().unwrap();
            let scope = folder.path();
            old_state(scope);
            let lock = ScopeLock::acquire(scope, "test", &Progress::silent()).unwrap();
            die_after_commit(scope, &lock);
            let (new, old) = (staging_folder(scope).join("new"), staging_folder(scope).join("old"));
            fs_err::create_dir(&old).unwrap();
            let moves: [(PathBuf, PathBuf); 6] = [
                (scope.join("marker"), old.join("marker")),
                (scope.join("later"), old.join("later")),
                (scope.join("PATCH_1"), old.join("PATCH_1")),
                (new.join("PATCH_1"), scope.join("PATCH_1")),
                (new.join("data"), scope.join("data")),
                (new.join("marker"), scope.join("marker")),
            ];
            for (from, to) in &moves[..steps] {
                fs_err::rename(from, to).unwrap();
            }
            assert!(is_pending(scope));
            assert!(recover(&lock).unwrap(), "after {steps} moves");
            assert_new_state(scope);
            assert!(!recover(&lock).unwrap());
        }
    }

    #[test]
    fn what_the_system_does_not_tell_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let scope = folder.path();
        old_state(scope);
        let lock = ScopeLock::acquire(scope, "test", &Progress::silent()).unwrap();
        die_after_commit(scope, &lock);
        let (new, aside) = (staging_folder(scope).join("new"), scope.join("aside"));
        fs_err::rename(&new, &aside).unwrap();
        // A link to itself: whatever is asked about it is refused.
        fs_err::os::unix::fs::symlink("new", &new).unwrap();
        assert_eq!(recover(&lock).unwrap_err().name(), "publication-unfinished");
        assert_eq!(Transaction::begin(&lock).unwrap_err().name(), "publication-unfinished");
        assert_eq!(read(scope.join("marker")).as_deref(), Some("old"));
        assert!(is_pending(scope));
        fs_err::remove_file(&new).unwrap();
        fs_err::rename(&aside, &new).unwrap();
        assert!(recover(&lock).unwrap());
        assert_new_state(scope);
    }

    #[test]
    fn a_transaction_dropped_before_publication_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        old_state(folder.path());
        let lock = ScopeLock::acquire(folder.path(), "test", &Progress::silent()).unwrap();
        let transaction = Transaction::begin(&lock).unwrap();
        fs_err::write(transaction.folder().join("data"), "new").unwrap();
        drop(transaction);
        assert!(!staging_folder(folder.path()).exists());
        assert_eq!(read(folder.path().join("data")).as_deref(), Some("old"));
        assert!(!recover(&lock).unwrap());
    }

    #[test]
    fn publication_installs_everything_and_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let scope = folder.path();
        old_state(scope);
        let lock = ScopeLock::acquire(scope, "test", &Progress::silent()).unwrap();
        staged(&lock).publish(&["later".into()], &["marker"], &Ledger::default()).unwrap();
        assert_new_state(scope);
        assert!(scope.join(CONTROL_FOLDER).join(LEDGER_FILE).exists());
    }

    #[test]
    fn a_journal_that_points_outside_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let lock = ScopeLock::acquire(folder.path(), "test", &Progress::silent()).unwrap();
        fs_err::create_dir_all(staging_folder(folder.path())).unwrap();
        let precious = tempfile::tempdir().unwrap();
        let absolute = precious.path().to_str().unwrap();
        for entry in ["../precious", absolute, "..", ".pystamps", ".pystamps/", "a/b", "a/"] {
            for list in ["remove", "install", "markers"] {
                let mut journal = serde_json::json!({ "remove": [], "install": [], "markers": [] });
                journal[list] = serde_json::json!([entry]);
                let path = staging_folder(folder.path()).join(JOURNAL);
                fs_err::write(path, journal.to_string()).unwrap();
                assert_eq!(recover(&lock).unwrap_err().name(), "journal-damaged", "{journal}");
            }
        }
        assert!(precious.path().exists());
    }
}
