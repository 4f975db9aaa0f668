//! `keystead doctor`

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use keystead::key::Login;
use serde_json::Value;

use crate::home::{Home, PIN, bad, says, text};

/// A home with PINs as costly as usual, so that nothing is said of them.
fn sound() -> Home {
    let home = Home::new();
    fs::write(home.path("keystead.toml"), format!("store = {:?}\n", home.store())).unwrap();
    home
}

/// The findings, whatever the exit code, which has to fit them.
fn findings(command: &mut Command) -> Vec<Value> {
    let output = command.output().unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let errors = findings.iter().filter(|finding| finding["severity"] == "error").count();
    if errors > 0 {
        says(&bad(&output), &["error"]);
    } else {
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    }
    for finding in &findings {
        let alone = finding["severity"] == "ok";
        assert_eq!(finding.get("next").is_none(), alone, "each one that is not ok says what to do: {finding}");
    }
    findings
}

fn doctor(home: &Home) -> Vec<Value> {
    findings(&mut home.command(&["doctor", "--json"]))
}

/// That there is a finding with all of these words, and how bad it is.
#[track_caller]
fn finds(findings: &[Value], severity: &str, words: &[&str]) {
    let has = |finding: &&Value| words.iter().all(|word| finding["finding"].as_str().unwrap().contains(word));
    let found: Vec<&Value> = findings.iter().filter(has).collect();
    assert!(found.iter().any(|finding| finding["severity"] == severity), "no {severity} {words:?} in {findings:#?}");
}

#[track_caller]
fn worst(findings: &[Value]) -> Vec<&Value> {
    findings.iter().filter(|finding| ["warning", "error"].contains(&finding["severity"].as_str().unwrap())).collect()
}

#[test]
fn nothing_is_wrong_where_nothing_is() {
    let home = sound();
    let before = doctor(&home);
    finds(&before, "note", &["does not exist yet"]);
    assert!(!home.store().exists());
    home.token("A");
    home.token("B");
    let found = doctor(&home);
    assert!(worst(&found).is_empty(), "{:#?}", worst(&found));
    for words in [
        &["keystead.toml", "is read"][..],
        &["2 tokens", "format", "can be opened"],
        &["MiB are left"],
        &["descriptors"],
        &["nobody holds one"],
        &["off", "KEYSTEAD_LOG"],
    ] {
        finds(&found, "ok", words);
    }
    let plain = home.good(&["doctor"]);
    assert_eq!(plain.lines().count(), found.len());
    assert!(plain.lines().all(|line| line.split('\t').count() == 3), "{plain}");
}

#[test]
fn it_changes_nothing_beside_a_program_that_works() {
    let home = sound();
    home.token("A");
    let module = home.module();
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    let files = || {
        let entries = fs::read_dir(home.store()).unwrap().map(|entry| entry.unwrap().path());
        // The index of the log is shared memory: it tells who reads.
        let mut files: Vec<_> = entries
            .filter(|path| !path.to_string_lossy().ends_with("-shm"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    assert!(worst(&doctor(&home)).is_empty());
    assert!(before == files(), "a file has changed");
    let class = cryptoki_sys::CKO_DATA.to_ne_bytes();
    let given = [(cryptoki_sys::CKA_CLASS, &class[..]), (cryptoki_sys::CKA_TOKEN, &[1])];
    let given = given.map(|(number, value)| keystead::object::Given::new(number, value));
    module.sessions().create(session, &given).unwrap();
}

#[test]
fn configuration_environment_and_log_are_judged() {
    let home = sound();
    fs::write(home.path("keystead.toml"), "[pin]\nminimum = 6\n").unwrap();
    finds(&doctor(&home), "error", &["keystead.toml, line 2", "`minimum`"]);
    fs::write(home.path("keystead.toml"), format!("store = {:?}\n[pin]\nmemory-kib = 64\n", home.store())).unwrap();
    fs::create_dir_all(home.path(".config/keystead")).unwrap();
    fs::write(home.path(".config/keystead/keystead.toml"), "").unwrap();
    let found =
        findings(home.command(&["doctor", "--json"]).env("KEYSTEAD_PIN", "not said").env("KEYSTEAD_LOG", "stderrr"));
    finds(&found, "warning", &["64 KiB", "19456"]);
    finds(&found, "note", &["KEYSTEAD_CONF", "not read"]);
    finds(&found, "note", &[".config/keystead/keystead.toml", "is not read"]);
    finds(&found, "warning", &["KEYSTEAD_PIN is set"]);
    assert!(!format!("{found:?}").contains("not said"));
    finds(&found, "warning", &["KEYSTEAD_LOG=stderrr means nothing"]);
    let mut command = home.command(&["doctor", "--json"]);
    let found = findings(command.env("KEYSTEAD_STORE", home.path("env")).env("KEYSTEAD_LOG", "/tmp/x,trac"));
    finds(&found, "note", &["KEYSTEAD_STORE", "no configuration file is read"]);
    finds(&found, "warning", &["KEYSTEAD_LOG=/tmp/x,trac"]);
    let found = findings(&mut home.command(&["doctor", "--json", "--store", "/proc/nowhere"]));
    finds(&found, "error", &["/proc/nowhere", "cannot be used"]);
}

#[test]
fn rights_that_are_too_wide_or_do_not_fit_are_named() {
    let home = sound();
    home.token("A");
    let file = home.store().join("slot-00000000.db");
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for (path, bits, severity, words) in [
        (home.store(), 0o777, "error", &["0777", "everybody can remove tokens"][..]),
        (home.store(), 0o755, "warning", &["0755", "everybody sees"]),
        (home.store(), 0o770, "warning", &["0770", "group"]),
        (home.store(), 0o500, "note", &["0500", "read-only"]),
        (home.path(""), 0o777, "error", &["written by everybody", "another folder"]),
        (file.clone(), 0o606, "error", &["slot-00000000.db", "change it"]),
        (file.clone(), 0o644, "error", &["slot-00000000.db", "guess its PINs"]),
        (file.clone(), 0o660, "warning", &["slot-00000000.db has mode 0660", "keeps the group out"]),
        (file.clone(), 0o660, "warning", &["slot-00000000.lock", "not the owner and mode of its token", "0660"]),
    ] {
        let before = fs::metadata(&path).unwrap().mode();
        mode(&path, bits);
        finds(&doctor(&home), severity, words);
        mode(&path, before);
        // SQLite gives an empty log the mode of the file when it opens it.
        for name in ["-wal", "-shm"].map(|suffix| format!("slot-00000000.db{suffix}")) {
            mode(&home.store().join(name), 0o600);
        }
    }
    let found = doctor(&home);
    assert!(worst(&found).is_empty(), "{found:?}");
    // A group's folder is as it should be, too.
    home.good(&["token", "destroy", "A", "--without-pin", "--yes"]);
    let conf = format!("store = {:?}\n[files]\nmode = \"0660\"\n", home.store());
    fs::write(home.path("keystead.toml"), conf).unwrap();
    fs::remove_dir_all(home.store()).unwrap();
    home.token("Shared");
    assert_eq!(fs::metadata(home.store()).unwrap().mode() & 0o7777, 0o2770);
    assert_eq!(fs::metadata(home.store().join("slot-00000000.db")).unwrap().mode() & 0o777, 0o660);
    assert!(worst(&doctor(&home)).is_empty(), "{:#?}", doctor(&home));
    if chown(&file, Some(65_534), None).is_ok() {
        finds(&doctor(&home), "warning", &["belongs to uid 65534, its folder to uid 0"]);
    }
}

#[test]
fn what_is_left_over_or_foreign_is_told() {
    let home = sound();
    home.token("A");
    for name in ["new-token.tmp", "new-token.tmp-wal", "slot-00000007.gone", "slot-00000009.db-wal", "copy of A.db"] {
        fs::write(home.store().join(name), "").unwrap();
        fs::set_permissions(home.store().join(name), Permissions::from_mode(0o600)).unwrap();
    }
    let found = doctor(&home);
    for name in ["new-token.tmp", "new-token.tmp-wal", "slot-00000007.gone", "slot-00000009.db-wal"] {
        finds(&found, "warning", &[name, "killed process"]);
    }
    finds(&found, "note", &["copy of A.db", "no file of the store"]);
    home.token("B");
    let found = doctor(&home);
    assert_eq!(worst(&found).len(), 1, "the next maker removes what it knows: {:#?}", worst(&found));
}

#[test]
fn each_token_and_its_pins_are_looked_at() {
    // PINs that cost next to nothing.
    let home = Home::with_settings("user-tries = 3\nso-tries = 3");
    for label in ["Cheap", "Tried", "Without", "Damaged"] {
        home.token(label);
    }
    let try_pin = |command: &str, role: &str| {
        let mut command = home.command(&["token", command, "Tried"]);
        command.env(role, "guess").env("KEYSTEAD_NEW_PIN", "anything").env("KEYSTEAD_PIN", "guess").output().unwrap()
    };
    let (user, so) = (|| bad(&try_pin("change-pin", "KEYSTEAD_PIN")), || bad(&try_pin("unlock", "KEYSTEAD_SO_PIN")));
    user();
    so();
    let mut label = [b' '; 32];
    label[..7].copy_from_slice(b"Without");
    home.module().slots().init_token(2, crate::home::SO_PIN.as_bytes(), label).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(home.store().join(format!("slot-00000003.db{suffix}"))).unwrap();
    }
    fs::write(home.store().join("slot-00000003.db"), "no token").unwrap();
    let found = doctor(&home);
    finds(&found, "warning", &["user PIN", "\"Cheap\"", "64 KiB and 1 passes"]);
    finds(&found, "warning", &["SO PIN", "\"Cheap\"", "64 KiB and 1 passes"]);
    finds(&found, "warning", &["wrong user PINs", "\"Tried\"", "2 tries are left"]);
    finds(&found, "warning", &["wrong SO PINs", "\"Tried\"", "2 tries are left"]);
    finds(&found, "note", &["\"Without\"", "no user PIN"]);
    finds(&found, "error", &["slot 3", "cannot be opened"]);
    for _ in 0..2 {
        user();
        so();
    }
    let found = doctor(&home);
    finds(&found, "error", &["the user PIN of the token \"Tried\"", "locked"]);
    finds(&found, "error", &["the SO PIN of the token \"Tried\"", "locked"]);
}

#[test]
fn who_holds_a_lock_is_named() {
    let home = sound();
    home.token("A");
    let open = |name: &str| File::options().read(true).write(true).open(home.store().join(name)).unwrap();
    let queue = open("slot-00000000.lock");
    // A place in the queue, as docs/store.md says it: number 3, drawn by this process.
    let member = [&3_u64.to_le_bytes()[..], &std::process::id().to_le_bytes()].concat();
    queue.write_all_at(&member, 32 + 16 * 3).unwrap();
    lock(&queue, (1 << 32) + 3);
    let folder = open("folder.lock");
    lock(&folder, 0);
    let found = doctor(&home);
    finds(&found, "note", &[&format!("process {}", std::process::id()), "(command-", "slot 0"]);
    finds(&found, "note", &["makes or removes a token"]);
    drop((queue, folder));
    finds(&doctor(&home), "ok", &["nobody holds one"]);
}

/// An OFD write lock on one byte.
fn lock(file: &File, at: i64) {
    // SAFETY: zeroes are a valid `flock`.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    (lock.l_type, lock.l_start, lock.l_len) = (libc::F_WRLCK as i16, at, 1);
    // SAFETY: the descriptor is open, and the kernel reads the struct.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &lock) }, 0);
}

#[test]
fn limits_are_looked_at() {
    let home = sound();
    let mut command = home.command(&["doctor", "--json"]);
    // SAFETY: between fork and exec the closure makes one system call.
    unsafe {
        command.pre_exec(|| {
            let few = libc::rlimit { rlim_cur: 100, rlim_max: 100 };
            if libc::setrlimit(libc::RLIMIT_NOFILE, &few) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        })
    };
    finds(&findings(&mut command), "warning", &["100 descriptors"]);
}

#[test]
fn a_second_library_is_told_of() {
    let home = sound();
    let modules = home.path(".config/pkcs11/modules");
    fs::create_dir_all(&modules).unwrap();
    let register = |name: &str, library: &Path| {
        fs::write(modules.join(name), format!("module: {}\n", library.display())).unwrap();
    };
    let library = |name: &str, content: &str| {
        fs::create_dir_all(home.path(name)).unwrap();
        let path = home.path(name).join("libkeystead.so");
        fs::write(&path, content).unwrap();
        path
    };
    let (old, new, copy) = (library("old", "1"), library("new", "2"), library("copy", "2"));
    register("a.module", &new);
    register("other.module", Path::new("/usr/lib/other.so"));
    finds(&doctor(&home), "ok", &["p11-kit loads", "new/libkeystead.so", "a.module"]);
    register("b.module", &old);
    finds(&doctor(&home), "warning", &["new/libkeystead.so", "old/libkeystead.so", "two different ones"]);
    register("b.module", &copy);
    finds(&doctor(&home), "warning", &["two copies of the same"]);
    register("b.module", &new);
    finds(&doctor(&home), "warning", &["new/libkeystead.so", "registered twice"]);
    register("b.module", &home.path("gone/libkeystead.so"));
    finds(&doctor(&home), "warning", &["gone/libkeystead.so", "cannot be read"]);
}
