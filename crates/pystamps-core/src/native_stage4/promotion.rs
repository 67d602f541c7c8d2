//! Writes the files of the remaining PS: version 2 of everything stages 1 to 3 said of them.

use std::path::Path;

use pystamps_mat::Variables;

use super::selection::Selection;
use crate::error::Result;
use crate::mat_output::{count, single_variable, write_streamed, write_variables};
use crate::progress::Progress;
use crate::project::artifacts::{AxisLengths, Variable, stage1, stage4};
use crate::project::stack::Stack;
use crate::stored_array::{StoredArray, load_rows, select_rows};

/// A patch whose PS have been chosen.
pub(crate) struct Promotion<'a> {
    /// The patch.
    pub(crate) folder: &'a Path,
    /// Its candidates.
    pub(crate) stack: &'a Stack,
    /// Those that remain.
    pub(crate) chosen: &'a Selection,
}

impl Promotion<'_> {
    /// Writes `ps2.mat`, `ph2.mat`, `pm2.mat`, `bp2.mat`, and `hgt2.mat`, `la2.mat`, `inc2.mat` where
    /// stage 1 made their first versions, into `staging`.
    ///
    /// # StaMPS compatibility
    /// Stage4.md section 6: identifiers in `ij` and `xy` keep the numbers of the candidates,
    /// baselines and origin are those of all candidates, `sort_ix` and `D_A` are left behind.
    ///
    /// # Errors
    /// MATLAB file errors; `variable-shape` where files disagree in length.
    pub(crate) fn write(&self, staging: &Path, progress: &Progress) -> Result<()> {
        let rows = &self.chosen.candidates;
        let candidates = self.stack.axis_lengths();
        self.write_positions(staging)?;
        let columns = 2 * candidates.interferograms + 4 * candidates.measured_interferograms;
        let phase = progress.phase("writing the PS", columns as u64, "columns");
        for (variable, file) in
            [(stage1::PHASE, stage4::PHASE.file), (stage1::BASELINES, stage4::BASELINES.file)]
        {
            let array = StoredArray::open(self.folder, &variable, &candidates)?;
            let mut source = array.rows(rows, &phase);
            let streamed = array.streamed(rows.len(), &mut *source);
            write_streamed(staging, file, &mut [streamed], &Variables::new())?;
        }
        let patch_phase =
            StoredArray::open(self.folder, &stage4::CANDIDATE_PATCH_PHASE, &candidates)?;
        let selected = self.selected_lengths();
        let residual = StoredArray::open(self.folder, &stage4::SELECTED_RESIDUAL, &selected)?;
        let (mut first, mut second) =
            (patch_phase.rows(rows, &phase), residual.rows(&self.chosen.selected, &phase));
        let mut streamed = [
            patch_phase.streamed(rows.len(), &mut *first),
            residual.streamed(rows.len(), &mut *second),
        ];
        streamed[1].name = stage4::RESIDUAL.name;
        write_streamed(staging, stage4::PATCH_PHASE.file, &mut streamed, &self.estimates()?)?;
        for (variable, promoted) in [
            (stage4::CANDIDATE_HEIGHT, stage4::HEIGHT),
            (stage1::LOOK_ANGLE, stage4::LOOK_ANGLE),
            (stage4::CANDIDATE_INCIDENCE, stage4::INCIDENCE),
        ] {
            self.write_column(&variable, &promoted, staging)?;
        }
        Ok(())
    }

    fn selected_lengths(&self) -> AxisLengths {
        AxisLengths { scatterers: self.chosen.selected_count, ..self.stack.axis_lengths() }
    }

    /// `coh_ps`, `K_ps` and `C_ps` of stage 3's second estimate.
    fn estimates(&self) -> Result<Variables> {
        let lengths = self.selected_lengths();
        [
            (stage4::COHERENCE.name, stage4::SELECTED_COHERENCE),
            (stage4::SLOPE.name, stage4::SELECTED_SLOPE),
            (stage4::OFFSET.name, stage4::SELECTED_OFFSET),
        ]
        .into_iter()
        .map(|(name, variable)| {
            Ok((name, load_rows(self.folder, &variable, &lengths, &self.chosen.selected)?))
        })
        .collect()
    }

    fn write_column(&self, from: &Variable, to: &Variable, staging: &Path) -> Result<()> {
        if !self.folder.join(from.file).is_file() {
            return Ok(());
        }
        let lengths = self.stack.axis_lengths();
        let value = load_rows(self.folder, from, &lengths, &self.chosen.candidates)?;
        write_variables(staging, to.file, &single_variable(to.name, value))
    }

    /// `ps2.mat`: everything in `ps1.mat` but the order of the candidate files.
    fn write_positions(&self, staging: &Path) -> Result<()> {
        let mut variables = pystamps_mat::read(self.folder.join("ps1.mat"))?;
        variables.remove("sort_ix");
        for name in ["ij", "lonlat", "xy"] {
            if let Some(value) = variables.get(name) {
                let value = select_rows(value, &self.chosen.candidates);
                variables.insert(name, value);
            }
        }
        variables.insert("n_ps", count(self.chosen.len()));
        write_variables(staging, "ps2.mat", &variables)
    }
}
