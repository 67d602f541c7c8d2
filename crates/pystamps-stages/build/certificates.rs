//! Reads certificates and judges what they prove about the code as it is now.

use serde_json::Value;

/// The layout of certificates that is known here.
const SCHEMA: u64 = 1;

/// The essentials of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Whether everything that was tried held.
    pub(crate) passed: bool,
    /// Commit of the program that was certified.
    pub(crate) commit: String,
    /// When, as ISO 8601 has it.
    pub(crate) date: String,
    /// Version of the program.
    pub(crate) version: String,
    /// Digest of the code that was certified.
    pub(crate) code_sha256: String,
    /// Who made the results it was compared with.
    pub(crate) engine: String,
    /// Which of them: `full` if all.
    pub(crate) data: String,
    /// Scenes, with the outcome.
    pub(crate) cases: Vec<(String, bool)>,
    /// Changes made to results, each of which had to be noticed.
    pub(crate) mutations_made: u64,
    /// Those that were.
    pub(crate) mutations_detected: u64,
}

/// A certificate, if there is one that can be read, and what is missing to be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The certificate.
    pub(crate) certificate: Option<Certificate>,
    /// Why the code is not certified, one line; nothing if it is.
    pub(crate) shortfall: Option<String>,
}

/// Judges the certificate `text` called `name` of the code whose digest is `code_sha256`.
pub(crate) fn judge(text: Option<&str>, name: &str, code_sha256: Option<&str>) -> Judgement {
    let Some(text) = text else { return unread("no certificate") };
    match read(text, name) {
        Ok(certificate) => {
            let shortfall = shortfall(&certificate, code_sha256);
            Judgement { certificate: Some(certificate), shortfall }
        }
        Err(reason) => unread(&reason),
    }
}

fn unread(reason: &str) -> Judgement {
    Judgement { certificate: None, shortfall: Some(reason.to_owned()) }
}

/// The first seven letters of a commit.
pub(crate) fn short(commit: &str) -> String {
    commit.chars().take(7).collect()
}

fn read(text: &str, name: &str) -> Result<Certificate, String> {
    let json: Value = serde_json::from_str(text)
        .map_err(|error| format!("the certificate is no JSON (line {})", error.line()))?;
    match json.get("schema").and_then(Value::as_u64) {
        Some(SCHEMA) => {}
        Some(other) => return Err(format!("certificate of schema {other} is unknown")),
        None => return Err(lacking("schema")),
    }
    let word = |pointer: &str| {
        let found = json.pointer(pointer).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| lacking(pointer))
    };
    let count = |pointer: &str| {
        json.pointer(pointer).and_then(Value::as_u64).ok_or_else(|| lacking(pointer))
    };
    let certified = word("/name")?;
    if certified != name {
        return Err(format!("the certificate is that of {certified}"));
    }
    Ok(Certificate {
        passed: json.get("passed").and_then(Value::as_bool).ok_or_else(|| lacking("passed"))?,
        commit: word("/program/commit")?,
        date: word("/program/date")?,
        version: word("/program/version")?,
        code_sha256: word("/program/code_sha256")?,
        engine: word("/oracle/engine")?,
        data: word("/oracle/data")?,
        cases: cases(&json)?,
        mutations_made: count("/mutations/made")?,
        mutations_detected: count("/mutations/detected")?,
    })
}

fn cases(json: &Value) -> Result<Vec<(String, bool)>, String> {
    let listed = json.get("cases").and_then(Value::as_array).ok_or_else(|| lacking("cases"))?;
    let case = |value: &Value| {
        let name = value.get("name").and_then(Value::as_str)?;
        Some((name.to_owned(), value.get("passed").and_then(Value::as_bool)?))
    };
    listed.iter().map(|value| case(value).ok_or_else(|| lacking("cases[].name, passed"))).collect()
}

fn lacking(pointer: &str) -> String {
    format!("the certificate lacks {}", pointer.trim_start_matches('/').replace('/', "."))
}

/// What a certificate that can be read lacks to hold for the present code.
fn shortfall(certificate: &Certificate, code_sha256: Option<&str>) -> Option<String> {
    let Certificate { mutations_made: made, mutations_detected: detected, .. } = *certificate;
    let failed = certificate.cases.iter().find(|(_, passed)| !passed);
    if let Some((name, _)) = failed {
        return Some(format!("case {name} of the certificate did not pass"));
    }
    if !certificate.passed {
        return Some("the certificate did not pass".to_owned());
    }
    if certificate.cases.is_empty() {
        return Some("the certificate has no case".to_owned());
    }
    if made == 0 {
        return Some("the certificate has no mutation that could have been noticed".to_owned());
    }
    if made != detected {
        return Some(format!("{detected} of {made} mutations were noticed"));
    }
    if certificate.data != "full" {
        return Some(format!("the certificate is of {} data only", certificate.data));
    }
    let Some(now) = code_sha256 else {
        return Some("the code is not here to compare the certificate with".to_owned());
    };
    (certificate.code_sha256 != now)
        .then(|| format!("the code has changed since commit {}", short(&certificate.commit)))
}
