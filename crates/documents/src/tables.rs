//! The tables of a paper: columns of the exchange's own outputs, of the lines that are the recipient's.

use crate::document::Document;
use crate::limits::limits;
use crate::recipient::Recipient;
use crate::sheet::{Plan, Sheet};
use jiff::civil::Date;
use quoteclock_incentive::{AccountKey, ConditionLine, IncentiveLine, PaymentLine};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_report::columns::{self, OfDate, OfObligation, WithTimes};
use quoteclock_report::money::{Conditions, Incentives, OfMonth, Payments};
use quoteclock_report::{Criteria, CriteriaRow, Monthly, MonthlyRow};
use quoteclock_rows::{Column, Table};
use std::borrow::Cow;
use std::collections::BTreeSet;

const MONTH: Plan = Plan {
    name: "month",
    heading: "The month: real status, and the exchange system's beside it",
    keys: &["market_maker", "issue", "obligation"],
    columns: &[
        "market_maker",
        "issue",
        "obligation",
        "available_us",
        "fulfilled_us",
        "unknown_us",
        "display_pct",
        "required_pct",
        "status",
        "system_status",
        "days_measured",
        "certain",
    ],
};

const CRITERIA: Plan = Plan {
    name: "criteria",
    heading: "Criteria, taken together",
    keys: &["market_maker", "issue"],
    columns: &["market_maker", "issue", "criteria", "met", "need", "status", "certain"],
};

/// What of criteria rests on all days of the month.
const OF_ALL_CRITERIA: [&str; 3] = ["met", "status", "certain"];

/// What is said of a whole month: of some of its days it cannot be.
const OF_WHOLE_MONTH: [&str; 3] = ["status", "system_status", "certain"];

const INCENTIVES: Plan = Plan {
    name: "incentives",
    heading: "Incentives, line by line",
    keys: &["participant", "issue", "incentive"],
    columns: &["participant", "issue", "tier", "incentive", "basis", "rate", "amount_jpy", "clause"],
};

const PAYMENTS: Plan = Plan {
    name: "payments",
    heading: "What is paid in all",
    keys: &["participant"],
    columns: &[
        "participant",
        "trading_value_jpy",
        "access_fee_jpy",
        "sponsored_jpy",
        "matching_jpy",
        "server_waiver_jpy",
        "total_jpy",
    ],
};

const CONDITIONS: Plan = Plan {
    name: "conditions",
    heading: "Sponsored conditions and matching funds: the place, and among how many eligible ones",
    keys: &["condition", "issue", "market_maker"],
    columns: &[
        "condition",
        "issue",
        "market_maker",
        "status",
        "place",
        "executed_quantity",
        "amount_jpy",
        "by_exchange_jpy",
        "by_asset_manager_jpy",
        "note",
    ],
};

/// What of a condition rests on all days of the month.
const OF_WHOLE_SIGN_UP: [&str; 5] = ["status", "place", "of_eligible", "executed_quantity", "note"];

const DAYS: Plan = Plan {
    name: "days",
    heading: "Day by day",
    keys: &[],
    columns: &[
        "date",
        "market_maker",
        "issue",
        "obligation",
        "available_us",
        "fulfilled_us",
        "unknown_us",
        "display_pct",
    ],
};

/// A row of what is stored of a day.
struct DayOf<'a>(&'a DayRow);

/// `days`: what each obligation came to on each day.
struct Days;

impl Table for Days {
    type Row<'a> = DayOf<'a>;
    const NAME: &'static str = "days";
    const COLUMNS: &'static [Column<Self>] = &[
        columns::date(),
        columns::market_maker(),
        columns::issue(),
        columns::obligation(),
        columns::available_us(),
        columns::fulfilled_us(),
        columns::unknown_us(),
        columns::display_pct_of(),
    ];
}

impl OfDate for DayOf<'_> {
    fn date(&self) -> Date {
        self.0.date
    }
}

impl OfObligation for DayOf<'_> {
    fn market_maker(&self) -> &str {
        &self.0.market_maker
    }

    fn issue(&self) -> &str {
        self.0.issue.as_str()
    }

    fn obligation(&self) -> Cow<'_, str> {
        self.0.obligation.to_string().into()
    }
}

impl WithTimes for DayOf<'_> {
    fn total(&self) -> Total {
        self.0.total
    }
}

impl Document<'_> {
    /// Every table, in the order of the paper.
    pub(crate) fn tables(&self) -> Vec<Sheet> {
        let mut sheets = vec![self.month_table()];
        sheets.extend(self.criteria());
        sheets.push(limits(self.month.registry, &self.days));
        // Incentives are between the exchange and the market maker.
        if !matches!(self.recipient, Recipient::AssetManager(_)) {
            sheets.extend([self.incentives(), self.payments()]);
        }
        sheets.push(self.conditions());
        sheets.push(Sheet::of::<Days>(&DAYS, self.days.iter().copied().map(DayOf)));
        sheets
    }

    /// Times and days are those that the recipient may see. Of a month that it sees in part there is no status here: that
    /// is of the whole.
    ///
    /// Clause: `ST1/system-status`.
    fn month_table(&self) -> Sheet {
        let (month, is_over) = (self.month.settlement.month, self.month.is_over);
        let rows = self.lines.iter().map(|line| MonthlyRow { month, line, is_over });
        let mut sheet = Sheet::of::<Monthly>(&MONTH, rows);
        let parts = self.lines.iter().enumerate().filter(|(_, line)| self.parts.contains(&line.key));
        parts.for_each(|(position, _)| sheet.put(position, &OF_WHOLE_MONTH, ""));
        sheet
    }

    /// What the criteria of the recipient's sign-ups come to together, where there are any; of a month that it sees in part there is
    /// no status here.
    ///
    /// Clause: `XETRA/criteria`.
    fn criteria(&self) -> Option<Sheet> {
        let (settlement, is_over) = (self.month.settlement, self.month.is_over);
        let pair = |key: &AccountKey| (key.market_maker.clone(), key.issue.clone());
        let own: BTreeSet<_> =
            self.lines.iter().filter(|line| line.is_criterion()).map(|line| pair(&line.key)).collect();
        let parts: BTreeSet<_> = self.parts.iter().map(pair).collect();
        let of = |row: &CriteriaRow<'_>| (row.sign_up.market_maker().to_owned(), row.sign_up.issue().clone());
        let all = CriteriaRow::all(settlement.month, &settlement.lines, is_over);
        let rows: Vec<CriteriaRow<'_>> = all.filter(|row| own.contains(&of(row))).collect();
        let mut sheet = Sheet::of::<Criteria>(&CRITERIA, rows.iter().copied());
        let in_part = rows.iter().enumerate().filter(|(_, row)| parts.contains(&of(row)));
        in_part.for_each(|(position, _)| sheet.put(position, &OF_ALL_CRITERIA, ""));
        (!rows.is_empty()).then_some(sheet)
    }

    /// Whether an incentive or payment is the recipient's.
    fn is_paid_to(&self, market_maker: &str, through: Option<&str>) -> bool {
        match &self.recipient {
            Recipient::MarketMaker(name) => market_maker == name,
            Recipient::Participant { participant, market_maker: name } => {
                market_maker == name && through == Some(participant)
            }
            Recipient::AssetManager(_) => false,
        }
    }

    /// Incentives 1 and 2 that are the recipient's.
    pub(crate) fn own_incentives(&self) -> impl Iterator<Item = &IncentiveLine> {
        let all = self.month.settlement.incentives.iter();
        all.filter(|line| self.is_paid_to(&line.market_maker, line.participant.as_deref()))
    }

    fn incentives(&self) -> Sheet {
        let month = self.month.settlement.month;
        let mut sheet = Sheet::of::<Incentives>(&INCENTIVES, self.own_incentives().map(|line| OfMonth { month, line }));
        let unknown = self.own_incentives().enumerate().filter(|(_, line)| line.tier.is_none());
        unknown.for_each(|(position, _)| sheet.put(position, &["tier"], "unknown"));
        sheet
    }

    fn payments(&self) -> Sheet {
        let month = self.month.settlement.month;
        let is_own = |line: &&PaymentLine| self.is_paid_to(&line.market_maker, line.participant.as_deref());
        let own = self.month.settlement.payments.iter().filter(is_own);
        Sheet::of::<Payments>(&PAYMENTS, own.map(|line| OfMonth { month, line }))
    }

    /// A place, and among how many; nobody else's name in a market maker's paper. A place, and what decides it, is of the
    /// whole month: whoever sees a part of it is told what it is paid, or pays.
    ///
    /// Clauses: `ST1/sponsored-priority`, `ST1/performance-report`.
    fn conditions(&self) -> Sheet {
        let month = self.month.settlement.month;
        let is_own = |line: &&ConditionLine| {
            let obligation = line.obligation();
            let mut own = self.lines.iter().filter(|of| of.key.market_maker == line.market_maker);
            let is_there = own.any(|of| of.key.issue == line.issue && of.key.obligation.to_string() == obligation);
            is_there
                && match &self.recipient {
                    Recipient::Participant { participant, .. } => line.participant.as_deref() == Some(participant),
                    Recipient::MarketMaker(_) | Recipient::AssetManager(_) => true,
                }
        };
        let own: Vec<&ConditionLine> = self.month.settlement.conditions.iter().filter(is_own).collect();
        let mut sheet = Sheet::of::<Conditions>(&CONDITIONS, own.iter().map(|&line| OfMonth { month, line }));
        sheet.insert_after("place", "of_eligible", own.iter().map(|line| line.eligible));
        let is_part = |line: &ConditionLine| {
            self.parts.iter().any(|key| key.market_maker == line.market_maker && key.issue == line.issue)
        };
        let parts = own.iter().enumerate().filter(|(_, line)| is_part(line));
        parts.for_each(|(position, _)| sheet.put(position, &OF_WHOLE_SIGN_UP, ""));
        sheet
    }
}
