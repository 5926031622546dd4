//! `quoteclock init`: a registry to start from.

use crate::registry::{Ready, ready};
use crate::{BadUsage, Outcome, output, scratch::Scratch};
use anyhow::{Context, Result};
use quoteclock_rules::{FILE_NAMES, templates};
use std::fs;
use std::path::{Path, PathBuf};

/// Make a registry to start from: every file with its header, an example of each in a README, and the exchange's own
/// figures.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock init registry
  quoteclock check --registry registry

The folder must be new or empty. It has the holidays of the Tokyo Stock Exchange from 2018 to 2027, and in templates/ all \
tables of matching funds and the indices for diversified investment.")]
pub(crate) struct InitArgs {
    /// Folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Start under a ready scheme (`quoteclock schemes` lists them)
    #[arg(long, value_name = "NAME", value_parser = ready)]
    scheme: Option<Ready>,
}

const README: &str = include_str!("../templates/README.md");
const SCHEME: &str = include_str!("../templates/scheme.toml");

/// Runs the command.
pub(crate) fn run(args: &InitArgs) -> Result<Outcome> {
    let folder = &args.folder;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BadUsage(format!("{}: is there and not empty, expected a new folder", folder.display())).into());
    }
    let making = || format!("making the folder {}", folder.display());
    fs::create_dir_all(folder).with_context(making)?;
    // Written aside, so that a folder is there whole or empty.
    let aside = Scratch::within(folder)?;
    fs::create_dir(aside.path().join("templates")).with_context(making)?;
    for (name, content) in files(args.scheme) {
        write(&aside.path().join(&name), &content)?;
    }
    let top = names(args.scheme).chain(["README.md", "templates"]);
    for name in top {
        fs::rename(aside.path().join(name), folder.join(name)).with_context(making)?;
    }
    let names: Vec<String> = files(args.scheme).into_iter().map(|(name, _)| name).collect();
    output::print(&format!("written to {}: {}\n", folder.display(), names.join(", ")))?;
    Ok(Outcome::Done)
}

fn write(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}

/// The files of a registry; Tokyo's scheme leaves out no day.
fn names(scheme: Option<Ready>) -> impl Iterator<Item = &'static str> {
    FILE_NAMES.into_iter().filter(move |&name| name != EXCLUDED_DAYS || scheme.is_some())
}

const EXCLUDED_DAYS: &str = "excluded_days.csv";

/// Names and content: every file of a registry, the README, the templates.
fn files(scheme: Option<Ready>) -> Vec<(String, String)> {
    let content = |name: &str| match (name, scheme) {
        ("scheme.toml", Some(ready)) => ready.text.to_owned(),
        ("scheme.toml", None) => SCHEME.to_owned(),
        ("issues.csv", Some(ready)) => issues_header(ready.text),
        ("holidays.csv", Some(_)) => "date,name\n".to_owned(),
        ("holidays.csv", None) => templates::HOLIDAYS.to_owned(),
        (EXCLUDED_DAYS, _) => "date,issue,market_maker,reason,only_if_failed\n".to_owned(),
        // Its example begins with its header, as of every file.
        _ => format!("{}\n", header(name)),
    };
    let mut files: Vec<(String, String)> = names(scheme).map(|name| (name.to_owned(), content(name))).collect();
    files.push(("README.md".to_owned(), README.to_owned()));
    files.push(("templates/matching_funds.csv".to_owned(), templates::MATCHING_FUNDS.to_owned()));
    files.push(("templates/diversified_indices.csv".to_owned(), templates::DIVERSIFIED_INDICES.to_owned()));
    files
}

/// The header of `issues.csv` under the scheme of another venue: with the columns that its limits are read from.
fn issues_header(scheme: &str) -> String {
    let own = [
        ("limits_from = \"issue\"", ",max_spread_bps,min_value,min_quantity"),
        ("min_quantity_from_value = \"reference\"", ",reference_price"),
        ("windows_from = \"issue\"", ",windows"),
    ];
    let columns: String = own.iter().filter(|(key, _)| scheme.contains(key)).map(|(_, columns)| *columns).collect();
    format!("issue,name,type,tick_table,trading_unit{columns},from,to\n")
}

/// The header of a file: the first line of its example in the README.
fn header(name: &str) -> &'static str {
    let after = README.split_once(&format!("**{name}**")).and_then(|(_, after)| after.split_once("```\n"));
    after.and_then(|(_, example)| example.lines().next()).expect("the README has an example of every file")
}
