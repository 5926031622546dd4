//! What a month's stored days decide.

use crate::month::{MonthError, StoredMonth};
use crate::settle::{Settled, settle};
use quoteclock_incentive::{Month, MonthLine, Outlook, Settlement, outlooks};
use quoteclock_report::money::OfMonth;
use quoteclock_report::{CriteriaRow, MakerRow, MonthlyRow, StatusRow, count, grouped, list};
use quoteclock_rules::PlanError;
use quoteclock_store::Store;

/// A month, settled: which obligations were met, and what follows for each market maker.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("quoteclock-report-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// use quoteclock::{Registry, Store, replay};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let store = Store::at(folder.join("march.db"));
/// store.add(&replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?, &Default::default())?;
/// let report = store.report("2024-03".parse()?, &registry)?;
/// let line = report.monthly().find(|row| row.line.key.market_maker == "MM3").expect("MM3 is signed up");
/// assert_eq!(line.line.days_measured, 1);
/// assert!(!report.is_complete(), "nineteen days are missing");
/// assert!(report.notes(5).iter().any(|note| note.starts_with("NOT COMPLETE")));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Report {
    /// The month.
    pub month: Month,
    /// The registry that it is judged by.
    pub registry: quoteclock_rules::Registry,
    /// Its days as they are stored.
    pub stored: StoredMonth,
    /// What they come to.
    pub settled: Settled,
}

/// So many obligations are named in a sentence.
const NAMED_MAX: usize = 5;

impl Report {
    /// Reads and settles a month. With `as_measured` days are taken as they were measured, though the registry would measure
    /// them otherwise now.
    ///
    /// # Errors
    /// [`MonthError`]; [`MonthError::Changed`] names the days that have to be measured anew.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let file = quoteclock_store::Store::open(store.file())?;
    /// let report = quoteclock::Report::read(&file, registry.tables(), "2024-03".parse()?, false)?;
    /// assert_eq!(report.month.to_string(), "2024-03");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(
        store: &Store,
        registry: &quoteclock_rules::Registry,
        month: Month,
        as_measured: bool,
    ) -> Result<Report, MonthError> {
        let mut stored = StoredMonth::read(store, registry, month, as_measured)?;
        if !stored.changed.is_empty() && !as_measured {
            return Err(MonthError::Changed(std::mem::take(&mut stored.changed)));
        }
        let settled = settle(store, registry, month, stored.accounts.lines(registry), as_measured)?;
        Ok(Report { month, registry: registry.clone(), stored, settled })
    }

    /// What the month's days come to.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert_eq!(report.settlement().makers.len(), 3, "MM1, MM2 and MM3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn settlement(&self) -> &Settlement {
        &self.settled.settlement
    }

    /// The rows of `monthly.csv`.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// let row = report.monthly().find(|row| row.line.key.market_maker == "MM3").expect("MM3 is signed up");
    /// assert_eq!(row.line.key.issue.as_str(), "1306");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn monthly(&self) -> impl Iterator<Item = MonthlyRow<'_>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        self.settlement().lines.iter().map(move |line| MonthlyRow { month, line, is_over })
    }

    /// The rows of `criteria.csv`, none where the scheme has no criteria.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert_eq!(report.criteria().count(), 0, "this scheme has no criteria");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn criteria(&self) -> impl Iterator<Item = CriteriaRow<'_>> {
        CriteriaRow::all(self.month, &self.settlement().lines, self.stored.is_over())
    }

    /// The rows of `market_makers.csv`.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(report.market_makers().map(|row| &*row.maker.market_maker).eq(["MM1", "MM2", "MM3"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn market_makers(&self) -> impl Iterator<Item = MakerRow<'_>> {
        let (month, is_over) = (self.month, self.stored.is_over());
        self.settlement().makers.iter().map(move |maker| MakerRow { month, maker, is_over })
    }

    /// The rows of one of the month's lists, such as [`Settlement::payments`], with the month.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// let incentives = &report.settlement().incentives;
    /// assert_eq!(report.of_month(incentives).count(), incentives.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_month<'a, L>(&self, lines: &'a [L]) -> impl Iterator<Item = OfMonth<'a, L>> {
        OfMonth::all(self.month, lines)
    }

    /// Where each obligation stands in a month that is not over: the rows of `status`.
    ///
    /// # Errors
    /// [`PlanError`] if the registry cannot measure a date to come.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// let outlooks = report.outlooks()?;
    /// assert_eq!((outlooks[0].days_measured, outlooks[0].days_remaining), (1, 19));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outlooks(&self) -> Result<Vec<Outlook>, PlanError> {
        outlooks(&self.stored.accounts, &self.stored.measured_until(), &self.registry)
    }

    /// [`Report::outlooks`] as rows, to the microsecond.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// let outlooks = report.outlooks()?;
    /// let first = report.status(&outlooks).next().expect("MM1 is signed up");
    /// assert_eq!((first.outlook.key.issue.as_str(), first.outlook.word()), ("1306", "open"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status<'a>(&self, outlooks: &'a [Outlook]) -> impl Iterator<Item = StatusRow<'a>> {
        let month = self.month;
        outlooks.iter().map(move |outlook| StatusRow { month, outlook, exact: true })
    }

    /// Whether nothing is missing and nothing in doubt.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(!report.is_complete(), "nineteen days are missing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_complete(&self) -> bool {
        let is_whole = self.stored.missing.is_empty() && self.stored.partial.is_empty();
        let settled = self.settlement();
        is_whole && settled.unknown_tiers().is_empty() && settled.lines.iter().all(MonthLine::certain)
    }

    /// What is not known, and what that could turn.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(report.doubts().is_empty(), "no record was set aside");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = self.stored.unknown_notes();
        let uncertain: Vec<&MonthLine> = self.settlement().lines.iter().filter(|line| !line.certain()).collect();
        if !uncertain.is_empty() {
            let named =
                |line: &&MonthLine| format!("{} {} {}", line.key.market_maker, line.key.issue, line.key.obligation);
            let first: Vec<String> = uncertain.iter().take(NAMED_MAX).map(named).collect();
            let rest = uncertain.len().saturating_sub(NAMED_MAX);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            let count = count(uncertain.len(), "obligation");
            doubts.push(format!(
                "NOT CERTAIN: unknown time could turn the status of {count}, and what rests on it: {}{rest}",
                first.join(", ")
            ));
            let rests = self.rests_on_doubt();
            if !rests.is_empty() {
                doubts.push(format!("NOT CERTAIN, since they rest on such a status: {}", rests.join(", ")));
            }
        }
        doubts
    }

    /// What rests on a status that unknown time could turn.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(report.rests_on_doubt().is_empty(), "nothing is in doubt");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rests_on_doubt(&self) -> Vec<String> {
        self.settlement().doubtful(&self.registry.scheme().incentives().servers).words()
    }

    /// What a reader has to know of the figures; so many issues are named one by one.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert_eq!(report.notes(5)[0], "measured: 1 day");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn notes(&self, named: usize) -> Vec<String> {
        let mut notes = self.notes_of_days();
        notes.extend(self.money_notes(named));
        notes
    }

    /// What a reader has to know of the days.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(report.notes_of_days()[1].starts_with("NOT COMPLETE: 19 trading days not measured: "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn notes_of_days(&self) -> Vec<String> {
        let (measured, missing) = (self.stored.measured.len(), &self.stored.missing);
        let mut notes = vec![format!("measured: {}", count(measured, "day"))];
        if !missing.is_empty() {
            notes.push(format!(
                "NOT COMPLETE: {} not measured: {}",
                count(missing.len(), "trading day"),
                list(missing)
            ));
        }
        if !self.stored.partial.is_empty() {
            let days = self.stored.partial_days(&self.registry).unwrap_or_else(|error| error.to_string());
            notes.push(format!("NOT COMPLETE: measured in part: {days}"));
        }
        if !self.stored.changed.is_empty() {
            notes.push(format!(
                "AS MEASURED: the registry has changed since, and would alter the result of {}",
                list(&self.stored.changed.keys().copied().collect::<Vec<_>>())
            ));
        }
        let by_registry = self.stored.accounts.leveraged_by_registry().count();
        if 0 < by_registry {
            let were = if by_registry == 1 { "was" } else { "were" };
            notes.push(format!(
                "{} {were} stored by an earlier version, which did not keep whether the issue is leveraged or inverse: that \
                 is as the registry has it now",
                count(by_registry, "obligation")
            ));
        }
        notes
    }

    /// What a reader has to know of the money.
    ///
    /// ```
    #[doc = include_str!("../doc/march.txt")]
    /// let report = store.report("2024-03".parse()?, &registry)?;
    /// assert!(report.money_notes(5).is_empty(), "issues.csv has every tier in use");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn money_notes(&self, named: usize) -> Vec<String> {
        let settled = self.settlement();
        let mut unknown: Vec<String> = settled.unknown_tiers().into_iter().map(ToString::to_string).collect();
        let more = unknown.len().saturating_sub(named);
        unknown.truncate(named);
        let more = if more == 0 { String::new() } else { format!(" and {} more", grouped(more)) };
        let mut notes = Vec::new();
        if !unknown.is_empty() {
            notes.push(format!(
                "TIER UNKNOWN: {}{more}: no incentive on trading value can be said. A tier in issues.csv would help, or the \
                 replay of the days that the tier review measures",
                unknown.join(", ")
            ));
        }
        if !settled.review_days_missing.is_empty() {
            notes.push(format!(
                "TIERS: the review in force rests on a period of which {} are not stored: {}",
                count(settled.review_days_missing.len(), "trading day"),
                list(&settled.review_days_missing)
            ));
        }
        if !self.settled.past_changed.is_empty() {
            notes.push(format!(
                "RECOMMENDATIONS rest on days of earlier months as they were measured; the registry has changed since, \
                 and would alter the result of {}",
                list(&self.settled.past_changed)
            ));
        }
        notes
    }
}
