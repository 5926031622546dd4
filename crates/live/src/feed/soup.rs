//! A SoupBinTCP session over as many connections as it takes.

use super::{Credentials, FeedEnd, Intake, Stop, meanwhile};
use crate::clock;
use anyhow::{Result, bail};
use quoteclock_wire::soup::{Client, Close, Ending, Event, Link, Login, Next, Rejection, Wanted};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until, timeout};

/// How much is read at once: about what is gathered into one frame.
const READ_BYTES: usize = 1 << 18;
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often the engine is asked whether it has room again.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// How long to wait before the next session is asked for.
const NEXT_SESSION_AFTER: Duration = Duration::from_secs(5);

/// Why a connection has ended.
enum Left {
    Closed(Close),
    /// The server is still in the session that has ended here.
    SameSession,
    Stopped,
}

pub(super) async fn follow(
    address: &str,
    credentials: &Credentials,
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
) -> Result<FeedEnd> {
    let (mut link, mut accept_gap) = (Link::default(), false);
    loop {
        let (user, password) = credentials.clone();
        let login = Login { user, password, session: intake.session(), sequence: intake.next() };
        let wanted = Wanted { login, accept_gap };
        let connecting = async {
            let late = |_| Err(std::io::ErrorKind::TimedOut.into());
            timeout(CONNECT_WITHIN, TcpStream::connect(address)).await.unwrap_or_else(late)
        };
        let close = match meanwhile(connecting, intake, stop).await? {
            Some(Ok(stream)) => match converse(stream, wanted, intake, &mut link, stop).await? {
                Left::Closed(close) => close,
                Left::Stopped => return Ok(FeedEnd::Stopped),
                Left::SameSession => {
                    if meanwhile(sleep(NEXT_SESSION_AFTER), intake, stop).await?.is_none() {
                        return Ok(FeedEnd::Stopped);
                    }
                    continue;
                }
            },
            Some(Err(error)) => {
                tracing::info!(%error, "the source cannot be reached");
                Close::Lost
            }
            None => return Ok(FeedEnd::Stopped),
        };
        intake.health.lost();
        let wait = match link.closed(clock::now(), close, clock::chance()) {
            Next::End(Ending::Session { next }) => {
                if intake.next() < next {
                    let first = intake.next();
                    intake.gap(first, next - first)?;
                }
                return Ok(FeedEnd::Session);
            }
            Next::End(Ending::NotAuthorised) => bail!("the source does not accept user and password"),
            Next::End(Ending::SourceGone) => {
                let refused = matches!(close, Close::Rejected(Rejection::NoSession) | Close::OtherSession(_));
                if once || (refused && intake.journal().is_some()) {
                    return Ok(FeedEnd::SourceGone);
                }
                link = Link::default();
                NEXT_SESSION_AFTER
            }
            Next::Connect { wait, accept_gap: accept } => {
                accept_gap = accept;
                wait
            }
        };
        tracing::info!(why = ?close, wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), "connecting again");
        if meanwhile(sleep(wait), intake, stop).await?.is_none() {
            return Ok(FeedEnd::Stopped);
        }
    }
}

/// What an event was that ends a conversation.
enum Unwanted {
    SameSession,
    Error(anyhow::Error),
}

async fn converse(
    mut stream: TcpStream,
    wanted: Wanted,
    intake: &mut Intake,
    link: &mut Link,
    stop: &Stop,
) -> Result<Left> {
    let _ = stream.set_nodelay(true);
    let mut client = Client::new(wanted, clock::now());
    let mut input = vec![0; READ_BYTES];
    let mut output = client.output(clock::now());
    let mut closed = None;
    loop {
        let has_room = intake.pass_on()?;
        if let Some(close) = closed {
            if let Close::Ended { .. } = close {
                // The other side closes within its time; nothing more is expected.
                let _ = stream.shutdown().await;
            }
            return Ok(Left::Closed(close));
        }
        if !has_room {
            // It is not the source that is silent.
            client.busy(clock::now());
        }
        let wake = if has_room { client.deadline() } else { clock::now() + ASK_EVERY };
        let (mut from, mut to) = stream.split();
        tokio::select! {
            read = from.read(&mut input), if has_room => match read {
                Ok(count) if 0 < count => {
                    intake.health.heard();
                    let take = |event: Event<'_>| take(event, intake, link);
                    match client.receive(clock::now(), &input[..count], take) {
                        Ok(Ok(())) => {}
                        Ok(Err(close)) => closed = Some(close),
                        Err(Unwanted::SameSession) => return Ok(Left::SameSession),
                        Err(Unwanted::Error(error)) => return Err(error),
                    }
                    intake.flush()?;
                }
                _ => closed = Some(Close::Lost),
            },
            written = to.write(&output), if !output.is_empty() => match written {
                Ok(count) if 0 < count => drop(output.drain(..count)),
                _ => closed = Some(Close::Lost),
            },
            () = sleep_until(clock::instant(wake)) => {}
            () = stop.woken() => {}
            () = stop.wait() => {
                client.log_out();
                let _ = timeout(Duration::from_millis(200), stream.write_all(&client.output(clock::now()))).await;
                return Ok(Left::Stopped);
            }
        }
        if let Err(close) = client.tick(clock::now()) {
            closed = Some(close);
        }
        output.extend(client.output(clock::now()));
    }
}

fn take(event: Event<'_>, intake: &mut Intake, link: &mut Link) -> Result<(), Unwanted> {
    match event {
        Event::Accepted(session) if intake.has_ended(session) => return Err(Unwanted::SameSession),
        Event::Accepted(session) => {
            link.accepted();
            intake.found(session).map_err(Unwanted::Error)?;
        }
        Event::Gap { first, count } => intake.gap(first, count).map_err(Unwanted::Error)?,
        Event::Message { bytes, .. } => {
            link.alive();
            intake.message(bytes).map_err(Unwanted::Error)?;
        }
    }
    Ok(())
}
