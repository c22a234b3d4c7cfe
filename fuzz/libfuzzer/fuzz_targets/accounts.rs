#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| seedance_archiver_fuzz::accounts::check(input));
