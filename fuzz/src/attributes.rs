//! A list of attributes from the fuzzer's bytes: for each the place of a known number, a length, and the value.

use cryptoki_sys::{CKA_PRIME, CKA_VENDOR_DEFINED};
use keystead::key::{Class, KeyType};
use keystead::object::{Given, attribute};

use crate::input::Input;

/// At most so many attributes that a caller might give.
pub fn read<'a>(input: &mut Input<'a>, most: usize) -> Vec<Given<'a>> {
    let types = || KeyType::PAIRS.iter().map(|key_type| Some(*key_type)).chain([None]);
    let kinds = Class::ALL.iter().flat_map(|class| types().map(move |key_type| (*class, key_type)));
    let rows = kinds.flat_map(|(class, key_type)| attribute::rows(class, key_type));
    let mut known: Vec<u64> = rows.map(|row| row.number).collect();
    known.sort_unstable();
    known.dedup();
    // Known, but of classes that the token does not keep; and nobody's.
    known.extend([CKA_PRIME, CKA_VENDOR_DEFINED]);

    let mut given = Vec::new();
    while !input.is_empty() && given.len() < most {
        let number = match usize::from(input.byte()) {
            0xff => input.number(),
            place => known[place % known.len()],
        };
        let length = match input.byte() {
            0xff => input.short().into(),
            length => length.into(),
        };
        given.push(Given::new(number, input.bytes(length)));
    }
    given
}
