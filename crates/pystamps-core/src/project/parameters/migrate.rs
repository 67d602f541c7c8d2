//! Defines how parameter sets of older StaMPS versions are brought up to date (parameters.md 2.3).

use std::collections::BTreeSet;
use std::path::Path;

use pystamps_mat::{Value, Variables};

use crate::error::Result;

/// Renames and converts superseded fields; `folder` is where interferogram counts are looked up.
pub(super) fn migrate(parms: &mut Variables, folder: &Path) -> Result<()> {
    for obsolete in ["weed_alpha", "pixel_aspect_ratio"] {
        parms.remove(obsolete);
    }
    if let Some(size) = parms.get("plot_pixel_size").and_then(Value::to_scalar) {
        parms.remove("plot_pixel_size");
        parms.insert("plot_scatterer_size", Value::scalar(25.0 * size));
    }
    let small_baseline = parms
        .get("small_baseline_flag")
        .and_then(Value::to_text)
        .is_some_and(|flag| flag.eq_ignore_ascii_case("y"));
    let image_count = if small_baseline { "n_image" } else { "n_ifg" };
    complement(parms, folder, "unwrap_ifg_index", "drop_ifg_index", "n_ifg")?;
    complement(parms, folder, "recalc_index", "scla_drop_index", image_count)?;
    complement(parms, folder, "sb_recalc_index", "sb_scla_drop_index", "n_ifg")
}

/// Turns a list of used numbers into the list of dropped ones. The text `all` drops nothing; a list
/// whose count is not known yet stays until it is.
fn complement(
    parms: &mut Variables,
    folder: &Path,
    used: &str,
    dropped: &str,
    count: &str,
) -> Result<()> {
    let Some(value) = parms.get(used) else { return Ok(()) };
    if value.to_text().is_some() {
        parms.remove(used);
        return Ok(());
    }
    // Looked up once for every number there is: both lists can be as long as a hostile file likes.
    let kept = value.to_f64_vec().unwrap_or_default();
    let kept: BTreeSet<u64> = kept.into_iter().map(f64::to_bits).collect();
    let Some(total) = stored_count(folder, count)? else { return Ok(()) };
    let rest: Vec<f64> =
        (1..=total).map(|number| number as f64).filter(|n| !kept.contains(&n.to_bits())).collect();
    parms.remove(used);
    let rest = if rest.is_empty() { Value::empty() } else { Value::row_f64(&rest) };
    parms.insert(dropped, rest);
    Ok(())
}

fn stored_count(folder: &Path, variable: &str) -> Result<Option<u64>> {
    for name in ["ps2.mat", "ps1.mat"] {
        let path = folder.join(name);
        if path.exists() {
            let count = pystamps_mat::read_variable(&path, variable)?.to_scalar();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of interferograms; clamped to what a list can hold"
            )]
            return Ok(count.map(|count| count.clamp(0.0, 1e6) as u64));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_lists_become_dropped_lists() {
        let folder = tempfile::tempdir().unwrap();
        let mut ps = Variables::new();
        ps.insert("n_ifg", Value::scalar(5.0));
        let path = folder.path().join("ps1.mat");
        pystamps_mat::write(path, &ps, &pystamps_mat::WriteOptions::default()).unwrap();
        let mut parms = Variables::new();
        parms.insert("weed_alpha", Value::scalar(1.0));
        parms.insert("plot_pixel_size", Value::scalar(4.0));
        parms.insert("unwrap_ifg_index", Value::row_f64(&[1.0, 3.0, 4.0]));
        parms.insert("recalc_index", Value::text("all"));
        migrate(&mut parms, folder.path()).unwrap();
        let names: Vec<&str> = parms.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["plot_scatterer_size", "drop_ifg_index"]);
        assert_eq!(parms.get("plot_scatterer_size").unwrap().to_scalar(), Some(100.0));
        assert_eq!(parms.get("drop_ifg_index").unwrap().to_f64_vec(), Some(vec![2.0, 5.0]));
    }

    #[test]
    fn without_a_count_the_list_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut parms = Variables::new();
        parms.insert("unwrap_ifg_index", Value::row_f64(&[1.0]));
        migrate(&mut parms, folder.path()).unwrap();
        assert!(parms.get("unwrap_ifg_index").is_some());
    }
}
