//! Attributes of our own. Their numbers are those of `include/keystead.h`: the vendor bit, "KS", and a count.

use super::{ANY, Attribute, Change, Default, Kind, row};
use crate::object::Draft;

/// Whether the key may ever travel, as a masked object, to another token of its domain: judged when it is made, and never
/// raised later.
pub const CKA_KEYSTEAD_MASKABLE: u64 = 0xCB53_0001;

/// What secret and private keys have besides.
pub(super) const KEY: &[Attribute] = &[row(
    CKA_KEYSTEAD_MASKABLE,
    "CKA_KEYSTEAD_MASKABLE",
    Kind::Bool,
    ANY,
    Default::Rule(Draft::is_maskable_by_default, "TRUE if extractable, else what the token says"),
    Change::Down,
)];
