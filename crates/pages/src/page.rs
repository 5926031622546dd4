//! The page: tables, strips and bars, made ready for the template. All text is escaped there.

use crate::format::{count, hours, required, tenth_percent, thousandths, trimmed};
use crate::grid::{Block, by_issue, line_days, maker_days};
use crate::lost::{Lost, STRETCHES};
use crate::outage::Outage;
use crate::picture::{DayFrame, DayPicture, LinePicture, MonthPicture};
use crate::shade::Shade;
use crate::strip::column;
use crate::verdict::{Verdict, Verdicts, anchor_id, lost_time, names, share, worst};
use askama::Template;
use jiff::civil::Date;
use quoteclock_incentive::{MonthLine, Status};
use quoteclock_ledger::DisplayPercent;
use quoteclock_model::{Micros, ObligationId};
use quoteclock_rules::local_time;
use std::io::{self, Write};

/// Reasons that the line of an obligation names.
const REASONS_MAX: usize = 4;

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
    /// Headings of the stored days' table, that of the date first.
    pub headings: Vec<&'static str>,
    /// The stored days, and what stands beside each.
    pub days: Vec<(Date, Vec<String>)>,
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
    title: String,
    scheme: String,
    so_far: &'static str,
    figures: Vec<(&'static str, String)>,
    notes: Vec<String>,
    makers: Vec<MakerRow>,
    /// Whether the number of ETFs is the reader's business.
    shows_etfs: bool,
    map: Vec<Block>,
    maker_days: Vec<Block>,
    line_days: Vec<Block>,
    reasons: Vec<Bar>,
    times: Vec<Bar>,
    unfolded: Vec<Unfolded>,
    evidence: Evidence,
}

impl std::fmt::Debug for MonthPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonthPage").field("title", &self.title).finish_non_exhaustive()
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
    verdict: &'static str,
    class: &'static str,
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
        let title = match evidence.title.as_str() {
            "" => format!("{}: quote display time", verdicts.month),
            title => title.to_owned(),
        };
        MonthPage {
            title,
            scheme: evidence.scheme.clone(),
            so_far,
            figures: figures(verdicts, picture),
            notes: evidence.notes.clone(),
            makers: maker_rows(verdicts, picture),
            shows_etfs: !verdicts.makers.is_empty(),
            map: by_issue(verdicts, picture),
            maker_days: maker_days(verdicts, picture),
            line_days: line_days(verdicts, picture),
            reasons: reason_bars(&picture.lost),
            times: time_bars(&picture.lost),
            unfolded: verdicts
                .lines
                .iter()
                .filter_map(|line| {
                    let own = picture.unfolded.get(&line.key)?;
                    Some(unfold(line, verdicts.on(line), own, picture, day_pages))
                })
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

fn figures(verdicts: &Verdicts<'_>, picture: &MonthPicture) -> Vec<(&'static str, String)> {
    let lines = verdicts.lines;
    let (parts, whole): (Vec<_>, Vec<_>) = lines.iter().partition(|line| verdicts.on(line) == Verdict::Part);
    let count = |status| whole.iter().filter(|line| line.status() == status).count().to_string();
    let uncertain = whole.iter().filter(|line| !line.certain()).count();
    let mut figures = vec![
        ("obligations", lines.len().to_string()),
        ("fulfilled", count(Status::Fulfilled)),
        ("not fulfilled", count(Status::NotFulfilled)),
    ];
    if 0 < uncertain {
        figures.push(("unknown time could turn", uncertain.to_string()));
    }
    if !parts.is_empty() {
        figures.push(("of some days only", parts.len().to_string()));
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
        // Of a month that is seen in part nothing is said.
        let (parts, whole): (Vec<&MonthLine>, Vec<&MonthLine>) =
            own.iter().partition(|line| verdicts.on(line) == Verdict::Part);
        let failing = whole.iter().filter(|line| line.status() == Status::NotFulfilled).count();
        let lost = picture.makers.get(name).map(|maker| &maker.lost);
        let total = lost.map_or(Micros::ZERO, Lost::total);
        let maker = verdicts.makers.iter().find(|maker| maker.market_maker == name);
        let row = MakerRow {
            name: name.to_owned(),
            obligations: own.len() - parts.len(),
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

fn unfold(
    line: &MonthLine,
    verdict: Verdict,
    own: &LinePicture,
    picture: &MonthPicture,
    day_pages: DayPages<'_>,
) -> Unfolded {
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
        [part(&start, 0, 10), times, hours(outage.length()), outage.main_reason.clone().into()]
    };
    Unfolded {
        id: anchor_id(line),
        heading: format!("{} in {}{}", line.key.market_maker, line.key.issue, of_obligation(&line.key.obligation)),
        verdict: verdict.as_str(),
        class: match verdict {
            Verdict::Status(Status::NotFulfilled) | Verdict::NotCertain => "failing",
            Verdict::Status(Status::Fulfilled | Status::NotApplicable) => "",
            Verdict::Part => "part",
        },
        share: format!("{} % of {} % required", share(line), required(line.required_pct)),
        lost: hours(lost),
        reasons: reasons.join(", "),
        outages: count(own.outages.count, "outage"),
        worst: own.outages.longest.iter().map(outage).collect(),
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
    let shade = Shade::of_day(day.total, line.required_pct);
    let session = |span: &quoteclock_model::Span| {
        let last = quoteclock_model::Timestamp::from_micros(span.end.as_micros() - 1);
        let (from, to) = (column(frame.shown, span.start), column(frame.shown, last));
        let width = to - from + 1;
        format!("M{from} 0h{width}v14h-{width}z")
    };
    Some(UnfoldedDay {
        date: date.to_string(),
        link,
        share: percent.map_or_else(|| format!("–{}", shade.sign()), |percent| format!("{percent} %{}", shade.sign())),
        class: shade.class(),
        lost: hours(lost_time(day.total)),
        unknown: if day.total.unknown == Micros::ZERO { String::new() } else { hours(day.total.unknown) },
        sessions: frame.sessions.iter().map(session).collect(),
        breaches: day.strip.as_ref().map_or_else(String::new, |strip| strip.path(14)),
    })
}

fn of_obligation(obligation: &ObligationId) -> String {
    if *obligation == ObligationId::GENERAL { String::new() } else { format!(", {obligation}") }
}

#[cfg(test)]
mod tests;
