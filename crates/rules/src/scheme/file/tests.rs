//! `scheme.toml`: what it replaces, what it leaves, and every fault with its line and column.

use super::*;
use jiff::civil::date;
use quoteclock_model::{Amount, Bps, Price, Shares, Ticks};
use quoteclock_sheets::Finding;

fn parse(text: &str) -> (Scheme, Vec<Finding>) {
    let mut findings = Findings::default();
    let file = SchemeFile::parse(text.as_bytes(), &mut findings);
    (file.scheme, findings.into_sorted())
}

fn good(text: &str) -> Scheme {
    let (scheme, findings) = parse(text);
    assert_eq!(findings, [], "{text}");
    scheme
}

/// Checks that `text` has exactly one fault, at `place`, whose message holds `part`.
fn fault(text: &str, place: (u64, u64), part: &str) {
    let (_, findings) = parse(text);
    let printed: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(printed.len(), 1, "{text}: {printed:?}");
    let start = format!("scheme.toml: line {}, column {}: ", place.0, place.1);
    assert!(printed[0].starts_with(&start) && printed[0].contains(part), "{text}: {}", printed[0]);
}

#[test]
fn an_empty_file_leaves_everything_as_built_in() {
    assert_eq!(good(""), Scheme::built_in());
    assert_eq!(good("\u{feff}# nothing\r\n"), Scheme::built_in());
}

#[test]
fn what_it_names_is_replaced_whole_and_the_rest_stays() {
    let scheme = good(
        r#"
name = "example"
version = "1"
timezone = "America/Sao_Paulo"
phase_source = "feed"
required_pct = 80.5
[[sessions]]
from = "2016-01-01"
continuous = ["10:00-24:00"]
[[sessions]]
from = 2015-01-01
continuous = ["11:00-12:00", "12:00-16:55:30.000001"]
[types.A]
max_spread_bps = "25.5"
min_quantity = 20
[types.T]
max_spread_ticks = 3
min_value = 300.0
[tick_tables]
cent = [["above", "0.01"]]
"03" = [[10000, 1.0], [30000, "5"], ["above", "10"]]
[interpretations]
sequential_quote = "exempt"
yen_rounding = "down"
"#,
    );
    assert_eq!((scheme.name(), scheme.version(), scheme.zone_name()), ("example", "1", "America/Sao_Paulo"));
    assert_eq!((scheme.phase_source(), scheme.required_pct()), (PhaseSource::Feed, 805_000));
    let froms: Vec<_> = scheme.sessions().iter().map(|list| list.from).collect();
    assert_eq!(froms, [Some(date(2015, 1, 1)), Some(date(2016, 1, 1))]);
    assert_eq!(scheme.sessions_on(date(2014, 12, 31)), None);
    assert_eq!(scheme.sessions_on(date(2015, 12, 31)).unwrap().windows[1].1, 60_930_000_001);
    assert_eq!(scheme.sessions_on(date(2016, 1, 1)).unwrap().windows, [(36_000_000_000, 86_400_000_000)]);
    let terms = |bps, ticks, value_min, quantity_min| Terms {
        spread_bps_max: bps,
        spread_ticks_max: ticks,
        value_min,
        quantity_min,
    };
    assert_eq!(scheme.types()["A"], terms(Some(Bps(255_000)), None, None, Some(Shares(20))));
    assert_eq!(scheme.types()["T"], terms(None, Some(Ticks(3)), Some(Amount(3_000_000)), None));
    assert_eq!(scheme.types()["B"], Scheme::built_in().types()["B"]);
    let tick = |table: &str, units| {
        scheme.tick_tables()[table].tick_at(Price::from_ten_thousandths(units).unwrap()).ten_thousandths()
    };
    assert_eq!([tick("cent", 1), tick("03", 100_000_000), tick("03", 100_000_001)], [100, 10_000, 50_000]);
    assert_eq!(tick("04", 1), 10_000);
    assert!(!scheme.interpretations().sequential_quote_available());
}

#[test]
fn numbers_are_exact_however_they_are_written() {
    for text in ["25.5", "2.55e1", "\"25.5\"", "25.5000", "+25.5", "2_5.5"] {
        let scheme = good(&format!("[types.X]\nmax_spread_bps = {text}\nmin_value = 1\n"));
        assert_eq!(scheme.types()["X"].spread_bps_max, Some(Bps(255_000)), "{text}");
    }
    for text in ["0.1", "1e-1"] {
        assert_eq!(good(&format!("required_pct = {text}")).required_pct(), 1000);
    }
    for text in ["0.00001", "-1", "nan", "inf", "1e300", "0xff", "true", "100.0001", "\"\"", "[]", "\" 80\""] {
        fault(&format!("required_pct = {text}"), (1, 16), "expected a percentage");
    }
}

#[test]
fn every_fault_names_its_line_and_column() {
    fault("nam = \"x\"", (1, 1), "unknown key \"nam\", expected one of name, version");
    fault("\n  name = 3", (2, 10), "expected a name");
    fault("timezone = \"Mars/Base\"", (1, 12), "time zone of the IANA database");
    fault("phase_source = \"clock\"", (1, 16), "expected \"schedule\" or \"feed\"");
    fault("sessions = 3", (1, 12), "[[sessions]]");
    fault("[[sessions]]\nfrom = \"2024-11-31\"\ncontinuous = []", (2, 8), "YYYY-MM-DD");
    fault("[[sessions]]\nfrom = \"2024-11-30\"", (1, 1), "continuous is missing");
    fault("[[sessions]]\ncontinuous = []\n[[sessions]]\ncontinuous = []", (3, 1), "a second list of sessions");
    fault("[[sessions]]\ncontinuous = []\nuntil = 1", (3, 1), "unknown key \"until\", expected one of from");
    fault("[[sessions]]\ncontinuous = [\"9:00-11:30\"]", (2, 15), "HH:MM-HH:MM");
    fault("[[sessions]]\ncontinuous = [\"11:30-11:30\"]", (2, 15), "starts before it ends");
    fault("[types.X]\nmin_value = 1", (1, 8), "no spread limit");
    fault("[types.X]\nmax_spread_bps = 1", (1, 8), "no minimum");
    fault("[types.X]\nmax_spread_bps = 1\nmin_value = 0", (3, 13), "above 0");
    fault("[types.X]\nmax_spread_ticks = 1.5\nmin_value = 1", (2, 20), "whole number of ticks");
    fault("[types.X]\nmax_spread = 1\nmax_spread_bps = 1\nmin_value = 1", (2, 1), "unknown key \"max_spread\"");
    fault("[tick_tables]\nx = []", (2, 5), "expected a list of bands");
    fault("[tick_tables]\nx = [[10, 1]]", (2, 6), "expected the last band");
    fault("[tick_tables]\nx = [[\"above\", 1], [\"above\", 1]]", (2, 6), "for the last band only");
    fault("[tick_tables]\nx = [[10, 1, 2], [\"above\", 1]]", (2, 6), "expected a limit and a tick");
    fault(
        "[tick_tables]\nx = [[10, 3], [\"above\", 1]]",
        (2, 6),
        "band 1: its limit is not a multiple of its own tick",
    );
    fault("[tick_tables]\nx = [[10, 1], [\"above\", 3]]", (2, 6), "not a multiple of the next band's tick");
    fault("[tick_tables]\nx = [[10, 1], [\"above\", 0]]", (2, 15), "band 2: a tick is above 0");
    fault("[tick_tables]\nx = [[\"above\", 1000000001]]", (2, 6), "at most 1000000000");
    fault("[interpretations]\nrounding = \"down\"", (2, 1), "no interpretation is named");
    fault("[interpretations]\nyen_rounding = \"up\"", (2, 16), "the only permitted value is \"down\"");
    fault("[interpretations]\nyen_rounding = true", (2, 16), "expected text in quotes");
}

#[test]
fn several_faults_are_found_at_once() {
    let (_, findings) = parse("a = 1\nrequired_pct = 101\n[types.X]\n");
    assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(1), Some(2), Some(3), Some(3)]);
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_place() {
    fault("name = \"a\"\nname = \"b\"", (2, 1), "duplicate key");
    let (_, findings) = parse("required_pct = ");
    assert!(!findings.is_empty());
    let mut findings = Findings::default();
    SchemeFile::parse(b"name = \"a\"\n# \xe9\xff", &mut findings);
    assert_eq!(
        findings.into_sorted()[0].to_string(),
        "scheme.toml: line 2, column 3: found bytes that are not UTF-8 text, expected UTF-8"
    );
}
