//! Tests through the C ABI of the built module, `target/release/libkeystead.so` or `$KEYSTEAD_MODULE`.
//!
//! Each test runs in a process of its own. To add one: write a function in a suite and put it into the suite's `TESTS`
//! table; to add a suite: a file here, and its table in `SUITES` below. What runs in another process beside a test is a
//! peer, listed in the suite's `PEERS`.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[macro_use]
mod support;

mod always_authenticate;
mod changes;
mod check_values;
mod ciphers;
mod classes;
mod clients;
mod copies;
mod counter;
mod crowds;
mod curves;
mod daemons;
mod dates;
mod defaults;
mod derivation;
mod derived_keys;
mod digest_key;
mod dual;
mod durability;
mod ec_keys;
mod ec_signing;
mod edited;
mod ended;
mod exits;
mod files;
mod fork;
mod forks;
mod gcm;
mod hex_editor;
mod host_key;
mod library;
mod linking;
mod lives;
mod login;
mod macs;
mod many_tokens;
mod maskable;
mod masked;
mod mechanisms;
mod media;
mod nested;
mod objects;
mod operation_state;
mod operations;
mod pair_mechanisms;
mod pairs;
mod pins;
mod pkcs11_tool;
mod points;
mod portability;
mod power_loss;
mod privacy;
mod private_keys;
mod profiles;
mod published_vectors;
mod races;
mod rates;
mod recover;
mod remains;
mod rsa;
mod rsa_encryption;
mod rsa_keys;
mod rsa_pss;
mod rsa_signing;
mod rsa_wrap;
mod rsa_wrapping;
mod sealed;
mod searches;
mod sessions;
mod slots;
mod softhsm;
mod stores;
mod surroundings;
mod tables;
mod templates;
mod threads;
mod tokens;
mod vectors;
mod witness;
mod wrap_authenticated;
mod wrap_forms;
mod wrapping;
mod wycheproof_agreement;
mod wycheproof_decryption;
mod wycheproof_ecdsa;
mod wycheproof_rsa;

use std::process::ExitCode;

use support::Test;

const SUITES: &[&[Test]] = &[
    always_authenticate::TESTS,
    changes::TESTS,
    check_values::TESTS,
    ciphers::TESTS,
    classes::TESTS,
    clients::engine::TESTS,
    clients::java::TESTS,
    clients::nss::TESTS,
    clients::p11_kit::TESTS,
    clients::tool_keys::TESTS,
    clients::tool_opens::TESTS,
    clients::tool_signs::TESTS,
    clients::tool_tests::TESTS,
    copies::TESTS,
    counter::TESTS,
    crowds::TESTS,
    curves::TESTS,
    daemons::TESTS,
    dates::TESTS,
    defaults::TESTS,
    derivation::TESTS,
    derived_keys::TESTS,
    digest_key::TESTS,
    dual::TESTS,
    durability::TESTS,
    ec_keys::TESTS,
    ec_signing::TESTS,
    edited::TESTS,
    ended::TESTS,
    exits::TESTS,
    files::TESTS,
    fork::TESTS,
    forks::TESTS,
    gcm::TESTS,
    hex_editor::TESTS,
    host_key::TESTS,
    library::TESTS,
    linking::TESTS,
    lives::TESTS,
    login::TESTS,
    macs::TESTS,
    many_tokens::TESTS,
    maskable::TESTS,
    masked::TESTS,
    mechanisms::TESTS,
    media::TESTS,
    nested::TESTS,
    objects::TESTS,
    operation_state::TESTS,
    operations::TESTS,
    pair_mechanisms::TESTS,
    pairs::TESTS,
    pins::TESTS,
    pkcs11_tool::TESTS,
    points::TESTS,
    portability::TESTS,
    power_loss::TESTS,
    privacy::TESTS,
    private_keys::TESTS,
    profiles::TESTS,
    published_vectors::TESTS,
    races::TESTS,
    rates::TESTS,
    recover::TESTS,
    remains::TESTS,
    rsa::TESTS,
    rsa_encryption::TESTS,
    rsa_keys::TESTS,
    rsa_pss::TESTS,
    rsa_signing::TESTS,
    rsa_wrap::TESTS,
    rsa_wrapping::TESTS,
    sealed::TESTS,
    searches::TESTS,
    sessions::TESTS,
    slots::TESTS,
    softhsm::TESTS,
    stores::TESTS,
    surroundings::TESTS,
    tables::TESTS,
    templates::TESTS,
    threads::TESTS,
    tokens::TESTS,
    vectors::TESTS,
    witness::TESTS,
    wrap_authenticated::TESTS,
    wrap_forms::TESTS,
    wrapping::TESTS,
    wycheproof_agreement::TESTS,
    wycheproof_decryption::TESTS,
    wycheproof_ecdsa::TESTS,
    wycheproof_rsa::TESTS,
];

const PEERS: &[&[Test]] = &[
    changes::PEERS,
    crowds::PEERS,
    daemons::PEERS,
    durability::PEERS,
    files::PEERS,
    fork::PEERS,
    forks::PEERS,
    lives::PEERS,
    login::PEERS,
    objects::PEERS,
    pins::PEERS,
    portability::PEERS,
    power_loss::PEERS,
    private_keys::PEERS,
    rates::PEERS,
    remains::PEERS,
    slots::PEERS,
    softhsm::PEERS,
    surroundings::PEERS,
    threads::PEERS,
    tokens::PEERS,
    witness::PEERS,
];

fn main() -> ExitCode {
    support::main(SUITES, PEERS)
}
