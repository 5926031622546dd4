//! Any bytes as the binary form, whole and in parts, into strict and lenient days, by every way that events and blocks are
//! applied; as they are, and with the checksums made right, without which nothing behind them would ever be reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoteclock_feed::binary::BinaryFile;
use quoteclock_fuzz::readers::{Count, Form, calls_max, check_part, with_checksums};
use quoteclock_model::{IssueCode, Timestamp};
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    let sealed = with_checksums(bytes);
    check_part(Form::Binary, if bytes.len() % 8 == 7 { bytes } else { &sealed });
    // By the index at the end, instead of front to back.
    if let Ok(mut file) = BinaryFile::open(Cursor::new(&sealed)) {
        let mut count = Count::default();
        let _ = file.records_from(Timestamp::MIN, &mut count);
        let codes: Vec<IssueCode> = file.index().issues().iter().take(4).cloned().collect();
        for code in codes {
            let _ = file.records_of(std::slice::from_ref(&code), &mut count);
        }
        assert!(count.calls <= 16 * calls_max(&sealed));
    }
});
