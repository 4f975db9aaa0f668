//! What every subcommand has in common: usage, help, output.

use std::fs;
use std::process::{Command, Stdio};

use crate::home::{Home, PIN, SO_PIN, bad, says, text};

#[test]
fn a_command_line_that_makes_no_sense_is_code_2() {
    let home = Home::new();
    let init = ["token", "init", "--label", "A"];
    let lines: [&[&str]; 41] = [
        &[],
        &["tokens"],
        &["token"],
        &["token", "show"],
        &["token", "init"],
        &["token", "init", "--label", ""],
        &["token", "init", "--label", "thirty-three bytes are one too ma"],
        &["token", "init", "--label", "A", "--slot", "-1"],
        &[&init[..], &["--so-pin-env", "A", "--so-pin-file", "B"]].concat(),
        &["completions", "tcsh"],
        &["man", "token", "--dir", "/x"],
        &["--json", "man"],
        &["migrate"],
        &["migrate", "--module", "/x", "--from-pin", "1234"],
        &["migrate", "--module", "/x", "--from-pin-file", "A", "--from-pin-env", "B"],
        &["token", "accept"],
        &["token", "destroy"],
        &["token", "destroy", "A", "--without-pin", "--so-pin-file", "B"],
        &["token", "destroy", "A", "--so-pin", "123456"],
        &["token", "unlock", "A", "123456"],
        &["token", "change-pin", "A", "--new-pin", "123456"],
        &["token", "change-pin", "A", "--new-pin-file", "B", "--new-pin-env", "C"],
        &["doctor", "A"],
        &["key"],
        &["key", "show"],
        &["key", "destroy", "--all"],
        &["key", "list", "--class", "keys"],
        &["key", "list", "--login", "--pin", "123456"],
        &["key", "generate"],
        &["key", "generate", "--type", "des"],
        &["key", "generate", "--type", "aes:256", "--id", "xyz"],
        &["key", "wrap", "A", "--with", "B", "--mechanism", "rot13"],
        &["key", "unwrap", "A", "--user-pin", "123456"],
        &["key", "import", "A", "--passphrase", "123456"],
        &["key", "export-public", "A", "--form", "xml"],
        &["--json", "demo"],
        &["--store", "/x", "demo"],
        // A PIN is never an argument.
        &[&init[..], &["--so-pin", "123456"]].concat(),
        &[&init[..], &["--user-pin=123456"]].concat(),
        &[&init[..], &["--pin", "123456"]].concat(),
        &[&init[..], &["123456"]].concat(),
    ];
    for line in lines {
        let output = home.command(line).env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{line:?}");
    }
    assert!(!home.store().exists());
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(Home::new().good(&["--version"]), format!("keystead {}\n", env!("CARGO_PKG_VERSION")));
}

/// Every subcommand that `--help` lists, from the whole command on: the words behind `keystead`.
fn subcommands(home: &Home) -> Vec<Vec<String>> {
    let (mut all, mut next) = (Vec::new(), vec![Vec::<String>::new()]);
    while let Some(words) = next.pop() {
        let help = help(home, &words);
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // What a line goes on with stands further to the right.
        let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let named = named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        next.extend(named.map(|name| [&words[..], &[name.to_owned()]].concat()));
        all.push(words);
    }
    assert!(all.len() > 20 && all.iter().any(|words| words.join(" ") == "token init"), "{all:?}");
    all
}

fn help(home: &Home, words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
    home.good(&words)
}

#[test]
fn the_help_of_every_subcommand_has_examples() {
    let home = Home::new();
    for words in subcommands(&home) {
        let help = help(&home, &words);
        says(&help, &["Usage: keystead"]);
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        let example = format!("  keystead {}", words.join(" "));
        let given = examples.take_while(|line| line.starts_with("  ")).any(|line| line.contains(example.trim()));
        assert!(given, "no example of {words:?}");
    }
}

#[test]
fn every_subcommand_has_a_manual_page_that_is_well_formed() {
    let home = Home::new();
    let folder = home.path("man");
    home.good(&["man", "--dir", folder.to_str().unwrap()]);
    let mut wanted: Vec<String> = subcommands(&home)
        .iter()
        .map(|words| format!("{}.1", [&["keystead".to_owned()], &words[..]].concat().join("-")))
        .collect();
    let mut made: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    wanted.sort();
    made.sort();
    assert_eq!(made, wanted);
    for name in &made {
        let page = fs::read_to_string(folder.join(name)).unwrap();
        let section = |heading: &str| {
            page.lines().any(|line| line.strip_prefix(".SH ").is_some_and(|it| it.trim_matches('"') == heading))
        };
        assert!(
            ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES"].iter().all(|heading| section(heading)),
            "{name}: {page}"
        );
    }
    let mut man = Command::new("man");
    man.args(["--warnings", "-l"]).args(made.iter().map(|name| folder.join(name)));
    match shown_by(&mut man) {
        Some((pages, warnings)) => {
            assert_eq!(warnings, "");
            says(&pages, &["keystead migrate --module", "EXIT STATUS"]);
        }
        // `mandoc` is what systems without groff have.
        None => {
            let mut mandoc = Command::new("mandoc");
            mandoc.args(["-T", "lint", "-W", "error"]).args(made.iter().map(|name| folder.join(name)));
            assert!(mandoc.output().unwrap().status.success());
        }
    }
}

/// What `man` prints, and what it warns of; none if it is not there.
fn shown_by(man: &mut Command) -> Option<(String, String)> {
    let output = man.env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some((text(&output.stdout), text(&output.stderr)))
}

#[test]
fn a_manual_page_is_printed_by_name() {
    let home = Home::new();
    says(&home.good(&["man"]), &[".TH keystead 1", ".SH \"EXIT STATUS\""]);
    says(&home.good(&["man", "token", "init"]), &[".TH keystead-token-init 1", ".SH EXAMPLES"]);
    says(&bad(&home.run(&["man", "token", "unit"])), &["no subcommand \"unit\""]);
}

#[test]
fn completions_are_scripts_that_know_every_command_and_option() {
    let home = Home::new();
    let subcommands = subcommands(&home);
    let options: Vec<String> = subcommands.iter().flat_map(|words| options(&help(&home, words))).collect();
    assert!(options.iter().any(|option| option == "so-pin-file"), "{options:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = home.good(&["completions", shell]);
        for word in subcommands.iter().flatten().chain(&options) {
            assert!(script.contains(word.as_str()), "{shell} does not know {word}");
        }
        says(&script, &["secret-key"]);
        assert!(!script.contains("other-process"), "{shell}");
    }
    fs::write(home.path("script"), home.good(&["completions", "bash"])).unwrap();
    let checked = Command::new("bash").arg("-n").arg(home.path("script")).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
}

/// The long options in a help text.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Options:").skip(1);
    let words = lines.filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
    let names = words.filter_map(|word| word.strip_prefix("--"));
    // Of an option that may do without its value, the value stands right behind.
    names.map(|name| name.split(['[', ',']).next().unwrap_or(name).to_owned()).collect()
}

#[test]
fn mechanisms_are_those_of_the_table() {
    let home = Home::new();
    let plain = home.good(&["mechanism", "list"]);
    let json = home.json(&["mechanism", "list"]);
    assert_eq!(plain.lines().count(), keystead::mechanism::Mechanisms::new(&Default::default()).all().len());
    assert_eq!(json.as_array().unwrap().len(), plain.lines().count());
    for line in [
        "0x00001080\tCKM_AES_KEY_GEN\t16 to 32 bytes\tgenerate",
        "0x0000210b\tCKM_AES_KEY_WRAP_KWP\t16 to 32 bytes\tencrypt, decrypt, wrap, unwrap",
        "0x00000250\tCKM_SHA256\tno key\tdigest",
    ] {
        assert!(plain.lines().any(|printed| printed == line), "no {line:?} in:\n{plain}");
    }
    let gcm = json.as_array().unwrap().iter().find(|row| row["name"] == "CKM_AES_GCM").unwrap();
    assert_eq!((&gcm["number"], &gcm["keys"]["unit"]), (&"0x00001087".into(), &"bytes".into()));
    assert_eq!(gcm["does"], serde_json::json!(["encrypt", "decrypt", "wrap", "unwrap"]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&["mechanism", "list"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.command(&["mechanism", "list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    says(&bad(&output), &["cannot be written"]);
}
