//! What surrounds the library in a process: what it leaves alone, and what it bears.
//!
//! The life in a host's process, promise by promise, and where it is tested (`store` means the unit tests of the store's room):
//!
//! | promise | tests |
//! | --- | --- |
//! | a child is not initialised, and may initialise | `fork::child_is_not_initialised`, `pkcs11_tool::tests_forking` |
//! | ... from another library's fork handler | `fork::fork_handler_*` |
//! | a child works whatever other threads did | `forks::*`; RSA, ECDSA and ML-DSA draw from AWS-LC and come with their mechanisms |
//! | the first randomness is quick | `linking::no_jitter_entropy` |
//! | `C_Finalize` in such a child touches nothing | `fork::parent_goes_on_after_a_child_finalised` |
//! | no lock outlives its process in a child | `fork::child_outlives_its_parent_without_its_locks`, store `no_descriptor_of_a_token_is_inherited` |
//! | nothing holds a fork up | store `fork_does_not_wait_for_a_lock_that_others_hold`, `fork::started_programs_leave_the_module_alone` |
//! | forks are seen without handlers | `fork::cloned_child_*`, `fork::module_in_another_namespace_*`, `fork` unit tests |
//! | forks in signal handlers | store `a_fork_inside_a_call_*`; one that interrupted `malloc` nobody can save |
//! | calls while the process exits | `exits::*`, `linking::exit_entry_runs_before_all_other_destructors` |
//! | threads that outlive `dlclose` | `exits::thread_ends_after_dlclose`, `library::found_uninitialised_after_dlclose` |
//! | arguments of `C_Initialize`, locks, reserved string | `library::initialize_arguments`, `library::reserved_*` |
//! | initialised twice, in races, after a failure | `library::second_initialize_*`, `library::racing_initialize_*`, `library::reserved_nonsense_*` |
//! | finalised with calls in flight, quickly | `library::finalize_ends_*`, `threads::*` |
//! | waiting for slot events | `library::finalize_ends_a_wait_for_slot_events`, `slots::*` |
//! | our own functions in our own tables | `linking::exports_*`, `linking::needs_*`, `exits::host_with_the_same_names_gets_ours`, `tables::*` |
//! | deep binding, other allocators | `library::loaded_with_deep_binding`, `daemons::preloaded_allocator*` |
//! | no static TLS, small stacks | `linking::thread_locals_need_no_static_block`, `library::small_stack_suffices_for_everything`; ML-DSA comes later |
//! | descriptors: closed on exec, above 2, never the host's | `descriptors_are_closed_on_exec_and_above_two`, `daemons::closed_descriptors_*`, store `daemon` |
//! | another folder, root, user | `relative_store_stays_where_it_was`, `daemons::changed_*` |
//! | the environment, once, and not in setuid programs | `daemons::environment_is_read_once`, `environment_is_ignored_in_setuid_programs` |
//! | nothing of the process changes, nor does a locale us | `process_settings_stay_as_they_are`, `nothing_is_printed`, `daemons::*_locale_changes_nothing` |
//! | interrupted calls | `interrupting_signals_change_no_result`, `threads::a_call_waits_for_a_lock_through_interruptions` |
//! | sandboxes without randomness | `daemons::sandbox_without_randomness_gives_codes` |
//! | no locked memory, few descriptors | `locked_memory_is_not_needed`, `few_descriptors_suffice` |
//! | no thread, no process, no prompt | `no_thread_and_no_process_is_started` |

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    process_settings_stay_as_they_are,
    nothing_is_printed,
    no_thread_and_no_process_is_started,
    descriptors_are_closed_on_exec_and_above_two,
    files_are_for_the_owner_only,
    interrupting_signals_change_no_result,
    locked_memory_is_not_needed,
    few_descriptors_suffice,
    relative_store_stays_where_it_was,
    unset_home_is_no_crash,
    environment_is_ignored_in_setuid_programs,
];
pub const PEERS: &[Test] = &tests![take_the_tour];

/// Everything a program can ask of the library, from loading to finalising, in a home that exists.
fn whole_life() {
    let module = Module::load();
    ok!(module.initialize());
    let slot = Token::make(&module, LABEL);
    tour(&module, slot);
    make_token_again(&module, slot);
    ok!(module.finalize());
}

fn process_settings_stay_as_they_are() {
    let _home = Home::new();
    let before = settings();
    whole_life();
    assert_eq!(settings(), before);
}

/// Unless `KEYSTEAD_LOG` asks for it.
fn nothing_is_printed() {
    let home = Home::new();
    let errors = home.path().join("stderr");
    let output = std::process::Command::new("sh")
        .args(["-c", "exec \"$0\" 2> \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg(&errors)
        .env_remove("KEYSTEAD_LOG")
        .env("KEYSTEAD_TEST", concat!(module_path!(), "::take_the_tour"))
        .output()
        .unwrap();
    let said = fs::read_to_string(errors).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), said.as_str()), ("", ""));
}

fn take_the_tour() {
    let module = Module::load();
    ok!(module.initialize());
    let slot = Token::make(&module, LABEL);
    let session = ok!(module.read_write(slot));
    fails!(session.login(CKU_USER, "wrong"), CKR_PIN_INCORRECT);
    ok!(session.close());
    tour(&module, slot);
    ok!(module.finalize());
}

fn no_thread_and_no_process_is_started() {
    let token = Token::new();
    tour(&token.module, token.slot);
    let tasks = fs::read_dir("/proc/self/task").unwrap().count();
    assert_eq!(tasks, 1, "threads");
    let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    assert_eq!(children.trim(), "", "processes");
}

/// A daemon that closed its standard streams gets their numbers for the next files, and then prints into them.
fn descriptors_are_closed_on_exec_and_above_two() {
    let home = Home::new();
    let module = Module::load();
    Forked::start(|| {
        close_standard_streams();
        ok!(module.initialize());
        let slot = Token::make(&module, LABEL);
        let session = ok!(module.read_write(slot));
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(session.aes_key(16, template![CKA_TOKEN => true]));
        for (descriptor, target) in descriptors() {
            if target.starts_with(home.path()) {
                assert!(descriptor > 2, "{} has the number {descriptor}", target.display());
                assert!(closed_on_exec(descriptor), "{} stays open on exec", target.display());
            }
        }
        Vec::new()
    })
    .join();
}

fn files_are_for_the_owner_only() {
    for umask in [0o000, 0o022, 0o277] {
        let home = Home::new();
        with_umask(umask, || {
            let module = Module::load();
            ok!(module.initialize());
            let slot = Token::make(&module, LABEL);
            let session = ok!(module.read_write(slot));
            ok!(session.login(CKU_USER, USER_PIN));
            ok!(session.aes_key(16, template![CKA_TOKEN => true]));
            let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode(&home.store()), 0o700, "umask {umask:o}");
            for file in fs::read_dir(home.store()).unwrap().flatten() {
                assert_eq!(mode(&file.path()), 0o600, "{} with umask {umask:o}", file.path().display());
            }
            ok!(module.finalize());
        });
    }
}

/// A timer every millisecond, without `SA_RESTART`.
fn interrupting_signals_change_no_result() {
    let token = Token::new();
    with_interrupting_timer(|| {
        for _ in 0..rounds(5, 200) {
            tour(&token.module, token.slot);
            make_token_again(&token.module, token.slot);
            ok!(token.restart());
        }
    });
}

/// Containers and service units give little or none.
fn locked_memory_is_not_needed() {
    let home = Home::new();
    open_to_all(&home);
    Forked::start(|| {
        limit(libc::RLIMIT_MEMLOCK, 0);
        become_nobody();
        whole_life();
        Vec::new()
    })
    .join();
}

fn few_descriptors_suffice() {
    let token = Token::new();
    for number in 0..10 {
        Token::make(&token.module, &format!("token {number}"));
    }
    ok!(token.module.finalize());
    limit(libc::RLIMIT_NOFILE, 64);
    ok!(token.module.initialize());
    let slots = ok!(token.module.slots(true));
    for slot in &slots[..11] {
        let session = ok!(token.module.read_write(*slot));
        ok!(session.login(CKU_USER, USER_PIN));
        ok!(session.aes_key(16, template![CKA_TOKEN => true]));
    }
}

/// Daemons change their working directory after they initialised.
fn relative_store_stays_where_it_was() {
    let home = Home::new();
    std::env::set_current_dir(home.path()).unwrap();
    let module = Module::load();
    ok!(module.initialize_reserved(c"store=relative"));
    std::env::set_current_dir("/").unwrap();
    let slot = Token::make(&module, LABEL);
    assert!(home.path().join("relative").is_dir());
    tour(&module, slot);
}

fn unset_home_is_no_crash() {
    let module = Module::load();
    for value in [None, Some(""), Some("relative"), Some("/nonexistent/home")] {
        for variable in ["KEYSTEAD_CONF", "KEYSTEAD_STORE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"] {
            set_variable(variable, None);
        }
        set_variable("HOME", value);
        ok!(module.initialize(), "HOME {value:?}");
        ok!(module.slots(false), "HOME {value:?}");
        ok!(module.finalize());
        assert!(!std::path::Path::new("/.local/share/keystead").exists(), "no store is made in the root folder");
    }
}

fn environment_is_ignored_in_setuid_programs() {
    let token = Token::new();
    ok!(token.module.finalize());
    let host = Host::program(&token.home, "count_tokens.c", &[]);
    open_to_all(&token.home);
    // The project's folder need not be readable for everybody.
    let module = token.home.path().join("module.so");
    fs::copy(Module::path(), &module).unwrap();
    set_mode(&module, 0o755);
    Forked::start(|| {
        become_nobody();
        let output = host.outcome_with(&module, &[]);
        assert_eq!(output.stdout, b"initialised 1\n", "nobody may use the token: {output:?}");
        Vec::new()
    })
    .join();
    if !make_setuid_of_nobody(host.path()) {
        skip("only root can make a setuid program of another user");
    }
    let output = host.outcome_with(&module, &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("not privileged") {
        skip("the temporary folder does not honour setuid");
    }
    assert_eq!(said, "privileged\ninitialised 0\n", "{}", String::from_utf8_lossy(&output.stderr));
}

/// The process-wide settings that a library could change.
#[derive(Debug, PartialEq)]
struct Settings {
    umask: u32,
    folder: PathBuf,
    signals: Vec<String>,
    limits: String,
    environment: BTreeSet<(std::ffi::OsString, std::ffi::OsString)>,
    locale: String,
    descriptors: Vec<(i32, PathBuf)>,
}

fn settings() -> Settings {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    Settings {
        umask: umask(),
        folder: std::env::current_dir().unwrap(),
        signals: ["SigBlk", "SigIgn", "SigCgt", "Seccomp", "NoNewPrivs"].iter().filter_map(|name| line(name)).collect(),
        limits: fs::read_to_string("/proc/self/limits").unwrap(),
        environment: std::env::vars_os().collect(),
        locale: locale(),
        descriptors: descriptors(),
    }
}
