//! `quoteclock serve`: a running feed, measured as it comes.

use crate::beside::own_orders_of;
use crate::registry::{self, Ready, RegistryArgs};
use crate::{BadUsage, Outcome, output};
use anyhow::{Context, Result, anyhow};
use jiff::civil::Date;
use quoteclock::{CoverageRow, coverage_json};
use quoteclock_live::{Built, DayEnd, Feed, FrontOptions, Load, Payload, ServeOptions, SessionId, Under};
use quoteclock_model::Shard;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Measure a running feed, and store each day when its session has ended.
///
/// What is received goes into a journal first: after a crash a later start goes on where it stopped, and the day is the
/// same as if nothing had happened. It equals what `replay --lenient` makes of the same records.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  quoteclock serve --registry registry --db market.db --journal journal --feed soup://127.0.0.1:9000 --once
  quoteclock serve --registry registry --db market.db --journal journal --http 127.0.0.1:8600 --tokens tokens.csv \\
      --feed 'mold://239.1.2.3:9001?request=10.0.0.1:9002&b=239.1.2.4:9001&interface=10.0.0.7'
  quoteclock serve --registry registry --db part-0.db --journal journal-0 --feed nats://10.0.0.1/MARKET --shard 0/4 --once
  quoteclock serve --join http://127.0.0.1:8601 --join http://127.0.0.1:8602 --http 127.0.0.1:8600
  tail -F -n +1 orders.csv | quoteclock serve --registry registry --db market.db --journal journal --feed -

One JSON line on standard output says what has been bound; logs go to standard error. Exits with 3 if the day has unknown \
time, or was not finished.")]
pub(crate) struct ServeArgs {
    /// Folder of the registry: scheme, issues, market makers, virtual servers, sign-ups
    #[arg(long, id = "registry", value_name = "DIR", required_unless_present = "join")]
    registry: Option<PathBuf>,

    /// A ready scheme in place of the folder's scheme.toml (`quoteclock schemes` lists them)
    #[arg(long, value_name = "NAME", value_parser = registry::ready)]
    scheme: Option<Ready>,

    /// Database for the measured days (SQLite); made if it is not there
    #[arg(long, value_name = "FILE", required_unless_present = "join")]
    db: Option<PathBuf>,

    /// Folder for the journals; made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present = "join")]
    journal: Option<PathBuf>,

    /// The source: soup://HOST:PORT, mold://GROUP:PORT?request=HOST:PORT[&b=GROUP:PORT][&interface=ADDR],
    /// nats://HOST[:PORT]/STREAM, or - for standard input
    #[arg(long, value_name = "FEED", required_unless_present = "join")]
    feed: Option<String>,

    /// Measure nothing, and show what these processes measure as one page and one API: http://HOST:PORT or https://HOST[:PORT],
    /// one for each shard. Each caller's token is handed on, and shows what they let it see
    #[arg(
        long,
        value_name = "URL",
        requires = "http",
        conflicts_with_all = ["scheme", "own_orders", "db", "journal", "feed", "payload", "shard", "user", "password_file",
            "session", "date", "tokens", "alerts", "alert_log", "keep_days", "replay", "once"]
    )]
    join: Vec<String>,

    /// What one message is [default: the first message tells]
    #[arg(long, value_name = "FORM")]
    payload: Option<PayloadArg>,

    /// Measure the issues of one of N shards only (0/4 to 3/4), as replay does: the database holds parts of days, for merge. Of
    /// a stream nothing else is read; it has to be published in as many shards
    #[arg(long, value_name = "I/N", value_parser = crate::shard::parse)]
    shard: Option<Shard>,

    /// User for SoupBinTCP, at most 6 characters, or for a stream's server
    #[arg(long, value_name = "USER", requires = "password_file")]
    user: Option<String>,

    /// File with the password, at most 10 characters
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// The session to follow [default: the source's current one]
    #[arg(long, value_name = "NAME")]
    session: Option<String>,

    /// Trading date, with --once; otherwise that of the first record, for ITCH the local date of arrival
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,

    /// Sheet of one's own orders (order,server and, if numbers are not unique in the market, issue), for a feed that names
    /// nobody; HUP and a reload have it read again
    #[arg(long, value_name = "FILE")]
    own_orders: Option<PathBuf>,

    /// Answer HTTP here: health, days and the present state; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,

    /// File of tokens (sha256,role,party,name,expires), see quoteclock token
    #[arg(long, value_name = "FILE", requires = "http")]
    tokens: Option<PathBuf>,

    /// File of alerts: who is told what, and where (TOML)
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,

    /// File to write alerts down in, a JSON document a line; nobody else can read it
    #[arg(long, value_name = "FILE", requires = "alerts")]
    alert_log: Option<PathBuf>,

    /// Answer HTTP over TLS: certificates as PEM, the own one first
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "http"])]
    tls_cert: Option<PathBuf>,

    /// The key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Answer HTTP beyond loopback without TLS, for instance behind a proxy that has it
    #[arg(long, requires = "http")]
    insecure_http: bool,

    /// Days for which the journal of a stored day is kept
    #[arg(long, value_name = "N", default_value_t = 400)]
    keep_days: u32,

    /// Measure the day again from its journal: one that has not ended beside the engine that goes on with it, one that is
    /// closed at once
    #[arg(long)]
    replay: bool,

    /// End when the session has ended and its day is in the database
    #[arg(long)]
    once: bool,
}

/// What one message is.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PayloadArg {
    Itch,
    Binary,
    Csv,
}

impl From<PayloadArg> for Payload {
    fn from(typed: PayloadArg) -> Payload {
        match typed {
            PayloadArg::Itch => Payload::Itch,
            PayloadArg::Binary => Payload::Binary,
            PayloadArg::Csv => Payload::Csv,
        }
    }
}

#[derive(Serialize)]
struct ReadyLine {
    ready: bool,
    http: Option<String>,
    listen: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &ServeArgs) -> Result<Outcome> {
    log_to_standard_error();
    let ready = |quoteclock_live::Ready { http, listen }| {
        let text = |address: SocketAddr| address.to_string();
        print_ready(&ReadyLine { ready: true, http: http.map(text), listen: listen.map(text) })
    };
    let (Some(db), Some(journal), Some(feed), Some(registry)) = (&args.db, &args.journal, &args.feed, &args.registry)
    else {
        let problem = || BadUsage("--join: expected --http ADDR, where to show what these measure".to_owned());
        let http = args.http.ok_or_else(problem)?;
        let (tls, insecure_http) = (args.tls_cert.clone().zip(args.tls_key.clone()), args.insecure_http);
        let options = FrontOptions { shards: args.join.clone(), http, tls, insecure_http };
        quoteclock_live::front(&options, ready)?;
        return Ok(Outcome::Done);
    };
    let feed = Feed::parse(feed)?;
    let of_login = !matches!(feed, Feed::Nats(_));
    let options = ServeOptions {
        feed,
        payload: args.payload.map(Payload::from),
        credentials: credentials(args.user.as_deref(), args.password_file.as_deref(), of_login)?,
        shard: args.shard,
        session: args.session.as_deref().map(session).transpose()?,
        date: args.date,
        registry: registry.clone(),
        db: db.clone(),
        journal: journal.clone(),
        keep_days: args.keep_days,
        replay: args.replay,
        once: args.once,
        http: args.http,
        tokens: args.tokens.clone(),
        alerts: args.alerts.clone(),
        alert_log: args.alert_log.clone(),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        insecure_http: args.insecure_http,
        built: Built {
            commit: env!("QUOTECLOCK_COMMIT"),
            coverage: |finished| Ok(coverage_json(CoverageRow::of(finished))?),
        },
        checkpoint_every: checkpoint_every(),
    };
    let source = RegistryArgs { folder: registry.clone(), scheme: args.scheme };
    let (sheet, is_running) = (args.own_orders.clone(), AtomicBool::new(false));
    let load: Load = Arc::new(move || {
        let own_orders = sheet.as_deref().map(own_orders_of).transpose()?;
        let (registry, digest) = if is_running.load(Ordering::Acquire) {
            registry::load_discreetly(&source)?
        } else {
            let loaded = registry::load_and_hash(&source)?;
            loaded.ok_or_else(|| anyhow!("registry {}: it has errors", source.folder.display()))?
        };
        is_running.store(true, Ordering::Release);
        Ok(Under { registry, digest, own_orders })
    });
    match quoteclock_live::serve(&options, &load, ready)? {
        DayEnd::Done => Ok(Outcome::Done),
        DayEnd::Incomplete => Ok(Outcome::Incomplete),
    }
}

/// `QUOTECLOCK_CHECKPOINT_MS` has checkpoints made more or less often.
fn checkpoint_every() -> Duration {
    let millis = std::env::var("QUOTECLOCK_CHECKPOINT_MS").ok().and_then(|millis| millis.parse().ok());
    millis.map_or(ServeOptions::CHECKPOINT_EVERY, Duration::from_millis)
}

/// Prints the one line that says that all is bound.
pub(crate) fn print_ready(line: &impl Serialize) -> Result<()> {
    output::print(&(serde_json::to_string(line)? + "\n"))
}

/// Structured logs on standard error; `QUOTECLOCK_LOG=json` makes each line a JSON document.
pub(crate) fn log_to_standard_error() {
    let is_json = std::env::var_os("QUOTECLOCK_LOG").is_some_and(|form| form == "json");
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    // A second start in one process keeps the first one's.
    let _ = if is_json { builder.json().try_init() } else { builder.try_init() };
}

/// The session of a name.
pub(crate) fn session(name: &str) -> Result<SessionId> {
    let problem = || BadUsage(format!("session {name:?}, expected 1 to 10 visible characters"));
    SessionId::new(name.as_bytes()).ok_or_else(|| problem().into())
}

/// User and password, where there are any.
///
/// # Errors
/// Bad usage where the file cannot be read, or where they do not fit the fields of a login and are `of_login`.
pub(crate) fn credentials(
    user: Option<&str>,
    file: Option<&Path>,
    of_login: bool,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (Some(user), Some(file)) = (user, file) else { return Ok(None) };
    let password = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()));
    // What cannot be read is refused as what was typed.
    let password = password.map_err(|error| BadUsage(format!("{error:#}")))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if of_login && !quoteclock_live::fits_login(user.as_bytes(), password.as_bytes()) {
        let problem = "user and password, expected visible ASCII characters, at most 6 and 10";
        return Err(BadUsage(problem.to_owned()).into());
    }
    Ok(Some((user.as_bytes().to_vec(), password.as_bytes().to_vec())))
}
