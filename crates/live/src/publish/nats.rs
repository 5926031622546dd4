//! Into a stream that a NATS server keeps: each shard's session under a subject of its own, in batches.
//!
//! What the stream has already is not put there again, so that a publisher, or the server, may be killed at any moment: whoever
//! starts again goes on after the last message that is there.

use super::Session;
use crate::address::{StreamAddress, resolve};
use crate::clock;
use crate::feed::Credentials;
use crate::feed::nats::{RECORDS, SHA256, chain, connect};
use crate::spool::SpoolReader;
use anyhow::{Context, Result, anyhow};
use quoteclock_model::Shard;
use quoteclock_stream::{Connection, StreamError};
use quoteclock_wire::journal::Whole;
use quoteclock_wire::mold::{Contents, Datagram, HEAD_BYTES, put_batch, put_sign};
use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::time::sleep;

/// Messages of a batch at least, where so many are due within [`LINGER`].
const BATCH_MIN: usize = 64;
/// Messages of a batch at most.
const BATCH_MAX: usize = 1024;
/// Bytes of a batch, where one message is not longer by itself: well below what a server takes by default.
const BATCH_BYTES: usize = 1 << 16;
/// How long a message waits for others of its batch.
const LINGER: Duration = Duration::from_millis(10);
/// Batches that the server has not acknowledged yet.
const UNACKNOWLEDGED_MAX: usize = 64;
/// The first wait before another connection, and the longest.
const WAIT_FIRST: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often it is looked after that all is still there: a server that was killed may have lost the last of it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a batch's acknowledgement is waited for with.
type Acknowledged = Pin<Box<dyn Future<Output = Result<(), StreamError>> + Send>>;

/// Into which stream what is published.
pub(super) struct Outgoing<'a> {
    pub(super) address: &'a StreamAddress,
    pub(super) credentials: Option<&'a Credentials>,
    /// One for each shard.
    pub(super) sessions: Vec<Session>,
    /// The session of the whole market, where these are shards of it.
    pub(super) whole: Option<Whole>,
}

/// Publishes until `shutdown` comes.
pub(super) async fn serve(
    Outgoing { address, credentials, mut sessions, whole }: Outgoing<'_>,
    ready: impl FnOnce(SocketAddr) -> Result<()>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let count = u32::try_from(sessions.len()).context("more shards than can be counted")?;
    let shard = |index| Shard::new(index, count).ok_or_else(|| anyhow!("more shards than there may be"));
    let subject = |(index, session): (u32, &Session)| Ok(address.subject(Some(session.name), shard(index)?));
    let subjects = (0..).zip(&sessions).map(subject).collect::<Result<Vec<String>>>()?;
    // Whoever is not there at all is told so at once.
    let at = resolve(&address.server)?;
    let first = connect(address, credentials).await?;
    first.make().await?;
    go_on(&first, &mut sessions, &subjects).await?;
    ready(at)?;
    sessions.iter().for_each(Session::start);
    let publisher = |(session, subject): (_, &String)| {
        let session: &Session = session;
        let (reader, held) = (session.reader(1), Held::default());
        Publisher { session, subject: subject.clone(), whole, reader, held, acknowledged: 1 }
    };
    let mut shards: Vec<Publisher<'_>> = sessions.iter().zip(&subjects).map(publisher).collect();
    let mut shutdown = pin!(shutdown);
    let (mut connection, mut wait) = (Some(first), WAIT_FIRST);
    loop {
        let published = async {
            let connection = match connection.take() {
                Some(connection) => connection,
                None => connect(address, credentials).await?,
            };
            connection.make().await?;
            publish(&connection, &mut shards, &mut wait).await
        };
        let error = tokio::select! {
            () = &mut shutdown => return Ok(()),
            result = published => match result {
                Ok(never) => match never {},
                Err(Failed::Stream(error)) => error,
                Err(Failed::Other(error)) => return Err(error),
            },
        };
        tracing::warn!(error = %chain(&error), wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "connecting again");
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = sleep(wait) => wait = WAIT_MAX.min(wait * 2),
        }
    }
}

/// Sets the sessions' clock to the first message that the stream has not, where it has some already.
async fn go_on(connection: &Connection, sessions: &mut [Session], subjects: &[String]) -> Result<()> {
    let (mut has_some, mut first) = (false, None::<i64>);
    for (session, subject) in sessions.iter().zip(subjects) {
        let next = match there(connection, subject).await.map_err(Failed::into_error)? {
            There::All => session.spool.count() + 1,
            There::Before(next) => next,
        };
        has_some |= 1 < next;
        if let Some(message) = session.reader(next).peek()? {
            first = Some(first.map_or(message.time, |first| first.min(message.time)));
        }
    }
    if has_some {
        sessions.iter_mut().for_each(|session| session.first_time = first.or(session.first_time));
    }
    Ok(())
}

/// What of a session is in the stream.
enum There {
    /// All, with its end.
    All,
    /// Everything before this number.
    Before(u64),
}

async fn there(connection: &Connection, subject: &str) -> Result<There, Failed> {
    let last = connection.last(subject).await?;
    Ok(match last.as_ref().map(|last| Datagram::read(&last.bytes)) {
        None => There::Before(1),
        Some(Some(Datagram { contents: Contents::End, .. })) => There::All,
        Some(Some(Datagram { sequence, contents: Contents::Messages(count, _), .. })) => {
            There::Before(sequence + u64::from(count))
        }
        Some(Some(Datagram { sequence, .. })) => There::Before(sequence),
        Some(None) => {
            return Err(anyhow!("the stream has something else under {subject}, expected batches of ours").into());
        }
    })
}

/// Why publishing has stopped.
enum Failed {
    /// The server is away: it is tried again.
    Stream(StreamError),
    Other(anyhow::Error),
}

impl Failed {
    fn into_error(self) -> anyhow::Error {
        match self {
            Failed::Stream(error) => error.into(),
            Failed::Other(error) => error,
        }
    }
}

impl From<StreamError> for Failed {
    fn from(error: StreamError) -> Failed {
        Failed::Stream(error)
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Failed {
        Failed::Other(error)
    }
}

/// Puts everything there as it is due, and looks after it from then on.
async fn publish(
    connection: &Connection,
    shards: &mut [Publisher<'_>],
    wait: &mut Duration,
) -> Result<std::convert::Infallible, Failed> {
    loop {
        let mut is_whole = true;
        for shard in shards.iter_mut() {
            is_whole &= shard.take_up(connection).await?;
        }
        if is_whole {
            sleep(LOOK_EVERY).await;
            continue;
        }
        put_all(connection, shards).await?;
        *wait = WAIT_FIRST;
        tracing::info!("all is in the stream");
    }
}

/// Puts what is not there yet.
async fn put_all(connection: &Connection, shards: &mut [Publisher<'_>]) -> Result<(), Failed> {
    let mut waiting: VecDeque<(usize, u64, Acknowledged)> = VecDeque::new();
    loop {
        let now = clock::now();
        let (mut is_busy, mut next) = (false, None::<Duration>);
        for (at, shard) in shards.iter_mut().enumerate() {
            match shard.batch(now)? {
                Gathered::Batch { bytes, headers, next } => {
                    let acknowledged = connection.put(shard.subject.clone(), &headers, bytes.into()).await?;
                    waiting.push_back((at, next, Box::pin(acknowledged)));
                    is_busy = true;
                }
                Gathered::Wait(due) => next = Some(next.map_or(due, |next| next.min(due))),
                Gathered::All => {}
            }
        }
        // Each shard's number is what the server has of it without a hole.
        let room = if is_busy { UNACKNOWLEDGED_MAX } else { 0 };
        while room < waiting.len() {
            if let Some((at, next, acknowledged)) = waiting.pop_front() {
                acknowledged.await?;
                shards[at].acknowledged = next;
            }
        }
        match next {
            _ if is_busy => {}
            Some(due) => sleep(due.saturating_sub(clock::now())).await,
            None => return Ok(()),
        }
    }
}

/// A shard's session on its way into the stream.
struct Publisher<'a> {
    session: &'a Session,
    subject: String,
    whole: Option<Whole>,
    reader: SpoolReader,
    held: Held,
    /// The number of the next message that the server has not acknowledged. That after the last stands for the end, too.
    acknowledged: u64,
}

/// Messages that are due and wait for others of their batch.
#[derive(Default)]
struct Held {
    messages: Vec<Vec<u8>>,
    bytes: usize,
    since: Duration,
    /// Whether the end of the session has been given out.
    ended: bool,
}

/// What a shard has to put there.
enum Gathered {
    Batch {
        bytes: Vec<u8>,
        headers: Vec<(&'static str, String)>,
        /// The number after it.
        next: u64,
    },
    /// Nothing before then.
    Wait(Duration),
    /// Nothing more.
    All,
}

impl Publisher<'_> {
    /// Goes on after what the stream has; whether that is everything.
    async fn take_up(&mut self, connection: &Connection) -> Result<bool, Failed> {
        let there = match there(connection, &self.subject).await? {
            There::Before(there) => there,
            There::All => {
                self.reader = self.session.reader(u64::MAX);
                self.held = Held { ended: true, ..Held::default() };
                return Ok(true);
            }
        };
        // Beyond what was acknowledged there may be holes, and a server that was killed may have lost what was.
        let next = if self.acknowledged == 1 { there } else { there.min(self.acknowledged) };
        (self.reader, self.held, self.acknowledged) = (self.session.reader(next), Held::default(), next);
        Ok(false)
    }

    /// The next batch, if one is due.
    fn batch(&mut self, now: Duration) -> Result<Gathered> {
        let held = &mut self.held;
        let (mut due_next, mut is_last) = (None, false);
        while held.messages.len() < BATCH_MAX && held.bytes < BATCH_BYTES {
            let Some(message) = self.reader.peek()? else {
                is_last = true;
                break;
            };
            let due = self.session.due(message.time).unwrap_or(now);
            let bytes = 2 + message.bytes.len();
            if now < due || (!held.messages.is_empty() && BATCH_BYTES < HEAD_BYTES + held.bytes + bytes) {
                due_next = (now < due).then_some(due);
                break;
            }
            if held.messages.is_empty() {
                held.since = now;
            }
            held.messages.push(message.bytes.to_vec());
            held.bytes += bytes;
            self.reader.advance();
        }
        let next = self.reader.number();
        let lingers_until = held.since + LINGER;
        match (held.messages.len(), due_next) {
            (0, Some(due)) => return Ok(Gathered::Wait(due)),
            (1..BATCH_MIN, Some(due)) if now < lingers_until => return Ok(Gathered::Wait(due.min(lingers_until))),
            (0, None) if is_last && held.ended => return Ok(Gathered::All),
            _ => {}
        }
        let (mut bytes, mut headers) = (Vec::new(), Vec::new());
        if held.messages.is_empty() {
            held.ended = true;
            put_sign(&mut bytes, self.session.name, next, true);
            if let Some(Whole { records, sha256 }) = self.whole {
                let digits = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                headers = vec![(RECORDS, records.to_string()), (SHA256, digits)];
            }
        } else {
            let messages = std::mem::take(&mut held.messages);
            held.bytes = 0;
            let first = next - messages.len() as u64;
            let nth = |number: u64| messages.get(usize::try_from(number - first).ok()?).map(Vec::as_slice);
            put_batch(&mut bytes, self.session.name, first, (messages.len() as u64, usize::MAX), nth);
        }
        Ok(Gathered::Batch { bytes, headers, next })
    }
}
