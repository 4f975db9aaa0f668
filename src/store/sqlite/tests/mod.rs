//! What the engine promises beyond the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod commits;
mod daemon;
mod files;
mod forks;
mod locks;
mod media;
mod notice;
mod processes;
mod queue;
mod removal;
mod roles;
pub(super) mod support;
mod upgrade;
mod whole;
mod witness;

mod engine {
    use super::support::Place;
    use crate::store::suite;

    suite::every_engine!(*Place::new().folder());
}
