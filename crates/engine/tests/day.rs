//! What a day makes of its records, one by one: which it counts, which it sets aside and why, and what it puts in doubt.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::{date, time};
use quoteclock_engine::{
    BadRecord, Coverage, Day, DayError, DayOptions, Fault, NoRejects, RejectSink, SingleThread, UnknownWindow, Until,
};
use quoteclock_feed::binary::EventSlot;
use quoteclock_feed::{CompactRecord, CompactRun, Malformed, Place, RawRecord, Receiver, Sequence};
use quoteclock_model::{
    Interval, IssueCode, IssueIndex, MarketEvent, Phase, Scope, SequenceNo, Span, State, Timestamp,
};
use quoteclock_obligation::{DaySink, IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use std::sync::Arc;

const MINUTE: i64 = 60_000_000;

/// Minutes after midnight of the 1st of March 2024 in Tokyo; the session runs from 9:00 to 15:00.
fn at(minutes: i64) -> Timestamp {
    let midnight = "2024-03-01T00:00:00+09:00".parse::<jiff::Timestamp>().unwrap();
    Timestamp::from_micros(midnight.as_microsecond() + minutes * MINUTE)
}

fn before(time: Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_micros() - 1)
}

const OPEN: i64 = 9 * 60;
const CLOSE: i64 = 15 * 60;
const DAY_END: i64 = 24 * 60;
const ISSUE: IssueIndex = IssueIndex(0);

#[derive(Default)]
struct Intervals(Vec<Interval>);

impl IntervalSink for Intervals {
    fn interval(&mut self, _: ObligationIndex, interval: Interval) {
        self.0.push(interval);
    }
}

impl DaySink for Intervals {
    fn open(&mut self, _: &Arc<DayPlan>) {}
}

/// What the rejects are told, in words.
#[derive(Default)]
struct Told(Vec<String>);

impl RejectSink for Told {
    fn reject(&mut self, bad: &BadRecord, _: &[u8]) {
        self.0.push(fault(&bad.fault).to_owned());
    }

    fn rest(&mut self, bytes: &[u8]) {
        self.0.push(format!("{} bytes more", bytes.len()));
    }

    fn again(&mut self, count: u64) -> bool {
        self.0.push(format!("{count} more"));
        true
    }

    fn source(&mut self, index: usize) {
        self.0.push(format!("input {index}"));
    }
}

fn fault(fault: &Fault) -> &'static str {
    match fault {
        Fault::Malformed(_) => "malformed",
        Fault::TimeBackwards { .. } => "backwards",
        Fault::OtherDate { .. } => "other date",
        Fault::SequenceGap { .. } => "gap",
        Fault::SequenceRepeat { .. } => "repeat",
        _ => "other",
    }
}

fn registry(more: &[(&str, &str)]) -> Registry {
    let files = [
        ("issues.csv", "issue,type,tick_table\n1306,B,01\n"),
        ("market_makers.csv", "market_maker\nMM1\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\n"),
    ];
    let kept = files.iter().filter(|(name, _)| more.iter().all(|(changed, _)| changed != name));
    let files = kept.chain(more).map(|(name, text)| SourceFile { name: (*name).to_owned(), bytes: (*text).into() });
    let loaded = Registry::load(&files.collect::<Vec<_>>());
    loaded.registry.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

fn day<R: RejectSink>(options: DayOptions, rejects: R) -> Day<Intervals, R> {
    let mut day = Day::new(&registry(&[]), options, Intervals::default(), rejects).unwrap();
    day.issue(ISSUE, &IssueCode::new(b"1306").unwrap());
    day
}

fn lenient() -> DayOptions {
    DayOptions { lenient: true, ..DayOptions::default() }
}

/// A record that says that the issue trades; 0 is a number that cannot be read.
fn record(time: impl Into<Option<Timestamp>>, sequence: u64) -> RawRecord<'static> {
    let sequence = if sequence == 0 { Sequence::Unreadable } else { Sequence::Given(SequenceNo(sequence)) };
    RawRecord {
        place: Place::Line(1),
        bytes: b"",
        ts_event: time.into(),
        sequence,
        scope: Some(Scope::Issue(ISSUE)),
        also: None,
        event: Ok(MarketEvent::Phase { scope: Scope::Issue(ISSUE), phase: Phase::Continuous }),
    }
}

fn malformed(record: RawRecord<'static>) -> RawRecord<'static> {
    let event = Err(Malformed { field: "price", found: String::new(), expected: "a price" });
    RawRecord { event, ..record }
}

#[test]
fn inputs_have_numbers_of_their_own_and_what_is_missing_in_one_may_be_from_its_own_last_record_on() {
    let mut day = day(lenient(), Told::default());
    for (input, minute, sequence) in
        [(0, OPEN, 1), (1, OPEN + 1, 7), (0, OPEN + 2, 2), (0, OPEN + 3, 3), (1, OPEN + 4, 8)]
    {
        day.source(input);
        day.record(&record(at(minute), sequence)).unwrap();
    }
    assert!(!day.has_retroactive() && day.retroactive().is_empty());
    // The 10 of the second input comes after its 8, behind one of the first.
    day.source(0);
    day.record(&record(at(OPEN + 5), 4)).unwrap();
    day.source(1);
    day.record(&record(at(OPEN + 6), 10)).unwrap();
    // Up to the last event that has been applied: from there on it is unknown as it is measured.
    let span = Span { start: at(OPEN + 4), end: at(OPEN + 5) };
    assert!(day.has_retroactive());
    assert_eq!(day.retroactive(), [UnknownWindow { issue: None, span }]);
    assert_eq!((day.record_count(), day.reject_count()), (7, 1));
    let inputs = ["input 1", "input 0", "input 1", "input 0", "input 1"];
    assert_eq!(day.rejects_mut().0, [&inputs[..], &["gap"]].concat());
}

#[test]
fn a_record_that_is_passed_over_is_judged_and_not_applied() {
    let mut day = day(DayOptions::default(), NoRejects);
    assert!(!day.follows(&record(at(OPEN), 1)), "the date is not known yet");
    for (count, (minute, sequence)) in (1..).zip([(OPEN, 1), (OPEN, 2), (OPEN + 1, 3)]) {
        day.pass(&record(at(minute), sequence)).unwrap();
        assert_eq!((day.record_count(), day.now()), (count, Some(at(minute))));
    }
    let follows = |record| day.follows(&record);
    assert!(follows(record(at(OPEN + 1), 4)) && !follows(record(before(at(OPEN + 1)), 4)));
    assert!(!follows(record(at(OPEN + 1), 3)) && !follows(record(at(OPEN + 1), 5)) && !follows(record(None, 4)));
    assert!(follows(record(before(at(DAY_END)), 4)) && !follows(record(at(DAY_END), 4)));
    assert!(!follows(malformed(record(at(OPEN + 1), 4))));
    assert!(day.pass(&record(at(OPEN + 1), 5)).is_err(), "one is missing");
    assert!(matches!(day.finish(), Err(DayError::Bad(bad)) if fault(&bad.fault) == "gap"));
}

#[test]
fn a_run_is_passed_over_where_all_of_it_follows_and_not_at_all_otherwise() {
    for (micros, in_order, first, passed) in [
        ([0, 5], true, Some(2), true),
        ([0, 5], true, None, true),
        ([0, 5], false, Some(2), false),
        ([-1, 5], true, Some(2), false),
        ([0, 5], true, Some(1), false),
        ([0, 5], true, Some(3), false),
        ([0, 15 * 60 * MINUTE - 1], true, Some(2), true),
        ([0, 15 * 60 * MINUTE], true, Some(2), false),
    ] {
        let mut day = day(DayOptions::default(), NoRejects);
        day.record(&record(at(OPEN), 1)).unwrap();
        let origin = Timestamp::from_micros(at(OPEN).as_micros() - 1);
        let records = micros.map(|micros| CompactRecord {
            slot: EventSlot::EMPTY,
            micros: u64::try_from(micros + 1).unwrap(),
            issue: ISSUE,
            at: 0,
        });
        let sequence = first.map(SequenceNo);
        let run = CompactRun { records: &records, in_order, origin, start: Place::Line(2), sequence, ahead: &[] };
        assert!(!day.pass_over_run(&run, 0));
        assert_eq!(day.pass_over_run(&run, 2), passed, "{micros:?} {in_order} {first:?}");
        let (count, last) = if passed { (3, micros[1]) } else { (1, 0) };
        assert_eq!((day.record_count(), day.now()), (count, Some(Timestamp::from_micros(at(OPEN).as_micros() + last))));
        let next = if passed && first.is_some() { 4 } else { 2 };
        if last < 15 * 60 * MINUTE - 1 {
            assert!(day.follows(&record(at(OPEN + 1), next)) && !day.follows(&record(at(OPEN + 1), next + 1)));
        }
    }
}

#[test]
fn reading_stops_at_the_end_of_the_measurement_and_refuses_what_is_of_another_date() {
    let half_past_eleven = 11 * 60 + 30;
    for (next, stops, refused) in [
        (before(at(half_past_eleven)), false, false),
        (at(half_past_eleven), true, false),
        (before(at(DAY_END)), true, false),
        (at(DAY_END), true, true),
    ] {
        let until = Some(Until::Clock(time(11, 30, 0, 0)));
        let mut day = day(DayOptions { until, ..DayOptions::default() }, NoRejects);
        assert_eq!((day.until(), day.whole_plan()), (None, None));
        day.record(&record(at(OPEN), 1)).unwrap();
        assert_eq!(day.until(), Some(at(half_past_eleven)));
        assert_eq!(day.whole_plan().unwrap().day.end, at(DAY_END));
        assert_eq!(day.record(&record(next, 2)).is_err(), stops, "{next:?}");
        match day.finish() {
            Ok((finished, ..)) => assert_eq!((finished.record_count, refused), (if stops { 1 } else { 2 }, false)),
            Err(error) => assert!(refused && matches!(error, DayError::Bad(_)), "{error}"),
        }
    }
}

#[test]
fn a_bad_record_may_come_again_and_go_on_and_a_good_one_may_not() {
    let mut day = day(lenient(), Told::default());
    day.record(&record(at(OPEN), 1)).unwrap();
    assert!(!day.again(2));
    day.rest(b"abc").unwrap();
    day.record(&malformed(record(None, 0))).unwrap();
    day.rest(b"abc").unwrap();
    assert!(day.again(3));
    assert_eq!((day.record_count(), day.reject_count()), (5, 4));
    assert_eq!(day.rejects_mut().0, ["malformed", "3 bytes more", "3 more"]);
    // Each of the four may have had a number: up to 6 nothing is missing.
    assert!(day.follows(&record(at(OPEN), 6)) && !day.follows(&record(at(OPEN), 7)));
    // One with a number takes none again.
    day.record(&malformed(record(at(OPEN), 6))).unwrap();
    assert!(day.again(2));
    assert!(day.follows(&record(at(OPEN), 7)) && !day.follows(&record(at(OPEN), 8)));
    day.record(&record(at(OPEN), 7)).unwrap();
    assert!(!day.again(1));
}

/// Says nothing of records that come again.
struct Deaf;

impl RejectSink for Deaf {
    fn reject(&mut self, _: &BadRecord, _: &[u8]) {}
    fn rest(&mut self, _: &[u8]) {}
}

#[test]
fn who_does_not_count_records_that_come_again_is_told_of_each() {
    let mut day = day(lenient(), Deaf);
    day.record(&malformed(record(None, 0))).unwrap();
    assert!(!day.again(2));
    assert_eq!(day.record_count(), 1);
}

#[test]
fn of_several_faults_the_first_in_the_order_of_reading_is_named() {
    let first = at(OPEN + 10);
    for (record, expected) in [
        (malformed(record(first, 2)), "malformed"),
        (malformed(record(first, 4)), "gap"),
        (malformed(record(first, 1)), "repeat"),
        (malformed(record(before(first), 2)), "backwards"),
        (malformed(record(before(first), 4)), "backwards"),
        (malformed(record(None, 4)), "malformed"),
        (malformed(record(before(first), 0)), "malformed"),
        (record(before(first), 4), "backwards"),
        (record(at(0), 2), "backwards"),
        (record(before(at(0)), 2), "other date"),
        (record(before(at(DAY_END)), 4), "gap"),
        (record(at(DAY_END), 4), "other date"),
    ] {
        let mut day = day(lenient(), Told::default());
        day.record(&self::record(first, 1)).unwrap();
        day.record(&record).unwrap();
        assert_eq!(day.rejects_mut().0, [expected], "{record:?}");
    }
}

#[test]
fn a_bad_record_puts_its_issue_in_doubt_from_its_own_time_on_where_that_is_of_the_day() {
    let (first, since) = (at(OPEN + 10), |record: RawRecord<'static>| {
        let mut day = day(lenient(), NoRejects);
        day.record(&self::record(at(OPEN + 10), 1)).unwrap();
        day.record(&record).unwrap();
        let earlier = day.retroactive().first().map(|window| window.span.start);
        let (_, sink, _) = day.finish().unwrap();
        let unknown = sink.0.iter().find(|interval| interval.state == State::Unknown).unwrap().start;
        (earlier, unknown)
    });
    assert_eq!(since(malformed(record(at(OPEN + 20), 2))), (None, at(OPEN + 20)));
    assert_eq!(since(malformed(record(None, 2))), (None, first));
    assert_eq!(since(record(at(OPEN + 5), 2)), (Some(at(OPEN + 5)), first));
    assert_eq!(since(record(at(0), 2)), (Some(at(0)), first));
    assert_eq!(since(record(before(at(0)), 2)), (None, first));
}

#[test]
fn a_look_is_taken_at_what_is_left_of_the_day_and_while_nothing_is_held_back() {
    let of_batches = |batches: bool| {
        let (registry, sink) = (registry(&[]), Intervals::default());
        let options = DayOptions::default();
        if batches {
            Day::in_batches(&registry, options, sink, NoRejects, SingleThread).unwrap()
        } else {
            Day::new(&registry, options, sink, NoRejects).unwrap()
        }
    };
    for batches in [false, true] {
        let mut day = of_batches(batches);
        assert_eq!((day.takes_compact(), day.takes_blocks()), (batches, batches));
        assert!(day.so_far(&mut Intervals::default()).is_none(), "the date is not known yet");
        assert_eq!(day.running_at(0, |_, _| ()), None);
        day.open_at(at(OPEN + 10)).unwrap();
        let issue = day.engine().unwrap().measure_of(ObligationIndex(0)).unwrap();
        assert!(day.so_far(&mut Intervals::default()).is_some() && day.look(issue, at(OPEN)).is_some());
        day.record(&record(at(OPEN + 10), 1)).unwrap();
        let looks = |day: &mut Day<_, _>, at| day.look(issue, at).is_some();
        assert_eq!(looks(&mut day, at(OPEN + 10)), !batches, "what is held back has not been applied");
        assert_eq!(day.so_far(&mut Intervals::default()).is_some(), !batches);
        if !batches {
            let mut running = Intervals::default();
            day.so_far(&mut running);
            let of_all = running.0.iter().map(|interval| (interval.start, interval.end));
            assert_eq!(of_all.collect::<Vec<_>>(), [(at(OPEN), at(OPEN + 10))], "what has begun and not ended");
            assert!(!looks(&mut day, before(at(OPEN + 10))));
            assert!(!looks(&mut day, Timestamp::from_micros(at(DAY_END).as_micros() + 1)));
            assert!(looks(&mut day, at(DAY_END)));
        }
    }
    let mut day = of_batches(false);
    day.record(&record(at(OPEN), 1)).unwrap();
    let places = [0, 1, 2].map(|place| {
        let mut count = 0;
        (day.running_at(place, |_, _| count += 1), count)
    });
    // The issue that is measured, the one of the record, whose code is not known, and no third.
    assert_eq!(places, [(Some(true), 1), (Some(true), 0), (Some(false), 0)]);
}

#[test]
fn another_registry_is_taken_where_it_requires_the_same_of_the_day() {
    let fast = [("fast_market.csv", "from,to,multiplier\n2024-03-01,2024-03-01,2\n")];
    let other = [("signups.csv", "market_maker,issue,to\nMM1,1306,2024-02-29\n")];
    let named = [("issues.csv", "issue,type,tick_table,name\n1306,B,01,A name\n")];
    let until = Some(Until::Clock(time(11, 30, 0, 0)));
    for (more, variants, until, taken) in [
        (&named[..], false, None, true),
        (&other, false, None, false),
        (&fast, false, None, false),
        (&fast, true, None, true),
        (&named, false, until, false),
    ] {
        let options = DayOptions { variants, until, ..DayOptions::default() };
        let mut day = Day::new(&registry(&[]), options, Intervals::default(), NoRejects).unwrap();
        day.open_at(at(OPEN)).unwrap();
        assert_eq!(day.take_registry(&registry(more)).unwrap(), taken, "{more:?} {variants} {until:?}");
        let multiplier = if taken && more == fast { 2 } else { 1 };
        assert_eq!(day.engine().unwrap().plan().multiplier, multiplier);
    }
    // Of a day whose date is not known yet nothing is required so far.
    assert!(day(DayOptions::default(), NoRejects).take_registry(&registry(&other)).unwrap());
}

#[test]
fn an_input_ends_early_before_the_end_of_the_session_or_while_the_market_is_open() {
    let feed = [("scheme.toml", "name = \"x\"\nversion = \"1\"\nphase_source = \"feed\"\n")];
    let until = Some(Until::Clock(time(11, 30, 0, 0)));
    let market = |phase| Some(MarketEvent::Phase { scope: Scope::Market, phase });
    for (more, last, phase, until, is_early) in [
        (&[][..], before(at(CLOSE)), None, None, true),
        (&[], at(CLOSE), None, None, false),
        (&[], at(OPEN), None, until, false),
        (&[], at(OPEN), market(Phase::Closed), None, false),
        (&feed[..], at(CLOSE), market(Phase::Continuous), None, true),
        (&feed, at(OPEN), market(Phase::Closed), None, false),
        (&feed, at(OPEN), None, None, false),
    ] {
        let options = DayOptions { until, ..DayOptions::default() };
        let mut day = Day::new(&registry(more), options, Intervals::default(), NoRejects).unwrap();
        let mut record = record(last, 1);
        record.event = phase.map_or(record.event, Ok);
        day.record(&record).unwrap();
        day.end_of_input(None).unwrap();
        let coverage = day.finish().unwrap().0.coverage;
        let found = coverage.iter().any(|of| matches!(of, Coverage::EndsEarly { .. }));
        assert_eq!(found, is_early, "{last:?} {phase:?} {until:?}");
    }
    // Of no record at all it is not said; the input may tell its date.
    let mut empty = day(DayOptions::default(), NoRejects);
    empty.end_of_input(Some(date(2024, 3, 1))).unwrap();
    let coverage = empty.finish().unwrap().0.coverage;
    assert!(!coverage.iter().any(|of| matches!(of, Coverage::EndsEarly { .. })), "{coverage:?}");
}

#[test]
fn a_day_knows_what_it_was_told_beforehand() {
    let unknown = vec![UnknownWindow { issue: None, span: Span { start: at(OPEN), end: at(OPEN + 1) } }];
    let day = day(DayOptions { unknown: unknown.clone(), ..DayOptions::default() }, NoRejects);
    assert_eq!((day.known_unknown(), day.record_count()), (&unknown[..], 0));
}

fn phase(time: Timestamp, sequence: u64, phase: Phase) -> RawRecord<'static> {
    RawRecord { event: Ok(MarketEvent::Phase { scope: Scope::Issue(ISSUE), phase }), ..record(time, sequence) }
}

fn in_batches() -> Day<Intervals, NoRejects> {
    Day::in_batches(&registry(&[]), DayOptions::default(), Intervals::default(), NoRejects, SingleThread).unwrap()
}

#[test]
fn what_is_held_back_of_an_issue_is_applied_before_its_code_is_told() {
    let one_by_one = Day::new(&registry(&[]), DayOptions::default(), Intervals::default(), NoRejects).unwrap();
    let told = [one_by_one, in_batches()].map(|mut day| {
        day.record(&phase(at(OPEN + 10), 1, Phase::Halt)).unwrap();
        day.issue(ISSUE, &IssueCode::new(b"1306").unwrap());
        day.record(&phase(at(OPEN + 20), 2, Phase::Continuous)).unwrap();
        day.record(&phase(at(OPEN + 60), 3, Phase::Halt)).unwrap();
        let (_, sink, _) = day.finish().unwrap();
        sink.0.iter().map(|interval| (interval.start, interval.state == State::Unavailable)).collect::<Vec<_>>()
    });
    // Whether a halt was of this issue is not known before the issue is.
    let expected = [(at(0), true), (at(OPEN), false), (at(OPEN + 60), true)];
    assert_eq!(told, [expected, expected]);
}

#[test]
fn a_compact_run_is_held_where_it_follows_and_left_to_be_read_one_by_one_where_it_does_not() {
    let event = MarketEvent::Phase { scope: Scope::Issue(ISSUE), phase: Phase::Continuous };
    let slot = EventSlot::write(&event, None, 0, 0).0;
    for (micros, in_order, first, held) in [
        ([0, 5], true, Some(2), 2),
        ([0, 5], true, None, 2),
        ([0, 5], true, Some(1), 0),
        ([0, 5], true, Some(3), 0),
        ([0, 5], false, Some(2), 0),
        ([-1, 5], true, Some(2), 0),
        // Times that 32 bits of microseconds from the first do not reach wait for another batch.
        ([0, i64::from(u32::MAX)], true, Some(2), 2),
        ([0, i64::from(u32::MAX) + 1], true, Some(2), 0),
    ] {
        let mut day = in_batches();
        day.issue(ISSUE, &IssueCode::new(b"1306").unwrap());
        day.record(&record(at(OPEN), 1)).unwrap();
        let origin = Timestamp::from_micros(at(OPEN).as_micros() - 1);
        let micros = micros.map(|micros| u64::try_from(micros + 1).unwrap());
        let records = micros.map(|micros| CompactRecord { slot, micros, issue: ISSUE, at: 0 });
        let sequence = first.map(SequenceNo);
        let run = CompactRun { records: &records, in_order, origin, start: Place::Line(2), sequence, ahead: &[] };
        assert_eq!(day.compact(&run), Ok(held), "{micros:?} {in_order} {first:?}");
        let next = if held == 2 && first.is_some() { 4 } else { 2 };
        assert!(day.follows(&record(day.now(), next)) && !day.follows(&record(day.now(), next + 1)));
        assert_eq!(day.finish().unwrap().0.record_count, 1 + held as u64);
    }
}
