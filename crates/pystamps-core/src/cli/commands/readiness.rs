//! `readiness`.

use pystamps_stages::{Certificate, Evidence, FURTHER_EVIDENCE, INVENTORY, Readiness, State};
use serde_json::{Value, json};

use crate::cli::arguments::ReadinessArguments;
use crate::cli::output::{print_json, print_line};
use crate::error::Result;

/// Version of the layout of the JSON.
const SCHEMA: u32 = 1;

pub(in crate::cli) fn run(arguments: &ReadinessArguments) -> Result<()> {
    if arguments.json {
        let scopes: Vec<Value> = INVENTORY.iter().map(scope_as_json).collect();
        let further: Vec<Value> =
            FURTHER_EVIDENCE.iter().map(|one| evidence_as_json(one)).collect();
        return print_json(&json!({
            "schema": SCHEMA, "scopes": scopes, "further_evidence": further,
        }));
    }
    print_scopes()?;
    print_further_evidence()?;
    print_reasons()
}

fn print_scopes() -> Result<()> {
    print_line(row("stage", "scope", "name", "state", "evidence"))?;
    for record in &INVENTORY {
        let Readiness { stage, scope, name, evidence, .. } = record;
        let [stage, scope, state] =
            [stage.to_string(), scope.to_string(), evidence.state.to_string()];
        print_line(row(&stage, &scope, name, &state, &summary(evidence)))?;
        for (place, mode) in record.refused.iter().enumerate() {
            print_line(format!("        {:<8}{mode}", if place == 0 { "refuses" } else { "" }))?;
        }
        print_deviations(evidence)?;
    }
    Ok(())
}

fn print_further_evidence() -> Result<()> {
    print_line("\nfurther evidence")?;
    for evidence in FURTHER_EVIDENCE {
        let state = evidence.state.to_string();
        print_line(row("", "", evidence.name, &state, &summary(evidence)))?;
        print_deviations(evidence)?;
    }
    Ok(())
}

/// How many deliberate differences there are, and where they are written.
fn print_deviations(evidence: &Evidence) -> Result<()> {
    let Some(first) = evidence.deviations.first() else { return Ok(()) };
    let count = evidence.deviations.len();
    let noun = if count == 1 { "deviation" } else { "deviations" };
    print_line(format!("        {count} {noun}: {}", first.link))
}

/// Why things are not certified, one line each.
fn print_reasons() -> Result<()> {
    let all = || INVENTORY.iter().map(|record| record.evidence).chain(FURTHER_EVIDENCE);
    if all().all(|evidence| evidence.state == State::Certified) {
        return Ok(());
    }
    print_line("\nnot certified")?;
    for evidence in all() {
        if let Some(reason) = evidence.reason {
            print_line(format!("{:<15} {reason}", evidence.name))?;
        }
    }
    Ok(())
}

fn row(stage: &str, scope: &str, name: &str, state: &str, evidence: &str) -> String {
    format!("{stage:<7} {scope:<7} {name:<21} {state:<10} {evidence}")
}

/// What the certificate stands on, in a few words.
fn summary(evidence: &Evidence) -> String {
    let Some(certificate) = &evidence.certificate else { return "-".to_owned() };
    format!(
        "{} cases, {} mutations, commit {}",
        certificate.cases.len(),
        certificate.mutations_made,
        certificate.short_commit()
    )
}

fn scope_as_json(record: &Readiness) -> Value {
    let evidence = record.evidence;
    json!({
        "stage": record.stage,
        "scope": record.scope.to_string(),
        "name": record.name,
        "certificate_name": evidence.name,
        "state": evidence.state.to_string(),
        "reason": evidence.reason,
        "code_sha256": evidence.code_sha256,
        "rust_entry": record.rust_entry,
        "python_entry": record.python_entry,
        "kernels": record.kernels,
        "numerics": evidence.numerics,
        "refused": record.refused,
        "deviations": deviations_as_json(evidence),
        "certificate": evidence.certificate.as_ref().map(certificate_as_json),
    })
}

fn evidence_as_json(evidence: &Evidence) -> Value {
    json!({
        "certificate_name": evidence.name,
        "state": evidence.state.to_string(),
        "reason": evidence.reason,
        "code_sha256": evidence.code_sha256,
        "numerics": evidence.numerics,
        "deviations": deviations_as_json(evidence),
        "certificate": evidence.certificate.as_ref().map(certificate_as_json),
    })
}

fn deviations_as_json(evidence: &Evidence) -> Vec<Value> {
    let deviations = evidence.deviations.iter();
    deviations
        .map(|one| json!({"original": one.original, "pystamps": one.pystamps, "link": one.link}))
        .collect()
}

fn certificate_as_json(certificate: &Certificate) -> Value {
    json!({
        "passed": certificate.passed,
        "commit": certificate.commit,
        "date": certificate.date,
        "version": certificate.version,
        "engine": certificate.engine,
        "data": certificate.data,
        "cases": certificate.cases,
        "mutations": {
            "made": certificate.mutations_made,
            "detected": certificate.mutations_detected,
        },
    })
}

#[cfg(test)]
mod tests {
    use pystamps_stages::{Certificate, Deviation, Evidence, State};

    use super::{evidence_as_json, summary};

    const CERTIFIED: Evidence = Evidence {
        name: "stage2-patch",
        state: State::Certified,
        reason: None,
        code_sha256: Some("00ff"),
        numerics: &["clap"],
        deviations: &[Deviation { original: "a", pystamps: "b", link: "docs/differences.md#x" }],
        certificate: Some(Certificate {
            passed: true,
            commit: "abc12340000",
            date: "2026-11-28",
            version: "0.6.0",
            engine: "StaMPS",
            data: "full",
            cases: &["T", "L"],
            mutations_made: 240,
            mutations_detected: 240,
        }),
    };

    #[test]
    fn a_certificate_in_a_few_words() {
        assert_eq!(summary(&CERTIFIED), "2 cases, 240 mutations, commit abc1234");
        assert_eq!(summary(&Evidence { certificate: None, ..CERTIFIED }), "-");
    }

    #[test]
    fn a_certificate_as_json() {
        let told = evidence_as_json(&CERTIFIED);
        assert_eq!(told["state"], "certified");
        assert!(told["reason"].is_null());
        assert_eq!(told["certificate"]["cases"], serde_json::json!(["T", "L"]));
        assert_eq!(told["certificate"]["mutations"]["detected"], 240);
        assert_eq!(told["deviations"][0]["link"], "docs/differences.md#x");
    }
}
