//! SoupBinTCP 3.00: a numbered stream of messages over TCP.
//!
//! A packet is a big-endian length of two bytes, which counts what follows, a letter, and contents. [`Client`] and
//! [`Server`] are one connection each; [`Link`] says what a client does when a connection has ended.

mod client;
mod link;
mod packet;
mod server;

pub use client::{Client, Close, Event, Wanted};
pub use link::{Ending, Link, Next};
pub use packet::{Login, Packet, ZeroLength, message_bytes_max, put_accepted, put_end, put_rejected, put_sequenced};
pub use packet::{Rejection, split};
pub use server::{Request, Server, ServerClose};

use std::time::Duration;

/// Whoever has sent nothing for so long sends a heartbeat.
pub const HEARTBEAT_AFTER: Duration = Duration::from_secs(1);

/// Whoever has not been heard of for so long is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(15);

/// Whoever has not logged in for so long after connecting is sent away.
pub const LOGIN_WITHIN: Duration = Duration::from_secs(30);
