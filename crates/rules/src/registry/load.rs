//! From the bytes of all files to a checked registry or to all that is wrong with them.

use super::files::{self, KnownNames, Names, Rows};
use super::rows;
use super::{
    Application, ConditionKind, FastMarket, Holiday, Issue, Loaded, MarketMaker, PaidCondition, Registry, Server,
    SignUp, Tables, Target, applications, limits, warnings,
};
use crate::scheme::SchemeFile;
use crate::value::{self, Expected};
use quoteclock_sheets::{Findings, Layout, Lined, Row, SourceFile, Table, Uniqueness, content, optional, required};
use std::hash::Hash;
use std::sync::Arc;

pub(super) fn load(files: &[SourceFile]) -> Loaded {
    let mut findings = Findings::default();
    let rows = read(files, &mut findings);
    check_uniqueness(&rows, &mut findings);
    limits::check(&rows, &mut findings);
    warnings::warn(&rows, &mut findings);
    let registry = (!findings.has_errors()).then(|| registry(rows));
    Loaded { registry, findings: findings.into_sorted() }
}

fn read(files: &[SourceFile], findings: &mut Findings) -> Rows {
    let scheme = match content(files, "scheme.toml") {
        Some(bytes) => SchemeFile::parse(bytes, findings),
        None => SchemeFile::built_in(),
    };
    let issues = required(files, &files::ISSUES, findings);
    let market_makers = required(files, &files::MARKET_MAKERS, findings);
    let servers = required(files, &files::SERVERS, findings);
    let sign_ups = required(files, &files::SIGN_UPS, findings);
    let fast_markets = optional(files, &files::FAST_MARKETS, findings).filter(|table| has_multiplier(table, findings));
    let matching = optional(files, &files::MATCHING, findings).filter(|table| has_target(table, findings));
    let names = KnownNames {
        issues: issues.as_ref().and_then(|table| defined(table, "issue", value::issue)),
        market_makers: market_makers.as_ref().and_then(|table| defined(table, "market_maker", value::name)),
        types: scheme.type_names,
        tick_tables: scheme.tick_table_names,
    };
    let mut reader = Reader { names: &names, findings };
    // A row of one kind is none of the other.
    let (mut dates, mut stress) = (Vec::new(), Vec::new());
    for Lined { line, value } in reader.rows(fast_markets, rows::fast_market) {
        match value {
            rows::Fast::Market(value) => dates.push(Lined { line, value }),
            rows::Fast::Stress(value) => stress.push(value),
        }
    }
    Rows {
        scheme: scheme.scheme,
        issues: reader.rows(issues, rows::issue),
        market_makers: reader.rows(market_makers, rows::market_maker),
        servers: reader.rows(servers, rows::server),
        sign_ups: reader.rows(sign_ups, rows::sign_up),
        fast_markets: dates,
        stress,
        exemptions: reader.file(files, &files::EXEMPTIONS, rows::exemption),
        sponsored: reader.file(files, &files::SPONSORED, rows::sponsored),
        matching: reader.rows(matching, rows::matching),
        holidays: reader.file(files, &files::HOLIDAYS, rows::holiday),
        applications: content(files, files::APPLICATIONS.file)
            .map(|_| reader.file(files, &files::APPLICATIONS, rows::application)),
        excluded_days: reader.file(files, &files::EXCLUDED_DAYS, rows::excluded_day),
    }
}

/// How one row of a file is read.
type ReadRow<T> = fn(&Row<'_>, &KnownNames, &mut Findings) -> Option<T>;

struct Reader<'a> {
    names: &'a KnownNames,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn file<T>(&mut self, files: &[SourceFile], layout: &Layout, read: ReadRow<T>) -> Vec<Lined<T>> {
        let table = optional(files, layout, self.findings);
        self.rows(table, read)
    }

    fn rows<T>(&mut self, table: Option<Table>, read: ReadRow<T>) -> Vec<Lined<T>> {
        let Some(table) = table else { return Vec::new() };
        let mut rows = Vec::with_capacity(table.rows().len());
        rows.extend(
            table
                .rows()
                .filter_map(|row| Some(Lined { line: row.line, value: read(&row, self.names, self.findings)? })),
        );
        rows
    }
}

/// Whether a Fast Market's file says by how much.
fn has_multiplier(table: &Table, findings: &mut Findings) -> bool {
    let has = ["multiplier", "spread_multiplier", "size_multiplier"].iter().any(|column| table.has(column));
    if !has {
        let message =
            "the column is missing, expected it in the header, or spread_multiplier or size_multiplier".to_owned();
        findings.error(files::FAST_MARKETS.file, 1, Some("multiplier"), message);
    }
    has
}

/// Whether matching funds say what they apply to.
fn has_target(table: &Table, findings: &mut Findings) -> bool {
    let has = table.has("issue") || table.has("index");
    if !has {
        let message = "the column is missing, expected issue or index in the header".to_owned();
        findings.error(files::MATCHING.file, 1, Some("issue"), message);
    }
    has
}

/// The names that a column defines, also in rows that have a fault elsewhere; `None` where not all are known.
fn defined<T: Hash + Eq>(table: &Table, column: &str, parse: fn(&str) -> Result<T, Expected>) -> Option<Names<T>> {
    table.is_whole().then(|| table.rows().filter_map(|row| parse(row.cell(column)).ok()).collect())
}

/// REFERENCE section 3: one row in force for one key on one date.
fn check_uniqueness(rows: &Rows, findings: &mut Findings) {
    Uniqueness {
        file: files::ISSUES.file,
        column: "issue",
        key: |row: &Issue| row.code.to_string(),
        period: Some(|row| row.period),
    }
    .check(&rows.issues, findings);
    Uniqueness {
        file: files::MARKET_MAKERS.file,
        column: "market_maker",
        key: |row: &MarketMaker| row.market_maker.clone(),
        period: None,
    }
    .check(&rows.market_makers, findings);
    Uniqueness {
        file: files::SERVERS.file,
        column: "server",
        key: |row: &Server| row.server.clone(),
        period: Some(|row| row.period),
    }
    .check(&rows.servers, findings);
    Uniqueness {
        file: files::SIGN_UPS.file,
        column: "issue",
        // A tab stands in no name, so no two pairs print alike.
        key: |row: &SignUp| format!("{}\t{}", row.market_maker, row.issue),
        period: Some(|row| row.period),
    }
    .check(&rows.sign_ups, findings);
    Uniqueness {
        file: files::FAST_MARKETS.file,
        column: "from",
        key: |_: &FastMarket| "fast market".to_owned(),
        period: Some(|row| row.period),
    }
    .check(&rows.fast_markets, findings);
    for (file, conditions) in [(files::SPONSORED.file, &rows.sponsored), (files::MATCHING.file, &rows.matching)] {
        Uniqueness { file, column: "condition", key: condition_key, period: Some(|row| row.period) }
            .check(conditions, findings);
    }
    if let Some(applications) = &rows.applications {
        Uniqueness { file: files::APPLICATIONS.file, column: "form", key: applications::key, period: None }
            .check(applications, findings);
    }
    Uniqueness { file: files::HOLIDAYS.file, column: "date", key: |row: &Holiday| row.date.to_string(), period: None }
        .check(&rows.holidays, findings);
}

fn condition_key(row: &PaidCondition) -> String {
    match &row.target {
        Target::Issue(issue) => format!("{}\tissue {issue}", row.name),
        Target::Index(index) => format!("{}\tindex {index}", row.name),
    }
}

fn registry(rows: Rows) -> Registry {
    let conditions = rows.sponsored.into_iter().chain(rows.matching).collect();
    let tables = Tables {
        scheme: rows.scheme,
        issues: sorted(rows.issues, |row| (row.code.clone(), row.period.first())),
        market_makers: sorted(rows.market_makers, |row| row.market_maker.clone()),
        servers: sorted(rows.servers, |row| (row.server.clone(), row.period.first())),
        sign_ups: sorted(rows.sign_ups, |row| (row.market_maker.clone(), row.issue.clone(), row.period.first())),
        stress: rows.stress,
        fast_markets: sorted(rows.fast_markets, |row| row.period.first()),
        exemptions: rows.exemptions.into_iter().map(|row| row.value).collect(),
        conditions: sorted(conditions, |row: &PaidCondition| {
            (row.kind == ConditionKind::Matching, row.name.clone(), row.target.clone(), row.period.first())
        }),
        holidays: sorted(rows.holidays, |row| row.date),
        applications: rows.applications.map(|rows| {
            sorted(rows, |row: &Application| (row.form, row.party.clone(), row.effective, applications::key(row)))
        }),
        excluded_days: sorted(rows.excluded_days, |row| row.date),
    };
    Registry { tables: Arc::new(tables) }
}

fn sorted<T, K: Ord>(rows: Vec<Lined<T>>, key: fn(&T) -> K) -> Vec<T> {
    let mut values: Vec<T> = rows.into_iter().map(|row| row.value).collect();
    values.sort_by_cached_key(key);
    values
}
