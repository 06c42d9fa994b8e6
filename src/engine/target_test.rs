//! The test of a target: each thing that a backup needs of it, tried once.

use backupx_core::domain::report::TestReport;
use backupx_core::ports::objects::ObjectStore;

/// Writes, reads, lists and deletes a small object of its own, and says of each step whether it held and what to do when not.
pub async fn test_target(store: &dyn ObjectStore) -> TestReport {
    let _pending = store;
    TestReport {
        ok: false,
        steps: Vec::new(),
        conditional_create: false,
    }
}
