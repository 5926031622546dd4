//! The rules behind what is shown, each with the reading that the project gives it.

use crate::Explanation;
use quoteclock_model::{Micros, SizeRule};
use quoteclock_rules::{Manner, PhaseSource, SidesRequired, SignUpPlan, SpreadBase};

/// The clauses that the explanation's figures rest on, with a reading each.
pub(crate) fn applied(explanation: &Explanation) -> Vec<(&'static str, &'static str)> {
    let mut clauses = vec![
        (
            "ST1/virtual-server-measuring",
            "A market maker is measured by the orders of the virtual servers dedicated to it.",
        ),
        (
            "ST1/minimum-value",
            "A side's own quotes are added up from the best price outward; where they reach the minimum is its obligation price.",
        ),
        (
            "ST1/spread-and-quantity",
            "Both sides must reach the minimum, within the widest spread; of bps and ticks the wider counts.",
        ),
    ];
    let limits = &explanation.subject.limits;
    let Manner { spread_base, bands, size_divergence_pct_max, sides, value_at_price, resting_min, .. } = &limits.manner;
    if limits.spread_bps_max.is_some() && *spread_base != SpreadBase::Mid {
        clauses.push(("TWSE/spread-of-offer", "The spread in bps is offer less bid, divided by one of the two."));
    } else if limits.spread_bps_max.is_some() {
        clauses.push(("ST1/spread-of-mid", "The spread in bps is offer less bid, divided by the mid of the two."));
    }
    if limits.spread_ticks_max.is_some() {
        clauses.push(("ST1/spread-ticks", "The spread in ticks is the number of price steps from bid to offer."));
        clauses.push((
            "QC/ticks_across_bands",
            "Valid prices are counted one after another, also where the tick changes.",
        ));
    }
    if !bands.is_empty() {
        clauses.push(("QC/bands", "The bid's obligation price says which limits of the spread hold."));
    }
    if limits.minimum().rule == SizeRule::Any {
        clauses.push(("TWSE/units-or-value", "Of the least quantity and the least value one is enough."));
    }
    if *value_at_price {
        clauses.push(("XETRA/quantity-of-value", "The least quantity is the least value by the price, rounded up."));
    }
    if size_divergence_pct_max.is_some() {
        clauses.push((
            "RTS8/comparable-size",
            "The shares from the best price outward to the obligation price differ by at most a part of the larger side's.",
        ));
    }
    if *sides == SidesRequired::Either {
        clauses.push(("BIT/bid-or-offer", "One side is enough; where both are quoted their spread is limited."));
    }
    if *resting_min != Micros::ZERO {
        clauses.push(("TWSE/held", "A stretch in which the quotes were good counts if it is long enough."));
    }
    if !explanation.subject.limit_changes.is_empty() {
        clauses.push((
            "SIX/home-market-open",
            "At some times of the day other limits hold, as the scheme and the issue say.",
        ));
        clauses.push(("XETRA/stress", "Limits are relieved while stressed conditions are declared."));
    }
    if 1 < explanation.subject.multiplier {
        clauses.push(("ST1/fast-market", "On a Fast Market date the spread limits are wider, for the whole date."));
        clauses.push(("QC/fast_market_scales", "Both limits are widened, bps and ticks."));
    }
    if explanation.plan.phase_source == PhaseSource::Schedule {
        clauses.push(("ST1/continuous-auction", "Quotes are required during the continuous auction only."));
    }
    clauses.push(("ST1/halts-and-special-quotes", "No quote is required during a trading halt or a special quote."));
    let subject = &explanation.subject;
    let is_subject =
        |sign_up: &&SignUpPlan| sign_up.market_maker == subject.market_maker && sign_up.issue.as_str() == subject.issue;
    if explanation.plan.sign_ups.iter().find(is_subject).is_some_and(|sign_up| !sign_up.exempt.is_empty()) {
        clauses.push(("ST1/exemption", "The exchange may exempt a time for compelling reasons."));
    }
    clauses.push((
        "ST1/quote-display-time",
        "Quote display time is the fulfilled part of the time in which a quote was required.",
    ));
    clauses.push(("ST1/timestamps", "All time is the exchange's, in microseconds."));
    clauses
}
