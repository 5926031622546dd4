//! Finds what is asked in a day's plan, or says what there is instead.

use crate::question::{Question, QuestionError};
use jiff::civil::Date;
use quoteclock_model::{ObligationId, Timestamp};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, Registry};

/// Where the answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// The sign-up's position in the plan.
    pub(crate) sign_up: usize,
    /// The obligation's position in the sign-up.
    pub(crate) obligation: usize,
    /// The obligation's position in the plan.
    pub(crate) index: ObligationIndex,
    /// The instant, if one is asked for.
    pub(crate) at: Option<Timestamp>,
}

/// Finds the subject of `question` in `plan`.
pub(crate) fn find(registry: &Registry, plan: &DayPlan, question: &Question) -> Result<Found, QuestionError> {
    let (market_maker, issue) = (&question.market_maker, &question.issue);
    if !registry.market_makers().iter().any(|known| known.market_maker == *market_maker) {
        let known = list(registry.market_makers().iter().map(|known| known.market_maker.clone()));
        return Err(QuestionError::MarketMaker { found: market_maker.clone(), known });
    }
    let is_it = |sign_up: &quoteclock_rules::SignUpPlan| {
        sign_up.market_maker == *market_maker && sign_up.issue.as_str() == issue
    };
    let Some(sign_up) = plan.sign_ups.iter().position(is_it) else {
        let own = plan.sign_ups.iter().filter(|sign_up| sign_up.market_maker == *market_maker);
        return Err(QuestionError::SignUp {
            market_maker: market_maker.clone(),
            issue: issue.clone(),
            date: plan.date,
            why: why_not_measured(registry, plan.date, question),
            known: list(own.map(|sign_up| sign_up.issue.to_string())),
        });
    };
    let obligations = &plan.sign_ups[sign_up].obligations;
    let asked: Option<ObligationId> = question.obligation.parse().ok();
    let Some(obligation) = obligations.iter().position(|known| Some(&known.id) == asked.as_ref()) else {
        return Err(QuestionError::Obligation {
            market_maker: market_maker.clone(),
            issue: issue.clone(),
            date: plan.date,
            found: question.obligation.clone(),
            known: list(obligations.iter().map(|known| known.id.to_string())),
        });
    };
    let at = match question.at {
        None => None,
        Some(at) => Some(at.on(plan)?),
    };
    Ok(Found { sign_up, obligation, index: index_of(plan, sign_up, obligation), at })
}

fn index_of(plan: &DayPlan, sign_up: usize, obligation: usize) -> ObligationIndex {
    let before: usize = plan.sign_ups[..sign_up].iter().map(|before| before.obligations.len()).sum();
    ObligationIndex(u32::try_from(before + obligation).expect("fewer obligations than 32 bits count"))
}

/// Why the plan lacks a sign-up.
fn why_not_measured(registry: &Registry, date: Date, question: &Question) -> String {
    if !registry.issues().iter().any(|issue| issue.code.as_str() == question.issue) {
        return format!("issue {} is not in issues.csv", question.issue);
    }
    let sign_ups = registry.sign_ups().iter();
    let own: Vec<_> = sign_ups
        .filter(|row| row.market_maker == question.market_maker && row.issue.as_str() == question.issue)
        .collect();
    if own.is_empty() {
        return "signups.csv has no sign-up of it".to_owned();
    }
    if own.iter().any(|row| row.period.contains(date)) {
        return "no row of the issue in issues.csv is in force".to_owned();
    }
    let date_or = |date: Option<Date>, open: &str| date.map_or_else(|| open.to_owned(), |date| date.to_string());
    let periods: Vec<String> = own
        .iter()
        .map(|row| format!("{} to {}", date_or(row.period.from, "ever"), date_or(row.period.to, "further notice")))
        .collect();
    format!("the sign-up is in force from {}", periods.join(", and from "))
}

/// `1306, 1321`; long lists are cut short.
fn list(names: impl Iterator<Item = String>) -> String {
    const SHOWN_MAX: usize = 40;
    let names: Vec<String> = names.collect();
    match names.len() {
        0 => "none".to_owned(),
        count if count <= SHOWN_MAX => names.join(", "),
        count => format!("{} and {} more", names[..SHOWN_MAX].join(", "), count - SHOWN_MAX),
    }
}
