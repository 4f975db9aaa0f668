//! The master key under a PIN.

use std::sync::Arc;

use super::*;

#[test]
fn only_the_right_pin_role_and_token_unlock() {
    let master = MasterKey::generate().unwrap();
    let row = master.lock(Role::User, b"123456", &TOKEN, CHEAP, None).unwrap();
    assert_eq!((row.wrapped.len(), row.cost), (40, CHEAP));
    let same = MasterKey::unlock(&row, Role::User, b"123456", &TOKEN, None).unwrap().unwrap();
    assert!(*same.secret() == *master.secret());
    for pin in [&b"123457"[..], b"", b"12345", b"1234567", b"123456\0"] {
        assert!(MasterKey::unlock(&row, Role::User, pin, &TOKEN, None).unwrap().is_none());
    }
    assert!(MasterKey::unlock(&row, Role::So, b"123456", &TOKEN, None).unwrap().is_none());
    assert!(MasterKey::unlock(&row, Role::User, b"123456", &TokenId([0x12; 16]), None).unwrap().is_none());
    let again = master.lock(Role::User, b"123456", &TOKEN, CHEAP, None).unwrap();
    assert!(again.salt != row.salt && again.wrapped != row.wrapped);
    assert!(MasterKey::unlock(&row, Role::So, b"", &TOKEN, None).unwrap().is_none());
    let dear = Argon2Cost { memory_kib: 128, ..CHEAP };
    assert!(
        MasterKey::unlock(&PinRow { cost: dear, ..row.clone() }, Role::User, b"123456", &TOKEN, None)
            .unwrap()
            .is_none()
    );
    for bit in 0..320 {
        let mut damaged = row.clone();
        damaged.wrapped[bit / 8] ^= 1 << (bit % 8);
        assert!(MasterKey::unlock(&damaged, Role::User, b"123456", &TOKEN, None).unwrap().is_none());
    }
    let short = PinRow { wrapped: row.wrapped[..32].to_vec(), ..row.clone() };
    let absurd = PinRow { cost: Argon2Cost { memory_kib: u32::MAX, ..CHEAP }, ..row };
    for damaged in [short, absurd] {
        let outcome = MasterKey::unlock(&damaged, Role::User, b"123456", &TOKEN, None);
        assert!(matches!(outcome, Err(Error::DeviceError(_))));
    }
}

#[test]
fn a_pin_row_is_read_only_in_the_form_it_is_written() {
    let row = PinRow { salt: [7; 16], cost: Argon2Cost::DEFAULT, wrapped: vec![9; 40], host_key: None };
    let bytes = minicbor::to_vec(&row).unwrap();
    assert_eq!(minicbor::decode::<PinRow>(&bytes).unwrap(), row);
    // Inside of something else, and followed by more.
    let pair: (PinRow, u8) = minicbor::decode(&minicbor::to_vec((&row, 3u8)).unwrap()).unwrap();
    assert_eq!(pair, (row.clone(), 3));
    for position in 0..bytes.len() {
        for change in 1..=255 {
            let mut damaged = bytes.clone();
            damaged[position] ^= change;
            assert_ne!(minicbor::decode::<PinRow>(&damaged).ok().as_ref(), Some(&row));
        }
        assert!(minicbor::decode::<PinRow>(&bytes[..position]).is_err());
    }
    // Passes 2 in two bytes; one key more; a map of unknown length; another format.
    let passes = bytes.windows(2).position(|window| window == [0x03, 0x02]).unwrap();
    let longer = [&bytes[..=passes], &[0x18, 0x02], &bytes[passes + 2..]].concat();
    let more = [&[0xa7], &bytes[1..], &[0x06, 0x00]].concat();
    let unknown_length = [&[0xbf], &bytes[1..], &[0xff]].concat();
    let mut newer = bytes.clone();
    newer[2] = 2;
    for wrong in [longer, more, unknown_length, newer] {
        assert!(minicbor::decode::<PinRow>(&wrong).is_err());
    }
}

#[test]
fn a_host_key_is_needed_where_a_pin_was_set_under_it() {
    let host = |byte: u8| HostKey::new(Arc::new(Ok(Secret::from_slice(&[byte; 40]))));
    let (ours, another) = (host(1), host(2));
    let missing = HostKey::new(Arc::new(Err("it is not there".into())));
    let master = MasterKey::generate().unwrap();
    let row = master.lock(Role::User, b"123456", &TOKEN, CHEAP, Some(&ours)).unwrap();
    let unlock = |row: &PinRow, pin: &[u8], host| MasterKey::unlock(row, Role::User, pin, &TOKEN, host);
    assert!(*unlock(&row, b"123456", Some(&ours)).unwrap().unwrap().secret() == *master.secret());
    assert!(unlock(&row, b"123457", Some(&ours)).unwrap().is_none());
    for (other, why) in [(None, "none is configured"), (Some(&another), "is another"), (Some(&missing), "not there")] {
        // Whatever the PIN: nothing is told of it.
        for pin in [b"123456", b"123457"] {
            let outcome = unlock(&row, pin, other);
            assert!(matches!(&outcome.err(), Some(Error::DeviceError(reason)) if reason.contains(why)), "{why}");
        }
    }
    // A row that says it needs none, or another: the key is in what the PIN opens, not only in what the row says.
    assert!(unlock(&PinRow { host_key: None, ..row.clone() }, b"123456", None).unwrap().is_none());
    assert!(unlock(&PinRow { host_key: None, ..row.clone() }, b"123456", Some(&ours)).unwrap().is_none());
    let id = another.id(&TOKEN).unwrap();
    assert!(unlock(&PinRow { host_key: Some(id), ..row.clone() }, b"123456", Some(&another)).unwrap().is_none());
    assert_ne!(
        ours.id(&TOKEN).unwrap(),
        ours.id(&TokenId([0x12; 16])).unwrap(),
        "nobody sees that two tokens have one"
    );
    // A PIN that was set before there was a host key opens with it and without it; none is set without one that is to be used.
    let before = master.lock(Role::User, b"123456", &TOKEN, CHEAP, None).unwrap();
    for host in [None, Some(&ours), Some(&missing)] {
        assert!(unlock(&before, b"123456", host).unwrap().is_some());
    }
    assert!(matches!(master.lock(Role::User, b"1", &TOKEN, CHEAP, Some(&missing)), Err(Error::DeviceError(_))));
    // In CBOR.
    let bytes = minicbor::to_vec(&row).unwrap();
    assert_eq!(minicbor::decode::<PinRow>(&bytes).unwrap(), row);
    for length in 0..bytes.len() {
        assert!(minicbor::decode::<PinRow>(&bytes[..length]).is_err());
    }
    let short = [&bytes[..bytes.len() - 17], &[0x4f], &bytes[bytes.len() - 15..]].concat();
    assert!(minicbor::decode::<PinRow>(&short).is_err());
}
