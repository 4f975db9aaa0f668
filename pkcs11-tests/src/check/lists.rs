//! Lists and values that are not operations: what fits, what does not, and what lies behind the caller's buffer.

use std::ptr;

use cryptoki_sys::*;

use super::arrangement::{data, skip_unsupported};
use super::guard::Guarded;
use super::module::call;
use super::suite::{self, Check, Row};
use super::trial::{Trial, ok};
use super::verdict::Outcome;

/// The checks.
pub fn checks() -> Vec<Check> {
    suite::rows("lists", CHECKS)
}

#[rustfmt::skip]
const CHECKS: &[Row] = &[
    ("C_GetSlotList", "5.5.1", slots),
    ("C_GetMechanismList", "5.5.5", mechanisms),
    ("C_GetInterfaceList", "5.4.5", interfaces),
    ("C_GetMechanismInfo of all", "5.5.6", mechanism_infos),
    ("C_FindObjects", "5.7.8", found_objects),
    ("C_GetAttributeValue", "5.7.5", attribute_values),
    ("C_GenerateRandom", "5.20.2", random),
];

fn slots(trial: &mut Trial<'_>) -> Outcome {
    let module = &trial.world.module;
    list(trial, 8, &|list, count| call!(module, C_GetSlotList(CK_FALSE, list.cast(), count)))
}

fn mechanisms(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    list(trial, 8, &|list, count| call!(world.module, C_GetMechanismList(world.slot(), list.cast(), count)))
}

fn interfaces(trial: &mut Trial<'_>) -> Outcome {
    let module = &trial.world.module;
    let size = size_of::<CK_INTERFACE>();
    list(trial, size, &|list, count| call!(module, C_GetInterfaceList(list.cast(), count)))
}

/// A list of items of so many bytes.
fn list(trial: &mut Trial<'_>, size: usize, call: &dyn Fn(*mut u8, *mut CK_ULONG) -> CK_RV) -> Outcome {
    let mut needed = 0;
    trial.at("count query");
    let code = call(ptr::null_mut(), &mut needed);
    skip_unsupported(code)?;
    ok("count query", code)?;
    let items = needed as usize;
    for (room, right) in
        [(0, CKR_BUFFER_TOO_SMALL), (items - 1, CKR_BUFFER_TOO_SMALL), (items, CKR_OK), (items + 3, CKR_OK)]
    {
        let at = format!("room for {room} of {items}");
        let (mut buffer, mut count) = (Guarded::new(room * size), room as CK_ULONG);
        trial.gives(&at, &[right], || call(buffer.pointer(), &mut count));
        trial.holds(&at, &format!("count {items}"), count == needed, || format!("count {count}"));
        trial.holds(&at, "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
    }
    Ok(())
}

/// What is listed can be asked about, and does something.
fn mechanism_infos(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    for mechanism in world.mechanisms()? {
        let mut info = CK_MECHANISM_INFO::default();
        let at = format!("mechanism {mechanism:#x}");
        trial.gives(&at, &[CKR_OK], || call!(world.module, C_GetMechanismInfo(world.slot(), mechanism, &mut info)));
        let is_ordered = info.ulMinKeySize <= info.ulMaxKeySize;
        trial
            .holds(&at, "key sizes in order", is_ordered, || format!("{} to {}", info.ulMinKeySize, info.ulMaxKeySize));
    }
    let (mut info, unknown) = (CK_MECHANISM_INFO::default(), CKM_VENDOR_DEFINED | 0x7654_3210);
    trial.gives("a mechanism nobody has", &[CKR_MECHANISM_INVALID], || {
        call!(world.module, C_GetMechanismInfo(world.slot(), unknown, &mut info))
    });
    Ok(())
}

fn found_objects(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let session = world.session()?;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(world.create(session.handle, data().bytes(CKA_LABEL, b"found"))?);
    }
    let mut template = super::template::Template::default().bytes(CKA_LABEL, b"found");
    let mut rows = template.rows();
    ok("C_FindObjectsInit", call!(world.module, C_FindObjectsInit(session.handle, rows.as_mut_ptr(), 1)))?;
    let mut found: Vec<CK_OBJECT_HANDLE> = Vec::new();
    for (most, right) in [(0, 0), (2, 2), (10, 3), (10, 0)] {
        let at = format!("{most} at most");
        let (mut buffer, mut count) = (Guarded::new(most * size_of::<CK_OBJECT_HANDLE>()), 99);
        let find = || {
            call!(world.module, C_FindObjects(session.handle, buffer.pointer().cast(), most as CK_ULONG, &mut count))
        };
        trial.gives(&at, &[CKR_OK], find);
        trial.holds(&at, &format!("{right} objects"), count == right, || format!("{count} objects"));
        trial.holds(&at, "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
        let handles = buffer.first(count as usize * size_of::<CK_OBJECT_HANDLE>());
        let handle = |bytes: &[u8]| bytes.try_into().map(CK_OBJECT_HANDLE::from_ne_bytes).unwrap_or_default();
        found.extend(handles.chunks(size_of::<CK_OBJECT_HANDLE>()).map(handle));
    }
    found.sort_unstable();
    all.sort_unstable();
    trial.holds("all of them", "each object once", found == all, || format!("{found:?} of {all:?}"));
    Ok(())
}

fn attribute_values(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let value = b"sixteen bytes ..";
    let object = world.create(world.holder(), data().bytes(CKA_VALUE, value))?;
    let get = |buffer: *mut u8, length: &mut CK_ULONG| {
        let mut row = CK_ATTRIBUTE { type_: CKA_VALUE, pValue: buffer.cast(), ulValueLen: *length };
        let code = call!(world.module, C_GetAttributeValue(world.holder(), object, &mut row, 1));
        *length = row.ulValueLen;
        code
    };
    let mut length = 0;
    trial.gives("length query", &[CKR_OK], || get(ptr::null_mut(), &mut length));
    trial.holds("length query", "16", length == 16, || length.to_string());
    for (room, right, told) in [
        (0, CKR_BUFFER_TOO_SMALL, CK_UNAVAILABLE_INFORMATION),
        (15, CKR_BUFFER_TOO_SMALL, CK_UNAVAILABLE_INFORMATION),
        (16, CKR_OK, 16),
        (40, CKR_OK, 16),
    ] {
        let at = format!("{room} bytes");
        let (mut buffer, mut length) = (Guarded::new(room), room as CK_ULONG);
        trial.gives(&at, &[right], || get(buffer.pointer(), &mut length));
        trial.holds(&at, &format!("length {told:#x}"), length == told, || format!("{length:#x}"));
        trial.holds(&at, "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
        let is_right = if right == CKR_OK { buffer.first(16) == value } else { buffer.is_untouched() };
        trial.holds(&at, "the value, or nothing where it does not fit", is_right, || "other bytes".to_owned());
    }
    Ok(())
}

fn random(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    for length in [0, 1, 7, 32, 4097] {
        let at = format!("{length} bytes");
        let mut buffer = Guarded::new(length);
        let generate = || call!(world.module, C_GenerateRandom(world.holder(), buffer.pointer(), length as CK_ULONG));
        trial.gives(&at, &[CKR_OK], generate);
        trial.holds(&at, "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
        if length >= 32 {
            let is_filled = !buffer.is_untouched();
            trial.holds(&at, "random bytes", is_filled, || "the bytes that were there".to_owned());
        }
    }
    trial.gives("NULL with length 0", &[CKR_OK, CKR_ARGUMENTS_BAD], || {
        call!(world.module, C_GenerateRandom(world.holder(), ptr::null_mut(), 0))
    });
    Ok(())
}
