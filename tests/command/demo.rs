//! `keystead demo`

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::home::{Home, bad, good, says, text};

#[test]
fn the_demo_holds_and_leaves_nothing() {
    let home = Home::new();
    let temporary = home.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let told = good(&home.command(&["demo"]).env("TMPDIR", &temporary).output().unwrap());
    let checks = told.lines().filter(|line| line.starts_with("  ok ")).count();
    assert!(checks >= 30, "{told}");
    assert_eq!(told.lines().last().unwrap(), format!("All {checks} checks held."));
    for step in 1..=8 {
        assert!(told.contains(&format!("\n{step}. ")), "{told}");
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.store().exists());

    good(&home.command(&["demo", "--keep"]).env("TMPDIR", &temporary).output().unwrap());
    let kept = fs::read_dir(&temporary).unwrap().next().unwrap().unwrap().path();
    assert_eq!(mode(&kept), 0o700);
    for (side, label) in [("a", "Demo A"), ("b", "Demo B")] {
        let shown = home.json(&["--store", kept.join(side).to_str().unwrap(), "token", "show", "0"]);
        assert_eq!((&shown["label"], &shown["state"]), (&label.into(), &"ready".into()));
    }
}

#[test]
fn the_demo_says_what_to_install() {
    let home = Home::new();
    let temporary = home.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let output = home.command(&["demo"]).env("PATH", "/absent").env("TMPDIR", &temporary).output().unwrap();
    says(&bad(&output), &["openssl command is missing", "apt install openssl"]);
    assert!(!text(&output.stdout).contains("checks held"));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn a_demo_whose_openssl_gets_it_wrong_fails() {
    let home = Home::new();
    let openssl = home.path("openssl");
    fs::write(&openssl, "#!/bin/sh\necho something else\n").unwrap();
    fs::set_permissions(&openssl, fs::Permissions::from_mode(0o700)).unwrap();
    let output = home.command(&["demo"]).env("PATH", openssl.parent().unwrap()).output().unwrap();
    says(&bad(&output), &["step 6", "does not hold"]);
    assert!(!text(&output.stdout).contains("checks held"));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_demo_that_nobody_hears_has_not_succeeded() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&["demo"]).stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    says(&bad(&output), &["cannot be told"]);
}

#[test]
fn the_second_process_touches_no_token_that_exists() {
    let home = Home::new();
    home.token("A");
    let store = home.store();
    let output = home.command(&[OsStr::new("demo-other-process"), OsStr::new("--folder"), store.as_os_str()]).output();
    says(&bad(&output.unwrap()), &["there is a token already"]);
    assert_eq!(home.json(&["token", "show", "A"])["so_pin"], "set");
}
