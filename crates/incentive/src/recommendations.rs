//! What the exchange's staff may want to look at: obligations missed, and missed for long.
//!
//! Recommendations with the figures behind them; nothing is decided here.

use crate::{AccountKey, MakerLine, Month, MonthLine, SignUpMonth, Status, sign_up_months};
use num_bigint::BigUint;
use quoteclock_ledger::Total;
use quoteclock_model::{IssueCode, ObligationId};
use quoteclock_rules::Incentives;
use std::collections::BTreeMap;

/// What is recommended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Recommendation {
    /// To ask the market maker for a briefing.
    Briefing,
    /// To take the ETF out of the sign-up.
    DropFromSignUp,
    /// To revoke the designation.
    RevokeDesignation,
}

impl Recommendation {
    /// As the output files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Recommendation::Briefing => "briefing",
            Recommendation::DropFromSignUp => "drop_from_sign_up",
            Recommendation::RevokeDesignation => "revoke_designation",
        }
    }

    /// The clause that it rests on.
    pub const fn clause(self) -> &'static str {
        match self {
            Recommendation::Briefing => "ST1/managing-qualification",
            Recommendation::DropFromSignUp => "ST1/six-month-average",
            Recommendation::RevokeDesignation => "ST1/twelve-months",
        }
    }
}

/// The figure behind a recommendation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Figure {
    /// A percentage in ten-thousandths, rounded half up.
    Percent(u64),
    /// A number of ETFs.
    Etfs(u32),
}

/// Prints a percentage with four decimals, or the number.
impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Figure::Percent(percent) => write!(f, "{}.{:04}", percent / 10_000, percent % 10_000),
            Figure::Etfs(count) => std::fmt::Display::fmt(count, f),
        }
    }
}

/// A row of `recommendations.csv`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecommendationLine {
    /// Whom it is about.
    pub market_maker: String,
    /// The issue; `None` where it is about the number of ETFs.
    pub issue: Option<IssueCode>,
    /// What is recommended.
    pub recommendation: Recommendation,
    /// The figure behind it.
    pub figure: Figure,
}

/// A month with what it decided, as recommendations look back on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastMonth {
    /// The month.
    pub month: Month,
    /// Its lines.
    pub lines: Vec<MonthLine>,
}

/// The recommendations of a month, by market maker, issue and recommendation. `past` are the months before it, as far as
/// there are any stored days of them.
///
/// Clauses: `ST1/managing-qualification`, `ST1/six-month-average`, `ST1/twelve-months`, `QC/six_month_average`.
pub fn recommendations(
    scheme: &Incentives,
    month: Month,
    lines: &[MonthLine],
    makers: &[MakerLine],
    past: &[PastMonth],
) -> Vec<RecommendationLine> {
    let mut all = briefings(lines, makers);
    all.extend(drops(scheme, month, lines, past));
    all.extend(revocations(scheme, month, lines, makers, past));
    all.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
    all
}

impl RecommendationLine {
    fn sort_key(&self) -> (&str, &str, &str) {
        let issue = self.issue.as_ref().map_or("", IssueCode::as_str);
        (&self.market_maker, issue, self.recommendation.as_str())
    }
}

/// Clause: `ST1/managing-qualification`.
fn briefings(lines: &[MonthLine], makers: &[MakerLine]) -> Vec<RecommendationLine> {
    let missed = sign_up_months(lines).filter(|of| of.status() == Status::NotFulfilled);
    let of_sign_up = |of: SignUpMonth<'_>| {
        // Of several criteria the one that was missed by most of its time.
        let figure = of.least_fulfilled().map(|total| Figure::Percent(mean_percent(&[total])))?;
        let (market_maker, issue) = (of.market_maker().to_owned(), Some(of.issue().clone()));
        Some(RecommendationLine { market_maker, issue, recommendation: Recommendation::Briefing, figure })
    };
    let too_few = makers.iter().filter(|maker| !maker.qualifies() && is_measured(lines, &maker.market_maker));
    let of_maker = |maker: &MakerLine| RecommendationLine {
        market_maker: maker.market_maker.clone(),
        issue: None,
        recommendation: Recommendation::Briefing,
        figure: Figure::Etfs(maker.etfs_fulfilled),
    };
    missed.filter_map(of_sign_up).chain(too_few.map(of_maker)).collect()
}

/// Whether the market maker has a line, of lines by market maker.
fn is_measured(lines: &[MonthLine], market_maker: &str) -> bool {
    lines.binary_search_by(|line| line.key.market_maker.as_str().cmp(market_maker)).is_ok()
}

/// Clauses: `ST1/six-month-average`, `QC/six_month_average`.
fn drops(scheme: &Incentives, month: Month, lines: &[MonthLine], past: &[PastMonth]) -> Vec<RecommendationLine> {
    let Some(before) = months_before(month, scheme.drop_months, past) else { return Vec::new() };
    // Each criterion has its own months.
    let mut totals: BTreeMap<(&str, &IssueCode, &ObligationId), Vec<Total>> = BTreeMap::new();
    for line in before.into_iter().flatten().chain(lines).filter(|line| line.is_general()) {
        if line.total.available.0 > 0 {
            let AccountKey { market_maker, issue, obligation } = &line.key;
            totals.entry((market_maker, issue, obligation)).or_default().push(line.total);
        }
    }
    let months = usize::try_from(scheme.drop_months).unwrap_or(usize::MAX);
    let too_little = |(_, totals): &(_, Vec<Total>)| totals.len() == months && is_mean_under(totals, scheme.drop_pct);
    // One line of a sign-up, with the least of its means.
    let mut least: BTreeMap<(&str, &IssueCode), u64> = BTreeMap::new();
    for ((market_maker, issue, _), totals) in totals.into_iter().filter(too_little) {
        let mean = mean_percent(&totals);
        least.entry((market_maker, issue)).and_modify(|least| *least = mean.min(*least)).or_insert(mean);
    }
    let line = |((market_maker, issue), mean): ((&str, &IssueCode), u64)| RecommendationLine {
        market_maker: market_maker.to_owned(),
        issue: Some(issue.clone()),
        recommendation: Recommendation::DropFromSignUp,
        figure: Figure::Percent(mean),
    };
    least.into_iter().map(line).collect()
}

/// Clause: `ST1/twelve-months`.
fn revocations(
    scheme: &Incentives,
    month: Month,
    lines: &[MonthLine],
    makers: &[MakerLine],
    past: &[PastMonth],
) -> Vec<RecommendationLine> {
    let Some(before) = months_before(month, scheme.revoke_months, past) else { return Vec::new() };
    let missed = makers.iter().filter(|maker| !maker.qualifies() && is_measured(lines, &maker.market_maker));
    let line = |maker: &MakerLine| {
        let missed = |lines: &&[MonthLine]| {
            let etfs = crate::makers::etfs_fulfilled(&maker.market_maker, lines);
            (is_measured(lines, &maker.market_maker) && etfs < scheme.etfs_required).then_some(etfs)
        };
        let earlier: Vec<u32> = before.iter().map(missed).collect::<Option<_>>()?;
        let highest = earlier.into_iter().chain([maker.etfs_fulfilled]).max()?;
        Some(RecommendationLine {
            market_maker: maker.market_maker.clone(),
            issue: None,
            recommendation: Recommendation::RevokeDesignation,
            figure: Figure::Etfs(highest),
        })
    };
    missed.filter_map(line).collect()
}

/// The lines of the `count - 1` months before `month`; `None` unless all of them are there.
fn months_before(month: Month, count: u32, past: &[PastMonth]) -> Option<Vec<&[MonthLine]>> {
    let of = |month: Month| past.iter().find(|past| past.month == month).map(|past| past.lines.as_slice());
    (1..count).map(|back| of(month.earlier(back)?)).collect()
}

/// Whether the mean of the monthly percentages is under `pct`, in ten-thousandths of a percent, exactly.
fn is_mean_under(totals: &[Total], pct: u64) -> bool {
    let (numerator, denominator) = sum_of_shares(totals);
    numerator * WHOLE_PCT < denominator * BigUint::from(pct) * BigUint::from(totals.len())
}

/// The mean of the monthly percentages in ten-thousandths, half up.
fn mean_percent(totals: &[Total]) -> u64 {
    let (numerator, denominator) = sum_of_shares(totals);
    let whole = denominator * BigUint::from(totals.len());
    let rounded: BigUint = (numerator * (2 * WHOLE_PCT) + &whole) / (whole * 2_u32);
    rounded.try_into().expect("a share is at most all")
}

/// All of 100 %, in ten-thousandths of a percent.
const WHOLE_PCT: u64 = 1_000_000;

/// Fulfilled over available, added up as one fraction: a mean of months is not a month's ratio of sums. Every total has
/// available time.
fn sum_of_shares(totals: &[Total]) -> (BigUint, BigUint) {
    totals.iter().fold((BigUint::ZERO, BigUint::from(1_u32)), |(numerator, denominator), total| {
        let (fulfilled, available) = (total.fulfilled.0, total.available.0);
        (numerator * available + &denominator * fulfilled, denominator * available)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quoteclock_model::Micros;

    fn totals(shares: &[(u64, u64)]) -> Vec<Total> {
        let total = |(fulfilled, available): &(u64, u64)| Total {
            available: Micros(*available),
            fulfilled: Micros(*fulfilled),
            unknown: Micros(0),
        };
        shares.iter().map(total).collect()
    }

    // clause: ST1/six-month-average, QC/six_month_average
    #[test]
    fn a_mean_is_compared_exactly_and_rounded_for_people_only() {
        // Five months of 5 %, and one a millionth of a millionth below it: under 5 %, and prints as 5.0000.
        let long = 1_000_000_000_000;
        let mut six = totals(&[(5, 100), (50, 1_000), (5, 100), (1, 20), (2, 40), (long / 20, long)]);
        assert!(!is_mean_under(&six, 50_000));
        six[5].fulfilled.0 -= 1;
        assert!(is_mean_under(&six, 50_000));
        assert_eq!(mean_percent(&six), 50_000);
        // Each month weighs the same: 1 of 2 and 0 of 1000 are 25 %, though of the time it is 0.1 %.
        assert_eq!(mean_percent(&totals(&[(1, 2), (0, 1_000)])), 250_000);
        assert_eq!(
            [(1, 3), (2, 3), (1, 2_000_000)].map(|share| mean_percent(&totals(&[share]))),
            [333_333, 666_667, 1]
        );
        assert_eq!(mean_percent(&totals(&[(u64::MAX, u64::MAX); 12])), WHOLE_PCT);
    }

    const FIRST: [&str; 3] = ["2024-01", "2024-02", "2024-03"];

    /// Lines of MM1 in a month: of each issue from 1301 on the fulfilled part of 100.
    fn lines(shares: &[u64]) -> Vec<MonthLine> {
        let line = |(issue, &fulfilled): (usize, &u64)| MonthLine {
            key: AccountKey {
                market_maker: "MM1".to_owned(),
                issue: IssueCode::new(issue.to_string().as_bytes()).unwrap(),
                obligation: ObligationId::GENERAL,
            },
            total: Total { available: Micros(100), fulfilled: Micros(fulfilled), unknown: Micros(0) },
            aggregate: quoteclock_rules::Aggregate::default(),
            days: Vec::new(),
            required_pct: 800_000,
            leveraged_inverse: false,
            need: None,
            last_measured: jiff::civil::date(2024, 3, 1),
            days_measured: 1,
            trading_days: 1,
        };
        (1301..).zip(shares).map(line).collect()
    }

    /// MM1 with so many ETFs, and the months up to March; `None` is a month of which nothing is stored.
    fn recommended(months: [Option<&[u64]>; 3], scheme: &Incentives) -> Vec<(Recommendation, Figure)> {
        let now = lines(months[2].unwrap_or_default());
        let past = FIRST
            .iter()
            .zip(months)
            .take(2)
            .filter_map(|(month, shares)| Some(PastMonth { month: month.parse().unwrap(), lines: lines(shares?) }));
        let maker = MakerLine {
            market_maker: "MM1".to_owned(),
            etfs_fulfilled: crate::makers::etfs_fulfilled("MM1", &now),
            etfs_required: scheme.etfs_required,
            server_fee: scheme.server_fee,
            free_servers: 0,
            servers_registered: 0,
            server_participant: None,
        };
        let month = FIRST[2].parse().unwrap();
        let all = recommendations(scheme, month, &now, &[maker], &past.collect::<Vec<_>>());
        all.into_iter().map(|line| (line.recommendation, line.figure)).collect()
    }

    // clause: ST1/six-month-average
    #[test]
    fn an_etf_is_dropped_for_a_mean_of_all_the_months_under_the_bound() {
        let scheme = Incentives { drop_months: 3, revoke_months: 9, ..Incentives::built_in() };
        let none: &[u64] = &[];
        for (months, mean) in [
            ([Some(&[5][..]), Some(&[5]), Some(&[4])], Some(46_667)),
            ([Some(&[5]), Some(&[5]), Some(&[5])], None),
            ([Some(&[0]), Some(&[0]), Some(&[15])], None),
            // Months in which it was not signed up, and months that are not stored.
            ([Some(none), Some(&[4]), Some(&[4])], None),
            ([Some(&[4]), Some(none), Some(&[4])], None),
            ([None, Some(&[4]), Some(&[4])], None),
        ] {
            let dropped = recommended(months, &scheme).into_iter().filter(|of| of.0 == Recommendation::DropFromSignUp);
            let expected = mean.map(|mean| (Recommendation::DropFromSignUp, Figure::Percent(mean)));
            assert_eq!(Vec::from_iter(dropped), Vec::from_iter(expected), "{months:?}");
        }
        // Of two months the one before, not the one before that.
        let scheme = Incentives { drop_months: 2, ..scheme };
        let of = |months| recommended(months, &scheme).iter().any(|of| of.0 == Recommendation::DropFromSignUp);
        assert!(of([Some(&[90]), Some(&[5]), Some(&[4])]) && !of([Some(&[5]), Some(&[90]), Some(&[4])]));
    }

    // clause: ST1/twelve-months
    #[test]
    fn a_designation_is_revoked_after_so_many_months_in_a_row_without_the_number_of_etfs() {
        let scheme = Incentives { etfs_required: 2, drop_months: 9, revoke_months: 3, ..Incentives::built_in() };
        let (two, one, zero): (&[u64], &[u64], &[u64]) = (&[80, 80], &[80, 79], &[79]);
        for (months, highest) in [
            ([Some(one), Some(zero), Some(zero)], Some(1)),
            ([Some(zero), Some(zero), Some(one)], Some(1)),
            ([Some(zero), Some(zero), Some(zero)], Some(0)),
            // Enough in one of the months.
            ([Some(two), Some(one), Some(one)], None),
            ([Some(one), Some(two), Some(one)], None),
            ([Some(one), Some(one), Some(two)], None),
            // Not measured in one of them, or one that is not stored.
            ([Some(&[]), Some(one), Some(one)], None),
            ([Some(one), Some(one), Some(&[])], None),
            ([None, Some(one), Some(one)], None),
        ] {
            let revoked =
                recommended(months, &scheme).into_iter().filter(|of| of.0 == Recommendation::RevokeDesignation);
            let expected = highest.map(|etfs| (Recommendation::RevokeDesignation, Figure::Etfs(etfs)));
            assert_eq!(Vec::from_iter(revoked), Vec::from_iter(expected), "{months:?}");
        }
    }

    // clause: ST1/managing-qualification
    #[test]
    fn a_briefing_asks_for_a_measured_month() {
        let scheme = Incentives { etfs_required: 2, ..Incentives::built_in() };
        let briefing = |figure| (Recommendation::Briefing, figure);
        let of = |now: &[u64]| recommended([None, None, Some(now)], &scheme);
        assert_eq!(of(&[80, 80]), []);
        assert_eq!(of(&[80, 79]), [briefing(Figure::Etfs(1)), briefing(Figure::Percent(790_000))]);
        assert_eq!(of(&[]), [], "signed up, and not measured");
    }
}
