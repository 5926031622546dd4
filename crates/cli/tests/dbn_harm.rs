//! DBN files with damage of every kind: what a strict run says, and what a lenient one does not know.

mod support;

use dbn::encode::EncodeRecord;
use dbn::{FlagSet, MboMsg, RecordHeader, UNDEF_PRICE, rtype};
use std::fs;
use support::dbn::{MIDNIGHT, Writer, text_bytes};
use support::{Bench, stderr};

/// What is written in a sound record's place.
type Damage<'a> = &'a dyn Fn(&mut Writer);

#[test]
fn every_kind_of_damage_leaves_its_issue_in_doubt_or_all_of_them() {
    let (nine, minute) = (MIDNIGHT + 9 * 3_600_000_000_000, 60_000_000_000);
    // Both sides of two issues from 09:00 on, something at 09:10, and a good record at 09:20.
    let file = |what: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new(3, &["1306".to_owned(), "1321".to_owned()]);
        writer.now = nine;
        for (order, instrument, side, price) in
            [(1, 1, b'B', 1000), (2, 1, b'A', 1003), (3, 2, b'B', 1000), (4, 2, b'A', 1003)]
        {
            writer.order(instrument, b'A', side, order, (price * 1_000_000_000, 10), true);
        }
        writer.now = nine + 10 * minute;
        what(&mut writer);
        writer.now = nine + 20 * minute;
        writer.order(1, b'C', b'B', 1, (1_000_000_000_000, 1), true);
        writer.encoder.get_ref().clone()
    };
    let bench = Bench::new();
    bench.write("own.csv", b"order,server\n1,VS1\n2,VS1\n3,VS1\n4,VS1\n");
    let (rest_of_hour, hour) = (3_000_000_000_u64, 3_600_000_000_u64);
    let raw = |writer: &mut Writer, change: &dyn Fn(&mut MboMsg)| {
        let mut record = MboMsg {
            hd: RecordHeader::new::<MboMsg>(rtype::MBO, 1, 1, writer.now),
            order_id: 9,
            price: 1_000_000_000_000,
            size: 1,
            flags: FlagSet::empty().set_last(),
            channel_id: 0,
            action: text_bytes("A")[0],
            side: text_bytes("B")[0],
            ts_recv: writer.now + 1,
            ts_in_delta: 0,
            sequence: 0,
        };
        change(&mut record);
        writer.encoder.encode_record(&record).expect("memory");
    };
    let damage: [(&str, Damage<'_>, &str, [u64; 2]); 11] = [
        (
            "a price off the grid",
            &|w| raw(w, &|r| r.price = 1_000_000_050_000),
            "price: found \"1000000050000\"",
            [rest_of_hour, 0],
        ),
        (
            "an execution at no price",
            &|w| w.order(1, b'T', b'N', 0, (UNDEF_PRICE, 1), true),
            "price: found \"undefined\"",
            [rest_of_hour, 0],
        ),
        ("no quantity", &|w| raw(w, &|r| r.size = 0), "size: found \"0\"", [rest_of_hour, 0]),
        ("an action", &|w| raw(w, &|r| r.action = text_bytes("?")[0]), "action: found \"?\"", [rest_of_hour, 0]),
        ("a side", &|w| raw(w, &|r| r.side = text_bytes("N")[0]), "side: found \"N\"", [rest_of_hour, 0]),
        (
            "a level",
            &|w| raw(w, &|r| r.flags = FlagSet::empty().set_last().set_tob()),
            "flags: found \"192\"",
            [rest_of_hour, 0],
        ),
        ("an order that is there", &|w| raw(w, &|r| r.order_id = 2), "order 2 is", [rest_of_hour, 0]),
        (
            "an unknown order",
            &|w| w.order(1, b'C', b'B', 77, (1, 1), true),
            "order 77 is not in the issue's book",
            [rest_of_hour, 0],
        ),
        ("more than remains", &|w| w.order(1, b'C', b'B', 1, (1, 11), true), "11", [rest_of_hour, 0]),
        (
            "an instrument without a name",
            &|w| raw(w, &|r| r.hd.instrument_id = 9),
            "instrument_id: found \"9\"",
            [rest_of_hour; 2],
        ),
        (
            "a gap",
            &|w| raw(w, &|r| r.flags = FlagSet::empty().set_last().set_maybe_bad_book()),
            "flags: found \"132\"",
            [hour; 2],
        ),
    ];
    let with = ["--own-orders", "own.csv", "bad.dbn"];
    for (what, damage, said, unknown) in damage {
        bench.write("bad.dbn", &file(damage));
        let strict = bench.replay(&with);
        assert_eq!(strict.status.code(), Some(1), "{what}: {}", stderr(&strict));
        assert!(
            stderr(&strict).contains("bad.dbn: byte ") && stderr(&strict).contains(said),
            "{what}: {}",
            stderr(&strict)
        );
        assert!(!bench.path("out").exists(), "{what}: nothing is written");
        let lenient = bench.replay(&[&["--lenient"], &with[..]].concat());
        assert_eq!(lenient.status.code(), Some(3), "{what}: {}", stderr(&lenient));
        let daily = bench.read("out/daily.csv");
        let found: Vec<&str> = daily.lines().skip(1).filter_map(|row| row.split(',').nth(6)).collect();
        assert_eq!(found, unknown.map(|micros| micros.to_string()), "{what}: {}", bench.read("out/rejects.csv"));
        fs::remove_dir_all(bench.path("out")).expect("it was written");
    }
    // What is judged only after LAST: two records of one event at one time, the later time.
    let early = file(&|w| {
        w.order(1, b'M', b'B', 1, (990_000_000_000, 10), false);
        w.now += minute;
        w.order(1, b'M', b'A', 2, (993_000_000_000, 10), true);
    });
    bench.write("event.dbn", &early);
    let output = bench.replay(&["--own-orders", "own.csv", "event.dbn"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let breaches = bench.read("out/breaches.csv");
    assert!(breaches.lines().skip(1).all(|row| !row.contains(",1306,")), "never too far apart: {breaches}");
}
