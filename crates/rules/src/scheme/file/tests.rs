//! `scheme.toml`: what it replaces, what it leaves, and every fault with its line and column.

use super::*;
use crate::manner::{Manner, SidesRequired, SpreadBand, SpreadBase, SpreadLimits};
use crate::scheme::{QuantityFrom, Terms, TypeRules};
use jiff::civil::date;
use quoteclock_model::{Amount, Bps, Phase, Phases, Price, Shares, SizeRule, Ticks};
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
        ..Terms::default()
    };
    assert_eq!(scheme.types()["A"].terms, terms(Some(Bps(255_000)), None, None, Some(Shares(20))));
    assert_eq!(scheme.types()["T"].terms, terms(None, Some(Ticks(3)), Some(Amount(3_000_000)), None));
    assert_eq!(scheme.types()["B"].terms, Scheme::built_in().types()["B"].terms);
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
        assert_eq!(scheme.types()["X"].terms.spread_bps_max, Some(Bps(255_000)), "{text}");
    }
    for text in ["0.1", "1e-1"] {
        assert_eq!(parse(&format!("required_pct = {text}")).0.required_pct(), 1000);
    }
    for text in ["0.00001", "-1", "nan", "inf", "1e300", "0xff", "true", "100.0001", "\"\"", "[]", "\" 80\""] {
        fault(&format!("required_pct = {text}"), (1, 16), "expected a percentage");
    }
}

#[test]
fn a_percentage_below_one_looks_like_a_share() {
    for (text, place, part) in [
        ("required_pct = 0.8", (1, 16), "found 0.8, which is less than one percent: is 80 meant?"),
        ("required_pct = \"0.9999\"", (1, 16), "is 99.99 meant?"),
        ("[incentives]\ndrop_pct = 0.05", (2, 12), "found 0.05, which is less than one percent: is 5 meant?"),
    ] {
        fault(text, place, part);
        let (_, findings) = parse(text);
        assert_eq!(findings[0].severity, quoteclock_sheets::Severity::Warning, "{text}");
    }
    for text in ["required_pct = 0", "required_pct = 1", "[incentives]\ndrop_pct = 1.0"] {
        good(text);
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

// clause: ST1/number-of-etfs, ST1/access-fee, ST1/free-servers, ST1/six-month-average, ST1/twelve-months
#[test]
fn incentives_are_data_and_what_is_left_out_stays() {
    let scheme = good(
        r#"
[incentives]
etfs_required = 3
order_fee = "0.25"
orders_max = 5
server_fee = 100.5
server_steps = [[2, 1], [4, 3]]
server_beyond = [2, 1]
drop_pct = 7.5
drop_months = 2
revoke_months = 4
[incentives.diversified]
II = ["200", "0.9", 0.8]
[incentives.tiers]
I = [50, 1, "0.3"]
II = ["200", "0.5", "0.3"]
"#,
    );
    let (built_in, found) = (crate::Incentives::built_in(), scheme.incentives());
    assert_eq!((found.etfs_required, found.order_fee, found.orders_max), (3, Amount(2_500), 5));
    assert_eq!(
        (found.server_fee, found.drop_pct, found.drop_months, found.revoke_months),
        (Amount(1_005_000), 75_000, 2, 4)
    );
    assert_eq!([1, 2, 3, 4, 5, 6, 9].map(|etfs| found.servers.free(etfs)), [0, 1, 1, 3, 3, 4, 5]);
    assert_eq!((found.tiers[0].average_under, found.tiers[0].rates.others), (Amount(500_000), Bps(10_000)));
    assert_eq!(&found.tiers[2..], &built_in.tiers[2..]);
    assert_eq!(found.diversified.map(|rates| rates.map(|rates| rates.others.0)), [None, Some(9_000), None, None]);
}

#[test]
fn faults_of_incentives_have_their_places() {
    for (text, place, part) in [
        ("incentives = 1", (1, 14), "expected a table"),
        ("[incentives]\netfs = 5", (2, 1), "expected one of etfs_required"),
        ("[incentives]\norder_fee = \"-1\"", (2, 13), "expected a number of digits"),
        ("[incentives]\nserver_steps = [[20, 2], [20, 3]]", (2, 26), "more ETFs than in the step before"),
        ("[incentives]\nserver_steps = [[20, 2], [30, 1]]", (2, 26), "no fewer servers"),
        ("[incentives]\nserver_steps = [[20]]", (2, 17), "expected a list of ETFs and servers"),
        ("[incentives]\nserver_beyond = [0, 2]", (2, 17), "above 0"),
        ("[incentives]\ndrop_months = 121", (2, 15), "from 1 to 120"),
        ("[incentives]\ndrop_pct = 101", (2, 12), "expected a percentage"),
        ("[incentives.tiers]\nV = [1, 1, 1]", (2, 1), "expected one of I, II, III, IV"),
        ("[incentives.tiers]\nI = [1, 10000.0001, 1]", (2, 9), "at most 10000"),
        ("[incentives.tiers]\nI = [1, 1]", (2, 5), "expected a bound and two rates"),
        ("[incentives]\ntiers = { I = [\"600000000\", 1, 1] }", (2, 9), "expected bounds that rise"),
    ] {
        fault(text, place, part);
    }
    // A bound of the diversified table that differs stops nothing, for it decides nothing.
    let (scheme, findings) = parse("[incentives.diversified]\nI = [\"1\", 2, 1]");
    assert_eq!(scheme.incentives().diversified[0].map(|rates| rates.others.0), Some(20_000));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, quoteclock_sheets::Severity::Warning);
}

// clause: TWSE/spread-of-offer, TWSE/units-or-value, XETRA/quantity-of-value, RTS8/comparable-size, BIT/bid-or-offer
// clause: BIT/limits-of-the-issue, QC/bands
#[test]
fn limits_of_other_venues_are_data() {
    let scheme = good(
        r#"
[types.T]
max_spread_bps = 300
max_spread_abs = "0.5"
spread_base = "offer"
min_value = 1
min_quantity = 5
min_quantity_from_value = "side"
size_rule = "any"
max_size_divergence_pct = 33.3333
sides = "either"
[types.I]
limits_from = "issue"
[[types.B.bands]]
up_to = 5
max_spread_abs = 0.25
[[types.B.bands]]
max_spread_ticks = 2
[types.B]
min_quantity = 1
"#,
    );
    let price = Price::from_ten_thousandths;
    let manner = Manner {
        spread_base: SpreadBase::Offer,
        width_max: price(5_000),
        size_rule: SizeRule::Any,
        size_divergence_pct_max: Some(333_333),
        sides: SidesRequired::Either,
        ..Manner::default()
    };
    let expected = Terms {
        spread_bps_max: Some(Bps(3_000_000)),
        value_min: Some(Amount(10_000)),
        quantity_min: Some(Shares(5)),
        manner,
        quantity_from_value: Some(QuantityFrom::Side),
        ..Terms::default()
    };
    assert_eq!(scheme.types()["T"].terms, expected);
    assert_eq!(scheme.types()["I"].terms, Terms { from_issue: true, ..Terms::default() });
    let band = |up_to, ticks: Option<u64>, width| SpreadBand {
        up_to,
        limits: SpreadLimits { bps_max: None, ticks_max: ticks.map(Ticks), width_max: width },
    };
    let bands = [band(price(50_000), None, price(2_500)), band(None, Some(2), None)];
    assert_eq!(scheme.types()["B"].terms.manner.bands[..], bands);
}

#[test]
fn faults_of_limits_of_other_venues_have_their_places() {
    let of = |text: &str| format!("[types.X]\nmin_quantity = 1\n{text}");
    for (text, place, part) in [
        ("max_spread_bps = 1\nspread_base = \"ask\"", (4, 15), r#"found "\"ask\"", expected "mid", "bid" or "offer""#),
        ("max_spread_abs = 0", (3, 18), "expected a price above 0"),
        ("max_spread_abs = 0.00001", (3, 18), "at most 4 decimals"),
        ("max_spread_bps = 1\nsize_rule = true", (4, 13), r#"expected "all" or "any""#),
        ("max_spread_bps = 1\nsides = \"one\"", (4, 9), r#"expected "both" or "either""#),
        ("max_spread_bps = 1\nmax_size_divergence_pct = 101", (4, 27), "expected a percentage"),
        (
            "max_spread_bps = 1\nmin_value = 5\nmin_quantity_from_value = \"mid\"",
            (5, 27),
            r#"expected "reference" or "side""#,
        ),
        ("max_spread_bps = 1\nmin_quantity_from_value = \"side\"", (4, 1), "there is no min_value"),
        ("limits_from = \"type\"\nmax_spread_bps = 1", (3, 15), "expected \"issue\""),
        ("bands = []", (3, 9), "expected a list of tables"),
        ("bands = [1]", (3, 10), "expected a table with up_to"),
        ("bands = [{ up_to = 5, max_spread_bps = 1 }]", (3, 10), "the last band has an up_to"),
        ("bands = [{ max_spread_bps = 1 }, { max_spread_bps = 1 }]", (3, 10), "up_to is missing"),
        ("bands = [{ up_to = 5 }, { max_spread_bps = 1 }]", (3, 10), "the band has no limit of the spread"),
        (
            "bands = [{ up_to = 5, max_spread_bps = 1 }, { up_to = 5, max_spread_bps = 1 }, { max_spread_bps = 1 }]",
            (3, 45),
            "found up_to = 5, expected more than 5",
        ),
        ("bands = [{ max_spread = 1, max_spread_bps = 1 }]", (3, 12), "unknown key \"max_spread\""),
        ("max_spread_abs = 1\nbands = [{ max_spread_bps = 1 }]", (3, 1), "found a limit beside bands"),
        ("limits_from = \"issue\"\nbands = [{ max_spread_bps = 1 }]", (3, 1), "found limits_from beside bands"),
    ] {
        fault(&of(text), place, part);
    }
}

// clause: WBAG/average-of-days, TWSE/compliant-days, BUX/days-below, TWSE/after-the-open
#[test]
fn how_a_month_is_judged_by_its_days_is_data() {
    use crate::{Aggregate, MonthShare};
    let aggregate = |text: &str| *good(&format!("[aggregate]\n{text}")).aggregate();
    assert_eq!(aggregate(""), Aggregate::default());
    assert_eq!(aggregate("month = \"sum\""), Aggregate::default());
    assert_eq!(aggregate("month = \"mean_of_days\"").month, MonthShare::MeanOfDays);
    assert_eq!(aggregate("month = \"days\"\ndays_pct = 66.6667").month, MonthShare::Days { pct: 666_667 });
    let bounded = aggregate("max_days_below = 3\nday_floor_pct = 50");
    assert_eq!((bounded.days_below_max, bounded.day_floor_pct), (Some(3), Some(500_000)));
    assert_eq!(good("start_delay = \"5m\"").start_delay(), Micros(300_000_000));
    for (text, place, part) in [
        ("aggregate = 1", (1, 13), "expected a table: [aggregate]"),
        ("[aggregate]\nmonth = \"mean\"", (2, 9), r#"expected "sum", "mean_of_days" or "days""#),
        ("[aggregate]\nmonth = \"days\"", (1, 1), "days_pct is missing"),
        ("[aggregate]\ndays_pct = 50", (2, 1), "goes with month = \"days\" alone"),
        ("[aggregate]\nmonth = \"days\"\ndays_pct = 101", (3, 12), "expected a percentage"),
        ("[aggregate]\nmax_days_below = -1", (2, 18), "expected a whole number"),
        ("[aggregate]\nfloor = 1", (2, 1), "unknown key \"floor\", expected one of month"),
        ("start_delay = 5", (1, 15), "expected a span of time below a day"),
        ("start_delay = \"24h\"", (1, 15), "such as 5m"),
    ] {
        fault(text, place, part);
    }
}

// clause: XETRA/criteria
#[test]
fn a_type_may_ask_for_several_things_each_by_itself() {
    let scheme = good(
        r#"
[types.T]
max_spread_bps = 500
min_value = 5
required_pct = 90
need = 2
[[types.T.criteria]]
name = "rmm"
phases = ["continuous"]
max_size_divergence_pct = 50
min_resting = "1s"
[[types.T.criteria]]
name = "auction"
phases = ["auction"]
windows = ["09:00-10:00"]
start_delay = "30s"
required_pct = 80
max_spread_bps = 900
[[types.T.regimes]]
windows_from = "issue"
min_value = 7
"#,
    );
    let rules = &scheme.types()["T"];
    let asked: Vec<(String, &TypeRules)> = rules.asked().map(|(id, rules)| (id.to_string(), rules)).collect();
    let [(auction_id, auction), (rmm_id, rmm)] = &asked[..] else { panic!("two criteria") };
    assert_eq!((auction_id.as_str(), rmm_id.as_str()), ("general:auction", "general:rmm"));
    assert_eq!(rules.need, Some(2));
    // What a criterion does not name is the type's.
    assert_eq!(rmm.terms.spread_bps_max, Some(Bps(5_000_000)));
    assert_eq!(auction.terms.spread_bps_max, Some(Bps(9_000_000)));
    assert_eq!((rmm.terms.value_min, auction.terms.value_min), (Some(Amount(50_000)), Some(Amount(50_000))));
    assert_eq!((rmm.required_pct, auction.required_pct), (Some(900_000), Some(800_000)));
    assert_eq!(rmm.terms.manner.size_divergence_pct_max, Some(500_000));
    assert_eq!(rmm.terms.manner.resting_min, Micros(1_000_000));
    assert_eq!(auction.terms.manner, Manner::default());
    assert_eq!(auction.windows, Some(vec![(32_400_000_000, 36_000_000_000)]));
    assert_eq!((rmm.windows.as_ref(), auction.start_delay), (None, Some(Micros(30_000_000))));
    assert_eq!((rmm.regimes.len(), auction.regimes.len()), (1, 1), "other limits at some times are for all of them");
    // A type without criteria is one obligation; with them it needs no limits itself.
    let plain: Vec<String> = scheme.types()["A"].asked().map(|(id, _)| id.to_string()).collect();
    assert_eq!(plain, ["general"]);
    good("[types.X]\n[[types.X.criteria]]\nname = \"a\"\nmin_quantity = 1\nmax_spread_abs = 1");
    let of = |text: &str| format!("[types.X]\nmin_quantity = 1\nmax_spread_bps = 1\n{text}");
    for (text, place, part) in [
        ("criteria = []", (4, 12), "expected a list of tables, each with a name"),
        ("criteria = [1]", (4, 13), "expected a table with a name"),
        ("criteria = [{ sides = \"both\" }]", (4, 13), "name is missing"),
        ("criteria = [{ name = \"\" }]", (4, 22), "expected a name"),
        ("criteria = [{ name = \"a\" }, { name = \"a\" }]", (4, 29), "a second criterion \"a\""),
        ("criteria = [{ name = \"a\", regimes = [] }]", (4, 27), "unknown key \"regimes\", expected one of name"),
        ("need = 1", (4, 8), "which goes with criteria alone"),
        ("need = 0\ncriteria = [{ name = \"a\" }]", (4, 8), "expected a whole number above 0"),
        ("need = 2\ncriteria = [{ name = \"a\" }]", (4, 8), "expected at most 1, the number of criteria"),
        ("criteria = [{ name = \"a\", bands = [{ max_spread_abs = 1 }] }]", (3, 1), "beside bands"),
    ] {
        fault(&of(text), place, part);
    }
    fault(
        "[types.X]\nmin_quantity = 1\ncriteria = [{ name = \"a\" }]",
        (3, 13),
        "criterion \"a\" of type \"X\" has no spread limit",
    );
}

// clause: BIT/auctions-included, SIX/home-market-open
#[test]
fn a_type_has_its_own_time_and_other_limits_in_it() {
    let scheme = good(
        r#"
[types.T]
max_spread_bps = 500
min_value = 5
phases = ["continuous", "auction"]
windows = ["09:00-24:00"]
start_delay = "30s"
required_pct = 90
[[types.T.regimes]]
windows = ["09:00-10:00", "11:00-12:00"]
max_spread_bps = 200
[[types.T.regimes]]
windows_from = "issue"
min_value = 7
"#,
    );
    let rules = &scheme.types()["T"];
    assert_eq!(rules.phases, Some(Phases::of(&[Phase::Continuous, Phase::Auction])));
    assert_eq!(rules.windows, Some(vec![(32_400_000_000, 86_400_000_000)]));
    assert_eq!((rules.start_delay, rules.required_pct), (Some(Micros(30_000_000)), Some(900_000)));
    let [first, second] = &rules.regimes[..] else { panic!("two regimes") };
    assert_eq!(first.windows.as_ref().map(Vec::len), Some(2));
    assert_eq!(first.terms, Terms { spread_bps_max: Some(Bps(2_000_000)), ..Terms::default() });
    assert_eq!((&second.windows, second.terms.value_min), (&None, Some(Amount(70_000))));
    let of = |text: &str| format!("[types.X]\nmin_quantity = 1\nmax_spread_bps = 1\n{text}");
    for (text, place, part) in [
        ("phases = []", (4, 10), "expected a list of phases"),
        ("phases = [\"halt\"]", (4, 11), "expected \"continuous\", \"sequential_quote\""),
        ("windows = [\"12:00-11:00\"]", (4, 12), "starts before it ends"),
        ("regimes = 1", (4, 11), "expected a list of tables"),
        ("regimes = [{ windows = [] , sides = \"both\" }]", (4, 29), "unknown key \"sides\""),
        ("regimes = [{ min_value = 1 }]", (4, 12), "expected windows, such as"),
        ("regimes = [{ windows = [], windows_from = \"issue\" }]", (4, 12), "and not both"),
        ("regimes = [{ windows_from = \"type\" }]", (4, 29), "expected \"issue\""),
    ] {
        fault(&of(text), place, part);
    }
    let bands = "[types.X]\nmin_quantity = 1\nbands = [{ max_spread_bps = 1 }]\nregimes = [{ windows = [], max_spread_abs = 1 }]";
    fault(bands, (4, 28), "beside the type's bands");
}
