//! A session, or a shard's part of one, in a stream that a NATS server keeps.
//!
//! Where reading begins is found by the numbers of messages, not by places in the stream: a server that was killed may have
//! lost the last of what it had, and have something else there now.

use super::link::{self, ASK_EVERY, Left};
use super::{Credentials, FeedEnd, Intake, Stop, meanwhile};
use crate::address::StreamAddress;
use anyhow::Result;
use quoteclock_model::Shard;
use quoteclock_stream::{Connection, Kept, Reader, StreamError};
use quoteclock_wire::SessionId;
use quoteclock_wire::batches::Batches;
use quoteclock_wire::journal::Whole;
use quoteclock_wire::mold::{Contents, Datagram, Told};
use quoteclock_wire::soup::{Close, Link, Rejection};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a message is waited for before the time that has gone by is looked at: the server says that it is there as often.
const WAIT_FOR: Duration = Duration::from_secs(1);

/// The headers of the message that ends a shard's session: what it says of the whole, see [`Whole`].
pub(crate) const RECORDS: &str = "Quoteclock-Records";
pub(crate) const SHA256: &str = "Quoteclock-SHA256";

pub(super) async fn follow(
    (address, shard): (&StreamAddress, Shard),
    credentials: Option<&Credentials>,
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
) -> Result<FeedEnd> {
    // Numbers that did not follow each other: where to begin cannot be told by them then.
    let mut is_in_disorder = false;
    link::follow(intake, once, stop, async |intake, link, accept_gap| {
        let next = if is_in_disorder || accept_gap { 0 } else { intake.next() };
        let opening = open((address, shard), credentials, intake.session(), next);
        let (mut reader, session) = match meanwhile(opening, intake, stop).await? {
            None => return Ok(Left::Stopped),
            Some(Ok(Some(opened))) => opened,
            Some(Ok(None)) => return Ok(Left::Closed(Close::Rejected(Rejection::NoSession))),
            Some(Err(error)) if error.is_refused() => {
                return Ok(Left::Closed(Close::Rejected(Rejection::NotAuthorised)));
            }
            Some(Err(error)) => {
                tracing::info!(error = %chain(&error), "the stream cannot be read");
                return Ok(Left::Closed(Close::Lost));
            }
        };
        if intake.has_ended(session) {
            return Ok(Left::SameSession);
        }
        link.accepted();
        intake.found(session)?;
        let batches = Batches::new(session, intake.next(), accept_gap);
        let left = converse(&mut reader, batches, intake, link, stop).await?;
        is_in_disorder = matches!(left, Left::Closed(Close::Ahead { .. }));
        Ok(left)
    })
    .await
}

/// Connects, finds the session, and where in the stream to begin so that message `next` is not missed.
async fn open(
    (address, shard): (&StreamAddress, Shard),
    credentials: Option<&Credentials>,
    session: Option<SessionId>,
    next: u64,
) -> Result<Option<(Reader, SessionId)>, StreamError> {
    let connection = connect(address, credentials).await?;
    let Some(last) = connection.last(&address.subject(session, shard)).await? else { return Ok(None) };
    let Some(session) = session.or_else(|| Datagram::read(&last.bytes).map(|last| last.session)) else {
        return Ok(None);
    };
    let subject = address.subject(Some(session), shard);
    let is_passed = |bytes: &[u8]| match Datagram::read(bytes) {
        Some(Datagram { sequence, contents: Contents::Messages(count, _), .. }) => sequence + u64::from(count) <= next,
        _ => false,
    };
    let from = if next <= 1 { 1 } else { connection.find(&subject, is_passed).await? };
    Ok(Some((connection.read(&subject, from).await?, session)))
}

/// A connection to the server of an address.
pub(crate) async fn connect(
    address: &StreamAddress,
    credentials: Option<&Credentials>,
) -> Result<Connection, StreamError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let user = credentials.map(|(user, password)| (text(user), text(password)));
    let user = user.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
    Connection::open(&address.server, user, &address.stream).await
}

/// An error with everything that has led to it.
pub(crate) fn chain(error: &StreamError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

async fn converse(
    reader: &mut Reader,
    mut batches: Batches,
    intake: &mut Intake,
    link: &mut Link,
    stop: &Stop,
) -> Result<Left> {
    loop {
        let has_room = intake.pass_on()?;
        let kept = tokio::select! {
            next = timeout(WAIT_FOR, reader.next()), if has_room => match next {
                Ok(Ok(kept)) => Some(kept),
                Ok(Err(error)) => {
                    tracing::info!(error = %chain(&error), "the stream is not read any more");
                    return Ok(Left::Closed(Close::Silent));
                }
                // A server that is not there any more is an error before long.
                Err(_) => None,
            },
            () = sleep(ASK_EVERY), if !has_room => continue,
            () = stop.woken() => continue,
            () = stop.wait() => return Ok(Left::Stopped),
        };
        intake.health.heard();
        let Some(kept) = kept else { continue };
        let told = batches.receive(&kept.bytes, |told| match told {
            Told::Messages { count, blocks, .. } => {
                link.alive();
                intake.blocks(count, blocks)
            }
            Told::Gap { first, count } => intake.gap(first, count),
        })?;
        intake.flush()?;
        match told {
            Ok(()) => {}
            Err(close) => {
                if matches!(close, Close::Ended { .. }) {
                    intake.is_of(whole(&kept));
                }
                return Ok(Left::Closed(close));
            }
        }
    }
}

/// What the message that ends a session says of the whole.
fn whole(kept: &Kept) -> Option<Whole> {
    let records = kept.header(RECORDS)?.parse().ok()?;
    let digits = kept.header(SHA256).filter(|digits| digits.len() == 64 && digits.is_ascii())?;
    let mut sha256 = [0; 32];
    for (at, byte) in sha256.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(Whole { records, sha256 })
}
