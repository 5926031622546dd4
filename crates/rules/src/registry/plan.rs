//! What the registry and the scheme require on one date, as a [`DayPlan`].
//!
//! Everything that depends on the date is decided here: which rows are in force, which session list, which multiplier,
//! and which instants local clock times stand for. Nothing is remembered between dates.

use super::along::{Limited, OfDay};
use super::clock::clock;
use super::{Issue, PaidCondition, Registry, Target};
use crate::scheme::Relief;
use crate::{
    Availability, DayPlan, MonthShare, ObligationPlan, PhaseSource, RequiredShare, ServerPlan, SharePeriod, SignUpPlan,
    Terms, TypeRules,
};
use jiff::civil::{Date, Time};
use quoteclock_model::{IssueCode, Micros, ObligationId, Phase, Phases, Span, Timestamp, merge_spans};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use thiserror::Error;

/// Why there is no plan for a date.
///
/// ```
/// use jiff::civil::Date;
/// use quoteclock_rules::PlanError;
///
/// let error = PlanError::DateOutOfRange { date: Date::MAX, zone: "Asia/Tokyo".to_owned() };
/// assert_eq!(error.to_string(), "the date 9999-12-31 is out of range in the time zone Asia/Tokyo");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The date begins or ends outside the time that can be written down.
    #[error("the date {date} is out of range in the time zone {zone}")]
    DateOutOfRange {
        /// The date.
        date: Date,
        /// The scheme's zone.
        zone: String,
    },
    /// The instant lies outside the time that can be written down.
    #[error("the instant {micros} µs from 1970-01-01T00:00:00Z has no date in the time zone {zone}")]
    InstantOutOfRange {
        /// The instant, in microseconds since the Unix epoch.
        micros: i64,
        /// The scheme's zone.
        zone: String,
    },
}

impl Registry {
    /// What is measured on `date`, whichever day of the week it is, and under which limits.
    ///
    /// Clauses: `ST1/continuous-auction`, `ST1/fast-market`, `ST1/exemption`, `ST1/virtual-server-measuring`.
    ///
    /// # Errors
    /// [`PlanError::DateOutOfRange`] at the very ends of the calendar.
    pub fn plan(&self, date: Date) -> Result<DayPlan, PlanError> {
        self.plan_under(date, &[self.multiplier_on(date)])
    }

    /// The same with every obligation that a Fast Market widens once for each multiplier that there may be, next to each other:
    /// what a running day measures whose Fast Market may still be declared. [`DayPlan::variant`] picks one of them.
    ///
    /// Clause: `ST1/fast-market`.
    ///
    /// # Errors
    /// As [`Registry::plan`].
    pub fn plan_in_variants(&self, date: Date) -> Result<DayPlan, PlanError> {
        self.plan_under(date, &DayPlan::MULTIPLIERS)
    }

    fn plan_under(&self, date: Date, multipliers: &[u32]) -> Result<DayPlan, PlanError> {
        let day = self.day(date)?;
        let mut servers = Servers::on(self, date);
        let trading = Arc::new(self.trading(date, day)?);
        // Nothing is required for a while after each beginning; what is traded in it is traded all the same.
        let required = match self.scheme().start_delay {
            Micros::ZERO => Arc::clone(&trading),
            start_delay => Arc::new(Availability { start_delay, ..Availability::clone(&trading) }),
        };
        let terms = TermsOfDay::on(self, (date, day), &required, multipliers);
        let exemptions = Exemptions::on(self, day);
        let scheme = self.scheme();
        let in_force = self.issues().iter().filter(|issue| issue.period.contains(date));
        // The same of all sign-ups of an issue: resolved with the first.
        let mut issues: HashMap<&IssueCode, (&Issue, Option<_>), foldhash::quality::RandomState> =
            in_force.map(|issue| (&issue.code, (issue, None))).collect();
        let mut sign_ups: Vec<SignUpPlan> = Vec::with_capacity(self.sign_ups().len());
        // Sorted by market maker, of which there are few.
        for of_market_maker in self.sign_ups().chunk_by(|one, next| one.market_maker == next.market_maker) {
            let mut own_servers = servers.of(&of_market_maker[0].market_maker);
            let all_servers = own_servers.of(None);
            let own_exemptions = exemptions.of(&of_market_maker[0].market_maker);
            for sign_up in of_market_maker.iter().filter(|sign_up| sign_up.period.contains(date)) {
                // REFERENCE section 4: without a row of the issue in force, the sign-up is not measured.
                let Some((issue, obligations)) = issues.get_mut(&sign_up.issue) else { continue };
                sign_ups.push(SignUpPlan {
                    market_maker: sign_up.market_maker.clone(),
                    issue: sign_up.issue.clone(),
                    leveraged_inverse: issue.leveraged_inverse,
                    servers: match sign_up.participant.as_deref() {
                        None => Arc::clone(&all_servers),
                        participant => own_servers.of(participant),
                    },
                    servers_of_market_maker: Arc::clone(&all_servers),
                    exempt: own_exemptions.of(&sign_up.issue),
                    obligations: obligations.get_or_insert_with(|| terms.obligations(issue)).clone(),
                });
            }
        }
        let signed_up: HashSet<&str, foldhash::quality::RandomState> =
            sign_ups.iter().map(|sign_up| sign_up.market_maker.as_str()).collect();
        for server in &mut servers.plans {
            server.signed_up = signed_up.contains(server.market_maker.as_str());
        }
        let multiplier = self.multiplier_on(date);
        Ok(DayPlan {
            date,
            zone: scheme.zone.clone(),
            day,
            trading,
            phase_source: scheme.phase_source,
            self_trades: scheme.interpretations.self_trades(),
            counterparty_market_maker: scheme.interpretations.counterparty_market_maker(),
            multiplier,
            servers: servers.plans,
            sign_ups,
        })
    }

    /// The date, in the scheme's zone, that an instant lies on.
    ///
    /// # Errors
    /// [`PlanError::InstantOutOfRange`] if the instant is before the year -9999 or after 9999.
    pub fn local_date(&self, at: Timestamp) -> Result<Date, PlanError> {
        let micros = at.as_micros();
        match jiff::Timestamp::from_microsecond(micros) {
            Ok(instant) => Ok(self.scheme().zone.to_datetime(instant).date()),
            Err(_) => Err(PlanError::InstantOutOfRange { micros, zone: self.scheme().zone_name.clone() }),
        }
    }

    /// The local day: from its midnight up to the next.
    pub(super) fn day(&self, date: Date) -> Result<Span, PlanError> {
        let next = date.tomorrow().map_err(|_| self.out_of_range(date))?;
        let midnight = |of: Date| self.instant(of, Time::midnight()).ok_or_else(|| self.out_of_range(date));
        Ok(Span { start: midnight(date)?, end: midnight(next)? })
    }

    /// When the market trades continuously on the date.
    ///
    /// Clauses: `ST1/continuous-auction`, `ST1/halts-and-special-quotes`, `QC/sequential_quote`.
    fn trading(&self, date: Date, day: Span) -> Result<Availability, PlanError> {
        let sequential = self.scheme().interpretations.sequential_quote_available();
        let phases: &[Phase] =
            if sequential { &[Phase::Continuous, Phase::SequentialQuote] } else { &[Phase::Continuous] };
        let windows = self.session_spans(date, day)?;
        Ok(Availability { windows: windows.into(), phases: Phases::of(phases), start_delay: Micros::ZERO })
    }

    /// The continuous windows of the date as instants; the whole day where the feed tells the phases.
    ///
    /// Clause: `ST1/continuous-auction`.
    fn session_spans(&self, date: Date, day: Span) -> Result<Vec<Span>, PlanError> {
        if self.scheme().phase_source == PhaseSource::Feed {
            return Ok(merge_spans(vec![day]));
        }
        let windows = self.scheme().sessions_on(date).map_or(&[][..], |list| &list.windows);
        let mut spans = Vec::with_capacity(windows.len());
        for &(start, end) in windows {
            let at = |of_day| match clock(of_day) {
                Some(time) => self.instant(date, time).ok_or_else(|| self.out_of_range(date)),
                None => Ok(day.end),
            };
            spans.extend(Span { start: at(start)?, end: at(end)? }.clip(day));
        }
        Ok(merge_spans(spans))
    }

    fn out_of_range(&self, date: Date) -> PlanError {
        PlanError::DateOutOfRange { date, zone: self.scheme().zone_name.clone() }
    }
}

/// The servers in force on the date.
struct Servers<'r> {
    plans: Vec<ServerPlan>,
    /// By market maker: positions in `plans`, ascending, each with its participant.
    by_market_maker: BTreeMap<&'r str, Vec<(usize, Option<&'r str>)>>,
}

impl<'r> Servers<'r> {
    fn on(registry: &'r Registry, date: Date) -> Servers<'r> {
        let mut servers = Servers { plans: Vec::new(), by_market_maker: BTreeMap::new() };
        for server in registry.servers().iter().filter(|server| server.period.contains(date)) {
            let position = (servers.plans.len(), server.participant.as_deref());
            servers.by_market_maker.entry(&server.market_maker).or_default().push(position);
            let (name, market_maker) = (server.server.clone(), server.market_maker.clone());
            servers.plans.push(ServerPlan { name, market_maker, signed_up: false });
        }
        servers
    }

    fn of(&self, market_maker: &str) -> OwnServers<'_, 'r> {
        let all = self.by_market_maker.get(market_maker).map_or(&[][..], Vec::as_slice);
        OwnServers { all, of_participant: BTreeMap::new() }
    }
}

/// The servers of one market maker.
struct OwnServers<'s, 'r> {
    all: &'s [(usize, Option<&'r str>)],
    /// Those that serve a participant, or anybody, as far as asked for.
    of_participant: BTreeMap<Option<&'r str>, Arc<[usize]>>,
}

impl<'r> OwnServers<'_, 'r> {
    /// Those that serve a participant, or all.
    ///
    /// Clauses: `ST1/virtual-server-measuring`, `ST1/participant`.
    fn of(&mut self, participant: Option<&'r str>) -> Arc<[usize]> {
        let OwnServers { all, of_participant } = self;
        let positions = of_participant.entry(participant).or_insert_with(|| {
            let serves = |of_server: Option<&str>| match (of_server, participant) {
                (Some(of_server), Some(participant)) => of_server == participant,
                _ => true,
            };
            all.iter().filter(|(_, of_server)| serves(*of_server)).map(|&(position, _)| position).collect()
        });
        positions.clone()
    }
}

/// The exemptions that touch the day, merged: for each market maker (or all), by issue (or all) that rows name.
struct Exemptions<'r>(BTreeMap<Option<&'r str>, OfIssues<'r>>);

type OfIssues<'r> = HashMap<Option<&'r IssueCode>, Vec<Span>, foldhash::quality::RandomState>;

impl<'r> Exemptions<'r> {
    fn on(registry: &'r Registry, day: Span) -> Exemptions<'r> {
        let mut all: BTreeMap<_, OfIssues<'r>> = BTreeMap::new();
        for row in registry.exemptions() {
            let whole = Span { start: row.from.unwrap_or(day.start), end: row.to.unwrap_or(day.end) };
            if let Some(span) = whole.clip(day) {
                let of_issues = all.entry(row.market_maker.as_deref()).or_default();
                of_issues.entry(row.issue.as_ref()).or_default().push(span);
            }
        }
        for spans in all.values_mut().flat_map(OfIssues::values_mut) {
            *spans = merge_spans(std::mem::take(spans));
        }
        Exemptions(all)
    }

    /// Those of everybody, and those of this market maker alone.
    fn of(&self, market_maker: &'r str) -> OwnExemptions<'_, 'r> {
        OwnExemptions([self.0.get(&None), self.0.get(&Some(market_maker))])
    }
}

/// The exemptions of one market maker.
struct OwnExemptions<'e, 'r>([Option<&'e OfIssues<'r>>; 2]);

impl OwnExemptions<'_, '_> {
    /// Clause: `ST1/exemption`.
    fn of(&self, issue: &IssueCode) -> Vec<Span> {
        let of_both = self.0.iter().flatten().flat_map(|of_issues| [of_issues.get(&None), of_issues.get(&Some(issue))]);
        merge_spans(of_both.flatten().flatten().copied().collect())
    }
}

/// The conditions in force on the date, the multipliers to be measured, and when quotes are required.
struct TermsOfDay<'r> {
    of: OfDay<'r>,
    required: Arc<Availability>,
    multipliers: &'r [u32],
    /// Reliefs of the day, beside the multiplier.
    stress: Vec<(Span, Relief)>,
    by_issue: BTreeMap<&'r IssueCode, Vec<&'r PaidCondition>>,
    by_index: BTreeMap<&'r str, Vec<&'r PaidCondition>>,
}

impl<'r> TermsOfDay<'r> {
    fn on(
        registry: &'r Registry,
        (date, day): (Date, Span),
        required: &Arc<Availability>,
        multipliers: &'r [u32],
    ) -> TermsOfDay<'r> {
        let (by_issue, by_index) = (BTreeMap::new(), BTreeMap::new());
        let of = OfDay { registry, date, day };
        let (required, stress) = (Arc::clone(required), of.stress());
        let mut terms = TermsOfDay { of, required, multipliers, stress, by_issue, by_index };
        for condition in registry.conditions().iter().filter(|condition| condition.period.contains(date)) {
            match &condition.target {
                Target::Issue(issue) => terms.by_issue.entry(issue).or_default().push(condition),
                Target::Index(index) => terms.by_index.entry(index).or_default().push(condition),
            }
        }
        terms
    }

    /// All obligations of an issue, in the order of their ids and multipliers.
    ///
    /// Clauses: `ST1/spread-and-quantity`, `ST1/time-share`, `ST1/sponsored-obligation`, `ST1/matching-obligation`,
    /// `XETRA/criteria`.
    fn obligations(&self, issue: &Issue) -> Arc<[ObligationPlan]> {
        let scheme = self.of.registry.scheme();
        let tick_table = scheme.tick_tables.get(&issue.tick_table).expect("loading checked the tick table");
        let general = scheme.types.get(&issue.type_name).expect("loading checked the type");
        let of_index = issue.index.as_deref().and_then(|index| self.by_index.get(index));
        // Rows that name the issue come last and so replace those of its index under the same condition.
        let rows = of_index.into_iter().chain(self.by_issue.get(&issue.code)).flatten();
        let conditions =
            rows.map(|row| (row.obligation(), (&row.terms, row.coverage_pct.unwrap_or(scheme.required_pct), None)));
        let asked = general
            .asked()
            .map(|(id, rules)| (id, (&rules.terms, rules.required_pct.unwrap_or(scheme.required_pct), Some(rules))));
        let by_id: BTreeMap<ObligationId, (&Terms, u64, Option<&TypeRules>)> = asked.chain(conditions).collect();
        let all = by_id.into_iter().flat_map(|(id, (terms, pct, rules))| {
            let (regimes, availability) = match rules {
                Some(rules) => (self.of.regimes(issue, rules), self.availability(rules)),
                None => (Vec::new(), Arc::clone(&self.required)),
            };
            self.variants(id, issue, Limited { terms, regimes, tick_table }, (availability, pct))
        });
        all.collect()
    }

    /// When a type requires quotes: as everybody does, or at its own times.
    ///
    /// Clauses: `BIT/auctions-included`, `TWSE/after-the-open`.
    fn availability(&self, rules: &TypeRules) -> Arc<Availability> {
        let TypeRules { phases, windows, start_delay, .. } = rules;
        if phases.is_none() && windows.is_none() && start_delay.is_none() {
            return Arc::clone(&self.required);
        }
        let own = windows.as_ref().map(|windows| self.of.spans(windows).into());
        Arc::new(Availability {
            windows: own.unwrap_or_else(|| Arc::clone(&self.required.windows)),
            phases: phases.unwrap_or(self.required.phases),
            start_delay: start_delay.unwrap_or(self.required.start_delay),
        })
    }

    /// Of which time the required share is.
    fn share_period(&self) -> SharePeriod {
        match self.of.registry.scheme().aggregate.month {
            MonthShare::Days { .. } => SharePeriod::Day,
            MonthShare::Sum | MonthShare::MeanOfDays => SharePeriod::Month,
        }
    }

    /// One obligation under each multiplier to be measured; once if none widens it.
    ///
    /// Clause: `ST1/fast-market`.
    fn variants(
        &self,
        id: ObligationId,
        issue: &Issue,
        of: Limited<'_>,
        (availability, pct): (Arc<Availability>, u64),
    ) -> impl Iterator<Item = ObligationPlan> {
        let is_widened = id.is_widened_by_fast_market();
        let multipliers = if is_widened { self.multipliers } else { &[1] };
        let stress = if is_widened { &self.stress[..] } else { &[] };
        multipliers.iter().map(move |&multiplier| {
            let (limits, limit_changes) = of.along(self.of.day, issue, Relief::of(multiplier), stress);
            ObligationPlan {
                id: id.clone(),
                multiplier,
                limits,
                limit_changes,
                availability: Arc::clone(&availability),
                required: RequiredShare { pct, per: self.share_period() },
            }
        })
    }
}
