//! However events are applied, one by one, in batches or in blocks, by one thread or by several: it comes to the same, down
//! to the words and the place of the first fault.

mod readers;
mod support;

use proptest::prelude::*;
use quoteclock_engine::{Day, DayOptions};
use quoteclock_feed::FeedError;
use quoteclock_feed::binary::BinaryDecoder;
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_ledger::OpenLedger;
use quoteclock_replay::Threads;
use quoteclock_rules::Registry;
use quoteclock_testkit::Case;
use quoteclock_testkit::generate;
use std::num::NonZeroUsize;
use support::{Lines, in_blocks};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Csv,
    Binary,
}

/// All that is known in the end, or the error in words.
fn outcome(registry: &Registry, case: &Case, form: Form, bytes: &[u8], way: Option<(usize, usize)>) -> String {
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let options = DayOptions { lenient: false, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    let (ledger, lines) = (OpenLedger::default(), Lines::default());
    let crew = |threads| Threads(NonZeroUsize::new(threads).expect("a thread at least")).start();
    let day = match way {
        None => Day::new(registry, options, ledger, lines),
        Some((events, threads)) => {
            Day::in_batches(registry, options, ledger, lines, crew(threads)).map(|day| day.with_batch_events(events))
        }
    };
    let mut day = match day {
        Ok(day) => day,
        Err(error) => return error.to_string(),
    };
    let decoded = match form {
        Form::Csv => {
            let mut decoder = CsvDecoder::default();
            decoder.push(bytes, &mut day).and_then(|()| decoder.finish(&mut day))
        }
        Form::Binary => {
            let mut decoder = BinaryDecoder::default();
            decoder.push(bytes, &mut day).and_then(|()| decoder.finish(&mut day))
        }
    };
    match decoded {
        Ok(()) | Err(FeedError::Stopped) => {}
        Err(error) => return error.to_string(),
    }
    match day.finish() {
        Ok((finished, ledger, _)) => format!("{finished:?}{:?}", ledger.close()),
        Err(error) => error.to_string(),
    }
}

fn check(case: &Case, batch_events: usize, block_records: u32, threads: usize) -> Result<(), TestCaseError> {
    let registry = support::registry(case);
    let same = |form, bytes: &[u8]| {
        let expected = outcome(&registry, case, form, bytes, None);
        for way in [(batch_events, 1), (batch_events, threads)] {
            prop_assert_eq!(&outcome(&registry, case, form, bytes, Some(way)), &expected);
        }
        Ok(())
    };
    same(Form::Csv, case.events.as_bytes())?;
    match in_blocks(case, block_records) {
        Some(mut bytes) => {
            same(Form::Binary, &bytes)?;
            let anywhere = batch_events * 7919;
            // Two neighbours in each other's place: records of one issue out of order, where they are records.
            let slot = anywhere % (bytes.len() / 32 - 1) * 32;
            let mut swapped = bytes.clone();
            swapped[slot..slot + 64].rotate_left(32);
            same(Form::Binary, &readers::with_checksums(&swapped))?;
            // One bit of damage anywhere, seen by its checksum and not.
            let at = anywhere % bytes.len();
            bytes[at] ^= 1 << (threads % 8);
            same(Form::Binary, &bytes)?;
            same(Form::Binary, &readers::with_checksums(&bytes))
        }
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: support::cases(500), ..ProptestConfig::default() })]

    #[test]
    fn a_good_day_comes_to_the_same_in_every_way(
        case in generate::day(), batch_events in 1..60_usize, block_records in 1..80_u32, threads in 2..4_usize,
    ) {
        check(&case, batch_events, block_records, threads)?;
    }

    #[test]
    fn a_damaged_day_is_refused_at_the_same_place_in_every_way(
        case in generate::damaged_day(), batch_events in 1..60_usize, block_records in 1..80_u32, threads in 2..4_usize,
    ) {
        check(&case, batch_events, block_records, threads)?;
    }
}
