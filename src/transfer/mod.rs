//! Portable keys: objects that move whole between the tokens of a domain, and never in the clear. `docs/formats.md` has the formats.

mod armour;
mod domain;
mod fingerprint;
mod form;
mod grant;
mod mask;
mod masked;
mod request;

pub use domain::{Domain, DomainId, DomainName};
pub use fingerprint::Fingerprint;
pub use grant::{Answer, Invitation};
pub use mask::{mask, take_in, unmask};
pub use masked::{Content, Masked};
pub use request::{Lifetime, Party, Request};

#[cfg(test)]
mod tests;
