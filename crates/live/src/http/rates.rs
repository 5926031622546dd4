//! How often the holder of a token may ask.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Requests at once.
const BURST: u32 = 200;
/// After so long there may be one more: 50 a second.
const EVERY: Duration = Duration::from_millis(20);

/// Of each token that has been used, what it may still ask.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<[u8; 32], Bucket>>);

#[derive(Debug)]
struct Bucket {
    left: u32,
    filled: Instant,
}

impl Rates {
    /// Whether the holder of a valid token may ask now; it then has.
    pub(super) fn allows(&self, token: [u8; 32]) -> bool {
        self.allows_at(token, Instant::now())
    }

    fn allows_at(&self, token: [u8; 32], now: Instant) -> bool {
        let Ok(mut buckets) = self.0.lock() else { return true };
        let bucket = buckets.entry(token).or_insert(Bucket { left: BURST, filled: now });
        let more = now.saturating_duration_since(bucket.filled).as_millis() / EVERY.as_millis();
        let more = u32::try_from(more).unwrap_or(BURST).min(BURST);
        bucket.left = bucket.left.saturating_add(more).min(BURST);
        bucket.filled += if more == BURST { now.saturating_duration_since(bucket.filled) } else { EVERY * more };
        let allows = bucket.left != 0;
        bucket.left -= u32::from(allows);
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_a_burst_and_then_its_rate() {
        let (rates, start) = (Rates::default(), Instant::now());
        let asked = |token: u8, after: u64| rates.allows_at([token; 32], start + Duration::from_millis(after));
        assert!((0..BURST).all(|_| asked(1, 0)));
        assert!(!asked(1, 0) && !asked(1, 19));
        assert!(asked(2, 19), "another token");
        assert!(asked(1, 20) && !asked(1, 39) && asked(1, 40) && !asked(1, 40));
        assert!((0..BURST).all(|_| asked(1, 3_600_000)) && !asked(1, 3_600_000), "no more than a burst is saved up");
    }
}
