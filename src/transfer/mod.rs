//! Portable keys: objects that move whole between the tokens of a domain, and never in the clear. `docs/formats.md` has the formats.

mod armour;
mod bundle;
mod compare;
mod digest;
mod domain;
mod fingerprint;
mod form;
mod framed;
mod grant;
mod inventory;
mod mask;
mod masked;
mod peer;
mod range;
mod replica;
mod request;
mod sync;
#[cfg(test)]
mod tests;
mod wire;

pub use bundle::{Header as BundleHeader, Imported, Reader as BundleReader, export, import};
pub use domain::{Domain, DomainId, DomainName};
pub use fingerprint::Fingerprint;
pub use grant::{Answer, Invitation};
pub use mask::{mask, take_in, unmask};
pub use masked::{Content, Masked};
pub use peer::{About, How, Peer, Withheld};
pub use replica::Replica;
pub use request::{Lifetime, Party, Request};
pub use sync::{Moved, Report, Ways, sync, withheld};
pub use wire::{Remote, serve};
