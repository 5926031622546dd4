//! Feeder pairs.

use super::{Folder, Written, date, file, missing, thing};
use crate::text::Row;
use jiff::civil::Date;

/// `pairs.csv` and `candidates.csv` of the days from `first` to `last`.
pub fn feeders(folder: &Folder, first: Date, last: Date) -> Written {
    let in_force = |row: &Row, day: Date| {
        date(row, "from").is_none_or(|from| from <= day) && date(row, "to").is_none_or(|to| day <= to)
    };
    let days: Vec<Date> = first.series(jiff::ToSpan::days(1)).take_while(|day| *day <= last).collect();
    let holidays = folder.rows("holidays.csv");
    let (mut pairs, mut candidates) = (Vec::new(), Vec::new());
    for row in folder.rows("feeders.csv") {
        let (market, issue, target_market) = (row.get("market"), row.get("issue"), row.get("target_market"));
        let of_pair: Vec<Date> = days.iter().copied().filter(|day| in_force(&row, *day)).collect();
        if of_pair.is_empty() {
            continue;
        }
        let (mut needed, mut found) = (Vec::new(), Vec::new());
        for day in of_pair.iter().filter(|_| market == "TSE") {
            let tokyo = folder.open("TSE", *day);
            if tokyo == Ok(false) {
                continue;
            }
            let target = folder.open(target_market, *day);
            needed.extend([&tokyo, &target].into_iter().filter_map(|open| open.clone().err()).map(thing));
            if tokyo == Ok(true) && target == Ok(false) {
                let is_day = |row: &&Row| row.get("calendar") == target_market && date(row, "date") == Some(*day);
                let name = holidays.iter().find(is_day).map_or("", |row| row.get("name"));
                let colon = if name.is_empty() { "" } else { ": " };
                let next = super::next(*day);
                let line = format!(
                    "{issue},,{day}T00:00:00+09:00,{next}T00:00:00+09:00,\
                     {target_market} closed{colon}{name} (FEED/target-closed)"
                );
                found.push((issue.to_owned(), *day, line));
            }
        }
        if needed.is_empty() {
            candidates.extend(found);
        }
        let columns = ["market", "issue", "target_market", "target", "index", "programme", "from", "to"];
        let cells: Vec<&str> = columns.iter().map(|column| row.get(column)).collect();
        let key = (market.to_owned(), issue.to_owned(), date(&row, "from"));
        pairs.push((key, format!("{},{}", cells.join(","), missing(&needed))));
    }
    pairs.sort();
    candidates.sort();
    vec![
        (
            "pairs.csv",
            file(
                "market,issue,target_market,target,index,programme,from,to,missing",
                pairs.into_iter().map(|(_, line)| line).collect(),
            ),
        ),
        (
            "candidates.csv",
            file("issue,market_maker,from,to,reason", candidates.into_iter().map(|(.., line)| line).collect()),
        ),
    ]
}
