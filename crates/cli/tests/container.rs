//! The container file, where there is a docker or a podman that works: it is built, and measures a bundled day.

mod support;

use std::process::Command;
use support::{repository, skipped, stderr, stdout};

/// What builds and runs containers here; `None`, said so, where nothing does.
fn program() -> Option<&'static str> {
    let works = |program: &&str| Command::new(program).arg("info").output().is_ok_and(|output| output.status.success());
    let found = ["docker", "podman"].into_iter().find(works);
    if found.is_none() {
        skipped("neither docker nor podman works");
    }
    found
}

#[test]
fn the_container_measures_a_bundled_day() {
    let Some(program) = program() else { return };
    let root = repository("").canonicalize().expect("the repository");
    let built =
        Command::new(program).args(["build", "--tag", "quoteclock-test"]).arg(&root).output().expect("it starts");
    assert!(built.status.success(), "{}", stderr(&built));
    let days = root.join("replay-data/tse-small");
    let mounted = format!("{}:/data:ro", days.display());
    let replay = ["replay", "--registry", "registry", "2024-03-01.csv"];
    let run = ["run", "--rm", "--volume", &mounted, "quoteclock-test"];
    let measured = Command::new(program).args(run).args(replay).output().expect("it starts");
    assert_eq!(measured.status.code(), Some(0), "{}", stderr(&measured));
    assert!(stdout(&measured).contains("98.8184"), "{}", stdout(&measured));
}
