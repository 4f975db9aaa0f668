//! The library's life in a program: initialising and finalising, threads, and what it leaves alone.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    initialize_arguments,
    reserved_string_says_where_the_tokens_are,
    reserved_nonsense_is_refused_before_anything_changes,
    second_initialize_reads_no_configuration,
    finalize_takes_no_argument_and_works_once,
    loaded_twice_it_is_one_library,
    loaded_with_deep_binding,
    found_uninitialised_after_dlclose,
    initialised_and_finalised_a_thousand_times,
    racing_initialize_succeeds_once,
    sixty_four_threads_at_once,
    small_stack_suffices_for_everything,
    finalize_ends_calls_in_flight,
    finalize_ends_a_wait_for_slot_events,
    two_copies_share_a_store,
];

fn initialize_arguments() {
    let _home = Home::new();
    let module = Module::load();
    let accepted = [
        (0, 0),
        (CKF_OS_LOCKING_OK, 0),
        (CKF_LIBRARY_CANT_CREATE_OS_THREADS, 0),
        (CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS, 0),
        (CKF_OS_LOCKING_OK, 0b1111),
        (CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS, 0b1111),
    ];
    for (flags, callbacks) in accepted {
        ok!(module.initialize_with(&mut with_callbacks(flags, callbacks)), "flags {flags}, callbacks {callbacks:04b}");
        ok!(module.slots(false));
        ok!(module.finalize());
    }
    ok!(module.initialize_null());
    ok!(module.finalize());

    for flags in [0, CKF_LIBRARY_CANT_CREATE_OS_THREADS] {
        fails!(module.initialize_with(&mut with_callbacks(flags, 0b1111)), CKR_CANT_LOCK);
    }
    for flags in [0, CKF_OS_LOCKING_OK] {
        for some in 1..0b1111 {
            fails!(module.initialize_with(&mut with_callbacks(flags, some)), CKR_ARGUMENTS_BAD, "callbacks {some:04b}");
        }
    }
    fails!(module.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_eq!(CALLED.load(Ordering::SeqCst), 0, "no callback is ever called");
    ok!(module.initialize());
}

/// `C_Initialize` arguments with those of the four callbacks whose bit is set.
fn with_callbacks(flags: CK_FLAGS, which: u32) -> CK_C_INITIALIZE_ARGS {
    let mut arguments = initialize_args(flags);
    arguments.CreateMutex = (which & 1 != 0).then_some(create_mutex as _);
    arguments.DestroyMutex = (which & 2 != 0).then_some(count_call as _);
    arguments.LockMutex = (which & 4 != 0).then_some(count_call as _);
    arguments.UnlockMutex = (which & 8 != 0).then_some(count_call as _);
    arguments
}

static CALLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn create_mutex(_: *mut *mut std::ffi::c_void) -> CK_RV {
    count_call(std::ptr::null_mut())
}

extern "C" fn count_call(_: *mut std::ffi::c_void) -> CK_RV {
    CALLED.fetch_add(1, Ordering::SeqCst);
    CKR_OK
}

fn reserved_string_says_where_the_tokens_are() {
    let (first, second) = (Home::new(), Home::new());
    let module = Module::load();
    let by_store = format!("store={}\0", first.store().display());
    ok!(module.initialize_reserved(terminated(&by_store)));
    Token::make(&module, "first");
    assert!(first.store().exists() && !second.store().exists());
    ok!(module.finalize());

    ok!(module.initialize());
    assert_eq!(labels(&module), [""], "the environment points to the second home");
    ok!(module.finalize());

    let by_conf = format!("conf={}\0", first.configuration().display());
    ok!(module.initialize_reserved(terminated(&by_conf)));
    assert_eq!(labels(&module), ["first", ""]);
    ok!(module.finalize());

    ok!(module.initialize_reserved(c""));
    ok!(module.finalize());
}

fn reserved_nonsense_is_refused_before_anything_changes() {
    let home = Home::new();
    let module = Module::load();
    let nonsense: [&CStr; 8] = [
        c"nonsense",
        c"store",
        c"store=",
        c"stores=/tmp",
        c"store=/tmp other=1",
        c"store=/tmp store=/tmp",
        c"configdir='sql:/tmp' certPrefix=''",
        c"\xff\xfe",
    ];
    for text in nonsense {
        fails!(module.initialize_reserved(text), CKR_ARGUMENTS_BAD, "{text:?}");
        fails!(module.info(), CKR_CRYPTOKI_NOT_INITIALIZED, "{text:?}");
    }
    ok!(module.initialize());
    Token::make(&module, "made");
    assert!(home.store().exists());
}

fn second_initialize_reads_no_configuration() {
    let token = Token::new();
    let session = token.session();
    std::fs::write(token.home.configuration(), "nonsense = [").unwrap();
    fails!(token.module.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    fails!(token.module.initialize_null(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    ok!(session.login(CKU_USER, USER_PIN));
}

fn finalize_takes_no_argument_and_works_once() {
    let _home = Home::new();
    let module = Module::load();
    fails!(module.finalize(), CKR_CRYPTOKI_NOT_INITIALIZED);
    ok!(module.initialize());
    let mut something = 0_u64;
    fails!(call!(module.list, C_Finalize((&raw mut something).cast())), CKR_ARGUMENTS_BAD);
    ok!(module.info());
    ok!(module.finalize());
    fails!(module.finalize(), CKR_CRYPTOKI_NOT_INITIALIZED);
    fails!(module.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
}

fn loaded_twice_it_is_one_library() {
    let token = Token::new();
    let again = Module::load();
    assert!(std::ptr::eq(token.module.list, again.list));
    fails!(again.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    let session = ok!(again.read_write(token.slot));
    ok!(session.login(CKU_USER, USER_PIN));
    again.unload();
    tour(&token.module, {
        ok!(session.close());
        token.slot
    });
}

/// OpenSSL's provider loads modules so.
fn loaded_with_deep_binding() {
    let _home = Home::new();
    let module = Module::load_from(&Module::path(), libc::RTLD_NOW | libc::RTLD_DEEPBIND);
    ok!(module.initialize());
    let slot = Token::make(&module, LABEL);
    tour(&module, slot);
}

fn found_uninitialised_after_dlclose() {
    let token = Token::new();
    let slot = token.slot;
    ok!(token.module.finalize());
    let before = std::ptr::from_ref(token.module.list) as usize;
    token.module.unload();
    let module = Module::load();
    assert_eq!(std::ptr::from_ref(module.list) as usize, before, "it stays where it was");
    fails!(module.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
    ok!(module.initialize());
    tour(&module, slot);
}

fn initialised_and_finalised_a_thousand_times() {
    let token = Token::new();
    ok!(token.module.finalize());
    let descriptors = open_descriptors();
    let mut handles = BTreeSet::new();
    for round in 0..rounds(1_000, 20_000) {
        ok!(token.module.initialize(), "round {round}");
        let session = ok!(token.module.read_only(token.slot), "round {round}");
        handles.insert(session.handle);
        if round % 100 == 0 {
            ok!(session.login(CKU_USER, USER_PIN));
        }
        ok!(token.module.finalize(), "round {round}");
        fails!(session.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
    }
    assert_eq!(open_descriptors(), descriptors, "descriptors that are left open");
}

fn racing_initialize_succeeds_once() {
    let token = Token::new();
    ok!(token.module.finalize());
    for round in 0..rounds(100, 10_000) {
        let barrier = Barrier::new(8);
        let first = std::thread::scope(|scope| {
            let racer = || {
                barrier.wait();
                let outcome = token.module.initialize();
                // Whoever comes second finds the library ready.
                assert!(ok!(token.module.slots(true)).contains(&token.slot), "round {round}");
                let session = ok!(token.module.read_only(token.slot), "round {round}");
                ok!(session.random(16));
                outcome
            };
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(racer)).collect();
            let outcomes = racers.into_iter().map(|racer| racer.join().unwrap());
            outcomes
                .filter(|outcome| match outcome {
                    Ok(()) => true,
                    Err(code) => {
                        assert_eq!(*code, Rv(CKR_CRYPTOKI_ALREADY_INITIALIZED));
                        false
                    }
                })
                .count()
        });
        assert_eq!(first, 1, "round {round}");
        ok!(token.module.finalize());
    }
}

fn sixty_four_threads_at_once() {
    let token = Token::new();
    let first = token.user();
    let shared = ok!(first.aes_key(32, template![CKA_ENCRYPT => true, CKA_DECRYPT => true]));
    let barrier = Barrier::new(64);
    std::thread::scope(|scope| {
        for thread in 0..64_u8 {
            let (module, slot, barrier) = (token.module, token.slot, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..rounds(20, 1_000) {
                    let session = ok!(module.read_write(slot));
                    let usage = template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_ID => &[thread]];
                    let own = ok!(session.aes_key(16, usage));
                    assert!(ok!(session.find(&template![CKA_ID => &[thread]])).contains(&own));
                    for key in [own, shared] {
                        let mode = Mechanism::gcm(&[thread; 12], &[], 128);
                        let data = vec![thread; 100 + round];
                        let sealed = ok!(session.encrypt(&mode, key, &data));
                        assert_eq!(ok!(session.decrypt(&mode, key, &sealed)), data);
                    }
                    ok!(session.close());
                }
            });
        }
    });
    assert_eq!(ok!(token.module.token_info(token.slot)).ulSessionCount, 1);
    assert_eq!(ok!(first.objects(&template![])), [shared], "session keys go with their sessions");
}

/// 128 KiB is what musl gives a thread.
fn small_stack_suffices_for_everything() {
    let home = Home::with(Config { memory_kib: 19 * 1024, ..Config::default() });
    let module = Module::load();
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let thread = small.spawn(move || {
        ok!(module.initialize());
        let slot = Token::make(&module, LABEL);
        tour(&module, slot);
        make_token_again(&module, slot);
        tour(&module, slot);
        ok!(module.finalize());
    });
    thread.unwrap().join().expect("the thread's own failure is above");
    drop(home);
}

fn finalize_ends_calls_in_flight() {
    let token = Token::new();
    for round in 0..rounds(20, 500) {
        let session = token.user();
        let key = ok!(session.aes_key(32, template![CKA_ENCRYPT => true]));
        let running = AtomicU32::new(0);
        let asked = std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let own = ok!(token.module.read_write(token.slot));
                    running.fetch_add(1, Ordering::SeqCst);
                    let code = loop {
                        let work = own.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), key, &[1; 1000]);
                        match work.and_then(|_| own.random(64)) {
                            // A call under way may meet the end of its session, key or login first.
                            Ok(_)
                            | Err(Rv(
                                CKR_SESSION_HANDLE_INVALID
                                | CKR_KEY_HANDLE_INVALID
                                | CKR_OPERATION_NOT_INITIALIZED
                                | CKR_USER_NOT_LOGGED_IN,
                            )) => {}
                            Err(code) => break code,
                        }
                    };
                    assert_eq!(code, Rv(CKR_CRYPTOKI_NOT_INITIALIZED), "round {round}");
                });
            }
            while running.load(Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(2));
            ok!(token.module.finalize());
            Instant::now()
        });
        assert!(asked.elapsed() < Duration::from_secs(1), "round {round}: {:?}", asked.elapsed());
        ok!(token.module.initialize());
    }
}

/// `C_WaitForSlotEvent` waits or says that it cannot; an immediate `CKR_OK` would make programs spin.
fn finalize_ends_a_wait_for_slot_events() {
    let token = Token::new();
    let wait = |flags| {
        let mut slot = 0;
        call!(token.module.list, C_WaitForSlotEvent(flags, &mut slot, std::ptr::null_mut()))
    };
    fails!(wait(CKF_DONT_BLOCK), CKR_NO_EVENT | CKR_FUNCTION_NOT_SUPPORTED);
    let finalised = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| match wait(0) {
            Err(Rv(CKR_FUNCTION_NOT_SUPPORTED)) => {}
            Err(Rv(CKR_CRYPTOKI_NOT_INITIALIZED)) => assert!(finalised.load(Ordering::SeqCst), "before C_Finalize"),
            other => panic!("C_WaitForSlotEvent: {other:?}"),
        });
        std::thread::sleep(Duration::from_millis(100));
        finalised.store(true, Ordering::SeqCst);
        ok!(token.module.finalize());
    });
}

/// An upgraded package under a running program: the old file and the new one in one process, on one store.
fn two_copies_share_a_store() {
    let token = Token::new();
    let copy = token.home.path().join("copy-of-the-module.so");
    std::fs::copy(Module::path(), &copy).unwrap();
    let other = Module::load_from(&copy, libc::RTLD_NOW | libc::RTLD_LOCAL);
    assert!(!std::ptr::eq(token.module.list, other.list), "two libraries");
    ok!(other.initialize());
    let slot = Token::find(&other, LABEL);
    let (mine, theirs) = (token.user(), ok!(other.read_write(slot)));
    ok!(theirs.login(CKU_USER, USER_PIN));
    for round in 0..20_u8 {
        let data = |id: &[u8; 2]| template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_OBJECT_ID => id];
        for (session, who) in [(mine, 0), (theirs, 1)] {
            ok!(session.create(&data(&[who, round])));
        }
    }
    for session in [mine, theirs] {
        assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_DATA])).len(), 40);
    }
    ok!(other.finalize());
    ok!(mine.create(&template![CKA_CLASS => CKO_DATA, CKA_TOKEN => true]));
}

fn labels(module: &Module) -> Vec<String> {
    let label = |slot| String::from_utf8_lossy(&ok!(module.token_info(slot)).label).trim_end().to_owned();
    ok!(module.slots(true)).into_iter().map(label).collect()
}

fn terminated(text: &str) -> &CStr {
    CStr::from_bytes_with_nul(text.as_bytes()).unwrap()
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
