//! FIX 4.2, 4.4 and 5.0: a firm's own log, or a drop copy, as an engine writes it.
//!
//! Execution reports tell everything that happens to orders, and quotes what a firm quotes; all other messages are passed
//! over. No dictionary takes part: a few tags are looked at. Both directions of a session may be in one file, with a prefix
//! before each message; after damage the reader goes on at the next `8=FIX`.
//!
//! | message | event |
//! |---|---|
//! | report, `150=0` | add: side `54`, limit `44`, quantity `151`; order number: `37` in order of appearance |
//! | report, `150=5`, `D` | replace, found by `37` or else by `41`; what remains is `151` |
//! | report, `150=F` (`1`, `2` in FIX 4.2) | trade of `32` at `31` |
//! | report, `150=4`, `C`, `3`, `8` | the rest leaves the book, if any is there |
//! | quote `S`, mass quote `i`, quote cancel `Z` | both sides of the session's quote replaced, or cancelled |
//!
//! Times are tag 60, or else 52, in UTC. The session (`49/56` as in its reports, then `57` and `1` where they are given) is
//! the virtual server. A message counts once: with `43=Y` it is passed over if its number `34` was seen; a number left out
//! is a gap. A drop copy of trades alone is refused: what rested is not in it.
//!
//! Deliberately absent: the messages that a firm sends to enter orders (a report answers each), body lengths and checksums
//! (logs are rewritten with other separators, and lose them), and restoring what a busted trade took.

mod orders;
mod scan;
mod values;

use crate::{FeedError, Malformed, NameTable, Place, RawRecord, Receiver, Sequence, Stop};
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use orders::{Quote, Tracked};
use quoteclock_model::{
    IssueIndex, MarketEvent, OrderAction, OrderId, Scope, SequenceNo, ServerIndex, Shares, Side, Timestamp,
};
use scan::{Fields, Scanned};

/// Whether an input that begins like this is a FIX log.
pub fn looks_like_fix(first_bytes: &[u8]) -> bool {
    // A header of CSV stands before any record; text that holds a message begins with its prefix only.
    let line = first_bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    scan::start_of(first_bytes, 0, false, true).is_some() && !line.starts_with(b"seq,") && !line.starts_with(b"time,")
}

/// Reads FIX messages, pushed in chunks cut anywhere. Holds at most one message (1 MiB), and of each order its number and
/// what remains of it.
#[derive(Debug, Default)]
pub struct FixDecoder {
    /// Bytes from the message that has not ended yet.
    held: Vec<u8>,
    /// Whether the byte before what is held is a digit.
    after_digit: bool,
    /// Lines that have ended before what is held.
    lines: u64,
    fields: Fields,
    names: NameTable,
    /// The number that each session's next message has, by `49` and `56`.
    expected: HashMap<Box<[u8]>, u64, RandomState>,
    /// The number of the last record handed over; what sessions leave out is left out here, too.
    sequence: u64,
    has_records: bool,
    /// Whether the message being read has been handed over with one of its events.
    is_shown: bool,
    tracked: Tracked,
    /// Fills of orders that no report entered before.
    strange_fill: Option<Place>,
}

/// A message longer than this is none.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// One message being read.
struct Message<'m> {
    place: Place,
    bytes: &'m [u8],
    fields: &'m Fields,
}

impl<'m> Message<'m> {
    /// The field of that tag that comes first.
    fn get(&self, tag: u32) -> Option<&'m [u8]> {
        self.fields.get(self.bytes, tag)
    }

    /// The value of a field, read.
    fn read<T>(
        &self,
        tag: u32,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Malformed> {
        let value = self.get(tag).unwrap_or_default();
        parse(value).ok_or_else(|| Malformed::field(name, value, expected))
    }

    /// Exchange time.
    fn time(&self) -> Result<Timestamp, Malformed> {
        let (tag, name) = if self.get(60).is_some() { (60, "60") } else { (52, "52") };
        self.read(tag, name, "a time in UTC such as 20240301-00:00:00.000", values::time)
    }
}

impl FixDecoder {
    /// The beginning of a message that has not ended yet.
    pub fn unfinished(&self) -> &[u8] {
        &self.held
    }

    /// Forgets the beginning of a message: what follows is not the rest of it.
    pub fn forget_unfinished(&mut self) {
        self.held.clear();
        self.after_digit = false;
    }

    /// Reads the next `chunk` and hands over every record that ends in it.
    ///
    /// # Errors
    /// [`FeedError::Stopped`] if the receiver stops.
    pub fn push(&mut self, chunk: &[u8], receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.held.extend_from_slice(chunk);
        Ok(self.messages(false, receiver)?)
    }

    /// Ends the input: a message that was begun is malformed.
    ///
    /// # Errors
    /// As [`FixDecoder::push`]; and that the input holds fills alone.
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), FeedError> {
        self.messages(true, receiver)?;
        match self.strange_fill {
            Some(place) if !self.tracked.has_any() => Err(FeedError::Input { place, malformed: trades_alone(b"F") }),
            _ => Ok(()),
        }
    }

    fn messages(&mut self, last: bool, receiver: &mut impl Receiver) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.held);
        let mut fields = std::mem::take(&mut self.fields);
        // Up to where lines have been counted, and where the next message may begin.
        let (mut counted, mut at) = (0, 0);
        while let Some(start) = scan::start_of(&held, at, self.after_digit, last) {
            at = start;
            self.lines += line_ends(&held[counted..at]);
            counted = at;
            let place = Place::Line(self.lines + 1);
            let rest = &held[at..];
            let scanned = match scan::scan(rest, last, &mut fields) {
                Scanned::Unfinished if MESSAGE_BYTES_MAX < rest.len() => Scanned::Broken(MESSAGE_BYTES_MAX),
                scanned => scanned,
            };
            let length = match scanned {
                Scanned::Whole(length) => {
                    self.message(&Message { place, bytes: &rest[..length], fields: &fields }, receiver)?;
                    length
                }
                Scanned::Broken(length) => {
                    let malformed = Malformed::field("record", &rest[..length], "a whole FIX message, up to tag 10");
                    self.hand_over_unread(malformed_record(place, &rest[..length], malformed), receiver)?;
                    length
                }
                Scanned::Unfinished => break,
            };
            at += length;
        }
        if scan::start_of(&held, at, self.after_digit, last).is_none() {
            at = held.len();
        }
        if let Some(before) = at.checked_sub(1).and_then(|before| held.get(before)) {
            self.after_digit = before.is_ascii_digit();
        }
        self.lines += line_ends(&held[counted..at]);
        self.held.extend_from_slice(&held[at..]);
        self.fields = fields;
        Ok(())
    }

    fn message(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<(), Stop> {
        self.is_shown = false;
        let kind = message.get(35).unwrap_or_default();
        let is_read = matches!(kind, b"8" | b"S" | b"i" | b"Z");
        match self.is_new(message, kind, receiver)? {
            Ok(true) if is_read => {}
            Err(malformed) if is_read => return self.refuse(message, malformed, receiver),
            _ => return Ok(()),
        }
        let result = match kind {
            b"8" => self.report(message, receiver)?,
            b"Z" => self.quote_cancel(message, receiver)?,
            _ => self.quotes(message, receiver)?,
        };
        result.or_else(|malformed| self.refuse(message, malformed, receiver))
    }

    /// Whether a message is to be taken: it has not been seen before. Counts the numbers that its session leaves out.
    fn is_new(
        &mut self,
        message: &Message<'_>,
        kind: &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<Result<bool, Malformed>, Stop> {
        let number = match message.read(34, "34", "a sequence number", crate::text::unsigned) {
            Ok(number) => number,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let session = [message.get(49).unwrap_or_default(), message.get(56).unwrap_or_default()].join(&1);
        let expected = self.expected.get(session.as_slice()).copied();
        let is_reset = match kind {
            b"A" => number == 1 || message.get(141) == Some(b"Y"),
            b"4" => true,
            _ => false,
        };
        let next = match kind {
            b"4" => message.get(36).and_then(crate::text::unsigned).unwrap_or(number.saturating_add(1)),
            _ => number.saturating_add(1),
        };
        match expected {
            Some(expected) if !is_reset && number < expected => {
                if message.get(43) == Some(b"Y") {
                    return Ok(Ok(false));
                }
                let found = message.get(34).unwrap_or_default();
                return Ok(Err(Malformed::field("34", found, "a number not seen in this session before, or 43=Y")));
            }
            Some(expected) if !is_reset && expected < number => {
                if self.has_records {
                    self.sequence = self.sequence.saturating_add(number - expected);
                } else {
                    let found = message.get(34).unwrap_or_default();
                    let malformed =
                        Malformed::field("34", found, "the number after that of the session's last message");
                    self.is_shown = true;
                    self.hand_over_unread(malformed_record(message.place, message.bytes, malformed), receiver)?;
                }
            }
            _ => {}
        }
        self.expected.insert(session.into(), next);
        Ok(Ok(true))
    }

    /// The issue that a message names.
    fn issue(&mut self, symbol: Option<&[u8]>, receiver: &mut impl Receiver) -> Result<IssueIndex, Malformed> {
        let symbol = symbol.unwrap_or_default();
        let expected = "an issue's code: 1 to 32 visible ASCII characters, no comma or quote";
        self.names.issue(symbol, receiver).ok_or_else(|| Malformed::field("55", symbol, expected))
    }

    /// The virtual server: the session as its reports name it.
    fn server(
        &mut self,
        message: &Message<'_>,
        from_firm: bool,
        receiver: &mut impl Receiver,
    ) -> Result<Option<ServerIndex>, Malformed> {
        let (sender, target) = if from_firm { (56, 49) } else { (49, 56) };
        let sub = if from_firm { 50 } else { 57 };
        let parts = [message.get(sender), message.get(target), message.get(sub), message.get(1)];
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(&b'/');
        let expected = "a session of at most 128 characters of UTF-8 in all, none a control character";
        let server = self.names.server(&name, receiver);
        server.map(Some).ok_or_else(|| Malformed::field("49", &name, expected))
    }

    /// An execution report.
    fn report(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Result<(), Malformed>, Stop> {
        // FIX 4.2: a report that repeats, cancels or corrects an earlier one.
        if message.get(20).is_some_and(|kind| kind != b"0") {
            return Ok(Ok(()));
        }
        let events = match message.get(150) {
            Some(b"0") => self.added(message, receiver),
            Some(b"5" | b"D") => self.replaced(message, receiver),
            Some(b"F" | b"1" | b"2") => self.filled(message, receiver),
            Some(b"3" | b"4" | b"8" | b"C") => self.ended(message, receiver),
            Some([kind]) if kind.is_ascii_alphanumeric() => return Ok(Ok(())),
            kind => Err(Malformed::field("150", kind.unwrap_or_default(), "the type of an execution report")),
        };
        let (events, time) = match events.and_then(|events| Ok((events, message.time()?))) {
            Ok(read) => read,
            Err(malformed) => return Ok(Err(malformed)),
        };
        for event in events.into_iter().flatten() {
            self.hand_over(message, time, event, receiver)?;
        }
        Ok(Ok(()))
    }

    fn added(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Events, Malformed> {
        let issue = self.issue(message.get(55), receiver)?;
        let side = message.read(54, "54", SIDE, values::side)?;
        let price = match (message.get(44), message.get(40)) {
            // A market order has no limit, whatever stands there.
            (_, Some(b"1")) | (None, Some(b"3" | b"5")) => None,
            _ => Some(message.read(44, "44", PRICE, values::price)?),
        };
        let quantity = message.read(151, "151", QUANTITY, values::quantity)?;
        let server = self.server(message, false, receiver)?;
        let order = self.tracked.number(order_name(message)?);
        self.tracked.alias(session(message), message.get(11), order);
        self.tracked.set(order, quantity);
        let condition = values::condition(message.get(59), message.get(40));
        let add = OrderAction::Add { order, server, side, price, quantity: Shares(quantity), condition };
        // What never rests is in no book.
        let event = (0 < quantity).then_some(MarketEvent::Order { issue, action: add });
        Ok([event, None])
    }

    fn replaced(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Events, Malformed> {
        let issue = self.issue(message.get(55), receiver)?;
        let quantity = message.read(151, "151", QUANTITY, values::quantity)?;
        let price = match (message.get(44), message.get(40)) {
            (None, _) | (_, Some(b"1")) => None,
            _ => Some(message.read(44, "44", PRICE, values::price)?),
        };
        let order = self.find(message)?;
        self.tracked.alias(session(message), message.get(11), order);
        let was_live = self.tracked.set(order, quantity);
        let action = match (quantity, was_live) {
            (0, true) => OrderAction::Cancel { order },
            (0, false) => return Ok([None, None]),
            _ => OrderAction::Replace { order, order_new: order, price, quantity: Some(Shares(quantity)) },
        };
        Ok([Some(MarketEvent::Order { issue, action }), None])
    }

    fn filled(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Events, Malformed> {
        let issue = self.issue(message.get(55), receiver)?;
        let price = message.read(31, "31", PRICE, values::price)?;
        let filled = message
            .read(32, "32", "a quantity above 0", |value| values::quantity(value).filter(|&quantity| 0 < quantity))?;
        let left = message.read(151, "151", QUANTITY, values::quantity)?;
        let known = self.known(message).or_else(|| self.quote_of(message, issue));
        let Some(order) = known else {
            self.strange_fill.get_or_insert(message.place);
            return Err(trades_alone(message.get(37).unwrap_or_default()));
        };
        let before = self.tracked.remaining(order);
        self.tracked.set(order, left);
        let trade = OrderAction::Trade {
            price: Some(price),
            quantity: Shares(filled),
            orders: [Some(order), None],
            auction: false,
        };
        // What remains is what the report says, also where a change was not told.
        let rest = before.map(|before| before.saturating_sub(filled));
        let action = match rest {
            Some(rest) if 0 < rest && left == 0 => Some(OrderAction::Cancel { order }),
            Some(rest) if 0 < rest && rest != left => {
                Some(OrderAction::Replace { order, order_new: order, price: None, quantity: Some(Shares(left)) })
            }
            _ => None,
        };
        let event = |action| MarketEvent::Order { issue, action };
        Ok([Some(event(trade)), action.map(event)])
    }

    fn ended(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Events, Malformed> {
        let issue = self.issue(message.get(55), receiver)?;
        let known = self.known(message);
        let is_known = known.is_some();
        let order = match known {
            Some(order) => order,
            None => self.tracked.number(order_name(message)?),
        };
        let was_live = self.tracked.set(order, 0);
        // An order that was refused, or has ended before, is in no book.
        let ends = was_live || (!is_known && message.get(150) != Some(b"8"));
        let action = OrderAction::Cancel { order };
        Ok([ends.then_some(MarketEvent::Order { issue, action }), None])
    }

    /// The order that a report is about, if it has been seen: by its number, or by the client's one of before or now.
    fn known(&mut self, message: &Message<'_>) -> Option<OrderId> {
        let session = session(message);
        let by_name = message.get(37).and_then(|name| self.tracked.named(name));
        by_name.or_else(|| {
            let by_client = [41, 11].into_iter().find_map(|tag| self.tracked.of_client(&session, message.get(tag)?));
            let (order, name) = by_client.zip(message.get(37))?;
            self.tracked.rename(name, order);
            Some(order)
        })
    }

    /// The same; a number of its own for one that has not been seen, which no book has.
    fn find(&mut self, message: &Message<'_>) -> Result<OrderId, Malformed> {
        match self.known(message) {
            Some(order) => Ok(order),
            None => Ok(self.tracked.number(order_name(message)?)),
        }
    }

    /// The side of the session's quote that a fill of an order not seen before is of.
    fn quote_of(&self, message: &Message<'_>, issue: IssueIndex) -> Option<OrderId> {
        let side = values::side(message.get(54)?)?;
        self.tracked.quote(&session(message), issue).and_then(|quote| quote.side(side))
    }

    /// A quote, or a mass quote of several entries.
    fn quotes(&mut self, message: &Message<'_>, receiver: &mut impl Receiver) -> Result<Result<(), Malformed>, Stop> {
        let read = message.time().and_then(|time| Ok((time, self.server(message, true, receiver)?)));
        let (time, server) = match read {
            Ok(read) => read,
            Err(malformed) => return Ok(Err(malformed)),
        };
        for entry in entries(message) {
            let issue = match self.issue(entry.symbol, receiver) {
                Ok(issue) => issue,
                Err(malformed) => return Ok(Err(malformed)),
            };
            for (side, price, size) in
                [(Side::Bid, entry.bid, entry.bid_size), (Side::Offer, entry.offer, entry.offer_size)]
            {
                let level = match level(price, size) {
                    Ok(level) => level,
                    Err(malformed) => return Ok(Err(malformed)),
                };
                let action = self.tracked.quoted(&firm_session(message), issue, side, level, server);
                if let Some(action) = action {
                    self.hand_over(message, time, MarketEvent::Order { issue, action }, receiver)?;
                }
            }
        }
        Ok(Ok(()))
    }

    /// A quote cancel: of the symbols that it names, or of all.
    fn quote_cancel(
        &mut self,
        message: &Message<'_>,
        receiver: &mut impl Receiver,
    ) -> Result<Result<(), Malformed>, Stop> {
        let time = match message.time() {
            Ok(time) => time,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut issues = Vec::new();
        for (_, symbol) in message.fields.iter(message.bytes).filter(|(tag, _)| *tag == 55) {
            match self.issue(Some(symbol), receiver) {
                Ok(issue) => issues.push(issue),
                Err(malformed) => return Ok(Err(malformed)),
            }
        }
        let session = firm_session(message);
        if issues.is_empty() || message.get(298) == Some(b"4") {
            issues = self.tracked.quoted_issues(&session);
        }
        for issue in issues {
            for side in [Side::Bid, Side::Offer] {
                if let Some(action) = self.tracked.quoted(&session, issue, side, None, None) {
                    self.hand_over(message, time, MarketEvent::Order { issue, action }, receiver)?;
                }
            }
        }
        Ok(Ok(()))
    }

    fn hand_over(
        &mut self,
        message: &Message<'_>,
        time: Timestamp,
        event: MarketEvent,
        receiver: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let sequence = self.next_sequence();
        receiver.record(&RawRecord {
            place: message.place,
            // What a message of several events holds is handed over once.
            bytes: if std::mem::replace(&mut self.is_shown, true) { &[] } else { message.bytes },
            ts_event: Some(time),
            sequence,
            scope: Some(event.scope()),
            also: None,
            event: Ok(event),
        })
    }

    /// Hands over a message that cannot be read, with what of it could be.
    fn refuse(
        &mut self,
        message: &Message<'_>,
        malformed: Malformed,
        receiver: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let bytes = if std::mem::replace(&mut self.is_shown, true) { &[] } else { message.bytes };
        let ts_event = message.time().ok();
        let scope = self.issue(message.get(55), receiver).ok().map(Scope::Issue);
        let record = RawRecord { ts_event, scope, ..malformed_record(message.place, bytes, malformed) };
        self.hand_over_unread(record, receiver)
    }

    fn hand_over_unread(&mut self, record: RawRecord<'_>, receiver: &mut impl Receiver) -> Result<(), Stop> {
        let sequence = self.next_sequence();
        receiver.record(&RawRecord { sequence, ..record })
    }

    fn next_sequence(&mut self) -> Sequence {
        self.has_records = true;
        self.sequence = self.sequence.saturating_add(1);
        Sequence::Given(SequenceNo(self.sequence))
    }
}

/// A message that cannot be read, before it has its number.
fn malformed_record(place: Place, bytes: &[u8], malformed: Malformed) -> RawRecord<'_> {
    let (sequence, event) = (Sequence::Absent, Err(malformed));
    RawRecord { place, bytes, ts_event: None, sequence, scope: None, also: None, event }
}

/// What one message says: at most two things.
type Events = [Option<MarketEvent>; 2];

const SIDE: &str = "a side: 1 to buy, 2 to sell";
const PRICE: &str = "a price above 0 with at most 4 decimals";
const QUANTITY: &str = "a whole quantity";

/// What is to be said of a fill of an order that nobody entered.
fn trades_alone(found: &[u8]) -> Malformed {
    let expected = "an order that a report with 150=0 has entered; a drop copy of trades alone cannot be measured, since \
                    what rested is not in it: export the order reports as well";
    Malformed::field("37", found, expected)
}

fn order_name<'m>(message: &Message<'m>) -> Result<&'m [u8], Malformed> {
    let name = message.get(37).filter(|name| !name.is_empty());
    name.ok_or_else(|| Malformed::field("37", b"", "the number of an order"))
}

/// The session of a message that the exchange sends.
fn session(message: &Message<'_>) -> Vec<u8> {
    [message.get(49).unwrap_or_default(), message.get(56).unwrap_or_default()].join(&1)
}

/// The same session, by a message that the firm sends.
fn firm_session(message: &Message<'_>) -> Vec<u8> {
    [message.get(56).unwrap_or_default(), message.get(49).unwrap_or_default()].join(&1)
}

/// What a quote says of one issue.
#[derive(Clone, Copy, Default)]
struct Entry<'m> {
    symbol: Option<&'m [u8]>,
    bid: Option<&'m [u8]>,
    offer: Option<&'m [u8]>,
    bid_size: Option<&'m [u8]>,
    offer_size: Option<&'m [u8]>,
}

/// The entries of a quote (one) or of a mass quote, each of which begins with its identifier.
fn entries<'m>(message: &Message<'m>) -> Vec<Entry<'m>> {
    let mut entries: Vec<Entry<'m>> = Vec::new();
    let is_mass = message.get(35) == Some(b"i");
    if !is_mass {
        entries.push(Entry::default());
    }
    for (tag, value) in message.fields.iter(message.bytes) {
        if is_mass && tag == 299 {
            entries.push(Entry::default());
        }
        let Some(entry) = entries.last_mut() else { continue };
        match tag {
            55 => entry.symbol = Some(value),
            132 => entry.bid = Some(value),
            133 => entry.offer = Some(value),
            134 => entry.bid_size = Some(value),
            135 => entry.offer_size = Some(value),
            _ => {}
        }
    }
    entries
}

/// A side of a quote; `None` where it is not quoted.
fn level(price: Option<&[u8]>, size: Option<&[u8]>) -> Result<Option<Quote>, Malformed> {
    let (Some(price), Some(size)) = (price, size) else { return Ok(None) };
    let quantity = values::quantity(size).ok_or_else(|| Malformed::field("134", size, QUANTITY))?;
    if quantity == 0 || price.iter().all(|byte| matches!(byte, b'0' | b'.')) {
        return Ok(None);
    }
    let price = values::price(price).ok_or_else(|| Malformed::field("132", price, PRICE))?;
    Ok(Some(Quote { price, quantity: Shares(quantity) }))
}

/// How many lines end in `bytes`.
fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
