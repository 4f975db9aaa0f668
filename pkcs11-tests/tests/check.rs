//! `pkcs11-tests check` on the library that `make build` left, and on a module that is wrong in every way.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{compiled, keystead};

#[test]
fn keystead_fails_no_check() {
    let steps = if std::env::var_os("KEYSTEAD_SOAK").is_some() { "1000000" } else { "10000" };
    let (report, is_good) = check(&keystead(), &["--steps", steps]);
    let bad: Vec<&Value> = rows(&report).iter().filter(|row| is_bad(row)).collect();
    assert!(bad.is_empty(), "seed {}: {bad:#?}", report["seed"]);
    assert!(is_good, "nothing failed, and the exit code says that something did");
    // A token that could not be made would skip nearly everything.
    assert!(report["passed"].as_u64().unwrap() > 500, "{} passed", report["passed"]);
}

#[test]
fn a_module_may_hang_crash_and_lie() {
    let folder = tempfile::tempdir().unwrap();
    let module = compiled("bad_module.c", folder.path());

    let (report, is_good) = check(&module, &["--only", "uninitialised", "--timeout", "1"]);
    assert!(!is_good);
    let of = |name: &str| rows(&report).iter().find(|row| row["check"] == name).unwrap_or_else(|| panic!("no {name}"));
    for (function, verdict) in [
        ("C_GetInfo", "hung"),
        ("C_GetSlotList", "crashed"),
        ("C_GetSlotInfo", "fail"),
        ("C_GetTokenInfo", "pass"),
        ("C_GetMechanismList", "skipped"),
    ] {
        let row = of(&format!("uninitialised/{function}"));
        assert_eq!(row["verdict"], verdict, "{row:#}");
    }
    assert_eq!(of("uninitialised/C_GetSlotList")["how"], "C_GetSlotList with NULLs: SIGABRT");
    let deviation = &of("uninitialised/C_GetSlotInfo")["deviations"][0];
    assert_eq!(deviation["seen"], "CKR_OK");
    assert!(deviation["expected"].as_str().unwrap().starts_with("CKR_CRYPTOKI_NOT_INITIALIZED"));
}

#[test]
fn tokens_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut command = command(&keystead());
    let outcome = command.args(["--only", "login/wrong PINs"]).env("KEYSTEAD_STORE", &store).output().unwrap();
    assert!(outcome.status.success(), "{outcome:?}");
    assert!(!store.exists(), "the check made its token in the caller's store");
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("bad.so");
    std::fs::write(&module, "no library").unwrap();
    // A slot without a PIN.
    let outcome = command(&module).args(["--slot", "0"]).output().unwrap();
    assert_eq!(outcome.status.code(), Some(2));
    let outcome = command(&module).output().unwrap();
    assert_eq!(outcome.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("ended before it began"), "{outcome:?}");
}

/// The report on a module, and whether the exit code was that of a good one.
fn check(module: &Path, arguments: &[&str]) -> (Value, bool) {
    let output = command(module).arg("--json").args(arguments).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.success())
}

fn command(module: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pkcs11-tests"));
    command.arg("check").arg(module);
    command
}

fn rows(report: &Value) -> &Vec<Value> {
    report["checks"].as_array().unwrap()
}

fn is_bad(row: &Value) -> bool {
    !["pass", "skipped"].contains(&row["verdict"].as_str().unwrap())
}
