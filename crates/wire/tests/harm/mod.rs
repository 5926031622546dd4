//! What must hold for any bytes at all: shared by a property test and a fuzz target.

use quoteclock_feed::{RawRecord, Receiver, Stop};
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex, Timestamp};
use quoteclock_wire::SessionId;
use quoteclock_wire::journal::JournalDecoder;
use quoteclock_wire::mold::{Assembler, Request};
use quoteclock_wire::payload::{Payload, PayloadDecoder};
use quoteclock_wire::soup::{Client, Login, Server, Wanted};
use std::time::Duration;

/// Checks that `bytes` do no harm, and say the same however they are cut.
pub fn check(bytes: &[u8]) {
    let cut = bytes.first().map_or(0, |&first| usize::from(first) % (bytes.len() + 1));
    let pieces = [&bytes[..cut], &bytes[cut..]];
    assert_eq!(client(&[bytes]), client(&pieces), "a client of SoupBinTCP");
    assert_eq!(journal(&[bytes]), journal(&pieces), "a journal");
    let mut server = Server::new(Duration::ZERO);
    for piece in pieces {
        if server.receive(Duration::ZERO, piece).is_err() {
            break;
        }
    }
    mold(bytes);
    for payload in [Payload::Csv, Payload::Binary, Payload::Itch] {
        let (mut decoder, mut told) = (PayloadDecoder::new(payload, Timestamp::from_micros(0)), Told::default());
        if decoder.messages(bytes, &mut told).is_ok() {
            let _ = decoder.missing("a gap".to_owned(), &mut told);
            let _ = decoder.messages(bytes, &mut told);
        }
    }
}

fn client(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let login = Login { user: Vec::new(), password: Vec::new(), session: None, sequence: 2 };
    let mut client = Client::new(Wanted { login, accept_gap: true }, Duration::ZERO);
    let mut told = Vec::new();
    for piece in pieces {
        let result = client.receive(Duration::ZERO, piece, |event| {
            told.push(format!("{event:?}"));
            Ok::<(), ()>(())
        });
        if let Ok(Err(close)) = result {
            return (told, Some(format!("{close:?}")));
        }
    }
    (told, None)
}

fn journal(pieces: &[&[u8]]) -> (usize, bool) {
    let (mut decoder, mut told) = (JournalDecoder::new(Timestamp::from_micros(0)), Told::default());
    for piece in pieces {
        if decoder.push(piece, &mut told).is_err() {
            return (0, false);
        }
    }
    let ok = decoder.finish(&mut told).is_ok();
    if ok { (told.0, true) } else { (0, false) }
}

/// Datagrams, each after a byte that says how long it is; time passes in between.
fn mold(mut bytes: &[u8]) {
    let mut assembler = Assembler::new(SessionId::new(b"S"), 1);
    let (mut now, mut next) = (Duration::ZERO, 1);
    while let Some((&length, rest)) = bytes.split_first() {
        let (datagram, rest) = rest.split_at(usize::from(length).min(rest.len()));
        assembler.receive(now, datagram, length % 2 == 0, |_| {});
        let requests = assembler.tick(now, |_| {});
        assert!(requests.iter().all(|request: &Request| 0 < request.count && request.count != u16::MAX));
        assert!(next <= assembler.next(), "numbers never go back");
        next = assembler.next();
        (bytes, now) = (rest, now + Duration::from_millis(700));
    }
}

/// Counts what comes.
#[derive(Default)]
struct Told(usize);

impl Receiver for Told {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, _: &RawRecord<'_>) -> Result<(), Stop> {
        self.0 += 1;
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}
