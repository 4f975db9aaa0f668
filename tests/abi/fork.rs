//! `fork` in a single-threaded host, and programs that the host starts.

use std::collections::HashSet;
use std::process::Command;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    child_is_not_initialised,
    child_works_beside_the_parent,
    child_of_a_child_works,
    parent_goes_on_after_a_child_finalised,
    nothing_random_repeats,
    operations_of_the_parent_go_on,
    fork_handler_registered_before_initialises,
    fork_handler_registered_after_initialises,
    fork_handler_initialises_what_the_parent_never_did,
    module_in_another_namespace_knows_a_child,
    cloned_child_is_told_that_it_may_not,
    started_programs_leave_the_module_alone,
    child_outlives_its_parent_without_its_locks,
];
pub const PEERS: &[Test] = &tests![leave_a_child_behind];

fn child_is_not_initialised() {
    let token = Token::new();
    let session = token.user();
    let table = ok!(token.module.interface(None, None, 0));
    Forked::start(|| {
        for (name, entry) in FUNCTIONS.iter().zip(table.entries()) {
            let entry = entry.expect("no entry is NULL");
            let expected: &[CK_RV] = match *name {
                "C_Initialize" => continue,
                "C_GetFunctionList" | "C_GetInterface" | "C_GetInterfaceList" => &[CKR_ARGUMENTS_BAD],
                "C_GetFunctionStatus" | "C_CancelFunction" => {
                    &[CKR_FUNCTION_NOT_PARALLEL, CKR_CRYPTOKI_NOT_INITIALIZED]
                }
                _ => &[CKR_CRYPTOKI_NOT_INITIALIZED],
            };
            // Where a pointer comes first, NULL.
            let first = if POINTER_FIRST.contains(name) { 0 } else { session.handle as usize };
            let code = call_blank(entry, first);
            assert!(expected.contains(&code.0), "{name}: {code}");
        }
        fails!(session.random(8), CKR_CRYPTOKI_NOT_INITIALIZED);
        ok!(token.module.initialize());
        assert_eq!(ok!(token.module.slots(true))[0], token.slot, "slots have the ids that they have in the parent");
        // The session was the parent's. A handle is index and generation, and no session is open here.
        fails!(session.info(), CKR_SESSION_HANDLE_INVALID);
        Vec::new()
    })
    .join();
    ok!(session.random(8));
    assert_eq!(ok!(session.state()), CKS_RW_USER_FUNCTIONS);
}

const POINTER_FIRST: [&str; 5] =
    ["C_Finalize", "C_GetInfo", "C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"];

fn child_works_beside_the_parent() {
    let token = Token::new();
    let session = token.user();
    let make = |session: &Session, who: u8, round: u8| {
        let key = template![CKA_TOKEN => true, CKA_ID => &[who, round], CKA_ENCRYPT => true, CKA_DECRYPT => true];
        let key = ok!(session.aes_key(32, key), "process {who}, round {round}");
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC, &[0; 16]), key, &[0; 16]))
    };
    let count = rounds(25, 250) as u8;
    let mut parts = Vec::new();
    let child = Forked::start(|| {
        ok!(token.module.initialize());
        let session = token.user();
        (0..count).flat_map(|round| make(&session, 1, round)).collect()
    });
    for round in 0..count {
        parts.push(make(&session, 0, round));
    }
    let of_child = child.join();
    assert_eq!(of_child.len(), usize::from(count) * 16);
    parts.extend(of_child.chunks(16).map(<[u8]>::to_vec));
    // Each key is there for both, and is the key that encrypted.
    let check = |session: &Session| {
        for (index, sealed) in parts.iter().enumerate() {
            let (who, round) = ((index / usize::from(count)) as u8, (index % usize::from(count)) as u8);
            let found = ok!(session.find(&template![CKA_ID => &[who, round]]));
            assert_eq!(found.len(), 1, "process {who}, round {round}");
            let opened = ok!(session.decrypt(&Mechanism::with(CKM_AES_CBC, &[0; 16]), found[0], sealed));
            assert_eq!(opened, [0; 16]);
        }
    };
    check(&session);
    let check_again = || {
        ok!(token.module.initialize());
        check(&token.user());
        Vec::new()
    };
    Forked::start(check_again).join();
    assert_eq!(parts.iter().collect::<HashSet<_>>().len(), parts.len(), "no key is made twice");
}

fn child_of_a_child_works() {
    let token = Token::new();
    let session = token.user();
    Forked::start(|| {
        ok!(token.module.initialize());
        ok!(token.user().aes_key(16, template![CKA_TOKEN => true, CKA_LABEL => "child"]));
        Forked::start(|| {
            fails!(token.module.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
            ok!(token.module.initialize());
            ok!(token.user().aes_key(16, template![CKA_TOKEN => true, CKA_LABEL => "grandchild"]));
            ok!(token.module.finalize());
            Vec::new()
        })
        .join()
    })
    .join();
    for label in ["child", "grandchild"] {
        assert_eq!(ok!(session.find(&template![CKA_LABEL => label])).len(), 1, "{label}");
    }
}

fn parent_goes_on_after_a_child_finalised() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_ENCRYPT => true]));
    for round in 0..10 {
        Forked::start(|| {
            fails!(token.module.finalize(), CKR_CRYPTOKI_NOT_INITIALIZED);
            if round % 2 == 0 {
                ok!(token.module.initialize());
                ok!(token.module.slots(true));
                ok!(token.module.finalize());
                fails!(token.module.finalize(), CKR_CRYPTOKI_NOT_INITIALIZED);
            }
            Vec::new()
        })
        .join();
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, b"on it goes"), "round {round}");
        ok!(session.aes_key(16, template![CKA_TOKEN => true, CKA_ENCRYPT => true]), "round {round}");
    }
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 11);
}

/// Parent and children draw at once after the fork, from a module that has drawn before it; a block drawn twice is seen.
fn nothing_random_repeats() {
    const BLOCK: usize = 16;
    let token = Token::new();
    let session = token.user();
    let draw = |session: &Session| -> Vec<u8> {
        let mut blocks = Vec::new();
        for _ in 0..20 {
            blocks.extend(ok!(session.random(BLOCK)));
            let readable = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
            let key = ok!(session.aes_key(32, readable.clone()));
            blocks.extend(ok!(session.value(key, CKA_VALUE)));
            let secret = readable.with(CKA_VALUE_LEN, BLOCK as CK_ULONG);
            let secret = ok!(session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &secret));
            blocks.extend(ok!(session.value(secret, CKA_VALUE)));
            // The object's identifier is random too.
            let identifier = ok!(session.value(secret, CKA_UNIQUE_ID));
            assert!(identifier.len() >= BLOCK, "{identifier:?}");
            blocks.extend(&identifier[identifier.len() - BLOCK..]);
        }
        blocks
    };
    let mut drawn = draw(&session);
    for _ in 0..rounds(10, 500) {
        let child = || {
            ok!(token.module.initialize());
            draw(&token.user())
        };
        let (first, second) = (Forked::start(child), Forked::start(child));
        drawn.extend(draw(&session));
        drawn.extend(first.join());
        drawn.extend(second.join());
    }
    let blocks: Vec<&[u8]> = drawn.chunks(BLOCK).collect();
    let mut seen = HashSet::new();
    for block in &blocks {
        assert!(seen.insert(*block), "{block:02x?} was drawn twice among {}", blocks.len());
    }
}

fn operations_of_the_parent_go_on() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_ENCRYPT => true]));
    let mode = Mechanism::with(CKM_AES_CBC, &[9; 16]);
    let expected = ok!(session.encrypt(&mode, key, &[3; 64]));
    ok!(Encrypt::init(&session, &mode, key));
    ok!(session.find_init(&template![CKA_CLASS => CKO_SECRET_KEY]));
    let mut got: Vec<u8> = Vec::new();
    for _ in 0..4 {
        Forked::start(|| {
            fails!(Encrypt::update(&session, &[3; 16], Some(&mut [0; 32])).0, CKR_CRYPTOKI_NOT_INITIALIZED);
            Vec::new()
        })
        .join();
        let mut part = [0; 32];
        let (outcome, length) = Encrypt::update(&session, &[3; 16], Some(&mut part));
        ok!(outcome);
        got.extend(&part[..length]);
    }
    ok!(Encrypt::last(&session, Some(&mut [0; 32])).0);
    assert_eq!(got, expected);
    assert_eq!(ok!(session.find_next(10)), [key]);
    ok!(session.find_final());
}

fn fork_handler_registered_before_initialises() {
    let token = Token::new();
    let host = Host::program(&token.home, "fork_handlers.c", &[]);
    assert_eq!(host.run(&["before", USER_PIN]), "done\n");
}

fn fork_handler_registered_after_initialises() {
    let token = Token::new();
    let host = Host::program(&token.home, "fork_handlers.c", &[]);
    assert_eq!(host.run(&["after", USER_PIN]), "done\n");
}

fn fork_handler_initialises_what_the_parent_never_did() {
    let token = Token::new();
    ok!(token.module.finalize());
    let host = Host::program(&token.home, "fork_handlers.c", &[]);
    assert_eq!(host.run(&["only", USER_PIN]), "done\n");
}

/// The host's `fork` runs no handler there.
fn module_in_another_namespace_knows_a_child() {
    let token = Token::new();
    let host = Host::program(&token.home, "other_namespace.c", &[]);
    assert_eq!(host.run(&[USER_PIN]), "done\n");
}

/// Raw `clone` runs no handler at all.
fn cloned_child_is_told_that_it_may_not() {
    let token = Token::new();
    ok!(token.restart());
    let works = || {
        ok!(token.module.initialize());
        ok!(token.user().aes_key(16, template![CKA_TOKEN => true, CKA_LABEL => "cloned"]));
        ok!(token.module.finalize());
        Vec::new()
    };
    Forked::clone(works).join();
    let session = token.user();
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "cloned"])).len(), 1, "nothing was open yet");
    Forked::clone(|| {
        fails!(session.random(8), CKR_CRYPTOKI_NOT_INITIALIZED);
        fails!(token.module.finalize(), CKR_CRYPTOKI_NOT_INITIALIZED);
        ok!(token.module.initialize());
        assert_eq!(ok!(token.module.slots(true))[0], token.slot);
        fails!(token.module.read_write(token.slot), CKR_DEVICE_ERROR | CKR_TOKEN_NOT_RECOGNIZED);
        ok!(token.module.finalize());
        Vec::new()
    })
    .join();
    ok!(session.aes_key(16, template![CKA_TOKEN => true]));
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 2);
}

/// They share no memory or, until they execute, all of it; and they inherit no descriptor.
fn started_programs_leave_the_module_alone() {
    let token = Token::new();
    let session = token.user();
    let inherited = |files: &str| {
        let output = Command::new("sh").args(["-c", &format!("readlink {files}")]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for round in 0..10_u8 {
        ok!(session.aes_key(16, template![CKA_TOKEN => true, CKA_ID => &[round]]));
        let files = inherited("/proc/self/fd/*");
        assert!(!files.contains(token.home.path().to_str().unwrap()), "{files}");
    }
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), 10);
}

/// A lock lives as long as any copy of its descriptor, so a child must not keep the parent's.
fn child_outlives_its_parent_without_its_locks() {
    let token = Token::new();
    let session = token.user();
    let mut peer = peer!(leave_a_child_behind);
    assert_eq!(peer.hear(), "child left");
    peer.kill();
    let start = std::time::Instant::now();
    ok!(session.aes_key(16, template![CKA_TOKEN => true]));
    ok!(session.set_pin(USER_PIN, "another-pin"));
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

fn leave_a_child_behind() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.aes_key(16, template![CKA_TOKEN => true]));
    let _sleeping = Forked::start(|| {
        std::thread::sleep(std::time::Duration::from_secs(600));
        Vec::new()
    });
    say("child left");
    hear();
}
