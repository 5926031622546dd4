//! The rules about money in pairs of cases: just inside a bound, and just outside.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod case;

use case::{Case, DAY, YEN, code};
use jiff::civil::{Date, date};
use quoteclock_incentive::{ConditionLine, Incentive, IncentiveLine, Settlement};
use quoteclock_rules::Tier;

const LATER: Date = date(2024, 4, 19);

fn incentive(settled: &Settlement, issue: usize, incentive: Incentive) -> &IncentiveLine {
    let of = |line: &&IncentiveLine| line.issue == code(issue) && line.incentive == incentive;
    settled.incentives.iter().find(of).unwrap()
}

/// Market maker, place, yen and notes of a condition's lines.
fn paid(settled: &Settlement) -> Vec<(&str, Option<u32>, u128, String)> {
    let line = |line: &ConditionLine| (line.place, line.payout.map_or(0, |payout| payout.amount_yen), line.note());
    settled.conditions.iter().map(|of| (of.market_maker.as_str(), line(of).0, line(of).1, line(of).2)).collect()
}

// clause: ST1/tiers, ST1/tier-review
#[test]
fn a_tier_begins_at_its_bound_and_ends_a_ten_thousandth_of_a_yen_below_the_next() {
    for (bound, below, at) in [
        (100_000_000, Tier::I, Tier::II),
        (500_000_000, Tier::II, Tier::III),
        (1_000_000_000, Tier::III, Tier::IV),
        (5_000_000_000, Tier::IV, Tier::V),
    ] {
        for (missing, tier) in [(1, below), (0, at)] {
            let mut case = Case::new(5, &["MM1"]).file("issues.csv", &{
                let of = |number| format!("{number},B,01\n");
                format!("issue,type,tick_table\n{}", (1301..1306).map(of).collect::<String>())
            });
            // Three days: the average is compared exactly, also where three does not divide it.
            case.review_days = vec![date(2023, 12, 1), date(2024, 1, 15), date(2024, 2, 29)];
            case.market = vec![
                (case.review_days[0], 1301, bound * YEN * 3 - missing),
                // A day out of the measuring period plays no part.
                (date(2024, 3, 1), 1301, bound * YEN),
            ];
            case.traded(DAY, "MM1", 1301, 1_000_000, 1, 1);
            let settled = case.settled();
            assert_eq!(incentive(&settled, 1301, Incentive::AccessFee).tier, Some(tier), "{bound} less {missing}");
        }
    }
}

// clause: ST1/tier-review
#[test]
fn days_count_from_the_listing_on_and_who_is_listed_after_the_period_is_new() {
    let (first, last) = (date(2023, 12, 1), date(2024, 2, 29));
    for (listed, days, tier) in [
        ("2023-11-30", 2, Some(Tier::IV)),
        ("2023-12-01", 2, Some(Tier::IV)),
        ("2023-12-02", 1, Some(Tier::III)),
        ("2024-02-29", 1, Some(Tier::III)),
        // Listed after the last day of the period: newly listed, tier I. Of an earlier listing without a day nothing is known.
        ("2024-03-01", 0, Some(Tier::I)),
    ] {
        let rows: String = (1302..1306).map(|of| format!("{of},B,01,I,\n")).collect();
        let mut case = Case::new(5, &["MM1"])
            .file("issues.csv", &format!("issue,type,tick_table,tier,listed\n1301,B,01,,{listed}\n{rows}"));
        case.review_days = vec![first, last];
        // With the first day 1.5bn on the average, without it 0.9bn.
        case.market = vec![(first, 1301, 2_100_000_000 * YEN), (last, 1301, 900_000_000 * YEN)];
        case.traded(DAY, "MM1", 1301, 1_000_000, 1, 1);
        let settled = case.settled();
        let line = incentive(&settled, 1301, Incentive::AccessFee);
        assert_eq!((line.measured.days, line.tier), (days, tier), "{listed}");
        case.review_days = vec![first];
        let known = if listed <= "2023-12-01" {
            Some(Tier::IV)
        } else if days == 0 {
            tier
        } else {
            None
        };
        let settled = case.settled();
        assert_eq!(incentive(&settled, 1301, Incentive::AccessFee).tier, known, "{listed}, without the last day");
    }
}

// clause: ST1/access-fee
#[test]
fn a_hundred_thousand_orders_of_a_day_count_and_no_more() {
    for (orders, yen) in [(99_999, 9_999), (100_000, 10_000), (100_001, 10_000)] {
        let mut case = Case::new(5, &["MM1"]);
        case.traded(DAY, "MM1", 1301, 0, 0, orders);
        assert_eq!(incentive(&case.settled(), 1301, Incentive::AccessFee).amount_yen, Some(yen), "{orders}");
        // The limit is a day's: what one leaves the other does not take.
        case.traded(LATER, "MM1", 1301, 0, 0, 10);
        let expected = (u128::from(orders.min(100_000)) + 10) / 10;
        assert_eq!(
            incentive(&case.settled(), 1301, Incentive::AccessFee).amount_yen,
            Some(expected),
            "{orders} and 10"
        );
    }
}

// clause: ST1/number-of-etfs
#[test]
fn five_etfs_are_enough_and_four_or_a_leveraged_fifth_are_not() {
    let lines = |case: &Case| (case.settled().incentives.len(), paid_yen(&case.settled()));
    let sponsored = "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,from,to,asset_manager,total_jpy\n\
                     S,1301,50,1000,80,2024-04-01,2024-09-30,AM,100000\n";
    for (issues, leveraged, expected) in [(4, false, (0, 0)), (5, false, (3, 100_000)), (5, true, (0, 0))] {
        let row = |of: usize| format!("{of},B,01,,{}\n", leveraged && of == 1305);
        let rows: String = (1301..1301 + issues).map(row).collect();
        let mut case = Case::new(issues, &["MM1"])
            .file("issues.csv", &format!("issue,type,tick_table,tier,leveraged_inverse\n{rows}"))
            .file("sponsored.csv", sponsored);
        case.measured(DAY, "MM1", 1301, "sponsored:S", 100);
        case.traded(DAY, "MM1", 1301, 1_000_000, 10, 1);
        assert_eq!(lines(&case), expected, "{issues} ETFs, one leveraged: {leveraged}");
    }
}

fn paid_yen(settled: &Settlement) -> u128 {
    settled.conditions.iter().filter_map(|line| line.payout).map(|payout| payout.amount_yen).sum()
}

// clause: ST1/free-servers, QC/servers_count
#[test]
fn free_servers_rise_at_twenty_and_so_on_and_every_twenty_above_a_hundred() {
    for (etfs, servers) in [
        (19, 0),
        (20, 2),
        (29, 2),
        (30, 3),
        (39, 3),
        (40, 4),
        (59, 4),
        (60, 6),
        (79, 6),
        (80, 8),
        (99, 8),
        (100, 10),
        (119, 10),
        (120, 12),
        (139, 12),
        (140, 14),
    ] {
        let settled = Case::new(etfs, &["MM1"]).settled();
        assert_eq!(settled.makers[0].server_waiver_yen(), servers * 90_000, "{etfs} ETFs");
        // One more that was not fulfilled does not count.
        let mut case = Case::new(etfs + 1, &["MM1"]);
        case.measured(LATER, "MM1", 1301, "general", 59);
        assert_eq!(case.settled().makers[0].server_waiver_yen(), servers * 90_000, "{etfs} ETFs and one");
    }
}

/// Two market makers in five issues, with a condition on 1301.
fn sponsored(columns: &str, row: &str) -> Case {
    let text = format!(
        "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,from,to,asset_manager,{columns}\n\
         S,1301,50,1000,80,2024-04-01,2024-09-30,AM,{row}\n"
    );
    Case::new(5, &["MM1", "MM2"]).file("sponsored.csv", &text)
}

// clause: ST1/sponsored-priority
#[test]
fn a_place_goes_by_volume_then_time_then_sign_up_then_code() {
    let sign_ups = |second: &str| {
        let rows: String = (1302..1306).map(|of| format!("MM1,{of},,\nMM2,{of},,\n")).collect();
        format!("market_maker,issue,participant,from\nMM1,1301,,2024-04-02\nMM2,1301,,{second}\n{rows}")
    };
    for (shares, fulfilled, second, expected) in [
        // A share more wins, whatever the rest says.
        ([10, 11], [100, 90], "2024-04-03", [(Some(2), 0, "not_among_max_makers"), (Some(1), 100_000, "")]),
        // Equal volumes: the longer time.
        ([10, 10], [90, 91], "2024-04-03", [(Some(2), 0, "not_among_max_makers"), (Some(1), 100_000, "")]),
        // Equal volumes and times: the earlier sign-up.
        ([10, 10], [90, 90], "2024-04-01", [(Some(2), 0, "not_among_max_makers"), (Some(1), 100_000, "")]),
        ([10, 10], [90, 90], "2024-04-03", [(Some(1), 100_000, ""), (Some(2), 0, "not_among_max_makers")]),
        // Equal in all: the code, and both lines say so.
        (
            [10, 10],
            [90, 90],
            "2024-04-02",
            [(Some(1), 100_000, "tie_by_code"), (Some(2), 0, "not_among_max_makers;tie_by_code")],
        ),
    ] {
        let mut case = sponsored("total_jpy,max_makers", "100000,1").file("signups.csv", &sign_ups(second));
        for (place, maker) in ["MM1", "MM2"].into_iter().enumerate() {
            case.measured(DAY, maker, 1301, "sponsored:S", fulfilled[place]);
            case.traded(DAY, maker, 1301, 1_000, shares[place], 1);
        }
        let settled = case.settled();
        let found: Vec<_> = paid(&settled).into_iter().map(|(_, place, yen, note)| (place, yen, note)).collect();
        let expected = expected.map(|(place, yen, note): (Option<u32>, u128, &str)| (place, yen, note.to_owned()));
        assert_eq!(found, expected, "{shares:?} {fulfilled:?} {second}");
    }
}

// clause: ST1/sponsored-grouping, ST1/sponsored-priority
#[test]
fn a_group_is_all_or_nothing_and_its_places_go_by_all_of_its_issues() {
    let terms = "max_spread_bps,min_value_jpy,coverage_pct,from,to,asset_manager,total_jpy,max_makers";
    let of_issue = |issue| format!("S,{issue},50,1000,80,2024-04-01,2024-09-30,AM,100000,1\n");
    let rows = format!("condition,issue,{terms}\n{}{}", of_issue(1301), of_issue(1302));
    let (first, second, incomplete) = ((Some(1), ""), (Some(2), "not_among_max_makers"), (None, "group_incomplete"));
    // Of MM1 and of MM2: shares in both issues, and their fulfilled time.
    for (shares, fulfilled, expected) in [
        // 10 and 11 shares, though in the first issue MM1 has more.
        ([[10, 0], [5, 6]], [[100, 100], [80, 80]], [second, first]),
        // As many shares: 180 and 181 of 200 seconds.
        ([[10, 0], [0, 10]], [[80, 100], [100, 81]], [second, first]),
        // One of both issues is not enough.
        ([[10, 10], [0, 0]], [[100, 79], [80, 80]], [incomplete, first]),
    ] {
        let mut case = Case::new(5, &["MM1", "MM2"]).file("sponsored.csv", &rows);
        for (place, maker) in ["MM1", "MM2"].into_iter().enumerate() {
            for (which, issue) in [1301, 1302].into_iter().enumerate() {
                case.measured(DAY, maker, issue, "sponsored:S", fulfilled[place][which]);
                case.traded(DAY, maker, issue, 1_000, shares[place][which], 1);
            }
        }
        let settled = case.settled();
        let of_first = settled.conditions.iter().filter(|line| line.issue == code(1301));
        let found: Vec<_> = of_first.map(|line| (line.place, line.note())).collect();
        assert_eq!(found, expected.map(|(place, note)| (place, note.to_owned())), "{shares:?} {fulfilled:?}");
    }
}

// clause: ST1/matching-obligation, QC/hedging
#[test]
fn an_index_pays_for_the_issues_that_were_listed_first_those_with_a_row_of_their_own_aside() {
    let rows: String = (1304..1306).map(|of| format!("{of},B,01,I,,\n")).collect();
    let issues = format!(
        "issue,type,tick_table,tier,index,listed\n1301,B,01,I,Made up,2020-01-02\n1302,B,01,I,Made up,2020-01-01\n\
         1303,B,01,I,Made up,\n{rows}"
    );
    let header = "condition,index,issue,max_spread_bps,min_value_jpy,coverage_pct,asset_manager,total_jpy,max_issues";
    let (paid, beyond) = ("", "beyond_max_issues");
    for (issues_max, own, expected) in [
        ("1", "", [beyond, paid, beyond]),
        // One without a date of listing comes last.
        ("2", "", [paid, paid, beyond]),
        ("3", "", [paid, paid, paid]),
        ("1", "M,,1302,50,1000,80,AM,1000,\n", [paid, paid, beyond]),
    ] {
        let funds = format!("{header}\nM,Made up,,50,1000,80,AM,1000,{issues_max}\n{own}");
        let mut case = Case::new(5, &["MM1"]).file("matching_funds.csv", &funds).file("issues.csv", &issues);
        (1301..1304).for_each(|of| case.measured(DAY, "MM1", of, "matching:M", 100));
        let notes: Vec<_> = case.settled().conditions.iter().map(ConditionLine::note).collect();
        assert_eq!(notes, expected, "{issues_max} {own}");
    }
}

// clause: ST1/sponsored-amount
#[test]
fn assets_at_the_trigger_are_not_above_it() {
    for (aum, yen, note) in [
        ("4999999999", 100_000, "aum_trigger"),
        ("5000000000", 100_000, "aum_trigger"),
        ("5000000000.0001", 150_000, ""),
        ("", 100_000, "aum_trigger"),
    ] {
        let rows: String = (1302..1306).map(|of| format!("{of},B,01,I,\n")).collect();
        let mut case = sponsored("total_jpy,max_makers,aum_trigger_jpy,aum_part_jpy", "150000,1,5000000000,50000")
            .file("issues.csv", &format!("issue,type,tick_table,tier,aum_jpy\n1301,B,01,I,{aum}\n{rows}"));
        case.measured(DAY, "MM1", 1301, "sponsored:S", 100);
        assert_eq!(paid(&case.settled()), [("MM1", Some(1), yen, note.to_owned())], "{aum}");
    }
}

// clause: QC/matching_split, ST1/matching-makers, QC/yen_rounding
#[test]
fn a_place_that_nobody_takes_is_not_paid_and_the_odd_yen_is_the_exchanges() {
    let funds = "condition,index,max_spread_bps,min_value_jpy,coverage_pct,asset_manager,total_jpy,max_makers\n\
                 M,Made up,50,1000,80,AM,300003,2\n";
    let rows: String = (1302..1306).map(|of| format!("{of},B,01,I,\n")).collect();
    let issues = format!("issue,type,tick_table,tier,index\n1301,B,01,I,Made up\n{rows}");
    for second in [79, 80] {
        let mut case = Case::new(5, &["MM1", "MM2"]).file("matching_funds.csv", funds).file("issues.csv", &issues);
        case.measured(DAY, "MM1", 1301, "matching:M", 100);
        case.measured(DAY, "MM2", 1301, "matching:M", second);
        let settled = case.settled();
        let payouts: Vec<_> = settled.conditions.iter().map(|line| line.payout.unwrap()).collect();
        let split = payouts.iter().map(|of| (of.amount_yen, of.by_exchange_yen, of.by_asset_manager_yen));
        let half = (150_001, 75_001, 75_000);
        let expected = [half, if second == 80 { half } else { (0, 0, 0) }];
        assert_eq!(split.collect::<Vec<_>>(), expected, "{second} %");
    }
}

// clause: ST1/participant
#[test]
fn days_fall_to_the_participant_of_their_date_and_a_condition_to_the_last() {
    for (change, first, then) in [("2024-04-05", 0, 100 + 70), ("2024-04-06", 100, 70), ("2024-04-20", 170, 0)] {
        let before = change.parse::<Date>().unwrap().yesterday().unwrap();
        let rows: String = (1302..1306).map(|of| format!("MM1,{of},P1,,\n")).collect();
        let mut case = sponsored("total_jpy,max_makers", "100000,1").file(
            "signups.csv",
            &format!("market_maker,issue,participant,from,to\nMM1,1301,P1,,{before}\nMM1,1301,P2,{change},\n{rows}"),
        );
        case.measured(LATER, "MM1", 1301, "general", 100);
        case.measured(LATER, "MM1", 1301, "sponsored:S", 100);
        case.traded(DAY, "MM1", 1301, 2_000_000, 1, 0);
        case.traded(LATER, "MM1", 1301, 1_400_000, 1, 0);
        let settled = case.settled();
        let of = |participant: &str| {
            let lines = settled.incentives.iter().filter(|line| line.participant.as_deref() == Some(participant));
            let lines = lines.filter(|line| line.incentive == Incentive::ValueOthers);
            lines.filter_map(|line| line.amount_yen).sum::<u128>()
        };
        assert_eq!((of("P1"), of("P2")), (first, then), "{change}");
        let last = if change == "2024-04-20" { "P1" } else { "P2" };
        assert_eq!(settled.conditions[0].participant.as_deref(), Some(last), "{change}");
    }
}

// clause: ST1/tiers, ST1/number-of-etfs
#[test]
fn an_issue_that_turns_leveraged_in_mid_month_counts_as_it_was_last_measured() {
    for (turns, lines) in [("2024-04-20", 15), ("2024-04-19", 0)] {
        let before = turns.parse::<Date>().unwrap().yesterday().unwrap();
        let rows: String = (1302..1306).map(|of| format!("{of},B,01,I,,,\n")).collect();
        let text = format!(
            "issue,type,tick_table,tier,leveraged_inverse,from,to\n1301,B,01,I,false,,{before}\n1301,B,01,,true,{turns},\n{rows}"
        );
        let mut case = Case::new(5, &["MM1"]).file("issues.csv", &text);
        for issue in 1301..1306 {
            case.measured(LATER, "MM1", issue, "general", 100);
            case.traded(DAY, "MM1", issue, 1_000, 1, 1);
        }
        assert_eq!(case.settled().incentives.len(), lines, "{turns}");
    }
}
