//! The registry as a whole: shared fixtures, and what loads.

mod administration;
mod arbitrary;
mod errors;
mod plans;

use super::*;
use crate::Severity;

/// A small registry without faults: one issue, one market maker, one server, one sign-up.
const GOOD: [(&str, &str); 4] = [
    ("issues.csv", "issue,type,tick_table\n1306,A,01\n"),
    ("market_makers.csv", "market_maker\nMM1\n"),
    ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
    ("signups.csv", "market_maker,issue\nMM1,1306\n"),
];

/// [`GOOD`] with some files replaced or added.
fn files(changes: &[(&str, &str)]) -> Vec<SourceFile> {
    let unchanged = GOOD.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let all = unchanged.chain(changes);
    all.map(|&(name, text)| SourceFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() }).collect()
}

/// The registry of [`files`], which must have no errors.
fn registry(changes: &[(&str, &str)]) -> Registry {
    let loaded = Registry::load(&files(changes));
    let errors = printed(&loaded, Severity::Error);
    assert_eq!(errors, [""; 0]);
    loaded.registry.expect("no error was found")
}

fn printed(loaded: &Loaded, severity: Severity) -> Vec<String> {
    loaded.findings.iter().filter(|finding| finding.severity == severity).map(Finding::to_string).collect()
}

#[test]
fn byte_order_marks_crlf_quotes_blank_lines_and_any_order_of_columns_are_accepted() {
    let plain = registry(&[("issues.csv", "issue,name,type,tick_table\n1306,\"A, B\",A,01\n")]);
    for text in [
        "\u{feff}issue,name,type,tick_table\r\n1306,\"A, B\",A,01",
        "tick_table,type,name,issue\n\n01,A,\"A, B\",1306\n\n",
        "issue,name,type,tick_table,tier,active\n\"1306\",\"A, B\",\"A\",01,,FALSE\n,,,,,\n",
    ] {
        assert_eq!(registry(&[("issues.csv", text)]), plain, "{text}");
    }
}

#[test]
fn typed_values_come_out_as_they_were_written() {
    let issues = "issue,name,type,leveraged_inverse,active,index,tick_table,trading_unit,tier,diversified,listed,\
                  asset_manager,aum_jpy,from,to\n\
                  130A,An ETF,C,true,True,\"S&P 500\",04,10,III,TRUE,2024-01-15,AM1,1234567.5,2024-01-15,\n\
                  1306,,A,,,,01,,,,,,,,\n";
    let sponsored = "condition,issue,max_spread_bps,min_value_jpy,asset_manager,total_jpy,payment,max_makers,priority,\
                     aum_trigger_jpy,aum_part_jpy,from,to\n\
                     S,130A,25.5,1000000,AM1,500000,proportional,3,time;volume,100,50,2024-02-01,2024-07-31\n";
    let matching = "condition,index,issue,max_spread_ticks,min_value_jpy,coverage_pct,max_issues\n\
                    M,S&P 500,,2,1,90.5,2\nN,S&P 500,1306,2,1,,\n";
    let holidays = "date,name\n2024-01-02,\n2024-01-01,New Year\n";
    let files = [
        ("issues.csv", issues),
        ("sponsored.csv", sponsored),
        ("matching_funds.csv", matching),
        ("holidays.csv", holidays),
    ];
    let registry = registry(&files);
    let issue = registry.issue_on(&IssueCode::new(b"130A").unwrap(), jiff::civil::date(2024, 1, 15)).unwrap();
    assert_eq!((issue.name.as_deref(), issue.index.as_deref()), (Some("An ETF"), Some("S&P 500")));
    assert!(issue.leveraged_inverse && issue.active && issue.diversified);
    assert_eq!((issue.trading_unit, issue.tier), (Some(10), Some(Tier::III)));
    assert_eq!((issue.aum, issue.asset_manager.as_deref()), (Some(Amount(12_345_675_000)), Some("AM1")));
    let [sponsored, to_index, to_issue] = registry.conditions() else { panic!("three conditions") };
    assert_eq!(sponsored.obligation().to_string(), "sponsored:S");
    assert_eq!(sponsored.payment.method, Some(PaymentMethod::Proportional));
    assert_eq!(sponsored.payment.total, Some(Amount(5_000_000_000)));
    assert_eq!(sponsored.payment.priority, [Priority::Time, Priority::Volume]);
    assert_eq!((to_index.obligation().to_string().as_str(), to_index.coverage_pct), ("matching:M", Some(905_000)));
    assert_eq!((&to_index.target, to_index.issues_max), (&Target::Index("S&P 500".to_owned()), Some(2)));
    assert_eq!(to_issue.target, Target::Issue(IssueCode::new(b"1306").unwrap()), "issue wins where both are given");
    assert_eq!(to_issue.payment.priority, [Priority::Volume, Priority::Time, Priority::SignUp]);
    assert_eq!(registry.holidays()[0].name.as_deref(), Some("New Year"));
}

#[test]
fn files_of_other_names_are_passed_over() {
    registry(&[("notes.csv", "what,ever"), ("README.md", "\"")]);
}

#[test]
fn the_published_brazilian_day_has_a_registry_that_loads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/b3-petr4f-2015-11-03/registry");
    let read = |&name: &&str| {
        let bytes = std::fs::read(format!("{folder}/{name}")).ok()?;
        Some(SourceFile { name: name.to_owned(), bytes })
    };
    let files: Vec<SourceFile> = FILE_NAMES.iter().filter_map(read).collect();
    if files.is_empty() {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("skipped: {folder} is absent\n"));
        return;
    }
    let loaded = Registry::load(&files);
    assert_eq!(printed(&loaded, Severity::Error), [""; 0]);
    let registry = loaded.registry.expect("no error was found");
    let plan = registry.plan(jiff::civil::date(2015, 11, 3)).expect("in range");
    assert_eq!((plan.servers.len(), plan.sign_ups.len()), (8, 8));
    assert_eq!(plan.sessions().len(), 1);
    // 11:00 at UTC-2, daylight saving time.
    assert_eq!(plan.sessions()[0].start, Timestamp::from_micros(1_446_555_600_000_000));
    assert!(registry.plan(jiff::civil::date(2015, 10, 31)).expect("in range").sign_ups.is_empty());
}
