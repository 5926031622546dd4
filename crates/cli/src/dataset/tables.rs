//! The tables of a dataset, and their rows.

use jiff::tz::TimeZone;
use quoteclock_ledger::{Breach, DayLedger, DisplayPercent, Outage, Total, outages as outages_of};
use quoteclock_model::{ByCounterparty, DayTurnover, Executed, IssueCode, MarketTurnover, Span, Turnover};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rows::{Column, Decimals, Local, Table, Unit};
use quoteclock_rules::{DayPlan, ObligationPlan, SignUpPlan};

/// One obligation of a sign-up.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    sign_up: &'a SignUpPlan,
    obligation: &'a ObligationPlan,
}

fn keys<'a>(plan: &'a DayPlan) -> impl Iterator<Item = (Key<'a>, ObligationIndex)> {
    let of_sign_up =
        |sign_up: &'a SignUpPlan| sign_up.obligations.iter().map(move |obligation| Key { sign_up, obligation });
    plan.sign_ups.iter().flat_map(of_sign_up).zip((0..).map(ObligationIndex))
}

/// What each obligation came to.
pub(super) struct Daily;

pub(super) struct DailyRow<'a> {
    key: Key<'a>,
    total: Total,
}

pub(super) fn daily<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = DailyRow<'a>> {
    keys(plan).map(|(key, index)| DailyRow { key, total: ledger.total(index) })
}

impl Table for Daily {
    type Row<'a> = DailyRow<'a>;
    const NAME: &'static str = "daily";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("market_maker", |row| Some(row.key.sign_up.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.key.sign_up.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.key.obligation.id.to_string().into())),
        Column::integer("available_us", Unit::Micros, |row| Some(row.total.available.0.into())),
        Column::integer("fulfilled_us", Unit::Micros, |row| Some(row.total.fulfilled.0.into())),
        Column::integer("unknown_us", Unit::Micros, |row| Some(row.total.unknown.0.into())),
        Column::decimal("display_pct", Unit::Percent, Decimals::Fixed(4), |row| {
            DisplayPercent::of(row.total.fulfilled, row.total.available).map(|share| share.ten_thousandths().into())
        }),
        Column::decimal("required_pct", Unit::Percent, Decimals::Fixed(4), |row| {
            Some(row.key.obligation.required.pct.into())
        }),
        Column::integer("multiplier", Unit::None, |row| Some(row.key.obligation.multiplier.into())),
        Column::integer("leveraged_inverse", Unit::None, |row| Some(row.key.sign_up.leveraged_inverse.into())),
    ];
}

/// Every stretch in which an obligation was not fulfilled for one reason.
pub(super) struct Breaches;

pub(super) struct BreachRow<'a> {
    key: Key<'a>,
    zone: &'a TimeZone,
    breach: Breach,
}

pub(super) fn breaches<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = BreachRow<'a>> {
    let zone = &plan.zone;
    keys(plan)
        .flat_map(move |(key, index)| ledger.breaches(index).iter().map(move |&breach| BreachRow { key, zone, breach }))
}

fn duration(span: Span) -> Option<i128> {
    Some(span.end.since(span.start).0.into())
}

impl Table for Breaches {
    type Row<'a> = BreachRow<'a>;
    const NAME: &'static str = "breaches";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("market_maker", |row| Some(row.key.sign_up.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.key.sign_up.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.key.obligation.id.to_string().into())),
        Column::instant("start", |row| Some(Local { at: row.breach.span.start, zone: row.zone })),
        Column::instant("end", |row| Some(Local { at: row.breach.span.end, zone: row.zone })),
        Column::integer("duration_us", Unit::Micros, |row| duration(row.breach.span)),
        Column::text("reason", |row| Some(row.breach.reason.as_str().into())),
    ];
}

/// Connected breaches as one.
pub(super) struct Outages;

pub(super) struct OutageRow<'a> {
    key: Key<'a>,
    zone: &'a TimeZone,
    outage: Outage,
}

pub(super) fn outages<'a>(plan: &'a DayPlan, ledger: &'a DayLedger) -> impl Iterator<Item = OutageRow<'a>> {
    let zone = &plan.zone;
    keys(plan).flat_map(move |(key, index)| {
        outages_of(ledger.breaches(index)).map(move |outage| OutageRow { key, zone, outage })
    })
}

impl Table for Outages {
    type Row<'a> = OutageRow<'a>;
    const NAME: &'static str = "outages";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("market_maker", |row| Some(row.key.sign_up.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.key.sign_up.issue.as_str().into())),
        Column::text("obligation", |row| Some(row.key.obligation.id.to_string().into())),
        Column::instant("start", |row| Some(Local { at: row.outage.span.start, zone: row.zone })),
        Column::instant("end", |row| Some(Local { at: row.outage.span.end, zone: row.zone })),
        Column::integer("duration_us", Unit::Micros, |row| duration(row.outage.span)),
        Column::text("reasons", |row| {
            let reasons = row.outage.reasons.iter().map(|(reason, length)| format!("{reason}:{}", length.0));
            Some(reasons.collect::<Vec<_>>().join(";").into())
        }),
    ];
}

/// What each sign-up traded and sent.
pub(super) struct Turnovers;

pub(super) struct TurnoverRow<'a> {
    sign_up: &'a SignUpPlan,
    turnover: &'a Turnover,
}

pub(super) fn turnovers<'a>(plan: &'a DayPlan, turnover: &'a DayTurnover) -> impl Iterator<Item = TurnoverRow<'a>> {
    let rows = plan.sign_ups.iter().zip(&turnover.sign_ups);
    rows.map(|(sign_up, turnover)| TurnoverRow { sign_up, turnover })
}

/// A value in ten-thousandths of a yen; none is larger than what 38 digits hold without an error where it is written.
fn value(executed: Executed) -> Option<i128> {
    Some(i128::try_from(executed.value.0).unwrap_or(i128::MAX))
}

fn shares(executed: Executed) -> Option<i128> {
    Some(i128::try_from(executed.quantity).unwrap_or(i128::MAX))
}

/// A column of values, and one of shares, by who the other side was and how it was traded.
macro_rules! executed {
    ($value:literal, $shares:literal, $trading:ident, $side:ident) => {
        [
            Column::<Turnovers>::decimal($value, Unit::Yen, Decimals::Fixed(4), |row| {
                value(row.turnover.$trading.$side)
            }),
            Column::<Turnovers>::decimal($shares, Unit::Shares, Decimals::Fixed(0), |row| {
                shares(row.turnover.$trading.$side)
            }),
        ]
    };
}

impl Table for Turnovers {
    type Row<'a> = TurnoverRow<'a>;
    const NAME: &'static str = "turnovers";
    const COLUMNS: &'static [Column<Self>] = &{
        let [c1, c2] =
            executed!("continuous_market_maker_value", "continuous_market_maker_shares", continuous, market_maker);
        let [c3, c4] = executed!("continuous_other_value", "continuous_other_shares", continuous, other);
        let [c5, c6] = executed!("continuous_unnamed_value", "continuous_unnamed_shares", continuous, unnamed);
        let [a1, a2] = executed!("auction_market_maker_value", "auction_market_maker_shares", auction, market_maker);
        let [a3, a4] = executed!("auction_other_value", "auction_other_shares", auction, other);
        let [a5, a6] = executed!("auction_unnamed_value", "auction_unnamed_shares", auction, unnamed);
        [
            Column::text("market_maker", |row| Some(row.sign_up.market_maker.as_str().into())),
            Column::text("issue", |row| Some(row.sign_up.issue.as_str().into())),
            Column::integer("order_count", Unit::Count, |row| Some(row.turnover.order_count.into())),
            c1,
            c2,
            c3,
            c4,
            c5,
            c6,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
        ]
    };
}

/// What the market traded in each issue.
pub(super) struct MarketTurnovers;

pub(super) struct MarketTurnoverRow<'a> {
    issue: &'a IssueCode,
    turnover: &'a MarketTurnover,
}

pub(super) fn market_turnovers(turnover: &DayTurnover) -> impl Iterator<Item = MarketTurnoverRow<'_>> {
    turnover.issues.iter().map(|(issue, turnover)| MarketTurnoverRow { issue, turnover })
}

impl Table for MarketTurnovers {
    type Row<'a> = MarketTurnoverRow<'a>;
    const NAME: &'static str = "market_turnovers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("issue", |row| Some(row.issue.as_str().into())),
        Column::decimal("continuous_value", Unit::Yen, Decimals::Fixed(4), |row| value(row.turnover.continuous)),
        Column::decimal("continuous_shares", Unit::Shares, Decimals::Fixed(0), |row| shares(row.turnover.continuous)),
        Column::decimal("auction_value", Unit::Yen, Decimals::Fixed(4), |row| value(row.turnover.auction)),
        Column::decimal("auction_shares", Unit::Shares, Decimals::Fixed(0), |row| shares(row.turnover.auction)),
    ];
}

/// The sums of a row of [`Turnovers`], from its numbers in the order of the columns.
pub(super) fn turnover_of(order_count: u64, sums: &[u128; 12]) -> Turnover {
    let executed = |at: usize| Executed { value: quoteclock_model::Amount(sums[at]), quantity: sums[at + 1] };
    let by = |at| ByCounterparty { market_maker: executed(at), other: executed(at + 2), unnamed: executed(at + 4) };
    Turnover { order_count, continuous: by(0), auction: by(6) }
}
