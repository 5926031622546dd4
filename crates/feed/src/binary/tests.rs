//! What is written is what is read, whole or in parts; what is damaged is found.

mod damage;
mod format;
mod parts;
mod properties;
mod stream;

use super::*;
use crate::csv::{CsvDecoder, CsvWriter};
use crate::{EventWriter, FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop};
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Record, Scope, SequenceNo,
    ServerIndex, Shares, Side, Timestamp,
};

/// 2024-03-01T09:00:00+09:00.
const OPEN: i64 = 1_709_251_200_000_000;

/// A record as it is read, without its place.
#[derive(Clone, PartialEq, Debug)]
struct Read {
    sequence: Sequence,
    ts_event: Option<Timestamp>,
    scope: Option<Scope>,
    event: Result<MarketEvent, Malformed>,
}

/// Everything that a decoder hands over.
#[derive(Clone, Default, PartialEq, Debug)]
struct Log {
    issues: Vec<String>,
    servers: Vec<String>,
    records: Vec<Read>,
    places: Vec<Place>,
    bytes: Vec<u8>,
    rest: usize,
}

impl Receiver for Log {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        assert_eq!(index.index(), self.issues.len());
        self.issues.push(code.to_string());
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        assert_eq!(index.index(), self.servers.len());
        self.servers.push(name.to_owned());
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let event = record.event.clone();
        if let Ok(MarketEvent::Order { issue, .. }) = event {
            assert!(issue.index() < self.issues.len());
        }
        let (sequence, ts_event, scope) = (record.sequence, record.ts_event, record.scope);
        self.records.push(Read { sequence, ts_event, scope, event });
        self.places.push(record.place);
        self.bytes.extend_from_slice(record.bytes);
        Ok(())
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.rest += bytes.len();
        Ok(())
    }
}

impl Log {
    /// Whether anything is wrong.
    fn is_damaged(&self) -> bool {
        self.records.iter().any(|record| record.event.is_err())
    }

    fn first_error(&self) -> String {
        let error = self.records.iter().find_map(|record| record.event.as_ref().err());
        error.map(ToString::to_string).unwrap_or_default()
    }
}

fn header(has_sequence: bool) -> Header {
    let date = TradingDate::new(2024, 3, 1).expect("legal");
    Header { date, offset: UtcOffset::from_minutes(540).expect("legal"), has_sequence }
}

/// A list of events with their sequence numbers and names, ready to be written.
#[derive(Clone, Default, Debug)]
struct Source {
    issues: Vec<String>,
    servers: Vec<String>,
    events: Vec<(Option<SequenceNo>, Record)>,
}

impl Source {
    fn write(&self, mut writer: impl EventWriter) -> std::io::Result<()> {
        for (index, code) in (0..).zip(&self.issues) {
            writer.issue(IssueIndex(index), &IssueCode::new(code.as_bytes()).expect("legal"))?;
        }
        for (index, name) in (0..).zip(&self.servers) {
            writer.server(ServerIndex(index), name)?;
        }
        for (sequence, record) in &self.events {
            writer.event(*sequence, record)?;
        }
        writer.finish()
    }

    fn has_sequence(&self) -> bool {
        self.events.first().is_some_and(|(sequence, _)| sequence.is_some())
    }

    fn binary(&self, block_records: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let writer = BinaryWriter::new(&mut file, &header(self.has_sequence())).with_block_records(block_records);
        self.write(writer).expect("writable");
        file
    }

    fn messages(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let writer = MessageWriter::new(&header(false), |_, message: &[u8]| {
            messages.push(message.to_vec());
            Ok(())
        });
        self.write(writer.expect("it takes everything")).expect("writable");
        messages
    }

    fn csv(&self) -> Vec<u8> {
        let mut file = Vec::new();
        self.write(CsvWriter::new(&mut file, self.has_sequence(), header(true).offset)).expect("writable");
        file
    }
}

/// What was read, ready to be written again.
impl From<&Log> for Source {
    fn from(log: &Log) -> Source {
        let events = log.records.iter().map(|read| {
            let sequence = match read.sequence {
                Sequence::Given(number) => Some(number),
                Sequence::Absent | Sequence::Unreadable => None,
            };
            let event = *read.event.as_ref().expect("a good record");
            (sequence, Record { ts_event: read.ts_event.expect("a good record"), event })
        });
        Source { issues: log.issues.clone(), servers: log.servers.clone(), events: events.collect() }
    }
}

fn decode(file: &[u8], chunk: usize) -> Result<Log, FeedError> {
    let (mut decoder, mut log) = (BinaryDecoder::default(), Log::default());
    for chunk in file.chunks(chunk) {
        decoder.push(chunk, &mut log)?;
    }
    decoder.finish(&mut log)?;
    Ok(log)
}

fn decode_csv(file: &[u8]) -> Log {
    let (mut decoder, mut log) = (CsvDecoder::default(), Log::default());
    decoder.push(file, &mut log).expect("a good header");
    decoder.finish(&mut log).expect("a good header");
    log
}

fn units(price: u64) -> Option<Price> {
    Price::from_ten_thousandths(price)
}

/// One of each event, of two issues, two servers and the market; with numbers that fit nowhere but in an extension.
fn one_of_each(has_sequence: bool) -> Source {
    let add = |order, server, side, price, quantity, condition| OrderAction::Add {
        order: OrderId(order),
        server,
        side,
        price,
        quantity: Shares(quantity),
        condition,
    };
    let trade =
        |price, quantity, orders, auction| OrderAction::Trade { price, quantity: Shares(quantity), orders, auction };
    let (first, second) = (Some(ServerIndex(0)), Some(ServerIndex(1)));
    let replace = |order_new, price, quantity| OrderAction::Replace {
        order: OrderId(7),
        order_new: OrderId(order_new),
        price,
        quantity,
    };
    let actions = [
        (0, add(7, first, Side::Bid, units(20_000_000), 100, OrderCondition::None)),
        (1, add(u64::MAX, None, Side::Offer, None, 1_000_000_000_000, OrderCondition::OnClose)),
        (0, add(8, second, Side::Offer, Some(Price::MAX), 1, OrderCondition::Ioc)),
        (0, replace(u64::MAX, None, Some(Shares(u64::from(u32::MAX))))),
        (1, replace(7, units(1 << 32), None)),
        (1, replace(9, None, None)),
        (0, OrderAction::Reduce { order: OrderId(8), quantity: Shares(1 << 32) }),
        (1, OrderAction::Cancel { order: OrderId(0) }),
        (0, trade(units(10_000), 5, [Some(OrderId(u64::MAX)), Some(OrderId(8))], true)),
        (0, trade(units(12_345), 1_000_000_000_000, [None, Some(OrderId(8))], false)),
        (1, trade(Some(Price::MAX), 5, [None, None], false)),
    ];
    let mut events: Vec<MarketEvent> =
        actions.map(|(issue, action)| MarketEvent::Order { issue: IssueIndex(issue), action }).to_vec();
    let issue = Scope::Issue(IssueIndex(1));
    events.insert(0, MarketEvent::Phase { scope: Scope::Market, phase: Phase::Auction });
    events.insert(3, MarketEvent::Clear { scope: Scope::Market });
    events.insert(4, MarketEvent::Clear { scope: issue });
    events.insert(6, MarketEvent::Phase { scope: issue, phase: Phase::Closed });
    events.push(MarketEvent::Phase { scope: Scope::Market, phase: Phase::Closed });
    let numbered = events.into_iter().zip(0_u32..).map(|(event, position)| {
        let ts_event = Timestamp::from_micros(OPEN + i64::from(position) / 2 * 1_000_001);
        let sequence = has_sequence.then_some(SequenceNo(u64::from(position) + 41));
        (sequence, Record { ts_event, event })
    });
    let (issues, servers) = (vec!["1306".into(), "130A".into()], vec!["VS1".into(), "Ｖ,S\"2".into()]);
    Source { issues, servers, events: numbered.collect() }
}

/// `source` with its names in the order of their first use, as any reader of CSV counts them.
fn in_order_of_use(source: &Source) -> Source {
    Source::from(&decode_csv(&source.csv()))
}
