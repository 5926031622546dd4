//! What is traded and sent: the rules as tables, and the sums of generated days against a second, plain implementation
//! that reads the same events as text.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use proptest::prelude::*;
use quoteclock_model::{
    Amount, ByCounterparty, Counterparty, DayTurnover, Executed, IssueCode, MarketTurnover, Phase, Span, Timestamp,
    Trading, Turnover,
};
use quoteclock_rules::{CounterpartyMarketMaker, DayPlan, PhaseSource, SelfTrades};
use quoteclock_testkit::{Case, generate};
use std::collections::{BTreeMap, BTreeSet};

/// An order as the plain implementation keeps it.
#[derive(Clone)]
struct Order {
    server: String,
    quantity: u128,
}

/// The sums of a day, from its text.
fn plain(case: &Case, plan: &DayPlan) -> DayTurnover {
    let text = case.events.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut lines = text.split('\n').filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut orders: BTreeMap<(String, u64), Order> = BTreeMap::new();
    // Live before a clear, and not back yet.
    let mut awaited: BTreeSet<(String, u64)> = BTreeSet::new();
    let mut phases: BTreeMap<String, String> = BTreeMap::new();
    let market_start = if plan.phase_source == PhaseSource::Feed { "closed" } else { "continuous" };
    let mut sums = DayTurnover { sign_ups: vec![Turnover::default(); plan.sign_ups.len()], ..DayTurnover::default() };
    for sign_up in &plan.sign_ups {
        sums.issues.insert(sign_up.issue.clone(), MarketTurnover::default());
    }
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let get = |name: &str| header.iter().position(|column| *column == name).map_or("", |at| fields[at]);
        let issue = get("issue").to_owned();
        let own = |server: &str| {
            plan.sign_ups.iter().position(|sign_up| {
                sign_up.issue.as_str() == issue && sign_up.servers.iter().any(|&at| plan.servers[at].name == server)
            })
        };
        let number = |name: &str| get(name).parse::<u64>().unwrap();
        match get("event") {
            "add" => {
                let server = get("server").to_owned();
                let is_new = !awaited.remove(&(issue.clone(), number("order")));
                if let Some(sign_up) = own(&server) {
                    sums.sign_ups[sign_up].order_count += u64::from(is_new);
                }
                orders.insert((issue, number("order")), Order { server, quantity: number("quantity").into() });
            }
            "replace" => {
                let mut order = orders.remove(&(issue.clone(), number("order"))).unwrap();
                if let Some(sign_up) = own(&order.server) {
                    sums.sign_ups[sign_up].order_count += 1;
                }
                if !get("quantity").is_empty() {
                    order.quantity = number("quantity").into();
                }
                let id = if get("contra").is_empty() { number("order") } else { number("contra") };
                awaited.remove(&(issue.clone(), id));
                orders.insert((issue, id), order);
            }
            "reduce" => take(&mut orders, &issue, number("order"), number("quantity").into()),
            "cancel" => drop(orders.remove(&(issue, number("order")))),
            "phase" => drop(phases.insert(issue, get("phase").to_owned())),
            "clear" => {
                awaited.extend(orders.keys().filter(|(of, _)| issue == "*" || *of == issue).cloned());
                orders.retain(|(of, _), _| issue != "*" && *of != issue);
            }
            "trade" => {
                let trades = |scope: &str, start: &str| match phases.get(scope).map_or(start, String::as_str) {
                    "continuous" => true,
                    "sequential_quote" => plan.trading.phases.contains(Phase::SequentialQuote),
                    _ => false,
                };
                let micros = get("time").parse::<jiff::Timestamp>().unwrap().as_microsecond();
                let at = Timestamp::from_micros(micros);
                let in_session = plan.sessions().iter().any(|session: &Span| session.contains(at));
                let continuous = in_session && trades("*", market_start) && trades(&issue, "continuous");
                let continuous = continuous && get("phase") != "auction";
                let trading = if continuous { Trading::Continuous } else { Trading::Auction };
                let quantity = u128::from(number("quantity"));
                let executed = Executed { value: Amount(price(get("price")) * quantity), quantity };
                *sums.issues.entry(IssueCode::new(issue.as_bytes()).unwrap()).or_default().of_mut(trading) += executed;
                let named: Vec<u64> =
                    ["order", "contra"].iter().filter(|name| !get(name).is_empty()).map(|name| number(name)).collect();
                let servers: Vec<String> =
                    named.iter().map(|id| orders[&(issue.clone(), *id)].server.clone()).collect();
                for (position, server) in servers.iter().enumerate() {
                    let Some(sign_up) = own(server) else { continue };
                    let maker = |server: &String| {
                        let of = plan.servers.iter().find(|of| of.name == *server)?;
                        let signed = |other: &&quoteclock_rules::SignUpPlan| {
                            let issues = match plan.counterparty_market_maker {
                                CounterpartyMarketMaker::SignedUpForIssue => other.issue.as_str() == issue,
                                CounterpartyMarketMaker::Any => true,
                            };
                            issues && other.market_maker == of.market_maker
                        };
                        plan.sign_ups.iter().find(signed).map(|other| other.market_maker.clone())
                    };
                    let counterparty = match servers.get(1 - position) {
                        None => Counterparty::Unnamed,
                        Some(other) => match maker(other) {
                            Some(other) if other != plan.sign_ups[sign_up].market_maker => Counterparty::MarketMaker,
                            Some(_) if plan.self_trades == SelfTrades::MarketMaker => Counterparty::MarketMaker,
                            _ => Counterparty::Other,
                        },
                    };
                    *sums.sign_ups[sign_up].of_mut(trading).of_mut(counterparty) += executed;
                }
                for id in named {
                    take(&mut orders, &issue, id, quantity);
                }
            }
            event => panic!("{event}"),
        }
    }
    sums
}

fn take(orders: &mut BTreeMap<(String, u64), Order>, issue: &str, id: u64, quantity: u128) {
    let key = (issue.to_owned(), id);
    let order = orders.get_mut(&key).unwrap();
    order.quantity -= quantity;
    if order.quantity == 0 {
        orders.remove(&key);
    }
}

/// Ten-thousandths.
fn price(text: &str) -> u128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    whole.parse::<u128>().unwrap() * 10_000 + format!("{part:0<4}").parse::<u128>().unwrap()
}

fn config() -> ProptestConfig {
    let cases = std::env::var("QUOTECLOCK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000);
    ProptestConfig { cases, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_sums_of_a_good_day_are_those_of_a_plain_reading(case in generate::day()) {
        let (plan, turnover) = support::turnover(&case).expect("a good day");
        prop_assert_eq!(turnover, plain(&case, &plan));
    }
}

/// MM1 through VS1, MM2 through VS2 (participant P2) and VS3 (P3), signed up for 1306 with P2; MM3 through VS4, signed up
/// for 1321 only. Continuous 09:00 to 10:00.
fn day(interpretations: &str, records: &[&str]) -> (DayTurnover, DayTurnover) {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let header = "time,issue,event,order,contra,server,side,price,quantity,condition,phase\n";
    let lines = records.iter().map(|record| format!("2024-03-01T{record}\n"));
    let case = Case {
        registry: vec![
            file(
                "scheme.toml",
                &format!(
                    "name = \"test\"\nversion = \"1\"\ntimezone = \"Asia/Tokyo\"\n[[sessions]]\nfrom = \"2015-01-01\"\n\
                     continuous = [\"09:00-10:00\"]\n[types.T]\nmax_spread_bps = 100\nmax_spread_ticks = 3\n\
                     min_value = 300\n[tick_tables]\nyen = [[\"above\", \"1\"]]\n[interpretations]\n{interpretations}\n"
                ),
            ),
            file("issues.csv", "issue,type,tick_table\n1306,T,yen\n1321,T,yen\n"),
            file("market_makers.csv", "market_maker\nMM1\nMM2\nMM3\n"),
            file(
                "virtual_servers.csv",
                "server,market_maker,participant\nVS1,MM1,\nVS2,MM2,P2\nVS3,MM2,P3\nVS4,MM3,\n",
            ),
            file("signups.csv", "market_maker,issue,participant\nMM1,1306,\nMM2,1306,P2\nMM3,1321,\n"),
            file("exemptions.csv", "issue,market_maker,from,to,reason\n1306,MM1,,,\n"),
        ],
        events: std::iter::once(header.to_owned()).chain(lines).collect(),
        date: Some("2024-03-01".to_owned()),
        lenient: false,
        allow_gaps: false,
    };
    let (plan, turnover) = support::turnover(&case).expect("a good day");
    let plain = plain(&case, &plan);
    (turnover, plain)
}

fn executed(yen: u128, quantity: u128) -> Executed {
    Executed { value: Amount(yen * 10_000), quantity }
}

/// Orders of everybody at 100, 50 shares each: 1 MM1, 2 MM2, 3 MM2 through the other participant, 4 MM3, 5 nobody, 6 MM1.
const ORDERS: [&str; 6] = [
    "08:00:00+09:00,1306,add,1,,VS1,B,100,50,,",
    "08:00:00+09:00,1306,add,2,,VS2,S,100,50,on_close,",
    "08:00:00+09:00,1306,add,3,,VS3,S,100,50,,",
    "08:00:00+09:00,1306,add,4,,VS4,S,100,50,,",
    "08:00:00+09:00,1306,add,5,,,S,100,50,,",
    "08:00:00+09:00,1306,add,6,,VS1,S,,50,,",
];

fn with(records: &[&str]) -> DayTurnover {
    with_interpretations("", records)
}

fn with_interpretations(interpretations: &str, records: &[&str]) -> DayTurnover {
    let (turnover, plain) = day(interpretations, &[&ORDERS, records].concat());
    assert_eq!(turnover, plain);
    turnover
}

// clause: QC/unnamed_counterparty
// clause: ST1/trading-value
#[test]
fn a_counterparty_is_a_market_maker_signed_up_for_the_issue_or_it_is_not() {
    for (trade, expected) in [
        ("1,2", Counterparty::MarketMaker),
        ("2,1", Counterparty::MarketMaker),
        // Another participant's server of a market maker that is signed up.
        ("1,3", Counterparty::MarketMaker),
        // A market maker, but not of this issue.
        ("1,4", Counterparty::Other),
        ("5,1", Counterparty::Other),
        ("1,", Counterparty::Unnamed),
        (",1", Counterparty::Unnamed),
    ] {
        let turnover = with(&[&format!("09:30:00+09:00,1306,trade,{trade},,,99.5,20,,")]);
        let mut by = ByCounterparty::default();
        *by.of_mut(expected) = executed(1_990, 20);
        assert_eq!(turnover.sign_ups[0], Turnover { continuous: by, order_count: 2, ..Turnover::default() }, "{trade}");
        let issue = IssueCode::new(b"1306").unwrap();
        assert_eq!(turnover.issues[&issue].continuous, executed(1_990, 20), "the market's trade counts once");
    }
    // MM2 through a server that does not serve its sign-up: nothing of MM2's.
    let turnover = with(&["09:30:00+09:00,1306,trade,3,5,,,100,20,,"]);
    assert_eq!(turnover.sign_ups[1], Turnover { order_count: 1, ..Turnover::default() });
    // No order named: the market's alone.
    let turnover = with(&["09:30:00+09:00,1306,trade,,,,,100,20,,"]);
    assert_eq!(turnover.sign_ups[0], Turnover { order_count: 2, ..Turnover::default() });
    assert_eq!(turnover.issues[&IssueCode::new(b"1306").unwrap()].continuous, executed(2_000, 20));
}

// clause: QC/self_trades
#[test]
fn a_market_maker_that_trades_with_itself_trades_with_a_market_maker_unless_it_is_said_otherwise() {
    let trade = "09:30:00+09:00,1306,trade,1,6,,,100,20,,";
    let of = |interpretations: &str, records: &[&str], sign_up: usize| {
        with_interpretations(interpretations, records).sign_ups[sign_up].continuous
    };
    // Both sides count.
    for (interpretations, market_maker) in
        [("", true), ("self_trades = \"market_maker\"", true), ("self_trades = \"other\"", false)]
    {
        let expected = if market_maker { Counterparty::MarketMaker } else { Counterparty::Other };
        let mut by = ByCounterparty::default();
        *by.of_mut(expected) = executed(4_000, 40);
        assert_eq!(of(interpretations, &[trade], 0), by, "{interpretations}");
        // Through another participant's server it is itself, too; that order is nobody's own.
        let mut by = ByCounterparty::default();
        *by.of_mut(expected) = executed(2_000, 20);
        let through_another = "09:30:00+09:00,1306,trade,2,3,,,100,20,,";
        assert_eq!(of(interpretations, &[through_another], 1), by, "{interpretations}");
    }
    // Another market maker is one all the same.
    let turnover = of("self_trades = \"other\"", &["09:30:00+09:00,1306,trade,1,2,,,100,20,,"], 0);
    assert_eq!(turnover.market_maker, executed(2_000, 20));
}

// clause: QC/counterparty_market_maker
#[test]
fn any_signed_up_market_maker_is_one_if_it_is_said_so() {
    let any = "counterparty_market_maker = \"any\"";
    for (interpretations, trade, market_maker) in [
        ("", "1,4", false),
        (any, "1,4", true),
        (any, "1,2", true),
        (any, "1,6", true),
        (any, "1,5", false),
        ("counterparty_market_maker = \"any\"\nself_trades = \"other\"", "1,6", false),
    ] {
        let turnover =
            with_interpretations(interpretations, &[&format!("09:30:00+09:00,1306,trade,{trade},,,100,20,,")]);
        let by = turnover.sign_ups[0].continuous;
        assert_eq!(by.market_maker != Executed::default(), market_maker, "{interpretations} {trade}");
        assert_eq!(by.other != Executed::default(), !market_maker, "{interpretations} {trade}");
    }
}

// clause: QC/auction_trades
#[test]
fn an_auction_is_what_is_marked_or_outside_continuous_trading_whoever_is_exempt() {
    let trade = |time: &str, mark: &str| format!("{time}+09:00,1306,trade,1,2,,,100,20,,{mark}");
    let phase = |time: &str, scope: &str, phase: &str| format!("{time}+09:00,{scope},phase,,,,,,,,{phase}");
    let is_continuous = |records: &[String]| {
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        with(&records).sign_ups[0].continuous.market_maker == executed(2_000, 20)
    };
    // MM1 is exempt all day: that is no matter here.
    for (time, expected) in
        [("08:59:59.999999", false), ("09:00:00", true), ("09:59:59.999999", true), ("10:00:00", false)]
    {
        assert_eq!(is_continuous(&[trade(time, "")]), expected, "{time}");
        assert!(!is_continuous(&[trade(time, "auction")]), "{time}");
    }
    for scope in ["*", "1306"] {
        for (name, expected) in [
            ("continuous", true),
            ("sequential_quote", true),
            ("special_quote", false),
            ("halt", false),
            ("auction", false),
        ] {
            assert_eq!(is_continuous(&[phase("09:10:00", scope, name), trade("09:30:00", "")]), expected, "{name}");
        }
        // The auction's executions, and its end at the same time.
        let opening = [
            phase("08:00:00", scope, "auction"),
            trade("09:00:00.003200", ""),
            phase("09:00:00.003200", scope, "continuous"),
        ];
        assert!(!is_continuous(&opening));
    }
}

// clause: ST1/access-fee
#[test]
fn entries_and_changes_are_orders_and_nothing_else_is() {
    let turnover = with(&[
        "09:00:00+09:00,1306,replace,1,,,,101,,,",
        "09:00:00+09:00,1306,replace,1,11,,,,40,,",
        "09:00:00+09:00,1306,reduce,11,,,,,10,,",
        "09:00:00+09:00,1306,trade,11,5,,,100,10,,",
        "09:00:00+09:00,1306,cancel,11,,,,,,,",
        "09:00:00+09:00,1306,cancel,6,,,,,,,",
        "09:00:00+09:00,1306,add,1,,VS1,B,100,50,ioc,",
        "09:00:00+09:00,1306,replace,3,,,,99,,,",
        "09:00:00+09:00,1321,add,1,,VS1,B,100,50,,",
    ]);
    let counts: Vec<u64> = turnover.sign_ups.iter().map(|sign_up| sign_up.order_count).collect();
    assert_eq!(counts, [5, 1, 0]);
}

// clause: ST1/access-fee
#[test]
fn what_is_sent_again_after_a_clear_is_no_new_order() {
    let count = |records: &[&str]| with(records).sign_ups[0].order_count;
    // MM1 has sent two orders, 1 and 6.
    let again = "09:00:01+09:00,1306,add,1,,VS1,B,100,50,,";
    let other = "09:00:01+09:00,1306,add,6,,VS1,S,,50,,";
    for clear in ["09:00:00+09:00,*,clear,,,,,,,,", "09:00:00+09:00,1306,clear,,,,,,,,"] {
        assert_eq!(count(&[clear, again, other]), 2, "both sent again");
        assert_eq!(count(&[clear, again]), 2, "one sent again");
        assert_eq!(count(&[clear, "09:00:01+09:00,1306,add,1,,VS1,S,101,70,,"]), 2, "with what is left of it");
        assert_eq!(count(&[clear, "09:00:01+09:00,1306,add,7,,VS1,B,100,50,,"]), 3, "a number that was not live");
        // Once it has come again, its number is as any other.
        let gone = "09:00:02+09:00,1306,cancel,1,,,,,,,";
        assert_eq!(count(&[clear, again, gone, "09:00:03+09:00,1306,add,1,,VS1,B,100,50,,"]), 3, "entered anew");
        // A second clear before everything is back.
        let twice = [clear, again, clear, again, other].map(|record| record.replace("09:00:01", "09:00:00"));
        assert_eq!(count(&twice.each_ref().map(String::as_str)), 2);
        // A change is an order, and its new number is there by that.
        let changed = "09:00:02+09:00,1306,replace,6,1,,,,,,";
        let anew = "09:00:03+09:00,1306,add,1,,VS1,B,100,50,,";
        assert_eq!(count(&[clear, other, changed, "09:00:02+09:00,1306,cancel,1,,,,,,,", anew]), 4);
    }
    // Gone before the clear, of another issue, or not cleared at all.
    let gone = "09:00:00+09:00,1306,cancel,1,,,,,,,";
    assert_eq!(count(&[gone, "09:00:00+09:00,*,clear,,,,,,,,", again]), 3);
    assert_eq!(count(&[gone, "09:00:00+09:00,1321,clear,,,,,,,,", again]), 3);
    // An order through a conditioned or wide form is sent again as any other.
    let wide = "09:00:00+09:00,1306,add,9,,VS1,B,1000000,1000000000,funari,";
    let wide_again = "09:00:02+09:00,1306,add,9,,VS1,B,1000000,1000000000,funari,";
    assert_eq!(count(&[wide, "09:00:01+09:00,*,clear,,,,,,,,", wide_again]), 3);
}
