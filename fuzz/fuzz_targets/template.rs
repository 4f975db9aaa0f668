//! libFuzzer's way into the target `template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keystead_fuzz::template(data));
