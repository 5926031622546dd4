//! A day as it comes: bytes pushed, and how an obligation stands asked at any time between.

use crate::replay::Kept;
use crate::{MeasuredDay, Registry};
use jiff::civil::Date;
use quoteclock_engine::{Day, DayError, DayOptions, MeasureIndex};
use quoteclock_feed::{FeedError, Place};
use quoteclock_ledger::{OpenLedger, Total};
use quoteclock_model::{Amount, Micros, ObligationId, Price, Side, SideFault, State, Timestamp};
use quoteclock_obligation::{ObligationIndex, Running};
use quoteclock_replay::{Attribution, Decoder, Format, OwnOrders, RECOGNISED_BY_BYTES};
use quoteclock_report::rows::keys;
use quoteclock_rules::PlanError;
use std::sync::Arc;
use thiserror::Error;

/// How a feed is to be taken.
///
/// ```
/// use quoteclock::EngineOptions;
///
/// let options = EngineOptions { date: Some("2024-03-01".parse()?), ..EngineOptions::default() };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EngineOptions {
    /// Set bad records aside and go on; what they leave in doubt is unknown time.
    pub lenient: bool,
    /// Sequence numbers must rise, but not by exactly one.
    pub allow_gaps: bool,
    /// The trading date; otherwise that of the first record. NASDAQ ITCH, whose times count from midnight, needs it.
    pub date: Option<Date>,
    /// The numbers of one's own orders, for a feed that names nobody.
    pub own_orders: Option<Arc<OwnOrders>>,
}

/// Why a feed cannot go on.
///
/// ```
/// use quoteclock::{Engine, EngineError, EngineOptions, Registry};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let mut engine = Engine::new(&registry, EngineOptions::default())?;
/// engine.push(b"time,issue,event,order,server,side,price,quantity\n")?;
/// let error = engine.push(b"2024-03-01T09:00:00+09:00,1306,add,seven,,B,2820,100\n").unwrap_err();
/// assert!(matches!(error, EngineError::Day(_)), "{error}");
/// assert!(matches!(engine.push(b"more"), Err(EngineError::Ended)), "nothing is known of a day after that");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// It is no feed of events at all.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Its records cannot be measured.
    #[error(transparent)]
    Day(#[from] DayError),
    /// The date given cannot be measured.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Times count from midnight, and nobody has said of which date.
    #[error("events whose times count from midnight, expected their date to be given")]
    NoDate,
    /// A bad record of a lenient run has put time in doubt that had been measured by then.
    #[error(
        "bad records leave time in doubt that was measured before they came, expected a replay of what was recorded"
    )]
    DoubtBehind,
    /// An error has ended the feed before.
    #[error("the feed has ended with an error, expected nothing more to be pushed")]
    Ended,
}

impl EngineError {
    /// Where in what was pushed something is wrong, where that is one record's fault.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Place, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let mut engine = Engine::new(&registry, EngineOptions::default())?;
    /// engine.push(b"time,issue,event,order,server,side,price,quantity\n")?;
    /// let error = engine.push(b"2024-03-01T09:00:00+09:00,1306,add,seven,,B,2820,100\n").unwrap_err();
    /// assert_eq!(error.place(), Some(Place::Line(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn place(&self) -> Option<Place> {
        match self {
            EngineError::Feed(error) => error.place(),
            EngineError::Day(error) => error.place(),
            _ => None,
        }
    }

    /// Which column of that record is wrong, where it is one.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let mut engine = Engine::new(&registry, EngineOptions::default())?;
    /// engine.push(b"time,issue,event,order,server,side,price,quantity\n")?;
    /// let error = engine.push(b"2024-03-01T09:00:00+09:00,1306,add,seven,,B,2820,100\n").unwrap_err();
    /// assert_eq!(error.column(), Some("order"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn column(&self) -> Option<&'static str> {
        match self {
            EngineError::Feed(error) => error.column(),
            EngineError::Day(error) => error.column(),
            _ => None,
        }
    }
}

/// How one obligation stands, as of the last record.
///
/// ```
/// use quoteclock::{Engine, EngineOptions, ObligationId, Registry};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let mut engine = Engine::new(&registry, EngineOptions::default())?;
/// engine.push(&std::fs::read("../../replay-data/tse-small/2024-03-01.csv")?)?;
/// let general = &engine.state("MM3", "1306")[0];
/// assert_eq!(general.obligation, ObligationId::GENERAL);
/// if let (Some(bid), Some(offer)) = (general.bid, general.offer) {
///     println!("{bid:?} to {offer:?} since {:?}", general.since);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObligationState {
    /// `general`, a criterion of it, or a condition that is paid for.
    pub obligation: ObligationId,
    /// Its state if no other record of this instant comes.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The obligation price of the bids; `None` where they do not reach the minimum.
    pub bid: Option<Price>,
    /// That of the offers.
    pub offer: Option<Price>,
    /// The whole value of the own bids.
    pub bid_value: Amount,
    /// That of the own offers.
    pub offer_value: Amount,
    /// Time in which a quote was required so far, unknown time excepted.
    pub available: Micros,
    /// The part of it in which the obligation was met.
    pub fulfilled: Micros,
    /// Time in which a quote would have been required but for damaged input.
    pub unknown: Micros,
}

/// One trading day as it comes: a live feed, a firm's own log, the orders of a strategy in a backtest.
///
/// Bytes are pushed in chunks cut anywhere, in any form that [`replay`](crate::replay()) reads, not compressed. Between
/// chunks [`Engine::state`] says how an obligation stands. The end gives the same rows as a replay of the same bytes.
/// Several sources are not merged while they come: a record could be taken only once every other source is known to have
/// none before it, and a source that is silent would hold back all others. [`replay_with`](crate::replay_with()) takes what
/// was recorded of them. It shares its registry, borrows nothing and is `Send`.
///
/// ```
/// use quoteclock::{Engine, EngineOptions, Registry, State, replay};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let mut engine = Engine::new(&registry, EngineOptions::default())?;
/// for chunk in std::fs::read("../../replay-data/tse-small/2024-03-01.csv")?.chunks(100) {
///     engine.push(chunk)?;
///     for obligation in engine.state("MM1", "1306") {
///         if let State::Breach(reason) = obligation.state {
///             println!("{} is not met since {:?}: {reason}", obligation.obligation, obligation.since);
///         }
///     }
/// }
/// let day = engine.finish()?;
/// assert_eq!(day, replay("../../replay-data/tse-small/2024-03-01.csv", &registry)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    registry: Registry,
    date: Option<Date>,
    /// `None` once an error has ended it.
    day: Option<Day<OpenLedger, Kept>>,
    feed: Feed,
    own: Option<Attribution>,
}

#[derive(Debug)]
enum Feed {
    /// Too few bytes have come to tell the form.
    Beginning(Vec<u8>),
    Known(Box<Decoder>),
}

impl Engine {
    /// A day under `registry`, before its first record.
    ///
    /// # Errors
    /// [`EngineError::Day`] if a date is given that cannot be measured.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let engine = Engine::new(&registry, EngineOptions::default())?;
    /// assert_eq!(engine.now(), None, "no record has come");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(registry: &Registry, options: EngineOptions) -> Result<Engine, EngineError> {
        let EngineOptions { lenient, allow_gaps, date, own_orders } = options;
        let options = DayOptions { lenient, allow_gaps, date, ..DayOptions::default() };
        let day = Day::new(registry.tables(), options, OpenLedger::default(), Kept::default())?;
        let (registry, own) = (registry.clone(), own_orders.map(Attribution::new));
        Ok(Engine { registry, date, day: Some(day), feed: Feed::Beginning(Vec::new()), own })
    }

    /// Takes the next bytes, cut anywhere.
    ///
    /// # Errors
    /// [`EngineError`]; after one the day has ended, and nothing of it is known.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let mut engine = Engine::new(&registry, EngineOptions::default())?;
    /// engine.push(b"time,issue,event,order,server,side,price,quantity\n")?;
    /// engine.push(b"2024-03-01T09:00:00+09:00,1306,add,7,VS101,B,28")?;
    /// engine.push(b"20,10000\n")?;
    /// assert_eq!(engine.state("MM1", "1306")[0].bid_value.0, 28_200_000 * 10_000, "in ten-thousandths of a yen");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), EngineError> {
        let pushed = self.try_push(chunk);
        if pushed.is_err() {
            self.day = None;
        }
        pushed
    }

    fn try_push(&mut self, chunk: &[u8]) -> Result<(), EngineError> {
        let Engine { registry, date, day: Some(day), feed, own } = self else { return Err(EngineError::Ended) };
        let pushed = match feed {
            Feed::Known(decoder) => push(decoder, chunk, day, own),
            Feed::Beginning(first_bytes) => {
                first_bytes.extend_from_slice(chunk);
                // A line that has ended is CSV, or it never will be anything: no need to wait for more.
                if first_bytes.len() < RECOGNISED_BY_BYTES && !first_bytes.contains(&b'\n') {
                    return Ok(());
                }
                let first_bytes = std::mem::take(first_bytes);
                let mut decoder = Box::new(decoder(registry, *date, &first_bytes)?);
                let pushed = push(&mut decoder, &first_bytes, day, own);
                *feed = Feed::Known(decoder);
                pushed
            }
        };
        match pushed {
            Ok(()) => Ok(()),
            Err(FeedError::Stopped) => Err(self.stopped()),
            Err(error) => Err(error.into()),
        }
    }

    /// What has stopped the day.
    fn stopped(&mut self) -> EngineError {
        match self.day.take().map(Day::finish) {
            Some(Err(error)) => error.into(),
            _ => EngineError::Ended,
        }
    }

    /// The time of the last good record; `None` before the date is known.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let mut engine = Engine::new(&registry, EngineOptions::default())?;
    /// engine.push(b"time,issue,event,order,server,side,price,quantity\n1970-01-01T00:00:01Z,1306,add,7,,B,2820,100\n")?;
    /// assert_eq!(engine.now().map(|time| time.as_micros()), Some(1_000_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn now(&self) -> Option<Timestamp> {
        self.day.as_ref()?.now()
    }

    /// Records read so far, those set aside included.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// assert_eq!(Engine::new(&registry, EngineOptions::default())?.record_count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record_count(&self) -> u64 {
        self.day.as_ref().map_or(0, Day::record_count)
    }

    /// How each obligation of a market maker in an issue stands, `general` first; none if it is not signed up on the date,
    /// or the date is not known yet. Asking changes no result.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry, State};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let date = Some("2024-03-01".parse()?);
    /// let mut engine = Engine::new(&registry, EngineOptions { date, ..EngineOptions::default() })?;
    /// let states = engine.state("MM1", "1615");
    /// assert_eq!(states.len(), 2, "general and a matching fund's");
    /// assert_eq!(states[0].state, State::Unavailable, "the day has just begun");
    /// assert!(engine.state("MM1", "9999").is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state(&mut self, market_maker: &str, issue: &str) -> Vec<ObligationState> {
        let Some(day) = &mut self.day else { return Vec::new() };
        let (Some(engine), Some(now)) = (day.engine(), day.now()) else { return Vec::new() };
        let wanted: Vec<(ObligationIndex, ObligationId, Option<MeasureIndex>)> = keys(engine.plan())
            .filter(|key| key.market_maker == market_maker && key.issue == issue)
            .map(|key| (key.index, key.obligation.id.clone(), engine.measure_of(key.index)))
            .collect();
        wanted
            .into_iter()
            .filter_map(|(index, obligation, measure)| obligation_state(day, index, obligation, measure?, now))
            .collect()
    }

    /// Ends the day: time goes on to its end as things stand.
    ///
    /// # Errors
    /// [`EngineError`], among them a record that breaks off.
    ///
    /// ```
    /// # use quoteclock::{Engine, EngineOptions, Registry};
    /// # let registry = Registry::open("../../replay-data/tse-small/registry")?;
    /// let date = Some("2024-03-01".parse()?);
    /// let engine = Engine::new(&registry, EngineOptions { date, ..EngineOptions::default() })?;
    /// let day = engine.finish()?;
    /// assert!(day.daily().all(|row| row.fulfilled.0 == 0), "nobody has quoted");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(mut self) -> Result<MeasuredDay, EngineError> {
        let mut day = self.day.take().ok_or(EngineError::Ended)?;
        let decoder = match self.feed {
            Feed::Known(decoder) => Some(*decoder),
            Feed::Beginning(first_bytes) if first_bytes.is_empty() => None,
            Feed::Beginning(first_bytes) => {
                let mut decoder = decoder(&self.registry, self.date, &first_bytes)?;
                end(push(&mut decoder, &first_bytes, &mut day, &mut self.own))?;
                Some(decoder)
            }
        };
        let stated = decoder.as_ref().and_then(Decoder::stated_date);
        if let Some(decoder) = decoder {
            end(match &mut self.own {
                Some(own) => decoder.finish(&mut own.before(&mut day)),
                None => decoder.finish(&mut day),
            })?;
        }
        // What stops it is the error that `finish` gives.
        let _stopped = day.end_of_input(stated);
        let (mut finished, ledger, rejects) = day.finish()?;
        if !finished.retroactive.is_empty() {
            return Err(EngineError::DoubtBehind);
        }
        if let Some(own) = &self.own {
            finished.coverage.extend(own.unseen());
            finished.coverage.sort();
        }
        Ok(MeasuredDay {
            registry: self.registry,
            origin: None,
            finished,
            ledger: ledger.close(),
            rejects: rejects.rows,
        })
    }
}

/// Pushes bytes into the day, the orders of one's own with their servers.
fn push(
    decoder: &mut Decoder,
    bytes: &[u8],
    day: &mut Day<OpenLedger, Kept>,
    own: &mut Option<Attribution>,
) -> Result<(), FeedError> {
    match own {
        Some(own) => decoder.push(bytes, &mut own.before(day)),
        None => decoder.push(bytes, day),
    }
}

/// A stop is the day's own error, which its end gives.
fn end(result: Result<(), FeedError>) -> Result<(), EngineError> {
    match result {
        Ok(()) | Err(FeedError::Stopped) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn decoder(registry: &Registry, date: Option<Date>, first_bytes: &[u8]) -> Result<Decoder, EngineError> {
    let format = Format::of_bytes(first_bytes, None);
    let midnight = match (format, date) {
        (Format::Csv | Format::Binary | Format::Fix | Format::Dbn, _) | (Format::Journal, None) => Timestamp::MIN,
        (Format::Itch, None) => return Err(EngineError::NoDate),
        (Format::Itch | Format::Journal, Some(date)) => registry.tables().plan(date)?.day.start,
    };
    Ok(Decoder::new(format, midnight))
}

fn obligation_state(
    day: &mut Day<OpenLedger, Kept>,
    index: ObligationIndex,
    obligation: ObligationId,
    measure: MeasureIndex,
    now: Timestamp,
) -> Option<ObligationState> {
    let (measure, ledger) = day.look(measure, now)?;
    let Running { state, since, settled, limits, .. } = measure.running(index)?;
    let own = measure.own_quotes(index)?;
    let reached = |side| -> Result<Price, SideFault> { own.obligation_price(side, &limits.minimum()) };
    let value = |side| {
        let levels = own.levels(side);
        levels.iter().fold(Amount::default(), |mut sum, (price, shares)| {
            sum += price.amount(shares);
            sum
        })
    };
    let Total { available, fulfilled, unknown } = ledger.running_total(index, settled);
    Some(ObligationState {
        obligation,
        state,
        since,
        bid: reached(Side::Bid).ok(),
        offer: reached(Side::Offer).ok(),
        bid_value: value(Side::Bid),
        offer_value: value(Side::Offer),
        available,
        fulfilled,
        unknown,
    })
}
