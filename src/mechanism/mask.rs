//! Masked objects: whole token objects for another token of the same domain. `docs/formats.md` has the page; `transfer` makes and
//! reads them, for they are more than the value of a key.

use super::parameter::Shape;
use super::{Does, Keys, Mechanism, NOTHING, Unit};
use crate::key::KeyType;

/// The mechanism's number, as in `include/keystead.h`. No parameter.
pub const CKM_KEYSTEAD_MASK: u64 = 0xCB53_0001;

/// The row, for who masks without a caller that names it.
pub const MASK: Mechanism = Mechanism {
    number: CKM_KEYSTEAD_MASK,
    name: "CKM_KEYSTEAD_MASK",
    parameter: Shape::None,
    keys: Some(Keys { types: &[KeyType::Domain], sizes: 32..=32, unit: Unit::Bytes, flags: 0 }),
    does: Does { mask: true, ..NOTHING },
};

pub(super) const ROWS: &[Mechanism] = &[MASK];
