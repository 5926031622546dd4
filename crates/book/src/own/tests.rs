//! What own quotes come to, few or many.

use super::few::CacheLine;
use super::*;
use proptest::prelude::*;

#[test]
fn own_quotes_and_each_line_of_them_are_a_cache_line() {
    assert_eq!((size_of::<OwnQuotes>(), align_of::<OwnQuotes>()), (64, 64));
    assert_eq!((size_of::<CacheLine>(), align_of::<CacheLine>()), (64, 64));
}

fn yen(price: u64) -> Price {
    Price::from_ten_thousandths(price * 10_000).unwrap()
}

fn minimum(yen: Option<u128>, shares: Option<u64>) -> MinimumSize {
    MinimumSize { value: yen.map(|yen| Amount(yen * 10_000)), quantity: shares.map(Shares), ..MinimumSize::default() }
}

fn quotes(levels: &[(Side, u64, u64)]) -> OwnQuotes {
    levels.iter().map(|&(side, price, shares)| (side, yen(price), Shares(shares))).collect()
}

#[test]
fn the_quote_display_sample_reaches_its_minimum_at_104_and_102() {
    // clause: ST1/minimum-value
    let own = quotes(&[(Side::Offer, 103, 100_000), (Side::Offer, 104, 200_000), (Side::Bid, 102, 350_000)]);
    let type_a = minimum(Some(30_000_000), None);
    assert_eq!(own.obligation_price(Side::Offer, &type_a), Ok(yen(104)));
    assert_eq!(own.obligation_price(Side::Bid, &type_a), Ok(yen(102)));
}

#[test]
fn the_minimum_value_is_reached_at_it_and_not_one_share_below() {
    // clause: ST1/minimum-value
    let reach =
        |shares| quotes(&[(Side::Bid, 100, shares)]).obligation_price(Side::Bid, &minimum(Some(30_000_000), None));
    assert_eq!(reach(300_000), Ok(yen(100)));
    assert_eq!(reach(299_999), Err(SideFault::Size));
}

#[test]
fn with_both_minima_the_later_one_decides() {
    let own = quotes(&[(Side::Bid, 100, 10), (Side::Bid, 99, 10), (Side::Bid, 98, 10)]);
    assert_eq!(own.obligation_price(Side::Bid, &minimum(Some(1_000), Some(20))), Ok(yen(99)));
    assert_eq!(own.obligation_price(Side::Bid, &minimum(Some(2_900), Some(10))), Ok(yen(98)));
    assert_eq!(own.obligation_price(Side::Bid, &minimum(None, Some(31))), Err(SideFault::Size));
}

#[test]
fn no_quote_is_another_fault_than_too_little() {
    assert_eq!(quotes(&[]).obligation_price(Side::Offer, &minimum(Some(1), None)), Err(SideFault::NoQuote));
}

#[test]
fn the_worst_of_all_prices_is_a_quote_like_any_other() {
    let price = |units: u32| Price::from_ten_thousandths(units.into()).unwrap();
    for (side, units) in [(Side::Offer, u32::MAX), (Side::Offer, u32::MAX - 1), (Side::Bid, 1), (Side::Bid, u32::MAX)] {
        let own: OwnQuotes = [(side, price(units), Shares(5))].into_iter().collect();
        assert_eq!(own.levels(side), Levels::of(side, [(price(units), Shares(5))].into_iter()));
        assert_eq!(own.obligation_price(side, &minimum(None, Some(5))), Ok(price(units)));
        assert_eq!(own.obligation_price(side, &minimum(None, Some(6))), Err(SideFault::Size));
        assert_eq!(own.inside(side, price(units)), (price(units).amount(Shares(5)), 5));
    }
}

proptest! {
    /// Few or many, what is kept is the orders' sum, and where it reaches a minimum is where a walk over levels does.
    #[test]
    fn quotes_are_the_sum_of_their_orders(
        steps in proptest::collection::vec((1..12_u64, 1..6_u64, 0..200_usize), 0..400), bid: bool, minimum in 1..900_u64,
    ) {
        let side = if bid { Side::Bid } else { Side::Offer };
        let mut own = OwnQuotes::default();
        let mut live: Vec<(Entry, Price, u64)> = Vec::new();
        for (price, shares, chosen) in steps {
            match live.get_mut(chosen) {
                Some((entry, price, quantity)) => {
                    let taken = shares.min(*quantity);
                    own.take(side, *entry, *price, Shares(taken));
                    *quantity -= taken;
                    if *quantity == 0 {
                        live.swap_remove(chosen);
                    }
                }
                None => live.push((own.add(side, yen(price), Shares(shares)), yen(price), shares)),
            }
            let expected = Levels::of(side, live.iter().map(|&(_, price, shares)| (price, Shares(shares))));
            prop_assert_eq!(own.levels(side), expected);
        }
        let least = minimum;
        let minimum = super::tests::minimum(None, Some(least));
        let mut sum = 0;
        let reached = own.levels(side).iter().find(|&(_, shares)| { sum += shares.0; least <= sum });
        let fault = if live.is_empty() { SideFault::NoQuote } else { SideFault::Size };
        prop_assert_eq!(own.obligation_price(side, &minimum), reached.map(|(price, _)| price).ok_or(fault));
        let inside = own.levels(side).iter().filter(|&(price, _)| if bid { yen(6) <= price } else { price <= yen(6) })
            .fold((Amount(0), 0), |(value, sum), (price, shares)| (value + price.amount(shares), sum + u128::from(shares.0)));
        prop_assert_eq!(own.inside(side, yen(6)), inside);
    }
}
