//! RSA encryption: PKCS #1 v1.5, OAEP and the bare primitive. PKCS#11 3.2, section 6.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    pkcs1_decrypts_what_openssl_encrypts_and_the_reverse,
    oaep_decrypts_what_openssl_encrypts_and_the_reverse,
    oaep_label_counts,
    oaep_source_may_be_zero_where_the_label_is_empty,
    oaep_without_its_parameter_is_refused,
    oaep_faults_have_one_code,
    plaintexts_that_are_too_long_are_named_so,
    nothing_is_a_plaintext,
    ciphertexts_of_a_wrong_length_are_named_so,
    bare_primitive_fills_with_zeros_in_front,
    bare_primitive_takes_numbers_below_the_modulus,
    pkcs1_decryption_names_every_fault_alike,
    a_size_query_and_a_short_buffer_change_nothing,
];

fn pkcs1_decrypts_what_openssl_encrypts_and_the_reverse() {
    let keys = RsaPair::new();
    let mechanism = Mechanism::plain(CKM_RSA_PKCS);
    for length in [1, 16, 100, 245] {
        let text = message(length);
        let sealed = ok!(keys.session.encrypt(&mechanism, keys.public, &text), "{length} bytes");
        assert_eq!(sealed.len(), 256);
        assert_ne!(ok!(keys.session.encrypt(&mechanism, keys.public, &text)), sealed, "the padding is random");
        let opened = keys.openssl.pkeyutl("-decrypt", &["rsa_padding_mode:pkcs1"], &sealed);
        assert_eq!(opened.as_ref(), Some(&text), "{length} bytes");
        let theirs = keys.theirs.pkeyutl("-encrypt", &["rsa_padding_mode:pkcs1"], &text).unwrap();
        assert_eq!(ok!(keys.session.decrypt(&mechanism, keys.private, &theirs)), text, "{length} bytes");
    }
}

/// Hash and generator are independent.
fn oaep_decrypts_what_openssl_encrypts_and_the_reverse() {
    let keys = RsaPair::new();
    let text = message(40);
    for (hash, _) in SignatureHash::signing() {
        for (mgf, _) in SignatureHash::signing() {
            let name = format!("{} and {}", hash.name, mgf.name);
            let mechanism = hash.oaep(mgf, b"label");
            let digests = [format!("rsa_oaep_md:{}", hash.openssl()), format!("rsa_mgf1_md:{}", mgf.openssl())];
            let options = ["rsa_padding_mode:oaep", &digests[0], &digests[1], "rsa_oaep_label:6c6162656c"];
            let sealed = ok!(keys.session.encrypt(&mechanism, keys.public, &text), "{name}");
            assert_eq!(keys.openssl.pkeyutl("-decrypt", &options, &sealed).as_ref(), Some(&text), "{name}");
            let theirs = keys.theirs.pkeyutl("-encrypt", &options, &text).unwrap();
            assert_eq!(ok!(keys.session.decrypt(&mechanism, keys.private, &theirs)), text, "{name}");
            let other = SignatureHash::signing().find(|(other, _)| other.name != mgf.name).unwrap().0;
            let wrong = keys.session.decrypt(&hash.oaep(other, b"label"), keys.private, &theirs);
            fails!(wrong, CKR_ENCRYPTED_DATA_INVALID, "{name}: another generator");
        }
    }
}

fn oaep_label_counts() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-256");
    for label in [b"".as_slice(), b"x", b"a longer label", &[0; 1000]] {
        let sealed = ok!(keys.session.encrypt(&hash.oaep(hash, label), keys.public, b"text"));
        assert_eq!(ok!(keys.session.decrypt(&hash.oaep(hash, label), keys.private, &sealed)), b"text");
        let wrong = keys.session.decrypt(&hash.oaep(hash, b"another"), keys.private, &sealed);
        fails!(wrong, CKR_ENCRYPTED_DATA_INVALID);
    }
}

/// OpenSC and libp11 send it so.
fn oaep_source_may_be_zero_where_the_label_is_empty() {
    let keys = RsaPair::new();
    let [hash, mgf] = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize];
    let label = b"label";
    let at = label.as_ptr().expose_provenance();
    let source = |source: CK_ULONG, at: usize, length: usize| {
        Mechanism::words(CKM_RSA_PKCS_OAEP, &[hash, mgf, source as usize, at, length])
    };
    let sealed = ok!(keys.session.encrypt(&source(0, 0, 0), keys.public, b"text"));
    let specified = source(CKZ_DATA_SPECIFIED, 0, 0);
    assert_eq!(ok!(keys.session.decrypt(&specified, keys.private, &sealed)), b"text");
    // A pointer with length 0 is an empty label.
    assert_eq!(ok!(keys.session.decrypt(&source(CKZ_DATA_SPECIFIED, at, 0), keys.private, &sealed)), b"text");
    for wrong in [source(0, at, 5), source(2, 0, 0), source(2, at, 5), source(CKZ_DATA_SPECIFIED, 0, 5)] {
        keys.sealing_inits(&wrong).into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID));
    }
}

fn oaep_without_its_parameter_is_refused() {
    let keys = RsaPair::new();
    let good = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];
    let with = |place: usize, word: CK_ULONG| {
        let mut words = good;
        words[place] = word as usize;
        Mechanism::words(CKM_RSA_PKCS_OAEP, &words)
    };
    let wrong = [
        Mechanism::plain(CKM_RSA_PKCS_OAEP),
        Mechanism::null(CKM_RSA_PKCS_OAEP, 40),
        Mechanism::words(CKM_RSA_PKCS_OAEP, &good[..4]),
        Mechanism::words(CKM_RSA_PKCS_OAEP, &[good.as_slice(), &[0]].concat()),
        with(0, CKM_MD5),
        with(0, CKM_SHA256_HMAC),
        with(0, 0),
        with(1, 0),
        with(1, 99),
    ];
    for mechanism in &wrong {
        keys.sealing_inits(mechanism).into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID));
    }
    for number in [CKM_RSA_PKCS, CKM_RSA_X_509] {
        let outcomes = keys.sealing_inits(&Mechanism::with(number, &[0; 16]));
        outcomes.into_iter().for_each(|outcome| fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{number:#x} has none"));
    }
}

fn oaep_faults_have_one_code() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-256");
    let mechanism = hash.oaep(hash, b"");
    let sealed = ok!(keys.session.encrypt(&mechanism, keys.public, b"text"));
    let bare = Mechanism::plain(CKM_RSA_X_509);
    let encoded = ok!(keys.session.decrypt(&bare, keys.private, &sealed));
    // The first byte is Manger's; then the seed, and the hash of the label and the padding behind it.
    for place in [0, 1, 32, 33, 40, 64, 65, 100, 255] {
        let mut wrong = encoded.clone();
        wrong[place] ^= 1;
        let wrong = ok!(keys.session.encrypt(&bare, keys.public, &wrong));
        let opened = keys.session.decrypt(&mechanism, keys.private, &wrong);
        fails!(opened, CKR_ENCRYPTED_DATA_INVALID, "byte {place}");
    }
    for wrong in [vec![0; 256], [vec![0; 255], vec![1]].concat(), keys.key.modulus.clone(), vec![0xff; 256]] {
        fails!(keys.session.decrypt(&mechanism, keys.private, &wrong), CKR_ENCRYPTED_DATA_INVALID);
    }
}

fn plaintexts_that_are_too_long_are_named_so() {
    let keys = RsaPair::new();
    for (hash, _) in SignatureHash::signing() {
        let longest = 256 - 2 - 2 * (hash.digest)(b"").len();
        let mechanism = hash.oaep(hash, b"");
        let sealed = ok!(keys.session.encrypt(&mechanism, keys.public, &message(longest)), "{}", hash.name);
        assert_eq!(ok!(keys.session.decrypt(&mechanism, keys.private, &sealed)), message(longest), "{}", hash.name);
        for length in [longest + 1, 256, 1000] {
            let outcome = keys.session.encrypt(&mechanism, keys.public, &message(length));
            fails!(outcome, CKR_DATA_LEN_RANGE, "{}, {length} bytes", hash.name);
        }
    }
    for length in [246, 256, 1000] {
        let outcome = keys.session.encrypt(&Mechanism::plain(CKM_RSA_PKCS), keys.public, &message(length));
        fails!(outcome, CKR_DATA_LEN_RANGE, "{length} bytes");
    }
    let bare = Mechanism::plain(CKM_RSA_X_509);
    fails!(keys.session.encrypt(&bare, keys.public, &[0; 257]), CKR_DATA_LEN_RANGE);
}

fn nothing_is_a_plaintext() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-1");
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), hash.oaep(hash, b"")] {
        ok!(Encrypt::init(&keys.session, &mechanism, keys.public));
        let mut sealed = [0; 256];
        assert_eq!(keys.session.encrypt_nothing(&mut sealed), (Ok(()), 256));
        assert_eq!(ok!(keys.session.decrypt(&mechanism, keys.private, &sealed)), b"");
    }
}

fn ciphertexts_of_a_wrong_length_are_named_so() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-256");
    let mechanisms = [Mechanism::plain(CKM_RSA_PKCS), Mechanism::plain(CKM_RSA_X_509), hash.oaep(hash, b"")];
    for mechanism in &mechanisms {
        for length in [0, 1, 128, 255, 257, 512] {
            let outcome = keys.session.decrypt(mechanism, keys.private, &vec![0; length]);
            fails!(outcome, CKR_ENCRYPTED_DATA_LEN_RANGE, "{length} bytes");
        }
    }
}

fn bare_primitive_fills_with_zeros_in_front() {
    let keys = RsaPair::new();
    let bare = Mechanism::plain(CKM_RSA_X_509);
    for length in [1, 32, 255] {
        let filled = [vec![0; 256 - length], vec![9; length]].concat();
        let sealed = ok!(keys.session.encrypt(&bare, keys.public, &vec![9; length]), "{length} bytes");
        assert_eq!(ok!(keys.session.encrypt(&bare, keys.public, &filled)), sealed, "{length} bytes");
        let theirs = keys.theirs.pkeyutl("-encrypt", &["rsa_padding_mode:none"], &filled);
        assert_eq!(theirs.as_ref(), Some(&sealed), "{length} bytes");
        assert_eq!(ok!(keys.session.decrypt(&bare, keys.private, &sealed)), filled, "always as long as the modulus");
    }
}

fn bare_primitive_takes_numbers_below_the_modulus() {
    let keys = RsaPair::new();
    let bare = Mechanism::plain(CKM_RSA_X_509);
    let mut below = keys.key.modulus.clone();
    below[255] -= 1;
    let sealed = ok!(keys.session.encrypt(&bare, keys.public, &below));
    assert_eq!(ok!(keys.session.decrypt(&bare, keys.private, &sealed)), below);
    for high in [keys.key.modulus.clone(), vec![0xff; 256]] {
        fails!(keys.session.encrypt(&bare, keys.public, &high), CKR_DATA_INVALID);
        fails!(keys.session.decrypt(&bare, keys.private, &high), CKR_ENCRYPTED_DATA_INVALID);
    }
}

/// One code, one length told, nothing written: nothing tells one padding from another.
fn pkcs1_decryption_names_every_fault_alike() {
    let keys = RsaPair::new();
    let bare = Mechanism::plain(CKM_RSA_X_509);
    let fine = [vec![0, 2], vec![0xaa; 221], vec![0], vec![7; 32]].concat();
    let changed = |change: &dyn Fn(&mut [u8])| {
        let mut block = fine.clone();
        change(&mut block);
        block
    };
    let faults = [
        ("the first byte", changed(&|block| block[0] = 1)),
        ("the block type 0", changed(&|block| block[1] = 0)),
        ("the block type 1", changed(&|block| block[1] = 1)),
        ("an empty padding", changed(&|block| block[2] = 0)),
        ("a padding of seven", changed(&|block| block[9] = 0)),
        ("no end of the padding", changed(&|block| block[223] = 1)),
        ("all zeros", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
    ];
    let open = |sealed: &[u8]| {
        ok!(Decrypt::init(&keys.session, &Mechanism::plain(CKM_RSA_PKCS), keys.private));
        let mut output = [GUARD; 256];
        let (outcome, length) = Decrypt::whole(&keys.session, sealed, Some(&mut output));
        (outcome, length, output)
    };
    let seal = |block: &[u8]| ok!(keys.session.encrypt(&bare, keys.public, block));
    let (outcome, length, output) = open(&seal(&fine));
    assert_eq!((outcome, length, &output[..32]), (Ok(()), 32, [7; 32].as_slice()));
    let first = open(&seal(&faults[0].1));
    fails!(first.0, CKR_ENCRYPTED_DATA_INVALID, "{}", faults[0].0);
    for (fault, block) in &faults {
        assert_eq!(open(&seal(block)), first, "{fault}");
    }
    assert_eq!(open(&keys.key.modulus), first, "not below the modulus");
    // A good plaintext that does not fit is no fault of the padding, and shows only to who knows its length already.
    ok!(Decrypt::init(&keys.session, &Mechanism::plain(CKM_RSA_PKCS), keys.private));
    let (outcome, length) = Decrypt::whole(&keys.session, &seal(&fine), None);
    assert_eq!(outcome, Ok(()));
    assert!((32..=256).contains(&length), "{length}");
}

fn a_size_query_and_a_short_buffer_change_nothing() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-256");
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), Mechanism::plain(CKM_RSA_X_509), hash.oaep(hash, b"")] {
        ok!(Encrypt::init(&keys.session, &mechanism, keys.public));
        assert_eq!(Encrypt::whole(&keys.session, b"text", None), (Ok(()), 256));
        let mut short = [GUARD; 255];
        let told = Encrypt::whole(&keys.session, b"text", Some(&mut short));
        assert_eq!(told, (Err(Rv(CKR_BUFFER_TOO_SMALL)), 256));
        assert_eq!(short, [GUARD; 255], "nothing is written");
        let mut sealed = [GUARD; 257];
        assert_eq!(Encrypt::whole(&keys.session, b"text", Some(&mut sealed)), (Ok(()), 256));
        assert_eq!(sealed[256], GUARD);
        ok!(Decrypt::init(&keys.session, &mechanism, keys.private));
        let (outcome, room) = Decrypt::whole(&keys.session, &sealed[..256], None);
        assert_eq!(outcome, Ok(()));
        assert!((4..=256).contains(&room), "{room}");
        let mut opened = vec![GUARD; room];
        let (outcome, length) = Decrypt::whole(&keys.session, &sealed[..256], Some(&mut opened));
        assert_eq!(outcome, Ok(()));
        assert!(opened[..length].ends_with(b"text"));
    }
}
