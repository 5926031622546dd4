//! The month: `monthly.csv`, `market_makers.csv`, and where each obligation stands in a month that is not over.

use crate::columns::{self, OfObligation, WithTimes};
use crate::format::{clock, percent_shown};
use quoteclock_incentive::{
    MakerLine, Month, MonthLine, Outlook, Prospect, SignUpMonth, Status, SystemStatus, sign_up_months,
};
use quoteclock_ledger::Total;
use quoteclock_model::Micros;
use quoteclock_rows::{Align, Column, Decimals, Table, Tone, Unit};
use std::borrow::Cow;

/// A row of `monthly.csv`.
#[derive(Clone, Copy, Debug)]
pub struct MonthlyRow<'a> {
    /// The month.
    pub month: Month,
    /// The obligation's line in it.
    pub line: &'a MonthLine,
    /// Whether all its trading days are stored: until then nothing is decided.
    pub is_over: bool,
}

/// `monthly.csv`: what each obligation of a month came to.
#[derive(Debug)]
pub struct Monthly;

impl Table for Monthly {
    type Row<'a> = MonthlyRow<'a>;
    const NAME: &'static str = "monthly";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| Some(row.month.to_string().into())),
        columns::market_maker::<Self>().shown("market maker"),
        columns::issue::<Self>().shown("issue"),
        columns::obligation::<Self>().shown("obligation"),
        columns::available_us::<Self>(),
        columns::fulfilled_us::<Self>(),
        columns::unknown_us::<Self>()
            .shown_as("unknown", Align::Right, |row| clock(row.line.total.unknown).into())
            .on_occasion(|row| row.line.total.unknown != Micros::ZERO),
        columns::display_pct_of::<Self>()
            .shown_as("display %", Align::Right, |row| percent_shown(row.line.total).into()),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| {
            Some(row.line.required_pct.into())
        })
        .shown("required %"),
        Column::<Self>::text("status", |row| Some(row.line.status().as_str().into()))
            .shown_as("status", Align::Left, |row| status(row).into())
            .toned(|row| match row.line.status() {
                _ if !row.line.certain() => Some(Tone::Doubtful),
                Status::Fulfilled => Some(Tone::Good),
                Status::NotFulfilled => Some(Tone::Bad),
                Status::NotApplicable => None,
            }),
        Column::<Self>::text("system_status", |row| {
            row.line.system_status().map(|status: SystemStatus| status.as_str().into())
        })
        .shown_as("system", Align::Left, |row| system(row.line)),
        Column::<Self>::integer("days_measured", Unit::Count, |row| Some(row.line.days_measured.into()))
            .shown_as("days", Align::Right, |row| {
                format!("{}/{}", row.line.days_measured, row.line.trading_days).into()
            })
            .gives_way(1),
        Column::<Self>::integer("trading_days", Unit::Count, |row| Some(row.line.trading_days.into())),
        Column::<Self>::text("certain", |row| Some(yes_no(row.line.certain()).into()))
            .shown("certain")
            .on_occasion(|row| row.line.total.unknown != Micros::ZERO),
    ];
    const SHOWN: &'static [&'static str] = &[
        "market_maker",
        "issue",
        "obligation",
        "display_pct",
        "required_pct",
        "status",
        "system_status",
        "days_measured",
        "unknown_us",
        "certain",
    ];
    const NAMES_SHOWN: usize = 2;
}

/// The status in words: of a month that is not over, what it would be.
fn status(row: &MonthlyRow<'_>) -> String {
    let status = row.line.status().as_str().replace('_', " ");
    if row.is_over || row.line.status() == Status::NotApplicable { status } else { format!("{status} so far") }
}

/// What the exchange's system shows, with a mark where it is judged by another share than the obligation.
fn system(line: &MonthLine) -> Cow<'static, str> {
    match line.system_status() {
        None => "-".into(),
        Some(SystemStatus::Ng) if line.status() == Status::Fulfilled => "NG *".into(),
        Some(status) => status.as_str().into(),
    }
}

/// What the mark beside a system status means; nothing where no line has one.
pub fn system_note<'a>(mut lines: impl Iterator<Item = &'a MonthLine>) -> Option<&'static str> {
    let is_marked =
        |line: &MonthLine| line.system_status() == Some(SystemStatus::Ng) && line.status() == Status::Fulfilled;
    lines.any(is_marked).then_some(
        "* the exchange's system asks 100 % of leveraged and inverse ETFs, to keep them from incentives; whether the \
         obligation is met is judged at the required share",
    )
}

/// A row of `market_makers.csv`.
#[derive(Clone, Copy, Debug)]
pub struct MakerRow<'a> {
    /// The month.
    pub month: Month,
    /// The market maker's line in it.
    pub maker: &'a MakerLine,
    /// Whether all trading days of the month are stored.
    pub is_over: bool,
}

/// `market_makers.csv`: what a month means for each market maker.
#[derive(Debug)]
pub struct MarketMakers;

impl Table for MarketMakers {
    type Row<'a> = MakerRow<'a>;
    const NAME: &'static str = "market_makers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| Some(row.month.to_string().into())),
        Column::<Self>::text("market_maker", |row| Some(row.maker.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::integer("etfs_fulfilled", Unit::Count, |row| Some(row.maker.etfs_fulfilled.into()))
            .shown("ETFs fulfilled"),
        Column::<Self>::integer("etfs_required", Unit::Count, |row| Some(row.maker.etfs_required.into()))
            .shown("required"),
        Column::<Self>::text("qualifies", |row| Some(yes_no(row.maker.qualifies()).into()))
            .shown_as("qualifies", Align::Left, |row| match (row.maker.qualifies(), row.is_over) {
                (qualifies, true) => yes_no(qualifies).into(),
                (true, false) => "so far".into(),
                (false, false) => "not yet".into(),
            })
            .toned(|row| match (row.maker.qualifies(), row.is_over) {
                (true, _) => Some(Tone::Good),
                (false, true) => Some(Tone::Bad),
                (false, false) => None,
            }),
        Column::<Self>::integer("free_servers", Unit::Count, |row| Some(row.maker.free_servers.into()))
            .shown("free servers"),
        Column::<Self>::integer("servers_registered", Unit::Count, |row| Some(row.maker.servers_registered.into()))
            .shown("registered"),
        Column::<Self>::text("server_participant", |row| row.maker.server_participant.as_deref().map(Into::into))
            .shown("participant")
            .gives_way(1),
        Column::<Self>::decimal("server_waiver_jpy", Unit::Yen, Decimals::Fixed(0), |row| {
            i128::try_from(row.maker.server_waiver_yen()).ok()
        })
        .shown("waiver JPY"),
    ];
    const SHOWN: &'static [&'static str] = &[
        "market_maker",
        "etfs_fulfilled",
        "etfs_required",
        "qualifies",
        "free_servers",
        "servers_registered",
        "server_participant",
        "server_waiver_jpy",
    ];
}

/// A row of `criteria.csv`.
#[derive(Clone, Copy, Debug)]
pub struct CriteriaRow<'a> {
    /// The month.
    pub month: Month,
    /// The sign-up in it.
    pub sign_up: SignUpMonth<'a>,
    /// Whether all its trading days are stored.
    pub is_over: bool,
}

impl<'a> CriteriaRow<'a> {
    /// Those of a month's lines, in order of their keys: of sign-ups that several criteria are asked of.
    pub fn all(month: Month, lines: &'a [MonthLine], is_over: bool) -> impl Iterator<Item = CriteriaRow<'a>> {
        let several = sign_up_months(lines).filter(|sign_up| sign_up.has_criteria());
        several.map(move |sign_up| CriteriaRow { month, sign_up, is_over })
    }
}

/// `criteria.csv`: what a sign-up's criteria come to together. There under a scheme that has criteria.
///
/// Clause: `XETRA/criteria`.
#[derive(Debug)]
pub struct Criteria;

impl Table for Criteria {
    type Row<'a> = CriteriaRow<'a>;
    const NAME: &'static str = "criteria";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| Some(row.month.to_string().into())),
        Column::<Self>::text("market_maker", |row| Some(row.sign_up.market_maker().into())).shown("market maker"),
        Column::<Self>::text("issue", |row| Some(row.sign_up.issue().as_str().into())).shown("issue"),
        Column::<Self>::integer("criteria", Unit::Count, |row| i128::try_from(row.sign_up.deciding().count()).ok())
            .shown("criteria"),
        Column::<Self>::integer("met", Unit::Count, |row| i128::try_from(row.sign_up.met()).ok()).shown("met"),
        Column::<Self>::integer("need", Unit::Count, |row| i128::try_from(row.sign_up.need()).ok()).shown("need"),
        Column::<Self>::text("status", |row| Some(row.sign_up.status().as_str().into()))
            .shown_as("status", Align::Left, |row| {
                let status = row.sign_up.status();
                let so_far = if row.is_over || status == Status::NotApplicable { "" } else { " so far" };
                format!("{}{so_far}", status.as_str().replace('_', " ")).into()
            })
            .toned(|row| match row.sign_up.status() {
                _ if !row.sign_up.certain() => Some(Tone::Doubtful),
                Status::Fulfilled => Some(Tone::Good),
                Status::NotFulfilled => Some(Tone::Bad),
                Status::NotApplicable => None,
            }),
        Column::<Self>::text("certain", |row| Some(yes_no(row.sign_up.certain()).into()))
            .shown("certain")
            .on_occasion(|row| !row.sign_up.certain()),
    ];
    const SHOWN: &'static [&'static str] = &["market_maker", "issue", "criteria", "met", "need", "status", "certain"];
}

/// A row of the month to date.
#[derive(Clone, Copy, Debug)]
pub struct StatusRow<'a> {
    /// The month.
    pub month: Month,
    /// Where the obligation stands.
    pub outlook: &'a Outlook,
    /// Whether spans are shown to the microsecond rather than in whole seconds.
    pub exact: bool,
}

/// `status`: where each obligation stands in a month that is not over.
#[derive(Debug)]
pub struct Statuses;

impl Table for Statuses {
    type Row<'a> = StatusRow<'a>;
    const NAME: &'static str = "status";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| Some(row.month.to_string().into())),
        columns::market_maker::<Self>().shown("market maker"),
        columns::issue::<Self>().shown("issue"),
        columns::obligation::<Self>().shown("obligation"),
        columns::available_us::<Self>()
            .shown_as("available", Align::Right, |row| row.span(row.outlook.total.available))
            .gives_way(1),
        columns::fulfilled_us::<Self>(),
        columns::unknown_us::<Self>()
            .shown_as("unknown", Align::Right, |row| row.span(row.outlook.total.unknown))
            .on_occasion(|row| row.outlook.total.unknown != Micros::ZERO)
            .gives_way(5),
        columns::display_pct_of::<Self>()
            .shown_as("display %", Align::Right, |row| percent_shown(row.outlook.total).into()),
        Column::<Self>::decimal("required_pct", Unit::Percent, Decimals::UpTo(4), |row| {
            Some(row.outlook.required_pct.into())
        })
        .shown("required %"),
        Column::<Self>::integer("days_measured", Unit::Count, |row| Some(row.outlook.days_measured.into())),
        Column::<Self>::integer("days_remaining", Unit::Count, |row| Some(row.outlook.days_remaining.into())),
        Column::<Self>::integer("remaining_us", Unit::Micros, |row| Some(row.outlook.remaining.0.into()))
            .shown_as("to come", Align::Right, |row| row.span(row.outlook.remaining))
            .gives_way(2),
        Column::<Self>::text("outlook", |row| Some(row.outlook.word().into()))
            .shown_as("outlook", Align::Left, |row| match row.outlook.prospect() {
                Prospect::Lost { short } if !row.exact => format!("lost by {}", row.span(short)).into(),
                _ => row.outlook.word().replace('_', " ").into(),
            })
            .toned(|row| match row.outlook.prospect() {
                Prospect::Safe => Some(Tone::Good),
                Prospect::Lost { .. } => Some(Tone::Bad),
                Prospect::Uncertain => Some(Tone::Doubtful),
                Prospect::Open { .. } if row.outlook.is_at_risk() => Some(Tone::Doubtful),
                Prospect::Open { .. } | Prospect::NotApplicable | Prospect::ByDays => None,
            }),
        Column::<Self>::integer("may_be_off_us", Unit::Micros, |row| row.outlook.slack().map(|span| span.0.into()))
            .shown_as("may be off", Align::Right, |row| match (row.outlook.prospect(), row.outlook.slack()) {
                // Beside the outlook there is no room for microseconds.
                (Prospect::Lost { short }, _) if row.exact => format!("-{}", row.span(short)).into(),
                (_, Some(span)) => row.span(span),
                (_, None) => "-".into(),
            }),
        Column::<Self>::integer("short_us", Unit::Micros, |row| match row.outlook.prospect() {
            Prospect::Lost { short } => Some(short.0.into()),
            _ => None,
        }),
        Column::<Self>::decimal("needed_pct", Unit::Percent, Decimals::Fixed(4), |row| {
            row.outlook.needed_pct().map(Into::into)
        })
        .shown("needed %")
        .gives_way(4),
        Column::<Self>::integer("may_be_off_a_day_us", Unit::Micros, |row| {
            row.outlook.may_be_off_a_day().map(|span| span.0.into())
        })
        .shown_as("a day", Align::Right, |row| {
            row.outlook.may_be_off_a_day().map_or_else(|| "-".into(), |span| row.span(span))
        })
        .gives_way(3),
    ];
    const SHOWN: &'static [&'static str] = &[
        "market_maker",
        "issue",
        "obligation",
        "display_pct",
        "required_pct",
        "needed_pct",
        "available_us",
        "unknown_us",
        "remaining_us",
        "may_be_off_us",
        "may_be_off_a_day_us",
        "outlook",
    ];
    const NAMES_SHOWN: usize = 2;
}

impl StatusRow<'_> {
    /// A span as people want it: whole seconds, rounded down, or exactly.
    fn span(&self, span: Micros) -> Cow<'static, str> {
        clock(if self.exact { span } else { Micros(span.0 / 1_000_000 * 1_000_000) }).into()
    }
}

/// Rows of the month stand for a line of it.
macro_rules! rows_of_the_month {
    ($($row:ident: $line:ident),*) => {$(
        impl OfObligation for $row<'_> {
            fn market_maker(&self) -> &str {
                &self.$line.key.market_maker
            }

            fn issue(&self) -> &str {
                self.$line.key.issue.as_str()
            }

            fn obligation(&self) -> Cow<'_, str> {
                self.$line.key.obligation.to_string().into()
            }
        }

        impl WithTimes for $row<'_> {
            fn total(&self) -> Total {
                self.$line.total
            }
        }
    )*};
}

rows_of_the_month!(MonthlyRow: line, StatusRow: outlook);

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
