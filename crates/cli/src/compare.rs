//! `quoteclock compare`: which results of two runs differ, by how much, and what each rests on.
//!
//! Both sides, a folder of results or a database, become tables of rows by key; breaches, which may be millions, one row
//! for each obligation and day: how many they are, and a hash of them.

use crate::{BadUsage, Outcome, month, output, terminal};
use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use quoteclock_incentive::AccountKey;
use quoteclock_report::wrap;
use quoteclock_store::{Digest, Store, StoredDay};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Compare two results: which rows differ, by how much, and what they rest on.
///
/// Each is a folder that replay --out or report --out has written, or a database of replay --db. A folder and a database
/// are compared by their days.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock compare results-of-monday results-of-tuesday
  quoteclock compare results market.db
  quoteclock compare before.db after.db --json

Exits with 4 if any row differs, or only one side has it. What a day rests on (input, registry, options, version) is told \
from databases; that alone is no difference.")]
pub(crate) struct CompareArgs {
    /// A folder of results, or a database
    #[arg(value_name = "A")]
    a: PathBuf,

    /// Another one
    #[arg(value_name = "B")]
    b: PathBuf,

    /// List every row that differs; otherwise the 20 that differ most
    #[arg(long)]
    all: bool,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// So many rows that differ are listed.
const LISTED_MAX: usize = 20;

/// An output that is compared: its name and the columns that say whose a row is.
const TABLES: [(&str, &[&str]); 9] = [
    ("daily", &["date", "market_maker", "issue", "obligation"]),
    ("monthly", &["month", "market_maker", "issue", "obligation"]),
    ("criteria", &["month", "market_maker", "issue"]),
    ("market_makers", &["month", "market_maker"]),
    ("incentives", &["month", "market_maker", "participant", "issue", "incentive"]),
    ("conditions", &["month", "condition", "issue", "market_maker"]),
    ("tiers", &["issue", "in_force_from"]),
    ("recommendations", &["month", "market_maker", "issue", "recommendation"]),
    ("payments", &["month", "market_maker", "participant"]),
];

/// The name of the table of breaches by obligation and day.
const BREACHES: &str = "breaches";

/// Rows by key, each with the values of the other columns.
#[derive(Default)]
struct Rows {
    key: Vec<String>,
    columns: Vec<String>,
    rows: BTreeMap<Vec<String>, Vec<String>>,
}

/// One of the two.
struct Side {
    tables: BTreeMap<&'static str, Rows>,
    /// What each day rests on, where that is known.
    rests_on: BTreeMap<Date, Vec<(&'static str, String)>>,
}

/// How a row differs.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Differs,
    OnlyA,
    OnlyB,
}

#[derive(Serialize)]
struct Difference<'a> {
    table: &'a str,
    how: How,
    key: BTreeMap<&'a str, &'a str>,
    /// The columns that differ.
    values: Vec<Values<'a>>,
    /// What puts the largest first.
    #[serde(skip)]
    size: u128,
}

#[derive(Serialize)]
struct Values<'a> {
    column: &'a str,
    a: Option<&'a str>,
    b: Option<&'a str>,
    /// B less A, of whole numbers.
    difference: Option<i128>,
}

#[derive(Serialize)]
struct Resting<'a> {
    date: String,
    what: &'a str,
    a: Option<&'a str>,
    b: Option<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    a: String,
    b: String,
    same: bool,
    /// Rows compared, by table.
    rows: BTreeMap<&'a str, usize>,
    /// Tables that only one side has.
    only_a: Vec<&'a str>,
    only_b: Vec<&'a str>,
    differences: Vec<Difference<'a>>,
    rests_on: Vec<Resting<'a>>,
}

/// Runs the command.
pub(crate) fn run(args: &CompareArgs) -> Result<Outcome> {
    let [a, b] = [Side::read(&args.a)?, Side::read(&args.b)?];
    let names = |side: &Side| side.tables.keys().copied().collect::<BTreeSet<&str>>();
    let (in_a, in_b) = (names(&a), names(&b));
    if in_a.is_disjoint(&in_b) {
        let names = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
        let problem = format!(
            "{} has {}, {} has {}: expected two results of which both have one of these",
            args.a.display(),
            names(&in_a),
            args.b.display(),
            names(&in_b)
        );
        return Err(BadUsage(problem).into());
    }
    let mut differences: Vec<Difference<'_>> = Vec::new();
    let mut rows = BTreeMap::new();
    for name in in_a.intersection(&in_b) {
        let (one, other) = (&a.tables[name], &b.tables[name]);
        rows.insert(*name, one.rows.keys().chain(other.rows.keys()).collect::<BTreeSet<_>>().len());
        differences.extend(compare(name, one, other));
    }
    // Stable: rows that differ alike stay in the order of their keys.
    differences.sort_by_key(|difference| std::cmp::Reverse(difference.size));
    let same = differences.is_empty();
    let document = Document {
        schema: output::SCHEMA,
        a: args.a.display().to_string(),
        b: args.b.display().to_string(),
        same,
        rows,
        only_a: in_a.difference(&in_b).copied().collect(),
        only_b: in_b.difference(&in_a).copied().collect(),
        differences,
        rests_on: resting(&a, &b),
    };
    if args.json {
        output::print(&format!("{}\n", serde_json::to_string(&document)?))?;
    } else {
        output::print(&text(&document, args.all))?;
    }
    Ok(if same { Outcome::Done } else { Outcome::Differs })
}

/// The rows of a table that differ, in order of their keys.
fn compare<'a>(table: &'a str, a: &'a Rows, b: &'a Rows) -> Vec<Difference<'a>> {
    let keys: BTreeSet<&Vec<String>> = a.rows.keys().chain(b.rows.keys()).collect();
    let columns: Vec<&str> = {
        let later = b.columns.iter().filter(|column| !a.columns.contains(column));
        a.columns.iter().chain(later).map(String::as_str).collect()
    };
    let difference = |key: &'a Vec<String>| {
        let (one, other) = (a.rows.get(key), b.rows.get(key));
        let values: Vec<Values<'_>> = columns
            .iter()
            .filter_map(|column| {
                let (one, other) =
                    (one.and_then(|row| a.value(row, column)), other.and_then(|row| b.value(row, column)));
                (one != other).then(|| Values { column, a: one, b: other, difference: less(one, other) })
            })
            .collect();
        let how = match (one, other) {
            (Some(_), None) => How::OnlyA,
            (None, Some(_)) => How::OnlyB,
            _ => How::Differs,
        };
        let size = match how {
            How::Differs => values.iter().filter_map(|values| values.difference).map(i128::unsigned_abs).max(),
            How::OnlyA | How::OnlyB => Some(u128::MAX),
        };
        let names = a.key.iter().map(String::as_str).zip(key.iter().map(String::as_str)).collect();
        let differs = how != How::Differs || !values.is_empty();
        differs.then(|| Difference { table, how, key: names, values, size: size.unwrap_or_default() })
    };
    keys.into_iter().filter_map(difference).collect()
}

/// B less A, of whole numbers.
fn less(a: Option<&str>, b: Option<&str>) -> Option<i128> {
    let (a, b): (i128, i128) = (a?.parse().ok()?, b?.parse().ok()?);
    b.checked_sub(a)
}

/// What the days of both sides rest on that is not the same.
fn resting<'a>(a: &'a Side, b: &'a Side) -> Vec<Resting<'a>> {
    let mut resting = Vec::new();
    for (date, one) in &a.rests_on {
        let Some(other) = b.rests_on.get(date) else { continue };
        for ((what, a), (_, b)) in one.iter().zip(other).filter(|((_, a), (_, b))| a != b) {
            resting.push(Resting { date: date.to_string(), what, a: Some(a), b: Some(b) });
        }
    }
    resting
}

impl Rows {
    fn value<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let position = self.columns.iter().position(|known| known == column)?;
        row.get(position).map(String::as_str)
    }

    /// An empty table of rows by obligation and day.
    fn by_day(columns: &[&str]) -> Rows {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Rows { key: owned(TABLES[0].1), columns: owned(columns), rows: BTreeMap::new() }
    }

    /// Reads a CSV file.
    fn read(file: &Path, key: &[&str]) -> Result<Rows> {
        let mut rows = Rows { key: key.iter().map(|name| (*name).to_owned()).collect(), ..Rows::default() };
        let mut reader = reader(file)?;
        let header = reader.headers().with_context(|| format!("reading {}", file.display()))?.clone();
        let key = key.iter().map(|name| place(&header, name, file)).collect::<Result<Vec<usize>>>()?;
        let others: Vec<usize> = (0..header.len()).filter(|position| !key.contains(position)).collect();
        let cells = |record: &csv::StringRecord, places: &[usize]| -> Vec<String> {
            places.iter().map(|&place| record.get(place).unwrap_or_default().to_owned()).collect()
        };
        rows.columns = cells(&header, &others);
        for record in reader.records() {
            let record = record.with_context(|| format!("reading {}", file.display()))?;
            if rows.rows.insert(cells(&record, &key), cells(&record, &others)).is_some() {
                let line = record.position().map_or(0, csv::Position::line);
                bail!("{}: line {line}: found the key of another row, expected each once", file.display());
            }
        }
        Ok(rows)
    }
}

fn reader(file: &Path) -> Result<csv::Reader<File>> {
    let opened = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(csv::Reader::from_reader(opened))
}

fn place(header: &csv::StringRecord, name: &str, file: &Path) -> Result<usize> {
    let place = header.iter().position(|column| column == name);
    place.with_context(|| format!("{}: line 1: no column {name}, expected results of this program", file.display()))
}

/// Breaches of one obligation on one day, counted and hashed as they come.
#[derive(Default)]
struct Breaches {
    rows: BTreeMap<Vec<String>, Vec<String>>,
    open: Option<(Vec<String>, u64, String)>,
}

impl Breaches {
    /// Adds a breach: those of one obligation on one day come one after the other, in order of time.
    fn add(&mut self, key: Vec<String>, start: i64, end: i64, reason: &str) {
        if self.open.as_ref().is_none_or(|(open, ..)| *open != key) {
            self.close();
            self.open = Some((key, 0, String::new()));
        }
        if let Some((_, count, text)) = &mut self.open {
            *count += 1;
            writeln!(text, "{start} {end} {reason}").expect("writing to a string");
        }
    }

    fn close(&mut self) {
        if let Some((key, count, text)) = self.open.take() {
            self.rows.insert(key, vec![count.to_string(), Digest::of(text.as_bytes()).to_string()]);
        }
    }

    fn finish(mut self) -> Rows {
        self.close();
        Rows { rows: self.rows, ..Rows::by_day(&["breaches", "breaches_sha256"]) }
    }

    /// Reads `breaches.csv`.
    fn read(file: &Path) -> Result<Rows> {
        let mut reader = reader(file)?;
        let header = reader.headers().with_context(|| format!("reading {}", file.display()))?.clone();
        let key = TABLES[0].1.iter().map(|name| place(&header, name, file)).collect::<Result<Vec<usize>>>()?;
        let [start, end, reason] = ["start", "end", "reason"].map(|name| place(&header, name, file));
        let (start, end, reason) = (start?, end?, reason?);
        let mut breaches = Breaches::default();
        for record in reader.records() {
            let record = record.with_context(|| format!("reading {}", file.display()))?;
            let cell = |place: usize| record.get(place).unwrap_or_default();
            let instant = |place: usize| -> Result<i64> {
                let found = cell(place);
                let line = record.position().map_or(0, csv::Position::line);
                let instant: jiff::Timestamp = found.parse().with_context(|| {
                    format!("{}: line {line}: found \"{found}\", expected a time with its offset", file.display())
                })?;
                Ok(instant.as_microsecond())
            };
            let key = key.iter().map(|&place| cell(place).to_owned()).collect();
            breaches.add(key, instant(start)?, instant(end)?, cell(reason));
        }
        Ok(breaches.finish())
    }
}

impl Side {
    fn read(path: &Path) -> Result<Side> {
        if path.is_dir() { Side::of_folder(path) } else { Side::of_database(path) }
    }

    fn of_folder(folder: &Path) -> Result<Side> {
        let mut tables = BTreeMap::new();
        for (name, key) in TABLES {
            let file = folder.join(format!("{name}.csv"));
            if file.is_file() {
                tables.insert(name, Rows::read(&file, key)?);
            }
        }
        let file = folder.join("breaches.csv");
        if file.is_file() {
            tables.insert(BREACHES, Breaches::read(&file)?);
        }
        if tables.is_empty() {
            bail!("{}: no daily.csv or monthly.csv in it, expected results of replay or report", folder.display());
        }
        Ok(Side { tables, rests_on: BTreeMap::new() })
    }

    fn of_database(file: &Path) -> Result<Side> {
        let store = Store::open(file)?;
        store.begin_snapshot()?;
        let dates = || Date::MIN..=Date::MAX;
        let mut daily = Rows::by_day(&["available_us", "fulfilled_us", "unknown_us", "display_pct"]);
        store.results(dates(), |row| {
            let total = row.total;
            let percent = quoteclock_ledger::DisplayPercent::of(total.fulfilled, total.available);
            let times = [total.available, total.fulfilled, total.unknown].map(|time| time.0.to_string());
            let values = times.into_iter().chain([percent.map(|pct| pct.to_string()).unwrap_or_default()]).collect();
            let key = AccountKey { market_maker: row.market_maker, issue: row.issue, obligation: row.obligation };
            daily.rows.insert(of_day(row.date, key), values);
        })?;
        let mut breaches = Breaches::default();
        store.breaches(dates(), |row| {
            let key = AccountKey { market_maker: row.market_maker, issue: row.issue, obligation: row.obligation };
            let (start, end) = (row.span.start.as_micros(), row.span.end.as_micros());
            breaches.add(of_day(row.date, key), start, end, &row.reason);
        })?;
        let rests_on = store.days(dates())?.iter().map(|day| (day.date, rests_on(day))).collect();
        Ok(Side { tables: BTreeMap::from([("daily", daily), (BREACHES, breaches.finish())]), rests_on })
    }
}

/// The key of an obligation on a day.
fn of_day(date: Date, key: AccountKey) -> Vec<String> {
    vec![date.to_string(), key.market_maker, key.issue.to_string(), key.obligation.to_string()]
}

/// What a stored day rests on.
fn rests_on(day: &StoredDay) -> Vec<(&'static str, String)> {
    vec![
        ("input", day.input.clone()),
        ("input_sha256", day.input_sha256.to_string()),
        ("registry_sha256", day.registry_sha256.to_string()),
        ("plan_sha256", day.plan_sha256.to_string()),
        ("scheme", format!("{} {}", day.scheme, day.scheme_version)),
        ("options", day.options.clone().unwrap_or_default()),
        ("records", day.record_count.to_string()),
        ("rejects", day.reject_count.to_string()),
        ("program_version", day.program_version.clone()),
    ]
}

fn text(document: &Document<'_>, all: bool) -> String {
    let width = terminal::table_style().width;
    let mut text = wrap(&format!("A is {}, B is {}", document.a, document.b), width);
    for (name, count) in &document.rows {
        let of = |how| {
            let is_of = |difference: &&Difference<'_>| difference.table == *name && difference.how == how;
            document.differences.iter().filter(is_of).count()
        };
        let (rows, same) = (month::grouped(*count), of(How::Differs) + of(How::OnlyA) + of(How::OnlyB) == 0);
        text.push_str(&if same {
            format!("{name}: {rows} rows, all the same\n")
        } else {
            let [differ, a, b] = [How::Differs, How::OnlyA, How::OnlyB].map(|how| month::grouped(of(how)));
            format!("{name}: {rows} rows, {differ} differ, {a} only in A, {b} only in B\n")
        });
    }
    for (side, only) in [("A", &document.only_a), ("B", &document.only_b)] {
        if !only.is_empty() {
            text.push_str(&wrap(&format!("not compared, only {side} has them: {}", only.join(", ")), width));
        }
    }
    let listed = if all { document.differences.len() } else { LISTED_MAX };
    if !document.same {
        text.push('\n');
    }
    for Difference { table, how, key, values, .. } in document.differences.iter().take(listed) {
        let names = TABLES.iter().find(|(name, _)| name == table).map_or(TABLES[0].1, |(_, names)| names);
        let whose: Vec<&str> =
            names.iter().filter_map(|name| key.get(name).copied()).filter(|name| !name.is_empty()).collect();
        let what = match how {
            How::OnlyA => "only in A".to_owned(),
            How::OnlyB => "only in B".to_owned(),
            How::Differs => values.iter().map(change).collect::<Vec<_>>().join(", "),
        };
        text.push_str(&wrap(&format!("{table} {}: {what}", whose.join(" ")), width));
    }
    if listed < document.differences.len() {
        let more = month::grouped(document.differences.len() - listed);
        text.push_str(&format!("and {more} more: --all lists them\n"));
    }
    if !document.rests_on.is_empty() {
        text.push_str("\nwhat they rest on differs:\n");
    }
    for Resting { date, what, a, b } in &document.rests_on {
        let [a, b] = [a, b].map(|value| value.filter(|value| !value.is_empty()).unwrap_or("-"));
        text.push_str(&wrap(&format!("{date} {what}: {a} in A, {b} in B"), width));
    }
    text
}

/// `fulfilled_us 5 in A, 7 in B (+2)`.
fn change(Values { column, a, b, difference }: &Values<'_>) -> String {
    let [a, b] = [a, b].map(|value| value.filter(|value| !value.is_empty()).unwrap_or("-"));
    let by = difference.map(|by| format!(" ({by:+})")).unwrap_or_default();
    format!("{column} {a} in A, {b} in B{by}")
}
