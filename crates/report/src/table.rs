//! A day as people read it: a line for each obligation, with the worst outages named.

use crate::columns::{self, WithTimes};
use crate::format::{clock, percent_shown, trim_fraction};
use crate::overview::{OverviewLine, Standing, grouped};
use crate::rows::{DayKey, keys, rows_with_key};
use quoteclock_incentive::AccountKey;
use quoteclock_ledger::{DayLedger, Total, add_time, each_outage};
use quoteclock_model::{IssueCode, Micros, ObligationId, Reason, Span};
use quoteclock_rows::{Align, Column, Decimals, Table, Tone, Unit, text_table};
use quoteclock_rules::{DayPlan, local_time};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

pub use quoteclock_rows::Style;

/// What a day's table needs, after the day itself is forgotten.
#[derive(Clone, Debug)]
pub struct DaySummary {
    plan: Arc<DayPlan>,
    lines: Vec<SummaryLine>,
    /// Of all lines, one after the other: lost time by reason.
    reasons: Vec<(Reason, Micros)>,
    /// Likewise, each line's longest first.
    worst: Vec<LongOutage>,
}

/// One obligation on one day.
#[derive(Clone, Debug)]
struct SummaryLine {
    total: Total,
    outage_count: usize,
    /// Where its own stand among those of all lines.
    reasons: Range<usize>,
    worst: Range<usize>,
}

/// An outage that a line names.
#[derive(Clone, Copy, Debug)]
struct LongOutage {
    span: Span,
    /// What took most of it.
    main: Reason,
    /// Whether there were other reasons.
    has_more: bool,
}

/// How many outages a line names at most.
const WORST_MAX: usize = 3;

impl DaySummary {
    /// The summary of a day.
    pub fn new(plan: &Arc<DayPlan>, ledger: &DayLedger) -> DaySummary {
        let mut day = DaySummary { plan: Arc::clone(plan), lines: Vec::new(), reasons: Vec::new(), worst: Vec::new() };
        let (mut reasons, mut worst): (Vec<(Reason, Micros)>, Vec<LongOutage>) = (Vec::new(), Vec::new());
        for key in keys(plan) {
            let mut outage_count = 0;
            each_outage(ledger.breaches(key.index), |span, by_reason| {
                outage_count += 1;
                by_reason.iter().for_each(|&(reason, time)| add_time(&mut reasons, reason, time));
                let position = worst.partition_point(|longer| length(span) <= length(longer.span));
                if position < WORST_MAX {
                    let (main, _) = by_reason[0];
                    worst.insert(position, LongOutage { span, main, has_more: 1 < by_reason.len() });
                    worst.truncate(WORST_MAX);
                }
            });
            let (reasons_start, worst_start) = (day.reasons.len(), day.worst.len());
            day.reasons.append(&mut reasons);
            day.worst.append(&mut worst);
            let (reasons, worst) = (reasons_start..day.reasons.len(), worst_start..day.worst.len());
            day.lines.push(SummaryLine { total: ledger.total(key.index), outage_count, reasons, worst });
        }
        day
    }

    /// Every obligation of some days, in order of their keys: sums over the days, beside the share that the last requires.
    pub fn over(days: &[&DaySummary]) -> Vec<OverviewLine> {
        let mut lines: Vec<OverviewLine> = Vec::new();
        for day in days {
            // Both are in order, and mostly of the same obligations.
            let (known, mut at) = (lines.len(), 0);
            lines.reserve(day.lines.len().saturating_sub(known));
            for row in day.rows() {
                at += lines[at..known].iter().take_while(|line| parts(&line.key) < parts_of(&row.key)).count();
                let is_known = at < known && parts(&lines[at].key) == parts_of(&row.key);
                let position = if is_known { at } else { lines.len() };
                if !is_known {
                    lines.push(OverviewLine::of(owned(&row.key)));
                }
                let sum = &mut lines[position];
                sum.reasons.reserve_exact(row.line.reasons.len().saturating_sub(sum.reasons.len()));
                sum.total += row.line.total;
                for &(reason, time) in &day.reasons[row.line.reasons.clone()] {
                    add_time(&mut sum.reasons, reason.as_str().into(), time);
                }
                sum.required_pct = row.key.obligation.required.pct;
                let has_share = row.has_share();
                sum.days_below.0 += u32::from(has_share == Some(false));
                sum.days_below.1 += u32::from(has_share.is_some());
            }
            // Those that are new stand behind the others, in order as well.
            lines.sort_by(|one, next| one.key.cmp(&next.key));
        }
        lines.iter_mut().for_each(|line| line.standing = Standing::of(line.total, line.required_pct));
        lines
    }

    /// One line for a day of many obligations, all or those that `chosen` has:
    /// `2024-03-01  Fast Market x2: 12 of 2,870 without their share`.
    pub fn summed_up(&self, chosen: Option<&BTreeMap<AccountKey, usize>>) -> String {
        let is_chosen = |row: &DayRow<'_>| chosen.is_none_or(|chosen| chosen.contains_key(&owned(&row.key)));
        let (mut count, mut below) = (0, 0);
        for row in self.rows().filter(is_chosen) {
            count += 1;
            below += usize::from(row.has_share() == Some(false));
        }
        format!("{}: {} of {} without their share", self.heading(), grouped(below), grouped(count))
    }

    fn heading(&self) -> String {
        let fast = self.plan.multiplier;
        let fast = if 1 < fast { format!("  Fast Market x{fast}") } else { String::new() };
        format!("{}{fast}", self.plan.date)
    }

    fn rows(&self) -> impl Iterator<Item = DayRow<'_>> {
        keys(&self.plan).zip(&self.lines).map(|(key, line)| DayRow { key, line })
    }

    /// The date's heading and table, for a terminal of `style`: all obligations, or those that `chosen` has, in its order.
    ///
    /// # Panics
    /// Never: writing to a string cannot fail.
    pub fn render(&self, style: Style, chosen: Option<&BTreeMap<AccountKey, usize>>) -> String {
        let mut text = format!("{}\n", self.heading());
        if self.lines.is_empty() {
            text.push_str("no sign-up is in force: nothing is measured\n");
            return text;
        }
        let mut rows: Vec<DayRow<'_>> = self.rows().collect();
        if let Some(chosen) = chosen {
            let place = |row: &DayRow<'_>| chosen.get(&owned(&row.key));
            rows.retain(|row| place(row).is_some());
            rows.sort_by_key(|row| place(row));
        }
        if rows.is_empty() {
            text.push_str("nothing of what is asked for\n");
            return text;
        }
        let (plain, table) = (Style { colour: false, ..style }, text_table::<DayLines>(&rows, style));
        let widths = text_table::<DayLines>(&rows, plain);
        let widest = widths.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        // Where a row takes several lines there is no room for more.
        let has_room = widths.lines().count() == rows.len() + 1;
        let room = style.width.saturating_sub(widest + GAP);
        let worst =
            std::iter::once("longest outages".to_owned()).chain(rows.iter().map(|row| self.worst(row.line, room)));
        for ((line, plain), worst) in
            table.lines().zip(widths.lines()).zip(worst.chain(std::iter::repeat(String::new())))
        {
            text.push_str(line);
            if has_room && !worst.is_empty() {
                let padding = widest + GAP - plain.chars().count();
                write!(text, "{:padding$}{worst}", "").expect("writing to a string");
            }
            text.push('\n');
        }
        text
    }

    /// The longest outages, as many as fit.
    fn worst(&self, line: &SummaryLine, room: usize) -> String {
        let outages: Vec<String> = self.worst[line.worst.clone()].iter().map(|outage| self.outage(*outage)).collect();
        fit(&outages, room)
    }

    /// `10:12:03.5 for 0:05:00 spread`.
    fn outage(&self, LongOutage { span, main, has_more }: LongOutage) -> String {
        let start = local_time(span.start, &self.plan.zone);
        let start = start.get(11..26).unwrap_or(&start);
        let more = if has_more { ", ..." } else { "" };
        format!("{} for {} {main}{more}", trim_fraction(start), clock(length(span)))
    }
}

/// Spaces before the longest outages.
const GAP: usize = 2;

/// One line of a day's table.
struct DayRow<'a> {
    key: DayKey<'a>,
    line: &'a SummaryLine,
}

rows_with_key!(DayRow);

impl WithTimes for DayRow<'_> {
    fn total(&self) -> Total {
        self.line.total
    }
}

/// A day's table, the longest outages apart: they take what room there is.
struct DayLines;

impl Table for DayLines {
    type Row<'a> = DayRow<'a>;
    const NAME: &'static str = "day";
    const COLUMNS: &'static [Column<Self>] = &[
        columns::market_maker::<Self>().shown("market maker"),
        columns::issue::<Self>().shown("issue"),
        columns::obligation::<Self>().shown("obligation"),
        columns::display_pct_of::<Self>()
            .shown_as("display %", Align::Right, |row| {
                // Colours are told by a sign, too.
                let sign = if row.has_share() == Some(false) { "!" } else { "" };
                format!("{sign}{}", percent_shown(row.line.total)).into()
            })
            .toned(|row| row.has_share().map(|enough| if enough { Tone::Good } else { Tone::Bad })),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| {
            Some(row.key.obligation.required.pct.into())
        })
        .shown("required %"),
        columns::available_us::<Self>()
            .shown_as("available", Align::Right, |row| clock(row.line.total.available).into())
            .gives_way(1),
        columns::unknown_us::<Self>()
            .shown_as("unknown", Align::Right, |row| clock(row.line.total.unknown).into())
            .on_occasion(|row| row.line.total.unknown != Micros::ZERO),
        Column::<Self>::integer("outages", Unit::Count, |row| i128::try_from(row.line.outage_count).ok())
            .shown("outages"),
    ];
    const SHOWN: &'static [&'static str] = &[
        "market_maker",
        "issue",
        "obligation",
        "display_pct",
        "required_pct",
        "available_us",
        "unknown_us",
        "outages",
    ];
    const NAMES_SHOWN: usize = 2;
}

impl DayRow<'_> {
    /// Whether the day by itself has the share that the month needs.
    fn has_share(&self) -> Option<bool> {
        let Total { available, .. } = self.line.total;
        (available != Micros::ZERO).then(|| self.line.total.reaches(self.key.obligation.required.pct))
    }
}

/// The key by itself.
fn owned(key: &DayKey<'_>) -> AccountKey {
    let issue = IssueCode::new(key.issue.as_bytes()).expect("it is the code of an issue");
    AccountKey { market_maker: key.market_maker.to_owned(), issue, obligation: key.obligation.id.clone() }
}

/// What keys are ordered by.
fn parts(key: &AccountKey) -> (&str, &str, &ObligationId) {
    (&key.market_maker, key.issue.as_str(), &key.obligation)
}

/// Likewise.
fn parts_of<'a>(key: &DayKey<'a>) -> (&'a str, &'a str, &'a ObligationId) {
    (key.market_maker, key.issue, &key.obligation.id)
}

fn length(span: Span) -> Micros {
    span.end.since(span.start)
}

/// As many whole outages as fit in `room` characters; the first in any case.
fn fit(outages: &[String], room: usize) -> String {
    let mut fitting = String::new();
    for outage in outages {
        if !fitting.is_empty() {
            if room < fitting.len() + "; ".len() + outage.len() {
                break;
            }
            fitting.push_str("; ");
        }
        fitting.push_str(outage);
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::wrap;
    use jiff::civil::date;
    use quoteclock_ledger::OpenLedger;
    use quoteclock_model::{Interval, State, Timestamp};
    use quoteclock_obligation::IntervalSink;
    use quoteclock_rules::{Registry, SourceFile};

    /// A day on which each obligation is fulfilled for as many microseconds as its position says, and then not for ten.
    fn day(registry: &Registry, day: i8) -> DaySummary {
        let plan = Arc::new(registry.plan(date(2024, 3, day)).unwrap());
        let mut ledger = OpenLedger::new(&plan);
        for key in keys(&plan) {
            let at = |micros: u32| Timestamp::from_micros(plan.day.start.as_micros() + i64::from(micros));
            let fulfilled = key.index.0 + 1;
            let states = [State::Fulfilled, State::Breach(Reason::Spread)];
            for (start, end, state) in [(0, fulfilled, states[0]), (fulfilled, fulfilled + 10, states[1])] {
                ledger.interval(key.index, Interval { start: at(start), end: at(end), state });
            }
        }
        DaySummary::new(&plan, &ledger.close())
    }

    #[test]
    fn days_are_summed_up_by_obligation_whichever_of_them_have_it() {
        let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), bytes: text.into() };
        let files = [
            file("issues.csv", "issue,type,tick_table\n1305,A,01\n1306,A,01\n1321,A,01\n"),
            file("market_makers.csv", "market_maker\nMM1\nMM2\n"),
            file("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM2\n"),
            file(
                "signups.csv",
                "market_maker,issue,from,to\nMM2,1306,,2024-03-01\nMM1,1321,2024-03-02,\nMM1,1306,,\n\
                 MM2,1305,2024-03-02,\nMM2,1321,,\n",
            ),
            file("sponsored.csv", "condition,issue,max_spread_bps,min_value_jpy,from\nS1,1306,20,1,2024-03-02\n"),
        ];
        let registry = Registry::load(&files).registry.unwrap();
        let days = [day(&registry, 1), day(&registry, 2), day(&registry, 3)];
        let shown = |days: &[&DaySummary]| -> Vec<String> {
            let text = |line: &OverviewLine| {
                let AccountKey { market_maker, issue, obligation } = &line.key;
                let lost: Vec<String> =
                    line.reasons.iter().map(|(reason, time)| format!("{reason} {}", time.0)).collect();
                let Total { available, fulfilled, .. } = line.total;
                let days = line.days_below.1;
                format!("{market_maker} {issue} {obligation}: {} of {} in {days}, {lost:?}", fulfilled.0, available.0)
            };
            DaySummary::over(days).iter().map(text).collect()
        };
        let [first, second, third] = &days;
        assert_eq!(
            shown(&[first]),
            [
                r#"MM1 1306 general: 1 of 11 in 1, ["spread 10"]"#,
                r#"MM2 1306 general: 2 of 12 in 1, ["spread 10"]"#,
                r#"MM2 1321 general: 3 of 13 in 1, ["spread 10"]"#,
            ]
        );
        let all = [
            r#"MM1 1306 general: 3 of 33 in 3, ["spread 30"]"#,
            r#"MM1 1306 sponsored:S1: 4 of 24 in 2, ["spread 20"]"#,
            r#"MM1 1321 general: 6 of 26 in 2, ["spread 20"]"#,
            r#"MM2 1305 general: 8 of 28 in 2, ["spread 20"]"#,
            r#"MM2 1306 general: 2 of 12 in 1, ["spread 10"]"#,
            r#"MM2 1321 general: 13 of 43 in 3, ["spread 30"]"#,
        ];
        assert_eq!(shown(&[first, second, third]), all);
        assert_eq!(shown(&[third, first, second]), all, "whatever their order");
        assert!(shown(&[]).is_empty());
    }

    #[test]
    fn outages_are_shown_whole_and_the_longest_always() {
        let outages = ["09:00:00 for 0:05:00 spread, ...", "10:00:00 for 0:00:01 no_bid"].map(str::to_owned);
        let both = outages.join("; ");
        assert_eq!(fit(&outages, 200), both);
        assert_eq!(fit(&outages, both.len()), both);
        assert_eq!(fit(&outages, both.len() - 1), outages[0]);
        assert_eq!(fit(&outages, 5), outages[0]);
        assert_eq!(fit(&[], 5), "");
    }

    #[test]
    fn less_than_all_of_the_time_never_looks_like_all_of_it() {
        let shown = |fulfilled, available| {
            percent_shown(Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(0) })
        };
        assert_eq!(shown(10_000_000, 10_000_000), "100.0000");
        assert_eq!(shown(9_999_998, 10_000_000), "99.99998");
        assert_eq!(shown(9_999_950, 10_000_000), "99.9995");
        assert_eq!(shown(378_000_000_000 - 1, 378_000_000_000), "99.9999999997");
        assert_eq!((shown(0, 0), shown(0, 5)), ("-".to_owned(), "0.0000".to_owned()));
    }

    #[test]
    fn spans_lose_needless_zeros_and_no_others() {
        assert_eq!(clock(Micros(18_000_000_000)), "5:00:00");
        assert_eq!(clock(Micros(615_380_000)), "0:10:15.38");
        assert_eq!(clock(Micros(36_000_000_000)), "10:00:00");
        assert_eq!(clock(Micros(1)), "0:00:00.000001");
    }

    #[test]
    fn long_lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 100), "one two three\n");
        assert_eq!(wrap("one two three", 8), "one two\n  three\n");
    }
}
