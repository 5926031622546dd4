//! `replay --shard` and `merge`: the same days as one replay, byte for byte; nothing else is taken for a day.
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::fs;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use support::{Bench, GOOD, stderr, stdout};

const DAYS: [&str; 2] = ["2024-03-01.csv", "2024-03-04.csv"];

fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

/// Measures a shard of both days: the name of its file.
fn shard(bench: &Bench, index: u32, count: u32) -> String {
    let (shard, file) = (format!("{index}/{count}"), format!("part-{index}-of-{count}.db"));
    let output =
        bench.run(&[&["replay", "--registry", "registry", "--shard", &shard, "--db", &file], &DAYS[..]].concat());
    done(&output);
    assert!(stdout(&output).contains(&format!("stored in {file}: shard {shard} of 2 days")), "{}", stdout(&output));
    file
}

/// All rows of the tables of days.
fn rows(bench: &Bench, file: &str) -> String {
    let connection = rusqlite::Connection::open(bench.path(file)).unwrap();
    let mut text = String::new();
    for table in ["days", "interpretations", "results", "breaches", "turnovers", "market_turnovers"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            text.push_str(&format!("{table} {}\n", values.join(" ")));
        }
    }
    text
}

#[test]
fn merged_days_are_those_of_one_replay() {
    let bench = Bench::of_small(&DAYS);
    let whole =
        bench.run(&[&["replay", "--registry", "registry", "--db", "whole.db", "--out", "out"], &DAYS[..]].concat());
    done(&whole);
    for count in [1, 3] {
        let parts: Vec<String> = (0..count).map(|index| shard(&bench, index, count)).collect();
        let (db, out) = (format!("merged-{count}.db"), format!("merged-{count}"));
        let mut arguments = vec!["merge", "--db", &db, "--out", &out, "--registry", "registry"];
        arguments.extend(parts.iter().map(String::as_str));
        let output = bench.run(&arguments);
        done(&output);
        assert!(stdout(&output).contains(&format!("stored in {db}: 2 days")), "{}", stdout(&output));
        assert_eq!(rows(&bench, &db), rows(&bench, "whole.db"));
        for name in ["daily.csv", "breaches.csv", "outages.csv"] {
            assert_eq!(bench.read(&format!("{out}/{name}")), bench.read(&format!("out/{name}")), "{name}");
        }
        // The month comes out the same, too.
        let report = |db| stdout(&bench.run(&["report", "--registry", "registry", "--db", db, "--month", "2024-03"]));
        assert_eq!(report(&db), report("whole.db"));
    }
}

#[test]
fn a_part_is_taken_for_a_day_by_nobody() {
    let bench = Bench::of_small(&DAYS);
    let part = shard(&bench, 1, 3);
    fs::write(bench.path("tokens.csv"), "sha256,role,party,name,expires\n").unwrap();
    let month = ["--registry", "registry", "--month", "2024-03", "--db", &part];
    let commands: [Vec<&str>; 7] = [
        [&["report"], &month[..]].concat(),
        [&["status"], &month[..]].concat(),
        [&["tiers"], &month[..]].concat(),
        vec!["days", "--db", &part],
        vec!["explain", "--registry", "registry", "--market-maker", "MM1", "--db", &part, "--month", "2024-03"],
        [&["replay", "--registry", "registry", "--db", &part], &DAYS[..]].concat(),
        vec!["serve", "--registry", "registry", "--db", &part, "--journal", "journal", "--feed", "-", "--once"],
    ];
    for arguments in commands {
        let output = bench.command(&arguments).stdin(Stdio::null()).output().unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {:?}", output.status);
        let expected = format!("{part}: holds parts of days, those of shard 1/3");
        assert!(stderr(&output).contains(&expected), "{arguments:?}: {}", stderr(&output));
    }
    // Nor is a day a part, nor the part of one shard that of another.
    let day = &["replay", "--registry", "registry", DAYS[0], "--db"];
    done(&bench.run(&[&day[..], &["day.db"]].concat()));
    for (arguments, expected) in [
        (vec!["merge", "--db", "market.db", "day.db"], "day.db: holds no parts of days"),
        ([&day[..], &["day.db", "--shard", "0/3"]].concat(), "day.db: holds no parts of days"),
        (
            [&day[..], &[part.as_str(), "--shard", "0/3"]].concat(),
            "holds the parts of shard 1/3, expected those of shard 0/3",
        ),
        ([&day[..], &[part.as_str(), "--shard", "1/4"]].concat(), "expected those of shard 1/4"),
    ] {
        let output = bench.run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!bench.path("market.db").exists());
    // What merge makes is no part.
    let output = bench.run(&["merge", "--db", &part, &part]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn what_keeps_parts_from_being_days_is_named() {
    let bench = Bench::of_small(&DAYS);
    let parts = [0, 1, 2].map(|index| shard(&bench, index, 3));
    let refused = |files: &[&str], expected: &[&str]| {
        let output = bench.run(&[&["merge", "--db", "market.db"], files].concat());
        assert_eq!(output.status.code(), Some(1), "{files:?}");
        for expected in expected {
            assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
        }
        assert!(!bench.path("market.db").exists(), "nothing is written");
    };
    let missing = "2024-03-04: no part of shard 1/3, expected one of each shard";
    refused(&[&parts[0], &parts[2]], &["2024-03-01: no part of shard 1/3", missing]);
    fs::copy(bench.path(&parts[0]), bench.path("copy.db")).unwrap();
    let twice = format!("shard 0/3 is in {} and in copy.db, expected each shard once", parts[0]);
    refused(&[&parts[0], &parts[1], &parts[2], "copy.db"], &[&twice]);
    let other = shard(&bench, 0, 2);
    let counts = format!("{} is of shard 1/3, {other} of shard 0/2, expected parts of one number of shards", parts[1]);
    refused(&[&parts[1], &other, &parts[2]], &[&counts]);
    // Each time one part of the three is measured otherwise.
    let again = |name: &str, more: &[&str]| {
        let command = ["replay", "--registry", "registry", "--shard", "2/3", "--db", name];
        bench.run(&[&command[..], more, &DAYS[..]].concat())
    };
    done(&again("until.db", &["--until", "10:00"]));
    let expected =
        format!("until.db was measured with another set of options than {}: \"--until 10:00:00\", not \"\"", parts[0]);
    refused(&[&parts[0], &parts[1], "until.db"], &[&expected]);
    let day = bench.read(DAYS[0]);
    // The same records without the last newline: other bytes.
    fs::write(bench.path(DAYS[0]), day.trim_end()).unwrap();
    done(&again("input.db", &[]));
    fs::write(bench.path(DAYS[0]), &day).unwrap();
    refused(&[&parts[0], &parts[1], "input.db"], &["2024-03-01: input.db was measured with another input"]);
    let holidays = bench.read("registry/holidays.csv");
    fs::write(bench.path("registry/holidays.csv"), holidays.trim_end().to_owned() + "\n2024-12-31,Test\n").unwrap();
    done(&again("registry.db", &[]));
    fs::write(bench.path("registry/holidays.csv"), &holidays).unwrap();
    refused(&[&parts[0], &parts[1], "registry.db"], &["registry.db was measured with another registry"]);
    fs::copy(bench.path(&parts[2]), bench.path("program.db")).unwrap();
    let sql = "UPDATE days SET program_version = '0.0.1', day_sha256 = NULL";
    rusqlite::Connection::open(bench.path("program.db")).unwrap().execute_batch(sql).unwrap();
    // A row that is not what was written is found before anything else is looked at.
    refused(&[&parts[0], &parts[1], "program.db"], &["program.db: the facts of 2024-03-01 have no checksum"]);
    done(&bench.run(&["merge", "--db", "market.db", &parts[2], &parts[0], &parts[1]]));
}

#[test]
fn a_lenient_day_is_merged_with_its_rejects_counted_once() {
    let bench = Bench::new();
    bench.day("day.csv", &[GOOD[0], GOOD[1], "09:10:00,1306,cancel,7,,,,,,,", "09:20:00,1321,cancel,7,,,,,,,"]);
    let replay =
        |more: &[&str]| bench.run(&[&["replay", "--registry", "registry", "--lenient", "day.csv"], more].concat());
    assert_eq!(replay(&["--db", "whole.db"]).status.code(), Some(3));
    let mut arguments = vec!["merge", "--db", "merged.db"];
    let parts = ["0/4", "1/4", "2/4", "3/4"].map(|shard| (shard, format!("{}.db", &shard[..1])));
    for (shard, file) in &parts {
        assert_eq!(replay(&["--shard", shard, "--db", file]).status.code(), Some(3), "every shard says it");
        arguments.push(file);
    }
    let output = bench.run(&arguments);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("2024-03-01: 2 bad records were set aside"), "{}", stderr(&output));
    assert_eq!(rows(&bench, "merged.db"), rows(&bench, "whole.db"));
}

#[test]
fn a_scheduler_of_job_arrays_tells_the_shard() {
    let bench = Bench::of_small(&DAYS);
    let arguments = ["replay", "--registry", "registry", "--shard", "auto/3", "--db", "part.db", DAYS[0]];
    let with = |variables: &[(&str, &str)]| {
        let mut command = bench.command(&arguments);
        for name in ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"]
        {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let output = with(&[("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_MIN", "1")]);
    done(&output);
    assert!(stdout(&output).contains("shard 2/3 of 1 day"), "{}", stdout(&output));
    for (variables, expected) in [
        (&[][..], "none of SLURM_ARRAY_TASK_ID"),
        (&[("JOB_COMPLETION_INDEX", "3")][..], "expected I/N"),
        (&[("AWS_BATCH_JOB_ARRAY_INDEX", "one")][..], "AWS_BATCH_JOB_ARRAY_INDEX is \"one\""),
    ] {
        let output = with(variables);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn a_merge_killed_at_any_moment_stores_all_days_or_none() {
    let bench = Bench::of_small(&DAYS);
    let parts = [0, 1].map(|index| shard(&bench, index, 2));
    let started = Instant::now();
    done(&bench.run(&["merge", "--db", "first.db", &parts[0], &parts[1]]));
    let whole_run = started.elapsed();
    let expected = rows(&bench, "first.db");
    let mut killed = 0;
    for turn in 0..30_u32 {
        let _ = ["", "-wal", "-shm"].map(|ending| fs::remove_file(bench.path(&format!("market.db{ending}"))));
        let mut command = bench.command(&["merge", "--db", "market.db", &parts[0], &parts[1]]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole_run * turn / 30 + Duration::from_micros(500));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        if bench.path("market.db").exists() {
            let output = bench.run(&["days", "--db", "market.db"]);
            assert!(
                ["stored: 0 days", "stored: 2 days"].iter().any(|text| stdout(&output).contains(text)),
                "{}",
                stdout(&output)
            );
        }
    }
    assert!(0 < killed, "no merge was killed before its end");
    done(&bench.run(&["merge", "--db", "market.db", &parts[0], &parts[1]]));
    assert_eq!(rows(&bench, "market.db"), expected);
    // One that was killed before it had locked its folder leaves it, empty, for a day.
    let is_left = |name: &String| name.starts_with(".quoteclock-") && bench.path(name).join("lock").exists();
    assert!(!bench.names().iter().any(is_left), "nothing is left of them: {:?}", bench.names());
}
