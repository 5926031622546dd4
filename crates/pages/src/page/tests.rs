use super::*;
use crate::picture::Frames;
use jiff::civil::date;
use jiff::tz::TimeZone;
use quoteclock_incentive::AccountKey;
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Span, Timestamp};

const HOUR: u64 = 3_600_000_000;

fn key(market_maker: &str, issue: &str, obligation: &str) -> AccountKey {
    AccountKey {
        market_maker: market_maker.to_owned(),
        issue: IssueCode::new(issue.as_bytes()).unwrap(),
        obligation: obligation.parse().unwrap(),
    }
}

fn line(key: AccountKey, available: u64, fulfilled: u64, unknown: u64) -> MonthLine {
    MonthLine {
        key,
        total: Total { available: Micros(available), fulfilled: Micros(fulfilled), unknown: Micros(unknown) },
        aggregate: quoteclock_rules::Aggregate::default(),
        days: Vec::new(),
        required_pct: 800_000,
        leveraged_inverse: false,
        need: None,
        last_measured: date(2024, 3, 1),
        days_measured: 1,
        trading_days: 20,
    }
}

fn at(clock: &str) -> Timestamp {
    let instant: jiff::Timestamp = format!("2024-03-01T{clock}+09:00").parse().unwrap();
    Timestamp::from_micros(instant.as_microsecond())
}

fn span(start: &str, end: &str) -> Span {
    Span { start: at(start), end: at(end) }
}

/// One day of two market makers: the second lost two hours of five, and its name is unfriendly to HTML.
fn page(is_over: bool) -> String {
    page_with(is_over, &[])
}

/// The same, of which the reader sees some days only of the lines at `parts`.
fn page_with(is_over: bool, parts: &[usize]) -> String {
    let lines = [
        line(key("MM1", "1306", "general"), 5 * HOUR, 5 * HOUR - 1, 0),
        line(key("<b>&MM2", "1306", "general"), 5 * HOUR, 3 * HOUR, 0),
        line(key("<b>&MM2", "130A", "general"), 4 * HOUR, 4 * HOUR, HOUR),
    ];
    let sessions = vec![span("09:00:00", "11:30:00"), span("12:30:00", "15:00:00")];
    let frame = DayFrame { date: date(2024, 3, 1), shown: span("09:00:00", "15:00:00"), sessions };
    let frames = Frames::new(TimeZone::get("Asia/Tokyo").unwrap(), [frame]);
    let mut picture = MonthPicture::new(&lines, frames.clone());
    for line in &lines {
        let AccountKey { market_maker, issue, obligation } = line.key.clone();
        let row = DayRow {
            date: date(2024, 3, 1),
            market_maker,
            issue,
            obligation,
            required_pct: 800_000,
            leveraged_inverse: Some(line.leveraged_inverse),
            total: line.total,
        };
        picture.result(&line.key, &row);
    }
    let breaches = [
        (span("09:00:00", "10:30:00"), "spread"),
        (span("10:30:00", "10:45:00"), "no_bid"),
        (span("14:45:00", "15:00:00"), "no_bid"),
    ];
    picture.lost(&lines[1].key, &frames.lost(date(2024, 3, 1), breaches).unwrap());
    let (month, parts) = ("2024-03".parse().unwrap(), parts.iter().map(|&part| lines[part].key.clone()).collect());
    let verdicts = Verdicts { month, lines: &lines, parts: &parts, makers: &[], is_over, required_pct: 800_000 };
    let mut html = Vec::new();
    let evidence = Evidence { scheme: "TSE".to_owned(), ..Evidence::default() };
    MonthPage::new(&verdicts, &picture, evidence, &|_, _| None).write(&mut html).unwrap();
    String::from_utf8(html).unwrap()
}

#[test]
fn what_was_not_fulfilled_comes_with_its_days_and_outages() {
    let html = page(true);
    // 60 % is exactly twenty points below: the darkest shade, and a sign.
    assert!(html.contains(">60✗</a>"), "{html}");
    assert!(html.contains("60.0000 % of 80 % required; lost 2:00:00 in 2 outages (spread 75.0 %, no_bid 25.0 %)"));
    // Two connected breaches are one outage, by the reason that took most of it.
    assert!(html.contains("09:00:00 to 10:45:00</td><td class=\"n\">1:45:00</td><td class=\"t\"><code>spread</code>"));
    // 99.99999 % is not 100.
    assert!(html.contains(">99</td>"));
    // The first 105 of 360 minutes, and the last 15.
    assert!(html.contains("M0 0h105v14h-105zM345 0h15v14h-15z"), "{html}");
}

#[test]
fn unknown_time_that_could_turn_a_verdict_is_said() {
    // 4 of 4 hours are 100 %, 4 of 5 are 80 %: it stands. The month of MM2 in 130A is certain, and shows its days.
    let html = page(true);
    assert!(!html.contains("unknown time could turn</dt>"), "{html}");
    let turned = line(key("MM1", "1306", "general"), 4 * HOUR, 4 * HOUR, HOUR + 1);
    assert!(!turned.certain(), "4 hours of 5 and a microsecond are not 80 %");
    // Nor does a day look fulfilled that it could turn; where in a day it lies is not known, so no strip of it is green.
    assert!(html.contains(r#"<path class="session unsure""#) && html.contains("100.0000 %</td>"), "{html}");
    assert_eq!(Shade::of_day(turned.total, 800_000), Shade::Uncertain);
    assert_eq!(Shade::of_day(Total { unknown: Micros(HOUR), ..turned.total }, 800_000), Shade::FarAbove);
    assert!(line(key("MM1", "1306", "general"), 4 * HOUR, 4 * HOUR, HOUR).certain());
    assert!(!line(key("MM1", "1306", "general"), 0, 0, 1).certain(), "nothing available, or all of it");
}

#[test]
fn names_are_escaped_and_anchors_are_one_for_each_key() {
    let html = page(true);
    assert!(!html.contains("<b>&MM2"));
    assert!(html.contains("id=\"l._3cb_3e_26MM2.1306.general\""), "{html}");
    let ids = [("a.b", "c"), ("a", "b.c"), ("a_2e", "c")]
        .map(|(maker, issue)| anchor_id(&line(key(maker, issue, "general"), 0, 0, 0)));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn a_month_that_is_not_over_says_so_and_nothing_is_loaded() {
    assert!(page(false).contains("quote display time so far</h1>"));
    let html = page(true);
    assert!(html.contains("quote display time</h1>"));
    for loading in ["<script", "http://", "https://", "url(", "<link", "src="] {
        assert!(!html.replace("default-src", "").replace("style-src", "").contains(loading), "{loading}");
    }
}

#[test]
fn nothing_is_said_of_a_whole_month_that_is_seen_in_part() {
    let (whole, part) = (page(true), page_with(true, &[1]));
    let figure = |html: &str, name: &str| {
        let after = html.split(&format!("<dt>{name}</dt><dd>")).nth(1).map(str::to_owned);
        after.map(|text| text.split('<').next().unwrap().to_owned())
    };
    assert_eq!(figure(&whole, "not fulfilled").as_deref(), Some("1"));
    assert_eq!(figure(&whole, "of some days only"), None);
    assert_eq!(figure(&part, "not fulfilled").as_deref(), Some("0"));
    assert_eq!(figure(&part, "of some days only").as_deref(), Some("1"));
    assert!(whole.contains(">not fulfilled</span>: 60.0000 %") && whole.contains("1 of 2</td>"), "{whole}");
    assert!(part.contains(">some days of the month, no status</span>: 60.0000 %"), "{part}");
    assert!(part.contains("0 of 1</td>") && !part.contains("not fulfilled</span>"), "{part}");
}

#[test]
fn a_page_is_called_what_stands_above_it() {
    assert!(page(true).contains("<title>2024-03: quote display time</title>"));
}
