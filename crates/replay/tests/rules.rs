//! The rules of ST-1 as tables: events, then the breaches that they make. Boundaries come in pairs: exactly at the
//! limit, and one unit beyond it. Every table is measured twice, by the fast path and by the slow reference.

mod support;

use quoteclock_testkit::{Case, Outcome};

const REGISTRY: [(&str, &str); 4] = [
    ("issues.csv", "issue,type,tick_table\n1306,A,01\n"),
    ("market_makers.csv", "market_maker\nMM1\n"),
    ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM1\n"),
    ("signups.csv", "market_maker,issue\nMM1,1306\n"),
];

/// A day under the built-in scheme: continuous 09:00-11:30 and 12:30-15:00, type A (20 bps or 2 ticks, JPY 30,000,000),
/// tick table 01 (up to 3,000: 1; up to 5,000: 5), except where `registry` says otherwise.
struct Day {
    date: &'static str,
    registry: Vec<(&'static str, String)>,
}

fn day() -> Day {
    Day { date: "2024-03-01", registry: Vec::new() }
}

fn on(date: &'static str) -> Day {
    Day { date, ..day() }
}

impl Day {
    fn with(mut self, file: &'static str, text: &str) -> Day {
        self.registry.push((file, text.to_owned()));
        self
    }

    fn of_type(self, kind: &str, tick_table: &str) -> Day {
        self.with("issues.csv", &format!("issue,type,tick_table\n1306,{kind},{tick_table}\n"))
    }

    /// Measures `events`, rows such as `09:00:00.000000 VS1 add 1 B 102 x 350000`.
    fn measure(&self, events: &str) -> (String, String) {
        let mut registry: Vec<(String, String)> =
            REGISTRY.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        for (name, text) in &self.registry {
            registry.retain(|(file, _)| file != name);
            registry.push(((*name).to_owned(), text.clone()));
        }
        let mut csv = "time,issue,event,order,contra,server,side,price,quantity,condition,phase\n".to_owned();
        for row in events.lines().map(str::trim).filter(|row| !row.is_empty()) {
            csv.push_str(&record(self.date, row));
        }
        let date = Some(self.date.to_owned());
        let case = Case { registry, events: csv, date, lenient: false, allow_gaps: false };
        let outcome = support::measure(&case, usize::MAX);
        assert_eq!(outcome, quoteclock_testkit::measure(&case), "the reference agrees");
        let Outcome::Measured { daily, breaches, .. } = outcome else { panic!("{outcome:?}: {}", case.events) };
        (daily, breaches)
    }

    /// Checks the breaches of `general`, rows such as `09:00:00.000000 09:30:00.000000 spread`, and that the rest of
    /// the available time is fulfilled.
    #[track_caller]
    fn check(&self, events: &str, expected: &str) {
        let (_, breaches) = self.measure(events);
        let rows = breaches.lines().skip(1).map(|row| {
            let fields: Vec<&str> = row.split(',').collect();
            format!("{} {} {}", &fields[4][11..26], &fields[5][11..26], fields[7])
        });
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|row| !row.is_empty()).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected, "{events}");
    }

    /// Checks the daily rows: obligation, available and fulfilled seconds.
    #[track_caller]
    fn check_daily(&self, events: &str, expected: &[(&str, u64, u64)]) {
        let (daily, _) = self.measure(events);
        let rows: Vec<Vec<&str>> = daily.lines().skip(1).map(|row| row.split(',').collect()).collect();
        let seconds = |field: &str| field.parse::<u64>().expect("microseconds") / 1_000_000;
        let rows: Vec<_> = rows.iter().map(|row| (row[3], seconds(row[4]), seconds(row[5]))).collect();
        assert_eq!(rows, expected, "{events}");
    }
}

/// The CSV record of one row.
fn record(date: &str, row: &str) -> String {
    let words: Vec<&str> = row.split_whitespace().collect();
    let (order, contra, server, side, price, quantity, condition, phase) = match words[1..] {
        [server, "add", order, side, price, "x", quantity] => (order, "", server, side, price, quantity, "", ""),
        [server, "add", order, side, price, "x", quantity, condition] => {
            (order, "", server, side, price, quantity, condition, "")
        }
        ["replace", order, price, "x", quantity] => (order, "", "", "", price, quantity, "", ""),
        ["reduce", order, "x", quantity] => (order, "", "", "", "", quantity, "", ""),
        ["cancel", order] => (order, "", "", "", "", "", "", ""),
        ["trade", order, price, "x", quantity] => (order, "", "", "", price, quantity, "", ""),
        ["phase", phase] | ["market", phase] => ("", "", "", "", "", "", "", phase),
        ["clear"] => ("", "", "", "", "", "", "", ""),
        _ => panic!("no such row: {row}"),
    };
    let issue = if words[1] == "market" { "*" } else { "1306" };
    let event = ["add", "replace", "reduce", "cancel", "trade", "phase", "clear"];
    let event = event.into_iter().find(|event| words.contains(event)).unwrap_or("phase");
    let unset = |field: &str| if field == "-" { String::new() } else { field.to_owned() };
    let [server, price, quantity] = [server, price, quantity].map(unset);
    let clock = words[0];
    format!(
        "{date}T{clock}+09:00,{issue},{event},{order},{contra},{server},{side},{price},{quantity},{condition},{phase}\n"
    )
}

/// Quotes from before the open on, and the breaches they make: none, or both sessions for one reason.
#[track_caller]
fn check_whole_day(day: &Day, quotes: &[&str], reason: Option<&str>) {
    let events: String = quotes.iter().map(|quote| format!("08:00:00.000000 VS1 add {quote}\n")).collect();
    let expected = match reason {
        None => String::new(),
        Some(reason) => format!("09:00:00.000000 11:30:00.000000 {reason}\n12:30:00.000000 15:00:00.000000 {reason}"),
    };
    day.check(&events, &expected);
}

#[test]
fn the_quote_display_sample_is_fulfilled_for_type_a_by_ticks_alone() {
    // clause: ST1/minimum-value, ST1/spread-of-mid
    let sample = ["1 S 103 x 100000", "2 S 104 x 200000", "3 B 102 x 350000"];
    check_whole_day(&day(), &sample, None);
    let one_tick = "min_value = 30000000\nmax_spread_bps = 194.1747\nmax_spread_ticks = 1\n";
    let bps_above = "min_value = 30000000\nmax_spread_bps = 194.1748\nmax_spread_ticks = 1\n";
    let scheme = |limits: &str| day().with("scheme.toml", &format!("[types.A]\n{limits}"));
    check_whole_day(&scheme(one_tick), &sample, Some("spread"));
    check_whole_day(&scheme(bps_above), &sample, None);
}

#[test]
fn the_minimum_value_is_inclusive_on_each_side() {
    // clause: ST1/minimum-value
    check_whole_day(&day(), &["1 B 100 x 300000", "2 S 100 x 300000"], None);
    check_whole_day(&day(), &["1 B 100 x 299999", "2 S 100 x 300000"], Some("bid_size"));
    check_whole_day(&day(), &["1 B 100 x 300000", "2 S 100 x 299999"], Some("offer_size"));
    check_whole_day(&day(), &["1 B 100 x 299999", "2 S 100 x 299999"], Some("bid_size+offer_size"));
    check_whole_day(&day(), &["1 B 100 x 299999", "2 B 30 x 3", "3 B 10 x 1", "4 S 100 x 300000"], Some("spread"));
}

#[test]
fn every_type_has_its_own_limits() {
    // clause: ST1/spread-and-quantity
    for (kind, ticks, value) in [("A", 2, 30_000_000), ("B", 3, 10_000_000), ("C", 3, 5_000_000), ("D", 4, 5_000_000)] {
        let day = day().of_type(kind, "01");
        let shares = value / 100;
        let (bid, small) = (format!("1 B 100 x {shares}"), format!("1 B 100 x {}", shares - 1));
        let offer = |ticks: u64| format!("2 S {} x {shares}", 100 + ticks);
        check_whole_day(&day, &[&bid, &offer(ticks)], None);
        check_whole_day(&day, &[&bid, &offer(ticks + 1)], Some("spread"));
        check_whole_day(&day, &[&small, &offer(ticks)], Some("bid_size"));
    }
}

#[test]
fn basis_points_count_where_they_are_wider_than_ticks() {
    // clause: ST1/spread-and-quantity
    // Bid 29,970, offer 30,030: 60 / 30,000 is 20 bps exactly, and more than two ticks.
    let table_03 = day().of_type("A", "03");
    check_whole_day(&table_03, &["1 B 29970 x 2000", "2 S 30030 x 2000"], None);
    check_whole_day(&table_03, &["1 B 29969 x 2000", "2 S 30030 x 2000"], Some("spread"));
    check_whole_day(&table_03, &["1 B 29970 x 2000", "2 S 30030.0001 x 2000"], Some("spread"));
}

#[test]
fn ticks_are_counted_through_a_band_boundary() {
    // clause: ST1/spread-ticks; table 01: up to 3,000 by 1, above by 5
    let day = day().of_type("A", "01").with("scheme.toml", "[types.A]\nmax_spread_ticks = 2\nmin_value = 300\n");
    check_whole_day(&day, &["1 B 2999 x 1", "2 S 3005 x 1"], None);
    check_whole_day(&day, &["1 B 2998 x 1", "2 S 3005 x 1"], Some("spread"));
    check_whole_day(&day, &["1 B 3000 x 1", "2 S 3010 x 1"], None);
    check_whole_day(&day, &["1 B 2999 x 1", "2 S 3010 x 1"], Some("spread"));
}

#[test]
fn off_the_grid_a_bid_counts_from_below_and_an_offer_to_above() {
    // clause: ST1/spread-ticks
    let day = day().with("scheme.toml", "[types.A]\nmax_spread_ticks = 2\nmin_value = 300\n");
    check_whole_day(&day, &["1 B 1000.9 x 1", "2 S 1002 x 1"], None);
    check_whole_day(&day, &["1 B 1000.9 x 1", "2 S 1002.1 x 1"], Some("spread"));
    check_whole_day(&day, &["1 B 999.9999 x 1", "2 S 1002 x 1"], Some("spread"));
    check_whole_day(&day, &["1 B 1000 x 1", "2 S 1001.1 x 1"], None);
}

#[test]
fn own_quotes_that_lock_or_cross_fulfil() {
    // clause: QC/own_crossed_quotes
    let day = day().with("scheme.toml", "[types.A]\nmax_spread_ticks = 0\nmin_value = 300\n");
    check_whole_day(&day, &["1 B 1000 x 1", "2 S 1000 x 1"], None);
    check_whole_day(&day, &["1 B 1001 x 1", "2 S 1000 x 1"], None);
    check_whole_day(&day, &["1 B 1000 x 1", "2 S 1001 x 1"], Some("spread"));
}

#[test]
fn windows_begin_at_their_first_and_end_before_their_last_instant() {
    // clause: ST1/continuous-auction
    day().check(
        "09:00:00.000000 VS1 add 1 B 100 x 300000
         09:00:00.000001 VS1 add 2 S 100 x 300000
         11:29:59.999999 cancel 1
         11:30:00.000000 VS1 add 3 B 100 x 300000
         15:00:00.000000 cancel 3",
        "09:00:00.000000 09:00:00.000001 no_offer
         11:29:59.999999 11:30:00.000000 no_bid",
    );
}

#[test]
fn the_sessions_grew_longer_on_2024_11_05() {
    // clause: ST1/continuous-auction
    on("2024-11-04").check_daily("", &[("general", 5 * 3600, 0)]);
    on("2024-11-05").check_daily("", &[("general", 5 * 3600 + 25 * 60, 0)]);
}

#[test]
fn events_of_one_instant_take_effect_together() {
    // clause: ST1/timestamps
    let quotes = "08:00:00.000000 VS1 add 1 B 100 x 300000
                  08:00:00.000000 VS1 add 2 S 100 x 300000\n";
    day().check(&format!("{quotes} 10:00:00.000000 cancel 1\n 10:00:00.000000 VS2 add 1 B 100 x 300000"), "");
    day().check(
        &format!("{quotes} 10:00:00.000000 cancel 1\n 10:00:00.000001 VS2 add 1 B 100 x 300000"),
        "10:00:00.000000 10:00:00.000001 no_bid",
    );
    // A halt begins with the cancel, whichever comes first in the file.
    day().check(&format!("{quotes} 14:00:00.000000 cancel 1\n 14:00:00.000000 phase halt"), "");
    day().check(&format!("{quotes} 14:00:00.000000 market halt\n 14:00:00.000000 cancel 1"), "");
}

#[test]
fn an_exemption_begins_at_its_first_and_ends_before_its_last_instant() {
    // clause: ST1/exemption
    let exempt = |rows: &str| day().with("exemptions.csv", &format!("issue,market_maker,from,to,reason\n{rows}"));
    let row = "1306,MM1,2024-03-01T10:00:00+09:00,2024-03-01T11:00:00.000001+09:00,underlying closed\n";
    exempt(row).check(
        "",
        "09:00:00.000000 10:00:00.000000 no_bid+no_offer
         11:00:00.000001 11:30:00.000000 no_bid+no_offer
         12:30:00.000000 15:00:00.000000 no_bid+no_offer",
    );
    exempt("*,,,,all day\n").check("", "");
    exempt("1306,,2024-02-29T10:00:00+09:00,,open end\n").check("", "");
    exempt("1306,,2024-03-01T14:00:00+09:00,,from then on\n").check(
        "",
        "09:00:00.000000 11:30:00.000000 no_bid+no_offer
         12:30:00.000000 14:00:00.000000 no_bid+no_offer",
    );
    exempt("*,,,2024-03-01T00:00:00+09:00,the day before\n").check_daily("", &[("general", 18_000, 0)]);
}

#[test]
fn halts_and_special_quotes_need_no_quote_and_sequential_quotes_do() {
    // clause: ST1/halts-and-special-quotes, QC/sequential_quote
    for (phase, available) in
        [("special_quote", false), ("halt", false), ("auction", false), ("closed", false), ("sequential_quote", true)]
    {
        for scope in ["phase", "market"] {
            let events = format!("10:00:00.000000 {scope} {phase}\n10:10:00.000000 {scope} continuous");
            let expected = if available { 18_000 } else { 17_400 };
            day().check_daily(&events, &[("general", expected, 0)]);
        }
    }
    let exempt = day().with("scheme.toml", "[interpretations]\nsequential_quote = \"exempt\"\n");
    let events = "10:00:00.000000 phase sequential_quote\n10:10:00.000000 phase continuous";
    exempt.check_daily(events, &[("general", 17_400, 0)]);
    // A change between trading phases ends no breach; one that stops trading does.
    let whole_day = "09:00:00.000000 11:30:00.000000 no_bid+no_offer\n12:30:00.000000 15:00:00.000000 no_bid+no_offer";
    day().check(events, whole_day);
    // The market's phase and the issue's hold each by itself.
    let events = "10:00:00.000000 phase halt
                  10:01:00.000000 market halt
                  10:02:00.000000 market continuous
                  10:10:00.000000 phase continuous";
    day().check_daily(events, &[("general", 17_400, 0)]);
}

#[test]
fn only_orders_that_can_trade_now_are_quotes() {
    // clause: QC/on_close_orders
    for (condition, is_quote) in [("on_open", false), ("on_close", false), ("funari", true), ("ioc", true)] {
        let quotes = [&*format!("1 B 100 x 300000 {condition}"), "2 S 100 x 300000"];
        check_whole_day(&day(), &quotes, (!is_quote).then_some("no_bid"));
    }
    check_whole_day(&day(), &["1 B - x 300000", "2 S 100 x 300000"], Some("no_bid"));
}

#[test]
fn quotes_of_all_servers_of_a_market_maker_add_up_and_no_others() {
    // clause: ST1/virtual-server-measuring
    let quotes = |server| {
        format!(
            "08:00:00.000000 VS1 add 1 B 100 x 150000
             08:00:00.000000 {server} add 2 B 100 x 150000
             08:00:00.000000 VS1 add 3 S 100 x 300000"
        )
    };
    let size = "09:00:00.000000 11:30:00.000000 bid_size\n12:30:00.000000 15:00:00.000000 bid_size";
    day().check(&quotes("VS2"), "");
    day().check(&quotes("VS9"), size);
    day().check(&quotes("-"), size);
    let dated = |from, to| {
        let text = format!("server,market_maker,participant,from,to\nVS1,MM1,,,\nVS2,MM1,,{from},{to}\n");
        day().with("virtual_servers.csv", &text)
    };
    dated("2024-03-01", "2024-03-01").check(&quotes("VS2"), "");
    dated("2024-03-02", "").check(&quotes("VS2"), size);
    dated("", "2024-02-29").check(&quotes("VS2"), size);
}

#[test]
fn quotes_count_through_the_participant_of_the_sign_up() {
    // clause: ST1/participant
    let quotes = "08:00:00.000000 VS1 add 1 B 100 x 300000\n08:00:00.000000 VS1 add 2 S 100 x 300000";
    let none = "09:00:00.000000 11:30:00.000000 no_bid+no_offer\n12:30:00.000000 15:00:00.000000 no_bid+no_offer";
    for (server, sign_up, counts) in
        [("", "", true), ("P1", "", true), ("", "P1", true), ("P1", "P1", true), ("P1", "P2", false)]
    {
        let day = day()
            .with("virtual_servers.csv", &format!("server,market_maker,participant\nVS1,MM1,{server}\n"))
            .with("signups.csv", &format!("market_maker,issue,participant\nMM1,1306,{sign_up}\n"));
        day.check(quotes, if counts { "" } else { none });
    }
}

#[test]
fn sign_ups_and_issues_are_in_force_from_their_first_to_their_last_date() {
    let general = [("general", 18_000, 0)];
    for (file, header) in [
        ("signups.csv", "market_maker,issue,from,to\nMM1,1306"),
        ("issues.csv", "issue,type,tick_table,from,to\n1306,A,01"),
    ] {
        for (from, to, measured) in [
            ("2024-03-01", "", true),
            ("2024-03-02", "", false),
            ("", "2024-03-01", true),
            ("", "2024-02-29", false),
            ("2024-03-01", "2024-03-01", true),
        ] {
            let day = day().with(file, &format!("{header},{from},{to}\n"));
            day.check_daily("", if measured { &general } else { &[] });
        }
    }
}

#[test]
fn a_type_change_in_mid_month_takes_effect_on_its_date() {
    let issues = "issue,type,tick_table,from,to\n1306,A,01,,2024-03-14\n1306,B,01,2024-03-15,\n";
    let quotes = ["1 B 100 x 300000", "2 S 103 x 300000"];
    check_whole_day(&on("2024-03-14").with("issues.csv", issues), &quotes, Some("spread"));
    check_whole_day(&on("2024-03-15").with("issues.csv", issues), &quotes, None);
}

#[test]
fn fast_market_widens_both_limits_for_the_whole_date() {
    // clause: ST1/fast-market
    let fast = |multiplier| {
        let text = format!("from,to,multiplier\n2024-03-01,2024-03-01,{multiplier}\n");
        move |date| on(date).with("fast_market.csv", &text)
    };
    let ticks = |ticks: u64| [String::from("1 B 100 x 300000"), format!("2 S {} x 300000", 100 + ticks)];
    // Table 03, tick 10: bid 29,940, offer 30,060 is 40 bps exactly; bid 29,880, offer 30,120 is 80.
    for (multiplier, limit, bid, offer) in [(2, 4, 29_940, 30_060), (4, 8, 29_880, 30_120)] {
        let [quotes, beyond] = [ticks(limit), ticks(limit + 1)];
        let quotes: Vec<&str> = quotes.iter().map(String::as_str).collect();
        let beyond: Vec<&str> = beyond.iter().map(String::as_str).collect();
        check_whole_day(&fast(multiplier)("2024-03-01"), &quotes, None);
        check_whole_day(&fast(multiplier)("2024-03-01"), &beyond, Some("spread"));
        check_whole_day(&fast(multiplier)("2024-02-29"), &quotes, Some("spread"));
        check_whole_day(&fast(multiplier)("2024-03-04"), &quotes, Some("spread"));
        let by_bps = |bid: u64| [format!("1 B {bid} x 2000"), format!("2 S {offer} x 2000")];
        let table_03 = fast(multiplier)("2024-03-01").of_type("A", "03");
        for (bid, reason) in [(bid, None), (bid - 1, Some("spread"))] {
            let quotes = by_bps(bid);
            check_whole_day(&table_03, &[&quotes[0], &quotes[1]], reason);
        }
    }
}

#[test]
fn conditions_are_measured_beside_general_each_under_its_own_limits() {
    // clause: ST1/sponsored-obligation, ST1/matching-obligation, ST1/fast-market
    let columns = "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy,from,to";
    let row = |date| {
        on(date)
            .with("sponsored.csv", &format!("{columns}\nS1,1306,,3,50000000,2024-03-01,2024-03-31\n"))
            .with("matching_funds.csv", &format!("{columns}\nM1,1306,25,,60000000,,\n"))
            .with("fast_market.csv", "from,to,multiplier\n2024-03-04,,2\n")
    };
    let quotes = |ticks: u64, shares: u64| {
        format!("08:00:00.000000 VS1 add 1 B 2000 x {shares}\n08:00:00.000000 VS1 add 2 S {} x {shares}", 2000 + ticks)
    };
    let all = 18_000;
    let check = |date, ticks, shares, general, matching, sponsored| {
        let expected = [("general", general), ("matching:M1", matching), ("sponsored:S1", sponsored)];
        let expected = expected.map(|(name, fulfilled)| (name, all, if fulfilled { all } else { 0 }));
        row(date).check_daily(&quotes(ticks, shares), &expected);
    };
    check("2024-03-01", 3, 30_000, true, true, true);
    check("2024-03-01", 3, 29_999, true, false, true);
    check("2024-03-01", 3, 24_999, true, false, false);
    check("2024-03-01", 5, 30_000, false, true, false);
    // On a Fast Market day the sponsored condition stays as it was.
    check("2024-03-04", 4, 30_000, true, true, false);
    check("2024-03-04", 8, 30_000, true, true, false);
    check("2024-03-04", 9, 30_000, false, true, false);
    check("2024-03-04", 11, 30_000, false, false, false);
    // Before it is in force a condition has no line.
    row("2024-02-29").check_daily(&quotes(3, 30_000), &[("general", all, all), ("matching:M1", all, all)]);
}

#[test]
fn a_matching_row_of_an_index_stands_for_its_issues() {
    // clause: ST1/matching-obligation
    let columns = "condition,index,issue,max_spread_ticks,min_value_jpy";
    for (index, rows, measured) in [
        ("TOPIX", "M1,TOPIX,,3,1", true),
        ("Nikkei 225", "M1,TOPIX,,3,1", false),
        ("Nikkei 225", "M1,TOPIX,1306,3,1", true),
    ] {
        let day = day()
            .with("issues.csv", &format!("issue,type,tick_table,index\n1306,A,01,{index}\n"))
            .with("matching_funds.csv", &format!("{columns}\n{rows}\n"));
        let expected = [("general", 18_000, 0), ("matching:M1", 18_000, 0)];
        day.check_daily("", if measured { &expected } else { &expected[..1] });
    }
}

#[test]
fn a_market_maker_who_sends_nothing_and_an_issue_without_events_are_measured() {
    let whole_day = "09:00:00.000000 11:30:00.000000 no_bid+no_offer\n12:30:00.000000 15:00:00.000000 no_bid+no_offer";
    day().check("", whole_day);
    day().check("08:00:00.000000 - add 1 B 100 x 300000\n08:00:00.000000 - add 2 S 100 x 300000", whole_day);
}

#[test]
fn trades_reduce_quotes_and_replaces_move_them() {
    day().check(
        "08:00:00.000000 VS1 add 1 B 100 x 300000
         08:00:00.000000 VS1 add 2 S 102 x 294118
         09:30:00.000000 trade 2 102 x 1
         09:31:00.000000 VS2 add 3 S 102 x 1
         10:00:00.000000 replace 2 103 x -
         10:01:00.000000 replace 2 102 x -
         10:30:00.000000 reduce 1 x 300000
         10:31:00.000000 VS1 add 1 B 100 x 300000
         13:00:00.000000 clear
         13:01:00.000000 VS1 add 1 B 100 x 300000",
        "09:30:00.000000 09:31:00.000000 offer_size
         10:00:00.000000 10:01:00.000000 spread
         10:30:00.000000 10:31:00.000000 no_bid
         13:00:00.000000 13:01:00.000000 no_bid+no_offer
         13:01:00.000000 15:00:00.000000 no_offer",
    );
}
