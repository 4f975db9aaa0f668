//! A module of somebody else: loaded, initialised, and finalised in the end.
//!
//! The calls of a session are in `session.rs`. Both are thin, and all that is `unsafe` about another module is in them.

use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr;
use std::rc::Rc;

use cryptoki_sys::*;

use super::refused::{Refused, check};
use super::session::Session;
use crate::failure::{Failure, Result};

/// A module, initialised. It is finalised when the last session of it has gone.
pub struct Library {
    pub(super) table: Table,
    /// What `pReserved` points to for as long as the module may look.
    _reserved: Option<CString>,
    /// Never unloaded: what it has left in the process, as destructors of threads, may still be called.
    _library: ManuallyDrop<Pkcs11>,
}

/// A token of another module, as `C_GetTokenInfo` tells of it, without padding.
pub struct TokenInfo {
    pub slot: CK_SLOT_ID,
    pub label: String,
    pub serial: String,
    pub manufacturer: String,
    pub model: String,
    flags: CK_FLAGS,
}

macro_rules! table {
    ($($field:ident: $function:ident($($argument:ty),*);)*) => {
        /// The functions of a module that are called here, each known to be there.
        pub(super) struct Table {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) -> CK_RV,)*
        }

        impl Table {
            fn of(list: &CK_FUNCTION_LIST) -> Result<Self, &'static str> {
                Ok(Self { $($field: list.$function.ok_or(stringify!($function))?,)* })
            }
        }
    };
}

table! {
    initialize: C_Initialize(*mut std::ffi::c_void);
    finalize: C_Finalize(*mut std::ffi::c_void);
    slot_list: C_GetSlotList(CK_BBOOL, *mut CK_SLOT_ID, *mut CK_ULONG);
    token_info: C_GetTokenInfo(CK_SLOT_ID, *mut CK_TOKEN_INFO);
    mechanism_list: C_GetMechanismList(CK_SLOT_ID, *mut CK_MECHANISM_TYPE, *mut CK_ULONG);
    open_session: C_OpenSession(CK_SLOT_ID, CK_FLAGS, *mut std::ffi::c_void, CK_NOTIFY, *mut CK_SESSION_HANDLE);
    close_session: C_CloseSession(CK_SESSION_HANDLE);
    login: C_Login(CK_SESSION_HANDLE, CK_USER_TYPE, *mut CK_UTF8CHAR, CK_ULONG);
    create_object: C_CreateObject(CK_SESSION_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_OBJECT_HANDLE);
    destroy_object: C_DestroyObject(CK_SESSION_HANDLE, CK_OBJECT_HANDLE);
    attribute_value: C_GetAttributeValue(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG);
    find_init: C_FindObjectsInit(CK_SESSION_HANDLE, *mut CK_ATTRIBUTE, CK_ULONG);
    find: C_FindObjects(CK_SESSION_HANDLE, *mut CK_OBJECT_HANDLE, CK_ULONG, *mut CK_ULONG);
    find_final: C_FindObjectsFinal(CK_SESSION_HANDLE);
    encrypt_init: C_EncryptInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    encrypt: C_Encrypt(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    decrypt_init: C_DecryptInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    decrypt: C_Decrypt(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    sign_init: C_SignInit(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE);
    sign: C_Sign(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG);
    generate_key: C_GenerateKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, *mut CK_ATTRIBUTE, CK_ULONG, *mut CK_OBJECT_HANDLE);
    wrap_key: C_WrapKey(
        CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, *mut CK_BYTE, *mut CK_ULONG);
}

impl Library {
    /// Loads the module at `path` and initialises it, with this text in `pReserved`.
    pub fn load(path: &Path, reserved: Option<&str>) -> Result<Rc<Self>> {
        let unusable = |reason: &dyn std::fmt::Display| Failure::of(format!("the module {}", path.display()), reason);
        let reserved = reserved.map(CString::new).transpose().map_err(|error| Failure::of("--module-init", error))?;
        // SAFETY: loading a library runs its constructors; whoever names a module trusts it with the PIN of its token.
        let library = unsafe { Pkcs11::new(path) }.map_err(|error| {
            unusable(&error).with_next("name the module's file; `p11-kit list-modules` shows those that are registered")
        })?;
        let function_list = library.C_GetFunctionList.as_ref();
        let function_list =
            function_list.map_err(|_| unusable(&"is no PKCS#11 module: C_GetFunctionList is missing"))?;
        let mut list = ptr::null_mut();
        // SAFETY: the function writes one pointer.
        check("C_GetFunctionList", unsafe { function_list(&mut list) }).map_err(|refused| unusable(&refused))?;
        // SAFETY: a module's table lives as long as the module, and `library` keeps that loaded.
        let list = unsafe { list.as_ref() }.ok_or_else(|| unusable(&"has no table of functions"))?;
        let table = Table::of(list).map_err(|name| unusable(&format!("has no {name}")))?;
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        if let Some(text) = &reserved {
            arguments.pReserved = text.as_ptr().cast_mut().cast();
        }
        // SAFETY: the arguments are valid, the text outlives the module's use of it, and nothing else uses the module yet.
        let code = unsafe { (table.initialize)((&raw mut arguments).cast()) };
        check("C_Initialize", code).map_err(|refused| {
            unusable(&refused)
                .with_next("some modules need a text in pReserved: --module-init, or a configuration file")
        })?;
        Ok(Rc::new(Self { table, _reserved: reserved, _library: ManuallyDrop::new(library) }))
    }

    /// The tokens that are there, but for those that nobody has initialised.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>, Refused> {
        let mut slots = listed("C_GetSlotList", |into, count| {
            // SAFETY: there is room for `count` numbers, or only their count is asked for.
            unsafe { (self.table.slot_list)(CK_TRUE, into, count) }
        })?;
        slots.dedup();
        let mut tokens = Vec::new();
        for slot in slots {
            let mut info = CK_TOKEN_INFO::default();
            // SAFETY: the function fills one structure.
            let code = unsafe { (self.table.token_info)(slot, &mut info) };
            // One that cannot be read now is none that keys can be taken out of.
            if code == CKR_OK && info.flags & CKF_TOKEN_INITIALIZED != 0 {
                tokens.push(TokenInfo {
                    slot,
                    label: unpadded(&info.label),
                    serial: unpadded(&info.serialNumber),
                    manufacturer: unpadded(&info.manufacturerID),
                    model: unpadded(&info.model),
                    flags: info.flags,
                });
            }
        }
        Ok(tokens)
    }

    /// What the token's mechanisms are.
    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<CK_MECHANISM_TYPE>, Refused> {
        listed("C_GetMechanismList", |into, count| {
            // SAFETY: there is room for `count` numbers, or only their count is asked for.
            unsafe { (self.table.mechanism_list)(slot, into, count) }
        })
    }

    /// A read-only session: nothing on the token changes.
    pub fn open_session(self: &Rc<Self>, slot: CK_SLOT_ID) -> Result<Session, Refused> {
        let mut handle = 0;
        // SAFETY: the function writes one handle.
        let code = unsafe { (self.table.open_session)(slot, CKF_SERIAL_SESSION, ptr::null_mut(), None, &mut handle) };
        check("C_OpenSession", code).map(|()| Session::new(Rc::clone(self), handle))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: no session is left that could call the module.
        let _ = unsafe { (self.table.finalize)(ptr::null_mut()) };
    }
}

impl TokenInfo {
    /// Whether its private objects are shown to its user only.
    pub fn needs_login(&self) -> bool {
        self.flags & CKF_LOGIN_REQUIRED != 0
    }

    /// Whether the PIN is typed at the token and not here.
    pub fn has_own_keypad(&self) -> bool {
        self.flags & CKF_PROTECTED_AUTHENTICATION_PATH != 0
    }
}

/// A list of numbers, which is asked for twice. PKCS#11 3.2, section 5.2.
fn listed(
    function: &'static str,
    mut call: impl FnMut(*mut CK_ULONG, *mut CK_ULONG) -> CK_RV,
) -> Result<Vec<CK_ULONG>, Refused> {
    /// More than any module lists.
    const MOST: usize = 65_536;
    let mut count = 0;
    check(function, call(ptr::null_mut(), &mut count))?;
    let mut numbers = vec![0; usize::try_from(count).unwrap_or(MOST).min(MOST)];
    count = numbers.len() as CK_ULONG;
    check(function, call(numbers.as_mut_ptr(), &mut count))?;
    numbers.truncate(usize::try_from(count).unwrap_or(0));
    Ok(numbers)
}

fn unpadded(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim_end_matches([' ', '\0']).to_owned()
}
