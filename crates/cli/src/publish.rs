//! `quoteclock publish`: a recorded day, sent as a feed.

use crate::serve::{PayloadArg, credentials, log_to_standard_error, print_ready, session};
use crate::{BadUsage, Outcome};
use anyhow::{Context, Result};
use quoteclock_live::{Payload, Publication, PublishOptions};
use quoteclock_replay::Input;
use serde::Serialize;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Publish a recorded day to any number of clients, as fast as it was, or faster.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock publish --listen soup://127.0.0.1:9000 2024-03-01.csv.zst
  quoteclock publish --listen soup://127.0.0.1:0 --payload binary --speed max 2024-03-01.csv.zst
  quoteclock publish --listen nats://127.0.0.1/MARKET --shards 4 2024-03-01.csv.zst
  quoteclock publish --listen 'mold://127.0.0.1:9001?request=127.0.0.1:9002' --speed 10 01302020.NASDAQ_ITCH50.gz

Each SoupBinTCP client gets the session from the message that it asks for. One JSON line on standard output says what has \
been bound. Runs until it is stopped, so that a client may come back. What a stream has of the session already is not put \
there again.")]
pub(crate) struct PublishArgs {
    /// Where clients connect: soup://ADDR:PORT, or mold://GROUP:PORT?request=ADDR:PORT; or the stream to put the day into:
    /// nats://HOST[:PORT]/STREAM
    #[arg(long, value_name = "ADDR")]
    listen: String,

    /// What one message is [default: as the file is]
    #[arg(long, value_name = "FORM")]
    payload: Option<PayloadArg>,

    /// Name of the session, at most 10 characters [default: QC and the date]
    #[arg(long, value_name = "NAME")]
    session: Option<String>,

    /// For a stream: divide the issues into so many shards, each a session of its own under a subject of its own, in the
    /// binary form
    #[arg(long, value_name = "N", default_value = "1")]
    shards: NonZeroU32,

    /// How many times as fast as the records were, or max: as fast as they are taken
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    speed: Speed,

    /// User that a login has to have, at most 6 characters; needed for whoever is not on this machine. Of a stream: whom its
    /// server asks for
    #[arg(long, value_name = "USER", requires = "password_file")]
    user: Option<String>,

    /// File with the password, at most 10 characters
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// The recorded day: CSV, the binary form or ITCH, plain or compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// How fast; `None` as fast as it is taken.
#[derive(Clone, Copy, Debug)]
struct Speed(Option<u32>);

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(None));
    }
    let number = text.parse().ok().filter(|&number| 0 < number);
    number.map(|number| Speed(Some(number))).ok_or_else(|| "expected a number from 1 on, or max".to_owned())
}

#[derive(Serialize)]
struct ReadyLine {
    ready: bool,
    listen: String,
}

/// Runs the command.
pub(crate) fn run(args: &PublishArgs) -> Result<Outcome> {
    log_to_standard_error();
    let publication = Publication::parse(&args.listen)?;
    let of_login = !matches!(publication, Publication::Nats(_));
    let credentials = credentials(args.user.as_deref(), args.password_file.as_deref(), of_login)?;
    let options = PublishOptions {
        input: Input::named(&args.file),
        publication,
        payload: args.payload.map(Payload::from),
        session: args.session.as_deref().map(session).transpose()?,
        speed: args.speed.0,
        shards: args.shards,
        credentials,
    };
    if let Input::File(path) = &options.input {
        let unreadable = |error| BadUsage(format!("{}: cannot be read: {error}", path.display()));
        std::fs::File::open(path).map_err(unreadable)?;
    }
    let ready = |address: std::net::SocketAddr| print_ready(&ReadyLine { ready: true, listen: address.to_string() });
    quoteclock_live::publish(options, ready, async {
        if let Err(error) = asked_to_end().await {
            eprintln!("error: {error:#}");
        }
    })?;
    Ok(Outcome::Done)
}

/// Waits for TERM or INT.
async fn asked_to_end() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
