//! Steady time, as the state machines of the wire count it, and chance for back-off.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time since the process first asked.
pub(crate) fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The instant at which [`now`] will be `at`, for timers.
pub(crate) fn instant(at: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + at.saturating_sub(now())
}

/// A number from 0 to 1000.
pub(crate) fn chance() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes) % 1001,
        // Without randomness everybody waits the middle.
        Err(_) => 500,
    }
}
