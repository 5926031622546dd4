//! Every kind of error, with its file, line and column.

use super::*;

/// Checks that the changed registry has exactly one error, which starts with `place` and holds `part`.
fn fault(changes: &[(&str, &str)], place: &str, part: &str) {
    let loaded = Registry::load(&files(changes));
    let errors = printed(&loaded, Severity::Error);
    assert_eq!(errors.len(), 1, "{changes:?}: {errors:?}");
    assert!(errors[0].starts_with(&format!("{place}: ")) && errors[0].contains(part), "{changes:?}: {}", errors[0]);
    assert_eq!(loaded.registry, None);
}

/// Checks one row of `issues.csv`.
fn issue_fault(columns: &str, row: &str, column: &str, part: &str) {
    let text = format!("issue,type,tick_table{columns}\n1306,A,01{row}\n");
    fault(&[("issues.csv", &text)], &format!("issues.csv: line 2, column {column}"), part);
}

#[test]
fn a_required_file_that_is_missing_is_an_error() {
    for name in ["issues.csv", "market_makers.csv", "virtual_servers.csv", "signups.csv"] {
        let files: Vec<SourceFile> = files(&[]).into_iter().filter(|file| file.name != name).collect();
        let loaded = Registry::load(&files);
        let errors = printed(&loaded, Severity::Error);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(&format!("{name}: the file is missing")), "{errors:?}");
    }
    assert_eq!(printed(&Registry::load(&[]), Severity::Error).len(), 4);
}

#[test]
fn the_header_has_the_columns_that_it_may_and_must_have() {
    let issues = |text| [("issues.csv", text)];
    fault(&issues(""), "issues.csv", "found no header line");
    fault(&issues("issue,type\n"), "issues.csv: line 1, column tick_table", "the column is missing");
    fault(&issues("issue,type,tick_table,colour\n"), "issues.csv: line 1, column colour", "unknown column \"colour\"");
    fault(&issues("issue,type,tick_table,type\n"), "issues.csv: line 1, column type", "there twice");
    fault(&issues("issue,,type,tick_table\n"), "issues.csv: line 1, column ", "unknown column \"\"");
    // A spreadsheet's trailing commas are one error.
    for commas in [",", ",,,,,,,,,,,,"] {
        let text = format!("issue,type,tick_table{commas}\n1306,A,01{commas}\n1321,A,01{commas}\n");
        fault(&[("issues.csv", &text)], "issues.csv: line 1", "after the last column, expected none");
    }
    // Likewise where the header has none: the rows are read, so that what else is wrong is found.
    for (commas, found) in [(",", "found 1 comma after"), (",,,", "found 3 commas after")] {
        let text = format!("issue,type,tick_table\n1306,A,01\n1321,A,01{commas}\n1348,A,01{commas}\n,,{commas}\n");
        fault(
            &[("issues.csv", &text)],
            "issues.csv: line 3",
            &format!("{found} the last column, and in 2 more lines, expected"),
        );
        let text = format!("issue,type,tick_table\n1306,A,01\n1321,Z,01{commas}\n");
        let errors = printed(&Registry::load(&files(&[("issues.csv", &text)])), Severity::Error);
        assert!(errors.len() == 2 && errors[0].contains(found) && errors[1].contains("\"Z\""), "{errors:?}");
    }
    fault(&issues("issue,type,tick_table\n1306,A,01,,x\n"), "issues.csv: line 2", "found 5 fields, expected 3");
    fault(&issues("\nissue,type,tick_table,x"), "issues.csv: line 2, column x", "unknown column");
    fault(&issues("issue,type,tick_table, tier\n"), "issues.csv: line 1, column  tier", "remove the space");
    let loaded = Registry::load(&files(&issues("issue;type;tick_table\n")));
    assert!(printed(&loaded, Severity::Error)[0].contains("separated by commas"));
    for (name, column) in [
        ("fast_market.csv", "multiplier"),
        ("exemptions.csv", "issue"),
        ("sponsored.csv", "min_value_jpy"),
        ("matching_funds.csv", "min_value_jpy"),
        ("holidays.csv", "date"),
    ] {
        let header = match name {
            "sponsored.csv" | "matching_funds.csv" => "condition,issue\n",
            "holidays.csv" => "name\n",
            _ => "from,to\n",
        };
        fault(&[(name, header)], &format!("{name}: line 1, column {column}"), "the column is missing");
    }
    fault(
        &[("matching_funds.csv", "condition,min_value_jpy\n")],
        "matching_funds.csv: line 1, column issue",
        "expected issue or index",
    );
}

#[test]
fn a_row_has_the_fields_of_the_header() {
    fault(&[("signups.csv", "market_maker,issue\nMM1\n")], "signups.csv: line 2", "found 1 fields, expected 2");
    fault(&[("signups.csv", "market_maker,issue\nMM1,1306,P1\n")], "signups.csv: line 2", "found 3 fields, expected 2");
}

#[test]
fn lines_are_counted_through_quoted_newlines_blank_lines_and_every_line_end() {
    // A line break in a name is a fault of its own.
    let bad = "\"first\nsecond\",1306,A,01\n\n\nx,1307,Z,01\n";
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("name,issue,type,tick_table\n{bad}").replace('\n', end);
        let errors = printed(&Registry::load(&files(&[("issues.csv", &text)])), Severity::Error);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("issues.csv: line 2, column name: found \"first"), "{errors:?}");
        assert!(errors[1].starts_with("issues.csv: line 6, column type: found \"Z\", expected a type"), "{errors:?}");
    }
}

#[test]
fn names_have_a_length_and_no_control_characters() {
    let text = |name: &str| format!("issue,type,tick_table,name,index\n1306,A,01,{name}\n");
    let long = "x".repeat(257);
    fault(&[("issues.csv", &text(&format!("{long},")))], "issues.csv: line 2, column name", "at most 256 characters");
    let long = "x".repeat(129);
    fault(&[("issues.csv", &text(&format!(",{long}")))], "issues.csv: line 2, column index", "1 to 128 characters");
    fault(&[("issues.csv", &text("a\u{1b}[2J,"))], "issues.csv: line 2, column name", "none a control character");
    let makers = format!("market_maker\nMM1\n{long}\n");
    fault(&[("market_makers.csv", &makers)], "market_makers.csv: line 3, column market_maker", "1 to 128 characters");
    for (file, text) in [
        ("exemptions.csv", "issue,reason\n1306,a\u{7f}\n"),
        ("holidays.csv", "date,name\n2024-01-01,a\u{7}\n"),
        ("market_makers.csv", "market_maker,kind\nMM1,a\u{7}\nMM2,\n"),
        ("applications.csv", "form,party,effective,document\nMT-1,MM1,2024-03-01,a\u{7}\n"),
    ] {
        fault(
            &[(file, text)],
            &format!("{file}: line 2, column {}", text.split('\n').next().unwrap().rsplit(',').next().unwrap()),
            "control character",
        );
    }
}

#[test]
fn text_that_is_not_utf8_or_has_an_open_quote_is_refused() {
    let mut files = files(&[]);
    files[0].bytes = b"issue,type,tick_table\n1306,A,01\n13\xff06,A,01\n".to_vec();
    let errors = printed(&Registry::load(&files), Severity::Error);
    assert_eq!(errors, ["issues.csv: line 3: found bytes that are not UTF-8 text, expected UTF-8"]);
    fault(
        &[("issues.csv", "issue,type,tick_table,name\n1306,A,01,\"open\n1307,A,01,x\n")],
        "issues.csv: line 2",
        "a quote that is not closed",
    );
}

#[test]
fn values_that_cannot_be_are_refused_with_what_was_expected() {
    let space = "issue,type,tick_table\n1306,A,01\n13 07,A,01\n";
    fault(&[("issues.csv", space)], "issues.csv: line 3, column issue", "found \"13 07\", expected an issue's code");
    issue_fault(",leveraged_inverse", ",yes", "leveraged_inverse", "found \"yes\", expected true or false");
    issue_fault(",active", ",1", "active", "expected true or false");
    issue_fault(",trading_unit", ",0", "trading_unit", "above 0");
    issue_fault(",tier", ",VI", "tier", "expected a tier");
    issue_fault(",diversified", ",no", "diversified", "expected true or false");
    issue_fault(",listed", ",2024/3/1", "listed", "found \"2024/3/1\", expected a date that exists, as YYYY-MM-DD");
    issue_fault(",aum_jpy", ",\"1,000\"", "aum_jpy", "without separators");
    issue_fault(",from", ",2023-02-29", "from", "YYYY-MM-DD");
    issue_fault(",from,to", ",2024-03-02,2024-03-01", "to", "expected 2024-03-02 or later");
    issue_fault(",index", ",\"a\tb\"", "index", "none a control character");
    issue_fault(",index", ", TOPIX", "index", "remove the space");
    issue_fault(",asset_manager", ",AM1\u{a0}", "asset_manager", "remove the space");
}

#[test]
fn names_that_no_row_defines_are_refused() {
    let of = |name: &'static str, text: &'static str, place: &str, part: &str| fault(&[(name, text)], place, part);
    of("signups.csv", "market_maker,issue\nMM1,1307\n", "signups.csv: line 2, column issue", "found \"1307\"");
    of("signups.csv", "market_maker,issue\nMM2,1306\n", "signups.csv: line 2, column market_maker", "found \"MM2\"");
    of(
        "virtual_servers.csv",
        "server,market_maker\nVS1,MM2\n",
        "virtual_servers.csv: line 2, column market_maker",
        "a row of market_makers.csv",
    );
    of("issues.csv", "issue,type,tick_table\n1306,E,01\n", "issues.csv: line 2, column type", "such as A, B, C, D");
    of("issues.csv", "issue,type,tick_table\n1306,A,1\n", "issues.csv: line 2, column tick_table", "(01? spreadsheets");
    // The type is the scheme's that is in force, here with one more.
    let typed = "issue,type,tick_table\n1306,T,01\n";
    registry(&[("scheme.toml", "[types.T]\nmax_spread_bps = 1\nmin_value = 1"), ("issues.csv", typed)]);
}

#[test]
fn one_fault_does_not_bring_others_with_it() {
    // The sign-up's issue has a bad row, and the scheme no readable types.
    issue_fault(",tier", ",VI", "tier", "expected a tier");
    fault(&[("issues.csv", "issue,type\n1306,T\n")], "issues.csv: line 1, column tick_table", "missing");
    let changes = [("scheme.toml", "name = "), ("issues.csv", "issue,type,tick_table\n1306,T,cent\n")];
    let loaded = Registry::load(&files(&changes));
    assert!(loaded.findings.iter().filter(|f| f.severity == Severity::Error).all(|f| f.file == "scheme.toml"));
    let changes = [
        ("scheme.toml", "[types.T]\nmax_spread_bps = -1\nmin_value = 1"),
        ("issues.csv", "issue,type,tick_table\n1306,T,01\n"),
    ];
    fault(&changes, "scheme.toml: line 2, column 18", "basis points");
}

#[test]
fn all_faults_are_found_at_once_and_sorted() {
    let loaded = Registry::load(&files(&[
        ("signups.csv", "market_maker,issue,from\nMM2,1307,x\nMM1,1306,y\n"),
        ("issues.csv", "issue,type,tick_table,from\n1306,Z,99,z\n"),
    ]));
    let errors = printed(&loaded, Severity::Error);
    let places: Vec<&str> = errors.iter().map(|text| text.split_once(": found").expect("found what").0).collect();
    assert_eq!(
        places,
        [
            "issues.csv: line 2, column type",
            "issues.csv: line 2, column tick_table",
            "issues.csv: line 2, column from",
            "signups.csv: line 2, column market_maker",
            "signups.csv: line 2, column issue",
            "signups.csv: line 2, column from",
            "signups.csv: line 3, column from",
        ]
    );
}

#[test]
fn two_rows_of_one_key_are_never_in_force_on_one_date() {
    // Each file, its header, the column to blame, and rows with {} for the key's dates.
    let dated = [
        ("issues.csv", "issue,type,tick_table,from,to", "issue", "1306,A,01,"),
        ("virtual_servers.csv", "server,market_maker,from,to", "server", "VS1,MM1,"),
        ("signups.csv", "market_maker,issue,participant,from,to", "issue", "MM1,1306,P,"),
        ("fast_market.csv", "multiplier,from,to", "from", "2,"),
        ("sponsored.csv", "condition,issue,max_spread_bps,min_value_jpy,from,to", "condition", "S,1306,1,1,"),
        ("matching_funds.csv", "condition,issue,max_spread_bps,min_value_jpy,from,to", "condition", "S,1306,1,1,"),
        ("matching_funds.csv", "condition,index,max_spread_bps,min_value_jpy,from,to", "condition", "S,TOPIX,1,1,"),
    ];
    for (file, header, column, row) in dated {
        let text = |first: &str, second: &str| format!("{header}\n{row}{first}\n{row}{second}\n");
        let apart = text("2024-03-06,", "2024-03-01,2024-03-05");
        registry(&[(file, &apart)]);
        let place = format!("{file}: line 3, column {column}");
        let on = "lines 2 and 3 are both in force on 2024-03-05";
        fault(&[(file, &text("2024-03-05,", "2024-03-01,2024-03-05"))], &place, on);
        fault(&[(file, &text("2024-03-01,2024-03-05", "2024-03-05,2024-03-05"))], &place, on);
        fault(&[(file, &text(",", ","))], &place, "both in force since ever");
    }
    fault(
        &[("market_makers.csv", "market_maker,name\nMM1,a\nMM1,b\n")],
        "market_makers.csv: line 3, column market_maker",
        "lines 2 and 3",
    );
    fault(&[("holidays.csv", "date\n2024-01-01\n2024-01-01\n")], "holidays.csv: line 3, column date", "2024-01-01");
}

#[test]
fn an_index_row_and_an_issue_row_of_one_condition_may_stand_together() {
    // clause: ST1/matching-obligation
    let header = "condition,issue,index,max_spread_bps,min_value_jpy";
    registry(&[("matching_funds.csv", &format!("{header}\nM,1306,,1,1\nM,,TOPIX,1,1\nM,,S&P 500,1,1\n"))]);
}

#[test]
fn a_row_inside_a_longer_one_is_found_after_shorter_ones_too() {
    let text = "multiplier,from,to\n2,2024-01-01,2024-12-31\n2,2024-02-01,2024-02-01\n4,2024-03-01,2024-03-01\n";
    let errors = printed(&Registry::load(&files(&[("fast_market.csv", text)])), Severity::Error);
    assert_eq!(errors.len(), 2);
    assert!(errors[1].starts_with("fast_market.csv: line 4, column from: fast market: lines 2 and 4"), "{errors:?}");
}

#[test]
fn conditions_need_a_spread_limit_a_minimum_and_something_to_apply_to() {
    // clause: ST1/sponsored-obligation
    let header =
        "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy,coverage_pct,payment,max_makers,priority";
    for (row, column, part) in [
        ("S,1306,,,1,,,,", "max_spread_bps", "both spread limits are empty"),
        ("S,1306,1,,0,,,,", "min_value_jpy", "above 0"),
        ("S,1306,1,,,,,,", "min_value_jpy", "it is empty"),
        ("S,1306,-1,,1,,,,", "max_spread_bps", "basis points"),
        ("S,1306,,1.5,1,,,,", "max_spread_ticks", "whole number of ticks"),
        ("S,1306,1,,1,100.5,,,", "coverage_pct", "percentage from 0 to 100"),
        ("S,1306,1,,1,,half,,", "payment", "expected fixed or proportional"),
        ("S,1306,1,,1,,,0,", "max_makers", "above 0"),
        ("S,1306,1,,1,,,,volume;price", "priority", "expected volume, time and signup"),
        ("S,1306,1,,1,,,,time;time", "priority", "at most once"),
        (",1306,1,,1,,,,", "condition", "it is empty"),
        ("S,*,1,,1,,,,", "issue", "expected an issue's code"),
    ] {
        for file in ["sponsored.csv", "matching_funds.csv"] {
            fault(&[(file, &format!("{header}\n{row}\n"))], &format!("{file}: line 2, column {column}"), part);
        }
    }
    let neither = "condition,issue,index,max_spread_bps,min_value_jpy\nM,,,1,1\n";
    fault(&[("matching_funds.csv", neither)], "matching_funds.csv: line 2, column issue", "both issue and index");
}

#[test]
fn fast_market_is_two_or_four() {
    // clause: ST1/fast-market
    for value in ["1", "3", "8", "x"] {
        let text = format!("from,to,multiplier\n,,{value}\n");
        fault(&[("fast_market.csv", &text)], "fast_market.csv: line 2, column multiplier", "expected 2 or 4");
    }
}

#[test]
fn exemptions_are_instants_in_order() {
    // clause: ST1/exemption
    let header = "issue,market_maker,from,to,reason";
    for (row, column, part) in [
        (",MM1,,,", "issue", "it is empty"),
        ("13 06,,,,", "issue", "or * for all issues"),
        ("*,,2024-03-01,,", "from", "RFC 3339"),
        ("*,,,2024-03-01T09:00:00,", "to", "RFC 3339"),
        ("*,,2024-03-01T09:00:00Z,2024-03-01T17:59:59+09:00,", "to", "which is before from"),
    ] {
        fault(
            &[("exemptions.csv", &format!("{header}\n{row}\n"))],
            &format!("exemptions.csv: line 2, column {column}"),
            part,
        );
    }
}

// clause: BIT/limits-of-the-issue, XETRA/quantity-of-value
#[test]
fn limits_that_a_type_takes_from_the_issue_have_to_be_there() {
    let scheme = (
        "scheme.toml",
        "[types.I]\nlimits_from = \"issue\"\n[types.R]\nmax_spread_bps = 1\nmin_value = 5\n\
                                  min_quantity_from_value = \"reference\"\n[types.V]\nlimits_from = \"issue\"\n\
                                  min_quantity = 5\nmin_quantity_from_value = \"side\"\n",
    );
    let columns = "issue,type,tick_table,max_spread_bps,min_value,min_quantity,reference_price";
    let check = |row: &str, column: &str, part: &str| {
        let text = format!("{columns}\n1306,{row}\n");
        fault(&[scheme, ("issues.csv", &text)], &format!("issues.csv: line 2, column {column}"), part);
    };
    check("I,01,,5,,", "max_spread_bps", "it is empty, expected the widest spread: type \"I\" takes its limits");
    check("I,01,20,,,", "min_value", "expected the least value, or min_quantity");
    check("R,01,,,,", "reference_price", "expected the price by which type \"R\" makes a quantity");
    check("V,01,20,,5,", "min_value", "expected the least value: type");
    check("I,01,20,0,,", "min_value", "above 0");
    check("I,01,20,5,,0", "reference_price", "expected a price above 0");
    for good in ["I,01,20,,5,", "I,01,20,5,,", "R,01,,,,0.0001", "V,01,20,5,,"] {
        let loaded = Registry::load(&files(&[scheme, ("issues.csv", &format!("{columns}\n1306,{good}\n"))]));
        assert_eq!(printed(&loaded, Severity::Error), [""; 0], "{good}");
    }
    // What nobody takes is said, and stops nothing.
    let loaded = Registry::load(&files(&[scheme, ("issues.csv", &format!("{columns}\n1306,A,01,20,5,5,5\n"))]));
    let warnings = printed(&loaded, Severity::Warning);
    let named = warnings.iter().filter(|warning| warning.contains("it plays no part: type \"A\""));
    assert_eq!(named.count(), 4, "{warnings:?}");
}

// clause: WBAG/days-left-out
#[test]
fn days_that_are_left_out_are_rows() {
    fn rows(text: &str) -> [(&str, &str); 1] {
        [("excluded_days.csv", text)]
    }
    let columns = "date,issue,market_maker,reason,only_if_failed\n";
    fault(&rows("date\n"), "excluded_days.csv: line 1, column issue", "the column is missing");
    fault(&rows(&format!("{columns}2024-03-32,*,,,\n")), "excluded_days.csv: line 2, column date", "YYYY-MM-DD");
    fault(&rows(&format!("{columns}2024-03-01,,,,\n")), "excluded_days.csv: line 2, column issue", "it is empty");
    fault(
        &rows(&format!("{columns}2024-03-01,*,,,yes\n")),
        "excluded_days.csv: line 2, column only_if_failed",
        "true or false",
    );
    let text = format!("{columns}2024-03-04,*,*,ATX,true\n2024-03-01,1306,MM1,,\n");
    let registry = Registry::load(&files(&rows(&text))).registry.unwrap();
    let [first, second] = registry.excluded_days() else { panic!("two rows") };
    let issue = |code: &str| IssueCode::new(code.as_bytes()).unwrap();
    assert!(
        first.is_of("MM1", &issue("1306")) && !first.is_of("MM2", &issue("1306")) && !first.is_of("MM1", &issue("1"))
    );
    assert!(second.is_of("MM2", &issue("1")) && second.only_if_failed && !first.only_if_failed);
}

// clause: XETRA/stress
#[test]
fn stress_is_of_dates_or_of_instants_and_no_declared_multiplier() {
    let check = |row: &str, column: &str, part: &str| {
        let text = format!("from,to,multiplier,spread_multiplier,size_multiplier\n{row}\n");
        fault(&[("fast_market.csv", &text)], &format!("fast_market.csv: line 2, column {column}"), part);
    };
    check("2024-03-01,,2,2,", "multiplier", "found it beside spread_multiplier");
    check("2024-03-01,,,,", "multiplier", "it is empty");
    check("2024-03-01,,,0,", "spread_multiplier", "above 0 and at most 1000");
    check("2024-03-01,,,,1000.0001", "size_multiplier", "above 0 and at most 1000");
    check("2024-03-01T10:00:00+09:00,2024-03-01,,2,", "to", "a time with its offset");
    check("2024-03-01T10:00:00+09:00,2024-03-01T09:00:00+09:00,,2,", "to", "which is before from");
    issue_fault(",windows", ",9-10", "windows", "expected windows of local clock times");
    issue_fault(",windows", ",11:00-10:00", "windows", "start before they end");
    let text = "from,to,multiplier,spread_multiplier,size_multiplier\n2024-03-01,2024-03-01,4,,\n\
                2024-03-01T10:00:00+09:00,,2,,\n2024-03-01,,,1.5,0.5\n";
    let registry = Registry::load(&files(&[("fast_market.csv", text)])).registry.unwrap();
    assert_eq!(registry.fast_markets().len(), 1);
    let stress: Vec<(u64, u64)> = registry.stress().iter().map(|row| (row.spread, row.size)).collect();
    assert_eq!(stress, [(20_000, 10_000), (15_000, 5_000)]);
}
