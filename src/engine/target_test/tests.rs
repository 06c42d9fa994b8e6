//! The test of a target says which step failed and why.

use super::*;
use crate::testing::{Faults, MemoryStore, small_volumes};

#[tokio::test]
async fn a_good_target_passes_every_step_and_is_left_empty() {
    let store = MemoryStore::new(small_volumes());
    let report = test_target(&store).await;
    assert!(report.ok && report.conditional_create, "{report:?}");
    let steps: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        steps,
        [
            "open",
            "write",
            "read",
            "list",
            "speed",
            "createAgain",
            "delete"
        ]
    );
    assert_eq!(store.names(), [""; 0]);
}

#[tokio::test]
async fn the_step_that_fails_is_the_last_and_says_why() {
    let refused = Faults {
        refused: true,
        ..Faults::default()
    };
    let report = test_target(&MemoryStore::faulty(small_volumes(), refused)).await;
    let last = report.steps.last().expect("a step");
    assert!(!report.ok && !last.ok);
    assert_eq!(
        (last.name.as_str(), last.message.as_str()),
        ("write", "access denied")
    );
}

#[tokio::test]
async fn never_11_a_target_that_hangs_is_said_within_a_limit() {
    let report = test_within(
        &MemoryStore::hung(small_volumes()),
        Duration::from_millis(50),
    )
    .await;
    let last = report.steps.last().expect("a step");
    assert_eq!(last.name, "write");
    assert!(last.message.contains("0.05 seconds"), "{}", last.message);
}
