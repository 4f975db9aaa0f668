//! Operations in the wrong state: none, another one, half of one; and their ends.

use std::ptr;

use cryptoki_sys::*;

use super::arrangement::{Arrangement, skip_unsupported};
use super::code::Expected;
use super::function::{FUNCTIONS, Function};
use super::key::plain;
use super::module::call;
use super::operation::{Purpose, Raw};
use super::suite::Check;
use super::trial::{Trial, skip};
use super::verdict::Outcome;
use super::world::Session;

use Purpose::{Decrypt, Digest, Encrypt, Find, Sign, Verify};

/// The checks.
pub fn checks() -> Vec<Check> {
    let none = FUNCTIONS.iter().enumerate().filter(|(_, function)| function.continues()).map(|(index, function)| {
        Check::new("no-operation", function.name, function.section, move |trial| no_operation(trial, index, function))
    });
    let mut checks: Vec<Check> = none.collect();
    for purpose in [Encrypt, Decrypt, Digest, Sign, Verify, Find] {
        for (name, section, check) in BY_PURPOSE {
            let is_search_too = !["cancelled by NULL", "one-shot after Update", "Update after the end"].contains(name);
            if purpose != Find || is_search_too {
                let subject = format!("{}, {name}", purpose.name());
                checks.push(Check::new("operation", subject, section, move |trial| check(trial, purpose)));
            }
        }
    }
    checks.push(Check::new("operation", "C_SessionCancel", "5.6.5", session_cancel));
    checks
}

type ByPurpose = fn(&mut Trial<'_>, Purpose) -> Outcome;

const BY_PURPOSE: &[(&str, &str, ByPurpose)] = &[
    ("begun twice", "5.1.6", begun_twice),
    ("begun after a failed Init", "5.1.6", after_failed_init),
    ("cancelled by NULL", "5.8.1", cancelled_by_null),
    ("one-shot after Update", "5.8.2", one_shot_after_update),
    ("Final without Update", "5.8.4", final_without_update),
    ("Update after the end", "5.8.3", after_the_end),
    ("through another session", "5.6", through_another_session),
];

fn no_operation(trial: &mut Trial<'_>, index: usize, function: &'static Function) -> Outcome {
    let world = trial.world;
    let call = Arrangement::not_begun(world, index, function)?;
    trial.at(function.name);
    let code = call.call(world);
    skip_unsupported(code)?;
    trial.gives(function.name, &[CKR_OPERATION_NOT_INITIALIZED], || code);
    Ok(())
}

/// The second Init is refused, and the first operation goes on unharmed.
fn begun_twice(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let session = trial.world.session()?;
    session.begin_any(purpose)?;
    let code = session.init_any(purpose)?;
    trial.gives("the second Init", &[CKR_OPERATION_ACTIVE], || code);
    goes_on(trial, &session, purpose);
    Ok(())
}

/// A failed Init leaves nothing active.
fn after_failed_init(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let session = trial.world.session()?;
    let mut nonsense = plain(CKM_VENDOR_DEFINED | 0x7654_3210);
    if purpose != Find {
        let init = "Init with an unknown mechanism";
        let key = trial.world.key(super::operation::any_key(purpose))?;
        trial.gives(init, &[CKR_MECHANISM_INVALID], || session.init_raw(purpose, &mut nonsense, purpose.half(key)));
    }
    let code = session.init_any(purpose)?;
    trial.gives("the next Init", &[CKR_OK], || code);
    goes_on(trial, &session, purpose);
    Ok(())
}

/// Init with a NULL mechanism ends what is active, and is content when nothing is. Since 3.0.
fn cancelled_by_null(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    if !trial.world.module.is_3() {
        return skip("since 3.0");
    }
    let session = trial.world.session()?;
    trial.gives("nothing active", &[CKR_OK], || session.init_raw(purpose, ptr::null_mut(), 0));
    session.begin_any(purpose)?;
    trial.gives("something active", &[CKR_OK], || session.init_raw(purpose, ptr::null_mut(), 0));
    trial.gives("Update after that", &[CKR_OPERATION_NOT_INITIALIZED], || update(&session, purpose));
    let code = session.init_any(purpose)?;
    trial.gives("the next Init", &[CKR_OK], || code);
    Ok(())
}

/// The one-shot function may not end what an Update went on with. No code is named.
fn one_shot_after_update(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let session = trial.world.session()?;
    session.begin_any(purpose)?;
    trial.gives("Update", &[CKR_OK], || update(&session, purpose));
    trial.call("the one-shot function", Expected::Refusal, || whole(&session, purpose));
    Ok(())
}

fn final_without_update(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let session = trial.world.session()?;
    session.begin_any(purpose)?;
    // The signature is none of nothing; the operation is over all the same.
    let right = if purpose == Verify { CKR_SIGNATURE_INVALID } else { CKR_OK };
    trial.gives("Final", &[right], || finish(&session, purpose));
    trial.gives("Final again", &[CKR_OPERATION_NOT_INITIALIZED], || finish(&session, purpose));
    Ok(())
}

fn after_the_end(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let session = trial.world.session()?;
    session.begin_any(purpose)?;
    goes_on(trial, &session, purpose);
    for (name, call) in
        [("Update", update as fn(&Session<'_>, Purpose) -> CK_RV), ("Final", finish), ("one-shot", whole)]
    {
        trial.gives(name, &[CKR_OPERATION_NOT_INITIALIZED], || call(&session, purpose));
    }
    Ok(())
}

fn through_another_session(trial: &mut Trial<'_>, purpose: Purpose) -> Outcome {
    let (session, other) = (trial.world.session()?, trial.world.session()?);
    session.begin_any(purpose)?;
    trial.gives("the other session", &[CKR_OPERATION_NOT_INITIALIZED], || whole(&other, purpose));
    goes_on(trial, &session, purpose);
    Ok(())
}

/// Flags name what is cancelled; what is idle is ignored, and 0 names nothing.
fn session_cancel(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let session = world.session()?;
    let cancel = |flags| call!(world.module, C_SessionCancel(session.handle, flags));
    skip_unsupported(cancel(0))?;
    for purpose in [Encrypt, Decrypt, Digest, Sign, Verify, Find] {
        let at = |what: &str| format!("{}: {what}", purpose.name());
        trial.gives(&at("idle"), &[CKR_OK], || cancel(purpose.flag()));
        session.begin_any(purpose)?;
        trial.gives(&at("flags 0"), &[CKR_OK], || cancel(0));
        let other = if purpose == Digest { CKF_ENCRYPT } else { CKF_DIGEST };
        trial.gives(&at("the flag of another"), &[CKR_OK], || cancel(other));
        goes_on(trial, &session, purpose);
        session.begin_any(purpose)?;
        trial.gives(&at("its flag"), &[CKR_OK], || cancel(purpose.flag()));
        trial.gives(&at("Final after that"), &[CKR_OPERATION_NOT_INITIALIZED], || finish(&session, purpose));
    }
    Ok(())
}

const INPUT: [u8; 16] = [0x5a; 16];

/// The operation ends as if nothing had been.
fn goes_on(trial: &mut Trial<'_>, session: &Session<'_>, purpose: Purpose) {
    if purpose == Find {
        trial.gives("the search goes on", &[CKR_OK], || whole(session, purpose));
        trial.gives("the search ends", &[CKR_OK], || finish(session, purpose));
        return;
    }
    let right = if purpose == Verify { CKR_SIGNATURE_INVALID } else { CKR_OK };
    trial.gives("the operation goes on", &[right], || whole(session, purpose));
}

fn whole(session: &Session<'_>, purpose: Purpose) -> CK_RV {
    with_room(|output, room| {
        session.whole_raw(purpose, Raw { input: INPUT.as_ptr(), length: INPUT.len() as CK_ULONG, output, room })
    })
}

fn update(session: &Session<'_>, purpose: Purpose) -> CK_RV {
    with_room(|output, room| {
        session.update_raw(purpose, Raw { input: INPUT.as_ptr(), length: INPUT.len() as CK_ULONG, output, room })
    })
}

fn finish(session: &Session<'_>, purpose: Purpose) -> CK_RV {
    with_room(|output, room| session.finish_raw(purpose, output, room))
}

/// Room for a result of 32 bytes, which is also as long as the signature that a verification is given.
fn with_room(call: impl FnOnce(*mut u8, *mut CK_ULONG) -> CK_RV) -> CK_RV {
    let (mut output, mut room) = ([0_u8; 32], 32);
    call(output.as_mut_ptr(), &mut room)
}
