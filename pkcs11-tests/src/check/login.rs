//! Sessions, users and PINs.

use std::ptr;

use cryptoki_sys::*;

use super::arrangement::data;
use super::code::Expected;
use super::key::{generate, secret_template};
use super::module::call;
use super::suite::{self, Check, Row};
use super::template::Template;
use super::trial::{Trial, ok};
use super::verdict::Outcome;
use super::world::{SO_PIN, World, state_name};

/// The checks.
pub fn checks() -> Vec<Check> {
    suite::rows("login", CHECKS)
}

#[rustfmt::skip]
const CHECKS: &[Row] = &[
    ("the library twice", "5.4.1", the_library_twice),
    ("session handles after C_Finalize", "5.4.2", handles_after_finalize),
    ("session without CKF_SERIAL_SESSION", "5.6.1", not_serial),
    ("the same user twice", "5.6.8", the_same_user_twice),
    ("the other user", "5.6.8", the_other_user),
    ("a user type nobody knows", "5.6.8", unknown_user_type),
    ("context-specific without operation", "5.6.8", context_specific),
    ("wrong PINs", "5.6.8", wrong_pins),
    ("logout twice", "5.6.10", logout_twice),
    ("all sessions have one login state", "5.6.8", one_login_state),
    ("closing the session that logged in", "5.6.2", closing_the_session_that_logged_in),
    ("closing the last session logs out", "5.6.2", closing_the_last_session),
    ("the SO and read-only sessions", "5.6.8", the_so_and_read_only_sessions),
    ("read-only sessions make no token objects", "5.6.1", read_only_sessions),
    ("private objects without login", "5.7.1", private_objects_without_login),
    ("private handles after logout", "5.6.10", private_handles_after_logout),
    ("session objects end with their session", "5.6.2", session_objects_end),
    ("C_InitPIN is the SO's", "5.5.8", init_pin),
    ("C_SetPIN", "5.5.9", set_pin),
    ("C_InitToken on a token in use", "5.5.7", init_token),
];

fn the_library_twice(trial: &mut Trial<'_>) -> Outcome {
    let module = &trial.world.module;
    let again = [CKR_CRYPTOKI_ALREADY_INITIALIZED];
    trial.gives("C_Initialize again", &again, || call!(module, C_Initialize(ptr::null_mut())));
    trial.gives("C_Finalize", &[CKR_OK], || call!(module, C_Finalize(ptr::null_mut())));
    let ended = [CKR_CRYPTOKI_NOT_INITIALIZED];
    trial.gives("C_Finalize again", &ended, || call!(module, C_Finalize(ptr::null_mut())));
    Ok(())
}

fn handles_after_finalize(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let holder = world.holder();
    ok("C_Finalize", call!(world.module, C_Finalize(ptr::null_mut())))?;
    world.initialize()?;
    let mut info = CK_SESSION_INFO::default();
    let gone = [CKR_SESSION_HANDLE_INVALID];
    trial.gives("C_GetSessionInfo", &gone, || call!(world.module, C_GetSessionInfo(holder, &mut info)));
    Ok(())
}

fn not_serial(trial: &mut Trial<'_>) -> Outcome {
    let (world, mut session) = (trial.world, 0);
    let open = || call!(world.module, C_OpenSession(world.slot(), CKF_RW_SESSION, ptr::null_mut(), None, &mut session));
    trial.gives("C_OpenSession", &[CKR_SESSION_PARALLEL_NOT_SUPPORTED], open);
    Ok(())
}

fn the_same_user_twice(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let already = [CKR_USER_ALREADY_LOGGED_IN];
    trial.gives("the right PIN", &already, || world.login(world.holder(), CKU_USER, &world.user_pin()));
    trial.gives("a wrong PIN", &already, || world.login(world.holder(), CKU_USER, b"wrong"));
    Ok(())
}

fn the_other_user(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let another = [CKR_USER_ANOTHER_ALREADY_LOGGED_IN];
    trial.gives("the SO", &another, || world.login(world.holder(), CKU_SO, SO_PIN));
    Ok(())
}

fn unknown_user_type(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    for user in [3, 0x7fff_ffff, CK_USER_TYPE::MAX] {
        let at = format!("user type {user:#x}");
        trial.gives(&at, &[CKR_USER_TYPE_INVALID], || world.login(world.holder(), user, b"pin"));
    }
    Ok(())
}

fn context_specific(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let nothing = [CKR_OPERATION_NOT_INITIALIZED];
    trial.gives("no operation", &nothing, || world.login(world.holder(), CKU_CONTEXT_SPECIFIC, &world.user_pin()));
    let session = world.session()?;
    session.begin_any(super::operation::Purpose::Encrypt)?;
    let at = "an operation whose key does not ask for it";
    trial.gives(at, &nothing, || world.login(session.handle, CKU_CONTEXT_SPECIFIC, &world.user_pin()));
    Ok(())
}

fn wrong_pins(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))?;
    for length in [0, 1, 13, 255, 300, 5000] {
        let pin = vec![b'x'; length];
        // Clients ask again on this code alone.
        trial.gives(&format!("{length} bytes"), &[CKR_PIN_INCORRECT], || world.login(world.holder(), CKU_USER, &pin));
    }
    trial.gives("the right one", &[CKR_OK], || world.login(world.holder(), CKU_USER, &world.user_pin()));
    Ok(())
}

fn logout_twice(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    trial.gives("C_Logout", &[CKR_OK], || call!(world.module, C_Logout(world.holder())));
    trial.gives("C_Logout again", &[CKR_USER_NOT_LOGGED_IN], || call!(world.module, C_Logout(world.holder())));
    Ok(())
}

fn one_login_state(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let (write, read) = (world.open(CKF_RW_SESSION)?, world.open(0)?);
    state(trial, "R/W after the login", write, CKS_RW_USER_FUNCTIONS);
    state(trial, "R/O after the login", read, CKS_RO_USER_FUNCTIONS);
    ok("C_Logout", call!(world.module, C_Logout(write)))?;
    state(trial, "the holder after the logout", world.holder(), CKS_RW_PUBLIC_SESSION);
    state(trial, "R/O after the logout", read, CKS_RO_PUBLIC_SESSION);
    ok("C_Login", world.login(read, CKU_USER, &world.user_pin()))?;
    state(trial, "R/W after the login in the R/O session", write, CKS_RW_USER_FUNCTIONS);
    ok("C_CloseSession", call!(world.module, C_CloseSession(read)))?;
    ok("C_CloseSession", call!(world.module, C_CloseSession(write)))
}

fn closing_the_session_that_logged_in(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let session = world.open(CKF_RW_SESSION)?;
    ok("C_Logout", call!(world.module, C_Logout(session)))?;
    ok("C_Login", world.login(session, CKU_USER, &world.user_pin()))?;
    ok("C_CloseSession", call!(world.module, C_CloseSession(session)))?;
    state(trial, "another session", world.holder(), CKS_RW_USER_FUNCTIONS);
    Ok(())
}

fn closing_the_last_session(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    ok("C_CloseSession", call!(world.module, C_CloseSession(world.holder())))?;
    let session = world.session()?;
    state(trial, "after C_CloseSession", session.handle, CKS_RW_PUBLIC_SESSION);
    ok("C_Login", world.login(session.handle, CKU_USER, &world.user_pin()))?;
    ok("C_CloseAllSessions", call!(world.module, C_CloseAllSessions(world.slot())))?;
    let session = world.session()?;
    state(trial, "after C_CloseAllSessions", session.handle, CKS_RW_PUBLIC_SESSION);
    Ok(())
}

fn the_so_and_read_only_sessions(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))?;
    let read = world.open(0)?;
    let exists = [CKR_SESSION_READ_ONLY_EXISTS];
    trial.gives("login with a R/O session", &exists, || world.login(world.holder(), CKU_SO, SO_PIN));
    ok("C_CloseSession", call!(world.module, C_CloseSession(read)))?;
    ok("C_Login", world.login(world.holder(), CKU_SO, SO_PIN))?;
    state(trial, "the SO's session", world.holder(), CKS_RW_SO_FUNCTIONS);
    let mut session = 0;
    let so_exists = [CKR_SESSION_READ_WRITE_SO_EXISTS];
    trial.gives("a R/O session under the SO", &so_exists, || {
        call!(world.module, C_OpenSession(world.slot(), CKF_SERIAL_SESSION, ptr::null_mut(), None, &mut session))
    });
    let another = [CKR_USER_ANOTHER_ALREADY_LOGGED_IN];
    trial.gives("the user under the SO", &another, || world.login(world.holder(), CKU_USER, &world.user_pin()));
    trial.gives("C_InitPIN with NULL", &[CKR_ARGUMENTS_BAD], || {
        call!(world.module, C_InitPIN(world.holder(), ptr::null_mut(), 8))
    });
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))
}

fn read_only_sessions(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let read = world.open(0)?;
    let token_object = || data().flag(CKA_TOKEN, true);
    let read_only = [CKR_SESSION_READ_ONLY];
    trial.gives("C_CreateObject of a token object", &read_only, || create(world, read, token_object()));
    trial.gives("C_CreateObject of a session object", &[CKR_OK], || create(world, read, data()));
    let key = secret_template(CKK_AES, 16).flag(CKA_TOKEN, true);
    trial.gives("C_GenerateKey of a token key", &read_only, || generate(world, read, CKM_AES_KEY_GEN, key).0);
    ok("C_CloseSession", call!(world.module, C_CloseSession(read)))
}

fn private_objects_without_login(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))?;
    let denied = [CKR_USER_NOT_LOGGED_IN];
    let private = data().flag(CKA_PRIVATE, true);
    trial.gives("C_CreateObject", &denied, || create(world, world.holder(), private));
    let key = secret_template(CKK_AES, 16).flag(CKA_PRIVATE, true);
    trial.gives("C_GenerateKey", &denied, || generate(world, world.holder(), CKM_AES_KEY_GEN, key).0);
    Ok(())
}

/// They stay invalid, even if the user logs in again.
fn private_handles_after_logout(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let object = world.create(world.holder(), data().flag(CKA_PRIVATE, true))?;
    let mut size = 0;
    ok("C_GetObjectSize", call!(world.module, C_GetObjectSize(world.holder(), object, &mut size)))?;
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))?;
    let gone = [CKR_OBJECT_HANDLE_INVALID];
    let size_of = || call!(world.module, C_GetObjectSize(world.holder(), object, &mut 0));
    trial.gives("after the logout", &gone, size_of);
    ok("C_Login", world.login(world.holder(), CKU_USER, &world.user_pin()))?;
    trial.gives("after the next login", &gone, size_of);
    Ok(())
}

fn session_objects_end(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let session = world.session()?;
    let object = world.create(session.handle, data())?;
    let size_of = || call!(world.module, C_GetObjectSize(world.holder(), object, &mut 0));
    trial.gives("from another session", &[CKR_OK], size_of);
    drop(session);
    trial.gives("after C_CloseSession", &[CKR_OBJECT_HANDLE_INVALID], size_of);
    Ok(())
}

fn init_pin(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let pin = world.user_pin();
    let set = || call!(world.module, C_InitPIN(world.holder(), pin.as_ptr().cast_mut(), pin.len() as CK_ULONG));
    trial.gives("as the user", &[CKR_USER_NOT_LOGGED_IN], set);
    ok("C_Logout", call!(world.module, C_Logout(world.holder())))?;
    trial.gives("as nobody", &[CKR_USER_NOT_LOGGED_IN], set);
    Ok(())
}

fn set_pin(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let (pin, new) = (world.user_pin(), b"another-pin");
    let set = |session, old: &[u8], new: &[u8]| {
        let (old, old_length) = (old.as_ptr().cast_mut(), old.len() as CK_ULONG);
        call!(world.module, C_SetPIN(session, old, old_length, new.as_ptr().cast_mut(), new.len() as CK_ULONG))
    };
    trial.gives("a wrong old PIN", &[CKR_PIN_INCORRECT], || set(world.holder(), b"wrong", new));
    trial.gives("an empty new PIN", &[CKR_PIN_LEN_RANGE], || set(world.holder(), &pin, b""));
    let read = world.open(0)?;
    trial.gives("a R/O session", &[CKR_SESSION_READ_ONLY], || set(read, &pin, new));
    ok("C_CloseSession", call!(world.module, C_CloseSession(read)))?;
    trial.gives("the right old PIN", &[CKR_OK], || set(world.holder(), &pin, new));
    trial.gives("back again", &[CKR_OK], || set(world.holder(), new, &pin));
    Ok(())
}

fn init_token(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    world.owns_token()?;
    let mut label = [b' '; 32];
    let mut init = |pin: &[u8]| {
        let (pin, length) = (pin.as_ptr().cast_mut(), pin.len() as CK_ULONG);
        call!(world.module, C_InitToken(world.slot(), pin, length, label.as_mut_ptr()))
    };
    trial.gives("with a session", &[CKR_SESSION_EXISTS], || init(SO_PIN));
    ok("C_CloseAllSessions", call!(world.module, C_CloseAllSessions(world.slot())))?;
    trial.gives("with a wrong SO PIN", &[CKR_PIN_INCORRECT], || init(b"wrong-so-pin"));
    let session = world.session()?;
    trial.call("login after that", Expected::Codes(&[CKR_OK]), || {
        world.login(session.handle, CKU_USER, &world.user_pin())
    });
    Ok(())
}

fn create(world: &World, session: CK_SESSION_HANDLE, mut template: Template) -> CK_RV {
    let (mut rows, mut object) = (template.rows(), 0);
    call!(world.module, C_CreateObject(session, rows.as_mut_ptr(), rows.len() as CK_ULONG, &mut object))
}

fn state(trial: &mut Trial<'_>, at: &str, session: CK_SESSION_HANDLE, right: CK_STATE) {
    trial.at(at);
    let state = trial.world.state_of(session);
    trial.holds(at, &state_name(Some(right)), state == Some(right), || state_name(state));
}
