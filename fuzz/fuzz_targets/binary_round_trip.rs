//! What can be read of any bytes as the binary form is the same after it has been written, in both forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoteclock_fuzz::readers::{Form, with_checksums};
use quoteclock_fuzz::round_trip;

fuzz_target!(|bytes: &[u8]| round_trip::check(Form::Binary, &with_checksums(bytes)));
