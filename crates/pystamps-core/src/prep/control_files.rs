//! Writes the control files of the root and of each patch (prep.md, sections 3, 4).
//!
//! Lists hold one path a line, verbatim and without quotes. `calamp.out`, `selpsc.in` and
//! `selsbc.in` hold `path constant`: the constant is what follows the last blank, so a path may
//! contain blanks. A path with a line break is refused when the export is examined.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::plan::PrepPlan;
use super::text_format::push_six_digits;
use crate::Result;
use crate::error::IoContext;
use crate::project::layout::{PATCH_LIST, patch, patch_folder, root};

/// Writes every control file below `staging` and makes the patch folders.
pub(crate) fn write(plan: &PrepPlan, constants: &[f32], staging: &Path) -> Result<()> {
    let export = &plan.export;
    let width = format!("{}\n", plan.width);
    let number_and_paths = |paths: &[PathBuf]| [width.as_bytes(), &lines(paths)].concat();
    let calibration = calibration_lines(&export.slcs, constants);
    let threshold = format!("{}\n{width}", plan.amplitude_dispersion);
    let selection = if export.small_baselines { root::SELSBC_IN } else { root::SELPSC_IN };
    let names: Vec<_> = (1..=plan.patches.len()).map(|k| patch_folder(k) + "\n").collect();
    let positions = [export.longitude.clone(), export.latitude.clone()];
    for (name, content) in [
        (root::PROCESSOR_TXT, format!("{}\n", plan.processor.name()).into_bytes()),
        (root::WIDTH_TXT, width.clone().into_bytes()),
        (root::LEN_TXT, format!("{}\n", plan.length).into_bytes()),
        (root::RSC_TXT, lines(std::slice::from_ref(&export.master_par))),
        (root::CALAMP_IN, lines(&export.slcs)),
        (selection, [threshold.as_bytes(), &calibration].concat()),
        (root::CALAMP_OUT, calibration),
        (root::PSCPHASE_IN, number_and_paths(&export.interferograms)),
        (root::PSCDEM_IN, number_and_paths(&export.heights)),
        (root::PSCLONLAT_IN, number_and_paths(&positions)),
        (PATCH_LIST, names.concat().into_bytes()),
    ] {
        write_file(&staging.join(name), &content)?;
    }
    for (index, layout) in plan.patches.iter().enumerate() {
        let folder = staging.join(patch_folder(index + 1));
        fs_err::create_dir(&folder).while_doing("make a patch folder")?;
        write_file(&folder.join(patch::PATCH_IN), layout.window.to_text().as_bytes())?;
        write_file(&folder.join(patch::PATCH_NOOVER_IN), layout.core.to_text().as_bytes())?;
    }
    Ok(())
}

fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    fs_err::write(path, content).while_doing("write a control file")
}

fn lines(paths: &[PathBuf]) -> Vec<u8> {
    paths.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\n"].concat()).collect()
}

fn calibration_lines(paths: &[PathBuf], constants: &[f32]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, &constant) in paths.iter().zip(constants) {
        out.extend_from_slice(path.as_os_str().as_bytes());
        out.push(b' ');
        push_six_digits(&mut out, constant);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_follows_the_last_blank() {
        let paths = ["/a b/20210107.rslc", "/é/20210119.rslc"].map(PathBuf::from);
        let text = String::from_utf8(calibration_lines(&paths, &[0.231_996, 0.0])).unwrap();
        assert_eq!(text, "/a b/20210107.rslc 0.231996\n/é/20210119.rslc 0\n");
        assert_eq!(text.lines().next().unwrap().rsplit_once(' ').unwrap().0, "/a b/20210107.rslc");
    }
}
