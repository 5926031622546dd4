//! A year of 350 ETFs by 20 market makers, stored: what the reports of a large market are timed on.
//!
//! ```sh
//! cargo run --release --example year -- /tmp/year
//! time quoteclock report --registry /tmp/year/registry --db /tmp/year/year.db --month 2024-03 --out /tmp/year/2024-03
//! ```
//!
//! The figures are made up: every sign-up is fulfilled for a part of each day that depends on its position and the date.

use jiff::civil::{Date, Weekday, date};
use quoteclock_ledger::{DayLedger, OpenLedger};
use quoteclock_model::{DayTurnover, Interval, State, Timestamp, Turnover};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{DayPlan, Registry, SourceFile};
use quoteclock_store::{DayBatch, DayToStore, Digest, Provenance, Store};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

const ISSUES: usize = 350;
const MARKET_MAKERS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected a folder to write to")?);
    let registry = write_registry(&folder.join("registry"))?;
    let started = Instant::now();
    let mut batch = DayBatch::create(&folder.join("batch.db"))?;
    let year = date(2024, 1, 1).series(jiff::Span::new().days(1)).take_while(|date| date.year() == 2024);
    let mut rows = 0;
    for date in year.filter(|date| !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)) {
        rows += add_day(&mut batch, &registry, date)?;
    }
    println!("{rows} rows written aside in {:?}", started.elapsed());
    let started = Instant::now();
    Store::create(&folder.join("year.db"))?.replace_days(batch, || {})?;
    println!("and stored in one transaction in {:?}", started.elapsed());
    std::fs::remove_file(folder.join("batch.db"))?;
    Ok(())
}

fn add_day(batch: &mut DayBatch, registry: &Registry, date: Date) -> Result<usize, Box<dyn Error>> {
    let plan = registry.plan(date)?;
    let (ledger, turnover) = (ledger(&plan), turnover(&plan));
    let scheme = registry.scheme();
    let interpretations = scheme.interpretations().iter();
    let provenance = Provenance {
        journal: None,
        input: format!("{date}.csv.zst"),
        input_sha256: Digest::of(date.to_string().as_bytes()),
        registry_sha256: Digest::of(b"made up"),
        scheme: scheme.name().to_owned(),
        scheme_version: scheme.version().to_owned(),
        interpretations: interpretations.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        record_count: 50_000_000,
        reject_count: 0,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        program_commit: "unknown".to_owned(),
        options: String::new(),
        coverage: "[]".to_owned(),
        servers_heard: plan.servers.iter().map(|server| server.name.clone()).collect(),
        until: None,
        measured_at: quoteclock_model::Timestamp::from_micros(0),
    };
    batch.add(DayToStore { plan: &plan, ledger: &ledger, turnover: &turnover, provenance: &provenance })?;
    Ok(plan.sign_ups.len())
}

fn ledger(plan: &DayPlan) -> DayLedger {
    let mut ledger = OpenLedger::new(plan);
    let start = plan.day.start.as_micros();
    for (index, seed) in (0..).zip(0..i64::try_from(plan.sign_ups.len()).unwrap_or_default()) {
        let length = 10_000_000_000 + (seed * 7_919 + start / 1_000_000) % 8_000_000_000;
        let (start, end) = (Timestamp::from_micros(start), Timestamp::from_micros(start + length));
        ledger.interval(ObligationIndex(index), Interval { start, end, state: State::Fulfilled });
    }
    ledger.close()
}

fn turnover(plan: &DayPlan) -> DayTurnover {
    DayTurnover { sign_ups: vec![Turnover::default(); plan.sign_ups.len()], ..DayTurnover::default() }
}

fn write_registry(folder: &Path) -> Result<Registry, Box<dyn Error>> {
    let issues: String = (0..ISSUES).map(|issue| format!("{},A,04\n", 1300 + issue)).collect();
    let makers: String = (0..MARKET_MAKERS).map(|maker| format!("MM{maker:02}\n")).collect();
    let servers: String = (0..MARKET_MAKERS).map(|maker| format!("VS{maker:02},MM{maker:02}\n")).collect();
    let sign_up =
        |number: usize| format!("MM{:02},{},P{:03}\n", number / ISSUES, 1300 + number % ISSUES, number / ISSUES);
    let sign_ups: String = (0..MARKET_MAKERS * ISSUES).map(sign_up).collect();
    let files = [
        ("issues.csv", format!("issue,type,tick_table\n{issues}")),
        ("market_makers.csv", format!("market_maker\n{makers}")),
        ("virtual_servers.csv", format!("server,market_maker\n{servers}")),
        ("signups.csv", format!("market_maker,issue,participant\n{sign_ups}")),
    ];
    std::fs::create_dir_all(folder)?;
    for (name, text) in &files {
        std::fs::write(folder.join(name), text)?;
    }
    let source = |(name, text): (&str, String)| SourceFile { name: name.to_owned(), bytes: text.into_bytes() };
    Registry::load(&files.map(source)).registry.ok_or_else(|| "the registry is faulty".into())
}
