//! Follows a source: its messages into the journal, and from there to the engine.

mod intake;
mod link;
mod mold;
pub(crate) mod nats;
mod pipe;
mod soup;

pub(crate) use intake::{Followed, Inbox, Intake, Remeasurement, Syncer};
pub(crate) use mold::Lines;

use crate::address::StreamAddress;
use anyhow::Result;
use quoteclock_model::Shard;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// How following a source has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FeedEnd {
    /// The session has ended, and its journal with it.
    Session,
    /// The source is gone, or does not know the session any more.
    SourceGone,
    /// We were asked to stop.
    Stopped,
}

/// User and password for a session.
pub(crate) type Credentials = (Vec<u8>, Vec<u8>);

/// Told once when everything is to stop; and, any number of times, when the feed has something else to see to.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<watch::Sender<bool>>, Arc<Notify>);

impl Stop {
    pub(crate) fn new() -> Stop {
        Stop(Arc::new(watch::channel(false).0), Arc::default())
    }

    /// Wakes the feed.
    pub(crate) fn wake(&self) {
        self.1.notify_one();
    }

    /// Waits until the feed is woken.
    pub(crate) async fn woken(&self) {
        self.1.notified().await;
    }

    pub(crate) fn now(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until everything is to stop.
    pub(crate) async fn wait(&self) {
        let mut told = self.0.subscribe();
        // It cannot be closed while this one lives.
        let _ = told.wait_for(|stop| *stop).await;
    }
}

/// How often a measurement that catches up is looked at while nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits for something while nothing comes; what others want is seen to meanwhile. `None` if everything is to stop.
pub(crate) async fn meanwhile<T>(what: impl Future<Output = T>, intake: &mut Intake, stop: &Stop) -> Result<Option<T>> {
    let mut what = pin!(what);
    loop {
        intake.pass_on()?;
        tokio::select! {
            done = &mut what => return Ok(Some(done)),
            () = stop.wait() => return Ok(None),
            () = stop.woken() => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }
}

/// Follows a SoupBinTCP session until it ends.
pub(crate) async fn follow_soup(
    address: &str,
    credentials: &Credentials,
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
) -> Result<FeedEnd> {
    soup::follow(address, credentials, intake, once, stop).await
}

/// Follows a session, or a shard's part of it, in a stream until it ends.
pub(crate) async fn follow_nats(
    place: (&StreamAddress, Shard),
    credentials: Option<&Credentials>,
    intake: &mut Intake,
    once: bool,
    stop: &Stop,
) -> Result<FeedEnd> {
    nats::follow(place, credentials, intake, once, stop).await
}

/// Follows a MoldUDP64 session until it ends.
pub(crate) async fn follow_mold(lines: &Lines, intake: &mut Intake, once: bool, stop: &Stop) -> Result<FeedEnd> {
    mold::follow(lines, intake, once, stop).await
}

/// Follows standard input until it ends.
pub(crate) async fn follow_pipe(intake: &mut Intake, stop: &Stop) -> Result<FeedEnd> {
    pipe::follow(intake, stop).await
}
