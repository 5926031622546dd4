//! `applications.csv`: which forms were handed in, from when on they count, and where the exchange's lead times were not
//! kept. What a form decides is who gets which document and which notice; nothing here is measured.

use super::files::{APPLICATIONS, MARKET_MAKERS, Rows, SIGN_UPS, SPONSORED};
use super::{Application, Form, Issue, PaidCondition, Registry, Target};
use crate::Period;
use crate::value::{self, Expected};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use quoteclock_model::IssueCode;
use quoteclock_sheets::{Findings, Lined, Row, quoted};
use std::collections::{BTreeMap, BTreeSet};

impl Form {
    const ALL: [Form; 8] = [Form::Mt1, Form::Mt2, Form::Mt3, Form::Mt4, Form::At1, Form::At2, Form::At3, Form::At4];

    /// As the exchange writes it: `MT-1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Mt1 => "MT-1",
            Form::Mt2 => "MT-2",
            Form::Mt3 => "MT-3",
            Form::Mt4 => "MT-4",
            Form::At1 => "AT-1",
            Form::At2 => "AT-2",
            Form::At3 => "AT-3",
            Form::At4 => "AT-4",
        }
    }

    /// Whether it is handed in by a market maker.
    pub const fn of_market_maker(self) -> bool {
        matches!(self, Form::Mt1 | Form::Mt2 | Form::Mt3 | Form::Mt4)
    }
}

impl Registry {
    /// The applications, by form, party and effective date; `None` where the registry has no `applications.csv`.
    pub fn applications(&self) -> Option<&[Application]> {
        self.tables.applications.as_deref()
    }

    /// Whether an asset manager may have its report on an issue, as of `date`: it has handed in the NDA (AT-1) and asked
    /// for the report (AT-2), for all of its issues or for this one. `None` where no consent is on record at all.
    ///
    /// Clause: `ST1/asset-manager-report`.
    pub fn may_have_report(&self, asset_manager: &str, issue: &IssueCode, date: Date) -> Option<bool> {
        let own = |form: Form, row: &Application| row.is_of(form, asset_manager) && row.effective <= date;
        let covers = |row: &Application| row.issue.as_ref().is_none_or(|of| of == issue);
        self.applications().map(|rows| {
            rows.iter().any(|row| own(Form::At1, row)) && rows.iter().any(|row| own(Form::At2, row) && covers(row))
        })
    }
}

impl Application {
    fn is_of(&self, form: Form, party: &str) -> bool {
        self.form == form && self.party == party
    }
}

pub(super) fn read(row: &Row<'_>, findings: &mut Findings) -> Option<Application> {
    let form = row.required("form", form, findings);
    let party = row.required("party", value::name, findings);
    let received = row.optional("received", value::date, findings);
    let effective = row.required("effective", value::date, findings);
    let issue = row.optional("issue", value::issue, findings);
    let condition = row.optional("condition", value::name, findings);
    let document = row.text("document", findings);
    if let (Some(Some(received)), Some(effective)) = (received, effective)
        && effective < received
    {
        let message = format!("found {effective}, which is before it was received, expected {received} or later");
        return row.fault("effective", message, findings);
    }
    Some(Application {
        form: form?,
        party: party?,
        received: received?,
        effective: effective?,
        issue: issue?,
        condition: condition?,
        document: document?,
    })
}

fn form(text: &str) -> Result<Form, Expected> {
    let form = Form::ALL.into_iter().find(|form| form.as_str() == text);
    form.ok_or("expected a form: MT-1 to MT-4 or AT-1 to AT-4")
}

/// What tells one application from another.
pub(super) fn key(row: &Application) -> String {
    let (issue, condition) = (row.issue.as_ref().map_or("", IssueCode::as_str), row.condition.as_deref());
    // A tab stands in no name, so no two keys print alike.
    format!("{}\t{}\t{issue}\t{}\t{}", row.form.as_str(), row.party, condition.unwrap_or_default(), row.effective)
}

/// Warns of what the exchange asks of applications.
pub(super) fn warn(rows: &Rows, findings: &mut Findings) {
    let Some(applications) = &rows.applications else { return };
    let mut listed: BTreeMap<&IssueCode, BTreeSet<Date>> = BTreeMap::new();
    for Lined { value, .. } in &rows.issues {
        listed.entry(&value.code).or_default().extend(value.listed);
    }
    let holidays: BTreeSet<Date> = rows.holidays.iter().map(|row| row.value.date).collect();
    let check = Check { applications, listed, holidays };
    for row in applications {
        check.row(row, findings);
    }
    parties(rows, applications, findings);
    for row in &rows.sponsored {
        check.sponsored(row, findings);
    }
    check.designations(rows, findings);
}

/// Parties, issues and conditions that nothing defines: the application would apply to nothing.
fn parties(rows: &Rows, applications: &[Lined<Application>], findings: &mut Findings) {
    let makers: BTreeSet<&str> = rows.market_makers.iter().map(|row| row.value.market_maker.as_str()).collect();
    let conditions = || rows.sponsored.iter().chain(&rows.matching).map(|row| &row.value);
    let of_conditions = conditions().filter_map(|row| row.payment.asset_manager.as_deref());
    let managers: BTreeSet<&str> =
        rows.issues.iter().filter_map(|row| row.value.asset_manager.as_deref()).chain(of_conditions).collect();
    let issues: BTreeSet<&IssueCode> = rows.issues.iter().map(|row: &Lined<Issue>| &row.value.code).collect();
    let names: BTreeSet<&str> = conditions().map(|row| row.name.as_str()).collect();
    for Lined { line, value } in applications {
        let (known, what) = match value.form.of_market_maker() {
            true => (&makers, "a market maker"),
            false => (&managers, "an asset manager"),
        };
        let mut unknown = |column: &str, found: &str, what: &str| {
            let message =
                format!("found {}, expected {what} that a row names: this row applies to nothing", quoted(found));
            findings.warning(APPLICATIONS.file, *line, column, message);
        };
        if !known.contains(value.party.as_str()) {
            unknown("party", &value.party, what);
        }
        if let Some(issue) = value.issue.as_ref().filter(|issue| !issues.contains(issue)) {
            unknown("issue", issue.as_str(), "an issue");
        }
        if let Some(name) = value.condition.as_deref().filter(|name| !names.contains(name)) {
            unknown("condition", name, "a condition");
        }
    }
}

struct Check<'r> {
    applications: &'r [Lined<Application>],
    listed: BTreeMap<&'r IssueCode, BTreeSet<Date>>,
    holidays: BTreeSet<Date>,
}

impl Check<'_> {
    /// Clauses: `ST1/effective-date`, `ST1/lead-time`, `ST1/sponsored-lead-time`.
    fn row(&self, Lined { line, value }: &Lined<Application>, findings: &mut Findings) {
        let mut warning = |column, message| findings.warning(APPLICATIONS.file, *line, column, message);
        let effective = value.effective;
        let newly_listed = self.newly_listed(value);
        if effective.day() != 1 && newly_listed.is_none_or(|date| date.first_of_month() != effective.first_of_month()) {
            let expected =
                "expected the first of a month, or for a newly listed issue a date in the month of its listing";
            warning("effective", format!("found {effective}, {expected} (ST1/effective-date)"));
        }
        let Some(received) = value.received else { return };
        let days = |days: i64| received.checked_add(days.days()).unwrap_or(Date::MAX);
        match value.form {
            Form::Mt1 | Form::Mt2 | Form::Mt3 | Form::Mt4 if effective < days(7) => {
                let earliest = days(7);
                let message =
                    format!("found {effective}, expected {earliest} or later: about a week after it was received");
                warning("effective", format!("{message} (ST1/lead-time)"));
            }
            Form::At3 | Form::At4 if effective < days(14) && !self.kept_for_new(received, newly_listed) => {
                let earliest = days(14);
                let message = match newly_listed {
                    None => format!("found {effective}, expected {earliest} or later: two weeks after it was received"),
                    Some(listed) => format!(
                        "found {received} as received, expected a week before the listing on {listed}, or at the latest \
                         the first business day of the month after it"
                    ),
                };
                warning("effective", format!("{message} (ST1/sponsored-lead-time)"));
            }
            _ => {}
        }
    }

    /// The listing of its issue, if it takes effect in the month of the listing or the one after.
    fn newly_listed(&self, row: &Application) -> Option<Date> {
        let listed = row.issue.as_ref().and_then(|issue| self.listed.get(issue))?;
        let month = row.effective.first_of_month();
        let before = month.checked_sub(1.month()).unwrap_or(Date::MIN);
        listed.iter().rev().copied().find(|date| [month, before].contains(&date.first_of_month()))
    }

    /// A week before the listing, or the first business day of the month after it.
    ///
    /// Clause: `ST1/sponsored-lead-time`.
    fn kept_for_new(&self, received: Date, listed: Option<Date>) -> bool {
        let Some(listed) = listed else { return false };
        let week_before = received.checked_add(7.days()).is_ok_and(|date| date <= listed);
        let first = listed.last_of_month().tomorrow().unwrap_or(Date::MAX);
        let is_business = |date: &Date| {
            !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.holidays.contains(date)
        };
        let business_day = first.series(1.day()).take(31).find(is_business);
        week_before || business_day == Some(received)
    }

    /// Clause: `ST1/sponsored-application`.
    fn sponsored(&self, Lined { line, value }: &Lined<PaidCondition>, findings: &mut Findings) {
        let Some(manager) = value.payment.asset_manager.as_deref() else { return };
        let missing = [Form::At3, Form::At4].into_iter().filter(|form| !self.in_force_for(*form, manager, value));
        let missing: Vec<&str> = missing.map(Form::as_str).collect();
        if !missing.is_empty() {
            let since = value.period.from.map_or("in force".to_owned(), |from| format!("in force on {from}"));
            let message = format!(
                "applications.csv has no {} of {} {since}, expected both before anything is paid \
                 (ST1/sponsored-application)",
                missing.join(" and no "),
                quoted(manager)
            );
            findings.warning(SPONSORED.file, *line, "asset_manager", message);
        }
    }

    fn in_force_for(&self, form: Form, manager: &str, condition: &PaidCondition) -> bool {
        let issue = match &condition.target {
            Target::Issue(issue) => Some(issue),
            Target::Index(_) => None,
        };
        let covers = |row: &Application| {
            row.issue.as_ref().is_none_or(|of| Some(of) == issue)
                && row.condition.as_deref().is_none_or(|name| name == condition.name)
        };
        let in_time = |row: &Application| condition.period.from.is_none_or(|from| row.effective <= from);
        self.applications
            .iter()
            .any(|Lined { value, .. }| value.is_of(form, manager) && covers(value) && in_time(value))
    }

    /// Whether each sign-up is made while its market maker is designated.
    ///
    /// Clause: `ST1/designation`.
    fn designations(&self, rows: &Rows, findings: &mut Findings) {
        let mut sign_ups: BTreeMap<&str, Vec<(u64, Period)>> = BTreeMap::new();
        for Lined { line, value } in &rows.sign_ups {
            sign_ups.entry(&value.market_maker).or_default().push((*line, value.period));
        }
        for Lined { line, value } in &rows.market_makers {
            let Some(own) = sign_ups.get(value.market_maker.as_str()) else { continue };
            let spans = self.designated(&value.market_maker);
            if spans.is_empty() {
                let message = "applications.csv has no MT-1 of it, expected one before it is signed up for anything \
                               (ST1/designation)";
                findings.warning(MARKET_MAKERS.file, *line, "market_maker", message.to_owned());
                continue;
            }
            for (line, period) in own {
                // An open start says nothing of when: only its end is looked at.
                let within = |(from, to): &(Date, Option<Date>)| {
                    period.from.is_none_or(|first| *from <= first)
                        && to.is_none_or(|to| period.to.is_some_and(|last| last < to))
                };
                if !spans.iter().any(within) {
                    let message = "the market maker is not designated throughout: expected an MT-1 effective before, and \
                                   no MT-4 within it (ST1/designation)";
                    findings.warning(SIGN_UPS.file, *line, "market_maker", message.to_owned());
                }
            }
        }
    }

    /// From when to when (exclusive) a market maker is designated: each MT-1 up to the next MT-4.
    fn designated(&self, market_maker: &str) -> Vec<(Date, Option<Date>)> {
        let dates = |form| -> BTreeSet<Date> {
            let own = self.applications.iter().filter(|row| row.value.is_of(form, market_maker));
            own.map(|row| row.value.effective).collect()
        };
        let (designations, cancellations) = (dates(Form::Mt1), dates(Form::Mt4));
        let until = |from: &Date| cancellations.range(*from..).find(|date| *date > from).copied();
        designations.iter().map(|from| (*from, until(from))).collect()
    }
}
