//! `quoteclock token`: a key to what `serve` shows, and the row by which it is known.

use crate::{BadUsage, Outcome, output};
use anyhow::Result;
use jiff::Timestamp;
use quoteclock_live::{Role, new_token};

/// Make up a token for someone who may ask `serve`.
///
/// The first line printed is the token, to be handed over; the second is the row for the file of tokens, which holds
/// only its hash.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock token --role exchange --name surveillance --expires 2026-12-31T00:00:00Z
  quoteclock token --role market_maker --party MM1 --name 'Ann, desk' --expires 2026-12-31T00:00:00Z | tail -n 1 >> tokens.csv

The file of tokens begins with the line sha256,role,party,name,expires.")]
pub(crate) struct TokenArgs {
    /// What the holder is: exchange, market_maker, asset_manager or operator
    #[arg(long, value_name = "ROLE")]
    role: Role,

    /// The market maker of market_makers.csv, or the asset manager of issues.csv
    #[arg(long, value_name = "NAME", default_value = "")]
    party: String,

    /// Whom the token is given to
    #[arg(long, value_name = "WHO")]
    name: String,

    /// From when on it is worth nothing, at most 400 days ahead
    #[arg(long, value_name = "TIME")]
    expires: Timestamp,
}

/// Runs the command.
pub(crate) fn run(args: &TokenArgs) -> Result<Outcome> {
    let made = new_token(args.role, &args.party, &args.name, args.expires, Timestamp::now());
    let (token, row) = made.map_err(|error| BadUsage(format!("{error:#}")))?;
    output::print(&format!("{token}\n{row}\n"))?;
    Ok(Outcome::Done)
}
