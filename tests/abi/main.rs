//! Tests through the C ABI of the built module, `target/release/libkeystead.so` or `$KEYSTEAD_MODULE`.
//!
//! Each test runs in a process of its own. To add one: write a function in a suite and put it into the suite's `TESTS`
//! table; to add a suite: a file here, and its table in `SUITES` below. What runs in another process beside a test is a
//! peer, listed in the suite's `PEERS`.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[macro_use]
mod support;

mod changes;
mod ciphers;
mod copies;
mod counter;
mod daemons;
mod defaults;
mod digest_key;
mod durability;
mod exits;
mod fork;
mod forks;
mod gcm;
mod library;
mod linking;
mod login;
mod macs;
mod mechanisms;
mod objects;
mod operations;
mod pins;
mod pkcs11_tool;
mod portability;
mod privacy;
mod rsa;
mod rsa_wrap;
mod sealed;
mod searches;
mod sessions;
mod slots;
mod softhsm;
mod surroundings;
mod tables;
mod templates;
mod threads;
mod tokens;
mod vectors;
mod wrap_forms;
mod wrapping;

use std::process::ExitCode;

use support::Test;

const SUITES: &[&[Test]] = &[
    changes::TESTS,
    ciphers::TESTS,
    copies::TESTS,
    counter::TESTS,
    daemons::TESTS,
    defaults::TESTS,
    digest_key::TESTS,
    durability::TESTS,
    exits::TESTS,
    fork::TESTS,
    forks::TESTS,
    gcm::TESTS,
    library::TESTS,
    linking::TESTS,
    login::TESTS,
    macs::TESTS,
    mechanisms::TESTS,
    objects::TESTS,
    operations::TESTS,
    pins::TESTS,
    pkcs11_tool::TESTS,
    portability::TESTS,
    privacy::TESTS,
    rsa::TESTS,
    rsa_wrap::TESTS,
    sealed::TESTS,
    searches::TESTS,
    sessions::TESTS,
    slots::TESTS,
    softhsm::TESTS,
    surroundings::TESTS,
    tables::TESTS,
    templates::TESTS,
    threads::TESTS,
    tokens::TESTS,
    vectors::TESTS,
    wrap_forms::TESTS,
    wrapping::TESTS,
];

const PEERS: &[&[Test]] = &[
    changes::PEERS,
    daemons::PEERS,
    durability::PEERS,
    fork::PEERS,
    forks::PEERS,
    login::PEERS,
    objects::PEERS,
    pins::PEERS,
    portability::PEERS,
    slots::PEERS,
    softhsm::PEERS,
    surroundings::PEERS,
    threads::PEERS,
    tokens::PEERS,
];

fn main() -> ExitCode {
    support::main(SUITES, PEERS)
}
