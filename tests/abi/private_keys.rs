//! Private keys travel wrapped, as PKCS#8: to another token, to SoftHSM2 and to openssl, and back. Whoever holds a key signs
//! as the others do.
//!
//! Another token is a peer with a store of its own; SoftHSM2 is one as well. The test and the peer do the same work, asked
//! for in lines. All know one wrapping key, and so does openssl.

use std::path::Path;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    keys_travel_to_another_token_and_back,
    keys_travel_to_softhsm_and_back,
    keys_travel_to_openssl_and_back,
    keys_of_openssl_sign_the_same,
    a_sensitive_key_stays_sensitive,
    damaged_keys_are_refused,
    well_wrapped_nonsense_is_refused,
];
pub const PEERS: &[Test] = &tests![another, softhsm];

fn keys_travel_to_another_token_and_back() {
    let mut pair = Pair::with(peer!(another));
    for kind in kinds() {
        for form in pair.ours.forms() {
            pair.travels(kind, form, form);
        }
    }
}

/// Its pad mechanism is RFC 5649. 2.6.1 neither wraps nor unwraps Edwards keys.
fn keys_travel_to_softhsm_and_back() {
    let mut pair = Pair::with(peer!(softhsm));
    for kind in of_softhsm() {
        for form in pair.ours.forms().into_iter().filter(|form| ["pad", "kwp"].contains(form)) {
            pair.travels(kind, form, "pad");
        }
    }
}

fn keys_travel_to_openssl_and_back() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        let signature = side.answer(&format!("sign {}", kind.name));
        for (form, cipher, iv) in side.openssl_forms() {
            let pkcs8 = openssl_enc("-d", cipher, &KEK, iv, &side.bytes(&format!("wrap {form}")));
            let key = Openssl::new(&pkcs8);
            key.verifies(kind, &signature);
            // What openssl signs, the token's public key verifies.
            let theirs = key.signs(kind);
            assert_eq!(side.answer(&format!("verify {} {theirs}", kind.name)), "verified", "{}, {form}", kind.name);
            let wrapped = hex(&openssl_enc("-e", cipher, &KEK, iv, &pkcs8));
            assert_eq!(side.answer(&format!("unwrap {form} {} {wrapped}", kind.name)), "unwrapped");
            key.verifies(kind, &side.answer(&format!("sign {}", kind.name)));
        }
    }
}

/// And it is the same key that comes out again.
fn keys_of_openssl_sign_the_same() {
    let side = &mut Side::new();
    for kind in kinds() {
        let pkcs8 = kind.pkcs8();
        let key = Openssl::new(&pkcs8);
        for (form, cipher, iv) in side.openssl_forms() {
            let wrapped = hex(&openssl_enc("-e", cipher, &KEK, iv, &pkcs8));
            assert_eq!(side.answer(&format!("unwrap {form} {} {wrapped}", kind.name)), "unwrapped", "{}", kind.name);
            let signature = side.answer(&format!("sign {}", kind.name));
            key.verifies(kind, &signature);
            if kind.repeats {
                assert_eq!(signature, key.signs(kind), "{}", kind.name);
            }
            let back = openssl_enc("-d", cipher, &KEK, iv, &side.bytes(&format!("wrap {form}")));
            assert_eq!(Openssl::new(&back).public(), key.public(), "{}", kind.name);
        }
    }
}

fn a_sensitive_key_stays_sensitive() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        let secret = if kind.key_type == CKK_RSA { CKA_PRIVATE_EXPONENT } else { CKA_VALUE };
        let made = side.key;
        let wrapped = side.answer("wrap pad");
        assert_eq!(side.answer(&format!("unwrap pad {} {wrapped}", kind.name)), "unwrapped");
        for (key, expected) in [(made, [true, true, false]), (side.key, [false, false, false])] {
            assert_eq!(side.session.value(key, secret).map(|_| ()), Err(Rv(CKR_ATTRIBUTE_SENSITIVE)), "{}", kind.name);
            let history = [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE];
            assert_eq!(history.map(|flag| ok!(side.session.flag(key, flag))), expected, "{}", kind.name);
        }
        let template = kind.private().and(template![CKA_EXTRACTABLE => false]);
        let (_, private) = ok!(side.session.pair(kind.generate, &kind.public(), &template));
        let kept = side.session.wrap(&form("pad"), side.kek, private);
        assert_eq!(kept, Err(Rv(CKR_KEY_UNEXTRACTABLE)), "{}", kind.name);
    }
}

fn damaged_keys_are_refused() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        for form in side.forms() {
            let wrapped = side.bytes(&format!("wrap {form}"));
            // CBC tells of damage in the last block by its padding, and before that only by what PKCS#8 is.
            let bits = if form == "cbc-pad" { (0..8).step_by(1) } else { (0..wrapped.len() * 8).step_by(101) };
            for bit in bits {
                let mut changed = wrapped.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                side.refuses(&format!("unwrap {form} {} {}", kind.name, hex(&changed)));
            }
            for length in [0, 8, 16, wrapped.len() - 8] {
                side.refuses(&format!("unwrap {form} {} {}", kind.name, hex(&wrapped[..length])));
            }
        }
    }
}

/// Wrapped without a fault, but no key, or not the one that was asked for.
fn well_wrapped_nonsense_is_refused() {
    if Module::is_softhsm() {
        return report("SoftHSM2 takes bytes behind a key");
    }
    let side = &mut Side::new();
    let wrap = |pkcs8: &[u8]| hex(&openssl_enc("-e", PAD.1, &KEK, PAD.2, pkcs8));
    for kind in kinds() {
        let pkcs8 = kind.pkcs8();
        for other in kinds().filter(|other| other.key_type != kind.key_type) {
            side.refuses(&format!("unwrap pad {} {}", other.name, wrap(&pkcs8)));
        }
        let longer = [&pkcs8[..], &[0; 8]].concat();
        // What stands inside is not it: RFC 8017's RSAPrivateKey, RFC 5915's ECPrivateKey, RFC 8410's CurvePrivateKey.
        let inside = &pkcs8[if kind.key_type == CKK_RSA { 26 } else { 20 }..];
        for nonsense in [&message(64)[..], &[0x30, 0x80], &pkcs8[..pkcs8.len() - 1], &longer, inside] {
            side.refuses(&format!("unwrap pad {} {}", kind.name, wrap(nonsense)));
        }
    }
    // EC keys whose number is 0, or above the order.
    for (kind, head, length) in [(&KINDS[1], [0x04, 0x20], 32), (&KINDS[2], [0x04, 0x30], 48)] {
        let pkcs8 = kind.pkcs8();
        let at = pkcs8.windows(2).position(|window| window == head).expect("the number's head") + 2;
        for byte in [0, 0xff] {
            let changed = [&pkcs8[..at], &vec![byte; length], &pkcs8[at + length..]].concat();
            side.refuses(&format!("unwrap pad {} {}", kind.name, wrap(&changed)));
        }
    }
}

/// A kind of key: how it is made here and by openssl, and how it signs.
struct Kind {
    name: &'static str,
    key_type: CK_KEY_TYPE,
    generate: CK_MECHANISM_TYPE,
    /// The curve; nothing for RSA.
    curve: &'static [u8],
    openssl: &'static [&'static str],
    sign: CK_MECHANISM_TYPE,
    /// The same for `openssl pkeyutl`.
    pkeyutl: &'static [&'static str],
    /// Whether it signs the same each time.
    repeats: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "rsa-2048",
        key_type: CKK_RSA,
        generate: CKM_RSA_PKCS_KEY_PAIR_GEN,
        curve: &[],
        openssl: &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        sign: CKM_SHA256_RSA_PKCS,
        pkeyutl: &["-rawin", "-digest", "sha256"],
        repeats: true,
    },
    ec(
        "p-256",
        &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    ec("p-384", &[6, 5, 0x2b, 0x81, 4, 0, 34], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ec("p-521", &[6, 5, 0x2b, 0x81, 4, 0, 35], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ec("secp256k1", &[6, 5, 0x2b, 0x81, 4, 0, 10], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    Kind {
        name: "ed25519",
        key_type: CKK_EC_EDWARDS,
        generate: CKM_EC_EDWARDS_KEY_PAIR_GEN,
        curve: b"\x13\x0cedwards25519",
        openssl: &["-algorithm", "ED25519"],
        sign: CKM_EDDSA,
        pkeyutl: &["-rawin"],
        repeats: true,
    },
];

const fn ec(name: &'static str, curve: &'static [u8], openssl: &'static [&'static str]) -> Kind {
    Kind {
        name,
        key_type: CKK_EC,
        generate: CKM_EC_KEY_PAIR_GEN,
        curve,
        openssl,
        sign: CKM_ECDSA,
        pkeyutl: &[],
        repeats: false,
    }
}

/// Every kind that the module under test exchanges.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    let edwards = !Module::is_softhsm();
    KINDS.iter().filter(move |kind| edwards || kind.key_type != CKK_EC_EDWARDS)
}

fn of_softhsm() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.key_type != CKK_EC_EDWARDS)
}

impl Kind {
    fn named(name: &str) -> &'static Kind {
        KINDS.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("what is {name}?"))
    }

    /// A new key, made by openssl.
    fn pkcs8(&self) -> Vec<u8> {
        let pem = run("openssl", &[&["genpkey"], self.openssl].concat(), &[]);
        run("openssl", &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem)
    }

    fn public(&self) -> Template {
        match self.key_type {
            CKK_RSA => template![CKA_VERIFY => true, CKA_MODULUS_BITS => 2048, CKA_PUBLIC_EXPONENT => &[1, 0, 1]],
            _ => template![CKA_VERIFY => true, CKA_EC_PARAMS => self.curve],
        }
    }

    fn private(&self) -> Template {
        template![CKA_SIGN => true, CKA_SENSITIVE => true]
    }
}

/// What all sign: as long as a hash, which is what `CKM_ECDSA` wants.
fn text() -> Vec<u8> {
    message(32)
}

/// The wrapping key that all know.
const KEK: [u8; 32] = [0x4b; 32];
const IV: [u8; 16] = [0x49; 16];

/// A way of wrapping, openssl's name for it, and the IV that it wants.
const PAD: (&str, &str, &str) = ("pad", "id-aes256-wrap-pad", "a65959a6");
const OPENSSL_FORMS: [(&str, &str, &str); 2] = [PAD, ("cbc-pad", "aes-256-cbc", "49494949494949494949494949494949")];

fn form(name: &str) -> Mechanism {
    match name {
        "pad" => Mechanism::plain(CKM_AES_KEY_WRAP_PAD),
        "kwp" => Mechanism::plain(CKM_AES_KEY_WRAP_KWP),
        "cbc-pad" => Mechanism::with(CKM_AES_CBC_PAD, &IV),
        "gcm" => Mechanism::gcm(&[0x31; 12], b"private keys", 128),
        _ => panic!("what is {name}?"),
    }
}

/// A private key that openssl has.
struct Openssl {
    folder: tempfile::TempDir,
}

impl Openssl {
    /// The key must be sound.
    fn new(pkcs8: &[u8]) -> Openssl {
        let openssl = Openssl { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(openssl.path("private"), pkcs8).expect("a file");
        let [private, public] = ["private", "public"].map(|name| openssl.path(name));
        run("openssl", &["pkey", "-inform", "DER", "-in", &private, "-check", "-noout"], &[]);
        run("openssl", &["pkey", "-inform", "DER", "-in", &private, "-pubout", "-out", &public], &[]);
        std::fs::write(openssl.path("text"), text()).expect("a file");
        openssl
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    fn public(&self) -> Vec<u8> {
        std::fs::read(self.path("public")).expect("a public key")
    }

    fn verifies(&self, kind: &Kind, signature: &str) {
        let signature = unhex(signature);
        let der = if kind.key_type == CKK_EC { sequence_of(&signature) } else { signature };
        std::fs::write(self.path("signature"), der).expect("a file");
        let [public, text, signature] = ["public", "text", "signature"].map(|name| self.path(name));
        let files = ["-pubin", "-inkey", &public, "-in", &text, "-sigfile", &signature];
        run("openssl", &[&["pkeyutl", "-verify"], kind.pkeyutl, &files].concat(), &[]);
    }

    /// A signature as PKCS#11 has it, in hexadecimal.
    fn signs(&self, kind: &Kind) -> String {
        let [private, text] = ["private", "text"].map(|name| self.path(name));
        let files = ["-keyform", "DER", "-inkey", &private, "-in", &text];
        let signature = run("openssl", &[&["pkeyutl", "-sign"], kind.pkeyutl, &files].concat(), &[]);
        if kind.key_type != CKK_EC {
            return hex(&signature);
        }
        let width = match kind.name {
            "p-521" => 66,
            "p-384" => 48,
            _ => 32,
        };
        hex(&numbers_of(&signature).map(|number| [vec![0; width - number.len()], number].concat()).concat())
    }
}

/// An ECDSA signature as openssl wants it: a sequence of two integers. Short forms of length alone, but for the outermost.
fn sequence_of(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let sign = if number[zeros] >= 0x80 { &[0][..] } else { &[] };
        let value = [sign, &number[zeros..]].concat();
        [&[0x02, value.len() as u8], &value[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let head = if body.len() < 0x80 { vec![0x30, body.len() as u8] } else { vec![0x30, 0x81, body.len() as u8] };
    [head, body].concat()
}

/// The two integers of a sequence, without zeros in front.
fn numbers_of(sequence: &[u8]) -> [Vec<u8>; 2] {
    let body = if sequence[1] == 0x81 { &sequence[3..] } else { &sequence[2..] };
    let (first, second) = body.split_at(2 + usize::from(body[1]));
    [first, second].map(|integer| integer[2..].iter().copied().skip_while(|byte| *byte == 0).collect())
}

/// This process with the module under test, and a peer.
struct Pair {
    ours: Side,
    peer: Peer,
}

impl Pair {
    fn with(peer: Peer) -> Pair {
        Pair { ours: Side::new(), peer }
    }

    fn theirs(&mut self, line: &str) -> String {
        self.peer.say(line);
        self.peer.hear()
    }

    /// A key of each side goes to the other and back. The form's name here and there.
    fn travels(&mut self, kind: &Kind, here: &str, there: &str) {
        let name = kind.name;
        let (sign, at) = (format!("sign {name}"), format!("{name}, {here}"));

        assert_eq!(self.ours.answer(&format!("make {name}")), "made");
        let signature = self.ours.answer(&sign);
        let wrapped = self.ours.answer(&format!("wrap {here}"));
        assert_eq!(self.theirs(&format!("unwrap {there} {name} {wrapped}")), "unwrapped", "{at}");
        let theirs = self.theirs(&sign);
        assert!(!kind.repeats || theirs == signature, "{at}: they sign otherwise");
        assert_eq!(self.ours.answer(&format!("verify {name} {theirs}")), "verified", "{at}");
        let back = self.theirs(&format!("wrap {there}"));
        assert_eq!(self.ours.answer(&format!("unwrap {here} {name} {back}")), "unwrapped", "{at}, and back");
        let ours = self.ours.answer(&sign);
        assert_eq!(self.ours.answer(&format!("verify {name} {ours}")), "verified", "{at}, and back");

        assert_eq!(self.theirs(&format!("make {name}")), "made");
        let wrapped = self.theirs(&format!("wrap {there}"));
        assert_eq!(self.ours.answer(&format!("unwrap {here} {name} {wrapped}")), "unwrapped", "{at}, theirs");
        let ours = self.ours.answer(&sign);
        assert_eq!(self.theirs(&format!("verify {name} {ours}")), "verified", "{at}, theirs");
    }
}

/// The peer that is another token of the module under test.
fn another() {
    serve();
}

/// The peer that is SoftHSM2.
fn softhsm() {
    let place = SOFTHSM.into_iter().find(|place| Path::new(place).exists());
    let place = place.unwrap_or_else(|| panic!("no SoftHSM2 in {SOFTHSM:?}; `make test` installs it"));
    set_variable("KEYSTEAD_MODULE", Some(place));
    serve();
}

fn serve() {
    let mut side = Side::new();
    loop {
        let line = hear();
        if line.is_empty() {
            return;
        }
        say(side.answer(&line));
    }
}

/// A token with the wrapping key, and the key pair that is worked with.
struct Side {
    _token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
    public: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
}

impl Side {
    fn new() -> Side {
        let token = Token::new();
        if !ok!(token.module.mechanisms(token.slot)).contains(&CKM_EC_KEY_PAIR_GEN) {
            skip("the module makes no key pairs yet");
        }
        let session = token.user();
        let kek = ok!(session.aes_key_of(&KEK, template![CKA_WRAP => true, CKA_UNWRAP => true]));
        Side { _token: token, session, kek, public: 0, key: 0 }
    }

    /// The ways of wrapping. Keystead must have all of them; SoftHSM2 has one.
    fn forms(&self) -> Vec<&'static str> {
        if Module::is_softhsm() { vec!["pad"] } else { vec!["pad", "kwp", "cbc-pad", "gcm"] }
    }

    /// Those that openssl has too, its names for them, and the IVs that it wants.
    fn openssl_forms(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        OPENSSL_FORMS.into_iter().filter(|form| self.forms().contains(&form.0)).collect()
    }

    /// Does what the line says; what came of it, or the code.
    fn answer(&mut self, line: &str) -> String {
        self.done(line).unwrap_or_else(|code| code.to_string())
    }

    fn done(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let session = self.session;
        match words[..] {
            ["make", kind] => {
                let kind = Kind::named(kind);
                let private = kind.private().and(template![CKA_EXTRACTABLE => true]);
                (self.public, self.key) = session.pair(kind.generate, &kind.public(), &private)?;
                Ok("made".to_owned())
            }
            ["wrap", name] => session.wrap(&form(name), self.kek, self.key).map(|wrapped| hex(&wrapped)),
            ["unwrap", name, kind, wrapped] => {
                let kind = Kind::named(kind);
                let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => kind.key_type];
                let template = class.and(kind.private()).and(template![CKA_EXTRACTABLE => true]);
                self.key = session.unwrap(&form(name), self.kek, &unhex(wrapped), &template)?;
                Ok("unwrapped".to_owned())
            }
            ["sign", kind] => {
                let mechanism = Mechanism::plain(Kind::named(kind).sign);
                let mut output = vec![0; 512];
                Sign::init(&session, &mechanism, self.key)?;
                let (outcome, length) = Sign::whole(&session, &text(), Some(&mut output));
                outcome.map(|()| hex(&output[..length]))
            }
            ["verify", kind, signature] => {
                let mechanism = Mechanism::plain(Kind::named(kind).sign);
                let verdict = session.verify(&mechanism, self.public, &text(), &unhex(signature));
                verdict.map(|()| "verified".to_owned())
            }
            _ => panic!("what is {line:?}?"),
        }
    }

    /// The bytes that it answers.
    fn bytes(&mut self, line: &str) -> Vec<u8> {
        let answer = self.answer(line);
        assert!(!answer.starts_with("CKR_"), "{line}: {answer}");
        unhex(&answer)
    }

    /// What must not be unwrapped: it has its code, and leaves no object.
    fn refuses(&mut self, line: &str) {
        let before = ok!(self.session.find(&template![])).len();
        let answer = self.answer(line);
        let codes = ["CKR_WRAPPED_KEY_INVALID", "CKR_WRAPPED_KEY_LEN_RANGE"];
        assert!(
            codes.contains(&answer.as_str()) || Module::is_softhsm() && answer.starts_with("CKR_"),
            "{line}: {answer}"
        );
        assert_eq!(ok!(self.session.find(&template![])).len(), before, "{line}");
    }
}

const SOFTHSM: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
