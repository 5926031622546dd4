//! Order of receipt, closed licences and their terms, application periods, fees, custom indices, decisions of people.

use super::*;
use crate::testing::files;

const INDICES: &str = "index,kind,available,etf_listed,period_from,period_to,fee_minimum_jpy,custom_for\n\
                       TOPIX,current,yes,,,,,\n\
                       MOTHERS,current,yes,yes,,,,\n\
                       CLOSED,current,no,,,,,\n\
                       NEW,future,,,2024-06-03,2024-07-02,1000000,\n\
                       CUSTOM,future,,,2024-06-03,2024-07-02,1000000,B;C\n";

/// The decisions on applications, a line each: `application decision place free_from others clauses missing`.
fn decided_with(indices: &str, applications: &str, grants: &str) -> Vec<String> {
    let applications = format!("application,index,company,received,licence,fee_jpy,listing\n{applications}");
    let grants = format!("application,decision,listed,free_from\n{grants}");
    let texts = [("indices.csv", indices), ("applications.csv", &applications), ("grants.csv", &grants)];
    let rows = load(&files(&texts)).unwrap();
    decide(&rows)
        .iter()
        .map(|decision| {
            let clauses: Vec<String> = decision.clauses.iter().map(Clause::to_string).collect();
            let place = decision.place.map_or("-".to_owned(), |place| place.to_string());
            let free_from = decision.free_from.map_or("-".to_owned(), |date| date.to_string());
            let others = if decision.others.is_empty() { "-".to_owned() } else { decision.others.join(";") };
            format!(
                "{} {} {place} {free_from} {others} {} {}",
                decision.application,
                decision.outcome,
                clauses.join(";"),
                decision.missing
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

fn decided(applications: &str) -> Vec<String> {
    decided_with(INDICES, applications, "")
}

#[test]
fn applications_count_in_the_order_of_receipt() {
    // clause: LIC/order-of-receipt
    assert_eq!(
        decided(
            "A3,TOPIX,C,2024-06-05T09:00:00+09:00,open,,\n\
             A1,TOPIX,A,2024-06-05T09:00:00Z,open,,\n\
             A2,TOPIX,B,2024-06-05T09:00:00+09:00,open,,\n"
        ),
        [
            "A2 grant 1 - - LIC/order-of-receipt",
            "A3 grant 1 - - LIC/order-of-receipt",
            "A1 grant 3 - - LIC/order-of-receipt"
        ]
    );
}

#[test]
fn an_index_is_available_or_not_or_nobody_knows() {
    // clause: LIC/not-available
    assert_eq!(
        decided(
            "A1,CLOSED,A,2024-06-05T09:00:00Z,open,,\n\
             A2,CLOSED,B,2024-06-05T10:00:00Z,open,,\n\
             B1,NIKKEI,A,2024-06-05T09:00:00Z,closed,,\n"
        ),
        [
            "A1 refuse - - - LIC/not-available",
            "A2 refuse - - - LIC/not-available",
            "B1 undecided 1 - - LIC/not-available indices.csv/NIKKEI"
        ]
    );
    assert_eq!(
        decided_with("index,kind\nX,current\n", "A1,X,A,2024-06-05T09:00:00Z,open,,\n", ""),
        ["A1 undecided 1 - - LIC/not-available indices.csv/X/available"]
    );
}

#[test]
fn a_closed_licence_keeps_others_out_for_six_months_to_the_day() {
    // clause: LIC/closed-term
    // Midnight in Tokyo on the first free day, and a microsecond before it.
    assert_eq!(
        decided(
            "A1,TOPIX,A,2024-06-05T09:00:00+09:00,closed,,2024-08-31\n\
             A2,TOPIX,B,2025-02-27T23:59:59.999999+09:00,open,,\n\
             A3,TOPIX,B,2025-02-28T00:00:00+09:00,open,,\n\
             A4,TOPIX,A,2024-06-05T09:00:01+09:00,closed,,2024-09-01\n\
             A5,TOPIX,C,2024-07-01T00:00:00Z,closed,,\n"
        ),
        [
            "A1 grant 1 2025-02-28 - LIC/order-of-receipt",
            "A4 grant 2 2025-03-01 - LIC/order-of-receipt",
            "A5 wait 3 2025-03-01 A1;A4 LIC/closed-term",
            "A2 wait 4 2025-03-01 A1;A4 LIC/closed-term",
            "A3 wait 5 2025-03-01 A4 LIC/closed-term"
        ]
    );
}

#[test]
fn of_one_moment_a_closed_application_comes_before_an_open_one() {
    // clause: LIC/closed-term
    assert_eq!(
        decided(
            "A1,TOPIX,A,2024-06-05T09:00:00Z,open,,\n\
             A2,TOPIX,B,2024-06-05T09:00:00Z,closed,,2024-07-01\n\
             A3,TOPIX,B,2024-06-05T09:00:00Z,open,,\n"
        ),
        [
            "A1 wait 1 2025-01-01 A2 LIC/closed-term",
            "A2 grant 1 2025-01-01 - LIC/order-of-receipt",
            "A3 grant 1 - - LIC/order-of-receipt"
        ]
    );
}

#[test]
fn closed_applications_of_one_moment_are_evaluated_and_hold_others_back_until_then() {
    // clause: LIC/simultaneous-closed
    let applications = "A1,TOPIX,A,2024-06-05T09:00:00Z,closed,,2024-07-01\n\
                        A2,TOPIX,B,2024-06-05T18:00:00+09:00,closed,,2024-07-01\n\
                        A3,TOPIX,C,2024-06-05T09:00:00.000001Z,open,,\n\
                        A4,TOPIX,A,2024-06-05T09:00:00Z,closed,,\n";
    assert_eq!(
        decided(applications),
        [
            "A1 evaluate 1 - A2 LIC/simultaneous-closed",
            "A2 evaluate 1 - A1;A4 LIC/simultaneous-closed",
            "A4 evaluate 1 - A2 LIC/simultaneous-closed",
            "A3 wait 4 - A1;A2;A4 LIC/closed-term"
        ]
    );
    // clause: LIC/decided
    assert_eq!(
        decided_with(INDICES, applications, "A1,refuse,,\nA2,grant,2024-07-16,\nA4,refuse,,\n"),
        [
            "A1 refuse - - - LIC/decided",
            "A2 grant 1 2025-01-16 - LIC/decided",
            "A4 refuse - - - LIC/decided",
            "A3 wait 2 2025-01-16 A2 LIC/closed-term"
        ]
    );
}

#[test]
fn a_term_that_is_not_known_leaves_undecided_and_one_may_end_earlier() {
    // clause: LIC/closed-term
    let applications = "A1,TOPIX,A,2024-06-05T09:00:00Z,closed,,\nA2,TOPIX,B,2024-08-05T09:00:00Z,open,,\n";
    assert_eq!(decided(applications)[1], "A2 undecided 2 - A1 LIC/closed-term applications.csv/A1/listing");
    // clause: LIC/decided
    let free = |grant: &str| decided_with(INDICES, applications, grant)[1].clone();
    assert_eq!(free("A1,grant,2024-07-01,2024-08-05\n"), "A2 grant 2 - - LIC/order-of-receipt");
    assert_eq!(free("A1,grant,2024-07-01,2024-08-06\n"), "A2 wait 2 2024-08-06 A1 LIC/closed-term");
    assert_eq!(free("A1,grant,2024-07-01,2025-01-01\n"), "A2 wait 2 2025-01-01 A1 LIC/closed-term");
    assert_eq!(free("A1,grant,,2026-01-01\n"), "A2 wait 2 2026-01-01 A1 LIC/closed-term", "nobody knows the listing");
    assert_eq!(free("A1,refuse,,\n"), "A2 grant 1 - - LIC/order-of-receipt");
    // Held back by one that waits for people as well: it waits, too.
    assert_eq!(
        decided(
            "A1,TOPIX,A,2024-06-05T09:00:00Z,closed,,\n\
             A2,TOPIX,A,2024-06-06T09:00:00Z,closed,,\n\
             A3,TOPIX,A,2024-06-07T09:00:00Z,closed,,2024-07-01\n\
             A4,TOPIX,B,2024-06-08T09:00:00Z,closed,,\n"
        )[3],
        "A4 undecided 4 - A1;A2;A3 LIC/closed-term applications.csv/A1/listing;applications.csv/A2/listing"
    );
}

#[test]
fn where_an_etf_is_listed_closed_licences_are_evaluated_and_hold_nobody_back() {
    // clause: LIC/etf-listed
    assert_eq!(
        decided(
            "A1,MOTHERS,A,2024-06-05T09:00:00Z,closed,,\n\
             A2,MOTHERS,B,2024-06-05T09:00:00Z,closed,,\n\
             A3,MOTHERS,C,2024-06-06T09:00:00Z,open,,\n"
        ),
        ["A1 evaluate 1 - - LIC/etf-listed", "A2 evaluate 1 - - LIC/etf-listed", "A3 grant 3 - - LIC/order-of-receipt"]
    );
}

#[test]
fn an_application_period_is_one_moment_from_its_first_to_its_last_date_in_tokyo() {
    // clause: LIC/application-period
    assert_eq!(
        decided(
            "P1,NEW,A,2024-06-02T23:59:59.999999+09:00,open,2000000,\n\
             P2,NEW,B,2024-06-03T00:00:00+09:00,closed,1000000.01,2024-10-01\n\
             P3,NEW,C,2024-07-02T14:59:59.999999Z,closed,1500000,2024-10-01\n\
             P4,NEW,D,2024-07-03T00:00:00+09:00,open,,\n\
             P5,NEW,D,2024-06-20T00:00:00+09:00,open,1000001,\n\
             P6,NEW,E,2024-06-01T00:00:00+09:00,closed,1000001,\n"
        ),
        [
            "P6 wait - 2024-06-03 - LIC/application-period",
            "P1 wait - 2024-06-03 - LIC/application-period",
            "P2 evaluate 1 - P3 LIC/application-period",
            "P3 evaluate 1 - P2 LIC/application-period",
            "P5 wait 1 - P2;P3 LIC/closed-term",
            "P4 wait 4 - P2;P3 LIC/closed-term"
        ]
    );
}

#[test]
fn a_fee_exceeds_the_minimum() {
    // clause: LIC/fee-minimum
    assert_eq!(
        decided(
            "P1,NEW,A,2024-06-10T00:00:00Z,closed,1000000,\n\
             P2,NEW,B,2024-06-10T00:00:00Z,open,1000000.0000000001,\n\
             P3,NEW,C,2024-06-10T00:00:00Z,open,999999,\n"
        ),
        ["P1 refuse - - - LIC/fee-minimum", "P2 grant 1 - - LIC/order-of-receipt", "P3 refuse - - - LIC/fee-minimum"]
    );
    let without_minimum = "index,kind,period_from,period_to\nNEW,future,2024-06-03,2024-07-02\n";
    assert_eq!(
        decided_with(
            without_minimum,
            "P1,NEW,A,2024-06-10T00:00:00Z,closed,,2024-10-01\nP2,NEW,B,2024-06-10T00:00:00Z,open,5,\n\
             P3,NEW,C,2024-07-10T00:00:00Z,open,,\n",
            ""
        ),
        [
            "P1 undecided 1 - - LIC/fee-minimum applications.csv/P1/fee_jpy;indices.csv/NEW/fee_minimum_jpy",
            "P2 undecided 1 - - LIC/fee-minimum indices.csv/NEW/fee_minimum_jpy",
            "P3 wait 3 - P1 LIC/closed-term"
        ]
    );
}

#[test]
fn a_period_without_an_end_leaves_undecided() {
    // clause: LIC/application-period
    let applications = "P1,NEW,A,2024-06-10T00:00:00Z,open,5,\n";
    assert_eq!(
        decided_with("index,kind,period_from\nNEW,future,2024-06-03\n", applications, ""),
        ["P1 undecided 1 - - LIC/application-period indices.csv/NEW/period_to"]
    );
    assert_eq!(
        decided_with("index,kind\nNEW,future\n", applications, ""),
        ["P1 undecided 1 - - LIC/application-period indices.csv/NEW/period_from;indices.csv/NEW/period_to"]
    );
}

#[test]
fn whoever_an_index_is_made_with_has_priority_in_its_period() {
    // clause: LIC/custom
    assert_eq!(
        decided(
            "P1,CUSTOM,A,2024-06-10T00:00:00Z,closed,9000000,2024-10-01\n\
             P2,CUSTOM,B,2024-06-20T00:00:00Z,closed,1000001,2024-10-01\n\
             P3,CUSTOM,C,2024-06-20T00:00:00Z,closed,1000000,\n\
             P4,CUSTOM,C,2024-07-20T00:00:00Z,open,,\n\
             P5,CUSTOM,C,2024-06-20T00:00:00Z,open,1000001,\n\
             P6,CUSTOM,D,2024-06-20T00:00:00Z,open,1000001,\n"
        ),
        [
            "P1 wait 1 2025-04-01 P2 LIC/closed-term",
            "P2 grant 1 2025-04-01 - LIC/custom",
            "P3 refuse - - - LIC/fee-minimum",
            "P5 grant 1 - - LIC/custom",
            "P6 wait 1 2025-04-01 P2 LIC/closed-term",
            "P4 wait 5 2025-04-01 P2 LIC/closed-term"
        ]
    );
    // An open licence of a company with priority holds nobody back: the closed one is the only one of its moment.
    assert_eq!(
        decided(
            "P1,CUSTOM,A,2024-06-10T00:00:00Z,closed,9000000,2024-10-01\n\
             P5,CUSTOM,C,2024-06-20T00:00:00Z,open,1000001,\n"
        )[0],
        "P1 grant 1 2025-04-01 - LIC/order-of-receipt"
    );
}

#[test]
fn where_nobody_applied_in_the_period_a_future_index_is_treated_as_a_current_one() {
    // clause: LIC/no-application
    assert_eq!(
        decided(
            "P1,NEW,A,2024-06-02T00:00:00+09:00,open,,\n\
             P2,NEW,B,2024-07-03T00:00:00+09:00,closed,,2024-10-01\n\
             P3,NEW,C,2024-07-03T00:00:00+09:00,closed,,2024-10-01\n\
             P4,NEW,D,2024-07-04T00:00:00+09:00,open,,\n"
        ),
        [
            "P1 wait - 2024-06-03 - LIC/application-period",
            "P2 evaluate 1 - P3 LIC/no-application;LIC/simultaneous-closed",
            "P3 evaluate 1 - P2 LIC/no-application;LIC/simultaneous-closed",
            "P4 wait 3 - P2;P3 LIC/no-application;LIC/closed-term"
        ]
    );
    assert_eq!(
        decided("P2,NEW,B,2024-07-03T00:00:00+09:00,open,1,\n"),
        ["P2 grant 1 - - LIC/no-application;LIC/order-of-receipt"]
    );
    // One that was refused for its fee was an application all the same.
    assert_eq!(
        decided("P1,NEW,A,2024-06-10T00:00:00Z,open,5,\nP2,NEW,B,2024-07-03T00:00:00+09:00,open,,\n")[1],
        "P2 grant 1 - - LIC/order-of-receipt"
    );
}

#[test]
fn people_decide_before_any_rule() {
    // clause: LIC/decided
    assert_eq!(
        decided_with(
            INDICES,
            "A1,CLOSED,A,2024-06-05T09:00:00Z,open,,\n\
             B1,NIKKEI,A,2024-06-05T09:00:00Z,closed,,2024-07-01\n\
             P1,NEW,A,2024-06-01T00:00:00Z,closed,,2024-07-01\n\
             P2,NEW,B,2024-06-10T00:00:00Z,closed,1000001,2024-07-01\n",
            "A1,grant,2024-07-01,2024-12-01\nB1,refuse,,2099-01-01\nP1,grant,,\n"
        ),
        [
            "A1 grant 1 - - LIC/decided",
            "P1 grant 1 2025-01-01 - LIC/decided",
            "P2 wait 2 2025-01-01 P1 LIC/closed-term",
            "B1 refuse - - - LIC/decided"
        ]
    );
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let fault = |texts: &[(&str, &str)], place: &str, message: &str| {
        let findings = load(&files(texts)).unwrap_err();
        let printed = findings[0].to_string();
        assert!(printed.starts_with(place) && printed.contains(message), "{printed}");
    };
    let application =
        "application,index,company,received,licence,listing\nA1,I,A,2024-06-05T09:00:00Z,closed,2024-07-01\n";
    let applications = ("applications.csv", application);
    fault(&[], "applications.csv", "the file is missing");
    fault(
        &[("applications.csv", "application,index,company,received,licence\nA1,I,A,2024-06-05 09:00,open\n")],
        "applications.csv: line 2, column received",
        "RFC 3339",
    );
    fault(
        &[("applications.csv", "application,index,company,received,licence\nA1,I,A,2024-06-05T09:00:00Z,half\n")],
        "applications.csv: line 2, column licence",
        "open or closed",
    );
    fault(&[applications, ("indices.csv", "index,kind\nI,\n")], "indices.csv: line 2, column kind", "it is empty");
    fault(&[applications, ("indices.csv", "index,kind\nI,past\n")], "indices.csv: line 2, column kind", "future");
    fault(
        &[applications, ("indices.csv", "index,kind,custom_for\nI,future,A;;B\n")],
        "indices.csv: line 2, column custom_for",
        "separated by ;",
    );
    fault(
        &[applications, ("indices.csv", "index,kind,period_from,period_to\nI,future,2024-07-02,2024-07-01\n")],
        "indices.csv: line 2, column period_to",
        "before period_from",
    );
    fault(
        &[applications, ("grants.csv", "application,decision\nA2,grant\n")],
        "grants.csv: line 2, column application",
        "expected an application of applications.csv",
    );
    fault(
        &[applications, ("grants.csv", "application,decision\nA1,wait\n")],
        "grants.csv: line 2, column decision",
        "grant or refuse",
    );
    fault(
        &[applications, ("grants.csv", "application,decision,free_from\nA1,grant,2025-01-02\n")],
        "grants.csv: line 2, column free_from",
        "2025-01-01 or earlier",
    );
    load(&files(&[applications, ("grants.csv", "application,decision,free_from\nA1,grant,2025-01-01\n")])).unwrap();
}
