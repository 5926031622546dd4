//! Messages that a NATS server keeps (JetStream): put there, found again by what is in them, and read from any place on.
//!
//! The idea: a stream is a list of messages, each under a subject, that survives whoever writes and whoever reads. What a
//! message says is nobody's concern here. A connection is used until something goes wrong with it, and then given up: nothing
//! is tried again behind the back of whoever numbers the messages and knows what is missing.
//!
//! Invariants: a message that was acknowledged has been taken by the server; a reader gives the messages of a subject in the
//! order in which they are kept, or an error, and says so where nothing has been heard for [`SILENT_AFTER`]. Deliberately
//! absent: numbers of messages, sessions, files.

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{self, RawMessageErrorKind, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectErrorKind, ConnectOptions, HeaderMap};
use bytes::Bytes;
use futures_util::StreamExt;
use std::future::{Future, IntoFuture};
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// The port of a server that names none.
pub const PORT: u16 = 4222;
/// How often an idle server says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A reader that has heard nothing for so long, not even that, is not served any more.
pub const SILENT_AFTER: Duration = Duration::from_secs(3);
/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long one request of a reader is good for.
const REQUEST_FOR: Duration = Duration::from_secs(30);
/// Messages that a reader asks for at once: what is held of those that have not been taken.
const READ_AHEAD: usize = 64;
/// After so long without a reader the server forgets where it was.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// What has gone wrong with a server.
#[derive(Debug, Error)]
#[error("the stream's server: {doing}")]
pub struct StreamError {
    doing: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
    is_refused: bool,
}

impl StreamError {
    fn of<E: Into<Box<dyn std::error::Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> StreamError {
        move |source| StreamError { doing, source: source.into(), is_refused: false }
    }

    /// Whether user and password were refused.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }
}

/// What comes of asking a server.
pub type Result<T> = std::result::Result<T, StreamError>;

/// A message as the server keeps it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its place among all messages of the stream, from 1.
    pub place: u64,
    /// Its bytes.
    pub bytes: Bytes,
    headers: HeaderMap,
}

impl Kept {
    /// What one of its headers says.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.as_str())
    }
}

/// A connection to a server, and the stream that is meant.
#[derive(Debug)]
pub struct Connection {
    context: Context,
    name: String,
}

impl Connection {
    /// Connects to `server`, `HOST:PORT`. The stream `name` need not be there.
    ///
    /// # Errors
    /// [`StreamError`] if nobody answers, or user and password are refused.
    pub async fn open(server: &str, user: Option<(&str, &str)>, name: &str) -> Result<Connection> {
        let connecting = "connecting";
        let options = match user {
            Some((user, password)) => ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
            None => ConnectOptions::new(),
        };
        // Whoever reads or writes begins anew with another connection: only he knows from where.
        let options = options.name("quoteclock").connection_timeout(ANSWER_WITHIN).max_reconnects(1);
        let client = timeout(ANSWER_WITHIN, options.connect(server)).await;
        let client = client.map_err(StreamError::of(connecting))?.map_err(|error| StreamError {
            is_refused: error.kind() == ConnectErrorKind::AuthorizationViolation,
            ..StreamError::of(connecting)(error)
        })?;
        let mut context = jetstream::new(client);
        context.set_timeout(ANSWER_WITHIN);
        Ok(Connection { context, name: name.to_owned() })
    }

    /// Makes the stream, with every subject that begins with its name, where it is not there; one that is stays as it is.
    ///
    /// # Errors
    /// [`StreamError`], also where the server keeps no streams.
    pub async fn make(&self) -> Result<()> {
        let subjects = vec![format!("{}.>", self.name)];
        let config = stream::Config {
            name: self.name.clone(),
            subjects,
            storage: StorageType::File,
            ..stream::Config::default()
        };
        let made = self.context.get_or_create_stream(config).await;
        made.map(drop).map_err(StreamError::of("making the stream"))
    }

    /// Puts a message there. What is given back is to be waited for: then the server has it.
    ///
    /// # Errors
    /// [`StreamError`] if the connection is gone.
    pub async fn put(
        &self,
        subject: String,
        headers: &[(&str, String)],
        bytes: Bytes,
    ) -> Result<impl Future<Output = Result<()>> + Send + use<>> {
        const PUTTING: &str = "putting a message there";
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| map.insert(*name, value.as_str()));
        let given = match headers {
            [] => self.context.publish(subject, bytes).await,
            _ => self.context.publish_with_headers(subject, map, bytes).await,
        };
        let acknowledged = given.map_err(StreamError::of(PUTTING))?.into_future();
        Ok(async move { acknowledged.await.map(drop).map_err(StreamError::of(PUTTING)) })
    }

    /// The last message under a subject, in which `*` stands for any one word.
    ///
    /// # Errors
    /// [`StreamError`], also where the stream is not there.
    pub async fn last(&self, subject: &str) -> Result<Option<Kept>> {
        let stream = self.stream().await?;
        found(stream.get_last_raw_message_by_subject(subject).await)
    }

    /// The place to read a subject from where nothing is wanted that `is_passed` says is not: all messages before it are so,
    /// if those that are come before those that are not.
    ///
    /// # Errors
    /// [`StreamError`], also where the stream is not there.
    pub async fn find(&self, subject: &str, is_passed: impl Fn(&[u8]) -> bool) -> Result<u64> {
        let mut stream = self.stream().await?;
        let state = &stream.info().await.map_err(StreamError::of("asking for the stream"))?.state;
        let (mut low, mut high) = (state.first_sequence.max(1), state.last_sequence + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match found(stream.get_first_raw_message_by_subject(subject, middle).await)? {
                Some(kept) if is_passed(&kept.bytes) => low = kept.place + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Reads the messages of a subject from a place on.
    ///
    /// # Errors
    /// [`StreamError`], also where the stream is not there.
    pub async fn read(&self, subject: &str, from: u64) -> Result<Reader> {
        const READING: &str = "reading";
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from.max(1) },
            ack_policy: AckPolicy::None,
            filter_subject: subject.to_owned(),
            inactive_threshold: FORGOTTEN_AFTER,
            memory_storage: true,
            ..pull::Config::default()
        };
        let consumer = self.stream().await?.create_consumer(config).await.map_err(StreamError::of(READING))?;
        let messages = consumer.stream().heartbeat(HEARTBEAT).expires(REQUEST_FOR).max_messages_per_batch(READ_AHEAD);
        Ok(Reader { messages: messages.messages().await.map_err(StreamError::of(READING))? })
    }

    async fn stream(&self) -> Result<stream::Stream> {
        self.context.get_stream(&self.name).await.map_err(StreamError::of("asking for the stream"))
    }
}

/// A message that was asked for, if there is one.
fn found(
    answer: std::result::Result<jetstream::message::StreamMessage, stream::RawMessageError>,
) -> Result<Option<Kept>> {
    match answer {
        Ok(message) => Ok(Some(Kept { place: message.sequence, bytes: message.payload, headers: message.headers })),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(StreamError::of("asking for a message")(error)),
    }
}

/// Reads a subject.
#[allow(missing_debug_implementations, reason = "what it reads from has none")]
pub struct Reader {
    messages: pull::Stream,
}

impl Reader {
    /// The next message. Whoever stops waiting loses none.
    ///
    /// # Errors
    /// [`StreamError`] if there will be no other: reading has to begin again.
    pub async fn next(&mut self) -> Result<Kept> {
        let silent = || StreamError::of("reading")("nothing has been heard of it");
        let message = match self.messages.next().await {
            Some(message) => message.map_err(StreamError::of("reading"))?,
            None => return Err(silent()),
        };
        let place = message.info().map_err(StreamError::of("reading"))?.stream_sequence;
        let message = message.message;
        Ok(Kept { place, bytes: message.payload, headers: message.headers.unwrap_or_default() })
    }
}
