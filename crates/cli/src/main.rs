//! The command `quoteclock`: what was typed, resolved once, handed to the crates that do the work, and printed.
//!
//! One file per subcommand. Exit codes: 0 done, 1 bad input, 2 bad usage, 3 done but incomplete (a lenient run set records
//! aside, a month has trading days that are not measured). Deliberately absent: any rule of measurement.

mod again;
mod args;
mod beside;
mod check;
mod choice;
mod closing;
mod compare;
mod convert;
mod coverage;
#[cfg_attr(not(feature = "parquet"), path = "no_dataset.rs")]
mod dataset;
mod day_pages;
mod days;
mod documents;
mod etf;
mod explain;
mod generate;
mod how;
mod init;
mod list;
mod manuals;
mod merge;
mod month;
mod month_page;
mod output;
mod paper_folders;
mod publication;
mod publish;
mod registry;
#[cfg_attr(not(feature = "objects"), path = "no_remote.rs")]
mod remote;
mod replay;
mod report;
mod schemes;
mod scratch;
mod serve;
mod settings;
mod shard;
mod staging;
mod status;
mod stored_day;
mod target;
mod terminal;
mod tiers;
mod token;
mod why;

use args::{Args, Command};
use clap::{CommandFactory, FromArgMatches};
use mimalloc::MiMalloc;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Threads of a day free what others have asked for: with the system's allocator they wait for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// More than the allocator has at hand when a program starts.
const MORE_THAN_AT_HAND_BYTES: usize = 1 << 26;

/// Has the allocator take its gigabyte of addresses now, by the main thread. It asks for large pages for them only where it is
/// the main thread that needs them first: left to whichever thread comes first, a day of 4,000 issues touched twenty times as
/// many pages and took a seventh longer. No memory is used before it is written to.
fn take_addresses() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(MORE_THAN_AT_HAND_BYTES)));
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All of it was done.
    Done,
    /// The input is bad, as has been printed.
    BadInput,
    /// It was done as far as damaged input allows.
    Incomplete,
    /// A threshold that was asked for is not met.
    BelowThreshold,
    /// Two results differ.
    Differs,
}

/// What was typed makes no sense, though each word of it does.
#[derive(Debug)]
pub(crate) struct BadUsage(pub(crate) String);

impl std::fmt::Display for BadUsage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadUsage {}

fn main() -> ExitCode {
    take_addresses();
    let args = match settings::with_settings(Args::command()) {
        Ok(command) => command.try_get_matches().and_then(|matches| Args::from_arg_matches(&matches)),
        Err(error) => return failed(&error),
    };
    let args = match args {
        Ok(args) => args,
        // What was asked for, such as --help, is a result like any other.
        Err(error) if !error.use_stderr() => return print_asked(&error),
        Err(error) => error.exit(),
    };
    quoteclock_store::on_waiting(|| {
        terminal::print_warning("waiting for another program that is writing to the database");
    });
    let result = match &args.command {
        Command::Replay(replay) => replay::run(replay),
        Command::Report(report) => report::run(report),
        Command::Status(status) => status::run(status),
        Command::Days(days) => days::run(days),
        Command::Check(check) => check::run(check),
        Command::Compare(compare) => compare::run(compare),
        Command::Convert(convert) => convert::run(convert),
        Command::Generate(generate) => generate::run(generate),
        Command::Explain(explain) => explain::run(explain),
        Command::Etf(etf) => etf::run(etf),
        Command::Tiers(tiers) => tiers::run(tiers),
        Command::List(list) => list::run(list),
        Command::Merge(merge) => merge::run(merge),
        Command::Init(init) => init::run(init),
        Command::Schemes(schemes) => schemes::run(schemes),
        Command::Serve(serve) => serve::run(serve),
        Command::Publish(publish) => publish::run(publish),
        Command::Token(token) => token::run(token),
        Command::Manuals(manuals) => manuals::run(manuals, Args::command()),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::BadInput) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(3),
        Ok(Outcome::BelowThreshold | Outcome::Differs) => ExitCode::from(4),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Prints a help or the version.
fn print_asked(text: &clap::Error) -> ExitCode {
    let printed = output::stdout().and_then(|mut stdout| {
        text.print()?;
        stdout.flush()
    });
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            failed(&anyhow::Error::new(error).context("writing to standard output"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints what is wrong.
fn failed(error: &anyhow::Error) -> ExitCode {
    terminal::print_error(&terminal::error_text(error));
    let is_usage = error.is::<BadUsage>() || error.is::<quoteclock_live::BadUsage>();
    ExitCode::from(if is_usage { 2 } else { 1 })
}

/// Whether whoever reads our output has had enough of it.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io_error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
