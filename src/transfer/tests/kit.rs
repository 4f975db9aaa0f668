//! The bundles in `tests/bundles`, each with its outcome. They are made anew, where the format has changed before it was frozen, by this test with
//! `KEYSTEAD_WRITE_BUNDLES` set.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::domain::key_object;
use super::super::{DomainId, DomainName};
use super::bundles::{bundle, frames, read};
use super::{Sibling, member};
use crate::secret::Secret;

/// A token in the domain of the kit, whose key `tests/bundles/read.py` knows too.
fn of_the_kit() -> Sibling {
    in_domain(0xa0)
}

/// Its id is 16 bytes from this one on, its key the bytes from 0 to 31.
fn in_domain(first: u8) -> Sibling {
    let (token, caller) = member();
    let domain = DomainId(std::array::from_fn(|at| first + at as u8));
    let key: [u8; 32] = std::array::from_fn(|at| at as u8);
    let name = DomainName::parse("kit").unwrap();
    let new = key_object(domain, &name, Secret::from_slice(&key), token.basis(&caller)).unwrap();
    token.exchange_inside(&caller, None, Some(&new), || Ok(Vec::new())).unwrap();
    Sibling { token, caller, domain }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundles")
}

#[test]
fn every_bundle_of_the_kit_has_its_outcome() {
    if std::env::var_os("KEYSTEAD_WRITE_BUNDLES").is_some() {
        write();
    }
    let index = fs::read_to_string(folder().join("index.txt")).unwrap();
    let mut looked_at = 0;
    for line in index.lines().filter(|line| !line.starts_with('#')) {
        let [outcome, objects, file] = line.split_whitespace().take(3).collect::<Vec<_>>().try_into().unwrap();
        let token = of_the_kit();
        let found = match read(&fs::read(folder().join(file)).unwrap(), &token) {
            Err(_) => "refused",
            Ok(imported) if imported.cut.is_some() => "cut",
            Ok(_) => "whole",
        };
        assert_eq!((found, token.keys().to_string().as_str()), (outcome, objects), "{file}");
        looked_at += 1;
    }
    assert_eq!(looked_at + 1, fs::read_dir(folder()).unwrap().filter(|entry| is_kit(entry.as_ref().unwrap())).count());
}

/// Whether it is a bundle or the index.
fn is_kit(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name().into_string().unwrap();
    name.ends_with(".keystead") || name == "index.txt"
}

fn write() {
    let (token, other) = (of_the_kit(), in_domain(0xb0));
    token.three();
    other.three();
    let good = frames(&bundle(&token));
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut frames = good.clone();
        change(&mut frames);
        frames.concat()
    };
    // Behind the length, the head of the array, the kind and the name with its head.
    let format = 4 + 1 + 1 + 16;
    let half = |frames: &mut Vec<Vec<u8>>| {
        frames.truncate(4);
        frames[3].truncate(100);
    };
    let kit: [(&str, usize, &str, &str, Vec<u8>); 13] = [
        ("whole", 3, "good", "three keys", with(&|_| ())),
        ("whole", 0, "empty", "of a token that has nothing", bundle(&of_the_kit())),
        ("cut", 3, "no-end", "the second seal is missing", with(&|frames| frames.truncate(5))),
        ("cut", 1, "half", "it ends inside the second object", with(&half)),
        ("cut", 2, "missing", "an object is missing", with(&|frames| drop(frames.remove(3)))),
        ("cut", 3, "moved", "two objects have changed places", with(&|frames| frames.swap(2, 3))),
        ("cut", 3, "more", "something follows the end", with(&|frames| frames.push(vec![0]))),
        ("cut", 3, "other-end", "the second seal is another", with(&|frames| frames[5][20] ^= 1)),
        ("refused", 0, "header", "the header was changed", with(&|frames| frames[0][60] ^= 1)),
        ("refused", 0, "no-seal", "the header has no seal", with(&|frames| drop(frames.remove(1)))),
        ("refused", 0, "format-2", "of a later format", with(&|frames| frames[0][format] = 2)),
        ("refused", 0, "other-domain", "of another domain", bundle(&other)),
        ("refused", 0, "nothing", "an empty file", Vec::new()),
    ];
    let mut index =
        "# Outcome, objects that come in, file, what it is. The key of the domain is the bytes from 00 to 1f.\n"
            .to_owned();
    for (outcome, objects, name, what, bytes) in kit {
        let file = format!("{name}.keystead");
        index += &format!("{outcome:8} {objects} {file:22} {what}\n");
        fs::write(folder().join(file), bytes).unwrap();
    }
    fs::write(folder().join("index.txt"), index).unwrap();
}
