//! A state taken anywhere, restored, and given the rest of the input, comes to what the whole input comes to: for every form,
//! damaged or not, however the save is spread over the records that follow.

mod support;

use proptest::prelude::*;
use quoteclock_engine::{Day, DayOptions, DayState, IssueState, SavedDay, UnknownWindow};
use quoteclock_feed::binary::BinaryDecoder;
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_feed::itch::{Framing, ItchDecoder};
use quoteclock_feed::{BinaryState, CsvState, FeedError, ItchState};
use quoteclock_ledger::{Breach, LoggedBreach, OpenLedger, Total};
use quoteclock_model::{Reason, State, Timestamp};
use quoteclock_obligation::Running;
use quoteclock_rules::Registry;
use quoteclock_testkit::{Case, generate};
use support::itch::{add, delete};
use support::{Form, Lines};

type LiveDay = Day<OpenLedger, Lines>;

enum Decoder {
    Csv(CsvDecoder),
    Binary(BinaryDecoder),
    Itch(ItchDecoder),
}

enum DecoderState {
    Csv(CsvState),
    Binary(BinaryState),
    Itch(Timestamp, ItchState),
}

impl Decoder {
    fn new(form: Form, midnight: Timestamp) -> Decoder {
        match form {
            Form::Csv => Decoder::Csv(CsvDecoder::default()),
            Form::Binary => Decoder::Binary(BinaryDecoder::default()),
            Form::Itch => Decoder::Itch(ItchDecoder::with_framing(midnight, Framing::LengthPrefixed)),
        }
    }

    fn push(&mut self, chunk: &[u8], day: &mut LiveDay) -> Result<(), FeedError> {
        match self {
            Decoder::Csv(decoder) => decoder.push(chunk, day),
            Decoder::Binary(decoder) => decoder.push(chunk, day),
            Decoder::Itch(decoder) => decoder.push(chunk, day),
        }
    }

    fn finish(self, day: &mut LiveDay) -> Result<(), FeedError> {
        match self {
            Decoder::Csv(decoder) => decoder.finish(day),
            Decoder::Binary(decoder) => decoder.finish(day),
            Decoder::Itch(decoder) => decoder.finish(day),
        }
    }

    fn save(&self, midnight: Timestamp) -> DecoderState {
        match self {
            Decoder::Csv(decoder) => DecoderState::Csv(decoder.save()),
            Decoder::Binary(decoder) => DecoderState::Binary(decoder.save()),
            Decoder::Itch(decoder) => DecoderState::Itch(midnight, decoder.save()),
        }
    }

    fn restore(state: &DecoderState) -> Decoder {
        let expected = "a state that was saved";
        match state {
            DecoderState::Csv(state) => Decoder::Csv(CsvDecoder::restore(state).expect(expected)),
            DecoderState::Binary(state) => Decoder::Binary(BinaryDecoder::restore(state).expect(expected)),
            DecoderState::Itch(midnight, state) => {
                Decoder::Itch(ItchDecoder::restore(*midnight, state).expect(expected))
            }
        }
    }
}

/// Everything that is kept of a run.
struct Kept {
    day: DayState,
    issues: Vec<IssueState>,
    decoder: DecoderState,
    totals: Vec<Total>,
    log: Vec<LoggedBreach>,
    rejects: Vec<u64>,
    /// How much of the input had been read.
    read: usize,
}

/// An input, and how it is taken.
struct Run<'a> {
    registry: &'a Registry,
    form: Form,
    bytes: &'a [u8],
    options: DayOptions,
    midnight: Timestamp,
}

impl Run<'_> {
    /// All that is known in the end, and what was kept at `cut`, its issues spread over what follows, so many bytes apart.
    fn whole(&self, cut: Option<(usize, usize)>) -> (String, Option<Kept>) {
        let day = Day::new(self.registry, self.options.clone(), OpenLedger::default(), Lines::default());
        let Ok(mut day) = day else { return ("refused".to_owned(), None) };
        let mut decoder = Decoder::new(self.form, self.midnight);
        let Some((cut, step)) = cut else {
            let pushed = decoder.push(self.bytes, &mut day);
            return (self.end(day, decoder, pushed), None);
        };
        let (before, after) = self.bytes.split_at(cut);
        if let Err(error) = decoder.push(before, &mut day) {
            return (self.end(day, decoder, Err(error)), None);
        }
        let ledger = day.sink_mut();
        let (totals, log) = (ledger.totals().to_vec(), ledger.log().to_vec());
        let rejects = day.rejects_mut().0.clone();
        let saved = decoder.save(self.midnight);
        let state = day.begin_save().expect("nothing is held back");
        let (mut issues, mut pushed) = (Vec::new(), Ok(()));
        for chunk in after.chunks(step) {
            issues.extend(day.save_next());
            if pushed.is_ok() {
                pushed = decoder.push(chunk, &mut day);
            }
        }
        while let Some(issue) = day.save_next() {
            issues.push(issue);
        }
        issues.sort_unstable_by_key(|issue| issue.number);
        let kept = Kept { day: state, issues, decoder: saved, totals, log, rejects, read: cut };
        (self.end(day, decoder, pushed), Some(kept))
    }

    /// The same of what was kept and the rest of the input.
    fn rest(&self, kept: &Kept) -> String {
        let ledger = OpenLedger::restore(kept.totals.clone(), kept.log.clone()).expect("a ledger that was kept");
        let (options, rejects) = (self.options.clone(), Lines(kept.rejects.clone()));
        let saved = SavedDay { state: &kept.day, issues: &kept.issues };
        let day = Day::restore(self.registry, options, ledger, rejects, saved);
        let mut day = day.expect("a state that was saved");
        let mut decoder = Decoder::restore(&kept.decoder);
        let pushed = decoder.push(&self.bytes[kept.read..], &mut day);
        self.end(day, decoder, pushed)
    }

    fn end(&self, mut day: LiveDay, decoder: Decoder, pushed: Result<(), FeedError>) -> String {
        match pushed.and_then(|()| decoder.finish(&mut day)) {
            Ok(()) | Err(FeedError::Stopped) => {}
            Err(error) => return error.to_string(),
        }
        match day.finish() {
            Ok((finished, ledger, Lines(rejects))) => format!("{finished:?}{:?}{rejects:?}", ledger.close()),
            Err(error) => error.to_string(),
        }
    }
}

/// Cuts at so many thousandths of the input.
fn check(case: &Case, form: Form, bytes: &[u8], cut: usize, step: usize) -> Result<(), TestCaseError> {
    let registry = support::registry(case);
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let midnight = match date {
        Some(date) => registry.plan(date).expect("a date").day.start,
        None => Timestamp::MIN,
    };
    let cut = bytes.len() * cut / 1_000;
    let mut options = DayOptions { lenient: case.lenient, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    for second in [false, true] {
        if second {
            // Some time that an earlier run has found to be unknown.
            let plan = registry.plan(jiff::civil::date(2024, 3, 1)).expect("a date");
            let Some(span) = plan.sessions().first().copied() else { continue };
            let issue = plan.sign_ups.first().map(|sign_up| sign_up.issue.clone());
            options.unknown = vec![UnknownWindow { issue, span }];
        }
        let run = Run { registry: &registry, form, bytes, options: options.clone(), midnight };
        let (expected, _) = run.whole(None);
        let (saving, kept) = run.whole(Some((cut, step)));
        prop_assert_eq!(&saving, &expected, "saving changes nothing");
        if let Some(kept) = kept {
            prop_assert_eq!(&run.rest(&kept), &expected, "cut at {} of {}", cut, bytes.len());
        }
    }
    Ok(())
}

/// A record that is set aside before its locate has a symbol: which issue it was about is told in the end, wherever the day
/// was saved in between.
#[test]
fn a_name_that_comes_late_is_not_lost() {
    let case = Case {
        registry: vec![
            ("issues.csv".to_owned(), "issue,type,tick_table\nA1,A,01\n".to_owned()),
            ("market_makers.csv".to_owned(), "market_maker\nM\n".to_owned()),
            ("virtual_servers.csv".to_owned(), "server,market_maker\nV,M\n".to_owned()),
            ("signups.csv".to_owned(), "market_maker,issue\nM,A1\n".to_owned()),
        ],
        events: String::new(),
        date: Some("2024-03-01".to_owned()),
        lenient: true,
        allow_gaps: false,
    };
    let first = add(2, b"B2      ", 1, b"B", 1000);
    let bad = [first.clone(), delete(1, 28_800, 7)].concat();
    let named = [bad.clone(), add(1, b"A1      ", 2, b"B", 1000)].concat();
    let stream = [named.clone(), delete(2, 28_800, 1)].concat();
    let registry = support::registry(&case);
    let date = Some(jiff::civil::date(2024, 3, 1));
    let midnight = registry.plan(jiff::civil::date(2024, 3, 1)).expect("a date").day.start;
    let options = DayOptions { lenient: true, date, ..DayOptions::default() };
    let run = Run { registry: &registry, form: Form::Itch, bytes: &stream, options, midnight };
    let (expected, _) = run.whole(None);
    assert!(expected.contains("late_names: [(IssueIndex("), "{expected}");
    for cut in [first.len(), bad.len(), named.len(), stream.len()] {
        let kept = run.whole(Some((cut, 1))).1.expect("a good beginning");
        assert_eq!(run.rest(&kept), expected, "cut at {cut}");
    }
}

/// `fast_market.csv` with a multiplier declared for every date in place of those that it has. Rows with times stay.
fn declared(text: &str, multiplier: u32) -> String {
    let mut lines = text.lines().map(str::trim_end);
    let columns: Vec<&str> = lines.next().expect("a header").trim_start_matches('\u{feff}').split(',').collect();
    let Some(at) = columns.iter().position(|column| *column == "multiplier") else {
        let rest: String = lines.filter(|line| !line.is_empty()).map(|line| format!("{line},\n")).collect();
        return declared(&format!("{},multiplier\n{rest}", columns.join(",")), multiplier);
    };
    let has_times = |line: &&str| line.split(',').nth(at).is_some_and(str::is_empty);
    let mut declared: Vec<String> = vec![columns.join(",")];
    declared.extend(lines.filter(|line| !line.is_empty()).filter(has_times).map(str::to_owned));
    if multiplier != 1 {
        let fields = (0..columns.len()).map(|column| if column == at { multiplier.to_string() } else { String::new() });
        declared.push(fields.collect::<Vec<_>>().join(","));
    }
    declared.join("\n") + "\n"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: support::cases(150), ..ProptestConfig::default() })]

    #[test]
    fn a_day_goes_on_from_anywhere(
        case in prop_oneof![generate::day(), generate::damaged_day()],
        cut in 0..=1_000_usize, step in 1..400_usize, block_records in 1..80_u32,
    ) {
        check(&case, Form::Csv, case.events.as_bytes(), cut, step)?;
        if let Some(bytes) = support::in_blocks(&case, block_records) {
            check(&case, Form::Binary, &bytes, cut, step)?;
        }
        if let Some((case, mut bytes)) = support::in_itch(&case) {
            check(&case, Form::Itch, &bytes, cut, step)?;
            if !bytes.is_empty() {
                let at = step * 7919 % bytes.len();
                bytes[at] ^= 1 << (step % 8);
            }
            check(&Case { lenient: true, ..case }, Form::Itch, &bytes, cut, step)?;
        }
    }
}

/// The CSV of a case, pushed into a day.
fn run_csv(case: &Case, registry: &Registry, options: DayOptions, bytes: &[u8]) -> Option<LiveDay> {
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let options = DayOptions { date, lenient: case.lenient, allow_gaps: case.allow_gaps, ..options };
    let mut day = Day::new(registry, options, OpenLedger::default(), Lines::default()).ok()?;
    let mut decoder = CsvDecoder::default();
    decoder.push(bytes, &mut day).ok()?;
    decoder.finish(&mut day).ok()?;
    Some(day)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: support::cases(100), ..ProptestConfig::default() })]

    /// A day in variants holds what each multiplier comes to when it is declared for the date.
    #[test]
    fn a_day_in_variants_is_the_day_under_each_multiplier(case in prop_oneof![generate::day(), generate::damaged_day()]) {
        let under = |multiplier: u32| {
            let mut registry = case.registry.clone();
            let before = registry.iter().find(|(name, _)| name == "fast_market.csv").map(|(_, text)| text.as_str());
            let declared = declared(before.unwrap_or("from,to,multiplier\n"), multiplier);
            registry.retain(|(name, _)| name != "fast_market.csv");
            registry.push(("fast_market.csv".to_owned(), declared));
            support::registry(&Case { registry, ..case.clone() })
        };
        let options = DayOptions { variants: true, ..DayOptions::default() };
        let finish = |day: LiveDay| day.finish().ok().map(|(finished, ledger, _)| (finished, ledger.close()));
        let all = run_csv(&case, &support::registry(&case), options, case.events.as_bytes()).and_then(finish);
        for multiplier in [1, 2, 4] {
            let alone = run_csv(&case, &under(multiplier), DayOptions::default(), case.events.as_bytes());
            let Some((finished, ledger)) = alone.and_then(finish) else {
                prop_assert!(all.is_none());
                continue;
            };
            let (in_variants, all) = all.as_ref().expect("the same input");
            let variant = in_variants.plan.variant(multiplier);
            prop_assert_eq!(&variant.plan, &*finished.plan);
            prop_assert_eq!(all.variant(&variant.positions), ledger, "x{}", multiplier);
            prop_assert_eq!(&in_variants.turnover, &finished.turnover);
        }
    }

    /// Where an obligation stands is where it will have stood if nothing more happens, and looking changes nothing.
    #[test]
    fn what_is_seen_of_a_running_day_is_what_it_will_have_been(case in generate::day(), cut in 0..=1_000_usize) {
        let registry = support::registry(&case);
        let lines: Vec<&str> = case.events.lines().collect();
        let lines = &lines[..1 + (lines.len() - 1) * cut / 1_000];
        let events = format!("{}\n", lines.join("\n"));
        let run = || run_csv(&case, &registry, DayOptions::default(), events.as_bytes());
        let (Some(untouched), Some(mut day)) = (run(), run()) else { return Ok(()) };
        let mut seen = Vec::new();
        let take = |obligation, Running { state, since, settled, .. }: Running<'_>| {
            seen.push((obligation, state, since, settled));
        };
        if day.each_running(take).is_none() {
            prop_assert!(day.engine().is_none(), "a day that has begun can be looked at");
            return Ok(());
        }
        let now = day.engine().expect("an open day").reached();
        let running: Vec<Total> = seen
            .iter()
            .map(|&(obligation, _, _, settled)| day.sink_mut().running_total(obligation, settled))
            .collect();
        let plan = std::sync::Arc::clone(day.engine().expect("an open day").plan());
        let (finished, ledger, _) = day.finish().expect("a good day");
        let (expected, expected_ledger, _) = untouched.finish().expect("a good day");
        let ledger = ledger.close();
        prop_assert_eq!(&finished, &expected);
        prop_assert_eq!(&ledger, &expected_ledger.close());
        prop_assert_eq!(seen.len(), plan.sign_ups.iter().map(|sign_up| sign_up.obligations.len()).sum::<usize>());
        for ((obligation, state, since, _), running) in seen.into_iter().zip(running) {
            // What is fulfilled may still turn out not to rest long enough.
            let so_far = |breach: &&Breach| breach.reason != Reason::Resting || breach.span.end <= now;
            let breaches = || ledger.breaches(obligation).iter().filter(so_far);
            let breach = breaches().find(|breach| breach.span.contains(now));
            let expected = breach.map(|breach| (State::Breach(breach.reason), breach.span.start));
            let is_breach = matches!(state, State::Breach(_));
            prop_assert_eq!(is_breach.then_some((state, since)), expected);
            // Breaches up to now are what was available and not fulfilled.
            let before = breaches().map(|breach| {
                breach.span.end.min(now).since(breach.span.start.min(now))
            });
            let available = running.fulfilled + before.sum();
            prop_assert_eq!(running.available, available);
        }
    }
}
