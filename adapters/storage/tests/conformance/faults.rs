//! What becomes of calls when the way to the server is bad: the right outcome, with its cause, within a limit, and nothing left behind.

use crate::backends::{Backend, Fresh, key};
use crate::proxy::{Fault, Then, Way};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// No call takes longer than its retries with limits of some seconds may.
const BOUND: Duration = Duration::from_secs(60);
const SIZE: u64 = 1 << 20;
/// A place in the middle of such an object, behind every header.
const MIDDLE: u64 = SIZE / 2;
/// So early in each answer that reads that go on where they broke off do not get to the end.
const EARLY: u64 = SIZE / 32;

fn body() -> Vec<Bytes> {
    vec![Bytes::from(vec![7; SIZE as usize])]
}

/// Waits for a call that must end.
async fn ends<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let ended = tokio::time::timeout(BOUND, call).await;
    ended.unwrap_or_else(|_| Err(Error::internal("the call did not end within its bound")))
}

/// Creates as whoever lays a backup down does: again while that may help.
async fn create_patiently(store: &Arc<dyn ObjectStore>, object: &ObjectKey) -> Result<()> {
    let mut left = 5;
    loop {
        match ends(store.create(object, body())).await {
            Err(error) if error.is_retryable() && left > 1 => left -= 1,
            ended => return ended,
        }
    }
}

/// A failure that a retry may help, with a cause that stands in its words.
fn passing(outcome: Result<()>) -> Error {
    let error = outcome.expect_err("the fault is still there");
    assert!(error.is_retryable(), "{error:?}");
    assert!(
        [
            "storage_unavailable",
            "storage_unreachable",
            "storage_stalled",
            "storage_busy",
            "changed_on_the_way",
        ]
        .contains(&error.code()),
        "{error:?}"
    );
    error
}

pub(crate) async fn a_slow_server_is_no_failure(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    proxy.set(Fault::Slow(4 << 20));
    ends(store.create(&key("a/1"), body())).await?;
    let read = ends(store.read(&key("a/1"), 0..SIZE)).await?;
    assert_eq!(read.len() as u64, SIZE);
    Ok(())
}

pub(crate) async fn never_26_a_stall_ends_and_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    proxy.set(Fault::Behind(Way::Up, MIDDLE, Then::Stall));
    let stalled = passing(ends(store.create(&key("a/1"), body())).await);
    assert_eq!(stalled.code(), "storage_stalled", "{stalled:?}");
    nothing_stays(fresh).await?;
    fresh.store.create(&key("a/2"), body()).await?;
    proxy.set(Fault::Behind(Way::Down, EARLY, Then::Stall));
    let stalled = passing(ends(store.read(&key("a/2"), 0..SIZE)).await.map(drop));
    assert_eq!(stalled.code(), "storage_stalled", "{stalled:?}");
    proxy.set(Fault::None);
    assert_eq!(
        ends(store.read(&key("a/2"), 0..SIZE)).await?.len() as u64,
        SIZE
    );
    Ok(())
}

pub(crate) async fn what_fails_for_the_moment_is_tried_again(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    let object = key("a/1");
    proxy.set_for(Fault::Status(503), 2);
    create_patiently(&store, &object).await?;
    proxy.set_for(Fault::Status(500), 2);
    let read = ends(store.read(&object, 0..SIZE)).await?;
    assert_eq!(read.len() as u64, SIZE);
    proxy.set_for(Fault::Status(503), 2);
    assert_eq!(ends(store.list(&key("a"))).await?.len(), 1);
    proxy.set_for(Fault::Status(503), 2);
    assert!(ends(store.stat(&object)).await?.is_some());
    Ok(())
}

pub(crate) async fn a_server_that_fails_for_ever_is_said_as_such(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    fresh.store.create(&key("a/1"), body()).await?;
    proxy.set(Fault::Status(503));
    passing(ends(store.create(&key("a/2"), body())).await);
    passing(ends(store.read(&key("a/1"), 0..SIZE)).await.map(drop));
    passing(ends(store.list(&key("a"))).await.map(drop));
    passing(ends(store.remove(&key("a/1"))).await);
    proxy.set(Fault::None);
    assert_eq!(ends(store.list(&key("a"))).await?.len(), 1);
    Ok(())
}

pub(crate) async fn a_connection_that_breaks_leaves_nothing(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    proxy.set(Fault::Behind(Way::Up, MIDDLE, Then::Cut));
    passing(ends(store.create(&key("a/1"), body())).await);
    nothing_stays(fresh).await?;
    proxy.set_for(Fault::Behind(Way::Up, MIDDLE, Then::Cut), 1);
    create_patiently(&store, &key("a/1")).await?;

    proxy.set_for(Fault::Behind(Way::Down, MIDDLE, Then::Cut), 1);
    let read = ends(store.read(&key("a/1"), 0..SIZE)).await?;
    assert_eq!(read.len() as u64, SIZE);
    proxy.set(Fault::Behind(Way::Down, EARLY, Then::Cut));
    passing(ends(store.read(&key("a/1"), 0..SIZE)).await.map(drop));

    proxy.set_for(Fault::Behind(Way::Down, 40, Then::Cut), 1);
    assert_eq!(ends(store.list(&key("a"))).await?.len(), 1);
    proxy.set(Fault::Behind(Way::Down, 40, Then::Cut));
    passing(ends(store.list(&key("a"))).await.map(drop));
    Ok(())
}

pub(crate) async fn a_byte_that_changed_on_the_way_up_is_found(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    proxy.set_for(Fault::Behind(Way::Up, MIDDLE, Then::Flip), 1);
    let changed = passing(ends(store.create(&key("a/1"), body())).await);
    assert_eq!(changed.code(), "changed_on_the_way", "{changed:?}");
    nothing_stays(fresh).await?;
    ends(store.create(&key("a/1"), body())).await?;
    let read = fresh.store.read(&key("a/1"), 0..SIZE).await?;
    assert!(read.iter().all(|byte| *byte == 7));
    Ok(())
}

pub(crate) async fn never_24_a_create_that_is_given_up_leaves_nothing(fresh: &Fresh) -> Result<()> {
    let (proxy, store) = fresh.behind_a_proxy()?;
    proxy.set(Fault::Slow(1 << 20));
    let object = key("a/1");
    let creating = tokio::spawn(async move { store.create(&object, body()).await });
    until(|| proxy.counts().up.load(Ordering::Relaxed) > MIDDLE).await;
    creating.abort();
    // Whoever was told to stop drops the call; awaited, it has.
    let _ = creating.await;
    drop(proxy);
    nothing_stays(fresh).await
}

/// What is there is whole, if there is anything, and the sweep's removal takes it.
async fn nothing_stays(fresh: &Fresh) -> Result<()> {
    for info in fresh.store.list(&key("a")).await? {
        // A server may notice late that its client has gone; one through rclone may keep what it got.
        assert!(
            info.size == SIZE || fresh.backend == Backend::Webdav,
            "{info:?}"
        );
    }
    fresh.store.remove_all(&key("a")).await?;
    assert_eq!(fresh.store.list(&key("a")).await?, []);
    Ok(())
}

/// Waits for a condition.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(BOUND, waiting).await;
    waited.expect("it comes within the bound");
}
