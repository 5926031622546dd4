//! A live session of the last day of a generated month, the days before it in the store, seen by three roles in a real browser:
//! what is shown is what `status`, `explain` and `daily.csv` say of the same records.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use support::chromium::Chromium;
use support::desk::{Desk, enter};
use support::{Bench, stderr, stdout};

const LAST: &str = "2024-03-29";
/// Up to here the last day has come.
const CLOCK: &str = "13:17:00";

/// Where a market maker, an issue and an obligation have come to.
type Rows = BTreeMap<[String; 3], Value>;

/// The records of the last day so far, and the time of the last of them.
fn so_far(bench: &Bench) -> (String, String) {
    let all = bench.read(&format!("{LAST}.csv"));
    let end = format!("{LAST}T{CLOCK}");
    let (head, records) = all.split_once('\n').unwrap();
    let time = |record: &str| record.split(',').nth(place(head, "time")).unwrap().to_owned();
    let records: Vec<&str> = records.lines().take_while(|record| time(record) < end).collect();
    let last = time(records[records.len() - 1]);
    (format!("{head}\n{}\n", records.join("\n")), last)
}

fn place(head: &str, name: &str) -> usize {
    head.split(',').position(|column| column == name).unwrap()
}

/// What stands in a column of a small file without quotes.
fn column(text: &str, name: &str) -> Vec<String> {
    let (head, rows) = text.split_once('\n').unwrap();
    rows.lines().map(|row| row.split(',').nth(place(head, name)).unwrap().to_owned()).collect()
}

/// A month with all days but the last in `market.db`, and with the last so far in `replayed.db`, too; the records of the last, and
/// up to when they go.
fn month() -> (Bench, String, String) {
    let bench = Bench::new();
    std::fs::remove_dir_all(bench.path("registry")).unwrap();
    let size = ["--issues", "48", "--market-makers", "8", "--events", "40k"];
    let generate = ["generate", "--month", "2024-03", "--holiday", "2024-03-20", "--form", "csv", "--out", "."];
    let generated = bench.run(&[&generate[..], &size].concat());
    assert!(generated.status.success(), "{}", stderr(&generated));
    bench.write("registry/holidays.csv", b"date,name\n2024-03-20,Vernal Equinox Day\n");
    let before: Vec<String> =
        bench.names().into_iter().filter(|name| name.ends_with(".csv") && !name.starts_with(LAST)).collect();
    assert_eq!(before.len(), 19, "{before:?}");
    let replay = ["replay", "--quiet", "--registry", "registry", "--db", "market.db"];
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let replayed = bench.run(&[&replay[..], &before].concat());
    assert!(replayed.status.success(), "{}", stderr(&replayed));
    std::fs::copy(bench.path("market.db"), bench.path("replayed.db")).unwrap();
    let (records, last) = so_far(&bench);
    bench.write("part.csv", records.as_bytes());
    let replay =
        ["replay", "--quiet", "--registry", "registry", "--db", "replayed.db", "--out", "out", "--until", &last];
    let replayed = bench.run(&[&replay[..], &["part.csv"]].concat());
    assert!(replayed.status.success(), "{}", stderr(&replayed));
    (bench, records, last)
}

/// What `status` says of each obligation.
fn status(bench: &Bench) -> Rows {
    let arguments =
        ["status", "--registry", "registry", "--db", "replayed.db", "--month", "2024-03", "--json", "--all"];
    let output = bench.run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let key = |row: &Value| ["market_maker", "issue", "obligation"].map(|name| row[name].as_str().unwrap().to_owned());
    document["status"].as_array().unwrap().iter().map(|row| (key(row), row.clone())).collect()
}

/// Whether nothing of the page is beyond the window, no text is cut, and nothing lies on anything else.
fn is_in_order(browser: &mut Chromium, what: &str) {
    let faults = browser.evaluate(
        "(() => {
            const faults = [];
            if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than the window');
            const view = document.getElementById('view');
            if (view.open && view.scrollWidth > view.clientWidth + 1) faults.push('the view is wider than itself');
            for (const cell of document.querySelectorAll('#grid td, dialog td')) if (cell.clientWidth + 1 < cell.scrollWidth) faults.push('cut: ' + cell.textContent);
            for (const parent of document.querySelectorAll('header, header dl, #filters, .legend, .figures, .sides')) {
                const boxes = [...parent.children].map((child) => [child, child.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
                boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
                    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left), down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                    if (across > 1 && down > 1) faults.push(`${one.textContent.slice(0, 20)} on ${other.textContent.slice(0, 20)}`);
                }));
            }
            return faults.slice(0, 5).join('; ');
        })()",
    );
    assert_eq!(faults, "", "{what}");
}

/// Text and label of each cell, by issue and market maker.
fn cells(browser: &mut Chromium) -> BTreeMap<String, [String; 4]> {
    let cells = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#grid td[data-key]')].map((cell) => [cell.dataset.key.replace('\\n', ' '),
            [cell.className.split(' ')[0], cell.querySelector('.today').textContent, cell.querySelector('.month').textContent, cell.getAttribute('aria-label')]]))",
    );
    serde_json::from_value(cells).unwrap()
}

/// A percentage as a cell shows it: two of four decimals.
fn cut(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text[..text.len() - 2].to_owned() }
}

fn four_decimals(value: &Value) -> String {
    value.as_f64().map_or_else(String::new, |percent| format!("{percent:.4}"))
}

#[test]
fn the_last_day_of_a_generated_month_is_shown_as_files_have_it() {
    let Some(mut browser) = Chromium::start() else { return };
    let (bench, records, last) = month();
    let status = status(&bench);
    let (makers, managers) = (
        column(&bench.read("registry/market_makers.csv"), "market_maker"),
        column(&bench.read("registry/issues.csv"), "asset_manager"),
    );
    let codes = column(&bench.read("registry/issues.csv"), "issue");
    let manager_of: BTreeMap<&String, &String> = codes.iter().zip(&managers).collect();
    let roles = [("exchange", ""), ("market_maker", &makers[0]), ("asset_manager", &managers[0])];
    let mut desk = Desk::start_with(bench, LAST, &roles, &[]);
    desk.feed(&records);
    desk.wait("all records", |desk| desk.get("/api/v1/state", 0).json()["as_of"] == last.as_str());
    let daily = desk.bench.read("out/daily.csv");
    assert_eq!(desk.get(&format!("/api/v1/days/{LAST}/daily.csv"), 0).body, daily);
    let breaches = desk.bench.read("out/breaches.csv");
    assert_eq!(desk.get(&format!("/api/v1/days/{LAST}/breaches.csv"), 0).body, breaches);
    let today: BTreeMap<[String; 3], String> = daily
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|fields| ([fields[1].clone(), fields[2].clone(), fields[3].clone()], fields[7].clone()))
        .collect();
    let mut seen_by = Vec::new();
    for (role, (name, party)) in roles.iter().enumerate() {
        for (width, height, dark) in [(1400, 900, false), (1400, 900, true), (390, 844, false), (390, 844, true)] {
            browser.look(width, height, dark);
            enter(&mut browser, &desk, role);
            let what = format!("month-{name}-{width}-{}", if dark { "dark" } else { "light" });
            is_in_order(&mut browser, &what);
            assert!(10_000 < browser.picture(&what), "{what}");
            // The first that is off, in depth.
            browser.evaluate(
                "(document.querySelector('#grid td.breach') || document.querySelector('#grid td[data-key]')).click()",
            );
            browser.wait("document.querySelectorAll('#view-body section').length > 0");
            is_in_order(&mut browser, &format!("{what}-issue"));
            assert!(10_000 < browser.picture(&format!("{what}-issue")), "{what}");
            browser.evaluate("document.querySelector('#view .figures:last-of-type, #view table').scrollIntoView()");
            browser.picture(&format!("{what}-issue-below"));
        }
        // Every cell is of an obligation that the role may see, and says what `daily.csv` and `status` say of it.
        let shown = cells(&mut browser);
        let own: BTreeSet<String> = today
            .keys()
            .filter(|[maker, issue, _]| match *name {
                "market_maker" => maker == party,
                "asset_manager" => manager_of[issue] == party,
                _ => true,
            })
            .map(|[maker, issue, _]| format!("{issue} {maker}"))
            .collect();
        assert_eq!(shown.keys().cloned().collect::<BTreeSet<_>>(), own, "{name}");
        for (key, [_, of_day, of_month, label]) in &shown {
            let (issue, maker) = key.split_once(' ').unwrap();
            let of = [maker.to_owned(), issue.to_owned(), "general".to_owned()];
            assert_eq!(*of_day, cut(&today[&of]), "{key}");
            assert_eq!(*of_month, cut(&four_decimals(&status[&of]["display_pct"])), "{key}");
            assert!(label.starts_with(&format!("{maker} {issue}: general ")), "{label}");
        }
        seen_by.push(own);
    }
    assert!(seen_by[1].len() < seen_by[0].len() && seen_by[2].len() < seen_by[0].len() && !seen_by[1].is_empty());
    assert_eq!(browser.complaints, Vec::<String>::new());
    in_depth(&mut browser, &desk, &status, &last);
    filters_and_keys(&mut browser, &desk, &status);
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// The view of some obligations beside `status` and `explain` of the same instant.
fn in_depth(browser: &mut Chromium, desk: &Desk, status: &Rows, last: &str) {
    browser.look(1400, 900, false);
    enter(browser, desk, 0);
    let off = "[...document.querySelectorAll('#grid td[data-key]')].map((cell) => [cell.className.split(' ')[0], cell.dataset.key])";
    let all: Vec<(String, String)> = serde_json::from_value(browser.evaluate(off)).unwrap();
    let of = |word: &str, count: usize| -> Vec<String> {
        all.iter().filter(|(state, _)| state == word).map(|(_, key)| key.clone()).take(count).collect()
    };
    let chosen = [of("breach", 3), of("fulfilled", 3)].concat();
    assert!(chosen.len() == 6, "{all:?}");
    for key in chosen {
        let (issue, maker) = key.split_once('\n').unwrap();
        let explain = ["explain", "--registry", "registry", "--market-maker", maker, "--issue", issue];
        let explained = desk.bench.run(&[&explain[..], &["--at", last, "--json", "part.csv"]].concat());
        assert!(explained.status.success(), "{}", stderr(&explained));
        let explained: Value = serde_json::from_str(&stdout(&explained)).unwrap();
        let scene = &explained["moment"]["scene"];
        browser.evaluate(&format!(
            "[...document.querySelectorAll('td[data-key]')].find((cell) => cell.dataset.key === {}).click()",
            Value::from(key.clone())
        ));
        browser.wait("document.querySelectorAll('#view-body section[aria-label=general]').length > 0");
        let text = browser.evaluate("document.querySelector('#view-body section[aria-label=general]').innerText");
        let text = text.as_str().unwrap().replace(',', "");
        let of_month = &status[&[maker.to_owned(), issue.to_owned(), "general".to_owned()]];
        let mut expected = vec![format!("{} %; required", four_decimals(&of_month["display_pct"]))];
        if !scene["spread"].is_null() {
            expected.push(format!("{} ticks", scene["spread"]["ticks"]));
            expected.push(format!("{} bps", scene["spread"]["bps"]));
        }
        for side in ["bid", "offer"] {
            let levels = scene[side]["levels"].as_array().unwrap();
            expected.extend(levels.iter().flat_map(|level| ["price", "shares"].map(|name| level[name].to_string())));
            if !scene[side]["obligation_price"].is_null() {
                expected.push(format!("obligation price {}", scene[side]["obligation_price"]));
            }
        }
        if let Some(reason) = explained["moment"]["reason"].as_str() {
            let words = [("no_bid", "no bid"), ("no_offer", "no offer"), ("bid_size", "bid too small")];
            let words = words.iter().chain(&[("offer_size", "offer too small"), ("spread", "too wide")]);
            expected.extend(words.filter(|(code, _)| reason.contains(code)).map(|(_, word)| (*word).to_owned()));
        }
        if let Some(span) = of_month["may_be_off_us"].as_u64() {
            let seconds = span / 1_000_000;
            expected.push(format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
        }
        expected.push(of_month["outlook"].as_str().unwrap().replace('_', " "));
        for part in expected {
            assert!(text.contains(&part), "{key:?}: {part} in {text}");
        }
        browser.press("Escape");
        browser.wait("!document.getElementById('view').open");
    }
    // What outages began and ended with is told when it is asked for, as `explain` tells it.
    browser.evaluate("document.querySelector('#grid td.breach').click()");
    browser.wait("document.querySelectorAll('#view-body button[data-hold^=causes]').length > 0");
    browser.evaluate("document.querySelector('#view-body button[data-hold^=causes]').focus()");
    browser.press("Enter");
    browser.wait("[...document.querySelectorAll('#view-body td.words')].some((cell) => /^#[0-9]+ (add|replace|reduce|cancel|trade|phase)/.test(cell.textContent))");
    // The refresh meanwhile leaves the focus where it is.
    browser.wait(
        "document.activeElement.dataset.hold !== undefined && document.activeElement.dataset.hold.startsWith('causes')",
    );
    is_in_order(browser, "causes");
    browser.evaluate("document.activeElement.scrollIntoView({ block: 'end' })");
    browser.picture("month-exchange-causes-light-1400");
    browser.press("Escape");
    browser.wait("!document.getElementById('view').open");
}

/// The filters, and the whole way by keyboard; what a screen reader is told.
fn filters_and_keys(browser: &mut Chromium, desk: &Desk, status: &Rows) {
    browser.look(1400, 900, false);
    enter(browser, desk, 0);
    let visible = "[...document.querySelectorAll('#grid td[data-key]')].filter((cell) => cell.querySelector('.today').checkVisibility({ visibilityProperty: true })).map((cell) => cell.dataset.key.replace('\\n', ' ')).sort().join()";
    let at_risk: BTreeSet<String> = status
        .iter()
        .filter(|(_, row)| matches!(row["outlook"].as_str(), Some("at_risk" | "lost")))
        .map(|([maker, issue, _], _)| format!("{issue} {maker}"))
        .collect();
    assert!(!at_risk.is_empty());
    browser.evaluate("document.getElementById('at-risk').focus()");
    browser.press(" ");
    assert_eq!(browser.evaluate(visible), at_risk.into_iter().collect::<Vec<_>>().join(","));
    browser.picture("month-exchange-at-risk-light-1400");
    browser.press(" ");
    // From the top of the page by Tab alone: to the grid, and there one cell is a stop.
    browser.evaluate("document.querySelector('.skip').focus()");
    let mut stops = Vec::new();
    let active = "(() => { const at = document.activeElement; return at.id || (at.dataset.key ? 'cell' : at.tagName.toLowerCase()); })()";
    for _ in 0..20 {
        browser.press("Tab");
        let stop = browser.evaluate(active).as_str().unwrap().to_owned();
        stops.push(stop.clone());
        if stop == "cell" {
            break;
        }
    }
    for stop in ["leave", "by-maker", "by-type", "by-state", "by-issue", "at-risk", "cell"] {
        assert!(stops.iter().any(|seen| seen == stop), "{stop} among {stops:?}");
    }
    let key =
        |browser: &mut Chromium| browser.evaluate("document.activeElement.dataset.key").as_str().unwrap().to_owned();
    browser.press("Home");
    let first = key(browser);
    browser.press("End");
    let end = key(browser);
    assert!(first != end && first.split('\n').next() == end.split('\n').next(), "{first} {end}");
    browser.press("Home");
    assert_eq!(key(browser), first);
    browser.press("PageDown");
    assert_ne!(key(browser).split('\n').next(), first.split('\n').next());
    browser.press("PageUp");
    let opened = key(browser);
    browser.press("Enter");
    browser.wait("document.querySelectorAll('#view-body section').length > 0");
    // In the view Tab stays in it.
    for _ in 0..12 {
        browser.press("Tab");
        let inside = "document.activeElement === document.body || document.getElementById('view').contains(document.activeElement)";
        assert_eq!(browser.evaluate(inside), Value::Bool(true));
    }
    let tree = browser.call("Accessibility.getFullAXTree", serde_json::json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let named = |role: &str| -> Vec<String> {
        let is_role = |node: &&Value| node["ignored"] != true && node["role"]["value"] == role;
        nodes.iter().filter(is_role).map(|node| node["name"]["value"].as_str().unwrap_or("").to_owned()).collect()
    };
    assert!(
        named("dialog").iter().all(|name| name.contains(": ")) && named("dialog").len() == 1,
        "{:?}",
        named("dialog")
    );
    assert!(named("heading").iter().any(|name| name.starts_with("Outages today")), "{:?}", named("heading"));
    assert!(named("textbox").iter().all(|name| name.starts_with("Remark on ")), "{:?}", named("textbox"));
    browser.press("Escape");
    browser.wait("!document.getElementById('view').open");
    assert_eq!(key(browser), opened);
    let tree = browser.call("Accessibility.getFullAXTree", serde_json::json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let count =
        |role: &str| nodes.iter().filter(|node| node["ignored"] != true && node["role"]["value"] == role).count();
    assert_eq!(count("grid"), 1);
    assert!(count("gridcell") > 50 && count("columnheader") >= 9 && count("rowheader") >= 20 && count("row") >= 21);
    for node in nodes {
        let role = node["role"]["value"].as_str().unwrap_or("");
        let used =
            ["button", "textbox", "searchbox", "combobox", "checkbox", "grid", "gridcell", "columnheader", "rowheader"];
        let name = node["name"]["value"].as_str().unwrap_or("");
        assert!(!used.contains(&role) || node["ignored"] == true || !name.is_empty(), "{node}");
    }
}
