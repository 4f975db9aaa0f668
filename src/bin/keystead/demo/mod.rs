//! `keystead demo`: keys are made in one token, reach another one of its domain, in another process, and work there.
//!
//! ```text
//! act      the eight steps
//! thief    the last but one of them
//! story    what is told, and the checks
//! party    a token at work: what both sides do with theirs
//! member   the same in its domain: how it joins, and what it sends and takes
//! other    the second process and the words between the two
//! openssl  the same ciphertext in somebody else's hands
//! folder   where the throw-away stores lie, and what is in their files
//! hex      bytes as text
//! ```

mod act;
mod folder;
mod hex;
mod member;
mod openssl;
mod other;
mod party;
mod story;
mod thief;

pub use other::{Args as OtherArgs, NAME as OTHER, run as run_other};

use crate::failure::Result;
use folder::Folder;
use story::Story;

#[derive(clap::Args)]
#[command(after_help = "\
Everything happens in a new temporary folder; no store of yours is touched. The sixth step needs the openssl command.

Examples:
  keystead demo
  keystead demo --keep    (leaves the folder with both stores behind, and says where)")]
pub struct Args {
    /// Keeps the temporary folder
    #[arg(long)]
    keep: bool,
}

/// `keystead demo`
pub fn run(args: &Args) -> Result<()> {
    let folder = Folder::create(args.keep)?;
    let mut story = Story::begin(&folder)?;
    act::play(&mut story, &folder)?;
    story.end(&folder)
}
