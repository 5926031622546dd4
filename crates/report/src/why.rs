//! `report --why`: the days and the steps of an amount.

use quoteclock_incentive::{Step, WhyDay};
use quoteclock_rows::{Align, Column, Decimals, Table, Unit};

/// The days that an amount rests on.
#[derive(Debug)]
pub struct WhyDays;

impl Table for WhyDays {
    type Row<'a> = &'a WhyDay;
    const NAME: &'static str = "days";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::date("date", |row| Some(row.date)).shown("date"),
        Column::<Self>::integer("orders_sent", Unit::Count, |row| row.orders_sent.map(Into::into))
            .shown("orders sent")
            .on_occasion(|row| row.orders_sent.is_some()),
        Column::<Self>::decimal("basis", Unit::None, Decimals::UpTo(4), |row| {
            Some(i128::try_from(row.basis.0).unwrap_or(i128::MAX))
        })
        .shown("basis"),
    ];
    const SHOWN: &'static [&'static str] = &["date", "orders_sent", "basis"];
}

/// From the days to the yen.
#[derive(Debug)]
pub struct WhySteps;

impl Table for WhySteps {
    type Row<'a> = &'a Step;
    const NAME: &'static str = "steps";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::text("step", |row| Some(row.step.into()))
            .shown_as("step", Align::Left, |row| row.step.replace('_', " ").into()),
        Column::<Self>::text("figure", |row| Some(row.figure.as_str().into())).shown_as(
            "figure",
            Align::Right,
            |row| if row.figure.is_empty() { "-".into() } else { row.figure.as_str().into() },
        ),
        Column::<Self>::text("unit", |row| Some(row.unit.into())).shown_as("", Align::Left, |row| row.unit.into()),
        Column::<Self>::text("says", |row| Some(row.says.as_str().into())).shown("how"),
        Column::<Self>::text("clause", |row| Some(row.clause.into())).shown("clause"),
    ];
    const SHOWN: &'static [&'static str] = &["step", "figure", "unit", "says", "clause"];
}
