//! Damaged streams: no panic, and a receiver that is told consistently.

use super::*;
use proptest::prelude::*;

/// Checks the order in which a receiver is told things.
#[derive(Default)]
struct Auditor {
    named: Vec<bool>,
    codes: Vec<String>,
    server_count: u32,
    place_last: Option<Place>,
    record_count: usize,
}

impl Auditor {
    fn is_named(&self, issue: IssueIndex) -> bool {
        self.named.get(issue.index()).copied().unwrap_or_default()
    }
}

impl Receiver for Auditor {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        assert!(!self.is_named(index), "an issue is named once");
        assert!(!self.codes.contains(&code.to_string()), "a code names one issue");
        self.codes.push(code.to_string());
        self.named.resize(self.named.len().max(index.index() + 1), false);
        self.named[index.index()] = true;
    }

    fn server(&mut self, index: ServerIndex, _: &str) {
        assert_eq!(index, ServerIndex(self.server_count), "servers are named in order");
        self.server_count += 1;
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        assert!(self.place_last < Some(record.place), "places rise");
        self.place_last = Some(record.place);
        self.record_count += 1;
        let Ok(event) = &record.event else { return Ok(()) };
        assert_eq!(record.scope, Some(event.scope()));
        assert!(record.ts_event.is_some());
        match *event {
            MarketEvent::Order { issue, action: OrderAction::Add { server, .. } } => {
                assert!(self.is_named(issue), "orders are added to issues that have a name");
                assert!(server.is_none_or(|server| server.0 < self.server_count));
            }
            MarketEvent::Phase { scope: Scope::Issue(issue), .. } => assert!(self.is_named(issue)),
            _ => {}
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        panic!("no message is too long to be held")
    }
}

/// Reads a damaged stream whole and in chunks, and checks that both say the same.
fn audit(stream: &[u8], size: usize) -> usize {
    let (mut decoder, mut auditor) = (ItchDecoder::new(MIDNIGHT), Auditor::default());
    decoder.push(stream, &mut auditor).expect("the auditor takes everything");
    decoder.finish(&mut auditor).expect("the auditor takes everything");
    assert_eq!(decode_in_chunks(stream, size), decode_in_chunks(stream, usize::MAX));
    auditor.record_count
}

/// `stream` in packets.
fn in_packets(stream: &[u8]) -> Vec<u8> {
    let mut packets = Vec::new();
    let mut rest = stream;
    while let Some((length, more)) = rest.split_first_chunk() {
        let (message, next) = more.split_at(usize::from(u16::from_be_bytes(*length)));
        packets.extend(packet(b'S', message));
        rest = next;
    }
    packets
}

proptest! {
    #[test]
    fn flipped_bits_and_lost_bytes_never_panic(
        events in proptest::collection::vec(round_trip::any_event(), 1..12),
        soup in any::<bool>(),
        flips in proptest::collection::vec(any::<(proptest::sample::Index, u8)>(), 0..6),
        lost in any::<(proptest::sample::Index, u8)>(),
        size in 1..50_usize,
    ) {
        let stream = round_trip::write(&events);
        let mut stream = if soup { in_packets(&stream) } else { stream };
        for (at, bit) in flips {
            let at = at.index(stream.len());
            stream[at] ^= 1 << (bit % 8);
        }
        let start = lost.0.index(stream.len());
        let end = stream.len().min(start + usize::from(lost.1 % 60));
        stream.drain(start..end);
        audit(&stream, size);
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream in proptest::collection::vec(any::<u8>(), 0..300), size in 1..50_usize) {
        audit(&stream, size);
    }

    #[test]
    fn whole_frames_of_arbitrary_bytes_never_panic(
        frames in proptest::collection::vec(
            (proptest::sample::select(&b"SRHALFECXDUPQBz?"[..]), proptest::collection::vec(0..3_u8, 60)),
            0..20,
        ),
    ) {
        let message = |(kind, mut bytes): (u8, Vec<u8>)| {
            bytes[0] = kind;
            bytes.truncate(length(kind).unwrap_or(17));
            bytes
        };
        let messages: Vec<Vec<u8>> = frames.into_iter().map(message).collect();
        audit(&framed(&messages), 9);
    }
}

#[test]
fn every_single_flipped_bit_is_survived() {
    let stream = framed(&[
        names(1, ZVZZT),
        attributed(1, 7, ZVZZT, b"LEHM"),
        message(b'E', 1, 5, &[&order(7), &number(1), &order(9)]),
        message(b'H', 1, 5, &[ZVZZT, b"T     "]),
    ]);
    for stream in [in_packets(&stream), stream] {
        for bit in 0..stream.len() * 8 {
            let mut damaged = stream.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            audit(&damaged, 7);
        }
        for end in 0..stream.len() {
            assert!(audit(&stream[..end], 5) <= 4);
        }
    }
}

#[test]
fn every_single_damaged_byte_of_a_fast_message_is_judged() {
    let before =
        [names(1, ZVZZT), attributed(1, 7, ZVZZT, b"LEHM"), attributed(1, 8, ZVZZT, b"AB  "), names(2, b"1306    ")];
    let messages = [
        add(1, 9, b'B', 5, ZVZZT, 1_000_000),
        attributed(1, 10, ZVZZT, b"LEHM"),
        attributed(1, 11, ZVZZT, b"AB  "),
        message(b'E', 1, 5, &[&order(9), &number(1), &order(9)]),
        message(b'C', 1, 5, &[&order(9), &number(1), &order(9), b"Y", &number(1_000_000)]),
        message(b'C', 1, 5, &[&order(9), &number(1), &order(9), b"N", &number(1_000_000)]),
        message(b'X', 1, 5, &[&order(9), &number(1)]),
        message(b'U', 1, 5, &[&order(9), &order(12), &number(1), &number(1_000_000)]),
        message(b'D', 1, 5, &[&order(12)]),
        message(b'P', 1, 5, &[&order(0), b"B", &number(1), ZVZZT, &number(1_000_000), &order(9)]),
    ];
    // What follows gives each the room that the fast path needs.
    let after = vec![message(b'D', 1, 5, &[&order(12)]); 3];
    for message in messages {
        let start = framed(&before).len();
        let stream = framed(&[&before[..], std::slice::from_ref(&message), &after].concat());
        for at in start..start + 2 + message.len() {
            for byte in *b"\0\x01\x02\x13\x17\x1F\x23\x24\x28\x2C AFECXDUPRYNBSL\xFF" {
                let mut damaged = stream.clone();
                damaged[at] = byte;
                audit(&damaged, 49);
            }
        }
    }
}
