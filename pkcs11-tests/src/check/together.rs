//! Two operations at once, and the state of operations. PKCS#11 3.2, sections 5.6.6, 5.6.7 and 5.17.

use std::ptr;

use cryptoki_sys::*;

use super::code;
use super::guard::Guarded;
use super::mechanism::Known;
use super::module::call;
use super::operation::{ENOUGH, Purpose, Raw};
use super::suite::{Check, rows};
use super::trial::{Trial, ok, skip};
use super::verdict::Outcome;
use super::world::Session;

/// The checks.
pub fn checks() -> Vec<Check> {
    rows(
        "together",
        &[
            ("digest and encryption", "5.17.1", digest_and_encryption),
            ("digest that gets nothing undelivered", "5.17.1", nothing_undelivered),
            ("decryption and digest", "5.17.2", decryption_and_digest),
            ("digest saved and gone on with", "5.6.7", saved),
            ("garbled state", "5.6.7", garbled),
        ],
    )
}

const TEXT: &[u8] = b"forty-eight bytes, which are three whole blocks.";

fn digest_and_encryption(trial: &mut Trial<'_>) -> Outcome {
    let (sha, cbc) = known()?;
    let session = begun(trial, Purpose::Encrypt)?;
    let sealed = Both::update(trial, &session, Purpose::Encrypt, TEXT, TEXT.len())?;
    let right = trial.world.session()?.one_shot(Purpose::Encrypt, cbc, TEXT)?;
    trial.holds("C_DigestEncryptUpdate", "what C_Encrypt gives", sealed == right, || "other bytes".to_owned());
    digested(trial, &session, sha, TEXT)
}

fn decryption_and_digest(trial: &mut Trial<'_>) -> Outcome {
    let (sha, cbc) = known()?;
    let sealed = trial.world.session()?.one_shot(Purpose::Encrypt, cbc, TEXT)?;
    let session = begun(trial, Purpose::Decrypt)?;
    let opened = Both::update(trial, &session, Purpose::Decrypt, &sealed, TEXT.len())?;
    trial.holds("C_DecryptDigestUpdate", "the text", opened == TEXT, || "other bytes".to_owned());
    digested(trial, &session, sha, TEXT)
}

/// Neither a question for the length nor a small buffer passes anything on.
fn nothing_undelivered(trial: &mut Trial<'_>) -> Outcome {
    let (sha, _) = known()?;
    let session = begun(trial, Purpose::Encrypt)?;
    let mut length = 0;
    let asked = Both::call(&session, Purpose::Encrypt, TEXT, ptr::null_mut(), &mut length);
    trial.gives("the size query", &[CKR_OK], || asked);
    let (mut small, mut length) = (Guarded::new(1), 1);
    let short = Both::call(&session, Purpose::Encrypt, TEXT, small.pointer(), &mut length);
    trial.gives("one byte of room", &[CKR_BUFFER_TOO_SMALL], || short);
    trial.holds("one byte of room", "nothing written", small.is_intact(), || "bytes beyond it".to_owned());
    Both::update(trial, &session, Purpose::Encrypt, TEXT, TEXT.len())?;
    digested(trial, &session, sha, TEXT)
}

fn saved(trial: &mut Trial<'_>) -> Outcome {
    let (sha, _) = known()?;
    let (session, other) = (trial.world.session()?, trial.world.session()?);
    let state = state_of(trial, &session)?;
    trial.gives("C_SetOperationState", &[CKR_OK], || restore(&other, &state));
    let (front, rest) = TEXT.split_at(HALF);
    let raw =
        Raw { input: rest.as_ptr(), length: rest.len() as CK_ULONG, output: ptr::null_mut(), room: ptr::null_mut() };
    ok("Update", other.update_raw(Purpose::Digest, raw))?;
    digested(trial, &other, sha, TEXT)?;
    digested(trial, &session, sha, front)
}

fn garbled(trial: &mut Trial<'_>) -> Outcome {
    let session = trial.world.session()?;
    let state = state_of(trial, &session)?;
    let short = state.get(1..).unwrap_or_default();
    for (at, bad) in [("nothing", &[][..]), ("a byte less", short), ("zeros", &[0; 100])] {
        trial.gives(at, &[CKR_SAVED_STATE_INVALID], || restore(&session, bad));
    }
    Ok(())
}

/// So much of the text has been digested when the state is saved.
const HALF: usize = 20;

fn state_of(trial: &mut Trial<'_>, session: &Session<'_>) -> Outcome<Vec<u8>> {
    let (sha, _) = known()?;
    trial.world.lists(sha.number, CKF_DIGEST)?;
    session.begin(Purpose::Digest, sha)?;
    let raw = Raw { input: TEXT.as_ptr(), length: HALF as CK_ULONG, output: ptr::null_mut(), room: ptr::null_mut() };
    ok("Update", session.update_raw(Purpose::Digest, raw))?;
    let (mut buffer, mut length) = (Guarded::new(MOST), MOST as CK_ULONG);
    trial.at("C_GetOperationState");
    let saved = call!(trial.world.module, C_GetOperationState(session.handle, buffer.pointer(), &mut length));
    // PKCS#11 3.2, section 5.6.6: whether it can be saved is the token's business.
    if [CKR_FUNCTION_NOT_SUPPORTED, CKR_STATE_UNSAVEABLE].contains(&saved) {
        return skip(format!("answers {}", code::name(saved)));
    }
    ok("C_GetOperationState", saved)?;
    Ok(buffer.first(length as usize).to_vec())
}

const MOST: usize = 4096;

fn restore(session: &Session<'_>, state: &[u8]) -> CK_RV {
    let (from, length) = (state.as_ptr().cast_mut(), state.len() as CK_ULONG);
    call!(session.world.module, C_SetOperationState(session.handle, from, length, 0, 0))
}

/// A session in which a digest and one direction of a cipher have begun, if the module does two at once.
fn begun<'w>(trial: &mut Trial<'w>, direction: Purpose) -> Outcome<Session<'w>> {
    let (sha, cbc) = known()?;
    let world = trial.world;
    world.does_two_at_once()?;
    let session = world.session()?;
    session.begin(direction, cbc)?;
    // Where one operation excludes the other, the claim is false.
    let code = session.init(Purpose::Digest, sha, 0);
    trial.gives("the second Init", &[CKR_OK], || code);
    Ok(session)
}

struct Both;

impl Both {
    fn call(session: &Session<'_>, direction: Purpose, text: &[u8], to: *mut u8, room: *mut CK_ULONG) -> CK_RV {
        let (module, handle) = (&session.world.module, session.handle);
        let (from, length) = (text.as_ptr().cast_mut(), text.len() as CK_ULONG);
        match direction {
            Purpose::Encrypt => call!(module, C_DigestEncryptUpdate(handle, from, length, to, room)),
            _ => call!(module, C_DecryptDigestUpdate(handle, from, length, to, room)),
        }
    }

    fn update(
        trial: &mut Trial<'_>,
        session: &Session<'_>,
        direction: Purpose,
        text: &[u8],
        right: usize,
    ) -> Outcome<Vec<u8>> {
        let (mut buffer, mut length) = (Guarded::new(ENOUGH), ENOUGH as CK_ULONG);
        let code = Self::call(session, direction, text, buffer.pointer(), &mut length);
        trial.gives("both", &[CKR_OK], || code);
        trial.holds("both", &format!("{right} bytes"), length as usize == right, || format!("{length} bytes"));
        Ok(buffer.first(right).to_vec())
    }
}

/// Ends the digest, and compares it with that of the text.
fn digested(trial: &mut Trial<'_>, session: &Session<'_>, sha: &Known, text: &[u8]) -> Outcome {
    let (mut buffer, mut length) = (Guarded::new(ENOUGH), ENOUGH as CK_ULONG);
    let code = session.finish_raw(Purpose::Digest, buffer.pointer(), &mut length);
    if trial.gives("C_DigestFinal", &[CKR_OK], || code) {
        let right = trial.world.session()?.one_shot(Purpose::Digest, sha, text)?;
        let is_right =
            usize::try_from(length).is_ok_and(|length| length == right.len()) && buffer.first(right.len()) == right;
        trial.holds("C_DigestFinal", "the digest of the text", is_right, || "other bytes".to_owned());
    }
    Ok(())
}

fn known() -> Outcome<(&'static Known, &'static Known)> {
    Ok((Known::named("SHA256")?, Known::named("AES_CBC")?))
}
