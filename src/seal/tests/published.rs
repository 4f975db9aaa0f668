//! The examples of `docs/formats.md`.

use super::*;

const TOKEN: TokenId = TokenId(ascending(0x10));
const ID: ObjectId = ObjectId(ascending(0x20));
const VERSION: u64 = 300;
const PIN_ROW: &str = "a600010150606162636465666768696a6b6c6d6e6f02184003010401055828453dac43d0bb4b73935a36804c59fa3de\
                       06236446b0c5f3a86675f44231026da105f3a75b19c3f40";
const PRIVATE: &str = "a300010100025820707172737475767778797a7bb85a3d5643ddb6a4bb0e9333be5367b7f7cb671c";
const PRIVATE_KEY: &str = "a400010100025820707172737475767778797a7bb85a3d56b1a57a2f3afb3a97e7548e756f9f50e803582480818\
                           2838485868788898a8b2bead882ab3db03ee8169ae5b2c6eb3bf03a13c4e68b1fa5";
const PUBLIC: &str = "a4000101010244626f64790458205db8eb3483bbbc47a7bf070f0c8d78810e767b51c1152e22c1b01e272d33cfba";
const PUBLIC_KEY: &str = "a5000101010244626f6479035824808182838485868788898a8b2bead882ab3db03e1518562a10236594a41b0759\
                          fd224663045820328bfeb63559f09fd97fb9b0a99d3c757c2abe2f80c1d862487515cb5a673f5e";
const SEALED_DIGEST: &str = "a0a1a2a3a4a5a6a7a8a9aaab90e4037de1ee3ae9cc1ecc8a275261c28ef0a52736f8058654f9a92f0c2944f2f\
                             05de8e86f1abd87d6543a132d72e2b3";
const TOKEN_ROW_MAC: &str = "52d530c38e2fb86e96e58e5861bec1d9faf0a4ef9c4017fa1a01ccbba7529c58";
const UNVERIFIED: &str = "a4000101010244626f64790440";

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
    assert_eq!(blind[..], hex("8849abfce81cde030f1479cbef9997b6"));
    assert_eq!(plain[..], hex("6f6fce2891035e9659614daaa667e932"));

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
    digest.add(&login, Counted::Object, ID, 300);
    digest.add(&login, Counted::Tombstone, ID, 301);
    assert_eq!(Digest::open(&login, &hex(SEALED_DIGEST)), Some(digest));
    let mut label = [b' '; 32];
    label[..7].copy_from_slice(b"a label");
    let facts = TokenFacts { label: &label, serial: b"8899aabbccddeeff", maskable: true };
    assert_eq!(login.mac_of_token_row(&facts)[..], hex(TOKEN_ROW_MAC));
    assert_eq!(digest.0[..], hex("1a90793d6a7ee4fc391fbe06da7068b3f8e6c0c20b6bd1514a21797c6e9fe928"));
}
