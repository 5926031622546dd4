//! Several obligations of one market maker at once: what each has lost, and where the lost time is. Of a day, from its
//! explanations; of a month, from what is stored of it.

use crate::format::{clock, duration, grouped, partial, share, spread, state_name};
use crate::lost::{Lost, LostJson};
use crate::text::Page;
use crate::view::View;
use crate::{Explanation, Outage};
use jiff::civil::Date;
use quoteclock_ledger::Total;
use quoteclock_report::columns::{self, WithTimes};
use quoteclock_report::{Style, wrap};
use quoteclock_rows::{Align, Column, Decimals, JsonRow, Table, Unit, json_rows, text_table};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// What one obligation has lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LostLine {
    /// The issue's code.
    pub issue: String,
    /// The obligation.
    pub obligation: String,
    /// Its times.
    pub total: Total,
    /// The share of the month's time that it requires, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// Breaches.
    pub breach_count: u64,
    /// Breaches without a pause between them as one.
    pub outage_count: u64,
    /// Where the lost time is.
    pub lost: Lost,
}

impl LostLine {
    /// That of a day that is explained.
    fn of(explanation: &Explanation) -> LostLine {
        let subject = &explanation.subject;
        LostLine {
            issue: subject.issue.clone(),
            obligation: subject.obligation.to_string(),
            total: explanation.total,
            required_pct: subject.required_pct,
            breach_count: explanation.breach_count as u64,
            outage_count: explanation.outage_count as u64,
            lost: explanation.lost.clone(),
        }
    }
}

impl WithTimes for &LostLine {
    fn total(&self) -> Total {
        self.total
    }
}

/// What the obligations of one market maker have lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The market maker.
    pub market_maker: String,
    /// A month or a date, as it is written.
    pub period: String,
    /// The obligations, those that have lost most first.
    pub lines: Vec<LostLine>,
    /// All of them together.
    pub lost: Lost,
    /// The dates measured.
    pub days_measured: Vec<Date>,
    /// Trading days that are not.
    pub days_missing: Vec<Date>,
    /// Of a month: the dates that are measured, but not to their end.
    pub days_partial: Vec<Date>,
    /// Of a day that is not: what it is told by.
    partial: Option<String>,
}

impl Summary {
    /// Of `lines` in any order.
    pub fn new(market_maker: &str, period: String, mut lines: Vec<LostLine>) -> Summary {
        let mut lost = Lost::default();
        lines.iter().for_each(|line| lost.add_all(&line.lost));
        lines.sort_by(|one, other| {
            let key =
                |line: &LostLine| (std::cmp::Reverse(line.lost.total), line.issue.clone(), line.obligation.clone());
            key(one).cmp(&key(other))
        });
        let market_maker = market_maker.to_owned();
        Summary {
            market_maker,
            period,
            lines,
            lost,
            days_measured: Vec::new(),
            days_missing: Vec::new(),
            days_partial: Vec::new(),
            partial: None,
        }
    }

    /// Of one day.
    ///
    /// # Panics
    /// If there is no explanation: a question has one answer at least.
    pub fn of_day(explanations: &[Explanation]) -> Summary {
        let (maker, date) = explanations
            .first()
            .map(|first| (first.subject.market_maker.clone(), first.plan.date))
            .expect("a question has an answer at least");
        let mut summary = Summary::new(&maker, date.to_string(), explanations.iter().map(LostLine::of).collect());
        summary.days_measured = vec![date];
        summary.partial = explanations.first().and_then(partial);
        summary
    }
}

/// What each obligation has lost: the first table, and the JSON.
#[derive(Debug)]
pub struct LostTimes;

impl Table for LostTimes {
    type Row<'a> = &'a LostLine;
    const NAME: &'static str = "obligations";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("issue", |line| Some(line.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("obligation", |line| Some(line.obligation.as_str().into())).shown("obligation"),
        columns::available_us(),
        columns::fulfilled_us(),
        columns::unknown_us(),
        columns::display_pct_of::<Self>().shown("display %"),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |line| {
            Some(line.required_pct.into())
        })
        .shown("required %"),
        Column::<Self>::integer("lost_us", Unit::Micros, |line| Some(line.lost.total.0.into())).shown_as(
            "lost",
            Align::Right,
            |line| duration(line.lost.total).into(),
        ),
        Column::<Self>::integer("outages", Unit::Count, |line| Some(line.outage_count.into())).shown("outages"),
        Column::<Self>::integer("breaches", Unit::Count, |line| Some(line.breach_count.into())),
        Column::<Self>::text("main_reason", |line| line.lost.reasons().first().map(|(reason, _)| (*reason).into()))
            .shown_as("main reason", Align::Left, |line| main_reason(line)),
    ];
    const SHOWN: &'static [&'static str] =
        &["issue", "obligation", "display_pct", "required_pct", "lost_us", "outages", "main_reason"];
}

fn main_reason(line: &LostLine) -> Cow<'_, str> {
    match line.lost.reasons().first() {
        Some((reason, lost)) => format!("{reason} {}", share(*lost, line.lost.total)).into(),
        None => "".into(),
    }
}

/// A part of the lost time.
struct LostRow<'a> {
    name: String,
    lost: quoteclock_model::Micros,
    of: &'a Lost,
}

/// Where the lost time is.
struct Parts;

/// So many signs stand for all of the lost time.
const BAR: u64 = 24;

impl Table for Parts {
    type Row<'a> = LostRow<'a>;
    const NAME: &'static str = "lost";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("name", |part| Some(part.name.as_str().into())).shown("lost by"),
        Column::<Self>::integer("lost_us", Unit::Micros, |part| Some(part.lost.0.into())).shown_as(
            "time",
            Align::Right,
            |part| duration(part.lost).into(),
        ),
        Column::<Self>::text("share", |part| Some(share(part.lost, part.of.total).into())).shown_as(
            "share",
            Align::Right,
            |part| share(part.lost, part.of.total).into(),
        ),
        Column::<Self>::text("bar", |part| {
            let signs = u128::from(part.lost.0) * u128::from(BAR) / u128::from(part.of.total.0.max(1));
            Some("#".repeat(usize::try_from(signs).unwrap_or(0)).into())
        })
        .shown(""),
    ];
    const SHOWN: &'static [&'static str] = &["name", "lost_us", "share", "bar"];
}

fn parts_tables(lost: &Lost, style: Style) -> String {
    let part = |name: String, time| LostRow { name, lost: time, of: lost };
    let reasons: Vec<LostRow<'_>> =
        lost.reasons().into_iter().map(|(reason, time)| part(reason.to_owned(), time)).collect();
    let days: Vec<LostRow<'_>> = lost.by_day.iter().map(|(day, &time)| part(day.to_string(), time)).collect();
    let hour = |hour: &u8| format!("{hour:02}:00 to {:02}:00", hour + 1);
    let hours: Vec<LostRow<'_>> = lost.by_hour.iter().map(|(name, &time)| part(hour(name), time)).collect();
    let tables = [reasons, days, hours];
    let shown = tables.iter().filter(|table| !table.is_empty());
    shown.map(|table| format!("\n{}", text_table::<Parts>(table, style))).collect()
}

/// The summary as text, for a terminal of `style`.
pub fn render_summary(summary: &Summary, style: Style) -> String {
    let Summary { market_maker, period, lines, lost, .. } = summary;
    let outages: u64 = lines.iter().map(|line| line.outage_count).sum();
    let mut text = format!("{period}  {market_maker}\n");
    if let Some(partial) = &summary.partial {
        text.push_str(&wrap(partial, style.width));
    }
    let said = format!("lost {} in {} outages of {} obligations", duration(lost.total), grouped(outages), lines.len());
    text.push_str(&wrap(&said, style.width));
    text.push('\n');
    text.push_str(&text_table::<LostTimes>(&lines.iter().collect::<Vec<_>>(), style));
    text.push_str(&parts_tables(lost, style));
    text
}

/// A state at the instant asked for.
struct States;

impl Table for States {
    type Row<'a> = &'a Explanation;
    const NAME: &'static str = "states";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("issue", |row| Some(row.subject.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("obligation", |row| Some(row.subject.obligation.to_string().into())).shown("obligation"),
        Column::<Self>::text("state", |row| row.moment.as_ref().map(|moment| state_name(moment.state()).into()))
            .shown("state"),
        Column::<Self>::text("since", |row| {
            row.moment.as_ref().map(|moment| clock(moment.stretch.interval.start, &row.plan).into())
        })
        .shown("since"),
        Column::<Self>::text("spread", |row| row.moment.as_ref().map(|moment| spread_of(row, moment).into()))
            .shown("spread"),
    ];
    const SHOWN: &'static [&'static str] = &["issue", "obligation", "state", "since", "spread"];
}

fn spread_of(explanation: &Explanation, moment: &crate::Moment) -> String {
    let view = View::new(&moment.scene, &explanation.subject);
    match &view.spread {
        Some(of) => {
            let [ticks, bps, _] = spread(of, &view.limits);
            format!("{ticks}, {bps}")
        }
        None => "none".to_owned(),
    }
}

/// The explanations of one market maker's day together: a table, and the longest `outages_max` outages of all.
pub fn render_day(explanations: &[Explanation], outages_max: usize, style: Style) -> String {
    if let [only] = explanations {
        return crate::render_text(only, style);
    }
    let asked: Vec<&Explanation> = explanations.iter().filter(|explanation| explanation.moment.is_some()).collect();
    if let Some(moment) = asked.first().and_then(|first| first.moment.as_ref()) {
        let Explanation { plan, subject, .. } = asked[0];
        let heading = format!("{}  {}  {}\n", plan.date, subject.market_maker, clock(moment.scene.at, plan));
        let partial = partial(asked[0]).map_or(String::new(), |partial| wrap(&partial, style.width));
        return format!("{heading}{partial}\n{}", text_table::<States>(&asked, style));
    }
    let mut text = render_summary(&Summary::of_day(explanations), style);
    let mut outages: Vec<(&Explanation, &Outage)> =
        explanations.iter().flat_map(|of| of.outages.iter().map(move |outage| (of, outage))).collect();
    outages.sort_by_key(|(_, outage)| (std::cmp::Reverse(outage.length()), outage.span.start));
    let all: usize = explanations.iter().map(|of| of.outage_count).sum();
    outages.truncate(outages_max);
    if !outages.is_empty() {
        text.push_str(&format!("\nthe longest {} of {} outages\n", outages.len(), grouped(all)));
    }
    for (number, (explanation, outage)) in (1..).zip(outages) {
        text.push_str(&format!("\n{}  {}", explanation.subject.issue, explanation.subject.obligation));
        text.push_str(&Page::of_outage(explanation, outage, number, style));
    }
    text
}

#[derive(Serialize)]
struct SummaryJson<'a> {
    schema: u32,
    period: &'a str,
    market_maker: &'a str,
    obligations: Vec<JsonRow<'a, LostTimes>>,
    lost: LostJson,
    days_measured: Vec<String>,
    days_missing: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days_partial: Vec<String>,
    /// Of a day: each obligation explained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explanations: Vec<crate::json::Document<'a>>,
}

/// The summary as one JSON document.
///
/// # Errors
/// Those of `to`.
pub fn write_summary_json(summary: &Summary, to: impl Write) -> io::Result<()> {
    write_document(summary, Vec::new(), to)
}

/// The explanations of one market maker's day as one JSON document.
///
/// # Errors
/// Those of `to`.
pub fn write_day_json(explanations: &[Explanation], to: impl Write) -> io::Result<()> {
    if let [only] = explanations {
        return crate::write_json(only, to);
    }
    let documents = explanations.iter().map(crate::json::Document::new).collect::<io::Result<_>>()?;
    write_document(&Summary::of_day(explanations), documents, to)
}

fn write_document(
    summary: &Summary,
    explanations: Vec<crate::json::Document<'_>>,
    mut to: impl Write,
) -> io::Result<()> {
    let document = SummaryJson {
        schema: crate::json::SCHEMA,
        period: &summary.period,
        market_maker: &summary.market_maker,
        obligations: json_rows(summary.lines.iter()),
        lost: LostJson::of(&summary.lost),
        days_measured: summary.days_measured.iter().map(Date::to_string).collect(),
        days_missing: summary.days_missing.iter().map(Date::to_string).collect(),
        days_partial: summary.days_partial.iter().map(Date::to_string).collect(),
        explanations,
    };
    serde_json::to_writer_pretty(&mut to, &document)?;
    writeln!(to)
}
