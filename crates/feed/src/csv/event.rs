//! The fields of a line read as an event.

use super::line::{COLUMNS, Columns, Fields, LINE_BYTES_MAX, arrange, column, cut, unquote};
use crate::text::{self, TimeReader};
use crate::{Malformed, NameTable, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{
    MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, SequenceNo, Shares, Side, Timestamp,
};

/// Reads fields as events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    pub(super) times: TimeReader,
    pub(super) names: NameTable,
}

impl Parser {
    pub(super) fn record(
        &mut self,
        place: Place,
        line: &[u8],
        columns: &Columns,
        to: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let unquoted;
        let fields = if LINE_BYTES_MAX < line.len() {
            Err(Malformed { field: "record", found: "a longer line".to_owned(), expected: "a line of at most 1 MiB" })
        } else if memchr::memchr(b'"', line).is_none() {
            cut(line, columns)
        } else {
            unquoted = unquote(line);
            match &unquoted {
                None => {
                    Err(Malformed::field("record", line, "fields whose quotes are closed and stand around the whole"))
                }
                Some(unquoted) => arrange(unquoted, columns),
            }
        };
        let record = match fields {
            Ok(fields) => self.parse(place, line, &fields, columns, to),
            Err(malformed) => RawRecord {
                place,
                bytes: line,
                ts_event: None,
                sequence: if columns.has_seq { Sequence::Unreadable } else { Sequence::Absent },
                scope: None,
                also: None,
                event: Err(malformed),
            },
        };
        to.record(&record)
    }

    #[inline]
    fn parse<'a>(
        &mut self,
        place: Place,
        bytes: &'a [u8],
        fields: &Fields<'_>,
        columns: &Columns,
        to: &mut impl Receiver,
    ) -> RawRecord<'a> {
        let ts_event = self.times.read(fields[column::TIME]);
        let sequence = match text::unsigned(fields[column::SEQ]) {
            Some(number) => Sequence::Given(SequenceNo(number)),
            None if columns.has_seq => Sequence::Unreadable,
            None => Sequence::Absent,
        };
        let scope = match fields[column::ISSUE] {
            b"*" => Some(Scope::Market),
            code => self.names.issue(code, to).map(Scope::Issue),
        };
        let event = check_heading(fields, ts_event, sequence, scope).and_then(|scope| self.event(fields, scope, to));
        // A star names the market only where an event of the whole market can stand.
        let scope = match (scope, &event) {
            (Some(Scope::Market), Err(_)) => None,
            _ => scope,
        };
        RawRecord { place, bytes, ts_event, sequence, scope, also: None, event }
    }

    #[inline]
    fn event(&mut self, fields: &Fields<'_>, scope: Scope, to: &mut impl Receiver) -> Result<MarketEvent, Malformed> {
        let action = match fields[column::EVENT] {
            b"add" => self.add(fields, to)?,
            b"replace" => replace(fields)?,
            b"reduce" => OrderAction::Reduce { order: order(fields)?, quantity: quantity(fields)? },
            b"cancel" => OrderAction::Cancel { order: order(fields)? },
            b"trade" => trade(fields)?,
            b"phase" => return Ok(MarketEvent::Phase { scope, phase: phase(fields)? }),
            b"clear" => return Ok(MarketEvent::Clear { scope }),
            other => {
                let expected = "add, replace, reduce, cancel, trade, phase or clear";
                return Err(Malformed::field("event", other, expected));
            }
        };
        match scope {
            Scope::Issue(issue) => Ok(MarketEvent::Order { issue, action }),
            Scope::Market => Err(Malformed::field(
                "issue",
                b"*",
                "the code of one issue (only phase and clear may name the whole market)",
            )),
        }
    }

    #[inline]
    fn add(&mut self, fields: &Fields<'_>, to: &mut impl Receiver) -> Result<OrderAction, Malformed> {
        let order = order(fields)?;
        let server = match fields[column::SERVER] {
            b"" => None,
            name => {
                let expected = "the name of a virtual server: UTF-8, at most 128 characters, none a control character, \
                                at most 1,048,576 names in a file";
                Some(self.names.server(name, to).ok_or_else(|| Malformed::field("server", name, expected))?)
            }
        };
        let side = match fields[column::SIDE] {
            b"B" => Side::Bid,
            b"S" => Side::Offer,
            other => return Err(Malformed::field("side", other, "B or S")),
        };
        let price = optional(fields[column::PRICE], || price(fields))?;
        let quantity = quantity(fields)?;
        let condition = match fields[column::CONDITION] {
            b"" => OrderCondition::None,
            b"on_open" => OrderCondition::OnOpen,
            b"on_close" => OrderCondition::OnClose,
            b"funari" => OrderCondition::Funari,
            b"ioc" => OrderCondition::Ioc,
            other => return Err(Malformed::field("condition", other, "nothing, on_open, on_close, funari or ioc")),
        };
        Ok(OrderAction::Add { order, server, side, price, quantity, condition })
    }
}

/// The fields that every event uses.
#[inline]
fn check_heading(
    fields: &Fields<'_>,
    ts_event: Option<Timestamp>,
    sequence: Sequence,
    scope: Option<Scope>,
) -> Result<Scope, Malformed> {
    if ts_event.is_none() {
        let expected = "a time such as 2024-03-01T09:00:00.000000+09:00, with offset or Z and 0 to 9 decimals";
        return Err(Malformed::field("time", fields[column::TIME], expected));
    }
    if sequence == Sequence::Unreadable {
        return Err(Malformed::field("seq", fields[column::SEQ], "a whole number of up to 64 bits"));
    }
    let expected = "the code of an issue (1 to 32 visible ASCII characters, at most 262,144 issues in a file) or *";
    scope.ok_or_else(|| Malformed::field("issue", fields[column::ISSUE], expected))
}

/// Reads a field that may be empty.
#[inline]
fn optional<T>(field: &[u8], read: impl Fn() -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
    if field.is_empty() { Ok(None) } else { read().map(Some) }
}

#[inline]
fn order_in(fields: &Fields<'_>, column: usize) -> Result<OrderId, Malformed> {
    let expected = "an order number: a whole number of up to 64 bits";
    text::unsigned(fields[column])
        .map(OrderId)
        .ok_or_else(|| Malformed::field(COLUMNS[column], fields[column], expected))
}

#[inline]
fn order(fields: &Fields<'_>) -> Result<OrderId, Malformed> {
    order_in(fields, column::ORDER)
}

#[inline]
fn contra(fields: &Fields<'_>) -> Result<Option<OrderId>, Malformed> {
    optional(fields[column::CONTRA], || order_in(fields, column::CONTRA))
}

#[inline]
fn price(fields: &Fields<'_>) -> Result<Price, Malformed> {
    let expected = "a price above 0 and at most 1,000,000,000, with up to 4 decimal places";
    text::price(fields[column::PRICE]).ok_or_else(|| Malformed::field("price", fields[column::PRICE], expected))
}

#[inline]
fn quantity(fields: &Fields<'_>) -> Result<Shares, Malformed> {
    let expected = "whole shares, 1 to 1,000,000,000,000";
    text::quantity(fields[column::QUANTITY])
        .ok_or_else(|| Malformed::field("quantity", fields[column::QUANTITY], expected))
}

fn phase(fields: &Fields<'_>) -> Result<Phase, Malformed> {
    let expected = "continuous, sequential_quote, special_quote, halt, auction or closed";
    let name = fields[column::PHASE];
    Phase::named(name).ok_or_else(|| Malformed::field("phase", name, expected))
}

#[inline]
fn replace(fields: &Fields<'_>) -> Result<OrderAction, Malformed> {
    let order = order(fields)?;
    Ok(OrderAction::Replace {
        order,
        order_new: contra(fields)?.unwrap_or(order),
        price: optional(fields[column::PRICE], || price(fields))?,
        quantity: optional(fields[column::QUANTITY], || quantity(fields))?,
    })
}

#[inline]
fn trade(fields: &Fields<'_>) -> Result<OrderAction, Malformed> {
    let auction = match fields[column::PHASE] {
        b"" => false,
        b"auction" => true,
        other => return Err(Malformed::field("phase", other, "nothing or auction on a trade")),
    };
    let orders = [optional(fields[column::ORDER], || order(fields))?, contra(fields)?];
    if orders[0].is_some() && orders[0] == orders[1] {
        let expected = "an order other than the one in column order";
        return Err(Malformed::field("contra", fields[column::CONTRA], expected));
    }
    Ok(OrderAction::Trade { price: Some(price(fields)?), quantity: quantity(fields)?, orders, auction })
}
