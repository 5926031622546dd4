//! The day as columns of a picture: whatever its length in events, it takes the same room.
//!
//! A column holds for each line the lowest, the highest and the last price, and which states occurred: so that no breach,
//! however short, is lost. Columns are for looking; no figure is taken from them.

use quoteclock_book::OwnQuotes;
use quoteclock_model::{Interval, Price, Shares, Side, Span, State, Timestamp};
use quoteclock_rules::{DayPlan, Limits};

/// How many columns a day has.
pub(crate) const COLUMNS: usize = 4096;

/// The lines of the picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PriceLine {
    MarketBid,
    MarketOffer,
    OwnBid,
    OwnOffer,
    BandLow,
    BandHigh,
}

impl PriceLine {
    pub(crate) const COUNT: usize = 6;
}

/// Prices at an instant, in ten-thousandths, by [`PriceLine`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sample([Option<u64>; PriceLine::COUNT]);

impl Sample {
    /// The prices of `own` and the `market`, and the band in which obligation prices are close enough: around the mid
    /// of the own obligation prices; of the market's best prices, where there is no such mid.
    pub(crate) fn of(market: &[Option<(Price, Shares)>; 2], own: &OwnQuotes, limits: &Limits) -> Sample {
        let units = |price: Price| price.ten_thousandths();
        let [market_bid, market_offer] = market.map(|best| best.map(|(price, _)| units(price)));
        let [own_bid, own_offer] = Side::BOTH.map(|side| own.obligation_price(side, &limits.minimum()).ok().map(units));
        let mid = |bid: Option<u64>, offer: Option<u64>| Some(bid?.midpoint(offer?));
        let mid = mid(own_bid, own_offer).or_else(|| mid(market_bid, market_offer));
        let half = mid.map(|mid| half_width(limits, mid));
        let low = mid.zip(half).map(|(mid, half)| mid.saturating_sub(half));
        let high = mid.zip(half).map(|(mid, half)| mid.saturating_add(half));
        Sample([market_bid, market_offer, own_bid, own_offer, low, high])
    }
}

/// Half of the widest spread that will do around `mid`, to look at.
fn half_width(limits: &Limits, mid: u64) -> u64 {
    let Some(price) = Price::from_ten_thousandths(mid) else { return 0 };
    let in_force = limits.spread_limits(price);
    let by_bps = in_force.bps_max.map_or(0, |max| u128::from(max.0) * u128::from(mid) / 200_000_000);
    let by_width = in_force.width_max.map_or(0, |max| u128::from(max.ten_thousandths() / 2));
    let by_ticks = match (in_force.ticks_max, Some(price)) {
        (Some(max), Some(mid)) => u128::from(limits.tick_table.tick_at(mid).ten_thousandths()) * u128::from(max.0) / 2,
        _ => 0,
    };
    u64::try_from(by_bps.max(by_ticks).max(by_width)).unwrap_or(u64::MAX)
}

/// What one line did in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stroke {
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// The last price; `None` if there was none in the end.
    pub(crate) last: Option<u64>,
}

impl Stroke {
    /// This column's stroke and the next one's as one.
    fn join(self, next: Stroke) -> Stroke {
        Stroke { low: self.low.min(next.low), high: self.high.max(next.high), last: next.last }
    }
}

/// Which states occurred in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct States {
    /// The obligation was met.
    pub fulfilled: bool,
    /// It was not.
    pub breach: bool,
    /// It is not known.
    pub unknown: bool,
    /// No quote was required.
    pub unavailable: bool,
}

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Column {
    pub(crate) lines: [Option<Stroke>; PriceLine::COUNT],
    pub(crate) states: States,
}

impl Column {
    fn join(mut self, next: &Column) -> Column {
        for (stroke, next) in self.lines.iter_mut().zip(next.lines) {
            *stroke = match (*stroke, next) {
                (Some(stroke), Some(next)) => Some(stroke.join(next)),
                (stroke, next) => next.or(stroke.map(|stroke| Stroke { last: None, ..stroke })),
            };
        }
        self.states.fulfilled |= next.states.fulfilled;
        self.states.breach |= next.states.breach;
        self.states.unknown |= next.states.unknown;
        self.states.unavailable |= next.states.unavailable;
        self
    }
}

/// The day as columns.
#[derive(Clone, PartialEq, Debug)]
pub struct Strip {
    span: Span,
    columns: Vec<Column>,
}

impl Strip {
    /// A strip from the first session's start to the last one's end; of the whole day where there is none.
    pub(crate) fn new(plan: &DayPlan) -> Strip {
        let sessions = plan.sessions().first().zip(plan.sessions().last());
        let span = sessions.map_or(plan.day, |(first, last)| Span { start: first.start, end: last.end });
        Strip { span, columns: vec![Column::default(); COLUMNS] }
    }

    /// The strip of a day of which the states alone are known, each interval with its own; of the others nothing is.
    pub fn of_states(plan: &DayPlan, intervals: impl IntoIterator<Item = Interval>) -> Strip {
        let mut strip = Strip::new(plan);
        intervals.into_iter().for_each(|interval| strip.state(interval));
        strip
    }

    /// The part of the day in which there is something to see, and the states of its columns, at most `count_max` of them.
    pub fn states(&self, count_max: usize) -> (Span, Vec<States>) {
        let (span, columns) = self.picture(count_max.max(1));
        (span, columns.iter().map(|column| column.states).collect())
    }

    /// Along `span` the prices are those of `sample`.
    pub(crate) fn hold(&mut self, span: Span, sample: &Sample) {
        let Some(columns) = self.touched(span) else { return };
        for column in columns {
            for (stroke, &price) in column.lines.iter_mut().zip(&sample.0) {
                let next = price.map(|price| Stroke { low: price, high: price, last: Some(price) });
                *stroke = match (*stroke, next) {
                    (Some(stroke), Some(next)) => Some(stroke.join(next)),
                    (stroke, next) => next.or(stroke.map(|stroke| Stroke { last: None, ..stroke })),
                };
            }
        }
    }

    /// Along an interval its state was the obligation's.
    pub(crate) fn state(&mut self, interval: Interval) {
        let Some(columns) = self.touched(interval.span()) else { return };
        for Column { states, .. } in columns {
            match interval.state {
                State::Fulfilled => states.fulfilled = true,
                State::Breach(_) => states.breach = true,
                State::Unknown => states.unknown = true,
                State::Unavailable => states.unavailable = true,
            }
        }
    }

    /// The columns that a span touches.
    fn touched(&mut self, span: Span) -> Option<&mut [Column]> {
        let span = span.clip(self.span)?;
        let last = Timestamp::from_micros(span.end.as_micros() - 1);
        let (first, last) = (self.column_at(span.start), self.column_at(last));
        Some(&mut self.columns[first..=last])
    }

    fn column_at(&self, at: Timestamp) -> usize {
        let (part, whole) = (at.since(self.span.start).0, self.span.end.since(self.span.start).0);
        let column = u128::from(part) * COLUMNS as u128 / u128::from(whole);
        usize::try_from(column).map_or(COLUMNS - 1, |column| column.min(COLUMNS - 1))
    }

    /// The part of the day in which there is something to see, and its columns, joined to at most `count_max`.
    pub(crate) fn picture(&self, count_max: usize) -> (Span, Vec<Column>) {
        let is_live = |column: &Column| {
            let States { fulfilled, breach, unknown, .. } = column.states;
            fulfilled || breach || unknown
        };
        let (first, last) = match (self.columns.iter().position(is_live), self.columns.iter().rposition(is_live)) {
            (Some(first), Some(last)) => (first, last),
            _ => (0, COLUMNS - 1),
        };
        // A day whose phases the feed tells is cut to its trading; a window of the schedule stands whole all the same.
        let margin = COLUMNS / 64;
        let (first, end) = (first.saturating_sub(margin), (last + 1 + margin).min(COLUMNS));
        let span = Span { start: self.start_of(first), end: self.start_of(end) };
        let step = (end - first).div_ceil(count_max);
        let joined = self.columns[first..end].chunks(step).map(|chunk| {
            let (first, rest) = chunk.split_first().expect("chunks are not empty");
            rest.iter().fold(*first, Column::join)
        });
        (span, joined.collect())
    }

    /// The first instant of a column, to the microsecond below.
    fn start_of(&self, column: usize) -> Timestamp {
        let whole = i128::from(self.span.end.as_micros()) - i128::from(self.span.start.as_micros());
        let micros = i128::from(self.span.start.as_micros()) + whole * column as i128 / COLUMNS as i128;
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::{Reason, SideFault};

    fn strip(micros: i64) -> Strip {
        let span = Span { start: Timestamp::from_micros(0), end: Timestamp::from_micros(micros) };
        Strip { span, columns: vec![Column::default(); COLUMNS] }
    }

    fn interval(start: i64, end: i64, state: State) -> Interval {
        Interval { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end), state }
    }

    #[test]
    fn a_breach_of_one_microsecond_keeps_a_column() {
        let day = 21_600_000_000;
        let mut strip = strip(day);
        let breach = State::Breach(Reason::Bid(SideFault::NoQuote));
        strip.state(interval(0, 7_000_000_000, State::Fulfilled));
        strip.state(interval(7_000_000_000, 7_000_000_001, breach));
        strip.state(interval(7_000_000_001, day, State::Fulfilled));
        for count_max in [10, 700, COLUMNS] {
            let (_, columns) = strip.picture(count_max);
            assert!(columns.len() <= count_max);
            assert_eq!(columns.iter().filter(|column| column.states.breach).count(), 1);
        }
    }

    #[test]
    fn a_column_holds_the_extremes_and_the_last_price() {
        let mut strip = strip(409_600);
        let sample = |price| Sample([Some(price), None, None, None, None, None]);
        let span = |start, end| Span { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) };
        strip.hold(span(0, 10), &sample(50));
        strip.hold(span(10, 20), &sample(90));
        strip.hold(span(20, 150), &sample(40));
        assert_eq!(strip.columns[0].lines[0], Some(Stroke { low: 40, high: 90, last: Some(40) }));
        assert_eq!(strip.columns[1].lines[0], Some(Stroke { low: 40, high: 40, last: Some(40) }));
        strip.hold(span(150, 160), &Sample::default());
        assert_eq!(strip.columns[1].lines[0], Some(Stroke { low: 40, high: 40, last: None }));
        assert_eq!(strip.columns[2].lines[0], None);
    }
}
