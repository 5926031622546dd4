//! Tells the program which commit it is built from; `unknown` where there is no checkout of its own.

use std::path::Path;
use std::process::Command;

/// Writes down what it has found out.
pub fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A copy of the sources may lie inside some other project's checkout: then its commit says nothing.
    let is_ours = git(&["ls-files", "--error-unmatch", "build.rs"]).is_some();
    let commit = if is_ours { git(&["rev-parse", "--short=12", "HEAD"]) } else { None };
    println!("cargo::rustc-env=QUOTECLOCK_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    // Both change with every commit and every switch to another branch.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| is_ours && Path::new(path).exists());
        if let Some(path) = path {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// What git says, if there is a git and it has something to say.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
