//! Ready schemes by name: listed, printed, and taken wherever a registry is read.

mod support;

use support::{Bench, repository, stderr, stdout};

/// A registry under `twse` without a scheme.toml, and a day: both sides from 09:10 on, 3 % of the offer apart.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::remove_file(bench.path("registry/scheme.toml")).expect("it was there");
    bench.write("registry/issues.csv", b"issue,type,tick_table\n2330,STOCK,01\n");
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,2330\n");
    let text = "time,issue,event,order,server,side,price,quantity\n\
                2024-03-01T09:10:00+08:00,2330,add,1,VS1,B,97,5000\n2024-03-01T09:10:00+08:00,2330,add,2,VS1,S,100,5000\n";
    bench.write("day.csv", text.as_bytes());
    bench
}

#[test]
fn schemes_are_listed_and_printed() {
    let bench = Bench::new();
    let list = stdout(&bench.run(&["schemes"]));
    for name in ["borsaitaliana", "bux", "rts8", "six", "twse", "wiener", "xetra"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{list}");
        let file = std::fs::read_to_string(repository(&format!("schemes/{name}.toml"))).expect("the file");
        assert_eq!(stdout(&bench.run(&["schemes", name])), file);
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    for label in ["  source:", "  left out:", "  to enter:"] {
        assert_eq!(list.matches(label).count(), list.lines().filter(|line| !line.starts_with(' ')).count(), "{list}");
    }
    let document = stdout(&bench.run(&["schemes", "--json"]));
    assert!(document.contains("\"name\": \"rts8\"") && document.contains("\"to_enter\""), "{document}");
    let unknown = bench.run(&["schemes", "tokyo"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("expected one of b"), "{}", stderr(&unknown));
}

#[test]
fn a_scheme_is_taken_by_name_wherever_a_registry_is() {
    let bench = bench();
    assert_eq!(bench.run(&["check", "--registry", "registry"]).status.code(), Some(1), "no type STOCK is built in");
    let check = bench.run(&["check", "--registry", "registry", "--scheme", "twse"]);
    assert_eq!(check.status.code(), Some(0), "{}", stdout(&check));
    assert!(stdout(&check).starts_with("TWSE stock market making: 1 issue"), "{}", stdout(&check));
    let replay = bench.replay(&["--scheme", "twse", "--db", "m.db", "day.csv"]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));
    // From 09:05 on a quote is required, and from 09:10 on it is there.
    let daily = "2024-03-01,MM1,2330,general,15900000000,15600000000,0,98.1132";
    assert_eq!(bench.read("out/daily.csv").lines().nth(1), Some(daily));
    let breach = "2024-03-01T09:05:00.000000+08:00,2024-03-01T09:10:00.000000+08:00,300000000,no_bid+no_offer";
    assert!(bench.read("out/breaches.csv").contains(breach));
    let month = ["--registry", "registry", "--scheme", "twse", "--db", "m.db", "--month", "2024-03"];
    let report = stdout(&bench.run(&[&["report", "--json"], &month[..]].concat())).replace(' ', "");
    assert!(report.contains("\"status\":\"fulfilled\""), "{report}");
    let status = bench.run(&[&["status"], &month[..]].concat());
    assert!(stdout(&status).contains("by days"), "{}", stdout(&status));
    let maker = ["--registry", "registry", "--scheme", "twse", "--market-maker", "MM1", "--issue", "2330", "day.csv"];
    let explain = bench.run(&[&["explain", "--at", "10:00"], &maker[..]].concat());
    let text = stdout(&explain).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("at most 300 bps of the offer; at least 200,000 or 5,000 shares on each side"), "{text}");
    assert!(text.contains("300.00 bps (limit 300, within) bps = (100 - 97) x 10,000 / 100,"), "{text}");
    assert!(stdout(&bench.run(&[&["explain", "--json"], &maker[..]].concat())).contains("basis points of the offer"));
    assert_eq!(bench.run(&[&["explain", "--html", "page.html"], &maker[..]].concat()).status.code(), Some(0));
    for clause in ["TWSE/spread-of-offer", "TWSE/units-or-value"] {
        assert!(bench.read("page.html").contains(clause), "{clause}");
    }
    // The folder's own scheme gives way; one that is not known is bad usage.
    bench.write("registry/scheme.toml", b"nonsense");
    assert_eq!(bench.run(&["check", "--registry", "registry", "--scheme", "twse"]).status.code(), Some(0));
    assert_eq!(bench.run(&["check", "--registry", "registry", "--scheme", "tokyo"]).status.code(), Some(2));
}

#[test]
fn a_registry_begins_under_a_ready_scheme() {
    let bench = Bench::new();
    let init = bench.run(&["init", "new", "--scheme", "wiener"]);
    assert_eq!(init.status.code(), Some(0), "{}", stderr(&init));
    let file = std::fs::read_to_string(repository("schemes/wiener.toml")).expect("the file");
    assert_eq!(bench.read("new/scheme.toml"), file);
    assert_eq!(bench.read("new/excluded_days.csv"), "date,issue,market_maker,reason,only_if_failed\n");
    assert_eq!(bench.run(&["check", "--registry", "new"]).status.code(), Some(0));
    // The sheet of issues asks for what the scheme's limits are read from, and for nothing else.
    for (scheme, own) in [
        ("wiener", ",max_spread_bps,min_value,min_quantity"),
        ("xetra", ",max_spread_bps,min_value,min_quantity,reference_price"),
        ("six", ",windows"),
        ("twse", ""),
    ] {
        assert_eq!(bench.run(&["init", scheme, "--scheme", scheme]).status.code(), Some(0));
        let header = format!("issue,name,type,tick_table,trading_unit{own},from,to\n");
        assert_eq!(bench.read(&format!("{scheme}/issues.csv")), header);
        assert_eq!(bench.run(&["check", "--registry", scheme]).status.code(), Some(0));
    }
}

/// A day under `xetra`: an opening auction, then continuous trading with both sides as large, until from 12:00 on the offer is more
/// than twice the bid; stressed conditions for an hour.
fn xetra() -> Bench {
    let bench = Bench::new();
    std::fs::remove_file(bench.path("registry/scheme.toml")).expect("it was there");
    let issues = "issue,type,tick_table,max_spread_bps,min_value,reference_price\nEXS1,ETF,01,100,10000,200\n";
    bench.write("registry/issues.csv", issues.as_bytes());
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,EXS1\n");
    let stress = "from,to,spread_multiplier\n2024-03-01T13:00:00+01:00,2024-03-01T14:00:00+01:00,2\n";
    bench.write("registry/fast_market.csv", stress.as_bytes());
    let rows = [
        "08:50:00,*,phase,,,,,,auction",
        "08:50:00,EXS1,add,1,VS1,B,199,50,",
        "08:50:00,EXS1,add,2,VS1,S,201,50,",
        "09:00:00,*,phase,,,,,,continuous",
        "12:00:00,EXS1,replace,2,,,,101,",
        "17:30:00,*,phase,,,,,,closed",
    ];
    let mut text = "time,issue,event,order,server,side,price,quantity,phase\n".to_owned();
    for row in rows {
        let (clock, rest) = row.split_once(',').expect("a time");
        text += &format!("2024-03-01T{clock}+01:00,{rest}\n");
    }
    bench.write("day.csv", text.as_bytes());
    bench
}

// clause: XETRA/criteria
#[test]
fn criteria_are_measured_apart_and_taken_together_in_the_month() {
    let bench = xetra();
    let replay = bench.replay(&["--scheme", "xetra", "--db", "m.db", "day.csv"]);
    assert_eq!(replay.status.code(), Some(0), "{}", stderr(&replay));
    let daily = bench.read("out/daily.csv");
    let expected = [
        "2024-03-01,MM1,EXS1,general:ds_auction,600000000,600000000,0,100.0000",
        "2024-03-01,MM1,EXS1,general:ds_continuous,30600000000,30600000000,0,100.0000",
        "2024-03-01,MM1,EXS1,general:rmm,30600000000,10800000000,0,35.2941",
    ];
    assert_eq!(daily.lines().skip(1).collect::<Vec<_>>(), expected);
    let breaches = bench.read("out/breaches.csv");
    let breach =
        "EXS1,general:rmm,2024-03-01T12:00:00.000000+01:00,2024-03-01T17:30:00.000000+01:00,19800000000,size_balance";
    assert!(breaches.lines().count() == 2 && breaches.contains(breach), "{breaches}");
    assert!(bench.read("out/outages.csv").contains("size_balance:19800000000"));

    // Two of three are met, and all are needed; or two.
    let month = ["--registry", "registry", "--db", "m.db", "--month", "2024-03"];
    let report = |more: &[&str]| bench.run(&[&["report"], &month[..], more].concat());
    let by_name = report(&["--scheme", "xetra", "--out", "month"]);
    assert_eq!(by_name.status.code(), Some(3), "days are missing: {}", stderr(&by_name));
    let header = "month,market_maker,issue,criteria,met,need,status,certain\n";
    assert_eq!(bench.read("month/criteria.csv"), format!("{header}2024-03,MM1,EXS1,3,2,3,not_fulfilled,yes\n"));
    let monthly = bench.read("month/monthly.csv");
    assert!(monthly.contains("general:rmm,30600000000,10800000000,0,35.2941,50,not_fulfilled,NG"), "{monthly}");
    assert!(bench.read("month/market_makers.csv").contains("2024-03,MM1,0,0,yes"));
    let recommendations = bench.read("month/recommendations.csv");
    assert!(recommendations.contains("2024-03,MM1,EXS1,briefing,35.2941,"), "{recommendations}");
    let text = stdout(&by_name);
    assert!(text.contains("general:ds_auction") && text.contains("not fulfilled so far"), "{text}");
    let document = stdout(&report(&["--scheme", "xetra", "--json"]));
    assert!(document.replace(' ', "").contains("\"met\":2,\"need\":3,\"status\":\"not_fulfilled\""), "{document}");
    assert_eq!(report(&["--scheme", "xetra", "--html", "month.html"]).status.code(), Some(3));
    let page = bench.read("month.html");
    assert!(page.contains("Criteria, taken together") && page.contains("general:ds_auction"), "the page has them");
    let file = std::fs::read_to_string(repository("schemes/xetra.toml")).expect("the file");
    let two = file.replace("limits_from = \"issue\"\n", "limits_from = \"issue\"\nneed = 2\n");
    bench.write("registry/scheme.toml", two.as_bytes());
    report(&["--out", "two"]);
    assert_eq!(bench.read("two/criteria.csv"), format!("{header}2024-03,MM1,EXS1,3,2,2,fulfilled,yes\n"));
    assert!(bench.read("two/market_makers.csv").contains("2024-03,MM1,1,0,yes"), "no day has to be replayed for it");
    assert!(!bench.read("two/recommendations.csv").contains("briefing"));
    std::fs::remove_file(bench.path("registry/scheme.toml")).expect("it was there");

    // `general` names all of them, and each has a name of its own.
    let status =
        stdout(&bench.run(&[&["status", "--scheme", "xetra", "--obligation", "general"], &month[..]].concat()));
    assert!(
        ["general:ds_auction", "general:ds_continuous", "general:rmm"].iter().all(|name| status.contains(name)),
        "{status}"
    );
    let maker = ["--registry", "registry", "--scheme", "xetra", "--market-maker", "MM1", "--issue", "EXS1"];
    let explain = |more: &[&str]| bench.run(&[&["explain"], &maker[..], more, &["day.csv"]].concat());
    let all = stdout(&explain(&[]));
    assert!(all.contains("general:ds_auction") && all.contains("general:rmm"), "{all}");
    let one = stdout(&explain(&["--obligation", "general:rmm"])).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one.contains("size_balance") && one.contains("1 more shares at 199"), "{one}");
    let page = explain(&["--html", "page.html"]);
    assert_eq!(page.status.code(), Some(2));
    assert!(stderr(&page).contains("general:ds_auction, general:ds_continuous, general:rmm"), "{}", stderr(&page));
    assert_eq!(explain(&["--obligation", "general:rmm", "--html", "page.html"]).status.code(), Some(0));
    assert_eq!(explain(&["--obligation", "general:x"]).status.code(), Some(2));

    // The papers say under which limits, and when.
    let limits = bench.read("month/tm-2/MM1/limits.csv");
    let expected = "issue,obligation,from,to,days,time,max_spread_bps,max_spread_ticks,min_value_jpy,min_quantity,otherwise,why\n\
                    EXS1,general:ds_auction,2024-03-01,2024-03-01,1,00:00:00 to 13:00:00,100,,,50,,type ETF\n\
                    EXS1,general:ds_auction,2024-03-01,2024-03-01,1,13:00:00 to 14:00:00,200,,,50,,\"type ETF, stressed \
                    conditions: spreads x2, sizes x1\"\n\
                    EXS1,general:ds_auction,2024-03-01,2024-03-01,1,14:00:00 to 24:00:00,100,,,50,,type ETF\n";
    assert!(limits.starts_with(expected), "{limits}");
    let together = "market_maker,issue,criteria,met,need,status,certain\nMM1,EXS1,3,2,3,not_fulfilled,yes\n";
    assert_eq!(bench.read("month/tm-2/MM1/criteria.csv"), together);
    let rmm = "general:rmm,2024-03-01,2024-03-01,1,00:00:00 to 13:00:00,100,,,50,sizes at most 50 % of the larger apart,type ETF";
    assert!(limits.contains(rmm), "{limits}");
}

// clause: TWSE/held
#[test]
fn quotes_that_do_not_rest_long_enough_are_named_and_what_still_rests_is_not() {
    let bench = Bench::new();
    let scheme =
        "name = \"held\"\nversion = \"1\"\n[types.T]\nmax_spread_abs = 2\nmin_quantity = 10\nmin_resting = \"30s\"\n";
    bench.write("registry/scheme.toml", scheme.as_bytes());
    bench.write("registry/issues.csv", b"issue,type,tick_table\n1306,T,01\n");
    bench.write("registry/signups.csv", b"market_maker,issue\nMM1,1306\n");
    let rows = [
        ("09:10:00", "add,1,B,100,10"),
        ("09:10:00", "add,2,S,102,10"),
        ("09:10:20", "cancel,2,,,"),
        ("09:20:00", "add,2,S,102,10"),
        ("09:20:30", "cancel,2,,,"),
        ("09:30:00", "add,2,S,102,10"),
    ];
    let row = |(clock, rest): &(&str, &str)| {
        let (event, fields) = rest.split_once(',').expect("an order");
        format!("2024-03-01T{clock}+09:00,1306,VS1,{event},{fields}\n")
    };
    let text = rows.iter().map(row).collect::<String>();
    bench.write("day.csv", format!("time,issue,server,event,order,side,price,quantity\n{text}").as_bytes());
    // 20 s are too few, 30 s are enough; up to 09:30:29 the third stretch has not ended, and is fulfilled so far.
    let replay = bench.replay(&["--until", "09:30:29", "--db", "m.db", "day.csv"]);
    assert!(replay.status.success(), "{}", stderr(&replay));
    let daily = "2024-03-01,MM1,1306,general,1829000000,59000000,0,3.2258";
    assert_eq!(bench.read("out/daily.csv").lines().nth(1), Some(daily));
    let breaches = bench.read("out/breaches.csv");
    let held: Vec<&str> = breaches.lines().filter(|line| line.ends_with("resting")).collect();
    let expected = "2024-03-01,MM1,1306,general,2024-03-01T09:10:00.000000+09:00,2024-03-01T09:10:20.000000+09:00,20000000,resting";
    assert_eq!(held, [expected], "{breaches}");
    // It is one outage with what is before and after it, and is counted there.
    let outages = bench.read("out/outages.csv");
    assert!(outages.contains("no_bid+no_offer:600000000;no_offer:580000000;resting:20000000"), "{outages}");
    let maker = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306"];
    let explain = bench.run(&[&maker[..], &["--at", "09:10:05", "day.csv"]].concat());
    let text = stdout(&explain).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("not fulfilled: resting"), "{text}");
    let why = "the quotes were good, but for 0:00:20 only: they have to be for 0:00:30 without a break";
    assert!(text.contains(why), "{text}");
    assert!(text.contains("for at least 0:00:30 without a break"), "{text}");
    let fulfilled = stdout(&bench.run(&[&maker[..], &["--at", "09:20:05", "day.csv"]].concat()));
    assert!(fulfilled.contains("09:20:05.000000  fulfilled"), "{fulfilled}");
    let page = bench.run(&[&maker[..], &["--html", "page.html", "day.csv"]].concat());
    assert!(page.status.success() && bench.read("page.html").contains("but for 0:00:20 only"), "{}", stderr(&page));
}
