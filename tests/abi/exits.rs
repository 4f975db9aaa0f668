//! The end of a process, of a thread and of the library's handle; hosts in C that share the module's names.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    thread_ends_after_dlclose,
    host_with_the_same_names_gets_ours,
    library_loaded_before_calls_at_exit,
    library_loaded_after_calls_at_exit,
    threads_call_while_the_process_exits,
];

fn thread_ends_after_dlclose() {
    let token = Token::new();
    let host = Host::program(&token.home, "thread_after_dlclose.c", &[]);
    assert_eq!(host.run(&[]), "done\n");
}

fn host_with_the_same_names_gets_ours() {
    let token = Token::new();
    let host = Host::program(&token.home, "own_symbols.c", &["-rdynamic"]);
    assert_eq!(host.run(&[USER_PIN]), "done\n");
}

/// Its destructor runs before the module's own: everything still works, or says that it does not.
fn library_loaded_before_calls_at_exit() {
    for (name, code) in calls_at_exit("before") {
        let harmless = [CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_GENERAL_ERROR];
        assert!(harmless.contains(&code.0), "{name}: {code}");
    }
}

/// Its destructor runs after those of the module and of the crypto library in it: no call does anything any more.
fn library_loaded_after_calls_at_exit() {
    for (name, code) in calls_at_exit("after") {
        let refused = if name == "C_Initialize" { CKR_FUNCTION_FAILED } else { CKR_CRYPTOKI_NOT_INITIALIZED };
        assert_eq!(code.0, refused, "{name}: {code}");
    }
}

fn calls_at_exit(order: &str) -> Vec<(String, Rv)> {
    let token = Token::new();
    let library = Host::library(&token.home, "exit_library.c", &[]);
    let host = Host::program(&token.home, "exit_calls.c", &[]);
    let said = host.run(&[library.path().to_str().unwrap(), order, USER_PIN]);
    let calls: Vec<_> = said
        .lines()
        .map(|line| {
            let (name, code) = line.split_once(" 0x").expect("a name and a code");
            (name.to_owned(), Rv(CK_RV::from_str_radix(code, 16).unwrap()))
        })
        .collect();
    assert_eq!(calls.len(), 6, "{said}");
    calls
}

fn threads_call_while_the_process_exits() {
    let token = Token::new();
    let host = Host::program(&token.home, "threads_at_exit.c", &[]);
    for _ in 0..rounds(20, 1_000) {
        host.run(&[]);
    }
}
