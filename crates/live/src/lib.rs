//! Measures a feed as it comes, with the engine that replays files; and publishes a recorded day, which is the other side.
//!
//! The idea: everything that is received goes into a journal first, and a journal is an input of a replay. So a day that
//! was measured while it ran, one that went on after a crash, and one that is measured again a year later are the same
//! measurement of the same bytes.
//!
//! ```text
//! socket ─wire─▶ feed ──frames──▶ journal ──frames──▶ engine thread ──▶ ledger ──▶ store
//!                (tokio)          (synced in groups)  (bounded channel)      └──▶ HTTP
//! ```
//!
//! Invariants: nothing is measured that is not in the journal; nothing is dropped: when the engine is behind, the feed
//! waits; a day is stored only when its journal has ended and is on the disk. Deliberately absent: any rule of measurement.

mod address;
mod alerting;
mod alerts;
mod budget;
mod checkpoint;
mod clock;
mod database;
mod desk;
mod disk;
mod feed;
mod folder;
mod health;
mod http;
mod hub;
mod journal;
mod ledger;
mod measure;
mod past;
mod publish;
mod recipient;
mod serve;
mod spool;
mod standing;
mod store_day;
mod tls;
mod tokens;
mod uncounted;
mod under;
mod watch;

pub use address::{Feed, MoldAddress, Publication, StreamAddress};
pub use http::{FrontOptions, front};
pub use publish::{PublishOptions, publish};
pub use quoteclock_wire::SessionId;
pub use quoteclock_wire::payload::Payload;
pub use serve::{DayEnd, Ready, ServeOptions, serve};
pub use store_day::{Built, hash_of_journal};
pub use tokens::{Role, TokenRow, new_token};
pub use under::{Load, Under};

/// What was typed makes no sense, or must not be done: nothing has been bound or written.
#[derive(Debug)]
pub struct BadUsage(pub String);

impl std::fmt::Display for BadUsage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadUsage {}

/// Whether user and password fit the fields of a login: visible ASCII, at most 6 and 10 characters.
pub fn fits_login(user: &[u8], password: &[u8]) -> bool {
    quoteclock_wire::soup::Login::fits(user, password)
}

/// An error of usage.
pub(crate) fn bad_usage(what: impl Into<String>) -> anyhow::Error {
    BadUsage(what.into()).into()
}
