//! Any bytes as CSV, whole and in parts, into strict and lenient days, by every way that events are applied.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoteclock_fuzz::readers::{Form, check_part};

fuzz_target!(|bytes: &[u8]| check_part(Form::Csv, bytes));
