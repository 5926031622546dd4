//! The clock of a trading day: when orders are taken, when trading is continuous, how busy each stretch is.
//!
//! Times are microseconds since local midnight, by the clock of noon.

use crate::options::Options;
use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use quoteclock_model::Phase;
use std::io;

pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
const END_OF_DAY: u64 = 24 * 60 * MINUTE;

/// What the market does between two boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Market {
    /// Nothing is taken.
    Shut,
    /// Orders are taken, for the opening.
    BeforeOpen,
    /// Orders execute as they come.
    Continuous,
    /// Orders are taken, for the closing auction.
    BeforeClose,
}

/// A call auction at a boundary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Auction {
    Opening,
    Closing,
}

/// The start of a stretch of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Boundary {
    pub(crate) at: u64,
    pub(crate) market: Market,
    /// The market-wide phase event, if the feed sends one.
    pub(crate) phase: Option<Phase>,
    pub(crate) auction: Option<Auction>,
}

/// A stretch of even business.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Its share of the day's business.
    pub(crate) weight: u64,
    pub(crate) market: Market,
}

/// The day's clock.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    pub(crate) boundaries: Vec<Boundary>,
    pub(crate) segments: Vec<Segment>,
    /// Local midnight in microseconds since the Unix epoch.
    pub(crate) midnight: i64,
}

impl Calendar {
    pub(crate) fn new(options: &Options) -> io::Result<Calendar> {
        let boundaries = if options.load.is_us() { us() } else { tokyo(options.date, options.itch) };
        let segments = segments(&boundaries);
        let midnight = midnight(options.date, zone_name(options))?;
        Ok(Calendar { boundaries, segments, midnight })
    }

    /// How long trading is continuous.
    pub(crate) fn continuous(&self) -> u64 {
        let of_continuous = self.segments.iter().filter(|segment| segment.market == Market::Continuous);
        of_continuous.map(|segment| segment.end - segment.start).sum()
    }

    /// When continuous trading begins.
    pub(crate) fn open(&self) -> u64 {
        let first = self.boundaries.iter().find(|boundary| boundary.market == Market::Continuous);
        first.expect("every day has continuous trading").at
    }

    /// When orders are first taken.
    pub(crate) fn start(&self) -> u64 {
        self.boundaries[0].at
    }

    /// When orders are taken again after `now`, if they are.
    pub(crate) fn reopening(&self, now: u64) -> Option<u64> {
        self.boundaries.iter().find(|next| now < next.at && next.market != Market::Shut).map(|next| next.at)
    }

    /// The next boundary after `now`, or the end of the day.
    pub(crate) fn limit(&self, now: u64) -> u64 {
        self.boundaries.iter().find(|next| now < next.at).map_or(END_OF_DAY, |next| next.at)
    }
}

pub(crate) fn zone_name(options: &Options) -> &'static str {
    if options.load.is_us() { "America/New_York" } else { "Asia/Tokyo" }
}

/// The zone that local times of the day are in.
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).expect("the bundled database has both zones")
}

fn midnight(day: Date, zone_name: &str) -> io::Result<i64> {
    let noon = day.at(12, 0, 0, 0).to_zoned(zone(zone_name));
    let noon = noon.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
    Ok(noon.timestamp().as_microsecond() - (END_OF_DAY / 2).cast_signed())
}

const fn clock(hour: u64, minute: u64) -> u64 {
    (hour * 60 + minute) * MINUTE
}

fn at(at: u64, market: Market, phase: Phase, auction: Option<Auction>) -> Boundary {
    Boundary { at, market, phase: Some(phase), auction }
}

/// REFERENCE section 3: the close is at 15:00, from 2024-11-05 at 15:25 with a call auction at 15:30.
fn tokyo(day: Date, itch: bool) -> Vec<Boundary> {
    let mut boundaries = vec![
        at(clock(8, 0), Market::BeforeOpen, Phase::Auction, None),
        at(clock(9, 0), Market::Continuous, Phase::Continuous, Some(Auction::Opening)),
        at(clock(11, 30), Market::Shut, Phase::Closed, None),
        at(clock(12, 5), Market::BeforeOpen, Phase::Auction, None),
        at(clock(12, 30), Market::Continuous, Phase::Continuous, Some(Auction::Opening)),
    ];
    let close = if day < date(2024, 11, 5) {
        clock(15, 0)
    } else {
        boundaries.push(at(clock(15, 25), Market::BeforeClose, Phase::Auction, None));
        clock(15, 30)
    };
    boundaries.push(at(close, Market::Shut, Phase::Auction, Some(Auction::Closing)));
    boundaries.push(at(close + 2 * SECOND, Market::Shut, Phase::Closed, None));
    if itch {
        plain(&mut boundaries);
    }
    boundaries
}

fn us() -> Vec<Boundary> {
    let mut boundaries = vec![
        at(clock(7, 0), Market::BeforeOpen, Phase::Auction, None),
        at(clock(9, 30), Market::Continuous, Phase::Continuous, None),
        at(clock(16, 0), Market::Shut, Phase::Closed, None),
    ];
    plain(&mut boundaries);
    boundaries
}

/// Leaves the phases that every format can say, and no auctions.
fn plain(boundaries: &mut [Boundary]) {
    let mut last = Phase::Closed;
    for boundary in boundaries {
        let phase = if boundary.market == Market::Continuous { Phase::Continuous } else { Phase::Closed };
        boundary.phase = (phase != last).then_some(phase);
        boundary.auction = None;
        last = phase;
    }
}

/// Stretches of five minutes at most, busy at the open and towards the close.
fn segments(boundaries: &[Boundary]) -> Vec<Segment> {
    let continuous = || boundaries.iter().filter(|boundary| boundary.market == Market::Continuous);
    let open = continuous().next().map_or(0, |first| first.at);
    let ends = boundaries.iter().skip(1).map(|next| next.at);
    let stretches = || boundaries.iter().zip(ends.clone()).filter(|(from, _)| from.market != Market::Shut);
    let close = stretches().filter(|(from, _)| from.market == Market::Continuous).map(|(_, end)| end).next_back();
    let close = close.unwrap_or(END_OF_DAY);
    let mut segments = Vec::new();
    for (from, end) in stretches() {
        let mut start = from.at;
        while start < end {
            let until = (start + 5 * MINUTE).min(end);
            let rate = match from.market {
                Market::Continuous => rate((start - open) / MINUTE, (close - until) / MINUTE),
                Market::BeforeClose => 60,
                Market::BeforeOpen | Market::Shut => 20,
            };
            segments.push(Segment { start, end: until, weight: rate * (until - start) / SECOND, market: from.market });
            start = until;
        }
    }
    segments
}

/// How busy the market is, so many minutes from its open and before its close.
fn rate(from_open: u64, to_close: u64) -> u64 {
    100 + 4_000 / (from_open + 10) + 2_000 / (to_close + 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Load;

    #[test]
    fn the_close_moved_in_november_2024() {
        for (day, hours) in [(date(2024, 11, 1), 300), (date(2024, 11, 5), 325)] {
            let options = Options { date: day, ..Options::new(Load::Small) };
            let calendar = Calendar::new(&options).unwrap();
            assert_eq!(calendar.continuous(), hours * MINUTE, "{day}");
        }
    }

    #[test]
    fn midnight_is_that_of_the_zone() {
        assert_eq!(midnight(date(2024, 3, 1), "Asia/Tokyo").unwrap(), 1_709_218_800_000_000);
        assert_eq!(midnight(date(2024, 3, 1), "America/New_York").unwrap(), 1_709_269_200_000_000);
    }

    #[test]
    fn segments_cover_every_stretch_in_which_orders_are_taken() {
        let calendar = Calendar::new(&Options::new(Load::Small)).unwrap();
        let total: u64 = calendar.segments.iter().map(|segment| segment.end - segment.start).sum();
        assert_eq!(total, (60 + 150 + 25 + 150) * MINUTE);
        assert!(calendar.segments.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}
