//! Pages as a browser shows and prints them.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::worked::{report, worked};
use support::{Bench, skipped, stderr, stdout};

/// The browser, where there is one.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        skipped("no chromium, chromium-browser or google-chrome to open the pages in");
    }
    found
}

/// Opens a page.
fn open(browser: &str, page: &Path, more: &[&str]) -> Output {
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
}

/// How wide a page is in a window of `width`, how wide that is, and how many cells of tables do not hold their text. It is
/// measured by a script, which a copy of the page has. On paper nothing scrolls: `paper` has the page as it is printed.
fn measured(browser: &str, page: &Path, width: u32, paper: bool) -> [u32; 3] {
    let source = fs::read_to_string(page).unwrap().replace("default-src 'none'; ", "");
    let source = if paper { source.replace("@media print", "@media all") } else { source };
    let script = "<script>const cut = [...document.querySelectorAll('th, td')].filter(cell => cell.clientWidth < cell.scrollWidth);\
        document.title = `${document.documentElement.scrollWidth} ${innerWidth} ${cut.length}`</script>";
    let copy = page.with_extension("measured.html");
    fs::write(&copy, source.replace("</body>", &format!("{script}</body>"))).unwrap();
    let dom = stdout(&open(browser, &copy, &["--dump-dom", &format!("--window-size={width},900")]));
    fs::remove_file(copy).unwrap();
    let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    let numbers: Vec<u32> = title.split(' ').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// What is left of an A4 sheet between its margins, in the pixels of a style sheet.
const PAPER: u32 = 687;

#[test]
fn a_browser_shows_and_prints_the_pages() {
    let Some(browser) = chromium() else { return };
    let bench = worked();
    report(&bench, &["--out", "out", "--html", "month.html"]);
    for (name, seen) in [
        ("out/tm-2/MM1/tm-2.html", "<title>TM-2 Market Maker Report, 2024-04: MM1</title>"),
        ("out/ta-1/AM2/ta-1.html", "<title>TA-1 Report by ETF, 2024-04: AM2</title>"),
        ("month.html", "<title>2024-04: quote display time</title>"),
    ] {
        let page = bench.path(name).canonicalize().unwrap();
        let source = fs::read_to_string(&page).unwrap();
        assert!(!source.contains("http://") && !source.contains("https://") && !source.contains("<script"), "{name}");
        assert!(source.contains(seen), "{name}");
        // Wide tables scroll inside: no page is wider than the window.
        for (width, paper) in [(1400, false), (500, false), (PAPER, true)] {
            let [inside, window, cut] = measured(browser, &page, width, paper);
            assert!(inside <= window && cut == 0, "{name} at {width}: {inside} of {window}, {cut} cells");
        }
        let pdf = bench.path("page.pdf");
        open(browser, &page, &["--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display())]);
        let printed = fs::read(&pdf).unwrap();
        let text = String::from_utf8_lossy(&printed);
        // A4 is 595 by 842 points.
        assert!(
            text.contains("/MediaBox [0 0 594.95996 841.91998]") || text.contains("/MediaBox [0 0 595 842]"),
            "{name}"
        );
        let picture = bench.path("page.png");
        open(browser, &page, &["--window-size=1400,900", &format!("--screenshot={}", picture.display())]);
        assert!(fs::metadata(&picture).unwrap().len() > 20_000, "{name}: an empty picture");
    }
}

/// A month of more market makers than stand beside each other, with long names, and conditions of longer ones.
fn wide() -> Bench {
    let bench = Bench::new();
    let makers: Vec<String> = (1..=26).map(|number| format!("MARKET-MAKER-OF-LONG-NAME-{number:02}")).collect();
    let each = |line: &dyn Fn(&String) -> String| makers.iter().map(line).collect::<String>();
    let condition = "a-sponsored-condition-whose-name-has-no-space-anywhere-and-is-as-long-as-people-make-them";
    for (name, text) in [
        ("market_makers.csv", "market_maker\n".to_owned() + &each(&|maker| format!("{maker}\n"))),
        ("virtual_servers.csv", "server,market_maker\n".to_owned() + &each(&|maker| format!("S-{maker},{maker}\n"))),
        (
            "signups.csv",
            "market_maker,issue,participant\n".to_owned()
                + &each(&|maker| format!("{maker},1306,P1\n{maker},1321,P1\n")),
        ),
        ("issues.csv", "issue,type,tick_table,asset_manager,tier\n1306,T,yen,AM,I\n1321,T,yen,AM,I\n".to_owned()),
        (
            "sponsored.csv",
            format!(
                "condition,issue,max_spread_bps,min_value_jpy,coverage_pct,asset_manager,total_jpy\n\
                 {condition},1306,100,300,80,AM,1000000\n"
            ),
        ),
    ] {
        bench.write(&format!("registry/{name}"), text.as_bytes());
    }
    let quotes = [
        format!("09:00:00,1306,add,1,,S-{},B,1000,10,,", makers[0]),
        format!("09:00:00,1306,add,2,,S-{},S,1002,10,,", makers[0]),
    ];
    let days: Vec<String> = (1..=31).map(|day| format!("2024-03-{day:02}")).collect();
    for day in &days {
        let text = support::day_text(day, &quotes.each_ref().map(String::as_str));
        bench.write(&format!("{day}.csv"), text.as_bytes());
    }
    let files: Vec<String> = days.iter().map(|day| format!("{day}.csv")).collect();
    let mut replay = vec!["replay", "--registry", "registry", "--db", "market.db"];
    replay.extend(files.iter().map(String::as_str));
    let output = bench.run(&replay);
    assert!(output.status.success(), "{}", stderr(&output));
    bench
}

#[test]
fn however_wide_a_month_is_it_is_printed_whole() {
    let Some(browser) = chromium() else { return };
    let bench = wide();
    let report = ["report", "--registry", "registry", "--db", "market.db", "--month", "2024-03"];
    let output = bench.run(&[&report[..], &["--out", "out", "--html", "month.html"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    for name in [
        "month.html",
        "out/ta-1/AM/ta-1.html",
        "out/tm-2/MARKET-MAKER-OF-LONG-NAME-01/tm-2.html",
        "out/tm-2-participant/P1/MARKET-MAKER-OF-LONG-NAME-02/tm-2.html",
    ] {
        let page = bench.path(name).canonicalize().unwrap();
        for (width, paper) in [(1400, false), (500, false), (PAPER, true)] {
            let [inside, window, cut] = measured(browser, &page, width, paper);
            assert!(inside <= window && cut == 0, "{name} at {width}: {inside} of {window}, {cut} cells");
        }
    }
}
