//! The criteria, and what follows from them for each ETF.

use super::figures::{Average, Figure, Figures, Lookup};
use super::read::{ETFS, INDICES};
use super::{Etf, Index, Review, ReviewDates, Rows, Status};
use crate::{Decimal, Hundredths, Missing};
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt;

/// What is asked of an ETF, in the order of the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Criterion {
    /// It is listed in Shanghai or Shenzhen. Clause: `SC/eligible/exchange`.
    Exchange,
    /// It is traded in RMB. Clause: `SC/eligible/currency`.
    Currency,
    /// Daily average assets of six months. Clauses: `SC/eligible/aum`, `SC/sell-only/aum`.
    Aum,
    /// Listed for six months. Clause: `SC/eligible/listed`.
    Listed,
    /// Index launched for a year. Clause: `SC/eligible/launched`.
    Launched,
    /// Weight of A shares. Clauses: `SC/eligible/a-shares`, `SC/sell-only/a-shares`.
    AShares,
    /// Weight of what is eligible Northbound. Clauses: `SC/eligible/northbound`, `SC/sell-only/northbound`.
    Northbound,
    /// Whether the index is broad-based is not known. Clauses: `SC/eligible/broad-based`, `SC/sell-only/broad-based`.
    BroadBased,
    /// Number of constituents. Clauses: `SC/eligible/constituents`, `SC/sell-only/constituents`.
    Constituents,
    /// The largest constituent. Clauses: `SC/eligible/largest`, `SC/sell-only/largest`.
    Largest,
    /// The five largest ones. Clauses: `SC/eligible/top-five`, `SC/sell-only/top-five`.
    TopFive,
    /// Those much traded. Clauses: `SC/eligible/top-turnover`, `SC/sell-only/top-turnover`.
    TopTurnover,
    /// A figure fails, and whether the methodology makes up for it is not known. Clauses: `SC/eligible/methodology`,
    /// `SC/sell-only/methodology`.
    Methodology,
}

impl Criterion {
    const fn as_str(self) -> &'static str {
        match self {
            Criterion::Exchange => "exchange",
            Criterion::Currency => "currency",
            Criterion::Aum => "aum",
            Criterion::Listed => "listed",
            Criterion::Launched => "launched",
            Criterion::AShares => "a-shares",
            Criterion::Northbound => "northbound",
            Criterion::BroadBased => "broad-based",
            Criterion::Constituents => "constituents",
            Criterion::Largest => "largest",
            Criterion::TopFive => "top-five",
            Criterion::TopTurnover => "top-turnover",
            Criterion::Methodology => "methodology",
        }
    }
}

/// Which of the two lists of criteria.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum List {
    /// What makes an ETF eligible, asked of those that are not.
    Eligible,
    /// What makes an eligible ETF sell-only.
    SellOnly,
}

/// Why an ETF is what it is: it prints as a clause.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reason(Cause);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Cause {
    /// The criterion failed, or is not known.
    Of(List, Criterion),
    /// Everything is met. Clauses: `SC/eligible/all`, `SC/sell-only/none`.
    AllMet(List),
    /// The methodology stands in for figures. Clause: `SC/methodology`.
    Methodology,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Of(List::Eligible, criterion) => write!(f, "SC/eligible/{}", criterion.as_str()),
            Cause::Of(List::SellOnly, criterion) => write!(f, "SC/sell-only/{}", criterion.as_str()),
            Cause::AllMet(List::Eligible) => f.write_str("SC/eligible/all"),
            Cause::AllMet(List::SellOnly) => f.write_str("SC/sell-only/none"),
            Cause::Methodology => f.write_str("SC/methodology"),
        }
    }
}

/// What a review decides of one ETF.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The ETF.
    pub etf: String,
    /// What it was.
    pub before: Status,
    /// What it is from the effective date on; `None` where it is undecided.
    pub after: Option<Status>,
    /// Why: what failed, else what is unknown, else that all is well.
    pub reasons: Vec<Reason>,
    /// Its average assets in RMB, rounded down.
    pub aum_average: Option<Hundredths>,
    /// The figures of its index.
    pub figures: Figures,
    /// What it needs to be decided.
    pub missing: Missing,
}

/// The dates of a review, and what it decides, sorted by ETF.
pub fn decide(review: Review, rows: &Rows) -> (ReviewDates, Vec<Decision>) {
    let dates = ReviewDates::of(review, &rows.holidays);
    // Where the cut-off is not known, what it needs is all that is missing of the dates.
    let lookup = Lookup::new(rows, dates.cut_off.ok_or_else(|| dates.missing.clone()));
    let mut decisions: Vec<Decision> = rows.etfs.iter().map(|etf| Assessment::of(etf, &lookup).decision(etf)).collect();
    decisions.sort_unstable_by(|a, b| a.etf.cmp(&b.etf));
    (dates, decisions)
}

/// How a criterion came out.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Verdict {
    Met,
    Failed,
    Unknown(Missing),
}

impl<T> From<(&Figure<T>, bool)> for Verdict {
    fn from((figure, met): (&Figure<T>, bool)) -> Verdict {
        match figure {
            Ok(_) if met => Verdict::Met,
            Ok(_) => Verdict::Failed,
            Err(missing) => Verdict::Unknown(missing.clone()),
        }
    }
}

/// `figure` judged.
fn verdict<T>(figure: &Figure<T>, met: impl Fn(&T) -> bool) -> Verdict {
    Verdict::from((figure, figure.as_ref().is_ok_and(met)))
}

/// All that was asked of one ETF.
struct Assessment {
    list: List,
    verdicts: Vec<(Criterion, Verdict)>,
    /// Whether criterion 5 is met by the methodology where it is not by the figures.
    by_methodology: bool,
    aum_average: Option<Hundredths>,
    figures: Figures,
}

impl Assessment {
    fn of(etf: &Etf, lookup: &Lookup<'_>) -> Assessment {
        let list = if etf.status == Status::Eligible { List::SellOnly } else { List::Eligible };
        let (aum, figures) = (lookup.aum(etf), lookup.figures(etf));
        let index = index_of(etf, lookup);
        let mut verdicts = Vec::new();
        if list == List::Eligible {
            verdicts.extend(standing(etf, lookup, &aum, &index));
        } else {
            verdicts.push((Criterion::Aum, verdict(&aum, |average| average.is_at_least(Decimal::whole(400_000_000)))));
        }
        let weight_min = Decimal::whole(if list == List::Eligible { 60 } else { 55 });
        verdicts.push((Criterion::AShares, verdict(&figures.a_share, |&weight| weight_min <= weight)));
        verdicts.push((Criterion::Northbound, verdict(&figures.northbound, |&weight| weight_min <= weight)));
        let (criterion_five, by_methodology) = criterion_five(&index, &figures);
        verdicts.extend(criterion_five);
        let aum_average = aum.ok().map(|average| average.mean);
        Assessment { list, verdicts, by_methodology, aum_average, figures }
    }

    fn decision(self, etf: &Etf) -> Decision {
        let list = self.list;
        let having = |wanted: fn(&Verdict) -> bool| {
            let wanted = self.verdicts.iter().filter(move |(_, verdict)| wanted(verdict));
            wanted.map(|&(criterion, _)| Reason(Cause::Of(list, criterion))).collect::<Vec<_>>()
        };
        let failed = having(|verdict| *verdict == Verdict::Failed);
        let unknown = having(|verdict| matches!(verdict, Verdict::Unknown(_)));
        let (after, reasons, missing) = if !failed.is_empty() {
            let after = if etf.status == Status::NotEligible { Status::NotEligible } else { Status::SellOnly };
            (Some(after), failed, Missing::default())
        } else if !unknown.is_empty() {
            let needed = |(_, verdict): &'_ (Criterion, Verdict)| match verdict {
                Verdict::Unknown(missing) => Some(missing.clone()),
                _ => None,
            };
            let needed: Vec<Missing> = self.verdicts.iter().filter_map(needed).collect();
            (None, unknown, needed.iter().collect())
        } else {
            let all_met = [Reason(Cause::AllMet(list))];
            let methodology = self.by_methodology.then_some(Reason(Cause::Methodology));
            (Some(Status::Eligible), all_met.into_iter().chain(methodology).collect(), Missing::default())
        };
        Decision {
            etf: etf.etf.clone(),
            before: etf.status,
            after,
            reasons,
            aum_average: self.aum_average,
            figures: self.figures,
            missing,
        }
    }
}

/// The row of an ETF's index.
fn index_of<'r>(etf: &Etf, lookup: &Lookup<'r>) -> Figure<&'r Index> {
    let name = etf.index.as_ref().ok_or_else(|| Missing::cell(ETFS.file, &etf.etf, "index"))?;
    lookup.index(name).ok_or_else(|| Missing::row(INDICES.file, name))
}

/// What only eligibility asks, and the assets: criteria 1 to 3.
fn standing(
    etf: &Etf,
    lookup: &Lookup<'_>,
    aum: &Figure<Average>,
    index: &Figure<&Index>,
) -> [(Criterion, Verdict); 5] {
    let cell = |column: &str| Missing::cell(ETFS.file, &etf.etf, column);
    let exchange = etf.exchange.as_deref().ok_or_else(|| cell("exchange"));
    let currency = etf.currency.as_deref().ok_or_else(|| cell("currency"));
    let listed = with_cut_off(etf.listed.ok_or_else(|| cell("listed")), lookup);
    let launched = index
        .clone()
        .and_then(|index| index.launched.ok_or_else(|| Missing::cell(INDICES.file, &index.index, "launched")));
    let launched = with_cut_off(launched, lookup);
    [
        (Criterion::Exchange, verdict(&exchange, |exchange| matches!(*exchange, "SSE" | "SZSE"))),
        (Criterion::Currency, verdict(&currency, |currency| matches!(*currency, "RMB" | "CNY"))),
        (Criterion::Aum, verdict(aum, |average| average.is_at_least(Decimal::whole(500_000_000)))),
        (Criterion::Listed, verdict(&listed, |&dates| is_months_before(dates, 6))),
        (Criterion::Launched, verdict(&launched, |&dates| is_months_before(dates, 12))),
    ]
}

/// A date and the cut-off, or what either needs.
fn with_cut_off(date: Figure<Date>, lookup: &Lookup<'_>) -> Figure<(Date, Date)> {
    match (date, lookup.cut_off()) {
        (Ok(date), Ok(cut_off)) => Ok((date, cut_off)),
        (date, cut_off) => Err([date.err(), cut_off.err()].iter().flatten().collect()),
    }
}

/// Whether the first date lies so many calendar months before the second.
///
/// Interpretation: `QC/six_months`.
fn is_months_before((date, cut_off): (Date, Date), months: i32) -> bool {
    date.checked_add(months.months()).is_ok_and(|then| then <= cut_off)
}

/// Criterion 5, of the index or its methodology, and whether the latter was needed.
///
/// Interpretation: `QC/methodology`.
fn criterion_five(index: &Figure<&Index>, figures: &Figures) -> (Vec<(Criterion, Verdict)>, bool) {
    let index = match index {
        Ok(index) => *index,
        Err(missing) => return (vec![(Criterion::BroadBased, Verdict::Unknown(missing.clone()))], false),
    };
    let empty = |column: &str| Verdict::Unknown(Missing::cell(INDICES.file, &index.index, column));
    let verdicts = match index.broad_based {
        None => vec![(Criterion::BroadBased, empty("broad_based"))],
        Some(true) => vec![(Criterion::Largest, verdict(&figures.largest, |&weight| weight <= Decimal::whole(30)))],
        Some(false) => vec![
            (Criterion::Constituents, verdict(&figures.constituents, |&count| 30 <= count)),
            (Criterion::Largest, verdict(&figures.largest, |&weight| weight <= Decimal::whole(15))),
            (Criterion::TopFive, verdict(&figures.top_five, |&weight| weight <= Decimal::whole(60))),
            (Criterion::TopTurnover, verdict(&figures.top_turnover, |&weight| Decimal::whole(90) <= weight)),
        ],
    };
    let fails = verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Failed);
    match index.methodology {
        Some(true) => (Vec::new(), verdicts.iter().any(|(_, verdict)| *verdict != Verdict::Met)),
        None if fails => (vec![(Criterion::Methodology, empty("methodology"))], false),
        _ => (verdicts, false),
    }
}
