//! Function tables as rows of entries, of which only the address is known.

use std::ffi::{CStr, c_void};
use std::ptr::{null_mut, without_provenance_mut};

use cryptoki_sys::*;

use super::{Module, Rv};

/// A function table seen as a version and a row of entries.
#[derive(Clone, Copy)]
pub struct Table {
    /// What the interface is called.
    pub name: &'static CStr,
    /// The flags of the interface.
    pub flags: CK_FLAGS,
    /// Where the table is.
    pub address: *mut c_void,
}

impl Table {
    /// The table of an interface.
    pub fn of(interface: &CK_INTERFACE) -> Table {
        // SAFETY: an interface has a NUL-terminated name that lives as long as the library is loaded.
        let name = unsafe { CStr::from_ptr(interface.pInterfaceName.cast()) };
        Table { name, flags: interface.flags, address: interface.pFunctionList }
    }

    /// The table of `C_GetFunctionList`.
    pub fn of_list(module: &Module) -> Table {
        let address = std::ptr::from_ref(module.list).cast_mut().cast();
        Table { name: c"PKCS 11", flags: 0, address }
    }

    /// The version that the table opens with: (major, minor).
    pub fn version(&self) -> (u8, u8) {
        // SAFETY: every table opens with a `CK_VERSION`.
        let version = unsafe { self.address.cast::<CK_VERSION>().read() };
        (version.major, version.minor)
    }

    /// The entries that a table of this version has, in the order of `FUNCTIONS`.
    pub fn entries(&self) -> &'static [Option<Entry>] {
        let count = match self.version() {
            (2, 40) => 68,
            (3, 0) => 92,
            (3, 2) => 104,
            other => panic!("a table of version {other:?}"),
        };
        // SAFETY: the pointers follow the version, which is padded to their size; the version gives their number.
        unsafe { std::slice::from_raw_parts(self.address.byte_add(size_of::<usize>()).cast(), count) }
    }
}

/// An entry of which only the address is known. More arguments than a function takes do no harm in the C calling
/// conventions of the systems we run on.
pub type Entry = unsafe extern "C" fn(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word) -> CK_RV;

type Word = *mut c_void;

/// Calls an entry with NULL or 0 for every argument, or `first` as the first one, as a session or slot would be.
pub fn call_blank(entry: Entry, first: usize) -> Rv {
    let null: Word = null_mut();
    let first: Word = without_provenance_mut(first);
    // SAFETY: NULL and 0 are arguments that every function must answer with a code.
    Rv(unsafe { entry(first, null, null, null, null, null, null, null, null, null) })
}

/// The functions in the order of the tables: 68 of 2.40, then those of 3.0 up to 92, then those of 3.2 up to 104.
pub const FUNCTIONS: [&str; 104] = [
    "C_Initialize",
    "C_Finalize",
    "C_GetInfo",
    "C_GetFunctionList",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_InitToken",
    "C_InitPIN",
    "C_SetPIN",
    "C_OpenSession",
    "C_CloseSession",
    "C_CloseAllSessions",
    "C_GetSessionInfo",
    "C_GetOperationState",
    "C_SetOperationState",
    "C_Login",
    "C_Logout",
    "C_CreateObject",
    "C_CopyObject",
    "C_DestroyObject",
    "C_GetObjectSize",
    "C_GetAttributeValue",
    "C_SetAttributeValue",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_EncryptInit",
    "C_Encrypt",
    "C_EncryptUpdate",
    "C_EncryptFinal",
    "C_DecryptInit",
    "C_Decrypt",
    "C_DecryptUpdate",
    "C_DecryptFinal",
    "C_DigestInit",
    "C_Digest",
    "C_DigestUpdate",
    "C_DigestKey",
    "C_DigestFinal",
    "C_SignInit",
    "C_Sign",
    "C_SignUpdate",
    "C_SignFinal",
    "C_SignRecoverInit",
    "C_SignRecover",
    "C_VerifyInit",
    "C_Verify",
    "C_VerifyUpdate",
    "C_VerifyFinal",
    "C_VerifyRecoverInit",
    "C_VerifyRecover",
    "C_DigestEncryptUpdate",
    "C_DecryptDigestUpdate",
    "C_SignEncryptUpdate",
    "C_DecryptVerifyUpdate",
    "C_GenerateKey",
    "C_GenerateKeyPair",
    "C_WrapKey",
    "C_UnwrapKey",
    "C_DeriveKey",
    "C_SeedRandom",
    "C_GenerateRandom",
    "C_GetFunctionStatus",
    "C_CancelFunction",
    "C_WaitForSlotEvent",
    "C_GetInterfaceList",
    "C_GetInterface",
    "C_LoginUser",
    "C_SessionCancel",
    "C_MessageEncryptInit",
    "C_EncryptMessage",
    "C_EncryptMessageBegin",
    "C_EncryptMessageNext",
    "C_MessageEncryptFinal",
    "C_MessageDecryptInit",
    "C_DecryptMessage",
    "C_DecryptMessageBegin",
    "C_DecryptMessageNext",
    "C_MessageDecryptFinal",
    "C_MessageSignInit",
    "C_SignMessage",
    "C_SignMessageBegin",
    "C_SignMessageNext",
    "C_MessageSignFinal",
    "C_MessageVerifyInit",
    "C_VerifyMessage",
    "C_VerifyMessageBegin",
    "C_VerifyMessageNext",
    "C_MessageVerifyFinal",
    "C_EncapsulateKey",
    "C_DecapsulateKey",
    "C_VerifySignatureInit",
    "C_VerifySignature",
    "C_VerifySignatureUpdate",
    "C_VerifySignatureFinal",
    "C_GetSessionValidationFlags",
    "C_AsyncComplete",
    "C_AsyncGetID",
    "C_AsyncJoin",
    "C_WrapKeyAuthenticated",
    "C_UnwrapKeyAuthenticated",
];
