//! Bounds what reading a file that cannot be trusted may cost.

/// Limits that [`read_with_limits`](crate::read_with_limits) obeys.
///
/// Data stored as they are never cost more than a small multiple of the file. Compressed data can
/// expand a thousandfold, legitimately so where an array is all zeros; `expanded_bytes` is where
/// patience ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Memory that the compressed parts of one file may take once expanded.
    ///
    /// `None` means 1 GiB or 16 times the size of the file, whichever is more.
    pub expanded_bytes: Option<u64>,
    /// How deep cells and structures may nest.
    pub nesting: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { expanded_bytes: None, nesting: 64 }
    }
}

impl ReadLimits {
    /// The limit of expanded memory for a file of this size.
    pub(crate) fn expanded_bytes_of(&self, file_bytes: u64) -> u64 {
        self.expanded_bytes.unwrap_or_else(|| file_bytes.saturating_mul(16).max(1 << 30))
    }
}
