//! The inventory against the code it speaks of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pystamps_stages::{FURTHER_EVIDENCE, INVENTORY, Readiness, Scope, State};

fn core(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pystamps-core/src").join(path)
}

/// All code of a module of `pystamps-core`.
fn code_of(path: &Path) -> String {
    if path.is_file() {
        return fs_err::read_to_string(path).expect("a source file");
    }
    let entries = fs_err::read_dir(path).expect("a folder of sources");
    entries.map(|entry| code_of(&entry.expect("an entry").path())).collect()
}

#[test]
fn five_patch_and_four_merged_scopes_in_order() {
    let patch = INVENTORY.iter().filter(|record| record.scope == Scope::Patch).count();
    assert_eq!((patch, INVENTORY.len() - patch), (5, 4));
    assert!(INVENTORY.windows(2).all(|pair| pair[0].stage <= pair[1].stage));
    for record in &INVENTORY {
        let Readiness { stage, scope, evidence, .. } = record;
        assert_eq!(evidence.name, format!("stage{stage}-{scope}"));
        assert_eq!(evidence.reason.is_none(), evidence.state == State::Certified);
        assert_ne!(evidence.state, State::Planned);
        assert_eq!(evidence.code_sha256.map(str::len), Some(64));
    }
    assert_eq!(FURTHER_EVIDENCE.map(|evidence| evidence.name), ["prep", "chain"]);
}

#[test]
fn entry_points_exist() {
    let ported = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ported = ported.join("../../python/pystamps_shim/pipeline/ported.py");
    let ported = fs_err::read_to_string(ported).expect("the Python reference");
    for record in &INVENTORY {
        let (module, function) = record.rust_entry.split_once("::").expect("a path");
        assert_eq!(module, format!("native_stage{}", record.stage));
        assert!(code_of(&core(module)).contains(&format!("pub fn {function}(")), "{function}");
        assert!(record.python_entry.starts_with(&format!("stage{}_", record.stage)));
        assert!(ported.contains(record.python_entry), "{}", record.python_entry);
    }
}

/// The module of `pystamps-kernels` behind every named kernel.
const KERNELS: [(&str, &str); 8] = [
    ("stage2_grid_accumulate", "grid_accumulate"),
    ("stage2_histogram", "histogram"),
    ("stage2_topofit", "topofit"),
    ("stage2_topofit_row_invariant", "topofit"),
    ("stage2_topofit_coh_row_invariant", "random_coherence"),
    ("stage4_edge_stats", "edge_noise"),
    ("stage7_scla", "look_angle_error"),
    ("stage8_edge_noise", "edge_series"),
];

#[test]
fn kernels_are_used_by_the_code() {
    for record in &INVENTORY {
        for kernel in record.kernels {
            let (_, module) =
                KERNELS.iter().find(|(name, _)| name == kernel).expect("a named kernel");
            assert!(record.evidence.numerics.contains(module), "{kernel} in {}", record.name);
        }
        // What its own folder uses directly is listed.
        let code = code_of(&core(&format!("native_stage{}", record.stage)));
        for (kernel, module) in KERNELS {
            let used = code.contains(&format!("use pystamps_kernels::{module}::{{"))
                || code.contains(&format!("use pystamps_kernels::{module}::{module};"));
            let listed = record
                .kernels
                .iter()
                .any(|name| KERNELS.iter().any(|(known, of)| known == name && *of == module));
            assert!(!used || listed, "{} uses {module} of {kernel}", record.name);
        }
    }
}

/// Names of the diagnostics about a mode of StaMPS that is not native, as the code has them.
const REFUSALS: [&str; 3] =
    ["\"mode-not-native\"", "\"mode-unsupported\"", "\"processor-unsupported\""];

/// The parameters that such diagnostics name.
fn refused_in(code: &str) -> BTreeSet<String> {
    let quoted = |text: &str| text.split('"').next().unwrap_or_default().to_owned();
    let mut found = BTreeSet::new();
    for part in REFUSALS.iter().flat_map(|name| code.split(name).skip(1)) {
        let variable = part.split(".variable(").nth(1).expect("a diagnostic names its variable");
        match variable.strip_prefix('"') {
            Some(literal) => found.extend([quoted(literal)]),
            // One function for several parameters: those that it is called with.
            None => found.extend(code.split("not_native(\"").skip(1).map(quoted)),
        }
    }
    found
}

/// How many such diagnostics there are.
fn refusals_in(code: &str) -> usize {
    REFUSALS.iter().map(|name| code.matches(name).count()).sum()
}

#[test]
fn refused_modes_are_those_of_the_code() {
    let mut all = BTreeSet::new();
    for record in &INVENTORY {
        let own = code_of(&core(&format!("native_stage{}", record.stage)));
        let mut code = own.clone();
        if own.contains("write_edge_series(self.root") {
            code += &code_of(&core("native_stage6"));
        }
        let mut expected = refused_in(&code);
        // Corrections without a field of their own are refused where fields are looked up.
        if code.contains("crate::troposphere::") {
            expected.insert("tropo_method".to_owned());
        }
        let listed: BTreeSet<String> = record
            .refused
            .iter()
            .map(|mode| mode.split_once(" = ").expect("parameter = value").0.to_owned())
            .collect();
        assert_eq!(listed, expected, "stage {} {}", record.stage, record.scope);
        all.extend(expected);
    }
    assert!(refused_in(&code_of(&core("prep"))).is_empty());
    let known =
        ["insar_processor", "quick_est_gamma_flag", "tropo_method", "unwrap_hold_good_values"];
    assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), known);
    // Nowhere else is a mode refused.
    let of_stages =
        (1..=8).map(|stage| refusals_in(&code_of(&core(&format!("native_stage{stage}")))));
    assert_eq!(refusals_in(&code_of(&core(""))), of_stages.sum());
}
