//! What a page shows of a month's stored rows: sums and strips.

use crate::lost::{Lost, stretches};
use crate::outage::Outage;
use crate::strip::Strip;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use quoteclock_incentive::{AccountKey, MonthLine, Status};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId, Paid, Span};
use std::collections::BTreeMap;

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

/// A stored breach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breach<'a> {
    /// The date.
    pub date: Date,
    /// The market maker.
    pub market_maker: &'a str,
    /// The issue.
    pub issue: &'a IssueCode,
    /// The obligation.
    pub obligation: &'a ObligationId,
    /// When.
    pub span: Span,
    /// Why, as the output files write it.
    pub reason: &'a str,
}

/// A month's rows, as far as a page shows them.
#[derive(Clone, Debug)]
pub struct MonthPicture {
    zone: TimeZone,
    frames: BTreeMap<Date, Frame>,
    pub(crate) makers: BTreeMap<String, MakerPicture>,
    /// Obligations whose days are shown.
    pub(crate) unfolded: BTreeMap<AccountKey, LinePicture>,
    /// Lost time of all `general` obligations.
    pub(crate) lost: Lost,
    open: Option<(AccountKey, Outage)>,
    /// Whether the days of every line are kept, and not only of those that were not fulfilled.
    pub(crate) shows_all_days: bool,
}

#[derive(Clone, Debug)]
struct Frame {
    frame: DayFrame,
    stretches: Vec<Span>,
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
    pub(crate) days: BTreeMap<Date, DayPicture>,
    pub(crate) lost: Lost,
    /// The longest first.
    pub(crate) worst: Vec<Outage>,
    pub(crate) outage_count: u64,
}

/// One obligation on one day.
#[derive(Clone, Debug, Default)]
pub(crate) struct DayPicture {
    pub(crate) total: Total,
    pub(crate) strip: Strip,
}

impl MonthPicture {
    /// A picture of no rows yet that will show the days of every line.
    pub fn with_all_days(
        lines: &[MonthLine],
        zone: TimeZone,
        frames: impl IntoIterator<Item = DayFrame>,
    ) -> MonthPicture {
        let mut picture = MonthPicture::new(lines, zone, frames);
        picture.shows_all_days = true;
        for line in lines {
            picture.unfolded.entry(line.key.clone()).or_default();
        }
        picture
    }

    /// A picture of no rows yet. The days of the lines that were not fulfilled, or that unknown time could turn, will be
    /// shown; `lines` are those that the page has.
    pub fn new(lines: &[MonthLine], zone: TimeZone, frames: impl IntoIterator<Item = DayFrame>) -> MonthPicture {
        let frame = |frame: DayFrame| {
            let stretches = stretches(frame.date, &zone);
            (frame.date, Frame { frame, stretches })
        };
        let frames = frames.into_iter().map(frame).collect();
        let unfolds = |line: &&MonthLine| line.status() == Status::NotFulfilled || line.total.unknown != Micros::ZERO;
        let unfolded = lines.iter().filter(unfolds).map(|line| (line.key.clone(), LinePicture::default())).collect();
        let makers = lines.iter().map(|line| (line.key.market_maker.clone(), MakerPicture::default())).collect();
        MonthPicture { zone, frames, makers, unfolded, lost: Lost::default(), open: None, shows_all_days: false }
    }

    /// Adds the times of an obligation on a day.
    pub fn result(&mut self, row: &DayRow) {
        if row.obligation.paid() == Paid::Incentives
            && let Some(maker) = self.makers.get_mut(&row.market_maker)
        {
            *maker.days.entry(row.date).or_default() += row.total;
        }
        let key = AccountKey {
            market_maker: row.market_maker.clone(),
            issue: row.issue.clone(),
            obligation: row.obligation.clone(),
        };
        if let Some(line) = self.unfolded.get_mut(&key) {
            line.days.entry(row.date).or_default().total = row.total;
        }
    }

    /// Adds a breach. Those of one obligation on one day come one after the other, in order of time.
    pub fn breach(&mut self, breach: Breach<'_>) {
        let Some(Frame { frame, stretches }) = self.frames.get(&breach.date) else { return };
        let Some(maker) = self.makers.get_mut(breach.market_maker) else { return };
        if breach.obligation.paid() == Paid::Incentives {
            maker.lost.add(stretches, breach.span, breach.reason);
            self.lost.add(stretches, breach.span, breach.reason);
        }
        let key = AccountKey {
            market_maker: breach.market_maker.to_owned(),
            issue: breach.issue.clone(),
            obligation: breach.obligation.clone(),
        };
        let Some(line) = self.unfolded.get_mut(&key) else { return };
        line.lost.add(stretches, breach.span, breach.reason);
        line.days.entry(breach.date).or_default().strip.mark(frame.shown, breach.span);
        let joined = match &mut self.open {
            Some((open, outage)) if *open == key => outage.join(breach.span, breach.reason),
            _ => false,
        };
        if !joined {
            self.close();
            self.open = Some((key, Outage::begin(breach.span, breach.reason)));
        }
    }

    /// Ends the outage that the last breach belongs to. To be called once after the last breach.
    pub fn close(&mut self) {
        let Some((key, outage)) = self.open.take() else { return };
        let Some(line) = self.unfolded.get_mut(&key) else { return };
        line.outage_count += 1;
        let position = line.worst.partition_point(|longer| outage.length() <= longer.length());
        if position < WORST_MAX {
            line.worst.insert(position, outage);
            line.worst.truncate(WORST_MAX);
        }
    }

    /// The zone in which people read times.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The dates, in order.
    pub(crate) fn dates(&self) -> impl Iterator<Item = Date> + '_ {
        self.frames.keys().copied()
    }

    /// What a strip of the date shows.
    pub(crate) fn frame(&self, date: Date) -> Option<&DayFrame> {
        self.frames.get(&date).map(|frame| &frame.frame)
    }
}
