//! What comes in parts gives what one call gives, wherever it is split.

use cryptoki_sys::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::code::{self, Expected};
use super::guard::Guarded;
use super::key::Kind;
use super::mechanism::{KNOWN, Known};
use super::operation::{ENOUGH, Purpose, Raw};
use super::rooms::input_of;
use super::suite::Check;
use super::trial::Trial;
use super::verdict::Outcome;
use super::world::Session;

/// The checks.
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for known in KNOWN.iter().filter(|known| known.in_parts) {
        for purpose in known.does.iter().copied() {
            let section = match purpose {
                Purpose::Encrypt => "5.8.3",
                Purpose::Decrypt => "5.10.3",
                Purpose::Digest => "5.12.3",
                Purpose::Sign => "5.13.3",
                _ => "5.15.3",
            };
            let subject = format!("{} {}", purpose.name(), known.name);
            checks.push(Check::new("parts", subject, section, move |trial| parts(trial, purpose, known)));
        }
    }
    checks
}

fn parts(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let mut random = StdRng::seed_from_u64(world.settings.seed);
    let session = world.session()?;
    // A pair's operation takes a millisecond.
    let is_slow = matches!(known.key, Kind::Rsa | Kind::P256 | Kind::Ed25519);
    let totals: &[usize] = if is_slow { &[0, 150] } else { &[0, 1, 15, 16, 17, 32, 33, 64, 100, 129, 144, 257] };
    for total in totals.iter().filter(|total| known.is_good_length(**total)) {
        let input = input_of(&session, purpose, known, *total)?;
        let right = match purpose {
            Purpose::Verify => session.one_shot(Purpose::Sign, known, &input)?,
            _ => session.one_shot(purpose, known, &input)?,
        };
        for split in splits(input.len(), is_slow, &mut random) {
            let session = world.session()?;
            let at = format!("{} bytes as {}", input.len(), text(&split));
            trial.at(&at);
            let result = in_parts(&session, purpose, known, (&input, &split), &right)?;
            judge(trial, &at, (purpose, known), &input, &right, result)?;
            if !trial.is_clean() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The code of the first call that failed, or of the last one; and the result.
struct Came {
    code: CK_RV,
    bytes: Vec<u8>,
}

fn in_parts(
    session: &Session<'_>,
    purpose: Purpose,
    known: &Known,
    (input, split): (&[u8], &[usize]),
    signature: &[u8],
) -> Outcome<Came> {
    session.begin(purpose, known)?;
    let has_output = matches!(purpose, Purpose::Encrypt | Purpose::Decrypt);
    let (mut rest, mut bytes) = (input, Vec::new());
    for size in split {
        let (part, behind) = rest.split_at_checked(*size).unwrap_or((rest, &[]));
        rest = behind;
        let room = input.len() + ENOUGH;
        let (mut buffer, mut length) = (Guarded::new(room), room as CK_ULONG);
        let raw =
            Raw { input: part.as_ptr(), length: part.len() as CK_ULONG, output: buffer.pointer(), room: &mut length };
        let code = session.update_raw(purpose, raw);
        if code != CKR_OK {
            return Ok(Came { code, bytes });
        }
        if has_output {
            bytes.extend_from_slice(buffer.first(length as usize));
        }
    }
    if purpose == Purpose::Verify {
        let mut length = signature.len() as CK_ULONG;
        let code = session.finish_raw(purpose, signature.as_ptr().cast_mut(), &mut length);
        return Ok(Came { code, bytes });
    }
    let room = input.len() + ENOUGH;
    let (mut buffer, mut length) = (Guarded::new(room), room as CK_ULONG);
    let code = session.finish_raw(purpose, buffer.pointer(), &mut length);
    if code == CKR_OK {
        bytes.extend_from_slice(buffer.first(length as usize));
    }
    Ok(Came { code, bytes })
}

fn judge(
    trial: &mut Trial<'_>,
    at: &str,
    (purpose, known): (Purpose, &Known),
    input: &[u8],
    right: &[u8],
    came: Came,
) -> Outcome {
    if came.code != CKR_OK {
        trial.call(at, Expected::Codes(&[CKR_OK]), || came.code);
        return Ok(());
    }
    let is_right = match purpose {
        Purpose::Verify => true,
        // What is made by chance is judged by its inverse.
        Purpose::Sign if known.is_random => {
            let code = trial.world.session()?.verify(known, input, &came.bytes)?;
            trial.holds(at, "a signature that verifies", code == CKR_OK, || code::name(code));
            true
        }
        _ => came.bytes == right,
    };
    trial.holds(at, "what one call gives", is_right, || "other bytes".to_owned());
    Ok(())
}

/// Ways to split so many bytes: in two everywhere, byte by byte, and by chance with empty parts between.
fn splits(length: usize, is_slow: bool, random: &mut StdRng) -> Vec<Vec<usize>> {
    let mut splits = vec![vec![length], vec![0, length, 0]];
    let step = if is_slow { 50 } else { 1 };
    splits.extend((0..=length).step_by(step).map(|first| vec![first, length - first]));
    splits.push(vec![1; length]);
    for _ in 0..if is_slow { 1 } else { 8 } {
        let (mut split, mut rest) = (Vec::new(), length);
        while rest > 0 {
            let part = random.random_range(0..=rest.min(40));
            split.push(part);
            rest -= part;
        }
        splits.push(split);
    }
    splits
}

fn text(split: &[usize]) -> String {
    if split.len() > 8 {
        return format!("{} parts", split.len());
    }
    split.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_is_of_the_whole() {
        for length in [0, 1, 45] {
            for split in splits(length, false, &mut StdRng::seed_from_u64(1)) {
                assert_eq!(split.iter().sum::<usize>(), length);
            }
        }
    }
}
