//! Portable keys: objects that move whole between the tokens of a domain, and never in the clear. `docs/formats.md` has the formats.

mod domain;
mod masked;

pub use domain::{Domain, DomainId, key_object, new_id};
pub use masked::{Content, Masked};
