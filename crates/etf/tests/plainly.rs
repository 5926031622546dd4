//! The rules compared with a second implementation of them over random folders, byte for byte, and what has to hold of any
//! folder.

use proptest::prelude::*;
use quoteclock_etf::{feeders, inclusion, licences, stock_connect, tables};
use quoteclock_rows::{Table, write_csv};
use quoteclock_sheets::SourceFile;
use quoteclock_testkit::etf::{self, Folder};
use quoteclock_testkit::generate::etf as generate;

/// Written files: name and text.
type Written = Vec<(String, String)>;

fn sources(folder: &Folder) -> Vec<SourceFile> {
    let file = |(name, text): &(String, String)| SourceFile { name: name.clone(), bytes: text.as_bytes().to_vec() };
    folder.0.iter().map(file).collect()
}

fn written<'r, T: Table>(rows: impl IntoIterator<Item = T::Row<'r>>) -> (String, String) {
    let mut bytes = Vec::new();
    write_csv::<T>(rows, &mut bytes).expect("writing to memory");
    (format!("{}.csv", T::NAME), String::from_utf8(bytes).expect("UTF-8"))
}

fn review(folder: &Folder, review: &str) -> Written {
    let rows = stock_connect::load(&sources(folder)).expect("a generated folder");
    let review = review.parse().expect("a review");
    let (dates, decisions) = stock_connect::decide(review, &rows);
    let decisions = decisions.iter().map(|decision| (review, decision));
    vec![written::<tables::Dates>([(review, &dates)]), written::<tables::Reviews>(decisions)]
}

fn applications(folder: &Folder) -> Written {
    let rows = licences::load(&sources(folder)).expect("a generated folder");
    vec![written::<tables::Decisions>(&licences::decide(&rows))]
}

fn allocation(folder: &Folder, asked: &str, day: Option<&str>) -> Written {
    let rows = inclusion::load(&sources(folder)).expect("a generated folder");
    let asked: inclusion::Asked = asked.parse().expect("an allocation");
    let allocation = asked.on(day.map(|day| day.parse().expect("a date"))).expect("dated");
    let all = inclusion::decide(allocation, &rows);
    let weights = all.iter().flat_map(|one| one.weights.iter().map(|weight| (one.index.as_str(), weight)));
    vec![written::<tables::Allocations>(all.iter().map(|one| (&asked, one))), written::<tables::Weights>(weights)]
}

fn pairs(folder: &Folder, days: (jiff::civil::Date, jiff::civil::Date)) -> Written {
    let rows = feeders::load(&sources(folder)).expect("a generated folder");
    let (pairs, candidates) = feeders::decide(days.0, days.1, &rows);
    vec![written::<tables::Pairs>(&pairs), written::<tables::Candidates>(&candidates)]
}

fn named(written: etf::Written) -> Written {
    written.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The same folder with the rows of every file the other way round.
fn reversed(folder: &Folder) -> Folder {
    let reversed = |text: &str| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        lines.join("\n")
    };
    Folder(folder.0.iter().map(|(name, text)| (name.clone(), reversed(text))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_review_is_what_plain_rules_make_it(asked in generate::stock_connect()) {
        let found = review(&asked.folder, asked.question);
        prop_assert_eq!(&found, &named(etf::stock_connect(&asked.folder, asked.question)));
        prop_assert_eq!(&found, &review(&reversed(&asked.folder), asked.question), "the order of rows");
    }

    #[test]
    fn licences_are_what_plain_rules_make_them(asked in generate::licences()) {
        let found = applications(&asked.folder);
        prop_assert_eq!(&found, &named(etf::licences(&asked.folder)));
        prop_assert_eq!(&found, &applications(&reversed(&asked.folder)), "the order of rows");
    }

    #[test]
    fn allocations_are_what_plain_rules_make_them(asked in generate::inclusion()) {
        let (allocated, day) = asked.question;
        let found = allocation(&asked.folder, allocated, day);
        prop_assert_eq!(&found, &named(etf::inclusion(&asked.folder, allocated, day)));
        prop_assert_eq!(&found, &allocation(&reversed(&asked.folder), allocated, day), "the order of rows");
    }

    #[test]
    fn pairs_are_what_plain_rules_make_them(asked in generate::feeders()) {
        let found = pairs(&asked.folder, asked.question);
        prop_assert_eq!(&found, &named(etf::feeders(&asked.folder, asked.question.0, asked.question.1)));
        prop_assert_eq!(&found, &pairs(&reversed(&asked.folder), asked.question), "the order of rows");
    }
}

/// What a review makes of the ETF at a position of the rows.
fn after(review: stock_connect::Review, rows: &stock_connect::Rows, position: usize) -> Option<stock_connect::Status> {
    let (_, decisions) = stock_connect::decide(review, rows);
    let etf = &rows.etfs[position].etf;
    decisions.iter().find(|decision| decision.etf == *etf).and_then(|decision| decision.after)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_better_makes_an_eligible_etf_sell_only(
        asked in generate::stock_connect(),
        more in 1_u64..1_000_000_000,
        days in 1_i32..2_000,
        row in any::<prop::sample::Index>(),
    ) {
        use jiff::ToSpan as _;
        let review = asked.question.parse().expect("a review");
        let mut rows = stock_connect::load(&sources(&asked.folder)).expect("a generated folder");
        rows.etfs.iter_mut().for_each(|etf| etf.status = stock_connect::Status::Eligible);
        for position in 0..rows.etfs.len() {
            // What is undecided may turn out either way once more is known: it is not eligible yet.
            if after(review, &rows, position) != Some(stock_connect::Status::Eligible) {
                continue;
            }
            let check = |change: &dyn Fn(&mut stock_connect::Rows)| {
                let mut better = rows.clone();
                change(&mut better);
                let after = after(review, &better, position);
                prop_assert_ne!(after, Some(stock_connect::Status::SellOnly));
                Ok(())
            };
            check(&|rows| {
                for row in &mut rows.aum {
                    row.aum = row.aum.map(|aum| [aum, quoteclock_etf::Decimal::whole(more)].into_iter().sum());
                }
            })?;
            // It had the assets that it has every day also before.
            check(&|rows| {
                let listed = &mut rows.etfs[position].listed;
                *listed = listed.and_then(|listed| listed.checked_sub(days.days()).ok());
            })?;
            let stock = |rows: &stock_connect::Rows| row.index(rows.constituents.len());
            if !rows.constituents.is_empty() {
                check(&|rows| { let stock = stock(rows); rows.constituents[stock].a_share = Some(true); })?;
                check(&|rows| { let stock = stock(rows); rows.constituents[stock].northbound = Some(true); })?;
            }
            check(&|rows| rows.indices.iter_mut().for_each(|index| index.broad_based = Some(true)))?;
            check(&|rows| rows.indices.iter_mut().for_each(|index| index.methodology = Some(true)))?;
        }
    }

    #[test]
    fn weights_add_up_to_exactly_one_hundred(asked in generate::inclusion(), odd in 1_u64..u64::MAX) {
        let (allocated, day) = asked.question;
        let mut rows = inclusion::load(&sources(&asked.folder)).expect("a generated folder");
        for (position, row) in rows.members.iter_mut().enumerate().filter(|(position, _)| position % 2 == 0) {
            row.net_market_cap = Some(quoteclock_etf::Decimal::whole(odd / (1 + position as u64) + 1));
        }
        let allocated: inclusion::Asked = allocated.parse().expect("an allocation");
        let allocation = allocated.on(day.map(|day| day.parse().expect("a date"))).expect("dated");
        for one in inclusion::decide(allocation, &rows) {
            let is_known = one.missing.is_empty();
            for column in [|weight: &inclusion::Weight| weight.before, |weight: &inclusion::Weight| weight.after] {
                let sum: u64 = one.weights.iter().filter_map(column).map(|weight| weight.0).sum();
                prop_assert_eq!(sum, if is_known { 1_000_000 } else { 0 });
            }
        }
    }
}
