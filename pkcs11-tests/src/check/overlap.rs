//! Input and output in one buffer.

use cryptoki_sys::*;

use super::code::{self, Expected};
use super::guard::Guarded;
use super::mechanism::{KNOWN, Known};
use super::operation::{ENOUGH, Purpose, Raw};
use super::rooms::input_of;
use super::suite::Check;
use super::trial::{Trial, ok};
use super::verdict::Outcome;

/// The checks.
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for known in KNOWN {
        for purpose in known.does.iter().copied() {
            let section = match purpose {
                Purpose::Encrypt => "5.8.2",
                Purpose::Decrypt => "5.10.2",
                _ => continue,
            };
            let subject = |how: &str| format!("{} {}, {how}", purpose.name(), known.name);
            checks.push(Check::new("overlap", subject("same place"), section, move |trial| {
                in_place(trial, purpose, known)
            }));
            if known.in_parts {
                let check = move |trial: &mut Trial<'_>| parts_in_place(trial, purpose, known);
                checks.push(Check::new("overlap", subject("same place in parts"), section, check));
            }
            if !known.is_random {
                let check = move |trial: &mut Trial<'_>| partly(trial, purpose, known);
                checks.push(Check::new("overlap", subject("partial"), section, check));
            }
        }
    }
    checks
}

/// Input and output may be in the same place.
fn in_place(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let plain = known.input(75);
    let input = input_of(&session, purpose, known, 75)?;
    let right = if purpose == Purpose::Decrypt { plain.clone() } else { session.one_shot(purpose, known, &input)? };
    let room = input.len().max(right.len());
    let (mut buffer, mut length) = (Guarded::holding(&input, room), room as CK_ULONG);
    session.begin(purpose, known)?;
    let place = buffer.pointer();
    let raw = Raw { input: place, length: input.len() as CK_ULONG, output: place, room: &mut length };
    trial.gives("one call", &[CKR_OK], || session.whole_raw(purpose, raw));
    trial.holds("one call", "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
    let result = buffer.first(length as usize).to_vec();
    // What is made by chance is judged by its inverse.
    let is_right = match (known.is_random, purpose) {
        (true, Purpose::Encrypt) => session.one_shot(Purpose::Decrypt, known, &result)? == plain,
        _ => result == right,
    };
    trial.holds("one call", "the right bytes", is_right, || "other bytes".to_owned());
    Ok(())
}

/// The same with every Update in its place, of sizes that let the output lag behind.
fn parts_in_place(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = input_of(&session, purpose, known, 160)?;
    let right = session.one_shot(purpose, known, &input)?;
    for size in [5, 16, 33] {
        let at = format!("parts of {size}");
        session.begin(purpose, known)?;
        let mut result = Vec::new();
        for part in input.chunks(size) {
            // What was kept back of earlier parts may come out with this one.
            let room = part.len() + ENOUGH;
            let (mut buffer, mut length) = (Guarded::holding(part, room), room as CK_ULONG);
            let place = buffer.pointer();
            let raw = Raw { input: place, length: part.len() as CK_ULONG, output: place, room: &mut length };
            trial.at(&at);
            ok("Update", session.update_raw(purpose, raw))?;
            result.extend_from_slice(buffer.first(length as usize));
        }
        let (mut buffer, mut length) = (Guarded::new(input.len() + ENOUGH), (input.len() + ENOUGH) as CK_ULONG);
        ok("Final", session.finish_raw(purpose, buffer.pointer(), &mut length))?;
        result.extend_from_slice(buffer.first(length as usize));
        trial.holds(&at, "the right bytes", result == right, || "other bytes".to_owned());
    }
    Ok(())
}

/// Buffers that overlap in part are nothing that the standard speaks of: a code is right, wrong bytes are not.
fn partly(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = input_of(&session, purpose, known, 160)?;
    let right = session.one_shot(purpose, known, &input)?;
    let room = right.len();
    for distance in [1, 8, 15, 16, 17, 64] {
        for is_ahead in [true, false] {
            let at = format!("output {distance} bytes {} the input", if is_ahead { "behind" } else { "before" });
            let (from, to) = if is_ahead { (0, distance) } else { (distance, 0) };
            let content: Vec<u8> = std::iter::repeat_n(0, from).chain(input.iter().copied()).collect();
            let mut buffer = Guarded::holding(&content, content.len().max(to + room));
            let (place, mut length) = (buffer.pointer(), room as CK_ULONG);
            let raw = Raw {
                input: place.wrapping_add(from),
                length: input.len() as CK_ULONG,
                output: place.wrapping_add(to),
                room: &mut length,
            };
            let session = world.session()?;
            session.begin(purpose, known)?;
            let outcome = trial.call(&at, Expected::Answer, || session.whole_raw(purpose, raw));
            trial.holds(&at, "nothing beyond the buffer", buffer.is_intact(), || "bytes beyond it".to_owned());
            let is_right = outcome != CKR_OK || buffer.first(to + room).get(to..) == Some(right.as_slice());
            trial
                .holds(&at, "the right bytes, or a code", is_right, || format!("{}, other bytes", code::name(outcome)));
        }
    }
    Ok(())
}
