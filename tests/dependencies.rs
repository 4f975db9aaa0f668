//! What we build on: licences and sources of all packages against the lists of `deny.toml`, and no version left open.
//!
//! `cargo deny` checks the same and more, but takes minutes to install; this holds everywhere.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_licence_is_one_that_we_allow() {
    let deny = deny();
    let allowed = texts(&deny["licenses"]["allow"]);
    for package in packages() {
        let name = text(&package["name"]);
        let licence = text(&package["license"]);
        let exceptions = deny["licenses"]["exceptions"].as_array().unwrap();
        let exceptions = exceptions.iter().filter(|exception| text(&exception["crate"]) == name);
        let more: Vec<_> = exceptions.flat_map(|exception| texts(&exception["allow"])).collect();
        let allows = |one: &str| allowed.iter().chain(&more).any(|allowed| allowed == one);
        assert!(is_satisfied(licence, &allows), "{name}: {licence:?} is not allowed by deny.toml");
    }
}

#[test]
fn every_licence_that_we_allow_is_needed() {
    let used: Vec<String> = packages().iter().flat_map(|package| words(text(&package["license"]))).collect();
    for allowed in texts(&deny()["licenses"]["allow"]) {
        assert!(used.contains(&allowed), "deny.toml allows {allowed}, which nothing has");
    }
}

#[test]
fn every_source_is_one_that_we_allow() {
    let allowed = texts(&deny()["sources"]["allow-registry"]);
    for package in packages() {
        // Our own packages have none.
        let Some(source) = package["source"].as_str() else {
            assert!(package["publish"].as_array().is_some_and(Vec::is_empty), "{} is not ours", package["name"]);
            continue;
        };
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        assert!(allowed.iter().any(|one| one == registry), "{}: {source} is not allowed by deny.toml", package["name"]);
    }
}

#[test]
fn no_version_is_left_open() {
    let ours: Vec<Value> = packages().into_iter().filter(|package| package["source"].is_null()).collect();
    assert!(ours.len() > 1, "the workspace");
    for package in ours {
        for dependency in package["dependencies"].as_array().unwrap() {
            let open = text(&dependency["req"]) == "*" && dependency["path"].is_null();
            assert!(!open, "{}: {} in any version", package["name"], dependency["name"]);
        }
    }
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allows = |one: &str| one == "MIT" || one == "ISC" || one == "A WITH b";
    for good in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "MIT AND ISC", "(GPL-3.0 OR ISC) AND MIT", "A WITH b"] {
        assert!(is_satisfied(good, &allows), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR A)", "MIT WITH b", "GPL-3.0 OR MIT AND A"] {
        assert!(!is_satisfied(bad, &allows), "{bad}");
    }
}

/// Every package that the workspace builds on, tests and fuzz targets too, on the platform of this test.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--format-version", "1", "--manifest-path", manifest, "--filter-platform"]);
    let output = command.arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH)).output().unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn deny() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| text(one).to_owned()).collect()
}

/// The words of a licence expression. Old packages write "/" for OR.
fn words(expression: &str) -> Vec<String> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Whether a licence expression can be satisfied by licences that are allowed. SPDX 2.3, annex D: AND binds more than OR.
fn is_satisfied(expression: &str, allows: &dyn Fn(&str) -> bool) -> bool {
    let mut words = words(expression).into();
    any(&mut words, allows) && words.is_empty()
}

/// Takes the next word if it is this one.
fn next_is(words: &mut VecDeque<String>, word: &str) -> bool {
    words.pop_front_if(|next| next == word).is_some()
}

fn any(words: &mut VecDeque<String>, allows: &dyn Fn(&str) -> bool) -> bool {
    let mut satisfied = all(words, allows);
    while next_is(words, "OR") {
        satisfied |= all(words, allows);
    }
    satisfied
}

fn all(words: &mut VecDeque<String>, allows: &dyn Fn(&str) -> bool) -> bool {
    let mut satisfied = one(words, allows);
    while next_is(words, "AND") {
        satisfied &= one(words, allows);
    }
    satisfied
}

fn one(words: &mut VecDeque<String>, allows: &dyn Fn(&str) -> bool) -> bool {
    if next_is(words, "(") {
        return any(words, allows) & next_is(words, ")");
    }
    let licence = words.pop_front().unwrap_or_default();
    if next_is(words, "WITH") {
        return allows(&format!("{licence} WITH {}", words.pop_front().unwrap_or_default()));
    }
    allows(&licence)
}
