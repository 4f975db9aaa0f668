//! The built file: what it exports, how it is linked, what is not in it. Read with `readelf` and `nm`.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    exports_are_the_functions_and_nothing_else,
    linked_nodelete_symbolic_with_a_soname,
    thread_locals_need_no_static_block,
    needs_the_system_libraries_only,
    no_jitter_entropy,
    commits_write_data_and_no_times,
    exit_entry_runs_before_all_other_destructors,
];

fn exports_are_the_functions_and_nothing_else() {
    let listing = output_of("nm", &["--dynamic", "--defined-only", "--format=posix"]);
    let exported: BTreeSet<&str> = listing.lines().filter_map(|line| line.split(' ').next()).collect();
    let functions = FUNCTIONS.iter().take(68).chain(&["C_GetInterface", "C_GetInterfaceList"]);
    assert_eq!(exported, functions.copied().collect());
}

fn linked_nodelete_symbolic_with_a_soname() {
    let section = output_of("readelf", &["--dynamic", "--wide"]);
    assert!(section.contains("Library soname: [libkeystead.so]"), "{section}");
    let flags = |kind: &str| section.lines().filter(|line| line.contains(kind)).collect::<String>();
    assert!(flags("(FLAGS_1)").contains("NODELETE"), "{section}");
    assert!(flags("(FLAGS)").contains("SYMBOLIC") || section.contains("(SYMBOLIC)"), "{section}");
}

/// A host that used up the spare room for such blocks could not load the module.
fn thread_locals_need_no_static_block() {
    let section = output_of("readelf", &["--dynamic", "--wide"]);
    assert!(!section.contains("STATIC_TLS"), "{section}");
    let segments = output_of("readelf", &["--segments", "--wide"]);
    let size = segments.lines().find_map(|line| line.trim().strip_prefix("TLS ")).map_or(0, |line| {
        let in_memory = line.split_whitespace().nth(4).expect("the size in memory");
        u64::from_str_radix(in_memory.trim_start_matches("0x"), 16).unwrap()
    });
    assert!(size <= 256, "{size} bytes of thread-local storage");
}

/// Nothing among them exports `C_` functions, which `dlsym` would find for a module that lacks one.
fn needs_the_system_libraries_only() {
    let section = output_of("readelf", &["--dynamic", "--wide"]);
    let needed = section.lines().filter(|line| line.contains("(NEEDED)"));
    let names: Vec<&str> = needed.filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    assert!(names.contains(&"libc.so.6"), "{section}");
    let system = ["libc.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "libpthread.so.0"];
    for name in names {
        assert!(system.contains(&name) || name.starts_with("ld-linux"), "{name} is needed");
    }
}

/// The setting that leaves it out is found by working directory only, so the file itself is looked at.
fn no_jitter_entropy() {
    let file = std::fs::read(Module::path()).unwrap();
    let contains = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
    assert!(contains(b"aws_lc_"), "the file was stripped of its symbols, so that this test sees nothing");
    assert!(!contains(b"jent_"), "AWS-LC was built with its jitter entropy");
}

/// A setting of SQLite's build that is found by working directory only.
fn commits_write_data_and_no_times() {
    let listing = output_of("nm", &["--dynamic", "--undefined-only", "--format=posix"]);
    assert!(listing.contains("fdatasync") && listing.contains("pwrite64"), "{listing}");
}

/// The array of destructors runs from its end, so the entry that closes the library to calls must be the last.
fn exit_entry_runs_before_all_other_destructors() {
    let sections = output_of("readelf", &["--sections", "--wide"]);
    let line = sections.lines().find(|line| line.contains(" .fini_array ")).expect("a .fini_array");
    let mut fields = line.split_whitespace().skip_while(|field| *field != "FINI_ARRAY").skip(1);
    let start = hexadecimal(fields.next().unwrap());
    let size = hexadecimal(fields.nth(1).unwrap());
    let last = start + size - 8;
    assert!(size >= 16, "AWS-LC's destructor and ours at least");

    let relocations = output_of("readelf", &["--relocs", "--wide"]);
    let relocation = relocations.lines().find(|line| line.split(' ').next().is_some_and(|at| parsed(at) == Some(last)));
    let target = relocation.and_then(|line| line.split_whitespace().last()).expect("the last entry is relocated");

    let symbols = output_of("nm", &["--format=posix"]);
    let ours = symbols.lines().find(|line| line.starts_with("keystead_exiting ")).expect("the exit function's symbol");
    assert_eq!(hexadecimal(target), hexadecimal(ours.split(' ').nth(2).unwrap()), "the last entry is keystead_exiting");
}

fn output_of(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).arg(Module::path()).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}; it comes with the C compiler (binutils)"));
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn hexadecimal(text: &str) -> u64 {
    parsed(text).unwrap_or_else(|| panic!("{text} is a number"))
}

fn parsed(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}
