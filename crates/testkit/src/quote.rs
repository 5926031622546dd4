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
    /// The obligation price.
    Reached(i128),
}

/// Why the obligation is not fulfilled, or `None` when it is.
pub(crate) fn breach(quotes: &OwnQuotes, limits: &Limits, table: &TickTable) -> Option<String> {
    let bid = depth(quotes.bids.iter().rev(), limits);
    let offer = depth(quotes.offers.iter(), limits);
    if let (Depth::Reached(bid), Depth::Reached(offer)) = (&bid, &offer) {
        return if spread_is_within(*bid, *offer, limits, table) { None } else { Some("spread".to_owned()) };
    }
    let reasons = [("bid", &bid), ("offer", &offer)].map(|(side, depth)| match depth {
        Depth::NoQuote => format!("no_{side}"),
        Depth::TooSmall => format!("{side}_size"),
        Depth::Reached(_) => String::new(),
    });
    Some(reasons.into_iter().filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join("+"))
}

/// Goes through the levels, best price first, and adds up until every minimum is reached.
fn depth<'a>(levels: impl Iterator<Item = (&'a i128, &'a i128)>, limits: &Limits) -> Depth {
    let (mut value_sum, mut quantity_sum) = (0, 0);
    let mut result = Depth::NoQuote;
    for (price, quantity) in levels {
        value_sum += price * quantity;
        quantity_sum += quantity;
        result = Depth::TooSmall;
        if limits.min_value.is_none_or(|min| min <= value_sum)
            && limits.min_quantity.is_none_or(|min| min <= quantity_sum)
        {
            return Depth::Reached(*price);
        }
    }
    result
}

/// Crossed, or within the basis points, or within the ticks; all limits inclusive.
fn spread_is_within(bid: i128, offer: i128, limits: &Limits, table: &TickTable) -> bool {
    // The limit counts ten-thousandths of a basis point, hence the extra 10,000 on the other side.
    let within_bps = |max: i128| (offer - bid) * 2 * 10_000 * 10_000 <= max * (offer + bid);
    let within_ticks = |max: i128| {
        let target = table.valid_at_or_above(offer);
        let mut price = table.valid_at_or_below(bid);
        for _ in 0..max {
            price = if price < target { table.next_above(price) } else { price };
        }
        price >= target
    };
    offer <= bid || limits.max_bps.is_some_and(within_bps) || limits.max_ticks.is_some_and(within_ticks)
}
