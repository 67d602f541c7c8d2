//! Perpendicular baselines of every PS.

use std::path::Path;

use crate::error::Result;
use crate::project::artifacts::stage4;
use crate::project::stack::Stack;
use crate::stored_array::StoredArray;

/// Baselines of every PS in every interferogram; those of the interferograms where no file has them.
pub(crate) struct Baselines<'a> {
    stack: &'a Stack,
    of_ps: Option<StoredArray>,
}

impl<'a> Baselines<'a> {
    /// Opens `bp2.mat` in `folder`, if it is there.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape`.
    pub(crate) fn open(folder: &Path, stack: &'a Stack) -> Result<Self> {
        let there = folder.join(stage4::BASELINES.file).is_file();
        let open = || StoredArray::open(folder, &stage4::BASELINES, &stack.axis_lengths());
        Ok(Self { stack, of_ps: if there { Some(open()?) } else { None } })
    }

    /// Memory of an array that could not be left in its file.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.of_ps.as_ref().map_or(0, StoredArray::resident_bytes)
    }

    /// Baselines in the interferogram `column`, m; 0 in the master's slot.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn column(&self, column: usize) -> Result<Vec<f32>> {
        let rows = self.stack.row_count();
        #[expect(clippy::cast_possible_truncation, reason = "the original works in single here")]
        match (self.stack.measured_column(column), &self.of_ps) {
            (None, _) => Ok(vec![0.0; rows]),
            (Some(_), None) => Ok(vec![self.stack.bperp_m[column] as f32; rows]),
            (Some(measured), Some(stored)) => stored.real_column(measured),
        }
    }
}
