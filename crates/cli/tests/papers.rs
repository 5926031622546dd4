//! The papers of a month: each recipient's folder holds its own figures alone, and the same bytes every time; who gets one;
//! what stands on it of the revisions that have gone out; and what else is in the folders.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use calamine::Data;
use std::fs;
use std::path::PathBuf;
use support::worked::{REPORT, files, replay, report, rows, sheets, worked};
use support::{Bench, stderr, stdout};

// clause: ST1/performance-report, ST1/asset-manager-report
#[test]
fn every_folder_holds_its_recipients_figures_alone_and_comes_out_the_same_again() {
    let bench = Bench::new();
    let month = support::repository("replay-data/month").canonicalize().expect("it is there");
    let mut days: Vec<PathBuf> =
        fs::read_dir(&month).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    days.retain(|path| support::is_day(path));
    let run = |arguments: &[&str], days: &[PathBuf]| {
        let mut command = bench.command(arguments);
        command.arg("--registry").arg(month.join("registry")).args(days);
        let output = command.output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    };
    run(&["replay", "--db", "march.db"], &days);
    let report = ["report", "--db", "march.db", "--month", "2024-03", "--out", "out"];
    run(&report, &[]);
    let out = bench.path("out");
    let first = files(&out);
    fs::create_dir_all(out.join("tm-2/GONE")).expect("an empty folder");
    run(&report, &[]);
    assert!(files(&out) == first && !out.join("tm-2/GONE").exists(), "the same bytes, and nobody who is gone");
    let makers = ["MM01", "MM02", "MM03"];
    let participants = ["11000", "11001", "11010", "11020", "11021"];
    let managers = ["AM-NORTH", "AM-EAST", "AM-SOUTH", "AM-WEST"];
    let mut searched = 0;
    for (path, bytes) in first.iter().filter(|(path, _)| path.extension().is_some_and(|of| of != "xlsx")) {
        let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
        let others: Vec<&str> = match parts[0] {
            "tm-2" => makers.iter().chain(&managers).filter(|name| **name != parts[1]).copied().collect(),
            "tm-2-participant" => {
                let parties = makers.iter().chain(&managers).chain(&participants);
                parties.filter(|name| !parts.contains(name)).copied().collect()
            }
            "ta-1" => managers.iter().filter(|name| **name != parts[1]).copied().collect(),
            _ => continue,
        };
        searched += 1;
        let text = String::from_utf8_lossy(bytes);
        for name in others {
            // A participant's code may stand inside a longer number: it has to stand alone to be a code.
            let is_alone = |(at, _): (usize, &str)| {
                let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
                !digit(bytes.get(at.wrapping_sub(1))) && !digit(bytes.get(at + name.len()))
            };
            assert!(!text.match_indices(name).any(is_alone), "{} names {name}", path.display());
        }
    }
    assert!(searched > 50, "{searched} files");
    let mut quiet = report.to_vec();
    quiet.push("--no-documents");
    run(&quiet, &[]);
    assert!(!out.join("tm-2").exists() && !out.join("ta-1").exists());
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
    assert!(document["supersedes"].is_null(), "{}", document["supersedes"]);
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
    let document: serde_json::Value = serde_json::from_slice(&report(&bench, &["--json"]).stdout).unwrap();
    assert!(document["gone_out"].is_null() && document["supersedes"]["revision"] == 1, "a successor, not gone out");
    assert!(bench.read("out/tm-2/MM1/about.csv").contains("gone out,no\nwould supersede revision,1\n"));
    report(&bench, &["--out", "out", "--close"]);
    let second = line(&bench.read("out/report.txt"));
    assert!(
        second.starts_with("Gone out: revision 2 of 20") && second.contains("it supersedes revision 1 of"),
        "{second}"
    );
    // The papers of a revision are the same however often they are made.
    let as_closed = files(&bench.path("out"));
    assert!(bench.read("out/tm-2/MM1/changes.csv").contains("sponsored:SHARES 1306 MM1,amount_jpy,200000,200002\n"));
    for more in [&["--out", "out"][..], &["--out", "out", "--close"]] {
        report(&bench, more);
        let again = files(&bench.path("out"));
        let other: Vec<_> = as_closed.keys().filter(|path| again.get(*path) != as_closed.get(*path)).collect();
        assert!(again.len() == as_closed.len() && other.is_empty(), "{other:?}");
    }
    // Programs are told the same, and so is whoever reads a table or a spreadsheet.
    let output = report(&bench, &["--json", "--html", "month.html"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (own, before) = (&document["gone_out"], &document["supersedes"]);
    assert_eq!((&own["revision"], &before["revision"]), (&2.into(), &1.into()));
    assert!(document["changes"].as_array().unwrap().len() > 2);
    let about = bench.read("out/tm-2-participant/P21/MM2/about.csv");
    let sheets = sheets(&bench.path("out/tm-2-participant/P21/MM2/tm-2.xlsx"));
    for (name, value) in [
        ("revision", "2"),
        ("gone out on", own["closed_on"].as_str().unwrap()),
        ("report sha256", own["report_sha256"].as_str().unwrap()),
        ("supersedes revision", "1"),
        ("whose report sha256 is", before["report_sha256"].as_str().unwrap()),
    ] {
        assert!(about.contains(&format!("\n{name},{value}\n")), "{name}: {about}");
        let row = [name, value].map(|text| Data::String(text.to_owned()));
        assert!(sheets["about"].iter().any(|cells| cells[..] == row), "{name}");
    }
    let page = bench.read("month.html");
    assert!(
        page.contains("What it says otherwise than the revision that it supersedes"),
        "the exchange's own page, too"
    );
    assert!(page.contains("sponsored:SHARES 1306 MM1") && page.contains(">200002<"), "{page}");
    assert!(page.contains(">602,683<"), "payments are in groups of three digits");
    let replayed = stderr(&replay(&bench));
    assert!(replayed.contains("has gone out (revision 2 of 20"), "{replayed}");
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

// clause: ST1/performance-report, ST1/participant
#[test]
fn a_participants_copy_is_of_its_own_days_and_says_what_is_not_in_it() {
    let bench = worked();
    report(&bench, &["--out", "out"]);
    let read = |name: &str| rows(&bench.read(&format!("out/tm-2-participant/{name}.csv")));
    let line = |rows: Vec<std::collections::BTreeMap<String, String>>, issue: &str| {
        rows.into_iter().find(|row| row["issue"] == issue).unwrap()
    };
    // MM1 quotes 1304 through P11 on one day of three, and through P12 on the others: neither has the month.
    for (participant, days) in [("P11", "1"), ("P12", "2")] {
        let of_part = line(read(&format!("{participant}/MM1/month")), "1304");
        assert_eq!([&of_part["status"], &of_part["system_status"], &of_part["days_measured"]], ["", "", days]);
        let available: u64 = of_part["available_us"].parse().unwrap();
        assert_eq!(available, days.parse::<u64>().unwrap() * 18_000_000_000);
        let page = bench.read(&format!("out/tm-2-participant/{participant}/MM1/tm-2.html"));
        assert!(page.contains("<dt>of some days only</dt><dd>2</dd>"), "general and the group's: {page}");
        assert!(page.contains(&format!("This copy holds what ran through {participant}, and nothing else of MM1")));
        assert!(page.contains("are here of 1304 general, 1304 sponsored:GROUP: their status, place"), "{page}");
        let about = bench.read(&format!("out/tm-2-participant/{participant}/MM1/about.csv"));
        assert!(about.contains("1304 general, 1304 sponsored:GROUP"), "{about}");
    }
    let whole = line(read("P11/MM1/month"), "1302");
    assert_eq!([&whole["status"], &whole["system_status"], &whole["days_measured"]], ["fulfilled", "OK", "3"]);
    // What it is paid is its own; the place, and the shares that decide it, are of the month.
    let paid = line(read("P12/MM1/conditions"), "1304");
    assert_eq!(
        [&paid["amount_jpy"], &paid["place"], &paid["executed_quantity"], &paid["status"]],
        ["200000", "", "", ""]
    );
    let paid = line(read("P11/MM1/conditions"), "1305");
    assert_eq!([&paid["amount_jpy"], &paid["place"], &paid["executed_quantity"]], ["200000", "1", "5333"]);
    assert!(read("P11/MM1/conditions").iter().all(|row| row["issue"] != "1304"), "that is paid through P12");
    // Its page has its own days: their number, columns and inputs.
    let page = bench.read("out/tm-2-participant/P12/MM1/tm-2.html");
    assert!(page.contains("<dt>days measured</dt><dd>2</dd>") && !page.contains("2024-04-05"), "{page}");
    // The market maker's own paper has the month.
    let own = line(rows(&bench.read("out/tm-2/MM1/month.csv")), "1304");
    assert_eq!([&own["status"], &own["days_measured"]], ["fulfilled", "3"]);
    assert!(bench.read("out/tm-2/MM1/tm-2.html").contains("<title>TM-2 Market Maker Report, 2024-04: MM1</title>"));
}

#[test]
fn files_that_are_not_ours_stay_among_the_papers_and_are_named() {
    let bench = worked();
    report(&bench, &["--out", "out"]);
    let first = files(&bench.path("out"));
    let list = bench.read("out/papers.sha256");
    assert_eq!(list.lines().count(), first.keys().filter(|path| path.components().count() > 1).count());
    assert!(list.lines().any(|line| line.ends_with("  tm-2/MM1/tm-2.xlsx") && line.len() > 64), "{list}");
    fs::create_dir(bench.path("out/ta-1/NOTES")).unwrap();
    let own = ["tm-2/notes.txt", "tm-2/MM1/reply.eml", "ta-1/NOTES/month.csv"];
    own.iter().for_each(|name| drop(bench.write(&format!("out/{name}"), b"mine")));
    // MM3 is signed up for nothing any more: its paper goes, but for the table that somebody has written into.
    for name in ["signups.csv", "virtual_servers.csv", "market_makers.csv"] {
        let text = bench.read(&format!("registry/{name}"));
        let kept: Vec<&str> = text.lines().filter(|line| !line.contains("MM3")).collect();
        bench.write(&format!("registry/{name}"), (kept.join("\n") + "\n").as_bytes());
    }
    bench.write("out/tm-2/MM3/days.csv", b"changed by hand");
    assert!(replay(&bench).status.success());
    let output = report(&bench, &["--out", "out"]);
    let named =
        "not as they are now; they stay: ta-1/NOTES/month.csv, tm-2/MM1/reply.eml, tm-2/MM3/days.csv, tm-2/notes.txt\n";
    assert!(stderr(&output).contains(named), "{}", stderr(&output));
    let left: Vec<String> = files(&bench.path("out/tm-2/MM3")).keys().map(|path| path.display().to_string()).collect();
    assert_eq!(left, ["days.csv"]);
    assert!(!bench.path("out/tm-2-participant/P31").exists());
    report(&bench, &["--out", "out", "--no-documents"]);
    let left = files(&bench.path("out")).into_keys().filter(|path| path.components().count() > 1).count();
    assert_eq!(left, own.len() + 1, "what is ours has gone");
    assert!(!bench.path("out/papers.sha256").exists());
    assert!(own.iter().all(|name| bench.read(&format!("out/{name}")) == "mine"));
}

// clause: ST1/tiers
#[test]
fn a_market_maker_is_told_why_a_tier_is_unknown_and_programs_whose_consent_is_not_on_record() {
    let bench = Bench::new();
    let scheme = bench.read("registry/scheme.toml") + "[incentives]\netfs_required = 1\n";
    bench.write("registry/scheme.toml", scheme.as_bytes());
    bench
        .write("registry/issues.csv", b"issue,type,tick_table,asset_manager,tier\n1306,T,yen,AM1,\n1321,T,yen,AM1,I\n");
    bench.day("2024-03-01.csv", &support::GOOD);
    let replayed = bench.run(&["replay", "--registry", "registry", "--db", "market.db", "2024-03-01.csv"]);
    assert!(replayed.status.success(), "{}", stderr(&replayed));
    let report = ["report", "--registry", "registry", "--db", "market.db", "--month", "2024-03"];
    let output = bench.run(&[&report[..], &["--out", "out", "--json"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let note = "TIER UNKNOWN: 1306. What the tier review measures of it is not on record";
    assert!(bench.read("out/tm-2/MM1/tm-2.html").contains(note));
    assert!(bench.read("out/tm-2/MM1/about.csv").contains(note));
    let incentives = bench.read("out/tm-2/MM1/incentives.csv");
    assert!(incentives.contains("1306,unknown,value_others,"), "{incentives}");
    assert!(!bench.read("out/ta-1/AM1/ta-1.html").contains("TIER UNKNOWN"), "incentives are no business of AM1");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes: Vec<&str> = document["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    for start in
        ["NOT COMPLETE: ", "TIER UNKNOWN: 1306", "TA-1 is written for every asset manager: consent is not on record"]
    {
        assert!(notes.iter().any(|note| note.starts_with(start)), "{start}: {notes:?}");
    }
    let asked = ["--why", "--market-maker", "MM1", "--issue", "1306", "--incentive", "value_others"];
    let text = stdout(&bench.run(&[&report[..], &asked].concat()));
    assert!(text.contains("on 1 day,") && !text.contains("1 days"), "{text}");
}

// clause: ST1/spread-and-quantity, ST1/fast-market
#[test]
fn limits_are_those_of_each_day_and_say_why() {
    let bench = worked();
    // 1302 is of another type from the second day on, which is a Fast Market day.
    let issues = bench.read("registry/issues.csv").replace("aum_jpy\n", "aum_jpy,from,to\n");
    let lines = issues.lines().flat_map(|line| match line.strip_prefix("1302,Made-up TOPIX,A,") {
        Some(rest) => {
            vec![format!("1302,Made-up TOPIX,A,{rest},,2024-04-11"), format!("1302,Made-up TOPIX,B,{rest},2024-04-12,")]
        }
        None if line.starts_with("issue,") => vec![line.to_owned()],
        None => vec![format!("{line},,")],
    });
    bench.write("registry/issues.csv", (lines.collect::<Vec<_>>().join("\n") + "\n").as_bytes());
    assert!(replay(&bench).status.success());
    report(&bench, &["--out", "out"]);
    let limits = bench.read("out/tm-2/MM1/limits.csv");
    let expected = "1302,general,2024-04-05,2024-04-05,1,20,2,30000000,type A\n\
                    1302,general,2024-04-12,2024-04-12,1,100,6,10000000,\"type B, Fast Market x2\"\n\
                    1302,general,2024-04-19,2024-04-19,1,50,3,10000000,type B\n";
    assert!(limits.contains(expected), "{limits}");
    let sponsored = limits.lines().filter(|line| line.contains("1303,sponsored:ASSETS")).collect::<Vec<_>>();
    assert_eq!(sponsored.len(), 1, "a Fast Market widens no sponsored condition: {limits}");
    let matching = limits.lines().filter(|line| line.contains("matching:")).collect::<Vec<_>>();
    assert_eq!(matching.len(), 3, "but a matching fund's: {limits}");
}

// clause: ST1/asset-manager-report
#[test]
fn papers_that_differ_from_those_that_went_out_are_another_revision_though_the_figures_are_the_same() {
    let bench = worked();
    report(&bench, &["--out", "out", "--close"]);
    // The ETF is in other hands: whose it is alters no figure of the month.
    let issues = bench.read("registry/issues.csv");
    let moved = issues.replace("TOPIX,false,,2020-01-06,AM1,", "TOPIX,false,,2020-01-06,AM2,");
    assert_ne!(moved, issues);
    bench.write("registry/issues.csv", moved.as_bytes());
    report(&bench, &["--out", "out"]);
    for paper in ["out/ta-1/AM2/ta-1.html", "out/report.txt"] {
        assert!(bench.read(paper).contains("NOT GONE OUT: it says otherwise than revision 1 of"), "{paper}");
    }
    assert!(bench.read("out/ta-1/AM2/changes.csv").contains("\nmonth,MM1 1302 general,,,a line\n"));
    assert!(bench.read("out/ta-1/AM1/changes.csv").contains("\nmonth,MM1 1302 general,,a line,\n"));
    report(&bench, &["--out", "out", "--close"]);
    assert!(bench.read("out/report.txt").contains("Gone out: revision 2 of"));
    let closed = files(&bench.path("out"));
    report(&bench, &["--out", "out"]);
    assert!(files(&bench.path("out")) == closed, "the same once more");
    // As it was, it is the first one's papers, and a third revision.
    bench.write("registry/issues.csv", issues.as_bytes());
    report(&bench, &["--out", "out"]);
    assert!(bench.read("out/report.txt").contains("NOT GONE OUT: it says otherwise than revision 2 of"));
}
