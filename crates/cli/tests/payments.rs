//! A month worked out by hand: every yen, why it is paid, whose eyes it is for, and spreadsheets as another program reads
//! them.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use calamine::Data;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use support::worked::{REPORT, files, replay, report, rows, sheets, worked};
use support::{Bench, stdout};

// clause: ST1/trading-value, ST1/access-fee, ST1/tiers, ST1/tier-review, ST1/participant, ST1/number-of-etfs
// clause: ST1/sponsored-grouping, ST1/sponsored-amount, ST1/sponsored-priority, ST1/matching-makers, ST1/fast-market
// clause: ST1/system-status, QC/yen_rounding, QC/matching_split, QC/self_trades
#[test]
fn the_month_comes_out_as_it_was_worked_out_and_its_readme_explains_every_yen() {
    let bench = worked();
    let check = bench.run(&["check", "--registry", "registry"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    assert!(stdout(&check).contains("0 errors, 3 warnings"), "those that the README names: {}", stdout(&check));
    report(&bench, &["--out", "out", "--no-documents"]);
    let month = support::repository("replay-data/payments");
    let readme = fs::read_to_string(month.join("README.md")).unwrap().replace(',', "");
    for (name, expected) in files(&month.join("expected")) {
        // Those of its days are a replay's.
        if ["daily.csv", "breaches.csv", "outages.csv"].map(Path::new).contains(&name.as_path()) {
            continue;
        }
        let found = bench.read(&format!("out/{}", name.display()));
        assert_eq!(found, String::from_utf8(expected).unwrap(), "{}", name.display());
        for row in rows(&found) {
            for (column, yen) in row.iter().filter(|(column, yen)| column.ends_with("_jpy") && *yen != "0") {
                let is_number = |text: &str| text.trim_matches(|letter: char| !letter.is_ascii_digit()) == yen;
                let is_said = readme.split(|letter: char| letter.is_whitespace() || "|`".contains(letter));
                assert!(yen.is_empty() || is_said.into_iter().any(is_number), "{}: {column} {yen}", name.display());
            }
        }
    }
}

// clause: ST1/matching-priority, ST1/matching-tables
#[test]
fn why_leads_from_the_days_to_every_amount() {
    let bench = worked();
    report(&bench, &["--out", "out", "--no-documents"]);
    let ask = |more: &[&str]| -> serde_json::Value {
        let output = report(&bench, &[&["--why", "--json"], more].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let of_participant = |found: &serde_json::Value, row: &BTreeMap<String, String>| {
        let why = found["why"].as_array().unwrap().iter().find(|why| {
            why["participant"].as_str().unwrap_or_default() == row["participant"] || !row.contains_key("participant")
        });
        why.cloned().unwrap()
    };
    let figure = |why: &serde_json::Value, step: &str| {
        let steps = why["steps"].as_array().unwrap();
        let found = steps.iter().find(|of| of["step"] == step).unwrap_or_else(|| panic!("{step}: {why}"));
        found["figure"].as_str().unwrap().to_owned()
    };
    let incentives = rows(&bench.read("out/incentives.csv"));
    assert!(incentives.len() > 20);
    for row in &incentives {
        let (maker, issue, incentive) = (&row["market_maker"], &row["issue"], &row["incentive"]);
        let found = ask(&["--market-maker", maker, "--issue", issue, "--incentive", incentive]);
        let why = of_participant(&found, row);
        assert_eq!(why["amount_jpy"].to_string(), row["amount_jpy"], "{row:?}");
        assert_eq!((figure(&why, "basis"), figure(&why, "rate")), (row["basis"].clone(), row["rate"].clone()));
        assert_eq!(figure(&why, "amount"), row["amount_jpy"]);
        let days: f64 = why["days"].as_array().unwrap().iter().map(|day| day["basis"].as_f64().unwrap()).sum();
        assert_eq!(days.to_string(), row["basis"], "the days add up: {row:?}");
        if incentive.starts_with("value") {
            assert_eq!(figure(&why, "tier"), row["tier"]);
        }
        let clauses: Vec<&str> =
            why["steps"].as_array().unwrap().iter().map(|step| step["clause"].as_str().unwrap()).collect();
        assert!(clauses.contains(&row["clause"].as_str()) && clauses.contains(&"QC/yen_rounding"), "{clauses:?}");
    }
    for row in rows(&bench.read("out/conditions.csv")) {
        let (maker, issue, condition) = (&row["market_maker"], &row["issue"], &row["condition"]);
        let found = ask(&["--market-maker", maker, "--issue", issue, "--obligation", condition]);
        let why = &found["why"][0];
        assert_eq!(why["amount_jpy"].to_string(), row["amount_jpy"], "{row:?}");
        assert_eq!(figure(why, "place"), row["place"], "{row:?}");
        let days: f64 = why["days"].as_array().unwrap().iter().map(|day| day["basis"].as_f64().unwrap()).sum();
        assert_eq!(days.to_string(), row["executed_quantity"], "{row:?}");
        // A matching fund rests on clauses of its own, and a sponsored condition on none of those.
        let steps = why["steps"].as_array().unwrap().iter();
        let clauses: Vec<&str> = steps.map(|step| step["clause"].as_str().unwrap()).collect();
        let (own, other) =
            if condition.starts_with("matching:") { ("matching", "sponsored") } else { ("sponsored", "matching") };
        assert!(clauses.contains(&format!("ST1/{own}-priority").as_str()), "{clauses:?}");
        assert!(!clauses.iter().any(|clause| clause.starts_with(&format!("ST1/{other}"))), "{clauses:?}");
    }
    // People read the same.
    let asked = ["--why", "--market-maker", "MM1", "--issue", "1304", "--incentive", "value_others"];
    let text = stdout(&report(&bench, &asked));
    assert!(text.contains("2024-04: value_others of MM1 in 1304 through P11: JPY 200\n"), "{text}");
    assert!(text.contains("2024-04: value_others of MM1 in 1304 through P12: JPY 308\n"), "{text}");
    assert!(text.contains("308.625") && text.contains("ST1/tier-review") && text.contains("rounded down"), "{text}");
    // A group without an issue named: each of its issues. A market maker without an amount: the step that ended it.
    let text = stdout(&report(&bench, &["--why", "--market-maker", "MM1", "--obligation", "sponsored:GROUP"]));
    assert!(
        text.contains("in 1304 through P12: JPY 200000") && text.contains("in 1305 through P11: JPY 200000"),
        "{text}"
    );
    let asked = ["--why", "--market-maker", "MM3", "--issue", "1304", "--incentive", "value_others"];
    let text = stdout(&report(&bench, &asked));
    assert!(text.contains("no amount") && text.contains("at least 5 are required: no incentive of any kind"), "{text}");
    let text = stdout(&report(&bench, &["--why", "--market-maker", "MM1", "--incentive", "server_waiver"]));
    assert!(text.contains("server_waiver of MM1 through P11: JPY 0"), "{text}");
    for bad in [
        &["--why"][..],
        &["--why", "--market-maker", "MM1"],
        &["--why", "--market-maker", "MM1", "--incentive", "value_others"],
        &["--why", "--market-maker", "MM1", "--issue", "1304", "--incentive", "bonus"],
        &["--why", "--market-maker", "MM1", "--obligation", "general"],
        &["--why", "--market-maker", "MM1", "--market-maker", "MM2", "--incentive", "server_waiver"],
        &["--incentive", "server_waiver"],
    ] {
        assert_eq!(bench.run(&[&REPORT, bad].concat()).status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn another_program_reads_in_the_spreadsheet_what_the_csv_says() {
    let bench = worked();
    // A name that a spreadsheet would take for a formula, and one for a page's markup.
    for name in ["market_makers.csv", "virtual_servers.csv", "signups.csv"] {
        let text = bench.read(&format!("registry/{name}")).replace("MM2", "=1+1").replace("MM3", "<b>&\"3");
        let text = text.replace("<b>&\"3", "\"<b>&\"\"3\"");
        bench.write(&format!("registry/{name}"), text.as_bytes());
    }
    assert!(replay(&bench).status.success());
    report(&bench, &["--out", "out"]);
    let out = bench.path("out");
    let mut count = 0;
    for path in files(&out).into_keys().filter(|path| path.extension().is_some_and(|of| of == "xlsx")) {
        for (name, cells) in sheets(&out.join(&path)) {
            let csv = fs::read_to_string(out.join(&path).with_file_name(format!("{name}.csv"))).unwrap();
            let mut reader = csv_rows(&csv);
            assert_eq!(reader.len(), cells.len(), "{} {name}", path.display());
            for (line, row) in cells.iter().enumerate() {
                for (column, cell) in row.iter().enumerate() {
                    let expected = std::mem::take(&mut reader[line][column]);
                    let found = match cell {
                        Data::Float(number) => number.to_string(),
                        Data::Int(number) => number.to_string(),
                        Data::String(text) => text.clone(),
                        Data::Empty => String::new(),
                        other => panic!("{other:?}"),
                    };
                    let text = expected.strip_prefix('\'').unwrap_or(&expected);
                    let same = found == text || (text.contains('.') && found.parse::<f64>() == text.parse::<f64>());
                    assert!(same, "{} {name} {line}: {found:?}, {text:?}", path.display());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 2_000, "{count} cells");
    assert!(
        sheets(&out.join("ta-1/AM1/ta-1.xlsx"))["month"].iter().any(|row| row[0] == Data::String("=1+1".to_owned()))
    );
    assert!(bench.read("out/ta-1/AM1/month.csv").contains("\n'=1+1,"));
    assert!(bench.read("out/monthly.csv").contains(",=1+1,"), "what machines read is as it is");
    let page = bench.read("out/ta-1/AM1/ta-1.html");
    assert!(!page.contains("<b>&\"3") && page.contains("&#60;b&#62;"), "names are escaped");
}

/// The cells of a CSV file.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    rows
}

/// What a page tells of anybody: not its style, its drawings' coordinates, nor the hashes of inputs in the end.
fn told_by(page: &str) -> String {
    let mut text = page.split("<footer>").next().unwrap().to_owned();
    for (start, end) in [("<style>", "</style>"), ("<svg", "</svg>")] {
        while let Some(from) = text.find(start) {
            let to = from + text[from..].find(end).unwrap() + end.len();
            text.replace_range(from..to, " ");
        }
    }
    text.replace(',', "")
}

/// Words and numbers of a text: what a party's name, code or figure would be.
fn tokens(text: &str) -> BTreeSet<String> {
    let parts = text.split(|letter: char| !(letter.is_alphanumeric() || "._-".contains(letter)));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

// clause: ST1/performance-report, ST1/asset-manager-report
#[test]
fn no_folder_holds_another_partys_name_code_or_figures() {
    let bench = worked();
    report(&bench, &["--out", "out"]);
    let out = bench.path("out");
    // Every figure of the exchange's own files that stands in lines of one market maker only, or of one issue only.
    let mut of_maker: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut of_issue: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // What incentives pay, which is between the exchange and the market maker; and what an asset manager may see.
    let (mut paid, mut shown): (BTreeSet<String>, BTreeSet<String>) = Default::default();
    for name in ["monthly.csv", "incentives.csv", "conditions.csv", "payments.csv"] {
        for row in rows(&bench.read(&format!("out/{name}"))) {
            for (column, figure) in &row {
                let is_figure = ["_us", "_jpy", "_pct", "basis", "_quantity"].iter().any(|end| column.ends_with(end));
                // Counts of a few, nothing and all are nobody's own.
                if !is_figure || figure.len() < 4 || ["0.0000", "100.0000"].contains(&figure.as_str()) {
                    continue;
                }
                of_maker.entry(figure.clone()).or_default().insert(row["market_maker"].clone());
                let issue = row.get("issue").cloned().unwrap_or_default();
                of_issue.entry(figure.clone()).or_default().insert(issue);
                let is_paid = name == "incentives.csv" || name == "payments.csv";
                if is_paid { &mut paid } else { &mut shown }.insert(figure.clone());
            }
        }
    }
    let names = [("MM1", "First"), ("MM2", "Second"), ("MM3", "Third")];
    let participants = [("P11", "MM1"), ("P12", "MM1"), ("P21", "MM2"), ("P31", "MM3")];
    let managed = |manager: &str, issue: &str| {
        let issues = rows(&bench.read("registry/issues.csv"));
        issues.iter().any(|row| row["issue"] == issue && row["asset_manager"] == manager)
    };
    let (mut searched, mut sought) = (0, 0);
    for (path, bytes) in files(&out) {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let Some(own) = parts.get(1).filter(|_| parts[0] != "report.txt" && parts.len() > 2) else { continue };
        let text = if path.extension().is_some_and(|of| of == "xlsx") {
            let cells = sheets(&out.join(&path)).into_values().flatten().flatten();
            cells.map(|cell| format!("{cell} ")).collect()
        } else {
            let text = String::from_utf8(bytes).unwrap();
            if path.extension().is_some_and(|of| of == "html") { told_by(&text) } else { text }
        };
        let found = tokens(&text);
        let mut others: BTreeSet<String> = BTreeSet::new();
        match parts[0] {
            "tm-2" | "tm-2-participant" => {
                let maker = if parts[0] == "tm-2" { *own } else { parts[2] };
                for (code, word) in names.iter().filter(|(code, _)| *code != maker) {
                    others.extend([(*code).to_owned(), (*word).to_owned()]);
                }
                let foreign = |(code, of): &&(&str, &str)| if parts[0] == "tm-2" { *of != maker } else { code != own };
                others.extend(participants.iter().filter(foreign).map(|(code, _)| (*code).to_owned()));
                let is_foreign = |makers: &BTreeSet<String>| !makers.contains(maker);
                others
                    .extend(of_maker.iter().filter(|(_, makers)| is_foreign(makers)).map(|(figure, _)| figure.clone()));
                others.extend(["AM1", "AM2"].map(str::to_owned));
            }
            "ta-1" => {
                let other = if *own == "AM1" { "AM2" } else { "AM1" };
                others.insert(other.to_owned());
                let is_foreign = |issues: &BTreeSet<String>| !issues.iter().any(|issue| managed(own, issue));
                others
                    .extend(of_issue.iter().filter(|(_, issues)| is_foreign(issues)).map(|(figure, _)| figure.clone()));
                let issues = rows(&bench.read("registry/issues.csv"));
                let foreign = issues.iter().filter(|row| row["asset_manager"] != **own);
                others.extend(foreign.map(|row| row["issue"].clone()));
                others.extend(paid.difference(&shown).cloned());
                others.extend(participants.iter().map(|(code, _)| (*code).to_owned()));
            }
            _ => continue,
        }
        // What is its own, too, is no secret: a share of 100 %, a total of its own condition.
        searched += 1;
        sought += others.len();
        let leaked: Vec<&String> = others.intersection(&found).collect();
        assert!(leaked.is_empty(), "{}: {leaked:?}", path.display());
    }
    assert!(searched >= 60 && sought > 1_000, "{searched} files, {sought} names and figures");
}

// clause: ST1/quote-display-time
#[test]
fn what_rests_on_a_status_that_unknown_time_could_turn_is_named() {
    for (clock, is_doubtful) in [("09:48:00", false), ("09:47:59.999999", true)] {
        let bench = Bench::new();
        let scheme = bench.read("registry/scheme.toml") + "[incentives]\netfs_required = 1\n";
        bench.write("registry/scheme.toml", scheme.as_bytes());
        bench.write(
            "registry/sponsored.csv",
            b"condition,issue,max_spread_bps,min_value_jpy,coverage_pct,asset_manager,total_jpy\nS,1306,100,300,80,AM,100000\n",
        );
        // From the last record before a gap in the sequence on everything is unknown: of an hour 48 minutes are 80 %.
        let last = format!("{clock},1321,add,3,,VS1,B,1000,10,,");
        let day = support::day_text(
            "2024-03-01",
            &[support::GOOD[0], support::GOOD[1], &last, "09:59:00,1321,cancel,3,,,,,,,"],
        );
        let day = day.replace("09:00:01+", "09:00:00+").replace("\n4,", "\n9,");
        bench.write("day.csv", day.as_bytes());
        bench.run(&["replay", "--registry", "registry", "--db", "market.db", "--lenient", "day.csv"]);
        let ask = |more: &[&str]| {
            bench
                .run(&[&["report", "--registry", "registry", "--db", "market.db", "--month", "2024-03"], more].concat())
        };
        let text = stdout(&ask(&[])).replace("\n  ", " ");
        let document: serde_json::Value = serde_json::from_slice(&ask(&["--json"]).stdout).unwrap();
        let named: Vec<&str> =
            document["rests_on_doubt"].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
        let expected = [
            "whether MM1 meets the number of ETFs (0 to 1)",
            "the incentives of MM1 in 1306",
            "the payments of sponsored:S in 1306",
        ];
        assert_eq!(named, if is_doubtful { &expected[..] } else { &[] }, "{clock}");
        assert_eq!(
            text.contains(&format!("since they rest on such a status: {}", expected.join(", "))),
            is_doubtful,
            "{text}"
        );
        let asked = ["--why", "--market-maker", "MM1", "--obligation", "sponsored:S"];
        assert_eq!(stdout(&ask(&asked)).contains("NOT CERTAIN"), is_doubtful, "{clock}");
    }
}
