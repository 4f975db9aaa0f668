//! The seven steps.

use cryptoki_sys::{CK_MECHANISM_TYPE, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP};
use keystead::handle::Handle;

use super::folder::{Folder, contains};
use super::hex::{self, Hex};
use super::openssl;
use super::other::{Other, Reply, Request, code};
use super::party::{Mode, Party, Purpose, Sealed};
use super::story::Story;
use crate::failure::{Failure, Result};

/// All of them.
pub fn play(story: &mut Story, folder: &Folder) -> Result<()> {
    let (a, mut b) = start(story, folder)?;
    let wrapping = share_wrapping_key(story, &a, &mut b)?;
    let parcels = send_keys(story, &a, wrapping.handle)?;
    receive_keys(story, &a, &mut b, &parcels)?;
    try_to_read(story, folder, &a, &mut b, &wrapping, &parcels)?;
    meet_openssl(story, folder, &a)?;
    flip_bits(story, &mut b, &parcels)
}

/// A key that the demo knows the value of.
struct Known {
    handle: Handle,
    value: Vec<u8>,
}

/// A key of A that leaves it wrapped, with what it has sealed.
struct Parcel {
    form: Form,
    bits: usize,
    key: Handle,
    wrapped: Vec<u8>,
    sealed: [Sealed; 2],
}

/// How keys are wrapped.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    mechanism: CK_MECHANISM_TYPE,
}

const FORMS: [Form; 2] = [
    Form { name: "KEY_WRAP", mechanism: CKM_AES_KEY_WRAP },
    Form { name: "KEY_WRAP_KWP", mechanism: CKM_AES_KEY_WRAP_KWP },
];

const QUESTION: &str = "The lamp is lit. Who is there?";
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

fn share_wrapping_key(story: &mut Story, a: &Party, b: &mut Other) -> Result<Known> {
    story.step("A wrapping key, AES-256, is brought into both (C_CreateObject)")?;
    let value = a.random(32)?;
    story.say(&format!("its value, once in the clear because the demo has just drawn it: {}", hex::short(&value)))?;
    let handle = a.import("wrapping key", Purpose::Keys, &value)?;
    let reply = b.ask(&Request::WrappingKey(Hex(value.clone())))?;
    story.check("both tokens took it", matches!(reply, Reply::Done))?;
    Ok(Known { handle, value })
}

fn send_keys(story: &mut Story, a: &Party, wrapping: Handle) -> Result<Vec<Parcel>> {
    story.step("In A, sensitive AES keys are generated, seal a text, and are wrapped")?;
    story.say(&format!("the text: {QUESTION}"))?;
    let mut parcels = Vec::new();
    for form in FORMS {
        for length in [16, 24, 32] {
            let bits = length * 8;
            let key = a.generate(&format!("AES-{bits} for {}", form.name), length)?;
            let [gcm, cbc] = Mode::ALL;
            let sealed = [a.seal(key, gcm, QUESTION.as_bytes())?, a.seal(key, cbc, QUESTION.as_bytes())?];
            let wrapped = a.wrap(form.mechanism, wrapping, key)?;
            story.say(&format!("AES-{bits}, CKM_AES_{}", form.name))?;
            for (mode, sealed) in Mode::ALL.iter().zip(&sealed) {
                story.say(&format!("  {:8} {}", mode.name(), hex::short(&sealed.data.0)))?;
            }
            story.say(&format!("  {:8} {}", "wrapped", hex::short(&wrapped)))?;
            let hidden = sealed.iter().all(|sealed| !contains(&sealed.data.0, QUESTION.as_bytes()));
            story
                .check("sealed, and wrapped in 8 bytes more than the key has", hidden && wrapped.len() == length + 8)?;
            parcels.push(Parcel { form, bits, key, wrapped, sealed });
        }
    }
    Ok(parcels)
}

fn receive_keys(story: &mut Story, a: &Party, b: &mut Other, parcels: &[Parcel]) -> Result<()> {
    story.step("B unwraps each key, opens what A has sealed, and seals an answer")?;
    story.say(&format!("the answer: {ANSWER}"))?;
    for Parcel { form, bits, key, wrapped, sealed } in parcels {
        let what = format!("AES-{bits}, {}", form.name);
        let unwrap = Request::Unwrap { mechanism: form.mechanism, wrapped: Hex(wrapped.clone()) };
        let unwrapped = matches!(b.ask(&unwrap)?, Reply::Done);
        let opened = matches!(b.ask(&Request::Open(sealed.clone()))?, Reply::Opened(texts) if texts == [QUESTION; 2]);
        story.check(&format!("{what}: B reads the text, in GCM and CBC-PAD"), unwrapped && opened)?;
        let Reply::Sealed(answers) = b.ask(&Request::Seal(ANSWER.into()))? else {
            return Err(Failure::new("process B sealed nothing"));
        };
        let mut read = Vec::new();
        for (mode, answer) in Mode::ALL.into_iter().zip(&answers) {
            read.push(a.open(*key, mode, answer)?);
        }
        story.check(&format!("{what}: A reads the answer"), read == [ANSWER.as_bytes(); 2])?;
    }
    Ok(())
}

fn try_to_read(
    story: &mut Story,
    folder: &Folder,
    a: &Party,
    b: &mut Other,
    wrapping: &Known,
    parcels: &[Parcel],
) -> Result<()> {
    const REFUSED: &str = "CKR_ATTRIBUTE_SENSITIVE";
    story.step("No value can be read (C_GetAttributeValue of CKA_VALUE, and the files)")?;
    let generated = parcels.iter().map(|parcel| a.value(parcel.key));
    let all_refused =
        generated.chain([a.value(wrapping.handle)]).all(|shown| shown.is_err_and(|e| code(&e) == REFUSED));
    story.check(&format!("A, asked for each of its keys: {REFUSED}"), all_refused)?;
    let refused = |reply| matches!(reply, Reply::Refused(code) if code == REFUSED);
    let all_refused = refused(b.ask(&Request::Value)?) && refused(b.ask(&Request::WrappingValue)?);
    story.check(&format!("B, asked for its last key and the wrapping key: {REFUSED}"), all_refused)?;
    let (labelled, files) = folder.search(b"Demo A")?;
    story.say(&format!("the two stores are {files} files"))?;
    story.check("searched for A's label, which is no secret, they have it", !labelled.is_empty())?;
    let (found, _) = folder.search(&wrapping.value)?;
    story.check("searched for the wrapping key, whose value we know, they do not", found.is_empty())
}

fn meet_openssl(story: &mut Story, folder: &Folder, a: &Party) -> Result<()> {
    story.step("OpenSSL reads and writes the same ciphertext")?;
    story.say(&openssl::version()?)?;
    let value = a.random(32)?;
    let key = a.import("shared with OpenSSL", Purpose::Texts, &value)?;
    story.say(&format!("an AES-256 key that both know: {}", hex::short(&value)))?;
    let sealed = a.seal(key, Mode::CbcPad, QUESTION.as_bytes())?;
    story.say(&format!("A seals, CBC-PAD: {}", hex::short(&sealed.data.0)))?;
    story.check("openssl enc -d -aes-256-cbc reads it", openssl::open(&value, &sealed)? == QUESTION.as_bytes())?;
    let iv = a.random(16)?;
    let theirs = Sealed { data: Hex(openssl::seal(&value, &iv, ANSWER.as_bytes())?), iv: Hex(iv) };
    story.say(&format!("openssl enc -aes-256-cbc seals: {}", hex::short(&theirs.data.0)))?;
    story.check("A reads it", a.open(key, Mode::CbcPad, &theirs)? == ANSWER.as_bytes())?;
    let (found, _) = folder.search(&value)?;
    story.check("this key's value is in no file either", found.is_empty())
}

fn flip_bits(story: &mut Story, b: &mut Other, parcels: &[Parcel]) -> Result<()> {
    const REFUSED: &str = "CKR_WRAPPED_KEY_INVALID";
    story.step("A wrapped key that was tampered with is refused")?;
    for Parcel { form, bits, wrapped, .. } in parcels {
        let mut tried = 0;
        let mut refused = 0;
        for at in 0..wrapped.len() {
            for bit in 0..8 {
                let mut damaged = wrapped.clone();
                damaged.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
                let unwrap = Request::Unwrap { mechanism: form.mechanism, wrapped: Hex(damaged) };
                tried += 1;
                refused += usize::from(matches!(b.ask(&unwrap)?, Reply::Refused(code) if code == REFUSED));
            }
        }
        let what = format!("AES-{bits}, {}: each of its {tried} bits flipped, {REFUSED}", form.name);
        story.check(&what, refused == tried && tried > 0)?;
    }
    Ok(())
}
