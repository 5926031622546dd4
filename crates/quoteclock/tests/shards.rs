//! Days measured in shards and merged are the days that one replay measures: row for row in the database, whatever the day,
//! its form, and the number of shards.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use proptest::prelude::*;
use quoteclock::{ConvertOptions, Input, Origin, Program, Registry, Target, UNWATCHED, convert_file, provenance};
use quoteclock_engine::{BadRecord, DayOptions, RejectSink};
use quoteclock_model::Shard;
use quoteclock_replay::{Beside, Rejects, Replay, Threads};
use quoteclock_store::{DayBatch, DayToStore, Digest, Store, merge};
use quoteclock_testkit::{Case, generate};
use std::fmt::Write;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The rejects of a run, as text.
#[derive(Clone, Default)]
struct Texts(String);

impl RejectSink for Texts {
    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        writeln!(self.0, "{bad:?} {bytes:?}").unwrap();
    }

    fn rest(&mut self, bytes: &[u8]) {
        writeln!(self.0, "{bytes:?}").unwrap();
    }
}

impl Rejects for Texts {
    type Sink = Texts;

    fn begin(&mut self) -> io::Result<Texts> {
        Ok(Texts::default())
    }
}

/// How a case is measured.
struct Bench<'a> {
    registry: Registry,
    case: &'a Case,
    input: Input,
    folder: &'a Path,
}

impl Bench<'_> {
    /// Measures the day, or the part of it that a shard has, into a file of its own: its name, and the rejects; `None` if the
    /// day is refused.
    fn measure(&self, shard: Option<Shard>, threads: usize) -> Option<(PathBuf, String)> {
        let date = self.case.date.as_ref().map(|date| date.parse().unwrap());
        let options = DayOptions {
            lenient: self.case.lenient,
            allow_gaps: self.case.allow_gaps,
            date,
            shard,
            ..DayOptions::default()
        };
        let tables = self.registry.tables();
        let beside = Beside::default();
        let replay =
            Replay { registry: tables, input: &self.input, options: &options, beside: &beside, progress: UNWATCHED };
        let threads = Threads(NonZeroUsize::new(threads).unwrap());
        let (day, hashes) = replay.measure_and_hash(threads, &mut Texts::default()).ok()?;
        let options = if self.case.lenient { "--lenient" } else { "" };
        let input_sha256 = Some(Digest(hashes.input));
        let origin = Origin { input: self.input.name(), input_sha256, options: options.to_owned() };
        let provenance = provenance(&self.registry, &day.finished, &origin, &Program::default()).unwrap();
        let name = shard.map_or("whole".to_owned(), |shard| format!("part-{}-of-{}", shard.index(), shard.count()));
        let mut batch = DayBatch::create(&self.folder.join(format!("{name}.aside"))).unwrap();
        let (plan, turnover) = (&day.finished.plan, &day.finished.turnover);
        let whole = tables.plan(plan.date).unwrap();
        batch.add_part(DayToStore { plan, ledger: &day.ledger, turnover, provenance: &provenance }, &whole).unwrap();
        let file = self.folder.join(format!("{name}.db"));
        let mut store = match shard {
            None => Store::create(&file),
            Some(shard) => Store::create_part(&file, shard),
        }
        .unwrap();
        store.replace_days(batch, || {}).unwrap();
        Some((file, day.rejects.0))
    }
}

/// All rows of a database of days, as text; times of measuring apart.
fn dump(file: &Path) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut text = String::new();
    for table in ["days", "interpretations", "results", "breaches", "turnovers", "market_turnovers", "measurements"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            write!(text, "{table}").unwrap();
            for (column, name) in names.iter().enumerate().filter(|(_, name)| *name != "measured_at_us") {
                write!(text, " {name}={:?}", row.get_ref(column).unwrap()).unwrap();
            }
            text.push('\n');
        }
    }
    text
}

fn check(case: &Case, count: u32, as_binary: bool) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("registry")).unwrap();
    for (name, text) in &case.registry {
        fs::write(path("registry").join(name), text).unwrap();
    }
    let registry = Registry::open(path("registry")).unwrap();
    fs::write(path("day.csv"), &case.events).unwrap();
    let mut input = Input::named(&path("day.csv"));
    if as_binary {
        // What the binary form cannot say stays CSV.
        let to = path("day.qcev");
        if convert_file(&input, &ConvertOptions::to(Target::Binary), &to, UNWATCHED).is_ok() {
            input = Input::named(&to);
        }
    }
    let bench = Bench { registry, case, input, folder: folder.path() };
    let whole = bench.measure(None, 1);
    let shards = (0..count).map(|index| Shard::new(index, count).unwrap());
    let parts: Vec<Option<(PathBuf, String)>> =
        shards.map(|shard| bench.measure(Some(shard), 1 + (shard.index() as usize) % 2)).collect();
    let Some((whole, rejects)) = whole else {
        prop_assert!(parts.iter().any(Option::is_none), "what one replay refuses some shard refuses");
        return Ok(());
    };
    let parts: Option<Vec<(PathBuf, String)>> = parts.into_iter().collect();
    let Some(parts) = parts else { return Err(TestCaseError::fail("a shard refuses what one replay measures")) };
    for (part, of_part) in &parts {
        prop_assert_eq!(of_part, &rejects, "every shard sets the same records aside");
        prop_assert!(Store::open(part).is_err(), "a part is no day");
    }
    let files: Vec<PathBuf> = parts.into_iter().map(|(file, _)| file).rev().collect();
    let (batch, dates) = merge(&files, &path("merged.aside")).unwrap();
    prop_assert_eq!(dates.len(), 1);
    Store::create(&path("merged.db")).unwrap().replace_days(batch, || {}).unwrap();
    prop_assert_eq!(dump(&path("merged.db")), dump(&whole));
    // What is stored passes its own checksums.
    Store::open(&path("merged.db")).unwrap().days(dates[0]..=dates[0]).unwrap();
    if 1 < count {
        let error = merge(&files[1..], &path("gap.aside")).unwrap_err().to_string();
        prop_assert!(error.contains(&format!("no part of shard {}/{count}", count - 1)), "{}", error);
        let twice: Vec<PathBuf> = files.iter().chain(&files[..1]).cloned().collect();
        let error = merge(&twice, &path("overlap.aside")).unwrap_err().to_string();
        prop_assert!(error.contains("expected each shard once"), "{}", error);
    }
    Ok(())
}

fn cases() -> u32 {
    std::env::var("QUOTECLOCK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_merged_day_is_the_day(case in generate::day(), count in 1_u32..=8, as_binary in any::<bool>()) {
        check(&case, count, as_binary)?;
    }

    #[test]
    fn a_merged_damaged_day_is_the_day(case in generate::damaged_day(), count in 1_u32..=8) {
        check(&case, count, false)?;
    }
}
