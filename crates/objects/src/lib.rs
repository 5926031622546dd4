//! Files that are objects of a store: `s3://`, `gs://`, `az://` and `https://`, read as a file is and written whole.
//!
//! The idea: whoever reads sees a [`Read`](std::io::Read) that goes on where it was when a connection breaks, and never mixes
//! two versions of an object; whoever writes hands over a finished file, which is there under its name when all of it is, and
//! not before. Where credentials and endpoints are comes from the environment, as the tools of each store have it
//! (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
//!
//! Deliberately absent: caching, and async: the runtime is this crate's own.

mod location;
mod reader;
mod runtime;
mod write;

pub use location::{Location, ObjectError};
pub use reader::ObjectReader;
