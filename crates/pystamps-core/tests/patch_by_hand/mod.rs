//! A small patch after stage 3, made by hand: every selected candidate is perfect until a test
//! spoils it.

use std::path::PathBuf;

use pystamps_core::project::parameters::Parameters;
use pystamps_mat::{Complex, Numeric, NumericData, Value, Variables, WriteOptions};

/// Interferograms with the master's slot, which is the third.
pub(crate) const INTERFEROGRAMS: usize = 6;
const MASTER: usize = 2;

/// A project with one patch.
pub(crate) struct HandMade {
    folder: tempfile::TempDir,
}

impl HandMade {
    /// A patch with candidates at `xy_m`, all selected, coherence growing with the row, pixels ten
    /// apart.
    pub(crate) fn new(xy_m: &[[f32; 2]]) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        fs_err::create_dir(made.patch()).unwrap();
        Parameters::create(made.folder.path(), false, "snap").unwrap().save().unwrap();
        fs_err::write(made.folder.path().join("patch.list"), "PATCH_1\n").unwrap();
        made.write_candidates(xy_m);
        made.write_estimates(xy_m.len());
        made
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    pub(crate) fn patch(&self) -> PathBuf {
        self.folder.path().join("PATCH_1")
    }

    /// Changes or adds a variable of a file of the patch.
    pub(crate) fn set(&self, file: &str, name: &str, value: Value) {
        let path = self.patch().join(file);
        let mut variables = pystamps_mat::read(&path).unwrap_or_default();
        variables.insert(name, value);
        pystamps_mat::write(&path, &variables, &WriteOptions::default()).unwrap();
    }

    pub(crate) fn value(&self, file: &str, name: &str) -> Value {
        pystamps_mat::read_variable(self.patch().join(file), name).unwrap()
    }

    pub(crate) fn reals(&self, file: &str, name: &str) -> Vec<f64> {
        self.value(file, name).to_f64_vec().unwrap()
    }

    fn write(&self, file: &str, variables: &Variables) {
        let path = self.patch().join(file);
        pystamps_mat::write(path, variables, &WriteOptions::default()).unwrap();
    }

    fn write_candidates(&self, xy_m: &[[f32; 2]]) {
        let n = xy_m.len();
        let numbers: Vec<f64> = (1..=n).map(|i| i as f64).collect();
        let tens: Vec<f64> = (0..n).map(|i| 10.0 * i as f64).collect();
        let ij = [numbers.clone(), tens.clone(), tens].concat();
        let xy: Vec<f32> = (1..=n)
            .map(|i| i as f32)
            .chain(xy_m.iter().map(|p| p[0]))
            .chain(xy_m.iter().map(|p| p[1]))
            .collect();
        let lonlat: Vec<f64> = xy_m
            .iter()
            .map(|p| 11.0 + f64::from(p[0]) / 8e4)
            .chain(xy_m.iter().map(|p| 44.0 + f64::from(p[1]) / 1.1e5))
            .collect();
        let days: Vec<f64> = (0..INTERFEROGRAMS).map(|k| 737_000.0 + 12.0 * k as f64).collect();
        let mut bperp: Vec<f32> = (0..INTERFEROGRAMS).map(|k| 40.0 - 17.0 * k as f32).collect();
        bperp[MASTER] = 0.0;
        let baselines = Value::column_f32(&bperp);
        bperp.remove(MASTER);
        self.write(
            "ps1.mat",
            &[
                ("ij", matrix(n, 3, NumericData::F64(ij))),
                ("lonlat", matrix(n, 2, NumericData::F64(lonlat))),
                ("xy", matrix(n, 3, NumericData::F32(xy))),
                ("bperp", baselines),
                ("day", Value::column_f64(&days)),
                ("master_day", Value::scalar(days[MASTER])),
                ("master_ix", Value::scalar(MASTER as f64 + 1.0)),
                ("n_ifg", Value::scalar(INTERFEROGRAMS as f64)),
                ("n_image", Value::scalar(INTERFEROGRAMS as f64)),
                ("n_ps", Value::scalar(n as f64)),
                ("sort_ix", Value::column_f64(&numbers)),
                ("ll0", Value::row_f64(&[11.0, 44.0])),
                ("mean_incidence", Value::scalar(0.6)),
                ("mean_range", Value::scalar(850_000.0)),
            ]
            .into_iter()
            .collect(),
        );
        let rows = |value: f32| vec![value; n];
        let bperp_mat: Vec<f32> = bperp.iter().flat_map(|&b| rows(b)).collect();
        self.set("bp1.mat", "bperp_mat", matrix(n, bperp.len(), NumericData::F32(bperp_mat)));
        self.set("ph1.mat", "ph", phasors(n, INTERFEROGRAMS));
        self.set("hgt1.mat", "hgt", Value::column_f64(&vec![100.0; n]));
        self.set("la1.mat", "la", Value::column_f64(&vec![0.6; n]));
    }

    fn write_estimates(&self, n: usize) {
        let measured = INTERFEROGRAMS - 1;
        self.set("pm1.mat", "ph_patch", phasors(n, measured));
        let coherence: Vec<f64> = (0..n).map(|i| 0.5 + i as f64 / 1e4).collect();
        let residual = matrix(n, measured, NumericData::F32(vec![0.1; n * measured]));
        let numbers: Vec<f64> = (1..=n).map(|i| i as f64).collect();
        self.write(
            "select1.mat",
            &[
                ("ix", Value::column_f64(&numbers)),
                ("keep_ix", Value::from_logical_column(&vec![true; n])),
                ("ph_res2", residual),
                ("K_ps2", Value::column_f64(&vec![0.001; n])),
                ("C_ps2", Value::column_f64(&vec![0.2; n])),
                ("coh_ps2", Value::column_f64(&coherence)),
            ]
            .into_iter()
            .collect(),
        );
    }
}

/// Phase that differs a little from row to row.
pub(crate) fn phasors(rows: usize, columns: usize) -> Value {
    let sample = |row: usize, column: usize| {
        let angle = 0.3 * ((row * 7 + column * 3) % 11) as f32 / 11.0;
        Complex::new(angle.cos(), angle.sin())
    };
    let data = (0..columns).flat_map(|c| (0..rows).map(move |r| sample(r, c))).collect();
    matrix(rows, columns, NumericData::C32(data))
}

pub(crate) fn matrix(rows: usize, columns: usize, data: NumericData) -> Value {
    Value::Numeric(Numeric::new(vec![rows, columns], data).unwrap())
}
