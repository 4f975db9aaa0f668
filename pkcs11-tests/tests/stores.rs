//! `pkcs11-tests stores` on small stores of the library that `make build` left and of SoftHSM2.

// A test says what it expects by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use support::{SOFTHSM2, keystead};

#[test]
fn rows_of_each_size_come_one_by_one_beside_those_of_the_other_module() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pkcs11-tests"));
    command.arg("stores").arg("--module").arg(keystead()).args(["--against", SOFTHSM2, "--peer-up-to", "0"]);
    let mut child = command.args(["--sizes", "20,0", "--turns", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // Cells of the next row that is about this: ours, the other one's, and the ratio.
    let mut next = |objects: &str, what: &str| {
        let begin = format!("| {objects} | {what} | ");
        let row = lines.find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("no {begin} in its place"));
        row[begin.len()..].trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let is_time = |cell: &str| ["ns", "us", "ms"].iter().any(|unit| cell.ends_with(unit));

    let first = next("0", "C_Initialize to logged in");
    assert!(child.try_wait().unwrap().is_none(), "the first row came when all was done");
    let made = next("0", "make a token key");
    for row in [&first, &made] {
        assert!(is_time(&row[0]) && is_time(&row[1]) && row[2].parse::<f64>().is_ok(), "{row:?}");
    }
    for what in ["find by label", "find by id", "find by unique id", "the same, 4 processes at once"] {
        let row = next("20", what);
        // The other one is measured at the sizes that it can bear.
        assert!(is_time(&row[0]) && row[1].is_empty(), "{row:?}");
    }
    assert!(child.wait().unwrap().success());
}
