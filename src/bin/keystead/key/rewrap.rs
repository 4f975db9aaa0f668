//! `keystead key rewrap`

use std::path::PathBuf;

use cryptoki_sys::*;
use keystead::handle::Handle;
use serde::Serialize;

use super::describe::Listed;
use super::select::Place;
use super::text::Text;
use super::to::To;
use super::wrapping::How;
use super::{proposal, unwrap, wrap};
use crate::failure::{Failure, Result};
use crate::file;
use crate::output::{Form as Printed, Word};
use crate::store::Store;

pub const AFTER_HELP: &str = "\
The key is opened inside the token as an object of the session, wrapped again, and destroyed: it never becomes an object of the token. What the \
file says of its attributes goes on into the new file.

Examples:
  keystead key rewrap data.wrapped --with new-kek --out data.rewrapped
  keystead key rewrap data.wrapped --with partner --double --out data.rewrapped";

#[derive(clap::Args)]
pub struct Rewrap {
    /// The text file of the wrapped key; - is standard input
    file: PathBuf,

    /// The wrapping key of the new file
    #[arg(long, value_name = "KEY")]
    with: String,

    #[command(flatten)]
    how: How,

    /// Wraps under a fresh AES key, and that one under the RSA key
    #[arg(long, conflicts_with_all = ["mechanism", "iv"])]
    double: bool,

    #[command(flatten)]
    to: To,

    #[command(flatten)]
    place: Place,
}

/// What was written, as it is printed.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    wrapping_key: Option<Listed>,
}

/// `keystead key rewrap`
pub fn run(args: &Rewrap, store: &Store, printed: Printed) -> Result<()> {
    args.to.check(false, printed)?;
    let text = Text::read(&file::short(&args.file)?)?.ok_or_else(|| {
        let failure = Failure::new("the file is no text file of a wrapped key");
        failure.with_next("wrapped bytes are unwrapped by `keystead key unwrap`, which says what they are")
    })?;
    let opened = args.place.open(store)?;
    let wrapping = wrap::wrapping_key(&opened, &args.with)?;
    let unwrapping = text.header.wrapping_key.find(&opened)?;
    let (mut template, _) = proposal::template(&text.header.attributes)?;
    template.set_flag(CKA_TOKEN, false);
    // It goes on, and then it goes.
    template.set_flag(CKA_EXTRACTABLE, true);
    template.set_flag(CKA_DESTROYABLE, true);
    let key: Handle = unwrap::open(&opened, &text, unwrapping, &template)?;
    let attributes = text.header.attributes;
    let content = wrap::text(&opened, args.how.to_wrap(&opened, wrapping)?, args.double, wrapping, key, attributes)?;
    opened.sessions().destroy(opened.session, key)?;
    args.to.write(&content)?;
    let listed = Listed::of(&opened, wrapping)?;
    let words = [
        ("file", Word::plain(args.to.file().display().to_string())),
        ("wrapping key", Word::plain(listed.as_ref().map(Listed::briefly).unwrap_or_default())),
    ];
    args.to.report(&Report { file: args.to.file().to_owned(), wrapping_key: listed }, &words, printed)
}
