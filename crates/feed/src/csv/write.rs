//! The canonical CSV: all columns in their order, and one way to write each thing, so that two files of the same events
//! are the same bytes.
//!
//! No line break but `\n`, no quote that is not needed, no needless zero in a price, six decimals and one UTC offset in
//! every time, and nothing in a field that the event does not use. It needs no clock, no calendar and no book: an
//! execution without a price must be given one by whoever has the book.

use super::COLUMNS;
use crate::record::{check_writable, unwritable};
use crate::{EventWriter, UtcOffset};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Price, Record, Scope, SequenceNo,
    ServerIndex, Shares, Side, Timestamp,
};
use std::io::{self, Write};

/// How much is held before it is handed on.
const BUFFER_BYTES: usize = 1 << 16;

/// Writes canonical CSV.
#[derive(Debug)]
pub struct CsvWriter<W> {
    output: W,
    buffer: Vec<u8>,
    has_sequence: bool,
    times: TimeWriter,
    issues: NameFields,
    servers: NameFields,
}

impl<W: Write> CsvWriter<W> {
    /// A writer of times at `offset`, with a column `seq` if `has_sequence`.
    pub fn new(output: W, has_sequence: bool, offset: UtcOffset) -> CsvWriter<W> {
        let columns = if has_sequence { &COLUMNS[..] } else { &COLUMNS[1..] };
        let mut buffer = Vec::with_capacity(BUFFER_BYTES * 2);
        buffer.extend_from_slice(columns.join(",").as_bytes());
        buffer.push(b'\n');
        let (issues, servers) = (NameFields::default(), NameFields::default());
        CsvWriter { output, buffer, has_sequence, times: TimeWriter::new(offset), issues, servers }
    }

    /// The line of one event; on an error the buffer ends anywhere.
    fn line(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        check_writable(&record.event)?;
        match (sequence, self.has_sequence) {
            (Some(SequenceNo(number)), true) => {
                digits(&mut self.buffer, number);
                self.buffer.push(b',');
            }
            (None, false) => {}
            (Some(_), false) => return Err(unwritable("a sequence number in a file without them")),
            (None, true) => return Err(unwritable("an event without a sequence number in a file with them")),
        }
        self.times.write(&mut self.buffer, record.ts_event)?;
        self.buffer.push(b',');
        match record.event.scope() {
            Scope::Issue(issue) => self.buffer.extend_from_slice(self.issues.get(issue.index(), "issue")?),
            Scope::Market => self.buffer.push(b'*'),
        }
        match record.event {
            MarketEvent::Order { action, .. } => self.action(&action),
            MarketEvent::Phase { phase, .. } => {
                self.buffer.extend_from_slice(b",phase,,,,,,,,");
                self.buffer.extend_from_slice(phase.as_str().as_bytes());
                Ok(())
            }
            MarketEvent::Clear { .. } => {
                self.buffer.extend_from_slice(b",clear,,,,,,,,");
                Ok(())
            }
        }
    }

    /// The fields from `event` on.
    fn action(&mut self, action: &OrderAction) -> io::Result<()> {
        let to = &mut self.buffer;
        match *action {
            OrderAction::Add { order, server, side, price, quantity, condition } => {
                to.extend_from_slice(b",add,");
                digits(to, order.0);
                to.extend_from_slice(b",,");
                if let Some(server) = server {
                    to.extend_from_slice(self.servers.get(server.index(), "server")?);
                }
                to.extend_from_slice(match side {
                    Side::Bid => b",B,",
                    Side::Offer => b",S,",
                });
                price.inspect(|&price| decimal(to, price));
                to.push(b',');
                digits(to, quantity.0);
                to.push(b',');
                to.extend_from_slice(condition_name(condition));
                to.push(b',');
            }
            OrderAction::Replace { order, order_new, price, quantity } => {
                let contra = (order_new != order).then_some(order_new);
                orders(to, b",replace,", Some(order), contra);
                price.inspect(|&price| decimal(to, price));
                to.push(b',');
                quantity.inspect(|&Shares(shares)| digits(to, shares));
                to.extend_from_slice(b",,");
            }
            OrderAction::Reduce { order, quantity } => {
                orders(to, b",reduce,", Some(order), None);
                to.push(b',');
                digits(to, quantity.0);
                to.extend_from_slice(b",,");
            }
            OrderAction::Cancel { order } => {
                orders(to, b",cancel,", Some(order), None);
                to.extend_from_slice(b",,,");
            }
            OrderAction::Trade { price, quantity, orders: [order, contra], auction } => {
                let price = price.ok_or_else(|| unwritable("a trade without a price: the book has it, not CSV"))?;
                orders(to, b",trade,", order, contra);
                decimal(to, price);
                to.push(b',');
                digits(to, quantity.0);
                to.extend_from_slice(if auction { b",,auction" } else { b",," });
            }
        }
        Ok(())
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> EventWriter for CsvWriter<W> {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) -> io::Result<()> {
        self.issues.set(index.index(), code.as_str().as_bytes().into());
        Ok(())
    }

    fn server(&mut self, index: ServerIndex, name: &str) -> io::Result<()> {
        self.servers.set(index.index(), field(name)?);
        Ok(())
    }

    fn event(&mut self, sequence: Option<SequenceNo>, record: &Record) -> io::Result<()> {
        let start = self.buffer.len();
        if let Err(error) = self.line(sequence, record) {
            self.buffer.truncate(start);
            return Err(error);
        }
        self.buffer.push(b'\n');
        if BUFFER_BYTES <= self.buffer.len() { self.hand_on() } else { Ok(()) }
    }

    fn finish(mut self) -> io::Result<()> {
        self.hand_on()?;
        self.output.flush()
    }
}

/// NameFields as they stand in a field, by index.
#[derive(Debug, Default)]
struct NameFields(Vec<Option<Box<[u8]>>>);

impl NameFields {
    fn set(&mut self, index: usize, name: Box<[u8]>) {
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        self.0[index] = Some(name);
    }

    #[inline]
    fn get(&self, index: usize, kind: &str) -> io::Result<&[u8]> {
        let name = self.0.get(index).and_then(Option::as_deref);
        name.ok_or_else(|| unwritable(format!("an event of {kind} {index}, which has no name")))
    }
}

/// A server's name as a field: quoted only if a reader would take it for something else.
fn field(name: &str) -> io::Result<Box<[u8]>> {
    if name.is_empty() || name.contains('\n') {
        return Err(unwritable(format!("server {name:?}: a field of CSV holds no such name")));
    }
    let text =
        if name.contains([',', '"', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() };
    Ok(text.into_bytes().into())
}

/// The columns `event`, `order` and `contra`, with `server` and `side` empty, up to where `price` begins.
#[inline]
fn orders(to: &mut Vec<u8>, event: &[u8], order: Option<OrderId>, contra: Option<OrderId>) {
    to.extend_from_slice(event);
    order.inspect(|order| digits(to, order.0));
    to.push(b',');
    contra.inspect(|contra| digits(to, contra.0));
    to.extend_from_slice(b",,,");
}

#[inline]
fn digits(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A price without needless zeros.
#[inline]
fn decimal(to: &mut Vec<u8>, price: Price) {
    let units = price.ten_thousandths();
    digits(to, units / 10_000);
    let part = units % 10_000;
    if part != 0 {
        to.push(b'.');
        let start = to.len();
        padded::<4>(to, part);
        while to.len() > start + 1 && to.last() == Some(&b'0') {
            to.pop();
        }
    }
}

/// The last `WIDTH` digits of `number`, with leading zeros.
#[inline]
fn padded<const WIDTH: usize>(to: &mut Vec<u8>, mut number: u64) {
    let mut text = [b'0'; WIDTH];
    for place in text.iter_mut().rev() {
        *place = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
    to.extend_from_slice(&text);
}

/// Writes times; remembers the last second written, since thousands of events share one.
#[derive(Debug)]
struct TimeWriter {
    offset_micros: i64,
    /// What follows the decimals: `+09:00`.
    suffix: String,
    /// The second since the epoch, in local time, that `head` spells.
    second: Option<i64>,
    /// `2024-03-01T09:00:00.`
    head: Vec<u8>,
}

impl TimeWriter {
    fn new(offset: UtcOffset) -> TimeWriter {
        let offset_micros = i64::from(offset.minutes()) * 60_000_000;
        TimeWriter { offset_micros, suffix: offset.to_string(), second: None, head: Vec::with_capacity(20) }
    }

    #[inline]
    fn write(&mut self, to: &mut Vec<u8>, time: Timestamp) -> io::Result<()> {
        let local = time.as_micros().checked_add(self.offset_micros).ok_or_else(|| no_such_year(time))?;
        let second = local.div_euclid(1_000_000);
        if self.second != Some(second) {
            self.spell(second).ok_or_else(|| no_such_year(time))?;
        }
        to.extend_from_slice(&self.head);
        padded::<6>(to, local.rem_euclid(1_000_000).unsigned_abs());
        to.extend_from_slice(self.suffix.as_bytes());
        Ok(())
    }

    /// Makes `head` spell `second`; `None` if its year has not four digits.
    fn spell(&mut self, second: i64) -> Option<()> {
        let (days, clock) = (second.div_euclid(86_400), second.rem_euclid(86_400));
        let (year, month, day) = civil(days)?;
        self.second = None;
        self.head.clear();
        padded::<4>(&mut self.head, year);
        for (mark, value) in [(b'-', month), (b'-', day)] {
            self.head.push(mark);
            padded::<2>(&mut self.head, value);
        }
        let clock = clock.unsigned_abs();
        for (mark, value) in [(b'T', clock / 3_600), (b':', clock / 60 % 60), (b':', clock % 60)] {
            self.head.push(mark);
            padded::<2>(&mut self.head, value);
        }
        self.head.push(b'.');
        self.second = Some(second);
        Some(())
    }
}

fn no_such_year(time: Timestamp) -> io::Error {
    unwritable(format!("time {} us: its year has not four digits", time.as_micros()))
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01; `None` outside years 0 to 9999.
fn civil(days: i64) -> Option<(u64, u64, u64)> {
    // Years that begin in March put the leap day last; eras of 400 years (146,097 days) are all alike.
    let days = days.checked_add(719_468)?;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era.checked_mul(400)?.checked_add(year_of_era)? + i64::from(month <= 2);
    (0..=9999).contains(&year).then(|| (year.unsigned_abs(), month.unsigned_abs(), day.unsigned_abs()))
}

fn condition_name(condition: OrderCondition) -> &'static [u8] {
    match condition {
        OrderCondition::None => b"",
        OrderCondition::OnOpen => b"on_open",
        OrderCondition::OnClose => b"on_close",
        OrderCondition::Funari => b"funari",
        OrderCondition::Ioc => b"ioc",
    }
}

#[cfg(test)]
mod tests;
