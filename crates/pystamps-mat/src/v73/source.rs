//! Shares one reader between the HDF5 library, for what describes the data, and us, for the data.

use hdf5_pure::{FormatError, Source};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// A reader that several owners read from at given offsets.
pub(super) struct SharedReader<R> {
    reader: Arc<Mutex<R>>,
    length: u64,
}

impl<R> Clone for SharedReader<R> {
    fn clone(&self) -> Self {
        Self { reader: Arc::clone(&self.reader), length: self.length }
    }
}

impl<R: Read + Seek> SharedReader<R> {
    pub(super) fn new(mut reader: R) -> io::Result<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader: Arc::new(Mutex::new(reader)), length })
    }

    /// Length of the file in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Fills `out` from `offset` on.
    pub(super) fn fill(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        // A reader whose owner panicked is still a reader: every call seeks first.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(offset))?;
        reader.read_exact(out)
    }
}

impl<R: Read + Seek> Source for SharedReader<R> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FormatError> {
        self.fill(offset, out).map_err(|source| FormatError::Source(source.to_string()))
    }
}
