//! Breaches of one obligation that follow each other without a break, as one outage.

use quoteclock_model::{Micros, Span};
use std::collections::BTreeMap;

/// A stretch of connected breaches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outage {
    /// When.
    pub(crate) span: Span,
    /// The reason with the largest share; of equal ones the first by name.
    pub(crate) main_reason: Box<str>,
}

impl Outage {
    /// How long it is.
    pub(crate) fn length(&self) -> Micros {
        self.span.end.since(self.span.start)
    }
}

/// An outage that may go on.
#[derive(Debug)]
pub(crate) struct OpenOutage<'b> {
    span: Span,
    /// How long for each reason.
    reasons: BTreeMap<&'b str, Micros>,
}

impl<'b> OpenOutage<'b> {
    /// The outage that a breach begins.
    pub(crate) fn begin(span: Span, reason: &'b str) -> OpenOutage<'b> {
        OpenOutage { span, reasons: BTreeMap::from([(reason, span.end.since(span.start))]) }
    }

    /// Adds a breach that begins where the outage ends so far; otherwise says no.
    pub(crate) fn join(&mut self, span: Span, reason: &'b str) -> bool {
        let connected = span.start == self.span.end;
        if connected {
            self.span.end = span.end;
            *self.reasons.entry(reason).or_default() += span.end.since(span.start);
        }
        connected
    }

    /// It does not go on.
    pub(crate) fn close(self) -> Outage {
        let most = self.reasons.iter().max_by(|(name, most), (other, next)| most.cmp(next).then(other.cmp(name)));
        Outage { span: self.span, main_reason: most.map_or("", |(reason, _)| reason).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::Timestamp;

    fn span(start: i64, end: i64) -> Span {
        Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    #[test]
    fn connected_breaches_are_one_outage_and_a_microsecond_between_them_ends_it() {
        let mut outage = OpenOutage::begin(span(10, 20), "spread");
        assert!(outage.join(span(20, 50), "no_bid"));
        assert!(!outage.join(span(51, 60), "no_bid"));
        let outage = outage.close();
        assert_eq!((outage.span, outage.length(), &*outage.main_reason), (span(10, 50), Micros(40), "no_bid"));
    }

    #[test]
    fn of_equal_shares_the_first_by_name_is_named() {
        let mut outage = OpenOutage::begin(span(0, 5), "spread");
        assert!(outage.join(span(5, 10), "no_bid"));
        assert_eq!(&*outage.close().main_reason, "no_bid");
    }
}
