//! The rules about money beside the plain reading of them, byte for byte, over thousands of made-up months.

use quoteclock_incentive::{Month, MonthAccounts, MonthStock, PastMonth, Review, ReviewStock, Settlement, Trading};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{Amount, ByCounterparty, Executed, IssueCode, Micros, Turnover};
use quoteclock_report::money::{Conditions, Incentives, OfMonth, Payments, Recommendations, Tiers};
use quoteclock_report::{Criteria, CriteriaRow, MakerRow, MarketMakers};
use quoteclock_rows::write_csv;
use quoteclock_rules::{Registry, Severity, SourceFile};
use quoteclock_testkit::generate::money::case;
use quoteclock_testkit::money::{Case, Files, settle};
use std::collections::BTreeMap;

fn registry(case: &Case) -> Registry {
    let file = |(name, text): &(String, String)| SourceFile { name: name.clone(), bytes: text.clone().into_bytes() };
    let files: Vec<SourceFile> = case.registry.iter().map(file).collect();
    let loaded = Registry::load(&files);
    let errors: Vec<_> = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    loaded.registry.expect("no error was found")
}

fn unsigned(number: i128) -> u128 {
    number.try_into().expect("not negative")
}

/// What quoteclock makes of the case.
fn settled(case: &Case) -> Settlement {
    let registry = registry(case);
    let month: Month = case.month.parse().expect("a month");
    let before = MonthStock::months_before(month, &registry);
    let mut accounts: BTreeMap<Month, MonthAccounts> =
        before.into_iter().chain([month]).map(|month| (month, MonthAccounts::new(month))).collect();
    let mut trading = Trading::new(month, &registry);
    let mut review = ReviewStock::new(Review::of(month), case.days.iter().copied());
    let code = |text: &str| IssueCode::new(text.as_bytes()).expect("a code");
    let micros = |number: i128| Micros(number.try_into().expect("64 bits"));
    for row in &case.results {
        let Some(accounts) = accounts.get_mut(&Month::of(row.date)) else { continue };
        accounts.add(DayRow {
            date: row.date,
            market_maker: row.market_maker.clone(),
            issue: code(&row.issue),
            obligation: row.obligation.parse().expect("an obligation"),
            leveraged_inverse: None,
            required_pct: row.required.try_into().expect("64 bits"),
            total: Total { available: micros(row.available), fulfilled: micros(row.fulfilled), unknown: Micros(0) },
        });
    }
    for row in case.turnovers.iter().filter(|row| month.dates().contains(&row.date)) {
        let executed = |(value, quantity)| Executed { value: Amount(unsigned(value)), quantity: unsigned(quantity) };
        let by = |[market_maker, other, unnamed]: [(i128, i128); 3]| ByCounterparty {
            market_maker: executed(market_maker),
            other: executed(other),
            unnamed: executed(unnamed),
        };
        let turnover = Turnover {
            continuous: by(row.continuous),
            auction: by(row.auction),
            order_count: row.orders.try_into().expect("64 bits"),
        };
        trading.add(&registry, row.date, &row.market_maker, &code(&row.issue), &turnover);
    }
    for (date, issue, value) in &case.market {
        review.add(*date, &code(issue), Amount(unsigned(*value)));
    }
    let lines = accounts.remove(&month).expect("it is there").lines(&registry);
    let past = |(month, accounts): (Month, MonthAccounts)| PastMonth { month, lines: accounts.lines(&registry) };
    let past = accounts.into_iter().map(past).collect();
    Settlement::of(MonthStock { month, lines, trading, review, past }, &registry)
}

fn files(case: &Case) -> Files {
    let settled = settled(case);
    let month = settled.month;
    let text = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("memory");
        String::from_utf8(bytes).expect("UTF-8")
    };
    Files {
        market_makers: text(&|to| {
            let rows = settled.makers.iter().map(|maker| MakerRow { month, maker, is_over: true });
            write_csv::<MarketMakers>(rows, to)
        }),
        criteria: text(&|to| write_csv::<Criteria>(CriteriaRow::all(month, &settled.lines, true), to)),
        incentives: text(&|to| write_csv::<Incentives>(OfMonth::all(month, &settled.incentives), to)),
        conditions: text(&|to| write_csv::<Conditions>(OfMonth::all(month, &settled.conditions), to)),
        tiers: text(&|to| write_csv::<Tiers>(&settled.tiers, to)),
        recommendations: text(&|to| write_csv::<Recommendations>(OfMonth::all(month, &settled.recommendations), to)),
        payments: text(&|to| write_csv::<Payments>(OfMonth::all(month, &settled.payments), to)),
    }
}

fn compare(name: &str, seed: u64, found: &str, expected: &str) {
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "{name} of seed {seed}");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "lines of {name} of seed {seed}");
    assert_eq!(found, expected, "{name} of seed {seed}");
}

// clause: ST1/tiers, ST1/tier-review, ST1/diversified, ST1/trading-value, ST1/access-fee, ST1/free-servers
// clause: ST1/sponsored-obligation, ST1/sponsored-grouping, ST1/sponsored-amount, ST1/sponsored-priority
// clause: ST1/matching-obligation, ST1/matching-makers, ST1/managing-qualification, ST1/participant
// clause: ST1/six-month-average, ST1/twelve-months, QC/hedging, QC/access_fee_issues, QC/yen_rounding, XETRA/criteria
#[test]
fn every_file_is_that_of_the_plain_reading_byte_for_byte() {
    let count: u64 = std::env::var("MONEY_MONTHS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let first: u64 = std::env::var("MONEY_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for seed in first..first + count {
        let case = case(seed);
        let (found, expected) = (files(&case), settle(&case).expect("a registry that can be read"));
        compare("market_makers.csv", seed, &found.market_makers, &expected.market_makers);
        compare("criteria.csv", seed, &found.criteria, &expected.criteria);
        compare("tiers.csv", seed, &found.tiers, &expected.tiers);
        compare("incentives.csv", seed, &found.incentives, &expected.incentives);
        compare("conditions.csv", seed, &found.conditions, &expected.conditions);
        compare("recommendations.csv", seed, &found.recommendations, &expected.recommendations);
        compare("payments.csv", seed, &found.payments, &expected.payments);
        for note in found.conditions.lines().skip(1).filter_map(|line| line.rsplit(',').next()) {
            *seen.entry(note.to_owned()).or_default() += 1;
        }
        for line in found.criteria.lines().skip(1) {
            *seen.entry(format!("criteria {}", line.split(',').nth(6).unwrap_or_default())).or_default() += 1;
        }
        for line in found.recommendations.lines().skip(1) {
            *seen.entry(line.split(',').nth(3).unwrap_or_default().to_owned()).or_default() += 1;
        }
        for line in found.incentives.lines().skip(1) {
            *seen.entry(format!("tier {}", line.split(',').nth(4).unwrap_or_default())).or_default() += 1;
        }
    }
    // Months in which nothing happens would agree, too.
    for what in [
        "number_of_etfs",
        "group_incomplete",
        "beyond_max_issues",
        "not_among_max_makers",
        "no_total",
        "aum_trigger",
        "tie_by_code",
        "briefing",
        "drop_from_sign_up",
        "revoke_designation",
        "tier ",
        "tier I",
        "tier II",
        "tier III",
        "tier IV",
        "tier V",
        "criteria fulfilled",
        "criteria not_fulfilled",
        "criteria not_applicable",
    ] {
        assert!(seen.keys().any(|note| note.contains(what)) || count < 100, "no month has {what}: {seen:?}");
    }
    println!("{count} months: {seen:?}");
}
