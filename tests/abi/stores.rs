//! Stores of every format that was frozen, in `tests/stores`: a copy of each is read by this version, object by object and by use.
//!
//! `KEYSTEAD_WRITE_STORES=1` in the environment writes the store of the present format, once, when it is frozen: one that is there is
//! never written again.

use std::path::{Path, PathBuf};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![a_store_of_format_1_is_read];

fn a_store_of_format_1_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/1");
    if std::env::var_os("KEYSTEAD_WRITE_STORES").is_some() {
        write(&folder);
    }
    let contents = std::fs::read_to_string(folder.join("contents.txt")).unwrap();
    let lines: Vec<Line> = contents.lines().filter(|line| !line.starts_with('#')).map(Line::read).collect();
    assert!(lines.len() > 15);

    let home = Home::with(Config { maskable: false, ..Config::default() });
    std::fs::create_dir(home.store()).unwrap();
    for file in FILES {
        std::fs::copy(folder.join(file), home.store().join(file)).unwrap();
    }
    let module = Module::load();
    ok!(module.initialize());
    let slot = Token::find(&module, LABEL);
    let flags = ok!(module.token_info(slot)).flags;
    assert_eq!(flags & CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_COUNT_LOW, "two wrong PINs");
    assert_eq!(flags & CKF_SO_PIN_COUNT_LOW, 0);
    let token = Token { home, module, slot };

    let public = token.session();
    let (of_all, of_user): (Vec<_>, Vec<_>) = lines.iter().partition(|line| !line.private);
    for line in &of_all {
        line.only(&public);
    }
    assert_eq!(ok!(public.objects(&template![])).len(), of_all.len());
    ok!(public.close());
    let session = token.user();
    for line in of_all.iter().chain(&of_user) {
        let object = line.only(&session);
        assert_eq!(hex(&line.outcome(&session, object)), line.expected, "{} {}", line.label, line.check);
    }
    assert_eq!(ok!(session.objects(&template![])).len(), lines.len());
    // The default of maskability is the token's own.
    let made = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_EXTRACTABLE => false]));
    assert!(ok!(session.flag(made, CKA_KEYSTEAD_MASKABLE)));
    for line in &lines {
        let object = line.only(&session);
        ok!(session.set(object, &template![CKA_LABEL => format!("{} again", line.label).as_str()]), "{}", line.label);
        ok!(session.destroy(object));
    }
    ok!(session.logout());
    ok!(session.login(CKU_SO, SO_PIN));
}

/// The token, the file of its queue, and the lock of the folder.
const FILES: [&str; 3] = ["slot-00000000.db", "slot-00000000.lock", "folder.lock"];

const CKA_KEYSTEAD_MASKABLE: CK_ATTRIBUTE_TYPE = 0xCB53_0001;

/// A line of `contents.txt`.
struct Line {
    class: CK_OBJECT_CLASS,
    private: bool,
    label: String,
    check: String,
    expected: String,
}

impl Line {
    fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [class, private, label, check, expected] = words[..] else { panic!("{line}") };
        let [label, check, expected] = [label, check, expected].map(str::to_owned);
        Self { class: class.parse().unwrap(), private: private == "private", label, check, expected }
    }

    /// The one object that it is about.
    fn only(&self, session: &Session) -> CK_OBJECT_HANDLE {
        let found = ok!(session.find(&template![CKA_CLASS => self.class, CKA_LABEL => self.label.as_str()]));
        assert_eq!(found.len(), 1, "{}", self.label);
        assert_eq!(ok!(session.flag(found[0], CKA_PRIVATE)), self.private, "{}", self.label);
        found[0]
    }

    fn outcome(&self, session: &Session, object: CK_OBJECT_HANDLE) -> Vec<u8> {
        let sign = |mechanism| ok!(session.sign(&Mechanism::plain(mechanism), object, b"kit"));
        match self.check.as_str() {
            "aes-ecb" => ok!(session.encrypt(&ecb(), object, &[0; 16])),
            "sha256-hmac" => sign(CKM_SHA256_HMAC),
            "sha256-rsa-pkcs" => sign(CKM_SHA256_RSA_PKCS),
            "eddsa" => sign(CKM_EDDSA),
            "ecdsa" => {
                let signature = sign(CKM_ECDSA_SHA256);
                let public = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_LABEL => self.label.as_str()];
                let public = ok!(session.find(&public))[0];
                ok!(session.verify(&Mechanism::plain(CKM_ECDSA_SHA256), public, b"kit", &signature));
                b"verified".to_vec()
            }
            "value" => ok!(session.value(object, CKA_VALUE)),
            "public-key-info" => ok!(session.value(object, CKA_PUBLIC_KEY_INFO)),
            "label" => ok!(session.value(object, CKA_LABEL)),
            other => panic!("no check is called {other}"),
        }
    }
}

const EXPLANATION: &str = "\
# A token of format 1, as the library wrote it that froze the format. Copy slot-00000000.db, slot-00000000.lock and folder.lock.
#
# The SO's PIN is so-pin-8642, the user's user-pin-1357, both hashed with 64 KiB, 1 pass, 1 lane; two wrong PINs of the user are
# counted. Unextractable keys are maskable by default. Objects \"unverified\" were made without a login; \"changed\" is of version 4.
# There are four objects more that were destroyed, one of them without a login.
#
# class, who sees it, label, what to do with it, what must come of it in hexadecimal digits. MACs and signatures are of \"kit\".
";

fn write(folder: &Path) {
    assert!(!folder.join(FILES[0]).exists(), "a format is frozen once");
    let token = Token::with(Config { maskable: true, ..Config::default() });
    let mut made: Vec<(CK_OBJECT_CLASS, bool, &str, &str)> = Vec::new();
    let session = token.session();
    let named = |label: &str, private: bool| template![CKA_TOKEN => true, CKA_LABEL => label, CKA_PRIVATE => private];
    let data = |label: &str, private| named(label, private).with(CKA_CLASS, CKO_DATA).with(CKA_VALUE, "text");
    let certificate = |label: &str| {
        let x509 = named(label, false).with(CKA_CLASS, CKO_CERTIFICATE).with(CKA_CERTIFICATE_TYPE, CKC_X_509);
        x509.with(CKA_SUBJECT, "subject")
            .with(CKA_ISSUER, "issuer")
            .with(CKA_SERIAL_NUMBER, &[7])
            .with(CKA_VALUE, "certificate")
    };
    for template in [data("data-unverified", false), certificate("certificate-unverified")] {
        ok!(session.create(&template));
    }
    made.extend([
        (CKO_DATA, false, "data-unverified", "value"),
        (CKO_CERTIFICATE, false, "certificate-unverified", "value"),
    ]);
    ok!(session.destroy(ok!(session.create(&data("gone", false)))));
    ok!(session.login(CKU_USER, USER_PIN));
    for private in [false, true] {
        let label = |what: &'static str, other: &'static str| if private { what } else { other };
        ok!(session.destroy(ok!(session.create(&data("gone", private)))));
        ok!(session.create(&data(label("data-private", "data-public"), private)));
        made.push((CKO_DATA, private, label("data-private", "data-public"), "value"));
        let aes = named(label("aes-private", "aes-public"), private).with(CKA_ENCRYPT, true).with(CKA_ID, &[1, 2]);
        ok!(session.aes_key_of(&[7; 32], aes));
        made.push((CKO_SECRET_KEY, private, label("aes-private", "aes-public"), "aes-ecb"));
    }
    ok!(session.create(&certificate("certificate")));
    let wtls = named("certificate-wtls", false).with(CKA_CLASS, CKO_CERTIFICATE).with(CKA_CERTIFICATE_TYPE, CKC_WTLS);
    ok!(session.create(&wtls.with(CKA_SUBJECT, "subject").with(CKA_VALUE, "wtls")));
    made.extend([
        (CKO_CERTIFICATE, false, "certificate", "value"),
        (CKO_CERTIFICATE, false, "certificate-wtls", "value"),
    ]);
    let generic = named("generic", true).with(CKA_CLASS, CKO_SECRET_KEY).with(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
    ok!(session.create(&generic.with(CKA_VALUE, &[9; 20]).with(CKA_SIGN, true)));
    made.push((CKO_SECRET_KEY, true, "generic", "sha256-hmac"));
    let changed = ok!(session.aes_key_of(&[8; 16], named("first", true).with(CKA_ENCRYPT, true)));
    for label in ["second", "third", "changed"] {
        ok!(session.set(changed, &template![CKA_LABEL => label]));
    }
    made.push((CKO_SECRET_KEY, true, "changed", "aes-ecb"));
    ok!(session.destroy(ok!(session.aes_key(32, named("gone", true)))));

    let p256 = Curve::named("P-256").params;
    let bits = 2048 as CK_ULONG;
    for (label, mechanism, public, check) in [
        ("rsa", CKM_RSA_PKCS_KEY_PAIR_GEN, template![CKA_MODULUS_BITS => bits], "sha256-rsa-pkcs"),
        ("p-256", CKM_EC_KEY_PAIR_GEN, template![CKA_EC_PARAMS => p256], "ecdsa"),
        ("ed25519", CKM_EC_EDWARDS_KEY_PAIR_GEN, template![CKA_EC_PARAMS => ED25519], "eddsa"),
        ("x25519", CKM_EC_MONTGOMERY_KEY_PAIR_GEN, template![CKA_EC_PARAMS => X25519], "public-key-info"),
    ] {
        ok!(session.pair(mechanism, &public.and(named(label, false)), &named(label, true)), "{label}");
        made.extend([(CKO_PUBLIC_KEY, false, label, "public-key-info"), (CKO_PRIVATE_KEY, true, label, check)]);
    }
    for (class, label, private, more) in [
        (
            CKO_DOMAIN_PARAMETERS,
            "parameters",
            false,
            template![CKA_KEY_TYPE => CKK_DSA, CKA_PRIME => &[5, 3], CKA_SUBPRIME => &[0x7f], CKA_BASE => &[2]],
        ),
        (
            CKO_OTP_KEY,
            "hotp",
            true,
            template![CKA_KEY_TYPE => CKK_HOTP, CKA_VALUE => b"twenty bytes of seed", CKA_OTP_LENGTH => 8],
        ),
        (
            CKO_TRUST,
            "trust",
            false,
            template![CKA_ISSUER => "issuer", CKA_SERIAL_NUMBER => &[7],
            CKA_HASH_OF_CERTIFICATE => &[1; 20], CKA_NAME_HASH_ALGORITHM => CKM_SHA_1,
            CKA_TRUST_SERVER_AUTH => CK_ULONG::from(CKT_TRUST_ANCHOR)],
        ),
    ] {
        ok!(session.create(&named(label, private).with(CKA_CLASS, class).and(more)), "{label}");
        made.push((class, private, label, "label"));
    }
    let mut contents = EXPLANATION.to_owned();
    for (class, private, label, check) in made {
        let who = if private { "private" } else { "public" };
        let mut line = Line { class, private, label: label.into(), check: check.into(), expected: String::new() };
        line.expected = hex(&line.outcome(&session, line.only(&session)));
        contents += &format!("{class} {who} {label} {check} {}\n", line.expected);
    }
    ok!(session.logout());
    for _ in 0..2 {
        fails!(session.login(CKU_USER, "wrong-pin"), CKR_PIN_INCORRECT);
    }
    ok!(token.module.finalize());
    let database = rusqlite::Connection::open(token.home.database()).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    std::fs::create_dir_all(folder).unwrap();
    for file in FILES {
        let from: PathBuf = token.home.store().join(file);
        std::fs::copy(from, folder.join(file)).unwrap();
    }
    std::fs::write(folder.join("contents.txt"), contents).unwrap();
}
