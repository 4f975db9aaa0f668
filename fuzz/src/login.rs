//! `C_LoginUser` of the user that is logged in: any name, any user type, and it is never another user.

use cryptoki_sys::*;

use crate::library::{call, session};
use crate::mechanism::Message;

/// The message is the name, and the PIN.
pub fn login(user: u8, message: &Message<'_>) {
    let (at, length) = (message.bytes.as_ptr().cast_mut(), message.bytes.len() as CK_ULONG);
    for (name, name_length) in [(at, length), (std::ptr::null_mut(), 0), (at, 0)] {
        let code = call!(C_LoginUser(session(), user.into(), at, length, name, name_length));
        let right = [
            CKR_USER_ALREADY_LOGGED_IN,
            CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
            CKR_USER_TYPE_INVALID,
            CKR_OPERATION_NOT_INITIALIZED,
        ];
        assert!(right.contains(&code), "0x{code:x}");
    }
    let mut info = CK_SESSION_INFO::default();
    assert_eq!(call!(C_GetSessionInfo(session(), &mut info)), CKR_OK);
    assert_eq!(info.state, CKS_RW_USER_FUNCTIONS);
}
