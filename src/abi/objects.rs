//! Object management functions. PKCS#11 3.2, section 5.7.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::memory;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::object::{Attributes, Search, nested};
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
    module.sessions().find_init(Handle::from_raw(session), search)
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
    let attribute = unsafe { memory::read(at) }?;
    if nested::is_template(attribute.type_) {
        // SAFETY: as above.
        return unsafe { fill_template(view.template(attribute.type_), at) };
    }
    // SAFETY: as above.
    unsafe { put(view.attribute(attribute.type_), at) }
}

/// Fills one attribute in whose value is a template: the attributes in it one by one, as far as the caller has room.
unsafe fn fill_template(inside: Result<Attributes>, at: *mut CK_ATTRIBUTE) -> Result<()> {
    // SAFETY: the caller's template holds this attribute.
    let mut attribute = unsafe { memory::read(at) }?;
    let list: *mut CK_ATTRIBUTE = attribute.pValue.cast();
    let needed = |inside: &Attributes| (inside.len() * size_of::<CK_ATTRIBUTE>()) as CK_ULONG;
    let inside = inside.and_then(|inside| match list.is_null() || attribute.ulValueLen >= needed(&inside) {
        true => Ok(inside),
        false => Err(Error::BufferTooSmall),
    });
    attribute.ulValueLen = inside.as_ref().map_or(CK_UNAVAILABLE_INFORMATION, needed);
    // SAFETY: as for reading.
    unsafe { memory::write(at, attribute) }?;
    if list.is_null() {
        return inside.map(drop);
    }
    let mut outcome = Ok(());
    for (index, (number, value)) in inside?.into_iter().enumerate() {
        // SAFETY: the caller's list has room for that many attributes.
        let one = unsafe {
            let at = list.add(index);
            memory::write(at, CK_ATTRIBUTE { type_: number, ..memory::read(at)? })?;
            put(Ok(Zeroizing::new(value)), at)
        };
        outcome = outcome.and(one);
    }
    outcome
}

/// Puts a value in, or that there is none.
unsafe fn put(value: Result<Zeroizing<Vec<u8>>>, at: *mut CK_ATTRIBUTE) -> Result<()> {
    // SAFETY: the caller's template holds this attribute.
    let mut attribute = unsafe { memory::read(at) }?;
    let outcome = match value {
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
