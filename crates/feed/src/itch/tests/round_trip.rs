//! What is written is read back as the same, and what cannot be written is refused.

use super::*;
use crate::EventWriter;
use proptest::prelude::*;
use quoteclock_model::Record;
use std::io;

const ISSUES: [&str; 3] = ["1306", "130A", "ABCDEFGH"];
const SERVERS: [&str; 3] = ["A", "LEHM", "~!*,"];

fn price() -> impl Strategy<Value = Price> {
    (1..=u64::from(u32::MAX)).prop_map(|units| dollars(units).expect("legal"))
}

fn shares() -> impl Strategy<Value = Shares> {
    (1..=u64::from(u32::MAX)).prop_map(Shares)
}

fn order_number() -> impl Strategy<Value = OrderId> {
    any::<u64>().prop_map(OrderId)
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Bid), Just(Side::Offer)]
}

fn server() -> impl Strategy<Value = Option<ServerIndex>> {
    proptest::option::of((0..3_u32).prop_map(ServerIndex))
}

fn addition() -> impl Strategy<Value = OrderAction> {
    (order_number(), server(), side(), price(), shares()).prop_map(|(order, server, side, price, quantity)| {
        OrderAction::Add { order, server, side, price: Some(price), quantity, condition: OrderCondition::None }
    })
}

fn replace() -> impl Strategy<Value = OrderAction> {
    (order_number(), order_number(), price(), shares()).prop_filter_map(
        "a new number",
        |(order, order_new, price, quantity)| {
            let (price, quantity) = (Some(price), Some(quantity));
            (order != order_new).then_some(OrderAction::Replace { order, order_new, price, quantity })
        },
    )
}

fn trade() -> impl Strategy<Value = OrderAction> {
    let of_one = (proptest::option::of(price()), shares(), order_number()).prop_map(|(price, quantity, order)| {
        OrderAction::Trade { price, quantity, orders: [Some(order), None], auction: false }
    });
    let of_none = (price(), shares(), any::<bool>()).prop_map(|(price, quantity, auction)| OrderAction::Trade {
        price: Some(price),
        quantity,
        orders: [None; 2],
        auction,
    });
    let large = (price(), 1..=Shares::MAX_PER_RECORD.0).prop_map(|(price, quantity)| OrderAction::Trade {
        price: Some(price),
        quantity: Shares(quantity),
        orders: [None; 2],
        auction: true,
    });
    prop_oneof![of_one, of_none, large]
}

/// Any event that ITCH can hold.
pub(super) fn any_event() -> impl Strategy<Value = MarketEvent> {
    let action = prop_oneof![
        4 => addition(),
        2 => replace(),
        1 => (order_number(), shares()).prop_map(|(order, quantity)| OrderAction::Reduce { order, quantity }),
        1 => order_number().prop_map(|order| OrderAction::Cancel { order }),
        2 => trade(),
    ];
    let order = (0..3_u32, action).prop_map(|(issue, action)| MarketEvent::Order { issue: IssueIndex(issue), action });
    let market = prop_oneof![Just(Phase::Continuous), Just(Phase::Closed)]
        .prop_map(|phase| MarketEvent::Phase { scope: Scope::Market, phase });
    let issue = (0..3_u32, prop_oneof![Just(Phase::Continuous), Just(Phase::Halt)])
        .prop_map(|(issue, phase)| MarketEvent::Phase { scope: Scope::Issue(IssueIndex(issue)), phase });
    prop_oneof![8 => order, 1 => market, 1 => issue]
}

fn writer(output: &mut Vec<u8>) -> ItchWriter<&mut Vec<u8>> {
    let mut writer = ItchWriter::new(output, MIDNIGHT);
    for (index, code) in (0..).zip(ISSUES) {
        let code = IssueCode::new(code.as_bytes()).expect("legal");
        writer.issue(IssueIndex(index), &code).expect("it fits");
    }
    for (index, name) in (0..).zip(SERVERS) {
        writer.server(ServerIndex(index), name).expect("it fits");
    }
    writer
}

fn at(micros: i64, event: MarketEvent) -> Record {
    Record { ts_event: Timestamp::from_micros(MIDNIGHT.as_micros() + micros), event }
}

pub(super) fn write(events: &[MarketEvent]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut writer = writer(&mut output);
    for (micros, event) in (34_200_000_000..).zip(events) {
        writer.event(None, &at(micros, *event)).expect("it fits");
    }
    writer.finish().expect("memory takes everything");
    output
}

/// The records of `stream`, its servers under the indices that the writer knew them by.
fn read(stream: &[u8], cuts: &[usize]) -> Vec<Record> {
    let (mut decoder, mut log) = (ItchDecoder::new(MIDNIGHT), Log::default());
    let mut rest = stream;
    for &cut in cuts {
        let (chunk, tail) = rest.split_at(cut.min(rest.len()));
        decoder.push(chunk, &mut log).expect("the log takes everything");
        rest = tail;
    }
    decoder.push(rest, &mut log).expect("the log takes everything");
    decoder.finish(&mut log).expect("the log takes everything");
    let mut written = Vec::new();
    let mut records = Vec::new();
    for told in log.told {
        match told {
            Told::Issue(index, code) => assert_eq!(ISSUES[index.index()], code),
            Told::Server(_, name) => {
                let position = SERVERS.iter().position(|server| *server == name).expect("known");
                written.push(ServerIndex(u32::try_from(position).expect("few")));
            }
            Told::Record { ts_event, event, .. } => {
                let mut event = event.expect("well-formed");
                if let MarketEvent::Order { action: OrderAction::Add { server: Some(server), .. }, .. } = &mut event {
                    *server = written[server.index()];
                }
                records.push(Record { ts_event: ts_event.expect("readable"), event });
            }
        }
    }
    records
}

proptest! {
    #[test]
    fn events_written_and_read_in_any_chunks_are_the_same(
        events in proptest::collection::vec(any_event(), 0..40),
        cuts in proptest::collection::vec(0..90_usize, 0..40),
    ) {
        let expected: Vec<Record> = (34_200_000_000..).zip(&events).map(|(micros, event)| at(micros, *event)).collect();
        prop_assert_eq!(read(&write(&events), &cuts), expected);
    }
}

fn of_issue(action: OrderAction) -> MarketEvent {
    MarketEvent::Order { issue: IssueIndex(0), action }
}

fn actions(event: MarketEvent) -> Vec<OrderAction> {
    let action = |record: Record| match record.event {
        MarketEvent::Order { action, .. } => action,
        other => panic!("{other:?}"),
    };
    read(&write(&[event]), &[]).into_iter().map(action).collect()
}

#[test]
fn a_trade_of_two_orders_takes_from_both_and_counts_once() {
    let orders = [Some(OrderId(1)), Some(OrderId(2))];
    let reduce = |order| OrderAction::Reduce { order: OrderId(order), quantity: Shares(5) };
    for price in [None, dollars(7)] {
        let trade = |orders| OrderAction::Trade { price, quantity: Shares(5), orders, auction: false };
        assert_eq!(actions(of_issue(trade(orders))), [trade([Some(OrderId(1)), None]), reduce(2)]);
    }
    let trade = |orders| OrderAction::Trade { price: dollars(7), quantity: Shares(5), orders, auction: true };
    assert_eq!(actions(of_issue(trade(orders))), [trade([None; 2]), reduce(1), reduce(2)]);
    assert_eq!(actions(of_issue(trade([None, Some(OrderId(2))]))), [trade([None; 2]), reduce(2)]);
}

#[test]
fn phases_are_written_by_whether_they_trade() {
    let written = |scope, phase| read(&write(&[MarketEvent::Phase { scope, phase }]), &[]).remove(0).event;
    let issue = Scope::Issue(IssueIndex(2));
    for (phase, of_market, of_issue) in [
        (Phase::Continuous, Phase::Continuous, Phase::Continuous),
        (Phase::SequentialQuote, Phase::Continuous, Phase::Continuous),
        (Phase::SpecialQuote, Phase::Closed, Phase::Halt),
        (Phase::Halt, Phase::Closed, Phase::Halt),
        (Phase::Auction, Phase::Closed, Phase::Halt),
        (Phase::Closed, Phase::Closed, Phase::Halt),
    ] {
        assert_eq!(written(Scope::Market, phase), MarketEvent::Phase { scope: Scope::Market, phase: of_market });
        assert_eq!(written(issue, phase), MarketEvent::Phase { scope: issue, phase: of_issue });
    }
}

fn refusal(result: io::Result<()>) -> String {
    let error = result.expect_err("refused");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    error.to_string()
}

#[test]
fn what_itch_cannot_hold_is_refused_and_nothing_of_it_written() {
    let order = OrderId(7);
    let add = |server, price, quantity, condition| OrderAction::Add {
        order,
        server,
        side: Side::Bid,
        price,
        quantity: Shares(quantity),
        condition,
    };
    let replace = |order_new, price, quantity| OrderAction::Replace { order, order_new, price, quantity };
    let trade = |price, quantity, orders, auction| OrderAction::Trade { price, quantity, orders, auction };
    let (dear, cheap, two) = (dollars(1 << 32), dollars(1), [Some(order), Some(OrderId(8))]);
    let (none, five, many) = (OrderCondition::None, Shares(5), Shares(1 << 32));
    let cases = [
        (add(None, cheap, 1, OrderCondition::Funari), "order 7 with a condition"),
        (add(None, None, 1, none), "order 7 without a price"),
        (add(None, dear, 1, none), "the price 429496.7296, above 429,496.7295"),
        (add(None, cheap, 1 << 32, none), "4294967296 shares, not 1 to 4,294,967,295"),
        (add(Some(ServerIndex(3)), cheap, 1, none), "server 3, which has not been announced"),
        (replace(order, cheap, Some(five)), "a replace of order 7 that keeps its number"),
        (replace(OrderId(8), None, Some(five)), "a replace of order 7 that does not give both price and quantity"),
        (replace(OrderId(8), cheap, None), "a replace of order 7 that does not give both price and quantity"),
        (OrderAction::Reduce { order, quantity: many }, "4294967296 shares, not 1 to 4,294,967,295"),
        (trade(None, five, [None; 2], false), "a trade without a price that names no order to take it from"),
        (trade(None, five, two, true), "a trade without a price that names no order to take it from"),
        (trade(cheap, many, two, true), "4294967296 shares, not 1 to 4,294,967,295"),
        (trade(dear, five, two, false), "the price 429496.7296, above 429,496.7295"),
        (trade(cheap, Shares(1_000_000_000_001), [None; 2], true), "1000000000001 shares, not 1 to 1000000000000"),
    ];
    let good = write(&[]);
    for (action, expected) in cases {
        let mut output = Vec::new();
        let problem = refusal(writer(&mut output).event(None, &at(1, of_issue(action))));
        assert_eq!(problem, format!("ITCH 5.0 cannot hold {expected}"));
        assert_eq!(output, good, "{expected}");
    }
}

#[test]
fn names_and_times_that_itch_cannot_hold_are_refused() {
    let mut output = Vec::new();
    let mut writer = writer(&mut output);
    let code = |text: &str| IssueCode::new(text.as_bytes()).expect("legal");
    for problem in [
        refusal(writer.issue(IssueIndex(3), &code("123456789"))),
        refusal(writer.issue(IssueIndex(65_535), &code("1"))),
        refusal(writer.server(ServerIndex(3), "VS001")),
        refusal(writer.server(ServerIndex(3), "")),
        refusal(writer.server(ServerIndex(3), "日")),
        refusal(writer.server(ServerIndex(4), "VS4")),
        refusal(writer.event(None, &at(1, MarketEvent::Clear { scope: Scope::Market }))),
        refusal(writer.event(None, &at(-1, MarketEvent::Phase { scope: Scope::Market, phase: Phase::Continuous }))),
        refusal(
            writer.event(
                None,
                &at(281_474_976_711, MarketEvent::Phase { scope: Scope::Market, phase: Phase::Continuous }),
            ),
        ),
        refusal(
            writer.event(None, &at(1, MarketEvent::Phase { scope: Scope::Issue(IssueIndex(3)), phase: Phase::Halt })),
        ),
    ] {
        assert!(problem.starts_with("ITCH 5.0 cannot hold "), "{problem}");
    }
}
