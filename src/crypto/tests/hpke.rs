//! HPKE with X-Wing: the published vector, whose suite has another AEAD than ours, and what leads from it to ours, computed here a
//! second time. Grants of a second implementation are in `tests/domains`.

use super::{Algorithm, GcmKey, HmacKey, InOut, Secret, hex};
use crate::crypto::gcm::TAG;
use crate::crypto::hash::sha256;
use crate::crypto::hpke::{PrivateKey, PublicKey, Sealed};

const PURPOSE: &[u8] = b"a purpose";

/// draft-ietf-hpke-pq
fn vector(name: &str) -> Vec<u8> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/draft-hpke-pq-xwing.txt"));
    let found = text.lines().find_map(|line| line.split_once(" = ").filter(|(own, _)| *own == name));
    hex(found.unwrap().1)
}

/// The key and the nonce: RFC 9180, section 5.1, for base mode and HKDF-SHA-256.
fn schedule(aead: u8, shared: &[u8], info: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let suite = [&b"HPKE"[..], &[0x64, 0x7a, 0, 1, 0, aead]].concat();
    let mac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = HmacKey::new(Algorithm::Sha256, key).begin();
        parts.iter().for_each(|part| mac.update(part));
        mac.finish().as_ref().to_vec()
    };
    let extract = |salt: &[u8], label: &[u8], ikm: &[u8]| mac(salt, &[b"HPKE-v1", &suite, label, ikm]);
    let context = [&[0], &extract(&[], b"psk_id_hash", &[])[..], &extract(&[], b"info_hash", info)].concat();
    let secret = extract(shared, b"secret", &[]);
    let expand = |label: &[u8], length: u8| {
        let mut long = mac(&secret, &[&[0, length], b"HPKE-v1", &suite, label, &context, &[1]]);
        long.truncate(length.into());
        long
    };
    (expand(b"key", 32), expand(b"base_nonce", 12))
}

#[test]
fn the_published_vector_leads_to_our_suite() {
    assert_eq!(schedule(3, &vector("shared"), &vector("info")), (vector("key"), vector("nonce")));
    let private = PrivateKey::from_seed(&Secret::new(vector("seed"))).unwrap();
    assert_eq!(private.public(), vector("public"));
    let (key, nonce) = schedule(2, &vector("shared"), &[PURPOSE, &sha256(&[b"bound"])].concat());
    let mut ciphertext = vec![0; 7 + TAG];
    let io = &mut InOut::from_slices(b"message", &mut ciphertext);
    GcmKey::new(&key).unwrap().seal(&nonce, &[], TAG, io).unwrap();
    let sealed = Sealed { encapsulated: vector("encapsulated"), ciphertext };
    assert_eq!(private.open(PURPOSE, b"bound", &sealed).unwrap().as_slice(), b"message");
}

#[test]
fn a_message_opens_for_its_key_and_purpose_and_as_it_was_bound() {
    let private = [1, 2].map(|byte| PrivateKey::from_seed(&Secret::new(vec![byte; 32])).unwrap());
    let public = PublicKey::from_bytes(&private[0].public()).unwrap();
    let mut sealed = public.seal(PURPOSE, b"bound", b"message").unwrap();
    assert_eq!((sealed.encapsulated.len(), sealed.ciphertext.len()), (1120, 7 + TAG));
    assert_eq!(private[0].open(PURPOSE, b"bound", &sealed).unwrap().as_slice(), b"message");
    assert!(private[1].open(PURPOSE, b"bound", &sealed).is_err());
    assert!(private[0].open(b"another", b"bound", &sealed).is_err());
    assert!(private[0].open(PURPOSE, b"bounds", &sealed).is_err());
    for place in [0, 600, 1119] {
        sealed.encapsulated[place] ^= 1;
        assert!(private[0].open(PURPOSE, b"bound", &sealed).is_err());
        sealed.encapsulated[place] ^= 1;
    }
    sealed.ciphertext[0] ^= 1;
    assert!(private[0].open(PURPOSE, b"bound", &sealed).is_err());
    sealed.ciphertext.clear();
    assert!(private[0].open(PURPOSE, b"bound", &sealed).is_err());
    let again = public.seal(PURPOSE, b"bound", b"message").unwrap();
    assert!(again.encapsulated != sealed.encapsulated, "another key each time");
}

#[test]
fn keys_of_other_lengths_and_points_out_of_range_are_refused() {
    assert!(PrivateKey::from_seed(&Secret::zeroed(31)).is_err() && PrivateKey::from_seed(&Secret::zeroed(33)).is_err());
    let public = vector("public");
    assert!(PublicKey::from_bytes(&public[1..]).is_err() && PublicKey::from_bytes(&[]).is_err());
    assert!(PublicKey::from_bytes(&[0xff; 1216]).is_err());
}
