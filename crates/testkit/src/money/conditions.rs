//! Payments for sponsored and matching conditions.

use super::numbers::{Fraction, floor, fraction, trimmed};
use super::sums::{Money, Sum, dates, in_force, is_general};
use crate::text::{Row, ten_thousandths, whole};
use jiff::civil::Date;
use std::collections::BTreeSet;

impl Money<'_> {
    /// The row of a condition that covers an issue on a date.
    fn covering<'m>(&'m self, file: &'m [Row], name: &str, issue: &str, date: Date) -> Option<&'m Row> {
        let of_name = |row: &&Row| row.get("condition") == name && in_force(row, date);
        let own = file.iter().filter(of_name).find(|row| row.get("issue") == issue);
        let index = self.issue_row(issue, date).map_or("", |row| row.get("index"));
        let of_index = |row: &&Row| row.get("issue").is_empty() && !index.is_empty() && row.get("index") == index;
        own.or_else(|| file.iter().filter(of_name).find(of_index))
    }

    pub(super) fn conditions(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        for (market_maker, issue, obligation) in self.measured(self.first) {
            if !is_general(&obligation) {
                lines.push(self.condition_line(&market_maker, &issue, &obligation));
            }
        }
        lines
    }

    /// The issues that are asked for together, if there are several.
    fn group(&self, obligation: &str) -> Vec<String> {
        let Some(name) = obligation.strip_prefix("sponsored:") else { return Vec::new() };
        let rows = self.sponsored.iter().filter(|row| row.get("condition") == name && self.in_force_in_month(row));
        let issues: BTreeSet<String> = rows.map(|row| row.get("issue").to_owned()).collect();
        if issues.len() > 1 { issues.into_iter().collect() } else { Vec::new() }
    }

    fn is_complete(&self, market_maker: &str, issue: &str, obligation: &str) -> bool {
        let mut issues = self.group(obligation);
        issues.push(issue.to_owned());
        issues.iter().all(|issue| {
            self.sum(self.first, market_maker, issue, obligation).is_some_and(|sum| sum.status() == "fulfilled")
        })
    }

    /// Quantity, share of time and sign-up, as they decide a place.
    fn keys(&self, market_maker: &str, issue: &str, obligation: &str) -> (i128, Fraction, Option<Date>) {
        let mut issues = self.group(obligation);
        if issues.is_empty() {
            issues.push(issue.to_owned());
        }
        let quantity = issues.iter().map(|issue| self.own_quantity(market_maker, issue)).sum();
        let sums: Vec<Sum> =
            issues.iter().filter_map(|issue| self.sum(self.first, market_maker, issue, obligation)).collect();
        let share = fraction(sums.iter().map(|sum| sum.fulfilled).sum(), sums.iter().map(|sum| sum.available).sum());
        // An empty date is the earliest there is, and is less than every other.
        let earliest = |issue: &String| {
            self.sign_up_rows(market_maker, issue).map(|row| row.get("from").parse::<Date>().ok()).min().flatten()
        };
        (quantity, share, issues.iter().map(earliest).max().flatten())
    }

    fn condition_line(&self, market_maker: &str, issue: &str, obligation: &str) -> Vec<String> {
        let (kind, name) = obligation.split_once(':').expect("a condition");
        let file = if kind == "sponsored" { &self.sponsored } else { &self.matching };
        let sum = self.sum(self.first, market_maker, issue, obligation).expect("it was measured");
        let status = sum.status();
        let (date, row) = dates(self.first)
            .into_iter()
            .rev()
            .find_map(|date| Some((date, self.covering(file, name, issue, date)?)))
            .expect("it was measured");
        let beyond = self.is_beyond(file, row, issue, date);
        let makers: BTreeSet<String> = self
            .measured(self.first)
            .into_iter()
            .filter(|(_, of, with)| of == issue && with == obligation)
            .map(|(market_maker, _, _)| market_maker)
            .collect();
        let eligible = |name: &String| self.qualifies(self.first, name) && self.is_complete(name, issue, obligation);
        let priority = if row.get("priority").is_empty() { "volume;time;signup" } else { row.get("priority") };
        let mut ranked: Vec<String> = makers.into_iter().filter(eligible).collect();
        let order = |one: &String, other: &String| {
            let (a, b) = (self.keys(one, issue, obligation), self.keys(other, issue, obligation));
            let mut order = std::cmp::Ordering::Equal;
            for key in priority.split(';') {
                order = order.then(match key {
                    "volume" => b.0.cmp(&a.0),
                    "time" => b.1.cmp(&a.1),
                    _ => a.2.cmp(&b.2),
                });
            }
            order
        };
        ranked.sort_by(|one, other| order(one, other).then(one.cmp(other)));
        let place = ranked.iter().position(|of| of == market_maker);
        let max_makers = whole(row.get("max_makers"));
        let fits = |place: usize| max_makers.is_none_or(|max| (place as i128) < max);
        let total = ten_thousandths(row.get("total_jpy"));
        let is_paid = place.is_some_and(fits) && !beyond;
        let mut notes: Vec<&str> = Vec::new();
        if status == "fulfilled" {
            if !self.qualifies(self.first, market_maker) {
                notes.push("number_of_etfs");
            }
            if !self.is_complete(market_maker, issue, obligation) {
                notes.push("group_incomplete");
            }
            if beyond {
                notes.push("beyond_max_issues");
            }
        }
        if place.is_some_and(|place| !fits(place)) && !beyond {
            notes.push("not_among_max_makers");
        }
        let mut amount = Some(fraction(0, 1));
        if is_paid {
            match total {
                None => {
                    notes.push("no_total");
                    amount = None;
                }
                Some(total) => {
                    let mut payable = fraction(total, 10_000);
                    if let Some(trigger) = ten_thousandths(row.get("aum_trigger_jpy")) {
                        let aum = self.issue_row(issue, date).and_then(|row| ten_thousandths(row.get("aum_jpy")));
                        if aum.is_none_or(|aum| aum <= trigger) {
                            notes.push("aum_trigger");
                            let part = ten_thousandths(row.get("aum_part_jpy")).unwrap_or(total).min(total);
                            payable -= fraction(part, 10_000);
                        }
                    }
                    let share = if row.get("payment") == "proportional" && self.group(obligation).is_empty() {
                        let paid = ranked.iter().enumerate().filter(|(place, _)| fits(*place));
                        let all: i128 = paid.map(|(_, name)| self.own_quantity(name, issue)).sum();
                        if all == 0 { fraction(0, 1) } else { fraction(self.own_quantity(market_maker, issue), all) }
                    } else {
                        fraction(1, max_makers.unwrap_or(ranked.len() as i128))
                    };
                    amount = Some((payable * share).floor());
                }
            }
        }
        if let Some(place) = place {
            let same = |other: Option<&String>| other.is_some_and(|other| order(&ranked[place], other).is_eq());
            if same(place.checked_sub(1).and_then(|before| ranked.get(before))) || same(ranked.get(place + 1)) {
                notes.push("tie_by_code");
            }
        }
        let by_manager =
            amount.clone().map(|amount| if kind == "sponsored" { amount } else { (amount / fraction(2, 1)).floor() });
        let by_exchange = amount.clone().zip(by_manager.clone()).map(|(amount, by_manager)| amount - by_manager);
        let text = |amount: Option<Fraction>| amount.map_or(String::new(), |amount| floor(&amount));
        vec![
            self.case.month.clone(),
            obligation.to_owned(),
            issue.to_owned(),
            market_maker.to_owned(),
            status.to_owned(),
            place.map_or(String::new(), |place| (place + 1).to_string()),
            self.own_quantity(market_maker, issue).to_string(),
            trimmed(self.own_value(market_maker, issue)),
            text(amount),
            text(by_exchange),
            text(by_manager),
            notes.join(";"),
        ]
    }

    /// Whether so many issues of the row's index come before this one that it is not paid any more.
    fn is_beyond(&self, file: &[Row], row: &Row, issue: &str, date: Date) -> bool {
        let Some(max) = whole(row.get("max_issues")).filter(|_| row.get("issue").is_empty()) else { return false };
        let has_own = |code: &str| {
            let own = |of: &&Row| of.get("condition") == row.get("condition") && of.get("issue") == code;
            file.iter().filter(own).any(|of| in_force(of, date))
        };
        let of_index = self.issues.iter().filter(|of| in_force(of, date) && of.get("index") == row.get("index"));
        let mut ranked: Vec<(bool, &str, &str)> = of_index
            .filter(|of| !has_own(of.get("issue")))
            .map(|of| (of.get("listed").is_empty(), of.get("listed"), of.get("issue")))
            .collect();
        ranked.sort_unstable();
        let place = ranked.iter().position(|of| of.2 == issue);
        place.is_none_or(|place| max <= place as i128)
    }
}
