//! A list of attributes from the fuzzer's bytes: for each the place of a known number, a length, and the value.

use cryptoki_sys::{CKA_SEED, CKA_VENDOR_DEFINED};
use keystead::key::Class;
use keystead::object::{Given, attribute};

use crate::input::Input;

/// At most so many attributes that a caller might give.
pub fn read<'a>(input: &mut Input<'a>, most: usize) -> Vec<Given<'a>> {
    let shapes = Class::ALL.iter().flat_map(|class| {
        let types = class.types().into_iter().map(Some).chain([None]);
        types.map(|of| (*class, of))
    });
    let rows = shapes.flat_map(|(class, of)| attribute::rows(class, of));
    let mut known: Vec<u64> = rows.map(|row| row.number).collect();
    known.sort_unstable();
    known.dedup();
    // Known, but of keys that the token does not keep; and nobody's.
    known.extend([CKA_SEED, CKA_VENDOR_DEFINED]);

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
