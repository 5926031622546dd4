//! What a paper says of itself: whose it is, which revision, what is not in it, and what it rests on.

use crate::document::Document;
use crate::recipient::Recipient;
use crate::sheet::{Cell, Sheet};
use quoteclock_incentive::MonthLine;
use std::collections::BTreeSet;

/// So many names are given in a sentence.
const NAMED_MAX: usize = 20;

impl Document<'_> {
    /// What a reader has to know before the figures, beside what is for everybody.
    pub(crate) fn own_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match &self.recipient {
            Recipient::Participant { participant, market_maker } => notes.push(format!(
                "This copy holds what ran through {participant}, and nothing else of {market_maker}: neither days, \
                 figures and payments through other participants, nor the number of its ETFs."
            )),
            Recipient::AssetManager(name) if !self.parts.is_empty() => {
                notes.push(format!("This paper holds the days on which an ETF was managed by {name}, and no others."));
            }
            Recipient::MarketMaker(_) | Recipient::AssetManager(_) => {}
        }
        if !self.parts.is_empty() {
            let parts: Vec<String> = self.parts.iter().map(|key| format!("{} {}", key.issue, key.obligation)).collect();
            notes.push(format!(
                "Only some days of the month are here of {}: their status, place and executed quantity, which are of the whole \
                 month, are left out.",
                some_of(&parts)
            ));
        }
        let uncertain: Vec<String> = self
            .lines
            .iter()
            .filter(|line| !line.certain() && !self.parts.contains(&line.key))
            .map(|MonthLine { key, .. }| format!("{} {} {}", key.market_maker, key.issue, key.obligation))
            .collect();
        if !uncertain.is_empty() {
            notes.push(format!("NOT CERTAIN: unknown time could turn the status of {}.", some_of(&uncertain)));
        }
        let unknown: BTreeSet<&str> =
            self.own_incentives().filter(|line| line.tier.is_none()).map(|line| line.issue.as_str()).collect();
        if !unknown.is_empty() {
            notes.push(format!(
                "TIER UNKNOWN: {}. What the tier review measures of it is not on record, so that no incentive on trading \
                 value can be said yet; the other incentives stand.",
                some_of(&unknown.into_iter().map(str::to_owned).collect::<Vec<_>>())
            ));
        }
        notes
    }

    /// The first table of a paper, which the others are read with.
    pub(crate) fn about(&self, title: &str) -> Sheet {
        let evidence = self.month.evidence;
        let mut rows: Vec<(String, String)> = vec![
            ("paper".to_owned(), title.to_owned()),
            ("month".to_owned(), self.month.settlement.month.to_string()),
            ("scheme".to_owned(), evidence.scheme.clone()),
        ];
        rows.extend(self.month.imprint.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        rows.extend(self.notes().into_iter().map(|note| ("note".to_owned(), note)));
        let interpretations = evidence.interpretations.iter();
        rows.extend(interpretations.map(|(name, value)| (format!("interpretation {name}"), value.clone())));
        for (date, cells) in evidence.days.iter().filter(|(date, _)| self.dates.contains(date)) {
            let facts = evidence.headings.iter().skip(1).zip(cells).map(|(heading, cell)| format!("{heading} {cell}"));
            rows.push((format!("day {date}"), facts.collect::<Vec<_>>().join("; ")));
        }
        rows.push(("written by".to_owned(), format!("quoteclock {}", evidence.program)));
        Sheet {
            name: "about",
            heading: "About this paper",
            keys: &[],
            columns: vec!["about", "value"],
            rows: rows.into_iter().map(|(about, value)| vec![Cell::text(about), Cell::text(value)]).collect(),
        }
    }
}

/// The first names, and how many more there are.
fn some_of(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMED_MAX)].join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
