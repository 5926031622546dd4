//! The CSV form of events (REFERENCE section 2): one line is one record.
//!
//! The idea: columns are resolved to positions once, at the header; a line is then cut at its commas and each event reads
//! the fields that it uses, and no others. A field may be quoted as in RFC 4180, but a line break always ends the
//! record, so that one damaged quote cannot swallow a file. Lines that look like almost all lines are read faster, in
//! `fast`, to the same effect.

mod fast;
mod scan;
mod write;

pub use write::CsvWriter;

use crate::text::{self, TimeReader};
use crate::{CsvState, FeedError, Malformed, NameTable, Place, RawRecord, Receiver, Sequence, Stop, UtcOffset};
use quoteclock_model::{MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Scope, SequenceNo, Side, Timestamp};

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 12] =
    ["seq", "time", "issue", "event", "order", "contra", "server", "side", "price", "quantity", "condition", "phase"];

/// The longest line that is held whole; a longer one is malformed. Two thousand times an ordinary line, so that memory stays
/// bounded whatever the input.
pub const LINE_BYTES_MAX: usize = 1 << 20;

const EXPECTED_HEADER: &str = "a header line of the columns seq, time, issue, event, order, contra, server, side, price, \
     quantity, condition, phase (seq, contra, condition and phase may be absent)";

/// Positions in [`COLUMNS`].
mod column {
    pub const SEQ: usize = 0;
    pub const TIME: usize = 1;
    pub const ISSUE: usize = 2;
    pub const EVENT: usize = 3;
    pub const ORDER: usize = 4;
    pub const CONTRA: usize = 5;
    pub const SERVER: usize = 6;
    pub const SIDE: usize = 7;
    pub const PRICE: usize = 8;
    pub const QUANTITY: usize = 9;
    pub const CONDITION: usize = 10;
    pub const PHASE: usize = 11;
    pub const OPTIONAL: [usize; 4] = [SEQ, CONTRA, CONDITION, PHASE];
}

/// Reads CSV, pushed in chunks cut anywhere.
#[derive(Debug, Default)]
pub struct CsvDecoder {
    columns: Option<Columns>,
    /// The line so far, where a chunk ended inside it.
    partial: Vec<u8>,
    /// Whether the rest of a line that was too long is being passed on.
    oversized: bool,
    /// Lines begun so far.
    line: u64,
    parser: Parser,
}

impl CsvDecoder {
    /// Reads the next `chunk` of the input and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Input`] if the header is not one of events; [`FeedError::Stopped`] if the receiver stops.
    pub fn push(&mut self, mut chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        loop {
            chunk = self.fast_lines(chunk, receiver)?;
            let Some(end) = memchr::memchr(b'\n', chunk) else { break };
            let (head, tail) = (&chunk[..end], &chunk[end + 1..]);
            if self.oversized {
                self.oversized = false;
                receiver.rest(head)?;
            } else if self.partial.is_empty() {
                self.line(head, receiver)?;
                if head.is_empty() {
                    // A small file can be decompressed to a billion of them.
                    let more = blank_lines(tail);
                    if 0 < more && receiver.again(more as u64) {
                        self.line += more as u64;
                        chunk = &tail[more..];
                        continue;
                    }
                }
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(head);
                self.line(&line, receiver)?;
                line.clear();
                self.partial = line;
            }
            chunk = tail;
        }
        self.hold(chunk, receiver)
    }

    /// Reads lines from the beginning of `chunk` for as long as the fast path reads them; what then follows is left.
    #[inline]
    fn fast_lines<'a>(&mut self, mut chunk: &'a [u8], receiver: &mut impl Receiver) -> Result<&'a [u8], Stop> {
        let Some(columns) = self.columns.as_ref().filter(|columns| columns.are_in_order) else { return Ok(chunk) };
        if self.oversized || !self.partial.is_empty() {
            return Ok(chunk);
        }
        let Parser { times, names } = &self.parser;
        while let Some(window) = chunk.first_chunk() {
            let place = Place::Line(self.line + 1);
            let Some(line) = fast::read(window, columns.has_seq, place, times, names) else { break };
            self.line += 1;
            receiver.record(&line.record)?;
            chunk = &chunk[line.bytes..];
        }
        Ok(chunk)
    }

    /// What the decoder knows.
    pub fn save(&self) -> CsvState {
        let [issues, servers] = self.parser.names.names();
        CsvState {
            columns: self.columns.as_ref().map(|columns| columns.meaning.clone()),
            partial: self.partial.clone(),
            is_oversized: self.oversized,
            line: self.line,
            issues,
            servers,
        }
    }

    /// The decoder as it was when `state` was saved; `None` if that is not one of a decoder.
    pub fn restore(state: &CsvState) -> Option<CsvDecoder> {
        let names = NameTable::restore(&state.issues, &state.servers)?;
        let columns = match &state.columns {
            Some(meaning) if meaning.iter().any(|&column| COLUMNS.len() <= column) => return None,
            Some(meaning) => Some(Columns::at(meaning.clone())),
            None => None,
        };
        Some(CsvDecoder {
            columns,
            partial: state.partial.clone(),
            oversized: state.is_oversized,
            line: state.line,
            parser: Parser { names, ..Parser::default() },
        })
    }

    /// The offset from UTC that the last readable time was written in.
    pub fn offset(&self) -> UtcOffset {
        self.parser.times.offset()
    }

    /// The beginning of a line that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.partial
    }

    /// Forgets the beginning of a line whose end is lost: read as a line, it could say what nobody wrote.
    pub fn forget_unfinished(&mut self) {
        self.partial.clear();
        self.oversized = false;
    }

    /// Reads the last line, where it has no line end.
    ///
    /// # Errors
    /// As [`CsvDecoder::push`]; an input without a header is refused.
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, receiver)?;
        }
        match self.columns {
            Some(_) => Ok(()),
            None => Err(header_error(b"")),
        }
    }

    /// Keeps the beginning of a line, up to the limit and a carriage return.
    fn hold(&mut self, head: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        if self.oversized {
            return Ok(receiver.rest(head)?);
        }
        self.partial.extend_from_slice(head);
        if LINE_BYTES_MAX + 1 < self.partial.len() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, receiver)?;
            self.oversized = true;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.line += 1;
        let place = Place::Line(self.line);
        // The end of a line that is too long is not known when it is handed over: it keeps its carriage return.
        let line = match line.strip_suffix(b"\r") {
            Some(without) if without.len() <= LINE_BYTES_MAX => without,
            _ => line,
        };
        match &self.columns {
            None => self.columns = Some(Columns::from_header(line)?),
            Some(columns) => self.parser.record(place, line, columns, receiver)?,
        }
        Ok(())
    }
}

/// How many blank lines `chunk` begins with.
fn blank_lines(chunk: &[u8]) -> usize {
    const AT_ONCE: usize = 64;
    let blocks = chunk.chunks_exact(AT_ONCE).take_while(|block| block.iter().all(|&byte| byte == b'\n')).count();
    let rest = &chunk[blocks * AT_ONCE..];
    blocks * AT_ONCE + rest.iter().take_while(|&&byte| byte == b'\n').count()
}

/// Where each column stands.
#[derive(Debug)]
struct Columns {
    /// For each position in a line, the position in [`COLUMNS`].
    meaning: Vec<usize>,
    has_seq: bool,
    /// Whether they stand as in [`COLUMNS`], all of them or all but the first.
    are_in_order: bool,
}

impl Columns {
    fn from_header(line: &[u8]) -> Result<Columns, FeedError> {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        if line.is_empty() || LINE_BYTES_MAX < line.len() {
            return Err(header_error(line));
        }
        let names = if line.contains(&b'"') {
            unquote(line).ok_or_else(|| header_error(line))?.fields
        } else {
            line.split(|&byte| byte == b',').take(FIELDS_KEPT).map(<[u8]>::to_vec).collect()
        };
        let mut meaning = Vec::with_capacity(names.len());
        for name in &names {
            match COLUMNS.iter().position(|column| column.as_bytes() == name) {
                None => return Err(column_error(name, EXPECTED_HEADER)),
                Some(column) if meaning.contains(&column) => return Err(column_error(name, "each column once")),
                Some(column) => meaning.push(column),
            }
        }
        let is_missing = |column: &usize| !meaning.contains(column) && !column::OPTIONAL.contains(column);
        if let Some(missing) = (0..COLUMNS.len()).find(is_missing) {
            let malformed = Malformed {
                field: "header",
                found: format!("no column \"{}\"", COLUMNS[missing]),
                expected: EXPECTED_HEADER,
            };
            return Err(FeedError::Input { place: Place::Line(1), malformed });
        }
        Ok(Columns::at(meaning))
    }

    /// Those that stand for these columns.
    fn at(meaning: Vec<usize>) -> Columns {
        let has_seq = meaning.contains(&column::SEQ);
        let are_in_order = meaning.iter().copied().eq(usize::from(!has_seq)..COLUMNS.len());
        Columns { meaning, has_seq, are_in_order }
    }
}

fn header_error(line: &[u8]) -> FeedError {
    let malformed = Malformed::field("header", line, EXPECTED_HEADER);
    FeedError::Input { place: Place::Line(1), malformed }
}

fn column_error(name: &[u8], expected: &'static str) -> FeedError {
    let mut malformed = Malformed::field("header", name, expected);
    malformed.found = format!("column {}", malformed.found);
    FeedError::Input { place: Place::Line(1), malformed }
}

/// How many fields of a line are kept: one more than there are columns, so that a line of a million fields is held as
/// one line, and a header of too many names still has one that is unknown or there twice.
const FIELDS_KEPT: usize = COLUMNS.len() + 1;

/// A line with quotes, cut.
struct Unquoted {
    /// The first [`FIELDS_KEPT`] fields.
    fields: Vec<Vec<u8>>,
    /// How many there are.
    count: usize,
}

/// The fields of a line with quotes; `None` if a quote stands where none may.
fn unquote(line: &[u8]) -> Option<Unquoted> {
    let mut unquoted = Unquoted { fields: Vec::new(), count: 0 };
    let mut rest = line;
    loop {
        let mut field = Vec::new();
        if let Some(mut quoted) = rest.strip_prefix(b"\"") {
            loop {
                let end = memchr::memchr(b'"', quoted)?;
                field.extend_from_slice(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix(b"\"") {
                    Some(more) => {
                        field.push(b'"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            rest = quoted;
        } else {
            let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
            field.extend_from_slice(&rest[..end]);
            if field.contains(&b'"') {
                return None;
            }
            rest = &rest[end..];
        }
        unquoted.count += 1;
        if unquoted.fields.len() < FIELDS_KEPT {
            unquoted.fields.push(field);
        }
        match rest.split_first() {
            None => return Some(unquoted),
            Some((b',', more)) => rest = more,
            Some(_) => return None,
        }
    }
}

/// The fields of one line, each at its position in [`COLUMNS`]; empty where the column is absent.
type Fields<'a> = [&'a [u8]; COLUMNS.len()];

#[derive(Debug, Default)]
struct Parser {
    times: TimeReader,
    names: NameTable,
}

impl Parser {
    fn record(&mut self, place: Place, line: &[u8], columns: &Columns, to: &mut impl Receiver) -> Result<(), Stop> {
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
                let expected =
                    "the name of a virtual server: UTF-8, at most 256 bytes, at most 1,048,576 names in a file";
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

/// Cuts a line without quotes at its commas.
#[inline]
fn cut<'a>(line: &'a [u8], columns: &Columns) -> Result<Fields<'a>, Malformed> {
    let mut fields: Fields<'a> = [b""; COLUMNS.len()];
    let (mut count, mut start) = (0, 0);
    for end in memchr::memchr_iter(b',', line).chain([line.len()]) {
        if let Some(&column) = columns.meaning.get(count) {
            fields[column] = &line[start..end];
        }
        count += 1;
        start = end + 1;
    }
    check_count(line, count, columns)?;
    Ok(fields)
}

/// Puts unquoted fields at the positions of their columns.
fn arrange<'a>(unquoted: &'a Unquoted, columns: &Columns) -> Result<Fields<'a>, Malformed> {
    check_count(b"\"", unquoted.count, columns)?;
    let mut fields: Fields<'a> = [b""; COLUMNS.len()];
    for (field, &column) in unquoted.fields.iter().zip(&columns.meaning) {
        fields[column] = field;
    }
    Ok(fields)
}

#[inline]
fn check_count(line: &[u8], count: usize, columns: &Columns) -> Result<(), Malformed> {
    let count_expected = columns.meaning.len();
    if count == count_expected {
        return Ok(());
    }
    let found = match line {
        b"" => "a blank line".to_owned(),
        _ => format!("a record of {count} fields"),
    };
    Err(Malformed {
        field: "record",
        found: format!("{found} where the header has {count_expected} fields"),
        expected: "as many fields as the header has",
    })
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
fn price(fields: &Fields<'_>) -> Result<quoteclock_model::Price, Malformed> {
    let expected = "a price above 0 and at most 1,000,000,000, with up to 4 decimal places";
    text::price(fields[column::PRICE]).ok_or_else(|| Malformed::field("price", fields[column::PRICE], expected))
}

#[inline]
fn quantity(fields: &Fields<'_>) -> Result<quoteclock_model::Shares, Malformed> {
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

#[cfg(test)]
mod tests;
