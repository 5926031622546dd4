//! Any bytes as a SoupBinTCP stream, as datagrams, as a journal and as messages of each payload: nothing panics, and every
//! cut says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/wire/tests/harm/mod.rs"]
mod harm;

fuzz_target!(|bytes: &[u8]| harm::check(bytes));
