//! The folder of the journals, and the names in it.

use crate::disk::Disk;
use quoteclock_wire::SessionId;
use std::path::PathBuf;
use std::sync::Arc;

/// The name of a pipe, which has no session.
const PIPE: &str = "pipe";

/// The journals of a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
}

/// What the session of a journal is called in its name: no character of it means anything to a file system.
pub(crate) fn session_name(session: Option<SessionId>) -> String {
    let Some(session) = session else { return PIPE.to_owned() };
    let mut name = String::new();
    for byte in session.as_str().bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => name.push(char::from(byte)),
            other => name.push_str(&format!("_{other:02x}")),
        }
    }
    name
}
