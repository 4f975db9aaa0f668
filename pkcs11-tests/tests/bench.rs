//! `pkcs11-tests bench` on the library that `make build` left, on SoftHSM2, and on a module with wrong results. What is measured is
//! not looked at: only that it is, and that results are checked.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::{SOFTHSM2, compiled, keystead};

#[test]
fn every_operation_runs_on_keystead_and_softhsm2() {
    let output = bench(&["--bare", "--threads", "1,2", "--json"]).arg(keystead()).arg(SOFTHSM2).output().unwrap();
    let report = report(&output);
    assert!(output.status.success(), "{output:?}");
    let rows = report["rows"].as_array().unwrap();
    for row in rows {
        let (ours, theirs) = (side(row, "keystead"), side(row, "softhsm2"));
        assert!(ours["lacks"].is_null(), "{row:#}");
        assert_eq!(ours["threads"].as_array().unwrap().len(), 2, "{row:#}");
        assert!(ours["threads"][0]["best_ns"].as_f64().unwrap() > 0.0, "{row:#}");
        assert_eq!(ours["ratio"], 1.0, "{row:#}");
        // An operation that a module lacks has its code in the place of figures.
        match theirs["lacks"].as_object() {
            None => assert!(theirs["ratio"].as_f64().unwrap() > 0.0, "{row:#}"),
            Some(lack) => assert_eq!(lack["code"], "CKR_MECHANISM_INVALID", "{row:#}"),
        }
    }
    assert!(side(row(rows, "sha3-256-64"), "softhsm2")["lacks"].is_object());
    assert!(side(row(rows, "aes-generate"), "bare")["lacks"].is_object());

    let mut sizes: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["family"].is_string()) {
        sizes.entry(row["family"].as_str().unwrap()).or_default().insert(row["bytes"].as_u64().unwrap());
    }
    let modes =
        ["ecb", "cbc", "cbc-pad", "ctr", "gcm"].map(|mode| [format!("{mode}-encrypt"), format!("{mode}-decrypt")]);
    let others = ["sha256", "sha512", "sha3-256", "hmac-sha256", "cmac", "gcm-parts", "random"].map(str::to_owned);
    for family in modes.concat().iter().chain(&others) {
        let sizes = sizes.get(family.as_str()).unwrap_or_else(|| panic!("no {family}"));
        assert!([64, 1 << 10, 16 << 10, 1 << 20].iter().all(|size| sizes.contains(size)), "{family}: {sizes:?}");
    }
}

#[test]
fn the_machine_is_described_and_not_named() {
    let output = bench(&["--only", "session", "--json"]).arg(keystead()).output().unwrap();
    let report = report(&output);
    for what in ["cpu", "kernel"] {
        assert!(!report["machine"][what].as_str().unwrap().is_empty(), "{report:#}");
    }
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    let module = &report["modules"][0];
    assert_eq!(module["file"], "libkeystead.so");
    assert_eq!(module["manufacturer"], "Keystead");
    assert!(module["version"].as_str().unwrap().contains('.'), "{module:#}");
    let text = String::from_utf8(output.stdout).unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(!text.contains(keystead().parent().unwrap().to_str().unwrap()), "{text}");
    assert!(host.trim().is_empty() || !text.contains(host.trim()), "{text}");
}

#[test]
fn a_wrong_result_is_named_and_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let module = compiled("lying_module.c", folder.path());
    let run = |only: &str| {
        let mut command = bench(&["--threads", "1,2", "--json", &format!("--only={only}")]);
        let output = command.arg(keystead()).arg(&module).env("LYING_MODULE_OF", keystead()).output().unwrap();
        let report = report(&output);
        for row in report["rows"].as_array().unwrap() {
            // The other module has a process of its own.
            assert!(side(row, "keystead")["lacks"].is_null(), "{row:#}");
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (report["rows"].clone(), output.status.code(), errors)
    };
    let lack = |rows: &Value, name: &str| side(row(rows.as_array().unwrap(), name), "lying_module")["lacks"].clone();

    let (rows, code, errors) = run("gcm-encrypt");
    assert_eq!(code, Some(1));
    assert!(errors.contains("lying_module: gcm-encrypt-1K: the output is wrong"), "{errors}");
    assert_eq!(lack(&rows, "gcm-encrypt-1K")["is_fault"], true);
    assert!(lack(&rows, "gcm-encrypt-64").is_null(), "what is right there: {rows:#}");

    for (only, reason) in [
        ("ecdsa-p256-verify", "the signature of another message is taken"),
        ("random-32", "bytes are not random"),
        ("sha256-64", "its process ended: signal: 6"),
    ] {
        let (rows, code, errors) = run(only);
        assert_eq!(code, Some(1), "{only}");
        assert!(lack(&rows, only)["reason"].as_str().unwrap().starts_with(reason), "{rows:#}");
        assert!(errors.contains(only), "{errors}");
    }
    // Its process is begun again for the next operation.
    let (rows, ..) = run("-64");
    assert_eq!(lack(&rows, "sha512-64")["is_fault"], true);
    assert!(lack(&rows, "cmac-64").is_null() && lack(&rows, "gcm-encrypt-64").is_null(), "{rows:#}");
}

#[test]
fn figures_go_into_a_page_and_into_plots() {
    let folder = tempfile::tempdir().unwrap();
    let (page, plots) = (folder.path().join("page.md"), folder.path().join("plots"));
    let [begin, end] = ["<!-- Figures: written by make bench-page -->", "<!-- End of figures -->"];
    std::fs::write(&page, format!("Before.\n{begin}\nold\n{end}\nAfter.\n")).unwrap();
    let mut command = bench(&["--bare", "--only", "gcm-encrypt", "--threads", "1,2,3", "--markdown"]);
    let output = command.arg("--page").arg(&page).arg("--plot").arg(&plots).arg(keystead()).output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let written = std::fs::read_to_string(&page).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let images = ["gcm-encrypt", "gcm-encrypt-64-threads"].map(|plot| format!("\n![{plot}](page/{plot}.svg)\n"));
    assert_eq!(written, format!("Before.\n{begin}\n\n{printed}{}\n{end}\nAfter.\n", images.concat()));
    assert!(folder.path().join("page/gcm-encrypt.svg").exists());
    for heading in ["| operation | keystead | best | bare | best | own cost | of bare |", "| x2 keystead | x2 bare |"] {
        assert!(printed.contains(heading), "{printed}");
    }
    for name in ["gcm-encrypt", "gcm-encrypt-64-threads", "gcm-encrypt-1M-threads"] {
        let plot = std::fs::read_to_string(plots.join(name).with_extension("svg")).unwrap();
        assert!(plot.contains("keystead") && plot.contains("<polyline"), "{plot}");
        // What is neither black nor white can be read on both.
        let colours = plot.to_lowercase();
        assert!(!colours.contains("#000000") && !colours.contains("#ffffff"), "{plot}");
    }

    std::fs::write(&page, "A page without a place.\n").unwrap();
    let mut command = bench(&["--only", "session", "--page"]);
    let output = command.arg(&page).arg(keystead()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "A page without a place.\n");
}

#[test]
fn a_module_that_is_given_twice_has_two_names() {
    let output = bench(&["--only", "session"]).args([keystead(), keystead()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("- keystead: ") && text.contains("- keystead-2: "), "{text}");
}

#[test]
fn a_module_of_another_kind_is_measured_too() {
    // Its arguments at initialisation are its own, and it works without a login. `tests/install-tools` brings it along.
    let folder = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let nss = ["", "nss"].map(|inside| Path::new(&folder).join(inside).join("libsoftokn3.so"));
    let nss = nss.iter().find(|module| module.exists()).unwrap();
    let output = bench(&["--only=-64", "--json"]).arg(nss).arg(keystead()).output().unwrap();
    let report = report(&output);
    assert!(output.status.success(), "{output:?}");
    let rows = report["rows"].as_array().unwrap();
    for operation in ["gcm-encrypt-64", "cbc-decrypt-64", "hmac-sha256-64", "sha256-64", "random-64"] {
        assert!(side(row(rows, operation), "softokn3")["ratio"].is_number(), "{rows:#?}");
    }
    // In parts it has no GCM, and says so when it is asked for.
    let lack = &side(row(rows, "gcm-parts-64"), "softokn3")["lacks"];
    assert!(lack.is_null() || lack["code"].as_str().unwrap().starts_with("CKR_"), "{lack:#}");
}

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pkcs11-tests"));
    command.args(["bench", "--quick"]).args(arguments);
    command
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn row<'a>(rows: &'a [Value], operation: &str) -> &'a Value {
    rows.iter().find(|row| row["operation"] == operation).unwrap_or_else(|| panic!("no {operation}"))
}

fn side<'a>(row: &'a Value, name: &str) -> &'a Value {
    let sides = row["sides"].as_array().unwrap();
    sides.iter().find(|side| side["name"] == name).unwrap_or_else(|| panic!("no {name}: {row:#}"))
}
