//! Other order books beside quoteclock, in turn, on the same bytes: `cargo run --release -- tse-etf 1000000 5`.

mod hft;
mod market;
mod nautilus;
mod orderbook;
mod quoteclock;
mod textbook;

use crate::market::{Ticks, decode, run};
use quoteclock_benches::{Input, decode_itch, full_day_itch};
use quoteclock_generate::{Load, Options};
use std::time::{Duration, Instant};

/// Times one run, and gives what it comes to.
type Run = fn(&Input, &Ticks) -> (Duration, u64);

/// Name, a run, and for a book a run that hashes the best prices after every event.
const ENGINES: [(&str, Run, Option<Run>); 7] = [
    ("quoteclock, full day", full_day, None),
    ("quoteclock, decoding", decoding, None),
    ("quoteclock, book", run::<quoteclock::Ours, false>, Some(run::<quoteclock::Ours, true>)),
    ("HashMap + BTreeMap", run::<textbook::Textbook, false>, Some(run::<textbook::Textbook, true>)),
    ("hftbacktest, L3", run::<hft::Hft, false>, Some(run::<hft::Hft, true>)),
    ("nautilus-model", run::<nautilus::Nautilus, false>, Some(run::<nautilus::Nautilus, true>)),
    ("orderbook-rs", run::<orderbook::OrderBookRs, false>, Some(run::<orderbook::OrderBookRs, true>)),
];

fn full_day(input: &Input, _: &Ticks) -> (Duration, u64) {
    let start = Instant::now();
    let (_, hash) = full_day_itch(input);
    (start.elapsed(), hash)
}

fn decoding(input: &Input, _: &Ticks) -> (Duration, u64) {
    let start = Instant::now();
    let checksum = decode_itch(input);
    (start.elapsed(), checksum.sum)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let load: Load = arguments.next().map_or(Load::TseEtf, |load| load.parse().expect("a load"));
    let mut options = Options::new(load);
    options.events = arguments.next().map_or(1_000_000, |events| events.parse().expect("a number of events"));
    let rounds: usize = arguments.next().map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    let input = Input::itch(&options);
    let mut ticks = Ticks::default();
    decode(&input, &mut ticks);

    // Nothing is timed of a book that is not right after every event; this also warms everything up.
    let hashes = ENGINES.map(|(name, _, check)| (name, check.map(|check| check(&input, &ticks).1)));
    let ours = hashes.iter().find_map(|(_, hash)| *hash);
    for (name, hash) in hashes {
        assert!(hash.is_none() || hash == ours, "{name}: other best prices than quoteclock's");
    }

    let mut times = ENGINES.map(|_| Vec::new());
    let mut books = Vec::new();
    for _ in 0..rounds.max(1) {
        for ((_, run, check), times) in ENGINES.iter().zip(&mut times) {
            let (elapsed, hash) = run(&input, &ticks);
            times.push(elapsed);
            books.extend(check.map(|_| hash));
        }
    }
    assert!(books.iter().all(|hash| *hash == books[0]), "other best prices at the end than quoteclock's");

    println!("{load}, {} events, {rounds} rounds, the same best prices everywhere", options.events);
    println!("{:22} {:>12} {:>32}", "", "ns/message", "times quoteclock's full day");
    for ((name, ..), own) in ENGINES.iter().zip(&times) {
        report(name, options.events, own, &times[0]);
    }
}

/// Prints medians: of the time of a message, and of the ratio within a round with its extremes.
#[allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]
fn report(name: &str, events: u64, times: &[Duration], quoteclock: &[Duration]) {
    let sorted = |values: &mut dyn Iterator<Item = f64>| {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let nanos = sorted(&mut times.iter().map(|time| time.as_nanos() as f64 / events as f64));
    let ratios = sorted(&mut times.iter().zip(quoteclock).map(|(time, ours)| time.as_secs_f64() / ours.as_secs_f64()));
    let (nanos, ratio) = (nanos[nanos.len() / 2], ratios[ratios.len() / 2]);
    println!("{name:22} {nanos:12.1} {ratio:14.2} ({:.2} to {:.2})", ratios[0], ratios[ratios.len() - 1]);
}
