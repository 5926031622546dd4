//! For events of every kind: binary and CSV hold the same, whatever the blocks, and however the input is cut.

use super::*;
use proptest::prelude::*;

fn price() -> impl Strategy<Value = Price> {
    let units = prop_oneof![8 => 1..50_000_000_u64, 1 => 1..=Price::MAX.ten_thousandths()];
    units.prop_map(units_of)
}

fn units_of(units: u64) -> Price {
    Price::from_ten_thousandths(units).expect("in range")
}

fn quantity() -> impl Strategy<Value = Shares> {
    prop_oneof![8 => 1..100_000_u64, 1 => 1..=Shares::MAX_PER_RECORD.0].prop_map(Shares)
}

fn order() -> impl Strategy<Value = OrderId> {
    prop_oneof![4 => 0..100_u64, 1 => any::<u64>()].prop_map(OrderId)
}

fn condition() -> impl Strategy<Value = OrderCondition> {
    use OrderCondition::{Funari, Ioc, OnClose, OnOpen};
    proptest::sample::select(vec![OrderCondition::None, OnOpen, OnClose, Funari, Ioc])
}

fn phase() -> impl Strategy<Value = Phase> {
    use Phase::{Auction, Closed, Continuous, Halt, SequentialQuote, SpecialQuote};
    proptest::sample::select(vec![Continuous, SequentialQuote, SpecialQuote, Halt, Auction, Closed])
}

fn action() -> impl Strategy<Value = OrderAction> {
    let side = proptest::sample::select(Side::BOTH.to_vec());
    let server = proptest::option::of((0..6_u32).prop_map(ServerIndex));
    let add = (order(), server, side, proptest::option::of(price()), quantity(), condition());
    let replace = (order(), order(), proptest::option::of(price()), proptest::option::of(quantity()));
    let trade = (price(), quantity(), [proptest::option::of(order()), proptest::option::of(order())], any::<bool>());
    prop_oneof![
        add.prop_map(|(order, server, side, price, quantity, condition)| OrderAction::Add {
            order,
            server,
            side,
            price,
            quantity,
            condition
        }),
        replace.prop_map(|(order, order_new, price, quantity)| OrderAction::Replace {
            order,
            order_new,
            price,
            quantity
        }),
        (order(), quantity()).prop_map(|(order, quantity)| OrderAction::Reduce { order, quantity }),
        order().prop_map(|order| OrderAction::Cancel { order }),
        trade.prop_map(|(price, quantity, orders, auction)| {
            let orders = if orders[0] == orders[1] { [orders[0], None] } else { orders };
            OrderAction::Trade { price: Some(price), quantity, orders, auction }
        }),
    ]
}

fn event() -> impl Strategy<Value = MarketEvent> {
    let issue = || (0..5_u32).prop_map(IssueIndex);
    let scope = || prop_oneof![issue().prop_map(Scope::Issue), Just(Scope::Market)];
    prop_oneof![
        12 => (issue(), action()).prop_map(|(issue, action)| MarketEvent::Order { issue, action }),
        1 => (scope(), phase()).prop_map(|(scope, phase)| MarketEvent::Phase { scope, phase }),
        1 => scope().prop_map(|scope| MarketEvent::Clear { scope }),
    ]
}

/// Events in order of time, with names such as few would choose.
fn source() -> impl Strategy<Value = Source> {
    let step = prop_oneof![4 => Just(0_i64), 8 => 1..1_000_i64, 1 => 0..10_000_000_000_i64];
    let gap = prop_oneof![20 => Just(1_u64), 1 => 2..1_000_u64];
    let steps = proptest::collection::vec((step, gap, event()), 0..60);
    (steps, any::<bool>(), any::<u32>()).prop_map(|(steps, has_sequence, first)| {
        let (mut time, mut number) = (OPEN, u64::from(first));
        let events = steps.into_iter().map(|(step, gap, event)| {
            time += step;
            number += gap;
            let record = Record { ts_event: Timestamp::from_micros(time), event };
            (has_sequence.then_some(SequenceNo(number)), record)
        });
        let issues = ["1306", "130A", "**", "BRK.A", "x'y"].map(str::to_owned).to_vec();
        let servers = ["VS1", "a,b", "\"", " VS 1 ", "サーバ", "a\u{a0}b"].map(str::to_owned).to_vec();
        Source { issues, servers, events: events.collect() }
    })
}

fn without_sequence(source: &Source) -> Vec<(Option<SequenceNo>, Record)> {
    source.events.iter().map(|(_, record)| (None, *record)).collect()
}

proptest! {
    #[test]
    fn csv_and_binary_hold_the_same_events(source in source(), block_records in 1..40_u32, chunk in 1..300_usize) {
        let csv = source.csv();
        let from_csv = decode_csv(&csv);
        prop_assert!(!from_csv.is_damaged(), "{}", from_csv.first_error());
        let events = Source::from(&from_csv);
        prop_assert_eq!(&events.csv(), &csv);
        prop_assert_eq!(events.events.len(), source.events.len());

        let file = events.binary(block_records);
        let from_binary = decode(&file, file.len()).expect("a good header");
        prop_assert_eq!(&from_binary.records, &from_csv.records);
        prop_assert_eq!((&from_binary.issues, &from_binary.servers), (&from_csv.issues, &from_csv.servers));
        prop_assert_eq!(&Source::from(&from_binary).csv(), &csv);
        prop_assert_eq!(&decode(&file, chunk).expect("a good header"), &from_binary);
    }

    #[test]
    fn the_writers_do_not_care_how_the_source_counts_its_names(source in source()) {
        let ordered = in_order_of_use(&source);
        prop_assert_eq!(source.csv(), ordered.csv());
        if source.has_sequence() == ordered.has_sequence() {
            prop_assert_eq!(source.binary(7), ordered.binary(7));
        }
    }

    #[test]
    fn messages_hold_the_same_events(source in source()) {
        let expected = decode_csv(&Source { events: without_sequence(&source), ..source.clone() }.csv());
        let log = super::stream::read(&source.messages(), None);
        prop_assert_eq!((&log.records, &log.issues, &log.servers), (&expected.records, &expected.issues, &expected.servers));
    }

    #[test]
    fn any_message_does_no_harm(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..9)) {
        let head = layout::FileHead::write(&header(false)).to_vec();
        super::stream::read(std::iter::once(&head).chain(&messages), Some(4));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400), after_head in any::<bool>()) {
        let head = if after_head { layout::FileHead::write(&header(true)).to_vec() } else { Vec::new() };
        let file = [head, bytes].concat();
        if let Ok(log) = decode(&file, 64) {
            prop_assert!(log.is_damaged());
        }
    }
}
