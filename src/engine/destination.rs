//! Destinations: a target's store together with what people call it.

use backupx_core::domain::id::TargetId;
use backupx_core::ports::objects::ObjectStore;
use std::sync::Arc;

/// A store that is written to or read from, with the target's name for messages.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Which target.
    pub target_id: TargetId,
    /// Its name.
    pub name: String,
    /// Its store.
    pub store: Arc<dyn ObjectStore>,
}
