//! Where outputs go, and what becomes of what was there: devices, pipes, links, modes, names in the way, signals.
#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Bench, GOOD, day_text, notes, skipped, stderr, stdout};

/// The day as `convert` writes it.
fn canonical(bench: &Bench) -> String {
    let output = bench.run(&["convert", "day.csv", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

fn with_a_day() -> Bench {
    let bench = Bench::new();
    bench.day("day.csv", &GOOD);
    bench
}

/// A command that makes files is there; says that the test is skipped where it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skipped(format_args!("{program} is not there"));
    }
    found
}

fn fifo(bench: &Bench, name: &str) {
    assert!(Command::new("mkfifo").arg(bench.path(name)).status().expect("mkfifo runs").success());
}

#[test]
fn a_pipe_is_written_straight_and_stays_a_pipe() {
    if !has("mkfifo") {
        return;
    }
    let bench = with_a_day();
    let expected = canonical(&bench);
    fifo(&bench, "pipe.csv");
    let path = bench.path("pipe.csv");
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    assert_eq!(bench.run(&["convert", "day.csv", "pipe.csv"]).status.code(), Some(0));
    assert_eq!(reader.join().unwrap(), expected);
    assert!(fs::symlink_metadata(bench.path("pipe.csv")).unwrap().file_type().is_fifo());

    fifo(&bench, "page.html");
    let path = bench.path("page.html");
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    let explain =
        ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "--html", "page.html"];
    assert_eq!(bench.run(&[&explain[..], &["day.csv"]].concat()).status.code(), Some(0));
    assert!(reader.join().unwrap().trim_end().ends_with("</html>"));

    fs::create_dir(bench.path("out")).unwrap();
    fifo(&bench, "out/daily.csv");
    let path = bench.path("out/daily.csv");
    let reader = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    assert_eq!(bench.replay(&["day.csv"]).status.code(), Some(0));
    assert_eq!(reader.join().unwrap().lines().count(), 3);
    assert!(fs::symlink_metadata(bench.path("out/daily.csv")).unwrap().file_type().is_fifo());
}

#[test]
fn a_device_stays_a_device() {
    let bench = with_a_day();
    // A stand-in: nobody shall lose the real one to a test that fails.
    let null = bench.path("null");
    let made = Command::new("mknod").arg(&null).args(["c", "1", "3"]).stderr(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        return skipped("devices cannot be made here");
    }
    for arguments in [
        &["convert", "--form", "csv", "day.csv", "null"][..],
        &["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306", "--html", "null", "day.csv"],
    ] {
        let output = bench.run(arguments);
        // Where devices of a folder mean nothing, opening it fails; it stays all the same.
        let is_refused = stderr(&output).contains("null");
        assert!(output.status.code() == Some(0) || is_refused, "{}", stderr(&output));
        assert!(fs::symlink_metadata(&null).unwrap().file_type().is_char_device());
    }
}

#[test]
fn standard_output_by_another_name_is_written_straight() {
    let bench = with_a_day();
    let expected = canonical(&bench);
    symlink("/dev/stdout", bench.path("link.csv")).unwrap();
    for name in ["/dev/stdout", "/dev/fd/1", "link.csv"] {
        let output = bench.run(&["convert", "day.csv", name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        assert_eq!(stdout(&output), expected, "{name}");
        // What stands in the file before it stays.
        let before = bench.write("collected.txt", b"before\n");
        let collected = File::options().append(true).open(&before).unwrap();
        let status = bench.command(&["convert", "day.csv", name]).stdout(collected).status().unwrap();
        assert_eq!(status.code(), Some(0));
        assert_eq!(bench.read("collected.txt"), format!("before\n{expected}"), "{name}");
    }
}

#[test]
fn links_are_followed_and_modes_are_kept() {
    let bench = with_a_day();
    let expected = canonical(&bench);
    fs::create_dir(bench.path("elsewhere")).unwrap();
    bench.write("elsewhere/real.csv", b"old\n");
    fs::set_permissions(bench.path("elsewhere/real.csv"), PermissionsExt::from_mode(0o600)).unwrap();
    symlink("elsewhere/real.csv", bench.path("link.csv")).unwrap();
    symlink("elsewhere/new.csv", bench.path("dangling.csv")).unwrap();
    for name in ["link.csv", "dangling.csv"] {
        assert_eq!(bench.run(&["convert", "day.csv", name]).status.code(), Some(0));
        assert!(fs::symlink_metadata(bench.path(name)).unwrap().is_symlink());
    }
    let mode = |name: &str| bench.path(name).metadata().unwrap().mode() & 0o777;
    assert_eq!((bench.read("elsewhere/real.csv"), mode("elsewhere/real.csv")), (expected.clone(), 0o600));
    assert_eq!(bench.read("elsewhere/new.csv"), expected);

    fs::create_dir(bench.path("out")).unwrap();
    bench.write("elsewhere/daily.csv", b"old\n");
    fs::set_permissions(bench.path("elsewhere/daily.csv"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("../elsewhere/daily.csv", bench.path("out/daily.csv")).unwrap();
    bench.write("out/breaches.csv", b"old\n");
    fs::set_permissions(bench.path("out/breaches.csv"), PermissionsExt::from_mode(0o600)).unwrap();
    let output = bench.replay(&["day.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(fs::symlink_metadata(bench.path("out/daily.csv")).unwrap().is_symlink());
    assert_eq!((mode("elsewhere/daily.csv"), mode("out/breaches.csv")), (0o640, 0o600));
    assert!(bench.read("elsewhere/daily.csv").starts_with("date,market_maker"));
    assert_eq!(fs::read_dir(bench.path("elsewhere")).unwrap().count(), 3, "nothing else is left");
}

#[test]
fn an_output_that_is_an_input_is_bad_usage_by_any_name() {
    let bench = with_a_day();
    let before = bench.read("day.csv");
    symlink("day.csv", bench.path("link.csv")).unwrap();
    fs::hard_link(bench.path("day.csv"), bench.path("second.csv")).unwrap();
    symlink("day.csv", bench.path("daily.csv")).unwrap();
    fs::hard_link(bench.path("registry/issues.csv"), bench.path("page.html")).unwrap();
    let explain = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306"];
    for arguments in [
        &["convert", "day.csv", "day.csv"][..],
        &["convert", "day.csv", "./registry/../day.csv"],
        &["convert", "day.csv", "link.csv"],
        &["convert", "link.csv", "second.csv"],
        &["convert", "absent.csv", "absent.csv"],
        &["replay", "--registry", "registry", "--db", "day.csv", "day.csv"],
        &["replay", "--registry", "registry", "--db", "second.csv", "day.csv"],
        &["replay", "--registry", "registry", "--db", "registry/issues.csv", "day.csv"],
        &["replay", "--registry", "registry", "--out", ".", "day.csv"],
        &["replay", "--registry", "registry", "--out", "out", "--db", "out/daily.csv", "day.csv"],
        &[&explain[..], &["--html", "link.csv", "day.csv"]].concat(),
        &[&explain[..], &["--html", "page.html", "day.csv"]].concat(),
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("expected"), "{arguments:?}: {}", stderr(&output));
        assert_eq!(bench.read("day.csv"), before);
    }
    let stdin = || File::open(bench.path("day.csv")).unwrap();
    let output = bench.command(&["convert", "-", "second.csv"]).stdin(stdin()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let append = File::options().append(true).open(bench.path("day.csv")).unwrap();
    let output = bench.command(&["convert", "day.csv", "-"]).stdout(append).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(bench.read("day.csv"), before);
}

#[test]
fn no_page_or_paper_takes_the_place_of_the_database_or_the_registry() {
    let bench = with_a_day();
    assert_eq!(bench.run(&["replay", "--registry", "registry", "--db", "m.db", "day.csv"]).status.code(), Some(0));
    for name in ["monthly.csv", "tiers.csv"] {
        fs::copy(bench.path("m.db"), bench.path(name)).unwrap();
    }
    let before: Vec<(&str, Vec<u8>)> = ["m.db", "monthly.csv", "tiers.csv", "day.csv", "registry/issues.csv"]
        .map(|name| (name, fs::read(bench.path(name)).unwrap()))
        .into();
    let month = |command, db| [command, "--registry", "registry", "--month", "2024-03", "--db", db];
    let explain = ["explain", "--registry", "registry", "--market-maker", "MM1", "--issue", "1306"];
    let stored = ["--db", "m.db", "--date", "2024-03-01", "--html", "m.db"];
    for arguments in [
        [&month("report", "m.db")[..], &["--html", "m.db"]].concat(),
        [&month("report", "m.db")[..], &["--html", "registry/issues.csv"]].concat(),
        [&month("report", "monthly.csv")[..], &["--out", "."]].concat(),
        [&month("tiers", "tiers.csv")[..], &["--out", "."]].concat(),
        [&explain[..], &stored].concat(),
    ] {
        let output = bench.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("is to be read and to be written"), "{}", stderr(&output));
    }
    for stdin in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let mut command = bench.command(&["convert", stdin, "day.csv"]);
        let output = command.stdin(File::open(bench.path("day.csv")).unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{stdin}: {}", stderr(&output));
        let end = fs::OpenOptions::new().append(true).open(bench.path("day.csv")).unwrap();
        let mut command = bench.command(&["convert", "--form", "csv", stdin, "/dev/stdout"]);
        let output = command.stdin(File::open(bench.path("day.csv")).unwrap()).stdout(end).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{stdin}: {}", stderr(&output));
    }
    for (name, bytes) in before {
        assert!(fs::read(bench.path(name)).unwrap() == bytes, "{name} has changed");
    }
}

#[test]
fn names_in_the_way_are_told_before_anything_is_measured() {
    let bench = with_a_day();
    for name in ["daily.csv", "rejects.csv", "daily.parquet"] {
        fs::create_dir_all(bench.path("out").join(name)).unwrap();
        let output = bench.replay(&["--db", "days.db", "day.csv"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(stderr(&output).contains(&format!("out/{name}: is a folder")), "{}", stderr(&output));
        assert!(!bench.path("days.db").exists(), "nothing is stored");
        assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1, "nothing is written");
        fs::remove_dir_all(bench.path("out")).unwrap();
    }
}

#[test]
fn what_an_earlier_run_left_goes_and_other_dates_are_named() {
    let bench = with_a_day();
    bench.write("other.csv", day_text("2024-03-04", &GOOD).as_bytes());
    let output = bench.replay(&["--parquet", "--lenient", "day.csv", "other.csv"]);
    assert_eq!((output.status.code(), notes(&output).as_str()), (Some(0), ""));
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 7);
    let output = bench.replay(&["other.csv"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(notes(&output), "warning: out: results of 2024-03-01 are replaced\n");
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 3, "Parquet and rejects of the earlier run are gone");
    assert_eq!(notes(&bench.replay(&["other.csv"])), "");
}

/// Waits for a folder of what is not finished, in `folder` of the bench, that its maker has locked.
fn wait_for_scratch(bench: &Bench, folder: &str) {
    let began = Instant::now();
    while !scratch(bench, folder).iter().any(|path| path.join("lock").exists()) {
        assert!(began.elapsed() < Duration::from_secs(60), "no temporary folder");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn scratch(bench: &Bench, folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(bench.path(folder)) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".quoteclock-")))
        .collect()
}

/// The program, hearing signals also where whoever runs the tests has them passed over, as a background job has.
fn hearing_signals(bench: &Bench) -> Command {
    let heard = ["--default-signal=INT,TERM,HUP"];
    let probe = Command::new("env").args(heard).arg("true").stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        return bench.command(&[]);
    }
    let mut command = Command::new("env");
    command.current_dir(bench.path(".")).args(heard).arg(bench.command(&[]).get_program());
    command
}

#[test]
fn signals_take_temporary_files_with_them_and_a_later_run_those_of_a_killed_one() {
    use std::os::unix::process::ExitStatusExt;
    let bench = with_a_day();
    fs::create_dir(bench.path("out")).unwrap();
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("KILL", 9)] {
        // Standard input that never ends keeps the run going.
        let mut child = hearing_signals(&bench)
            .args(["replay", "--registry", "registry", "--out", "out", "--db", "out/days.db", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // To wait for a program closes its input: this one is not to end by that.
        let input = child.stdin.take();
        wait_for_scratch(&bench, "out");
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().signal(), Some(number), "ends as the signal would have it");
        drop(input);
        assert_eq!(scratch(&bench, "out").len(), usize::from(signal == "KILL"), "{signal}");
    }
    assert_eq!(bench.replay(&["day.csv"]).status.code(), Some(0));
    assert_eq!(scratch(&bench, "out").len(), 0, "that of the killed run is gone");
}

#[test]
fn a_generated_day_is_there_whole_or_not_at_all() {
    let bench = Bench::new();
    // Far more than the machine makes before it is told to stop.
    let mut child = hearing_signals(&bench)
        .args(["generate", "--events", "1G", "--out", "out"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The registry is there before the day is begun.
    let began = Instant::now();
    while !bench.path("out/registry").is_dir() {
        assert!(began.elapsed() < Duration::from_secs(60), "no registry");
        std::thread::sleep(Duration::from_millis(5));
    }
    wait_for_scratch(&bench, "out");
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    let names: Vec<_> = fs::read_dir(bench.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["registry"]);
    assert_eq!(bench.run(&["check", "--registry", "out/registry"]).status.code(), Some(0), "every file of it is whole");
}

#[test]
fn a_signal_that_was_to_be_passed_over_is() {
    if !cfg!(target_os = "linux") || !has("nohup") {
        return;
    }
    let bench = with_a_day();
    fs::create_dir(bench.path("out")).unwrap();
    let program = bench.command(&[]).get_program().to_owned();
    let mut child = Command::new("nohup")
        .current_dir(bench.path("."))
        .arg(program)
        .args(["replay", "--registry", "registry", "--out", "out", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_scratch(&bench, "out");
    assert!(Command::new("kill").args(["-s", "HUP", &child.id().to_string()]).status().unwrap().success());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), bench.read("day.csv").as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn standard_error_closed_or_full_takes_nothing_from_the_exit_code() {
    let bench = with_a_day();
    bench.day("bad.csv", &["09:00:00,1306,cancel,7,,,,,,,"]);
    for (arguments, code) in [
        (&["replay", "--registry", "registry", "--lenient", "bad.csv"][..], 3),
        (&["replay", "--registry", "registry", "bad.csv"], 1),
        (&["replay", "--registry", "registry", "--threads", "0", "day.csv"], 2),
    ] {
        let full = File::options().write(true).open("/dev/full");
        if let Ok(full) = full {
            let status = bench.command(arguments).stdout(Stdio::null()).stderr(full).status().unwrap();
            assert_eq!(status.code(), Some(code), "{arguments:?} into a full device");
        }
        for closed in ["2>&-", "2>&1 >/dev/null | head -c 0"] {
            let script = format!("set -o pipefail; \"$@\" {closed}");
            let program = bench.command(&[]).get_program().to_owned();
            let mut shell = Command::new("bash");
            shell.current_dir(bench.path(".")).args(["-c", &script, "bash"]).arg(program).args(arguments);
            let Ok(output) = shell.stdout(Stdio::null()).output() else {
                return skipped("no bash");
            };
            assert_eq!(output.status.code(), Some(code), "{arguments:?} {closed}");
        }
    }
}

#[test]
fn a_reader_that_leaves_takes_nothing_from_the_exit_code() {
    let bench = with_a_day();
    bench.day("bad.csv", &["09:00:00,1306,cancel,7,,,,,,,"]);
    for more in [&[][..], &["--json"]] {
        let mut child = bench
            .command(&[&["replay", "--registry", "registry", "--lenient", "bad.csv"][..], more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains("1 bad record was set aside"), "{}", stderr(&output));
    }
}

#[test]
fn a_full_standard_output_says_what_is_stored_all_the_same() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return skipped("no /dev/full");
    };
    let bench = with_a_day();
    for more in [&[][..], &["--json"]] {
        let mut command =
            bench.command(&["replay", "--registry", "registry", "--out", "out", "--db", "days.db", "day.csv"]);
        let output = command.args(more).stdout(full.try_clone().unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(message.contains("standard output") && message.contains("No space left"), "{message}");
        assert!(
            message.contains("stored in days.db: 1 day") && message.contains("written to out: daily.csv"),
            "{message}"
        );
        assert!(bench.path("out/daily.csv").exists());
    }
}

#[test]
fn an_output_that_is_lost_is_no_success() {
    let bench = with_a_day();
    let full = File::options().write(true).open("/dev/full");
    let program = bench.command(&[]).get_program().to_owned();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["help", "replay"],
        &["report", "--help"],
        &["convert", "day.csv", "-"],
        &["convert", "day.csv", "/dev/stdout"],
        &["generate", "--out", "-", "--date", "2024-03-01", "--issues", "1"],
        &["check", "--registry", "registry"],
        &["replay", "--registry", "registry", "day.csv"],
    ] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        if let Ok(full) = &full {
            let output = bench.command(arguments).stdout(full.try_clone().unwrap()).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?} into a full device: {}", stderr(&output));
            assert!(stderr(&output).contains("No space left"), "{arguments:?}: {}", stderr(&output));
        }
        if cfg!(target_os = "linux") {
            let mut shell = Command::new("sh");
            shell.current_dir(bench.path(".")).args(["-c", "exec \"$@\" >&-", "sh"]).arg(&program).args(arguments);
            let output = shell.output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}, closed: {}", stderr(&output));
            assert!(stderr(&output).contains("standard output: it is closed"), "{arguments:?}: {}", stderr(&output));
        }
        // The null device, opened in whichever way, is what was asked for.
        let null = File::options().read(true).write(true).open("/dev/null").unwrap();
        assert_eq!(bench.command(arguments).stdout(null).output().unwrap().status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn warnings_come_before_the_table() {
    let bench = with_a_day();
    bench.day("bad.csv", &["09:00:00,1306,cancel,7,,,,,,,"]);
    let both = File::create(bench.path("both.txt")).unwrap();
    let mut command = bench.command(&["replay", "--registry", "registry", "--lenient", "bad.csv"]);
    let status = command.stdout(both.try_clone().unwrap()).stderr(both).status().unwrap();
    assert_eq!(status.code(), Some(3));
    let text = bench.read("both.txt");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(place("warning: 1 bad record was set aside") < place("market maker"), "{text}");
}

#[test]
fn threads_that_the_system_refuses_are_done_without() {
    let bench = with_a_day();
    let day = bench.read("day.csv");
    bench.write("other.csv", day_text("2024-03-04", &GOOD).as_bytes());
    // The limit counts all processes of a user and does not hold for root: another one, in a folder that it may read.
    let is_root = bench.path("day.csv").metadata().unwrap().uid() == 0;
    if !is_root || !has("setpriv") || !has("prlimit") {
        return skipped("no limit on threads can be set here");
    }
    fs::set_permissions(bench.path("."), PermissionsExt::from_mode(0o777)).unwrap();
    let program = bench.path("quoteclock");
    fs::copy(bench.command(&[]).get_program(), &program).unwrap();
    for (limit, threads) in [("1:1", None), ("1:1", Some("64")), ("4:4", Some("64"))] {
        let mut command = Command::new("setpriv");
        command.current_dir(bench.path("."));
        command.args(["--reuid=65531", "--regid=65531", "--clear-groups", "prlimit", &format!("--nproc={limit}")]);
        command.arg("./quoteclock").args(["replay", "--registry", "registry", "--out", "out"]);
        command.args(threads.iter().flat_map(|threads| ["--threads", threads]));
        let output = command.args(["day.csv", "other.csv"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{limit}: {}", stderr(&output));
        assert_eq!(bench.read("out/daily.csv").lines().count(), 5);
    }
    assert_eq!(bench.read("day.csv"), day);
}

#[test]
fn many_threads_are_taken_as_four_for_each_core_and_none_is_refused_in_words() {
    let bench = with_a_day();
    let output = bench.replay(&["--threads", "2000", "day.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = bench.read("out/daily.csv");
    assert_eq!(bench.replay(&["--threads", "1", "day.csv"]).status.code(), Some(0));
    assert_eq!(bench.read("out/daily.csv"), expected);
    for wrong in ["0", "-1", "two"] {
        let output = bench.replay(&[&format!("--threads={wrong}"), "day.csv"]);
        assert_eq!(output.status.code(), Some(2));
        let message = format!("found \"{wrong}\", expected a number of threads, at least 1");
        assert!(stderr(&output).contains(&message), "{}", stderr(&output));
    }
}

#[test]
fn an_output_without_room_is_told_and_leaves_nothing() {
    let bench = with_a_day();
    fs::create_dir(bench.path("out")).unwrap();
    let mut text = String::new();
    File::open(bench.path("day.csv")).unwrap().read_to_string(&mut text).unwrap();
    let output = bench.run(&["convert", "day.csv", "absent/folder/day.qcev"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("writing to the folder absent/folder"), "{}", stderr(&output));
    assert_eq!(bench.names(), ["day.csv", "out"]);
}
