//! Single facts of the form, and what is refused.

use super::*;
use std::io;

#[test]
fn every_event_comes_back_wide_values_included() {
    for has_sequence in [false, true] {
        let source = one_of_each(has_sequence);
        for block_records in [1, 2, 5, 100] {
            let log = decode(&source.binary(block_records), 1 << 20).expect("a good header");
            assert_eq!(Source::from(&log).events, source.events, "blocks of {block_records}");
            assert_eq!((&log.issues, &log.servers), (&source.issues, &source.servers));
        }
    }
}

#[test]
fn a_record_stands_where_it_says_and_is_handed_over_with_its_bytes() {
    let file = one_of_each(true).binary(100);
    let log = decode(&file, 7).expect("a good header");
    let mut bytes = Vec::new();
    for (place, read) in log.places.iter().zip(&log.records) {
        let Place::Byte(offset) = *place else { panic!("{place}") };
        let start = usize::try_from(offset).expect("small");
        let wide = !log.bytes[bytes.len()..].is_empty() && {
            let found = &log.bytes[bytes.len()..];
            found.len() >= 64 && found[28] == 0 && found[29] & 0b10 != 0 || file[start + 29] & 0b10 != 0
        };
        bytes.extend_from_slice(&file[start..start + if wide { 64 } else { 32 }]);
        assert!(read.event.is_ok());
    }
    assert_eq!(bytes, log.bytes);
}

#[test]
fn an_unknown_version_is_refused_and_named() {
    let mut file = one_of_each(true).binary(100);
    file[8] = 2;
    let error = decode(&file, 7).expect_err("another version");
    assert_eq!(
        error.to_string(),
        "byte 0: version: found version 2 of the binary form, expected version 1, the only one that this program reads"
    );
}

#[test]
fn what_is_no_such_file_is_refused() {
    for input in [&b""[..], b"\x89QCEV\r\n\x1a", b"seq,time,issue,event,order,server,side,price,quantity\n", &[0; 200]]
    {
        let error = decode(input, 7).expect_err("no header").to_string();
        assert!(error.starts_with("byte 0: header: found ") && error.contains("89 \"QCEV\" 0D 0A 1A"), "{error}");
    }
}

#[test]
fn the_first_bytes_tell_the_form() {
    let file = Source::default().binary(100);
    assert!(looks_like_binary(&file) && looks_like_binary(&file[..8]));
    for other in [&file[..7], b"time,issue", b"", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"] {
        assert!(!looks_like_binary(other));
    }
}

#[test]
fn a_file_without_records_is_whole() {
    let file = Source::default().binary(100);
    assert_eq!(file.len(), FILE_HEAD_BYTES + Tail::BYTES);
    assert_eq!(decode(&file, 7).expect("a good header"), Log::default());
}

#[test]
fn the_header_says_what_the_writer_was_told() {
    let mut decoder = BinaryDecoder::default();
    let file = one_of_each(true).binary(100);
    decoder.push(&file[..FILE_HEAD_BYTES], &mut Log::default()).expect("a good header");
    assert_eq!(decoder.header(), Some(&header(true)));
}

#[test]
fn a_long_silence_begins_a_new_block() {
    let mut source = one_of_each(false);
    let last = source.events.len() - 1;
    for (step, expected) in [(u32::MAX, 1), (0, 1)] {
        let base = source.events[0].1.ts_event.as_micros();
        source.events[last].1.ts_event = Timestamp::from_micros(base + i64::from(step.max(100_000_000)));
        let file = source.binary(1000);
        assert_eq!(blocks(&file), expected);
    }
    let base = source.events[0].1.ts_event.as_micros();
    source.events[last].1.ts_event = Timestamp::from_micros(base + i64::from(u32::MAX) + 1);
    let file = source.binary(1000);
    assert_eq!(blocks(&file), 2);
    assert_eq!(Source::from(&decode(&file, 999).expect("a good header")).events, source.events);
}

fn blocks(file: &[u8]) -> u64 {
    Tail::read(&file[file.len() - Tail::BYTES..]).expect("a tail").blocks
}

#[test]
fn gaps_in_sequence_numbers_come_back() {
    let mut source = one_of_each(true);
    for (position, (sequence, _)) in source.events.iter_mut().enumerate() {
        let number = position as u64;
        *sequence = Some(SequenceNo(match position {
            0..4 => number,
            4 => 1_000,
            5..9 => number * number * 1_000,
            _ => u64::MAX - 100 + number,
        }));
    }
    for block_records in [1, 3, 100] {
        let log = decode(&source.binary(block_records), 64).expect("a good header");
        assert_eq!(Source::from(&log).events, source.events);
    }
}

#[test]
fn times_and_numbers_that_go_back_are_refused() {
    let write = |change: &dyn Fn(&mut Source), has_sequence| {
        let mut source = one_of_each(has_sequence);
        change(&mut source);
        let mut file = Vec::new();
        source.write(BinaryWriter::new(&mut file, &header(true))).expect_err("unwritable")
    };
    let time = write(&|source| source.events[5].1.ts_event = Timestamp::from_micros(OPEN - 1), true);
    assert_eq!(time.kind(), io::ErrorKind::InvalidData, "{time}");
    let repeat = write(&|source| source.events[5].0 = source.events[4].0, true);
    assert_eq!(repeat.kind(), io::ErrorKind::InvalidData, "{repeat}");
    let missing = write(&|_| {}, false);
    assert_eq!(missing.kind(), io::ErrorKind::InvalidInput, "{missing}");
    let nameless = write(&|source| drop(source.issues.pop()), true);
    assert_eq!(nameless.to_string(), "an event of issue 1, which has no name");
    let nothing = |source: &mut Source| {
        let action = OrderAction::Reduce { order: OrderId(1), quantity: Shares(0) };
        source.events[3].1.event = MarketEvent::Order { issue: IssueIndex(0), action };
    };
    assert_eq!(write(&nothing, true).kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn names_that_are_never_used_take_no_space() {
    let mut source = one_of_each(true);
    let file = source.binary(4);
    source.issues.push("9999".into());
    source.servers.push("VS9".into());
    assert_eq!(source.binary(4), file);
}

#[test]
fn a_block_of_many_issues_is_longer() {
    let mut source = Source::default();
    for position in 0..2_200_000 {
        let issue = IssueIndex(position % 4_096);
        let action = OrderAction::Cancel { order: OrderId(u64::from(position)) };
        let ts_event = Timestamp::from_micros(OPEN + i64::from(position));
        source.events.push((None, Record { ts_event, event: MarketEvent::Order { issue, action } }));
    }
    source.issues = (0..4_096).map(|issue| format!("{issue:04}")).collect();
    let mut file = Vec::new();
    source.write(BinaryWriter::new(&mut file, &header(false))).expect("writable");
    assert_eq!(blocks(&file), 2_200_000_u64.div_ceil(4_096 * 512));
    assert_eq!(Source::from(&decode(&file, 1 << 18).expect("a good header")).events, source.events);
}

/// The example of docs/EVENT_FORMAT.md.
#[test]
fn the_worked_example_is_what_is_written() {
    let csv = "seq,time,issue,event,order,contra,server,side,price,quantity,condition,phase\n\
         41,2024-03-01T09:00:00.000000+09:00,*,phase,,,,,,,,continuous\n\
         42,2024-03-01T09:00:00.000250+09:00,1306,add,7,,VS1,B,2345.5,100,,\n\
         43,2024-03-01T09:00:01.000000+09:00,1306,cancel,7,,,,,,,\n";
    let source = Source::from(&decode_csv(csv.as_bytes()));
    let lines = source.binary(100);
    let mut dump = String::new();
    for (position, line) in lines.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        dump.push_str(&format!("{:04x}  {}\n", position * 16, hex.join(" ")));
    }
    let page = include_str!("../../../../../docs/EVENT_FORMAT.md");
    assert!(page.contains(&dump) && page.contains(csv), "docs/EVENT_FORMAT.md should show:\n{csv}\n{dump}");
}
