//! Slot and token management functions. PKCS#11 3.2, section 5.5.

use cryptoki_sys::*;

use super::{info, memory};
use crate::error::Error;
use crate::handle::Handle;

entry!(fn C_GetSlotList(_present: CK_BBOOL, list: *mut CK_SLOT_ID, count: *mut CK_ULONG) |module| {
    let ids: Vec<CK_SLOT_ID> = module.slots().list(list.is_null()).into_iter().map(CK_SLOT_ID::from).collect();
    memory::write_list(&ids, list, count)
});

entry!(fn C_GetSlotInfo(slot: CK_SLOT_ID, into: *mut CK_SLOT_INFO) |module| {
    module.slots().check(slot)?;
    memory::write(into, info::slot(slot))
});

entry!(fn C_GetTokenInfo(slot: CK_SLOT_ID, into: *mut CK_TOKEN_INFO) |module| {
    let state = module.slots().state(slot)?;
    memory::write(into, info::token(slot, state.as_ref(), module.slots().pins()))
});

entry!(fn C_WaitForSlotEvent(flags: CK_FLAGS, into: *mut CK_SLOT_ID, reserved: CK_VOID_PTR) |module| {
    memory::check_place(into)?;
    if !reserved.is_null() {
        return Err(Error::ArgumentsBad("pReserved of C_WaitForSlotEvent is not NULL"));
    }
    memory::write(into, module.slots().wait_for_event(flags & CKF_DONT_BLOCK == 0)?.into())
});

entry!(fn C_GetMechanismList(slot: CK_SLOT_ID, list: *mut CK_MECHANISM_TYPE, count: *mut CK_ULONG) |module| {
    module.slots().find(slot)?;
    let numbers: Vec<CK_MECHANISM_TYPE> = module.mechanisms().all().iter().map(|mechanism| mechanism.number).collect();
    memory::write_list(&numbers, list, count)
});

entry!(fn C_GetMechanismInfo(slot: CK_SLOT_ID, number: CK_MECHANISM_TYPE, into: *mut CK_MECHANISM_INFO) |module| {
    module.slots().find(slot)?;
    memory::write(into, info::mechanism(module.mechanisms().find(number)?))
});

entry!(fn C_InitToken(slot: CK_SLOT_ID, pin: *mut CK_UTF8CHAR, length: CK_ULONG, label: *mut CK_UTF8CHAR) |module| {
    let pin = memory::pin(pin, length)?;
    let label = memory::read(label.cast::<[u8; 32]>())?;
    module.slots().init_token(slot, pin, label)
});

entry!(fn C_InitPIN(session: CK_SESSION_HANDLE, pin: *mut CK_UTF8CHAR, length: CK_ULONG) |module| {
    module.sessions().init_pin(Handle::from_raw(session), memory::pin(pin, length)?)
});

entry!(fn C_SetPIN(
    session: CK_SESSION_HANDLE,
    old: *mut CK_UTF8CHAR,
    old_length: CK_ULONG,
    new: *mut CK_UTF8CHAR,
    new_length: CK_ULONG,
) |module| {
    let (old, new) = (memory::pin(old, old_length)?, memory::pin(new, new_length)?);
    module.sessions().set_pin(Handle::from_raw(session), old, new)
});

entry!(fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    _application: CK_VOID_PTR,
    _notify: CK_NOTIFY,
    into: *mut CK_SESSION_HANDLE,
) |module| {
    memory::check_place(into)?;
    if flags & CKF_SERIAL_SESSION == 0 {
        return Err(Error::SessionParallelNotSupported);
    }
    memory::write(into, module.open_session(slot, flags & CKF_RW_SESSION != 0)?.raw())
});

entry!(fn C_CloseAllSessions(slot: CK_SLOT_ID) |module| module.close_all_sessions(slot));
