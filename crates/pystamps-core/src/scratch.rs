//! Keeps a large intermediate array (rows x interferograms, single precision) in memory, or in a
//! nameless file beside the results where it may not stay in memory.

use std::ops::Range;
use std::path::Path;

use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use crate::error::{IoContext, Result};
use crate::samples::Residence;

/// An array of columns that are written and read in pieces; zero at first.
#[derive(Debug)]
pub(crate) struct ScratchColumns {
    rows: usize,
    columns: usize,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    Memory(Vec<f32>),
    File(File),
}

/// Where intermediate arrays are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room<'a> {
    /// In memory or in files.
    pub(crate) residence: Residence,
    /// Folder of the files.
    pub(crate) folder: &'a Path,
}

impl Room<'_> {
    /// An array of `rows` x `columns`. A file has no name any more when this returns, so that
    /// nothing is left of it however the process ends.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn columns(&self, rows: usize, columns: usize) -> Result<ScratchColumns> {
        let storage = match self.residence {
            Residence::Memory => Storage::Memory(vec![0.0; rows * columns]),
            Residence::File => Storage::File(nameless_file(self.folder, 4 * rows * columns)?),
        };
        Ok(ScratchColumns { rows, columns, storage })
    }
}

impl ScratchColumns {
    /// Columns.
    pub(crate) fn column_count(&self) -> usize {
        self.columns
    }

    /// Replaces rows of a column from `first_row` on.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn write(&mut self, column: usize, first_row: usize, values: &[f32]) -> Result<()> {
        let first = column * self.rows + first_row;
        match &mut self.storage {
            Storage::Memory(all) => all[first..first + values.len()].copy_from_slice(values),
            Storage::File(file) => file
                .write_all_at(bytemuck::cast_slice(values), 4 * first as u64)
                .while_doing("keep an intermediate result beside the patch")?,
        }
        Ok(())
    }

    /// Reads `rows` of a column.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn read(&self, column: usize, rows: Range<usize>, out: &mut [f32]) -> Result<()> {
        let first = column * self.rows + rows.start;
        match &self.storage {
            Storage::Memory(all) => out.copy_from_slice(&all[first..first + rows.len()]),
            Storage::File(file) => file
                .read_exact_at(bytemuck::cast_slice_mut(out), 4 * first as u64)
                .while_doing("read an intermediate result back")?,
        }
        Ok(())
    }

    /// A whole column.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn column(&self, column: usize) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.rows];
        self.read(column, 0..self.rows, &mut values)?;
        Ok(values)
    }
}

/// A file of zeros in `folder` whose name is gone at once.
fn nameless_file(folder: &Path, bytes: usize) -> Result<File> {
    let path = folder.join(format!("scratch.{}", std::process::id()));
    let mut options = fs_err::OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .while_doing("make room for an intermediate result")?;
    fs_err::remove_file(&path).while_doing("hide an intermediate result")?;
    file.set_len(bytes as u64).while_doing("make room for an intermediate result")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_residences_keep_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        for residence in [Residence::Memory, Residence::File] {
            let room = Room { residence, folder: folder.path() };
            let mut scratch = room.columns(5, 3).unwrap();
            scratch.write(2, 1, &[7.0, 8.0]).unwrap();
            assert_eq!(scratch.column(2).unwrap(), [0.0, 7.0, 8.0, 0.0, 0.0]);
            assert_eq!(scratch.column(1).unwrap(), [0.0; 5]);
            assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
