//! Fast or not, a line says the same. Chunks shorter than the window are read the full way, so whatever is read
//! whole is compared with what is read in such chunks.

use super::super::tests::decode_in_chunks;
use super::WINDOW;
use crate::csv::COLUMNS;
use proptest::prelude::*;
use proptest::sample::select;

fn check(lines: &[u8]) {
    let header = COLUMNS.join(",");
    let without_seq = lines.split_inclusive(|&byte| byte == b'\n').flat_map(|line| {
        let comma = line.iter().position(|&byte| byte == b',').map_or(0, |comma| comma + 1);
        line[comma..].to_vec()
    });
    // What follows gives the last lines the room that the fast path needs.
    let rest = b"9,2024-03-01T09:00:00.000000+09:00,*,phase,,,,,,,,halt\n".repeat(4);
    for (header, lines) in [(&header[..], lines.to_vec()), (&header["seq,".len()..], without_seq.collect())] {
        let input = [header.as_bytes(), b"\n", &lines, &rest].concat();
        let whole = decode_in_chunks(&input, input.len()).expect("a good header");
        let parts = decode_in_chunks(&input, WINDOW - 1).expect("a good header");
        assert_eq!(whole.lines.len(), parts.lines.len());
        for (whole, parts) in whole.lines.iter().zip(&parts.lines) {
            assert_eq!(whole, parts);
        }
    }
}

fn check_all(lines: &[&str]) {
    // Twice: names and minutes are known the second time.
    check(format!("{}\n", lines.join("\n")).repeat(2).as_bytes());
}

#[test]
fn whatever_could_pass_for_a_fast_line_is_judged() {
    let time = "2024-03-01T09:00:00.000000+09:00";
    let good = format!("1,{time},1306,add,7,,VS1,B,2000,100,,");
    check_all(&[
        &good,
        &format!("1234567890123456X{time},1306,add,7,,VS1,B,2000,100,,"),
        &format!("123456789012345,{time},1306,add,7,,VS1,B,2000,100,,"),
        &format!("1,{time},1306,add,7,\nVS1,B,2000,100,,"),
        &format!("1,{time},1306,add,7,,VS1\nB,2000,100,,,,"),
        &format!("1,{time},1306,cancel,7,,,,,,\n,"),
        &format!("1,{time},1306,cancel,7,,,,,,,,"),
        &format!("1,{time},1306,cancel,7,,,,,,"),
        &format!("1,{time},1306,cancel,7,,,,,,,x"),
        &format!("1,{time},1306,cancel,7,,,,,,,\r"),
        &format!("1,{time},1306,cancel,7,,,,,,,\r\r"),
        &format!("1,{time},1306\0,add,7,,VS1,B,2000,100,,"),
        &format!("1,{time},,add,7,,VS1,B,2000,100,,"),
        &format!("1,{time},1306,add,7,,VS1\0,B,2000,100,,"),
        &format!("1,{time},1306,add,7,,\"a\"\"b\",B,2000,100,,"),
        &format!("1,{time},1306,add,7,,a\"b,B,2000,100,,"),
        &format!("1,{time},1306,trade,7,7,,,2000,100,,"),
        &format!("1,{time},1306,trade,,,,,2000,100,,"),
        &format!("1,{time},1306,replace,7,,,,,,,"),
        "1,2024-03-01T09:00:60.000000+09:00,1306,cancel,7,,,,,,,",
        "1,2024-03-01T09:00:59.999999+09:00,1306,cancel,7,,,,,,,",
        "1,2024-03-01T09:00:59.999999+08:00,1306,cancel,7,,,,,,,",
        "1,2024-03-01T09:00:59.999999Z,1306,cancel,7,,,,,,,",
        &good,
    ]);
    let zeros = "\0".repeat(16) + ":00.000000\0\0\0\0\0\0";
    check(format!("1,{zeros},1306,cancel,7,,,,,,,\n{good}\n1,{zeros},1306,cancel,7,,,,,,,\n").as_bytes());
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9]{1,8}", "[0-9]{9,21}", select(vec!["", "0", "x", "18446744073709551616"]).prop_map(str::to_owned)]
}

fn price() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[1-9][0-9]{0,5}(\\.[0-9]{1,4})?", 1 => "[0-9.]{0,12}"]
}

fn of(names: &[&str]) -> impl Strategy<Value = String> + use<> {
    select(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
}

fn line() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        8 => "2024-03-01T09:0[01]:[0-5][0-9]\\.[0-9]{6}\\+09:00",
        1 => "2024-03-01T09:00:[0-6][0-9](\\.[0-9]{1,10})?(Z|[+-]0[89]:00)",
    ];
    let event = of(&["add", "add", "add", "cancel", "cancel", "replace", "reduce", "trade", "phase", "clear", "Add"]);
    let issue = of(&["1306", "1306", "130A", "JP3027630007", "ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNOP", "*", ""]);
    let server = of(&["", "VS1", "VS22", "MM01-VS0000001", "MM01-VS00000001", "MM01-VS000000001", "\"a,b\""]);
    let rest = (of(&["B", "S", "", "x"]), price(), number(), of(&["", "", "", "ioc"]), of(&["", "", "", "auction"]));
    let unused = proptest::bool::weighted(0.8);
    (number(), time, issue, event, (number(), number(), server, rest), unused, of(&["\n", "\n", "\n", "\r\n"])).prop_map(
        |(seq, time, issue, event, (order, contra, server, rest), unused, end)| {
            let (side, price, quantity, condition, phase) = rest;
            let empty = String::new();
            let used = |events: &[&str], field| if unused && !events.contains(&&*event) { &empty } else { field };
            let contra = used(&["replace", "trade"], &contra);
            let (server, side) = (used(&["add"], &server), used(&["add"], &side));
            let price = used(&["add", "replace", "trade"], &price);
            let quantity = used(&["add", "replace", "reduce", "trade"], &quantity);
            let (condition, phase) = (used(&["add"], &condition), used(&["trade", "phase"], &phase));
            format!(
                "{seq},{time},{issue},{event},{order},{contra},{server},{side},{price},{quantity},{condition},{phase}{end}"
            )
        },
    )
}

proptest! {
    #[test]
    fn lines_of_every_kind_say_the_same(lines in proptest::collection::vec(line(), 0..40)) {
        check(lines.concat().as_bytes());
    }

    #[test]
    fn damaged_lines_say_the_same(
        lines in proptest::collection::vec(line(), 1..12),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), 0..3, select(b",\n\r\"\x000:.9x".to_vec())), 1..8),
    ) {
        let mut bytes = lines.concat().into_bytes();
        for (at, kind, byte) in damage {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        check(&bytes);
    }
}
