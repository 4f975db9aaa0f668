//! Output buffers of every mechanism: none, too small, exact, larger. PKCS#11 3.2, section 5.2.

use std::ptr;

use cryptoki_sys::*;

use super::both::{Both, PAIRS};
use super::guard::Guarded;
use super::key::Kind;
use super::mechanism::{KNOWN, Known, Parameter};
use super::module::call;
use super::operation::{ENOUGH, Purpose, Raw};
use super::suite::Check;
use super::trial::{Trial, ok};
use super::verdict::Outcome;
use super::world::Session;

/// The checks.
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for known in KNOWN {
        for purpose in known.does.iter().copied().filter(|purpose| *purpose != Purpose::Verify) {
            let subject = format!("{} {}", purpose.name(), known.name);
            if known.in_parts {
                let subject = format!("{subject} in parts");
                checks.push(Check::new("rooms", subject, "5.2", move |trial| in_parts(trial, purpose, known)));
            }
            checks.push(Check::new("rooms", subject, "5.2", move |trial| one_shot(trial, purpose, known)));
        }
    }
    for name in WRAPS {
        checks.push(Check::new("rooms", format!("wrap {name}"), "5.2", |trial| wrap(trial, name)));
    }
    for known in RECOVERS {
        for purpose in [Purpose::SignRecover, Purpose::VerifyRecover] {
            let subject = format!("{} {known}", purpose.name());
            checks.push(Check::new("rooms", subject, "5.2", move |trial| recover(trial, purpose, known)));
        }
    }
    for both in PAIRS {
        checks.push(Check::new("rooms", both.name, "5.2", move |trial| dual(trial, both)));
    }
    checks
}

const RECOVERS: &[&str] = &["RSA_PKCS", "RSA_X_509"];

const WRAPS: &[&str] = &[
    "AES_CBC_PAD",
    "AES_GCM",
    "AES_KEY_WRAP",
    "AES_KEY_WRAP_PAD",
    "AES_KEY_WRAP_KWP",
    "AES_KEY_WRAP_PKCS7",
    "RSA_PKCS",
    "RSA_PKCS_OAEP",
];

/// A call that writes into a buffer: what it is given is the buffer, or NULL, and its length.
type Writes<'a> = &'a dyn Fn(*mut u8, *mut CK_ULONG) -> CK_RV;

/// A result that is known, for the calls that are to give it again.
struct Right<'a> {
    bytes: &'a [u8],
    /// Only the length is the same each time.
    is_random: bool,
    /// A length that no honest answer to a size query is beyond.
    most: usize,
}

/// The input of an operation: of a decryption, what an encryption made of the same mechanism's good input.
pub fn input_of(session: &Session<'_>, purpose: Purpose, known: &Known, about: usize) -> Outcome<Vec<u8>> {
    let input = known.input(about);
    if purpose == Purpose::Decrypt { session.one_shot(Purpose::Encrypt, known, &input) } else { Ok(input) }
}

fn one_shot(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = input_of(&session, purpose, known, 45)?;
    let bytes = session.one_shot(purpose, known, &input)?;
    let right = Right { bytes: &bytes, is_random: known.is_random, most: input.len().max(bytes.len()) + 64 };
    let raw = |output, room| Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output, room };
    for room in Room::of(bytes.len()) {
        let session = world.session()?;
        session.begin(purpose, known)?;
        room.check(trial, &right, &|output, length| session.whole_raw(purpose, raw(output, length)));
    }
    Ok(())
}

fn in_parts(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = input_of(&session, purpose, known, 45)?;
    let whole = session.one_shot(purpose, known, &input)?;
    let has_output = matches!(purpose, Purpose::Encrypt | Purpose::Decrypt);
    let raw = |output, room| Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output, room };
    // What one Update of all gives, and what is left to Final.
    let (mut buffer, mut length) = (Guarded::new(input.len() + ENOUGH), (input.len() + ENOUGH) as CK_ULONG);
    session.begin(purpose, known)?;
    ok("Update", session.update_raw(purpose, raw(buffer.pointer(), &mut length)))?;
    let updated = if has_output { buffer.first(length as usize).to_vec() } else { Vec::new() };
    let last = whole.get(updated.len()..).unwrap_or_default();
    let most = input.len().max(whole.len()) + 64;
    if has_output {
        let right = Right { bytes: &updated, is_random: known.is_random, most };
        for room in Room::of(updated.len()) {
            let session = world.session()?;
            session.begin(purpose, known)?;
            room.check(trial, &right, &|output, length| session.update_raw(purpose, raw(output, length)));
        }
    }
    let right = Right { bytes: last, is_random: known.is_random, most };
    for room in Room::of(last.len()) {
        let session = world.session()?;
        session.begin(purpose, known)?;
        let mut length = (input.len() + ENOUGH) as CK_ULONG;
        ok("Update", session.update_raw(purpose, raw(buffer.pointer(), &mut length)))?;
        room.check(trial, &right, &|output, length| session.finish_raw(purpose, output, length));
    }
    Ok(())
}

fn recover(trial: &mut Trial<'_>, purpose: Purpose, name: &str) -> Outcome {
    let (world, known) = (trial.world, Known::named(name)?);
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let mut input = known.input(45);
    if purpose == Purpose::VerifyRecover {
        input = session.one_shot(Purpose::SignRecover, known, &input)?;
    }
    let bytes = session.one_shot(purpose, known, &input)?;
    let right = Right { bytes: &bytes, is_random: false, most: input.len().max(bytes.len()) + 64 };
    let raw = |output, room| Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output, room };
    for room in Room::of(bytes.len()) {
        let session = world.session()?;
        session.begin(purpose, known)?;
        room.check(trial, &right, &|output, length| session.whole_raw(purpose, raw(output, length)));
    }
    Ok(())
}

fn dual(trial: &mut Trial<'_>, both: &Both) -> Outcome {
    let world = trial.world;
    world.does_two_at_once()?;
    let cbc = Known::named("AES_CBC")?;
    let mut input = cbc.input(45);
    let mut bytes = world.session()?.one_shot(Purpose::Encrypt, cbc, &input)?;
    if both.cipher == Purpose::Decrypt {
        std::mem::swap(&mut input, &mut bytes);
    }
    let right = Right { bytes: &bytes, is_random: false, most: input.len() + 64 };
    for room in Room::of(bytes.len()) {
        let session = world.session()?;
        session.begin(both.cipher, cbc)?;
        session.begin_any(both.second)?;
        room.check(trial, &right, &|output, length| session.both(both, &input, output, length));
    }
    Ok(())
}

fn wrap(trial: &mut Trial<'_>, name: &str) -> Outcome {
    let (world, known) = (trial.world, Known::named(name)?);
    world.lists(known.number, CKF_WRAP)?;
    let wrapper = world.key(if known.key == Kind::Rsa { Kind::Rsa } else { Kind::Wrapper })?.public;
    let key = world.key(Kind::Aes)?.public;
    let wrap = |output, length| {
        let mut parameter = Parameter::of(known);
        let mechanism = parameter.mechanism(known.number);
        call!(world.module, C_WrapKey(world.holder(), mechanism, wrapper, key, output, length))
    };
    let (mut buffer, mut length) = (Guarded::new(ENOUGH), ENOUGH as CK_ULONG);
    ok("C_WrapKey", wrap(buffer.pointer(), &mut length))?;
    let bytes = buffer.first(length as usize);
    let right = Right { bytes, is_random: known.is_random, most: bytes.len() + 64 };
    for room in Room::of(bytes.len()) {
        room.check(trial, &right, &wrap);
    }
    Ok(())
}

/// The size of a buffer in relation to what is needed.
enum Room {
    /// NULL.
    None,
    /// Less than needed.
    Short(usize),
    /// What is needed, or more.
    Enough(usize),
}

impl Room {
    /// All sizes that are worth trying for a result of so many bytes.
    fn of(needed: usize) -> Vec<Self> {
        let mut short = vec![0, 1, needed / 2, needed.saturating_sub(1)];
        short.retain(|room| *room < needed);
        short.dedup();
        let enough = [needed, needed + 1, needed + 100].map(Self::Enough);
        [Self::None].into_iter().chain(short.into_iter().map(Self::Short)).chain(enough).collect()
    }

    fn check(&self, trial: &mut Trial<'_>, right: &Right<'_>, call: Writes<'_>) {
        match *self {
            Self::None => {
                let mut length = 0;
                if trial.gives("size query", &[CKR_OK], || call(ptr::null_mut(), &mut length)) {
                    is_enough(trial, "size query", right, length);
                    has_gone_on(trial, "size query", right, length, call);
                }
            }
            Self::Short(room) => {
                let at = format!("{room} bytes for {}", right.bytes.len());
                let (mut buffer, mut length) = (Guarded::new(room), room as CK_ULONG);
                let is_told = trial.gives(&at, &[CKR_BUFFER_TOO_SMALL], || call(buffer.pointer(), &mut length));
                is_intact(trial, &at, &buffer);
                if is_told {
                    is_enough(trial, &at, right, length);
                    has_gone_on(trial, &at, right, length, call);
                }
            }
            Self::Enough(room) => give(trial, &format!("{room} bytes for {}", right.bytes.len()), right, room, call),
        }
    }
}

/// After a size query or a short buffer the call does what it would have done.
fn has_gone_on(trial: &mut Trial<'_>, before: &str, right: &Right<'_>, told: CK_ULONG, call: Writes<'_>) {
    let room = usize::try_from(told).unwrap_or_default().clamp(right.bytes.len(), right.most);
    give(trial, &format!("{before}, then {room} bytes"), right, room, call);
}

fn give(trial: &mut Trial<'_>, at: &str, right: &Right<'_>, room: usize, call: Writes<'_>) {
    let (mut buffer, mut length) = (Guarded::new(room), room as CK_ULONG);
    let is_given = trial.gives(at, &[CKR_OK], || call(buffer.pointer(), &mut length));
    is_intact(trial, at, &buffer);
    if !is_given {
        return;
    }
    let needed = right.bytes.len();
    trial.holds(at, &format!("{needed} bytes"), length as usize == needed, || format!("{length} bytes"));
    let is_same = right.is_random || buffer.first(needed) == right.bytes;
    trial.holds(at, "the same bytes", is_same, || "other bytes".to_owned());
}

fn is_enough(trial: &mut Trial<'_>, at: &str, right: &Right<'_>, told: CK_ULONG) {
    let (least, most) = (right.bytes.len() as CK_ULONG, right.most as CK_ULONG);
    let expected = format!("a length from {least} to {most}");
    trial.holds(at, &expected, (least..=most).contains(&told), || told.to_string());
}

fn is_intact(trial: &mut Trial<'_>, at: &str, buffer: &Guarded) {
    trial.holds(at, "nothing written beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
}
