//! China A shares in an index.

use super::{Folder, Thing, UNIT, Written, date, file, missing, number, shown, thing};
use crate::clock;
use crate::text::Row;

/// A fraction of whole numbers. Generated amounts are small: nothing overflows.
#[derive(Clone, Copy)]
struct Fraction(i128, i128);

impl Fraction {
    fn new(above: i128, below: i128) -> Fraction {
        let (mut one, mut other) = (above, below);
        while other != 0 {
            (one, other) = (other, one % other);
        }
        if one == 0 { Fraction(0, 1) } else { Fraction(above / one, below / one) }
    }

    fn plus(self, other: Fraction) -> Fraction {
        Fraction::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn times(self, other: Fraction) -> Fraction {
        let (one, two) = (Fraction::new(self.0, other.1), Fraction::new(other.0, self.1));
        Fraction::new(one.0 * two.0, one.1 * two.1)
    }

    fn over(self, other: Fraction) -> Fraction {
        self.times(Fraction(other.1, other.0))
    }

    fn hundredths(self) -> String {
        let hundredths = self.0 * 100 / self.1;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// `allocations.csv` and `weights.csv` of an allocation such as `quota`, `none`, `custom:5` or `custom:5%`.
pub fn inclusion(folder: &Folder, allocation: &str, day: Option<&str>) -> Written {
    let members = folder.rows("members.csv");
    let mut indices: Vec<String> = members.iter().map(|row| row.get("index").to_owned()).collect();
    indices.sort();
    indices.dedup();
    let (mut allocations, mut weights) = (Vec::new(), Vec::new());
    for index in indices {
        let mut of_index: Vec<&Row> = members.iter().filter(|row| row.get("index") == index).collect();
        of_index.sort_by(|a, b| a.get("country").cmp(b.get("country")));
        let mut needed: Vec<Thing> = Vec::new();
        let mut base = Fraction(0, 1);
        for row in &of_index {
            match number(row, "net_market_cap_usd") {
                Some(value) => base = base.plus(Fraction::new(value, UNIT)),
                None => needed.push(thing(format!("members.csv/{index}/{}", row.get("country")))),
            }
        }
        let own = china_a(folder, &index);
        let quota = day.and_then(clock::date).filter(|_| allocation == "quota").map(|day| quota(folder, day));
        let (added, clauses, lacking) = added(folder, allocation, quota.as_ref(), base, &index);
        needed.extend(lacking);
        let quota_usd = quota.and_then(Result::ok).map_or(String::new(), Fraction::hundredths);
        let own = own.map_or(String::new(), shown);
        let added_usd = added.filter(|_| needed.is_empty());
        allocations.push(format!(
            "{index},{allocation},{quota_usd},{own},{},{clauses},{}",
            added_usd.map_or(String::new(), Fraction::hundredths),
            missing(&needed)
        ));
        let mut lines: Vec<Column> = of_index
            .iter()
            .map(|row| {
                let value = Fraction::new(number(row, "net_market_cap_usd").unwrap_or(0), UNIT);
                (row.get("country").to_owned(), value, value)
            })
            .collect();
        lines.push(("China (A)".to_owned(), Fraction(0, 1), added.unwrap_or(Fraction(0, 1))));
        lines.sort_by(|a, b| a.0.cmp(&b.0));
        let (before, after) = if needed.is_empty() {
            (column(&lines, |line| line.1), column(&lines, |line| line.2))
        } else {
            (vec![String::new(); lines.len()], vec![String::new(); lines.len()])
        };
        for (position, (country, ..)) in lines.iter().enumerate() {
            weights.push(format!("{index},{country},{},{}", before[position], after[position]));
        }
    }
    vec![
        ("allocations.csv", file("index,allocation,quota_usd,china_a_usd,added_usd,clauses,missing", allocations)),
        ("weights.csv", file("index,country,before_pct,after_pct", weights)),
    ]
}

fn china_a(folder: &Folder, index: &str) -> Option<i128> {
    let rows = folder.rows("china_a.csv");
    rows.iter().find(|row| row.get("index") == index).and_then(|row| number(row, "net_market_cap_usd"))
}

/// What is added of China (A), the clauses that say so, and what is lacking to say it.
fn added(
    folder: &Folder,
    allocation: &str,
    quota: Option<&Result<Fraction, Vec<Thing>>>,
    base: Fraction,
    index: &str,
) -> (Option<Fraction>, &'static str, Vec<Thing>) {
    if let Some(custom) = allocation.strip_prefix("custom:") {
        let amount = |text: &str| {
            let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
            let part: i128 = format!("{part:0<10}").parse().unwrap_or(0);
            Fraction::new(whole.parse::<i128>().unwrap_or(0) * UNIT + part, UNIT)
        };
        let added = match custom.strip_suffix('%') {
            None => amount(custom),
            Some(percent) => {
                let percent = amount(percent);
                // base / (100 − percent) × percent
                base.over(Fraction::new(100 * percent.1 - percent.0, percent.1)).times(percent)
            }
        };
        return (Some(added), "INC/custom", Vec::new());
    }
    let (own, mut needed) = (china_a(folder, index), Vec::new());
    if own.is_none() {
        needed.push(thing(format!("china_a.csv/{index}")));
    }
    let own = own.map(|own| Fraction::new(own, UNIT));
    let Some(quota) = quota else { return (own, "INC/no-quota", needed) };
    let universe = china_a(folder, "*").map(|universe| Fraction::new(universe, UNIT));
    if universe.is_none() {
        needed.push(thing("china_a.csv/*"));
    }
    if let Err(gaps) = quota {
        needed.extend(gaps.iter().cloned());
    }
    let (added, clauses) = match (quota, universe) {
        (Ok(quota), Some(universe)) if quota.0 * universe.1 > universe.0 * quota.1 => {
            (own, "INC/quota;INC/market-value")
        }
        (Ok(quota), Some(universe)) => (own.map(|own| own.times(*quota).over(universe)), "INC/quota"),
        _ => (None, "INC/quota"),
    };
    (added, clauses, needed)
}

fn quota(folder: &Folder, day: jiff::civil::Date) -> Result<Fraction, Vec<Thing>> {
    let rows = folder.rows("quota.csv");
    let latest = |scheme: &str| {
        let of_scheme = rows.iter().filter(|row| row.get("scheme") == scheme);
        of_scheme.filter_map(|row| date(row, "date")).filter(|date| *date <= day).max()
    };
    let (mut sum, mut needed, mut count) = (Fraction(0, 1), Vec::new(), 0);
    for row in &rows {
        if date(row, "date") != latest(row.get("scheme")) {
            continue;
        }
        count += 1;
        let cell = |column: &str| {
            let (date, scheme, currency) = (row.get("date"), row.get("scheme"), row.get("currency"));
            thing(format!("quota.csv/{date}/{scheme}/{currency}/{column}"))
        };
        let rate = if row.get("currency") == "USD" { Some(UNIT) } else { number(row, "per_usd") };
        if number(row, "amount").is_none() {
            needed.push(cell("amount"));
        }
        if rate.is_none() {
            needed.push(cell("per_usd"));
        }
        if let (Some(amount), Some(rate)) = (number(row, "amount"), rate) {
            sum = sum.plus(Fraction::new(amount, rate));
        }
    }
    if count == 0 {
        needed.push(thing("quota.csv"));
    }
    if needed.is_empty() { Ok(sum) } else { Err(needed) }
}

/// A country, and its value before and after.
type Column = (String, Fraction, Fraction);

/// Percentages of one column, four decimals, adding up to 100.
fn column(lines: &[Column], value: fn(&Column) -> Fraction) -> Vec<String> {
    let sum = lines.iter().fold(Fraction(0, 1), |sum, line| sum.plus(value(line)));
    let shares: Vec<Fraction> = lines.iter().map(|line| value(line).over(sum).times(Fraction(1_000_000, 1))).collect();
    let mut parts: Vec<i128> = shares.iter().map(|share| share.0 / share.1).collect();
    let mut given: Vec<usize> = Vec::new();
    while parts.iter().sum::<i128>() < 1_000_000 {
        // The largest remainder that has not been given to; of equal ones the first.
        let mut best: Option<usize> = None;
        for position in 0..lines.len() {
            let rest = |position: usize| Fraction(shares[position].0 % shares[position].1, shares[position].1);
            let larger = best.is_none_or(|best| rest(best).0 * rest(position).1 < rest(position).0 * rest(best).1);
            if !given.contains(&position) && larger {
                best = Some(position);
            }
        }
        let Some(best) = best else { break };
        parts[best] += 1;
        given.push(best);
    }
    parts.iter().map(|part| format!("{}.{:04}", part / 10_000, part % 10_000)).collect()
}
