//! A registry, valid by construction, and what the events need to know of it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::choices::Choices;
use super::times;
use super::types::{criteria, regimes, type_hours, type_limits};
use crate::clock;
use crate::registry::Registry;
use crate::scheme::{Limits, Scheme, TickTable};

/// A registry folder and the day to measure under it.
pub(super) struct Setup {
    pub(super) files: Vec<(String, String)>,
    pub(super) date: Date,
    pub(super) zone: TimeZone,
    pub(super) feed: bool,
    /// Local midnight and the next one.
    pub(super) day: (i128, i128),
    /// Instants of the day at which windows or exemptions begin or end, in order.
    pub(super) edges: Vec<i128>,
    pub(super) quoters: Vec<Quoter>,
}

/// Someone who sends orders for an issue: for a measured sign-up, with what it takes to fulfil its obligations.
#[derive(Clone)]
pub(super) struct Quoter {
    pub(super) issue: String,
    pub(super) servers: Vec<String>,
    pub(super) limits: Vec<Limits>,
    pub(super) table: TickTable,
    /// A price near which to quote, in ten-thousandths.
    pub(super) anchor: i128,
}

const ISSUES: [&str; 4] = ["1306", "130A", "PETR4F", "A.B-C"];
const MAKERS: [&str; 3] = ["MM1", "MM-2", "alpha"];
const INDICES: [&str; 3] = ["TOPIX", "", "N225"];
const PARTICIPANTS: [&str; 3] = ["", "P1", "P2"];
/// Near the limits of the bands of the tick tables, and on both sides of one.
const ANCHORS: [i128; 12] = [
    1_020_000,
    30_000_000,
    10_000_000,
    999_000,
    78_200,
    100_000_000,
    19_995_000,
    50_000_000,
    300_000_000,
    25_000,
    5_000,
    10_000_000_000,
];

/// Makes a registry. The numbers of the parts are generous: a part that runs out goes on with the plainest choice.
pub(super) fn setup(choices: &mut Choices<'_>) -> Option<Setup> {
    let (zone_name, date, toml) = scheme(&mut choices.part(30))?;
    let scheme = Scheme::read(toml.as_deref())?;
    let zone = clock::zone(zone_name)?;
    let day = (clock::at_local(&zone, date, 0)?, clock::at_local(&zone, date, 1_440)?);
    let window = |minutes| clock::at_local(&zone, date, minutes);
    let mut edges: Vec<i128> =
        scheme.continuous(date).iter().flat_map(|(start, end)| [window(*start), window(*end)]).flatten().collect();

    let issues = &ISSUES[..=choices.below(3)];
    let makers = &MAKERS[..=choices.below(3)];
    let mut sheets = vec![
        issues_sheet(&mut choices.part(60), issues, date, &scheme),
        makers_sheet(makers),
        servers_sheet(&mut choices.part(60), makers, date),
        signups_sheet(&mut choices.part(40), makers, issues, date),
        fast_market_sheet(&mut choices.part(24), date, (&zone, day), &mut edges),
        exemptions_sheet(&mut choices.part(40), (makers, issues), (&zone, day), &mut edges),
        sponsored_sheet(&mut choices.part(30), issues, date),
        matching_sheet(&mut choices.part(50), issues, date),
    ];
    if choices.percent(20) {
        let rows = vec![vec![date.to_string(), "Some holiday".to_owned()]];
        sheets.push(Sheet { name: "holidays.csv", columns: "date!,name", rows });
    }
    let mut files: Vec<(String, String)> =
        sheets.iter().filter_map(|sheet| sheet.file(&mut choices.part(40))).collect();
    files.extend(toml.map(|toml| ("scheme.toml".to_owned(), toml)));

    edges.retain(|edge| day.0 <= *edge && *edge < day.1);
    edges.sort_unstable();
    edges.dedup();
    let quoters = quoters(&mut choices.part(20), &Registry::read(&files)?, date);
    Some(Setup { files, date, zone, feed: scheme.feed, day, edges, quoters })
}

/// The scheme's time zone, a date, and the `scheme.toml` if there is to be one.
fn scheme(choices: &mut Choices<'_>) -> Option<(&'static str, Date, Option<String>)> {
    let (zone, dates): (_, &[&str]) = match choices.below(10) {
        0..=4 => ("Asia/Tokyo", &["2024-03-01", "2024-11-04", "2024-11-05", "2024-11-30"]),
        5 | 6 => ("America/Sao_Paulo", &["2015-11-03", "2015-10-18", "2016-02-20", "2016-02-21"]),
        7 | 8 => ("America/New_York", &["2019-12-30", "2024-03-10", "2024-11-03"]),
        _ => ("UTC", &["2024-02-29"]),
    };
    let date = clock::date(choices.of(dates))?;
    if zone == "Asia/Tokyo" && choices.percent(45) {
        return Some((zone, date, None));
    }
    let mut toml = "name = \"generated\"\nversion = \"1\" # not the built-in one\n".to_owned();
    if zone != "Asia/Tokyo" || choices.percent(50) {
        toml += &format!("timezone = \"{zone}\"\n");
    }
    toml += choices.of(&["", "phase_source = \"schedule\"\n", "", "phase_source = \"feed\"\n"]);
    toml += choices.of(&["required_pct = 80\n", ""]);
    toml += choices.of(&["", "", "", "start_delay = \"5m\"\n", "start_delay = \"90s\"\n"]);
    toml += &sessions(choices, date)?;
    toml += &format!("[types.T]\n{}{}", type_limits(choices), type_hours(choices));
    toml += criteria(choices);
    toml += regimes(choices);
    toml += &format!("[types.W]\n{}{}", type_limits(choices), type_hours(choices));
    toml += &criteria(choices).replace("types.T", "types.W");
    if choices.percent(30) {
        toml += &format!("[types.A]\n{}", type_limits(choices));
    }
    toml += "[tick_tables]\n\"cent\" = [[\"above\", \"0.01\"]]\n";
    toml += "step = [[100, \"0.1\"], [1000, \"0.5\"], [\"above\", \"1\"]]\n";
    toml += "odd = [[\"99.9\", \"0.3\"], [\"above\", \"0.9\"]]\n";
    toml += "fine = [[2.5, \"0.0005\"], [\"above\", \"0.0025\"]]\n";
    if choices.percent(20) {
        toml += "\"01\" = [[3000, \"1\"], [\"above\", \"5\"]]\n";
    }
    toml += choices.of(&[
        "",
        "[interpretations]\nsequential_quote = \"available\"\n",
        "[interpretations]\nsequential_quote = \"exempt\"\n",
        "[interpretations]\nself_trades = \"other\"\ncounterparty_market_maker = \"any\"\n",
        "[interpretations]\ncounterparty_market_maker = \"any\"\n",
    ]);
    Some((zone, date, Some(toml)))
}

/// A list of sessions, or none named.
fn sessions(choices: &mut Choices<'_>, date: Date) -> Option<String> {
    let windows = choices.of(&[
        "",
        r#""09:00-11:30", "12:30-15:00""#,
        r#""11:00-16:55""#,
        r#""00:00-24:00""#,
        r#""09:00-10:00", "10:00-11:00", "10:30-12:00""#,
        r#""00:30-03:30", "22:00-24:00""#,
        r#""01:30-02:30", "23:15-23:45""#,
        "none in force",
    ]);
    let entry = |from: Date, windows: &str| format!("[[sessions]]\nfrom = \"{from}\"\ncontinuous = [{windows}]\n");
    let (yesterday, tomorrow) = (date.yesterday().ok()?, date.tomorrow().ok()?);
    Some(match windows {
        "" => String::new(),
        "none in force" => entry(tomorrow, "\"09:00-15:00\""),
        windows => match choices.below(3) {
            0 => entry(date, windows),
            1 => entry(yesterday, "\"08:00-08:30\"") + &entry(date, windows) + &entry(tomorrow, "\"09:00-15:00\""),
            _ => entry(yesterday, windows) + &entry(yesterday.yesterday().ok()?, "\"08:00-08:30\""),
        },
    })
}

/// Disjoint ranges of dates, as the `from` and `to` of the rows of one key; most often one is in force on the date.
fn ranges(choices: &mut Choices<'_>, date: Date) -> Vec<(String, String)> {
    let day = |days: i32| date.checked_add(days.days()).unwrap_or(date).to_string();
    let open = String::new;
    match choices.below(14) {
        0..=4 => vec![(open(), open())],
        5 => vec![(day(0), open())],
        6 => vec![(open(), day(0))],
        7 => vec![(day(-30), day(30))],
        8 => vec![(open(), day(-1)), (day(0), open())],
        9 => vec![(day(0), day(0)), (day(1), open())],
        10 => vec![(open(), day(-2)), (day(-1), day(0)), (day(1), day(9))],
        11 => vec![(open(), day(-1))],
        12 => vec![(day(1), open())],
        _ => vec![(day(-9), day(-1)), (day(1), day(9))],
    }
}

/// A registry file before it is written. In `columns`, `!` marks one that has to be there.
struct Sheet {
    name: &'static str,
    columns: &'static str,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// The file, its columns in some order; empty columns and optional files without a row may be left out.
    fn file(&self, choices: &mut Choices<'_>) -> Option<(String, String)> {
        let required = ["issues.csv", "market_makers.csv", "virtual_servers.csv", "signups.csv"].contains(&self.name);
        if self.rows.is_empty() && !required && !choices.percent(30) {
            return None;
        }
        let leave_out = choices.percent(70);
        let columns: Vec<(usize, &str)> = self.columns.split(',').enumerate().collect();
        let empty = |column: usize| self.rows.iter().all(|row| row[column].is_empty());
        let kept = columns.into_iter().filter(|(at, name)| name.ends_with('!') || !(leave_out && empty(*at))).collect();
        let columns: Vec<(usize, &str)> = choices.shuffled(kept);
        let mut lines = vec![columns.iter().map(|(_, name)| name.trim_end_matches('!')).collect::<Vec<_>>().join(",")];
        for row in &self.rows {
            lines.push(columns.iter().map(|(at, _)| row[*at].as_str()).collect::<Vec<_>>().join(","));
        }
        Some((self.name.to_owned(), choices.file(&lines)))
    }
}

/// A row of a sheet.
fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn issues_sheet(choices: &mut Choices<'_>, issues: &[&str], date: Date, scheme: &Scheme) -> Sheet {
    let custom = scheme.types.contains_key("T");
    let mut rows = Vec::new();
    for issue in issues {
        let mut choices = choices.part(20);
        let ranges =
            if choices.percent(25) { ranges(&mut choices, date) } else { vec![(String::new(), String::new())] };
        for (from, to) in ranges {
            let kind = if custom && !choices.percent(30) {
                choices.of(&["T", "W"])
            } else {
                choices.of(&["A", "B", "C", "D"])
            };
            let table = if custom && !choices.percent(40) {
                choices.of(&["cent", "step", "odd", "fine"])
            } else {
                choices.of(&["01", "03", "04"])
            };
            let index = choices.of(&INDICES);
            let [name, inverse, unit] =
                choices.of(&[["", "", ""], ["Some ETF", "false", "1"], ["Some ETF", "true", "10"]]);
            // All of them where the type takes them; a few that nobody looks at.
            let own =
                choices.of(&[["100", "300", "7", "10.2"], ["25.5", "2000", "", "999.9"], ["50", "500", "12", "3"]]);
            let takes = |limits: &Limits| limits.from_issue || limits.quantity_from_value_at.is_some();
            let is_taken = scheme.types.get(kind).is_some_and(takes) || choices.percent(5);
            let [bps, value, quantity, reference] = if is_taken { own } else { [""; 4] };
            let windows = choices.of(&["", "09:20-10:00", "09:00-09:30;13:30-24:00"]);
            rows.push(row([
                issue, name, kind, inverse, inverse, index, table, unit, bps, value, quantity, reference, windows,
                &from, &to,
            ]));
        }
    }
    let columns = "issue!,name,type!,leveraged_inverse,active,index,tick_table!,trading_unit,max_spread_bps,min_value,\
                   min_quantity,reference_price,windows,from,to";
    Sheet { name: "issues.csv", columns, rows }
}

fn makers_sheet(makers: &[&str]) -> Sheet {
    let rows = makers.iter().map(|maker| row([maker, "A firm"])).collect();
    Sheet { name: "market_makers.csv", columns: "market_maker!,name", rows }
}

fn servers_sheet(choices: &mut Choices<'_>, makers: &[&str], date: Date) -> Sheet {
    let mut rows = Vec::new();
    for (maker, number) in makers.iter().zip(1..) {
        for letter in ["A", "B", "C"].iter().take(1 + choices.below(3)) {
            let plain = choices.percent(70);
            let ranges = if plain { vec![(String::new(), String::new())] } else { ranges(choices, date) };
            let participant = if choices.percent(40) { choices.of(&PARTICIPANTS) } else { "" };
            for (from, to) in ranges {
                // A server may pass from one market maker to another.
                let owner = if choices.percent(15) { choices.of(makers) } else { maker };
                rows.push(row([&format!("VS{number}{letter}"), owner, participant, &from, &to]));
            }
        }
    }
    Sheet { name: "virtual_servers.csv", columns: "server!,market_maker!,participant,from,to", rows }
}

fn signups_sheet(choices: &mut Choices<'_>, makers: &[&str], issues: &[&str], date: Date) -> Sheet {
    let mut rows = Vec::new();
    for (maker, issue) in makers.iter().flat_map(|maker| issues.iter().map(move |issue| (maker, issue))) {
        if choices.percent(20) {
            continue;
        }
        let plain = choices.percent(60);
        let participant = if choices.percent(25) { choices.of(&PARTICIPANTS) } else { "" };
        let ranges = if plain { vec![(String::new(), String::new())] } else { ranges(choices, date) };
        rows.extend(ranges.iter().map(|(from, to)| row([maker, issue, participant, from, to])));
    }
    Sheet { name: "signups.csv", columns: "market_maker!,issue!,participant,from,to", rows }
}

/// Dates, and stretches of the day that begin and end at edges of windows or anywhere.
fn fast_market_sheet(
    choices: &mut Choices<'_>,
    date: Date,
    (zone, day): (&TimeZone, (i128, i128)),
    edges: &mut Vec<i128>,
) -> Sheet {
    let mut rows = Vec::new();
    if choices.percent(40) {
        let ranges = ranges(choices, date);
        rows.extend(ranges.iter().map(|(from, to)| row([from, to, choices.of(&["2", "4"]), "", ""])));
    }
    for _ in 0..choices.of(&[0, 0, 0, 1, 2]) {
        let mut instants = [0, 1].map(|_| match edges.len() {
            1.. if choices.percent(60) => choices.of(edges) + choices.of(&[0, -1, 1, 600_000_000]),
            _ => day.0 + choices.wide(day.1 - day.0),
        });
        instants.sort_unstable();
        edges.extend(instants);
        let [from, to] = instants.map(|instant| times::written(choices, zone, instant));
        let [spread, size] = choices.of(&[["2", ""], ["1.5", "0.5"], ["", "0.3333"], ["2", "2"]]);
        let to = if choices.percent(15) { String::new() } else { to };
        rows.push(row([&from, &to, "", spread, size]));
    }
    Sheet { name: "fast_market.csv", columns: "from!,to!,multiplier!,spread_multiplier,size_multiplier", rows }
}

/// Exemptions that begin and end at edges of windows or of each other, a microsecond beside them, or anywhere.
fn exemptions_sheet(
    choices: &mut Choices<'_>,
    (makers, issues): (&[&str], &[&str]),
    (zone, day): (&TimeZone, (i128, i128)),
    edges: &mut Vec<i128>,
) -> Sheet {
    let mut rows = Vec::new();
    for _ in 0..choices.of(&[0, 0, 0, 1, 1, 2, 3]) {
        let mut instants: Vec<i128> = (0..2)
            .map(|_| match (edges.len(), choices.below(3)) {
                (1.., 0) => choices.of(edges) + choices.of(&[0, -1, 1]),
                (1.., 1) => choices.of(edges) + choices.wide(7_200_000_000) - 3_600_000_000,
                _ => day.0 - 3_600_000_000 + choices.wide(day.1 - day.0 + 7_200_000_000),
            })
            .collect();
        instants.sort_unstable();
        if instants[0] == instants[1] {
            instants[1] += 1;
        }
        edges.extend(&instants);
        let mut show = |at: usize| {
            if choices.percent(15) { String::new() } else { times::written(choices, zone, instants[at]) }
        };
        let (from, to) = (show(0), show(1));
        let issue = if choices.percent(50) { "*" } else { choices.of(issues) };
        let maker = if choices.percent(50) { "" } else { choices.of(makers) };
        let reason = choices.of(&["", "underlying market closed"]);
        rows.push(row([issue, maker, &from, &to, reason]));
    }
    Sheet { name: "exemptions.csv", columns: "issue!,market_maker,from!,to!,reason", rows }
}

/// The spread limits, minimum value and required share of a sponsored or matching row.
fn condition_limits(choices: &mut Choices<'_>) -> [&'static str; 4] {
    let [bps, ticks] = choices.of(&[["20", "2"], ["25.5", ""], ["", "3"], ["100", "1"]]);
    [bps, ticks, choices.of(&["300", "1000", "5000000", "30000000"]), choices.of(&["", "80", "90.5"])]
}

fn sponsored_sheet(choices: &mut Choices<'_>, issues: &[&str], date: Date) -> Sheet {
    let mut rows = Vec::new();
    for condition in ["S1", "grp"] {
        for issue in issues {
            if !choices.percent(25) {
                continue;
            }
            for (from, to) in ranges(choices, date) {
                let [bps, ticks, value, pct] = condition_limits(choices);
                let [manager, total, payment, makers, priority] = choices.of(&[
                    ["", "", "", "", ""],
                    ["AM1", "300000", "fixed", "2", "volume;time"],
                    ["AM1", "1000000", "proportional", "3", ""],
                ]);
                rows.push(row([
                    condition, issue, bps, ticks, value, pct, &from, &to, manager, total, payment, makers, priority,
                ]));
            }
        }
    }
    let columns = "condition!,issue!,max_spread_bps,max_spread_ticks,min_value_jpy!,coverage_pct,from,to,\
                   asset_manager,total_jpy,payment,max_makers,priority";
    Sheet { name: "sponsored.csv", columns, rows }
}

fn matching_sheet(choices: &mut Choices<'_>, issues: &[&str], date: Date) -> Sheet {
    let mut rows = Vec::new();
    for condition in ["J150", "M2"] {
        // By issue, by index, or both: then the rows that name the issue win.
        let by_issue = issues.iter().map(|issue| (*issue, ""));
        let by_index = [("", "TOPIX"), ("", "N225"), (issues[0], "N225")];
        let mut keys: Vec<(&str, &str)> = by_issue.chain(by_index).collect();
        keys.retain(|_| choices.percent(20));
        if keys.contains(&(issues[0], "N225")) {
            keys.retain(|key| *key != (issues[0], ""));
        }
        for (issue, index) in keys {
            for (from, to) in ranges(choices, date) {
                let [bps, ticks, value, pct] = condition_limits(choices);
                rows.push(row([condition, issue, index, bps, ticks, value, pct, &from, &to, ""]));
            }
        }
    }
    let columns =
        "condition!,issue!,index,max_spread_bps,max_spread_ticks,min_value_jpy!,coverage_pct,from,to,max_issues";
    Sheet { name: "matching_funds.csv", columns, rows }
}

/// The measured sign-ups with their servers; if there is none, a stranger.
fn quoters(choices: &mut Choices<'_>, registry: &Registry, date: Date) -> Vec<Quoter> {
    let servers = registry.server_names();
    let anchors: Vec<(&str, i128)> = ISSUES.iter().map(|issue| (*issue, choices.of(&ANCHORS))).collect();
    let mut quoters = Vec::new();
    for sign_up in registry.measured(date) {
        let owned = servers.iter().filter(|server| registry.owns(&sign_up, server, date)).cloned().collect();
        let obligations = registry.obligations(&sign_up, date).unwrap_or_default();
        let anchor =
            anchors.iter().find(|(issue, _)| *issue == sign_up.issue).map_or(ANCHORS[0], |(_, anchor)| *anchor);
        quoters.extend(registry.tick_table(&sign_up.issue, date).map(|table| Quoter {
            issue: sign_up.issue.clone(),
            servers: owned,
            limits: obligations.into_iter().map(|obligation| obligation.limits).collect(),
            table: table.clone(),
            anchor,
        }));
    }
    if quoters.is_empty() {
        let (issue, servers) = ("1306".to_owned(), Vec::new());
        quoters.extend(registry.scheme.tick_tables.get("01").map(|table| Quoter {
            issue,
            servers,
            limits: vec![Limits::default()],
            table: table.clone(),
            anchor: ANCHORS[0],
        }));
    }
    quoters
}
