//! Warnings: they name their clause, and stop nothing.

use super::*;

/// The warnings of the changed registry, which has no errors, without those about the number of ETFs.
fn warnings(changes: &[(&str, &str)]) -> Vec<String> {
    let loaded = Registry::load(&files(changes));
    assert!(loaded.registry.is_some(), "{:?}", printed(&loaded, Severity::Error));
    let mut printed = printed(&loaded, Severity::Warning);
    printed.retain(|text| !text.contains("ST1/number-of-etfs"));
    printed
}

/// Checks that the changed registry has exactly one warning, at `place`, that holds `part`.
fn warning(changes: &[(&str, &str)], place: &str, part: &str) {
    let printed = warnings(changes);
    assert_eq!(printed.len(), 1, "{changes:?}: {printed:?}");
    assert!(printed[0].starts_with(&format!("{place}: ")) && printed[0].contains(part), "{}", printed[0]);
}

#[test]
fn a_registry_in_order_has_no_warning() {
    assert_eq!(warnings(&[]), [""; 0]);
}

#[test]
fn changes_take_effect_with_a_month_except_those_of_a_newly_listed_issue() {
    // clause: ST1/effective-date
    let sign_up = |from: &str, to: &str| format!("market_maker,issue,from,to\nMM1,1306,{from},{to}\n");
    assert_eq!(warnings(&[("signups.csv", &sign_up("2024-03-01", "2024-03-31"))]), [""; 0]);
    let place = |column: &str| format!("signups.csv: line 2, column {column}");
    warning(&[("signups.csv", &sign_up("2024-03-02", ""))], &place("from"), "ST1/effective-date");
    warning(&[("signups.csv", &sign_up("", "2024-03-30"))], &place("to"), "expected the last day of a month");
    let listed = "issue,type,tick_table,listed\n1306,A,01,2024-03-10\n";
    assert_eq!(warnings(&[("issues.csv", listed), ("signups.csv", &sign_up("2024-03-12", ""))]), [""; 0]);
    warning(&[("issues.csv", listed), ("signups.csv", &sign_up("2024-04-12", ""))], &place("from"), "2024-04-12");
    let server = "server,market_maker,from\nVS1,MM1,2024-03-15\nVS2,MM1,\n";
    warning(&[("virtual_servers.csv", server)], "virtual_servers.csv: line 2, column from", "first day of a month");
}

#[test]
fn sponsored_conditions_have_their_amounts_and_months() {
    // clause: ST1/sponsored-amount, ST1/sponsored-period
    let header = "condition,issue,max_spread_bps,min_value_jpy,total_jpy,aum_trigger_jpy,aum_part_jpy,from,to";
    let of = |row: &str| format!("{header}\nS,1306,25,1000000,{row}\n");
    for row in ["100000,,,2024-01-01,2024-03-31", "1000000,5,1000000,2024-01-01,2024-12-31"] {
        assert_eq!(warnings(&[("sponsored.csv", &of(row))]), [""; 0], "{row}");
    }
    for (row, column, part) in [
        ("99999.9999,,,2024-01-01,2024-03-31", "total_jpy", "ST1/sponsored-amount"),
        ("1000000.0001,,,2024-01-01,2024-03-31", "total_jpy", "ST1/sponsored-amount"),
        ("100000,1,100000.0001,2024-01-01,2024-03-31", "aum_part_jpy", "a part of total_jpy"),
        ("100000,,5,2024-01-01,2024-03-31", "aum_part_jpy", "expected aum_trigger_jpy"),
        ("100000,,,2024-01-01,2024-02-29", "to", "ST1/sponsored-period"),
        ("100000,,,2024-01-01,2025-01-31", "to", "ST1/sponsored-period"),
        ("100000,,,2024-01-01,", "to", "it is open"),
        ("100000,,,,2024-01-31", "from", "it is open"),
    ] {
        warning(&[("sponsored.csv", &of(row))], &format!("sponsored.csv: line 2, column {column}"), part);
    }
}

#[test]
fn a_group_is_paid_a_fixed_amount() {
    // clause: ST1/sponsored-grouping
    let issues = ("issues.csv", "issue,type,tick_table\n1306,A,01\n1308,A,01\n");
    let header = "condition,issue,max_spread_bps,min_value_jpy,payment,from,to";
    let dates = "2024-01-01,2024-12-31";
    let of = |first: &str, second: &str, payment: &str| {
        format!("{header}\n{first},1306,1,1,fixed,{dates}\n{second},1308,1,1,{payment},{dates}\n")
    };
    assert_eq!(warnings(&[issues, ("sponsored.csv", &of("S", "S", "fixed"))]), [""; 0]);
    assert_eq!(warnings(&[issues, ("sponsored.csv", &of("S", "T", "proportional"))]), [""; 0]);
    let place = "sponsored.csv: line 3, column payment";
    warning(&[issues, ("sponsored.csv", &of("S", "S", "proportional"))], place, "ST1/sponsored-grouping");
}

#[test]
fn matching_funds_pay_one_or_two_at_the_common_share_of_time() {
    // clause: ST1/matching-makers, ST1/matching-obligation
    let of =
        |row: &str| format!("condition,issue,max_spread_bps,min_value_jpy,max_makers,coverage_pct\nM,1306,1,1,{row}\n");
    for row in ["1,", "2,80", ","] {
        assert_eq!(warnings(&[("matching_funds.csv", &of(row))]), [""; 0], "{row}");
    }
    let place = |column: &str| format!("matching_funds.csv: line 2, column {column}");
    warning(&[("matching_funds.csv", &of("3,"))], &place("max_makers"), "ST1/matching-makers");
    warning(&[("matching_funds.csv", &of(",90"))], &place("coverage_pct"), "found 90, expected 80");
}

#[test]
fn rows_that_apply_to_nothing_are_named() {
    let matching = "condition,issue,index,max_spread_bps,min_value_jpy\n";
    let of = |row: &str| format!("{matching}{row}\n");
    warning(&[("matching_funds.csv", &of("M,1309,,1,1"))], "matching_funds.csv: line 2, column issue", "1309");
    warning(&[("matching_funds.csv", &of("M,,TOPIX,1,1"))], "matching_funds.csv: line 2, column index", "TOPIX");
    let exempt = |row: &str| format!("issue,market_maker,from,to\n{row}\n");
    warning(&[("exemptions.csv", &exempt("1309,,,"))], "exemptions.csv: line 2, column issue", "an issue");
    warning(&[("exemptions.csv", &exempt("*,MM9,,"))], "exemptions.csv: line 2, column market_maker", "a market maker");
    let empty = exempt("*,,2024-03-01T09:00:00+09:00,2024-03-01T00:00:00Z");
    warning(&[("exemptions.csv", &empty)], "exemptions.csv: line 2, column to", "holds no time");
    let signups = "market_maker,issue,to\nMM1,1306,2023-12-31\n";
    let issues = "issue,type,tick_table,from\n1306,A,01,2024-01-01\n";
    let changes = [("issues.csv", issues), ("signups.csv", signups)];
    warning(&changes, "signups.csv: line 2, column issue", "never measured");
    warning(&[("holidays.csv", "date\n2024-03-02\n")], "holidays.csv: line 2, column date", "weekend");
}

#[test]
fn an_asset_manager_sponsors_its_own_etfs() {
    // clause: ST1/sponsored-obligation
    let issues = "issue,type,tick_table,asset_manager\n1306,A,01,AM1\n";
    let of = |manager: &str| {
        let header = "condition,issue,max_spread_bps,min_value_jpy,asset_manager,from,to";
        format!("{header}\nS,1306,1,1,{manager},2024-01-01,2024-12-31\n")
    };
    assert_eq!(warnings(&[("issues.csv", issues), ("sponsored.csv", &of("AM1"))]), [""; 0]);
    let place = "sponsored.csv: line 2, column asset_manager";
    warning(&[("issues.csv", issues), ("sponsored.csv", &of("AM2"))], place, "found \"AM2\"");
}

#[test]
fn a_sign_up_needs_a_server_on_each_of_its_dates() {
    // clause: ST1/virtual-server-measuring, ST1/participant
    let of = |servers: &str, sign_up: &str| {
        warnings(&[
            ("virtual_servers.csv", &format!("server,market_maker,participant,from,to\n{servers}")),
            ("signups.csv", &format!("market_maker,issue,participant,from,to\n{sign_up}\n")),
        ])
    };
    let in_turn = "V1,MM1,P,,2024-03-31\nV2,MM1,,2024-04-01,\n";
    assert_eq!(of(in_turn, "MM1,1306,P,,"), [""; 0]);
    assert_eq!(of(in_turn, "MM1,1306,,,"), [""; 0]);
    assert_eq!(of(in_turn, "MM1,1306,Q,2024-04-01,"), [""; 0]);
    let missing = |servers: &str, sign_up: &str, since: &str| {
        let printed = of(servers, sign_up);
        assert_eq!(printed.len(), 1, "{printed:?}");
        assert!(printed[0].starts_with("signups.csv: line 2, column market_maker: no virtual server of \"MM1\""));
        assert!(printed[0].contains(since), "{}", printed[0]);
    };
    missing(in_turn, "MM1,1306,Q,2024-03-01,", "on 2024-03-01");
    missing("V1,MM1,,,2024-03-31\n", "MM1,1306,,2024-01-01,", "on 2024-04-01");
    missing("", "MM1,1306,,,", "since ever");
}

#[test]
fn a_leveraged_etf_is_never_type_a() {
    // clause: ST1/spread-and-quantity
    let of = |type_name: &str| format!("issue,type,tick_table,leveraged_inverse\n1306,{type_name},01,true\n");
    assert_eq!(warnings(&[("issues.csv", &of("B"))]), [""; 0]);
    warning(&[("issues.csv", &of("A"))], "issues.csv: line 2, column type", "ST1/spread-and-quantity");
}

#[test]
fn a_market_maker_needs_five_etfs_that_count() {
    // clause: ST1/number-of-etfs
    let count = |leveraged: &str| {
        let issues: String = (1..=5).map(|n| format!("{n},B,01,{}\n", if n == 5 { leveraged } else { "" })).collect();
        let sign_ups: String = (1..=5).map(|n| format!("MM1,{n}\n")).collect();
        let loaded = Registry::load(&files(&[
            ("issues.csv", &format!("issue,type,tick_table,leveraged_inverse\n{issues}")),
            ("signups.csv", &format!("market_maker,issue\n{sign_ups}")),
        ]));
        printed(&loaded, Severity::Warning)
    };
    assert_eq!(count(""), [""; 0]);
    let printed = count("true");
    assert_eq!(printed.len(), 1);
    assert!(printed[0].starts_with("market_makers.csv: line 2, column market_maker: found sign-ups for 4 ETFs"));
}
