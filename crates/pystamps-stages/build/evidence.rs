//! Gathers what is known of every scope, and writes it down as constants.

use std::fmt::Write as _;
use std::path::Path;

use fs_err as fs;

use crate::certificates::{Judgement, judge};
use crate::closure::{Closures, hexadecimal};
use crate::differences::{Difference, Section, sections};
use crate::foundation::foundation;

/// What a certificate is about.
pub(crate) struct Subject {
    /// Name of the certificate.
    pub(crate) name: &'static str,
    /// The module of `pystamps-core` its code begins with; the chain has those of all others.
    pub(crate) start: Option<&'static str>,
    /// Its section in `docs/differences.md`.
    pub(crate) section: Option<&'static str>,
}

const fn scope(name: &'static str, start: &'static str, section: &'static str) -> Subject {
    Subject { name, start: Some(start), section: Some(section) }
}

/// The nine stage scopes, then preparation and the chain of all of them.
pub(crate) const SUBJECTS: [Subject; 11] = [
    scope("stage1-patch", "native_stage1", "Stage 1"),
    scope("stage2-patch", "native_stage2", "Stage 2"),
    scope("stage3-patch", "native_stage3", "Stage 3"),
    scope("stage4-patch", "native_stage4", "Stage 4"),
    scope("stage5-patch", "native_stage5", "Stage 5, patches"),
    scope("stage5-merged", "native_stage5", "Stage 5, merged"),
    scope("stage6-merged", "native_stage6", "Stage 6"),
    scope("stage7-merged", "native_stage7", "Stage 7"),
    scope("stage8-merged", "native_stage8", "Stage 8"),
    scope("prep", "prep", "Preparation"),
    Subject { name: "chain", start: None, section: None },
];

/// What was measured of one subject.
pub(crate) struct Measured {
    name: &'static str,
    /// Whether there is code of it.
    implemented: bool,
    code_sha256: Option<String>,
    /// Modules of the kernels, and other crates of numerics, that its code uses.
    numerics: Vec<String>,
    judgement: Judgement,
    anchor: String,
    deviations: Vec<Difference>,
}

/// Measures every subject in the tree `workspace`, parts of which may be missing.
///
/// # Errors
/// Sources that cannot be read, and a document of differences that cannot be understood.
pub(crate) fn measure(workspace: &Path) -> Result<Vec<Measured>, String> {
    let closures = Closures::read(workspace)?;
    let foundation = foundation(workspace);
    let sections = match fs::read_to_string(workspace.join("docs/differences.md")) {
        Ok(text) => Some(sections(&text)?),
        Err(_) => None,
    };
    let mut digests = String::new();
    let mut measured = Vec::new();
    for subject in &SUBJECTS {
        let (code_sha256, numerics) = match subject.start {
            Some(start) => (closures.digest(start, &foundation), numerics(&closures, start)),
            None => (closures.has_sources().then(|| hexadecimal(&digests)), Vec::new()),
        };
        let code = code_sha256.as_deref();
        writeln!(digests, "{} {}", code.unwrap_or("none"), subject.name).expect("a string grows");
        let certificate = workspace.join(format!("parity/certificates/{}.json", subject.name));
        // What is no text is no certificate either.
        let text =
            fs::read(&certificate).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let judgement = judge(text.as_deref(), subject.name, code);
        let section = section_of(subject, sections.as_deref())?;
        measured.push(Measured {
            name: subject.name,
            implemented: code_sha256.is_some() || !closures.has_sources(),
            numerics,
            judgement,
            anchor: section.map(|section| section.anchor.clone()).unwrap_or_default(),
            deviations: section.map(|section| section.rows.clone()).unwrap_or_default(),
            code_sha256,
        });
    }
    Ok(measured)
}

/// The section about `subject`, where there is a document and it has to have one.
fn section_of<'a>(
    subject: &Subject,
    sections: Option<&'a [Section]>,
) -> Result<Option<&'a Section>, String> {
    let (Some(heading), Some(sections)) = (subject.section, sections) else { return Ok(None) };
    let found = sections.iter().find(|section| section.heading == heading);
    found.map(Some).ok_or_else(|| format!("docs/differences.md has no section '{heading}'"))
}

/// Modules of numerics that the code beginning with `start` reaches.
fn numerics(closures: &Closures, start: &str) -> Vec<String> {
    let units = closures.units(start);
    let named = units.iter().filter_map(|unit| match unit.krate {
        "pystamps-kernels" => Some(unit.module.clone()),
        "pystamps-unwrap" => Some("pystamps_unwrap".to_owned()),
        _ => None,
    });
    named.collect()
}

/// The measurements as Rust: constants of the types that `src/lib.rs` has.
pub(crate) fn as_rust(measured: &[Measured]) -> String {
    let mut code = format!("pub(crate) static EVIDENCE: [Evidence; {}] = [\n", measured.len());
    for one in measured {
        let state = match (&one.judgement.shortfall, one.implemented) {
            (_, false) => "Planned",
            (None, true) => "Certified",
            (Some(_), true) => "Native",
        };
        let shortfall = one.judgement.shortfall.as_ref();
        let reason =
            if one.implemented { shortfall.map(String::as_str) } else { Some("no code yet") };
        let deviations: String =
            one.deviations.iter().map(|row| deviation(row, &one.anchor)).collect();
        let certificate = certificate(&one.judgement);
        writeln!(
            code,
            "    Evidence {{ name: {:?}, state: State::{state}, reason: {reason:?}, code_sha256: {:?}, \
             numerics: &{:?}, deviations: &[{deviations}], certificate: {certificate} }},",
            one.name, one.code_sha256, one.numerics,
        )
        .expect("a string grows");
    }
    code + "];\n"
}

fn deviation(row: &Difference, anchor: &str) -> String {
    let link = format!("docs/differences.md#{anchor}");
    let Difference { original, pystamps } = row;
    format!("Deviation {{ original: {original:?}, pystamps: {pystamps:?}, link: {link:?} }}, ")
}

fn certificate(judgement: &Judgement) -> String {
    let Some(one) = &judgement.certificate else { return "None".to_owned() };
    let cases: Vec<&str> = one.cases.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "Some(Certificate {{ passed: {}, commit: {:?}, date: {:?}, version: {:?}, engine: {:?}, \
         data: {:?}, cases: &{cases:?}, mutations_made: {}, mutations_detected: {} }})",
        one.passed,
        one.commit,
        one.date,
        one.version,
        one.engine,
        one.data,
        one.mutations_made,
        one.mutations_detected,
    )
}
