//! The modules that are tried out.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The module under test: `$KEYSTEAD_MODULE`, or what `make build` left.
pub fn keystead() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libkeystead.so");
    let module = std::env::var_os("KEYSTEAD_MODULE").map_or(built, PathBuf::from);
    assert!(module.exists(), "{} is not there; run `make build` first", module.display());
    module
}

/// What `tests/install-tools` installs.
#[allow(dead_code, reason = "not every test needs another module")]
pub const SOFTHSM2: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The module of a C file beside the tests.
#[allow(dead_code, reason = "not every test needs one")]
pub fn compiled(source: &str, folder: &Path) -> PathBuf {
    let module = folder.join(source).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(source);
    let mut compiler = Command::new("cc");
    let built = compiler.args(["-shared", "-fPIC", "-o"]).arg(&module).arg(source).arg("-ldl").status().unwrap();
    assert!(built.success());
    module
}
