//! The one runtime of this crate: its callers are threads that wait.

use std::future::Future;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// Waits for what a store answers.
///
/// # Errors
/// Where the system has no threads to give.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.block_on(work));
    }
    let made = Builder::new_multi_thread().worker_threads(1).thread_name("objects").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| made).block_on(work))
}
