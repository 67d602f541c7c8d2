//! Compiles hot loops a second time for wide vectors.

#[cfg(target_arch = "x86_64")]
use std::sync::LazyLock;

/// Whether loops run with AVX2: where the processor has it, unless the environment variable
/// `PYSTAMPS_PLAIN_VECTORS` is set, with which a test compares whole runs.
#[cfg(target_arch = "x86_64")]
static HAS_AVX2: LazyLock<bool> = LazyLock::new(|| {
    std::arch::is_x86_feature_detected!("avx2")
        && std::env::var_os("PYSTAMPS_PLAIN_VECTORS").is_none()
});

/// A loop over plain numbers. `run` must be `#[inline(always)]`, and so must all it calls.
pub trait Kernel {
    /// Does the work.
    fn run(self);
}

/// Runs `kernel` with AVX2 instructions where the processor has them.
///
/// Both compilations do the same operations in the same order (no fused multiply-add), so the
/// result is the same to the bit.
pub fn run_widest(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if *HAS_AVX2 {
        #[expect(unsafe_code, reason = "the only way to call code for a detected feature")]
        // SAFETY: the processor has just been found to have AVX2, the one feature required.
        unsafe {
            run_avx2(kernel);
        }
        return;
    }
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2(kernel: impl Kernel) {
    kernel.run();
}
