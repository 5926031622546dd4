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

#[test]
fn matching_funds_have_the_figures_of_the_tables() {
    // clause: ST1/matching-tables
    let header =
        "condition,index,max_issues,max_spread_bps,max_spread_ticks,min_value_jpy,total_jpy,max_makers,payment";
    let issues = ("issues.csv", "issue,type,tick_table,index\n1306,C,01,S&P 500\n");
    let of = |row: &str| format!("{header}\nM,S&P 500,{row}\n");
    let place = |column: &str| format!("matching_funds.csv: line 2, column {column}");
    for row in ["2,20,2,100000000,200000,2,fixed", ",20,2,100000000,,,"] {
        assert_eq!(warnings(&[issues, ("matching_funds.csv", &of(row))]), [""; 0], "{row}");
    }
    for (row, column, part) in [
        ("2,21,2,100000000,200000,2,fixed", "max_spread_bps", "found 21, expected 20 as ST-1 has it for S&P 500"),
        ("2,20,,100000000,200000,2,fixed", "max_spread_ticks", "found nothing, expected 2"),
        ("2,20,2,100000001,200000,2,fixed", "min_value_jpy", "expected 100000000"),
        ("2,20,2,100000000,200001,2,fixed", "total_jpy", "expected 200000"),
        ("2,20,2,100000000,200000,1,fixed", "max_makers", "found 1, expected 2"),
        ("3,20,2,100000000,200000,2,fixed", "max_issues", "found 3, expected 2"),
        ("2,20,2,100000000,200000,2,proportional", "payment", "expected fixed"),
    ] {
        warning(&[issues, ("matching_funds.csv", &of(row))], &place(column), part);
    }
    // An index that the tables do not have is nothing to compare with.
    assert_eq!(
        warnings(&[
            ("issues.csv", "issue,type,tick_table,index\n1306,C,01,Other\n"),
            ("matching_funds.csv", &of("9,9,9,9,9,1,fixed").replace("S&P 500", "Other")),
        ]),
        [""; 0]
    );
}

/// The warnings with an `applications.csv` of these rows, beside a designated MM1.
fn with_applications(rows: &str) -> Vec<String> {
    let applications =
        format!("form,party,received,effective,issue,condition\nMT-1,MM1,2017-01-01,2018-01-01,,\n{rows}");
    let issues = "issue,type,tick_table,listed,asset_manager\n1306,A,01,,AM\n130A,A,01,2024-03-13,AM\n";
    let holidays = "date,name\n2024-04-01,made up\n";
    warnings(&[("issues.csv", issues), ("holidays.csv", holidays), ("applications.csv", &applications)])
}

#[test]
fn lead_times_are_a_week_for_market_makers_and_two_for_sponsors() {
    // clause: ST1/lead-time, ST1/sponsored-lead-time, ST1/effective-date
    for row in [
        "MT-2,MM1,2024-02-23,2024-03-01,1306,",
        "MT-2,MM1,2024-03-08,2024-03-15,130A,",
        "AT-4,AM,2024-02-16,2024-03-01,1306,",
        // A newly listed ETF, listed on the 13th: a week before, or on the first business day of the next month.
        "AT-4,AM,2024-03-06,2024-03-13,130A,",
        "AT-4,AM,2024-04-02,2024-04-02,130A,",
        // A lead time cannot be judged of a form without the date of its receipt.
        "AT-4,AM,,2024-03-01,1306,",
        "AT-2,AM,2024-03-01,2024-03-01,,",
    ] {
        let found = with_applications(row);
        assert!(found.iter().all(|text| text.contains("effective-date") && row.contains("04-02")), "{row}: {found:?}");
    }
    for (row, part) in [
        ("MT-2,MM1,2024-02-24,2024-03-01,1306,", "expected 2024-03-02 or later"),
        ("MT-4,MM1,2024-02-24,2024-03-01,,", "ST1/lead-time"),
        ("AT-4,AM,2024-02-17,2024-03-01,1306,", "expected 2024-03-02 or later: two weeks"),
        ("AT-3,AM,2024-02-17,2024-03-01,,", "ST1/sponsored-lead-time"),
        ("AT-4,AM,2024-03-07,2024-03-13,130A,", "found 2024-03-07 as received"),
        ("MT-2,MM1,2024-02-01,2024-03-15,1306,", "ST1/effective-date"),
        ("MT-2,MM2,2024-02-01,2024-03-01,,", "expected a market maker that a row names"),
        ("AT-2,MM1,2024-02-01,2024-03-01,,", "expected an asset manager that a row names"),
        ("AT-2,AM,2024-02-01,2024-03-01,1,", "expected an issue that a row names"),
        ("AT-4,AM,2024-02-01,2024-03-01,,S9", "expected a condition that a row names"),
    ] {
        let found = with_applications(row);
        let about_it = |text: &&String| !text.contains("signups.csv");
        let found: Vec<&String> = found.iter().filter(about_it).collect();
        assert!(found.len() == 1 && found[0].contains(part) && found[0].contains("line 3"), "{row}: {found:?}");
    }
}

#[test]
fn whoever_signs_up_is_designated_and_whoever_pays_has_a_contract() {
    // clause: ST1/designation, ST1/sponsored-application
    let applications = |rows: &str| format!("form,party,effective,condition\n{rows}");
    let sign_up = ("signups.csv", "market_maker,issue,from,to\nMM1,1306,2024-03-01,2024-05-31\n");
    let check = |rows: &str| warnings(&[sign_up, ("applications.csv", &applications(rows))]);
    assert_eq!(check("MT-1,MM1,2024-03-01,\n"), [""; 0]);
    assert_eq!(
        check("MT-1,MM1,2023-01-01,\nMT-4,MM1,2023-06-01,\nMT-1,MM1,2024-01-01,\nMT-4,MM1,2024-06-01,\n"),
        [""; 0]
    );
    let found = check("MT-4,MM1,2024-06-01,\n");
    assert!(found.len() == 1 && found[0].starts_with("market_makers.csv: line 2"), "{found:?}");
    for rows in ["MT-1,MM1,2024-04-01,\n", "MT-1,MM1,2024-03-01,\nMT-4,MM1,2024-05-01,\n"] {
        let found = check(rows);
        assert!(found.len() == 1 && found[0].starts_with("signups.csv: line 2"), "{rows}: {found:?}");
    }
    let sponsored = "condition,issue,max_spread_bps,min_value_jpy,asset_manager,from,to\n\
                     S1,1306,20,1,AM,2024-03-01,2024-08-31\n";
    let issues = ("issues.csv", "issue,type,tick_table,asset_manager\n1306,A,01,AM\n");
    let check = |rows: &str| {
        let rows = applications(&format!("MT-1,MM1,2020-01-01,\n{rows}"));
        warnings(&[issues, ("sponsored.csv", sponsored), ("applications.csv", &rows)])
    };
    assert_eq!(check("AT-3,AM,2024-01-01,\nAT-4,AM,2024-03-01,S1\n"), [""; 0]);
    for (rows, part) in [
        ("", "has no AT-3 and no AT-4"),
        ("AT-3,AM,2024-01-01,\nAT-4,AM,2024-04-01,S1\n", "has no AT-4"),
        ("AT-4,AM,2024-01-01,\n", "has no AT-3 of"),
    ] {
        let found = check(rows);
        assert!(
            found.len() == 1 && found[0].starts_with("sponsored.csv: line 2") && found[0].contains(part),
            "{found:?}"
        );
    }
    // Without the file nothing is known of applications, so nothing is said of them.
    assert_eq!(warnings(&[issues, ("sponsored.csv", sponsored)]), [""; 0]);
}

#[test]
fn a_report_needs_the_nda_and_the_application_for_it() {
    // clause: ST1/asset-manager-report
    let rows = "form,party,effective,issue\nAT-1,AM1,2024-01-01,\nAT-2,AM1,2024-02-01,\nAT-1,AM2,2024-01-01,\n\
                AT-2,AM2,2024-01-01,1306\nAT-2,AM3,2024-01-01,\n";
    let registry = registry(&[("applications.csv", rows)]);
    let (code, other) = (IssueCode::new(b"1306").unwrap(), IssueCode::new(b"1308").unwrap());
    let may = |manager, issue, month| registry.may_have_report(manager, issue, jiff::civil::date(2024, month, 28));
    assert_eq!((may("AM1", &code, 1), may("AM1", &code, 2)), (Some(false), Some(true)));
    assert_eq!((may("AM2", &code, 1), may("AM2", &other, 1)), (Some(true), Some(false)), "for the issue it asked for");
    assert_eq!((may("AM3", &code, 2), may("AM4", &code, 2)), (Some(false), Some(false)));
    assert_eq!(super::registry(&[]).may_have_report("AM1", &code, jiff::civil::date(2024, 2, 28)), None);
}

#[test]
fn types_follow_the_index() {
    // clause: ST1/spread-and-quantity
    let issues = |row: &str| format!("issue,type,tick_table,leveraged_inverse,active,index\n1306,{row}\n");
    let place = "issues.csv: line 2, column type";
    for (row, expected) in [
        ("A,01,,,TOPIX", None),
        ("A,01,,,JPX Nikkei 400", None),
        ("B,01,,,TOPIX", Some("found type B for an ETF of TOPIX, expected A")),
        ("B,01,true,,TOPIX", None),
        ("A,01,true,,TOPIX", Some("expected B")),
        ("C,01,true,,Nikkei 225", Some("a leveraged or inverse ETF of Nikkei 225, expected B")),
        ("B,01,,,TOPIX-17 BANKS", None),
        ("A,01,,,TOPIX-17 BANKS", Some("expected B")),
        ("C,01,,,TSE REIT Index", Some("expected B")),
        ("C,01,,,S&P500", None),
        ("D,01,,,S&P 500", None),
        ("A,01,,,S&P 500", Some("expected C, or D")),
        ("B,01,,,MSCI ACWI", Some("expected C, or D")),
        ("A,01,,true,", Some("found type A for an actively managed ETF, expected B, C or D")),
        ("C,01,,true,", None),
        ("A,01,true,,", Some("found type A for a leveraged or inverse ETF, expected B, C or D")),
        ("A,01,,,Some Index", Some("expected B, C or D")),
        ("C,01,,,Some Index", None),
        ("A,01,,,", None),
    ] {
        match expected {
            Some(part) => warning(&[("issues.csv", &issues(row))], place, part),
            None => assert_eq!(warnings(&[("issues.csv", &issues(row))]), [""; 0], "{row}"),
        }
    }
}

#[test]
fn an_exchange_traded_note_is_none_of_the_scheme() {
    // clause: ST1/target
    let issues = |name: &str| format!("issue,name,type,tick_table\n1306,{name},C,01\n");
    for name in ["NEXT NOTES Gold ETN", "Gold (ETN)", "Exchange-Traded Notes on Gold", "金ETN"] {
        let place = "issues.csv: line 2, column name";
        warning(&[("issues.csv", &issues(name))], place, "ETNs are not in the scheme");
    }
    for name in ["", "Gold ETF", "VIETNAM ETF", "Etna Fund"] {
        assert_eq!(warnings(&[("issues.csv", &issues(name))]), [""; 0], "{name}");
    }
}

#[test]
fn tiers_and_diversified_investment_have_their_rules() {
    // clause: ST1/tiers, ST1/diversified
    let issues =
        |row: &str| format!("issue,type,tick_table,leveraged_inverse,index,tier,diversified\n1306,C,01,{row}\n");
    let place = |column: &str| format!("issues.csv: line 2, column {column}");
    assert_eq!(warnings(&[("issues.csv", &issues("true,,V,"))]), [""; 0]);
    assert_eq!(warnings(&[("issues.csv", &issues("false,,II,"))]), [""; 0]);
    warning(&[("issues.csv", &issues("true,,II,"))], &place("tier"), "expected V");
    assert_eq!(warnings(&[("issues.csv", &issues("false,MSCI World,,true"))]), [""; 0]);
    assert_eq!(warnings(&[("issues.csv", &issues("false,,,true"))]), [""; 0]);
    warning(&[("issues.csv", &issues("false,Gold,,true"))], &place("diversified"), "not among the indices");
    warning(&[("issues.csv", &issues("true,MSCI World,,true"))], &place("diversified"), "leveraged or inverse");
}

#[test]
fn an_agency_signs_up_through_a_participant() {
    // clause: ST1/participant
    let makers = |kind: &str| format!("market_maker,kind\nMM1,{kind}\nMM2,\n");
    let place = "signups.csv: line 2, column participant";
    let sign_ups = "market_maker,issue\nMM1,1306\n";
    for kind in ["agency", "Registered Low Latency Trader"] {
        warning(&[("market_makers.csv", &makers(kind)), ("signups.csv", sign_ups)], place, "an agency");
    }
    assert_eq!(warnings(&[("market_makers.csv", &makers("prop desk")), ("signups.csv", sign_ups)]), [""; 0]);
}

#[test]
fn matching_funds_are_set_for_six_months_at_a_time() {
    // clause: ST1/matching-period
    let issues = "issue,type,tick_table,index\n1306,C,01,Gold\n";
    let of = |from: &str, to: &str| {
        format!("condition,index,max_spread_bps,min_value_jpy,from,to\nM,Gold,1,1,{from},{to}\n")
    };
    for (from, to) in
        [("2024-03-01", "2024-08-31"), ("2023-09-01", "2024-08-31"), ("2024-03-01", ""), ("", "2024-08-31")]
    {
        let changes = [("issues.csv", issues), ("matching_funds.csv", &of(from, to))];
        assert_eq!(warnings(&changes), [""; 0], "{from} {to}");
    }
    for (from, to) in [("2024-03-01", "2024-12-31"), ("2024-03-01", "2024-05-31"), ("2024-03-01", "9999-12-31")] {
        let changes = [("issues.csv", issues), ("matching_funds.csv", &of(from, to))];
        warning(&changes, "matching_funds.csv: line 2, column to", "expected six months");
    }
}

#[test]
fn a_share_below_one_percent_looks_like_a_fraction() {
    let condition = |share: &str| {
        format!(
            "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,from,to\nS,1306,1,1,{share},2024-01-01,2024-06-30\n"
        )
    };
    let place = "sponsored.csv: line 2, column coverage_pct";
    warning(&[("sponsored.csv", &condition("0.8"))], place, "found 0.8, which is less than one percent: is 80 meant?");
    warning(&[("sponsored.csv", &condition("0.9999"))], place, "is 99.99 meant?");
    for share in ["0", "1", "80"] {
        assert_eq!(warnings(&[("sponsored.csv", &condition(share))]), [""; 0], "{share}");
    }
}

#[test]
fn an_index_with_more_issues_than_a_condition_pays_for_is_named() {
    // clause: ST1/matching-obligation
    let issues = "issue,type,tick_table,index\n1306,C,01,Gold\n1307,C,01,Gold\n";
    let sign_ups = "market_maker,issue,participant\nMM1,1306,\nMM1,1307,\n";
    let matching = |most: u32| format!("condition,index,max_issues,max_spread_bps,min_value_jpy\nM,Gold,{most},1,1\n");
    let changes = |matching: &str| {
        warnings(&[("issues.csv", issues), ("signups.csv", sign_ups), ("matching_funds.csv", matching)])
    };
    let of_issues =
        |printed: Vec<String>| printed.into_iter().filter(|text| text.contains("column max_issues")).count();
    assert_eq!(of_issues(changes(&matching(2))), 0);
    assert_eq!(of_issues(changes(&matching(1))), 1);
}
