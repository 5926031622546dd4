//! How long one event takes on a warm book: `cargo run --release -p quoteclock-benches --example latency`.
//!
//! Half of a day warms the books, of the other half every event is timed on its own. The clock is read twice for each,
//! which costs as much as a small event: its own figures, measured the same way, stand beside.

use hdrhistogram::Histogram;
use quoteclock_benches::{Input, Records, day, finish};
use quoteclock_feed::{Place, RawRecord, Receiver, Sequence};
use quoteclock_generate::{Load, Options};
use quoteclock_model::Record;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let events = std::env::args().nth(1).map_or(5_000_000, |events| events.parse().expect("a number of events"));
    let input = Input::itch(&Options { events, ..Options::new(Load::TseEtf) });
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
    println!("tse-etf, {} events, the second half timed; result {hash:016x}; ns", finished.record_count);
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
