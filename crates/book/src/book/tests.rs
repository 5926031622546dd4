//! The book's rules one by one, and its invariants after every event of random streams.

use super::*;
use proptest::prelude::*;

fn price(units: u64) -> Price {
    Price::from_ten_thousandths(units).unwrap()
}

fn add(order: u64, side: Side, at: Option<u64>, quantity: u64, condition: OrderCondition) -> OrderAction {
    let (order, price, quantity) = (OrderId(order), at.map(price), Shares(quantity));
    OrderAction::Add { order, server: Some(ServerIndex(3)), side, price, quantity, condition }
}

fn quote(order: u64, side: Side, at: u64, quantity: u64) -> OrderAction {
    add(order, side, Some(at), quantity, OrderCondition::None)
}

fn trade(orders: [Option<u64>; 2], quantity: u64) -> OrderAction {
    let orders = orders.map(|order| order.map(OrderId));
    OrderAction::Trade { price: Some(price(1)), quantity: Shares(quantity), orders, auction: false }
}

fn book(actions: &[OrderAction]) -> Book {
    let mut book = Book::default();
    for action in actions {
        book.apply(action, |_| None, |_| {}).unwrap();
    }
    book
}

fn replace(order: u64, order_new: u64, at: Option<u64>, quantity: Option<u64>) -> OrderAction {
    let (order, order_new) = (OrderId(order), OrderId(order_new));
    OrderAction::Replace { order, order_new, price: at.map(price), quantity: quantity.map(Shares) }
}

#[test]
fn market_and_auction_orders_are_in_the_book_but_no_quotes() {
    // clause: QC/on_close_orders
    let book = book(&[
        add(1, Side::Bid, None, 10, OrderCondition::None),
        add(2, Side::Bid, Some(5), 10, OrderCondition::OnOpen),
        add(3, Side::Bid, Some(5), 10, OrderCondition::OnClose),
        add(4, Side::Bid, Some(4), 10, OrderCondition::Funari),
        add(5, Side::Bid, Some(3), 10, OrderCondition::Ioc),
    ]);
    assert_eq!(book.len(), 5);
    let levels = book.levels(Side::Bid);
    let quotes: Vec<_> = levels.iter().collect();
    assert_eq!(quotes, [(price(4), Shares(10)), (price(3), Shares(10))]);
}

#[test]
fn a_replace_keeps_what_it_does_not_name() {
    let book = book(&[
        quote(1, Side::Offer, 10, 7),
        replace(1, 2, Some(11), None),
        replace(2, 2, None, Some(9)),
        add(5, Side::Bid, None, 4, OrderCondition::None),
        replace(5, 5, Some(6), None),
    ]);
    let (server, condition) = (Some(ServerIndex(3)), OrderCondition::None);
    let offer = Order { server, side: Side::Offer, price: Some(price(11)), quantity: Shares(9), condition };
    let bid = Order { server, side: Side::Bid, price: Some(price(6)), quantity: Shares(4), condition };
    assert_eq!(book.orders(), [(OrderId(2), offer), (OrderId(5), bid)]);
    assert_eq!(book.best(Side::Bid), Some((price(6), Shares(4))));
}

#[test]
fn an_order_is_gone_when_nothing_remains_and_its_number_may_come_again() {
    let mut book = book(&[quote(1, Side::Bid, 10, 7), quote(2, Side::Offer, 11, 7)]);
    book.apply(&OrderAction::Reduce { order: OrderId(1), quantity: Shares(3) }, |_| None, |_| {}).unwrap();
    book.apply(&trade([Some(1), Some(2)], 4), |_| None, |_| {}).unwrap();
    assert_eq!(book.orders().len(), 1);
    assert_eq!(book.order(OrderId(2)).unwrap().quantity, Shares(3));
    book.apply(&quote(1, Side::Bid, 9, 1), |_| None, |_| {}).unwrap();
    assert_eq!(book.best(Side::Bid), Some((price(9), Shares(1))));
}

#[test]
fn an_action_that_does_not_fit_is_refused_and_changes_nothing() {
    let resting = [quote(1, Side::Bid, 10, 7), quote(2, Side::Bid, 9, 7)];
    let unknown = |order| BookError::Unknown { order: OrderId(order) };
    let beyond =
        |order, taken| BookError::BeyondRemaining { order: OrderId(order), taken: Shares(taken), remaining: Shares(7) };
    for (action, error) in [
        (quote(1, Side::Offer, 12, 1), BookError::AlreadyLive { order: OrderId(1) }),
        (replace(1, 2, None, None), BookError::AlreadyLive { order: OrderId(2) }),
        (replace(3, 4, None, None), unknown(3)),
        (OrderAction::Reduce { order: OrderId(3), quantity: Shares(1) }, unknown(3)),
        (OrderAction::Reduce { order: OrderId(1), quantity: Shares(8) }, beyond(1, 8)),
        (OrderAction::Cancel { order: OrderId(3) }, unknown(3)),
        (trade([Some(1), Some(3)], 1), unknown(3)),
        (trade([Some(2), Some(1)], 8), beyond(2, 8)),
    ] {
        let mut book = book(&resting);
        let before = book.orders();
        assert_eq!(book.apply(&action, |_| None, |change| panic!("{change:?}")), Err(error));
        assert_eq!(book.orders(), before);
        check_invariants(&book);
    }
}

#[test]
fn own_quotes_are_those_of_the_orders_through_the_holders_servers() {
    let mut book = Book::default();
    let holder = book.add_holders(1).next().unwrap();
    let holder_of = |server| (server == ServerIndex(3)).then_some(holder);
    let through = |server, action| match action {
        OrderAction::Add { order, side, price, quantity, condition, .. } => {
            OrderAction::Add { order, server, side, price, quantity, condition }
        }
        other => other,
    };
    for action in [
        quote(1, Side::Bid, 10, u64::MAX),
        quote(2, Side::Bid, 10, 5),
        through(Some(ServerIndex(4)), quote(3, Side::Bid, 12, 7)),
        through(None, quote(4, Side::Offer, 13, 7)),
        add(5, Side::Offer, Some(14), 7, OrderCondition::OnClose),
        replace(2, 6, Some(9), None),
    ] {
        book.apply(&action, holder_of, |_| {}).unwrap();
    }
    let expected = [(Side::Bid, price(10), Shares(u64::MAX)), (Side::Bid, price(9), Shares(5))];
    assert_eq!(*book.own(holder), expected.into_iter().collect());
    assert_eq!(book.best(Side::Bid), Some((price(12), Shares(7))));
}

/// Levels are what the live quotes add up to, and no order is empty.
fn check_invariants(book: &Book) {
    for side in Side::BOTH {
        let orders = book.orders().into_iter().map(|(_, order)| order);
        let quotes = orders.filter(|order| order.side == side && Shares(0) < order.quantity);
        let levels = Levels::of(side, quotes.filter_map(|order| Some((order.quote_price()?, order.quantity))));
        assert_eq!(book.best(side), levels.iter().next());
        assert_eq!(book.levels(side), levels);
    }
    assert!(book.orders().iter().all(|(_, order)| Shares(0) < order.quantity));
}

fn any_action() -> impl Strategy<Value = OrderAction> {
    let (id, units, shares) = (1..9_u64, proptest::option::of(1..6_u64), 1..5_u64);
    let condition = prop_oneof![
        Just(OrderCondition::None),
        Just(OrderCondition::OnOpen),
        Just(OrderCondition::Funari),
        Just(OrderCondition::Ioc)
    ];
    let side = prop_oneof![Just(Side::Bid), Just(Side::Offer)];
    prop_oneof![
        4 => (id.clone(), side, units.clone(), shares.clone(), condition).prop_map(|(id, s, p, q, c)| add(id, s, p, q, c)),
        2 => (id.clone(), id.clone(), units, proptest::option::of(shares.clone()))
            .prop_map(|(id, new, p, q)| replace(id, new, p, q)),
        2 => (id.clone(), shares.clone())
            .prop_map(|(id, q)| OrderAction::Reduce { order: OrderId(id), quantity: Shares(q) }),
        1 => id.clone().prop_map(|id| OrderAction::Cancel { order: OrderId(id) }),
        2 => (id, 9..17_u64, shares).prop_map(|(a, b, q)| trade([Some(a), (b < 12).then_some(b - 8).filter(|&b| b != a)], q)),
    ]
}

proptest! {
    #[test]
    fn the_invariants_hold_after_every_event(actions in proptest::collection::vec(any_action(), 0..80)) {
        let mut book = Book::default();
        let holder = book.add_holders(1).next().unwrap();
        for action in &actions {
            let before = book.orders();
            let result = book.apply(action, |_| Some(holder), |change| assert_eq!(change.holder, Some(holder)));
            if result.is_err() {
                prop_assert_eq!(book.orders(), before);
            }
            check_invariants(&book);
            // All orders come through one server here, so that one market maker holds the whole book.
            for side in Side::BOTH {
                prop_assert_eq!(book.own(holder).levels(side), book.levels(side));
            }
        }
    }
}

#[test]
fn a_trade_that_names_one_order_twice_is_not_compact() {
    let mut book = book(&[quote(1, Side::Bid, 10, 7), quote(2, Side::Offer, 10, 7)]);
    for shares in [1, 3, 7] {
        let shares = NonZeroU32::new(shares).unwrap();
        assert_eq!(book.try_take_both([OrderId(1), OrderId(1)], shares), None);
        assert_eq!(book.order(OrderId(1)).unwrap().quantity, Shares(7), "nothing has changed");
    }
    assert!(book.try_take_both([OrderId(1), OrderId(2)], NonZeroU32::new(7).unwrap()).is_some());
    assert!(book.is_empty());
}
