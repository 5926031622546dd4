//! Any bytes as a log of FIX messages, whole and in parts, into strict and lenient days.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoteclock_fuzz::readers::{Form, check_part};

fuzz_target!(|bytes: &[u8]| check_part(Form::Fix, bytes));
