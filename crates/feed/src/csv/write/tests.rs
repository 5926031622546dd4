//! The canonical form, field by field.

use super::*;
use quoteclock_model::Phase;
use std::io::ErrorKind;

fn offset(minutes: i16) -> UtcOffset {
    UtcOffset::from_minutes(minutes).expect("legal")
}

/// The line that one event of issue 1306, or of the market, becomes.
fn line_at(minutes: i16, micros: i64, event: MarketEvent) -> io::Result<String> {
    let mut file = Vec::new();
    let mut writer = CsvWriter::new(&mut file, true, offset(minutes));
    writer.issue(IssueIndex(0), &IssueCode::new(b"1306").expect("legal"))?;
    writer.server(ServerIndex(0), "VS1")?;
    let record = Record { ts_event: Timestamp::from_micros(micros), event };
    let written = writer.event(Some(SequenceNo(7)), &record);
    writer.finish()?;
    written?;
    let text = String::from_utf8(file).expect("UTF-8");
    Ok(text.lines().nth(1).expect("a line after the header").to_owned())
}

fn line(action: OrderAction) -> io::Result<String> {
    line_at(0, 0, MarketEvent::Order { issue: IssueIndex(0), action })
        .map(|line| line.strip_prefix("7,1970-01-01T00:00:00.000000+00:00,1306,").expect("the heading").to_owned())
}

fn price(units: u64) -> Option<Price> {
    Price::from_ten_thousandths(units)
}

#[test]
fn fields_that_an_event_does_not_use_are_empty() {
    let (order, quantity) = (OrderId(7), Shares(100));
    let add = |server, price, condition| {
        line(OrderAction::Add { order, server, side: Side::Offer, price, quantity, condition }).expect("writable")
    };
    assert_eq!(add(Some(ServerIndex(0)), price(20_000_000), OrderCondition::None), "add,7,,VS1,S,2000,100,,");
    assert_eq!(add(None, None, OrderCondition::OnClose), "add,7,,,S,,100,on_close,");
    let replace = |order_new, price, quantity| {
        line(OrderAction::Replace { order, order_new: OrderId(order_new), price, quantity }).expect("writable")
    };
    assert_eq!(replace(7, None, None), "replace,7,,,,,,,");
    assert_eq!(replace(8, price(1), Some(Shares(5))), "replace,7,8,,,0.0001,5,,");
    assert_eq!(line(OrderAction::Reduce { order, quantity }).expect("writable"), "reduce,7,,,,,100,,");
    assert_eq!(line(OrderAction::Cancel { order }).expect("writable"), "cancel,7,,,,,,,");
    let trade = |orders, auction| {
        line(OrderAction::Trade { price: price(15_000), quantity, orders, auction }).expect("writable")
    };
    assert_eq!(trade([Some(order), Some(OrderId(8))], true), "trade,7,8,,,1.5,100,,auction");
    assert_eq!(trade([None, Some(order)], false), "trade,,7,,,1.5,100,,");
    let at = |event| line_at(0, 0, event).expect("writable");
    let phase = MarketEvent::Phase { scope: Scope::Market, phase: Phase::SpecialQuote };
    assert_eq!(at(phase), "7,1970-01-01T00:00:00.000000+00:00,*,phase,,,,,,,,special_quote");
    let clear = MarketEvent::Clear { scope: Scope::Issue(IssueIndex(0)) };
    assert_eq!(at(clear), "7,1970-01-01T00:00:00.000000+00:00,1306,clear,,,,,,,,");
}

#[test]
fn prices_have_no_needless_zeros() {
    for units in [1, 10, 12_000, 12_340, 12_345, 10_000, 100_000, 10_000_000_000_000] {
        let (mut text, price) = (Vec::new(), price(units).expect("legal"));
        decimal(&mut text, price);
        assert_eq!(String::from_utf8(text).expect("ASCII"), price.to_string());
    }
}

#[test]
fn times_are_local_with_six_decimals() {
    let at = |minutes, micros| {
        let line = line_at(minutes, micros, MarketEvent::Clear { scope: Scope::Market })?;
        Ok::<_, io::Error>(line.split(',').nth(1).expect("a time").to_owned())
    };
    for (minutes, micros, expected) in [
        (540, 1_709_251_200_000_001, "2024-03-01T09:00:00.000001+09:00"),
        (-180, 1_709_251_200_000_000, "2024-02-29T21:00:00.000000-03:00"),
        (-570, -1, "1969-12-31T14:29:59.999999-09:30"),
        (0, 951_782_400_000_000, "2000-02-29T00:00:00.000000+00:00"),
        (0, -62_167_219_200_000_000, "0000-01-01T00:00:00.000000+00:00"),
        (0, 253_402_300_799_999_999, "9999-12-31T23:59:59.999999+00:00"),
    ] {
        assert_eq!(at(minutes, micros).expect("writable"), expected);
    }
    for (minutes, micros) in
        [(0, 253_402_300_800_000_000), (-1, -62_167_219_200_000_000), (1, i64::MAX), (-1, i64::MIN)]
    {
        assert_eq!(at(minutes, micros).expect_err("no such year").kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn every_day_is_spelled_as_it_is_read() {
    let mut times = TimeWriter::new(offset(0));
    let mut reader = crate::text::TimeReader::default();
    for day in (-719_528..2_932_897).step_by(17) {
        let (time, mut text) = (Timestamp::from_micros(day * 86_400_000_000 + 1), Vec::new());
        times.write(&mut text, time).expect("a year of four digits");
        assert_eq!(reader.read(&text), Some(time), "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn what_csv_cannot_hold_is_refused_and_leaves_no_trace() {
    let mut file = Vec::new();
    let mut writer = CsvWriter::new(&mut file, false, offset(0));
    writer.issue(IssueIndex(0), &IssueCode::new(b"1306").expect("legal")).expect("legal");
    let record = |action| {
        let event = MarketEvent::Order { issue: IssueIndex(0), action };
        Record { ts_event: Timestamp::from_micros(0), event }
    };
    let trade = |price, orders| record(OrderAction::Trade { price, quantity: Shares(1), orders, auction: false });
    let nameless = MarketEvent::Clear { scope: Scope::Issue(IssueIndex(9)) };
    for (sequence, bad) in [
        (None, trade(None, [None, None])),
        (None, trade(price(1), [Some(OrderId(1)), Some(OrderId(1))])),
        (Some(SequenceNo(1)), trade(price(1), [None, None])),
        (None, record(OrderAction::Reduce { order: OrderId(1), quantity: Shares(0) })),
        (None, Record { ts_event: Timestamp::from_micros(0), event: nameless }),
    ] {
        let error = writer.event(sequence, &bad).expect_err("unwritable");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert!(writer.server(ServerIndex(0), "a\nb").is_err() && writer.server(ServerIndex(0), "").is_err());
    writer.finish().expect("written to memory");
    assert_eq!(String::from_utf8(file).expect("ASCII"), format!("{}\n", COLUMNS[1..].join(",")));
}
