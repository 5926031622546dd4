//! TM-1 and TM-3: notices of a designation and of its end.

use askama::Template;
use quoteclock_incentive::Month;
use quoteclock_rules::{Form, Registry};
use std::collections::BTreeSet;

/// A notice to a market maker and its participants.
#[derive(Template, Clone, PartialEq, Eq, Debug)]
#[template(path = "notice.html")]
pub struct Notice {
    /// `tm-1` or `tm-3`.
    pub folder: &'static str,
    /// The colours of the month's page.
    palette: &'static str,
    title: &'static str,
    says: &'static str,
    /// The market maker.
    pub market_maker: String,
    name: String,
    /// The date from which it counts.
    pub effective: String,
    participants: Vec<String>,
    issues: Vec<String>,
    document: String,
}

impl Notice {
    /// The page. It needs nothing but itself.
    ///
    /// # Errors
    /// Those of writing into memory.
    pub fn html(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write_into(&mut bytes)?;
        Ok(bytes)
    }
}

/// The notices of the designations (MT-1) and cancellations (MT-4) that take effect in a month, by folder, market maker and
/// date.
///
/// Clause: `ST1/designation`.
pub fn notices(registry: &Registry, month: Month) -> Vec<Notice> {
    let in_month = |form: Form| {
        let rows = registry.applications().unwrap_or_default().iter().filter(move |row| row.form == form);
        rows.filter(|row| month.dates().contains(&row.effective))
    };
    let notice = |folder, title, says, row: &quoteclock_rules::Application| {
        let own = registry.sign_ups().iter().filter(|sign_up| sign_up.market_maker == row.party);
        let own: Vec<_> = own.filter(|sign_up| month.holds_any_of(sign_up.period)).collect();
        let firm = registry.market_makers().iter().find(|firm| firm.market_maker == row.party);
        let participants: BTreeSet<&str> = own.iter().filter_map(|sign_up| sign_up.participant.as_deref()).collect();
        let issues: BTreeSet<&str> = own.iter().map(|sign_up| sign_up.issue.as_str()).collect();
        Notice {
            folder,
            palette: quoteclock_pages::PALETTE,
            title,
            says,
            market_maker: row.party.clone(),
            name: firm.and_then(|firm| firm.name.clone()).unwrap_or_default(),
            effective: row.effective.to_string(),
            participants: participants.into_iter().map(str::to_owned).collect(),
            issues: issues.into_iter().map(str::to_owned).collect(),
            document: row.document.clone().unwrap_or_default(),
        }
    };
    let designated = in_month(Form::Mt1).map(|row| {
        notice("tm-1", "TM-1 Notification of Designation", "is designated as an ETF market maker from", row)
    });
    let cancelled = in_month(Form::Mt4)
        .map(|row| notice("tm-3", "TM-3 Notification of Cancellation", "is no ETF market maker any more from", row));
    designated.chain(cancelled).collect()
}
