//! The gate: what decides whether a secret may be used, and the secret itself.
//!
//! Pure decisions: no store, no lock, no session. [`permit`] answers for every use of a key and [`admit`] for
//! everything that makes, changes or destroys an object; [`KeyMaterial`] opens only to what they grant.

mod class;
mod dates;
mod facts;
mod gate;
mod grant;
mod kind;
mod material;
#[cfg(test)]
mod order;

pub use class::{CertificateType, Class, FeatureType, Type};
pub use dates::{Dates, Day};
pub use facts::{Caller, Facts, Login, Usage};
pub use gate::{Act, Fit, Other, Purpose, Standing, Use, admit, adopt, permit, visible};
pub use grant::Grant;
pub use kind::{CKK_KEYSTEAD_DOMAIN, CKK_KEYSTEAD_DOMAIN_REQUEST, KeyType};
pub use material::KeyMaterial;
