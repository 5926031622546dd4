//! Event formats: bytes to market events and back, one module per format.
//!
//! The idea: a decoder is pushed chunks of bytes, cut anywhere, and pushes each record, readable or not, to a
//! [`Receiver`]. It judges the form of a record only (its fields), never its place in time or in a book: that is the
//! engine's part. A record that is malformed is handed over all the same, with whatever of it could be read, because
//! the receiver decides whether to stop or to set it aside.
//!
//! An [`EventWriter`] is the other direction. Deliberately absent: files, compression, threads. Whoever drives a decoder
//! owns the bytes (the one exception, [`binary::BinaryFile`], seeks in whatever it is given).

pub mod binary;
pub mod csv;
mod day;
pub mod dbn;
pub mod fix;
pub mod itch;
mod name_table;
mod record;
mod scout;
mod state;
pub mod text;

pub use day::{TradingDate, UtcOffset};
pub use name_table::NameTable;
pub use record::{
    CompactRecord, CompactRun, EventWriter, FeedError, Malformed, Place, RawRecord, Receiver, Sequence, Stop,
};
pub use scout::Scouted;
pub use state::{BinaryStage, BinaryState, CsvState, FileNames, ItchState, ListSums, LocateState, MessageState};
