//! `quoteclock report --why`: the sum behind one amount.

use crate::BadUsage;
use crate::choice::Choice;
use crate::month::SchemeJson;
use crate::output;
use anyhow::Result;
use quoteclock_incentive::{Asked, Incentive, Month, SERVER_WAIVER, Why};
use quoteclock_model::{IssueCode, ObligationId};
use quoteclock_report::{Style, WhyDays, WhySteps, wrap};
use quoteclock_rows::{JsonRow, json_rows, text_table};
use serde::Serialize;

/// Which amount is asked about.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Why an amount is what it is")]
pub(crate) struct WhyArgs {
    /// Show why a market maker is paid what it is: days, tier, rate, rounding and clauses
    #[arg(long, requires = "market_maker", conflicts_with_all = ["out", "html"])]
    pub(crate) why: bool,

    /// value_others, value_auction_or_mm, access_fee or server_waiver
    #[arg(long, value_name = "NAME", requires = "why", conflicts_with = "obligation")]
    incentive: Option<String>,
}

impl WhyArgs {
    /// Whose amount is asked about, and which: the market maker, issue and obligation that `choice` names.
    pub(crate) fn asked<'a>(&self, choice: &'a Choice) -> Result<(&'a str, Asked), BadUsage> {
        let bad = |text: &str| BadUsage(text.to_owned());
        let [makers, issues, obligations] = choice.names();
        let [market_maker] = makers else { return Err(bad("--why is of one --market-maker")) };
        let issue = match issues {
            [] => None,
            [issue] => {
                let code = IssueCode::new(issue.as_bytes());
                Some(code.ok_or_else(|| BadUsage(format!("--issue: found {issue:?}, expected the code of an issue")))?)
            }
            _ => return Err(bad("--why is of one --issue at most")),
        };
        let asked = match (&self.incentive, obligations) {
            (Some(name), []) if name == SERVER_WAIVER => {
                if issue.is_some() {
                    return Err(bad("server_waiver is of a market maker, not of an issue: leave out --issue"));
                }
                Asked::ServerWaiver
            }
            (Some(name), []) => {
                let all = [Incentive::ValueOthers, Incentive::ValueAuctionOrMarketMaker, Incentive::AccessFee];
                let incentive = all.into_iter().find(|one| one.as_str() == name).ok_or_else(|| {
                    BadUsage(format!(
                        "--incentive: found {name:?}, expected value_others, value_auction_or_mm, access_fee or \
                         server_waiver"
                    ))
                })?;
                Asked::Incentive(incentive, issue.ok_or_else(|| bad("--why --incentive needs --issue, too"))?)
            }
            (None, [name]) => match name.parse::<ObligationId>() {
                Ok(ObligationId::General(_)) => {
                    return Err(bad("--obligation general is paid by incentives: ask with --incentive"));
                }
                Ok(obligation) => Asked::Condition(obligation, issue),
                Err(error) => return Err(BadUsage(format!("--obligation: {error}"))),
            },
            _ => return Err(bad("--why needs one --incentive or one --obligation")),
        };
        Ok((market_maker, asked))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    month: String,
    why: Vec<OneWhy<'a>>,
    notes: &'a [String],
    scheme: SchemeJson<'a>,
}

#[derive(Serialize)]
struct OneWhy<'a> {
    market_maker: &'a str,
    participant: Option<&'a str>,
    issue: Option<&'a str>,
    of: &'a str,
    amount_jpy: Option<u128>,
    days: Vec<JsonRow<'a, WhyDays>>,
    steps: Vec<JsonRow<'a, WhySteps>>,
}

/// As one JSON document.
pub(crate) fn json<'a>(month: Month, whys: &'a [Why], notes: &'a [String], scheme: SchemeJson<'a>) -> Result<String> {
    let one = |why: &'a Why| {
        let Why { market_maker, participant, issue, of, amount_yen, days, steps } = why;
        OneWhy {
            market_maker,
            participant: participant.as_deref(),
            issue: issue.as_ref().map(IssueCode::as_str),
            of,
            amount_jpy: *amount_yen,
            days: json_rows(days),
            steps: json_rows(steps),
        }
    };
    Ok(serde_json::to_string(&Document {
        schema: output::SCHEMA,
        month: month.to_string(),
        why: whys.iter().map(one).collect(),
        notes,
        scheme,
    })?)
}

/// As people read it.
pub(crate) fn text(month: Month, whys: &[Why], notes: &[String], style: Style) -> String {
    let mut text = String::new();
    for why in whys {
        let issue = why.issue.as_ref().map_or_else(String::new, |issue| format!(" in {issue}"));
        let through = why.participant.as_ref().map_or_else(String::new, |name| format!(" through {name}"));
        let amount = why.amount_yen.map_or_else(|| "no amount".to_owned(), |amount| format!("JPY {amount}"));
        text.push_str(&format!("{month}: {} of {}{issue}{through}: {amount}\n\n", why.of, why.market_maker));
        if !why.days.is_empty() {
            text.push_str(&text_table::<WhyDays>(&why.days.iter().collect::<Vec<_>>(), style));
            text.push('\n');
        }
        text.push_str(&text_table::<WhySteps>(&why.steps.iter().collect::<Vec<_>>(), style));
        text.push('\n');
    }
    notes.iter().for_each(|note| text.push_str(&wrap(note, style.width)));
    text
}
