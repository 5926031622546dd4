//! Files made field by field, and what is told of them.

use super::*;
use quoteclock_model::{IssueCode, OrderAction, ServerIndex};

/// What a receiver is told, a line each.
#[derive(Default)]
struct Told(Vec<String>);

impl Receiver for Told {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.0.push(format!("issue {} {}", index.0, code.as_str()));
    }

    fn server(&mut self, _: ServerIndex, _: &str) {
        panic!("nobody is named");
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        assert_eq!(record.sequence, Sequence::Absent);
        let time = record.ts_event.map_or("-".to_owned(), |time| (time.as_micros() - MIDNIGHT).to_string());
        let issue = match record.scope {
            Some(Scope::Issue(issue)) => issue.0.to_string(),
            _ => "-".to_owned(),
        };
        let text = match &record.event {
            Ok(MarketEvent::Order { action, .. }) => action_text(action),
            Ok(event) => format!("{event:?}").split(' ').next().unwrap_or_default().to_lowercase(),
            Err(malformed) => format!("bad {malformed}"),
        };
        self.0.push(format!("{} {time} {issue} {text}", record.place));
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        panic!("a record is short");
    }
}

/// 2024-03-01T00:00:00Z in microseconds.
const MIDNIGHT: i64 = 1_709_251_200_000_000;

fn action_text(action: &OrderAction) -> String {
    let price = |price: Option<quoteclock_model::Price>| price.map_or("-".to_owned(), |price| price.to_string());
    match *action {
        OrderAction::Add { order, server: None, side, price: limit, quantity, .. } => {
            format!("add {order} {side:?} {} {quantity}", price(limit))
        }
        OrderAction::Replace { order, order_new, price: limit, quantity } if order == order_new => {
            format!("replace {order} {} {}", price(limit), quantity.map_or(0, |quantity| quantity.0))
        }
        OrderAction::Reduce { order, quantity } => format!("reduce {order} {quantity}"),
        OrderAction::Trade { price: limit, quantity, orders, auction: false } => {
            let names: Vec<String> = orders.iter().flatten().map(ToString::to_string).collect();
            format!("trade {} {} {quantity}", names.join("+"), price(limit))
        }
        ref other => panic!("DBN says no such thing: {other:?}"),
    }
}

/// A file of one version: its head, then records.
struct File {
    version: u8,
    bytes: Vec<u8>,
}

/// Instrument 7 is `1306` throughout, instrument 8 `A` until the end of February and `B` from then on.
fn file(version: u8) -> File {
    let symbol = |name: &str| {
        let mut bytes = name.as_bytes().to_vec();
        bytes.resize(if version == 1 { 22 } else { 71 }, 0);
        bytes
    };
    let mut head = b"XTKS.TEST\0\0\0\0\0\0\0".to_vec();
    head.extend(0_u16.to_le_bytes());
    head.extend([0; 24]);
    head.extend(if version == 1 { &[0xff; 8][..] } else { &[] });
    head.extend([1, 0, 0]);
    head.extend(if version == 1 { &[][..] } else { &[71, 0] });
    head.extend(vec![0; if version == 1 { 47 } else { 53 }]);
    head.extend([0; 4]);
    head.extend(1_u32.to_le_bytes());
    head.extend(symbol("1306"));
    head.extend([0; 8]);
    head.extend(3_u32.to_le_bytes());
    for (name, from, to, number) in [
        ("1306", 20_240_301_u32, 20_240_302_u32, "7"),
        ("A", 20_240_101, 20_240_301, "8"),
        ("B", 20_240_301, 20_240_401, "8"),
    ] {
        head.extend(symbol(name));
        head.extend(1_u32.to_le_bytes());
        head.extend(from.to_le_bytes());
        head.extend(to.to_le_bytes());
        head.extend(symbol(number));
    }
    let mut bytes = b"DBN".to_vec();
    bytes.push(version);
    bytes.extend(u32::try_from(head.len()).expect("short").to_le_bytes());
    bytes.extend(head);
    File { version, bytes }
}

/// An order record; times are microseconds of 2024-03-01.
#[derive(Clone, Copy)]
struct Order {
    action: u8,
    side: u8,
    order: u64,
    price: i64,
    size: u32,
    flags: u8,
    at: i64,
    received: i64,
    instrument: u32,
}

/// An order of instrument 7, the last of its event.
fn mbo(action: char, order: u64, side: char, price: i64, size: u32) -> Order {
    let [action, side] = [action, side].map(|letter| u8::try_from(letter).expect("ASCII"));
    Order {
        action,
        side,
        order,
        price: price * 1_000_000_000,
        size,
        flags: flag::LAST,
        at: 0,
        received: 5,
        instrument: 7,
    }
}

fn nanos(micros: i64) -> u64 {
    u64::try_from((MIDNIGHT + micros) * 1000 + 999).expect("after 1970")
}

impl Order {
    fn at(self, at: i64) -> Order {
        Order { at, received: at + 5, ..self }
    }

    fn goes_on(self) -> Order {
        self.with(0)
    }

    fn with(self, flags: u8) -> Order {
        Order { flags, ..self }
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![14, kind::MBO, 1, 0];
        bytes.extend(self.instrument.to_le_bytes());
        bytes.extend(nanos(self.at).to_le_bytes());
        bytes.extend(self.order.to_le_bytes());
        bytes.extend(self.price.to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend([self.flags, 3, self.action, self.side]);
        bytes.extend(nanos(self.received).to_le_bytes());
        bytes.extend([0; 8]);
        bytes
    }
}

impl File {
    fn with(mut self, records: &[Order]) -> File {
        self.bytes.extend(records.iter().flat_map(|record| record.bytes()));
        self
    }

    fn status(mut self, action: u16, at: i64) -> File {
        self.bytes.extend([10, kind::STATUS, 1, 0]);
        self.bytes.extend(7_u32.to_le_bytes());
        self.bytes.extend(nanos(at).to_le_bytes());
        self.bytes.extend(nanos(at).to_le_bytes());
        self.bytes.extend(action.to_le_bytes());
        self.bytes.extend([0; 14]);
        self
    }
}

fn decode(bytes: &[u8], size: usize) -> (Vec<String>, Result<(), FeedError>) {
    let (mut told, mut decoder) = (Told::default(), DbnDecoder::default());
    for chunk in bytes.chunks(size) {
        if let Err(error) = decoder.push(chunk, &mut told) {
            return (told.0, Err(error));
        }
    }
    let result = decoder.finish(&mut told);
    (told.0, result)
}

/// What is told of a file, however it is cut; places count from the end of the head.
fn told(file: &File) -> Vec<String> {
    let (lines, result) = decode(&file.bytes, file.bytes.len());
    assert_eq!(result, Ok(()));
    for size in [1, 7, 57] {
        assert_eq!(decode(&file.bytes, size), (lines.clone(), Ok(())), "in chunks of {size}");
    }
    let head = super::tests::file(file.version).bytes.len();
    let relative = |line: &String| match line.strip_prefix("byte ").and_then(|rest| rest.split_once(' ')) {
        Some((at, rest)) => format!("{} {rest}", at.parse::<usize>().expect("a number") - head),
        None => line.clone(),
    };
    lines.iter().map(relative).collect()
}

fn told_of(records: &[Order]) -> Vec<String> {
    let mut lines = told(&file(3).with(records));
    lines.retain(|line| !line.starts_with("issue"));
    lines
}

#[test]
fn each_version_tells_the_same() {
    let records = [
        mbo('R', 0, 'N', 0, 0),
        mbo('A', 1, 'B', 99, 100).at(1),
        mbo('M', 1, 'B', 98, 150).at(2),
        mbo('C', 1, 'B', 98, 50).at(3),
        mbo('T', 0, 'A', 97, 10).at(4),
        mbo('N', 0, 'N', 0, 0).at(5),
    ];
    for version in 1..=3 {
        assert_eq!(
            told(&file(version).with(&records)),
            [
                "issue 0 1306",
                "0 0 0 clear",
                "56 1 0 add 1 Bid 99 100",
                "112 2 0 replace 1 98 150",
                "168 3 0 reduce 1 50",
                "224 4 0 trade  97 10",
            ],
            "version {version}"
        );
    }
}

#[test]
fn an_event_happens_at_the_time_of_its_last_record() {
    let other = Order { instrument: 8, ..mbo('A', 9, 'A', 5, 1) };
    let records = [
        mbo('A', 1, 'B', 99, 1).goes_on().at(1),
        other.at(2),
        mbo('A', 2, 'A', 101, 1).goes_on().at(3),
        mbo('N', 0, 'N', 0, 0).at(4),
    ];
    assert_eq!(
        told_of(&records),
        ["56 2 1 add 9 Offer 5 1", "0 4 0 add 1 Bid 99 1", "112 4 0 add 2 Offer 101 1"],
        "the other instrument's event has ended before"
    );
}

#[test]
fn the_symbol_is_that_of_the_day_on_which_a_record_came() {
    let of_day = |day: i64| Order { instrument: 8, received: day * 86_400_000_000, ..mbo('R', 0, 'N', 0, 0) };
    let lines = told(&file(2).with(&[of_day(-1), of_day(0), of_day(40)]));
    assert_eq!(lines[..2], ["issue 0 A", "0 0 0 clear"]);
    assert_eq!(lines[2..4], ["issue 1 B", "56 0 1 clear"]);
    assert!(lines[4].contains("bad instrument_id: found \"8\", expected an instrument that the head"), "{lines:?}");
    // One name ever: that of all days.
    let lines = told(&file(2).with(&[Order { received: 90 * 86_400_000_000, ..mbo('R', 0, 'N', 0, 0) }]));
    assert_eq!(lines, ["issue 0 1306", "0 0 0 clear"]);
}

#[test]
fn a_symbol_may_be_told_on_the_way() {
    for (version, length, at) in [(1, 80, 38), (3, 176, 89)] {
        let mut record = vec![0; length];
        record[..2].copy_from_slice(&[u8::try_from(length / 4).expect("short"), kind::SYMBOL_MAPPING]);
        record[4] = 99;
        record[at..at + 4].copy_from_slice(b"1321");
        let mut file = file(version);
        file.bytes.extend(record);
        let file = file.with(&[Order { instrument: 99, ..mbo('R', 0, 'N', 0, 0) }]);
        assert_eq!(told(&file), ["issue 0 1321".to_owned(), format!("{length} 0 0 clear")]);
    }
}

#[test]
fn executions_take_the_filled_orders_with_them() {
    // One aggressor, two resting orders: one is gone, one remains and is told anew.
    let records = [
        mbo('T', 0, 'B', 100, 30).goes_on(),
        mbo('F', 1, 'A', 100, 10).goes_on(),
        mbo('F', 2, 'A', 100, 15).goes_on(),
        mbo('C', 1, 'A', 100, 10).goes_on(),
        mbo('M', 2, 'A', 100, 85),
    ];
    assert_eq!(
        told_of(&records),
        ["56 0 0 trade 1 100 10", "224 0 0 replace 2 100 100", "112 0 0 trade 2 100 15", "0 0 0 trade  100 5"]
    );
    // What an order loses beside the execution is a reduction.
    let records = [mbo('T', 0, 'B', 100, 10).goes_on(), mbo('F', 1, 'A', 100, 10).goes_on(), mbo('C', 1, 'A', 100, 25)];
    assert_eq!(told_of(&records), ["112 0 0 reduce 1 15", "56 0 0 trade 1 100 10"]);
    // An auction: both sides rest.
    let records = [
        mbo('T', 0, 'N', 100, 30).goes_on(),
        mbo('F', 1, 'B', 100, 30).goes_on(),
        mbo('F', 2, 'A', 100, 20).goes_on(),
        mbo('F', 3, 'A', 100, 10).goes_on(),
        mbo('C', 1, 'B', 100, 30).goes_on(),
        mbo('C', 2, 'A', 100, 20).goes_on(),
        mbo('C', 3, 'A', 100, 10),
    ];
    assert_eq!(told_of(&records), ["56 0 0 trade 1+2 100 20", "56 0 0 trade 1+3 100 10"]);
}

#[test]
fn a_fill_takes_nothing_off_an_order_by_itself() {
    let alone = [mbo('F', 1, 'A', 100, 10), mbo('C', 1, 'A', 100, 10)];
    assert_eq!(told_of(&alone), ["56 0 0 reduce 1 10"], "no execution tells of it");
    let unchanged = [mbo('T', 0, 'B', 100, 10).goes_on(), mbo('F', 1, 'A', 100, 10)];
    assert_eq!(told_of(&unchanged), ["56 0 0 trade  100 10"], "the order is what it was");
    let none = [mbo('T', 0, 'B', 100, 0), mbo('T', 0, 'B', 100, 3)];
    assert_eq!(told_of(&none), ["56 0 0 trade  100 3"], "an auction in which nothing was traded");
}

#[test]
fn a_snapshot_is_of_the_time_at_which_it_was_taken() {
    let of_yesterday = Order { received: 70, ..mbo('A', 1, 'B', 99, 1).at(-86_400_000_000) };
    let of_yesterday = Order { received: 70, ..of_yesterday };
    let records = [
        Order { received: 70, ..mbo('R', 0, 'N', 0, 0).with(flag::SNAPSHOT) },
        of_yesterday.with(flag::SNAPSHOT | flag::LAST),
        // Sent before the snapshot was taken, received after it.
        mbo('A', 2, 'B', 99, 1).at(60),
        mbo('A', 3, 'B', 99, 1).at(-1_000_000),
        mbo('A', 4, 'B', 99, 1).at(80),
    ];
    assert_eq!(
        told_of(&records),
        [
            "0 70 0 clear",
            "56 70 0 add 1 Bid 99 1",
            "112 70 0 add 2 Bid 99 1",
            "168 -1000000 0 add 3 Bid 99 1",
            "224 80 0 add 4 Bid 99 1",
        ]
    );
}

#[test]
fn prices_are_exact_or_bad() {
    let price = |price| Order { price, ..mbo('A', 1, 'B', 0, 1) };
    assert_eq!(told_of(&[price(123_400_000)])[0], "0 0 0 add 1 Bid 0.1234 1");
    assert_eq!(told_of(&[price(1_000_000_000_000_000_000)])[0], "0 0 0 add 1 Bid 1000000000 1");
    assert_eq!(told_of(&[price(i64::MAX)])[0], "0 0 0 add 1 Bid - 1", "the undefined price: at any");
    for bad in [123_450_000, 1, 0, -1_000_000_000, i64::MIN, 1_000_000_000_000_100_000] {
        let lines = told_of(&[price(bad)]);
        assert!(
            lines[0].starts_with(&format!("0 0 0 bad price: found \"{bad}\", expected a price above 0")),
            "{lines:?}"
        );
    }
    let modified = Order { price: i64::MAX, ..mbo('M', 1, 'B', 0, 1) };
    assert_eq!(told_of(&[modified])[0], "0 0 0 replace 1 - 1", "the price that it had");
    let traded = Order { price: i64::MAX, ..mbo('T', 1, 'B', 0, 1) };
    assert!(told_of(&[traded])[0].contains("bad price: found \"undefined\""));
}

#[test]
fn status_records_are_phases() {
    let mut all = file(3);
    for action in 0..=16 {
        all = all.status(action, i64::from(action));
    }
    let lines = told(&all);
    let phases: Vec<&str> = lines[1..].iter().map(|line| line.split(' ').next().expect("a place")).collect();
    assert_eq!(phases.len(), 15, "two say nothing of the phase");
    assert!(lines[15].contains("bad action: found \"16\", expected a status from 0 to 15"), "{lines:?}");
    let phase = |action| {
        let file = file(3).status(action, 0);
        let mut seen = Phases::default();
        let mut decoder = DbnDecoder::default();
        decoder.push(&file.bytes, &mut seen).expect("a sound file");
        seen.0
    };
    for (action, expected) in [(7, Phase::Continuous), (8, Phase::Halt), (1, Phase::Auction), (12, Phase::Closed)] {
        assert_eq!(phase(action), [expected], "{action}");
    }
}

#[derive(Default)]
struct Phases(Vec<Phase>);

impl Receiver for Phases {
    fn issue(&mut self, _: IssueIndex, _: &IssueCode) {}
    fn server(&mut self, _: ServerIndex, _: &str) {}

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        if let Ok(MarketEvent::Phase { phase, .. }) = record.event {
            self.0.push(phase);
        }
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

#[test]
fn what_is_wrong_with_a_record_is_said_and_the_next_one_read() {
    let good = mbo('A', 1, 'B', 99, 1);
    let next = mbo('A', 2, 'B', 99, 1).at(9);
    for (bad, problem) in [
        (Order { action: b'X', ..good }, "action: found \"X\""),
        (Order { side: b'N', ..good }, "side: found \"N\""),
        (Order { side: 0, ..good }, "side: found \"\\x00\""),
        (Order { size: 0, ..good }, "size: found \"0\""),
        (Order { size: u32::MAX, ..good }, "size: found \"4294967295\""),
        (Order { instrument: 5, ..good }, "instrument_id: found \"5\""),
        (good.with(flag::LAST | flag::TOP_OF_BOOK), "flags: found \"192\", expected single orders"),
        (good.with(flag::LAST | flag::LEVELS), "flags: found \"144\", expected single orders"),
    ] {
        let lines = told_of(&[bad, next]);
        assert!(lines[0].contains(&format!("bad {problem}")), "{lines:?}");
        assert_eq!(lines[1..], ["56 9 0 add 2 Bid 99 1"], "{problem}");
    }
    let mut of_another_venue = file(3).with(&[good]);
    of_another_venue.bytes.extend(next.bytes());
    let publisher = of_another_venue.bytes.len() - MBO_BYTES + 2;
    of_another_venue.bytes[publisher] = 2;
    assert!(told(&of_another_venue)[2].contains("bad publisher_id: found \"2\""));
}

#[test]
fn a_gap_is_told_once_for_a_channel_and_again_after_what_mends_it() {
    let marked = |order| mbo('A', order, 'B', 99, 1).with(flag::LAST | flag::MAYBE_BAD_BOOK);
    let records = [marked(1), marked(2), mbo('R', 0, 'N', 0, 0), mbo('A', 3, 'B', 99, 1), marked(4)];
    let lines = told_of(&records);
    let gaps: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].contains("bad flags")).collect();
    assert_eq!(gaps, [0, 5], "{lines:?}");
    assert!(lines[0].starts_with("0 - - bad flags: found \"132\", expected a book without a gap"), "{lines:?}");
}

#[test]
fn after_damage_the_next_record_is_found() {
    let records: Vec<Order> =
        (1..=4).map(|order| mbo('A', order, 'B', 99, 1).at(i64::try_from(order).expect("few"))).collect();
    let whole = file(3).with(&records);
    let head = file(3).bytes.len();
    // Bytes changed, taken out and put in.
    let mut changed = whole.bytes.clone();
    changed[head + 56] = 3;
    let mut shorter = whole.bytes.clone();
    shorter.drain(head + 60..head + 73);
    let mut longer = whole.bytes.clone();
    longer.splice(head + 56..head + 56, *b"noise");
    for (bytes, bad, rest) in [(changed, 1, [3, 4].as_slice()), (shorter, 1, &[3, 4]), (longer, 1, &[2, 3, 4])] {
        let lines = told(&File { version: 3, bytes });
        let counted = lines.iter().filter(|line| line.contains("bad")).count();
        assert!((1..=2).contains(&counted) && 1 <= bad, "{lines:?}");
        for order in rest {
            assert!(lines.iter().any(|line| line.contains(&format!("add {order} "))), "{order}: {lines:?}");
        }
    }
}

#[test]
fn what_breaks_off_is_told() {
    let records = [mbo('A', 1, 'B', 99, 1), mbo('A', 2, 'B', 99, 1).goes_on()];
    let mut cut = file(3).with(&records);
    assert_eq!(
        told(&cut)[2],
        "56 0 0 bad record: found the end of the input after 1 of an event's records, expected all of the event, up to \
         its LAST"
    );
    cut.bytes.truncate(cut.bytes.len() - 1);
    assert!(told(&cut)[2].starts_with("56 - - bad record: found"), "{:?}", told(&cut));
    let head = file(3).bytes;
    for length in [0, 3, 7, 8, 40, head.len() - 1] {
        let error = decode(&head[..length], 100).1.expect_err("no head").to_string();
        assert!(error.starts_with("byte 0: head: found nothing, expected the whole of the metadata"), "{error}");
    }
}

#[test]
fn what_is_no_file_of_orders_is_refused_with_a_reason() {
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = file(3).with(&[mbo('R', 0, 'N', 0, 0)]).bytes;
        change(&mut bytes);
        decode(&bytes, 64).1.expect_err("refused").to_string()
    };
    assert!(refused(&|bytes| bytes[3] = 4).contains("version: found \"4\", expected DBN of version 1, 2 or 3"));
    assert!(refused(&|bytes| bytes[24] = 4).contains("schema: found \"4\", expected schema mbo (0)"));
    assert!(refused(&|bytes| bytes[7] = 0xff).contains("head: found \"4278190"));
    assert!(refused(&|bytes| bytes[0x70] = 0xff).contains("head:"));
    assert!(looks_like_dbn(&file(1).bytes) && !looks_like_dbn(b"DBN file of text") && !looks_like_dbn(b"DBN"));
}

#[test]
fn a_file_that_tells_when_each_record_was_sent_is_read() {
    let mut sent = file(2);
    let at = 0x34;
    sent.bytes[at] = 1;
    let mut record = mbo('R', 0, 'N', 0, 0).bytes();
    record[0] = 16;
    record.extend([0; 8]);
    sent.bytes.extend(record);
    assert_eq!(told(&sent), ["issue 0 1306", "0 0 0 clear"]);
}

#[test]
fn events_without_an_end_are_held_up_to_a_bound() {
    let mut file = file(3);
    let record = mbo('A', 1, 'B', 99, 1).goes_on();
    let count = WAITING_MAX + 3;
    file.bytes.extend((0..count).flat_map(|_| record.bytes()));
    let (lines, result) = decode(&file.bytes, 1 << 16);
    assert_eq!(result, Ok(()));
    assert!(
        lines[1].contains("bad flags: found \"0\", expected the end of an event (LAST) within 262144"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.iter().filter(|line| line.contains("add")).count(), WAITING_MAX);
    assert!(lines.last().expect("some").contains("the end of the input after 3 of an event's records"));
}
