//! The fast path: lines as nearly all are, read in one go. It never says what is wrong; anything else is read again by the
//! full decoder, which does.
//!
//! The idea: almost every line of a large file has its columns in the documented order, a time with six decimals in the
//! minute of the one before, names that are known and nothing in the fields that its event does not use, so that it can
//! be read from a window of fixed size: all commas of its second half are found at once as bits of a word, and digits
//! are taken eight at a time. Whatever deviates is `None` here and goes the long way round, which alone judges, names
//! faults and takes note of what is new: this module changes nothing and never says no for certain.

use super::scan::{positions, positions_16};
use crate::name_table::{KnownNames, ShortName};
use crate::text::{self, TimeReader, digits, word_at};
use crate::{Place, RawRecord, Sequence};
use quoteclock_model::{
    MarketEvent, OrderAction, OrderCondition, OrderId, Price, Scope, SequenceNo, ServerIndex, Shares, Side,
};

/// How many bytes from the beginning of a line are looked at; what remains of the input has to be as long.
pub(super) const WINDOW: usize = 192;

/// Bytes of a time such as `2024-03-01T09:00:00.000000+09:00`.
const TIME: usize = 32;
/// Bytes from the order's number on in which the line has to end.
const TAIL: usize = 64;
/// The tail and what may be read beyond it.
const TAIL_WINDOW: usize = TAIL + 24;

/// A line: what it says, and how many bytes it takes with its end.
pub(super) struct FastLine<'a> {
    pub(super) record: RawRecord<'a>,
    pub(super) bytes: usize,
}

/// Reads the line at the beginning of `window`, if it is such a line.
#[inline(always)]
pub(super) fn read<'a>(
    window: &'a [u8; WINDOW],
    has_seq: bool,
    place: Place,
    times: &TimeReader,
    names: &KnownNames,
) -> Option<FastLine<'a>> {
    let (sequence, time_at) = if has_seq {
        let end = positions_16(window.first_chunk()?, b',').trailing_zeros() as usize;
        (end < 16).then_some(())?;
        (Sequence::Given(SequenceNo(digits::unsigned(window, 0, end)?)), end + 1)
    } else {
        (Sequence::Absent, 0)
    };
    let time = window.get(time_at..)?;
    let (time, rest) = time.split_first_chunk::<TIME>()?;
    let ts_event = times.read_fast(time)?;
    let issue: &[u8; 17] = rest.first_chunk()?;
    let issue_end = positions_16(issue[1..].first_chunk()?, b',').trailing_zeros() as usize;
    (issue[0] == b',').then_some(())?;
    let code = ShortName::new(issue[1..].first_chunk()?, issue_end)?;
    let issue = names.issue(code)?;
    let event_at = time_at + TIME + 1 + issue_end + 1;
    let (kind, order_at) = Kind::read(u64::from_le_bytes(*window.get(event_at..)?.first_chunk()?), event_at)?;
    let tail = LineTail::cut(window.get(order_at..)?.first_chunk()?)?;
    let action = match kind {
        Kind::Add => {
            tail.none_between(tail.order, tail.contra)?;
            tail.none_between(tail.quantity, tail.condition)?;
            OrderAction::Add {
                order: tail.order()?,
                server: tail.server(names)?,
                side: tail.side()?,
                price: tail.price()?,
                quantity: tail.quantity()?,
                condition: OrderCondition::None,
            }
        }
        Kind::Cancel => {
            (tail.condition == tail.order + 6).then_some(())?;
            OrderAction::Cancel { order: tail.order()? }
        }
        Kind::Replace => {
            (tail.side == tail.contra + 2).then_some(())?;
            tail.none_between(tail.quantity, tail.condition)?;
            let order = tail.order()?;
            OrderAction::Replace {
                order,
                order_new: tail.contra()?.unwrap_or(order),
                price: tail.price()?,
                quantity: if tail.quantity == tail.price + 1 { None } else { Some(tail.quantity()?) },
            }
        }
        Kind::Reduce => {
            (tail.price == tail.order + 4).then_some(())?;
            tail.none_between(tail.quantity, tail.condition)?;
            OrderAction::Reduce { order: tail.order()?, quantity: tail.quantity()? }
        }
        Kind::Trade => {
            (tail.side == tail.contra + 2).then_some(())?;
            tail.none_between(tail.quantity, tail.condition)?;
            let orders = [if tail.order == 0 { None } else { Some(tail.order()?) }, tail.contra()?];
            (orders[0].is_none() || orders[0] != orders[1]).then_some(())?;
            OrderAction::Trade { price: Some(tail.price()??), quantity: tail.quantity()?, orders, auction: false }
        }
    };
    let end = order_at + tail.end;
    let record = RawRecord {
        place,
        bytes: &window[..end - usize::from(tail.carriage_return)],
        ts_event: Some(ts_event),
        sequence,
        scope: Some(Scope::Issue(issue)),
        also: None,
        event: Ok(MarketEvent::Order { issue, action }),
    };
    Some(FastLine { record, bytes: end + 1 })
}

/// Events of orders.
#[derive(Clone, Copy)]
enum Kind {
    Add,
    Cancel,
    Replace,
    Reduce,
    Trade,
}

impl Kind {
    /// The event that the field at `at`, which begins with `word`, names, and where the next field begins.
    #[inline]
    fn read(word: u64, at: usize) -> Option<(Kind, usize)> {
        let begins = |name: &[u8; 8], length: usize| {
            let mask = u64::MAX >> (64 - 8 * length);
            (word ^ u64::from_le_bytes(*name)) & mask == 0
        };
        if begins(b"add,    ", 4) {
            Some((Kind::Add, at + 4))
        } else if begins(b"cancel, ", 7) {
            Some((Kind::Cancel, at + 7))
        } else if begins(b"replace,", 8) {
            Some((Kind::Replace, at + 8))
        } else if begins(b"trade,  ", 6) {
            Some((Kind::Trade, at + 6))
        } else if begins(b"reduce, ", 7) {
            Some((Kind::Reduce, at + 7))
        } else {
            None
        }
    }
}

/// The fields from `order` on, up to the end of the line: where each ends.
struct LineTail<'a> {
    bytes: &'a [u8; TAIL_WINDOW],
    order: usize,
    contra: usize,
    server: usize,
    side: usize,
    price: usize,
    quantity: usize,
    condition: usize,
    /// Where the line feed stands.
    end: usize,
    /// Whether a carriage return stands before it.
    carriage_return: bool,
}

impl<'a> LineTail<'a> {
    /// Cuts a tail whose last field is empty.
    #[inline(always)]
    fn cut(bytes: &'a [u8; TAIL_WINDOW]) -> Option<LineTail<'a>> {
        let [mut commas, line_feeds] = positions(bytes.first_chunk()?, [b',', b'\n']);
        // Where no comma is left this gives the end of the window, before which the line feed stands.
        let mut next = || {
            let position = commas.trailing_zeros() as usize;
            commas &= commas.wrapping_sub(1);
            position
        };
        let (order, contra, server, side, price, quantity, condition) =
            (next(), next(), next(), next(), next(), next(), next());
        let end = line_feeds.trailing_zeros() as usize;
        if end == TAIL {
            return None;
        }
        let carriage_return = end == condition + 2 && bytes[end - 1] == b'\r';
        let is_whole = end == condition + 1 || carriage_return;
        is_whole.then_some(LineTail {
            bytes,
            order,
            contra,
            server,
            side,
            price,
            quantity,
            condition,
            end,
            carriage_return,
        })
    }

    /// Whether nothing stands between two commas.
    #[inline(always)]
    fn none_between(&self, comma: usize, next: usize) -> Option<()> {
        (next == comma + 1).then_some(())
    }

    #[inline(always)]
    fn server(&self, names: &KnownNames) -> Option<Option<ServerIndex>> {
        match self.server - self.contra - 1 {
            0 => Some(None),
            length => {
                let bytes = self.bytes[self.contra + 1..].first_chunk()?;
                let name = ShortName::new(bytes, length)?;
                Some(Some(names.server(name)?))
            }
        }
    }

    #[inline(always)]
    fn side(&self) -> Option<Side> {
        (self.side == self.server + 2).then_some(())?;
        match self.bytes[self.server + 1] {
            b'B' => Some(Side::Bid),
            b'S' => Some(Side::Offer),
            _ => None,
        }
    }

    #[inline(always)]
    fn order(&self) -> Option<OrderId> {
        digits::unsigned(self.bytes, 0, self.order).map(OrderId)
    }

    /// The order named second; `Some(None)` where there is none.
    #[inline(always)]
    fn contra(&self) -> Option<Option<OrderId>> {
        if self.contra == self.order + 1 {
            return Some(None);
        }
        Some(Some(OrderId(digits::unsigned(self.bytes, self.order + 1, self.contra)?)))
    }

    /// The price; `Some(None)` where there is none.
    #[inline(always)]
    fn price(&self) -> Option<Option<Price>> {
        let (start, end) = (self.side + 1, self.price);
        match end - start {
            0 => Some(None),
            length @ 1..=8 => Some(Some(digits::price(word_at(self.bytes, start), length)?)),
            _ => Some(Some(text::price(&self.bytes[start..end])?)),
        }
    }

    #[inline(always)]
    fn quantity(&self) -> Option<Shares> {
        text::shares(digits::unsigned(self.bytes, self.price + 1, self.quantity)?)
    }
}

#[cfg(test)]
mod tests;
