//! Pairs, and the days on which their target's market is closed.

use super::*;
use crate::testing::files;

const FEEDERS: &str = "market,issue,target_market,target,index,programme,from,to\n\
                       TSE,2530,SSE,510180,SSE180,QFII,2019-06-25,\n\
                       TSE,2553,SZSE,159919,CSI300,QFII,2019-06-25,2024-10-01\n\
                       SSE,513880,TSE,1321,Nikkei 225,QDII,,\n";
const HOLIDAYS: &str = "calendar,date,name\n\
                        TSE,2024-10-14,Sports Day\n\
                        SSE,2024-10-01,National Day\nSSE,2024-10-02,\nSSE,2024-10-14,Typhoon\nSSE,2024-10-05,National Day\n\
                        SZSE,2024-10-01,National Day\nSZSE,2024-10-02,National Day\n";

/// The pairs and candidates, a line each, as their files have them.
fn decided(first: &str, last: &str, feeders: &str, holidays: &str) -> (Vec<String>, Vec<String>) {
    let rows = load(&files(&[("feeders.csv", feeders), ("holidays.csv", holidays)])).unwrap();
    let (pairs, candidates) = decide(first.parse().unwrap(), last.parse().unwrap(), &rows);
    let pair = |Pair { feeder, missing }: &Pair| format!("{} {} {missing}", feeder.market, feeder.issue);
    let candidate = |candidate: &Candidate| {
        format!("{},,{},{},{}", candidate.issue, candidate.from(), candidate.to(), candidate.reason())
    };
    (pairs.iter().map(pair).collect(), candidates.iter().map(candidate).collect())
}

#[test]
fn days_on_which_the_target_is_closed_and_tokyo_is_not_are_candidates() {
    // clause: FEED/pair
    // clause: FEED/target-closed
    let (pairs, candidates) = decided("2024-01-01", "2024-12-31", FEEDERS, HOLIDAYS);
    assert_eq!(pairs, ["SSE 513880 ", "TSE 2530 ", "TSE 2553 "]);
    assert_eq!(
        candidates,
        [
            "2530,,2024-10-01T00:00:00+09:00,2024-10-02T00:00:00+09:00,SSE closed: National Day (FEED/target-closed)",
            "2530,,2024-10-02T00:00:00+09:00,2024-10-03T00:00:00+09:00,SSE closed (FEED/target-closed)",
            "2553,,2024-10-01T00:00:00+09:00,2024-10-02T00:00:00+09:00,SZSE closed: National Day (FEED/target-closed)",
        ]
    );
}

#[test]
fn one_day_asks_for_what_is_in_force_on_it() {
    // clause: FEED/pair
    let on = |day: &str| decided(day, day, FEEDERS, HOLIDAYS);
    let (pairs, candidates) = on("2024-10-02");
    assert_eq!((pairs.len(), candidates.len()), (2, 1));
    assert_eq!(on("2024-10-01").1.len(), 2);
    assert_eq!(on("2019-06-24").0, ["SSE 513880 "]);
}

#[test]
fn without_a_calendar_a_pair_has_no_candidates() {
    let without = |calendar: &str| {
        let kept = HOLIDAYS.lines().filter(|line| !line.starts_with(calendar));
        decided("2024-01-01", "2024-12-31", FEEDERS, &kept.collect::<Vec<_>>().join("\n"))
    };
    let (pairs, candidates) = without("TSE,");
    assert_eq!(pairs, ["SSE 513880 ", "TSE 2530 holidays.csv/TSE/2024", "TSE 2553 holidays.csv/TSE/2024"]);
    assert_eq!(candidates, [""; 0]);
    let (pairs, candidates) = without("SSE,");
    assert_eq!(pairs, ["SSE 513880 ", "TSE 2530 holidays.csv/SSE/2024", "TSE 2553 "]);
    assert_eq!(candidates.len(), 1);
    let (pairs, _) = decided("2025-01-01", "2025-12-31", FEEDERS, HOLIDAYS);
    assert_eq!(pairs, ["SSE 513880 ", "TSE 2530 holidays.csv/SSE/2025;holidays.csv/TSE/2025"]);
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let fault = |row: &str, column: &str, message: &str| {
        let text = format!("market,issue,target_market,target,programme,from,to\n{row}\n");
        let printed = load(&files(&[("feeders.csv", &text)])).unwrap_err()[0].to_string();
        let line = 1 + row.lines().count();
        assert!(printed.starts_with(&format!("feeders.csv: line {line}, column {column}")), "{printed}");
        assert!(printed.contains(message), "{printed}");
    };
    // clause: FEED/programme
    fault("TSE,2530,SSE,510180,QDII,,", "programme", "expected QFII");
    fault("SSE,513880,TSE,1321,QFII,,", "programme", "expected QDII");
    fault("TSE,2530,TSE,1321,QFII,,", "target_market", "one of the two to be TSE");
    fault("SZSE,2530,SSE,1321,QDII,,", "target_market", "one of the two to be TSE");
    fault("NYSE,2530,SSE,1321,QDII,,", "market", "TSE, SSE or SZSE");
    fault("TSE,2530,SSE,510180,RQFII,,", "programme", "QFII or QDII");
    fault("TSE,2530,SSE,510180,QFII,2024-01-02,2024-01-01", "to", "before from");
    fault(
        "TSE,2530,SSE,510180,QFII,,2024-01-02\nTSE,2530,SZSE,1,QFII,2024-01-02,",
        "issue",
        "both in force on 2024-01-02",
    );
    let apart = "market,issue,target_market,target,programme,from,to\nTSE,2530,SSE,510180,QFII,,2024-01-01\nTSE,2530,SZSE,1,QFII,2024-01-02,\n";
    load(&files(&[("feeders.csv", apart)])).unwrap();
    assert!(load(&[]).unwrap_err()[0].to_string().contains("the file is missing"));
}

#[test]
fn years_have_four_digits() {
    assert_eq!(year("2024"), Ok((date(2024, 1, 1), date(2024, 12, 31))));
    for text in ["", "24", "02024", "+024", "9999", "year"] {
        assert!(year(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_feeder_of_tokyo_is_an_issue_that_an_exemption_can_name() {
    let findings = |feeders: &str| match load(&files(&[("feeders.csv", feeders), ("holidays.csv", HOLIDAYS)])) {
        Ok(_) => String::new(),
        Err(findings) => format!("{findings:?}"),
    };
    let longest = "x".repeat(32);
    for (issue, is_code) in
        [("2530", true), (longest.as_str(), true), ("*", false), ("ETF 1", false), (&format!("{longest}x"), false)]
    {
        let of_tokyo = FEEDERS.replace("TSE,2530", &format!("TSE,{issue}"));
        let found = findings(&of_tokyo);
        assert_eq!(found.is_empty(), is_code, "{issue}: {found}");
        assert!(is_code || found.contains("expected the code of an issue of TSE"), "{found}");
        // One of China has the name that its market gives it.
        assert_eq!(findings(&FEEDERS.replace("SSE,513880", &format!("SSE,{issue}"))), "", "{issue}");
    }
}
