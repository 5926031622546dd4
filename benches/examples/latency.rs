//! How long one event takes: `cargo run --release -p quoteclock-benches --example latency -- [EVENTS [ISSUES]]`.
//!
//! With one issue its book stays warm; with many, as in a feed, each event finds its book as the others have left it. Half
//! of a day warms the books, of the other half every event is timed on its own. The clock is read twice for each, which
//! costs as much as a small event: its own figures, measured the same way, stand beside. Without a number of issues both
//! are shown.

use hdrhistogram::Histogram;
use quoteclock_benches::{Input, Records, day, finish};
use quoteclock_feed::{Place, RawRecord, Receiver, Sequence};
use quoteclock_generate::{Load, Options};
use quoteclock_model::Record;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let arguments: Vec<u32> = std::env::args().skip(1).map(|number| number.parse().expect("a number")).collect();
    match arguments[..] {
        [events, issues, ..] => time(events, issues),
        ref events => {
            let events = events.first().copied().unwrap_or(5_000_000);
            [1, Options::new(Load::TseEtf).issues].into_iter().for_each(|issues| time(events, issues));
        }
    }
}

/// Times the second half of a day of so many events of so many issues.
fn time(events: u32, count: u32) {
    let options = Options::new(Load::TseEtf);
    // As many live orders an issue as on the whole market.
    let live_orders = (options.live_orders / options.issues).saturating_mul(count);
    let input = Input::itch(&Options { events: events.into(), issues: count, live_orders, ..options });
    let Records { issues, servers, records } = Records::of(&input);
    let mut day = day(&input);
    issues.iter().for_each(|(index, code)| day.issue(*index, code));
    (0..).zip(&servers).for_each(|(index, name)| day.server(quoteclock_model::ServerIndex(index), name));

    let (warm_up, timed) = records.split_at(records.len() / 2);
    for record in warm_up {
        day.record(&raw(record)).expect("a good record");
    }
    let mut clock = histogram();
    for record in timed {
        let record = raw(record);
        let start = Instant::now();
        black_box(&record);
        add(&mut clock, start);
    }
    let mut event = histogram();
    for record in timed {
        let record = raw(record);
        let start = Instant::now();
        day.record(black_box(&record)).expect("a good record");
        add(&mut event, start);
    }
    let (finished, hash) = finish(day);
    let events = finished.record_count;
    println!("tse-etf, {count} issues, {events} events, the second half timed; result {hash:016x}; ns");
    println!("{:22} {:>8} {:>8} {:>8} {:>8}", "", "median", "p99", "p99.9", "max");
    print("the clock alone", &clock, 0);
    print("an event and the clock", &event, 0);
    print("less the clock's median", &event, clock.value_at_quantile(0.5));
}

/// A record as a decoder hands it over.
fn raw(record: &Record) -> RawRecord<'static> {
    RawRecord {
        place: Place::Byte(0),
        bytes: &[],
        ts_event: Some(record.ts_event),
        sequence: Sequence::Absent,
        scope: Some(record.event.scope()),
        also: None,
        event: Ok(record.event),
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are legal")
}

fn add(histogram: &mut Histogram<u64>, start: Instant) {
    let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    histogram.record(nanos).expect("the histogram grows");
}

fn print(what: &str, histogram: &Histogram<u64>, less: u64) {
    let [median, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| histogram.value_at_quantile(quantile));
    let [median, p99, p999, max] = [median, p99, p999, histogram.max()].map(|nanos| nanos.saturating_sub(less));
    println!("{what:22} {median:>8} {p99:>8} {p999:>8} {max:>8}");
}
