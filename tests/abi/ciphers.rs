//! AES-ECB, CBC and CBC-PAD; and what every cipher does alike: parts, buffers, input and output in one place.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    ecb_gives_the_known_answers,
    cbc_gives_the_known_answers,
    cbc_pad_agrees_with_openssl,
    splits_agree_with_one_call,
    updates_give_what_can_be_computed,
    size_query_tells_enough_and_consumes_nothing,
    small_buffers_keep_the_operation,
    nothing_is_written_behind_the_room,
    one_call_works_in_place,
    parts_work_in_place,
    nothing_is_input_too,
];

/// NIST SP 800-38A, appendix F.1: key, ciphertext of the plaintext below.
const ECB: [[&str; 2]; 3] = [
    [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
         43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    ],
    [
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef\
         ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
    ],
    [
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870\
         b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
    ],
];

/// NIST SP 800-38A, appendix F.2: key, ciphertext of the same plaintext.
const CBC: [[&str; 2]; 3] = [
    [
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
         73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    ],
    [
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
         571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    ],
    [
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
         39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    ],
];

const PLAINTEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

fn ecb_gives_the_known_answers() {
    let token = Token::new();
    let session = token.user();
    for vector in ECB {
        let [key, ciphertext] = vector.map(unhex);
        let key = ok!(session.aes_key_of(&key, template![]));
        assert_eq!(ok!(session.encrypt(&ecb(), key, &unhex(PLAINTEXT))), ciphertext);
        assert_eq!(ok!(session.decrypt(&ecb(), key, &ciphertext)), unhex(PLAINTEXT));
    }
}

fn cbc_gives_the_known_answers() {
    let token = Token::new();
    let session = token.user();
    let iv: Vec<u8> = (0..16).collect();
    let cbc = Mechanism::with(CKM_AES_CBC, &iv);
    for vector in CBC {
        let [key, ciphertext] = vector.map(unhex);
        let key = ok!(session.aes_key_of(&key, template![]));
        assert_eq!(ok!(session.encrypt(&cbc, key, &unhex(PLAINTEXT))), ciphertext);
        assert_eq!(ok!(session.decrypt(&cbc, key, &ciphertext)), unhex(PLAINTEXT));
    }
}

fn cbc_pad_agrees_with_openssl() {
    let token = Token::new();
    let session = token.user();
    for length in [16, 24, 32] {
        let value = ok!(session.random(length));
        let key = ok!(session.aes_key_of(&value, template![]));
        let iv = ok!(session.random(16));
        let cipher = format!("aes-{}-cbc", length * 8);
        for size in [0, 1, 15, 16, 17, 100, 4096] {
            let text = ok!(session.random(size));
            let sealed = ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &iv), key, &text));
            assert_eq!(openssl_enc("-d", &cipher, &value, &hex(&iv), &sealed), text);
            let theirs = openssl_enc("-e", &cipher, &value, &hex(&iv), &text);
            assert_eq!(ok!(session.decrypt(&Mechanism::with(CKM_AES_CBC_PAD, &iv), key, &theirs)), text);
        }
    }
}

/// Every split into two and three parts, and byte by byte.
fn splits_agree_with_one_call() {
    let Bench { session, key, .. } = &Bench::new();
    for (mechanism, block, longest) in
        [(&ecb(), 16, 64), (&cbc(), 16, 64), (&cbc_pad(), 1, 49), (&ctr(), 1, 49), (&gcm(), 1, 49)]
    {
        for length in (0..=longest).step_by(block) {
            let text = message(length);
            let sealed = ok!(session.encrypt(mechanism, *key, &text));
            splits_agree::<Encrypt>(session, mechanism, *key, &text, &sealed);
            splits_agree::<Decrypt>(session, mechanism, *key, &sealed, &text);
        }
    }
}

fn splits_agree<O: Operation>(
    session: &Session,
    mechanism: &Mechanism,
    key: CK_OBJECT_HANDLE,
    input: &[u8],
    output: &[u8],
) {
    for first in 0..=input.len() {
        let (one, rest) = input.split_at(first);
        assert_eq!(ok!(O::parts(session, mechanism, key, [one, rest])), output, "{first} of {}", input.len());
        for second in (0..=rest.len()).step_by(7) {
            let (two, three) = rest.split_at(second);
            let parts = ok!(O::parts(session, mechanism, key, [one, two, three]));
            assert_eq!(parts, output, "{first} and {second} of {}", input.len());
        }
    }
    assert_eq!(ok!(O::parts(session, mechanism, key, input.chunks(1))), output, "bytes of {}", input.len());
}

/// PKCS#11 3.2, section 5.2: all that can be computed. With padding the last block is kept back, in GCM everything.
fn updates_give_what_can_be_computed() {
    let Bench { session, key, .. } = &Bench::new();
    type Given = fn(usize) -> usize;
    let cases: [(&Mechanism, Given, Given); 5] = [
        (&ecb(), |taken| taken / 16 * 16, |taken| taken / 16 * 16),
        (&ctr(), |taken| taken, |taken| taken),
        (&cbc(), |taken| taken / 16 * 16, |taken| taken / 16 * 16),
        (&cbc_pad(), |taken| taken / 16 * 16, |taken| taken.saturating_sub(1) / 16 * 16),
        (&gcm(), |taken| taken, |_| 0),
    ];
    for (mechanism, encrypted, decrypted) in cases {
        for part in [1, 5, 15, 16, 17, 33] {
            given_by::<Encrypt>(session, mechanism, *key, part, encrypted);
            given_by::<Decrypt>(session, mechanism, *key, part, decrypted);
        }
    }
}

fn given_by<O: Operation>(
    session: &Session,
    mechanism: &Mechanism,
    key: CK_OBJECT_HANDLE,
    part: usize,
    expected: fn(usize) -> usize,
) {
    ok!(O::init(session, mechanism, key));
    let (mut taken, mut given) = (0, 0);
    for _ in 0..6 {
        taken += part;
        let (outcome, length) = O::update(session, &message(part), Some(&mut [0; 64]));
        ok!(outcome);
        given += length;
        assert_eq!(given, expected(taken), "after {taken} bytes in parts of {part}");
    }
    ok!(session.cancel(CKF_ENCRYPT | CKF_DECRYPT));
}

fn size_query_tells_enough_and_consumes_nothing() {
    let bench = Bench::new();
    for Case { mechanism, text, sealed } in bench.cases() {
        let (session, key) = (&bench.session, bench.key);
        size_queries::<Encrypt>(session, &mechanism, key, &text, &sealed);
        size_queries::<Decrypt>(session, &mechanism, key, &sealed, &text);
    }
}

fn size_queries<O: Operation>(
    session: &Session,
    mechanism: &Mechanism,
    key: CK_OBJECT_HANDLE,
    input: &[u8],
    output: &[u8],
) {
    ok!(O::init(session, mechanism, key));
    let (outcome, told) = O::whole(session, input, None);
    ok!(outcome);
    assert!((output.len()..=output.len() + 16).contains(&told), "told {told} for {}", output.len());
    let mut whole = vec![0; told];
    let (outcome, length) = O::whole(session, input, Some(&mut whole));
    ok!(outcome);
    assert_eq!(&whole[..length], output);

    ok!(O::init(session, mechanism, key));
    let mut all: Vec<u8> = Vec::new();
    for part in input.chunks(21) {
        let (outcome, told) = O::update(session, part, None);
        ok!(outcome);
        let mut given = vec![0; told];
        let (outcome, length) = O::update(session, part, Some(&mut given));
        ok!(outcome);
        all.extend(&given[..length]);
    }
    let (outcome, told) = O::last(session, None);
    ok!(outcome);
    let mut given = vec![0; told];
    let (outcome, length) = O::last(session, Some(&mut given));
    ok!(outcome);
    all.extend(&given[..length]);
    assert_eq!(all, output);
}

fn small_buffers_keep_the_operation() {
    let bench = Bench::new();
    for Case { mechanism, text, sealed } in bench.cases() {
        let (session, key) = (&bench.session, bench.key);
        small_buffers::<Encrypt>(session, &mechanism, key, &text, &sealed);
        small_buffers::<Decrypt>(session, &mechanism, key, &sealed, &text);
    }
}

fn small_buffers<O: Operation>(
    session: &Session,
    mechanism: &Mechanism,
    key: CK_OBJECT_HANDLE,
    input: &[u8],
    output: &[u8],
) {
    ok!(O::init(session, mechanism, key));
    for room in 0..output.len() {
        let mut small = vec![GUARD; room];
        let (outcome, told) = O::whole(session, input, Some(&mut small));
        fails!(outcome, CKR_BUFFER_TOO_SMALL, "room {room} of {}", output.len());
        assert!(told >= output.len(), "told {told} for {}", output.len());
        assert!(small.iter().all(|byte| *byte == GUARD), "nothing is written into a room of {room}");
    }
    let mut exact = vec![0; output.len()];
    let (outcome, length) = O::whole(session, input, Some(&mut exact));
    ok!(outcome, "exact {} for input {}, told {length}", output.len(), input.len());
    assert_eq!(&exact[..length], output);

    ok!(O::init(session, mechanism, key));
    let mut all = Vec::new();
    for part in input.chunks(40) {
        small_then_enough(&mut all, |room| O::update(session, part, Some(room)));
    }
    small_then_enough(&mut all, |room| O::last(session, Some(room)));
    assert_eq!(all, output);
}

/// A call with no room and then with enough; what it gave goes to `all`.
fn small_then_enough(all: &mut Vec<u8>, mut call: impl FnMut(&mut [u8]) -> (Result, usize)) {
    let (outcome, told) = call(&mut []);
    if outcome.is_ok() {
        assert_eq!(told, 0);
        return;
    }
    fails!(outcome, CKR_BUFFER_TOO_SMALL);
    let mut given = vec![0; told];
    let (outcome, length) = call(&mut given);
    ok!(outcome, "told {told}");
    all.extend(&given[..length]);
}

fn nothing_is_written_behind_the_room() {
    let bench = Bench::new();
    for Case { mechanism, text, sealed } in bench.cases() {
        let (session, key) = (&bench.session, bench.key);
        ok!(Encrypt::init(session, &mechanism, key));
        guarded(&sealed, |room| Encrypt::whole(session, &text, Some(room)));
        ok!(Decrypt::init(session, &mechanism, key));
        guarded(&text, |room| Decrypt::whole(session, &sealed, Some(room)));
    }
}

fn guarded(expected: &[u8], call: impl FnOnce(&mut [u8]) -> (Result, usize)) {
    let mut memory = vec![GUARD; expected.len() + 64];
    let (outcome, length) = call(&mut memory[..expected.len()]);
    ok!(outcome);
    assert_eq!(&memory[..length], expected);
    assert!(memory[expected.len()..].iter().all(|byte| *byte == GUARD));
}

fn one_call_works_in_place() {
    let bench = Bench::new();
    for Case { mechanism, text, sealed } in bench.cases() {
        let (session, key) = (&bench.session, bench.key);
        let mut buffer = text.clone();
        buffer.resize(sealed.len(), 0);
        ok!(Encrypt::init(session, &mechanism, key));
        let (outcome, length) = session.encrypt_in_place(&mut buffer, text.len());
        ok!(outcome);
        assert_eq!(buffer[..length], sealed);
        ok!(Decrypt::init(session, &mechanism, key));
        let (outcome, length) = session.decrypt_in_place(&mut buffer, sealed.len());
        ok!(outcome);
        assert_eq!(buffer[..length], text);
    }
}

/// Each part's output lands where its input begins, or where the output so far ends, which lags behind.
fn parts_work_in_place() {
    let bench = Bench::new();
    for Case { mechanism, text, sealed } in bench.cases() {
        for part in [1, 7, 16, 24] {
            let (session, key) = (&bench.session, bench.key);
            let mut buffer = [text.as_slice(), &[0; 64]].concat();
            ok!(Encrypt::init(session, &mechanism, key));
            let mut given =
                through(&mut buffer, text.len(), part, |at, from, size, to| session.encrypt_within(at, from, size, to));
            let (outcome, length) = Encrypt::last(session, Some(&mut buffer[given..]));
            ok!(outcome);
            given += length;
            assert_eq!(buffer[..given], sealed, "parts of {part}");

            ok!(Decrypt::init(session, &mechanism, key));
            let mut given = through(&mut buffer, sealed.len(), part, |at, from, size, to| {
                session.decrypt_within(at, from, size, to)
            });
            let (outcome, length) = Decrypt::last(session, Some(&mut buffer[given..]));
            ok!(outcome);
            given += length;
            assert_eq!(buffer[..given], text, "parts of {part}");
        }
    }
}

/// Updates from a buffer into itself; the length of the output.
fn through(
    buffer: &mut [u8],
    length: usize,
    part: usize,
    call: impl Fn(&mut [u8], usize, usize, usize) -> (Result, usize),
) -> usize {
    let (mut from, mut to) = (0, 0);
    while from < length {
        let size = part.min(length - from);
        let (outcome, given) = call(buffer, from, size, to);
        ok!(outcome);
        from += size;
        to += given;
    }
    to
}

/// Zero bytes of input, as NULL and as an empty buffer. PKCS#11 3.2, section 5.2.
fn nothing_is_input_too() {
    let Bench { session, key, .. } = &Bench::new();
    for (mechanism, length) in [(&ecb(), 0), (&cbc(), 0), (&cbc_pad(), 16), (&ctr(), 0), (&gcm(), 16)] {
        let sealed = ok!(session.encrypt(mechanism, *key, &[]));
        assert_eq!(sealed.len(), length);
        assert_eq!(ok!(session.decrypt(mechanism, *key, &sealed)), b"");
        assert_eq!(ok!(Encrypt::parts(session, mechanism, *key, [])), sealed, "Init and Final alone");
        ok!(Encrypt::init(session, mechanism, *key));
        let mut output = [0; 64];
        let (outcome, given) = session.encrypt_nothing(&mut output);
        ok!(outcome);
        assert_eq!(output[..given], sealed);
    }
}
