//! Small exports made by the tests themselves, and what preparation makes of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use pystamps_core::prep::{PrepPlan, PrepRequest, PrepSummary, Processor, Tuning, plan, run};
use pystamps_core::progress::Progress;

/// Samples of a line.
pub(crate) const WIDTH: usize = 7;
/// Lines.
pub(crate) const LENGTH: usize = 9;
/// The master of [`Scene::single_master`].
pub(crate) const MASTER: &str = "20210224";
/// Its slaves.
pub(crate) const SLAVES: [&str; 3] = ["20210107", "20210212", "20210401"];

/// An export in a temporary folder.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    name: &'static str,
    width: usize,
    length: usize,
}

impl Scene {
    /// A single-master export with [`MASTER`] and [`SLAVES`].
    pub(crate) fn single_master() -> Self {
        Self::with_dates("export", MASTER, &SLAVES, (WIDTH, LENGTH))
    }

    /// A single-master export in a folder called `name`.
    pub(crate) fn with_dates(
        name: &'static str,
        master: &str,
        slaves: &[&str],
        (width, length): (usize, usize),
    ) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap(), name, width, length };
        for (index, date) in slaves.iter().chain([&master]).enumerate() {
            scene.write(&format!("rslc/{date}.rslc"), &scene.images(index));
            scene.write(&format!("rslc/{date}.rslc.par"), scene.par().as_bytes());
        }
        for (index, slave) in slaves.iter().enumerate() {
            scene.write_interferogram(&format!("diff0/{master}_{slave}"), index);
        }
        scene.write_geometry(master);
        scene
    }

    /// Three images, three pairs; the geometry is named after the second image.
    pub(crate) fn small_baselines() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scene = Self { folder, name: "export", width: WIDTH, length: LENGTH };
        let dates = ["20200203", "20200215", "20200227"];
        for (number, (first, second)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
            let pair = format!("SMALL_BASELINES/{}_{}", dates[first], dates[second]);
            for image in [first, second] {
                let path = format!("{pair}/{}.rslc", dates[image]);
                scene.write(&path, &scene.images(image));
                scene.write(&format!("{path}.par"), scene.par().as_bytes());
            }
            scene
                .write_interferogram(&format!("{pair}/{}_{}", dates[first], dates[second]), number);
        }
        scene.write_geometry(dates[1]);
        scene
    }

    fn write_interferogram(&self, stem: &str, index: usize) {
        let base = "initial_baseline(TCN): 0.0 -31.5 57.8 m m m\n\
                    initial_baseline_rate: 0.0 -0.07 -0.26 m/s m/s m/s\n";
        self.write(&format!("{stem}.base"), base.as_bytes());
        self.write(&format!("{stem}.diff"), &self.images(100 + index));
    }

    fn write_geometry(&self, master: &str) {
        let plane = |first: f32| self.floats(|pixel| first + pixel as f32 / 1024.0);
        self.write(&format!("geo/{master}.lon"), &plane(11.0));
        self.write(&format!("geo/{master}.lat"), &plane(44.0));
        self.write("geo/elevation_dem.rdc", &plane(200.0));
    }

    /// The export folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    /// A path in the export.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Writes a file of the export and its folders.
    pub(crate) fn write(&self, relative: &str, content: &[u8]) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }

    /// Replaces text in a text file of the export.
    pub(crate) fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.path(relative)).unwrap();
        assert!(text.contains(from), "{from}");
        self.write(relative, text.replace(from, to).as_bytes());
    }

    /// Removes a file of the export.
    pub(crate) fn remove(&self, relative: &str) {
        fs_err::remove_file(self.path(relative)).unwrap();
    }

    /// One big-endian float32 for each pixel.
    pub(crate) fn floats(&self, value: impl Fn(usize) -> f32) -> Vec<u8> {
        (0..self.width * self.length).flat_map(|pixel| value(pixel).to_be_bytes()).collect()
    }

    /// Whole-numbered complex samples: steady in every third pixel, restless elsewhere.
    pub(crate) fn samples(&self, seed: usize) -> Vec<[i16; 2]> {
        let sample = |pixel: usize| {
            let mixed = (pixel * 2_654_435_761) ^ (seed * 40_503 + 977) ^ (pixel * seed * 7919);
            let noise = i16::try_from(mixed / 64 % 100).unwrap();
            if pixel % 3 == 1 { [300 + noise, 40 - noise] } else { [noise * 4 - 150, noise - 31] }
        };
        (0..self.width * self.length).map(sample).collect()
    }

    fn images(&self, seed: usize) -> Vec<u8> {
        let samples = self.samples(seed);
        samples.into_iter().flatten().flat_map(|part| f32::from(part).to_be_bytes()).collect()
    }

    fn par(&self) -> String {
        let mut par = format!(
            "sensor: S1A\nimage_format: FCOMPLEX\nrange_samples: {}\nazimuth_lines: {}\n\
             heading: -167.0 degrees\nradar_frequency: 5.4050005e+09 Hz\n",
            self.width, self.length
        );
        for key in [
            "range_pixel_spacing",
            "near_range_slc",
            "center_range_slc",
            "prf",
            "sar_to_earth_center",
            "earth_radius_below_sensor",
        ] {
            writeln!(par, "{key}: 850000.25").unwrap();
        }
        par
    }

    /// A request with defaults.
    pub(crate) fn request(&self) -> PrepRequest {
        PrepRequest::new(Processor::Snap, self.root())
    }
}

/// What a preparation left behind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prepared {
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) summary: PrepSummary,
}

impl Prepared {
    /// A file as text.
    pub(crate) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(&self.files[Path::new(name)]).unwrap()
    }
}

/// Plans and runs `request`, which must succeed.
pub(crate) fn prepare(request: &PrepRequest) -> Prepared {
    prepare_with(request, Tuning::default())
}

/// As [`prepare`] with other block sizes.
pub(crate) fn prepare_with(request: &PrepRequest, tuning: Tuning) -> Prepared {
    let plan = PrepPlan { tuning, ..plan(request).unwrap() };
    let staging = tempfile::tempdir().unwrap();
    let summary = run(&plan, staging.path(), &Progress::silent()).unwrap();
    Prepared { files: tree(staging.path()), summary }
}

/// Relative path and content of every file below `root`.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(root).unwrap().to_path_buf();
                files.insert(relative, fs_err::read(path).unwrap());
            }
        }
    }
    files
}
