//! What was decided of a month's lines, and what everything on the page says of a line alike.

use quoteclock_incentive::{AccountKey, MakerLine, Month, MonthLine, Status};
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::Micros;
use std::collections::BTreeSet;

/// What was decided, and on how much of the month.
#[derive(Clone, Copy, Debug)]
pub struct Verdicts<'a> {
    /// The month.
    pub month: Month,
    /// The obligations that the page shows, in order of their keys.
    pub lines: &'a [MonthLine],
    /// Those of which the reader sees some days only: a status is of the whole month, and is not said of them.
    pub parts: &'a BTreeSet<AccountKey>,
    /// The market makers, by name.
    pub makers: &'a [MakerLine],
    /// Whether every trading day of the month is stored whole: until then verdicts are so far.
    pub is_over: bool,
    /// The share that a month requires of obligations that a day is compared with, in ten-thousandths of a percent.
    pub required_pct: u64,
}

/// What a page says of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Its status, which stands.
    Status(Status),
    /// Unknown time could turn its status.
    NotCertain,
    /// It is of some days only.
    Part,
}

impl Verdict {
    /// As people read it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Verdict::NotCertain => "not certain",
            Verdict::Status(Status::Fulfilled) => "fulfilled",
            Verdict::Status(Status::NotFulfilled) => "not fulfilled",
            Verdict::Status(Status::NotApplicable) => "not applicable",
            Verdict::Part => "some days of the month, no status",
        }
    }
}

impl Verdicts<'_> {
    /// What is said of a line.
    pub(crate) fn on(&self, line: &MonthLine) -> Verdict {
        match line.certain() {
            _ if self.parts.contains(&line.key) => Verdict::Part,
            false => Verdict::NotCertain,
            true => Verdict::Status(line.status()),
        }
    }
}

pub(crate) fn lost_time(total: Total) -> Micros {
    Micros(total.available.0.saturating_sub(total.fulfilled.0))
}

pub(crate) fn names<'a>(verdicts: &Verdicts<'a>) -> BTreeSet<&'a str> {
    verdicts.lines.iter().map(|line| line.key.market_maker.as_str()).collect()
}

/// The line that is farthest below what it requires, or least above it.
pub(crate) fn worst<'a>(lines: &[&'a MonthLine]) -> Option<&'a MonthLine> {
    let above = |line: &MonthLine| {
        let percent = DisplayPercent::of(line.total.fulfilled, line.total.available)?;
        let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Some(signed(percent.ten_thousandths()) - signed(line.required_pct))
    };
    lines.iter().copied().filter(|line| above(line).is_some()).min_by_key(|line| above(line))
}

pub(crate) fn share(line: &MonthLine) -> String {
    DisplayPercent::of(line.total.fulfilled, line.total.available)
        .map_or_else(|| "–".to_owned(), |percent| percent.to_string())
}

/// Where an obligation's days stand in the page.
pub(crate) fn anchor(line: &MonthLine) -> String {
    format!("#{}", anchor_id(line))
}

/// Letters, digits and hyphens stay; every other byte is written as `_` and two hexadecimal digits, so that no two keys
/// share an anchor.
pub(crate) fn anchor_id(line: &MonthLine) -> String {
    let mut id = String::new();
    for (position, part) in
        [line.key.market_maker.as_str(), line.key.issue.as_str(), &line.key.obligation.to_string()].iter().enumerate()
    {
        id.push_str(if position == 0 { "l." } else { "." });
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                id.push(char::from(byte));
            } else {
                id.push_str(&format!("_{byte:02x}"));
            }
        }
    }
    id
}
