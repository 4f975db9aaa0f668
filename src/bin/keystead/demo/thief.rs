//! The step in which somebody has both stores' files and the bundle.

use std::fs;
use std::path::Path;

use keystead::config::Config;
use keystead::error::Error;
use keystead::key::Login;
use keystead::module::Module;

use super::act::{Keys, QUESTION};
use super::folder::{Folder, contains};
use super::hex::Hex;
use super::other::{Other, Reply, Request};
use super::party::{self, Party};
use super::story::Story;
use crate::failure::{Failure, Result};

/// He comes.
pub fn come(story: &mut Story, folder: &Folder, b: &mut Other, bundle: &[u8], keys: &Keys) -> Result<()> {
    story.step("A thief has the files of both stores, and the bundle")?;
    let stolen = folder.path().join("stolen");
    copy(&folder.path().join("a"), &stolen)?;
    let (labelled, files) = folder.search(b"Demo A")?;
    story.say(&format!("{files} files, and {} bytes that travelled", bundle.len()))?;
    story.check("searched for A's label, which is no secret, the files have it", !labelled.is_empty())?;
    let nowhere = |wanted: &[u8]| Ok::<_, Failure>(folder.search(wanted)?.0.is_empty() && !contains(bundle, wanted));
    story
        .check("searched for the key's value that we know, neither files nor bundle have it", nowhere(&keys.value)?)?;
    story.check(
        "nor the labels of the keys, nor the text",
        nowhere(b"AES-256, known")? && nowhere(QUESTION.as_bytes())?,
    )?;

    story.check("a copy of A's store shows no key without the PIN, and takes no wrong one", is_shut(&stolen)?)?;
    let own = Party::start(&folder.path().join("thief"), "Thief")?;
    own.found_domain()?;
    story.check("the thief's own token, in a domain of its own, cannot take the bundle", own.take(bundle).is_err())?;
    let tried = bundle.len() as u64;
    let noticed = b.ask(&Request::Spoil(Hex(bundle.to_vec())))?;
    story.check(
        &format!("each of the {tried} bytes of the bundle changed: B notices"),
        matches!(noticed, Reply::Noticed(times) if times == tried && tried > 0),
    )
}

/// Whether nothing comes out of a copy of a store.
fn is_shut(stolen: &Path) -> Result<bool> {
    let module = Module::open(Config::for_store(stolen.to_owned(), party::settings()))?;
    let slot = module.slots().list(true).first().copied().ok_or(Error::SlotIdInvalid)?.into();
    let session = module.open_session(slot, true)?;
    let guess = module.sessions().login(session, Login::User, b"123456");
    let unseen = party::keys(&module, session)?.is_empty();
    Ok(unseen && guess == Err(Error::PinIncorrect))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| Failure::of("the store cannot be copied", error);
    fs::create_dir(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
    }
    Ok(())
}
