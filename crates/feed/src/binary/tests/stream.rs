//! Message by message: what is written is what is read, names with their numbers, and what is lost is not guessed.

use super::*;

const LINES: [&str; 5] = [
    "time,issue,event,order,contra,server,side,price,quantity,condition,phase",
    "2024-03-01T09:00:00+09:00,*,phase,,,,,,,,continuous",
    "2024-03-01T09:00:00.00025+09:00,1306,add,7,,VS1,B,2345.5,100,,",
    "2024-03-01T09:00:01+09:00,130A,add,8,,VS1,S,1000000000,1000000000000,funari,",
    "2024-03-01T09:00:02+09:00,1306,cancel,7,,,,,,,",
];

/// The messages of [`LINES`].
fn messages() -> Vec<Vec<u8>> {
    Source::from(&decode_csv(LINES.join("\n").as_bytes())).messages()
}

pub(super) fn read<'a>(messages: impl IntoIterator<Item = &'a Vec<u8>>, lost_before: Option<usize>) -> Log {
    let (mut decoder, mut log) = (MessageDecoder::default(), Log::default());
    for (position, message) in messages.into_iter().enumerate() {
        if lost_before == Some(position) {
            decoder.lost();
        }
        decoder.message(message, &mut log).expect("a good head");
    }
    log
}

#[test]
fn messages_hold_what_the_csv_holds() {
    let expected = decode_csv(LINES.join("\n").as_bytes());
    let log = read(&messages(), None);
    assert_eq!(log.records, expected.records);
    assert_eq!((log.issues, log.servers), (expected.issues, expected.servers));
    // The head, three names, and four records of which one needs an extension.
    assert_eq!(messages().iter().map(Vec::len).collect::<Vec<_>>(), [64, 40, 7, 6, 40, 7, 72, 40]);
}

#[test]
fn names_after_a_loss_are_not_numbered_by_guessing() {
    let messages = messages();
    // The name of the second issue is lost with what came before it; the record that uses it names no issue.
    let log = read(messages[..5].iter().chain(&messages[6..]), Some(5));
    assert_eq!(log.issues, ["1306"]);
    let [.., unnamed, known] = log.records.as_slice() else { panic!("{log:?}") };
    assert!(unnamed.event.is_err() && unnamed.scope.is_none());
    assert!(known.event.is_ok());
    // A name that comes after the loss has a number that nobody knows.
    let log = read(messages[..4].iter().chain(&messages[5..]), Some(4));
    assert_eq!(log.issues, ["1306"]);
    assert!(log.records.iter().any(|record| record.scope.is_none() && record.event.is_err()));
}

#[test]
fn a_first_message_that_is_no_head_is_refused_and_others_are_bad_records() {
    let mut log = Log::default();
    for first in [&b""[..], b"seq,time", &messages()[1]] {
        assert!(MessageDecoder::default().message(first, &mut log).is_err());
    }
    for bad in [&b""[..], b"x", b"I\x04\x001306\x00", b"I\x05\x001306", &[0; 39], &[0; 41], &[0xff; 40], &[0; 72]] {
        let log = read(&[messages()[0].clone(), bad.to_vec()], None);
        assert!(log.records[0].event.is_err() && log.records[0].scope.is_none(), "{}", bad.escape_ascii());
    }
}

#[test]
fn a_name_as_long_as_a_record_is_told_from_one() {
    let name = "V".repeat(37);
    let mut list = Vec::new();
    crate::binary::dictionary::write_server(&mut list, &name);
    assert_eq!(list.len(), 40);
    let log = read(&[messages()[0].clone(), list], None);
    assert_eq!((log.servers, log.records.len()), (vec![name], 0));
    let ambiguous = format!("VVVV\u{1}{}", "V".repeat(32));
    let writer = MessageWriter::new(&header(false), |_, _: &[u8]| Ok(()));
    assert!(writer.expect("it takes everything").server(ServerIndex(0), &ambiguous).is_err());
}
