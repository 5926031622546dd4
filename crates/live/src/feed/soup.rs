//! A SoupBinTCP session over as many connections as it takes.

use super::link::{self, ASK_EVERY, Left};
use super::{Credentials, FeedEnd, Intake, Stop, meanwhile};
use crate::clock;
use anyhow::Result;
use quoteclock_wire::soup::{Client, Close, Event, Link, Login, Wanted};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

/// How much is read at once: about what is gathered into one frame.
const READ_BYTES: usize = 1 << 18;
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn follow(
    address: &str,
    credentials: &Credentials,
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
) -> Result<FeedEnd> {
    link::follow(intake, once, stop, async |intake, link, accept_gap| {
        let (user, password) = credentials.clone();
        let login = Login { user, password, session: intake.session(), sequence: intake.next() };
        let connecting = async {
            let late = |_| Err(std::io::ErrorKind::TimedOut.into());
            timeout(CONNECT_WITHIN, TcpStream::connect(address)).await.unwrap_or_else(late)
        };
        match meanwhile(connecting, intake, stop).await? {
            Some(Ok(stream)) => converse(stream, Wanted { login, accept_gap }, intake, link, stop).await,
            Some(Err(error)) => {
                tracing::info!(%error, "the source cannot be reached");
                Ok(Left::Closed(Close::Lost))
            }
            None => Ok(Left::Stopped),
        }
    })
    .await
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
