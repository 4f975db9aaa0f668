//! The library as a C program has it: its function table, one token, one session of the logged-in user.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::OnceLock;

use cryptoki_sys::*;
use tempfile::TempDir;

// The C functions are in this crate; nothing else of it is called here.
use keystead as _;

unsafe extern "C" {
    fn C_GetInterface(
        name: *mut CK_UTF8CHAR,
        version: *mut CK_VERSION,
        interface: *mut *mut CK_INTERFACE,
        flags: CK_FLAGS,
    ) -> CK_RV;
}

/// The function table of 3.2.
pub fn functions() -> &'static CK_FUNCTION_LIST_3_2 {
    let (mut version, mut interface) = (CK_VERSION { major: 3, minor: 2 }, ptr::null_mut());
    // SAFETY: the version and the result have a place.
    assert_eq!(unsafe { C_GetInterface(ptr::null_mut(), &mut version, &mut interface, 0) }, CKR_OK);
    // SAFETY: the library's interfaces and tables are statics, and this one's is that of its version.
    unsafe { &*(*interface).pFunctionList.cast() }
}

/// Calls a function by its name in the table. No caller can bring the library into a state for one of the codes that
/// speak of a fault in it.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        let function = $crate::library::functions().$name.expect("the table is complete");
        // SAFETY: every caller of this macro keeps to the standard: pointers are NULL or valid for their lengths.
        let code = unsafe { function($($argument),*) };
        $crate::library::check(stringify!($name), code)
    }};
}
pub(crate) use call;

/// Whether a code is one that a caller can be at fault for.
pub fn check(name: &str, code: CK_RV) -> CK_RV {
    let faults =
        [CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_HOST_MEMORY, CKR_CANCEL];
    assert!(!faults.contains(&code), "{name}: 0x{code:x}");
    code
}

/// The session in which all happens.
pub fn session() -> CK_SESSION_HANDLE {
    static SESSION: OnceLock<(CK_SESSION_HANDLE, TempDir)> = OnceLock::new();
    SESSION.get_or_init(open).0
}

/// Every mechanism, in the order of the list.
pub fn mechanisms() -> &'static [CK_MECHANISM_TYPE] {
    static MECHANISMS: OnceLock<Vec<CK_MECHANISM_TYPE>> = OnceLock::new();
    MECHANISMS.get_or_init(|| {
        session();
        let slot = slot();
        let mut count = 0;
        assert_eq!(call!(C_GetMechanismList(slot, ptr::null_mut(), &mut count)), CKR_OK);
        let mut list = vec![0; count as usize];
        assert_eq!(call!(C_GetMechanismList(slot, list.as_mut_ptr(), &mut count)), CKR_OK);
        list
    })
}

fn open() -> (CK_SESSION_HANDLE, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = CString::new(format!("store={}", folder.path().display())).unwrap();
    let mut arguments = CK_C_INITIALIZE_ARGS {
        flags: CKF_OS_LOCKING_OK,
        pReserved: store.as_ptr().cast_mut().cast(),
        ..Default::default()
    };
    // The library silences panics, for they are codes to its callers. Here they are findings.
    let hook = std::panic::take_hook();
    assert_eq!(call!(C_Initialize((&raw mut arguments).cast::<c_void>())), CKR_OK);
    std::panic::set_hook(hook);

    let (mut so_pin, mut user_pin, mut label) = (*b"officer", *b"user", [b' '; 32]);
    let so = so_pin.as_mut_ptr();
    let user = user_pin.as_mut_ptr();
    assert_eq!(call!(C_InitToken(slot(), so, so_pin.len() as CK_ULONG, label.as_mut_ptr())), CKR_OK);
    let mut session = 0;
    let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    assert_eq!(call!(C_OpenSession(slot(), flags, ptr::null_mut(), None, &mut session)), CKR_OK);
    assert_eq!(call!(C_Login(session, CKU_SO, so, so_pin.len() as CK_ULONG)), CKR_OK);
    assert_eq!(call!(C_InitPIN(session, user, user_pin.len() as CK_ULONG)), CKR_OK);
    assert_eq!(call!(C_Logout(session)), CKR_OK);
    assert_eq!(call!(C_Login(session, CKU_USER, user, user_pin.len() as CK_ULONG)), CKR_OK);
    (session, folder)
}

/// The only slot.
fn slot() -> CK_SLOT_ID {
    let (mut slots, mut count) = ([0; 4], 4);
    assert_eq!(call!(C_GetSlotList(CK_FALSE, slots.as_mut_ptr(), &mut count)), CKR_OK);
    assert_eq!(count, 1);
    slots[0]
}
