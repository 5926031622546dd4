//! `--parquet-dataset`: folders that engines read as tables, of which `report --from-dataset` makes the same report.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::{Bench, skipped, stderr, stdout};

const DAYS: [&str; 2] = ["2024-03-01.csv", "2024-03-04.csv"];
const TABLES: [&str; 5] = ["breaches", "daily", "market_turnovers", "outages", "turnovers"];

fn replay(bench: &Bench, more: &[&str]) -> Output {
    bench.run(&[&["replay", "--registry", "registry", "--parquet-dataset", "market"], more].concat())
}

fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

/// Every file under a folder, by its path below it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn names(bench: &Bench) -> Vec<String> {
    files(&bench.path("market")).into_keys().map(|name| name.to_str().unwrap().to_owned()).collect()
}

fn part(table: &str, date: &str, part: u32) -> String {
    format!("{table}/month={}/date={date}/part-{part}.parquet", &date[..7])
}

/// What a report is, by whatever it is made from.
fn report(bench: &Bench, from: &[&str], out: &str) -> (String, BTreeMap<PathBuf, Vec<u8>>) {
    let output = bench.run(&[&["report", "--registry", "registry", "--month", "2024-03", "--out", out], from].concat());
    assert_eq!(output.status.code(), Some(3), "days of the month are missing: {}", stderr(&output));
    (stdout(&output).replace(out, "OUT"), files(&bench.path(out)))
}

#[test]
fn a_report_from_a_dataset_is_that_of_the_database() {
    let bench = Bench::of_small(&DAYS);
    done(&replay(&bench, &[&["--db", "market.db"], &DAYS[..]].concat()));
    let expected: Vec<String> =
        TABLES.iter().flat_map(|table| ["2024-03-01", "2024-03-04"].map(|date| part(table, date, 0))).collect();
    assert_eq!(names(&bench), expected, "and nothing else");
    let of_database = report(&bench, &["--db", "market.db"], "report-of-db");
    assert!(of_database.1.keys().any(|name| name.starts_with("tm-2")), "with its papers");
    let same = |out| {
        let (text, files) = report(&bench, &["--from-dataset", "market"], out);
        assert_eq!(text, of_database.0);
        assert!(files.keys().eq(of_database.1.keys()));
        files.iter().for_each(|(name, bytes)| assert!(of_database.1[name] == *bytes, "{} differs", name.display()));
    };
    same("report-of-dataset");
    // In shards, each of which writes its part, in any order.
    fs::remove_dir_all(bench.path("market")).unwrap();
    for shard in ["2/3", "0/3", "1/3"] {
        done(&replay(&bench, &[&["--shard", shard], &DAYS[..]].concat()));
    }
    assert_eq!(names(&bench).len(), 5 * 2 * 3);
    same("report-of-shards");
}

#[test]
fn a_rerun_replaces_its_day_and_nothing_else() {
    let bench = Bench::of_small(&DAYS);
    for shard in ["0/2", "1/2"] {
        done(&replay(&bench, &[&["--shard", shard], &DAYS[..]].concat()));
    }
    let other = |names: Vec<String>| names.into_iter().filter(|name| !name.contains("2024-03-01")).collect::<Vec<_>>();
    let before = other(names(&bench));
    done(&replay(&bench, &[DAYS[0]]));
    let of_day: Vec<String> = names(&bench).into_iter().filter(|name| name.contains("2024-03-01")).collect();
    assert_eq!(of_day, TABLES.map(|table| part(table, "2024-03-01", 0)), "parts of two would count twice beside it");
    assert_eq!(other(names(&bench)), before);
    // The same input gives the same rows; only the time of measuring differs, in the file that says it.
    let first = files(&bench.path("market"));
    done(&replay(&bench, &[DAYS[0]]));
    let again = files(&bench.path("market"));
    let differ: Vec<&PathBuf> = first.keys().filter(|name| again.get(*name) != first.get(*name)).collect();
    assert_eq!(differ, [Path::new(&part("daily", "2024-03-01", 0))]);
    // A run that fails leaves what was there.
    fs::write(bench.path("bad.csv"), "seq,time\n1,2\n").unwrap();
    assert_eq!(replay(&bench, &[DAYS[0], "bad.csv"]).status.code(), Some(1));
    assert_eq!(files(&bench.path("market")), again);
}

#[test]
fn parts_that_do_not_belong_together_are_named() {
    let bench = Bench::of_small(&DAYS);
    for shard in ["0/2", "1/2"] {
        done(&replay(&bench, &["--shard", shard, DAYS[0]]));
    }
    let refused = |expected: &str| {
        let output = bench.run(&["report", "--registry", "registry", "--month", "2024-03", "--from-dataset", "market"]);
        assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    };
    let [daily, breaches] = ["daily", "breaches"].map(|table| bench.path("market").join(part(table, "2024-03-01", 1)));
    let (whole, of_breaches) = (fs::read(&daily).unwrap(), fs::read(&breaches).unwrap());
    fs::remove_file(&daily).unwrap();
    refused("2024-03-01: no part of shard 1/2");
    fs::write(&daily, &whole[..whole.len() - 1]).unwrap();
    refused("part-1.parquet: is not whole");
    fs::write(&daily, &whole).unwrap();
    fs::copy(bench.path("market").join(part("breaches", "2024-03-01", 0)), &breaches).unwrap();
    refused("part-1.parquet: is of another measurement than");
    fs::write(&breaches, &of_breaches).unwrap();
    // One of the two shards measured again up to a time.
    done(&replay(&bench, &["--shard", "1/2", "--until", "10:00", DAYS[0]]));
    refused("was measured with another set of options");
    done(&replay(&bench, &["--shard", "1/2", DAYS[0]]));
    let [of_two, of_three] = ["1/2", "2/3"];
    done(&replay(&bench, &["--shard", of_three, DAYS[0]]));
    assert_eq!(names(&bench).len(), 5, "those of {of_two} have gone: the day is measured in three now");
    refused("2024-03-01: no part of shard 0/3, 1/3");
    let output = bench.run(&["replay", "--registry", "registry", "--shard", "0/2", DAYS[0]]);
    assert_eq!(output.status.code(), Some(2), "a part has to be kept somewhere");
}

#[test]
fn engines_read_it_as_tables() {
    let bench = Bench::of_small(&DAYS);
    done(&replay(&bench, &[&["--out", "out"], &DAYS[..]].concat()));
    let python = std::env::var("QUOTECLOCK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "
import sys
try: import duckdb
except ImportError: print('skipped: duckdb is not there'); sys.exit()
rows = duckdb.sql(\"select date, market_maker, issue, obligation, available_us, fulfilled_us, unknown_us, display_pct \
    from read_parquet('market/daily/**/*.parquet', hive_partitioning = true) order by all\").fetchall()
assert str(rows[0][0]) == '2024-03-01', rows[0]
mine = [','.join('' if cell is None else str(cell) for cell in row) for row in rows]
theirs = open('out/daily.csv').read().split('\\n')[1:-1]
assert mine == theirs, (mine[:2], theirs[:2])
print(len(mine), 'rows')
";
    let output = Command::new(python).current_dir(bench.path(".")).args(["-c", script]).output();
    let Ok(output) = output else {
        return skipped("no Python");
    };
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    match said.trim_end().strip_prefix("skipped: ") {
        Some(why) => skipped(why),
        None => println!("{said}"),
    }
}
