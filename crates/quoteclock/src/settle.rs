//! The month, settled from the database.

use crate::month::{MonthError, StoredMonth};
use jiff::civil::Date;
use quoteclock_incentive::{Month, MonthLine, MonthStock, PastMonth, Review, ReviewStock, Settlement, Trading};
use quoteclock_rules::Registry;
use quoteclock_store::{Store, StoreError};

/// A settled month, and what it rests on besides the month's own days.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let settled = store.report("2024-03".parse()?, &registry)?.settled;
/// assert_eq!(settled.settlement.makers.len(), 3);
/// assert!(settled.past_changed.is_empty(), "no earlier month is stored");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Settled {
    /// What they come to.
    pub settlement: Settlement,
    /// Days of earlier months, which recommendations look back on, that the registry as it is now would measure
    /// otherwise.
    pub past_changed: Vec<Date>,
}

/// Settles a month whose lines are known.
pub(crate) fn settle(
    store: &Store,
    registry: &Registry,
    month: Month,
    lines: Vec<MonthLine>,
    as_measured: bool,
) -> Result<Settled, MonthError> {
    let mut trading = Trading::new(month, registry);
    store.turnovers(month.dates(), |row| {
        trading.add(registry, row.date, &row.market_maker, &row.issue, &row.turnover);
    })?;
    let mut past = Vec::new();
    let mut past_changed = Vec::new();
    for earlier in MonthStock::months_before(month, registry) {
        let stored = StoredMonth::read(store, registry, earlier, as_measured)?;
        if !stored.measured.is_empty() {
            past.push(PastMonth { month: earlier, lines: stored.accounts.lines(registry) });
            past_changed.extend(stored.changed.into_keys());
        }
    }
    past_changed.sort_unstable();
    let review = review(store, month)?;
    let stock = MonthStock { month, lines, trading, review, past };
    Ok(Settled { settlement: Settlement::of(stock, registry), past_changed })
}

/// What the tier review in force in a month measured.
///
/// # Errors
/// [`StoreError`] if the file cannot be read.
///
/// ```
#[doc = include_str!("../doc/march.txt")]
/// let file = quoteclock_store::Store::open(store.file())?;
/// let stock = quoteclock::review(&file, "2024-03".parse()?)?;
/// assert!(stock.review().in_force.contains(&day.date()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn review(store: &Store, month: Month) -> Result<ReviewStock, StoreError> {
    let review = Review::of(month);
    let dates = review.measured.clone();
    let stored = store.days(dates.clone())?;
    let mut stock = ReviewStock::new(review, stored.iter().map(|day| day.date));
    store.market_turnovers(dates, |row| stock.add(row.date, &row.issue, row.turnover.continuous.value))?;
    Ok(stock)
}
