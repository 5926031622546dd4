//! What follows from a month in money: `incentives.csv`, `conditions.csv`, `tiers.csv`, `recommendations.csv` and
//! `payments.csv`.

use quoteclock_incentive::{
    BasisAndRate, ConditionLine, IncentiveLine, Month, PaymentLine, RecommendationLine, TierLine,
};
use quoteclock_rows::{Align, Column, Decimals, Table, Unit};
use std::borrow::Cow;

/// A line of a month.
#[derive(Debug)]
pub struct OfMonth<'a, T> {
    /// The month.
    pub month: Month,
    /// The line.
    pub line: &'a T,
}

impl<'a, T> OfMonth<'a, T> {
    /// All of `lines`.
    pub fn all(month: Month, lines: &'a [T]) -> impl Iterator<Item = OfMonth<'a, T>> {
        lines.iter().map(move |line| OfMonth { month, line })
    }

    #[expect(clippy::unnecessary_wraps, reason = "a column may be empty")]
    fn month(&self) -> Option<Cow<'static, str>> {
        Some(self.month.to_string().into())
    }
}

/// An amount as columns have it. Nothing that is paid comes near the limit.
fn number(amount: u128) -> i128 {
    i128::try_from(amount).unwrap_or(i128::MAX)
}

const AMOUNT: Decimals = Decimals::UpTo(4);

/// A word of the files as people read it, with room to break a line.
fn in_words(text: &str) -> String {
    text.replace('_', " ").replace(';', "; ")
}

/// `incentives.csv`: one line for each market maker, participant, issue and incentive.
#[derive(Debug)]
pub struct Incentives;

impl Table for Incentives {
    type Row<'a> = OfMonth<'a, IncentiveLine>;
    const NAME: &'static str = "incentives";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| row.month()),
        Column::<Self>::text("market_maker", |row| Some(row.line.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::text("participant", |row| row.line.participant.as_deref().map(Into::into)).shown("participant"),
        Column::<Self>::text("issue", |row| Some(row.line.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("tier", |row| row.line.tier.map(|tier| tier.as_str().into())).shown("tier"),
        Column::<Self>::text("incentive", |row| Some(row.line.incentive.as_str().into())).shown_as(
            "incentive",
            Align::Left,
            |row| in_words(row.line.incentive.as_str()).into(),
        ),
        Column::<Self>::decimal("basis", Unit::None, AMOUNT, |row| {
            Some(match row.line.basis {
                BasisAndRate::Value(value, _) => number(value.0),
                BasisAndRate::Orders(count, _) => number(u128::from(count) * 10_000),
            })
        })
        .shown("basis"),
        Column::<Self>::decimal("rate", Unit::None, AMOUNT, |row| match row.line.basis {
            BasisAndRate::Value(_, rate) => rate.map(|rate| i128::from(rate.0)),
            BasisAndRate::Orders(_, fee) => Some(number(fee.0)),
        })
        .shown("rate"),
        Column::<Self>::integer("amount_jpy", Unit::Yen, |row| row.line.amount_yen.map(number)).shown("amount JPY"),
        Column::<Self>::text("clause", |row| Some(row.line.incentive.clause().into())),
    ];
    const SHOWN: &'static [&'static str] =
        &["market_maker", "participant", "issue", "tier", "incentive", "basis", "rate", "amount_jpy"];
}

/// `conditions.csv`: one line for each condition, issue and measured market maker.
#[derive(Debug)]
pub struct Conditions;

impl Table for Conditions {
    type Row<'a> = OfMonth<'a, ConditionLine>;
    const NAME: &'static str = "conditions";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| row.month()),
        Column::<Self>::text("condition", |row| Some(row.line.obligation().into())).shown("condition"),
        Column::<Self>::text("issue", |row| Some(row.line.issue.as_str().into())).shown("issue"),
        Column::<Self>::text("market_maker", |row| Some(row.line.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::text("status", |row| Some(row.line.status.as_str().into())).shown_as(
            "status",
            Align::Left,
            |row| in_words(row.line.status.as_str()).into(),
        ),
        Column::<Self>::integer("place", Unit::Count, |row| row.line.place.map(Into::into)).shown("place"),
        Column::<Self>::integer("executed_quantity", Unit::Shares, |row| Some(number(row.line.executed_quantity))),
        Column::<Self>::decimal("trading_value_jpy", Unit::Yen, AMOUNT, |row| Some(number(row.line.trading_value.0))),
        Column::<Self>::integer("amount_jpy", Unit::Yen, |row| row.line.payout.map(|paid| number(paid.amount_yen)))
            .shown("amount JPY"),
        Column::<Self>::integer("by_exchange_jpy", Unit::Yen, |row| {
            row.line.payout.map(|paid| number(paid.by_exchange_yen))
        }),
        Column::<Self>::integer("by_asset_manager_jpy", Unit::Yen, |row| {
            row.line.payout.map(|paid| number(paid.by_asset_manager_yen))
        }),
        Column::<Self>::text("note", |row| Some(row.line.note().into()))
            .shown_as("note", Align::Left, |row| in_words(&row.line.note()).into()),
    ];
    const SHOWN: &'static [&'static str] =
        &["condition", "issue", "market_maker", "status", "place", "amount_jpy", "note"];
}

/// `tiers.csv`: the review in force in a month, one line for each issue.
#[derive(Debug)]
pub struct Tiers;

impl Table for Tiers {
    type Row<'a> = &'a TierLine;
    const NAME: &'static str = "tiers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("issue", |row| Some(row.issue.as_str().into())).shown("issue"),
        Column::<Self>::date("measured_from", |row| Some(*row.review.measured.start())).shown("measured from"),
        Column::<Self>::date("measured_to", |row| Some(*row.review.measured.end())).shown("to"),
        Column::<Self>::integer("days", Unit::Count, |row| Some(row.measured.days.into())).shown("days"),
        Column::<Self>::integer("average_value_jpy", Unit::Yen, |row| row.measured.average_yen().map(number))
            .shown("average JPY"),
        Column::<Self>::text("tier", |row| row.tier.map(|tier| tier.as_str().into())).shown("tier"),
        Column::<Self>::date("in_force_from", |row| Some(*row.review.in_force.start())).shown("in force from"),
        Column::<Self>::date("in_force_to", |row| Some(*row.review.in_force.end())).shown("to"),
    ];
    const SHOWN: &'static [&'static str] =
        &["issue", "measured_from", "measured_to", "days", "average_value_jpy", "tier", "in_force_from", "in_force_to"];
}

/// `recommendations.csv`: what staff may want to look at.
#[derive(Debug)]
pub struct Recommendations;

impl Table for Recommendations {
    type Row<'a> = OfMonth<'a, RecommendationLine>;
    const NAME: &'static str = "recommendations";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| row.month()),
        Column::<Self>::text("market_maker", |row| Some(row.line.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::text("issue", |row| row.line.issue.as_ref().map(|issue| issue.as_str().into())).shown("issue"),
        Column::<Self>::text("recommendation", |row| Some(row.line.recommendation.as_str().into())).shown_as(
            "recommendation",
            Align::Left,
            |row| in_words(row.line.recommendation.as_str()).into(),
        ),
        Column::<Self>::text("figure", |row| Some(row.line.figure.to_string().into())).shown("figure"),
        Column::<Self>::text("clause", |row| Some(row.line.recommendation.clause().into())).shown("clause"),
    ];
    const SHOWN: &'static [&'static str] = &["market_maker", "issue", "recommendation", "figure", "clause"];
}

/// `payments.csv`: what each market maker and participant is paid in all.
#[derive(Debug)]
pub struct Payments;

impl Table for Payments {
    type Row<'a> = OfMonth<'a, PaymentLine>;
    const NAME: &'static str = "payments";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("month", |row| row.month()),
        Column::<Self>::text("market_maker", |row| Some(row.line.market_maker.as_str().into())).shown("market maker"),
        Column::<Self>::text("participant", |row| row.line.participant.as_deref().map(Into::into)).shown("participant"),
        Column::<Self>::integer("trading_value_jpy", Unit::Yen, |row| Some(number(row.line.trading_value_yen)))
            .shown("trading value"),
        Column::<Self>::integer("access_fee_jpy", Unit::Yen, |row| Some(number(row.line.access_fee_yen)))
            .shown("access fee"),
        Column::<Self>::integer("sponsored_jpy", Unit::Yen, |row| Some(number(row.line.sponsored_yen)))
            .shown("sponsored"),
        Column::<Self>::integer("matching_jpy", Unit::Yen, |row| Some(number(row.line.matching_yen))).shown("matching"),
        Column::<Self>::integer("server_waiver_jpy", Unit::Yen, |row| Some(number(row.line.server_waiver_yen)))
            .shown("servers")
            .gives_way(1),
        Column::<Self>::integer("total_jpy", Unit::Yen, |row| Some(number(row.line.total_yen()))).shown("total JPY"),
    ];
    const SHOWN: &'static [&'static str] = &[
        "market_maker",
        "participant",
        "trading_value_jpy",
        "access_fee_jpy",
        "sponsored_jpy",
        "matching_jpy",
        "server_waiver_jpy",
        "total_jpy",
    ];
}
