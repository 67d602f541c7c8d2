//! What a certificate must say for a scope to be certified, and what is said where it does not.

#[path = "../build/certificates.rs"]
mod certificates;

use certificates::{judge, short};
use serde_json::{Value, json};

const NAME: &str = "stage2-patch";
const CODE: &str = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";

fn certificate() -> Value {
    json!({
        "schema": 1, "name": NAME, "stage": 2, "scope": "patch", "passed": true,
        "oracle": {"engine": "StaMPS 4.1b under GNU Octave 7.3.0", "data": "full"},
        "program": {
            "version": "0.6.0", "commit": "0123456789abcdef0123456789abcdef01234567",
            "date": "2026-11-28T06:00:00Z", "code_sha256": CODE,
        },
        "cases": [{"name": "T", "passed": true, "seconds": 1.5}, {"name": "L", "passed": true}],
        "mutations": {"made": 120, "detected": 120},
        "something": "newer",
    })
}

fn shortfall_with(pointer: &str, value: Value) -> String {
    let mut changed = certificate();
    *changed.pointer_mut(pointer).expect("a field of the certificate") = value;
    judge(Some(&changed.to_string()), NAME, Some(CODE)).shortfall.expect("a certificate that fails")
}

#[test]
fn a_good_certificate_certifies() {
    let judgement = judge(Some(&certificate().to_string()), NAME, Some(CODE));
    assert_eq!(judgement.shortfall, None);
    let read = judgement.certificate.expect("a certificate");
    assert_eq!(read.cases, [("T".to_owned(), true), ("L".to_owned(), true)]);
    assert_eq!((read.mutations_made, read.mutations_detected), (120, 120));
    let told = [&read.version, &read.date, &read.engine, &read.data];
    assert_eq!(
        told,
        ["0.6.0", "2026-11-28T06:00:00Z", "StaMPS 4.1b under GNU Octave 7.3.0", "full"]
    );
    assert!(read.passed);
    assert_eq!(short(&read.commit), "0123456");
}

#[test]
fn every_condition_is_needed_and_has_its_reason() {
    let cases = [
        ("/schema", json!(7), "certificate of schema 7 is unknown"),
        ("/schema", json!("1"), "the certificate lacks schema"),
        ("/name", json!("stage3-patch"), "the certificate is that of stage3-patch"),
        ("/passed", json!(false), "the certificate did not pass"),
        ("/passed", json!("yes"), "the certificate lacks passed"),
        ("/cases/1/passed", json!(false), "case L of the certificate did not pass"),
        ("/cases/1", json!({"name": "L"}), "the certificate lacks cases[].name, passed"),
        ("/cases", json!([]), "the certificate has no case"),
        ("/cases", json!(8), "the certificate lacks cases"),
        ("/mutations/detected", json!(119), "119 of 120 mutations were noticed"),
        (
            "/mutations",
            json!({"made": 0, "detected": 0}),
            "no mutation that could have been noticed",
        ),
        ("/mutations", json!(null), "the certificate lacks mutations.made"),
        ("/oracle/data", json!("golden"), "the certificate is of golden data only"),
        ("/program/code_sha256", json!("0"), "the code has changed since commit 0123456"),
        ("/program/commit", json!(5), "the certificate lacks program.commit"),
    ];
    for (pointer, value, expected) in cases {
        let reason = shortfall_with(pointer, value);
        assert!(reason.contains(expected), "{pointer}: {reason}");
        assert!(!reason.contains('\n'));
    }
}

#[test]
fn whatever_else_is_there_is_no_certificate() {
    let reason = |text: Option<&str>, code| judge(text, NAME, code).shortfall.expect("a reason");
    assert_eq!(reason(None, Some(CODE)), "no certificate");
    for text in ["", "{", "[]", "null", "\u{fffd}", "{\"schema\": 1"] {
        let reason = reason(Some(text), Some(CODE));
        assert!(reason.starts_with("the certificate"), "{text}: {reason}");
    }
    let text = certificate().to_string();
    assert!(reason(Some(&text), None).contains("not here to compare"));
    let deep = "[".repeat(100_000);
    assert!(reason(Some(&deep), Some(CODE)).contains("no JSON"));
}
