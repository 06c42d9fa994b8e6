//! A target behind the master, while the master comes and goes.

use super::master::{Call, Master};
use crate::work::RelayStore;
use backupx_core::ErrorKind;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, TargetId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A store of command 7 whose lease a test may renew.
fn store(master: &Arc<Master>, lease: &Arc<AtomicI64>) -> RelayStore {
    let lease = Arc::clone(lease);
    RelayStore::new(
        Arc::<Master>::clone(master),
        CommandId(7),
        Arc::new(move || Lease(lease.load(Ordering::Relaxed))),
        TargetId(2),
    )
}

fn key() -> ObjectKey {
    ObjectKey::parse("etc/2026/01/7-20260101T000000Z/data.tar.000001").expect("a key")
}

fn away(master: &Master) {
    master.fail(
        &[Call::Relay],
        ErrorKind::Unavailable,
        "master_unreachable",
        Duration::ZERO,
    );
}

#[tokio::test(start_paused = true)]
async fn never_20_only_a_name_is_sent_and_the_master_chooses_the_folder() {
    let (master, lease) = (Arc::new(Master::default()), Arc::new(AtomicI64::new(1)));
    let store = store(&master, &lease);
    let body = vec![Bytes::from_static(b"ab"), Bytes::from_static(b"cd")];
    store.create(&key(), body).await.expect("created");
    let names: Vec<_> = master.state().objects.keys().cloned().collect();
    assert_eq!(names, [(TargetId(2), "data.tar.000001".to_owned())]);
    assert_eq!(store.read(&key(), 1..3).await.expect("read"), "bc");
    let info = store.stat(&key()).await.expect("an answer");
    assert_eq!(info.map(|info| info.size), Some(4));
}

#[tokio::test(start_paused = true)]
async fn a_master_that_restarts_is_waited_for() {
    let (master, lease) = (Arc::new(Master::default()), Arc::new(AtomicI64::new(1)));
    away(&master);
    let store = store(&master, &lease);
    let back = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        master.recover();
    };
    let key = key();
    let (created, ()) = tokio::join!(store.create(&key, vec![Bytes::from_static(b"ab")]), back);
    created.expect("created");
}

#[tokio::test(start_paused = true)]
async fn a_master_that_stays_away_is_not_waited_for_without_end() {
    let (master, lease) = (Arc::new(Master::default()), Arc::new(AtomicI64::new(1)));
    away(&master);
    let error = store(&master, &lease)
        .read(&key(), 0..1)
        .await
        .expect_err("must be given up");
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_got_lost_is_not_taken_for_a_strangers() {
    let (master, lease) = (Arc::new(Master::default()), Arc::new(AtomicI64::new(1)));
    let store = store(&master, &lease);
    master.state().lose_answers = 1;
    let body = || vec![Bytes::from_static(b"ab")];
    let unsure = store
        .create(&key(), body())
        .await
        .expect_err("it is not known");
    assert_eq!(
        (unsure.kind(), unsure.code()),
        (ErrorKind::Unavailable, "relay_unsure")
    );
    let taken = store.create(&key(), body()).await.expect_err("it is there");
    assert_eq!(taken.code(), "object_exists");
}

#[tokio::test(start_paused = true)]
async fn never_09_a_renewed_lease_is_used_and_a_lost_one_ends_it() {
    let (master, lease) = (Arc::new(Master::default()), Arc::new(AtomicI64::new(1)));
    let store = store(&master, &lease);
    master.state().leases.insert(CommandId(7), Lease(2));
    let lost = store
        .create(&key(), vec![Bytes::from_static(b"ab")])
        .await
        .expect_err("must be refused");
    assert_eq!(lost.code(), "lease_lost");
    lease.store(2, Ordering::Relaxed);
    store
        .create(&key(), vec![Bytes::from_static(b"ab")])
        .await
        .expect("created");
}
