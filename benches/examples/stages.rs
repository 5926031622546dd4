//! Nanoseconds per event of each stage, single runs: `cargo run --release --example stages -- tse-etf 10000000 3 itch`
//! (load, events, rounds, and `itch` or `binary` for one form only).

use quoteclock_benches::{Input, decode_itch, full_day_binary, full_day_itch};
use quoteclock_generate::{Load, Options};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let load: Load = arguments.next().expect("a load").parse().expect("a load");
    let mut options = Options::new(load);
    options.events = arguments.next().map_or(10_000_000, |events| events.parse().expect("a number"));
    let rounds = arguments.next().map_or(3, |rounds| rounds.parse().expect("a number"));
    let form = arguments.next();
    let wanted = |name| form.as_deref().is_none_or(|form| form == name);
    let start = Instant::now();
    let itch = wanted("itch").then(|| Input::itch(&options));
    let binary = wanted("binary").then(|| Input::binary(&options));
    report("generate", start, options.events, 0);
    for _ in 0..rounds {
        if let Some(itch) = &itch {
            let start = Instant::now();
            let checksum = decode_itch(itch);
            report("decode/itch", start, checksum.count, checksum.sum);
            let start = Instant::now();
            let (finished, hash) = full_day_itch(itch);
            report("full_day/itch", start, finished.record_count, hash);
        }
        if let Some(binary) = &binary {
            let start = Instant::now();
            let (finished, hash) = full_day_binary(binary);
            report("full_day/binary", start, finished.record_count, hash);
        }
    }
}

#[allow(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]
fn report(stage: &str, start: Instant, events: u64, result: u64) {
    let nanos = start.elapsed().as_nanos() as f64 / events as f64;
    println!("{stage:16} {nanos:7.1} ns an event, {events} events, result {result:016x}");
}
