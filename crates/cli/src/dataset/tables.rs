//! The tables of a dataset. Those of obligations have the rows of the CSV files, and their columns but the date: it stands in
//! the folder's name.

use quoteclock_model::{DayTurnover, Executed, IssueCode, MarketTurnover, Turnover};
use quoteclock_report::columns;
use quoteclock_report::rows::{self, BreachRow, DailyRow, OutageRow};
use quoteclock_rows::{Column, Decimals, Table, Unit};
use quoteclock_rules::{DayPlan, SignUpPlan};

/// What each obligation came to.
pub(super) struct Daily;

impl Table for Daily {
    type Row<'a> = DailyRow<'a>;
    const NAME: &'static str = "daily";
    const COLUMNS: &'static [Column<Self>] = &[
        columns::market_maker(),
        columns::issue(),
        columns::obligation(),
        columns::available_us(),
        columns::fulfilled_us(),
        columns::unknown_us(),
        columns::display_pct_of(),
        Column::decimal("required_pct", Unit::Percent, Decimals::Fixed(4), |row| {
            Some(row.key.obligation.required.pct.into())
        }),
        Column::integer("multiplier", Unit::None, |row| Some(row.key.obligation.multiplier.into())),
        Column::integer("leveraged_inverse", Unit::None, |row| Some(row.key.leveraged_inverse.into())),
    ];
}

/// Every stretch in which an obligation was not fulfilled for one reason.
pub(super) struct Breaches;

impl Table for Breaches {
    type Row<'a> = BreachRow<'a>;
    const NAME: &'static str = "breaches";
    const COLUMNS: &'static [Column<Self>] = &[
        columns::market_maker(),
        columns::issue(),
        columns::obligation(),
        columns::start(),
        columns::end(),
        columns::duration_us(),
        rows::reason(),
    ];
}

/// Connected breaches as one.
pub(super) struct Outages;

impl Table for Outages {
    type Row<'a> = OutageRow<'a>;
    const NAME: &'static str = "outages";
    const COLUMNS: &'static [Column<Self>] = &[
        columns::market_maker(),
        columns::issue(),
        columns::obligation(),
        columns::start(),
        columns::end(),
        columns::duration_us(),
        rows::reasons(),
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

/// The columns of values and of shares, in the order of [`Turnover::executed`].
pub(super) const EXECUTED: [[&str; 2]; 6] = [
    ["continuous_market_maker_value", "continuous_market_maker_shares"],
    ["continuous_other_value", "continuous_other_shares"],
    ["continuous_unnamed_value", "continuous_unnamed_shares"],
    ["auction_market_maker_value", "auction_market_maker_shares"],
    ["auction_other_value", "auction_other_shares"],
    ["auction_unnamed_value", "auction_unnamed_shares"],
];

const fn value_at<const AT: usize>() -> Column<Turnovers> {
    Column::decimal(EXECUTED[AT][0], Unit::Yen, Decimals::Fixed(4), |row| value(row.turnover.executed()[AT]))
}

const fn shares_at<const AT: usize>() -> Column<Turnovers> {
    Column::decimal(EXECUTED[AT][1], Unit::Shares, Decimals::Fixed(0), |row| shares(row.turnover.executed()[AT]))
}

impl Table for Turnovers {
    type Row<'a> = TurnoverRow<'a>;
    const NAME: &'static str = "turnovers";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("market_maker", |row| Some(row.sign_up.market_maker.as_str().into())),
        Column::text("issue", |row| Some(row.sign_up.issue.as_str().into())),
        Column::integer("order_count", Unit::Count, |row| Some(row.turnover.order_count.into())),
        value_at::<0>(),
        shares_at::<0>(),
        value_at::<1>(),
        shares_at::<1>(),
        value_at::<2>(),
        shares_at::<2>(),
        value_at::<3>(),
        shares_at::<3>(),
        value_at::<4>(),
        shares_at::<4>(),
        value_at::<5>(),
        shares_at::<5>(),
    ];
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
