//! Sums of trades that a text file cannot hold: without a price of their own, or before their issue has a name.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

use jiff::civil::date;
use quoteclock_engine::{Engine, SingleThread, UnknownTime};
use quoteclock_model::{
    Amount, DayTurnover, Executed, Interval, IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId,
    Price, Record, ServerIndex, Shares, Side, Timestamp,
};
use quoteclock_obligation::{IntervalSink, ObligationIndex};
use quoteclock_rules::{Registry, SourceFile};
use std::sync::Arc;

struct Nobody;

impl IntervalSink for Nobody {
    fn interval(&mut self, _: ObligationIndex, _: Interval) {}
}

/// MM1 is signed up for 1306, through VS1; half past nine.
struct Bench(Engine);

impl Bench {
    fn new() -> Bench {
        let files = [
            ("issues.csv", "issue,type,tick_table\n1306,A,04\n"),
            ("market_makers.csv", "market_maker\nMM1\n"),
            ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n"),
            ("signups.csv", "market_maker,issue\nMM1,1306\n"),
        ];
        let source = |(name, text): (&str, &str)| SourceFile { name: name.to_owned(), bytes: text.into() };
        let registry = Registry::load(&files.map(source)).registry.unwrap();
        let mut engine =
            Engine::new(Arc::new(registry.plan(date(2024, 3, 1)).unwrap()), &UnknownTime::default(), &SingleThread);
        engine.define_server(ServerIndex(0), "VS1");
        Bench(engine)
    }

    fn name(&mut self) {
        self.0.define_issue(IssueIndex(0), &IssueCode::new(b"1306").unwrap());
    }

    fn apply(&mut self, action: OrderAction) {
        let half_past_nine = self.0.plan().day.start.as_micros() + 34_200_000_000;
        let event = MarketEvent::Order { issue: IssueIndex(0), action };
        self.0.apply(&Record { ts_event: Timestamp::from_micros(half_past_nine), event }, &mut Nobody).unwrap();
    }

    fn add(&mut self, order: u64, price: Option<u64>, condition: OrderCondition) {
        let price = price.map(|units| Price::from_ten_thousandths(units).unwrap());
        let (server, quantity) = (Some(ServerIndex(0)), Shares(100));
        self.apply(OrderAction::Add { order: OrderId(order), server, side: Side::Bid, price, quantity, condition });
    }

    fn trade(&mut self, price: Option<u64>, quantity: u64, orders: [Option<u64>; 2]) {
        let price = price.map(|units| Price::from_ten_thousandths(units).unwrap());
        let orders = orders.map(|order| order.map(OrderId));
        self.apply(OrderAction::Trade { price, quantity: Shares(quantity), orders, auction: false });
    }

    fn turnover(self) -> DayTurnover {
        self.0.finish(&SingleThread, &mut Nobody)
    }
}

fn executed(value: u128, quantity: u128) -> Executed {
    Executed { value: Amount(value), quantity }
}

#[test]
fn a_trade_without_a_price_is_at_the_limit_of_its_order() {
    for (limit, condition, value) in [
        (Some(1_005_000), OrderCondition::None, 7 * 1_005_000),
        (Some(1_005_000), OrderCondition::OnClose, 7 * 1_005_000),
        (None, OrderCondition::None, 0),
    ] {
        let mut bench = Bench::new();
        bench.name();
        bench.add(1, limit, condition);
        bench.trade(None, 7, [Some(1), None]);
        let turnover = bench.turnover();
        assert_eq!(turnover.sign_ups[0].continuous.unnamed, executed(value, 7));
        assert_eq!(turnover.issues.first_key_value().unwrap().1.continuous, executed(value, 7));
    }
    // The limit before the trade, also of an order that was changed; the other order's where the first has none.
    let mut bench = Bench::new();
    bench.name();
    bench.add(1, None, OrderCondition::None);
    bench.add(2, Some(2_000_000), OrderCondition::None);
    let price = Price::from_ten_thousandths(1_000_000);
    bench.apply(OrderAction::Replace { order: OrderId(2), order_new: OrderId(3), price, quantity: None });
    bench.trade(None, 100, [Some(1), Some(3)]);
    let turnover = bench.turnover();
    assert_eq!(turnover.sign_ups[0].continuous.market_maker, executed(2 * 100 * 1_000_000, 200));
    assert_eq!(turnover.sign_ups[0].order_count, 3);
}

#[test]
fn trades_before_an_issue_has_its_name_count_for_it() {
    let mut bench = Bench::new();
    bench.trade(Some(10), 3, [None, None]);
    bench.name();
    bench.trade(Some(10), 4, [None, None]);
    let turnover = bench.turnover();
    assert_eq!(turnover.issues.len(), 1);
    assert_eq!(turnover.issues.first_key_value().unwrap().1.continuous, executed(70, 7));
}
