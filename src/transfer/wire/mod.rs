//! A side of a synchronisation behind a pipe: questions and answers, each authenticated under a key that the two sides derive for this
//! one conversation. `docs/formats.md` has the page.
//!
//! Who has not the domain key can end the conversation and nothing else: nothing is believed, and no more than one frame is held, before its MAC
//! is seen to be right.

mod frame;
mod message;
mod remote;
mod serve;

pub use remote::Remote;
pub use serve::serve;
