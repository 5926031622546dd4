//! The recipes for many machines, run as they stand: Ray and Spark on this machine, the tasks of a job array as Slurm would start them,
//! and a manifest for Kubernetes. Skipped, saying so, where an engine is not there.
#![cfg(all(unix, feature = "parquet"))]
#![allow(clippy::unwrap_used, reason = "helpers are part of the tests")]

mod support;

use std::fs;
use std::process::{Command, Output};
use support::{Bench, repository, skipped, stderr, stdout};

const DAYS: [&str; 2] = ["2024-03-01.csv", "2024-03-04.csv"];

/// Python, if it has some modules.
fn python(modules: &str) -> Option<String> {
    let python = std::env::var("QUOTECLOCK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = format!("import {modules}");
    let found = Command::new(&python).args(["-c", &script]).output().is_ok_and(|output| output.status.success());
    if !found {
        skipped(format_args!("Python has not all of {modules}"));
    }
    found.then_some(python)
}

fn small() -> Bench {
    let bench = Bench::of_small(&DAYS);
    let output =
        bench.run(&[&["replay", "--registry", "registry", "--db", "whole.db", "--out", "out"], &DAYS[..]].concat());
    done(&output);
    bench
}

fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(output), stderr(output));
}

fn program() -> String {
    assert_cmd::cargo::cargo_bin!("quoteclock").to_str().unwrap().to_owned()
}

fn report(bench: &Bench, db: &str) -> String {
    let output = bench.run(&["report", "--registry", "registry", "--month", "2024-03", "--db", db]);
    assert_eq!(output.status.code(), Some(3), "days of the month are missing: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn ray_measures_in_shards_and_merges() {
    let Some(python) = python("ray") else { return };
    let bench = small();
    let recipe = repository("recipes/ray/measure.py");
    let output = Command::new(python)
        .current_dir(bench.path("."))
        .arg(recipe)
        .args(["--quoteclock", &program(), "--registry", "registry", "--parts", "parts", "--db", "market.db"])
        .args(["--shards", "2"])
        .args(DAYS)
        .env("RAY_USAGE_STATS_ENABLED", "0")
        .output()
        .unwrap();
    done(&output);
    assert_eq!(fs::read_dir(bench.path("parts")).unwrap().count(), 4, "two shards of two days");
    assert_eq!(report(&bench, "market.db"), report(&bench, "whole.db"));
}

#[test]
fn ray_measures_again_what_was_killed() {
    let Some(python) = python("ray") else { return };
    let bench = small();
    // The first process that is started for a part kills itself, as a machine without memory would have it.
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = replay ] && mkdir killed 2>/dev/null; then kill -9 $$; fi\nexec {} \"$@\"\n",
        program()
    );
    bench.write("quoteclock.sh", script.as_bytes());
    fs::set_permissions(bench.path("quoteclock.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let wrapper = bench.path("quoteclock.sh");
    let folder = bench.path(".").canonicalize().unwrap();
    let script =
        fs::read_to_string(&wrapper).unwrap().replace("mkdir killed", &format!("mkdir {}/killed", folder.display()));
    fs::write(&wrapper, script).unwrap();
    let output = Command::new(python)
        .current_dir(bench.path("."))
        .arg(repository("recipes/ray/measure.py"))
        .args(["--quoteclock", wrapper.to_str().unwrap(), "--registry", folder.join("registry").to_str().unwrap()])
        .args(["--parts", folder.join("parts").to_str().unwrap(), "--db", "market.db"])
        .args(DAYS.map(|day| folder.join(day)))
        .env("RAY_USAGE_STATS_ENABLED", "0")
        .output()
        .unwrap();
    done(&output);
    assert!(bench.path("killed").is_dir(), "a process was killed");
    assert_eq!(report(&bench, "market.db"), report(&bench, "whole.db"));
}

#[test]
fn spark_has_the_rows_of_daily_csv() {
    let Some(python) = python("pyspark, pandas, pyarrow") else { return };
    if !Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success()) {
        return skipped("Spark needs Java, which is not there");
    }
    let bench = small();
    let folder = bench.path(".").canonicalize().unwrap();
    let output = Command::new(&python)
        .current_dir(bench.path("."))
        .arg(repository("recipes/spark/measure.py"))
        .args(["--quoteclock", &program(), "--registry", folder.join("registry").to_str().unwrap(), "--out", "daily"])
        .args(DAYS.map(|day| folder.join(day)))
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .output()
        .unwrap();
    done(&output);
    let script = "import pyarrow.parquet, sys\n\
        rows = pyarrow.parquet.read_table('daily').to_pylist()\n\
        print('\\n'.join(sorted(','.join('' if cell is None else str(cell) for cell in row.values()) for row in rows)))\n";
    let output = Command::new(&python).current_dir(bench.path(".")).args(["-c", script]).output().unwrap();
    done(&output);
    let mut expected: Vec<String> = bench.read("out/daily.csv").lines().skip(1).map(str::to_owned).collect();
    expected.sort();
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn tasks_of_a_job_array_measure_a_shard_each() {
    let bench = small();
    let recipe = repository("recipes/slurm/measure.sh");
    let submitted = Command::new("sbatch").arg("--version").output().is_ok_and(|output| output.status.success());
    if !submitted {
        skipped("Slurm is not there; its tasks are started as it would");
    }
    let mut parts = Vec::new();
    // An array need not begin at 0.
    for task in 5..8 {
        let output = Command::new("bash")
            .current_dir(bench.path("."))
            .arg(&recipe)
            .args(["registry", "parts"])
            .args(DAYS)
            .envs([("SLURM_ARRAY_TASK_ID", task.to_string().as_str()), ("SLURM_ARRAY_TASK_MIN", "5")])
            .envs([("SLURM_ARRAY_TASK_COUNT", "3"), ("QUOTECLOCK", &program())])
            .output()
            .unwrap();
        done(&output);
        parts.push(format!("parts/{task}.db"));
    }
    let mut arguments = vec!["merge", "--db", "market.db"];
    arguments.extend(parts.iter().map(String::as_str));
    done(&bench.run(&arguments));
    assert_eq!(report(&bench, "market.db"), report(&bench, "whole.db"));
    let output = Command::new("bash").arg(&recipe).args(["registry", "parts"]).output().unwrap();
    assert!(stderr(&output).contains("expected a job array"), "{}", stderr(&output));
}

#[test]
fn the_manifest_for_kubernetes_is_one_and_has_as_many_pods_as_shards() {
    let manifest = fs::read_to_string(repository("recipes/kubernetes/job.yaml")).unwrap();
    let value = |key: &str| {
        let line = manifest.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap_or_else(|| panic!("{key}"));
        line.trim().to_owned()
    };
    assert_eq!(value("- --shard=auto/"), value("completions:"), "every shard has its pod, once");
    assert_eq!(value("completionMode:"), "Indexed");
    // Its command is one of this program: nothing is asked of a store before the number of the pod is known.
    let arguments: Vec<&str> = manifest
        .lines()
        .skip_while(|line| line.trim() != "args:")
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- "))
        .collect();
    let bench = Bench::new();
    let output = bench.command(&arguments).env_remove("JOB_COMPLETION_INDEX").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("none of SLURM_ARRAY_TASK_ID"), "{}", stderr(&output));
    let Some(python) = python("kubernetes_validate") else { return };
    let script = "import sys, yaml, kubernetes_validate\n\
        kubernetes_validate.validate(yaml.safe_load(open(sys.argv[1])), '1.31', strict=True)\n";
    let output =
        Command::new(python).args(["-c", script]).arg(repository("recipes/kubernetes/job.yaml")).output().unwrap();
    done(&output);
}
