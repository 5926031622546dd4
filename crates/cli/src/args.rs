//! What can be typed: the commands, whose arguments stand with each of them.

use crate::check::CheckArgs;
use crate::compare::CompareArgs;
use crate::convert::ConvertArgs;
use crate::days::DaysArgs;
use crate::etf::EtfArgs;
use crate::explain::ExplainArgs;
use crate::generate::GenerateArgs;
use crate::init::InitArgs;
use crate::list::ListArgs;
use crate::manuals::ManualsArgs;
use crate::merge::MergeArgs;
use crate::publish::PublishArgs;
use crate::replay::ReplayArgs;
use crate::report::ReportArgs;
use crate::schemes::SchemesArgs;
use crate::serve::ServeArgs;
use crate::status::StatusArgs;
use crate::tiers::TiersArgs;
use crate::token::TokenArgs;
use clap::{Parser, Subcommand};

/// Says, to the microsecond, how long a market maker's quotes met its obligation.
#[derive(Parser, Debug)]
#[command(
    name = "quoteclock",
    version = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("QUOTECLOCK_COMMIT"), ")"),
    max_term_width = 120,
    after_help = "Exit codes: 0 done, 1 bad input, 2 bad usage, 3 done but incomplete (--lenient set records aside, \
                  a month has trading days that are not measured), 4 a threshold that was asked for is not met \
                  (status --fail-under), or results differ (compare)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Replay(ReplayArgs),
    Report(ReportArgs),
    Status(StatusArgs),
    Days(DaysArgs),
    Check(CheckArgs),
    Compare(CompareArgs),
    Convert(ConvertArgs),
    Generate(GenerateArgs),
    Explain(ExplainArgs),
    Etf(EtfArgs),
    Tiers(TiersArgs),
    List(ListArgs),
    Merge(MergeArgs),
    Init(InitArgs),
    Schemes(SchemesArgs),
    Serve(ServeArgs),
    Publish(PublishArgs),
    Token(TokenArgs),
    #[command(hide = true)]
    Manuals(ManualsArgs),
}
