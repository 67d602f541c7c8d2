//! What the fuzz targets share: an allocator that counts, limits, and a folder in memory.

mod matlab;

pub use matlab::{is_v73, list_and_read, with_right_checksums};

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn grow(bytes: usize) {
    let held = HELD_BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK_BYTES.fetch_max(held, Ordering::Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs a parser; panics if it has held more than `allowed_bytes` at a time.
pub fn bounded<T>(allowed_bytes: usize, parse: impl FnOnce() -> T) -> T {
    let before = HELD_BYTES.load(Ordering::Relaxed);
    PEAK_BYTES.store(before, Ordering::Relaxed);
    let result = parse();
    let taken = PEAK_BYTES.load(Ordering::Relaxed).saturating_sub(before);
    assert!(taken <= allowed_bytes, "{taken} bytes held, {allowed_bytes} allowed");
    result
}

/// Bytes for a text: its smallest elements (`""`, `[]`, `1,`) become values of up to 32 bytes in
/// arrays that double when they grow; diagnostics and the first nodes of maps take some whatever it is.
pub const fn of_text(input: &[u8]) -> usize {
    (1 << 16) + 64 * input.len()
}

/// Bytes that the streams of a MATLAB file are expanded to.
pub const EXPANDED_BYTES: u64 = 1 << 16;

/// What the HDF5 library reserves for the messages that an object header claims to have, before it looks
/// whether the file is long enough for them: 65,535 of 48 bytes.
pub const HEADER_BYTES: usize = 48 << 16;

/// Bytes for a MATLAB file whose streams may expand to `expanded_bytes`: the smallest element, an empty
/// cell, takes eight in the file and fifteen times that in memory (`tests/hostile.rs`). Buffers of
/// decompressors and of metadata take up to 1 MiB whatever it is.
pub const fn of_matlab_file(input: &[u8], expanded_bytes: usize) -> usize {
    (1 << 20) + 16 * (input.len() + expanded_bytes)
}

/// Bytes for a MATLAB file that is read by its name, without limits: deflate makes up to 1032 of one.
pub const fn of_file_on_disk(input: &[u8]) -> usize {
    HEADER_BYTES + of_matlab_file(input, 1032 * input.len())
}

/// A file that is written again for every input.
pub struct InputFile {
    folder: PathBuf,
    path: PathBuf,
    file: File,
}

impl InputFile {
    /// Makes the file `name` in a folder of this process.
    pub fn new(name: &str) -> Self {
        let folder = folder();
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the input");
        let file = File::create(&path).expect("a file for the input");
        Self { folder, path, file }
    }

    /// Puts `input` into the file.
    pub fn hold(&self, input: &[u8]) {
        self.file.set_len(input.len() as u64).expect("the length of the input");
        self.file.write_all_at(input, 0).expect("the input");
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The file `name`, made at the first input.
pub fn input_file(name: &str) -> &'static InputFile {
    static FILE: OnceLock<InputFile> = OnceLock::new();
    FILE.get_or_init(|| InputFile::new(name))
}

/// The folder of this process where the system keeps what is temporary: whoever starts many gives them
/// a `TMPDIR` in memory and removes it.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("pystamps-fuzz-{}", std::process::id()))
}
