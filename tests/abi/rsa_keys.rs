//! RSA keys as objects: imported from numbers, checked, read back, hidden. PKCS#11 3.2, sections 4.9, 4.10 and 6.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    private_keys_come_with_and_without_primes,
    every_number_reads_back_as_it_went_in,
    private_numbers_are_hidden_where_they_must_be,
    hidden_numbers_are_not_found,
    zeros_in_front_are_no_part_of_a_number,
    private_keys_need_modulus_and_exponents,
    missing_numbers_of_the_remainder_theorem_are_computed,
    each_number_must_agree_with_the_others,
    public_keys_are_checked,
    sizes_are_bounded,
    public_key_info_is_what_openssl_writes,
    public_key_info_must_be_true,
    attributes_of_other_keys_are_refused,
];

fn private_keys_come_with_and_without_primes() {
    let keys = Keys::new();
    let hash = SignatureHash::named("SHA-256");
    for bits in [1024, 1536, 2048, 3072, 4096] {
        let key = RsaKey::of_bits(bits);
        let openssl = Openssl::private(&keys.token.home, &key.pkcs8);
        let theirs = openssl.signs("sha256", &[], b"message");
        for template in [key.private(), key.private_without_primes()] {
            let private = ok!(keys.session.create(&template), "{bits} bits");
            let bare = Mechanism::plain(CKM_RSA_PKCS);
            let info = hash.digest_info(b"message");
            assert_eq!(ok!(keys.session.sign(&bare, private, &info)), theirs, "{bits} bits");
            assert!(!ok!(keys.session.flag(private, CKA_LOCAL)));
            assert!(!ok!(keys.session.flag(private, CKA_ALWAYS_SENSITIVE)));
            assert!(!ok!(keys.session.flag(private, CKA_NEVER_EXTRACTABLE)));
            let made_by = ok!(keys.session.number(private, CKA_KEY_GEN_MECHANISM));
            assert_eq!(made_by, CK_UNAVAILABLE_INFORMATION);
        }
    }
}

/// The primes that were not given are there all the same, and in either order.
fn every_number_reads_back_as_it_went_in() {
    let keys = Keys::new();
    let key = &keys.key;
    let private = ok!(keys.session.create(&readable(key.private())));
    assert_eq!(ok!(keys.session.value(private, CKA_MODULUS)), key.modulus);
    assert_eq!(ok!(keys.session.value(private, CKA_PUBLIC_EXPONENT)), key.exponent);
    for (attribute, number) in &key.private {
        assert_eq!(ok!(keys.session.value(private, *attribute)), *number, "{attribute:#x}");
    }
    let recovered = ok!(keys.session.create(&readable(key.private_without_primes())));
    let read = |attribute| ok!(keys.session.value(recovered, attribute), "{attribute:#x}");
    assert_eq!(read(CKA_PRIVATE_EXPONENT), key.private[0].1);
    let mut primes = [(read(CKA_PRIME_1), read(CKA_EXPONENT_1)), (read(CKA_PRIME_2), read(CKA_EXPONENT_2))];
    let mut expected =
        [(key.private[1].1.clone(), key.private[3].1.clone()), (key.private[2].1.clone(), key.private[4].1.clone())];
    assert!(primes == expected || read(CKA_COEFFICIENT) != key.private[5].1);
    primes.sort();
    expected.sort();
    assert_eq!(primes, expected);
    let public = ok!(keys.session.create(&key.public()));
    assert_eq!(ok!(keys.session.value(public, CKA_MODULUS)), key.modulus);
    assert_eq!(ok!(keys.session.value(public, CKA_PUBLIC_EXPONENT)), key.exponent);
    assert_eq!(ok!(keys.session.number(public, CKA_MODULUS_BITS)), 2048);
}

fn private_numbers_are_hidden_where_they_must_be() {
    let keys = Keys::new();
    for (sensitive, extractable) in [(true, true), (true, false), (false, false)] {
        let told = template![CKA_SENSITIVE => sensitive, CKA_EXTRACTABLE => extractable];
        let private = ok!(keys.session.create(&keys.key.private().and(told)));
        for (attribute, _) in &keys.key.private {
            fails!(keys.session.value(private, *attribute), CKR_ATTRIBUTE_SENSITIVE, "{sensitive} {extractable}");
        }
        let wanted = [(CKA_MODULUS, 256), (CKA_PRIVATE_EXPONENT, 256), (CKA_PUBLIC_EXPONENT, 3), (CKA_PRIME_1, 128)];
        let (outcome, rows) = keys.session.values(private, &wanted);
        fails!(outcome, CKR_ATTRIBUTE_SENSITIVE);
        assert_eq!(rows[0], (256, keys.key.modulus.clone()), "what is open is filled all the same");
        assert_eq!(rows[1], (CK_UNAVAILABLE_INFORMATION, vec![GUARD; 256]));
        assert_eq!(rows[2], (3, keys.key.exponent.clone()));
        assert_eq!(rows[3], (CK_UNAVAILABLE_INFORMATION, vec![GUARD; 128]));
    }
}

fn hidden_numbers_are_not_found() {
    let keys = Keys::new();
    let private = ok!(keys.session.create(&keys.key.private()));
    for (attribute, number) in &keys.key.private {
        let search = Template::default().with(*attribute, number);
        assert!(ok!(keys.session.find(&search)).is_empty(), "{attribute:#x}: a guessing machine");
    }
    let open = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_MODULUS => &keys.key.modulus];
    assert_eq!(ok!(keys.session.find(&open)), [private]);
}

fn zeros_in_front_are_no_part_of_a_number() {
    let keys = Keys::new();
    let zeros = |number: &[u8]| [vec![0; 3], number.to_vec()].concat();
    let public = ok!(keys.session.create(&RsaKey::public_of(&zeros(&keys.key.modulus), &zeros(&keys.key.exponent))));
    assert_eq!(ok!(keys.session.value(public, CKA_MODULUS)), keys.key.modulus);
    assert_eq!(ok!(keys.session.value(public, CKA_PUBLIC_EXPONENT)), keys.key.exponent);
    assert_eq!(ok!(keys.session.number(public, CKA_MODULUS_BITS)), 2048);
    let numbers = keys.key.private.clone().map(|(attribute, number)| (attribute, zeros(&number)));
    let private = ok!(keys.session.create(&readable(keys.key.private_with(&numbers))));
    for (attribute, number) in &keys.key.private {
        assert_eq!(ok!(keys.session.value(private, *attribute)), *number, "{attribute:#x}");
    }
    assert_eq!(ok!(keys.session.find(&template![CKA_MODULUS => &keys.key.modulus])).len(), 2);
}

/// PKCS#11 3.2, section 6.1.3: the public exponent since 2.40.
fn private_keys_need_modulus_and_exponents() {
    let keys = Keys::new();
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA];
    let numbers = [
        (CKA_MODULUS, &keys.key.modulus),
        (CKA_PUBLIC_EXPONENT, &keys.key.exponent),
        (CKA_PRIVATE_EXPONENT, &keys.key.private[0].1),
    ];
    let without = |missing: CK_ATTRIBUTE_TYPE| {
        let rest = numbers.iter().filter(|(attribute, _)| *attribute != missing);
        rest.fold(class.clone(), |template, (attribute, number)| template.with(*attribute, *number))
    };
    ok!(keys.session.create(&without(0)));
    for (missing, _) in &numbers {
        fails!(keys.session.create(&without(*missing)), CKR_TEMPLATE_INCOMPLETE, "{missing:#x}");
    }
    let public = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_RSA];
    for (attribute, number) in &numbers[..2] {
        let outcome = keys.session.create(&public.clone().with(*attribute, *number));
        fails!(outcome, CKR_TEMPLATE_INCOMPLETE, "{attribute:#x} alone");
    }
    fails!(keys.session.create(&template![CKA_CLASS => CKO_PRIVATE_KEY]), CKR_TEMPLATE_INCOMPLETE);
}

/// One prime alone says nothing that can be used.
fn missing_numbers_of_the_remainder_theorem_are_computed() {
    let keys = Keys::new();
    for missing in 1..6 {
        let mut numbers = keys.key.private.to_vec();
        let (attribute, number) = numbers.remove(missing);
        let outcome = keys.session.create(&readable(keys.key.private_with(&numbers)));
        match attribute {
            CKA_PRIME_1 | CKA_PRIME_2 => {
                fails!(outcome, CKR_TEMPLATE_INCOMPLETE | CKR_ATTRIBUTE_VALUE_INVALID, "{attribute:#x}");
            }
            _ => assert_eq!(ok!(keys.session.value(ok!(outcome), attribute)), number, "{attribute:#x}"),
        }
    }
}

fn each_number_must_agree_with_the_others() {
    let keys = Keys::new();
    let last = |number: &[u8], change: u8| {
        let mut changed = number.to_vec();
        *changed.last_mut().unwrap() ^= change;
        changed
    };
    for place in 0..6 {
        for change in [1, 2, 0x80] {
            let mut numbers = keys.key.private.to_vec();
            numbers[place].1 = last(&numbers[place].1, change);
            let attribute = numbers[place].0;
            let outcome = keys.session.create(&keys.key.private_with(&numbers));
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{attribute:#x} ^ {change:#x}");
            if place == 0 {
                let outcome = keys.session.create(&keys.key.private_with(&numbers[..1]));
                fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "without primes, {attribute:#x} ^ {change:#x}");
            }
        }
        let mut numbers = keys.key.private.to_vec();
        for number in [vec![0], vec![1]] {
            numbers[place].1 = number;
            let outcome = keys.session.create(&keys.key.private_with(&numbers));
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{:#x}", numbers[place].0);
        }
    }
    let mut wrong = keys.key.clone();
    wrong.modulus = last(&keys.key.modulus, 2);
    fails!(keys.session.create(&wrong.private()), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_MODULUS");
    fails!(keys.session.create(&wrong.private_without_primes()), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_MODULUS");
    let mut wrong = keys.key.clone();
    wrong.exponent = vec![3];
    fails!(keys.session.create(&wrong.private()), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT");
    fails!(keys.session.create(&wrong.private_without_primes()), CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT");
    let mut swapped = keys.key.private.clone();
    let first = swapped[1].1.clone();
    swapped[1].1 = swapped[2].1.clone();
    swapped[2].1 = first;
    fails!(keys.session.create(&keys.key.private_with(&swapped)), CKR_ATTRIBUTE_VALUE_INVALID, "primes alone swapped");
}

fn public_keys_are_checked() {
    let keys = Keys::new();
    let mut even = keys.key.modulus.clone();
    *even.last_mut().unwrap() &= 0xfe;
    fails!(keys.session.create(&RsaKey::public_of(&even, &[1, 0, 1])), CKR_ATTRIBUTE_VALUE_INVALID, "an even modulus");
    for exponent in [vec![], vec![0], vec![1], vec![2], vec![4], vec![1, 0, 0], keys.key.modulus.clone()] {
        let outcome = keys.session.create(&RsaKey::public_of(&keys.key.modulus, &exponent));
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "exponent {exponent:02x?}");
    }
    for exponent in [vec![3], vec![17], vec![1, 0, 1]] {
        ok!(keys.session.create(&RsaKey::public_of(&keys.key.modulus, &exponent)), "exponent {exponent:02x?}");
    }
}

fn sizes_are_bounded() {
    let keys = Keys::new();
    // A number with just so many bits, and odd.
    let modulus = |bits: usize| {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes.iter_mut().take(1).for_each(|first| *first >>= (8 - bits % 8) % 8);
        bytes
    };
    for bits in [1024, 1536, 2048, 2049, 8192] {
        let public = ok!(keys.session.create(&RsaKey::public_of(&modulus(bits), &[1, 0, 1])), "{bits} bits");
        assert_eq!(ok!(keys.session.number(public, CKA_MODULUS_BITS)), bits as CK_ULONG);
    }
    for bits in [0, 1, 512, 1023, 8193, 16384, 65536] {
        let outcome = keys.session.create(&RsaKey::public_of(&modulus(bits), &[1, 0, 1]));
        fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID, "{bits} bits");
    }
}

fn public_key_info_is_what_openssl_writes() {
    let keys = Keys::new();
    for bits in [1024, 2048, 4096] {
        let key = RsaKey::of_bits(bits);
        let expected = Openssl::private(&keys.token.home, &key.pkcs8).spki();
        let halves = [key.public(), key.private(), key.private_without_primes()];
        for template in halves {
            let half = ok!(keys.session.create(&template), "{bits} bits");
            assert_eq!(ok!(keys.session.value(half, CKA_PUBLIC_KEY_INFO)), expected, "{bits} bits");
        }
    }
}

/// PKCS#11 3.2, section 4.9.
fn public_key_info_must_be_true() {
    let keys = Keys::new();
    let right = Openssl::private(&keys.token.home, &keys.key.pkcs8).spki();
    let other = Openssl::private(&keys.token.home, &RsaKey::of_bits(1024).pkcs8).spki();
    for half in [keys.key.public(), keys.key.private()] {
        ok!(keys.session.create(&half.clone().with(CKA_PUBLIC_KEY_INFO, &right)));
        for wrong in [other.clone(), right[..right.len() - 1].to_vec(), vec![1]] {
            let outcome = keys.session.create(&half.clone().with(CKA_PUBLIC_KEY_INFO, &wrong));
            fails!(outcome, CKR_ATTRIBUTE_VALUE_INVALID);
        }
    }
}

fn attributes_of_other_keys_are_refused() {
    let keys = Keys::new();
    let private = keys.key.private();
    let bits = template![CKA_MODULUS_BITS => 2048];
    fails!(keys.session.create(&private.clone().and(bits)), CKR_TEMPLATE_INCONSISTENT, "of public keys alone");
    for wrong in [
        template![CKA_EC_PARAMS => CURVES[0].params],
        template![CKA_VALUE => &[1; 32]],
        template![CKA_ENCRYPT => true],
        template![CKA_VERIFY => true],
        template![CKA_WRAP => true],
    ] {
        fails!(keys.session.create(&private.clone().and(wrong)), CKR_TEMPLATE_INCONSISTENT);
    }
    for wrong in [
        template![CKA_PRIVATE_EXPONENT => &[3]],
        template![CKA_SIGN => true],
        template![CKA_DECRYPT => true],
        template![CKA_SENSITIVE => true],
        template![CKA_EXTRACTABLE => true],
        template![CKA_ALWAYS_AUTHENTICATE => true],
    ] {
        fails!(keys.session.create(&keys.key.public().and(wrong)), CKR_TEMPLATE_INCONSISTENT);
    }
    for given in [template![CKA_LOCAL => false], template![CKA_KEY_GEN_MECHANISM => CK_UNAVAILABLE_INFORMATION]] {
        fails!(keys.session.create(&keys.key.public().and(given.clone())), CKR_ATTRIBUTE_READ_ONLY);
        fails!(keys.session.create(&private.clone().and(given)), CKR_ATTRIBUTE_READ_ONLY);
    }
}

fn readable(template: Template) -> Template {
    template.and(template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}

struct Keys {
    token: Token,
    session: Session,
    key: RsaKey,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::with_rsa_1024();
        let session = token.user();
        Keys { token, session, key: RsaKey::of_bits(2048) }
    }
}
