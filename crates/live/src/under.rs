//! What a day is measured under.

use anyhow::Result;
use quoteclock_replay::OwnOrders;
use quoteclock_rules::Registry;
use quoteclock_store::Digest;
use std::sync::Arc;

/// What days are measured under, read anew.
pub type Load = Arc<dyn Fn() -> Result<Under> + Send + Sync>;

/// What a day is measured under.
#[derive(Clone, Debug)]
pub struct Under {
    /// The registry.
    pub registry: Registry,
    /// Of its files.
    pub digest: Digest,
    /// The numbers of one's own orders, where the feed names nobody.
    pub own_orders: Option<Arc<OwnOrders>>,
}
