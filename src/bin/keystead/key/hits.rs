//! The objects that a name hits.

use cryptoki_sys::CKA_PUBLIC_KEY_INFO;
use keystead::handle::Handle;

use super::describe::Listed;
use super::select::Opened;
use crate::failure::{Exit, Failure, Result};

/// The only object that is called so.
pub fn one(opened: &Opened<'_>, name: &str) -> Result<Handle> {
    match hits(opened, name)?[..] {
        [one] => Ok(one),
        ref several => Err(too_many(opened, several, "narrow it with --class, or name one by its unique id")),
    }
}

/// The only object that is called so, or either half of the only pair: for what both of them have.
pub fn first_of_pair(opened: &Opened<'_>, name: &str) -> Result<Handle> {
    let hits = hits(opened, name)?;
    let of = |handle: &Handle| -> Result<Vec<u8>> {
        let view = opened.view(*handle)?;
        Ok(view.and_then(|view| view.attribute(CKA_PUBLIC_KEY_INFO).ok()).map(|info| info.to_vec()).unwrap_or_default())
    };
    let public = hits.iter().map(of).collect::<Result<Vec<_>>>()?;
    match &hits[..] {
        [first, ..] if public.windows(2).all(|two| two.first() == two.last()) => Ok(*first),
        several => Err(too_many(opened, several, "narrow it with --class, or name one by its unique id")),
    }
}

/// What is called so; at least one.
pub fn hits(opened: &Opened<'_>, name: &str) -> Result<Vec<Handle>> {
    let mut hits = Vec::new();
    opened.each(|handle| {
        hits.push(handle);
        Ok(())
    })?;
    if !hits.is_empty() {
        return Ok(hits);
    }
    let failure = Failure::new(format!("no such object is called {name:?}")).with_exit(Exit::NotFound);
    let next = match opened.logged_in {
        true => "`keystead key list --class any --login` shows what there is",
        false => "--login looks among private objects too",
    };
    Err(failure.with_next(next))
}

/// Why more than one object is no answer, and what to do.
pub fn too_many(opened: &Opened<'_>, hits: &[Handle], next: &str) -> Failure {
    Failure::new(format!("{} are called so: {}", count(hits), named(opened, hits))).with_next(next)
}

fn count(hits: &[Handle]) -> String {
    format!("{} objects", hits.len())
}

/// The first few of them, for a sentence.
pub fn named(opened: &Opened<'_>, hits: &[Handle]) -> String {
    const FEW: usize = 4;
    let listed = hits.iter().take(FEW).filter_map(|handle| Listed::of(opened, *handle).ok().flatten());
    let mut names: Vec<String> = listed.map(|listed| listed.briefly()).collect();
    if hits.len() > FEW {
        names.push(format!("and {} more", hits.len().saturating_sub(FEW)));
    }
    names.join(", ")
}
