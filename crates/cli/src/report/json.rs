//! A report as one JSON document.

use super::{Chosen, Report};
use crate::closing::Changes;
use crate::month::SchemeJson;
use crate::output;
use anyhow::Result;
use jiff::civil::Date;
use quoteclock_incentive::TierLine;
use quoteclock_report::money::{Conditions, Incentives, Payments, Recommendations, Tiers};
use quoteclock_report::{Criteria, MarketMakers, Monthly};
use quoteclock_rows::{JsonRow, json_rows};
use quoteclock_store::Closing;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    month: String,
    monthly: Vec<JsonRow<'a, Monthly>>,
    /// What criteria come to together, where there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    criteria: Vec<JsonRow<'a, Criteria>>,
    market_makers: Vec<JsonRow<'a, MarketMakers>>,
    incentives: Vec<JsonRow<'a, Incentives>>,
    conditions: Vec<JsonRow<'a, Conditions>>,
    tiers: Vec<JsonRow<'a, Tiers>>,
    recommendations: Vec<JsonRow<'a, Recommendations>>,
    payments: Vec<JsonRow<'a, Payments>>,
    /// Issues whose incentives on trading value cannot be said.
    unknown_tiers: Vec<String>,
    /// Trading days of the tier review's measuring period that are not stored.
    review_days_missing: Vec<String>,
    /// What rests on a status that unknown time could turn.
    rests_on_doubt: Vec<String>,
    /// Number, date and hash of this report, where it has gone out.
    gone_out: Option<GoneOut>,
    /// Those of the one that it supersedes, or would if it went out.
    supersedes: Option<GoneOut>,
    /// What this one says otherwise than the one that has.
    changes: Vec<JsonRow<'a, Changes>>,
    days_measured: Vec<String>,
    days_missing: Vec<String>,
    /// Days that are not measured to their end.
    days_partial: Vec<String>,
    /// Days that the registry as it is now would measure otherwise.
    as_measured: Vec<String>,
    /// What a reader has to know, as `report.txt` says it.
    notes: Vec<String>,
    scheme: SchemeJson<'a>,
}

#[derive(Serialize)]
struct GoneOut {
    revision: u32,
    closed_on: String,
    report_sha256: String,
}

impl GoneOut {
    fn of(closing: Closing) -> GoneOut {
        let Closing { revision, closed_on, report_sha256, .. } = closing;
        GoneOut { revision, closed_on: closed_on.to_string(), report_sha256: report_sha256.to_string() }
    }
}

impl Report {
    /// All that is shown.
    pub(super) fn json(&self, shown: &Chosen<'_>) -> Result<String> {
        let texts = |dates: &[Date]| dates.iter().map(Date::to_string).collect();
        let (choice, settled) = (shown.choice, self.figures.settlement());
        let tiers: Vec<&TierLine> = settled.tiers.iter().filter(|tier| choice.has_issue(tier.issue.as_str())).collect();
        Ok(serde_json::to_string(&Document {
            schema: output::SCHEMA,
            month: self.figures.month.to_string(),
            monthly: json_rows(self.rows(&shown.lines)),
            criteria: json_rows(self.criteria(choice)),
            market_makers: json_rows(self.makers(choice)),
            incentives: json_rows(self.incentives(choice)),
            conditions: json_rows(self.conditions(choice)),
            tiers: json_rows(tiers),
            recommendations: json_rows(self.recommendations(choice)),
            payments: json_rows(self.payments(choice)),
            unknown_tiers: settled.unknown_tiers().into_iter().map(ToString::to_string).collect(),
            review_days_missing: texts(&settled.review_days_missing),
            rests_on_doubt: self.figures.rests_on_doubt(),
            gone_out: self.revision.own.map(GoneOut::of),
            supersedes: self.revision.before.map(GoneOut::of),
            changes: json_rows(&self.revision.changes),
            days_measured: self.figures.stored.measured.iter().map(Date::to_string).collect(),
            days_missing: texts(&self.figures.stored.missing),
            days_partial: self.figures.stored.partial.keys().map(Date::to_string).collect(),
            as_measured: self.figures.stored.changed.keys().map(Date::to_string).collect(),
            notes: self.all_notes(usize::MAX),
            scheme: SchemeJson::of(&self.figures.registry),
        })?)
    }
}
