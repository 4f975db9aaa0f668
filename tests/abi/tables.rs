//! The function tables and interfaces, and what every entry answers when it is called the wrong way.

use std::collections::HashMap;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    tables_are_complete,
    tables_and_exports_are_the_same_functions,
    interfaces_are_found_before_initialise,
    unknown_interfaces_are_refused,
    entries_say_not_initialised,
    entries_survive_null_arguments,
    entries_survive_null_arguments_in_a_session,
    parallel_functions_are_not_parallel,
    functions_that_wait_for_their_mechanisms_say_so,
    library_tells_its_name_and_version,
];

fn tables_are_complete() {
    let module = Module::load();
    assert_eq!(Table::of_list(&module).version(), (2, 40), "C_GetFunctionList");
    let mut tables = ok!(module.interfaces());
    tables.push(Table::of_list(&module));
    let mut versions: Vec<_> = tables.iter().map(Table::version).collect();
    versions.sort();
    versions.dedup();
    assert_eq!(versions, [(2, 40), (3, 0), (3, 2)]);
    for table in tables {
        assert_eq!(table.name, c"PKCS 11");
        for (entry, name) in table.entries().iter().zip(FUNCTIONS) {
            assert!(entry.is_some(), "{name} in the table of version {:?}", table.version());
        }
    }
}

/// A shorter table is the beginning of a longer one, and the exported functions are those of the tables.
fn tables_and_exports_are_the_same_functions() {
    let module = Module::load();
    let address = |entry: &Option<Entry>| entry.map(|entry| entry as usize);
    let longest: Vec<_> = table(&module, 3, 2).entries().iter().map(address).collect();
    for shorter in [Table::of_list(&module), table(&module, 2, 40), table(&module, 3, 0)] {
        let entries: Vec<_> = shorter.entries().iter().map(address).collect();
        assert_eq!(entries, longest[..entries.len()], "version {:?}", shorter.version());
    }
    let exported = FUNCTIONS.iter().take(68).chain(&["C_GetInterfaceList", "C_GetInterface"]);
    for name in exported {
        let place = FUNCTIONS.iter().position(|function| function == name).unwrap();
        assert_eq!(module.symbol(name).map(|symbol| symbol as usize), longest[place], "{name}");
    }
    // The linker may give functions that do the same, such as to say that they are not supported, one address.
    let _home = Home::new();
    ok!(module.initialize());
    let mut distinct = HashMap::new();
    for (name, entry) in named_entries(&module).filter(|(name, _)| !["C_Initialize", "C_Finalize"].contains(name)) {
        let code = call_blank(entry, 0);
        let other = distinct.insert(entry as usize, name);
        let same = [CKR_FUNCTION_NOT_SUPPORTED, CKR_FUNCTION_NOT_PARALLEL].contains(&code.0);
        assert!(same || other.is_none(), "{name} and {other:?} are one function, which says {code}");
    }
}

fn interfaces_are_found_before_initialise() {
    let module = Module::load();
    let version = |major, minor| Some(CK_VERSION { major, minor });
    let name = Some(c"PKCS 11");
    let cases = [
        (None, None, (3, 2)),
        (name, None, (3, 2)),
        (name, version(2, 40), (2, 40)),
        (name, version(3, 0), (3, 0)),
        (name, version(3, 2), (3, 2)),
        (None, version(3, 0), (3, 0)),
        (None, version(2, 40), (2, 40)),
    ];
    for (name, wanted, given) in cases {
        let interface = ok!(module.interface(name, wanted, 0), "{name:?} {wanted:?}");
        assert_eq!((interface.version(), interface.name), (given, c"PKCS 11"), "{name:?} {wanted:?}");
        assert_eq!(interface.flags, 0, "a child must initialise again, so nothing is fork-safe");
    }
    fails!(module.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/// Any code but `CKR_FUNCTION_NOT_SUPPORTED`, which OpenSSL's provider reads as "2.40 only".
fn unknown_interfaces_are_refused() {
    let module = Module::load();
    let version = |major, minor| Some(CK_VERSION { major, minor });
    let cases = [
        (Some(c"PKCS 11"), version(3, 7), 0),
        (Some(c"PKCS 11"), version(9, 0), 0),
        (Some(c"PKCS 11"), version(0, 0), 0),
        (Some(c"Vendor NSS Module Interface"), None, 0),
        (Some(c""), None, 0),
        (Some(c"PKCS 11"), None, CKF_INTERFACE_FORK_SAFE),
        (None, None, CKF_INTERFACE_FORK_SAFE),
    ];
    for (name, version, flags) in cases {
        match module.interface(name, version, flags) {
            Err(code) => assert_ne!(code, Rv(CKR_FUNCTION_NOT_SUPPORTED), "{name:?} {version:?} {flags}"),
            Ok(found) => panic!("{name:?} {version:?} {flags}: found version {:?}", found.version()),
        }
    }
}

fn entries_say_not_initialised() {
    let module = Module::load();
    for (name, entry) in named_entries(&module) {
        let expected: &[CK_RV] = match name {
            "C_Initialize" => continue,
            "C_GetFunctionList" | "C_GetInterface" | "C_GetInterfaceList" => &[CKR_ARGUMENTS_BAD],
            "C_GetFunctionStatus" | "C_CancelFunction" => &[CKR_FUNCTION_NOT_PARALLEL, CKR_CRYPTOKI_NOT_INITIALIZED],
            _ => &[CKR_CRYPTOKI_NOT_INITIALIZED],
        };
        let code = call_blank(entry, 0);
        assert!(expected.contains(&code.0), "{name}: {code}");
    }
}

/// No session has handle 0 or all ones. Which of several faults in one call is named is the library's choice.
fn entries_survive_null_arguments() {
    let token = Token::new();
    for first in [0, usize::MAX] {
        for (name, entry) in named_entries(&token.module) {
            let code = match name {
                // These take no session, and NULL is right for the first three.
                "C_Initialize" | "C_Finalize" => continue,
                "C_CloseAllSessions" if first == 0 => continue,
                // A pointer comes first.
                "C_GetInfo" | "C_GetFunctionList" | "C_GetInterface" | "C_GetInterfaceList" if first != 0 => continue,
                _ => call_blank(entry, first),
            };
            let expected = [
                CKR_ARGUMENTS_BAD,
                CKR_FUNCTION_NOT_PARALLEL,
                CKR_FUNCTION_NOT_SUPPORTED,
                CKR_SESSION_HANDLE_INVALID,
                CKR_SLOT_ID_INVALID,
            ];
            let no_event = name == "C_WaitForSlotEvent" && code.0 == CKR_NO_EVENT;
            let slot_exists = first == 0 && name == "C_GetMechanismInfo" && code.0 == CKR_MECHANISM_INVALID;
            assert!(expected.contains(&code.0) || no_event || slot_exists, "{name} with {first}: {code}");
        }
    }
    ok!(token.user().random(16));
}

/// NULL for every argument but the session: a code that speaks of the call, and the session lives.
fn entries_survive_null_arguments_in_a_session() {
    let token = Token::new();
    let own = ["C_Initialize", "C_Finalize", "C_CloseSession", "C_Logout"];
    for (name, entry) in named_entries(&token.module) {
        let takes_no_session = ["C_GetInfo", "C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"];
        if own.contains(&name) || takes_no_session.contains(&name) {
            continue;
        }
        let session = ok!(token.module.read_write(token.slot));
        let code = call_blank(entry, session.handle as usize);
        let wrong =
            [CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_HOST_MEMORY, CKR_FUNCTION_FAILED, CKR_SESSION_HANDLE_INVALID];
        assert!(!wrong.contains(&code.0), "{name}: {code}");
        ok!(session.info(), "after {name}");
        ok!(session.close(), "after {name}");
    }
    ok!(token.user().logout());
}

fn parallel_functions_are_not_parallel() {
    let token = Token::new();
    let session = token.session();
    fails!(call!(token.module.list, C_GetFunctionStatus(session.handle)), CKR_FUNCTION_NOT_PARALLEL);
    fails!(call!(token.module.list, C_CancelFunction(session.handle)), CKR_FUNCTION_NOT_PARALLEL);
    ok!(session.info());
}

/// No mechanism is listed for them, and nothing becomes active. PKCS#11 3.2, section 5.
fn functions_that_wait_for_their_mechanisms_say_so() {
    let token = Token::new();
    let session = token.user();
    let waiting = ["Message", "VerifySignature", "Encapsulate", "Decapsulate", "Async", "GetSessionValidationFlags"];
    let mut found = 0;
    for (name, entry) in named_entries(&token.module) {
        if waiting.iter().any(|part| name.contains(part)) {
            assert_eq!(call_blank(entry, session.handle as usize), Rv(CKR_FUNCTION_NOT_SUPPORTED), "{name}");
            found += 1;
        }
    }
    assert_eq!(found, 30);
    let later = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY;
    for mechanism in ok!(token.module.mechanisms(token.slot)) {
        let flags = ok!(token.module.mechanism_info(token.slot, mechanism)).flags;
        assert_eq!(flags & (later | CKF_ENCAPSULATE | CKF_DECAPSULATE), 0, "{mechanism:#x}");
    }
}

fn library_tells_its_name_and_version() {
    let _home = Home::new();
    let module = Module::load();
    ok!(module.initialize());
    let info = ok!(module.info());
    assert_eq!((info.cryptokiVersion.major, info.cryptokiVersion.minor), (3, 2));
    assert_eq!(&info.manufacturerID, b"Keystead                        ");
    assert_eq!(info.flags, 0);
    let description = std::str::from_utf8(&info.libraryDescription).unwrap();
    assert!(description.starts_with("Keystead") && !description.contains('\0'), "{description:?}");
}

fn table(module: &Module, major: u8, minor: u8) -> Table {
    ok!(module.interface(Some(c"PKCS 11"), Some(CK_VERSION { major, minor }), 0))
}

fn named_entries(module: &Module) -> impl Iterator<Item = (&'static str, Entry)> {
    let entries = table(module, 3, 2).entries().iter().map(|entry| entry.expect("no entry is NULL"));
    FUNCTIONS.into_iter().zip(entries)
}
