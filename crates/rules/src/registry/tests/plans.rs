//! What a date requires: boundaries in pairs, the last date inside and the first one outside.

use super::*;
use crate::DayPlan;
use jiff::civil::date;
use quoteclock_model::{Bps, Phase, Span, Ticks};

fn plan(changes: &[(&str, &str)], on: Date) -> DayPlan {
    registry(changes).plan(on).expect("in range")
}

/// The instant that RFC 3339 text stands for.
fn at(text: &str) -> Timestamp {
    crate::value::instant(text).expect("an instant")
}

fn span(start: &str, end: &str) -> Span {
    Span { start: at(start), end: at(end) }
}

/// The obligations of the first sign-up: name, bps, ticks.
fn obligations(plan: &DayPlan) -> Vec<(String, Option<u64>, Option<u64>)> {
    let row = |plan: &crate::ObligationPlan| {
        let crate::Limits { spread_bps_max, spread_ticks_max, .. } = plan.limits;
        (plan.id.to_string(), spread_bps_max.map(|Bps(bps)| bps), spread_ticks_max.map(|Ticks(ticks)| ticks))
    };
    plan.sign_ups[0].obligations.iter().map(row).collect()
}

const MARCH_1: Date = date(2024, 3, 1);

#[test]
fn a_day_runs_from_local_midnight_to_the_next_and_holds_its_sessions() {
    // clause: ST1/continuous-auction
    let before = plan(&[], date(2024, 11, 4));
    assert_eq!(before.day, span("2024-11-04T00:00:00+09:00", "2024-11-05T00:00:00+09:00"));
    let morning = span("2024-11-04T09:00:00+09:00", "2024-11-04T11:30:00+09:00");
    assert_eq!(before.sessions()[..], [morning, span("2024-11-04T12:30:00+09:00", "2024-11-04T15:00:00+09:00")]);
    let after = plan(&[], date(2024, 11, 5));
    assert_eq!(after.sessions()[1], span("2024-11-05T12:30:00+09:00", "2024-11-05T15:25:00+09:00"));
    assert_eq!((before.multiplier, before.phase_source), (1, crate::PhaseSource::Schedule));
    assert!(before.trading.phases.contains(Phase::SequentialQuote));
    let saturday = plan(&[], date(2024, 3, 2));
    assert_eq!((saturday.sessions().len(), saturday.sign_ups.len()), (2, 1), "whichever day of the week it is");
}

#[test]
fn with_phases_from_the_feed_the_whole_day_is_in_session() {
    let plan = plan(&[("scheme.toml", "phase_source = \"feed\"")], MARCH_1);
    assert_eq!(plan.sessions()[..], [plan.day]);
    assert_eq!(plan.phase_source, crate::PhaseSource::Feed);
}

#[test]
fn before_the_first_session_list_there_is_no_continuous_time() {
    let scheme = "[[sessions]]\nfrom = \"2024-03-02\"\ncontinuous = [\"00:00-24:00\"]\n";
    assert_eq!(plan(&[("scheme.toml", scheme)], MARCH_1).sessions()[..], []);
    let open = plan(&[("scheme.toml", scheme)], date(2024, 3, 2));
    assert_eq!(open.sessions()[..], [open.day]);
}

#[test]
fn days_on_which_clocks_change_are_as_long_as_they_are() {
    let new_york =
        |sessions: &str| format!("timezone = \"America/New_York\"\n[[sessions]]\ncontinuous = [{sessions}]\n");
    let hours = |span: Span| span.end.since(span.start).0 / 3_600_000_000;
    let whole = new_york("\"00:00-24:00\"");
    let of = |scheme: &str, on| plan(&[("scheme.toml", scheme)], on);
    assert_eq!(hours(of(&whole, date(2024, 3, 10)).day), 23);
    assert_eq!(hours(of(&whole, date(2024, 11, 3)).sessions()[0]), 25);
    // 02:30 does not exist on 10 March and counts on from before the change; 01:30 on 3 November means the first.
    let gap = of(&new_york("\"02:30-04:00\""), date(2024, 3, 10));
    assert_eq!(gap.sessions()[..], [span("2024-03-10T03:30:00-04:00", "2024-03-10T04:00:00-04:00")]);
    let fold = of(&new_york("\"01:30-02:00\""), date(2024, 11, 3));
    assert_eq!(fold.sessions()[..], [span("2024-11-03T01:30:00-04:00", "2024-11-03T02:00:00-05:00")]);
    // Samoa had no 30 December 2011.
    let none = of("timezone = \"Pacific/Apia\"", date(2011, 12, 30));
    assert_eq!((hours(none.day), none.sessions().len()), (0, 0));
}

#[test]
fn the_sequential_quote_follows_its_interpretation() {
    // clause: QC/sequential_quote
    let scheme = "[interpretations]\nsequential_quote = \"exempt\"\n";
    assert!(!plan(&[("scheme.toml", scheme)], MARCH_1).trading.phases.contains(Phase::SequentialQuote));
}

#[test]
fn sign_ups_and_servers_are_in_force_on_their_first_and_last_date() {
    let changes = [
        ("signups.csv", "market_maker,issue,from,to\nMM1,1306,2024-03-05,2024-03-07\n"),
        ("virtual_servers.csv", "server,market_maker,from,to\nVS1,MM1,2024-03-06,2024-03-08\n"),
    ];
    let counts = |day| {
        let plan = plan(&changes, date(2024, 3, day));
        (plan.sign_ups.len(), plan.servers.len(), plan.sign_ups.first().map(|sign_up| sign_up.servers.len()))
    };
    let by_day: Vec<_> = (4..=9).map(counts).collect();
    let expected = [(0, 0, None), (1, 0, Some(0)), (1, 1, Some(1)), (1, 1, Some(1)), (0, 1, None), (0, 0, None)];
    assert_eq!(by_day, expected);
}

#[test]
fn a_sign_up_is_measured_only_while_its_issue_has_a_row_in_force() {
    let issues = "issue,type,tick_table,from,to\n1306,A,01,2024-03-05,2024-03-06\n";
    let count = |day| plan(&[("issues.csv", issues)], date(2024, 3, day)).sign_ups.len();
    assert_eq!([4, 5, 6, 7].map(count), [0, 1, 1, 0]);
}

#[test]
fn types_and_tick_tables_change_in_the_middle_of_a_month() {
    // clause: ST1/spread-and-quantity
    let issues = "issue,type,tick_table,from,to\n1306,B,04,2024-03-15,\n1306,A,01,,2024-03-14\n";
    let of = |day| plan(&[("issues.csv", issues)], date(2024, 3, day));
    assert_eq!(obligations(&of(14)), [("general".to_owned(), Some(200_000), Some(2))]);
    assert_eq!(obligations(&of(15)), [("general".to_owned(), Some(500_000), Some(3))]);
    let scheme = Scheme::built_in();
    assert_eq!(of(14).sign_ups[0].obligations[0].limits.tick_table, scheme.tick_tables()["01"]);
    assert_eq!(of(15).sign_ups[0].obligations[0].limits.tick_table, scheme.tick_tables()["04"]);
}

#[test]
fn fast_market_widens_general_and_matching_but_not_sponsored() {
    // clause: ST1/fast-market
    let conditions = "condition,issue,max_spread_bps,max_spread_ticks,min_value_jpy\nX,1306,25.5,1,1\n";
    let changes = [
        ("fast_market.csv", "from,to,multiplier\n2024-03-05,2024-03-06,2\n2024-03-07,2024-03-07,4\n"),
        ("sponsored.csv", conditions),
        ("matching_funds.csv", conditions),
    ];
    for (day, multiplier) in [(4, 1), (5, 2), (6, 2), (7, 4), (8, 1)] {
        let plan = plan(&changes, date(2024, 3, day));
        let times = u64::from(multiplier);
        assert_eq!(plan.multiplier, multiplier);
        assert_eq!(
            obligations(&plan),
            [
                ("general".to_owned(), Some(200_000 * times), Some(2 * times)),
                ("matching:X".to_owned(), Some(255_000 * times), Some(times)),
                ("sponsored:X".to_owned(), Some(255_000), Some(1)),
            ],
            "{day}"
        );
    }
}

#[test]
fn the_largest_limits_can_be_multiplied() {
    let changes = [
        ("scheme.toml", "[types.A]\nmax_spread_bps = 1000000000\nmax_spread_ticks = 1000000000\nmin_quantity = 1\n"),
        ("fast_market.csv", "multiplier\n4\n"),
    ];
    assert_eq!(
        obligations(&plan(&changes, MARCH_1)),
        [("general".to_owned(), Some(40_000_000_000_000), Some(4_000_000_000))]
    );
}

#[test]
fn conditions_apply_on_their_dates_with_their_own_share_of_time() {
    // clause: ST1/sponsored-obligation, ST1/time-share
    let header = "condition,issue,max_spread_ticks,min_value_jpy,coverage_pct,from,to";
    let sponsored = format!("{header}\nS,1306,1,100,90.5,2024-03-05,2024-03-06\nT,1306,1,100,,,\nU,1307,1,1,,,\n");
    let of = |day| plan(&[("sponsored.csv", &sponsored)], date(2024, 3, day));
    let names = |day| of(day).sign_ups[0].obligations.iter().map(|plan| plan.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(4), ["general", "sponsored:T"]);
    assert_eq!(names(5), ["general", "sponsored:S", "sponsored:T"]);
    assert_eq!(names(6), ["general", "sponsored:S", "sponsored:T"]);
    assert_eq!(names(7), ["general", "sponsored:T"]);
    let required: Vec<u64> = of(5).sign_ups[0].obligations.iter().map(|plan| plan.required.pct).collect();
    assert_eq!(required, [800_000, 905_000, 800_000]);
    assert_eq!(of(5).sign_ups[0].obligations[1].limits.value_min, Some(Amount(1_000_000)));
}

#[test]
fn an_index_stands_for_the_issues_that_track_it_on_the_date() {
    // clause: ST1/matching-obligation
    let issues = "issue,type,tick_table,index,from,to\n1306,A,01,TOPIX,,2024-03-05\n1306,A,01,Prime,2024-03-06,\n";
    let matching = "condition,issue,index,max_spread_ticks,min_value_jpy\nM,,TOPIX,7,1\n";
    let of = |matching: &str, day| {
        let plan = plan(&[("issues.csv", issues), ("matching_funds.csv", matching)], date(2024, 3, day));
        obligations(&plan).iter().filter(|row| row.0 != "general").map(|row| row.2).collect::<Vec<_>>()
    };
    assert_eq!((of(matching, 5), of(matching, 6)), (vec![Some(7)], vec![]));
    for rows in ["M,1306,,9,1\n", "M,1306,Elsewhere,9,1\n"] {
        let both = format!("{matching}{rows}");
        assert_eq!(of(&both, 5), [Some(9)], "the row that names the issue wins");
        assert_eq!(of(&both, 6), [Some(9)]);
    }
}

#[test]
fn servers_serve_the_sign_ups_of_their_market_maker_and_participant() {
    // clause: ST1/virtual-server-measuring, ST1/participant
    let changes = [
        ("market_makers.csv", "market_maker\nMM2\nMM1\n"),
        ("issues.csv", "issue,type,tick_table\n1306,A,01\n1308,A,01\n130A,A,01\n"),
        ("virtual_servers.csv", "server,market_maker,participant\nV4,MM2,\nV3,MM1,Q\nV2,MM1,P\nV1,MM1,\n"),
        ("signups.csv", "market_maker,issue,participant\nMM2,1306,P\nMM1,130A,\nMM1,1306,P\nMM1,1308,R\n"),
    ];
    let plan = plan(&changes, MARCH_1);
    let names: Vec<&str> = plan.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["V1", "V2", "V3", "V4"]);
    let of: Vec<_> =
        plan.sign_ups.iter().map(|s| (s.market_maker.as_str(), s.issue.as_str(), &s.servers[..])).collect();
    let expected: [(&str, &str, &[usize]); 4] =
        [("MM1", "1306", &[0, 1]), ("MM1", "1308", &[0]), ("MM1", "130A", &[0, 1, 2]), ("MM2", "1306", &[3])];
    assert_eq!(of, expected);
}

#[test]
fn exemptions_are_half_open_clipped_to_the_day_and_merged() {
    // clause: ST1/exemption
    let rows = "issue,market_maker,from,to\n\
                *,,2024-03-04T23:00:00+09:00,2024-03-05T01:00:00+09:00\n\
                1306,,2024-03-05T01:00:00+09:00,2024-03-05T02:00:00+09:00\n\
                *,MM1,2024-03-05T05:00:00Z,2024-03-05T06:00:00Z\n\
                1306,MM1,2024-03-05T05:30:00Z,2024-03-05T07:00:00Z\n\
                1307,,2024-03-05T00:00:00Z,2024-03-05T09:00:00Z\n\
                1306,MM2,2024-03-05T00:00:00Z,2024-03-05T09:00:00Z\n";
    let exempt = |day| plan(&[("exemptions.csv", rows)], date(2024, 3, day)).sign_ups[0].exempt.clone();
    assert_eq!(exempt(3), []);
    assert_eq!(exempt(4), [span("2024-03-04T23:00:00+09:00", "2024-03-05T00:00:00+09:00")]);
    assert_eq!(
        exempt(5),
        [
            span("2024-03-05T00:00:00+09:00", "2024-03-05T02:00:00+09:00"),
            span("2024-03-05T14:00:00+09:00", "2024-03-05T16:00:00+09:00"),
        ]
    );
    assert_eq!(exempt(6), []);
}

#[test]
fn an_open_end_of_an_exemption_is_the_end_of_whichever_day_is_measured() {
    // clause: ST1/exemption
    let exempt = |row: &str, day| {
        let text = format!("issue,from,to\n1306,{row}\n");
        plan(&[("exemptions.csv", &text)], date(2024, 3, day)).sign_ups[0].exempt.clone()
    };
    let whole = |day| plan(&[], date(2024, 3, day)).day;
    let noon = "2024-03-05T12:00:00+09:00";
    for day in [4, 5, 6] {
        assert_eq!(exempt(",", day), [whole(day)]);
    }
    assert_eq!(exempt(&format!("{noon},"), 4), []);
    assert_eq!(exempt(&format!("{noon},"), 5), [Span { start: at(noon), end: whole(5).end }]);
    assert_eq!(exempt(&format!("{noon},"), 6), [whole(6)]);
    assert_eq!(exempt(&format!(",{noon}"), 5), [Span { start: whole(5).start, end: at(noon) }]);
    assert_eq!(exempt(&format!(",{noon}"), 6), []);
}

#[test]
fn an_instant_has_the_date_of_the_schemes_zone() {
    let registry = registry(&[]);
    let micro = |text: &str, less| Timestamp::from_micros(at(text).as_micros() - less);
    assert_eq!(registry.local_date(micro("2024-03-01T15:00:00Z", 1)), Ok(date(2024, 3, 1)));
    assert_eq!(registry.local_date(micro("2024-03-01T15:00:00Z", 0)), Ok(date(2024, 3, 2)));
    for beyond in [Timestamp::MIN, Timestamp::MAX] {
        assert!(matches!(registry.local_date(beyond), Err(PlanError::InstantOutOfRange { .. })));
    }
}

#[test]
fn the_ends_of_the_calendar_have_no_plan() {
    let registry = registry(&[]);
    for on in [Date::MIN, Date::MAX] {
        let error = registry.plan(on).expect_err("out of range");
        assert!(matches!(error, PlanError::DateOutOfRange { date, .. } if date == on), "{error}");
    }
}
