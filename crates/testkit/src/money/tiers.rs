//! The tiers of issues, by what was traded of them.

use super::numbers::{decimal, floor, fraction};
use super::sums::{Money, dates};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;

impl Money<'_> {
    /// From the first day of the measuring period to the last day in force.
    fn review(&self) -> [Date; 4] {
        let day = |year: i16, month: i8| Date::new(year, month, 1).expect("a month");
        let year = self.first.year();
        let (measured, in_force) = match self.first.month() {
            1..=3 => (day(year - 1, 9), day(year, 1)),
            4..=6 => (day(year - 1, 12), day(year, 4)),
            7..=9 => (day(year, 3), day(year, 7)),
            _ => (day(year, 6), day(year, 10)),
        };
        let end = |first: Date| (first + 2.months()).last_of_month();
        [measured, end(measured), in_force, end(in_force)]
    }

    /// Days and value of the review.
    fn review_of(&self, issue: &str) -> (i128, i128) {
        let [from, to, ..] = self.review();
        let (mut days, mut value) = (0, 0);
        for date in self.case.days.iter().filter(|date| (from..=to).contains(*date)) {
            let Some(row) = self.issue_row(issue, *date) else { continue };
            if row.get("listed").parse::<Date>().is_ok_and(|listed| *date < listed) {
                continue;
            }
            days += 1;
            value += self
                .case
                .market
                .iter()
                .filter(|(of, code, _)| of == date && code == issue)
                .map(|row| row.2)
                .sum::<i128>();
        }
        (days, value)
    }

    /// The tier of an issue by its row of a date; empty where it is unknown.
    pub(super) fn tier(&self, issue: &str, date: Date) -> String {
        let Some(row) = self.issue_row(issue, date) else { return String::new() };
        if row.get("leveraged_inverse") == "true" {
            return "V".to_owned();
        }
        if !row.get("tier").is_empty() {
            return row.get("tier").to_owned();
        }
        let (days, value) = self.review_of(issue);
        if days == 0 {
            let after = row.get("listed").parse::<Date>().is_ok_and(|listed| listed > self.review()[1]);
            return if after { "I".to_owned() } else { String::new() };
        }
        let average = fraction(value, days * 10_000);
        for (tier, [under, _, _]) in ["I", "II", "III", "IV"].iter().zip(&self.case.scheme.tiers) {
            if average < decimal(under) {
                return (*tier).to_owned();
            }
        }
        "V".to_owned()
    }

    pub(super) fn tiers(&self) -> String {
        let [from, to, first, last] = self.review();
        let codes: BTreeSet<&str> =
            self.issues.iter().filter(|row| self.in_force_in_month(row)).map(|row| row.get("issue")).collect();
        let mut text =
            "issue,measured_from,measured_to,days,average_value_jpy,tier,in_force_from,in_force_to\n".to_owned();
        for code in codes {
            let date = dates(self.first).into_iter().rev().find(|date| self.issue_row(code, *date).is_some());
            let tier = self.tier(code, date.expect("it has a row in the month"));
            let (days, value) = self.review_of(code);
            let average = if days == 0 { String::new() } else { floor(&fraction(value, days * 10_000)) };
            text += &format!("{code},{from},{to},{days},{average},{tier},{first},{last}\n");
        }
        text
    }
}
