//! What one order record says.

use super::layout::{Mbo, PRICE_UNDEFINED, flag};
use crate::Malformed;
use quoteclock_model::{OrderId, Price, Shares, Side};

/// What one order record says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// An order rests; without a price at any.
    Add { order: OrderId, side: Side, price: Option<Price>, quantity: Shares },
    /// An order has these values now; without a price the one that it had.
    Modify { order: OrderId, price: Option<Price>, quantity: Shares },
    /// So much is taken off an order.
    Cancel { order: OrderId, quantity: Shares },
    /// The instrument's book is emptied.
    Clear,
    /// An execution, of whichever orders.
    Trade { price: Price, quantity: Shares },
    /// The part of an execution that a resting order has; what that leaves of it another record tells.
    Fill { order: OrderId, side: Option<Side>, price: Price, quantity: Shares },
    /// Nothing about orders.
    Nothing,
}

/// Reads a record's fields.
pub(super) fn read(record: Mbo<'_>) -> Result<What, Malformed> {
    if record.has(flag::TOP_OF_BOOK | flag::LEVELS) {
        let expected = "single orders, not the top of a book or its levels";
        return Err(Malformed::field("flags", record.flags().to_string().as_bytes(), expected));
    }
    let order = OrderId(record.order());
    Ok(match record.action() {
        b'A' => {
            let side = side(record)?;
            let side = side.ok_or_else(|| Malformed::field("side", b"N", "B or A: the side of the order"))?;
            What::Add { order, side, price: price(record)?, quantity: quantity(record)? }
        }
        b'M' => What::Modify { order, price: price(record)?, quantity: quantity(record)? },
        b'C' => What::Cancel { order, quantity: quantity(record)? },
        b'R' => What::Clear,
        // Auctions in which nothing was traded are told as well.
        b'T' | b'F' if record.size() == 0 => What::Nothing,
        b'T' => What::Trade { price: traded(record)?, quantity: quantity(record)? },
        b'F' => What::Fill { order, side: side(record)?, price: traded(record)?, quantity: quantity(record)? },
        b'N' => What::Nothing,
        other => return Err(Malformed::field("action", &[other], "A, M, C, R, T, F or N")),
    })
}

fn side(record: Mbo<'_>) -> Result<Option<Side>, Malformed> {
    match record.side() {
        b'B' => Ok(Some(Side::Bid)),
        b'A' => Ok(Some(Side::Offer)),
        b'N' => Ok(None),
        other => Err(Malformed::field("side", &[other], "B, A or N")),
    }
}

fn quantity(record: Mbo<'_>) -> Result<Shares, Malformed> {
    match record.size() {
        0 | u32::MAX => Err(Malformed::field("size", record.size().to_string().as_bytes(), "a number above 0")),
        size => Ok(Shares(u64::from(size))),
    }
}

/// How many of the format's units of 0.000000001 a unit of a price here has.
const UNITS: u64 = 100_000;

/// The price; `None` for the undefined one.
fn price(record: Mbo<'_>) -> Result<Option<Price>, Malformed> {
    let units = record.price();
    if units == PRICE_UNDEFINED {
        return Ok(None);
    }
    let exact = u64::try_from(units).ok().filter(|units| units % UNITS == 0);
    let price = exact.and_then(|units| Price::from_ten_thousandths(units / UNITS));
    let expected = "a price above 0 with at most 4 decimals, in units of 0.000000001";
    price.map(Some).ok_or_else(|| Malformed::field("price", units.to_string().as_bytes(), expected))
}

/// The price of an execution.
fn traded(record: Mbo<'_>) -> Result<Price, Malformed> {
    price(record)?.ok_or_else(|| Malformed::field("price", b"undefined", "the price of the execution"))
}
