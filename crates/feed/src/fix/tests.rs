//! Logs as engines and people write them, and what they say.

use super::*;
use quoteclock_model::IssueCode;

/// What a receiver is told, a line each.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    servers: Vec<String>,
}

impl Receiver for Told {
    fn issue(&mut self, index: IssueIndex, code: &IssueCode) {
        self.lines.push(format!("issue {} {}", index.0, code.as_str()));
    }

    fn server(&mut self, index: ServerIndex, name: &str) {
        self.servers.push(format!("{} {name}", index.0));
    }

    fn record(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        let Sequence::Given(SequenceNo(number)) = record.sequence else { panic!("a number") };
        let time = record.ts_event.map_or("-".to_owned(), |time| (time.as_micros() - NINE).to_string());
        let text = match &record.event {
            Ok(MarketEvent::Order { action, .. }) => action_text(action),
            Ok(event) => format!("{event:?}"),
            Err(malformed) => format!("bad {malformed}"),
        };
        self.lines.push(format!("{number} {} {time} {text}", record.place));
        Ok(())
    }

    fn rest(&mut self, _: &[u8]) -> Result<(), Stop> {
        Ok(())
    }
}

/// 2024-03-01T00:00:00Z.
const NINE: i64 = 1_709_251_200_000_000;

fn action_text(action: &OrderAction) -> String {
    let price = |price: Option<quoteclock_model::Price>| {
        price.map_or("-".to_owned(), |price| price.ten_thousandths().to_string())
    };
    match *action {
        OrderAction::Add { order, server, side, price: limit, quantity, condition } => {
            let server = server.map_or("-".to_owned(), |server| server.0.to_string());
            format!("add {order} {server} {side:?} {} {quantity} {condition:?}", price(limit))
        }
        OrderAction::Replace { order, order_new, price: limit, quantity } => {
            assert_eq!(order, order_new);
            format!("replace {order} {} {}", price(limit), quantity.map_or(0, |quantity| quantity.0))
        }
        OrderAction::Reduce { order, quantity } => format!("reduce {order} {quantity}"),
        OrderAction::Cancel { order } => format!("cancel {order}"),
        OrderAction::Trade { price: limit, quantity, orders, .. } => {
            let order = orders[0].map_or("-".to_owned(), |order| order.to_string());
            format!("trade {order} {} {quantity}", price(limit))
        }
    }
}

/// Decodes text whose messages have `|` for SOH.
fn told(text: &str) -> (Vec<String>, Result<(), FeedError>) {
    let whole = decode(text.as_bytes(), usize::MAX);
    for size in [1, 7] {
        let cut = decode(text.as_bytes(), size);
        assert_eq!((&cut.0.lines, &cut.1), (&whole.0.lines, &whole.1), "in chunks of {size}");
    }
    for separator in ["\u{1}", "^A"] {
        let other = decode(text.replace('|', separator).as_bytes(), usize::MAX);
        let kept = |lines: &[String]| lines.iter().filter(|line| !line.contains("bad")).cloned().collect::<Vec<_>>();
        assert_eq!(kept(&other.0.lines), kept(&whole.0.lines), "separated by {separator:?}");
    }
    (whole.0.lines, whole.1)
}

fn decode(bytes: &[u8], size: usize) -> (Told, Result<(), FeedError>) {
    let (mut told, mut decoder) = (Told::default(), FixDecoder::default());
    for chunk in bytes.chunks(size.min(bytes.len().max(1))) {
        if let Err(error) = decoder.push(chunk, &mut told) {
            return (told, Err(error));
        }
    }
    let result = decoder.finish(&mut told);
    (told, result)
}

/// A report of the exchange to MM1 on issue 1306, with its number and what it says besides.
fn report(number: u32, rest: &str) -> String {
    format!("8=FIX.4.4|9=1|35=8|34={number}|49=TSE|56=MM1|52=20240301-00:00:00|55=1306|{rest}|10=000|\n")
}

fn lines(text: &str) -> Vec<String> {
    let (lines, result) = told(text);
    assert_eq!(result, Ok(()));
    lines
}

#[test]
fn reports_tell_the_life_of_an_order() {
    let text = [
        report(1, "37=O1|11=C1|150=A|151=100"),
        report(2, "37=O1|11=C1|150=0|54=1|40=2|44=1999.50|38=100|151=100|60=20240301-00:00:00.000001"),
        report(3, "37=O1|11=C2|41=C1|150=E|151=100"),
        report(4, "37=O1|11=C1|150=F|31=1999.5|32=30|151=70"),
        report(5, "37=O1|11=C2|41=C1|150=5|54=1|44=1999|38=120|151=90"),
        report(6, "37=O1|11=C2|150=F|31=1999|32=90|151=0"),
        report(7, "37=O1|11=C2|150=3|151=0"),
        report(8, "37=O2|11=C3|150=0|54=2|44=2001|151=50"),
        report(9, "37=O2|11=C4|41=C3|150=6|151=50"),
        report(10, "37=O2|11=C4|41=C3|150=4|151=0"),
        report(11, "37=O3|11=C5|150=8|151=0"),
    ];
    assert_eq!(
        lines(&text.concat()),
        [
            "issue 0 1306",
            "1 line 2 1 add 1 0 Bid 19995000 100 None",
            "2 line 4 0 trade 1 19995000 30",
            "3 line 5 0 replace 1 19990000 90",
            "4 line 6 0 trade 1 19990000 90",
            "5 line 8 0 add 2 0 Offer 20010000 50 None",
            "6 line 10 0 cancel 2",
        ]
    );
}

#[test]
fn in_fix_4_2_fills_are_of_two_types_and_reports_may_repeat() {
    let text = [
        report(1, "37=O1|20=0|150=0|54=5|44=100|151=10"),
        report(2, "37=O1|20=3|150=0|54=5|44=100|151=10"),
        report(3, "37=O1|20=0|150=1|31=100|32=4|151=6"),
        report(4, "37=O1|20=0|150=2|31=100|32=6|151=0"),
        report(5, "37=O1|20=1|150=2|31=100|32=6|151=6"),
    ];
    assert_eq!(
        lines(&text.concat().replace("FIX.4.4", "FIX.4.2"))[1..],
        ["1 line 1 0 add 1 0 Offer 1000000 10 None", "2 line 3 0 trade 1 1000000 4", "3 line 4 0 trade 1 1000000 6"]
    );
}

#[test]
fn what_remains_is_what_the_report_says() {
    let text = [
        report(1, "37=O1|150=0|54=1|44=100|151=10"),
        report(2, "37=O1|150=F|31=100|32=2|151=5"),
        report(3, "37=O1|150=F|31=100|32=2|151=0"),
        report(4, "37=O2|150=0|54=1|44=100|151=10"),
        report(5, "37=O2|150=5|44=100|151=0"),
        report(6, "37=O3|150=0|54=1|44=100|151=0"),
        report(7, "37=O2|150=4|151=0"),
    ];
    assert_eq!(
        lines(&text.concat())[1..],
        [
            "1 line 1 0 add 1 0 Bid 1000000 10 None",
            "2 line 2 0 trade 1 1000000 2",
            "3 line 2 0 replace 1 - 5",
            "4 line 3 0 trade 1 1000000 2",
            "5 line 3 0 cancel 1",
            "6 line 4 0 add 2 0 Bid 1000000 10 None",
            "7 line 5 0 cancel 2",
        ]
    );
}

#[test]
fn an_order_whose_number_changes_is_followed_by_its_clients() {
    let text = [
        report(1, "37=O1|11=C1|150=0|54=1|44=100|151=10"),
        report(2, "37=O2|11=C2|41=C1|150=5|44=101|151=10"),
        report(3, "37=O1|11=C1|150=F|31=101|32=1|151=9"),
        report(4, "37=O3|11=C3|41=C2|150=4|151=0"),
    ];
    assert_eq!(
        lines(&text.concat())[1..],
        [
            "1 line 1 0 add 1 0 Bid 1000000 10 None",
            "2 line 2 0 replace 1 1010000 10",
            "3 line 3 0 trade 1 1010000 1",
            "4 line 4 0 cancel 1",
        ]
    );
}

#[test]
fn conditions_and_market_orders_are_told_by_type_and_time_in_force() {
    let text = [
        report(1, "37=1|150=0|54=1|40=1|44=0|151=1"),
        report(2, "37=2|150=0|54=1|40=2|44=5|59=2|151=1"),
        report(3, "37=3|150=0|54=1|40=B|44=5|151=1"),
        report(4, "37=4|150=0|54=1|40=2|44=5|59=7|151=1"),
        report(5, "37=5|150=0|54=1|40=2|44=5|59=3|151=1"),
    ];
    let conditions: Vec<String> =
        lines(&text.concat())[1..].iter().map(|line| line.split(' ').skip(8).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(conditions, ["- 1 None", "50000 1 OnOpen", "50000 1 OnClose", "50000 1 OnClose", "50000 1 Ioc"]);
}

#[test]
fn quotes_replace_both_sides_and_are_cancelled() {
    let firm = |number: u32, rest: &str| {
        format!("20240301-00:00:00.000 : 8=FIX.4.4|9=1|34={number}|49=MM1|56=TSE|52=20240301-00:00:00|{rest}|10=000|\n")
    };
    let text = [
        firm(1, "35=S|117=Q1|55=1306|132=99|133=101|134=10|135=20"),
        firm(2, "35=S|117=Q2|55=1306|132=98|134=10|135=0|133=0"),
        firm(3, "35=i|296=1|302=1|295=2|299=1|55=1306|132=97|133=102|134=5|135=6|299=2|55=1321|133=50|135=7"),
        report(1, "37=X|150=F|54=2|31=102|32=6|151=0"),
        firm(4, "35=Z|298=1|295=1|55=1306"),
        firm(5, "35=Z|298=4"),
    ];
    assert_eq!(
        lines(&text.concat()),
        [
            "issue 0 1306",
            "1 line 1 0 add 1 0 Bid 990000 10 None",
            "2 line 1 0 add 2 0 Offer 1010000 20 None",
            "3 line 2 0 replace 1 980000 10",
            "4 line 2 0 cancel 2",
            "5 line 3 0 replace 1 970000 5",
            "6 line 3 0 add 3 0 Offer 1020000 6 None",
            "issue 1 1321",
            "7 line 3 0 add 4 0 Offer 500000 7 None",
            "8 line 4 0 trade 3 1020000 6",
            "9 line 5 0 cancel 1",
            "10 line 6 0 cancel 4",
        ]
    );
}

#[test]
fn the_session_is_the_server_in_whichever_direction() {
    let text = "8=FIX.4.4|35=8|34=1|49=TSE|56=MM1|57=DESK|1=ACC|52=20240301-00:00:00|55=1|37=1|150=0|54=1|44=5|151=1|10=0|\
                8=FIX.4.4|35=S|34=1|49=MM1|50=DESK|1=ACC|56=TSE|52=20240301-00:00:00|55=1|132=5|134=1|10=0|\
                8=FIX.4.4|35=8|34=1|49=TSE|56=MM2|52=20240301-00:00:00|55=1|37=2|150=0|54=1|44=5|151=1|10=0|";
    assert_eq!(decode(text.as_bytes(), 9).0.servers, ["0 TSE/MM1/DESK/ACC", "1 TSE/MM2"]);
}

#[test]
fn a_message_sent_again_counts_once() {
    let again = report(1, "37=O1|150=0|54=1|44=100|151=10").replace("|52=", "|43=Y|52=");
    let text = [report(1, "37=O1|150=0|54=1|44=100|151=10"), again, report(2, "37=O1|150=4|151=0")];
    assert_eq!(lines(&text.concat())[1..], ["1 line 1 0 add 1 0 Bid 1000000 10 None", "2 line 3 0 cancel 1"]);
    let twice = [report(1, "37=O1|150=0|54=1|44=100|151=10"), report(1, "37=O2|150=0|54=1|44=100|151=10")];
    assert!(lines(&twice.concat())[2].contains("bad 34: found \"1\", expected a number not seen"));
}

#[test]
fn numbers_left_out_are_gaps_of_each_session_and_direction() {
    let heartbeat = |number: u32| format!("8=FIX.4.4|35=0|34={number}|49=TSE|56=MM1|52=20240301-00:00:00|10=0|\n");
    let firm = |number: u32| format!("8=FIX.4.4|35=D|34={number}|49=MM1|56=TSE|52=20240301-00:00:00|10=0|\n");
    let text = [
        report(7, "37=O1|150=0|54=1|44=100|151=10"),
        firm(100),
        heartbeat(8),
        firm(101),
        report(9, "37=O2|150=0|54=1|44=100|151=10"),
        heartbeat(12),
        report(13, "37=O3|150=0|54=1|44=100|151=10"),
        "8=FIX.4.4|35=4|34=14|36=20|123=Y|49=TSE|56=MM1|10=0|\n".to_owned(),
        report(20, "37=O3|150=4|151=0"),
        "8=FIX.4.4|35=A|34=1|141=Y|49=TSE|56=MM1|10=0|\n".to_owned(),
        report(2, "37=O2|150=4|151=0"),
    ];
    let numbers: Vec<String> =
        lines(&text.concat())[1..].iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    // Two messages are left out before the third record.
    assert_eq!(numbers, ["1", "2", "5", "6", "7"]);
    let at_the_start = [heartbeat(1), report(3, "37=O1|150=0|54=1|44=100|151=10")].concat();
    assert!(
        lines(&at_the_start)[0].contains("bad 34: found \"3\", expected the number after"),
        "{:?}",
        lines(&at_the_start)
    );
}

#[test]
fn data_fields_hold_anything() {
    let data = "x|8=FIX.4.4|35=8|37=O9|10=1|";
    let text = report(1, &format!("37=O1|354={}|355={data}|150=0|54=1|44=100|151=10", data.len()));
    assert_eq!(lines(&text)[1..], ["1 line 1 0 add 1 0 Bid 1000000 10 None"]);
}

#[test]
fn damage_is_told_and_the_next_message_read() {
    let good = |number| report(number, &format!("37=O{number}|150=0|54=1|44=100|151=10"));
    for (broken, problem) in [
        (&good(2)[..40], "record: found"),
        (&good(2).replace("44=100", "44=1x0"), "44: found \"1x0\""),
        (&good(2).replace("151=10", "15x=10"), "record: found"),
        (&good(2).replace("|151=10", ""), "151: found nothing"),
        (&good(2).replace("|54=1", "|54=9"), "54: found \"9\""),
        (&good(2).replace("55=1306", "55="), "55: found nothing"),
        (&good(2).replace("52=20240301-00", "52=20240301-25"), "52: found"),
        (&good(2).replace("|37=O2", ""), "37: found nothing"),
        (&good(2).replace("|150=0", ""), "150: found nothing"),
        (&good(2).replace("150=0", "150=?"), "150: found \"?\""),
        (&good(2).replace("34=2", "34=x"), "34: found \"x\""),
    ] {
        let text = format!("{}{broken}\n{}", good(1), good(3));
        let (told, result) = decode(text.as_bytes(), usize::MAX);
        assert_eq!(result, Ok(()));
        assert_eq!(told.lines.len(), 4, "{broken}: {:?}", told.lines);
        assert!(told.lines[2].contains(&format!("bad {problem}")), "{:?}", told.lines[2]);
        assert!(told.lines[3].ends_with("Bid 1000000 10 None"), "{:?}", told.lines[3]);
    }
}

#[test]
fn a_drop_copy_of_trades_alone_is_refused() {
    let fill = |number| report(number, &format!("37=O{number}|150=F|54=1|31=100|32=1|151=9"));
    let (lines, result) = told(&[fill(1), fill(2)].concat());
    assert!(lines[1].contains("a drop copy of trades alone cannot be measured"), "{lines:?}");
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("line 1: 37:") && error.contains("export the order reports"), "{error}");
    // With orders in it, a fill of one that was not entered is bad, and no more.
    let (lines, result) = told(&[fill(1), report(2, "37=O9|150=0|54=1|44=100|151=10")].concat());
    assert_eq!((lines.len(), result), (3, Ok(())));
}

#[test]
fn a_log_is_recognised_by_its_first_message() {
    assert!(looks_like_fix(b"20240301-00:00:00.000 : 8=FIX.4.4\x019=1"));
    assert!(looks_like_fix(b"started\n8=FIXT.1.1|9=1|"));
    assert!(!looks_like_fix(b"seq,time,issue\n1,2024-03-01T09:00:00Z,8=FIX"));
    assert!(!looks_like_fix(b"18=FIX"));
    assert!(!looks_like_fix(b""));
}

#[test]
fn times_are_those_of_the_event() {
    let text = report(1, "37=O1|150=0|54=1|44=100|151=10|60=20240301-00:00:01.5");
    assert_eq!(lines(&text)[1], "1 line 1 1500000 add 1 0 Bid 1000000 10 None");
}
