//! What the seal promises: nothing edited, swapped, rolled back in place or brought from elsewhere is taken for genuine;
//! and the bytes that `docs/formats.md` shows, which an implementation in another language made from that page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod pin;
mod published;

use super::row::Row;
use super::*;
use crate::crypto::kdf::Argon2Cost;
use crate::store::Terms;

const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 64, passes: 1, lanes: 1 };
const TOKEN: TokenId = TokenId([0x11; 16]);
const ID: ObjectId = ObjectId([0x22; 16]);
const VERSION: u64 = 5;

/// A logged-in token.
fn login() -> Seal {
    Seal::new(&MasterKey::generate().unwrap(), &TOKEN).unwrap()
}

fn terms(seal: &Seal) -> Terms {
    let mut terms = Terms::default();
    terms[0] = Some(seal.blind(0, b"label"));
    terms[3] = Some(plain_term(3, b"class"));
    terms
}

/// One object of every kind: private and public, with material and without, written with a login and without.
fn rows(login: &Seal, terms: &Terms) -> Vec<(&'static str, Vec<u8>)> {
    let material = Secret::from_slice(b"the value of a key");
    let make =
        |visibility, material| Plain { id: ID, version: VERSION, visibility, body: b"the body", material, terms };
    let (private, public) = (Visibility::Private, Visibility::Public);
    vec![
        ("private", seal(Some(login), &make(private, None)).unwrap()),
        ("private key", seal(Some(login), &make(private, Some(&material))).unwrap()),
        ("public", seal(Some(login), &make(public, None)).unwrap()),
        ("public key", seal(Some(login), &make(public, Some(&material))).unwrap()),
        ("unverified", seal(None, &make(public, None)).unwrap()),
    ]
}

/// Opens body and material, at the place where the row belongs.
fn open_whole(seal: &Seal, terms: &Terms, row: &[u8]) -> Result<(Vec<u8>, Option<Secret>, Verified)> {
    let opened = open(Some(seal), ID, VERSION, terms, row)?.expect("somebody is logged in");
    let material = opened.material.map(|material| material.unseal(seal)).transpose()?;
    Ok((opened.body.to_vec(), material, opened.verified))
}

fn is_refused_by_name<T>(outcome: Result<T>, id: ObjectId) -> bool {
    matches!(outcome.err(), Some(Error::ObjectDamaged(why)) if why.contains(&id.to_string()))
}

#[test]
fn what_was_sealed_opens_again() {
    let login = login();
    let terms = terms(&login);
    for (name, row) in rows(&login, &terms) {
        let (body, material, verified) = open_whole(&login, &terms, &row).unwrap();
        assert_eq!(body, b"the body");
        let material = material.map(|material| material.expose().to_vec());
        assert_eq!(material.as_deref(), name.ends_with("key").then_some(&b"the value of a key"[..]));
        assert_eq!(verified, if name == "unverified" { Verified::No } else { Verified::Yes });
        let private = name.starts_with("private");
        assert_eq!(visibility(ID, &row).unwrap(), if private { Visibility::Private } else { Visibility::Public });
        assert_eq!(row.windows(8).any(|window| window == b"the body"), !private);
        assert!(!row.windows(9).any(|window| window == b"the value"));
    }
}

#[test]
fn without_a_login_private_objects_are_closed_and_public_ones_unproven() {
    let login = login();
    let terms = terms(&login);
    for (name, row) in rows(&login, &terms) {
        let opened = open(None, ID, VERSION, &terms, &row).unwrap();
        let expected = match name {
            "private" | "private key" => None,
            "unverified" => Some(Verified::No),
            _ => Some(Verified::Unknown),
        };
        assert_eq!(opened.as_ref().map(|opened| opened.verified), expected);
        if let Some(material) = opened.and_then(|opened| opened.material) {
            assert!(material.unseal(&login).unwrap() == Secret::from_slice(b"the value of a key"));
        }
    }
    let secret = Secret::from_slice(b"material");
    for (visibility, material) in [(Visibility::Private, None), (Visibility::Public, Some(&secret))] {
        let plain = Plain { id: ID, version: 1, visibility, body: b"", material, terms: &terms };
        assert_eq!(seal(None, &plain), Err(Error::UserNotLoggedIn));
    }
}

#[test]
fn nothing_at_all_can_be_sealed() {
    let login = login();
    let (terms, nothing) = (Terms::default(), Secret::from_slice(b""));
    for visibility in [Visibility::Private, Visibility::Public] {
        let plain = Plain { id: ID, version: VERSION, visibility, body: b"", material: Some(&nothing), terms: &terms };
        let row = seal(Some(&login), &plain).unwrap();
        let (body, material, verified) = open_whole(&login, &terms, &row).unwrap();
        assert!(body.is_empty() && material.unwrap().is_empty() && verified == Verified::Yes);
    }
}

/// Every byte to every other value. Only an unverified object can change unnoticed, and it says so.
#[test]
fn no_changed_byte_is_taken_for_genuine() {
    let login = login();
    let terms = terms(&login);
    for (name, row) in rows(&login, &terms) {
        for position in 0..row.len() {
            for change in 1..=255 {
                let mut damaged = row.clone();
                damaged[position] ^= change;
                match open_whole(&login, &terms, &damaged) {
                    Ok((body, None, Verified::No)) if name == "unverified" => assert_ne!(body, b"the body"),
                    Ok(_) => panic!("{name}: byte {position} changed by {change} was taken"),
                    Err(error) => assert!(is_refused_by_name(Err::<(), _>(error), ID)),
                }
            }
        }
        for length in 0..row.len() {
            assert!(is_refused_by_name(open_whole(&login, &terms, &row[..length]), ID));
            assert!(visibility(ID, &row[..length]).is_err());
        }
        let longer = [&row[..], &[0]].concat();
        assert!(is_refused_by_name(open_whole(&login, &terms, &longer), ID));
    }
}

#[test]
fn no_other_place_takes_a_row() {
    let master = MasterKey::generate().unwrap();
    let login = Seal::new(&master, &TOKEN).unwrap();
    let elsewhere = Seal::new(&master, &TokenId([0x12; 16])).unwrap();
    let stranger = self::login();
    let terms = terms(&login);
    let other_id = ObjectId([0x23; 16]);
    for (name, row) in rows(&login, &terms) {
        if name == "unverified" {
            continue;
        }
        let mut changed = vec![terms; 4];
        changed[0][0] = None;
        changed[1][1] = Some([0; 16]);
        changed[2][0] = Some(login.blind(0, b"lapel"));
        changed[3].swap(0, 3);
        for terms in &changed {
            assert!(is_refused_by_name(open(Some(&login), ID, VERSION, terms, &row), ID), "{name}");
        }
        assert!(is_refused_by_name(open(Some(&login), other_id, VERSION, &terms, &row), other_id), "{name}");
        for version in [0, 4, 6, u64::MAX] {
            assert!(is_refused_by_name(open(Some(&login), ID, version, &terms, &row), ID), "{name}");
        }
        for seal in [&elsewhere, &stranger] {
            assert!(is_refused_by_name(open(Some(seal), ID, VERSION, &terms, &row), ID), "{name}");
        }
        // Read before login, the material is bound to place and token all the same.
        if let Some(material) = open(None, ID, 6, &terms, &row).unwrap().and_then(|opened| opened.material) {
            assert!(is_refused_by_name(material.unseal(&login), ID));
        }
        if let Some(material) = open(None, ID, VERSION, &terms, &row).unwrap().and_then(|opened| opened.material) {
            assert!(is_refused_by_name(material.unseal(&elsewhere), ID));
        }
    }
}

/// Two writes of one version, as after a restored backup: their parts do not mix, and no part can be left out.
#[test]
fn parts_of_rows_cannot_be_combined() {
    let login = login();
    let terms = terms(&login);
    let (first, second) = (rows(&login, &terms), rows(&login, &terms));
    // Private: the body and the material of two writes; a body without its material, material beside a body without.
    let (alone, key) = (Row::parse(&first[0].1).unwrap(), Row::parse(&first[1].1).unwrap());
    let other_key = Row::parse(&second[1].1).unwrap();
    for (body, material) in [(key.body, other_key.material), (key.body, None), (alone.body, key.material)] {
        let row = Row { visibility: Visibility::Private, body, material, mac: None }.encode();
        assert!(is_refused_by_name(open_whole(&login, &terms, &row), ID));
    }
    // Public: another body under the same MAC; a forged body before login, to lend the material other attributes.
    let public = Row::parse(&first[3].1).unwrap();
    for (visibility, material) in [(Visibility::Public, public.material), (Visibility::Public, key.material)] {
        let row = Row { visibility, body: b"extractable", material, mac: public.mac }.encode();
        assert!(is_refused_by_name(open(Some(&login), ID, VERSION, &terms, &row), ID));
        let opened = open(None, ID, VERSION, &terms, &row).unwrap().unwrap();
        assert_eq!(opened.verified, Verified::Unknown);
        assert!(is_refused_by_name(opened.material.unwrap().unseal(&login), ID));
    }
    // Without a MAC there is no material, and a private row has none.
    for (visibility, material, mac) in [
        (Visibility::Public, public.material, Some(&[][..])),
        (Visibility::Public, None, None),
        (Visibility::Public, None, Some(&[1; 31][..])),
        (Visibility::Private, None, Some(&[])),
        (Visibility::Private, None, public.mac),
    ] {
        let row = Row { visibility, body: b"body", material, mac }.encode();
        assert!(is_refused_by_name(open(Some(&login), ID, VERSION, &terms, &row), ID));
        assert!(is_refused_by_name(open(None, ID, VERSION, &terms, &row), ID));
    }
}

#[test]
fn the_same_object_is_never_sealed_to_the_same_bytes() {
    let login = login();
    let terms = terms(&login);
    for ((name, first), (_, second)) in rows(&login, &terms).into_iter().zip(rows(&login, &terms)) {
        assert_eq!(first == second, matches!(name, "public" | "unverified"), "{name}");
    }
}

#[test]
fn a_row_of_another_format_is_refused_with_both_formats() {
    for (row, format) in [
        (&[0xa1, 0x00, 0x00][..], "format 0,"),
        (&[0xa1, 0x00, 0x02][..], "format 2,"),
        (&[0xa2, 0x00, 0x18, 0x63, 0x18, 0x20, 0x00], "format 99,"),
    ] {
        let Err(Error::ObjectDamaged(why)) = visibility(ID, row) else { panic!("taken") };
        assert!(why.contains(format) && why.contains("format 1"), "{why}");
    }
}

#[test]
fn terms_tell_columns_values_and_keys_apart() {
    let (login, other) = (login(), self::login());
    assert_eq!(login.blind(0, b"a"), login.blind(0, b"a"));
    let all = [
        login.blind(0, b"a"),
        login.blind(1, b"a"),
        login.blind(0, b"b"),
        login.blind(0, b""),
        other.blind(0, b"a"),
        plain_term(0, b"a"),
        plain_term(1, b"a"),
        plain_term(0, b"b"),
    ];
    for (index, term) in all.iter().enumerate() {
        assert!(!all[..index].contains(term));
    }
}

const ROW: RowHash = RowHash([7; 32]);

#[test]
fn a_digest_depends_on_every_object_and_on_no_order() {
    let login = login();
    let objects: Vec<_> = (0..50u8).map(|n| (ObjectId([n; 16]), u64::from(n) + 1)).collect();
    let (mut forward, mut backward) = (Digest::default(), Digest::default());
    objects.iter().for_each(|(id, version)| forward.add(&login, Counted::Object, *id, *version, &ROW));
    objects.iter().rev().for_each(|(id, version)| backward.add(&login, Counted::Object, *id, *version, &ROW));
    assert_eq!(forward, backward);
    let mut older = forward;
    older.remove(&login, Counted::Object, objects[7].0, 8, &ROW);
    assert_ne!(older, forward);
    older.add(&login, Counted::Object, objects[7].0, 7, &ROW);
    assert_ne!(older, forward);
    let (mut object, mut tombstone) = (Digest::default(), Digest::default());
    object.add(&login, Counted::Object, ID, 1, &ROW);
    tombstone.add(&login, Counted::Tombstone, ID, 1, &ROW);
    assert_ne!(object, tombstone);
    assert_eq!(object.plus(&tombstone), tombstone.plus(&object));
    let mut other = Digest::default();
    other.add(&login, Counted::Object, ID, 1, &RowHash::of(b"another row of this version"));
    assert_ne!(object, other);
    for (id, version) in objects {
        forward.remove(&login, Counted::Object, id, version, &ROW);
    }
    assert_eq!(forward, Digest::default());
    let mut stranger = Digest::default();
    stranger.add(&self::login(), Counted::Object, ID, 1, &ROW);
    backward = Digest::default();
    backward.add(&login, Counted::Object, ID, 1, &ROW);
    assert_ne!(stranger, backward);
}

#[test]
fn a_sealed_digest_opens_for_its_token_only_and_tells_nothing() {
    let master = MasterKey::generate().unwrap();
    let login = Seal::new(&master, &TOKEN).unwrap();
    let mut digest = Digest::default();
    digest.add(&login, Counted::Object, ID, 1, &ROW);
    let (sealed, again) = (digest.seal(&login).unwrap(), digest.seal(&login).unwrap());
    assert!(sealed != again && sealed.len() == 60);
    assert_eq!(Digest::open(&login, &sealed), Some(digest));
    for other in [Seal::new(&master, &TokenId([0x12; 16])).unwrap(), self::login()] {
        assert_eq!(Digest::open(&other, &sealed), None);
    }
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(Digest::open(&login, &changed).is_none() && Digest::open(&login, &sealed[..at]).is_none());
    }
    // Neither a body nor material of an object serves as one.
    for (name, row) in rows(&login, &terms(&login)) {
        let row = Row::parse(&row).unwrap();
        assert!(Digest::open(&login, row.body).is_none(), "{name}");
        assert!(row.material.is_none_or(|material| Digest::open(&login, material).is_none()), "{name}");
    }
}

#[test]
fn what_a_token_row_says_is_authentic_word_for_word() {
    let master = MasterKey::generate().unwrap();
    let login = Seal::new(&master, &TOKEN).unwrap();
    let (label, serial) = (&[b'l'; 32], &[b'0'; 16]);
    let facts = TokenFacts { label, serial, maskable: false };
    let mac = login.mac_of_token_row(&facts);
    assert!(login.is_token_row(&facts, &mac));
    for other in [
        TokenFacts { label: &[b'm'; 32], ..facts },
        TokenFacts { serial: &[b'1'; 16], ..facts },
        TokenFacts { maskable: true, ..facts },
    ] {
        assert!(!login.is_token_row(&other, &mac));
    }
    for other in [Seal::new(&master, &TokenId([0x12; 16])).unwrap(), self::login()] {
        assert!(!other.is_token_row(&facts, &mac));
    }
}

#[test]
fn sealing_needs_a_small_stack_only() {
    let work = || {
        let master = MasterKey::generate().unwrap();
        let row = master.lock(Role::So, b"12345678", &TOKEN, CHEAP, None).unwrap();
        let master = MasterKey::unlock(&row, Role::So, b"12345678", &TOKEN, None).unwrap().unwrap();
        let login = Seal::new(&master, &TOKEN).unwrap();
        let terms = terms(&login);
        rows(&login, &terms).iter().for_each(|(_, row)| drop(open_whole(&login, &terms, row).unwrap()));
    };
    std::thread::Builder::new().stack_size(32 * 1024).spawn(work).unwrap().join().unwrap();
}
