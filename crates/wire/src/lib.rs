//! Sessions of order events: how their messages travel, and how they are kept.
//!
//! The idea: every protocol is a plain state machine. Bytes that have arrived go in, messages and bytes to be sent come
//! out, and the clock is a parameter; whoever owns a socket or a file drives it. So each can be tested over every way of
//! cutting its input, and fuzzed, without a network.
//!
//! - [`soup`]: SoupBinTCP 3.00, both sides; [`mold`]: MoldUDP64 1.00, both sides.
//! - [`batches`]: a session in the batches of a stream that keeps them.
//! - [`payload`]: the messages of a session as records: CSV, ITCH 5.0, or the binary form one by one.
//! - [`journal`]: the messages of a session as a file, which is also an input of a replay.
//!
//! Invariants: no byte from outside makes anything here panic, wait or grow without bound; a message is handed over once,
//! in order, or is named as missing. Deliberately absent: sockets, files, threads, clocks, judgement of records.

pub mod batches;
pub mod journal;
pub mod mold;
pub mod payload;
mod session;
pub mod soup;

pub use session::SessionId;
