//! Paths that need not be typed: a flag wins over the environment, that over the file.

use std::path::Path;
use std::process::{Command, Output};

/// `check` in a folder of its own, with this environment, file and flag.
fn check(variable: Option<&str>, file: Option<&str>, flag: Option<&str>) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if let Some(text) = file {
        std::fs::write(folder.path().join("quoteclock.toml"), text).expect("a temporary file");
    }
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.current_dir(folder.path()).env_remove("QUOTECLOCK_REGISTRY").arg("check");
    if let Some(value) = variable {
        command.env("QUOTECLOCK_REGISTRY", value);
    }
    if let Some(value) = flag {
        command.args(["--registry", value]);
    }
    command.output().expect("quoteclock runs")
}

fn bundled() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../replay-data/tse-small/registry");
    folder.canonicalize().expect("the bundled registry").display().to_string()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let good = bundled();
    let file = |path: &str| format!("registry = \"{path}\"\n");
    for (variable, file, flag, named) in [
        (None, None, Some(&*good), None),
        (Some(&*good), None, None, None),
        (None, Some(file(&good)), None, None),
        (Some("/variable"), Some(file("/file")), Some(&*good), None),
        (Some(&*good), Some(file("/file")), None, None),
        (Some("/variable"), Some(file("/file")), Some("/flag"), Some("/flag")),
        (Some("/variable"), Some(file("/file")), None, Some("/variable")),
        (None, Some(file("/file")), None, Some("/file")),
    ] {
        let output = check(variable, file.as_deref(), flag);
        match named {
            None => assert_eq!(output.status.code(), Some(0), "{}", error(&output)),
            Some(named) => {
                assert_eq!(output.status.code(), Some(1));
                assert!(error(&output).contains(&format!("registry {named}: not a folder")), "{}", error(&output));
            }
        }
    }
    let output = check(None, None, None);
    assert_eq!(output.status.code(), Some(2), "nothing names a registry");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() {
    let output = check(None, Some("db = \"a.db\"\nthreads = 2\n"), Some(&bundled()));
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("quoteclock.toml: line 2: unknown field `threads`"), "{}", error(&output));
}

#[test]
fn a_database_is_written_to_only_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("days.db");
    let day = Path::new(&bundled()).join("../2024-03-01.csv");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    command.env("QUOTECLOCK_DB", &db).env("QUOTECLOCK_REGISTRY", bundled()).arg("replay").arg(day);
    assert!(command.status().expect("quoteclock runs").success());
    assert!(!db.exists());
}

#[test]
fn completions_and_man_pages_name_every_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("quoteclock"));
    let output = command.arg("manuals").arg("--out").arg(folder.path()).output().expect("quoteclock runs");
    assert!(output.status.success(), "{}", error(&output));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    for file in ["completions/quoteclock.bash", "completions/_quoteclock", "completions/quoteclock.fish"] {
        assert!(read(file).contains("explain"), "{file}");
    }
    assert!(read("man1/quoteclock.1").contains("microsecond"));
    assert!(read("man1/quoteclock-replay.1").contains("registry"));
}
