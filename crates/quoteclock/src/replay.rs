//! One day's input measured, with its rows.

use crate::beside::words_of;
use crate::{BreachRow, CoverageRow, DailyRow, How, OutageRow, Registry, RejectRow};
use jiff::civil::Date;
use quoteclock_engine::{BadRecord, DayOptions, Finished, RejectSink, Until};
use quoteclock_ledger::{DayLedger, DisplayPercent, Total};
use quoteclock_model::{DayTurnover, Timestamp};
use quoteclock_replay::{Beside, Input, Progress, Rejects, Replay, ReplayError, Threads, UNWATCHED};
use quoteclock_report::rows;
use quoteclock_rules::DayPlan;
use quoteclock_store::Digest;
use std::io;
use std::iter;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

/// How an input is to be taken.
///
/// ```
/// use quoteclock::ReplayOptions;
///
/// let options = ReplayOptions { lenient: true, date: Some("2024-03-01".parse()?), ..ReplayOptions::default() };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplayOptions {
    /// Set bad records aside and go on; what they leave in doubt is unknown time.
    pub lenient: bool,
    /// Sequence numbers must rise, but not by exactly one.
    pub allow_gaps: bool,
    /// Up to when to measure, if not to the end of the day.
    pub until: Option<Until>,
    /// The trading date; otherwise that of the first record, or of an ITCH file's name.
    pub date: Option<Date>,
    /// Threads to measure with. What comes out does not depend on it.
    pub threads: Threads,
    /// What the day is measured from beside its input: further inputs of the date, the numbers of one's own orders.
    pub beside: Beside,
    /// Take the SHA-256 of the input while it is read: whoever keeps the day needs it.
    pub is_hashed: bool,
}

/// Strict, to the end of the day, the date from the input, one thread, hashed.
impl Default for ReplayOptions {
    fn default() -> Self {
        let How { lenient, allow_gaps, until } = How::default();
        let (threads, beside) = (Threads(NonZeroUsize::MIN), Beside::default());
        ReplayOptions { lenient, allow_gaps, until, date: None, threads, beside, is_hashed: true }
    }
}

impl ReplayOptions {
    /// What of them alters what is measured.
    pub(crate) fn how(&self) -> How {
        let &ReplayOptions { lenient, allow_gaps, until, .. } = self;
        How { lenient, allow_gaps, until }
    }

    pub(crate) fn day(&self) -> DayOptions {
        self.how().of_day(self.date)
    }
}

/// What a day was measured from.
///
/// ```
/// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// let origin = day.origin().expect("a replay knows what it has read");
/// assert!(origin.input.ends_with("2024-03-01.csv") && origin.input_sha256.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The name of the input.
    pub input: String,
    /// Of its bytes as stored, if that was taken.
    pub input_sha256: Option<Digest>,
    /// What alters what is measured of it, as the command is told: `--allow-gaps --lenient`, and what stands beside it, with hashes.
    pub options: String,
}

/// A measured day.
///
/// ```
/// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// assert_eq!(day.date().to_string(), "2024-03-01");
/// assert_eq!(day.daily().count(), 17);
/// assert!(day.rejects().is_empty(), "a strict run stops instead");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MeasuredDay {
    pub(crate) registry: Registry,
    pub(crate) origin: Option<Origin>,
    pub(crate) finished: Finished,
    pub(crate) ledger: DayLedger,
    pub(crate) rejects: Vec<RejectRow>,
}

/// The same figures, wherever they come from.
impl PartialEq for MeasuredDay {
    fn eq(&self, other: &MeasuredDay) -> bool {
        let (rejects, others) = (&self.rejects, &other.rejects);
        (&self.finished, &self.ledger, rejects.len()) == (&other.finished, &other.ledger, others.len())
            && rejects.iter().zip(others).all(|(row, other)| row.is_of_same_record(other))
    }
}

/// Measures the day of one file: CSV, the binary form, NASDAQ ITCH, FIX or DBN, plain or compressed. Strict, on one thread; see
/// [`replay_with`] for more.
///
/// # Errors
/// [`ReplayError`]: what is wrong, where, and what was expected.
///
/// ```
/// let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
/// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
/// for row in day.daily() {
///     println!("{} {} {}: {:?}", row.market_maker, row.issue, row.obligation, row.display_pct);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replay(file: impl AsRef<Path>, registry: &Registry) -> Result<MeasuredDay, ReplayError> {
    replay_with(&Input::named(file.as_ref()), registry, &ReplayOptions::default(), UNWATCHED)
}

/// Measures the day of an input; `progress` is told how many of its bytes have been read since it was last told, and says
/// whether to go on.
///
/// # Errors
/// [`ReplayError`]: what is wrong, where, and what was expected; [`ReplayError::Stopped`] if `progress` wants no more.
///
/// ```
/// use quoteclock::{Input, Registry, ReplayOptions, Threads, replay_with};
/// use std::ops::ControlFlow;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let options = ReplayOptions { threads: Threads(2.try_into()?), ..ReplayOptions::default() };
/// let read = AtomicU64::new(0);
/// let day = replay_with(&input, &registry, &options, &|bytes| {
///     read.fetch_add(bytes, Ordering::Relaxed);
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(Some(read.into_inner()), input.size());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replay_with(
    input: &Input,
    registry: &Registry,
    options: &ReplayOptions,
    progress: Progress<'_>,
) -> Result<MeasuredDay, ReplayError> {
    let ReplayOptions { beside, threads, .. } = options;
    let replay = Replay { registry: registry.tables(), input, options: &options.day(), beside, progress };
    let names = iter::once(input.name()).chain(beside.names());
    let mut rejects = KeepRejects { inputs: names.map(Into::into).collect() };
    let (day, hashes) = if options.is_hashed {
        let (day, hashes) = replay.measure_and_hash(*threads, &mut rejects)?;
        (day, Some(hashes))
    } else {
        (replay.measure(*threads, &mut rejects)?, None)
    };
    let how = Some(options.how().to_string()).filter(|how| !how.is_empty());
    let words: Vec<String> = how.into_iter().chain(words_of(beside, hashes.as_ref())).collect();
    let input_sha256 = hashes.map(|hashes| Digest(hashes.input));
    let origin = Origin { input: input.name(), input_sha256, options: words.join(" ") };
    Ok(MeasuredDay {
        registry: registry.clone(),
        origin: Some(origin),
        finished: day.finished,
        ledger: day.ledger,
        rejects: day.rejects.rows,
    })
}

impl MeasuredDay {
    /// The trading date.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-04.csv", &registry)?;
    /// assert_eq!((day.date().to_string(), day.multiplier()), ("2024-03-04".to_owned(), 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn date(&self) -> Date {
        self.finished.plan.date
    }

    /// What it was measured from; `None` of a day whose bytes were pushed.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-04.csv", &registry)?;
    /// assert_eq!(day.origin().map(|origin| origin.options.as_str()), Some(""), "no option alters it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The registry that it was measured under.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-04.csv", &registry)?;
    /// assert_eq!(day.registry().digest(), registry.digest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Up to when it was measured; `None` if to its end.
    ///
    /// ```
    /// use quoteclock::{Input, Registry, ReplayOptions, UNWATCHED, replay_with, until};
    ///
    /// let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
    /// let options = ReplayOptions { until: Some(until("10:30")?), ..ReplayOptions::default() };
    /// let morning = replay_with(&input, &registry, &options, UNWATCHED)?;
    /// assert!(morning.until().is_some());
    /// assert!(morning.daily().all(|row| row.available.0 <= 90 * 60 * 1_000_000), "from 9:00 to 10:30");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn until(&self) -> Option<Timestamp> {
        self.finished.until
    }

    /// What the input does not support of the figures, in order of kind and name: the rows of `coverage`.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// let kinds: Vec<&str> = day.coverage().map(|row| row.coverage.kind()).collect();
    /// assert_eq!(kinds, ["silent_issue"], "of one issue there is no event");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn coverage(&self) -> impl Iterator<Item = CoverageRow> + '_ {
        CoverageRow::of(&self.finished)
    }

    /// The Fast Market multiplier of the date: 1, 2 or 4. Clause: `ST1/fast-market`.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-04.csv", &registry)?;
    /// assert_eq!(day.multiplier(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn multiplier(&self) -> u32 {
        self.finished.plan.multiplier
    }

    /// Records read, those set aside included.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(100 < day.record_count());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record_count(&self) -> u64 {
        self.finished.record_count
    }

    /// Records set aside; [`MeasuredDay::rejects`] has them.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert_eq!(day.reject_count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reject_count(&self) -> u64 {
        self.finished.reject_count
    }

    /// The rows of `daily.csv`, sorted bytewise by market maker, issue and obligation.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// let first = day.daily().next().expect("17 rows");
    /// assert_eq!((&*first.market_maker, &*first.issue, first.obligation.is_general()), ("MM1", "1306", true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn daily(&self) -> impl Iterator<Item = DailyRow> + '_ {
        rows::Daily::rows(&self.finished.plan, &self.ledger).map(|rows::DailyRow { key, total }| {
            let Total { available, fulfilled, unknown } = total;
            DailyRow {
                date: key.date,
                market_maker: key.market_maker.to_owned(),
                issue: key.issue.to_owned(),
                obligation: key.obligation.id.clone(),
                available,
                fulfilled,
                unknown,
                display_pct: DisplayPercent::of(fulfilled, available),
            }
        })
    }

    /// The rows of `breaches.csv`, in the order of [`MeasuredDay::daily`], then of time.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// for row in day.breaches().filter(|row| row.market_maker == "MM1") {
    ///     println!("{} {} for {}: {}", row.issue, row.start_text(), row.duration(), row.reason);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn breaches(&self) -> impl Iterator<Item = BreachRow> + '_ {
        rows::Breaches::rows(&self.finished.plan, &self.ledger).map(|rows::BreachRow { key, breach, .. }| BreachRow {
            plan: Arc::clone(&self.finished.plan),
            market_maker: key.market_maker.to_owned(),
            issue: key.issue.to_owned(),
            obligation: key.obligation.id.clone(),
            span: breach.span,
            reason: breach.reason,
        })
    }

    /// The rows of `outages.csv`: breaches without a pause between them as one.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// let longest = day.outages().max_by_key(|row| row.duration()).expect("something was lost");
    /// println!("{} {}: {}", longest.market_maker, longest.issue, longest.reasons_text());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn outages(&self) -> impl Iterator<Item = OutageRow> + '_ {
        rows::Outages::rows(&self.finished.plan, &self.ledger).map(|rows::OutageRow { key, outage, .. }| OutageRow {
            plan: Arc::clone(&self.finished.plan),
            market_maker: key.market_maker.to_owned(),
            issue: key.issue.to_owned(),
            obligation: key.obligation.id.clone(),
            span: outage.span,
            reasons: outage.reasons,
        })
    }

    /// What a lenient run has set aside, in the order of the input: the first 10,000.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert!(day.rejects().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rejects(&self) -> &[RejectRow] {
        &self.rejects
    }

    /// What was required on the date, resolved: sessions, sign-ups, limits.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert_eq!(day.plan().sessions().len(), 2, "morning and afternoon");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(&self) -> &Arc<DayPlan> {
        &self.finished.plan
    }

    /// What was traded and sent, by issue and by sign-up: what the month's incentives rest on.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// assert_eq!(day.turnover().sign_ups.len(), day.plan().sign_ups.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn turnover(&self) -> &DayTurnover {
        &self.finished.turnover
    }

    /// Totals and breaches by the plan's obligations, for whoever goes on to the crates below.
    ///
    /// ```
    /// # let registry = quoteclock::Registry::open("../../replay-data/tse-small/registry")?;
    /// let day = quoteclock::replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?;
    /// let mut csv = Vec::new();
    /// quoteclock_report::write_daily_csv(day.plan(), day.ledger(), &mut csv)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ledger(&self) -> &DayLedger {
        &self.ledger
    }
}

/// So many records set aside are kept: damage of any size fits into memory.
const REJECTS_MAX: usize = 10_000;
/// So much of each.
const RECORD_BYTES_MAX: usize = 1 << 16;

/// Keeps the records set aside.
struct KeepRejects {
    /// The names of the inputs.
    inputs: Vec<Arc<str>>,
}

impl Rejects for KeepRejects {
    type Sink = Kept;

    fn begin(&mut self) -> io::Result<Kept> {
        Ok(Kept { inputs: self.inputs.clone(), ..Kept::default() })
    }
}

/// The records set aside of one pass.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rows: Vec<RejectRow>,
    /// All of them.
    count: usize,
    /// The names of the inputs, where they have any.
    inputs: Vec<Arc<str>>,
    /// Of which input they are: the first, or one of those beside it.
    source: usize,
}

impl RejectSink for Kept {
    fn source(&mut self, index: usize) {
        self.source = index;
    }

    fn reject(&mut self, bad: &BadRecord, bytes: &[u8]) {
        self.count += 1;
        if REJECTS_MAX < self.count {
            return;
        }
        self.rows.push(RejectRow {
            file: self.inputs.get(self.source).cloned(),
            place: bad.place.to_string(),
            issue: bad.about.text().map(str::to_owned),
            reason: bad.fault.to_string(),
            record: bytes[..bytes.len().min(RECORD_BYTES_MAX)].to_vec(),
        });
    }

    fn again(&mut self, count: u64) -> bool {
        let is_enough = REJECTS_MAX < self.count;
        if is_enough {
            self.count = self.count.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        }
        is_enough
    }

    fn rest(&mut self, bytes: &[u8]) {
        if let Some(row) = self.rows.last_mut().filter(|_| self.count <= REJECTS_MAX) {
            let room = RECORD_BYTES_MAX - row.record.len();
            row.record.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}
