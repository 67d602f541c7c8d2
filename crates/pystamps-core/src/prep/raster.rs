//! Reads headerless rasters: lines of big-endian samples, nothing else.
//!
//! All reads are positional and whole lines; a raster larger than memory is never held. Byte
//! offsets are 64-bit, so neither 2^31 pixels nor 2^31 bytes is a border.

use std::io::ErrorKind;
use std::path::PathBuf;

use fs_err::os::unix::fs::FileExt;

use crate::error::IoContext;
use crate::{Diagnostic, Result};

/// A raster file whose size has been, or is to be, checked against the scene's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raster {
    pub(crate) path: PathBuf,
    pub(crate) width: usize,
    pub(crate) length: usize,
    pub(crate) sample_bytes: usize,
}

impl Raster {
    /// Size the file must have.
    pub(crate) fn bytes(&self) -> u64 {
        (self.line_bytes() as u64).saturating_mul(self.length as u64)
    }

    /// Bytes of one line.
    pub(crate) fn line_bytes(&self) -> usize {
        self.width.saturating_mul(self.sample_bytes)
    }

    /// Checks that the file exists and has exactly the size of the scene.
    ///
    /// # Errors
    /// `missing-raster` or `raster-size`.
    ///
    /// # StaMPS compatibility
    /// StaMPS drops a short tail, ignores a long one and repeats old bytes where a raster ends too
    /// soon (prep.md, sections 8 and 11); all three are refused here.
    pub(crate) fn check(&self) -> Result<()> {
        let metadata = match fs_err::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(self.missing()),
            Err(error) => return Err(error).while_doing("check a raster"),
        };
        if !metadata.is_file() {
            return Err(self.missing());
        }
        if metadata.len() != self.bytes() {
            return Err(self.wrong_size(metadata.len()));
        }
        Ok(())
    }

    /// Opens the file for [`OpenRaster::read_lines`].
    pub(crate) fn open(&self) -> Result<OpenRaster<'_>> {
        let file = fs_err::File::open(&self.path).while_doing("open a raster")?;
        Ok(OpenRaster { raster: self, file })
    }

    fn missing(&self) -> crate::Error {
        Diagnostic::new("missing-raster", "a raster of the export is missing")
            .path(&self.path)
            .expected(format!("a file of {} bytes", self.bytes()))
            .found("no such file")
            .remedy("export the scene again")
            .data()
    }

    fn wrong_size(&self, found_bytes: u64) -> crate::Error {
        let Self { width, length, sample_bytes, .. } = self;
        let lines = found_bytes as f64 / self.line_bytes().max(1) as f64;
        Diagnostic::new("raster-size", "the raster does not have the size of the scene")
            .path(&self.path)
            .expected(format!(
                "{} bytes ({length} lines x {width} samples x {sample_bytes} bytes)",
                self.bytes()
            ))
            .found(format!("{found_bytes} bytes ({lines:.2} lines)"))
            .remedy(
                "coregister and export all rasters on one grid; check azimuth_lines and \
                 range_samples in the master's .par",
            )
            .data()
    }
}

/// An open raster.
#[derive(Debug)]
pub(crate) struct OpenRaster<'a> {
    raster: &'a Raster,
    file: fs_err::File,
}

impl OpenRaster<'_> {
    /// Fills `buffer`, whole lines, starting with `first_line` (0-based).
    ///
    /// # Errors
    /// `raster-size` when the file has shrunk since it was checked, or [`crate::Error::Io`].
    pub(crate) fn read_lines(&self, first_line: usize, buffer: &mut [u8]) -> Result<()> {
        let offset = first_line as u64 * self.raster.line_bytes() as u64;
        match self.file.read_exact_at(buffer, offset) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                let found_bytes = self.file.metadata().while_doing("read a raster")?.len();
                Err(self.raster.wrong_size(found_bytes))
            }
            outcome => outcome.while_doing("read a raster"),
        }
    }
}

/// Many rasters read at the same lines, with few of them open.
///
/// The first rasters stay open; the others are opened for each read, so that thousands of images
/// work under any limit of open files.
#[derive(Debug)]
pub(crate) struct RasterStack<'a> {
    rasters: &'a [Raster],
    open: Vec<OpenRaster<'a>>,
}

impl<'a> RasterStack<'a> {
    /// Opens the first `open_files` of `rasters`.
    pub(crate) fn open(rasters: &'a [Raster], open_files: usize) -> Result<Self> {
        let open = rasters.iter().take(open_files).map(Raster::open).collect::<Result<_>>()?;
        Ok(Self { rasters, open })
    }

    /// As [`OpenRaster::read_lines`] of raster `index`.
    pub(crate) fn read_lines(&self, index: usize, first: usize, buffer: &mut [u8]) -> Result<()> {
        match self.open.get(index) {
            Some(raster) => raster.read_lines(first, buffer),
            None => self.rasters[index].open()?.read_lines(first, buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(bytes: &[u8]) -> (tempfile::TempDir, Raster) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("20210107.rslc");
        fs_err::write(&path, bytes).unwrap();
        (folder, Raster { path, width: 3, length: 2, sample_bytes: 4 })
    }

    #[test]
    fn size_must_fit_exactly() {
        let (_folder, good) = raster(&[0; 24]);
        good.check().unwrap();
        for bytes in [0, 23, 25, 48] {
            let (_folder, bad) = raster(&vec![0; bytes]);
            assert_eq!(bad.check().unwrap_err().name(), "raster-size");
        }
        let missing = Raster { path: "/nowhere/x.rslc".into(), ..good };
        assert_eq!(missing.check().unwrap_err().name(), "missing-raster");
    }

    #[test]
    fn offsets_pass_two_to_the_31_pixels() {
        let large = Raster { path: PathBuf::new(), width: 70_000, length: 70_000, sample_bytes: 8 };
        assert_eq!(large.bytes(), 39_200_000_000);
        let absurd = Raster { width: usize::MAX, ..large };
        assert_eq!(absurd.bytes(), u64::MAX);
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_an_error() {
        let (_folder, raster) = raster(&(0..24).collect::<Vec<_>>());
        let open = raster.open().unwrap();
        let mut line = [0; 12];
        open.read_lines(1, &mut line).unwrap();
        assert_eq!(line[0], 12);
        fs_err::write(&raster.path, [0; 20]).unwrap();
        let error = open.read_lines(1, &mut line).unwrap_err();
        assert_eq!(error.name(), "raster-size");
        assert!(error.to_string().contains("20 bytes"), "{error}");
    }

    #[test]
    fn a_stack_reads_the_same_with_any_number_of_open_files() {
        let (_one, first) = raster(&[1; 24]);
        let (_two, second) = raster(&[2; 24]);
        let rasters = [first, second];
        for open_files in 0..3 {
            let stack = RasterStack::open(&rasters, open_files).unwrap();
            let mut line = [0; 12];
            stack.read_lines(1, 0, &mut line).unwrap();
            assert_eq!(line, [2; 12]);
        }
    }
}
