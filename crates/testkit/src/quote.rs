//! Whether one market maker's own quotes fulfil one obligation at one instant (REFERENCE section 5, steps 2 and 3).

use std::collections::BTreeMap;

use crate::scheme::{Limits, TickTable};

/// Own quantity by price, both sides. Prices in ten-thousandths.
#[derive(Default)]
pub(crate) struct OwnQuotes {
    pub(crate) bids: BTreeMap<i128, i128>,
    pub(crate) offers: BTreeMap<i128, i128>,
}

/// How far one side of the quotes gets.
enum Depth {
    NoQuote,
    TooSmall,
    Reached(Reached),
}

/// One side that reaches its minimum: the obligation price, and the shares up to it.
struct Reached {
    price: i128,
    quantity: i128,
}

/// Why the obligation is not fulfilled, or `None` when it is.
pub(crate) fn breach(quotes: &OwnQuotes, limits: &Limits, table: &TickTable) -> Option<String> {
    let bid = depth(quotes.bids.iter().rev(), limits);
    let offer = depth(quotes.offers.iter(), limits);
    if let (Depth::Reached(bid), Depth::Reached(offer)) = (&bid, &offer) {
        if !spread_is_within(bid.price, offer.price, limits, table) {
            return Some("spread".to_owned());
        }
        // Sizes differ by at most so much of the larger one. The limit counts ten-thousandths of a percent.
        let (smaller, larger) = (bid.quantity.min(offer.quantity), bid.quantity.max(offer.quantity));
        let is_out = |max: i128| (larger - smaller) * 100 * 10_000 > max * larger;
        return limits.max_divergence.is_some_and(is_out).then(|| "size_balance".to_owned());
    }
    let one_reaches = matches!(bid, Depth::Reached(_)) || matches!(offer, Depth::Reached(_));
    if limits.either_side && one_reaches {
        return None;
    }
    let reasons = [("bid", &bid), ("offer", &offer)].map(|(side, depth)| match depth {
        Depth::NoQuote => format!("no_{side}"),
        Depth::TooSmall => format!("{side}_size"),
        Depth::Reached(_) => String::new(),
    });
    Some(reasons.into_iter().filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join("+"))
}

/// Goes through the levels, best price first, and adds up until the minimum is reached.
fn depth<'a>(levels: impl Iterator<Item = (&'a i128, &'a i128)>, limits: &Limits) -> Depth {
    let (mut value_sum, mut quantity_sum) = (0, 0);
    let mut result = Depth::NoQuote;
    for (price, quantity) in levels {
        value_sum += price * quantity;
        quantity_sum += quantity;
        result = Depth::TooSmall;
        let minima = [
            limits.min_value.map(|min| match limits.quantity_from_value_at {
                None => min <= value_sum,
                Some(at) => shares_of(min, at.unwrap_or(*price)) <= quantity_sum,
            }),
            limits.min_quantity.map(|min| min <= quantity_sum),
        ];
        let mut given = minima.into_iter().flatten();
        if if limits.any_size { given.any(|reached| reached) } else { given.all(|reached| reached) } {
            return Depth::Reached(Reached { price: *price, quantity: quantity_sum });
        }
    }
    result
}

/// The fewest shares that come to a value at a price.
fn shares_of(value: i128, price: i128) -> i128 {
    value / price + i128::from(value % price != 0)
}

/// Crossed, or within one of the limits; all limits inclusive. Where there are bands, the bid's is the one that counts.
fn spread_is_within(bid: i128, offer: i128, limits: &Limits, table: &TickTable) -> bool {
    let band = limits.bands.iter().find(|(up_to, _)| up_to.is_none_or(|up_to| bid <= up_to));
    let spread = band.map_or(&limits.spread, |(_, spread)| spread);
    // The limit counts ten-thousandths of a basis point, hence the extra 10,000 on the other side.
    let within_bps = |max: i128| {
        let (times, base) = match limits.spread_base.as_str() {
            "bid" => (1, bid),
            "offer" => (1, offer),
            _ => (2, offer + bid),
        };
        (offer - bid) * times * 10_000 * 10_000 <= max * base
    };
    let within_ticks = |max: i128| {
        let target = table.valid_at_or_above(offer);
        let mut price = table.valid_at_or_below(bid);
        for _ in 0..max {
            price = if price < target { table.next_above(price) } else { price };
        }
        price >= target
    };
    offer <= bid
        || spread.max_bps.is_some_and(within_bps)
        || spread.max_ticks.is_some_and(within_ticks)
        || spread.max_abs.is_some_and(|max| offer - bid <= max)
}
