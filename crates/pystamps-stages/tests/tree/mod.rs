//! Source trees for tests.

use std::path::{Path, PathBuf};

use fs_err as fs;

/// The workspace of this crate.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder that lives as long as the test.
pub(crate) struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for a test") }
    }

    /// Sources, lock file, manifests and compiler of the workspace.
    pub(crate) fn copy_of_the_workspace() -> Self {
        let tree = Self::empty();
        for file in ["Cargo.lock", "Cargo.toml", "rust-toolchain.toml"] {
            tree.copy(file);
        }
        for krate in ["core", "kernels", "mat", "unwrap"] {
            tree.copy(&format!("crates/pystamps-{krate}/Cargo.toml"));
            tree.copy(&format!("crates/pystamps-{krate}/src"));
        }
        tree.copy("crates/pystamps-stages/Cargo.toml");
        tree
    }

    fn copy(&self, path: &str) {
        let source = workspace().join(path);
        if source.is_file() {
            return self.write(path, &fs::read_to_string(source).expect("a text"));
        }
        for entry in fs::read_dir(source).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            self.copy(&format!("{path}/{}", name.to_string_lossy()));
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).expect("a file of the tree")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(path, text).expect("a file of the tree");
    }
}
