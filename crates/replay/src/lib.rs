//! Drives the engine from files: compression, several days, threads.
//!
//! The rim around the pure core: everything that can fail because of a disk or a compressed stream is here. One file is
//! one day; days are independent of each other, so that several run at once and come back in order of their dates.

mod beside;
mod chunks;
mod convert;
mod events;
mod format;
mod input;
mod joined;
mod merge;
mod own;
mod raw;
mod run;
mod scouting;
mod stored;
mod stream;
mod threads;

pub use beside::{Also, Beside, OwnOrders, Part};
pub use convert::{ConvertError, ConvertOptions, Converted, RecordProblem, Target, convert};
pub use events::{InputEvent, InputEvents};
pub use format::{Decoder, Format, RECOGNISED_BY_BYTES};
pub use input::{InMemory, Input};
pub use own::{Attributed, Attribution};
pub use raw::read_raw;
pub use run::{Hashes, MeasuredInput, Rejects, Replay, ReplayError, Replayed};
pub use stored::{Once, Opened, Progress, ReadSeek, UNWATCHED};
pub use threads::{Pool, Threads};
