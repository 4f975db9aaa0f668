//! What ends things against what uses them: every pair of such calls, by two threads at once, on the same sessions and objects.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![every_pair_of_calls_races_without_a_dead_lock];

/// The stage of one race: what both threads work with.
#[derive(Clone, Copy)]
struct Stage {
    module: Module,
    slot: CK_SLOT_ID,
    session: Session,
    token_key: CK_OBJECT_HANDLE,
    session_key: CK_OBJECT_HANDLE,
}

/// One call, or the few that make sense together; and what it may say besides that what it works with has gone.
struct Act {
    name: &'static str,
    run: fn(&Stage) -> Result,
    may_say: &'static [CK_RV],
}

const ACTS: &[Act] = &[
    Act { name: "C_Logout", run: |stage| stage.session.logout(), may_say: &[] },
    Act { name: "C_CloseSession", run: |stage| stage.session.close(), may_say: &[] },
    Act { name: "C_CloseAllSessions", run: |stage| stage.module.close_all(stage.slot), may_say: &[] },
    Act {
        name: "C_CloseAllSessions, C_InitToken",
        run: |stage| {
            stage.module.close_all(stage.slot)?;
            stage.module.init_token(stage.slot, SO_PIN, LABEL)
        },
        may_say: &[CKR_SESSION_EXISTS],
    },
    Act { name: "C_DestroyObject of a token key", run: |stage| stage.session.destroy(stage.token_key), may_say: &[] },
    Act {
        name: "C_DestroyObject of a session key",
        run: |stage| stage.session.destroy(stage.session_key),
        may_say: &[],
    },
    Act {
        name: "C_Login",
        run: |stage| stage.session.login(CKU_USER, USER_PIN),
        may_say: &[CKR_USER_ALREADY_LOGGED_IN, CKR_USER_PIN_NOT_INITIALIZED],
    },
    Act {
        name: "C_OpenSession, C_CloseSession",
        run: |stage| stage.module.read_write(stage.slot)?.close(),
        // While the token is being initialised.
        may_say: &[CKR_FUNCTION_FAILED],
    },
    Act {
        name: "C_FindObjects",
        run: |stage| {
            stage.session.find_init(&template![])?;
            while !stage.session.find_next(1)?.is_empty() {}
            stage.session.find_final()
        },
        may_say: &[CKR_OPERATION_ACTIVE],
    },
    Act {
        name: "C_SignInit, C_Sign",
        run: |stage| {
            stage.session.sign(&Mechanism::plain(CKM_AES_CMAC), stage.token_key, b"message")?;
            stage.session.sign(&Mechanism::plain(CKM_AES_CMAC), stage.session_key, b"message").map(drop)
        },
        may_say: &[CKR_OPERATION_ACTIVE],
    },
    Act {
        name: "C_SetAttributeValue",
        run: |stage| {
            stage.session.set(stage.token_key, &template![CKA_LABEL => "changed"])?;
            stage.session.set(stage.session_key, &template![CKA_LABEL => "changed"])
        },
        may_say: &[],
    },
    Act {
        name: "C_GetAttributeValue",
        run: |stage| {
            stage.session.value(stage.token_key, CKA_LABEL)?;
            stage.session.value(stage.session_key, CKA_LABEL).map(drop)
        },
        may_say: &[],
    },
    Act {
        name: "C_CopyObject",
        run: |stage| stage.session.copy(stage.token_key, &template![]).map(drop),
        may_say: &[],
    },
    Act {
        name: "C_GenerateKey",
        run: |stage| stage.session.aes_key(32, template![CKA_TOKEN => true]).map(drop),
        may_say: &[],
    },
    Act {
        name: "C_GenerateKeyPair",
        run: |stage| {
            let curve = template![CKA_EC_PARAMS => ED25519, CKA_TOKEN => true];
            let private = template![CKA_TOKEN => true, CKA_PRIVATE => true];
            stage.session.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &curve, &private).map(drop)
        },
        may_say: &[],
    },
    Act {
        name: "C_SetPIN",
        run: |stage| stage.session.set_pin(USER_PIN, USER_PIN),
        // The other one was quicker with the same.
        may_say: &[CKR_PIN_INCORRECT, CKR_USER_PIN_NOT_INITIALIZED],
    },
    Act {
        name: "C_Finalize, C_Initialize",
        run: |stage| {
            stage.module.finalize()?;
            stage.module.initialize()
        },
        may_say: &[CKR_CRYPTOKI_ALREADY_INITIALIZED],
    },
];

fn every_pair_of_calls_races_without_a_dead_lock() {
    let token = Token::new();
    let pairs: Vec<(usize, usize)> =
        (0..ACTS.len()).flat_map(|one| (one..ACTS.len()).map(move |other| (one, other))).collect();
    let begun = Arc::new(AtomicUsize::new(0));
    watch(Arc::clone(&begun), pairs.clone());
    for round in 0..rounds(3, 60) {
        for (place, (one, other)) in pairs.iter().enumerate() {
            begun.store(round * pairs.len() + place + 1, Ordering::SeqCst);
            let stage = stage(&token);
            let start = Barrier::new(2);
            std::thread::scope(|scope| {
                for act in [&ACTS[*one], &ACTS[*other]] {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        for _ in 0..4 {
                            let Err(code) = (act.run)(&stage) else { continue };
                            let known = GONE.contains(&code.0) || act.may_say.contains(&code.0);
                            assert!(known, "{}: {code}; {} at once", act.name, both(*one, *other));
                        }
                    });
                }
            });
            works(&token, *one, *other);
        }
    }
    report(format_args!("{} pairs of calls", pairs.len()));
    token.is_sound();
}

/// A user's session with two keys, whatever the race before has left.
fn stage(token: &Token) -> Stage {
    let (module, slot) = (token.module, token.slot);
    match module.initialize() {
        Err(Rv(CKR_CRYPTOKI_ALREADY_INITIALIZED)) | Ok(()) => {}
        Err(other) => panic!("{other}"),
    }
    ok!(module.close_all(slot));
    let session = ok!(module.read_write(slot));
    match session.login(CKU_USER, USER_PIN) {
        Err(Rv(CKR_USER_PIN_NOT_INITIALIZED)) => {
            ok!(session.login(CKU_SO, SO_PIN));
            ok!(session.init_pin(USER_PIN));
            ok!(session.logout());
            ok!(session.login(CKU_USER, USER_PIN));
        }
        other => ok!(other),
    }
    let token_key = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    let session_key = ok!(session.aes_key(32, template![]));
    Stage { module, slot, session, token_key, session_key }
}

/// The library works after the race, and nobody is locked out.
fn works(token: &Token, one: usize, other: usize) {
    let Stage { session, token_key, .. } = stage(token);
    let context = both(one, other);
    let tag = ok!(session.sign(&Mechanism::plain(CKM_AES_CMAC), token_key, b"message"), "after {context}");
    assert_eq!(tag.len(), 16);
    for key in ok!(session.objects(&template![CKA_TOKEN => true]), "after {context}") {
        ok!(session.destroy(key), "after {context}");
    }
    assert_eq!(token.flags() & (CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_COUNT_LOW), 0, "after {context}");
}

fn both(one: usize, other: usize) -> String {
    format!("{} and {}", ACTS[one].name, ACTS[other].name)
}

/// Ends the test, with the names, if one race does not end.
fn watch(begun: Arc<AtomicUsize>, pairs: Vec<(usize, usize)>) {
    std::thread::spawn(move || {
        let mut last = 0;
        loop {
            std::thread::sleep(Duration::from_secs(20));
            let now = begun.load(Ordering::SeqCst);
            if now == last {
                let (one, other) = pairs[(now + pairs.len() - 1) % pairs.len()];
                eprintln!("{} wait for each other", both(one, other));
                std::process::abort();
            }
            last = now;
        }
    });
}
