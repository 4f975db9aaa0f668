//! General purpose functions. PKCS#11 3.2, section 5.4.

use std::ffi::{CStr, c_char};

use cryptoki_sys::*;

use super::{info, instance, memory, tables};
use crate::config::Config;
use crate::error::{Error, Result};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_Initialize(arguments: CK_VOID_PTR) -> CK_RV {
    instance::call_without_module(|| {
        instance::initialize(|| {
            // SAFETY: the caller's contract: NULL or the arguments of C_Initialize.
            let reserved = unsafe { reserved_string(arguments.cast()) }?;
            Config::load(reserved.as_deref())
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_Finalize(reserved: CK_VOID_PTR) -> CK_RV {
    instance::call_without_module(|| {
        instance::finalize(|| match reserved.is_null() {
            true => Ok(()),
            false => Err(Error::ArgumentsBad("pReserved of C_Finalize is not NULL")),
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    // SAFETY: the caller's contract.
    instance::call_without_module(|| unsafe { memory::write(list, tables::function_list()) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetInterfaceList(list: *mut CK_INTERFACE, count: *mut CK_ULONG) -> CK_RV {
    // SAFETY: the caller's contract.
    instance::call_without_module(|| unsafe { memory::write_list(&tables::interfaces(), list, count) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetInterface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    instance::call_without_module(|| {
        // SAFETY: the caller's contract: NULL or a NUL-terminated string.
        let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name.cast::<c_char>()) });
        // SAFETY: the caller's contract.
        let version = if version.is_null() { None } else { Some(unsafe { memory::read(version) }?) };
        let found = tables::interface(name, version, flags).ok_or(Error::ArgumentsBad("no such interface"))?;
        // SAFETY: the caller's contract.
        unsafe { memory::write(interface, found) }
    })
}

entry!(fn C_GetInfo(info: *mut CK_INFO) |_| memory::write(info, info::library()));

/// Judges the arguments of `C_Initialize` and returns the string in `pReserved`.
unsafe fn reserved_string(arguments: *const CK_C_INITIALIZE_ARGS) -> Result<Option<String>> {
    if arguments.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's contract.
    let arguments = unsafe { memory::read(arguments) }?;
    let callbacks = [
        arguments.CreateMutex.is_some(),
        arguments.DestroyMutex.is_some(),
        arguments.LockMutex.is_some(),
        arguments.UnlockMutex.is_some(),
    ];
    let given = callbacks.iter().filter(|given| **given).count();
    // PKCS#11 3.2, section 5.4.1. Native locks serve in every case but the one that forbids them.
    match (given, arguments.flags & CKF_OS_LOCKING_OK != 0) {
        (0, _) | (4, true) => (),
        (4, false) => return Err(Error::CantLock),
        _ => return Err(Error::ArgumentsBad("some lock callbacks are missing")),
    }
    if arguments.pReserved.is_null() {
        return Ok(None);
    }
    // SAFETY: a pReserved that is not NULL is a NUL-terminated string, by the contract of this library.
    let text = unsafe { CStr::from_ptr(arguments.pReserved.cast::<c_char>()) };
    let text = text.to_str().map_err(|_| Error::ArgumentsBad("pReserved is not UTF-8"))?;
    Ok(Some(text.to_owned()))
}
