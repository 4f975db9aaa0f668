//! The function tables and interfaces: complete, and each as long as its version says. PKCS#11 3.2, section 5.4.

use std::ffi::CStr;

use cryptoki_sys::*;

use super::unsupported::NotSupported;
use super::{crypt, digest, dual, general, keys, objects, recover, sessions, sign, slots, unsupported, wrap};

/// The table of `C_GetFunctionList`.
pub(super) fn function_list() -> *mut CK_FUNCTION_LIST {
    (&raw const LIST_2_40).cast_mut()
}

/// All interfaces, the default one first.
pub(super) fn interfaces() -> [CK_INTERFACE; 3] {
    INTERFACES.0
}

/// The interface of this name and version, where they are asked for. None has flags: a forked child needs its own
/// `C_Initialize`, so none is fork-safe.
pub(super) fn interface(
    name: Option<&CStr>,
    version: Option<CK_VERSION>,
    flags: CK_FLAGS,
) -> Option<*mut CK_INTERFACE> {
    if flags != 0 || name.is_some_and(|name| name != NAME) {
        return None;
    }
    let wanted = |own: &CK_VERSION| version.is_none_or(|asked| (asked.major, asked.minor) == (own.major, own.minor));
    let index = VERSIONS.iter().position(wanted)?;
    INTERFACES.0.get(index).map(|interface| (&raw const *interface).cast_mut())
}

const NAME: &CStr = c"PKCS 11";

/// The versions of [`INTERFACES`], in their order.
const VERSIONS: [CK_VERSION; 3] = [version(3, 2), version(3, 0), version(2, 40)];

static INTERFACES: Interfaces = Interfaces([
    interface_of((&raw const LIST_3_2).cast()),
    interface_of((&raw const LIST_3_0).cast()),
    interface_of((&raw const LIST_2_40).cast()),
]);

struct Interfaces([CK_INTERFACE; 3]);

// SAFETY: the pointers inside are to statics that are never written to.
unsafe impl Sync for Interfaces {}

const fn interface_of(list: *const std::ffi::c_void) -> CK_INTERFACE {
    CK_INTERFACE { pInterfaceName: NAME.as_ptr().cast_mut().cast(), pFunctionList: list.cast_mut(), flags: 0 }
}

const fn version(major: u8, minor: u8) -> CK_VERSION {
    CK_VERSION { major, minor }
}

/// A table: the functions of 2.40, and what its version has more.
macro_rules! list {
    ($list:ident, $version:expr, {$($later:ident: $function:expr),* $(,)?}) => {
        $list {
            version: $version,
            C_Initialize: Some(general::C_Initialize),
            C_Finalize: Some(general::C_Finalize),
            C_GetInfo: Some(general::C_GetInfo),
            C_GetFunctionList: Some(general::C_GetFunctionList),
            C_GetSlotList: Some(slots::C_GetSlotList),
            C_GetSlotInfo: Some(slots::C_GetSlotInfo),
            C_GetTokenInfo: Some(slots::C_GetTokenInfo),
            C_GetMechanismList: Some(slots::C_GetMechanismList),
            C_GetMechanismInfo: Some(slots::C_GetMechanismInfo),
            C_InitToken: Some(slots::C_InitToken),
            C_InitPIN: Some(slots::C_InitPIN),
            C_SetPIN: Some(slots::C_SetPIN),
            C_OpenSession: Some(slots::C_OpenSession),
            C_CloseSession: Some(sessions::C_CloseSession),
            C_CloseAllSessions: Some(slots::C_CloseAllSessions),
            C_GetSessionInfo: Some(sessions::C_GetSessionInfo),
            C_GetOperationState: Some(sessions::C_GetOperationState),
            C_SetOperationState: Some(sessions::C_SetOperationState),
            C_Login: Some(sessions::C_Login),
            C_Logout: Some(sessions::C_Logout),
            C_CreateObject: Some(objects::C_CreateObject),
            C_CopyObject: Some(objects::C_CopyObject),
            C_DestroyObject: Some(objects::C_DestroyObject),
            C_GetObjectSize: Some(objects::C_GetObjectSize),
            C_GetAttributeValue: Some(objects::C_GetAttributeValue),
            C_SetAttributeValue: Some(objects::C_SetAttributeValue),
            C_FindObjectsInit: Some(objects::C_FindObjectsInit),
            C_FindObjects: Some(objects::C_FindObjects),
            C_FindObjectsFinal: Some(objects::C_FindObjectsFinal),
            C_EncryptInit: Some(crypt::C_EncryptInit),
            C_Encrypt: Some(crypt::C_Encrypt),
            C_EncryptUpdate: Some(crypt::C_EncryptUpdate),
            C_EncryptFinal: Some(crypt::C_EncryptFinal),
            C_DecryptInit: Some(crypt::C_DecryptInit),
            C_Decrypt: Some(crypt::C_Decrypt),
            C_DecryptUpdate: Some(crypt::C_DecryptUpdate),
            C_DecryptFinal: Some(crypt::C_DecryptFinal),
            C_DigestInit: Some(digest::C_DigestInit),
            C_Digest: Some(digest::C_Digest),
            C_DigestUpdate: Some(digest::C_DigestUpdate),
            C_DigestKey: Some(digest::C_DigestKey),
            C_DigestFinal: Some(digest::C_DigestFinal),
            C_SignInit: Some(sign::C_SignInit),
            C_Sign: Some(sign::C_Sign),
            C_SignUpdate: Some(sign::C_SignUpdate),
            C_SignFinal: Some(sign::C_SignFinal),
            C_SignRecoverInit: Some(recover::C_SignRecoverInit),
            C_SignRecover: Some(recover::C_SignRecover),
            C_VerifyInit: Some(sign::C_VerifyInit),
            C_Verify: Some(sign::C_Verify),
            C_VerifyUpdate: Some(sign::C_VerifyUpdate),
            C_VerifyFinal: Some(sign::C_VerifyFinal),
            C_VerifyRecoverInit: Some(recover::C_VerifyRecoverInit),
            C_VerifyRecover: Some(recover::C_VerifyRecover),
            C_DigestEncryptUpdate: Some(dual::C_DigestEncryptUpdate),
            C_DecryptDigestUpdate: Some(dual::C_DecryptDigestUpdate),
            C_SignEncryptUpdate: Some(dual::C_SignEncryptUpdate),
            C_DecryptVerifyUpdate: Some(dual::C_DecryptVerifyUpdate),
            C_GenerateKey: Some(keys::C_GenerateKey),
            C_GenerateKeyPair: Some(keys::C_GenerateKeyPair),
            C_WrapKey: Some(wrap::C_WrapKey),
            C_UnwrapKey: Some(wrap::C_UnwrapKey),
            C_DeriveKey: Some(keys::C_DeriveKey),
            C_SeedRandom: Some(keys::C_SeedRandom),
            C_GenerateRandom: Some(keys::C_GenerateRandom),
            C_GetFunctionStatus: Some(unsupported::C_GetFunctionStatus),
            C_CancelFunction: Some(unsupported::C_CancelFunction),
            C_WaitForSlotEvent: Some(slots::C_WaitForSlotEvent),
            $($later: $function),*
        }
    };
}

/// A table of 3.0 or later: the functions of 3.0, and what its version has more.
macro_rules! list_3 {
    ($list:ident, $version:expr, {$($later:ident: $function:expr),* $(,)?}) => {
        list!($list, $version, {
            C_GetInterfaceList: Some(general::C_GetInterfaceList),
            C_GetInterface: Some(general::C_GetInterface),
            C_LoginUser: Some(sessions::C_LoginUser),
            C_SessionCancel: Some(sessions::C_SessionCancel),
            C_MessageEncryptInit: NotSupported::ANSWER,
            C_EncryptMessage: NotSupported::ANSWER,
            C_EncryptMessageBegin: NotSupported::ANSWER,
            C_EncryptMessageNext: NotSupported::ANSWER,
            C_MessageEncryptFinal: NotSupported::ANSWER,
            C_MessageDecryptInit: NotSupported::ANSWER,
            C_DecryptMessage: NotSupported::ANSWER,
            C_DecryptMessageBegin: NotSupported::ANSWER,
            C_DecryptMessageNext: NotSupported::ANSWER,
            C_MessageDecryptFinal: NotSupported::ANSWER,
            C_MessageSignInit: NotSupported::ANSWER,
            C_SignMessage: NotSupported::ANSWER,
            C_SignMessageBegin: NotSupported::ANSWER,
            C_SignMessageNext: NotSupported::ANSWER,
            C_MessageSignFinal: NotSupported::ANSWER,
            C_MessageVerifyInit: NotSupported::ANSWER,
            C_VerifyMessage: NotSupported::ANSWER,
            C_VerifyMessageBegin: NotSupported::ANSWER,
            C_VerifyMessageNext: NotSupported::ANSWER,
            C_MessageVerifyFinal: NotSupported::ANSWER,
            $($later: $function),*
        })
    };
}

static LIST_2_40: CK_FUNCTION_LIST = list!(CK_FUNCTION_LIST, version(2, 40), {});

static LIST_3_0: CK_FUNCTION_LIST_3_0 = list_3!(CK_FUNCTION_LIST_3_0, version(3, 0), {});

static LIST_3_2: CK_FUNCTION_LIST_3_2 = list_3!(CK_FUNCTION_LIST_3_2, version(3, 2), {
    C_EncapsulateKey: NotSupported::ANSWER,
    C_DecapsulateKey: NotSupported::ANSWER,
    C_VerifySignatureInit: NotSupported::ANSWER,
    C_VerifySignature: NotSupported::ANSWER,
    C_VerifySignatureUpdate: NotSupported::ANSWER,
    C_VerifySignatureFinal: NotSupported::ANSWER,
    C_GetSessionValidationFlags: NotSupported::ANSWER,
    C_AsyncComplete: NotSupported::ANSWER,
    C_AsyncGetID: NotSupported::ANSWER,
    C_AsyncJoin: NotSupported::ANSWER,
    C_WrapKeyAuthenticated: Some(wrap::C_WrapKeyAuthenticated),
    C_UnwrapKeyAuthenticated: Some(wrap::C_UnwrapKeyAuthenticated),
});
