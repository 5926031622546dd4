//! The page of a running day, in a real browser: what it shows, by keyboard, dark and light, wide and narrow.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use serde_json::Value;
use support::chromium::Chromium;
use support::desk::{Desk, ROLES, bench, enter};

/// Text and label of each cell, by issue and market maker.
fn cells(browser: &mut Chromium) -> Value {
    browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#grid td[data-key]')].map((cell) =>
            [cell.dataset.key.replace('\\n', ' '), [cell.className.split(' ')[0], ...[...cell.children].map((part) => part.textContent)]]))",
    )
}

#[test]
fn the_page_shows_the_state_and_is_driven_by_keyboard() {
    let Some(mut browser) = Chromium::start() else { return };
    let mut desk = Desk::running(&[]);
    browser.look(1400, 900, false);
    // A wrong token is refused, and shown nothing.
    browser.go(&format!("http://{}/", desk.http));
    browser.evaluate("document.getElementById('token').focus()");
    browser.type_text("qc_wrong");
    browser.press("Enter");
    browser.wait("document.getElementById('refused').textContent.includes('not valid')");
    browser.complaints.clear();
    enter(&mut browser, &desk, 0);
    let state = desk.get("/api/v1/state", 0).json();
    let shown = cells(&mut browser);
    assert_eq!(shown.as_object().unwrap().len(), 3);
    for row in state["obligations"].as_array().unwrap().iter().filter(|row| row["obligation"] == "general") {
        let cell = &shown[format!("{} {}", row["issue"].as_str().unwrap(), row["market_maker"].as_str().unwrap())];
        // Two of the four decimals, cut.
        let percent = |times: &Value| {
            let text = times["display_pct"].as_str().unwrap();
            text[..text.len() - 2].to_owned()
        };
        assert_eq!((&cell[2], &cell[3]), (&percent(&row["today"]).into(), &percent(&row["month"]).into()), "{row}");
    }
    assert_eq!(shown["1306 MM1"][0], "breach");
    assert_eq!(shown["1321 MM1"][0], "fulfilled");
    // What happens is seen without asking.
    desk.send(&["09:41:00,1321,cancel,3,,,,,,,"]);
    browser.wait("[...document.querySelectorAll('td[data-key]')].find((cell) => cell.dataset.key === '1321\\nMM1').className.startsWith('breach')");
    browser.wait("document.getElementById('live').textContent.includes('MM1 1321 general: breach, no bid')");
    // By keyboard from cell to cell, into one and out of it.
    browser.evaluate("document.querySelector('#grid td[tabindex=\"0\"]').focus()");
    browser.press("ArrowDown");
    assert_eq!(browser.evaluate("document.activeElement.dataset.key"), "1321\nMM1");
    browser.press("ArrowUp");
    browser.press("ArrowRight");
    assert_eq!(browser.evaluate("document.activeElement.dataset.key"), "1306\nMM2");
    browser.press("Enter");
    browser
        .wait("document.getElementById('view').open && document.querySelectorAll('#view-body section').length === 2");
    let view = browser.evaluate("document.getElementById('view').innerText");
    let view = view.as_str().unwrap();
    for expected in [
        "1306 Topix: MM2",
        "70 ticks, 69.8254 bps",
        "Outages today",
        "Budget of the month",
        "Lost after",
        "9990",
        "10060",
    ] {
        assert!(view.contains(expected), "{expected} in {view}");
    }
    assert!(20_000 < browser.picture("issue-light-1400"));
    // A remark is kept, and shown as text.
    browser.evaluate("document.querySelector('#view-body input[name=remark]').focus()");
    browser.type_text("<img src=x onerror=alert(1)> called");
    browser.press("Enter");
    browser.wait("document.getElementById('view-body').innerText.includes('<img src=x onerror=alert(1)> called')");
    let said = desk.get("/api/v1/acknowledgements", 0).json();
    assert_eq!(said["acknowledgements"][0]["remark"], "<img src=x onerror=alert(1)> called");
    browser.press("Escape");
    browser.wait("!document.getElementById('view').open");
    assert_eq!(browser.evaluate("document.activeElement.dataset.key"), "1306\nMM2");
    // Who closes one and opens another at once sees the other: the page is told later that the first was closed.
    let click = |key: &str| {
        format!("[...document.querySelectorAll('td[data-key]')].find((cell) => cell.dataset.key === '{key}').click()")
    };
    browser.evaluate(&format!(
        "{}; document.getElementById('view').close(); {}",
        click("1306\\nMM2"),
        click("1321\\nMM1")
    ));
    browser.wait("document.querySelectorAll('#view-body section').length > 0");
    assert_eq!(browser.evaluate("document.getElementById('view-title').textContent.slice(0, 4)"), "1321");
    browser.press("Escape");
    browser.wait("!document.getElementById('view').open");
    // Filters.
    let visible = "[...document.querySelectorAll('#grid td[data-key]')].filter((cell) => cell.querySelector('.today').checkVisibility({visibilityProperty: true})).map((cell) => cell.dataset.key.replace('\\n', ' ')).sort().join()";
    browser.evaluate("document.getElementById('by-maker').value = 'MM1'; document.getElementById('by-maker').dispatchEvent(new Event('input', {bubbles: true}))");
    assert_eq!(browser.evaluate(visible), "1306 MM1,1321 MM1");
    browser.evaluate("document.getElementById('by-state').value = 'fulfilled'; document.getElementById('by-state').dispatchEvent(new Event('input', {bubbles: true}))");
    assert_eq!(browser.evaluate(visible), "");
    // The token is in the page's memory alone, and nothing was loaded from elsewhere.
    let kept = browser.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, document.documentElement.outerHTML])");
    assert!(!kept.as_str().unwrap().contains(&desk.tokens[0]));
    let own = format!("http://{}/", desk.http);
    assert!(
        browser.requests.iter().all(|address| address.starts_with(&own) || address == "about:blank"),
        "{:?}",
        browser.requests
    );
    assert!(browser.requests.iter().all(|address| !address.contains("qc_")));
    assert_eq!(browser.complaints, Vec::<String>::new());
    // Forgetting it leaves nothing of the market behind.
    browser.evaluate("document.getElementById('leave').click()");
    let left =
        browser.evaluate("document.getElementById('grid').innerText + document.getElementById('view').innerText");
    assert!(!left.as_str().unwrap().contains("MM"), "{left}");
}

#[test]
fn each_sees_its_own_dark_and_light_wide_and_narrow() {
    let Some(mut browser) = Chromium::start() else { return };
    let desk = Desk::running(&[]);
    for (role, keys) in [(0, "1306 MM1,1306 MM2,1321 MM1"), (1, "1306 MM1,1321 MM1"), (3, "1306 MM1,1306 MM2")] {
        for (width, height, dark) in [(1400, 900, false), (390, 844, true), (1400, 900, true), (390, 844, false)] {
            browser.look(width, height, dark);
            enter(&mut browser, &desk, role);
            let seen = "[...document.querySelectorAll('#grid td[data-key]')].map((cell) => cell.dataset.key.replace('\\n', ' ')).sort().join()";
            assert_eq!(browser.evaluate(seen), keys, "{:?}", ROLES[role]);
            // The page itself is never wider than the window: what is wide scrolls inside.
            let inside = browser.evaluate("document.documentElement.scrollWidth <= innerWidth");
            assert_eq!(inside, Value::Bool(true), "{:?} at {width}", ROLES[role]);
            let name = format!("{}-{}-{width}", ROLES[role].0, if dark { "dark" } else { "light" });
            assert!(5_000 < browser.picture(&name), "{name}");
            browser.evaluate("document.querySelector('#grid td[data-key]').click()");
            browser.wait("document.querySelectorAll('#view-body section').length > 0");
            let inside =
                "document.getElementById('view').scrollWidth <= document.getElementById('view').clientWidth + 1";
            assert_eq!(browser.evaluate(inside), Value::Bool(true), "the view at {width}");
            assert!(5_000 < browser.picture(&format!("{name}-issue")));
            // Whatever can be used has a name to be called by.
            let tree = browser.call("Accessibility.getFullAXTree", serde_json::json!({}));
            for node in tree["nodes"].as_array().unwrap() {
                let role = node["role"]["value"].as_str().unwrap_or("");
                let used = ["button", "textbox", "searchbox", "combobox", "checkbox", "dialog", "grid", "gridcell"]
                    .contains(&role);
                let name = node["name"]["value"].as_str().unwrap_or("");
                assert!(!used || node["ignored"] == true || !name.is_empty(), "{node}");
            }
        }
    }
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn a_market_of_350_issues_and_20_market_makers_is_readable() {
    let Some(mut browser) = Chromium::start() else { return };
    let bench = bench();
    let (issues, makers): (Vec<String>, Vec<String>) = (
        (0..350).map(|number| format!("{}", 1300 + number)).collect(),
        (1..=20).map(|number| format!("MAKER{number:02}")).collect(),
    );
    let all = |head: &str, lines: Vec<String>| format!("{head}\n{}\n", lines.join("\n"));
    let each = |line: &dyn Fn(&String, &String) -> String| -> Vec<String> {
        makers.iter().flat_map(|maker| issues.iter().map(move |issue| line(maker, issue))).collect()
    };
    for (name, text) in [
        ("issues.csv", all("issue,type,tick_table", issues.iter().map(|issue| format!("{issue},T,yen")).collect())),
        ("market_makers.csv", all("market_maker", makers.clone())),
        (
            "virtual_servers.csv",
            all("server,market_maker", makers.iter().map(|maker| format!("S{maker},{maker}")).collect()),
        ),
        ("signups.csv", all("market_maker,issue", each(&|maker, issue| format!("{maker},{issue}")))),
        ("sponsored.csv", "condition,issue,max_spread_bps,min_value_jpy,coverage_pct\n".to_owned()),
    ] {
        bench.write(&format!("registry/{name}"), text.as_bytes());
    }
    let mut desk = Desk::start_with(bench, "2024-03-04", &ROLES[..1], &[]);
    let mut records = Vec::new();
    for (number, maker) in makers.iter().enumerate() {
        for (place, issue) in issues.iter().enumerate() {
            let order = 2 * (number * issues.len() + place);
            if (number + place) % 7 != 0 {
                records.push(format!("09:00:00,{issue},add,{order},,S{maker},B,10000,10,,"));
                records.push(format!("09:00:00,{issue},add,{},,S{maker},S,10050,10,,", order + 1));
            }
        }
    }
    records.push("09:30:00,1300,phase,,,,,,,,continuous".to_owned());
    desk.send(&records.iter().map(String::as_str).collect::<Vec<_>>());
    browser.look(1400, 900, false);
    let started = std::time::Instant::now();
    enter(&mut browser, &desk, 0);
    browser.wait("document.querySelectorAll('#grid td[data-key]').length === 7000");
    eprintln!("7,000 cells after {:?}", started.elapsed());
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), Value::Bool(true));
    // No cell cuts its text, and issue and market maker stay in sight.
    let cut = "[...document.querySelectorAll('#grid td')].filter((cell) => cell.clientWidth < cell.scrollWidth).length";
    assert_eq!(browser.evaluate(cut), 0);
    browser.evaluate("document.getElementById('scroll').scrollTo(600, 4000)");
    let heads = "(() => { const box = document.getElementById('scroll').getBoundingClientRect(); \
        return [...document.querySelectorAll('#grid thead th')].every((head) => Math.abs(head.getBoundingClientRect().top - box.top) < 3); })()";
    assert_eq!(browser.evaluate(heads), Value::Bool(true));
    browser.picture("market-light-1400");
    browser.look(390, 844, true);
    browser.picture("market-dark-390");
}
