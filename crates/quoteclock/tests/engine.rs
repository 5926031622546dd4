//! What an engine says while a day runs is what the day says in the end.

use quoteclock::{
    Beside, Engine, EngineOptions, Input, Micros, ObligationId, Registry, ReplayOptions, State, Timestamp, UNWATCHED,
    read_own_orders, replay, replay_with,
};
use std::collections::BTreeMap;
use std::sync::Arc;

const DAYS: [&str; 2] = ["2024-03-01", "2024-03-04"];

fn registry() -> Registry {
    Registry::open("../../replay-data/tse-small/registry").expect("the bundled registry is good")
}

fn events(date: &str) -> Vec<u8> {
    std::fs::read(format!("../../replay-data/tse-small/{date}.csv")).expect("the bundled day")
}

type Key = (String, String, ObligationId);

/// What was said of one obligation after the last record of an instant.
#[derive(Debug)]
struct Said {
    at: Timestamp,
    state: State,
    since: Timestamp,
    lost: Micros,
}

#[test]
fn every_state_told_agrees_with_the_breaches_of_the_day() {
    let registry = registry();
    for date in DAYS {
        let bytes = events(date);
        let mut engine = Engine::new(&registry, EngineOptions::default()).expect("no date is given");
        let pairs: Vec<(String, String)> =
            registry.tables().sign_ups().iter().map(|row| (row.market_maker.clone(), row.issue.to_string())).collect();
        let mut said: BTreeMap<Key, Vec<Said>> = BTreeMap::new();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            engine.push(line).expect("a good day");
            let Some(at) = engine.now() else { continue };
            for (market_maker, issue) in &pairs {
                for told in engine.state(market_maker, issue) {
                    let lost = Micros(told.available.0 - told.fulfilled.0);
                    let said = said.entry((market_maker.clone(), issue.clone(), told.obligation)).or_default();
                    // Only the last word of an instant counts: all events of one time take effect together.
                    said.pop_if(|last| last.at == at);
                    said.push(Said { at, state: told.state, since: told.since, lost });
                }
            }
        }
        let day = engine.finish().expect("a good day");
        let mut count = 0;
        for ((market_maker, issue, obligation), said) in said {
            let breaches: Vec<_> = day
                .breaches()
                .filter(|row| (&row.market_maker, &row.issue, &row.obligation) == (&market_maker, &issue, &obligation))
                .collect();
            for Said { at, state, since, lost } in said {
                count += 1;
                let around = breaches.iter().find(|row| row.span.contains(at));
                let reason = if let State::Breach(reason) = state { Some(reason) } else { None };
                let context = format!("{date} {market_maker} {issue} {obligation} at {at:?}");
                assert_eq!(around.map(|row| row.reason), reason, "{context}");
                if let Some(breach) = around {
                    assert_eq!(since, breach.span.start, "{context}");
                }
                let before =
                    breaches.iter().map(|row| row.span.end.min(at).as_micros() - row.span.start.min(at).as_micros());
                assert_eq!(i128::from(lost.0), before.map(i128::from).sum::<i128>(), "{context}");
            }
        }
        assert!(1_000 < count, "{count} states were compared");
    }
}

#[test]
fn any_chunks_and_asking_change_nothing() {
    let registry = registry();
    for date in DAYS {
        let bytes = events(date);
        let input = Input::memory(date, bytes.clone());
        let expected = replay_with(&input, &registry, &ReplayOptions::default(), UNWATCHED).expect("a good day");
        for size in [1, 7, 64, 65, 4096, bytes.len()] {
            let mut engine = Engine::new(&registry, EngineOptions::default()).expect("no date is given");
            for chunk in bytes.chunks(size) {
                engine.push(chunk).expect("a good day");
                engine.state("MM1", "1306");
            }
            assert_eq!(engine.finish().expect("a good day"), expected, "{date} in chunks of {size}");
        }
    }
}

#[test]
fn a_feed_that_breaks_off_is_refused_when_strict() {
    let registry = registry();
    let bytes = events("2024-03-01");
    let whole = bytes.len() - 4;
    let feed = |lenient| {
        let mut engine =
            Engine::new(&registry, EngineOptions { lenient, ..EngineOptions::default() }).expect("no date");
        engine.push(&bytes[..whole]).expect("good so far");
        engine.finish()
    };
    // The last record is a phase; without its end the phase is no word that there is.
    assert!(feed(false).is_err());
    let day = feed(true).expect("set aside");
    assert_eq!((day.reject_count(), day.rejects().len()), (1, 1));
}

#[test]
fn it_can_move_to_another_thread() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Engine>();
    is_send::<Registry>();
    is_send::<quoteclock::MeasuredDay>();
}

#[test]
fn ones_own_orders_have_their_servers_as_in_a_replay() {
    let registry = registry();
    for date in DAYS {
        let named = String::from_utf8(events(date)).expect("ASCII");
        let (mut unnamed, mut sheet) = (String::new(), "issue,order,server\n,4711,VS101\n".to_owned());
        for line in named.lines() {
            let mut cells: Vec<&str> = line.split(',').collect();
            // One order in three is named by the feed itself.
            if cells[3] == "add" && !cells[6].is_empty() && !cells[4].ends_with(['3', '6', '9']) {
                sheet += &format!("{},{},{}\n", cells[2], cells[4], cells[6]);
                cells[6] = "";
            }
            unnamed += &(cells.join(",") + "\n");
        }
        let own = Arc::new(read_own_orders("own.csv".as_ref(), sheet.as_bytes()).expect("a good sheet"));
        let whole = replay(format!("../../replay-data/tse-small/{date}.csv"), &registry).expect("a good day");
        for chunk in [1, 100, usize::MAX] {
            let options = EngineOptions { own_orders: Some(Arc::clone(&own)), ..EngineOptions::default() };
            let mut engine = Engine::new(&registry, options).expect("no date is given");
            unnamed
                .as_bytes()
                .chunks(chunk.min(unnamed.len()))
                .for_each(|chunk| engine.push(chunk).expect("a good day"));
            let day = engine.finish().expect("a good day");
            assert!(day.daily().eq(whole.daily()) && day.breaches().eq(whole.breaches()), "{date} by {chunk}");
            let input = Input::opened("unnamed.csv", std::io::Cursor::new(unnamed.clone()));
            let beside = Beside { own_orders: Some(Arc::clone(&own)), ..Beside::default() };
            let options = ReplayOptions { beside, ..ReplayOptions::default() };
            assert_eq!(day, replay_with(&input, &registry, &options, UNWATCHED).expect("a good day"));
            assert!(day.coverage().any(|row| row.coverage.kind() == "unseen_order"), "4711 is nowhere");
        }
    }
}
