//! The outputs of the rule sets: their columns, and where each takes its value from.

use crate::feeders::{Candidate, Pair};
use crate::inclusion::{Asked, Inclusion, Usd, Weight};
use crate::stock_connect::{Figure, Review, ReviewDates};
use crate::{Decimal, Missing, inclusion, licences, stock_connect};
use quoteclock_rows::{Align, Column, Decimals, Table, Unit};
use std::borrow::Cow;
use std::fmt::Display;

/// Text of a value.
fn text<'a>(value: impl Display) -> Option<Cow<'a, str>> {
    Some(value.to_string().into())
}

/// Text of several values, or nothing of none.
fn list<'a>(values: &[impl Display]) -> Option<Cow<'a, str>> {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(";").into())
}

/// Several values where people read them: a space after each, so that a narrow terminal can break the line.
fn listed<'a>(values: &[impl Display]) -> Cow<'a, str> {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join("; ").into()
}

/// What is missing, where people read it.
fn needed_shown<'a>(missing: &Missing) -> Cow<'a, str> {
    missing.to_string().replace(';', "; ").into()
}

fn needed<'a>(missing: &Missing) -> Option<Cow<'a, str>> {
    (!missing.is_empty()).then(|| missing.to_string().into())
}

/// Numbers of the files have 28 digits, and sums of what memory holds some more: 127 bits hold them.
fn signed(units: u128) -> Option<i128> {
    i128::try_from(units).ok()
}

fn percent(figure: &Figure<Decimal>) -> Option<i128> {
    signed(figure.as_ref().ok()?.units())
}

fn dollars(amount: Option<&Usd>) -> Option<i128> {
    amount?.hundredths().try_into().ok()
}

/// As a file writes a decimal of its own.
const EXACT: Decimals = Decimals::UpTo(10);
/// As amounts are rounded.
const CENTS: Decimals = Decimals::Fixed(2);

/// `dates.csv`: the three dates of a review.
pub struct Dates;

impl Table for Dates {
    type Row<'a> = (Review, &'a ReviewDates);
    const NAME: &'static str = "dates";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("review", |row| text(row.0)).shown("review"),
        Column::<Self>::date("cut_off", |row| row.1.cut_off).shown("cut-off"),
        Column::<Self>::date("announcement", |row| row.1.announcement).shown("announcement"),
        Column::<Self>::date("effective", |row| row.1.effective).shown("effective"),
        Column::<Self>::text("missing", |row| needed(&row.1.missing))
            .shown_as("missing", Align::Left, |row| needed_shown(&row.1.missing))
            .on_occasion(|row| !row.1.missing.is_empty()),
    ];
    const SHOWN: &'static [&'static str] = &["review", "cut_off", "announcement", "effective", "missing"];
}

/// `review.csv`: what a review decides of each ETF.
pub struct Reviews;

impl Table for Reviews {
    type Row<'a> = (Review, &'a stock_connect::Decision);
    const NAME: &'static str = "review";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("review", |row| text(row.0)),
        Column::<Self>::text("etf", |row| Some(row.1.etf.as_str().into())).shown("ETF"),
        Column::<Self>::text("status_before", |row| text(row.1.before)).shown("before"),
        Column::<Self>::text("status_after", |row| match row.1.after {
            Some(status) => text(status),
            None => Some("undecided".into()),
        })
        .shown("after"),
        Column::<Self>::text("reasons", |row| list(&row.1.reasons))
            .shown_as("reasons", Align::Left, |row| listed(&row.1.reasons)),
        Column::<Self>::decimal("aum_average_rmb", Unit::None, CENTS, |row| signed(row.1.aum_average?.count())),
        Column::<Self>::decimal("a_share_pct", Unit::Percent, EXACT, |row| percent(&row.1.figures.a_share)),
        Column::<Self>::decimal("northbound_pct", Unit::Percent, EXACT, |row| percent(&row.1.figures.northbound)),
        Column::<Self>::integer("constituents", Unit::Count, |row| {
            row.1.figures.constituents.as_ref().ok().and_then(|&count| count.try_into().ok())
        }),
        Column::<Self>::decimal("largest_pct", Unit::Percent, EXACT, |row| percent(&row.1.figures.largest)),
        Column::<Self>::decimal("top_five_pct", Unit::Percent, EXACT, |row| percent(&row.1.figures.top_five)),
        Column::<Self>::decimal("top_turnover_pct", Unit::Percent, EXACT, |row| percent(&row.1.figures.top_turnover)),
        Column::<Self>::text("missing", |row| needed(&row.1.missing))
            .shown_as("missing", Align::Left, |row| needed_shown(&row.1.missing))
            .on_occasion(|row| !row.1.missing.is_empty()),
    ];
    const SHOWN: &'static [&'static str] = &["etf", "status_before", "status_after", "reasons", "missing"];
}

/// `decisions.csv`: what becomes of each application for a licence.
pub struct Decisions;

impl Table for Decisions {
    type Row<'a> = &'a licences::Decision;
    const NAME: &'static str = "decisions";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("index", |row| Some(row.index.as_str().into())).shown("index"),
        Column::<Self>::text("application", |row| Some(row.application.as_str().into())).shown("application"),
        Column::<Self>::text("company", |row| Some(row.company.as_str().into())).shown("company"),
        Column::<Self>::text("decision", |row| text(row.outcome)).shown("decision"),
        Column::<Self>::integer("place", Unit::Count, |row| row.place?.try_into().ok()).shown("place"),
        Column::<Self>::date("free_from", |row| row.free_from)
            .shown("free from")
            .on_occasion(|row| row.free_from.is_some()),
        Column::<Self>::text("others", |row| list(&row.others))
            .shown_as("others", Align::Left, |row| listed(&row.others))
            .on_occasion(|row| !row.others.is_empty()),
        Column::<Self>::text("clauses", |row| list(&row.clauses))
            .shown_as("clauses", Align::Left, |row| listed(&row.clauses)),
        Column::<Self>::text("missing", |row| needed(&row.missing))
            .shown_as("missing", Align::Left, |row| needed_shown(&row.missing))
            .on_occasion(|row| !row.missing.is_empty()),
    ];
    const SHOWN: &'static [&'static str] =
        &["index", "application", "company", "decision", "place", "free_from", "others", "clauses", "missing"];
}

/// `allocations.csv`: how much of China A shares is added to each index.
pub struct Allocations;

impl Table for Allocations {
    type Row<'a> = (&'a Asked, &'a Inclusion);
    const NAME: &'static str = "allocations";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("index", |row| Some(row.1.index.as_str().into())).shown("index"),
        Column::<Self>::text("allocation", |row| text(row.0)).shown("allocation"),
        Column::<Self>::decimal("quota_usd", Unit::Dollars, CENTS, |row| dollars(row.1.quota.as_ref()))
            .shown("quota USD")
            .on_occasion(|row| row.1.quota.is_some()),
        Column::<Self>::decimal("china_a_usd", Unit::Dollars, EXACT, |row| signed(row.1.china_a?.units()))
            .shown("China A USD"),
        Column::<Self>::decimal("added_usd", Unit::Dollars, CENTS, |row| dollars(row.1.added.as_ref()))
            .shown("added USD"),
        Column::<Self>::text("clauses", |row| list(&row.1.clauses))
            .shown_as("clauses", Align::Left, |row| listed(&row.1.clauses)),
        Column::<Self>::text("missing", |row| needed(&row.1.missing))
            .shown_as("missing", Align::Left, |row| needed_shown(&row.1.missing))
            .on_occasion(|row| !row.1.missing.is_empty()),
    ];
    const SHOWN: &'static [&'static str] =
        &["index", "allocation", "quota_usd", "china_a_usd", "added_usd", "clauses", "missing"];
}

/// `weights.csv`: what each country is of an index, before and after.
pub struct Weights;

impl Table for Weights {
    type Row<'a> = (&'a str, &'a Weight);
    const NAME: &'static str = "weights";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("index", |row| Some(row.0.into())).shown("index"),
        Column::<Self>::text("country", |row| Some(row.1.country.as_str().into())).shown("country"),
        Column::<Self>::decimal("before_pct", Unit::Percent, Decimals::Fixed(4), |row| ten_thousandths(row.1.before))
            .shown("before %"),
        Column::<Self>::decimal("after_pct", Unit::Percent, Decimals::Fixed(4), |row| ten_thousandths(row.1.after))
            .shown("after %"),
    ];
    const SHOWN: &'static [&'static str] = &["index", "country", "before_pct", "after_pct"];
}

fn ten_thousandths(weight: Option<inclusion::TenThousandths>) -> Option<i128> {
    Some(weight?.0.into())
}

/// `pairs.csv`: the feeders and their targets.
pub struct Pairs;

impl Table for Pairs {
    type Row<'a> = &'a Pair;
    const NAME: &'static str = "pairs";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("market", |row| text(row.feeder.market)).shown("market"),
        Column::<Self>::text("issue", |row| Some(row.feeder.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("target_market", |row| text(row.feeder.target_market)).shown("target market"),
        Column::<Self>::text("target", |row| Some(row.feeder.target.as_str().into())).shown("target"),
        Column::<Self>::text("index", |row| row.feeder.index.as_deref().map(Cow::Borrowed))
            .shown("index")
            .on_occasion(|row| row.feeder.index.is_some()),
        Column::<Self>::text("programme", |row| text(row.feeder.programme)).shown("programme"),
        Column::<Self>::date("from", |row| row.feeder.period.from)
            .shown("from")
            .on_occasion(|row| row.feeder.period.from.is_some()),
        Column::<Self>::date("to", |row| row.feeder.period.to)
            .shown("to")
            .on_occasion(|row| row.feeder.period.to.is_some()),
        Column::<Self>::text("missing", |row| needed(&row.missing))
            .shown_as("missing", Align::Left, |row| needed_shown(&row.missing))
            .on_occasion(|row| !row.missing.is_empty()),
    ];
    const SHOWN: &'static [&'static str] =
        &["market", "issue", "target_market", "target", "index", "programme", "from", "to", "missing"];
}

/// `candidates.csv`: days that may be exempted, as `exemptions.csv` of the registry has them.
pub struct Candidates;

impl Table for Candidates {
    type Row<'a> = &'a Candidate;
    const NAME: &'static str = "candidates";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("issue", |row| Some(row.issue.as_str().into())).shown("issue"),
        // Whoever makes a market in the issue.
        Column::<Self>::text("market_maker", |_| None),
        Column::<Self>::text("from", |row| text(row.from())).shown("from"),
        Column::<Self>::text("to", |row| text(row.to())).shown("to"),
        Column::<Self>::text("reason", |row| text(row.reason())).shown("reason"),
    ];
    const SHOWN: &'static [&'static str] = &["issue", "from", "to", "reason"];
}
