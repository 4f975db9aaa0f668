//! The eight steps.

use cryptoki_sys::CKM_AES_KEY_WRAP_KWP;
use keystead::handle::Handle;

use super::folder::{Folder, contains};
use super::hex::{self, Hex};
use super::member::Taken;
use super::other::{Other, Reply, Request, code};
use super::party::{Mode, Party, Purpose, Sealed};
use super::story::Story;
use super::{openssl, thief};
use crate::failure::{Failure, Result};

/// All of them.
pub fn play(story: &mut Story, folder: &Folder) -> Result<()> {
    let (a, mut b) = start(story, folder)?;
    let fingerprint = join(story, &a, &mut b)?;
    let keys = make_keys(story, &a)?;
    let bundle = move_keys(story, &a, &mut b, &fingerprint, &keys)?;
    work_in_both(story, &a, &mut b, &keys)?;
    meet_openssl(story, &a, &mut b, &keys)?;
    thief::come(story, folder, &mut b, &bundle, &keys)?;
    destroy(story, &a, &mut b, &keys)
}

/// What A has made.
pub struct Keys {
    /// Generated inside: nobody knows their values.
    generated: Vec<Key>,
    /// Its value was drawn outside, so that it can be searched for and shown to OpenSSL.
    known: Key,
    /// The value.
    pub value: Vec<u8>,
}

/// A key of A, and what it has sealed.
struct Key {
    name: String,
    handle: Handle,
    unique_id: String,
    sealed: [Sealed; 2],
}

/// What A seals.
pub const QUESTION: &str = "The lamp is lit. Who is there?";
const ANSWER: &str = "A friend, with the same key.";

fn start(story: &mut Story, folder: &Folder) -> Result<(Party, Other)> {
    story.step("Two tokens are initialised")?;
    let a = Party::start(&folder.path().join("a"), "Demo A")?;
    let process = std::process::id();
    story.say(&format!("token A: slot {}, serial number {}, worked by this process, {process}", a.slot, a.serial))?;
    let mut b = Other::start(&folder.path().join("b"))?;
    let Reply::Ready { process: other, slot, serial } = b.reply()? else {
        return Err(Failure::new("process B did not make its token"));
    };
    story.say(&format!("token B: slot {slot}, serial number {serial}, worked by another process, {other}"))?;
    story.check("they are two tokens, in two processes", serial != a.serial && other != process)?;
    Ok((a, b))
}

/// The fingerprint of the domain.
fn join(story: &mut Story, a: &Party, b: &mut Other) -> Result<String> {
    story.step("A makes a domain, and lets B in (keystead domain create, request, grant, accept)")?;
    let fingerprint = a.found_domain()?;
    let Reply::Said(request) = b.ask(&Request::Ask)? else {
        return Err(Failure::new("process B asked nothing"));
    };
    story.say("B asks: a public key, X-Wing (X25519 and ML-KEM-768), for one answer")?;
    let answer = a.grant(&request)?;
    story.say("A grants, by its user and its SO: the domain key, sealed for B (HPKE, RFC 9180)")?;
    story.check("the answer is for B alone: A cannot take it", a.accept(&answer).is_err())?;
    let joined = b.ask(&Request::Accept(answer))?;
    story.say(&format!("the domain's fingerprint: {fingerprint}"))?;
    story.check(
        "B, which joins by its own user and SO, shows the same one",
        matches!(joined, Reply::Said(b) if b == fingerprint),
    )?;
    Ok(fingerprint)
}

fn make_keys(story: &mut Story, a: &Party) -> Result<Keys> {
    story.step("In A, keys that never leave in the clear are generated, and seal a text")?;
    story.say(&format!("the text: {QUESTION}"))?;
    let mut generated = Vec::new();
    for length in [16, 24, 32] {
        let name = format!("AES-{}", length * 8);
        let handle = a.generate(&name, length)?;
        generated.push(Key::seal(story, a, name, handle)?);
    }
    let value = a.random(32)?;
    let handle = a.import("AES-256, known", Purpose::Texts, &value)?;
    let known = Key::seal(story, a, "AES-256, known".into(), handle)?;
    story.say(&format!("the last one's value was drawn by the demo: {}", hex::short(&value)))?;

    let refused = |shown: keystead::error::Result<Vec<u8>>, wanted| shown.is_err_and(|error| code(&error) == wanted);
    let all = || generated.iter().chain([&known]);
    let hidden = all().all(|key| refused(a.value(key.handle), "CKR_ATTRIBUTE_SENSITIVE"));
    story.check("asked for the value of each, A says CKR_ATTRIBUTE_SENSITIVE", hidden)?;
    let wrapping = a.import("wrapping key", Purpose::Keys, &a.random(32)?)?;
    let inside = all().all(|key| refused(a.wrap(CKM_AES_KEY_WRAP_KWP, wrapping, key.handle), "CKR_KEY_UNEXTRACTABLE"));
    story.check("asked to wrap each under an AES key, A says CKR_KEY_UNEXTRACTABLE", inside)?;
    Ok(Keys { generated, known, value })
}

/// The bundle in which they travel.
fn move_keys(story: &mut Story, a: &Party, b: &mut Other, fingerprint: &str, keys: &Keys) -> Result<Vec<u8>> {
    story.step("They are moved to B, masked by the domain key (keystead sync A FILE, keystead sync FILE B)")?;
    let bundle = a.bundle()?;
    story.say(&format!(
        "a bundle of {} bytes, for the tokens of {}... alone",
        bundle.len(),
        first_group(fingerprint)
    ))?;
    let expected = keys.all().count() as u64;
    let taken = b.ask(&Request::Take(Hex(bundle.clone())))?;
    story.check(
        &format!("B has {expected} new keys; the wrapping key, which is not maskable, stayed"),
        matches!(taken, Reply::Taken(taken) if taken == Taken { created: expected, destroyed: 0, whole: true }),
    )?;
    let again = b.ask(&Request::Take(Hex(bundle.clone())))?;
    story.check(
        "the same bundle once more changes nothing",
        matches!(again, Reply::Taken(taken) if taken == Taken { created: 0, destroyed: 0, whole: true }),
    )?;
    let mut same = true;
    for key in &keys.generated {
        same &= matches!(b.ask(&Request::HasHistory(key.unique_id.clone()))?, Reply::Yes);
    }
    story.check(
        "in B, too, each has its CKA_UNIQUE_ID, and was made inside, always sensitive and never extractable",
        same,
    )?;
    Ok(bundle)
}

fn work_in_both(story: &mut Story, a: &Party, b: &mut Other, keys: &Keys) -> Result<()> {
    story.step("B opens what A has sealed, and seals an answer")?;
    story.say(&format!("the answer: {ANSWER}"))?;
    for Key { name, handle, unique_id, sealed } in keys.all() {
        let opened = b.ask(&Request::Open(unique_id.clone(), sealed.clone()))?;
        let read = matches!(opened, Reply::Opened(texts) if texts == [QUESTION; 2]);
        story.check(&format!("{name}: B reads the text, in GCM and CBC-PAD"), read)?;
        let answers = b.seal(unique_id, ANSWER)?;
        let mut read = Vec::new();
        for (mode, answer) in Mode::ALL.into_iter().zip(&answers) {
            read.push(a.open(*handle, mode, answer)?);
        }
        story.check(&format!("{name}: A reads the answer"), read == [ANSWER.as_bytes(); 2])?;
    }
    Ok(())
}

fn meet_openssl(story: &mut Story, a: &Party, b: &mut Other, keys: &Keys) -> Result<()> {
    story.step("OpenSSL agrees, with the key whose value the demo has drawn")?;
    story.say(&openssl::version()?)?;
    let [_, by_a] = &keys.known.sealed;
    story.check(
        "openssl enc -d -aes-256-cbc reads what A sealed",
        openssl::open(&keys.value, by_a)? == QUESTION.as_bytes(),
    )?;
    let [_, by_b] = &b.seal(&keys.known.unique_id, ANSWER)?;
    story.check("and what B sealed", openssl::open(&keys.value, by_b)? == ANSWER.as_bytes())?;
    let iv = a.random(16)?;
    let theirs = Sealed { data: Hex(openssl::seal(&keys.value, &iv, ANSWER.as_bytes())?), iv: Hex(iv) };
    story.check("A reads what openssl sealed", a.open(keys.known.handle, Mode::CbcPad, &theirs)? == ANSWER.as_bytes())
}

fn destroy(story: &mut Story, a: &Party, b: &mut Other, keys: &Keys) -> Result<()> {
    story.step("A key is destroyed in A, and then in B (keystead sync)")?;
    let Key { name, handle, unique_id, .. } = &keys.known;
    a.destroy(*handle)?;
    story.say(&format!("A has destroyed {name}, and makes a new bundle"))?;
    let taken = b.ask(&Request::Take(Hex(a.bundle()?)))?;
    let gone = matches!(taken, Reply::Taken(taken) if taken == Taken { created: 0, destroyed: 1, whole: true });
    story.check(
        "B has destroyed it, too",
        gone && matches!(b.ask(&Request::HasHistory(unique_id.clone()))?, Reply::Refused(_)),
    )
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &Key> {
        self.generated.iter().chain([&self.known])
    }
}

impl Key {
    fn seal(story: &mut Story, a: &Party, name: String, handle: Handle) -> Result<Self> {
        let [gcm, cbc] = Mode::ALL;
        let sealed = [a.seal(handle, gcm, QUESTION.as_bytes())?, a.seal(handle, cbc, QUESTION.as_bytes())?];
        for (mode, sealed) in Mode::ALL.iter().zip(&sealed) {
            story.say(&format!("{name:15} {:8} {}", mode.name(), hex::short(&sealed.data.0)))?;
        }
        let hidden = sealed.iter().all(|sealed| !contains(&sealed.data.0, QUESTION.as_bytes()));
        story.check("sealed", hidden)?;
        Ok(Self { name, handle, unique_id: a.unique_id(handle)?, sealed })
    }
}

fn first_group(fingerprint: &str) -> &str {
    fingerprint.split(' ').next().unwrap_or(fingerprint)
}
