//! A month worked out by hand, and the papers that go out for it: every yen, why it is paid, whose eyes it is for, closing,
//! spreadsheets as another program reads them, and pages as a browser shows them.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use calamine::{Data, Reader, Xlsx, open_workbook};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::{Bench, stderr, stdout};

const REPORT: [&str; 7] = ["report", "--registry", "registry", "--db", "market.db", "--month", "2024-04"];

/// The worked month, copied so that its registry may be changed, and replayed into `market.db`.
fn worked() -> Bench {
    let bench = Bench::new();
    let month = support::repository("replay-data/payments");
    fs::remove_dir_all(bench.path("registry")).unwrap();
    fs::create_dir(bench.path("registry")).unwrap();
    for entry in fs::read_dir(month.join("registry")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, bench.path("registry").join(path.file_name().unwrap())).unwrap();
    }
    assert!(replay(&bench).status.success());
    bench
}

fn replay(bench: &Bench) -> Output {
    let month = support::repository("replay-data/payments").canonicalize().unwrap();
    let mut days: Vec<PathBuf> = fs::read_dir(month).unwrap().map(|entry| entry.unwrap().path()).collect();
    days.retain(|path| support::is_day(path));
    days.sort();
    let mut command = bench.command(&["replay", "--registry", "registry", "--db", "market.db"]);
    command.args(days).output().unwrap()
}

fn report(bench: &Bench, more: &[&str]) -> Output {
    let output = bench.run(&[&REPORT, more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output
}

/// Every file below a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The lines of a CSV file, by column.
fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = columns.iter().zip(line.split(','));
        cells.map(|(column, cell)| ((*column).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).collect()
}

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

// clause: ST1/performance-report
#[test]
fn a_report_that_has_gone_out_says_so_and_a_later_one_what_it_supersedes_and_changes() {
    let bench = worked();
    let page = |bench: &Bench| bench.read("out/tm-2/MM1/tm-2.html");
    report(&bench, &["--out", "out"]);
    assert!(!page(&bench).contains("one out") && !bench.read("out/report.txt").contains("one out"));
    assert_eq!(bench.run(&[&REPORT[..], &["--close"]].concat()).status.code(), Some(2), "it goes out as files");
    report(&bench, &["--out", "out", "--close"]);
    let line = |text: &str| {
        let start = text.find("Gone out: ").or_else(|| text.find("NOT GONE OUT")).expect("it says how it stands");
        text[start..].split(['<', '\n']).next().unwrap().to_owned()
    };
    let first = line(&bench.read("out/report.txt"));
    assert!(first.starts_with("Gone out: revision 1 of 20") && first.contains("(report "), "{first}");
    assert_eq!(line(&page(&bench)), first, "every paper says it");
    assert_eq!(line(&bench.read("out/ta-1/AM1/ta-1.html")), first);
    // Asked again, closed again: nothing has changed, down to the bytes.
    let as_closed = files(&bench.path("out"));
    report(&bench, &["--out", "out"]);
    assert!(files(&bench.path("out")) == as_closed);
    report(&bench, &["--out", "out", "--close"]);
    assert!(files(&bench.path("out")) == as_closed);
    let document: serde_json::Value = serde_json::from_slice(&report(&bench, &["--json"]).stdout).unwrap();
    assert_eq!((&document["gone_out"]["revision"], document["changes"].as_array().unwrap().len()), (&1.into(), 0));
    // A replay of the month says that its report has gone out.
    let replayed = stderr(&replay(&bench));
    assert!(replayed.contains("the report of 2024-04 has gone out (revision 1 of 20"), "{replayed}");
    assert!(!replayed.contains("the report of 2024-01"), "{replayed}");
    // The share of one condition is changed: what that changes stands in the report, and in the papers of those it concerns.
    let sponsored = bench.read("registry/sponsored.csv").replace("300001,proportional", "300004,proportional");
    bench.write("registry/sponsored.csv", sponsored.as_bytes());
    report(&bench, &["--out", "out"]);
    let text = bench.read("out/report.txt");
    assert!(line(&text).starts_with("NOT GONE OUT: it says otherwise than revision 1 of 20"), "{text}");
    for changed in ["conditions.csv", "sponsored:SHARES 1306 MM1", "200000", "200002"] {
        assert!(text.contains(changed), "{changed}: {text}");
    }
    let own = bench.read("out/tm-2/MM1/changes.csv");
    assert!(own.contains("sponsored:SHARES 1306 MM1,amount_jpy,200000,200002\n"), "{own}");
    assert!(!own.contains("MM2"), "{own}");
    assert!(bench.read("out/tm-2/MM2/changes.csv").contains("1306 MM2,amount_jpy,100000,100001\n"));
    assert_eq!(bench.read("out/tm-2/MM3/changes.csv"), "table,line,column,before,now\n");
    assert!(page(&bench).contains("What it says otherwise than the revision that it supersedes"));
    report(&bench, &["--out", "out", "--close"]);
    let second = line(&bench.read("out/report.txt"));
    assert!(
        second.starts_with("Gone out: revision 2 of 20") && second.contains("it supersedes revision 1 of"),
        "{second}"
    );
    let replayed = stderr(&replay(&bench));
    assert!(replayed.contains("has gone out (revision 2 of 20"), "{replayed}");
}

/// What a spreadsheet's sheets say, as another program reads them.
fn sheets(path: &Path) -> BTreeMap<String, Vec<Vec<Data>>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    let names = book.sheet_names();
    let sheet = |name: String| {
        let formulas = book.worksheet_formula(&name).unwrap();
        assert!(formulas.used_cells().next().is_none(), "{}: no cell is a formula", path.display());
        let cells = book.worksheet_range(&name).unwrap().rows().map(<[Data]>::to_vec).collect();
        (name, cells)
    };
    names.into_iter().map(sheet).collect()
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

/// The browser, where there is one.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        let note = "skipped: no chromium, chromium-browser or google-chrome to open the pages in\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes());
    }
    found
}

#[test]
fn a_browser_shows_and_prints_the_pages() {
    let Some(browser) = chromium() else { return };
    let bench = worked();
    report(&bench, &["--out", "out", "--html", "month.html"]);
    let run = |page: &Path, more: &[&str]| {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(more)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    for (name, seen) in [
        ("out/tm-2/MM1/tm-2.html", "TM-2 Market Maker Report, 2024-04: MM1"),
        ("out/ta-1/AM2/ta-1.html", "TA-1 Report by ETF, 2024-04: AM2"),
        ("month.html", "2024-04: quote display time"),
    ] {
        let page = bench.path(name).canonicalize().unwrap();
        let source = fs::read_to_string(&page).unwrap();
        assert!(!source.contains("http://") && !source.contains("https://") && !source.contains("<script"), "{name}");
        // Wide tables scroll inside: no page is wider than the window. The copy has a script to measure that with.
        let measured = bench.path("measured.html");
        let source = source.replace("default-src 'none'; ", "");
        let script = "<script>document.title = `${document.documentElement.scrollWidth} of ${innerWidth}`</script>";
        fs::write(&measured, source.replace("</body>", &format!("{script}</body>"))).unwrap();
        for width in [1400, 500] {
            let dom = stdout(&run(&measured, &["--dump-dom", &format!("--window-size={width},900")]));
            assert!(dom.contains(seen), "{name}");
            let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            let (inside, window) = title.split_once(" of ").unwrap();
            let (inside, window): (u32, u32) = (inside.parse().unwrap(), window.parse().unwrap());
            assert!(inside <= window, "{name} at {width}: {title}");
        }
        let pdf = bench.path("page.pdf");
        run(&page, &["--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display())]);
        let printed = fs::read(&pdf).unwrap();
        let text = String::from_utf8_lossy(&printed);
        // A4 is 595 by 842 points.
        assert!(
            text.contains("/MediaBox [0 0 594.95996 841.91998]") || text.contains("/MediaBox [0 0 595 842]"),
            "{name}"
        );
        let picture = bench.path("page.png");
        run(&page, &["--window-size=1400,900", &format!("--screenshot={}", picture.display())]);
        assert!(fs::metadata(&picture).unwrap().len() > 20_000, "{name}: an empty picture");
    }
}

// clause: ST1/asset-manager-report, ST1/designation
#[test]
fn consent_and_designations_are_as_applications_have_them() {
    let bench = worked();
    report(&bench, &["--out", "out"]);
    assert!(bench.path("out/ta-1/AM2").exists() && !bench.path("out/tm-1").exists());
    assert!(bench.read("out/report.txt").contains("consent is not on record (no applications.csv)"));
    bench.write(
        "registry/applications.csv",
        b"form,party,received,effective,issue,condition,document\nAT-1,AM1,2024-03-01,2024-04-01,,,\n\
          AT-2,AM1,2024-03-01,2024-04-01,,,\nAT-1,AM2,2024-03-01,2024-04-01,,,\nMT-1,MM1,2024-03-01,2024-04-01,,,letter 7\n\
          MT-1,MM2,2024-03-01,2024-05-01,,,\nMT-4,MM3,2024-03-01,2024-04-30,,,\n",
    );
    report(&bench, &["--out", "out"]);
    let folders = |name: &str| -> Vec<String> {
        let entries = fs::read_dir(bench.path("out").join(name)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(folders("ta-1"), ["AM1"], "AM2 has no AT-2, and its folder of the earlier run is gone");
    let text = bench.read("out/report.txt");
    assert!(text.contains("TA-1 is not written for AM2: ") && !text.contains("consent is not on record"), "{text}");
    assert_eq!((folders("tm-1"), folders("tm-3")), (vec!["MM1".to_owned()], vec!["MM3".to_owned()]), "of this month");
    // What it has not asked for it is not told of.
    let applications = bench.read("registry/applications.csv");
    let of_one = applications.replace("AT-2,AM1,2024-03-01,2024-04-01,,,", "AT-2,AM1,2024-03-01,2024-04-01,1301,,");
    bench.write("registry/applications.csv", of_one.as_bytes());
    report(&bench, &["--out", "one"]);
    let others: Vec<String> = fs::read_dir(bench.path("one/ta-1/AM1"))
        .unwrap()
        .map(|entry| String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned())
        .collect();
    assert!(others.iter().any(|text| text.contains("1301")));
    for issue in ["1302", "1304", "1305"] {
        assert!(
            !others.iter().any(|text| text.contains(&format!(",{issue},")) || text.contains(&format!(">{issue}<"))),
            "{issue}"
        );
    }
    let text = bench.read("one/report.txt");
    assert!(text.contains("TA-1 is not written for AM2: "), "{text}");
    let notice = bench.read("out/tm-1/MM1/tm-1-2024-04-01.html");
    assert!(
        notice.contains("MM1 (First Made-up Firm) is designated as an ETF market maker from 2024-04-01"),
        "{notice}"
    );
    assert!(
        notice.contains("P11, P12") && notice.contains("letter 7") && notice.contains("--ink: #1c1f23"),
        "{notice}"
    );
    let notice = bench.read("out/tm-3/MM3/tm-3-2024-04-30.html");
    assert!(notice.contains("is no ETF market maker any more from 2024-04-30"), "{notice}");
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
