//! The examples of `docs/formats.md`.

use super::*;

const TOKEN: TokenId = TokenId(ascending(0x10));
const ID: ObjectId = ObjectId(ascending(0x20));
const VERSION: u64 = 300;
const PIN_ROW: &str = "a600000150606162636465666768696a6b6c6d6e6f021840030104010558282d5175966d0bbe13bb0cba710a110dd75\
                       01c9730a55a7d07010c20c7010e8c071634b9dbbd66bf3a";
const PRIVATE: &str = "a300000100025820707172737475767778797a7b68dc6a80047cdede6bacbc553404aef29395a7a4";
const PRIVATE_KEY: &str = "a400000100025820707172737475767778797a7b68dc6a805704580aa465c73fb1b0c277a185267203582480818\
                           2838485868788898a8b09f9111d38cf8df0035be68832862437ecd50f8dd24b9cd2";
const PUBLIC: &str = "a4000001010244626f64790458204c6961c1ce317b531cb13187be29dca74cfc18ae029b2ee8723aa14d84bfdeb0";
const PUBLIC_KEY: &str = "a5000001010244626f6479035824808182838485868788898a8b09f9111d38cf8df0a608b6d7cb645f0de68c2bec\
                          4fbe1591045820ad6498660532fd1f86b55964282c48e08c3e71f9d2681c16c076ac96af190bbe";
const UNVERIFIED: &str = "a4000001010244626f64790440";

const fn ascending(first: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    let mut i = 0;
    while i < 16 {
        bytes[i] = first + i as u8;
        i += 1;
    }
    bytes
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn rows_open() {
    let pin_row: PinRow = minicbor::decode(&hex(PIN_ROW)).unwrap();
    let master = MasterKey::unlock(&pin_row, Role::User, b"123456", &TOKEN).unwrap().unwrap();
    let login = Seal::new(&master, &TOKEN).unwrap();
    let (blind, plain) = (login.blind(0, b"label"), plain_term(0, b"label"));
    assert_eq!(blind[..], hex("fd513eb78c509e49526cdfd992a97d4f"));
    assert_eq!(plain[..], hex("4e8a2c8f199fa0c7b09a980689930695"));

    for (row, term, verified, has_material) in [
        (PRIVATE, blind, Verified::Yes, false),
        (PRIVATE_KEY, blind, Verified::Yes, true),
        (PUBLIC, plain, Verified::Yes, false),
        (PUBLIC_KEY, plain, Verified::Yes, true),
        (UNVERIFIED, plain, Verified::No, false),
    ] {
        let mut terms = Terms::default();
        terms[0] = Some(term);
        let opened = open(Some(&login), ID, VERSION, &terms, &hex(row)).unwrap().unwrap();
        assert_eq!((&opened.body[..], opened.verified), (&b"body"[..], verified));
        let material = opened.material.map(|material| material.unseal(&login).unwrap().expose().to_vec());
        assert_eq!(material, has_material.then(|| b"material".to_vec()));
    }
    let mut terms = Terms::default();
    terms[0] = Some(plain);
    let unsealed =
        Plain { id: ID, version: 300, visibility: Visibility::Public, body: b"body", material: None, terms: &terms };
    assert_eq!(seal(Some(&login), &unsealed).unwrap(), hex(PUBLIC));
    assert_eq!(seal(None, &unsealed).unwrap(), hex(UNVERIFIED));
    assert_eq!(minicbor::to_vec(&pin_row).unwrap(), hex(PIN_ROW));

    let mut digest = Digest::default();
    digest.add(&login, ID, 300);
    digest.add(&login, ID, 301);
    assert_eq!(digest.0[..], hex("d05f4a7a71a8b8f692b59c15454e6b708e8dc0cf565c7f3447ababbc17c1a952"));
}
