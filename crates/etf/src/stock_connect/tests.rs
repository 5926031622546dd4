//! Dates, and every criterion at and just beyond its bound.

use super::*;
use crate::testing::files;
use crate::{Calendar, Holiday};
use jiff::civil::date;

/// Calendars with a row in every year that no date of a review falls on, and the rows given.
fn holidays(rows: &[(Calendar, &str)]) -> Holidays {
    let saturdays = (2020..=2029).map(|year| date(year, 1, 1)).flat_map(|first| {
        let saturday = first.nth_weekday(1, jiff::civil::Weekday::Saturday).unwrap();
        [Calendar::Sse, Calendar::Hk, Calendar::Csc].map(|calendar| Holiday { calendar, date: saturday, name: None })
    });
    let given = rows.iter().map(|&(calendar, date)| Holiday { calendar, date: date.parse().unwrap(), name: None });
    saturdays.chain(given).collect()
}

/// The dates of a review as `dates.csv` has them.
fn dates_of(review: &str, holidays: &Holidays) -> String {
    let dates = ReviewDates::of(review.parse().unwrap(), holidays);
    let text = |date: Option<Date>| date.map_or(String::new(), |date| date.to_string());
    format!("{},{},{},{}", text(dates.cut_off), text(dates.announcement), text(dates.effective), dates.missing)
}

#[test]
fn every_review_has_its_three_dates() {
    // clause: SC/cut-off
    // clause: SC/announcement
    // clause: SC/effective
    for (review, dates) in [
        ("2022-06", "2022-06-13,2022-07-08,2022-07-18,"),
        ("2022-12", "2022-12-12,2023-01-06,2023-01-16,"),
        ("2023-06", "2023-06-12,2023-07-07,2023-07-17,"),
        ("2023-12", "2023-12-11,2024-01-05,2024-01-15,"),
        ("2024-06", "2024-06-17,2024-07-12,2024-07-22,"),
        ("2024-12", "2024-12-16,2025-01-10,2025-01-20,"),
        ("2025-06", "2025-06-16,2025-07-11,2025-07-21,"),
        ("2025-12", "2025-12-15,2026-01-09,2026-01-19,"),
        ("2026-06", "2026-06-15,2026-07-10,2026-07-20,"),
        ("2026-12", "2026-12-14,2027-01-08,2027-01-18,"),
        ("2027-06", "2027-06-14,2027-07-09,2027-07-19,"),
        ("2027-12", "2027-12-13,2028-01-07,2028-01-17,"),
    ] {
        assert_eq!(dates_of(review, &holidays(&[])), dates, "{review}");
    }
}

#[test]
fn closed_days_move_the_dates() {
    // clause: SC/cut-off
    // clause: SC/announcement
    // clause: SC/effective
    use Calendar::{Csc, Hk, Sse};
    let week = |calendar, days: std::ops::RangeInclusive<i8>| -> Vec<(Calendar, String)> {
        days.map(|day| (calendar, format!("2024-07-{day:02}"))).collect()
    };
    fn given(rows: &[(Calendar, String)]) -> Vec<(Calendar, &str)> {
        rows.iter().map(|(calendar, date)| (*calendar, date.as_str())).collect()
    }
    let june = |days: &[i8]| -> Vec<(Calendar, String)> {
        days.iter().map(|day| (Sse, format!("2024-06-{day:02}"))).collect()
    };
    // Shanghai closed on the cut-off; up to a Friday, from which on the fourth Friday is one later.
    assert_eq!(dates_of("2024-06", &holidays(&given(&june(&[17])))), "2024-06-18,2024-07-12,2024-07-22,");
    let to_friday = june(&[17, 18, 19, 20]);
    assert_eq!(dates_of("2024-06", &holidays(&given(&to_friday))), "2024-06-21,2024-07-19,2024-07-29,");
    // Hong Kong closed for the week of the announcement: the Friday before, and the effective date comes earlier, too.
    assert_eq!(dates_of("2024-06", &holidays(&given(&week(Hk, 8..=12)))), "2024-06-17,2024-07-05,2024-07-15,");
    assert_eq!(dates_of("2024-06", &holidays(&given(&week(Hk, 12..=12)))), "2024-06-17,2024-07-11,2024-07-22,");
    // A Monday announced on is not one after it.
    let to_monday = [week(Hk, 9..=12), vec![(Hk, "2024-07-15".to_owned())]].concat();
    assert_eq!(dates_of("2024-06", &holidays(&given(&to_monday))), "2024-06-17,2024-07-08,2024-07-22,");
    // Stock Connect closed twice.
    assert_eq!(dates_of("2024-06", &holidays(&given(&week(Csc, 22..=23)))), "2024-06-17,2024-07-12,2024-07-24,");
    // Each market has its own calendar.
    assert_eq!(dates_of("2024-06", &holidays(&[(Hk, "2024-06-17")])), "2024-06-17,2024-07-12,2024-07-22,");
}

#[test]
fn a_calendar_without_the_year_is_missing_and_so_is_what_follows() {
    // clause: SC/announcement
    let only = |calendars: &[(Calendar, i16)]| -> Holidays {
        let row = |&(calendar, year)| Holiday { calendar, date: date(year, 2, 1), name: None };
        calendars.iter().map(row).collect()
    };
    use Calendar::{Csc, Hk, Sse};
    assert_eq!(dates_of("2024-12", &only(&[])), ",,,holidays.csv/SSE/2024");
    assert_eq!(dates_of("2024-12", &only(&[(Sse, 2024), (Hk, 2024)])), "2024-12-16,,,holidays.csv/HK/2025");
    let but_csc = only(&[(Sse, 2024), (Hk, 2025), (Csc, 2024)]);
    assert_eq!(dates_of("2024-12", &but_csc), "2024-12-16,2025-01-10,,holidays.csv/CSC/2025");
    assert_eq!(
        dates_of("2024-12", &only(&[(Sse, 2024), (Hk, 2025), (Csc, 2025)])),
        "2024-12-16,2025-01-10,2025-01-20,"
    );
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

/// An ETF whose every figure stands exactly at the bound of eligibility, at the review of June 2024.
///
/// Its index has 30 stocks of Shanghai: two of 15 %, three of 10 % and 25 of 1.6 %. The first five are A shares and
/// eligible Northbound. Of the 40 shares of the exchange the fifth stock is the least traded.
fn world() -> Rows {
    let days = date(2023, 12, 1).series(jiff::ToSpan::days(1)).take_while(|&day| day <= date(2024, 6, 17));
    let weight = |stock: usize| match stock {
        0 | 1 => "15",
        2..=4 => "10",
        _ => "1.6",
    };
    let turnover = |stock: usize| if stock == 4 { 1 } else { 1_000 - stock };
    Rows {
        etfs: vec![Etf {
            etf: "E".to_owned(),
            exchange: Some("SSE".to_owned()),
            currency: Some("RMB".to_owned()),
            listed: Some(date(2023, 12, 17)),
            index: Some("I".to_owned()),
            status: Status::NotEligible,
        }],
        aum: days.map(|date| Aum { etf: "E".to_owned(), date, aum: Some(decimal("500000000")) }).collect(),
        indices: vec![Index {
            index: "I".to_owned(),
            launched: Some(date(2023, 6, 17)),
            broad_based: Some(false),
            methodology: Some(false),
        }],
        constituents: (0..30)
            .map(|stock| Constituent {
                index: "I".to_owned(),
                exchange: Some("SSE".to_owned()),
                stock: format!("6000{stock:02}"),
                a_share: Some(stock < 5),
                northbound: Some(stock < 5),
                weight: Some(decimal(weight(stock))),
            })
            .collect(),
        turnover: (0..40)
            .map(|stock| Turnover {
                exchange: "SSE".to_owned(),
                stock: format!("6000{stock:02}"),
                adt: Some(Decimal::whole(turnover(stock) as u64)),
            })
            .collect(),
        holidays: holidays(&[]),
    }
}

/// The same where the ETF is eligible, and every figure is at the bound of becoming sell-only.
fn eligible() -> Rows {
    let mut rows = world();
    rows.etfs[0].status = Status::Eligible;
    rows.aum.iter_mut().for_each(|row| row.aum = Some(decimal("400000000")));
    // 55 % are four of the first five stocks and four small ones, the last of 0.2 %.
    for (stock, row) in rows.constituents.iter_mut().enumerate() {
        let is_northbound_a_share = (0..9).contains(&stock) && stock != 4;
        (row.a_share, row.northbound) = (Some(is_northbound_a_share), Some(is_northbound_a_share));
    }
    (rows.constituents[8].weight, rows.constituents[9].weight) = (Some(decimal("0.2")), Some(decimal("3")));
    rows
}

/// Divides a stock in two: so much of its weight becomes a stock of its own, least traded, and changed.
fn split(rows: &mut Rows, stock: usize, weight: &str, change: impl Fn(&mut Constituent)) {
    let weight = decimal(weight);
    let mut part = rows.constituents[stock].clone();
    let rest = rows.constituents[stock].weight.unwrap().units() - weight.units();
    rows.constituents[stock].weight =
        Some(decimal(&format!("{}.{:010}", rest / Decimal::SCALE, rest % Decimal::SCALE)));
    part.stock.push_str("part");
    part.weight = Some(weight);
    change(&mut part);
    rows.turnover.push(Turnover {
        exchange: "SSE".to_owned(),
        stock: part.stock.clone(),
        adt: Some(Decimal::whole(0)),
    });
    rows.constituents.push(part);
}

/// The one decision, as `status_after reasons missing`.
fn decided(rows: &Rows) -> String {
    let (_, decisions) = decide("2024-06".parse().unwrap(), rows);
    let [decision] = decisions.as_slice() else { panic!("one ETF") };
    let after = decision.after.map_or("undecided".to_owned(), |status| status.to_string());
    let reasons: Vec<String> = decision.reasons.iter().map(Reason::to_string).collect();
    format!("{after} {} {}", reasons.join(";"), decision.missing).trim_end().to_owned()
}

/// What becomes of `rows` with a change.
fn with(mut rows: Rows, change: impl FnOnce(&mut Rows)) -> String {
    change(&mut rows);
    decided(&rows)
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// A change of the rows, by name.
type Change = (&'static str, fn(&mut Rows));

/// Moves 0.0001 of weight from one stock to another.
fn shift(rows: &mut Rows, from: usize, to: usize) {
    let moved = |weight: Option<Decimal>, by: i128| {
        let units = weight.unwrap().units().checked_add_signed(by * 1_000_000).unwrap();
        Some(decimal(&format!("{}.{:010}", units / Decimal::SCALE, units % Decimal::SCALE)))
    };
    rows.constituents[from].weight = moved(rows.constituents[from].weight, -1);
    rows.constituents[to].weight = moved(rows.constituents[to].weight, 1);
}

#[test]
fn an_etf_at_every_bound_is_eligible_and_one_beyond_any_is_not() {
    // clause: SC/eligible/all
    assert_eq!(decided(&world()), "eligible SC/eligible/all");
    for status in [Status::NotEligible, Status::SellOnly] {
        let beyond: [Change; 11] = [
            // clause: SC/eligible/exchange
            ("exchange", |rows| rows.etfs[0].exchange = text("HKEX")),
            // clause: SC/eligible/currency
            ("currency", |rows| rows.etfs[0].currency = text("USD")),
            // clause: SC/eligible/aum
            ("aum", |rows| rows.aum.last_mut().unwrap().aum = Some(decimal("499999999.9999999999"))),
            // clause: SC/eligible/listed
            ("listed", |rows| rows.etfs[0].listed = Some(date(2023, 12, 18))),
            // clause: SC/eligible/launched
            ("launched", |rows| rows.indices[0].launched = Some(date(2023, 6, 18))),
            // clause: SC/eligible/a-shares
            ("a-shares", |rows| split(rows, 4, "0.0001", |part| part.a_share = Some(false))),
            // clause: SC/eligible/northbound
            ("northbound", |rows| split(rows, 4, "0.0001", |part| part.northbound = Some(false))),
            // clause: SC/eligible/constituents
            ("constituents", |rows| {
                rows.constituents.pop();
                rows.constituents[28].weight = Some(decimal("3.2"));
            }),
            // clause: SC/eligible/largest
            ("largest", |rows| shift(rows, 1, 0)),
            // clause: SC/eligible/top-five
            ("top-five", |rows| shift(rows, 10, 2)),
            // clause: SC/eligible/top-turnover
            ("top-turnover", |rows| split(rows, 10, "0.0001", |_| {})),
        ];
        for (criterion, change) in beyond {
            let mut rows = world();
            rows.etfs[0].status = status;
            assert_eq!(with(rows, change), format!("{status} SC/eligible/{criterion}"));
        }
    }
    for (exchange, currency) in [("SSE", "CNY"), ("SZSE", "RMB")] {
        let change =
            |rows: &mut Rows| (rows.etfs[0].exchange, rows.etfs[0].currency) = (text(exchange), text(currency));
        assert_eq!(with(world(), change), "eligible SC/eligible/all");
    }
}

#[test]
fn an_eligible_etf_stays_so_at_every_bound_and_becomes_sell_only_beyond_any() {
    // clause: SC/sell-only/none
    assert_eq!(decided(&eligible()), "eligible SC/sell-only/none");
    let beyond: [Change; 7] = [
        // clause: SC/sell-only/aum
        ("aum", |rows| rows.aum.last_mut().unwrap().aum = Some(decimal("399999999.9999999999"))),
        // clause: SC/sell-only/a-shares
        ("a-shares", |rows| {
            shift(rows, 5, 10);
            rows.constituents[10].northbound = Some(true);
        }),
        // clause: SC/sell-only/northbound
        ("northbound", |rows| {
            shift(rows, 5, 10);
            rows.constituents[10].a_share = Some(true);
        }),
        // clause: SC/sell-only/constituents
        ("constituents", |rows| {
            rows.constituents.pop();
            rows.constituents[28].weight = Some(decimal("3.2"));
        }),
        // clause: SC/sell-only/largest
        ("largest", |rows| shift(rows, 1, 0)),
        // clause: SC/sell-only/top-five
        ("top-five", |rows| shift(rows, 10, 2)),
        // clause: SC/sell-only/top-turnover
        ("top-turnover", |rows| split(rows, 10, "0.0001", |_| {})),
    ];
    for (criterion, change) in beyond {
        assert_eq!(with(eligible(), change), format!("sell_only SC/sell-only/{criterion}"));
    }
    // What only eligibility asks is not asked of it.
    for change in [
        (|rows: &mut Rows| rows.etfs[0].exchange = text("HKEX")) as fn(&mut Rows),
        |rows| rows.etfs[0].currency = None,
        |rows| rows.indices[0].launched = Some(date(2024, 6, 1)),
        |rows| rows.aum.iter_mut().for_each(|row| row.aum = Some(decimal("499999999"))),
    ] {
        assert_eq!(with(eligible(), change), "eligible SC/sell-only/none");
    }
}

#[test]
fn a_sell_only_etf_comes_back_by_meeting_what_eligibility_asks() {
    // clause: SC/eligible/all
    let sell_only = |mut rows: Rows| {
        rows.etfs[0].status = Status::SellOnly;
        decided(&rows)
    };
    assert_eq!(sell_only(world()), "eligible SC/eligible/all");
    assert_eq!(sell_only(eligible()), "sell_only SC/eligible/aum;SC/eligible/a-shares;SC/eligible/northbound");
}

#[test]
fn a_broad_based_index_is_asked_for_its_largest_constituent_only() {
    // clause: SC/eligible/largest
    // clause: SC/sell-only/largest
    for (rows, list) in [(world(), "eligible"), (eligible(), "sell-only")] {
        let mut rows = rows;
        rows.indices[0].broad_based = Some(true);
        // One stock of 30 %, and hardly any of them much traded.
        rows.constituents[0].weight = Some(decimal("30"));
        rows.constituents[1].weight = Some(decimal("0"));
        rows.turnover.iter_mut().take(20).for_each(|row| row.adt = Some(Decimal::whole(0)));
        assert!(decided(&rows).starts_with("eligible"), "{}", decided(&rows));
        let after = if list == "eligible" { "not_eligible" } else { "sell_only" };
        assert_eq!(with(rows, |rows| shift(rows, 10, 0)), format!("{after} SC/{list}/largest"));
    }
}

#[test]
fn the_methodology_stands_in_for_all_of_criterion_five() {
    // clause: SC/methodology
    // clause: SC/eligible/methodology
    // clause: SC/sell-only/methodology
    for (rows, list, met) in [(world(), "eligible", "all"), (eligible(), "sell-only", "none")] {
        let too_large = |methodology: Option<bool>, broad_based: Option<bool>| {
            let mut rows = rows.clone();
            shift(&mut rows, 1, 0);
            (rows.indices[0].methodology, rows.indices[0].broad_based) = (methodology, broad_based);
            decided(&rows)
        };
        let failed = if list == "eligible" { "not_eligible" } else { "sell_only" };
        assert_eq!(too_large(Some(false), Some(false)), format!("{failed} SC/{list}/largest"));
        assert_eq!(too_large(Some(true), Some(false)), format!("eligible SC/{list}/{met};SC/methodology"));
        assert_eq!(too_large(None, Some(false)), format!("undecided SC/{list}/methodology indices.csv/I/methodology"));
        // clause: SC/eligible/broad-based
        // clause: SC/sell-only/broad-based
        let not_known = format!("undecided SC/{list}/broad-based indices.csv/I/broad_based");
        assert_eq!(too_large(None, None), not_known);
        assert_eq!(too_large(Some(false), None), not_known);
        assert_eq!(too_large(Some(true), None), format!("eligible SC/{list}/{met};SC/methodology"));
        // Where it is not needed, it is not named, and nobody asks for it.
        for methodology in [Some(true), None] {
            let change = |rows: &mut Rows| rows.indices[0].methodology = methodology;
            assert_eq!(with(rows.clone(), change), format!("eligible SC/{list}/{met}"));
        }
    }
}

#[test]
fn what_is_not_known_leaves_undecided_unless_something_fails() {
    type Unknown = (fn(&mut Rows), &'static str);
    let unknown: [Unknown; 16] = [
        (|rows| rows.etfs[0].exchange = None, "SC/eligible/exchange etfs.csv/E/exchange"),
        (|rows| rows.etfs[0].currency = None, "SC/eligible/currency etfs.csv/E/currency"),
        (|rows| rows.etfs[0].listed = None, "SC/eligible/aum;SC/eligible/listed etfs.csv/E/listed"),
        (
            |rows| rows.etfs[0].index = None,
            "SC/eligible/launched;SC/eligible/a-shares;SC/eligible/northbound;SC/eligible/broad-based etfs.csv/E/index",
        ),
        (|rows| rows.indices[0].launched = None, "SC/eligible/launched indices.csv/I/launched"),
        (|rows| rows.indices.clear(), "SC/eligible/launched;SC/eligible/broad-based indices.csv/I"),
        (|rows| rows.aum.retain(|row| row.date != date(2024, 6, 17)), "SC/eligible/aum aum.csv/E/2024-06-17"),
        (
            |rows| {
                rows.aum.retain(|row| row.date != date(2024, 1, 1));
                rows.aum.iter_mut().filter(|row| row.date == date(2024, 1, 5)).for_each(|row| row.aum = None);
            },
            "SC/eligible/aum aum.csv/E/2024-01-01 and 1 more",
        ),
        (|rows| rows.constituents[7].a_share = None, "SC/eligible/a-shares constituents.csv/I/600007/a_share"),
        (|rows| rows.constituents[7].northbound = None, "SC/eligible/northbound constituents.csv/I/600007/northbound"),
        (
            |rows| rows.constituents[2].exchange = None,
            "SC/eligible/a-shares;SC/eligible/top-turnover constituents.csv/I/600002/exchange",
        ),
        (|rows| rows.constituents[9].exchange = text("HKEX"), "SC/eligible/top-turnover turnover.csv/HKEX/600009"),
        (|rows| rows.turnover.retain(|row| row.stock != "600003"), "SC/eligible/top-turnover turnover.csv/SSE/600003"),
        (
            // A share that is not even in the index.
            |rows| rows.turnover[39].adt = None,
            "SC/eligible/top-turnover turnover.csv/SSE/600039",
        ),
        (
            |rows| rows.constituents.clear(),
            "SC/eligible/a-shares;SC/eligible/northbound;SC/eligible/constituents;SC/eligible/largest;\
             SC/eligible/top-five;SC/eligible/top-turnover constituents.csv/I",
        ),
        (
            |rows| rows.constituents.iter_mut().skip(20).for_each(|row| row.weight = None),
            "SC/eligible/a-shares;SC/eligible/northbound;SC/eligible/constituents;SC/eligible/largest;\
             SC/eligible/top-five;SC/eligible/top-turnover constituents.csv/I/600020/weight_pct and 9 more",
        ),
    ];
    for (change, expected) in unknown {
        assert_eq!(with(world(), change), format!("undecided {expected}"));
        let failing = |rows: &mut Rows| {
            change(rows);
            rows.etfs[0].exchange = text("LSE");
        };
        if !expected.contains("exchange etfs") {
            assert_eq!(with(world(), failing), "not_eligible SC/eligible/exchange");
        }
    }
}

#[test]
fn weights_are_taken_as_given_within_one_percent_of_the_whole() {
    for (weight, decided) in
        [("2.6", "eligible"), ("2.6001", "undecided"), ("0.6", "eligible"), ("0.5999", "undecided")]
    {
        let found = with(world(), |rows| {
            rows.indices[0].methodology = Some(true);
            rows.constituents[29].weight = Some(decimal(weight));
        });
        assert_eq!(found.split(' ').next(), Some(decided), "{weight}: {found}");
        assert_eq!(found.ends_with(" constituents.csv/I/weight_pct"), decided == "undecided", "{found}");
    }
    // 59.9999 of 99 % would be more than 60 % of what is there; it is not scaled.
    let found = with(world(), |rows| {
        rows.indices[0].methodology = Some(true);
        rows.constituents[29].weight = Some(decimal("0.6"));
        split(rows, 4, "0.0001", |part| part.a_share = Some(false));
    });
    assert_eq!(found, "not_eligible SC/eligible/a-shares");
}

#[test]
fn assets_are_averaged_over_the_days_that_shanghai_is_open() {
    // clause: SC/eligible/aum
    // The day six months before the cut-off, weekends and closed days play no part, and need no row.
    let change = |rows: &mut Rows| {
        rows.etfs[0].listed = Some(date(2020, 1, 1));
        rows.holidays = holidays(&[(Calendar::Sse, "2024-05-01")]);
        for row in &mut rows.aum {
            let is_closed = [date(2023, 12, 17), date(2024, 5, 1), date(2024, 6, 16)].contains(&row.date);
            row.aum = if is_closed { Some(decimal("0")) } else { row.aum };
        }
        rows.aum.retain(|row| ![date(2024, 6, 15), date(2023, 12, 16)].contains(&row.date));
    };
    assert_eq!(with(world(), change), "eligible SC/eligible/all");
    // Hong Kong's closed days are Hong Kong's.
    let change = |rows: &mut Rows| {
        rows.holidays = holidays(&[(Calendar::Hk, "2024-05-02")]);
        rows.aum.retain(|row| row.date != date(2024, 5, 2));
    };
    assert_eq!(with(world(), change), "undecided SC/eligible/aum aum.csv/E/2024-05-02");
    // Listed within the window: its days only. Never listed before the cut-off: no day at all.
    let mut rows = eligible();
    rows.etfs[0].listed = Some(date(2024, 6, 17));
    rows.aum.retain(|row| row.date == date(2024, 6, 17));
    assert_eq!(decided(&rows), "eligible SC/sell-only/none");
    rows.etfs[0].listed = Some(date(2024, 6, 18));
    assert_eq!(decided(&rows), "undecided SC/sell-only/aum aum.csv/E");
    // A year without a calendar.
    let no_calendar = |rows: &mut Rows| {
        let row = |calendar| Holiday { calendar, date: date(2024, 2, 10), name: None };
        rows.holidays = [row(Calendar::Sse), row(Calendar::Hk), row(Calendar::Csc)].into_iter().collect();
    };
    assert_eq!(with(world(), no_calendar), "undecided SC/eligible/aum holidays.csv/SSE/2023");
    let nothing = |rows: &mut Rows| rows.holidays = Holidays::default();
    assert_eq!(
        with(world(), nothing),
        "undecided SC/eligible/aum;SC/eligible/listed;SC/eligible/launched holidays.csv/SSE/2024"
    );
}

#[test]
fn months_end_on_a_day_that_there_is() {
    // clause: SC/eligible/listed
    // Closed until Monday the 30th, Shanghai has its cut-off on the 30th of June 2025; six months before is the 30th of
    // December. Closed until the 31st, in December, it would be the 30th of June, the last that there is.
    let rows = |cut_off: Date, listed: Date| {
        let mut rows = world();
        let closed: Vec<String> = date(2025, cut_off.month(), 15)
            .series(jiff::ToSpan::days(1))
            .take_while(|&day| day < cut_off)
            .map(|day| day.to_string())
            .collect();
        rows.holidays = holidays(&closed.iter().map(|day| (Calendar::Sse, day.as_str())).collect::<Vec<_>>());
        rows.etfs[0].listed = Some(listed);
        let days = date(2024, 12, 1).series(jiff::ToSpan::days(1)).take_while(|&day| day <= cut_off);
        rows.aum = days.map(|date| Aum { etf: "E".to_owned(), date, aum: Some(decimal("500000000")) }).collect();
        let review = format!("2025-{:02}", cut_off.month()).parse().unwrap();
        let (dates, decisions) = decide(review, &rows);
        assert_eq!(dates.cut_off, Some(cut_off));
        decisions[0].after
    };
    assert_eq!(rows(date(2025, 6, 30), date(2024, 12, 30)), Some(Status::Eligible));
    assert_eq!(rows(date(2025, 6, 30), date(2024, 12, 31)), Some(Status::Eligible), "to the last of June");
    assert_eq!(rows(date(2025, 6, 30), date(2025, 1, 1)), Some(Status::NotEligible));
    assert_eq!(rows(date(2025, 12, 31), date(2025, 6, 30)), Some(Status::Eligible));
    assert_eq!(rows(date(2025, 12, 31), date(2025, 7, 1)), Some(Status::NotEligible));
}

#[test]
fn the_top_of_an_exchange_is_four_fifths_by_rank() {
    // clause: SC/eligible/top-turnover
    let top = |count: usize, adt: fn(usize) -> u64| {
        let mut rows = world();
        rows.turnover = (0..count)
            .map(|stock| Turnover {
                exchange: "SSE".to_owned(),
                stock: stock.to_string(),
                adt: Some(Decimal::whole(adt(stock))),
            })
            .collect();
        // All shares in one index, each 0.0001 of a percent, and one that makes up the rest and is not top.
        rows.turnover.push(Turnover { exchange: "X".to_owned(), stock: "rest".to_owned(), adt: Some(decimal("1")) });
        let constituent = |exchange: &str, stock: String, weight: String| Constituent {
            index: "I".to_owned(),
            exchange: text(exchange),
            stock,
            a_share: Some(true),
            northbound: Some(true),
            weight: Some(decimal(&weight)),
        };
        let rest = 1_000_000 - count;
        rows.constituents =
            (0..count).map(|stock| constituent("SSE", stock.to_string(), "0.0001".to_owned())).collect();
        rows.constituents.push(constituent("X", "rest".to_owned(), format!("{}.{:04}", rest / 10_000, rest % 10_000)));
        let (_, decisions) = decide("2024-06".parse().unwrap(), &rows);
        decisions[0].figures.top_turnover.clone().unwrap().units() / 1_000_000
    };
    for (count, expected) in [(1, 0), (4, 3), (5, 4), (2_000, 1_600)] {
        assert_eq!(top(count, |stock| stock as u64 + 1), expected, "{count} shares");
    }
    // Equal turnovers share the best rank: of 5, four equal ones behind the first are all second; of 1, it stays first.
    for (count, expected) in [(1, 0), (4, 4), (5, 5), (2_000, 2_000)] {
        assert_eq!(top(count, |_| 7), expected, "{count} equal shares");
    }
    assert_eq!(top(5, |stock| u64::from(stock == 0)), 5, "rank 1, and four of rank 2");
    assert_eq!(top(5, |stock| u64::from(stock != 0)), 4, "four of rank 1, and one of rank 5");
}

#[test]
fn fewer_than_five_constituents_are_all_the_top_five() {
    // clause: SC/eligible/top-five
    let mut rows = world();
    rows.constituents.truncate(2);
    (rows.constituents[0].weight, rows.constituents[1].weight) = (Some(decimal("50")), Some(decimal("49.5")));
    let (_, decisions) = decide("2024-06".parse().unwrap(), &rows);
    let figures = &decisions[0].figures;
    assert_eq!(figures.top_five.as_ref().unwrap().to_string(), "99.5");
    assert_eq!((figures.constituents.clone(), figures.largest.clone()), (Ok(2), Ok(decimal("50"))));
}

#[test]
fn figures_are_filled_for_every_etf_where_they_can_be_had() {
    let mut rows = world();
    rows.indices[0].broad_based = Some(true);
    rows.etfs[0].exchange = text("HKEX");
    rows.aum[40].aum = Some(decimal("499999999.99"));
    let (_, decisions) = decide("2024-06".parse().unwrap(), &rows);
    let decision = &decisions[0];
    assert_eq!(decision.aum_average.unwrap().to_string(), "499999999.99", "rounded down");
    let shown = |figure: &Figure<Decimal>| figure.as_ref().map_or(String::new(), Decimal::to_string);
    assert_eq!(shown(&decision.figures.a_share), "60");
    assert_eq!(shown(&decision.figures.northbound), "60");
    assert_eq!(shown(&decision.figures.top_five), "60");
    assert_eq!(shown(&decision.figures.top_turnover), "90");
    assert!(decision.missing.is_empty());
}

#[test]
fn files_are_read_with_their_columns_in_any_order() {
    let etfs = "\u{feff}status,etf,index,listed,currency,exchange\r\nsell_only,510300,CSI300,2012-05-28,CNY,SSE\r\n";
    let rows = load(&files(&[
        ("etfs.csv", etfs),
        ("constituents.csv", "index,exchange,stock,weight_pct\nCSI300,SSE,1,99.5\nCSI300,SZSE,1,0.5\n"),
        ("holidays.csv", "calendar,date,name\nSSE,2024-05-01,Labour Day\nHK,2024-05-01,\n"),
    ]))
    .unwrap();
    assert_eq!((rows.etfs[0].status, rows.etfs[0].listed), (Status::SellOnly, Some(date(2012, 5, 28))));
    assert_eq!((rows.constituents.len(), rows.aum.len()), (2, 0));
    assert_eq!(rows.holidays.name(Calendar::Sse, date(2024, 5, 1)), Some("Labour Day"));
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let etfs = ("etfs.csv", "etf\nE\n");
    let fault = |texts: &[(&str, &str)], place: &str, message: &str| {
        let findings = load(&files(texts)).unwrap_err();
        let printed = findings[0].to_string();
        assert!(printed.starts_with(place) && printed.contains(message), "{printed}");
    };
    fault(&[], "etfs.csv", "the file is missing");
    fault(&[("etfs.csv", "etf,exchange\n,SSE\n")], "etfs.csv: line 2, column etf", "it is empty");
    fault(&[("etfs.csv", "etf,status\nE,yes\n")], "etfs.csv: line 2, column status", "expected not_eligible");
    fault(&[("etfs.csv", "etf,name\nE,x\n")], "etfs.csv: line 1, column name", "unknown column");
    fault(&[("etfs.csv", "etf\nE\nE\n")], "etfs.csv: line 3, column etf", "lines 2 and 3");
    fault(&[etfs, ("aum.csv", "etf,date\nE,2024-6-1\n")], "aum.csv: line 2, column date", "YYYY-MM-DD");
    fault(&[etfs, ("aum.csv", "etf,date\nE,2024-06-01\nE,2024-06-01\n")], "aum.csv: line 3, column date", "same key");
    fault(&[etfs, ("aum.csv", "etf,date,aum_rmb\nE,2024-06-01,-1\n")], "aum.csv: line 2, column aum_rmb", "a number");
    fault(
        &[etfs, ("indices.csv", "index,broad_based\nI,true\n")],
        "indices.csv: line 2, column broad_based",
        "yes or no",
    );
    fault(
        &[etfs, ("indices.csv", "index,methodology\nI,YES\n")],
        "indices.csv: line 2, column methodology",
        "yes or no",
    );
    let stocks = "index,exchange,stock\nI,SSE,1\nI,,1\nI,SSE,1\n";
    fault(&[etfs, ("constituents.csv", stocks)], "constituents.csv: line 4, column stock", "lines 2 and 4");
    fault(&[etfs, ("turnover.csv", "exchange,stock\n,1\n")], "turnover.csv: line 2, column exchange", "it is empty");
    fault(
        &[etfs, ("holidays.csv", "calendar,date\nNYSE,2024-01-01\n")],
        "holidays.csv: line 2, column calendar",
        "SZSE",
    );
    let long = format!("etf\n{}\n", "e".repeat(65));
    fault(&[("etfs.csv", &long)], "etfs.csv: line 2, column etf", "1 to 64 characters");
    load(&files(&[("etfs.csv", &format!("etf\n{}\n", "é".repeat(64)))])).unwrap();
}

#[test]
fn reviews_are_those_of_june_and_december() {
    for text in ["2024-06", "2024-12", "0001-06", "9998-12"] {
        assert_eq!(text.parse::<Review>().unwrap().to_string(), text);
    }
    for text in ["2024-07", "2024-6", "2024", "24-06", "+024-06", "9999-12", "2024-06-01", ""] {
        assert!(text.parse::<Review>().is_err(), "{text:?}");
    }
}
