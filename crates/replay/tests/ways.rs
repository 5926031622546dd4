//! However events are applied, one by one, in batches or in blocks, by one thread or by several: it comes to the same, down
//! to the words and the place of the first fault.

mod readers;
mod support;

use proptest::prelude::*;
use quoteclock_engine::{Day, DayOptions};
use quoteclock_feed::FeedError;
use quoteclock_feed::binary::BinaryDecoder;
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::itch::{Framing, ItchDecoder};
use quoteclock_ledger::OpenLedger;
use quoteclock_replay::Threads;
use quoteclock_rules::Registry;
use quoteclock_testkit::Case;
use quoteclock_testkit::generate;
use std::num::NonZeroUsize;
use support::itch::damage;
use support::{Lines, in_blocks};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Csv,
    Binary,
    Itch,
}

/// All that is known in the end, or the error in words.
fn outcome(registry: &Registry, case: &Case, form: Form, bytes: &[u8], way: Option<(usize, usize)>) -> String {
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let options = DayOptions { lenient: false, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    let (ledger, lines) = (OpenLedger::default(), Lines::default());
    let executor = |threads| Threads(NonZeroUsize::new(threads).expect("a thread at least")).start();
    let day = match way {
        None => Day::new(registry, options, ledger, lines),
        Some((events, threads)) => Day::in_batches(registry, options, ledger, lines, executor(threads))
            .map(|day| day.with_batch_events(events)),
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
        Form::Itch => {
            let date = case.date.as_ref().expect("ITCH does not tell its date").parse().expect("a date");
            let midnight = registry.plan(date).expect("a date").day.start;
            let mut decoder = ItchDecoder::with_framing(midnight, Framing::LengthPrefixed);
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

/// Bytes come to the same in every way.
fn same(
    registry: &Registry,
    case: &Case,
    form: Form,
    bytes: &[u8],
    (batch_events, threads): (usize, usize),
) -> Result<(), TestCaseError> {
    let expected = outcome(registry, case, form, bytes, None);
    for way in [(batch_events, 1), (batch_events, threads)] {
        prop_assert_eq!(&outcome(registry, case, form, bytes, Some(way)), &expected, "{:?} {:?}", form, way);
    }
    Ok(())
}

/// A case in every form, as it is and damaged somewhere.
fn check(case: &Case, batch_events: usize, block_records: u32, threads: usize) -> Result<(), TestCaseError> {
    let registry = support::registry(case);
    let anywhere = batch_events * 7919;
    let same = |case: &Case, form, bytes: &[u8]| same(&registry, case, form, bytes, (batch_events, threads));
    same(case, Form::Csv, case.events.as_bytes())?;
    if let Some((case, mut stream)) = support::in_itch(case) {
        same(&case, Form::Itch, &stream)?;
        let [kind, value] = [anywhere % 9, anywhere % 251].map(|number| u8::try_from(number).expect("small"));
        damage(&mut stream, kind, anywhere, value);
        same(&case, Form::Itch, &stream)?;
    }
    if let Some(mut bytes) = in_blocks(case, block_records) {
        same(case, Form::Binary, &bytes)?;
        // Two neighbours in each other's place: records of one issue out of order, where they are records.
        let slot = anywhere % (bytes.len() / 32 - 1) * 32;
        let mut swapped = bytes.clone();
        swapped[slot..slot + 64].rotate_left(32);
        same(case, Form::Binary, &readers::with_checksums(&swapped))?;
        // One bit of damage anywhere, seen by its checksum and not.
        let at = anywhere % bytes.len();
        bytes[at] ^= 1 << (threads % 8);
        same(case, Form::Binary, &bytes)?;
        same(case, Form::Binary, &readers::with_checksums(&bytes))?;
    }
    Ok(())
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

/// A message of `kind` at locate 1 and a time in microseconds.
fn message<const N: usize>(kind: u8, micros: u64, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 2 + N];
    bytes[..2].copy_from_slice(&u16::try_from(N).expect("short").to_be_bytes());
    bytes[2] = kind;
    bytes[4] = 1;
    bytes[7..13].copy_from_slice(&(micros * 1_000).to_be_bytes()[2..]);
    for (at, field) in fields {
        bytes[2 + at..2 + at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// An order of one share, which becomes a compact record.
fn compact(order: u64, micros: u64) -> Vec<u8> {
    let price = 10_000_u32.to_be_bytes();
    let fields: [(usize, &[u8]); 5] =
        [(11, &order.to_be_bytes()), (19, b"B"), (20, &[0, 0, 0, 1]), (24, b"1306    "), (32, &price)];
    message::<36>(b'A', micros, &fields)
}

/// A trading state, which goes the long way.
fn long_way(micros: u64) -> Vec<u8> {
    message::<25>(b'H', micros, &[(11, b"1306    "), (19, b"T")])
}

#[test]
fn a_run_of_compact_records_is_held_only_where_each_of_its_times_is_good() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let case = Case {
        registry: vec![
            file("issues.csv", "issue,type,tick_table\n1306,A,01\n"),
            file("market_makers.csv", "market_maker\nMM1\n"),
            file("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
            file("signups.csv", "market_maker,issue\nMM1,1306\n"),
        ],
        events: String::new(),
        date: Some("2024-03-01".to_owned()),
        lenient: false,
        allow_gaps: false,
    };
    let registry = support::registry(&case);
    const MIDNIGHT: u64 = 86_400_000_000;
    // Times of messages that become compact records and of others (which end a run), and whether they are good.
    let runs: [(&[(bool, u64)], bool); 7] = [
        (&[(true, 1), (true, 2), (true, 2), (true, 3)], true),
        // Back inside a run.
        (&[(true, 1), (true, 5), (true, 4), (true, 6)], false),
        // Back from the record before a run.
        (&[(true, 1), (false, 5), (true, 4), (true, 6)], false),
        (&[(true, 1), (false, 5), (true, 5), (true, 6)], true),
        // Beyond the day with the last of a run.
        (&[(true, MIDNIGHT - 3), (true, MIDNIGHT - 2), (true, MIDNIGHT - 1)], true),
        (&[(true, MIDNIGHT - 3), (true, MIDNIGHT - 2), (true, MIDNIGHT)], false),
        // Back behind a run.
        (&[(true, 1), (true, 5), (true, 6), (false, 4)], false),
    ];
    for (times, good) in runs {
        let messages = times.iter().zip(1..).map(|(&(is_compact, micros), order)| match is_compact {
            true => compact(order, micros),
            false => long_way(micros),
        });
        // What follows gives the last of them room to be read in one go; it is of the same time.
        let last = times.last().expect("some").1;
        let stream = [messages.flatten().collect::<Vec<u8>>(), long_way(last), long_way(last), long_way(last)].concat();
        let expected = outcome(&registry, &case, Form::Itch, &stream, None);
        assert_eq!(expected.contains("Finished"), good, "{times:?}: {expected}");
        for way in [(1, 1), (2, 1), (3, 1), (60, 1), (60, 2)] {
            assert_eq!(outcome(&registry, &case, Form::Itch, &stream, Some(way)), expected, "{times:?} {way:?}");
        }
    }
}
