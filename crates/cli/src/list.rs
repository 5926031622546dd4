//! `quoteclock list`: who is market maker of what on a date.

use crate::registry::{self, RegistryArgs};
use crate::{Outcome, output};
use anyhow::Result;
use jiff::civil::Date;
use quoteclock_model::IssueCode;
use quoteclock_rows::{Column, Table, json_rows, write_csv};
use quoteclock_rules::{Registry, SignUp};
use std::collections::{BTreeMap, BTreeSet};

/// List who is market maker of which ETF on a date.
///
/// As CSV, sorted. The exchange announces whether an ETF has a market maker and not which one: that is --public.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock list --registry registry --date 2024-03-01
  quoteclock list --registry registry --date 2024-03-01 --public
  quoteclock list --registry registry --date 2024-03-01 --short-selling --json

Columns: date, market_maker, issue, participant, from, to (of the sign-up); with --public date, issue, has_market_maker; \
with --short-selling date, market_maker, issue: the pairs that the exemption from short selling restrictions covers.")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    registry: RegistryArgs,

    /// The date, such as 2024-03-01
    #[arg(long, value_name = "DATE")]
    date: Date,

    /// Every listed ETF, and whether it has a market maker; nobody's name
    #[arg(long, conflicts_with = "short_selling")]
    public: bool,

    /// The pairs of market maker and ETF that the exemption from short selling restrictions covers
    #[arg(long)]
    short_selling: bool,

    /// Print one JSON document with the same names and columns
    #[arg(long)]
    json: bool,
}

/// A sign-up in force on the date.
struct Entry<'r> {
    date: Date,
    sign_up: &'r SignUp,
}

/// Who is market maker of what.
struct MarketMakers;

impl Table for MarketMakers {
    type Row<'a> = Entry<'a>;
    const NAME: &'static str = "list";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::date("date", |row| Some(row.date)),
        Column::<Self>::text("market_maker", |row| Some(row.sign_up.market_maker.as_str().into())),
        Column::<Self>::text("issue", |row| Some(row.sign_up.issue.as_str().into())),
        Column::<Self>::text("participant", |row| row.sign_up.participant.as_deref().map(Into::into)),
        Column::<Self>::date("from", |row| row.sign_up.period.from),
        Column::<Self>::date("to", |row| row.sign_up.period.to),
    ];
}

/// The pairs that the exemption covers.
///
/// Clause: `ST1/short-selling`.
struct ShortSelling;

impl Table for ShortSelling {
    type Row<'a> = Entry<'a>;
    const NAME: &'static str = "short_selling";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::date("date", |row| Some(row.date)),
        Column::<Self>::text("market_maker", |row| Some(row.sign_up.market_maker.as_str().into())),
        Column::<Self>::text("issue", |row| Some(row.sign_up.issue.as_str().into())),
    ];
}

/// What the exchange announces.
///
/// Clause: `ST1/announcement`.
struct Public;

impl Table for Public {
    type Row<'a> = (Date, &'a IssueCode, bool);
    const NAME: &'static str = "public";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::<Self>::date("date", |row| Some(row.0)),
        Column::<Self>::text("issue", |row| Some(row.1.as_str().into())),
        Column::<Self>::text("has_market_maker", |row| Some(if row.2 { "yes" } else { "no" }.into())),
    ];
}

/// Runs the command.
pub(crate) fn run(args: &ListArgs) -> Result<Outcome> {
    let Some(registry) = registry::load_for_measuring(&args.registry)? else { return Ok(Outcome::BadInput) };
    let (date, json) = (args.date, args.json);
    if args.public {
        print::<Public>(public(&registry, date), date, json)?;
    } else if args.short_selling {
        print::<ShortSelling>(sign_ups(&registry, date), date, json)?;
    } else {
        print::<MarketMakers>(sign_ups(&registry, date), date, json)?;
    }
    Ok(Outcome::Done)
}

fn print<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>, date: Date, json: bool) -> Result<()> {
    if json {
        // The columns keep their order, which a map of values would not.
        let rows = serde_json::to_string(&json_rows::<T>(rows))?;
        return output::print(&format!(
            "{{\"schema\":{},\"date\":\"{date}\",\"{}\":{rows}}}\n",
            output::SCHEMA,
            T::NAME
        ));
    }
    let mut csv = Vec::new();
    write_csv::<T>(rows, &mut csv)?;
    output::print(&String::from_utf8(csv)?)
}

/// The sign-ups in force whose issue is listed, by market maker and issue: nobody makes a market of an ETF that is not
/// there.
fn sign_ups(registry: &Registry, date: Date) -> Vec<Entry<'_>> {
    let in_force = registry.sign_ups().iter().filter(|sign_up| sign_up.period.contains(date));
    let listed = in_force.filter(|sign_up| registry.issue_on(&sign_up.issue, date).is_some());
    listed.map(|sign_up| Entry { date, sign_up }).collect()
}

/// Every issue that is listed on the date, by code: one whose listing is to come is none yet.
fn public(registry: &Registry, date: Date) -> Vec<(Date, &IssueCode, bool)> {
    let made: BTreeSet<&IssueCode> = sign_ups(registry, date).into_iter().map(|entry| &entry.sign_up.issue).collect();
    let listed: BTreeMap<&IssueCode, bool> = registry
        .issues()
        .iter()
        .filter(|issue| issue.period.contains(date) && issue.listed.is_none_or(|listed| listed <= date))
        .map(|issue| (&issue.code, made.contains(&issue.code)))
        .collect();
    listed.into_iter().map(|(issue, has)| (date, issue, has)).collect()
}
