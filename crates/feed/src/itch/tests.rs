//! What ITCH messages say, and what is said of those that say nothing.

mod damage;
mod real;
mod round_trip;

use super::layout::length;
use super::*;
use quoteclock_model::{
    IssueCode, IssueIndex, MarketEvent, OrderAction, OrderCondition, OrderId, Phase, Price, Scope, ServerIndex, Shares,
    Side,
};

const MIDNIGHT: Timestamp = Timestamp::from_micros(1_000_000_000_000);

/// Everything that a decoder hands over, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    Issue(IssueIndex, String),
    Server(ServerIndex, String),
    Record { place: Place, bytes: Vec<u8>, ts_event: Option<Timestamp>, scope: Option<Scope>, event: Event },
}

type Event = Result<MarketEvent, Malformed>;

#[derive(Default)]
struct Log {
    told: Vec<Told>,
    /// How many compact records are taken at a time; 0 to have all in full.
    run_max: usize,
}

impl Receiver for Log {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.told.push(Told::Issue(index, code.to_string()));
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.told.push(Told::Server(index, name.to_owned()));
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let &RawRecord { place, bytes, ts_event, sequence, scope, also: _, ref event } = record;
        assert_eq!(sequence, Sequence::Absent);
        self.told.push(Told::Record { place, bytes: bytes.to_vec(), ts_event, scope, event: event.clone() });
        Ok(())
    }

    fn takes_compact(&self) -> bool {
        0 < self.run_max
    }

    fn compact(&mut self, run: &CompactRun<'_>) -> Result<usize, Stop> {
        let times: Vec<Timestamp> = run.records.iter().map(|record| run.time(record)).collect();
        assert_eq!(run.in_order, times.is_sorted());
        let taken = &run.records[..run.records.len().min(self.run_max)];
        for (record, offset) in taken.iter().zip(run.places(taken.len())) {
            let (place, ts_event) = (Place::Byte(offset), Some(run.time(record)));
            let scope = Scope::Issue(record.issue);
            let event = record.slot.event(None, scope, |at| u32::try_from(at).ok().map(ServerIndex));
            self.told.push(Told::Record { place, bytes: Vec::new(), ts_event, scope: Some(scope), event });
        }
        Ok(taken.len())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        panic!("no message is too long to be held")
    }
}

impl Log {
    fn of(told: Vec<Told>) -> Log {
        Log { told, run_max: 0 }
    }

    fn events(&self) -> Vec<Result<MarketEvent, String>> {
        let event = |told: &Told| match told {
            Told::Record { event, .. } => Some(event.clone().map_err(|malformed| malformed.to_string())),
            _ => None,
        };
        self.told.iter().filter_map(event).collect()
    }
}

/// What `stream` says, pushed in chunks of `size`, and how many messages were passed over: the same with compact records in
/// full and as they are taken, one or many at a time, the bytes apart.
fn decode_in_chunks(stream: &[u8], size: usize) -> (Vec<Told>, u64) {
    let decode = |run_max| {
        let (mut decoder, mut log) = (ItchDecoder::new(MIDNIGHT), Log { told: Vec::new(), run_max });
        for chunk in stream.chunks(size) {
            decoder.push(chunk, &mut log).expect("the log takes everything");
        }
        let passed_over_count = decoder.passed_over_count();
        decoder.finish(&mut log).expect("the log takes everything");
        (log.told, passed_over_count)
    };
    let full = decode(0);
    let without_bytes = |(mut all, passed_over_count): (Vec<Told>, u64)| {
        for told in &mut all {
            if let Told::Record { bytes, .. } = told {
                bytes.clear();
            }
        }
        (all, passed_over_count)
    };
    for run_max in [1, 5, usize::MAX] {
        assert_eq!(without_bytes(decode(run_max)), without_bytes(full.clone()), "{run_max} at a time");
    }
    full
}

fn decode(stream: &[u8]) -> Log {
    Log::of(decode_in_chunks(stream, usize::MAX).0)
}

/// A message: type, locate, microseconds from midnight, and the bytes after them.
fn message(kind: u8, locate: u16, micros: u64, fields: &[&[u8]]) -> Vec<u8> {
    let nanos = (micros * 1000 + 999).to_be_bytes();
    let mut bytes = vec![kind];
    bytes.extend(locate.to_be_bytes());
    bytes.extend([0, 7]);
    bytes.extend(&nanos[2..]);
    bytes.extend(fields.concat());
    if let Some(expected) = length(kind) {
        assert_eq!(bytes.len(), expected, "{}", char::from(kind));
    }
    bytes
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    messages.iter().flat_map(|message| [&u16_bytes(message.len())[..], message].concat()).collect()
}

fn packet(letter: u8, contents: &[u8]) -> Vec<u8> {
    [&u16_bytes(contents.len() + 1)[..], &[letter], contents].concat()
}

fn u16_bytes(value: usize) -> [u8; 2] {
    u16::try_from(value).expect("short").to_be_bytes()
}

fn order(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

fn number(value: u32) -> [u8; 4] {
    value.to_be_bytes()
}

fn names(locate: u16, stock: &[u8; 8]) -> Vec<u8> {
    message(b'R', locate, 0, &[stock, &[b' '; 20]])
}

fn add(locate: u16, id: u64, side: u8, shares: u32, stock: &[u8; 8], price: u32) -> Vec<u8> {
    message(b'A', locate, 5, &[&order(id), &[side], &number(shares), stock, &number(price)])
}

fn attributed(locate: u16, id: u64, stock: &[u8; 8], name: &[u8; 4]) -> Vec<u8> {
    message(b'F', locate, 5, &[&order(id), b"S", &number(300), stock, &number(1_000_000), name])
}

/// The event of the one record that `messages` hold.
fn event(messages: &[Vec<u8>]) -> Result<MarketEvent, String> {
    let mut events = decode(&framed(messages)).events();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn action(message: Vec<u8>) -> Result<OrderAction, String> {
    event(&[message]).map(|event| match event {
        MarketEvent::Order { issue: IssueIndex(0), action } => action,
        other => panic!("{other:?}"),
    })
}

fn dollars(ten_thousandths: u64) -> Option<Price> {
    Price::from_ten_thousandths(ten_thousandths)
}

const ZVZZT: &[u8; 8] = b"ZVZZT   ";

#[test]
fn orders_are_added_with_the_market_participant_that_they_name() {
    let expected = OrderAction::Add {
        order: OrderId(u64::MAX),
        server: None,
        side: Side::Bid,
        price: dollars(99_800),
        quantity: Shares(100),
        condition: OrderCondition::None,
    };
    assert_eq!(action(add(3, u64::MAX, b'B', 100, ZVZZT, 99_800)), Ok(expected));

    let log = decode(&framed(&[attributed(8900, 7, ZVZZT, b"LEH "), attributed(8900, 8, ZVZZT, b"LEHM")]));
    assert_eq!(log.told[0], Told::Issue(IssueIndex(0), "ZVZZT".to_owned()));
    assert_eq!(log.told[1], Told::Server(ServerIndex(0), "LEH".to_owned()));
    assert_eq!(log.told[3], Told::Server(ServerIndex(1), "LEHM".to_owned()));
    let expected = OrderAction::Add {
        order: OrderId(8),
        server: Some(ServerIndex(1)),
        side: Side::Offer,
        price: dollars(1_000_000),
        quantity: Shares(300),
        condition: OrderCondition::None,
    };
    assert_eq!(log.events()[1], Ok(MarketEvent::Order { issue: IssueIndex(0), action: expected }));
}

#[test]
fn orders_are_executed_reduced_cancelled_and_replaced() {
    let trade =
        |price| OrderAction::Trade { price, quantity: Shares(40), orders: [Some(OrderId(7)), None], auction: false };
    let executed = message(b'E', 1, 5, &[&order(7), &number(40), &order(99)]);
    assert_eq!(action(executed), Ok(trade(None)));
    let executed_at = |printable: &[u8], price| {
        action(message(b'C', 1, 5, &[&order(7), &number(40), &order(99), printable, &number(price)]))
    };
    assert_eq!(executed_at(b"Y", 5), Ok(trade(dollars(5))));
    assert_eq!(executed_at(b"N", 0), Ok(OrderAction::Reduce { order: OrderId(7), quantity: Shares(40) }));
    let reduced = message(b'X', 1, 5, &[&order(7), &number(40)]);
    assert_eq!(action(reduced), Ok(OrderAction::Reduce { order: OrderId(7), quantity: Shares(40) }));
    let deleted = message(b'D', 1, 5, &[&order(7)]);
    assert_eq!(action(deleted), Ok(OrderAction::Cancel { order: OrderId(7) }));
    let replaced = message(b'U', 1, 5, &[&order(7), &order(8), &number(u32::MAX), &number(u32::MAX)]);
    let expected = OrderAction::Replace {
        order: OrderId(7),
        order_new: OrderId(8),
        price: dollars(4_294_967_295),
        quantity: Some(Shares(4_294_967_295)),
    };
    assert_eq!(action(replaced), Ok(expected));
}

#[test]
fn trades_of_unnamed_orders_and_auctions_name_none() {
    let trade = |quantity, auction| OrderAction::Trade {
        price: dollars(50_000),
        quantity: Shares(quantity),
        orders: [None; 2],
        auction,
    };
    let unnamed = message(b'P', 1, 5, &[&order(0), b"B", &number(40), ZVZZT, &number(50_000), &order(9)]);
    assert_eq!(action(unnamed), Ok(trade(40, false)));
    let auction = |shares: u64| message(b'Q', 1, 5, &[&order(shares), ZVZZT, &number(50_000), &order(9), b"O"]);
    assert_eq!(action(auction(1_000_000_000_000)), Ok(trade(1_000_000_000_000, true)));
    assert!(action(auction(1_000_000_000_001)).is_err());

    let empty = message(b'Q', 1, 5, &[&order(0), ZVZZT, &number(0), &order(9), b"O"]);
    let (told, passed_over_count) = decode_in_chunks(&framed(&[empty]), 100);
    assert_eq!(told, [Told::Issue(IssueIndex(0), "ZVZZT".to_owned())]);
    assert_eq!(passed_over_count, 1);
}

#[test]
fn market_hours_and_trading_states_are_phases() {
    let system = |code: u8| message(b'S', 0, 5, &[&[code]]);
    let market = |phase| Ok(MarketEvent::Phase { scope: Scope::Market, phase });
    assert_eq!(event(&[system(b'Q')]), market(Phase::Continuous));
    assert_eq!(event(&[system(b'M')]), market(Phase::Closed));
    let others = framed(&[system(b'O'), system(b'S'), system(b'E'), system(b'C')]);
    assert_eq!(decode_in_chunks(&others, 100), (vec![], 4));

    let state = |code: u8| event(&[message(b'H', 1, 5, &[ZVZZT, &[code], b" MWC1"])]);
    let issue = |phase| Ok(MarketEvent::Phase { scope: Scope::Issue(IssueIndex(0)), phase });
    assert_eq!(state(b'T'), issue(Phase::Continuous));
    for halted in [b'H', b'P', b'Q', b'V'] {
        assert_eq!(state(halted), issue(Phase::Halt));
    }
}

#[test]
fn times_are_floored_microseconds_from_midnight() {
    let log = decode(&framed(&[message(b'D', 1, 34_200_000_001, &[&order(7)])]));
    let Told::Record { ts_event, .. } = &log.told[0] else { panic!("{:?}", log.told) };
    assert_eq!(*ts_event, Some(Timestamp::from_micros(MIDNIGHT.as_micros() + 34_200_000_001)));
}

#[test]
fn a_type_that_says_nothing_is_counted_and_passed_over() {
    let known = b"YLVWKJhBINO".map(|kind| {
        let expected = length(kind).expect("a type of ITCH 5.0");
        message(kind, 1, 5, &[&vec![0; expected - 11]])
    });
    let unknown = [vec![b'z'], vec![b'G'; 300]];
    let stream = framed(&[&known[..], &unknown].concat());
    assert_eq!(decode_in_chunks(&stream, 1000), (vec![], 13));
}

#[test]
fn a_locate_has_its_index_from_first_sight_and_its_code_once_told() {
    let cancel = |locate| message(b'D', locate, 5, &[&order(7)]);
    let log =
        decode(&framed(&[cancel(900), names(5, b"ABC     "), cancel(900), add(900, 1, b'B', 1, ZVZZT, 1), cancel(5)]));
    let issues: Vec<_> = log.told.iter().filter(|told| matches!(told, Told::Issue(..))).collect();
    let (abc, zvzzt) = (IssueIndex(1), IssueIndex(0));
    assert_eq!(issues, [&Told::Issue(abc, "ABC".to_owned()), &Told::Issue(zvzzt, "ZVZZT".to_owned())]);
    let scopes: Vec<_> = log.events().iter().map(|event| event.as_ref().expect("well-formed").scope()).collect();
    assert_eq!(scopes, [zvzzt, zvzzt, zvzzt, abc].map(Scope::Issue));
}

#[test]
fn a_stock_that_contradicts_its_locate_is_malformed() {
    let other_symbol = [names(5, ZVZZT), add(5, 1, b'B', 1, b"ZXZZT   ", 1)];
    assert_eq!(
        event(&other_symbol),
        Err("stock: found ZXZZT at stock locate 5, which is ZVZZT, expected the symbol first given for its stock locate"
            .to_owned())
    );
    let other_locate = [names(5, ZVZZT), names(5, ZVZZT), names(6, ZVZZT)];
    assert_eq!(
        event(&other_locate),
        Err(
            "stock: found ZVZZT at stock locate 6, while it has stock locate 5, expected one stock locate for a symbol"
                .to_owned()
        )
    );
    let log = decode(&framed(&other_locate));
    assert!(matches!(log.told[1], Told::Record { scope: Some(Scope::Issue(IssueIndex(1))), .. }), "{:?}", log.told);
}

#[test]
fn a_field_that_cannot_be_is_malformed_and_names_its_issue() {
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (add(1, 7, b'X', 1, ZVZZT, 1), "side: found \"X\", expected B or S"),
        (add(1, 7, b'B', 0, ZVZZT, 1), "shares: found 0, expected 1 share or more"),
        (add(1, 7, b'B', 1, ZVZZT, 0), "price: found 0, expected a price above 0"),
        (add(1, 7, b'B', 1, b" ZVZZT  ", 1), "stock: found \" ZVZZT  \", "),
        (add(1, 7, b'B', 1, b"ZVZZT\t  ", 1), "stock: found \"ZVZZT\\t  \", "),
        (add(1, 7, b'B', 1, b"        ", 1), "stock: found \"        \", "),
        (add(1, 7, b'B', 1, b"*       ", 1), "stock: found \"*       \", "),
        (attributed(1, 7, ZVZZT, b"    "), "attribution: found \"    \", "),
        (attributed(1, 7, ZVZZT, b"LE M"), "attribution: found \"LE M\", "),
        (message(b'E', 1, 5, &[&order(7), &number(0), &order(9)]), "shares: found 0, "),
        (message(b'C', 1, 5, &[&order(7), &number(1), &order(9), b"Y", &number(0)]), "price: found 0, "),
        (message(b'C', 1, 5, &[&order(7), &number(1), &order(9), b"y", &number(1)]), "printable: found \"y\", "),
        (message(b'X', 1, 5, &[&order(7), &number(0)]), "shares: found 0, "),
        (message(b'U', 1, 5, &[&order(7), &order(7), &number(1), &number(1)]), "new order: found 7, "),
        (message(b'U', 1, 5, &[&order(7), &order(8), &number(0), &number(1)]), "shares: found 0, "),
        (message(b'U', 1, 5, &[&order(7), &order(8), &number(1), &number(0)]), "price: found 0, "),
        (message(b'H', 1, 5, &[b"       \0", b"T     "]), "stock: found \"       \\x00\", "),
        (names(1, b"        "), "stock: found \"        \", "),
    ];
    for (message, expected) in cases {
        let log = decode(&framed(&[message]));
        let problem = log.events().remove(0).expect_err(expected);
        assert!(problem.starts_with(expected), "{problem}, not {expected}");
        let Some(Told::Record { ts_event, scope, .. }) = log.told.last() else { panic!("{:?}", log.told) };
        assert_eq!((*scope, ts_event.is_some()), (Some(Scope::Issue(IssueIndex(0))), true), "{problem}");
    }
}

#[test]
fn a_message_that_belongs_to_no_issue_names_none() {
    let cases = [
        (message(b'D', 0, 5, &[&order(7)]), "stock locate: found 0, expected the locate of an issue, 1 to 65,535"),
        (message(b'S', 1, 5, &[b"Q"]), "stock locate: found 1, expected 0 in a system event"),
    ];
    for (message, expected) in cases {
        let log = decode(&framed(&[message]));
        assert_eq!(log.events(), [Err(expected.to_owned())]);
        assert!(matches!(log.told[0], Told::Record { scope: None, ts_event: Some(_), .. }), "{:?}", log.told);
    }
}

#[test]
fn every_known_type_has_one_length() {
    for kind in b'A'..=b'z' {
        let Some(expected) = length(kind) else { continue };
        for wrong in [1, expected - 1, expected + 1] {
            let mut bytes = vec![0; wrong];
            bytes[0] = kind;
            let log = Log::of(decode_with(Framing::LengthPrefixed, &framed(&[bytes.clone()])));
            let malformed = Malformed {
                field: "record",
                found: format!("type \"{}\" in a message of {wrong} bytes", char::from(kind)),
                expected: "a type of ITCH 5.0, in a message of its length",
            };
            let (place, event) = (Place::Byte(0), Err(malformed));
            assert_eq!(log.told, [Told::Record { place, bytes, ts_event: None, scope: None, event }]);
        }
    }
    assert!(event(&[vec![0x1f; 20]]).is_err(), "no letter, no type");
}

fn decode_with(framing: Framing, stream: &[u8]) -> Vec<Told> {
    let (mut decoder, mut log) = (ItchDecoder::with_framing(MIDNIGHT, framing), Log::default());
    decoder.push(stream, &mut log).expect("the log takes everything");
    decoder.finish(&mut log).expect("the log takes everything");
    log.told
}

#[test]
fn a_record_stands_where_its_frame_begins() {
    let messages = [names(1, ZVZZT), add(1, 7, b'B', 1, ZVZZT, 1), message(b'D', 1, 5, &[&order(7)])];
    let places = |stream: &[u8]| {
        let log = decode(stream);
        let place = |told: &Told| if let Told::Record { place, .. } = told { Some(*place) } else { None };
        log.told.iter().filter_map(place).collect::<Vec<_>>()
    };
    assert_eq!(places(&framed(&messages)), [Place::Byte(41), Place::Byte(41 + 38)]);
    let packets = messages.iter().flat_map(|message| packet(b'S', message)).collect::<Vec<_>>();
    assert_eq!(places(&packets), [Place::Byte(42), Place::Byte(42 + 39)]);
}

#[test]
fn soup_packets_carry_what_the_file_form_carries() {
    let messages = [names(1, ZVZZT), attributed(1, 7, ZVZZT, b"LEHM"), message(b'D', 1, 5, &[&order(7)])];
    let mut packets = packet(b'A', b"SESSION   00000000000000000001");
    packets.extend(packet(b'+', b"hello"));
    packets.extend(packet(b'S', &messages[0]));
    packets.extend(packet(b'H', b""));
    packets.extend(packet(b'U', &messages[1]));
    packets.extend(packet(b'S', &messages[2]));
    packets.extend(packet(b'Z', b""));
    let (told, passed_over_count) = decode_in_chunks(&packets, usize::MAX);
    assert_eq!(passed_over_count, 1, "the names, and no packet of the protocol's own");
    assert_eq!(Log::of(told.clone()).events(), decode(&framed(&messages)).events());
    for size in 1..packets.len() {
        assert_eq!(decode_in_chunks(&packets, size), (told.clone(), 1), "{size}");
    }
}

#[test]
fn a_soup_packet_that_cannot_be_is_malformed() {
    let good = packet(b'S', &message(b'D', 1, 5, &[&order(7)]));
    for bad in [packet(b'S', b""), packet(b'H', b"x"), packet(b'?', b"x"), packet(b'R', &[0; 39]), vec![0, 0]] {
        let events = decode(&[&good[..], &bad, &good].concat()).events();
        assert_eq!(events.len(), 3);
        let problem = events[1].clone().expect_err("malformed");
        assert!(problem.starts_with("packet: "), "{problem}");
        assert!(events[0].is_ok() && events[2].is_ok());
    }
}

#[test]
fn the_first_frame_tells_the_framing() {
    for kind in b"SRHYLVWKJhAFECXDUPQBINO" {
        let mut bytes = vec![0; length(*kind).expect("known")];
        bytes[0] = *kind;
        assert_eq!(Framing::detect(&framed(&[bytes.clone()])[..4]), Framing::LengthPrefixed);
        assert!(looks_like_itch(&framed(&[bytes.clone()])[..4]));
        for letter in [b'S', b'U'] {
            assert_eq!(Framing::detect(&packet(letter, &bytes)[..4]), Framing::SoupBinTcp);
            assert!(looks_like_itch(&packet(letter, &bytes)[..4]));
        }
    }
    let control: [(u8, &[u8]); 5] = [(b'+', b"hi"), (b'H', b""), (b'J', b"A"), (b'A', &[b'1'; 30]), (b'L', &[0; 46])];
    for (letter, contents) in control {
        let stream = packet(letter, contents);
        assert_eq!(Framing::detect(&stream), Framing::SoupBinTcp);
        assert!(looks_like_itch(&stream));
    }
    assert_eq!(Framing::detect(&packet(b'S', b"z new")), Framing::SoupBinTcp, "a type that is not known yet");
    for other in [&b""[..], &[0], &[0, 0], &[0, 0, 0, 12], &[0, 13, b'S', 0], &[0, 9, b'z', 0]] {
        assert_eq!(Framing::detect(other), Framing::LengthPrefixed, "{other:?}");
    }
}

#[test]
fn texts_and_compressed_files_do_not_look_like_itch() {
    let others: [&[u8]; 8] = [
        b"",
        b"\x00\x0c",
        b"seq,time,issue,event",
        b"\xEF\xBB\xBFtime",
        b"a,+b",
        b"\x1f\x8b\x08\x00",
        b"\x28\xb5\x2f\xfd",
        &[0, 0, 0, 0],
    ];
    for other in others {
        assert!(!looks_like_itch(other), "{other:?}");
    }
    assert!(looks_like_itch(&[0, 0]), "a session without messages");
}

#[test]
fn the_end_of_the_session_is_passed_over_and_nothing_may_follow_it() {
    let cancel = framed(&[message(b'D', 1, 5, &[&order(7)])]);
    assert!(decode(&[0, 0]).told.is_empty());
    assert!(decode(&[0, 0, 0, 0, 0]).events()[0].is_err(), "half a length");
    assert_eq!(decode(&[&cancel[..], &[0, 0, 0, 0]].concat()).events().len(), 1);
    let events = decode(&[&cancel[..], &[0, 0], &cancel, &cancel].concat()).events();
    assert!(events[1].as_ref().is_err_and(|problem| problem.ends_with("nothing after the end of the session")));
    assert_eq!((events.len(), events[2].is_ok()), (3, true));
}

#[test]
fn a_stream_that_ends_inside_a_frame_says_so() {
    let stream = framed(&[names(1, ZVZZT), message(b'D', 1, 5, &[&order(7)])]);
    for end in 42..stream.len() {
        let log = decode(&stream[..end]);
        let Some(Told::Record { place, bytes, ts_event: None, scope: None, event: Err(malformed) }) = log.told.last()
        else {
            panic!("{:?}", log.told)
        };
        assert_eq!((*place, &bytes[..]), (Place::Byte(41), stream.get(43..end).unwrap_or_default()));
        assert_eq!((malformed.field, malformed.expected), ("record", "a whole frame"));
    }
    let mut decoder = ItchDecoder::new(MIDNIGHT);
    decoder.push(&stream[..50], &mut Log::default()).expect("the log takes everything");
    assert_eq!(decoder.unfinished(), &stream[43..50]);
    assert_eq!(decoder.framing(), Some(Framing::LengthPrefixed));
}

#[test]
fn what_does_not_fit_the_fast_path_is_read_as_if_all_were_read_in_full() {
    let plain = || add(1, 7, b'B', 100, ZVZZT, 1_000_000);
    let cancel = |micros| message(b'D', 1, micros, &[&order(7)]);
    let replace =
        |old, new, shares, price| message(b'U', 1, 5, &[&order(old), &order(new), &number(shares), &number(price)]);
    let deviations = [
        (add(1, 7, b'X', 100, ZVZZT, 1), "side"),
        (add(1, 7, b'B', 0, ZVZZT, 1), "shares"),
        (add(1, 7, b'B', 100, ZVZZT, 0), "price"),
        (add(1, 7, b'B', 100, b"ZXZZT   ", 1), "stock"),
        (message(b'E', 1, 5, &[&order(7), &number(0), &[0; 8]]), "shares"),
        (message(b'X', 1, 5, &[&order(7), &number(0)]), "shares"),
        (replace(7, 7, 100, 1), "order"),
        (replace(7, 8, 0, 1), "shares"),
        (replace(7, 8, 100, 0), "price"),
        (message(b'D', 1, 5, &[&order(7 << 8)])[..18].to_vec(), "record"),
    ];
    // Decoding compares both ways; the window that the fast path reads by needs others to follow.
    let stream = |deviation: Vec<u8>| {
        let before = [names(1, ZVZZT), plain(), plain()];
        let after = [cancel(6), cancel(6), cancel(6), cancel(6)];
        framed(&[&before[..], &[deviation], &after].concat())
    };
    for (deviation, field) in deviations {
        let events = decode(&stream(deviation.clone())).events();
        let problem = events[2].as_ref().expect_err("a deviation").clone();
        assert!(problem.contains(field), "{field}: {problem}");
        assert_eq!(events.len(), 7);
    }
    // A time that goes back is for the receiver to judge.
    assert!(decode(&stream(cancel(4))).events().iter().all(Result::is_ok));
}

#[test]
fn a_receiver_that_stops_ends_decoding() {
    struct Stopping;
    impl Receiver for Stopping {
        fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
        fn server(&mut self, _: ServerIndex, _: &str) {}
        fn record(&mut self, _: &RawRecord<'_>) -> Result<(), Stop> {
            Err(Stop)
        }
        fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
            Err(Stop)
        }
    }
    let stream = framed(&[message(b'D', 1, 5, &[&order(7)])]);
    assert_eq!(ItchDecoder::new(MIDNIGHT).push(&stream, &mut Stopping), Err(FeedError::Stopped));
}
