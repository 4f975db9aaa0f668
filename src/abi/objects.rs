//! Object management functions. PKCS#11 3.2, section 5.7.

use cryptoki_sys::*;

use super::memory;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::object::Search;
use crate::token::View;

entry!(fn C_CreateObject(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    into: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into)?;
    let template = memory::template(template, count)?;
    memory::write(into, module.sessions().create(Handle::from_raw(session), &template)?.raw())
});

entry!(fn C_CopyObject(
    session: CK_SESSION_HANDLE,
    original: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    into: *mut CK_OBJECT_HANDLE,
) |module| {
    memory::check_place(into)?;
    let template = memory::template(template, count)?;
    let copy = module.sessions().copy(Handle::from_raw(session), Handle::from_raw(original), &template)?;
    memory::write(into, copy.raw())
});

entry!(fn C_SetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) |module| {
    let template = memory::template(template, count)?;
    module.sessions().change(Handle::from_raw(session), Handle::from_raw(object), &template)
});

entry!(fn C_GetObjectSize(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, into: *mut CK_ULONG) |module| {
    let view = module.sessions().view(Handle::from_raw(session), Handle::from_raw(object))?;
    memory::write(into, view.size() as CK_ULONG)
});

entry!(fn C_DestroyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) |module| {
    module.sessions().destroy(Handle::from_raw(session), Handle::from_raw(object))
});

entry!(fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) |module| {
    let view = module.sessions().view(Handle::from_raw(session), Handle::from_raw(object))?;
    memory::check_template(template, count)?;
    let mut outcome = Ok(());
    for index in 0..count as usize {
        // Every attribute is tried, whatever became of the others.
        let one = fill(&view, template.add(index));
        outcome = outcome.and(one);
    }
    outcome
});

entry!(fn C_FindObjectsInit(session: CK_SESSION_HANDLE, template: *mut CK_ATTRIBUTE, count: CK_ULONG) |module| {
    let search = Search::new(&memory::template(template, count)?);
    module.sessions().find_init(Handle::from_raw(session), &search)
});

entry!(fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    into: *mut CK_OBJECT_HANDLE,
    most: CK_ULONG,
    found: *mut CK_ULONG,
) |module| {
    memory::check_place(found)?;
    if into.is_null() && most > 0 {
        return Err(Error::ArgumentsBad("the object handles have no place"));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let handles = module.sessions().find_next(Handle::from_raw(session), most)?;
    for (index, handle) in handles.iter().enumerate() {
        memory::write(into.add(index), handle.raw())?;
    }
    memory::write(found, handles.len() as CK_ULONG)
});

entry!(fn C_FindObjectsFinal(session: CK_SESSION_HANDLE) |module| {
    module.sessions().find_final(Handle::from_raw(session))
});

/// Fills one attribute in: its value, its length, or that it cannot be had. PKCS#11 3.2, section 5.7.5.
unsafe fn fill(view: &View, at: *mut CK_ATTRIBUTE) -> Result<()> {
    // SAFETY: the caller's template holds this attribute.
    let mut attribute = unsafe { memory::read(at) }?;
    let outcome = match view.attribute(attribute.type_) {
        Ok(value) if attribute.pValue.is_null() => Ok(value.len()),
        Ok(value) if attribute.ulValueLen < value.len() as CK_ULONG => Err(Error::BufferTooSmall),
        Ok(value) => {
            // SAFETY: the caller's buffer has the length that the attribute says, which suffices.
            unsafe { memory::room(attribute.pValue.cast(), value.len() as CK_ULONG) }?.copy_from_slice(&value);
            Ok(value.len())
        }
        Err(error) => Err(error),
    };
    attribute.ulValueLen = outcome.as_ref().map_or(CK_UNAVAILABLE_INFORMATION, |length| *length as CK_ULONG);
    // SAFETY: as for reading.
    unsafe { memory::write(at, attribute) }?;
    outcome.map(drop)
}
