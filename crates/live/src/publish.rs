//! A recorded day, published: the other side of a feed.
//!
//! Its messages are written aside first, so that what is wrong with the file is said before anything is bound. Each
//! client then reads from its own place at its own pace; what is not due yet waits for the session's clock.

mod mold;
mod nats;
mod shards;
mod soup;
mod source;

use crate::address::Publication;
use crate::spool::{Spool, SpoolReader};
use crate::{bad_usage, clock};
use anyhow::{Context, Result};
use quoteclock_replay::Input;
use quoteclock_wire::SessionId;
use quoteclock_wire::journal::Whole;
use quoteclock_wire::payload::Payload;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What is to be published, and how.
#[derive(Clone, Debug)]
pub struct PublishOptions {
    /// The recorded day.
    pub input: Input,
    /// To whom.
    pub publication: Publication,
    /// What one message is; otherwise what the file holds.
    pub payload: Option<Payload>,
    /// The name of the session; otherwise it is made from the date.
    pub session: Option<SessionId>,
    /// How many times as fast as the records were; `None`: as fast as they are taken.
    pub speed: Option<u32>,
    /// In how many shards, for a stream; 1 elsewhere.
    pub shards: NonZeroU32,
    /// User and password that a login has to have; of a stream those that its server asks for.
    pub credentials: Option<(Vec<u8>, Vec<u8>)>,
}

/// What is to be published: a session, or one for each shard.
struct Published {
    spools: Vec<Spool>,
    /// The name that the file's date makes.
    session: SessionId,
    /// What shards are of.
    whole: Option<Whole>,
}

/// A session that is being published.
#[derive(Debug)]
struct Session {
    name: SessionId,
    spool: Arc<Spool>,
    speed: Option<u32>,
    /// The time of its first record, or of the first of all shards.
    first_time: Option<i64>,
    /// When its clock has started, in [`clock::now`].
    started: OnceLock<Duration>,
}

impl Session {
    fn start(&self) {
        self.started.get_or_init(clock::now);
    }

    /// When a message of `time` may be published; `None` before the clock has started.
    fn due(&self, time: i64) -> Option<Duration> {
        let started = *self.started.get()?;
        let (Some(speed), Some(first)) = (self.speed, self.first_time) else { return Some(started) };
        let micros = u64::try_from(time.saturating_sub(first)).unwrap_or(0);
        // Rounded up: never before its time.
        Some(started + Duration::from_micros(micros.div_ceil(u64::from(speed.max(1)))))
    }

    /// The number of the next message to be published.
    fn next(&self) -> std::io::Result<u64> {
        let (Some(speed), Some(first)) = (self.speed, self.first_time) else {
            return Ok(self.spool.count() + 1);
        };
        let Some(started) = self.started.get() else { return Ok(1) };
        let elapsed = clock::now().saturating_sub(*started).as_micros() * u128::from(speed);
        let elapsed = i64::try_from(elapsed).unwrap_or(i64::MAX);
        self.spool.next_after(first.saturating_add(elapsed))
    }

    fn reader(&self, number: u64) -> SpoolReader {
        SpoolReader::new(Arc::clone(&self.spool), number)
    }
}

/// Publishes a day until `shutdown` comes. `ready` is told the address that clients connect to, or ask at.
///
/// # Errors
/// [`crate::BadUsage`] where the options make no sense; otherwise what is wrong with the file, or the network.
pub fn publish(
    options: PublishOptions,
    ready: impl FnOnce(std::net::SocketAddr) -> Result<()>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    if options.publication.is_beyond_loopback() && options.credentials.is_none() {
        return Err(bad_usage("an address beyond loopback, expected a --user for it"));
    }
    if options.shards != NonZeroU32::MIN && !matches!(options.publication, Publication::Nats(_)) {
        return Err(bad_usage("--shards of what is no stream, expected nats://HOST/STREAM"));
    }
    let Published { spools, session: named, whole } = match options.shards.get() {
        1 => source::read(&options)?,
        count => shards::read(&options, count)?,
    };
    let name = options.session.unwrap_or(named);
    let first_time = spools.iter().filter_map(Spool::first_time).min();
    tracing::info!(session = %name, messages = spools.iter().map(Spool::count).sum::<u64>(), "publishing");
    let session = |spool| {
        let (spool, speed, started) = (Arc::new(spool), options.speed, OnceLock::new());
        Session { name, spool, speed, first_time, started }
    };
    let mut sessions: Vec<Session> = spools.into_iter().map(session).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting")?;
    runtime.block_on(async {
        if let Publication::Nats(address) = &options.publication {
            let outgoing = nats::Outgoing { address, credentials: options.credentials.as_ref(), sessions, whole };
            return nats::serve(outgoing, ready, shutdown).await;
        }
        let session = Arc::new(sessions.pop().context("no session")?);
        match &options.publication {
            Publication::Nats(_) => Ok(()),
            Publication::Soup(address) => {
                let credentials = options.credentials.clone().unwrap_or_default();
                let listener = tokio::net::TcpListener::bind(address).await;
                let listener = listener.with_context(|| format!("listening at {address}"))?;
                ready(listener.local_addr()?)?;
                soup::serve(listener, session, credentials, shutdown).await
            }
            Publication::Mold(address) => {
                let sockets = mold::Sockets::bind(address, options.credentials.is_some()).await?;
                ready(sockets.request_address()?)?;
                mold::serve(sockets, session, shutdown).await
            }
        }
    })
}
