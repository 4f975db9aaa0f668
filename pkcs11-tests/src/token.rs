//! A throw-away token, whichever module it is for.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::Arc;

use cryptoki_sys::*;

use crate::failure::{Failure, Result};
use crate::module::{Module, Session, check};

/// Points the modules that are known here to `folder`: a child process that loads one keeps its tokens there. A module that
/// reads neither variable must find a blank token by itself.
pub fn keep_tokens_in(folder: &Path, child: &mut Command) -> Result<()> {
    configure(folder)?;
    point_to(folder, child);
    Ok(())
}

/// Writes what [`point_to`] points to. To be done once: a process that reads a file which is being written sees a part of it.
pub fn configure(folder: &Path) -> Result<()> {
    let tokens = folder.join("tokens");
    fs::create_dir_all(&tokens)?;
    fs::write(folder.join(KEYSTEAD), format!("store = {:?}\n", folder.join("keystead")))?;
    let lines = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
    Ok(fs::write(folder.join(SOFTHSM2), lines)?)
}

/// Tells a child process of the folder that [`configure`] has prepared.
pub fn point_to(folder: &Path, child: &mut Command) {
    child.env("KEYSTEAD_CONF", folder.join(KEYSTEAD)).env_remove("KEYSTEAD_STORE");
    child.env("SOFTHSM2_CONF", folder.join(SOFTHSM2));
}

const KEYSTEAD: &str = "keystead.toml";
const SOFTHSM2: &str = "softhsm2.conf";

/// What a module wants as the reserved argument of `C_Initialize`, if it is one that is known to want something: that of NSS
/// keeps its tokens where this text says.
pub fn reserved_argument(module: &Path, folder: &Path) -> Option<String> {
    let is_of_nss = module.file_name()?.to_string_lossy().contains("softokn");
    is_of_nss.then(|| format!("configdir='sql:{}' certPrefix='' keyPrefix='' secmod='' flags=", folder.display()))
}

/// Lets Keystead hash PINs in `folder` as cheaply as it can and count many wrong ones, where thousands of logins are made.
pub fn make_logins_cheap_in(folder: &Path) -> Result<()> {
    let mut file = fs::OpenOptions::new().append(true).open(folder.join(KEYSTEAD))?;
    file.write_all(b"\n[pin]\nuser-tries = 1000\nso-tries = 1000\nmemory-kib = 64\npasses = 1\nlanes = 1\n")?;
    Ok(())
}

/// Makes a token in the first slot with a blank one, logs the user in, and returns the session that keeps the login.
pub fn log_in_to_new(module: &Arc<Module>) -> Result<Session> {
    let blank = slots(module)?.into_iter().find(|slot| !is_initialised(module, *slot));
    let blank = blank.ok_or_else(|| Failure::new("the module has no slot with a blank token"))?;
    let mut label = *b"pkcs11-tests                    ";
    let (mut so, mut user) = (*b"so-pin-8642", USER_PIN);
    let (so_length, user_length) = (so.len() as CK_ULONG, user.len() as CK_ULONG);
    // SAFETY: PIN and label are valid for their lengths.
    let code = unsafe { (module.table.init_token)(blank, so.as_mut_ptr(), so_length, label.as_mut_ptr()) };
    check("C_InitToken", code)?;
    // SoftHSM2 gives a token another slot as soon as it is there.
    let session = open_session(module)?;
    // SAFETY: the PINs are valid for their lengths.
    unsafe {
        check("C_Login", (module.table.login)(session.handle, CKU_SO, so.as_mut_ptr(), so_length))?;
        check("C_InitPIN", (module.table.init_pin)(session.handle, user.as_mut_ptr(), user_length))?;
        check("C_Logout", (module.table.logout)(session.handle))?;
    }
    log_in(&session)?;
    Ok(session)
}

/// A session that may make session keys: with a token that needs no login, such as that of NSS; else with a new one, where a blank
/// one is; else with the first, by its user's PIN.
pub fn log_in_to_any(module: &Arc<Module>, pin: Option<&str>) -> Result<Session> {
    let slots = slots(module)?;
    if slots.is_empty() {
        return Err(Failure::new("the module shows no token, not even a blank one"));
    }
    let needs_no_login = |flags| flags & (CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED) == CKF_TOKEN_INITIALIZED;
    if let Some(slot) = slots.iter().find(|slot| needs_no_login(flags(module, **slot))) {
        return module.open_session(*slot);
    }
    if slots.iter().any(|slot| !is_initialised(module, *slot)) {
        return log_in_to_new(module);
    }
    let pin = pin.ok_or_else(|| Failure::new("no token is blank: give the user's PIN of the first one by --pin"))?;
    let session = open_session(module)?;
    log_in_with(&session, pin.as_bytes()).map(|()| session)
}

/// A session with the token that [`log_in_to_new`] has made, perhaps in another process.
pub fn open_session(module: &Arc<Module>) -> Result<Session> {
    let slot = slots(module)?.into_iter().find(|slot| is_initialised(module, *slot));
    module.open_session(slot.ok_or_else(|| Failure::new("the token is in no slot"))?)
}

/// Logs the user in to the token that [`log_in_to_new`] has made.
pub fn log_in(session: &Session) -> Result<()> {
    log_in_with(session, &USER_PIN)
}

fn log_in_with(session: &Session, pin: &[u8]) -> Result<()> {
    let (mut pin, length) = (pin.to_vec(), pin.len() as CK_ULONG);
    // SAFETY: the PIN is valid for its length.
    let code = unsafe { (session.module.table.login)(session.handle, CKU_USER, pin.as_mut_ptr(), length) };
    check("C_Login", code)
}

const USER_PIN: [u8; 13] = *b"user-pin-1357";

fn slots(module: &Module) -> Result<Vec<CK_SLOT_ID>> {
    let mut count = 0;
    // SAFETY: a NULL list asks for the count.
    check("C_GetSlotList", unsafe { (module.table.slot_list)(CK_TRUE, ptr::null_mut(), &mut count) })?;
    let mut slots = vec![0; usize::try_from(count).unwrap_or_default()];
    // SAFETY: there is room for `count` slots.
    check("C_GetSlotList", unsafe { (module.table.slot_list)(CK_TRUE, slots.as_mut_ptr(), &mut count) })?;
    slots.truncate(usize::try_from(count).unwrap_or_default());
    Ok(slots)
}

fn is_initialised(module: &Module, slot: CK_SLOT_ID) -> bool {
    flags(module, slot) & CKF_TOKEN_INITIALIZED != 0
}

/// The token's flags; none where it does not tell.
fn flags(module: &Module, slot: CK_SLOT_ID) -> CK_FLAGS {
    let mut info = CK_TOKEN_INFO::default();
    // SAFETY: the function writes one structure.
    let code = unsafe { (module.table.token_info)(slot, &mut info) };
    if code == CKR_OK { info.flags } else { 0 }
}
