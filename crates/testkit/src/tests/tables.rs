//! Days worked out by hand, under the built-in scheme: 2024-03-01, continuous 09:00-11:30 and 12:30-15:00, so 18,000 s.

use crate::{Case, Outcome, measure};

const DATE: &str = "2024-03-01";
/// Both sides of type A's minimum, two ticks apart: obligation prices 102 and 104.
const BID: &str = "08:00:00 1306,add,1,,VS1,B,102,350000,,";
const OFFER_103: &str = "08:00:00 1306,add,2,,VS1,S,103,100000,,";
const OFFER_104: &str = "08:00:00 1306,add,3,,VS1,S,104,200000,,";

/// A registry of one market maker, one issue of the type, and the files that the test adds.
fn registry(kind: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let issues = format!("issue,type,tick_table\n1306,{kind},01\n");
    let files = [
        ("issues.csv", issues.as_str()),
        ("market_makers.csv", "market_maker\nMM1\n"),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\nVS2,MM1\n"),
        ("signups.csv", "market_maker,issue\nMM1,1306\n"),
    ];
    files.iter().chain(more).map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// Rows such as `09:00:00.000001 1306,add,1,,VS1,B,102,350000,,`.
fn case(registry: Vec<(String, String)>, rows: &[&str]) -> Case {
    let mut events = "time,issue,event,order,contra,server,side,price,quantity,condition,phase\n".to_owned();
    for row in rows {
        events += &match row.split_once(' ') {
            Some((time, fields)) => format!("{DATE}T{time}+09:00,{fields}\n"),
            None => format!("{row}\n"),
        };
    }
    Case { registry, events, date: Some(DATE.to_owned()), lenient: true, allow_gaps: false }
}

/// What was measured, as `available fulfilled unknown` in µs, then `start end reason` of each breach, then `reject <line>`.
fn result(case: &Case) -> Vec<String> {
    let Outcome::Measured { daily, breaches, rejects } = measure(case) else { return vec!["refused".to_owned()] };
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let clock = |time: &str| time[11..26].trim_end_matches(".000000").to_owned();
    let sums = daily.lines().skip(1).map(fields).map(|f| format!("{} {} {}", f[4], f[5], f[6]));
    let stretches = breaches.lines().skip(1).map(fields).map(|f| format!("{} {} {}", clock(&f[4]), clock(&f[5]), f[7]));
    sums.chain(stretches).chain(rejects.iter().map(|line| format!("reject {line}"))).collect()
}

/// Under type A and the built-in scheme.
fn check(rows: &[&str], expected: &[&str]) {
    assert_eq!(result(&case(registry("A", &[]), rows)), expected);
}

/// A quote from 08:00 on, and then these.
fn check_quoted(rows: &[&str], expected: &[&str]) {
    let rows: Vec<&str> = [BID, OFFER_103, OFFER_104].into_iter().chain(rows.iter().copied()).collect();
    check(&rows, expected);
}

/// One bid and one offer in a scheme with these limits and table `01`; whether it is fulfilled.
fn fulfilled(limits: &str, table: &str, bid: &str, offer: &str, quantity: &str) -> bool {
    let toml = format!("[types.T]\n{limits}\n[tick_tables]\n\"01\" = {table}\n");
    let rows = [("1", "B", bid), ("2", "S", offer)]
        .map(|(order, side, price)| format!("08:00:00 1306,add,{order},,VS1,{side},{price},{quantity},,"));
    let case = case(registry("T", &[("scheme.toml", &toml)]), &rows.each_ref().map(String::as_str));
    match result(&case)[0].as_str() {
        "18000000000 18000000000 0" => true,
        "18000000000 0 0" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn the_quote_display_sample_is_fulfilled_by_ticks() {
    check_quoted(&[], &["18000000000 18000000000 0"]);
}

#[test]
fn one_share_less_than_the_sample_needs_moves_the_obligation_price_outward() {
    // 100,000 at 103 and 189,423 at 104 make 29,999,992 yen; one share more makes 30,000,096.
    let small = "08:00:00 1306,add,3,,VS1,S,104,189423,,";
    let enough = "08:00:00 1306,add,3,,VS1,S,104,189424,,";
    check(
        &[BID, OFFER_103, small],
        &["18000000000 0 0", "09:00:00 11:30:00 offer_size", "12:30:00 15:00:00 offer_size"],
    );
    check(&[BID, OFFER_103, enough], &["18000000000 18000000000 0"]);
    // The next level is needed then, and it is a tick too far.
    let further = "08:00:00 1306,add,4,,VS1,S,105,1,,";
    check(
        &[BID, OFFER_103, small, further],
        &["18000000000 0 0", "09:00:00 11:30:00 spread", "12:30:00 15:00:00 spread"],
    );
}

#[test]
fn several_servers_add_up_and_strangers_do_not() {
    let other_server = "08:00:00 1306,add,3,,VS2,S,104,200000,,";
    let stranger = "10:00:00 1306,replace,3,4,,,,,,";
    check(&[BID, OFFER_103, other_server, stranger], &["18000000000 18000000000 0"]);
    let unregistered = "08:00:00 1306,add,3,,VS9,S,104,200000,,";
    check(
        &[BID, OFFER_103, unregistered],
        &["18000000000 0 0", "09:00:00 11:30:00 offer_size", "12:30:00 15:00:00 offer_size"],
    );
}

#[test]
fn both_sides_have_their_reasons_bid_first() {
    check(
        &["10:00:00 1306,add,1,,VS1,B,102,1,,", "13:00:00 1306,add,2,,VS1,S,104,1,on_open,"],
        &[
            "18000000000 0 0",
            "09:00:00 10:00:00 no_bid+no_offer",
            "10:00:00 11:30:00 bid_size+no_offer",
            "12:30:00 15:00:00 bid_size+no_offer",
        ],
    );
}

#[test]
fn events_of_one_time_take_effect_together() {
    check_quoted(
        &["10:00:00.000000 1306,cancel,1,,,,,,,", "10:00:00.000000999 1306,add,1,,VS1,B,102,350000,,"],
        &["18000000000 18000000000 0"],
    );
    check_quoted(
        &["10:00:00.000000 1306,cancel,1,,,,,,,", "10:00:00.000001 1306,add,1,,VS1,B,102,350000,,"],
        &["18000000000 17999999999 0", "10:00:00 10:00:00.000001 no_bid"],
    );
}

#[test]
fn phases_and_exemptions_take_time_away() {
    check_quoted(
        &[
            "10:00:00 1306,phase,,,,,,,,special_quote",
            "10:00:10 *,phase,,,,,,,,halt",
            "10:00:20 1306,phase,,,,,,,,sequential_quote",
            "10:00:30 *,phase,,,,,,,,continuous",
        ],
        &["17970000000 17970000000 0"],
    );
    let exemptions = "issue,market_maker,from,to\n*,,2024-03-01T14:59:59+09:00,\n1306,MM1,,2024-03-01T00:00:00.5Z\n";
    let case = case(registry("A", &[("exemptions.csv", exemptions)]), &[]);
    assert_eq!(
        result(&case),
        ["17998500000 0 0", "09:00:00.500000 11:30:00 no_bid+no_offer", "12:30:00 14:59:59 no_bid+no_offer"]
    );
}

#[test]
fn a_breach_goes_on_through_a_change_between_trading_phases() {
    check(
        &["10:00:00 1306,phase,,,,,,,,sequential_quote"],
        &["18000000000 0 0", "09:00:00 11:30:00 no_bid+no_offer", "12:30:00 15:00:00 no_bid+no_offer"],
    );
}

#[test]
fn spread_limits_are_inclusive() {
    let one = r#"[["above", "1"]]"#;
    // (offer - bid) × 20,000 <= bps × (offer + bid): 995 and 1,005 are 100 bps apart.
    assert!(fulfilled("max_spread_bps = 100\nmin_value = 1", one, "995", "1005", "1"));
    assert!(!fulfilled("max_spread_bps = 100\nmin_value = 1", one, "995", "1005.0001", "1"));
    assert!(!fulfilled("max_spread_bps = \"99.9999\"\nmin_value = 1", one, "995", "1005", "1"));
    assert!(fulfilled("max_spread_ticks = 2\nmin_value = 1", one, "102", "104", "1"));
    assert!(!fulfilled("max_spread_ticks = 2\nmin_value = 1", one, "102", "105", "1"));
    // Locked and crossed.
    assert!(fulfilled("max_spread_ticks = 1\nmin_value = 1", one, "102", "102", "1"));
    assert!(fulfilled("max_spread_ticks = 1\nmin_value = 1", one, "109", "102", "1"));
}

#[test]
fn ticks_count_through_bands_and_from_the_grid() {
    let bands = r#"[[3000, "1"], ["above", "5"]]"#;
    let ticks = |count: u32| format!("max_spread_ticks = {count}\nmin_value = 1");
    // 2,999 to 3,000 is a tick, 3,000 to 3,005 another.
    assert!(fulfilled(&ticks(2), bands, "2999", "3005", "1"));
    assert!(!fulfilled(&ticks(1), bands, "2999", "3005", "1"));
    // 2,998.5 counts from 2,998, and 3,000.1 from 3,005.
    assert!(fulfilled(&ticks(3), bands, "2998.5", "3000.1", "1"));
    assert!(!fulfilled(&ticks(2), bands, "2998.5", "3000.1", "1"));
    // Below the first tick is 0.
    assert!(fulfilled(&ticks(1), bands, "0.5", "1", "10"));
}

#[test]
fn value_and_quantity_must_both_be_reached() {
    let one = r#"[["above", "1"]]"#;
    assert!(fulfilled("max_spread_ticks = 2\nmin_value = 1000\nmin_quantity = 10", one, "100", "101", "10"));
    assert!(!fulfilled("max_spread_ticks = 2\nmin_value = 1001\nmin_quantity = 10", one, "100", "101", "10"));
    assert!(!fulfilled("max_spread_ticks = 2\nmin_value = 1000\nmin_quantity = 11", one, "100", "101", "10"));
}

#[test]
fn fast_market_widens_general_and_matching_but_not_sponsored() {
    let condition = "condition,issue,max_spread_ticks,min_value_jpy\nX,1306,2,30000000\n";
    let more = [
        ("fast_market.csv", "from,to,multiplier\n2024-03-01,2024-03-01,2\n"),
        ("sponsored.csv", condition),
        ("matching_funds.csv", condition),
    ];
    let wider = "08:00:00 1306,add,3,,VS1,S,106,300000,,";
    let all = result(&case(registry("A", &more), &[BID, wider]));
    assert_eq!(all[..3], ["18000000000 18000000000 0", "18000000000 18000000000 0", "18000000000 0 0"]);
}

#[test]
fn a_malformed_record_puts_its_issue_in_doubt_until_the_next_clear() {
    check_quoted(
        &[
            "10:00:00 1306,add,9,,VS1,B,1.,1,,",
            "10:30:00 1307,clear,,,,,,,,",
            "11:00:00 1306,clear,,,,,,,,",
            "11:00:00 1306,add,1,,VS1,B,102,350000,,",
            "11:00:00 1306,add,2,,VS1,S,104,300000,,",
        ],
        &["14400000000 14400000000 3600000000", "reject 5"],
    );
    // The doubt is of another issue.
    check_quoted(&["10:00:00 1307,add,9,,VS1,B,1.,1,,"], &["18000000000 18000000000 0", "reject 5"]);
    // It names none: every issue, until `*`.
    check_quoted(
        &["10:00:00 13 07,add,9,,VS1,B,1,1,,", "11:00:00 *,clear,,,,,,,,"],
        &[
            "14400000000 3600000000 3600000000",
            "11:00:00 11:30:00 no_bid+no_offer",
            "12:30:00 15:00:00 no_bid+no_offer",
            "reject 5",
        ],
    );
}

#[test]
fn an_unreadable_time_doubts_from_the_last_good_one() {
    check_quoted(
        &["10:00:00 1307,clear,,,,,,,,", "no-time,1306,cancel,1,,,,,,,", "11:29:00 1306,clear,,,,,,,,"],
        &[
            "12660000000 3600000000 5340000000",
            "11:29:00 11:30:00 no_bid+no_offer",
            "12:30:00 15:00:00 no_bid+no_offer",
            "reject 6",
        ],
    );
    // A blank line too, and it names no issue.
    check_quoted(&["14:00:00 1307,clear,,,,,,,,", ""], &["14400000000 14400000000 3600000000", "reject 6"]);
}

#[test]
fn a_backwards_record_doubts_from_its_own_time_until_a_clear_after_it_in_the_file() {
    check_quoted(
        &[
            "09:30:00 1306,clear,,,,,,,,",
            "10:00:00 1306,add,1,,VS1,B,102,350000,,",
            "09:15:00 1306,cancel,1,,,,,,,",
            "10:00:00 *,clear,,,,,,,,",
            "10:00:00 1306,add,1,,VS1,B,102,350000,,",
            "10:00:00 1306,add,2,,VS1,S,104,350000,,",
        ],
        &["15300000000 15300000000 2700000000", "reject 7"],
    );
}

#[test]
fn another_date_doubts_from_the_last_good_time() {
    for date in ["2024-02-29T10:00:00+09:00", "2024-03-02T00:00:00+09:00", "2031-03-02T00:00:00+09:00"] {
        let bad = format!("{date},1306,cancel,1,,,,,,,");
        check_quoted(&[&bad], &["0 0 18000000000", "reject 5"]);
        // At a record's time, of whatever issue, good or bad.
        for last in ["10:00:00 1307,clear,,,,,,,,", "10:00:00 1307,cancel,9,,,,,,,"] {
            let rejects: &[&str] = if last.contains("cancel") { &["reject 5", "reject 6"] } else { &["reject 6"] };
            let expected = [&["3600000000 3600000000 14400000000"], rejects].concat();
            check_quoted(&[last, &bad, "10:30:00 1307,clear,,,,,,,,"], &expected);
        }
    }
    // The day's last instant is of this date.
    check_quoted(&["23:59:59.999999 1306,cancel,9,,,,,,,"], &["18000000000 18000000000 0", "reject 5"]);
}

#[test]
fn what_does_not_fit_the_book_is_set_aside_whole() {
    for bad in [
        "10:00:00 1306,add,1,,VS1,B,102,1,,",
        "10:00:00 1306,cancel,9,,,,,,,",
        "10:00:00 1306,reduce,1,,,,,350001,,",
        "10:00:00 1306,trade,1,9,,,102,1,,",
        "10:00:00 1306,trade,1,1,,,102,1,,",
        "10:00:00 1306,trade,1,2,,,102,100001,,",
        "10:00:00 1306,replace,1,2,,,,,,",
    ] {
        check_quoted(&[bad], &["3600000000 3600000000 14400000000", "reject 5"]);
    }
}

/// The quote's three records and these, numbered by the words before the times.
fn numbered(rows: &[(&str, &str)], allow_gaps: bool) -> Vec<String> {
    let quote = [("1", BID), ("2", OFFER_103), ("3", OFFER_104)];
    let rows: Vec<(&str, &str)> = quote.into_iter().chain(rows.iter().copied()).collect();
    let mut case = case(registry("A", &[]), &rows.iter().map(|(_, row)| *row).collect::<Vec<_>>());
    let numbers = ["seq"].into_iter().chain(rows.iter().map(|(number, _)| *number));
    case.events = case.events.lines().zip(numbers).map(|(line, number)| format!("{number},{line}\n")).collect();
    result(&Case { allow_gaps, ..case })
}

#[test]
fn after_a_gap_every_issue_is_in_doubt_and_the_record_is_applied() {
    let clear = ("5", "10:00:00 1306,clear,,,,,,,,");
    let bid = ("6", "10:00:00 1306,add,1,,VS1,B,102,350000,,");
    let offer = ("7", "10:00:00 1306,add,2,,VS1,S,104,350000,,");
    // The record with the gap is itself the clear: in doubt is what was before it.
    assert_eq!(numbered(&[clear, bid, offer], false), ["14400000000 14400000000 3600000000", "reject 5"]);
    // From the last record before it, which was at 8:00.
    assert_eq!(numbered(&[("5", "10:00:00 1307,clear,,,,,,,,")], false), ["0 0 18000000000", "reject 5"]);
    // That may be of another issue, and bad.
    for before in ["10:00:00 1307,clear,,,,,,,,", "10:00:00 1307,cancel,1,,,,,,,"] {
        let rejects: &[&str] = if before.contains("cancel") { &["reject 5", "reject 6"] } else { &["reject 6"] };
        assert_eq!(
            numbered(&[("4", before), ("6", "14:59:00 1307,clear,,,,,,,,")], false),
            [&["3600000000 3600000000 14400000000"], rejects].concat()
        );
    }
    // A record that goes back tells no time, also where it has the gap itself.
    assert_eq!(
        numbered(&[("4", "10:00:00 1307,clear,,,,,,,,"), ("6", "09:15:00 1306,clear,,,,,,,,")], false),
        ["900000000 900000000 17100000000", "reject 6"]
    );
    assert_eq!(
        numbered(&[("4", "10:00:00 1307,clear,,,,,,,,"), ("6", "09:15:00 1307,clear,,,,,,,,")], false),
        ["3600000000 3600000000 14400000000", "reject 6"]
    );
    assert_eq!(numbered(&[("5", "10:00:00 1307,clear,,,,,,,,")], true), ["18000000000 18000000000 0"]);
    // Applied, so that its order is known later.
    let add = ("9", "10:00:00 1306,add,7,,VS1,B,90,1,,");
    assert_eq!(numbered(&[add, ("10", "10:00:00 1306,cancel,7,,,,,,,")], false), ["0 0 18000000000", "reject 5"]);
}

#[test]
fn a_repeat_is_set_aside_and_an_unreadable_number_may_have_taken_one() {
    let other = "10:00:00 1307,clear,,,,,,,,";
    assert_eq!(
        numbered(&[("3", "10:00:00 1306,cancel,1,,,,,,,"), ("4", other)], false),
        ["3600000000 3600000000 14400000000", "reject 5"]
    );
    assert_eq!(numbered(&[("x", other), ("5", other)], false), ["18000000000 18000000000 0", "reject 5"]);
    assert_eq!(numbered(&[("x", other), ("4", other)], false), ["18000000000 18000000000 0", "reject 5"]);
    assert_eq!(
        numbered(&[("x", other), ("6", other)], false),
        ["3600000000 3600000000 14400000000", "reject 5", "reject 6"]
    );
}

#[test]
fn a_strict_run_names_the_line() {
    let mut bad = case(registry("A", &[]), &[BID, "10:00:00 1306,cancel,9,,,,,,,"]);
    bad.lenient = false;
    assert_eq!(measure(&bad), Outcome::Refused { line: Some(3) });
    let nothing = Case { date: None, ..case(registry("A", &[]), &[]) };
    assert_eq!(measure(&nothing), Outcome::Refused { line: None });
}

/// One bid and one offer of these sizes in a scheme with these limits; the reason of the breach, or nothing.
fn reason(limits: &str, bid: (&str, u64), offer: (&str, u64)) -> String {
    let toml = format!("[types.T]\n{limits}\n");
    let order = |order: u8, side: &str, (price, shares): (&str, u64)| {
        (shares != 0).then(|| format!("08:00:00 1306,add,{order},,VS1,{side},{price},{shares},,"))
    };
    let rows: Vec<String> = [order(1, "B", bid), order(2, "S", offer)].into_iter().flatten().collect();
    let mut files = registry("T", &[("scheme.toml", &toml)]);
    files[0].1 = "issue,type,tick_table,max_spread_bps,min_value,reference_price\n1306,T,01,50,1000,102\n".to_owned();
    let lines = result(&case(files, &rows.iter().map(String::as_str).collect::<Vec<_>>()));
    lines.get(1).map_or(String::new(), |line| line.rsplit(' ').next().unwrap_or_default().to_owned())
}

#[test]
fn limits_of_other_venues_hold_at_their_bound_and_not_beyond() {
    fn offer(limits: &str, bid: &str, shares: u64, offer: &str, more: u64) -> String {
        reason(limits, (bid, shares), (offer, more))
    }
    // 3 % of the offer: 97 and 100; of the bid: 100 and 103; of the mid 98.5 and 101.5.
    let of = |base: &str| format!("max_spread_bps = 300\nspread_base = \"{base}\"\nmin_quantity = 5\n");
    for (base, bid, at, beyond) in
        [("offer", "97", "100", "100.0001"), ("bid", "100", "103", "103.0001"), ("mid", "98.5", "101.5", "101.5001")]
    {
        assert_eq!(offer(&of(base), bid, 5, at, 5), "", "{base}");
        assert_eq!(offer(&of(base), bid, 5, beyond, 5), "spread", "{base}");
    }
    // 5 units, or a value of 500.
    let any = "max_spread_abs = 1\nmin_quantity = 6\nmin_value = 500\nsize_rule = \"any\"\n";
    assert_eq!([offer(any, "100", 5, "101", 5), offer(any, "100", 6, "100", 5)], ["", ""]);
    assert_eq!([offer(any, "99.9999", 5, "100", 5), offer(any, "10", 6, "11", 6)], ["bid_size", ""]);
    assert_eq!([offer(any, "100", 5, "101.0001", 5), offer(any, "100", 5, "101", 4)], ["spread", "offer_size"]);
    // 50 and 100 differ by half of the larger; 50 and 101 by more.
    let balance = "max_spread_abs = 1\nmin_quantity = 50\nmax_size_divergence_pct = 50\n";
    assert_eq!([offer(balance, "100", 50, "101", 100), offer(balance, "100", 100, "101", 50)], ["", ""]);
    assert_eq!(offer(balance, "100", 50, "101", 101), "size_balance");
    assert_eq!(offer(balance, "100", 50, "102", 101), "spread", "the spread comes first");
    let either = "max_spread_abs = 1\nmin_quantity = 50\nsides = \"either\"\nmax_size_divergence_pct = 50\n";
    assert_eq!([offer(either, "100", 50, "", 0), offer(either, "100", 49, "105", 50)], ["", ""]);
    assert_eq!([offer(either, "100", 49, "", 0), offer(either, "100", 50, "105", 50)], ["bid_size+no_offer", "spread"]);
    let bands = "bands = [{ up_to = 100, max_spread_abs = 3 }, { max_spread_abs = 1 }]\nmin_quantity = 1\n";
    assert_eq!([offer(bands, "100", 1, "103", 1), offer(bands, "100", 1, "103.0001", 1)], ["", "spread"]);
    assert_eq!([offer(bands, "100.0001", 1, "101.0001", 1), offer(bands, "100.0001", 1, "102", 1)], ["", "spread"]);
    // 1,000 by 102 are 9.8: 10 shares; by 100 10, by 101 9.9, by 99 10.1.
    let value = |at| format!("limits_from = \"issue\"\nmin_quantity_from_value = \"{at}\"\nmax_spread_abs = 5\n");
    assert_eq!(offer(&value("reference"), "99", 10, "100", 10), "");
    assert_eq!(offer(&value("reference"), "99", 9, "100", 10), "bid_size");
    assert_eq!(
        [offer(&value("side"), "100", 10, "101", 10), offer(&value("side"), "99", 10, "100", 10)],
        ["", "bid_size"]
    );
    assert_eq!(offer(&value("side"), "99", 11, "100", 10), "");
}
