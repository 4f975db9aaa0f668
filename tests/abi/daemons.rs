//! What a host does to itself after it has initialised the library: daemons close all descriptors, change their root and their
//! user; others change the environment, or live under another locale or allocator.

use std::fs;
use std::process::Command;
use std::time::Duration;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    closed_descriptors_are_not_written_to,
    changed_root_gives_codes_and_a_line,
    changed_user_without_rights_gives_codes_and_a_line,
    changed_user_with_rights_goes_on,
    sandbox_without_randomness_gives_codes,
    environment_is_read_once,
    turkish_locale_changes_nothing,
    german_locale_changes_nothing,
    preloaded_allocator_under_deep_binding,
    preloaded_allocator,
];
pub const PEERS: &[Test] = &tests![localised, deeply_bound, plainly_bound];

/// Their numbers are soon those of the host's own files.
fn closed_descriptors_are_not_written_to() {
    let home = Home::new();
    let log = home.log_to_file();
    let token = Token::new_in(home);
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("before")));
    let sealed = ok!(session.encrypt(&gcm(), key, b"text"));
    for round in 0..3 {
        close_all_but_standard_streams();
        let hosts: Vec<_> = (0..40).map(|number| token.home.path().join(format!("host {round} {number}"))).collect();
        let open = |path: &std::path::PathBuf| fs::File::options().read(true).write(true).create_new(true).open(path);
        let files: Vec<_> = hosts.iter().map(|path| open(path).unwrap()).collect();

        assert_eq!(ok!(session.decrypt(&gcm(), key, &sealed)), b"text");
        fails!(session.set_pin("wrong", "another-pin"), CKR_PIN_INCORRECT);
        let label = format!("round {round}");
        ok!(session.aes_key(16, token_key(&label)));
        assert_eq!(ok!(session.find(&template![CKA_LABEL => label.as_str()])).len(), 1);
        for (path, file) in hosts.iter().zip(&files) {
            assert_eq!(file.metadata().unwrap().len(), 0, "{}", path.display());
        }
    }
    close_all_but_standard_streams();
    ok!(token.restart());
    assert!(fs::read_to_string(log).unwrap().matches("the PIN is wrong").count() >= 3);
    assert_eq!(ok!(token.user().find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 4);
    token.is_sound();
}

/// The files are where the process cannot reach them any more.
fn changed_root_gives_codes_and_a_line() {
    out_of_reach(|token| {
        let root = token.home.path().join("root");
        fs::create_dir(&root).unwrap();
        change_root(&root);
    });
}

fn changed_user_without_rights_gives_codes_and_a_line() {
    out_of_reach(|_| become_nobody());
}

fn out_of_reach(leave: fn(&Token)) {
    if !is_root() {
        skip("only root can leave its root folder and its rights");
    }
    let home = Home::new();
    let log = home.log_to_file();
    let token = Token::new_in(home);
    let leaves = || {
        ok!(token.module.initialize());
        let session = token.user();
        let stored = ok!(session.aes_key(32, token_key("stored")));
        let own = ok!(session.aes_key(32, template![CKA_ENCRYPT => true, CKA_DECRYPT => true]));
        leave(&token);
        // The path is looked at ten times a second.
        std::thread::sleep(Duration::from_millis(150));
        fails!(session.aes_key(32, token_key("lost")), CKR_DEVICE_ERROR);
        fails!(session.encrypt(&gcm(), stored, b"text"), CKR_DEVICE_ERROR);
        ok!(session.random(16));
        ok!(session.logout());
        fails!(session.login(CKU_USER, USER_PIN), CKR_DEVICE_ERROR);
        fails!(session.encrypt(&gcm(), own, b"text"), CKR_KEY_HANDLE_INVALID | CKR_DEVICE_ERROR);
        ok!(session.close());
        ok!(token.module.finalize());
        ok!(token.module.initialize());
        assert!(!ok!(token.module.slots(true)).contains(&token.slot) || token.module.read_write(token.slot).is_err());
        ok!(token.module.finalize());
        Vec::new()
    };
    Forked::start(leaves).join();
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains("cannot look at") && said.contains(".db"), "{said}");
    let session = token.user();
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 1, "the one that was acknowledged");
}

fn changed_user_with_rights_goes_on() {
    let token = Token::new();
    Forked::start(|| {
        ok!(token.module.initialize());
        let session = token.user();
        ok!(session.aes_key(32, token_key("before")));
        open_to_all(&token.home);
        become_nobody();
        std::thread::sleep(Duration::from_millis(150));
        ok!(session.aes_key(32, token_key("after")));
        assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 2);
        Vec::new()
    })
    .join();
}

/// What needs nothing of the system goes on; nothing ends the host.
fn sandbox_without_randomness_gives_codes() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("stored")));
    Forked::start(|| {
        ok!(token.module.initialize());
        let session = token.user();
        let stored = ok!(session.find(&template![CKA_LABEL => "stored"]))[0];
        enter_sandbox();
        let sealed = ok!(session.encrypt(&gcm(), stored, b"text"));
        assert_eq!(ok!(session.decrypt(&gcm(), stored, &sealed)), b"text");
        ok!(session.digest(CKM_SHA256, b"text"));
        fails!(session.random(16), CKR_FUNCTION_FAILED);
        fails!(session.aes_key(16, template![CKA_TOKEN => true]), CKR_FUNCTION_FAILED);
        ok!(session.close());
        ok!(token.module.finalize());
        Vec::new()
    })
    .join();
    ok!(session.encrypt(&gcm(), key, b"text"));
}

fn environment_is_read_once() {
    let (first, second) = (Home::new(), Home::new());
    first.enter();
    let module = Module::load();
    ok!(module.initialize());
    second.enter();
    set_variable("KEYSTEAD_STORE", second.path().join("third").to_str());
    set_variable("KEYSTEAD_LOG", second.path().join("log").to_str());
    set_variable("HOME", second.path().to_str());
    std::env::set_current_dir(second.path()).unwrap();
    let slot = Token::make(&module, LABEL);
    tour(&module, slot);
    assert!(first.database().exists());
    let names: Vec<_> = fs::read_dir(second.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!second.store().exists() && !names.iter().any(|name| name == "third" || name == "log"), "{names:?}");
}

/// Where `I` is not the upper case of `i`.
fn turkish_locale_changes_nothing() {
    under_locale("tr_TR");
}

/// Where a comma stands before decimals.
fn german_locale_changes_nothing() {
    under_locale("de_DE");
}

fn under_locale(name: &str) {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("TITLE in I")));
    let sealed = ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[7; 16]), key, b"text"));
    let made = token.home.path().join(format!("{name}.UTF-8"));
    let tool = Command::new("localedef").args(["-i", name, "-f", "UTF-8"]).arg(&made).output();
    if !tool.is_ok_and(|output| output.status.success()) {
        skip("localedef cannot make the locale");
    }
    set_variable("LOCPATH", token.home.path().to_str());
    set_variable("LC_ALL", Some(&format!("{name}.UTF-8")));
    let mut peer = peer!(localised, name, hex(&sealed));
    assert_eq!(peer.hear(), format!("{name}.UTF-8"));
    assert_eq!(peer.finish(), "done");
}

fn localised() {
    if !set_locale() {
        skip("the system does not take the locale");
    }
    say(locale());
    let [name, sealed] = <[String; 2]>::try_from(arguments()).unwrap();
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let key = ok!(session.find(&template![CKA_LABEL => "TITLE in I"]))[0];
    let sealed_here = ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[7; 16]), key, b"text"));
    assert_eq!(hex(&sealed_here), sealed);
    assert!(ok!(session.find(&template![CKA_LABEL => "tıtle ın i"])).is_empty());
    ok!(session.close());
    tour(&module, slot);
    make_token_again(&module, slot);
    ok!(module.finalize());
    ok!(module.initialize());
    tour(&module, slot);
    assert_eq!(locale(), format!("{name}.UTF-8"), "the host's locale stays");
    say("done");
}

/// The module's memory is then libc's, and the host's the other allocator's.
fn preloaded_allocator_under_deep_binding() {
    with_allocator(|| peer!(deeply_bound));
}

/// The module's memory is then the other allocator's, too.
fn preloaded_allocator() {
    with_allocator(|| peer!(plainly_bound));
}

fn with_allocator(start: fn() -> Peer) {
    let home = Home::new();
    let allocator = Host::library(&home, "own_allocator.c", &["-fno-builtin"]);
    set_variable("LD_PRELOAD", allocator.path().to_str());
    let peer = start();
    set_variable("LD_PRELOAD", None);
    assert_eq!(peer.finish(), "done");
}

fn deeply_bound() {
    whole_life(Module::load_from(&Module::path(), libc::RTLD_NOW | libc::RTLD_DEEPBIND));
}

fn plainly_bound() {
    whole_life(Module::load());
}

fn whole_life(module: Module) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains("own_allocator.so"), "the allocator was not loaded");
    ok!(module.initialize());
    let slot = Token::make(&module, LABEL);
    tour(&module, slot);
    make_token_again(&module, slot);
    ok!(module.finalize());
    say("done");
}
