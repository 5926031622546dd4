//! The decisions on one index after the other, moment by moment.

use super::read::{APPLICATIONS, INDICES, term_end};
use super::{Application, Clause, Decision, Grant, Index, Kind, Licence, Outcome, Rows};
use crate::{Decimal, Missing};
use jiff::civil::Date;
use jiff::tz::Offset;
use quoteclock_model::Timestamp;
use std::collections::BTreeMap;

/// Decides on every application, sorted by index, moment and application.
pub fn decide(rows: &Rows) -> Vec<Decision> {
    let indices: BTreeMap<&str, &Index> = rows.indices.iter().map(|row| (row.index.as_str(), row)).collect();
    let grants: BTreeMap<&str, &Grant> = rows.grants.iter().map(|row| (row.application.as_str(), row)).collect();
    let mut queues: BTreeMap<&str, Vec<&Application>> = BTreeMap::new();
    for application in &rows.applications {
        queues.entry(&application.index).or_default().push(application);
    }
    let of_index = |(name, applications): (&str, Vec<&Application>)| {
        Queue::new(name, indices.get(name).copied(), applications, &grants).decide()
    };
    queues.into_iter().flat_map(of_index).collect()
}

/// Where an application stands to the application period of a future index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    /// Before it.
    Early,
    /// In it.
    Within,
    /// After it, or there is none.
    Open,
}

/// When an application counts as received: all of an application period at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Moment {
    stage: Stage,
    /// The instant, except within a period.
    received: Option<Timestamp>,
}

/// An application, and what is decided of it so far.
struct Entry<'r> {
    application: &'r Application,
    grant: Option<&'r Grant>,
    moment: Moment,
    /// The date of receipt in Tokyo.
    date: Date,
    verdict: Option<Verdict>,
}

/// What is decided of an application.
#[derive(Clone)]
struct Verdict {
    outcome: Outcome,
    clause: Clause,
    free_from: Option<Date>,
    others: Vec<String>,
    missing: Missing,
}

impl Verdict {
    fn new(outcome: Outcome, clause: Clause) -> Verdict {
        Verdict { outcome, clause, free_from: None, others: Vec::new(), missing: Missing::default() }
    }

    fn undecided(clause: Clause, missing: Missing) -> Verdict {
        Verdict { missing, ..Verdict::new(Outcome::Undecided, clause) }
    }

    /// Whether it came before the application period.
    fn is_early(&self) -> bool {
        self.outcome == Outcome::Wait && self.clause == Clause::ApplicationPeriod
    }
}

/// The applications on one index.
struct Queue<'r> {
    name: &'r str,
    index: Option<&'r Index>,
    /// By moment, then by name.
    entries: Vec<Entry<'r>>,
    /// Whether it is a future index for which nobody applied in the application period.
    no_application: bool,
}

impl<'r> Queue<'r> {
    fn new(
        name: &'r str,
        index: Option<&'r Index>,
        applications: Vec<&'r Application>,
        grants: &BTreeMap<&str, &'r Grant>,
    ) -> Queue<'r> {
        let period = index.and_then(period);
        let entry = |application: &'r Application| {
            let (received, date) = (application.received, tokyo_date(application.received));
            let stage = match period {
                Some((from, _)) if date < from => Stage::Early,
                Some((_, to)) if date <= to => Stage::Within,
                _ => Stage::Open,
            };
            let moment = Moment { stage, received: (stage != Stage::Within).then_some(received) };
            let grant = grants.get(application.application.as_str()).copied();
            Entry { application, grant, moment, date, verdict: None }
        };
        let mut entries: Vec<Entry<'_>> = applications.into_iter().map(entry).collect();
        entries.sort_unstable_by_key(|entry| (entry.moment, &entry.application.application));
        let no_application = period.is_some() && entries.iter().all(|entry| entry.moment.stage != Stage::Within);
        Queue { name, index, entries, no_application }
    }

    fn decide(mut self) -> Vec<Decision> {
        let mut start = 0;
        while let Some(first) = self.entries.get(start) {
            let moment = first.moment;
            let end = start + self.entries[start..].iter().take_while(|entry| entry.moment == moment).count();
            // What depends on nobody else; then closed ones, which look at these; then open ones, which look at both.
            for position in start..end {
                self.entries[position].verdict = self.alone(&self.entries[position]);
            }
            for licence in [Licence::Closed, Licence::Open] {
                let verdicts: Vec<Option<Verdict>> = self.entries[start..end]
                    .iter()
                    .map(|entry| {
                        let is_due = entry.verdict.is_none() && entry.application.licence == licence;
                        is_due.then(|| self.among_others(entry))
                    })
                    .collect();
                for (entry, verdict) in self.entries[start..end].iter_mut().zip(verdicts) {
                    entry.verdict = verdict.or(entry.verdict.take());
                }
            }
            start = end;
        }
        self.decisions()
    }

    /// The lines of the table that look at nobody else's application.
    fn alone(&self, entry: &Entry<'_>) -> Option<Verdict> {
        if let Some(grant) = entry.grant {
            let outcome = if grant.granted { Outcome::Grant } else { Outcome::Refuse };
            return Some(Verdict { free_from: own_term(entry, outcome), ..Verdict::new(outcome, Clause::Decided) });
        }
        let Some(index) = self.index else {
            return Some(Verdict::undecided(Clause::NotAvailable, Missing::row(INDICES.file, self.name)));
        };
        match &index.kind {
            Kind::Current { available, etf_listed } => self.alone_on_current(entry, *available, *etf_listed),
            Kind::Future { period_from, period_to, fee_minimum, custom_for } => match (period_from, period_to) {
                (Some(from), Some(_)) => self.alone_on_future(entry, *from, *fee_minimum, custom_for),
                _ => {
                    let ends = [("period_from", period_from), ("period_to", period_to)];
                    let empty = ends.iter().filter(|(_, end)| end.is_none());
                    let missing: Vec<Missing> = empty.map(|(column, _)| self.cell(column)).collect();
                    Some(Verdict::undecided(Clause::ApplicationPeriod, missing.iter().collect()))
                }
            },
        }
    }

    /// Clauses: `LIC/not-available`, `LIC/etf-listed`.
    fn alone_on_current(&self, entry: &Entry<'_>, available: Option<bool>, etf_listed: bool) -> Option<Verdict> {
        match available {
            None => Some(Verdict::undecided(Clause::NotAvailable, self.cell("available"))),
            Some(false) => Some(Verdict::new(Outcome::Refuse, Clause::NotAvailable)),
            Some(true) => {
                let is_closed = entry.application.licence == Licence::Closed;
                (is_closed && etf_listed).then(|| Verdict::new(Outcome::Evaluate, Clause::EtfListed))
            }
        }
    }

    /// Clauses: `LIC/application-period`, `LIC/fee-minimum`, `LIC/custom`.
    fn alone_on_future(
        &self,
        entry: &Entry<'_>,
        period_from: Date,
        fee_minimum: Option<Decimal>,
        custom_for: &[String],
    ) -> Option<Verdict> {
        let application = entry.application;
        match entry.moment.stage {
            Stage::Early => {
                let wait = Verdict::new(Outcome::Wait, Clause::ApplicationPeriod);
                return Some(Verdict { free_from: Some(period_from), ..wait });
            }
            Stage::Within => {}
            Stage::Open => return None,
        }
        match (application.fee, fee_minimum) {
            (Some(fee), Some(minimum)) if minimum < fee => {
                let has_priority = custom_for.contains(&application.company);
                has_priority.then(|| Verdict {
                    free_from: own_term(entry, Outcome::Grant),
                    ..Verdict::new(Outcome::Grant, Clause::Custom)
                })
            }
            (Some(_), Some(_)) => Some(Verdict::new(Outcome::Refuse, Clause::FeeMinimum)),
            (fee, minimum) => {
                let fee = fee.is_none().then(|| Missing::cell(APPLICATIONS.file, &application.application, "fee_jpy"));
                let minimum = minimum.is_none().then(|| self.cell("fee_minimum_jpy"));
                let missing = [fee, minimum].iter().flatten().collect();
                Some(Verdict::undecided(Clause::FeeMinimum, missing))
            }
        }
    }

    /// The last lines of the table.
    ///
    /// Clauses: `LIC/closed-term`, `LIC/simultaneous-closed`, `LIC/application-period`, `LIC/order-of-receipt`.
    /// Interpretations: `QC/custom_party`, `QC/same_moment`.
    fn among_others(&self, entry: &Entry<'_>) -> Verdict {
        let holders: Vec<(&Entry<'_>, Hold)> =
            self.entries.iter().filter_map(|other| Some((other, self.hold(other, entry)?))).collect();
        if !holders.is_empty() {
            return held_back(&holders);
        }
        let is_rival = |other: &&Entry<'_>| {
            let counts = |verdict: &Verdict| verdict.outcome != Outcome::Refuse && !verdict.is_early();
            is_other_company(other, entry)
                && other.application.licence == Licence::Closed
                && other.moment == entry.moment
                && other.verdict.as_ref().is_none_or(counts)
        };
        let rivals: Vec<&Entry<'_>> = self.entries.iter().filter(is_rival).collect();
        if entry.application.licence == Licence::Closed && !rivals.is_empty() {
            let clause = match entry.moment.stage {
                Stage::Within => Clause::ApplicationPeriod,
                _ => Clause::SimultaneousClosed,
            };
            return Verdict { others: names(rivals), ..Verdict::new(Outcome::Evaluate, clause) };
        }
        let grant = Verdict::new(Outcome::Grant, Clause::OrderOfReceipt);
        Verdict { free_from: own_term(entry, Outcome::Grant), ..grant }
    }

    /// How `other` holds `entry` back, if it does.
    fn hold(&self, other: &Entry<'_>, entry: &Entry<'_>) -> Option<Hold> {
        let verdict = other.verdict.as_ref()?;
        let is_before = other.moment < entry.moment
            || (other.moment == entry.moment
                && (entry.application.licence == Licence::Open || verdict.clause == Clause::Custom));
        let has_etf = self.index.is_some_and(|index| matches!(index.kind, Kind::Current { etf_listed: true, .. }));
        let is_closed = other.application.licence == Licence::Closed;
        if has_etf || !is_closed || !is_before || !is_other_company(other, entry) {
            return None;
        }
        match (verdict.outcome, verdict.clause) {
            (Outcome::Grant, _) => match verdict.free_from {
                Some(free_from) if free_from <= entry.date => None,
                free_from => Some(Hold::Term(free_from)),
            },
            (Outcome::Evaluate, _) | (Outcome::Undecided, Clause::FeeMinimum) => Some(Hold::Decision),
            _ => None,
        }
    }

    fn cell(&self, column: &str) -> Missing {
        Missing::cell(INDICES.file, self.name, column)
    }

    fn decisions(self) -> Vec<Decision> {
        let mut decisions = Vec::with_capacity(self.entries.len());
        // Applications with a place in earlier moments, and up to here.
        let (mut before, mut so_far, mut moment) = (0, 0, None);
        for entry in &self.entries {
            let Some(verdict) = entry.verdict.clone() else { continue };
            if moment != Some(entry.moment) {
                (before, moment) = (so_far, Some(entry.moment));
            }
            let has_place = verdict.outcome != Outcome::Refuse && !verdict.is_early();
            so_far += usize::from(has_place);
            let among_others =
                matches!(verdict.clause, Clause::ClosedTerm | Clause::SimultaneousClosed | Clause::OrderOfReceipt);
            let no_application = (self.no_application && among_others).then_some(Clause::NoApplication);
            decisions.push(Decision {
                index: self.name.to_owned(),
                application: entry.application.application.clone(),
                company: entry.application.company.clone(),
                outcome: verdict.outcome,
                place: has_place.then_some(before + 1),
                free_from: verdict.free_from,
                others: verdict.others,
                clauses: no_application.into_iter().chain([verdict.clause]).collect(),
                missing: verdict.missing,
            });
        }
        decisions
    }
}

/// How an application holds another one back.
#[derive(Clone, Copy)]
enum Hold {
    /// Its term is not over; it ends on this day, if that is known.
    Term(Option<Date>),
    /// It is not decided.
    Decision,
}

/// What becomes of an application that others hold back.
fn held_back(holders: &[(&Entry<'_>, Hold)]) -> Verdict {
    let others = names(holders.iter().map(|(entry, _)| *entry));
    let ends: Option<Vec<Option<Date>>> = holders
        .iter()
        .map(|(_, hold)| match hold {
            Hold::Term(end) => Some(*end),
            Hold::Decision => None,
        })
        .collect();
    let Some(ends) = ends else { return Verdict { others, ..Verdict::new(Outcome::Wait, Clause::ClosedTerm) } };
    let unknown = holders.iter().zip(&ends).filter(|(_, end)| end.is_none());
    let missing: Vec<Missing> = unknown
        .map(|((entry, _), _)| Missing::cell(APPLICATIONS.file, &entry.application.application, "listing"))
        .collect();
    if !missing.is_empty() {
        return Verdict { others, ..Verdict::undecided(Clause::ClosedTerm, missing.iter().collect()) };
    }
    let free_from = ends.into_iter().flatten().max();
    Verdict { others, free_from, ..Verdict::new(Outcome::Wait, Clause::ClosedTerm) }
}

fn names<'a>(entries: impl IntoIterator<Item = &'a Entry<'a>>) -> Vec<String> {
    let mut names: Vec<String> = entries.into_iter().map(|entry| entry.application.application.clone()).collect();
    names.sort_unstable();
    names
}

fn is_other_company(one: &Entry<'_>, other: &Entry<'_>) -> bool {
    one.application.company != other.application.company
}

/// The first free day of a closed licence if it is granted, where it is known.
fn own_term(entry: &Entry<'_>, outcome: Outcome) -> Option<Date> {
    if outcome != Outcome::Grant || entry.application.licence != Licence::Closed {
        return None;
    }
    let decided = entry.grant.and_then(|grant| grant.free_from);
    let listed = entry.grant.and_then(|grant| grant.listed).or(entry.application.listing);
    decided.or_else(|| term_end(listed?))
}

/// The application period of a future index, both ends inclusive, if it is known.
fn period(index: &Index) -> Option<(Date, Date)> {
    match index.kind {
        Kind::Future { period_from, period_to, .. } => period_from.zip(period_to),
        Kind::Current { .. } => None,
    }
}

/// The date in Tokyo.
fn tokyo_date(instant: Timestamp) -> Date {
    const TOKYO: Offset = jiff::tz::offset(9);
    jiff::Timestamp::from_microsecond(instant.as_micros())
        .map_or(Date::MIN, |instant| TOKYO.to_datetime(instant).date())
}
