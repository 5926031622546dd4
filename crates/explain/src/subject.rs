//! Whose obligation it is: finds what is asked in a day's plan, or says what there is instead.

use crate::question::{Question, QuestionError};
use jiff::civil::Date;
use quoteclock_model::{ObligationId, Timestamp};
use quoteclock_obligation::ObligationIndex;
use quoteclock_rules::{DayPlan, LimitChange, Limits, Registry};
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Whose obligation it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    /// The market maker.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// The issue's name, where the registry has one.
    pub issue_name: Option<String>,
    /// The obligation.
    pub obligation: ObligationId,
    /// Its limits from the start of the day, the Fast Market multiplier applied.
    pub limits: Limits,
    /// Limits that replace those before them, in order of time; mostly none.
    pub limit_changes: Arc<[LimitChange]>,
    /// The shares that orders in the issue are multiples of: 1 where the registry does not say.
    pub trading_unit: NonZeroU64,
    /// By how much those limits have been widened: 1, 2 or 4.
    pub multiplier: u32,
    /// The share of the month's time that it requires, in ten-thousandths of a percent.
    pub required_pct: u64,
    /// The names of the virtual servers whose orders count.
    pub servers: Vec<String>,
}

impl Subject {
    /// The limits in force at an instant of the day.
    pub fn limits_at(&self, at: Timestamp) -> &Limits {
        let before = self.limit_changes.partition_point(|change| change.at <= at);
        self.limit_changes[..before].last().map_or(&self.limits, |change| &change.limits)
    }
}

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

/// Finds the subjects of `question` in `plan`, at least one, in the plan's order.
pub(crate) fn find(registry: &Registry, plan: &DayPlan, question: &Question) -> Result<Vec<Found>, QuestionError> {
    let market_maker = &question.market_maker;
    if !registry.market_makers().iter().any(|known| known.market_maker == *market_maker) {
        let known = list(registry.market_makers().iter().map(|known| known.market_maker.clone()));
        return Err(QuestionError::MarketMaker { found: market_maker.clone(), known });
    }
    let at = match question.at {
        None => None,
        Some(at) => Some(at.on(plan)?),
    };
    let found = |sign_up, obligation| Found { sign_up, obligation, index: index_of(plan, sign_up, obligation), at };
    let own = || (0..).zip(&plan.sign_ups).filter(|(_, sign_up)| sign_up.market_maker == *market_maker);
    let Some(issue) = &question.issue else {
        let asked = |id: &ObligationId| question.obligation.as_ref().is_none_or(|asked| id.is_meant_by(asked));
        let all: Vec<Found> = own()
            .flat_map(|(position, sign_up)| {
                let ids = (0..).zip(sign_up.obligations.iter()).filter(|(_, obligation)| asked(&obligation.id));
                ids.map(move |(obligation, _)| found(position, obligation))
            })
            .collect();
        if !all.is_empty() {
            return Ok(all);
        }
        let known: BTreeSet<String> =
            own().flat_map(|(_, sign_up)| sign_up.obligations.iter()).map(|known| known.id.to_string()).collect();
        return Err(QuestionError::NoSignUp {
            market_maker: market_maker.clone(),
            date: plan.date,
            known: list(known.into_iter()),
        });
    };
    let Some((sign_up, of_sign_up)) = own().find(|(_, sign_up)| sign_up.issue.as_str() == issue) else {
        return Err(QuestionError::SignUp {
            market_maker: market_maker.clone(),
            issue: issue.clone(),
            date: plan.date,
            why: why_not_measured(registry, plan.date, market_maker, issue),
            known: list(own().map(|(_, sign_up)| sign_up.issue.to_string())),
        });
    };
    let obligations = &of_sign_up.obligations;
    let named = question.obligation.as_deref().unwrap_or("general");
    let meant = obligations.iter().enumerate().filter(|(_, known)| known.id.is_meant_by(named));
    let all: Vec<Found> = meant.map(|(obligation, _)| found(sign_up, obligation)).collect();
    if all.is_empty() {
        return Err(QuestionError::Obligation {
            market_maker: market_maker.clone(),
            issue: issue.clone(),
            date: plan.date,
            found: named.to_owned(),
            known: list(obligations.iter().map(|known| known.id.to_string())),
        });
    }
    Ok(all)
}

fn index_of(plan: &DayPlan, sign_up: usize, obligation: usize) -> ObligationIndex {
    let before: usize = plan.sign_ups[..sign_up].iter().map(|before| before.obligations.len()).sum();
    ObligationIndex(u32::try_from(before + obligation).expect("fewer obligations than 32 bits count"))
}

/// Why the plan lacks a sign-up.
fn why_not_measured(registry: &Registry, date: Date, market_maker: &str, issue: &str) -> String {
    if !registry.issues().iter().any(|known| known.code.as_str() == issue) {
        return format!("issue {issue} is not in issues.csv");
    }
    let sign_ups = registry.sign_ups().iter();
    let own: Vec<_> = sign_ups.filter(|row| row.market_maker == market_maker && row.issue.as_str() == issue).collect();
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
