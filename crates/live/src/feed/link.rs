//! A session over as many connections as it takes: what is the same for every source that numbers its messages and keeps them.

use super::{FeedEnd, Intake, Stop, meanwhile};
use crate::clock;
use anyhow::{Result, bail};
use quoteclock_wire::soup::{Close, Ending, Link, Next, Rejection};
use std::time::Duration;
use tokio::time::sleep;

/// How often the engine is asked whether it has room again.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(1);
/// How long to wait before the next session is asked for.
const NEXT_SESSION_AFTER: Duration = Duration::from_secs(5);

/// Why a connection has ended.
pub(super) enum Left {
    Closed(Close),
    /// The server is still in the session that has ended here.
    SameSession,
    Stopped,
}

/// Follows a session until it ends. `converse` is one connection: told whether it is to go on where the source begins too late.
pub(super) async fn follow(
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
    mut converse: impl AsyncFnMut(&mut Intake, &mut Link, bool) -> Result<Left>,
) -> Result<FeedEnd> {
    let (mut link, mut accept_gap) = (Link::default(), false);
    loop {
        let close = match converse(intake, &mut link, accept_gap).await? {
            Left::Closed(close) => close,
            Left::Stopped => return Ok(FeedEnd::Stopped),
            Left::SameSession => {
                if meanwhile(sleep(NEXT_SESSION_AFTER), intake, stop).await?.is_none() {
                    return Ok(FeedEnd::Stopped);
                }
                continue;
            }
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
