//! Whole inputs of many chunks: several threads read, decode and measure, and it comes to the same as with one, down to the
//! words and the place of the first fault.

use quoteclock_engine::DayOptions;
use quoteclock_feed::csv::CsvWriter;
use quoteclock_feed::itch::ItchWriter;
use quoteclock_feed::{EventWriter, UtcOffset};
use quoteclock_generate::{Load, Options, generate, registry};
use quoteclock_replay::{Beside, Input, Replay, Threads, UNWATCHED};
use quoteclock_rules::{Registry, SourceFile};
use std::num::NonZeroUsize;

const EVENTS: u64 = 30_000;

/// A day of more chunks than are on their way at once, and its registry.
struct GeneratedDay {
    registry: Registry,
    name: &'static str,
    bytes: Vec<u8>,
}

fn day(load: Load, name: &'static str) -> GeneratedDay {
    let options = Options { events: EVENTS, issues: 40, market_makers: 5, ..Options::new(load) };
    let files = registry(&options).into_iter().map(|(name, text)| SourceFile { name, bytes: text.into_bytes() });
    let registry = Registry::load(&files.collect::<Vec<_>>()).registry.expect("a good registry");
    let mut bytes = Vec::new();
    fn write<W: EventWriter>(options: &Options, mut writer: W) {
        generate(options, &mut writer).expect("writing to memory");
        writer.finish().expect("writing to memory");
    }
    if name.contains("ITCH") {
        let midnight = registry.plan(options.date).expect("an ordinary date").day.start;
        write(&options, ItchWriter::new(&mut bytes, midnight));
    } else {
        let offset = UtcOffset::from_minutes(540).expect("an offset");
        write(&options, CsvWriter::new(&mut bytes, true, offset));
    }
    GeneratedDay { registry, name, bytes }
}

impl GeneratedDay {
    /// All that is known in the end, or the error in words.
    fn outcome(&self, bytes: &[u8], threads: usize) -> String {
        let input = Input::memory(self.name, bytes);
        let date = self.name.contains("ITCH").then(|| Options::new(Load::UsMarket).date);
        let options = DayOptions { date, ..DayOptions::default() };
        let replay = Replay {
            registry: &self.registry,
            input: &input,
            options: &options,
            beside: Beside::NONE,
            progress: UNWATCHED,
        };
        match replay.measure(Threads(NonZeroUsize::new(threads).expect("one at least")), &mut ()) {
            Ok(day) => format!("{:?}{:?}", day.finished, day.ledger),
            Err(error) => format!("{:?}", error),
        }
    }

    /// With so many bytes damaged, each by itself, none, and the input cut off.
    fn check(&self, damaged: usize) {
        let mut inputs = vec![self.bytes.clone()];
        for number in 1..=damaged {
            let at = self.bytes.len() / (damaged + 1) * number;
            let mut bytes = self.bytes.clone();
            bytes[at] ^= 1 << (number % 8);
            inputs.push(bytes);
        }
        inputs.push(self.bytes[..self.bytes.len() - 7].to_vec());
        let mut faults = 0;
        for (number, bytes) in inputs.iter().enumerate() {
            let expected = self.outcome(bytes, 1);
            faults += usize::from(expected.starts_with("Day"));
            for threads in [2, 3] {
                assert!(self.outcome(bytes, threads) == expected, "input {number}, {threads} threads: {expected:.400}");
            }
        }
        assert!(!self.outcome(&self.bytes, 1).starts_with("Day"), "undamaged it is a good day");
        assert!(damaged / 4 < faults, "{faults} faults of {damaged}");
    }
}

#[test]
fn csv_comes_to_the_same_with_any_number_of_threads() {
    day(Load::TseEtf, "2024-03-01.csv").check(24);
}

#[test]
fn itch_comes_to_the_same_with_any_number_of_threads() {
    day(Load::UsMarket, "03012024.NASDAQ_ITCH50").check(24);
}
