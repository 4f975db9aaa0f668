//! Functions that wrap and unwrap keys. PKCS#11 3.2, sections 5.18.3, 5.18.4, 5.18.6 and 5.18.7.

use cryptoki_sys::*;

use super::mechanism::{self, Made};
use super::memory::{self, NOTHING, Place};
use crate::error::Result;
use crate::handle::Handle;
use crate::mechanism::{Mechanism, Parameter};
use crate::module::Module;

entry!(fn C_WrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    wrapping: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    into: *mut CK_BYTE,
    into_length: *mut CK_ULONG,
) |module| {
    let how = mechanism::read_wrapping(module, mechanism)?;
    wrap(module, session, how, [wrapping, key], (into, into_length))
});

entry!(fn C_UnwrapKey(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    unwrapping: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    length: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    into: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into)?;
    let (mechanism, parameter) = mechanism::read(module, mechanism)?;
    let wrapped = memory::bytes(wrapped, length)?;
    unwrap(module, session, (mechanism, parameter), unwrapping, wrapped, (template, count), into)
});

entry!(
    /// PKCS#11 3.2, section 5.18.6.
    unexported fn C_WrapKeyAuthenticated(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
        aad: *mut CK_BYTE,
        aad_length: CK_ULONG,
        into: *mut CK_BYTE,
        into_length: *mut CK_ULONG,
    ) |module| {
        let aad = memory::bytes(aad, aad_length)?;
        let how = mechanism::read_authenticated(module, mechanism, aad)?;
        wrap(module, session, how, [wrapping, key], (into, into_length))
    }
);

entry!(
    /// PKCS#11 3.2, section 5.18.7.
    unexported fn C_UnwrapKeyAuthenticated(
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        unwrapping: CK_OBJECT_HANDLE,
        wrapped: *mut CK_BYTE,
        length: CK_ULONG,
        template: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
        aad: *mut CK_BYTE,
        aad_length: CK_ULONG,
        into: *mut CK_OBJECT_HANDLE,
    ) |module| {
        memory::check_place(into)?;
        let aad = memory::bytes(aad, aad_length)?;
        let (mechanism, parameter, made) = mechanism::read_authenticated(module, mechanism, aad)?;
        let wrapped = made.behind(memory::bytes(wrapped, length)?)?;
        unwrap(module, session, (mechanism, parameter), unwrapping, &wrapped, (template, count), into)
    }
);

unsafe fn wrap(
    module: &Module,
    session: CK_SESSION_HANDLE,
    (mechanism, parameter, made): (&Mechanism, Parameter<'_>, Made),
    keys: [CK_OBJECT_HANDLE; 2],
    (into, into_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> Result<()> {
    let (session, keys) = (Handle::from_raw(session), keys.map(Handle::from_raw));
    // SAFETY: the caller's contract.
    let place = unsafe { Place::new(NOTHING, (into, into_length)) }?;
    let tag = made.tag_length;
    // SAFETY: the caller's contract.
    let output = &mut unsafe { place.output() };
    let wrapped = module.sessions().wrap(session, mechanism, &parameter, keys, output, tag)?;
    // SAFETY: the caller's contract.
    unsafe {
        made.write(wrapped.iv.as_deref(), &wrapped.tag)?;
        memory::write_length(wrapped.length, into_length)
    }
}

unsafe fn unwrap(
    module: &Module,
    session: CK_SESSION_HANDLE,
    (mechanism, parameter): (&Mechanism, Parameter<'_>),
    unwrapping: CK_OBJECT_HANDLE,
    wrapped: &[u8],
    (template, count): (*mut CK_ATTRIBUTE, CK_ULONG),
    into: *mut CK_OBJECT_HANDLE,
) -> Result<()> {
    // SAFETY: the caller's contract.
    let template = unsafe { memory::template(template, count) }?;
    let (session, unwrapping) = (Handle::from_raw(session), Handle::from_raw(unwrapping));
    let key = module.sessions().unwrap(session, mechanism, &parameter, unwrapping, wrapped, &template)?;
    // SAFETY: the caller's contract.
    unsafe { memory::write(into, key.raw()) }
}
