//! The master key under a PIN.

use super::*;

#[test]
fn only_the_right_pin_role_and_token_unlock() {
    let master = MasterKey::generate().unwrap();
    let row = master.lock(Role::User, b"123456", &TOKEN, CHEAP).unwrap();
    assert_eq!((row.wrapped.len(), row.cost), (40, CHEAP));
    let same = MasterKey::unlock(&row, Role::User, b"123456", &TOKEN).unwrap().unwrap();
    assert!(*same.secret() == *master.secret());
    for pin in [&b"123457"[..], b"", b"12345", b"1234567", b"123456\0"] {
        assert!(MasterKey::unlock(&row, Role::User, pin, &TOKEN).unwrap().is_none());
    }
    assert!(MasterKey::unlock(&row, Role::So, b"123456", &TOKEN).unwrap().is_none());
    assert!(MasterKey::unlock(&row, Role::User, b"123456", &TokenId([0x12; 16])).unwrap().is_none());
    let again = master.lock(Role::User, b"123456", &TOKEN, CHEAP).unwrap();
    assert!(again.salt != row.salt && again.wrapped != row.wrapped);
    assert!(MasterKey::unlock(&row, Role::So, b"", &TOKEN).unwrap().is_none());
    let dear = Argon2Cost { memory_kib: 128, ..CHEAP };
    assert!(MasterKey::unlock(&PinRow { cost: dear, ..row.clone() }, Role::User, b"123456", &TOKEN).unwrap().is_none());
    for bit in 0..320 {
        let mut damaged = row.clone();
        damaged.wrapped[bit / 8] ^= 1 << (bit % 8);
        assert!(MasterKey::unlock(&damaged, Role::User, b"123456", &TOKEN).unwrap().is_none());
    }
    let short = PinRow { wrapped: row.wrapped[..32].to_vec(), ..row.clone() };
    let absurd = PinRow { cost: Argon2Cost { memory_kib: u32::MAX, ..CHEAP }, ..row };
    for damaged in [short, absurd] {
        let outcome = MasterKey::unlock(&damaged, Role::User, b"123456", &TOKEN);
        assert!(matches!(outcome, Err(Error::DeviceError(_))));
    }
}

#[test]
fn a_pin_row_is_read_only_in_the_form_it_is_written() {
    let row = PinRow { salt: [7; 16], cost: Argon2Cost::DEFAULT, wrapped: vec![9; 40] };
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
