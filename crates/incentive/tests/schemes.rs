//! The months of the ready schemes at their bounds: what the days came to, and the status. The tables stand beside the
//! schemes; their quotes are in `crates/replay/tests/schemes.rs`.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use quoteclock_incentive::{Month, MonthAccounts, MonthLine, sign_up_months};
use quoteclock_ledger::{DayRow, Total};
use quoteclock_model::{IssueCode, Micros, ObligationId};
use quoteclock_rules::{READY_SCHEMES, ReadyScheme, Registry, SourceFile};
use std::fs;
use std::path::Path;

fn registry(scheme: &ReadyScheme, columns: &str, cells: &str, excluded: &str) -> Registry {
    let files = [
        ("issues.csv", format!("issue,tick_table,{columns}\nX,01,{cells}\n")),
        ("market_makers.csv", "market_maker\nMM1\n".to_owned()),
        ("virtual_servers.csv", "server,market_maker\nVS1,MM1\n".to_owned()),
        ("signups.csv", "market_maker,issue\nMM1,X\n".to_owned()),
        ("excluded_days.csv", excluded.to_owned()),
        ("scheme.toml", scheme.text.to_owned()),
    ]
    .map(|(name, text)| SourceFile { name: name.to_owned(), bytes: text.into_bytes() });
    let loaded = Registry::load(&files);
    loaded.registry.unwrap_or_else(|| panic!("{}: {:?}", scheme.name, loaded.findings))
}

/// The lines of days such as `50/100 x 10, 49/100 x 1` from the 1st of March on; of several obligations each behind its name.
fn lines(registry: &Registry, what: &str) -> Vec<MonthLine> {
    let mut accounts = MonthAccounts::new(Month::of(date(2024, 3, 1)));
    let plan = registry.plan(date(2024, 3, 1)).expect("a plan");
    let of_all = |(name, days): (&str, &str)| {
        let mut dates = date(2024, 3, 1).series(1.day());
        let obligation: ObligationId = name.parse().expect("an obligation");
        let planned = plan.sign_ups[0].obligations.iter().find(|planned| planned.id == obligation);
        let required_pct = planned.unwrap_or_else(|| panic!("{name}")).required.pct;
        let mut rows = Vec::new();
        for part in days.split(',') {
            let (share, count) = part.trim().split_once(" x ").expect("a share and a number of days");
            let (fulfilled, available) = share.split_once('/').expect("fulfilled and available time");
            let micros = |text: &str| Micros(text.parse().expect("a number"));
            let total = Total { available: micros(available), fulfilled: micros(fulfilled), unknown: Micros::ZERO };
            let row = |date: Date| DayRow {
                date,
                market_maker: "MM1".to_owned(),
                issue: IssueCode::new(b"X").expect("a code"),
                obligation: obligation.clone(),
                required_pct,
                leveraged_inverse: Some(false),
                total,
            };
            rows.extend(dates.by_ref().take(count.parse().expect("a number of days")).map(row));
        }
        rows
    };
    let named = |part| match str::split_once(part, ':') {
        Some((name, days)) => (format!("general:{}", name.trim()), days),
        None => ("general".to_owned(), part),
    };
    for (name, days) in what.split(';').map(named) {
        of_all((&name, days)).into_iter().for_each(|row| accounts.add(row));
    }
    accounts.lines(registry)
}

// clause: XETRA/criteria, WBAG/average-of-days, WBAG/days-left-out, TWSE/compliant-days, RTS8/half-of-the-days, BUX/days-below
#[test]
fn the_month_of_every_scheme_holds_at_its_bounds_and_not_beyond() {
    for scheme in READY_SCHEMES {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../schemes/{}.cases", scheme.name));
        let text = fs::read_to_string(file).expect("a table of cases beside the scheme");
        let (mut issue, mut excluded) = (("", ""), "date,issue,market_maker,only_if_failed\n".to_owned());
        let mut checked = 0;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let [kind, what, expected] = fields[..] else { panic!("{line}") };
            match kind {
                "issue" => issue = (what, expected),
                "excluded" => excluded += &format!("{what}{}\n", ",".repeat(3 - what.matches(',').count())),
                "month" => {
                    let registry = registry(scheme, issue.0, issue.1, &excluded);
                    let lines = lines(&registry, what);
                    let statuses: Vec<&str> = lines.iter().map(|line| line.status().as_str()).collect();
                    assert_eq!(statuses.join(", "), expected, "{}: {what}", scheme.name);
                    checked += 1;
                }
                "together" => {
                    let lines = lines(&registry(scheme, issue.0, issue.1, &excluded), what);
                    let sign_ups: Vec<&str> = sign_up_months(&lines).map(|of| of.status().as_str()).collect();
                    assert_eq!(sign_ups, [expected], "{}: {what}", scheme.name);
                }
                _ => {}
            }
        }
        assert!(2 <= checked, "{}", scheme.name);
    }
}
