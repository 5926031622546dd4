//! What is explained is what is measured: on generated days, good and damaged, for every obligation.

use proptest::prelude::*;
use quoteclock_engine::{Day, DayError, DayOptions, DayRun, Finished, NoRejects};
use quoteclock_explain::{
    At, Availability, Explainer, Explanation, Question, Stretch, render_day, render_text, write_day_json, write_html,
    write_json,
};
use quoteclock_feed::FeedError;
use quoteclock_feed::csv::CsvDecoder;
use quoteclock_ledger::{Breach, OpenLedger, outages};
use quoteclock_model::{Reason, State, Timestamp};
use quoteclock_obligation::verdict;
use quoteclock_report::Style;
use quoteclock_report::rows::{DayKey, keys};
use quoteclock_rules::{Registry, SourceFile};
use quoteclock_testkit::{Case, generate};
use std::cmp::Reverse;
use std::collections::BTreeSet;

fn registry(case: &Case) -> Registry {
    let file = |(name, text): &(String, String)| SourceFile { name: name.clone(), bytes: text.clone().into_bytes() };
    let files: Vec<SourceFile> = case.registry.iter().map(file).collect();
    Registry::load(&files).registry.expect("generated registries are right")
}

/// Runs the passes of a case; `None` where it is refused.
fn run<P: DayRun>(case: &Case, begin: impl Fn(DayOptions) -> Result<P, DayError>) -> Option<(Finished, P::Output)> {
    let date = case.date.as_ref().map(|date| date.parse().expect("a date"));
    let mut options = DayOptions { lenient: case.lenient, allow_gaps: case.allow_gaps, date, ..DayOptions::default() };
    for _ in 0..2 {
        let mut pass = begin(options.clone()).ok()?;
        let mut decoder = CsvDecoder::default();
        let read = decoder.push(case.events.as_bytes(), &mut pass).and_then(|()| decoder.finish(&mut pass));
        if !matches!(read, Ok(()) | Err(FeedError::Stopped)) {
            return None;
        }
        let (finished, output) = pass.finish().ok()?;
        if finished.retroactive.is_empty() || !options.unknown.is_empty() {
            return Some((finished, output));
        }
        options.unknown = finished.retroactive;
    }
    unreachable!("the second pass returns")
}

fn ask(case: &Case, registry: &Registry, key: &DayKey<'_>, at: Option<Timestamp>) -> Explanation {
    let question = Question {
        market_maker: key.market_maker.to_owned(),
        issue: Some(key.issue.to_owned()),
        obligation: Some(key.obligation.id.to_string()),
        at: at.map(At::Instant),
        limit: 1_000,
    };
    let (_, answer) =
        run(case, |options| Explainer::new(registry, options, question.clone())).expect("a day that is measured");
    answer.expect("an obligation of the plan").pop().expect("one for an obligation that is named")
}

/// The scene of a stretch is what the verdict was taken on.
fn check_stretch(stretch: &Stretch, explanation: &Explanation) {
    let limits = explanation.subject.limits_at(stretch.scene.at);
    match stretch.interval.state {
        // What did not rest long enough was good for as long as it lasted.
        State::Fulfilled | State::Breach(Reason::Resting) => assert_eq!(verdict(&stretch.scene.own, limits), Ok(())),
        State::Breach(reason) => assert_eq!(verdict(&stretch.scene.own, limits), Err(reason)),
        State::Unavailable | State::Unknown => {}
    }
    assert_eq!(stretch.scene.at, stretch.interval.start);
    assert!(!stretch.began.is_empty(), "nothing began {:?}", stretch.interval);
    assert!(!stretch.ended.is_empty(), "nothing ended {:?}", stretch.interval);
}

fn check_moment(explanation: &Explanation, at: Timestamp) {
    let moment = explanation.moment.as_ref().expect("an instant of the day");
    assert!(moment.stretch.interval.span().contains(at));
    assert_eq!(moment.scene.at, at);
    check_stretch(&moment.stretch, explanation);
    let said = verdict(&moment.scene.own, explanation.subject.limits_at(at));
    match (moment.state(), &moment.availability) {
        (State::Fulfilled | State::Breach(Reason::Resting), Availability::Required) => assert_eq!(said, Ok(())),
        (State::Breach(reason), Availability::Required) => assert_eq!(said, Err(reason)),
        (State::Unavailable, Availability::NotRequired(why)) => assert!(!why.is_empty()),
        (State::Unknown, Availability::Unknown(_)) => {}
        other => panic!("{other:?}"),
    }
}

fn check(case: &Case) {
    let registry = registry(case);
    let measured = run(case, |options| Day::new(&registry, options, OpenLedger::default(), NoRejects));
    let Some((finished, (ledger, NoRejects))) = measured else { return };
    let (plan, ledger) = (finished.plan, ledger.close());
    let mut alone = Vec::new();
    for key in keys(&plan) {
        let explanation = ask(case, &registry, &key, None);
        assert_eq!(explanation.total, ledger.total(key.index));
        let mut breaches = ledger.breaches(key.index).to_vec();
        assert_eq!(explanation.breach_count, breaches.len());
        check_outages(&explanation, &breaches);
        breaches.sort_by_key(|breach| Reverse(breach.span.end.since(breach.span.start)));
        let explained: Vec<Breach> = explanation.breaches.iter().map(breach).collect();
        assert_eq!(explained, breaches);
        explanation.breaches.iter().for_each(|stretch| check_stretch(stretch, &explanation));
        // An instant inside the longest breach, its edges, and one before any event.
        let spans = breaches.first().map(|breach| breach.span);
        let instants = spans.map_or(vec![], |span| {
            let last = Timestamp::from_micros(span.end.as_micros() - 1);
            let end = if span.end < plan.day.end { span.end } else { last };
            vec![span.start, last, end]
        });
        for at in instants.into_iter().chain([plan.day.start]) {
            let explanation = ask(case, &registry, &key, Some(at));
            check_moment(&explanation, at);
            show(&explanation);
        }
        alone.push(explanation);
    }
    check_together(case, &registry, &alone);
}

/// All obligations of a market maker asked for at once are what each is by itself, but for the pictures.
fn check_together(case: &Case, registry: &Registry, alone: &[Explanation]) {
    for maker in alone.iter().map(|explanation| &explanation.subject.market_maker).collect::<BTreeSet<_>>() {
        let question = Question { market_maker: maker.clone(), issue: None, obligation: None, at: None, limit: 1_000 };
        let (_, answer) =
            run(case, |options| Explainer::new(registry, options, question.clone())).expect("a day that is measured");
        let own = alone.iter().filter(|explanation| explanation.subject.market_maker == *maker);
        let own: Vec<Explanation> = own.map(|explanation| Explanation { strip: None, ..explanation.clone() }).collect();
        let mut together = answer.expect("obligations of the plan");
        together.iter_mut().for_each(|explanation| explanation.strip = None);
        assert_eq!(together, own);
        let (mut json, style) = (Vec::new(), Style { width: 80, colour: false });
        write_day_json(&together, &mut json).expect("writing to memory");
        render_day(&together, 10, style);
    }
}

/// Outages are breaches without a pause between them, and what is lost is what they last.
fn check_outages(explanation: &Explanation, breaches: &[Breach]) {
    let mut expected: Vec<_> = outages(breaches).collect();
    expected.sort_by_key(|outage| Reverse(outage.span.end.since(outage.span.start)));
    assert_eq!(explanation.outage_count, expected.len());
    let explained = explanation.outages.iter().map(|outage| (outage.span, outage.reasons.clone()));
    assert!(explained.eq(expected.into_iter().map(|outage| (outage.span, outage.reasons))));
    let lost = &explanation.lost;
    assert_eq!(lost.total.0, explanation.total.available.0 - explanation.total.fulfilled.0);
    let sum = |parts: &mut dyn Iterator<Item = u64>| parts.sum::<u64>();
    assert_eq!(sum(&mut lost.by_reason.values().map(|lost| lost.0)), lost.total.0);
    assert_eq!(sum(&mut lost.by_hour.values().map(|lost| lost.0)), lost.total.0);
    assert_eq!(sum(&mut lost.by_day.values().map(|lost| lost.0)), lost.total.0);
}

fn breach(stretch: &Stretch) -> Breach {
    let State::Breach(reason) = stretch.interval.state else { panic!("{stretch:?}") };
    Breach { span: stretch.interval.span(), reason }
}

/// Every way of showing works.
fn show(explanation: &Explanation) {
    render_text(explanation, Style { width: 100, colour: true });
    let (mut json, mut html) = (Vec::new(), Vec::new());
    write_json(explanation, &mut json).expect("writing to memory");
    write_html(explanation, &mut html).expect("writing to memory");
}

fn config() -> ProptestConfig {
    let cases = std::env::var("QUOTECLOCK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, max_shrink_iters: 2_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_good_day_is_explained_as_it_is_measured(case in generate::day()) {
        check(&case);
    }

    #[test]
    fn a_damaged_day_is_explained_as_it_is_measured(case in generate::damaged_day()) {
        check(&case);
    }
}
