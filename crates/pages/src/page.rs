//! The page: tables, strips and bars, made ready for the template. All text is escaped there.

use crate::lost::{Lost, STRETCHES};
use crate::outage::Outage;
use crate::picture::{DayFrame, DayPicture, LinePicture, MakerPicture, MonthPicture};
use crate::shade::Shade;
use crate::strip::column;
use askama::Template;
use jiff::civil::Date;
use quoteclock_incentive::{MakerLine, Month, MonthLine, Status};
use quoteclock_ledger::{DisplayPercent, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId};
use quoteclock_rules::local_time;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Reasons that the line of an obligation names.
const REASONS_MAX: usize = 4;

/// What was decided, and on how much of the month.
#[derive(Clone, Copy, Debug)]
pub struct Verdicts<'a> {
    /// The month.
    pub month: Month,
    /// The obligations that the page shows, in order of their keys.
    pub lines: &'a [MonthLine],
    /// The market makers, by name.
    pub makers: &'a [MakerLine],
    /// Whether every trading day of the month is stored whole: until then verdicts are so far.
    pub is_over: bool,
    /// The share that a month requires of obligations that a day is compared with, in ten-thousandths of a percent.
    pub required_pct: u64,
}

/// What the figures rest on.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What stands above the page; `MONTH: quote display time` where it is empty.
    pub title: String,
    /// Whether the report has gone out, and which it supersedes; empty where none ever has.
    pub gone_out: String,
    /// Tables that follow the pictures.
    pub sections: Vec<Section>,
    /// The scheme's name and version.
    pub scheme: String,
    /// Every interpretation and its value.
    pub interpretations: Vec<(String, String)>,
    /// What a reader has to know: days that are missing, records set aside, a registry that has changed.
    pub notes: Vec<String>,
    /// Headings of the stored days' table.
    pub headings: Vec<&'static str>,
    /// The stored days.
    pub days: Vec<Vec<String>>,
    /// The version of the program that writes the page.
    pub program: String,
}

/// A table with its heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Names of columns.
    pub columns: Vec<String>,
    /// Rows of cells: the text, and whether it is a number.
    pub rows: Vec<Vec<(String, bool)>>,
}

/// Links from a day of an obligation to its own page; none where there is no such page.
pub type DayPages<'a> = &'a dyn Fn(&MonthLine, Date) -> Option<String>;

/// A page, ready to be written.
#[derive(Template)]
#[template(path = "month.html")]
pub struct MonthPage {
    month: String,
    scheme: String,
    so_far: &'static str,
    figures: Vec<(&'static str, String)>,
    notes: Vec<String>,
    makers: Vec<MakerRow>,
    /// Whether the number of ETFs is the reader's business.
    shows_etfs: bool,
    map_makers: Vec<String>,
    map: Vec<MapRow>,
    dates: Vec<String>,
    maker_days: Vec<(String, Vec<Square>)>,
    line_days: Vec<(String, Vec<Square>)>,
    reasons: Vec<Bar>,
    times: Vec<Bar>,
    unfolded: Vec<Unfolded>,
    evidence: Evidence,
}

impl std::fmt::Debug for MonthPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonthPage").field("month", &self.month).finish_non_exhaustive()
    }
}

/// A market maker at a glance.
struct MakerRow {
    name: String,
    obligations: usize,
    failing: usize,
    worst: String,
    lost: String,
    reason: String,
    etfs: String,
    qualifies: &'static str,
}

/// An issue of the heat map.
struct MapRow {
    issue: String,
    squares: Vec<Square>,
}

/// A coloured cell.
struct Square {
    class: &'static str,
    text: String,
    title: String,
    link: Option<String>,
}

/// A bar of a chart, in thousandths of the longest one.
struct Bar {
    label: String,
    value: String,
    width: u64,
}

/// An obligation with its days.
struct Unfolded {
    id: String,
    heading: String,
    state: &'static str,
    fails: bool,
    share: String,
    lost: String,
    reasons: String,
    outages: String,
    worst: Vec<[String; 4]>,
    days: Vec<UnfoldedDay>,
}

struct UnfoldedDay {
    date: String,
    link: Option<String>,
    share: String,
    class: &'static str,
    lost: String,
    unknown: String,
    sessions: String,
    breaches: String,
}

impl MonthPage {
    /// The page of `picture` under `verdicts`. `day_pages` tells where a day of an obligation is explained.
    pub fn new(
        verdicts: &Verdicts<'_>,
        picture: &MonthPicture,
        evidence: Evidence,
        day_pages: DayPages<'_>,
    ) -> MonthPage {
        let so_far = if verdicts.is_over { "" } else { " so far" };
        MonthPage {
            month: verdicts.month.to_string(),
            scheme: evidence.scheme.clone(),
            so_far,
            figures: figures(verdicts, picture),
            notes: evidence.notes.clone(),
            makers: maker_rows(verdicts, picture),
            shows_etfs: !verdicts.makers.is_empty(),
            map_makers: names(verdicts).into_iter().map(str::to_owned).collect(),
            map: map(verdicts, picture),
            dates: picture.dates().map(|date| date.strftime("%d").to_string()).collect(),
            maker_days: maker_days(verdicts, picture),
            line_days: line_days(verdicts, picture),
            reasons: reason_bars(&picture.lost),
            times: time_bars(&picture.lost),
            unfolded: verdicts
                .lines
                .iter()
                .filter_map(|line| Some(unfold(line, picture.unfolded.get(&line.key)?, picture, day_pages)))
                .collect(),
            evidence,
        }
    }

    /// Writes the page.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        self.write_into(to)
    }
}

fn lost_time(total: Total) -> Micros {
    Micros(total.available.0.saturating_sub(total.fulfilled.0))
}

fn names<'a>(verdicts: &Verdicts<'a>) -> BTreeSet<&'a str> {
    verdicts.lines.iter().map(|line| line.key.market_maker.as_str()).collect()
}

fn figures(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<(&'static str, String)> {
    let lines = verdicts.lines;
    let count = |status| lines.iter().filter(|line| line.status() == status).count().to_string();
    let uncertain = lines.iter().filter(|line| !line.certain()).count();
    let mut figures = vec![
        ("obligations", lines.len().to_string()),
        ("fulfilled", count(Status::Fulfilled)),
        ("not fulfilled", count(Status::NotFulfilled)),
    ];
    if 0 < uncertain {
        figures.push(("unknown time could turn", uncertain.to_string()));
    }
    let shown = names(verdicts);
    let makers = verdicts.makers.iter().filter(|maker| shown.contains(maker.market_maker.as_str()));
    let (qualifying, all) = makers.fold((0, 0), |(met, all), maker| (met + usize::from(maker.qualifies()), all + 1));
    if 0 < all {
        figures.push(("market makers with enough ETFs", format!("{qualifying} of {all}")));
    }
    figures.push(("days measured", picture.dates().count().to_string()));
    figures.push(("lost time, general", hours(picture.lost.total())));
    figures
}

fn maker_rows(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<MakerRow> {
    let mut rows: Vec<(usize, Micros, MakerRow)> = Vec::new();
    for name in names(verdicts) {
        let own: Vec<&MonthLine> = verdicts.lines.iter().filter(|line| line.key.market_maker == name).collect();
        let failing = own.iter().filter(|line| line.status() == Status::NotFulfilled).count();
        let lost = picture.makers.get(name).map(|maker| &maker.lost);
        let total = lost.map_or(Micros::ZERO, Lost::total);
        let maker = verdicts.makers.iter().find(|maker| maker.market_maker == name);
        let row = MakerRow {
            name: name.to_owned(),
            obligations: own.len(),
            failing,
            worst: worst(&own).map_or_else(String::new, |line| {
                format!("{} {} % of {}", line.key.issue, share(line), required(line.required_pct))
            }),
            lost: hours(total),
            reason: lost
                .and_then(|lost| lost.reasons().first().map(|(reason, _)| (*reason).to_owned()))
                .unwrap_or_default(),
            etfs: maker
                .map_or_else(String::new, |maker| format!("{} of {}", maker.etfs_fulfilled, maker.etfs_required)),
            qualifies: match maker {
                Some(maker) if maker.qualifies() => "yes",
                Some(_) if verdicts.is_over => "no",
                Some(_) => "not yet",
                None => "",
            },
        };
        rows.push((failing, total, row));
    }
    rows.sort_by(|(failing, lost, row), (other, next, than)| {
        other.cmp(failing).then(next.cmp(lost)).then(row.name.cmp(&than.name))
    });
    rows.into_iter().map(|(_, _, row)| row).collect()
}

/// The line that is farthest below what it requires, or least above it.
fn worst<'a>(lines: &[&'a MonthLine]) -> Option<&'a MonthLine> {
    let above = |line: &MonthLine| {
        let percent = DisplayPercent::of(line.total.fulfilled, line.total.available)?;
        let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Some(signed(percent.ten_thousandths()) - signed(line.required_pct))
    };
    lines.iter().copied().filter(|line| above(line).is_some()).min_by_key(|line| above(line))
}

/// Market makers by issues: the worst of a sign-up's obligations decides the colour.
fn map(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<MapRow> {
    let mut cells: BTreeMap<&IssueCode, BTreeMap<&str, Vec<&MonthLine>>> = BTreeMap::new();
    for line in verdicts.lines {
        cells.entry(&line.key.issue).or_default().entry(&line.key.market_maker).or_default().push(line);
    }
    let names = names(verdicts);
    let row = |(issue, makers): (&IssueCode, BTreeMap<&str, Vec<&MonthLine>>)| MapRow {
        issue: issue.to_string(),
        squares: names.iter().map(|name| makers.get(name).map_or_else(empty, |lines| square(lines, picture))).collect(),
    };
    cells.into_iter().map(row).collect()
}

fn empty() -> Square {
    Square { class: "", text: String::new(), title: String::new(), link: None }
}

fn square(lines: &[&MonthLine], picture: &MonthPicture) -> Square {
    let Some(worst) = worst(lines).or_else(|| lines.first().copied()) else { return empty() };
    let uncertain = lines.iter().any(|line| !line.certain());
    let percent = DisplayPercent::of(worst.total.fulfilled, worst.total.available);
    let shade = match percent {
        _ if uncertain => Shade::Uncertain,
        None => Shade::Nothing,
        Some(percent) => Shade::of(percent.ten_thousandths(), worst.required_pct, worst.status() == Status::Fulfilled),
    };
    let text = |line: &&MonthLine| {
        let verdict = if line.certain() { line.status().as_str().replace('_', " ") } else { "not certain".to_owned() };
        format!("{}: {} %, required {} %, {verdict}", line.key.obligation, share(line), required(line.required_pct))
    };
    let titles: Vec<String> = lines.iter().map(text).collect();
    Square {
        class: shade.class(),
        text: format!("{}{}", whole_percent(worst.total), shade.sign()),
        title: format!("{} in {}: {}", worst.key.market_maker, worst.key.issue, titles.join("; ")),
        link: lines.iter().find(|line| picture.unfolded.contains_key(&line.key)).map(|line| anchor(line)),
    }
}

/// Each market maker's days: all its `general` obligations of a day together.
fn maker_days(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<(String, Vec<Square>)> {
    let day = |maker: &MakerPicture, name: &str, date: Date| {
        maker.days.get(&date).map_or_else(empty, |total| day_square(name, date, *total, verdicts.required_pct))
    };
    let row = |name: &str| {
        let maker = picture.makers.get(name)?;
        Some((name.to_owned(), picture.dates().map(|date| day(maker, name, date)).collect()))
    };
    names(verdicts).into_iter().filter_map(row).collect()
}

/// Each obligation's days, where the page has them all.
fn line_days(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<(String, Vec<Square>)> {
    if !picture.shows_all_days {
        return Vec::new();
    }
    let several = 1 < names(verdicts).len();
    let row = |line: &&MonthLine| {
        let own = picture.unfolded.get(&line.key)?;
        let issue = line.key.issue.to_string();
        let label = if line.is_general() { issue } else { format!("{issue} {}", line.key.obligation) };
        let label = if several { format!("{label}, {}", line.key.market_maker) } else { label };
        let day = |date: Date| {
            let day = own.days.get(&date);
            day.map_or_else(empty, |day| day_square(&label, date, day.total, line.required_pct))
        };
        let squares = picture.dates().map(day).collect();
        Some((label, squares))
    };
    let mut lines: Vec<&MonthLine> = verdicts.lines.iter().collect();
    lines.sort_by_key(|line| (&line.key.issue, &line.key.market_maker, &line.key.obligation));
    lines.iter().filter_map(row).collect()
}

/// A day's share beside the one that a month requires.
fn day_square(name: &str, date: Date, total: Total, required_pct: u64) -> Square {
    let reached = u128::from(required_pct) * u128::from(total.available.0) <= 1_000_000 * u128::from(total.fulfilled.0);
    let shade = match DisplayPercent::of(total.fulfilled, total.available) {
        None if total.unknown != Micros::ZERO => Shade::Uncertain,
        None => Shade::Nothing,
        Some(percent) => Shade::of(percent.ten_thousandths(), required_pct, reached),
    };
    let unknown = match total.unknown {
        Micros::ZERO => String::new(),
        unknown => format!(", {} unknown", hours(unknown)),
    };
    Square {
        class: shade.class(),
        text: format!("{}{}", whole_percent(total), shade.sign()),
        title: format!("{name} on {date}: lost {} of {}{unknown}", hours(lost_time(total)), hours(total.available)),
        link: None,
    }
}

fn reason_bars(lost: &Lost) -> Vec<Bar> {
    let reasons = lost.reasons();
    let longest = reasons.first().map_or(Micros::ZERO, |(_, most)| *most);
    let total = lost.total();
    let bar = |(reason, time): (&str, Micros)| Bar {
        label: reason.to_owned(),
        value: format!("{}, {} %", hours(time), tenth_percent(time, total)),
        width: thousandths(time, longest),
    };
    reasons.into_iter().map(bar).collect()
}

/// Half hours from the first to the last in which anything was lost.
fn time_bars(lost: &Lost) -> Vec<Bar> {
    let is_some = |position: &usize| lost.by_stretch[*position] != Micros::ZERO;
    let (Some(first), Some(last)) = ((0..STRETCHES).find(is_some), (0..STRETCHES).rev().find(is_some)) else {
        return Vec::new();
    };
    let longest = lost.by_stretch.iter().copied().max().unwrap_or(Micros::ZERO);
    let bar = |position: usize| Bar {
        label: format!("{:02}:{:02}", position / 2, position % 2 * 30),
        value: hours(lost.by_stretch[position]),
        width: thousandths(lost.by_stretch[position], longest),
    };
    (first..=last).map(bar).collect()
}

fn unfold(line: &MonthLine, own: &LinePicture, picture: &MonthPicture, day_pages: DayPages<'_>) -> Unfolded {
    let lost = lost_time(line.total);
    let reasons = own.lost.reasons();
    // What takes less than a twentieth of a percent is not a reason that anybody looks for first.
    let shown = reasons.iter().filter(|(_, time)| tenth_percent(*time, lost) != "0.0").take(REASONS_MAX);
    let reasons: Vec<String> =
        shown.map(|(reason, time)| format!("{reason} {} %", tenth_percent(*time, lost))).collect();
    let clock = |at| local_time(at, picture.zone());
    let outage = |outage: &Outage| {
        let (start, end) = (clock(outage.span.start), clock(outage.span.end));
        let part = |text: &str, from, to| text.get(from..to).unwrap_or_default().to_owned();
        let times = format!("{} to {}", trimmed(&part(&start, 11, 26)), trimmed(&part(&end, 11, 26)));
        [part(&start, 0, 10), times, hours(outage.length()), outage.main_reason().to_owned()]
    };
    Unfolded {
        id: anchor_id(line),
        heading: format!("{} in {}{}", line.key.market_maker, line.key.issue, of_obligation(&line.key.obligation)),
        state: match (line.status(), line.certain()) {
            (_, false) => "not certain",
            (Status::Fulfilled, true) => "fulfilled",
            (Status::NotFulfilled, true) => "not fulfilled",
            (Status::NotApplicable, true) => "not applicable",
        },
        fails: line.status() == Status::NotFulfilled || !line.certain(),
        share: format!("{} % of {} % required", share(line), required(line.required_pct)),
        lost: hours(lost),
        reasons: reasons.join(", "),
        outages: count(own.outage_count, "outage"),
        worst: own.worst.iter().map(outage).collect(),
        days: own
            .days
            .iter()
            .filter_map(|(date, day)| unfold_day(*date, day, line, picture.frame(*date)?, day_pages(line, *date)))
            .collect(),
    }
}

fn unfold_day(
    date: Date,
    day: &DayPicture,
    line: &MonthLine,
    frame: &DayFrame,
    link: Option<String>,
) -> Option<UnfoldedDay> {
    let percent = DisplayPercent::of(day.total.fulfilled, day.total.available);
    let reached = u128::from(line.required_pct) * u128::from(day.total.available.0)
        <= 1_000_000 * u128::from(day.total.fulfilled.0);
    let shade =
        percent.map_or(Shade::Nothing, |percent| Shade::of(percent.ten_thousandths(), line.required_pct, reached));
    let session = |span: &quoteclock_model::Span| {
        let last = quoteclock_model::Timestamp::from_micros(span.end.as_micros() - 1);
        let (from, to) = (column(frame.shown, span.start), column(frame.shown, last));
        let width = to - from + 1;
        format!("M{from} 0h{width}v14h-{width}z")
    };
    Some(UnfoldedDay {
        date: date.to_string(),
        link,
        share: percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent} %{}", shade.sign())),
        class: shade.class(),
        lost: hours(lost_time(day.total)),
        unknown: if day.total.unknown == Micros::ZERO { String::new() } else { hours(day.total.unknown) },
        sessions: frame.sessions.iter().map(session).collect(),
        breaches: day.strip.path(14),
    })
}

/// Where an obligation's days stand in the page.
fn anchor(line: &MonthLine) -> String {
    format!("#{}", anchor_id(line))
}

/// Letters, digits and hyphens stay; every other byte is written as `_` and two hexadecimal digits, so that no two keys
/// share an anchor.
fn anchor_id(line: &MonthLine) -> String {
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

fn of_obligation(obligation: &ObligationId) -> String {
    if *obligation == ObligationId::GENERAL { String::new() } else { format!(", {obligation}") }
}

/// `1 outage`, `2 outages`.
fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn share(line: &MonthLine) -> String {
    DisplayPercent::of(line.total.fulfilled, line.total.available)
        .map_or_else(|| "–".to_owned(), |percent| percent.to_string())
}

/// Ten-thousandths of a percent without needless zeros.
fn required(ten_thousandths: u64) -> String {
    let text = format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whole percent, rounded down: 79.99 % never reads as 80, and 99.99999 % not as 100.
fn whole_percent(total: Total) -> String {
    match u128::from(total.available.0) {
        0 => "–".to_owned(),
        available => (u128::from(total.fulfilled.0) * 100 / available).to_string(),
    }
}

/// A share in tenths of a percent, half up.
fn tenth_percent(part: Micros, whole: Micros) -> String {
    if whole == Micros::ZERO {
        return "0.0".to_owned();
    }
    let (part, whole) = (u128::from(part.0), u128::from(whole.0));
    let tenths = (part * 2_000 + whole) / (whole * 2);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn thousandths(part: Micros, whole: Micros) -> u64 {
    let width = u128::from(part.0) * 1000 / u128::from(whole.0.max(1));
    // However little, a bar can be seen.
    u64::try_from(width).unwrap_or(1000).max(u64::from(part != Micros::ZERO) * 3)
}

/// A span in hours, minutes and whole seconds; below a second to the microsecond.
fn hours(span: Micros) -> String {
    if span != Micros::ZERO && span < Micros(1_000_000) {
        return trimmed(&span.to_string()).to_owned();
    }
    let seconds = span.0 / 1_000_000;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A clock reading without the zeros that end its fraction.
fn trimmed(clock: &str) -> &str {
    if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock }
}

#[cfg(test)]
mod tests;
