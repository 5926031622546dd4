//! What lines of CSV say, and what is said of those that say nothing.

use super::*;
use crate::RawRecord;
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, ServerIndex, Shares,
    Side,
};

/// Writes down everything that a decoder hands over.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Log {
    pub(super) lines: Vec<String>,
}

impl Receiver for Log {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.lines.push(format!("issue {} {code}", index.0));
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.lines.push(format!("server {} {name}", index.0));
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let bytes = record.bytes.len();
        self.lines.push(format!(
            "{} {:?} {:?} {:?} {bytes} {:?}",
            record.place, record.ts_event, record.sequence, record.scope, record.event
        ));
        Ok(())
    }

    fn rest(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if let Some(last) = self.lines.last_mut().filter(|last| last.starts_with("rest ")) {
            let before: usize = last["rest ".len()..].parse().expect("written here");
            *last = format!("rest {}", before + bytes.len());
        } else {
            self.lines.push(format!("rest {}", bytes.len()));
        }
        Ok(())
    }
}

pub(super) fn decode_in_chunks(input: &[u8], size: usize) -> Result<Log, FeedError> {
    let (mut decoder, mut log) = (CsvDecoder::default(), Log::default());
    for chunk in input.chunks(size) {
        decoder.push(chunk, &mut log)?;
    }
    decoder.finish(&mut log)?;
    Ok(log)
}

/// The records that `lines` hold under the full header.
fn events(lines: &str) -> Vec<Result<MarketEvent, String>> {
    struct Events(Vec<Result<MarketEvent, String>>);
    impl Receiver for Events {
        fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
        fn server(&mut self, _: ServerIndex, _: &str) {}
        fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
            self.0.push(record.event.clone().map_err(|malformed| malformed.to_string()));
            Ok(())
        }
        fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
            Ok(())
        }
    }
    let mut events = Events(Vec::new());
    let mut decoder = CsvDecoder::default();
    decoder.push(format!("{}\n{lines}", COLUMNS.join(",")).as_bytes(), &mut events).expect("a good header");
    decoder.finish(&mut events).expect("a good header");
    events.0
}

fn action(fields: &str) -> Result<OrderAction, String> {
    let line = format!("1,2024-03-01T09:00:00+09:00,1306,{fields}");
    match events(&line).pop().expect("one record")? {
        MarketEvent::Order { action, .. } => Ok(action),
        other => panic!("{other:?}"),
    }
}

fn yen(price: u64) -> Option<Price> {
    Price::from_ten_thousandths(price * 10_000)
}

#[test]
fn every_event_reads_the_fields_it_uses() {
    let add = |server, price, condition| OrderAction::Add {
        order: OrderId(7),
        server,
        side: Side::Bid,
        price,
        quantity: Shares(100),
        condition,
    };
    assert_eq!(action("add,7,,VS1,B,2000,100,,"), Ok(add(Some(ServerIndex(0)), yen(2000), OrderCondition::None)));
    assert_eq!(action("add,7,junk,,B,,100,on_close,junk"), Ok(add(None, None, OrderCondition::OnClose)));
    let replace = |order_new, price, quantity| OrderAction::Replace { order: OrderId(7), order_new, price, quantity };
    assert_eq!(action("replace,7,,junk,junk,,,junk,junk"), Ok(replace(OrderId(7), None, None)));
    assert_eq!(action("replace,7,8,,,2001,5,,"), Ok(replace(OrderId(8), yen(2001), Some(Shares(5)))));
    let reduce = OrderAction::Reduce { order: OrderId(7), quantity: Shares(5) };
    assert_eq!(action("reduce,7,junk,junk,junk,junk,5,junk,junk"), Ok(reduce));
    assert_eq!(action("cancel,7,junk,junk,junk,junk,junk,junk,junk"), Ok(OrderAction::Cancel { order: OrderId(7) }));
    let trade = |orders, auction| OrderAction::Trade { price: yen(2000), quantity: Shares(5), orders, auction };
    assert_eq!(action("trade,7,8,junk,junk,2000,5,junk,"), Ok(trade([Some(OrderId(7)), Some(OrderId(8))], false)));
    assert_eq!(action("trade,,8,,,2000,5,,auction"), Ok(trade([None, Some(OrderId(8))], true)));
    assert_eq!(action("trade,,,,,2000,5,,"), Ok(trade([None, None], false)));
}

#[test]
fn phases_and_clears_concern_an_issue_or_the_market() {
    let found = events(
        "1,2024-03-01T00:00:00Z,*,phase,,,,,,,,halt\n\
         2,2024-03-01T00:00:00Z,130A,phase,,,,,,,,special_quote\n\
         3,2024-03-01T00:00:00Z,*,clear,,,,,,,,\n",
    );
    let issue = Scope::Issue(IssueIndex(0));
    assert_eq!(
        found,
        [
            Ok(MarketEvent::Phase { scope: Scope::Market, phase: Phase::Halt }),
            Ok(MarketEvent::Phase { scope: issue, phase: Phase::SpecialQuote }),
            Ok(MarketEvent::Clear { scope: Scope::Market }),
        ]
    );
}

#[test]
fn a_malformed_field_is_named_with_what_was_found_and_expected() {
    for (fields, expected) in [
        ("1,x,1306,cancel,7,,,,,,,", "time: found \"x\", expected a time such as"),
        ("1,2024-03-01T00:00:60Z,1306,cancel,7,,,,,,,", "time: found"),
        ("x,2024-03-01T00:00:00Z,1306,cancel,7,,,,,,,", "seq: found \"x\""),
        ("1,2024-03-01T00:00:00Z,,cancel,7,,,,,,,", "issue: found nothing"),
        ("1,2024-03-01T00:00:00Z,*,cancel,7,,,,,,,", "issue: found \"*\""),
        ("1,2024-03-01T00:00:00Z,13 06,cancel,7,,,,,,,", "issue: found \"13 06\""),
        ("1,2024-03-01T00:00:00Z,1306,Cancel,7,,,,,,,", "event: found \"Cancel\""),
        ("1,2024-03-01T00:00:00Z,1306,cancel,,,,,,,,", "order: found nothing"),
        ("1,2024-03-01T00:00:00Z,1306,cancel,18446744073709551616,,,,,,,", "order: found"),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,b,1,1,,", "side: found \"b\", expected B or S"),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,B,1.00001,1,,", "price: found \"1.00001\""),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,B,0,1,,", "price: found \"0\""),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,B,1,,,", "quantity: found nothing"),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,B,1,1000000000001,,", "quantity: found"),
        ("1,2024-03-01T00:00:00Z,1306,add,1,,,B,1,1,fok,", "condition: found \"fok\""),
        ("1,2024-03-01T00:00:00Z,1306,reduce,1,,,,,0,,", "quantity: found \"0\""),
        ("1,2024-03-01T00:00:00Z,1306,trade,1,1,,,1,1,,", "contra: found \"1\", expected an order other"),
        ("1,2024-03-01T00:00:00Z,1306,trade,1,,,,,1,,", "price: found nothing"),
        ("1,2024-03-01T00:00:00Z,1306,trade,1,,,,1,1,,halt", "phase: found \"halt\""),
        ("1,2024-03-01T00:00:00Z,1306,phase,,,,,,,,", "phase: found nothing"),
        ("1,2024-03-01T00:00:00Z,1306,replace,1,x,,,,,,", "contra: found \"x\""),
        ("1,2024-03-01T00:00:00Z,1306,cancel,7,,,,,,", "record: found a record of 11 fields"),
        ("1,2024-03-01T00:00:00Z,1306,cancel,7,,,,,,,,", "record: found a record of 13 fields"),
        ("", "record: found a blank line"),
        ("1,2024-03-01T00:00:00Z,\"1306,cancel,7,,,,,,,", "record: found"),
        ("1,2024-03-01T00:00:00Z,1306,add,7,,\u{1F600}\\xFF,B,1,1,,", ""),
    ] {
        let line = format!("{fields}\n");
        match events(&line).pop().expect("one record") {
            Err(message) => assert!(message.starts_with(expected) && !expected.is_empty(), "{fields}: {message}"),
            Ok(_) => assert!(expected.is_empty(), "{fields}"),
        }
    }
}

#[test]
fn a_server_name_is_utf8() {
    let mut line = b"seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase\n".to_vec();
    line.extend_from_slice(b"1,2024-03-01T00:00:00Z,1306,add,7,,V\xFF,B,1,1,,\n");
    let log = decode_in_chunks(&line, 4096).expect("a good header");
    assert!(log.lines[1].contains("field: \"server\""), "{:?}", log.lines);
}

#[test]
fn columns_stand_in_any_order_and_four_may_be_absent() {
    let input =
        "\u{FEFF}quantity,price,side,server,order,event,issue,time\r\n100,2000,S,VS1,7,add,1306,2024-03-01T00:00:00Z";
    let log = decode_in_chunks(input.as_bytes(), 4096).expect("a good header");
    assert_eq!(&log.lines[..2], ["issue 0 1306", "server 0 VS1"]);
    assert!(log.lines[2].contains("Absent") && log.lines[2].contains("side: Offer"), "{:?}", log.lines);
}

#[test]
fn quoted_fields_are_read_as_what_they_quote() {
    let found = events("\"1\",\"2024-03-01T00:00:00Z\",\"1306\",add,7,,\"VS,\"\"1\"\"\",B,1,1,,\n");
    assert!(matches!(found[0], Ok(MarketEvent::Order { action: OrderAction::Add { server: Some(_), .. }, .. })));
}

#[test]
fn a_header_that_is_not_of_events_is_refused_and_says_why() {
    for (header, expected) in [
        ("", "line 1: header: found nothing"),
        ("seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase,colour", "column \"colour\""),
        ("time,time,issue,event,order,server,side,price,quantity", "column \"time\", expected each column once"),
        ("time,issue,event,order,server,side,price", "no column \"quantity\""),
    ] {
        let error = decode_in_chunks(header.as_bytes(), 4096).expect_err(header);
        assert!(error.to_string().contains(expected), "{header}: {error}");
    }
}

#[test]
fn input_cut_at_any_byte_reads_the_same() {
    let input = "seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase\r\n\
         1,2024-03-01T00:00:00Z,1306,add,7,,VS1,B,2000,100,,\r\n\
         2,2024-03-01T00:00:00Z,130A,add,8,,VS2,S,2001.5,100,funari,\n\
         \n\
         3,2024-03-01T00:00:01.5Z,1306,trade,7,,,,2000,100,,auction";
    let whole = decode_in_chunks(input.as_bytes(), input.len()).expect("a good header");
    assert_eq!(whole.lines.len(), 8);
    for size in 1..input.len() {
        assert_eq!(decode_in_chunks(input.as_bytes(), size).expect("a good header"), whole, "chunks of {size}");
    }
}

#[test]
fn a_line_of_ten_million_characters_is_one_malformed_record_passed_on_in_parts() {
    let mut input = b"time,issue,event,order,server,side,price,quantity\n".to_vec();
    input.extend(std::iter::repeat_n(b'7', 10_000_000));
    input.extend_from_slice(b"\n2024-03-01T00:00:00Z,1306,cancel,7,,,,\n");
    let log = decode_in_chunks(&input, 1 << 16).expect("a good header");
    assert!(log.lines[0].starts_with("line 2 None Absent None") && log.lines[0].contains("at most 1 MiB"));
    let rest: usize = log.lines[1]["rest ".len()..].parse().expect("a number");
    assert!((10_000_000 - LINE_BYTES_MAX - (1 << 16)..10_000_000 - LINE_BYTES_MAX).contains(&rest), "{rest}");
    assert!(log.lines[3].starts_with("line 3"), "{:?}", &log.lines[2..]);
}
