//! Folders of the ETF reference rules: small, and near everything that decides. Cells are left empty and rows left out
//! here and there; nothing is written that cannot be.

use super::choices::Choices;
use crate::etf::Folder;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use proptest::collection::vec;
use proptest::prelude::*;

/// How many choices a folder may take.
const CHOICES: usize = 900;

/// A folder and what is asked of it.
#[derive(Clone, Debug)]
pub struct Asked<Q> {
    /// The files.
    pub folder: Folder,
    /// The question.
    pub question: Q,
}

fn asked<Q: std::fmt::Debug>(make: fn(&mut Choices<'_>) -> Asked<Q>) -> impl Strategy<Value = Asked<Q>> {
    vec(any::<u16>(), CHOICES).prop_map(move |numbers| make(&mut Choices::new(&numbers)))
}

/// Reviews, such as `2024-06`.
pub fn stock_connect() -> impl Strategy<Value = Asked<&'static str>> {
    asked(review)
}

/// Applications for licences.
pub fn licences() -> impl Strategy<Value = Asked<()>> {
    asked(applications)
}

/// Allocations, such as `quota`, and their date.
pub fn inclusion() -> impl Strategy<Value = Asked<(&'static str, Option<&'static str>)>> {
    asked(allocation)
}

/// First and last date.
pub fn feeders() -> impl Strategy<Value = Asked<(Date, Date)>> {
    asked(pairs)
}

/// Writes a file with its rows in some order.
fn file(choices: &mut Choices<'_>, name: &str, header: &str, rows: Vec<String>) -> (String, String) {
    let mut lines = vec![header.to_owned()];
    lines.extend(choices.shuffled(rows));
    (name.to_owned(), choices.file(&lines))
}

/// Closed days: some of `days`, of each calendar that is known in a year.
fn holidays(choices: &mut Choices<'_>, calendars: &[&str], years: &[i16], days: &[Date]) -> (String, String) {
    let mut rows = Vec::new();
    for calendar in calendars {
        for &year in years {
            if choices.percent(7) {
                continue;
            }
            // A Saturday, so that the year is known.
            rows.push(format!(
                "{calendar},{},New Year",
                date(year, 1, 1).nth_weekday(1, jiff::civil::Weekday::Saturday).expect("in range")
            ));
            for day in days.iter().filter(|day| day.year() == year) {
                if choices.percent(25) {
                    rows.push(format!("{calendar},{day},{}", choices.of(&["", "Holiday", "Typhoon"])));
                }
            }
        }
    }
    file(choices, "holidays.csv", "calendar,date,name", rows)
}

/// Yes or no, or nothing in so many of a hundred cases.
fn flag(choices: &mut Choices<'_>, unknown: usize, yes: bool) -> &'static str {
    match (choices.percent(unknown), yes) {
        (true, _) => "",
        (false, true) => "yes",
        (false, false) => "no",
    }
}

fn review(choices: &mut Choices<'_>) -> Asked<&'static str> {
    let (question, cut_off) = choices.of(&[("2024-06", date(2024, 6, 17)), ("2024-12", date(2024, 12, 16))]);
    let near: Vec<Date> = [-100, -1, 0, 1, 2, 3, 4, 24, 25, 31, 35, 36, 42]
        .iter()
        .filter_map(|&days: &i32| cut_off.checked_add(days.days()).ok())
        .collect();
    let closed = holidays(&mut choices.part(130), &["SSE", "HK", "CSC"], &[2023, 2024, 2025], &near);
    let mut files = vec![closed];
    let count = 1 + choices.below(3);
    let (mut etfs, mut aum) = (Vec::new(), Vec::new());
    for number in 0..count {
        let etf = format!("E{number}");
        let listed_days = choices.of(&[900, 900, 183, 183, 900, 182, 30, 0, -1]);
        let listed = cut_off.checked_sub((listed_days).days()).expect("in range");
        let listed = if choices.percent(4) { String::new() } else { listed.to_string() };
        etfs.push(format!(
            "{etf},{},{},{listed},{},{}",
            choices.of(&["SSE", "SSE", "SZSE", "SZSE", "SSE", "SSE", "SZSE", "SSE", "HKEX", ""]),
            choices.of(&["RMB", "CNY", "RMB", "CNY", "RMB", "CNY", "RMB", "CNY", "USD", ""]),
            choices.of(&["I0", "I0", "I1", "I1", "I0", "I0", "I1", "I1", "I0", "I9", ""]),
            choices.of(&["eligible", "", "not_eligible", "sell_only", "eligible"]),
        ));
        let amount =
            choices.of(&["500000000", "600000000.5", "500000000", "400000000", "399999999.99", "499999999.99"]);
        let gap = choices.of(&[0, 0, 0, 0, 1, 3]);
        let mut day = cut_off.checked_sub(7.months()).expect("in range");
        while day <= cut_off {
            let missing = gap > 0 && day.day() == 5 && day.month() % 2 == 0;
            if !missing || gap == 1 {
                aum.push(format!("{etf},{day},{}", if missing { "" } else { amount }));
            }
            day = day.tomorrow().expect("in range");
        }
    }
    files.push(file(choices, "etfs.csv", "etf,exchange,currency,listed,index,status", etfs));
    files.push(("aum.csv".to_owned(), format!("etf,date,aum_rmb\n{}\n", aum.join("\n"))));
    let (mut indices, mut constituents, mut turnover) = (Vec::new(), Vec::new(), Vec::new());
    for index in ["I0", "I1"] {
        if choices.percent(4) {
            continue;
        }
        let launched = choices.of(&[
            "2015-01-01",
            "2015-01-01",
            "2023-06-17",
            "2015-01-01",
            "2023-06-18",
            "2023-12-16",
            "2023-12-17",
            "",
        ]);
        let broad_based = choices.of(&["yes", "no", "no", "no", "yes", "no", "no", "no", ""]);
        indices.push(format!("{index},{launched},{broad_based},{}", choices.of(&["no", "yes", "", "no"])));
        let mut part = choices.part(150);
        constituents.extend(index_rows(&mut part, index));
    }
    let (extra, gaps) = (choices.below(12), if choices.percent(15) { 2 } else { 0 });
    for stock in 0..(31 + extra) {
        for exchange in ["SSE", "SZSE"] {
            // The fifth stock and those of no index are little traded, the others alike.
            let usual = if stock == 4 || 30 <= stock { "5" } else { "100" };
            let adt = choices.of(&[usual, usual, usual, usual, usual, usual, usual, usual, "101.5", "5", "3", "0"]);
            if !choices.percent(gaps) {
                turnover.push(format!("{exchange},6000{stock:02},{}", if choices.percent(gaps) { "" } else { adt }));
            }
        }
    }
    files.push(file(choices, "indices.csv", "index,launched,broad_based,methodology", indices));
    let header = "index,exchange,stock,a_share,northbound,weight_pct";
    files.push(file(choices, "constituents.csv", header, constituents));
    if !choices.percent(5) {
        files.push(file(choices, "turnover.csv", "exchange,stock,adt", turnover));
    }
    Asked { folder: Folder(files), question }
}

/// Constituents at the bounds, with some moved by a ten-thousandth.
fn index_rows(choices: &mut Choices<'_>, index: &str) -> Vec<String> {
    let count: usize = choices.of(&[30, 30, 30, 29, 4, 1]);
    // In ten-thousandths: two of 15 %, three of 10 %, and the rest alike.
    let mut weights: Vec<i64> = match count {
        1 => vec![1_000_000],
        4 => vec![300_000, 300_000, 250_000, 150_000],
        count => (0..count)
            .map(|stock| match stock {
                0 | 1 => 150_000,
                2..=4 => 100_000,
                5 if count == 29 => 32_000,
                _ => 16_000,
            })
            .collect(),
    };
    for _ in 0..choices.of(&[0, 0, 0, 1, 1, 2]) {
        let (from, to) = (choices.below(count), choices.below(count));
        let moved = choices.of(&[1, 1, 1, 5_000, 16_000]).min(weights[from]);
        weights[from] -= moved;
        weights[to] += moved;
    }
    if choices.percent(15) {
        weights[count - 1] += choices.of(&[10_000, 10_001, -10_000, -10_001]).max(-weights[count - 1]);
    }
    let (northbound, gaps) = (choices.of(&[5, 5, 5, 30, 4, 1]), if choices.percent(15) { 2 } else { 0 });
    let szse = choices.percent(30);
    let rows = weights.iter().enumerate().map(|(stock, weight)| {
        let exchange = if szse && stock % 2 == 0 { "SZSE" } else { "SSE" };
        let exchange = if choices.percent(gaps) { choices.of(&["", "HKEX"]) } else { exchange };
        let weight = format!("{}.{:04}", weight / 10_000, weight % 10_000);
        format!(
            "{index},{exchange},6000{stock:02},{},{},{}",
            flag(choices, gaps, stock < northbound),
            flag(choices, gaps, stock < northbound),
            if choices.percent(gaps) { "" } else { &weight }
        )
    });
    rows.collect()
}

fn applications(choices: &mut Choices<'_>) -> Asked<()> {
    let mut indices = Vec::new();
    for index in ["TOPIX", "NEW"] {
        if choices.percent(4) {
            continue;
        }
        let row = if choices.percent(55) {
            let period = choices.of(&[
                "2024-06-03,2024-07-02",
                "2024-06-03,2024-06-03",
                "2024-06-03,2024-07-02",
                "2024-06-03,2024-07-02",
                "2024-06-03,2024-07-02",
                "2024-06-03,2024-07-02",
                "2024-06-03,",
                ",2024-07-02",
            ]);
            format!(
                "{index},future,,,{period},{},{}",
                choices.of(&["1000000", "1000000", "1000000.5", ""]),
                choices.of(&["", "B", "B;C", "D"])
            )
        } else {
            format!(
                "{index},current,{},{},,,,",
                choices.of(&["yes", "yes", "yes", "yes", "yes", "yes", "no", ""]),
                choices.of(&["", "no", "", "yes"])
            )
        };
        indices.push(row);
    }
    let (mut applications, mut grants) = (Vec::new(), Vec::new());
    for number in 0..1 + choices.below(9) {
        let index = choices.of(&["NEW", "NEW", "NEW", "TOPIX", "TOPIX", "TOPIX", "NEW", "TOPIX", "OTHER"]);
        let received = choices.of(&[
            "2024-06-10T09:00:00+09:00",
            "2024-06-10T00:00:00Z",
            "2024-06-02T23:59:59.999999+09:00",
            "2024-06-02T15:00:00Z",
            "2024-07-02T23:59:59.999999+09:00",
            "2024-07-03T00:00:00+09:00",
            "2024-07-04T09:00:00+09:00",
            "2024-07-04T00:00:00Z",
            "2025-02-28T00:00:00+09:00",
            "2025-02-27T14:59:59.999999Z",
            "2025-01-01T00:00:00+09:00",
        ]);
        let listing = choices.of(&["2024-07-01", "", "2024-08-31", "2024-08-28", "2024-06-30"]);
        let fee = choices.of(&["1000001", "1000000", "2000000", "1000000.0000000001", "", "5"]);
        let licence = choices.of(&["closed", "open"]);
        applications.push(format!(
            "A{number},{index},{},{received},{licence},{fee},{listing}",
            choices.of(&["A", "B", "C", "D"])
        ));
        if choices.percent(20) {
            let decision = choices.of(&["grant", "refuse"]);
            let listed = choices.of(&["", "2024-07-16", "2024-08-31"]);
            let free_from = choices.of(&["", "", "2024-07-20", "2024-12-30"]);
            grants.push(format!("A{number},{decision},{listed},{free_from}"));
        }
    }
    let mut files = vec![
        file(
            choices,
            "indices.csv",
            "index,kind,available,etf_listed,period_from,period_to,fee_minimum_jpy,custom_for",
            indices,
        ),
        file(choices, "applications.csv", "application,index,company,received,licence,fee_jpy,listing", applications),
    ];
    if !grants.is_empty() {
        files.push(file(choices, "grants.csv", "application,decision,listed,free_from", grants));
    }
    Asked { folder: Folder(files), question: () }
}

fn allocation(choices: &mut Choices<'_>) -> Asked<(&'static str, Option<&'static str>)> {
    let question = choices.of(&[
        ("quota", Some("2017-06-30")),
        ("none", None),
        ("quota", Some("2017-03-31")),
        ("custom:12.345", None),
        ("custom:4.67%", None),
        ("custom:0", None),
        ("custom:99.9999%", None),
        ("quota", Some("2015-01-01")),
    ]);
    let values = ["1", "1", "3", "7", "0.01", "1000.5", "600"];
    let (mut members, mut china_a, mut quota) = (Vec::new(), Vec::new(), Vec::new());
    for index in ["W", "E", "All Cap"] {
        for country in ["US", "China", "Japan", "Denmark", "Chad"] {
            if choices.percent(70) {
                members
                    .push(format!("{index},{country},{}", if choices.percent(3) { "" } else { choices.of(&values) }));
            }
        }
        if !choices.percent(10) {
            china_a.push(format!("{index},{}", choices.of(&["100", "0", "33.3333", "7", ""])));
        }
    }
    if !choices.percent(8) {
        china_a.push(format!("*,{}", choices.of(&["1000", "100", "3", "0.5"])));
    }
    for day in ["2016-12-31", "2017-03-31", "2017-06-30", "2017-07-01"] {
        for (scheme, currency) in [("QFII", "USD"), ("RQFII", "CNY"), ("RQFII", "EUR")] {
            if choices.percent(35) {
                let rate =
                    if currency == "USD" { choices.of(&["", "1"]) } else { choices.of(&["3", "7", "6.77", "3", ""]) };
                quota.push(format!(
                    "{day},{scheme},{currency},{},{rate}",
                    choices.of(&["1", "10", "99.99", "0", "1000", ""])
                ));
            }
        }
    }
    let mut files = vec![file(choices, "members.csv", "index,country,net_market_cap_usd", members)];
    if !choices.percent(10) {
        files.push(file(choices, "china_a.csv", "index,net_market_cap_usd", china_a));
    }
    files.push(file(choices, "quota.csv", "date,scheme,currency,amount,per_usd", quota));
    Asked { folder: Folder(files), question }
}

fn pairs(choices: &mut Choices<'_>) -> Asked<(Date, Date)> {
    let days: Vec<Date> =
        [(2024, 5, 1), (2024, 5, 3), (2024, 10, 1), (2024, 10, 2), (2024, 10, 5), (2024, 10, 14), (2024, 12, 31)]
            .iter()
            .map(|&(year, month, day)| date(year, month, day))
            .collect();
    let question = match choices.below(4) {
        0 | 1 => (date(2024, 1, 1), date(2024, 12, 31)),
        2 => (date(2025, 1, 1), date(2025, 12, 31)),
        _ => {
            let day = choices.of(&days);
            (day, day)
        }
    };
    let mut rows = Vec::new();
    for issue in ["2530", "2553", "2628"] {
        let (market, target_market, programme) = choices.of(&[
            ("TSE", "SSE", "QFII"),
            ("TSE", "SZSE", "QFII"),
            ("SSE", "TSE", "QDII"),
            ("SZSE", "TSE", "QDII"),
        ]);
        let index = choices.of(&["", "CSI300"]);
        let row = |target: &str, from: &str, to: &str| {
            format!("{market},{issue},{target_market},{target},{index},{programme},{from},{to}")
        };
        if choices.percent(40) {
            let middle = choices.of(&["2024-10-01", "2024-10-02", "2025-01-01"]);
            let before: Date = middle.parse().expect("a date");
            rows.push(row("T1", choices.of(&["", "2024-05-02"]), &before.yesterday().expect("in range").to_string()));
            rows.push(row("T2", middle, ""));
        } else {
            rows.push(row("T1", choices.of(&["", "2024-05-03"]), choices.of(&["", "2024-10-01", "2024-05-03"])));
        }
    }
    let calendars = ["TSE", "SSE", "SZSE", "HK"];
    let closed = holidays(&mut choices.part(200), &calendars, &[2024, 2025], &days);
    let header = "market,issue,target_market,target,index,programme,from,to";
    Asked { folder: Folder(vec![closed, file(choices, "feeders.csv", header, rows)]), question }
}
