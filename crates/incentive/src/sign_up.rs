//! One sign-up's month: its `general` obligation, or the criteria that stand in its place, taken together.
//!
//! Whatever counts ETFs, or follows from one being met, asks here; single lines say what each criterion came to.

use crate::{MonthLine, Status};
use jiff::civil::Date;
use quoteclock_ledger::Total;
use quoteclock_model::{IssueCode, Micros};

/// What the scheme itself asks of a market maker in an issue, in one month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignUpMonth<'a> {
    /// At least one, all of one market maker and issue, by name.
    lines: &'a [MonthLine],
}

/// Those of a month's lines, which are in order of their keys.
pub fn sign_up_months(lines: &[MonthLine]) -> impl Iterator<Item = SignUpMonth<'_>> {
    let is_one = |one: &MonthLine, next: &MonthLine| {
        one.key.market_maker == next.key.market_maker && one.key.issue == next.key.issue
    };
    lines.chunk_by(is_one).filter_map(|own| {
        // The scheme's own obligations come before conditions.
        let count = own.partition_point(MonthLine::is_general);
        (0 < count).then(|| SignUpMonth { lines: &own[..count] })
    })
}

/// What criteria come to together: whether as many are met as are needed, all if none says how many. One without available
/// time is not asked for, and does not have to be made up for by another.
///
/// ```
/// use quoteclock_incentive::{Status, together};
/// use Status::{Fulfilled, NotApplicable, NotFulfilled};
/// assert_eq!(together([Fulfilled, NotFulfilled], None), NotFulfilled);
/// assert_eq!(together([Fulfilled, NotFulfilled], Some(1)), Fulfilled);
/// assert_eq!(together([Fulfilled, NotApplicable], None), Fulfilled);
/// ```
///
/// Clause: `XETRA/criteria`.
pub fn together(statuses: impl IntoIterator<Item = Status>, need: Option<u32>) -> Status {
    let (mut asked, mut met) = (0_u64, 0_u64);
    for status in statuses {
        asked += u64::from(status != Status::NotApplicable);
        met += u64::from(status == Status::Fulfilled);
    }
    let need = need.map_or(asked, |need| u64::from(need).min(asked));
    match asked {
        0 => Status::NotApplicable,
        _ if need <= met => Status::Fulfilled,
        _ => Status::NotFulfilled,
    }
}

impl<'a> SignUpMonth<'a> {
    /// That of a market maker in an issue, of a month's lines in order of their keys.
    pub fn find(lines: &'a [MonthLine], market_maker: &str, issue: &IssueCode) -> Option<SignUpMonth<'a>> {
        let key = |line: &MonthLine| (line.key.market_maker.as_str(), &line.key.issue).cmp(&(market_maker, issue));
        let own = &lines[lines.partition_point(|line| key(line).is_lt())..];
        sign_up_months(&own[..own.partition_point(|line| key(line).is_eq())]).next()
    }

    /// The market maker.
    pub fn market_maker(self) -> &'a str {
        &self.lines[0].key.market_maker
    }

    /// The issue.
    pub fn issue(self) -> &'a IssueCode {
        &self.lines[0].key.issue
    }

    /// Its lines, also of criteria that have gone since.
    pub fn lines(self) -> &'a [MonthLine] {
        self.lines
    }

    /// The last date on which it was measured.
    pub fn last_measured(self) -> Date {
        self.lines.iter().map(|line| line.last_measured).max().unwrap_or_default()
    }

    /// The lines that decide: what was asked on the last date on which it was measured.
    pub fn deciding(self) -> impl Iterator<Item = &'a MonthLine> {
        let last = self.last_measured();
        self.lines.iter().filter(move |line| line.last_measured == last)
    }

    /// Whether the issue is a leveraged or inverse ETF.
    pub fn leveraged_inverse(self) -> bool {
        self.deciding().any(|line| line.leveraged_inverse)
    }

    /// Whether it is several criteria.
    pub fn has_criteria(self) -> bool {
        self.lines.iter().any(MonthLine::is_criterion)
    }

    /// How many of those that decide have to be met.
    pub fn need(self) -> usize {
        let count = self.deciding().count();
        let need = self.need_named().and_then(|need| usize::try_from(need).ok());
        need.map_or(count, |need| need.min(count))
    }

    fn need_named(self) -> Option<u32> {
        self.deciding().find_map(|line| line.need)
    }

    /// How many of those that decide are met.
    pub fn met(self) -> usize {
        self.deciding().filter(|line| line.status() == Status::Fulfilled).count()
    }

    /// Whether it was met: all of its criteria, or as many as are [needed](together).
    ///
    /// Clauses: `ST1/time-share`, `XETRA/criteria`.
    pub fn status(self) -> Status {
        self.judged(MonthLine::status)
    }

    fn judged(self, status: impl Fn(&MonthLine) -> Status) -> Status {
        together(self.deciding().map(status), self.need_named())
    }

    /// Whether the status stands, whatever happened in the unknown time.
    ///
    /// Clause: `ST1/quote-display-time`.
    pub fn certain(self) -> bool {
        let status = self.status();
        [true, false].into_iter().all(|fulfilled| self.judged(|line| line.status_if_unknown(fulfilled)) == status)
    }

    /// Of the lines that were not fulfilled the times of the one with the least share.
    pub(crate) fn least_fulfilled(self) -> Option<Total> {
        let missed = self.deciding().filter(|line| line.status() == Status::NotFulfilled).map(|line| line.total);
        missed.min_by(|one, other| {
            let cross = |of: Total, by: Total| u128::from(of.fulfilled.0) * u128::from(by.available.0);
            debug_assert!(one.available != Micros::ZERO && other.available != Micros::ZERO, "both were asked for");
            cross(*one, *other).cmp(&cross(*other, *one))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountKey;
    use jiff::civil::date;
    use quoteclock_model::ObligationId;
    use quoteclock_rules::Aggregate;

    /// A criterion with so much of 100 fulfilled, and so much more unknown, that needs 80 %.
    fn line(name: &str, need: Option<u32>, (available, fulfilled, unknown): (u64, u64, u64)) -> MonthLine {
        MonthLine {
            key: AccountKey {
                market_maker: "MM1".to_owned(),
                issue: IssueCode::new(b"X").unwrap(),
                obligation: ObligationId::General(Some(name.to_owned())),
            },
            total: Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(unknown) },
            aggregate: Aggregate::default(),
            days: Vec::new(),
            required_pct: 800_000,
            leveraged_inverse: false,
            need,
            last_measured: date(2024, 3, 1),
            days_measured: 1,
            trading_days: 1,
        }
    }

    const MET: (u64, u64, u64) = (100, 80, 0);
    const MISSED: (u64, u64, u64) = (100, 79, 0);
    const NONE: (u64, u64, u64) = (0, 0, 0);
    /// Met as it stands, and not if all that is unknown was not.
    const DOUBTFUL: (u64, u64, u64) = (100, 80, 1);

    fn month(need: Option<u32>, all: &[(u64, u64, u64)]) -> Vec<MonthLine> {
        all.iter().zip(["a", "b", "c"]).map(|(of, name)| line(name, need, *of)).collect()
    }

    // clause: XETRA/criteria
    #[test]
    fn all_criteria_are_met_or_as_many_as_are_needed() {
        use Status::{Fulfilled, NotApplicable, NotFulfilled};
        for (need, all, status) in [
            (None, &[MET, MET, MET][..], Fulfilled),
            (None, &[MET, MET, MISSED], NotFulfilled),
            (None, &[MET], Fulfilled),
            (Some(2), &[MET, MET, MISSED], Fulfilled),
            (Some(2), &[MET, MISSED, MISSED], NotFulfilled),
            (Some(3), &[MET, MET, MISSED], NotFulfilled),
            (Some(1), &[MISSED, MISSED, MET], Fulfilled),
            // What was never asked for is neither met nor missed.
            (None, &[MET, NONE, MET], Fulfilled),
            (None, &[MET, NONE, MISSED], NotFulfilled),
            (Some(3), &[MET, NONE, MET], Fulfilled),
            (Some(2), &[MET, NONE, NONE], Fulfilled),
            (Some(1), &[NONE, NONE, MISSED], NotFulfilled),
            (Some(1), &[NONE, NONE, NONE], NotApplicable),
        ] {
            let lines = month(need, all);
            let of = sign_up_months(&lines).next().unwrap();
            assert_eq!(of.status(), status, "{need:?} {all:?}");
            assert!(of.certain(), "nothing is unknown");
        }
    }

    #[test]
    fn unknown_time_can_turn_a_sign_up_only_where_it_turns_as_many_criteria_as_matter() {
        for (need, all, certain) in [
            (None, &[MET, DOUBTFUL][..], false),
            (Some(1), &[MET, DOUBTFUL], true),
            (None, &[MISSED, DOUBTFUL], true),
            (Some(1), &[MISSED, DOUBTFUL], false),
            (Some(2), &[DOUBTFUL, DOUBTFUL, MISSED], false),
            (None, &[MET, (0, 0, 1)], false),
            (Some(1), &[MET, (0, 0, 1)], true),
        ] {
            let lines = month(need, all);
            assert_eq!(sign_up_months(&lines).next().unwrap().certain(), certain, "{need:?} {all:?}");
        }
    }

    #[test]
    fn criteria_of_the_last_date_decide_and_conditions_play_no_part() {
        let mut lines = month(None, &[MISSED, MET]);
        lines[0].last_measured = date(2024, 2, 29);
        let condition = ObligationId::Sponsored("S".to_owned());
        lines.push(MonthLine { key: AccountKey { obligation: condition, ..lines[0].key.clone() }, ..lines[0].clone() });
        let mut other = line("a", None, MISSED);
        other.key.issue = IssueCode::new(b"Y").unwrap();
        lines.push(other);
        let all: Vec<(String, Status, usize)> =
            sign_up_months(&lines).map(|of| (of.issue().to_string(), of.status(), of.lines().len())).collect();
        assert_eq!(all, [("X".to_owned(), Status::Fulfilled, 2), ("Y".to_owned(), Status::NotFulfilled, 1)]);
        let found = |issue: &[u8]| SignUpMonth::find(&lines, "MM1", &IssueCode::new(issue).unwrap());
        assert_eq!(found(b"Y").map(SignUpMonth::status), Some(Status::NotFulfilled));
        assert_eq!(found(b"Y").map(SignUpMonth::has_criteria), Some(true));
        assert!(sign_up_months(&lines[2..3]).next().is_none(), "a condition alone is no sign-up's month");
        assert!(found(b"Z").is_none() && SignUpMonth::find(&lines, "MM2", &lines[0].key.issue).is_none());
        lines[3].key.obligation = ObligationId::GENERAL;
        assert_eq!(SignUpMonth::find(&lines, "MM1", &lines[3].key.issue).map(SignUpMonth::has_criteria), Some(false));
    }

    #[test]
    fn the_least_of_what_was_missed_is_named() {
        let lines = month(None, &[MISSED, (10, 7, 0), MET]);
        let of = sign_up_months(&lines).next().unwrap();
        assert_eq!(of.least_fulfilled().map(|total| total.available), Some(Micros(10)));
        // 70 %, and 69 % of a longer time.
        let lines = month(None, &[(10, 7, 0), (1_000, 690, 0)]);
        let of = sign_up_months(&lines).next().unwrap();
        assert_eq!(of.least_fulfilled().map(|total| total.available), Some(Micros(1_000)));
    }
}
