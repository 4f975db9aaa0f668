//! libFuzzer's way into the target `mechanism`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystead_fuzz::mechanism(data));
