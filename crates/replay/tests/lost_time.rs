//! Time in which something may be missing is never counted: whatever is damaged, in every form, strictly and leniently,
//! against the slow reference.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use proptest::prelude::*;
use quoteclock_engine::{BadRecord, DayOptions, RejectSink};
use quoteclock_replay::{Also, Beside, Input, Part, Rejects, Replay, Threads};
use quoteclock_testkit::{Case, Outcome, generate, measure_itch};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};
use support::Form;
use support::itch::{add, damage, delete, state};

/// Market makers V and W, signed up for A1 and B2 each, at a bid of 1,000 and an offer of 1,002.
fn case(events: &str) -> Case {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Case {
        registry: vec![
            file("issues.csv", "issue,type,tick_table\nA1,B,01\nB2,B,01\nC3,B,01\n"),
            file("market_makers.csv", "market_maker\nMV\n"),
            file("virtual_servers.csv", "server,market_maker\nV,MV\n"),
            file("signups.csv", "market_maker,issue\nMV,A1\nMV,B2\nMV,C3\n"),
        ],
        events: events.to_owned(),
        date: Some("2024-03-01".to_owned()),
        lenient: true,
        allow_gaps: false,
    }
}

/// Available, fulfilled and unknown seconds of A1, B2 and C3, and how many records are set aside.
fn sums(outcome: &Outcome) -> (Vec<[u64; 3]>, usize) {
    let Outcome::Measured { daily, rejects, .. } = outcome else { panic!("{outcome:?}") };
    let row = |row: &str| {
        let fields: Vec<u64> = row.split(',').skip(4).take(3).map(|field| field.parse().unwrap()).collect();
        [fields[0], fields[1], fields[2]].map(|micros| micros / 1_000_000)
    };
    (daily.lines().skip(1).map(row).collect(), rejects.len())
}

const HOUR: u64 = 3_600;

#[test]
fn a_hole_of_five_hours_is_no_quoting() {
    let case = case(
        "seq,time,issue,event,order,contra,server,side,price,quantity\n\
         1,2024-03-01T08:59:00+09:00,A1,add,1,,V,B,1000,10000\n\
         2,2024-03-01T08:59:01+09:00,A1,add,2,,V,S,1002,10000\n\
         900000,2024-03-01T14:59:00+09:00,A1,add,3,,X,S,1010,100\n",
    );
    let outcome = support::measure(&case, usize::MAX);
    assert_eq!(outcome, quoteclock_testkit::measure(&case));
    assert_eq!(sums(&outcome), (vec![[0, 0, 5 * HOUR]; 3], 1));
}

/// V's quotes in A1 (locate 1) and B2 (locate 2) from eight o'clock on; C3 has none, and no message names it.
fn quotes() -> Vec<u8> {
    let adds = [
        add(1, b"A1      ", 1, b"B", 1000),
        add(1, b"A1      ", 2, b"S", 1002),
        add(2, b"B2      ", 3, b"B", 1000),
        add(2, b"B2      ", 4, b"S", 1002),
    ];
    adds.concat()
}

/// Measures a stream leniently, in every way of cutting it and by the reference.
fn measured(stream: &[u8]) -> (Vec<[u64; 3]>, usize) {
    let case = case("");
    let outcome = support::measure_form(&case, Form::Itch, stream, usize::MAX);
    assert_eq!(outcome, measure_itch(&case, stream), "the reference");
    assert_eq!(outcome, support::measure_form(&case, Form::Itch, stream, 7), "cut");
    sums(&outcome)
}

const GOOD: [u64; 3] = [5 * HOUR, 5 * HOUR, 0];
/// Good up to ten o'clock, unknown from then on.
const FROM_TEN: [u64; 3] = [HOUR, HOUR, 4 * HOUR];
const SILENT: [u64; 3] = [5 * HOUR, 0, 0];
const SILENT_FROM_TEN: [u64; 3] = [HOUR, 0, 4 * HOUR];
const TEN: u64 = 10 * HOUR;

#[test]
fn a_locate_that_never_gets_a_symbol_names_no_issue() {
    assert_eq!(measured(&quotes()), (vec![GOOD, GOOD, SILENT], 0));
    // One damaged bit in the locate of a delete: whose order was it?
    let stream = [quotes(), delete(9, TEN, 1)].concat();
    assert_eq!(measured(&stream), (vec![FROM_TEN, FROM_TEN, SILENT_FROM_TEN], 1));
    // Twice: from the first on.
    let stream = [quotes(), delete(9, TEN, 1), delete(8, TEN + 60, 3)].concat();
    assert_eq!(measured(&stream), (vec![FROM_TEN, FROM_TEN, SILENT_FROM_TEN], 2));
    // It gets one after all: it is that issue, from the bad record on.
    let stream = [quotes(), delete(9, TEN, 1), state(9, b"C3      ", 11 * HOUR, b"T")].concat();
    assert_eq!(measured(&stream), (vec![GOOD, GOOD, SILENT_FROM_TEN], 1));
    // Doubted twice before it has its name: from the earlier time on, whichever came first.
    let earlier = [[HOUR, 0, 4 * HOUR], [HOUR - 60, 0, 4 * HOUR + 60]];
    for (seconds, expected) in [([TEN, TEN + 60], earlier[0]), ([TEN, TEN - 60], earlier[1])] {
        let bad = seconds.map(|seconds| delete(9, seconds, 1)).concat();
        let stream = [quotes(), state(2, b"B2      ", TEN, b"T"), bad, state(9, b"C3      ", 11 * HOUR, b"T")].concat();
        assert_eq!(measured(&stream), (vec![GOOD, GOOD, expected], 2), "{seconds:?}");
    }
    // Of an issue that is not measured.
    let stream = [quotes(), delete(9, TEN, 1), state(9, b"Z       ", 11 * HOUR, b"T")].concat();
    assert_eq!(measured(&stream), (vec![GOOD, GOOD, SILENT], 1));
    // No locate at all.
    let stream = [quotes(), delete(0, TEN, 1)].concat();
    assert_eq!(measured(&stream), (vec![FROM_TEN, FROM_TEN, SILENT_FROM_TEN], 1));
}

#[test]
fn a_symbol_at_anothers_locate_puts_both_in_doubt() {
    for (locate, symbol, expected) in [
        (1, b"B2      ", [FROM_TEN, FROM_TEN, SILENT]),
        (2, b"A1      ", [FROM_TEN, FROM_TEN, SILENT]),
        // A symbol without a locate so far: its issue is one of the two.
        (1, b"C3      ", [FROM_TEN, GOOD, SILENT_FROM_TEN]),
        // Neither the symbol nor anything else of the second is known to the registry.
        (1, b"Z       ", [FROM_TEN, GOOD, SILENT]),
        // No symbol at all: the locate names the issue.
        (1, b"        ", [FROM_TEN, GOOD, SILENT]),
        // A locate of its own that never gets a symbol names none.
        (9, b"A1      ", [FROM_TEN, FROM_TEN, SILENT_FROM_TEN]),
    ] {
        let stream = [quotes(), state(locate, symbol, TEN, b"T")].concat();
        assert_eq!(measured(&stream), (expected.to_vec(), 1), "{locate} {symbol:?}");
    }
    // Where the second gets a locate of its own later, it is in doubt all the same.
    let stream = [quotes(), state(1, b"C3      ", TEN, b"T"), state(3, b"C3      ", 11 * HOUR, b"T")].concat();
    assert_eq!(measured(&stream), (vec![FROM_TEN, GOOD, SILENT_FROM_TEN], 1));
}

#[test]
fn a_time_beyond_the_day_is_no_time() {
    for seconds in [24 * HOUR, 25 * HOUR, 78 * HOUR] {
        // Since the last good record, which was at ten, of whatever issue.
        let stream = [quotes(), state(2, b"B2      ", TEN, b"T"), delete(1, seconds, 1)].concat();
        let unknown = [[HOUR, HOUR, 4 * HOUR], GOOD, SILENT];
        assert_eq!(measured(&stream), (unknown.to_vec(), 1), "{seconds}");
    }
    let last = [quotes(), delete(1, 24 * HOUR - 1, 1)].concat();
    assert_eq!(measured(&last), (vec![GOOD, GOOD, SILENT], 0));
}

#[test]
fn phases_last_known_hold_through_the_damage_and_the_clear() {
    let text = |more: &str| {
        format!(
            "seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase\n\
             1,2024-03-01T09:00:00+09:00,A1,phase,,,,,,,,halt\n\
             2,2024-03-01T10:00:00+09:00,A1,cancel,7,,,,,,,\n\
             3,2024-03-01T10:30:00+09:00,*,clear,,,,,,,,\n{more}"
        )
    };
    let outcome = |more: &str| {
        let case = case(&text(more));
        let outcome = support::measure(&case, usize::MAX);
        assert_eq!(outcome, quoteclock_testkit::measure(&case));
        sums(&outcome)
    };
    // Halted, so that nothing was required; damage alters nothing of that.
    assert_eq!(outcome(""), (vec![[0, 0, 0], SILENT, SILENT], 1));
    let again = "4,2024-03-01T11:00:00+09:00,A1,phase,,,,,,,,continuous\n";
    assert_eq!(outcome(again), (vec![[3 * HOUR, 0, 0], SILENT, SILENT], 1));
}

#[test]
fn a_replace_of_an_unknown_order_adds_nothing() {
    let case = case(
        "time,issue,event,order,contra,server,side,price,quantity\n\
         2024-03-01T08:00:00+09:00,A1,add,2,,V,S,1002,10000\n\
         2024-03-01T09:00:00+09:00,A1,replace,7,1,,,1000,10000\n\
         2024-03-01T09:30:00+09:00,A1,cancel,1,,,,,\n\
         2024-03-01T10:00:00+09:00,A1,clear,,,,,,\n\
         2024-03-01T10:00:00+09:00,A1,add,2,,V,S,1002,10000\n\
         2024-03-01T10:00:00+09:00,A1,replace,7,1,,,1000,10000\n\
         2024-03-01T10:00:00+09:00,A1,clear,,,,,,\n\
         2024-03-01T10:00:00+09:00,A1,add,2,,V,S,1002,10000\n",
    );
    let outcome = support::measure(&case, usize::MAX);
    assert_eq!(outcome, quoteclock_testkit::measure(&case));
    assert_eq!(sums(&outcome), (vec![[4 * HOUR, 0, HOUR], SILENT, SILENT], 3));
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: support::cases(600), max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn damaged_itch_is_measured_or_refused_as_the_reference_does(
        case in generate::day(),
        places in proptest::collection::vec((0..9_u8, any::<usize>(), any::<u8>()), 0..4),
        cut in proptest::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        if let Some((case, mut stream)) = support::in_itch(&case) {
            for (kind, anywhere, value) in places {
                damage(&mut stream, kind, anywhere, value);
            }
            if let Some(cut) = cut {
                stream.truncate(cut.index(stream.len() + 1));
            }
            for lenient in [false, true] {
                let case = Case { lenient, ..case.clone() };
                let outcome = support::measure_form(&case, Form::Itch, &stream, usize::MAX);
                prop_assert_eq!(&outcome, &measure_itch(&case, &stream));
                prop_assert_eq!(outcome, support::measure_form(&case, Form::Itch, &stream, 5));
            }
        }
    }

    #[test]
    fn a_damaged_day_in_the_binary_form_is_measured_as_the_reference_measures_its_text(
        case in generate::damaged_day(), block_records in 1..40_u32,
    ) {
        // Places differ; what is measured, and how many are set aside, does not.
        let plain = |outcome: Outcome| match outcome {
            Outcome::Measured { daily, breaches, rejects } => Some((daily, breaches, rejects.len())),
            Outcome::Refused { .. } => None,
        };
        if let Some(bytes) = support::in_blocks(&case, block_records) {
            for lenient in [false, true] {
                let case = Case { lenient, ..case.clone() };
                let outcome = support::measure_form(&case, Form::Binary, &bytes, usize::MAX);
                prop_assert_eq!(plain(outcome), plain(quoteclock_testkit::measure(&case)));
            }
        }
    }
}

/// Counts the sinks that are held: those of two passes would write to the same files.
struct OneAtATime(Arc<AtomicU32>);

struct Held(Arc<AtomicU32>);

impl Rejects for OneAtATime {
    type Sink = Held;

    fn begin(&mut self) -> io::Result<Held> {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "what the pass before has set aside is still held");
        Ok(Held(Arc::clone(&self.0)))
    }
}

impl RejectSink for Held {
    fn reject(&mut self, _: &BadRecord, _: &[u8]) {}

    fn rest(&mut self, _: &[u8]) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn the_first_pass_lets_go_of_what_it_has_set_aside_before_the_second_begins() {
    // The second record comes from before the first, which is found out late.
    let events = "seq,time,issue,event,order,contra,server,side,price,quantity\n\
                  1,2024-03-01T10:00:00+09:00,A1,add,1,,V,B,1000,10000\n\
                  2,2024-03-01T09:30:00+09:00,A1,add,2,,V,S,1002,10000\n";
    let registry = support::registry(&case(events));
    let folder = tempfile::tempdir().unwrap();
    let [file, empty] = ["2024-03-01.csv", "also.csv"].map(|name| folder.path().join(name));
    fs::write(&file, events).unwrap();
    fs::write(&empty, events.lines().next().unwrap()).unwrap();
    let also = Beside { also: vec![Also { input: Input::File(empty), part: Part::Phases }], own_orders: None };
    let options = DayOptions { lenient: true, ..DayOptions::default() };
    for beside in [Beside::NONE, &also] {
        let held = Arc::new(AtomicU32::new(0));
        let replay = Replay {
            registry: &registry,
            input: &Input::File(file.clone()),
            options: &options,
            beside,
            progress: &|_| ControlFlow::Continue(()),
        };
        let day = replay.measure(Threads(NonZeroUsize::MIN), &mut OneAtATime(Arc::clone(&held))).unwrap();
        assert_eq!(held.load(Ordering::Relaxed), 1, "of the pass that counts");
        assert_eq!(day.finished.reject_count, 1);
    }
}
