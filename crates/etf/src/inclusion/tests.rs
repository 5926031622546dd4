//! The paper's own tables, and every way an allocation can be asked for.

use super::*;
use crate::testing::files;
use jiff::civil::date;

/// A country and its weight before, with the quota, and without one.
type Country = (&'static str, &'static str, &'static str, &'static str);

/// Figures 13 and 16: of each index its countries, and the weight of China A shares with the quota and without one.
const FIGURES: [(&str, &[Country], &str, &str); 4] = [
    (
        "Emerging",
        &[
            ("China", "26.03", "24.82", "19.59"),
            ("Taiwan", "15.22", "14.51", "11.45"),
            ("Brazil", "8.27", "7.88", "6.22"),
            ("South Africa", "8.64", "8.24", "6.50"),
            ("India", "12.27", "11.70", "9.23"),
            ("Russia", "4.20", "4.00", "3.16"),
            ("Mexico", "4.83", "4.61", "3.64"),
            ("Others", "20.54", "19.58", "15.46"),
        ],
        "4.67",
        "24.75",
    ),
    (
        "Emerging All Cap",
        &[
            ("China", "24.66", "23.36", "17.98"),
            ("Taiwan", "17.15", "16.25", "12.50"),
            ("Brazil", "8.04", "7.62", "5.86"),
            ("South Africa", "8.05", "7.63", "5.87"),
            ("India", "12.60", "11.93", "9.18"),
            ("Russia", "3.80", "3.60", "2.77"),
            ("Mexico", "4.54", "4.30", "3.31"),
            ("Others", "21.17", "20.05", "15.43"),
        ],
        "5.25",
        "27.10",
    ),
    (
        "All-World",
        &[
            ("China", "2.40", "2.39", "2.33"),
            ("USA", "51.93", "51.69", "50.40"),
            ("Japan", "8.40", "8.37", "8.16"),
            ("UK", "6.13", "6.10", "5.95"),
            ("France", "3.34", "3.32", "3.24"),
            ("Germany", "3.19", "3.17", "3.10"),
            ("Switzerland", "2.90", "2.88", "2.81"),
            ("Others", "21.71", "21.62", "21.08"),
        ],
        "0.45",
        "2.94",
    ),
    (
        "Global All Cap",
        &[
            ("China", "2.25", "2.24", "2.17"),
            ("USA", "52.60", "52.33", "50.87"),
            ("Japan", "8.19", "8.15", "7.92"),
            ("UK", "6.02", "5.99", "5.82"),
            ("France", "3.09", "3.07", "2.99"),
            ("Germany", "3.02", "3.00", "2.92"),
            ("Switzerland", "2.72", "2.71", "2.63"),
            ("Others", "22.12", "22.01", "21.40"),
        ],
        "0.50",
        "3.28",
    ),
];

/// Percent with two decimals, in ten-thousandths of a percent.
fn percent(text: &str) -> u64 {
    text.replace('.', "").parse::<u64>().unwrap() * 100
}

#[test]
fn the_papers_own_tables_come_out_within_a_hundredth() {
    // clause: INC/quota
    // clause: INC/no-quota
    // The market values are the rows of figure 16, where China A shares have their whole value; the quota is 0.149 of
    // the universe, whatever that is.
    let (mut members, mut china_a) = (String::from("index,country,net_market_cap_usd\n"), String::new());
    for (index, countries, _, without) in FIGURES {
        for (country, _, _, value) in countries {
            members.push_str(&format!("{index},{country},{value}\n"));
        }
        china_a.push_str(&format!("{index},{without}\n"));
    }
    let china_a = format!("index,net_market_cap_usd\n{china_a}*,1160000000000\n");
    let quota = "date,scheme,currency,amount,per_usd\n2017-06-30,R/QFII,USD,172840000000,\n";
    let texts = [("members.csv", members.as_str()), ("china_a.csv", &china_a), ("quota.csv", quota)];
    let rows = load(&files(&texts)).unwrap();
    let quota = decide(Allocation::Quota(date(2017, 6, 30)), &rows);
    let none = decide(Allocation::NoQuota, &rows);
    let mut compared = 0;
    for (index, countries, quota_pct, none_pct) in FIGURES {
        let of = |inclusions: &[Inclusion], country: &str| {
            let inclusion = inclusions.iter().find(|inclusion| inclusion.index == index).unwrap();
            let weight = inclusion.weights.iter().find(|weight| weight.country == country).unwrap();
            (weight.before.unwrap().0, weight.after.unwrap().0)
        };
        let mut near = |found: u64, paper: &str| {
            assert!(found.abs_diff(percent(paper)) <= 100, "{index}: {found} is not {paper}");
            compared += 1;
        };
        for (country, before, with, without) in countries {
            near(of(&quota, country).0, before);
            near(of(&quota, country).1, with);
            near(of(&none, country).0, before);
            near(of(&none, country).1, without);
        }
        near(of(&quota, CHINA_A).1, quota_pct);
        near(of(&none, CHINA_A).1, none_pct);
        assert_eq!(of(&quota, CHINA_A).0, 0);
    }
    assert_eq!(compared, 4 * (8 * 4 + 2));
}

const MEMBERS: &str = "index,country,net_market_cap_usd\nW,US,600\nW,China,300\nE,China,50\nE,Denmark,150\n";
const CHINA_A_ROWS: &str = "index,net_market_cap_usd\nW,100\nE,40.5\n*,1000\n";

/// The allocations, a line each, as `allocations.csv` has them.
fn allocated(allocation: &str, day: &str, texts: &[(&str, &str)]) -> Vec<String> {
    let rows = load(&files(texts)).unwrap();
    let asked: Asked = allocation.parse().unwrap();
    let allocation = asked.on(day.parse().ok()).unwrap();
    let text = |usd: &Option<Usd>| usd.as_ref().map_or(String::new(), Usd::to_string);
    let line = |row: &Inclusion| {
        let china_a = row.china_a.map_or(String::new(), |value| value.to_string());
        let clauses: Vec<String> = row.clauses.iter().map(Clause::to_string).collect();
        format!(
            "{},{},{china_a},{},{},{}",
            row.index,
            text(&row.quota),
            text(&row.added),
            clauses.join(";"),
            row.missing
        )
    };
    decide(allocation, &rows).iter().map(line).collect()
}

/// Quota rows of one date, with the other files.
fn by_quota(quota: &str, day: &str) -> Vec<String> {
    let quota = format!("date,scheme,currency,amount,per_usd\n{quota}");
    allocated("quota", day, &[("members.csv", MEMBERS), ("china_a.csv", CHINA_A_ROWS), ("quota.csv", &quota)])
}

#[test]
fn the_quota_is_one_share_of_all_and_at_most_what_there_is() {
    // clause: INC/quota
    // clause: INC/market-value
    let of = |amount: &str| by_quota(&format!("2017-06-30,QFII,USD,{amount},\n"), "2017-06-30");
    assert_eq!(of("149"), ["E,149.00,40.5,6.03,INC/quota,", "W,149.00,100,14.90,INC/quota,"]);
    assert_eq!(of("1000")[1], "W,1000.00,100,100.00,INC/quota,");
    assert_eq!(of("1000.0000000001")[1], "W,1000.00,100,100.00,INC/quota;INC/market-value,");
    assert_eq!(of("0")[1], "W,0.00,100,0.00,INC/quota,");
}

#[test]
fn of_each_scheme_the_latest_rows_count_that_are_not_later() {
    // clause: INC/quota
    let rows = "2017-03-31,QFII,USD,100,\n2017-06-30,QFII,USD,50,1\n2017-06-30,QFII,CNY,70,7\n2017-07-01,QFII,USD,999,\n\
                2016-01-01,RQFII,CNY,30,3\n2018-01-01,CONNECT,CNY,1,\n";
    assert_eq!(by_quota(rows, "2017-06-30")[1], "W,70.00,100,7.00,INC/quota,");
    assert_eq!(by_quota(rows, "2017-06-29")[1], "W,110.00,100,11.00,INC/quota,");
    assert_eq!(by_quota(rows, "2015-12-31")[1], "W,,100,,INC/quota,quota.csv");
    // A third is a third: three of them are one.
    let thirds = "2017-01-01,A,X,1,3\n2017-01-01,B,X,1,3\n2017-01-01,C,X,1,3\n";
    assert_eq!(by_quota(thirds, "2017-06-30")[1], "W,1.00,100,0.10,INC/quota,");
    let gaps = "2017-01-01,A,CNY,1,\n2017-01-01,B,USD,,\n";
    assert_eq!(
        by_quota(gaps, "2017-06-30")[1],
        "W,,100,,INC/quota,quota.csv/2017-01-01/A/CNY/per_usd;quota.csv/2017-01-01/B/USD/amount"
    );
}

#[test]
fn an_allocation_of_ones_own_needs_no_market_value_and_has_no_cap() {
    // clause: INC/custom
    let members = [("members.csv", MEMBERS)];
    assert_eq!(allocated("custom:12345.678", "", &members)[0], "E,,,12345.67,INC/custom,");
    // 200 are 80 percent of 250.
    assert_eq!(allocated("custom:20%", "", &members)[0], "E,,,50.00,INC/custom,");
    let with_value = [("members.csv", MEMBERS), ("china_a.csv", CHINA_A_ROWS)];
    assert_eq!(allocated("custom:20%", "", &with_value)[0], "E,,40.5,50.00,INC/custom,");
    assert_eq!(allocated("custom:0%", "", &members)[0], "E,,,0.00,INC/custom,");
    let rows = load(&files(&members)).unwrap();
    let weights = &decide(Allocation::Weight(Decimal::parse("4.67").unwrap()), &rows)[1].weights;
    let china_a = weights.iter().find(|weight| weight.country == CHINA_A).unwrap();
    assert_eq!(china_a.after.unwrap().to_string(), "4.6700");
    let countries: Vec<&str> = weights.iter().map(|weight| weight.country.as_str()).collect();
    assert_eq!(countries, ["China", "China (A)", "US"]);
}

#[test]
fn what_is_missing_is_named_and_leaves_no_percentages() {
    // clause: INC/no-quota
    assert_eq!(
        allocated("none", "", &[("members.csv", MEMBERS), ("china_a.csv", "index,net_market_cap_usd\nW,\n")]),
        ["E,,,,INC/no-quota,china_a.csv/E", "W,,,,INC/no-quota,china_a.csv/W"]
    );
    let members = "index,country,net_market_cap_usd\nW,US,\nW,China,\nE,China,5\n";
    let texts = [("members.csv", members), ("china_a.csv", "index,net_market_cap_usd\nE,0\nW,1\n")];
    assert_eq!(
        allocated("none", "", &texts),
        ["E,,0,0.00,INC/no-quota,", "W,,1,,INC/no-quota,members.csv/W/China;members.csv/W/US"]
    );
    let rows = load(&files(&texts)).unwrap();
    let inclusions = decide(Allocation::NoQuota, &rows);
    assert!(inclusions[1].weights.iter().all(|weight| weight.before.is_none() && weight.after.is_none()));
    assert_eq!(inclusions[1].weights.len(), 3);
    assert_eq!(inclusions[0].weights[0].after.map(|weight| weight.to_string()).as_deref(), Some("100.0000"));
    assert_eq!(
        allocated("quota", "2017-06-30", &[("members.csv", "index,country\nW,US\n")]),
        ["W,,,,INC/quota,china_a.csv/*;china_a.csv/W;members.csv/W/US;quota.csv"]
    );
}

#[test]
fn allocations_other_than_shown_are_refused() {
    for text in [
        "",
        "Quota",
        "all",
        "custom:",
        "custom:%",
        "custom:100%",
        "custom:-1",
        "custom:1e9",
        "custom:5 %",
        "custom:1,000",
    ] {
        assert!(text.parse::<Asked>().is_err(), "{text:?}");
    }
    assert!("custom:99.9999999999%".parse::<Asked>().is_ok());
    assert!("quota".parse::<Asked>().unwrap().on(None).is_err());
    assert!("none".parse::<Asked>().unwrap().on(None).is_ok());
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let fault = |texts: &[(&str, &str)], place: &str, message: &str| {
        let findings = load(&files(texts)).unwrap_err();
        let printed = findings[0].to_string();
        assert!(printed.starts_with(place) && printed.contains(message), "{printed}");
    };
    let members = ("members.csv", MEMBERS);
    fault(&[], "members.csv", "the file is missing");
    fault(&[("members.csv", "index,country\nW,China (A)\n")], "members.csv: line 2, column country", "under this name");
    fault(
        &[("members.csv", "index,country,net_market_cap_usd\nW,US,0\n")],
        "members.csv: line 2, column net_market_cap_usd",
        "above 0",
    );
    fault(
        &[members, ("china_a.csv", "index,net_market_cap_usd\nW,0\n*,0\n")],
        "china_a.csv: line 3, column net_market_cap_usd",
        "above 0",
    );
    let quota = |row: &str| format!("date,scheme,currency,amount,per_usd\n{row}\n");
    fault(&[members, ("quota.csv", &quota("2017-01-01,A,CNY,1,0"))], "quota.csv: line 2, column per_usd", "above 0");
    fault(&[members, ("quota.csv", &quota("2017-01-01,A,USD,1,7"))], "quota.csv: line 2, column per_usd", "expected 1");
    let twice = quota("2017-01-01,A,USD,1,\n2017-01-01,A,USD,2,");
    fault(&[members, ("quota.csv", &twice)], "quota.csv: line 3, column currency", "lines 2 and 3");
}
