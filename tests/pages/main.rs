//! Pages of `docs` that are written from the tables of the library. `make docs` writes them; without that, a page that is no
//! longer what the tables say fails here.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attributes;
mod constants;

use std::path::Path;

#[test]
fn attributes_are_those_of_the_table() {
    compare("attributes.md", &attributes::page());
}

/// Compares a page with what it should be, or writes it where `KEYSTEAD_WRITE_DOCS` is set.
fn compare(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("KEYSTEAD_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = written.lines().zip(page.lines()).find(|(old, new)| old != new);
    assert!(written == page, "docs/{name} is stale: `make docs` writes it. The first difference: {differ:?}");
}
