//! What a page shows of a month's stored rows: sums and strips.

use crate::lost::{Lost, stretches};
use crate::outage::{OpenOutage, Outage};
use crate::strip::Strip;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_incentive::{AccountKey, MonthLine, Status};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Micros, Paid, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Outages of an obligation that are named.
const WORST_MAX: usize = 5;

/// A stored date, as strips show it.
#[derive(Clone, PartialEq, Debug)]
pub struct DayFrame {
    /// The date.
    pub date: Date,
    /// What a strip shows: from the first session's start to the last one's end.
    pub shown: Span,
    /// The sessions in it.
    pub sessions: Vec<Span>,
}

/// The stored dates, as strips show them, and the zone in which people read times.
#[derive(Clone, Debug)]
pub struct Frames {
    zone: TimeZone,
    days: BTreeMap<Date, Frame>,
}

#[derive(Clone, Debug)]
struct Frame {
    frame: DayFrame,
    stretches: Vec<Span>,
}

impl Frames {
    /// The dates of `frames`.
    pub fn new(zone: TimeZone, frames: impl IntoIterator<Item = DayFrame>) -> Frames {
        let frame = |frame: DayFrame| {
            let stretches = stretches(frame.date, &zone);
            (frame.date, Frame { frame, stretches })
        };
        let days = frames.into_iter().map(frame).collect();
        Frames { zone, days }
    }

    /// Those of some dates.
    #[must_use]
    pub fn only(&self, dates: &BTreeSet<Date>) -> Frames {
        let days = self.days.iter().filter(|(date, _)| dates.contains(date));
        Frames { zone: self.zone.clone(), days: days.map(|(date, frame)| (*date, frame.clone())).collect() }
    }

    /// What one obligation lost on a date: all of its breaches, in order of time, each with its reason as the output files
    /// write it. Nothing where the date is none of these.
    pub fn lost<'b>(&self, date: Date, breaches: impl IntoIterator<Item = (Span, &'b str)>) -> Option<DayLost> {
        let Frame { frame, stretches } = self.days.get(&date)?;
        let (mut lost, mut strip, mut outages) = (Lost::default(), Strip::default(), Outages::default());
        let mut open: Option<OpenOutage<'_>> = None;
        for (span, reason) in breaches {
            lost.add(stretches, span, reason);
            strip.mark(frame.shown, span);
            if open.as_mut().is_some_and(|outage| outage.join(span, reason)) {
                continue;
            }
            outages.extend(open.replace(OpenOutage::begin(span, reason)).map(OpenOutage::close));
        }
        outages.extend(open.map(OpenOutage::close));
        Some(DayLost { date, lost, strip: Arc::new(strip), outages })
    }
}

/// What one obligation lost on one day, for the pictures of everybody who sees it.
#[derive(Clone, Debug)]
pub struct DayLost {
    date: Date,
    lost: Lost,
    strip: Arc<Strip>,
    outages: Outages,
}

impl DayLost {
    /// The day.
    pub fn date(&self) -> Date {
        self.date
    }
}

/// Outages of one obligation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outages {
    pub(crate) count: u64,
    /// The longest first; of equal ones the earlier.
    pub(crate) longest: Vec<Outage>,
}

impl Outages {
    /// Adds later ones.
    fn extend(&mut self, outages: impl IntoIterator<Item = Outage>) {
        for outage in outages {
            self.count += 1;
            self.keep(outage);
        }
    }

    /// Adds those of a later day.
    fn merge(&mut self, later: &Outages) {
        self.count += later.count;
        later.longest.iter().for_each(|outage| self.keep(outage.clone()));
    }

    fn keep(&mut self, outage: Outage) {
        let position = self.longest.partition_point(|longer| outage.length() <= longer.length());
        if position < WORST_MAX {
            self.longest.insert(position, outage);
            self.longest.truncate(WORST_MAX);
        }
    }
}

/// A month's rows, as far as a page shows them.
#[derive(Clone, Debug)]
pub struct MonthPicture {
    frames: Frames,
    pub(crate) makers: BTreeMap<String, MakerPicture>,
    /// Obligations whose days are shown.
    pub(crate) unfolded: BTreeMap<AccountKey, LinePicture>,
    /// Lost time of all `general` obligations.
    pub(crate) lost: Lost,
    /// Whether the days of every line are kept, and not only of those that were not fulfilled.
    pub(crate) shows_all_days: bool,
}

/// One market maker: its `general` obligations.
#[derive(Clone, Debug, Default)]
pub(crate) struct MakerPicture {
    pub(crate) days: BTreeMap<Date, Total>,
    pub(crate) lost: Lost,
}

/// One obligation.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinePicture {
    /// In order.
    pub(crate) days: Vec<(Date, DayPicture)>,
    pub(crate) lost: Lost,
    pub(crate) outages: Outages,
}

/// One obligation on one day.
#[derive(Clone, Debug, Default)]
pub(crate) struct DayPicture {
    pub(crate) total: Total,
    /// Shared with the papers of others; none where nothing was lost.
    pub(crate) strip: Option<Arc<Strip>>,
}

impl LinePicture {
    /// One day of it.
    pub(crate) fn day(&self, date: Date) -> Option<&DayPicture> {
        let position = self.days.binary_search_by_key(&date, |(date, _)| *date).ok()?;
        Some(&self.days[position].1)
    }

    fn day_mut(&mut self, date: Date) -> &mut DayPicture {
        let found = self.days.binary_search_by_key(&date, |(date, _)| *date);
        let position = found.unwrap_or_else(|position| {
            self.days.insert(position, (date, DayPicture::default()));
            position
        });
        &mut self.days[position].1
    }
}

impl MonthPicture {
    /// A picture of no rows yet that will show the days of every line.
    pub fn with_all_days(lines: &[MonthLine], frames: Frames) -> MonthPicture {
        let mut picture = MonthPicture::new(lines, frames);
        picture.shows_all_days = true;
        let days = picture.frames.days.len();
        for line in lines {
            let whole = || LinePicture { days: Vec::with_capacity(days), ..LinePicture::default() };
            picture.unfolded.entry(line.key.clone()).or_insert_with(whole);
        }
        picture
    }

    /// A picture of no rows yet. The days of the lines that were not fulfilled, or that unknown time could turn, will be
    /// shown; `lines` are those that the page has.
    pub fn new(lines: &[MonthLine], frames: Frames) -> MonthPicture {
        let unfolds = |line: &&MonthLine| line.status() == Status::NotFulfilled || line.total.unknown != Micros::ZERO;
        let unfolded = lines.iter().filter(unfolds).map(|line| (line.key.clone(), LinePicture::default())).collect();
        let makers = lines.iter().map(|line| (line.key.market_maker.clone(), MakerPicture::default())).collect();
        MonthPicture { frames, makers, unfolded, lost: Lost::default(), shows_all_days: false }
    }

    /// Adds the times of an obligation on a day.
    pub fn result(&mut self, key: &AccountKey, row: &DayRow) {
        if row.obligation.paid() == Paid::Incentives
            && let Some(maker) = self.makers.get_mut(&row.market_maker)
        {
            *maker.days.entry(row.date).or_default() += row.total;
        }
        if let Some(line) = self.unfolded.get_mut(key) {
            line.day_mut(row.date).total = row.total;
        }
    }

    /// Adds what an obligation lost on a day. The days of one obligation come in order.
    pub fn lost(&mut self, key: &AccountKey, day: &DayLost) {
        let Some(maker) = self.makers.get_mut(&key.market_maker) else { return };
        if !self.frames.days.contains_key(&day.date) {
            return;
        }
        if key.obligation.paid() == Paid::Incentives {
            maker.lost.merge(&day.lost);
            self.lost.merge(&day.lost);
        }
        let Some(line) = self.unfolded.get_mut(key) else { return };
        line.lost.merge(&day.lost);
        line.day_mut(day.date).strip = Some(Arc::clone(&day.strip));
        line.outages.merge(&day.outages);
    }

    /// The zone in which people read times.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.frames.zone
    }

    /// The dates, in order.
    pub(crate) fn dates(&self) -> impl Iterator<Item = Date> + '_ {
        self.frames.days.keys().copied()
    }

    /// What a strip of the date shows.
    pub(crate) fn frame(&self, date: Date) -> Option<&DayFrame> {
        self.frames.days.get(&date).map(|frame| &frame.frame)
    }
}
