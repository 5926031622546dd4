//! Inputs and stages of the benchmarks: fixed seeds, in memory, each stage with a result to assert.
//!
//! [`STAGES`] is the one table of what is measured. The tests run every stage at a small size, `benches/stages.rs` times
//! them at a large one, `benches/instructions.rs` counts instructions at the small one; all assert the same results, so
//! that nothing is measured that is wrong. A change to an interface is followed in `measure`, once.

mod hash;
mod input;
mod measure;
pub mod process;
mod stage;

pub use hash::Hash;
pub use input::{Form, Input, Records};
pub use measure::{
    Checksum, Makers, books, day, decode, decode_itch, finish, full_day, full_day_binary, full_day_by, full_day_itch,
    hash, issue, process,
};
use mimalloc::MiMalloc;
pub use stage::{Prepared, STAGES, Size, Stage, stage};

/// The same as the command's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
