//! What is typed every time: paths from the environment or from `quoteclock.toml` in the current folder.
//!
//! A flag wins over the environment, that over the file. Only paths that are read: a figure never depends on them unseen,
//! and nothing is written to a database that nobody has named.

use crate::BadUsage;
use anyhow::{Context, Result};
use clap::Command;
use clap::builder::ArgPredicate;
use serde::Deserialize;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The name of the file, looked for in the current folder.
const FILE: &str = "quoteclock.toml";
/// The environment's name for the registry.
const REGISTRY: &str = "QUOTECLOCK_REGISTRY";
/// The environment's name for the database.
const DB: &str = "QUOTECLOCK_DB";
/// The commands that only read the database.
const READERS: [&str; 4] = ["report", "status", "days", "tiers"];

/// What the file says.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Folder of the registry.
    registry: Option<PathBuf>,
    /// Database of measured days.
    db: Option<PathBuf>,
}

/// The command line with what need not be typed.
///
/// # Errors
/// If the file is there and not right.
pub(crate) fn with_settings(command: Command) -> Result<Command> {
    let Settings { registry, db } = read(Path::new(FILE))?;
    Ok(command.mut_subcommands(|command| {
        let reads_database = READERS.contains(&command.get_name());
        let command = offer(command, "registry", REGISTRY, registry.as_deref());
        let command = if reads_database { offer(command, "db", DB, db.as_deref()) } else { command };
        in_place_of_database(command)
    }))
}

/// Where a dataset is read no database has to be named.
fn in_place_of_database(command: Command) -> Command {
    const DATASET: &str = "from_dataset";
    if command.get_arguments().all(|argument| argument.get_id() != DATASET) {
        return command;
    }
    command.mut_arg("db", |argument| {
        let argument = argument.required(false).required_unless_present(DATASET);
        argument.default_value_if(DATASET, ArgPredicate::IsPresent, Some("."))
    })
}

/// Lets an argument, if the command has it, come from the environment or the file.
fn offer(command: Command, name: &'static str, variable: &'static str, setting: Option<&Path>) -> Command {
    let optional = command.get_arguments().find(|known| known.get_id() == name).map(|known| !known.is_required_set());
    match optional {
        // Without it `days` tells less, and is right all the same.
        None | Some(true) => command,
        Some(false) => command.mut_arg(name, |argument| {
            let argument = argument.env(variable).hide_env_values(true);
            match setting {
                Some(setting) => {
                    // The command line lives as long as the program.
                    let setting: &'static OsStr = Box::leak(setting.as_os_str().to_owned().into_boxed_os_str());
                    argument.required(false).default_value(setting).hide_default_value(true)
                }
                None => argument,
            }
        }),
    }
}

fn read(file: &Path) -> Result<Settings> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let problem =
            format!("{}: line {line}: {}, expected registry and db, both paths", file.display(), error.message());
        BadUsage(problem).into()
    })
}
