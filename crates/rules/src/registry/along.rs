//! Limits in the course of a day: at times of it, and while conditions are stressed.

use super::clock::clock;
use super::{ConditionKind, Issue, PaidCondition, Registry, Target};
use crate::scheme::Relief;
use crate::{LimitChange, Limits, Regime, Terms, TickTable, TypeRules};
use jiff::civil::Date;
use quoteclock_model::{Bps, IssueCode, ObligationId, Span, Timestamp, merge_spans};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The limits of an obligation within a part of a date, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayLimits {
    /// When: all of the day, or a part between two that have others.
    pub span: Span,
    /// The limits.
    pub limits: Limits,
    /// Why: type or condition, Fast Market, time of the day, stressed conditions.
    pub why: String,
}

impl Registry {
    /// The limits of one obligation of an issue along a date, and why they are so; `None` where nothing asks for it.
    ///
    /// Clauses: `ST1/spread-and-quantity`, `ST1/fast-market`, `SIX/home-market-open`, `XETRA/stress`, `XETRA/criteria`.
    pub fn limits_on(&self, code: &IssueCode, id: &ObligationId, date: Date) -> Option<Vec<DayLimits>> {
        let issue = self.issue_on(code, date)?;
        let of_day = OfDay { registry: self, date, day: self.day(date).ok()? };
        let scheme = self.scheme();
        let (terms, regimes, mut why) = match id {
            ObligationId::General(_) => {
                let rules = scheme.types.get(&issue.type_name)?.asked_as(id)?;
                (&rules.terms, of_day.regimes(issue, rules), format!("type {}", issue.type_name))
            }
            ObligationId::Matching(_) | ObligationId::Sponsored(_) => {
                let rows = || self.conditions().iter().filter(|row| row.period.contains(date) && is_row_of(row, id));
                let of_index =
                    |target: &Target| matches!(target, Target::Index(of) if Some(of) == issue.index.as_ref());
                let own = rows().find(|row| matches!(&row.target, Target::Issue(of) if of == code));
                let row = own.or_else(|| rows().find(|row| of_index(&row.target)))?;
                (&row.terms, Vec::new(), format!("condition {id}"))
            }
        };
        let is_widened = id.is_widened_by_fast_market();
        let multiplier = if is_widened { self.multiplier_on(date) } else { 1 };
        if multiplier != 1 {
            why += &format!(", Fast Market x{multiplier}");
        }
        let tick_table = scheme.tick_tables.get(&issue.tick_table)?;
        let limited = Limited { terms, regimes, tick_table };
        let stress = if is_widened { of_day.stress() } else { Vec::new() };
        let plain = Relief::of(multiplier);
        let pieces = limited.pieces(of_day.day, issue, plain, &stress).into_iter().map(|piece| {
            let regime = if piece.in_regime { ", at this time of the day" } else { "" };
            let [spread, size] = [piece.relief.spread, piece.relief.size].map(Bps);
            let stress = if piece.relief == plain {
                String::new()
            } else {
                format!(", stressed conditions: spreads x{spread}, sizes x{size}")
            };
            DayLimits { span: piece.span, limits: piece.limits, why: format!("{why}{regime}{stress}") }
        });
        Some(pieces.collect())
    }
}

/// Whether a condition's row is of an obligation.
fn is_row_of(row: &PaidCondition, id: &ObligationId) -> bool {
    match (row.kind, id) {
        (ConditionKind::Matching, ObligationId::Matching(name)) => row.name == *name,
        (ConditionKind::Sponsored, ObligationId::Sponsored(name)) => row.name == *name,
        _ => false,
    }
}

/// A date, for whatever is asked of its clock.
#[derive(Clone, Copy)]
pub(super) struct OfDay<'r> {
    pub(super) registry: &'r Registry,
    pub(super) date: Date,
    pub(super) day: Span,
}

impl OfDay<'_> {
    /// When each regime holds, and its limits.
    ///
    /// Clause: `SIX/home-market-open`.
    pub(super) fn regimes(self, issue: &Issue, rules: &TypeRules) -> Vec<(Vec<Span>, Terms)> {
        let of = |regime: &Regime| {
            let windows = regime.windows.as_ref().unwrap_or(&issue.windows);
            (self.spans(windows), rules.terms.under(&regime.terms, &issue.limits))
        };
        rules.regimes.iter().map(of).collect()
    }

    /// Windows of local clock readings as instants of the day, merged.
    pub(super) fn spans(self, windows: &[(u64, u64)]) -> Vec<Span> {
        let instant = |of_day| match clock(of_day) {
            Some(time) => self.registry.instant(self.date, time),
            None => Some(self.day.end),
        };
        let spans = windows
            .iter()
            .filter_map(|&(start, end)| Span { start: instant(start)?, end: instant(end)? }.clip(self.day));
        merge_spans(spans.collect())
    }

    /// Reliefs beside the multiplier, and when.
    ///
    /// Clause: `XETRA/stress`.
    pub(super) fn stress(self) -> Vec<(Span, Relief)> {
        let rows = self.registry.stress().iter();
        rows.filter_map(|row| Some((row.on(self.date, self.day)?, row.relief()))).collect()
    }
}

/// The limits of an obligation of an issue, and when they hold.
pub(super) struct Limited<'t> {
    pub(super) terms: &'t Terms,
    /// Others in their place: of several that hold the first counts.
    pub(super) regimes: Vec<(Vec<Span>, Terms)>,
    pub(super) tick_table: &'t Arc<TickTable>,
}

impl Limited<'_> {
    /// The limits at the start of the day, and those that replace them in its course.
    pub(super) fn along(
        &self,
        day: Span,
        issue: &Issue,
        relief: Relief,
        stress: &[(Span, Relief)],
    ) -> (Limits, Arc<[LimitChange]>) {
        if self.regimes.is_empty() && stress.is_empty() {
            return (self.terms.limits(&issue.limits, relief, self.tick_table), Arc::default());
        }
        let mut pieces = self.pieces(day, issue, relief, stress).into_iter();
        let limits = pieces.next().expect("a day has a beginning").limits;
        let mut changes: Vec<LimitChange> = Vec::new();
        for Piece { span, limits: next, .. } in pieces {
            if changes.last().map_or(&limits, |last| &last.limits) != &next {
                changes.push(LimitChange { at: span.start, limits: next });
            }
        }
        (limits, changes.into())
    }

    /// The parts of the day between the instants at which anything begins or ends, in order; at least one.
    ///
    /// Clauses: `SIX/home-market-open`, `XETRA/stress`.
    fn pieces(&self, day: Span, issue: &Issue, relief: Relief, stress: &[(Span, Relief)]) -> Vec<Piece> {
        let spans = self.regimes.iter().flat_map(|(spans, _)| spans).chain(stress.iter().map(|(span, _)| span));
        let mut bounds: BTreeSet<Timestamp> = spans.flat_map(|span| [span.start, span.end]).collect();
        bounds.retain(|&instant| day.start < instant && instant < day.end);
        let starts = std::iter::once(day.start).chain(bounds.iter().copied());
        let ends = bounds.iter().copied().chain([day.end]);
        let piece = |(start, end): (Timestamp, Timestamp)| {
            let holds = |span: &Span| span.start <= start && start < span.end;
            let regime = self.regimes.iter().find(|(spans, _)| spans.iter().any(holds));
            let terms = regime.map_or(self.terms, |(_, terms)| terms);
            let in_force = stress.iter().filter(|(span, _)| holds(span));
            let relief = in_force.fold(relief, |all, (_, more)| all.and(*more));
            let limits = terms.limits(&issue.limits, relief, self.tick_table);
            Piece { span: Span { start, end }, limits, in_regime: regime.is_some(), relief }
        };
        starts.zip(ends).map(piece).collect()
    }
}

/// A part of the day, its limits, and what they come from.
struct Piece {
    span: Span,
    limits: Limits,
    in_regime: bool,
    relief: Relief,
}
