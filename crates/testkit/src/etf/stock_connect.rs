//! Stock Connect's review.

use super::{Folder, Thing, UNIT, Written, date, file, missing, months_from, number, shown, thing};
use crate::text::Row;
use jiff::civil::{Date, Weekday};

/// A figure, or what it needs.
type Figure = Result<i128, Vec<Thing>>;
/// Whether a criterion is met, or what it needs.
type Met = Result<bool, Vec<Thing>>;

/// `dates.csv` and `review.csv` of a review such as `2024-06`.
pub fn stock_connect(folder: &Folder, review: &str) -> Written {
    let (dates, cut_off) = dates(folder, review);
    let mut etfs = folder.rows("etfs.csv");
    etfs.sort_by(|a, b| a.get("etf").cmp(b.get("etf")));
    let lines = etfs.iter().map(|etf| line(folder, review, etf, &cut_off)).collect();
    let header = "review,etf,status_before,status_after,reasons,aum_average_rmb,a_share_pct,northbound_pct,\
                  constituents,largest_pct,top_five_pct,top_turnover_pct,missing";
    vec![("dates.csv", dates), ("review.csv", file(header, lines))]
}

fn dates(folder: &Folder, review: &str) -> (String, Result<Date, String>) {
    let first: Date = format!("{review}-01").parse().unwrap_or(Date::ZERO);
    let second_friday = 8 + (5 + 7 - i64::from(first.weekday().to_monday_one_offset())).rem_euclid(7);
    let mut day = first.saturating_add(jiff::ToSpan::days(second_friday));
    let mut steps: Vec<Result<Date, String>> = Vec::new();
    // The day after the Friday is where the search begins.
    for (calendar, later) in [("SSE", true), ("HK", false), ("CSC", true)] {
        let found = loop {
            match folder.open(calendar, day) {
                Ok(true) => break Ok(day),
                Ok(false) if later => day = day.tomorrow().unwrap_or(day),
                Ok(false) => day = day.yesterday().unwrap_or(day),
                Err(year) => break Err(year),
            }
        };
        let failed = found.is_err();
        steps.push(found);
        if failed {
            break;
        }
        let (weekday, count) = if calendar == "SSE" { (Weekday::Friday, 4) } else { (Weekday::Monday, 2) };
        let mut seen = 0;
        while seen < count {
            day = day.tomorrow().unwrap_or(day);
            seen += i32::from(day.weekday() == weekday);
        }
    }
    let cell = |position: usize| match steps.get(position) {
        Some(Ok(date)) => date.to_string(),
        _ => String::new(),
    };
    let needed = steps.iter().find_map(|step| step.clone().err()).unwrap_or_default();
    let line = format!("{review},{},{},{},{needed}", cell(0), cell(1), cell(2));
    (file("review,cut_off,announcement,effective,missing", vec![line]), steps[0].clone())
}

/// One line of `review.csv`.
fn line(folder: &Folder, review: &str, etf: &Row, cut_off: &Result<Date, String>) -> String {
    let name = etf.get("etf");
    let before = if etf.get("status").is_empty() { "not_eligible" } else { etf.get("status") };
    let asked = if before == "eligible" { "sell-only" } else { "eligible" };
    let indices = folder.rows("indices.csv");
    let index = indices.iter().find(|row| !etf.get("index").is_empty() && row.get("index") == etf.get("index"));
    let (aum, average) = aum(folder, etf, cut_off, if asked == "eligible" { 500_000_000 } else { 400_000_000 });
    let figure = |what: &str| figure(folder, etf, what);
    // Each: clause, and whether it is met, or what it needs.
    let mut asked_for: Vec<(&str, Met)> = Vec::new();
    let filled = |column: &str| match etf.get(column) {
        "" => Err(vec![thing(format!("etfs.csv/{name}/{column}"))]),
        value => Ok(value.to_owned()),
    };
    let index_missing = || match etf.get("index") {
        "" => vec![thing(format!("etfs.csv/{name}/index"))],
        index => vec![thing(format!("indices.csv/{index}"))],
    };
    let long_enough = |since: Result<Date, Vec<Thing>>, months: i32| match (since, cut_off) {
        (Ok(since), Ok(cut_off)) => Ok(months_from(since, months) <= *cut_off),
        (since, cut_off) => {
            let mut needed = since.err().unwrap_or_default();
            needed.extend(cut_off.as_ref().err().map(thing));
            Err(needed)
        }
    };
    if asked == "eligible" {
        asked_for.push(("exchange", filled("exchange").map(|exchange| exchange == "SSE" || exchange == "SZSE")));
        asked_for.push(("currency", filled("currency").map(|currency| currency == "RMB" || currency == "CNY")));
        asked_for.push(("aum", aum));
        let listed = date(etf, "listed").ok_or_else(|| vec![thing(format!("etfs.csv/{name}/listed"))]);
        asked_for.push(("listed", long_enough(listed, 6)));
        let launched = match index {
            None => Err(index_missing()),
            Some(row) => {
                date(row, "launched").ok_or_else(|| vec![thing(format!("indices.csv/{}/launched", row.get("index")))])
            }
        };
        asked_for.push(("launched", long_enough(launched, 12)));
    } else {
        asked_for.push(("aum", aum));
    }
    let bound = if asked == "eligible" { 60 } else { 55 };
    asked_for.push(("a-shares", figure("a_share").map(|weight| weight >= bound * UNIT)));
    asked_for.push(("northbound", figure("northbound").map(|weight| weight >= bound * UNIT)));
    let mut five: Vec<(&str, Met)> = Vec::new();
    let broad_based = index.map_or("", |row| row.get("broad_based"));
    match broad_based {
        "yes" => five.push(("largest", figure("largest").map(|weight| weight <= 30 * UNIT))),
        "no" => {
            five.push(("constituents", figure("constituents").map(|count| count >= 30)));
            five.push(("largest", figure("largest").map(|weight| weight <= 15 * UNIT)));
            five.push(("top-five", figure("top_five").map(|weight| weight <= 60 * UNIT)));
            five.push(("top-turnover", figure("top_turnover").map(|weight| weight >= 90 * UNIT)));
        }
        _ => {
            let needed = match index {
                None => index_missing(),
                Some(row) => vec![thing(format!("indices.csv/{}/broad_based", row.get("index")))],
            };
            five.push(("broad-based", Err(needed)));
        }
    }
    let methodology = index.map_or("no", |row| row.get("methodology"));
    let mut by_methodology = false;
    if methodology == "yes" {
        by_methodology = five.iter().any(|(_, met)| *met != Ok(true));
    } else if methodology.is_empty() && five.iter().any(|(_, met)| *met == Ok(false)) {
        asked_for.push(("methodology", Err(vec![thing(format!("indices.csv/{}/methodology", etf.get("index")))])));
    } else {
        asked_for.extend(five);
    }
    let failed: Vec<&str> = asked_for.iter().filter(|(_, met)| *met == Ok(false)).map(|(clause, _)| *clause).collect();
    let unknown: Vec<&str> = asked_for.iter().filter(|(_, met)| met.is_err()).map(|(clause, _)| *clause).collect();
    let clauses = |names: &[&str]| names.iter().map(|name| format!("SC/{asked}/{name}")).collect::<Vec<_>>().join(";");
    let needed: Vec<Thing> = asked_for.iter().filter_map(|(_, met)| met.clone().err()).flatten().collect();
    let (after, reasons, needed) = if !failed.is_empty() {
        (if before == "not_eligible" { "not_eligible" } else { "sell_only" }, clauses(&failed), String::new())
    } else if !unknown.is_empty() {
        ("undecided", clauses(&unknown), missing(&needed))
    } else {
        let all = if asked == "eligible" { "SC/eligible/all" } else { "SC/sell-only/none" };
        ("eligible", format!("{all}{}", if by_methodology { ";SC/methodology" } else { "" }), String::new())
    };
    let percent = |what: &str| figure(what).map_or(String::new(), shown);
    let count = figure("constituents").map_or(String::new(), |count| count.to_string());
    format!(
        "{review},{name},{before},{after},{reasons},{average},{},{},{count},{},{},{},{needed}",
        percent("a_share"),
        percent("northbound"),
        percent("largest"),
        percent("top_five"),
        percent("top_turnover")
    )
}

/// Whether the average assets are at least `bound`, and the average as it is shown.
fn aum(folder: &Folder, etf: &Row, cut_off: &Result<Date, String>, bound: i128) -> (Met, String) {
    let name = etf.get("etf");
    let mut needed: Vec<Thing> = Vec::new();
    if date(etf, "listed").is_none() {
        needed.push(thing(format!("etfs.csv/{name}/listed")));
    }
    if let Err(year) = cut_off {
        needed.push(thing(year));
    }
    let (Some(listed), Ok(cut_off)) = (date(etf, "listed"), cut_off) else { return (Err(needed), String::new()) };
    let rows = folder.rows("aum.csv");
    let (mut sum, mut count) = (0, 0);
    let mut day = super::next(months_from(*cut_off, -6));
    while day <= *cut_off {
        if listed <= day {
            match folder.open("SSE", day) {
                Err(year) => needed.push(thing(year)),
                Ok(false) => {}
                Ok(true) => {
                    let row = rows.iter().find(|row| row.get("etf") == name && date(row, "date") == Some(day));
                    match row.and_then(|row| number(row, "aum_rmb")) {
                        Some(amount) => (sum, count) = (sum + amount, count + 1),
                        None => needed.push((format!("aum.csv/{name}/"), day.to_string(), String::new())),
                    }
                }
            }
        }
        day = day.tomorrow().unwrap_or(day);
    }
    if needed.is_empty() && count == 0 {
        needed.push(thing(format!("aum.csv/{name}")));
    }
    if !needed.is_empty() {
        return (Err(needed), String::new());
    }
    let hundredths = sum * 100 / (count * UNIT);
    (Ok(sum >= bound * UNIT * count), format!("{}.{:02}", hundredths / 100, hundredths % 100))
}

/// A figure of an ETF's index.
fn figure(folder: &Folder, etf: &Row, what: &str) -> Figure {
    let index = etf.get("index");
    if index.is_empty() {
        return Err(vec![thing(format!("etfs.csv/{}/index", etf.get("etf")))]);
    }
    let all = folder.rows("constituents.csv");
    let rows: Vec<&Row> = all.iter().filter(|row| row.get("index") == index).collect();
    if rows.is_empty() {
        return Err(vec![thing(format!("constituents.csv/{index}"))]);
    }
    let cell = |row: &Row, column: &str| {
        (format!("constituents.csv/{index}/"), row.get("stock").to_owned(), format!("/{column}"))
    };
    let mut needed: Vec<Thing> = Vec::new();
    for row in rows.iter().filter(|row| number(row, "weight_pct").is_none()) {
        needed.push(cell(row, "weight_pct"));
    }
    let mut weights: Vec<i128> = rows.iter().filter_map(|row| number(row, "weight_pct")).collect();
    let sum: i128 = weights.iter().sum();
    if needed.is_empty() && (!(99 * UNIT..=101 * UNIT).contains(&sum)) {
        needed.push(thing(format!("constituents.csv/{index}/weight_pct")));
    }
    weights.sort();
    weights.reverse();
    let mut total = 0;
    let mut add = |row: &Row| total += number(row, "weight_pct").unwrap_or(0);
    match what {
        "constituents" => total = rows.len() as i128,
        "largest" => total = weights.first().copied().unwrap_or(0),
        "top_five" => total = weights.iter().take(5).sum(),
        "northbound" => {
            for row in &rows {
                match row.get("northbound") {
                    "yes" => add(row),
                    "no" => {}
                    _ => needed.push(cell(row, "northbound")),
                }
            }
        }
        "a_share" => {
            for row in &rows {
                let exchange = row.get("exchange");
                let elsewhere = !exchange.is_empty() && exchange != "SSE" && exchange != "SZSE";
                if row.get("a_share") == "no" || elsewhere {
                    continue;
                }
                if row.get("a_share").is_empty() {
                    needed.push(cell(row, "a_share"));
                }
                if exchange.is_empty() {
                    needed.push(cell(row, "exchange"));
                }
                add(row);
            }
        }
        _ => {
            let turnover = folder.rows("turnover.csv");
            for row in &rows {
                let exchange = row.get("exchange");
                if exchange.is_empty() {
                    needed.push(cell(row, "exchange"));
                    continue;
                }
                let shares: Vec<&Row> = turnover.iter().filter(|share| share.get("exchange") == exchange).collect();
                for share in shares.iter().filter(|share| number(share, "adt").is_none()) {
                    needed.push((format!("turnover.csv/{exchange}/"), share.get("stock").to_owned(), String::new()));
                }
                let Some(own) = shares.iter().find(|share| share.get("stock") == row.get("stock")) else {
                    needed.push((format!("turnover.csv/{exchange}/"), row.get("stock").to_owned(), String::new()));
                    continue;
                };
                let own = number(own, "adt");
                let rank = 1 + shares.iter().filter(|share| number(share, "adt") > own).count();
                if rank * 10 <= shares.len() * 8 {
                    add(row);
                }
            }
        }
    }
    if needed.is_empty() { Ok(total) } else { Err(needed) }
}
