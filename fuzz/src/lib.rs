//! What the fuzz targets share with the mutation tests of the stable toolchain, and what only they check: that written
//! events are read again as they were.

#[path = "../../crates/replay/tests/readers/mod.rs"]
pub mod readers;

pub mod round_trip;
