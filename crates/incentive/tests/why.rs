//! Why an amount is what it is: what each step says, with what decides it just so and just not.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod case;

use case::{Case, DAY, YEN, code};
use jiff::civil::date;
use quoteclock_incentive::{Asked, Incentive, Why};

const SCHEME: &str = "name = \"x\"\nversion = \"1\"\n";

fn why(case: &Case, asked: &Asked) -> Vec<Why> {
    case.settled().why(&case.registry(), "MM1", asked)
}

fn incentive(case: &Case, issue: usize, incentive: Incentive) -> Why {
    why(case, &Asked::Incentive(incentive, code(issue))).remove(0)
}

fn condition(case: &Case, of: &str) -> Why {
    why(case, &Asked::Condition(of.parse().unwrap(), Some(code(1301)))).remove(0)
}

/// The steps, as `step figure unit`.
fn steps(why: &Why) -> Vec<String> {
    let line = |step: &quoteclock_incentive::Step| format!("{} {} {}", step.step, step.figure, step.unit);
    why.steps.iter().map(line).map(|line| line.trim_end().to_owned()).collect()
}

/// What a step says.
fn says<'w>(why: &'w Why, step: &str) -> &'w str {
    &why.steps.iter().find(|found| found.step == step).unwrap_or_else(|| panic!("{step}: {:?}", steps(why))).says
}

// clause: ST1/trading-value, ST1/access-fee
#[test]
fn an_incentive_leads_from_its_days_to_the_yen() {
    let mut case = Case::new(5, &["MM1"]);
    case.traded(DAY, "MM1", 1301, 20_000_000, 10, 12);
    let found = incentive(&case, 1301, Incentive::ValueOthers);
    let first = ["number_of_etfs 5 ETFs", "quote_display_time 100.0000 %"];
    let value = ["basis 20000000 JPY", "tier I", "rate 0.5 bps", "product 1000 JPY", "amount 1000 JPY"];
    assert_eq!(steps(&found), [&first[..], &value].concat());
    assert_eq!(says(&found, "basis"), "the days' trading value in the continuous auction against anyone else");
    assert_eq!(found.days.iter().map(|day| day.orders_sent).collect::<Vec<_>>(), [None]);
    let found = incentive(&case, 1301, Incentive::ValueAuctionOrMarketMaker);
    assert!(says(&found, "basis").ends_with("in call auctions and against a market maker signed up for the issue"));
    let found = incentive(&case, 1301, Incentive::AccessFee);
    let orders = ["basis 12 orders", "rate 0.1 JPY an order", "product 1.2 JPY", "amount 1 JPY"];
    assert_eq!(steps(&found), [&first[..], &orders].concat());
    assert_eq!(found.days.iter().map(|day| day.orders_sent).collect::<Vec<_>>(), [Some(12)]);
    // As the lines themselves have them.
    let settled = case.settled();
    let basis: Vec<_> = settled.incentives.iter().map(|line| (line.basis.basis(), line.basis.rate())).collect();
    let expected = [("12", "0.1"), ("0", "0.2"), ("20000000", "0.5")];
    assert_eq!(basis, expected.map(|(basis, rate)| (basis.to_owned(), Some(rate.to_owned()))));
}

// clause: ST1/diversified
#[test]
fn a_rate_is_that_of_diversified_investment_where_the_scheme_has_one_and_the_issue_is_one() {
    let own = format!("{SCHEME}[incentives.diversified]\nI = [\"100000000\", \"0.9\", \"0.8\"]\n");
    for (scheme, diversified, rate) in [
        (&own[..], true, "of tier I, others, diversified investment"),
        (&own, false, "of tier I, others"),
        (SCHEME, true, "of tier I, others"),
        (SCHEME, false, "of tier I, others"),
    ] {
        let rows: String = (1301..1306).map(|of| format!("{of},B,01,I,{diversified}\n")).collect();
        let mut case = Case::new(5, &["MM1"])
            .file("issues.csv", &format!("issue,type,tick_table,tier,diversified\n{rows}"))
            .file("scheme.toml", scheme);
        case.traded(DAY, "MM1", 1301, 1_000, 1, 1);
        assert_eq!(says(&incentive(&case, 1301, Incentive::ValueOthers), "rate"), rate, "{scheme} {diversified}");
    }
}

// clause: ST1/tiers, ST1/tier-review
#[test]
fn a_measured_tier_names_its_bound_and_the_days_that_the_review_lacks() {
    let scheme = format!("{SCHEME}[incentives]\netfs_required = 1\n");
    for (average, expected) in [
        (99_999_999, ("I", "the average is under 100000000 JPY")),
        (100_000_000, ("II", "the average is under 500000000 JPY")),
        (5_000_000_000, ("V", "not under the highest bound")),
    ] {
        let mut case = Case::new(1, &["MM1"])
            .file("scheme.toml", &scheme)
            .file("issues.csv", "issue,type,tick_table\n1301,B,01\n");
        case.review_days = vec![date(2023, 12, 1)];
        case.market = vec![(case.review_days[0], 1301, average * YEN)];
        case.traded(DAY, "MM1", 1301, 1_000, 1, 1);
        let found = incentive(&case, 1301, Incentive::AccessFee);
        assert_eq!(found.days.len(), 1);
        let settled = case.settled();
        assert_eq!(settled.incentives[0].tier.map(quoteclock_rules::Tier::as_str), Some(expected.0));
        if expected.0 != "V" {
            let found = incentive(&case, 1301, Incentive::ValueOthers);
            assert_eq!(says(&found, "tier"), expected.1);
            let period = "on 1 stored days of the review of 2023-12-01 to 2024-02-29";
            assert!(says(&found, "average").contains(period), "{}", says(&found, "average"));
        }
        // December to February less the one day that is stored: its days from Monday to Friday.
        let missing = &settled.review_days_missing;
        assert_eq!((missing.len(), missing.first()), (21 + 23 + 21 - 1, Some(&date(2023, 12, 4))), "{average}");
    }
    // Nothing rests on the review where the issue's row gives the tier.
    let mut case = Case::new(5, &["MM1"]);
    case.traded(DAY, "MM1", 1301, 1_000, 1, 1);
    assert_eq!(case.settled().review_days_missing, []);
}

// clause: ST1/sponsored-amount, ST1/sponsored-grouping, QC/matching_split
#[test]
fn a_condition_leads_from_its_total_to_the_yen() {
    let header = "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,from,to,asset_manager,total_jpy,\
                  max_makers,payment,aum_trigger_jpy,aum_part_jpy";
    let terms = "50,1000,80,2024-04-01,2024-09-30,AM,150000,2";
    for (group, payment, share) in [
        (false, "fixed", "100000 / 2, for each place"),
        (false, "proportional", "100000 x 10 / 10, by executed shares"),
        (true, "fixed", "100000 / 2, for each place"),
        (true, "proportional", "100000 / 2: a group is paid by places"),
    ] {
        let row = |issue: usize| format!("S,{issue},{terms},{payment},5000000000,50000\n");
        let second = if group { row(1302) } else { String::new() };
        let mut case = Case::new(5, &["MM1"]).file("sponsored.csv", &format!("{header}\n{}{second}", row(1301)));
        for issue in [1301, 1302] {
            case.measured(DAY, "MM1", issue, "sponsored:S", 90);
        }
        case.traded(DAY, "MM1", 1301, 1_000, 10, 0);
        let found = condition(&case, "sponsored:S");
        let amount = if share.contains('x') { 100_000 } else { 50_000 };
        let paid = format!("amount {amount} JPY");
        let all = steps(&found);
        let first = ["number_of_etfs 5 ETFs", "quote_display_time 90.0000 %", "total 150000 JPY", "place 1"];
        assert_eq!(all[..5], [&first[..], &["withheld 50000 JPY"]].concat(), "{group} {payment}");
        assert_eq!((says(&found, "share"), all.last()), (share, Some(&paid)), "{group} {payment}");
        assert!(says(&found, "quote_display_time").starts_with("sponsored:S: 90000000 of 100000000 us on 1 day,"));
        assert!(says(&found, "place").ends_with("(aum trigger)"), "{}", says(&found, "place"));
    }
}

// clause: ST1/tiers, ST1/system-status
#[test]
fn what_has_no_amount_says_what_ends_it() {
    // 1301 is leveraged, 1302 of tier V, and 1303 not fulfilled; 1309 is not signed up.
    let rows = "1301,B,01,,true\n1302,B,01,V,false\n1303,B,01,I,false\n";
    let more: String = (1304..1309).map(|of| format!("{of},B,01,I,false\n")).collect();
    let text = format!("issue,type,tick_table,tier,leveraged_inverse\n{rows}{more}");
    let mut case = Case::new(8, &["MM1"]).file("issues.csv", &text);
    case.rows.retain(|row| row.issue != code(1303) && row.issue != code(1301));
    case.measured(DAY, "MM1", 1301, "general", 80);
    case.measured(DAY, "MM1", 1303, "general", 79);
    case.traded(DAY, "MM1", 1302, 1_000, 1, 1);
    for (issue, first, last, says_last) in [
        (1301, "quote_display_time 80.0000 %", "tier V", "leveraged and inverse ETFs have none of these incentives"),
        (1302, "quote_display_time 100.0000 %", "tier V", "no rate on trading value"),
        (1303, "quote_display_time 79.0000 %", "quote_display_time 79.0000 %", ""),
        (1309, "measured no", "measured no", "MM1 was not measured in 1309 under general"),
    ] {
        let found = incentive(&case, issue, Incentive::ValueOthers);
        let all = steps(&found);
        assert_eq!((&all[1][..], all.last().unwrap().as_str(), found.amount_yen), (first, last, None), "{issue}");
        assert!(found.steps.last().unwrap().says.ends_with(says_last), "{issue}");
    }
    // The exchange's system shows NG where a leveraged ETF is fulfilled, and says no more where it is not.
    let shows_ng = |fulfilled| {
        let mut case = Case::new(1, &["MM1"]).file("issues.csv", &text);
        case.rows.clear();
        case.measured(DAY, "MM1", 1301, "general", fulfilled);
        let found = incentive(&case, 1301, Incentive::ValueOthers);
        says(&found, "quote_display_time").contains("(the exchange's system shows NG)")
    };
    assert_eq!([79, 80, 100].map(shows_ng), [false, true, false]);
}

// clause: XETRA/criteria, WBAG/days-left-out
#[test]
fn criteria_are_told_one_by_one_and_days_left_out_are_counted() {
    let mut case = Case::new(1, &["MM1"]);
    assert_eq!(steps(&incentive(&case, 1301, Incentive::AccessFee)).len(), 2, "one obligation is no criterion");
    case.rows.clear();
    case.measured(DAY, "MM1", 1301, "general:a", 80);
    case.measured(DAY, "MM1", 1301, "general:b", 79);
    let found = incentive(&case, 1301, Incentive::AccessFee);
    assert_eq!(found.steps.iter().filter(|step| step.step == "quote_display_time").count(), 2);
    assert_eq!(says(&found, "criteria"), "of 2 criteria, 2 needed: not fulfilled");
    for (excluded, told) in [("", false), ("2024-04-05,*,*,true\n", true)] {
        let case = Case::new(1, &["MM1"])
            .file("excluded_days.csv", &format!("date,issue,market_maker,only_if_failed\n{excluded}"));
        let mut case = case;
        case.rows.clear();
        case.measured(DAY, "MM1", 1301, "general", 79);
        let found = incentive(&case, 1301, Incentive::AccessFee);
        assert_eq!(says(&found, "quote_display_time").contains(", 1 day(s) left out"), told, "{excluded}");
        assert!(told || !says(&found, "quote_display_time").contains("left out"), "{excluded}");
    }
}
