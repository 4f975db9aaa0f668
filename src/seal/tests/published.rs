//! The examples of `docs/formats.md`.

use super::*;

const TOKEN: TokenId = TokenId(ascending(0x10));
const ID: ObjectId = ObjectId(ascending(0x20));
const VERSION: u64 = 300;
const PIN_ROW: &str = "a600010150606162636465666768696a6b6c6d6e6f02184003010401055828453dac43d0bb4b73935a36804c59fa3de\
                       06236446b0c5f3a86675f44231026da105f3a75b19c3f40";
const PIN_ROW_HOST: &str = "a700010150606162636465666768696a6b6c6d6e6f02184003010401055828f2608087a869c02ed6e54ead5799\
                            e680dc773722d47c695d49f5933632feb33041123292bf792cdd0650aab3e97ff6851d060d897e0e119dd2cf";
const PRIVATE: &str = "a300010100025820707172737475767778797a7bb85a3d5643ddb6a4bb0e9333be5367b7f7cb671c";
const PRIVATE_KEY: &str = "a400010100025820707172737475767778797a7bb85a3d56b1a57a2f3afb3a97e7548e756f9f50e803582480818\
                           2838485868788898a8b2bead882ab3db03ee8169ae5b2c6eb3bf03a13c4e68b1fa5";
const PUBLIC: &str = "a4000101010244626f64790458205db8eb3483bbbc47a7bf070f0c8d78810e767b51c1152e22c1b01e272d33cfba";
const PUBLIC_KEY: &str = "a5000101010244626f6479035824808182838485868788898a8b2bead882ab3db03e1518562a10236594a41b0759\
                          fd224663045820328bfeb63559f09fd97fb9b0a99d3c757c2abe2f80c1d862487515cb5a673f5e";
const SEALED_DIGEST: &str = "a0a1a2a3a4a5a6a7a8a9aaab49d8278dfe2992930155f6251bc56a57e81092dd55192ed22423cd9de7b22f3df2168421\
                             2b468adf5cd42c0f6da9d690";
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
    let master = MasterKey::unlock(&pin_row, Role::User, b"123456", &TOKEN, None).unwrap().unwrap();
    let host = HostKey::new(std::sync::Arc::new(Ok(Secret::from_slice(&[ascending(0xc0), ascending(0xd0)].concat()))));
    let under_host: PinRow = minicbor::decode(&hex(PIN_ROW_HOST)).unwrap();
    let same = MasterKey::unlock(&under_host, Role::User, b"123456", &TOKEN, Some(&host)).unwrap().unwrap();
    assert!(*same.secret() == *master.secret());
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
    digest.add(&login, Counted::Object, ID, 300, &RowHash::of(&hex(PUBLIC)));
    digest.add(&login, Counted::Tombstone, ID, 301, &RowHash::of(b"one"));
    assert_eq!(Digest::open(&login, &hex(SEALED_DIGEST)), Some(digest));
    let mut label = [b' '; 32];
    label[..7].copy_from_slice(b"a label");
    let facts = TokenFacts { label: &label, serial: b"8899aabbccddeeff", maskable: true };
    assert_eq!(login.mac_of_token_row(&facts)[..], hex(TOKEN_ROW_MAC));
    assert_eq!(digest.0.0[..], hex("c3ac5dcd75b94c86f45484a9e6e763269e06f738688afa053afb1dce850482e7"));
}
