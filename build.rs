//! Compiles the three small C files that Rust cannot replace and sets how the shared library is linked.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/fork/state.c");
    println!("cargo:rerun-if-changed=src/store/sqlite/ofd.c");
    println!("cargo:rerun-if-changed=src/abi/exit.c");

    // A variadic `fcntl` and the hidden pointer to the state word: both belong to every build of the crate.
    cc::Build::new()
        .file("src/fork/state.c")
        .file("src/store/sqlite/ofd.c")
        .flag("-fvisibility=hidden")
        .warnings_into_errors(true)
        .compile("keystead_c");

    // Nodelete: thread-local destructors outlive `dlclose`. Symbolic: our tables hold our own functions whatever the
    // host exports.
    for argument in ["-Wl,-z,nodelete", "-Wl,-Bsymbolic", "-Wl,-soname,libkeystead.so"] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    println!("cargo:rustc-cdylib-link-arg={}", exit_object().display());
}

/// The `.fini_array` entry as an object of its own: named on the linker's command line it lands behind AWS-LC's
/// destructor in the array, which runs backwards, and so runs first.
fn exit_object() -> PathBuf {
    let out: PathBuf = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let object = out.join("exit.o");
    let compiler = cc::Build::new().get_compiler();
    let mut command: Command = compiler.to_command();
    command
        .args(["-c", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Werror", "src/abi/exit.c", "-o"])
        .arg(&object);
    let status = command.status();
    assert!(matches!(status, Ok(status) if status.success()), "the C compiler failed on src/abi/exit.c: {status:?}");
    object
}
