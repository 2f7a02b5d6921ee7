#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| stillframe_engine::exercise::unwind_arm(bytes));
