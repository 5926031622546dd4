//! Makes up trading days: valid, realistic enough to measure, as large as asked for, the same on every machine.
//!
//! The idea: a market is a few hundred bytes an issue and some numbers a market maker, and a day is what happens when two
//! things run it, whichever is due first: timers, and a flow of orders whose pace is set by the events still to be made.
//! So a day of a billion events takes no more memory than its live orders, and ends with exactly as many events as were
//! asked for. All arithmetic is on integers, and nothing depends on hashing, threads or the machine.
//!
//! [`generate`] writes events through any [`EventWriter`]; [`registry`] is what the files of a registry say of the same
//! market. `docs/GENERATOR.md` describes the model and compares it with real days.
//!
//! Deliberately absent: files, formats, and any judgement of quotes. What the days are measured to be is not known here.

mod agent;
mod auction;
mod book;
mod calendar;
mod day;
mod flow;
mod grid;
mod maker;
mod names;
mod options;
mod orders;
mod output;
mod pace;
mod random;
mod registry;
mod timers;
mod world;

pub use options::{FastMarket, Load, Options};
pub use output::Counts;
pub use registry::registry;

use day::DayMaker;
use quoteclock_feed::EventWriter;
use quoteclock_model::{IssueCode, IssueIndex, ServerIndex};
use std::io;
use world::World;

/// What has been generated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Events written.
    pub events: u64,
    /// The most orders that were live at once.
    pub live_orders_max: u64,
    /// Events of each kind.
    pub counts: Counts,
}

/// Generates a day and hands it to `writer`, in order: every issue, every server, then the events, numbered from 1. The
/// caller finishes the writer.
///
/// # Errors
/// Those of the writer, and [`io::ErrorKind::InvalidInput`] if the options are out of range.
///
/// # Panics
/// Never, unless there is a bug in the generator.
pub fn generate<W: EventWriter>(options: &Options, writer: &mut W) -> io::Result<Summary> {
    options.check()?;
    let world = World::new(options);
    for (index, issue) in (0..).zip(&world.issues) {
        let code = IssueCode::new(issue.code.as_bytes()).expect("codes are made of letters and digits");
        writer.issue(IssueIndex(index), &code)?;
    }
    for (index, server) in (0..).zip(&world.servers) {
        writer.server(ServerIndex(index), &server.name)?;
    }
    DayMaker::new(options, &world, writer)?.run()
}
