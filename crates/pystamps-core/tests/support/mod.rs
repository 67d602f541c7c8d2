//! A small prepared project for the black-box tests of stage 1, made file by file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use pystamps_core::progress::Progress;
use pystamps_core::project::parameters::Parameters;

/// Number of candidates of the project's one patch.
pub(crate) const CANDIDATES: usize = 6;

/// Slave dates of the project; the master is [`MASTER`].
pub(crate) const SLAVES: [&str; 3] = ["20210101", "20210125", "20210206"];
/// Master date of the project.
pub(crate) const MASTER: &str = "20210113";

/// A project in a temporary folder: `export/`, `project/` with `PATCH_1`.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// A project that stage 1 accepts.
    pub(crate) fn new() -> Self {
        Self::named("project", MASTER, &SLAVES)
    }

    /// The same with another folder name and other dates.
    pub(crate) fn named(name: &str, master: &str, slaves: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let export = folder.path().join(name).join("export");
        let patch = folder.path().join(name).join("PATCH_1");
        fs_err::create_dir_all(&export).unwrap();
        fs_err::create_dir_all(&patch).unwrap();
        let root = folder.path().join(name);
        let par = export.join(format!("{master}.rslc.par"));
        fs_err::write(&par, PAR).unwrap();
        fs_err::write(root.join("rsc.txt"), format!("{}\n", par.display())).unwrap();
        let mut list = "20\n".to_owned();
        for (number, slave) in slaves.iter().enumerate() {
            let stem = export.join(format!("{master}_{slave}"));
            writeln!(list, "{}.diff", stem.display()).unwrap();
            fs_err::write(stem.with_extension("base"), base(number)).unwrap();
        }
        fs_err::write(root.join("pscphase.in"), list).unwrap();
        fs_err::write(root.join("patch.list"), "PATCH_1\n").unwrap();
        Parameters::create(&root, false, "snap").unwrap().save().unwrap();
        let project = Self { folder };
        project.write_candidates(name, CANDIDATES, slaves.len());
        project
    }

    fn write_candidates(&self, name: &str, count: usize, interferograms: usize) {
        let patch = self.folder.path().join(name).join("PATCH_1");
        let mut ij = String::new();
        let mut da = String::new();
        let (mut ll, mut hgt, mut ph) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..count {
            // Later candidates lie further south, so that sorting turns the order round.
            writeln!(ij, "{} {} {}", i + 1, 2 * i, 3 * i).unwrap();
            writeln!(da, "0.{}", i + 1).unwrap();
            ll.extend((11.3_f32 + 0.001 * i as f32).to_be_bytes());
            ll.extend((44.2_f32 - 0.001 * i as f32).to_be_bytes());
            hgt.extend((100.0_f32 + i as f32).to_be_bytes());
        }
        for value in 0..count * interferograms {
            ph.extend((value as f32).to_be_bytes());
            ph.extend((-(value as f32)).to_be_bytes());
        }
        fs_err::write(patch.join("pscands.1.ij"), ij).unwrap();
        fs_err::write(patch.join("pscands.1.da"), da).unwrap();
        fs_err::write(patch.join("pscands.1.ll"), ll).unwrap();
        fs_err::write(patch.join("pscands.1.hgt"), hgt).unwrap();
        fs_err::write(patch.join("pscands.1.ph"), ph).unwrap();
    }

    /// The project's root.
    pub(crate) fn root(&self) -> PathBuf {
        let mut entries = fs_err::read_dir(self.folder.path()).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    /// The project's patch.
    pub(crate) fn patch(&self) -> PathBuf {
        self.root().join("PATCH_1")
    }

    /// A file of the export by its name.
    pub(crate) fn export(&self, name: &str) -> PathBuf {
        self.root().join("export").join(name)
    }

    /// Reads one variable of a file of the patch.
    pub(crate) fn value(&self, file: &str, variable: &str) -> pystamps_mat::Value {
        pystamps_mat::read_variable(self.patch().join(file), variable).unwrap()
    }

    /// Runs stage 1 with the given options.
    pub(crate) fn run(
        &self,
        options: &pystamps_core::stage::StageOptions,
    ) -> pystamps_core::Result<pystamps_core::stage::StageOutcome> {
        pystamps_core::native_stage1::run_stage1_native(&self.patch(), options, &Progress::silent())
    }
}

/// Replaces text in a file.
pub(crate) fn edit(path: &Path, from: &str, to: &str) {
    let text = fs_err::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no '{from}'", path.display());
    fs_err::write(path, text.replace(from, to)).unwrap();
}

const PAR: &str = "title: test\nsensor: S1A\nrange_samples: 20\nazimuth_lines: 30\n\
    range_pixel_spacing: 13.2 m\nnear_range_slc: 856141.0187 m\ncenter_range_slc: 857131.0187 m\n\
    heading: -167.0 degrees\nradar_frequency: 5.4050005e+09 Hz\nprf: 485.714286 Hz\n\
    sar_to_earth_center: 7063000.0 m\nearth_radius_below_sensor: 6369500.0 m\n";

fn base(number: usize) -> String {
    format!(
        "initial_baseline(TCN): 0.0 {}.5 10.25 m m m\n\
         initial_baseline_rate: 0.0 -0.5 0.125 m/s m/s m/s\n",
        20 * number
    )
}
