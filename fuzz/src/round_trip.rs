//! Written and read again: the same events.

use crate::readers::{Call, Calls, Form, decode, whole};
use quoteclock_feed::binary::{BinaryDecoder, BinaryFile, BinaryWriter, Header};
use quoteclock_feed::csv::{CsvDecoder, CsvWriter};
use quoteclock_feed::{EventWriter, Sequence, TradingDate, UtcOffset};
use quoteclock_model::{IssueIndex, MarketEvent, OrderAction, Record, Scope, SequenceNo, ServerIndex, Timestamp};
use std::io::{self, Cursor};

/// A good record with its names in place of their indices, which each form counts in its own order.
#[derive(Clone, PartialEq, Debug)]
struct Named {
    sequence: Option<SequenceNo>,
    ts_event: Timestamp,
    issue: Option<String>,
    server: Option<String>,
    event: MarketEvent,
}

/// Everything good that a reader handed over.
#[derive(Default)]
struct Good {
    issues: Vec<String>,
    servers: Vec<String>,
    records: Vec<(Option<SequenceNo>, Record)>,
    bad: usize,
}

impl Good {
    fn read(form: Form, bytes: &[u8]) -> Option<Good> {
        let mut calls = Calls::default();
        decode(form, &whole(bytes), &mut calls).ok()?;
        let mut good = Good::default();
        for call in calls.0 {
            match call {
                Call::Issue(_, code) => good.issues.push(code.to_string()),
                Call::Server(_, name) => good.servers.push(name),
                Call::Record { ts_event: Some(ts_event), sequence, event: Ok(event), .. } => {
                    let number = match sequence {
                        Sequence::Given(number) => Some(number),
                        Sequence::Absent => None,
                        Sequence::Unreadable => panic!("a good record has its number"),
                    };
                    good.records.push((number, Record { ts_event, event }));
                }
                Call::Record { event: Ok(event), .. } => panic!("{event:?} has no time"),
                Call::Record { event: Err(_), .. } => good.bad += 1,
            }
        }
        Some(good)
    }

    /// Keeps what a file can hold: times that do not go back, numbers that rise.
    fn keep_in_order(&mut self) {
        let (mut last_time, mut last_number) = (Timestamp::MIN, None);
        self.records.retain(|(number, record)| {
            let fits = last_time <= record.ts_event && (number.is_none() || last_number < *number);
            if fits {
                (last_time, last_number) = (record.ts_event, *number);
            }
            fits
        });
    }

    fn named(&self) -> Vec<Named> {
        let name = |(sequence, record): &(Option<SequenceNo>, Record)| {
            let (mut event, mut server_name) = (record.event, None);
            let issue = match record.event.scope() {
                Scope::Market => None,
                Scope::Issue(issue) => Some(self.issues[issue.index()].clone()),
            };
            match &mut event {
                MarketEvent::Order { issue, action } => {
                    *issue = IssueIndex(0);
                    if let OrderAction::Add { server: Some(server), .. } = action {
                        server_name = Some(self.servers[server.index()].clone());
                        *server = ServerIndex(0);
                    }
                }
                MarketEvent::Phase { scope: Scope::Issue(issue), .. }
                | MarketEvent::Clear { scope: Scope::Issue(issue) } => {
                    *issue = IssueIndex(0);
                }
                MarketEvent::Phase { .. } | MarketEvent::Clear { .. } => {}
            }
            Named { sequence: *sequence, ts_event: record.ts_event, issue, server: server_name, event }
        };
        self.records.iter().map(name).collect()
    }

    fn write(&self, mut writer: impl EventWriter) -> io::Result<()> {
        for (index, code) in (0..).zip(&self.issues) {
            let code = quoteclock_model::IssueCode::new(code.as_bytes()).expect("it has been read");
            writer.issue(IssueIndex(index), &code)?;
        }
        for (index, name) in (0..).zip(&self.servers) {
            writer.server(ServerIndex(index), name)?;
        }
        for (sequence, record) in &self.records {
            writer.event(*sequence, record)?;
        }
        writer.finish()
    }

    fn csv(&self, has_sequence: bool, offset: UtcOffset) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        self.write(CsvWriter::new(&mut file, has_sequence, offset)).map(|()| file)
    }

    fn binary(&self, header: &Header) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        self.write(BinaryWriter::new(&mut file, header).with_block_records(3)).map(|()| file)
    }
}

/// Reads `bytes`, writes what is good of them, and reads that again: in the binary form, and in one of two further ways that the
/// bytes choose, so that a run stays short.
pub fn check(form: Form, bytes: &[u8]) {
    let Some(mut good) = Good::read(form, bytes) else { return };
    good.keep_in_order();
    let has_sequence = good.records.iter().any(|(number, _)| number.is_some());
    let (date, offset) = says(form, bytes);
    let header = Header { date, offset, has_sequence };
    let binary = match good.binary(&header) {
        Ok(binary) => binary,
        // At the end of time a block has no room; names that only events out of order used are too many for no file.
        Err(error) => {
            assert!(error.kind() == io::ErrorKind::InvalidInput, "{error}");
            return;
        }
    };
    let again = Good::read(Form::Binary, &binary).expect("what was written is read");
    assert_eq!((again.bad, &again.named()), (0, &good.named()));
    if crc32c::crc32c(bytes).is_multiple_of(2) {
        assert_eq!(again.binary(&header).expect("written once already"), binary, "the same events, the same bytes");
        return check_file(&binary, &header, &good);
    }
    // A trade without a price, a name with a line end and a year of five digits are no CSV.
    let Ok(csv) = good.csv(has_sequence, offset) else { return };
    let as_csv = Good::read(Form::Csv, &csv).expect("what was written is read");
    assert_eq!((as_csv.bad, &as_csv.named()), (0, &good.named()));
    assert_eq!(as_csv.csv(has_sequence, offset).expect("written once already"), csv, "canonical");
    assert_eq!(again.csv(has_sequence, offset).expect("written once already"), csv, "the same from either form");
}

/// By its index a file gives the same records.
fn check_file(binary: &[u8], header: &Header, good: &Good) {
    let mut file = BinaryFile::open(Cursor::new(binary)).expect("a good file");
    assert_eq!(file.header(), header);
    let mut calls = Calls::default();
    file.records_from(Timestamp::MIN, &mut calls).expect("a good file");
    let records = calls.0.iter().filter(|call| matches!(call, Call::Record { .. })).count();
    assert_eq!(records, good.records.len());
}

/// The date and the offset of a file, where it says them.
fn says(form: Form, bytes: &[u8]) -> (TradingDate, UtcOffset) {
    let (mut calls, mut offset) = (Calls::default(), UtcOffset::from_minutes(0).expect("zero"));
    let mut date = TradingDate::new(2024, 3, 1).expect("a date");
    match form {
        Form::Binary => {
            let mut decoder = BinaryDecoder::default();
            let _ = decoder.push(bytes, &mut calls);
            if let Some(header) = decoder.header() {
                (date, offset) = (header.date, header.offset);
            }
        }
        Form::Csv => {
            let mut decoder = CsvDecoder::default();
            let _ = decoder.push(bytes, &mut calls);
            offset = decoder.offset();
        }
        Form::Itch | Form::Fix | Form::Dbn => {}
    }
    (date, offset)
}
