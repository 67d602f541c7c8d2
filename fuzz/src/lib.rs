//! What the fuzz targets share: an allocator that counts, and a folder in memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD_BYTES.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK_BYTES.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Memory that a parser may take whatever its input: buffers of decompressors and of lines.
const FIXED_BYTES: usize = 2 << 20;
/// Bytes it may take for every byte of input: deflate makes up to 1032 of one, values in memory up to
/// eight of one that is stored as a byte, and both are held while one is turned into the other.
const BYTES_PER_INPUT_BYTE: usize = 2 * 8 * 1032;

/// Runs a parser on `input`; panics if it has held more than a fixed multiple of it at a time.
pub fn bounded<T>(input: &[u8], parse: impl FnOnce() -> T) -> T {
    let before = HELD_BYTES.load(Ordering::Relaxed);
    PEAK_BYTES.store(before, Ordering::Relaxed);
    let result = parse();
    let taken = PEAK_BYTES.load(Ordering::Relaxed).saturating_sub(before);
    let allowed = FIXED_BYTES + BYTES_PER_INPUT_BYTE * input.len();
    assert!(taken <= allowed, "{taken} bytes for an input of {}", input.len());
    result
}

/// A folder of this process, in memory where the system has such a place.
pub fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = place.join(format!("pystamps-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the inputs");
        folder
    })
}
