//! Restarts: what was answered stays, whatever happens to the process.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, claimed, ended, name, queued, read, task};
use anyhow::Result;
use backupx_core::ErrorKind;
use backupx_core::domain::account::Role;
use backupx_core::domain::command::{CommandState, Lane, Lease};
use backupx_core::domain::id::{EventId, NodeId};
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::report::Outcome;
use backupx_core::ports::queue::{Guarded, Renewal};

cases!(
    everything_is_there_after_a_restart,
    a_lease_survives_a_restart_and_its_fence_too,
    calls_on_a_closed_store_say_that_a_retry_helps,
    a_call_that_was_dropped_half_way_leaves_the_store_usable,
);

async fn everything_is_there_after_a_restart(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let done = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    let waiting = queued(ports, &task, 5).await?;
    let user = ports
        .users
        .add(&name("ada"), "hash", Role::Admin, at(0))
        .await?;
    let session = ports.sessions.add(user.id, at(0), at(100)).await?;
    ports.settings.set("k", "v").await?;
    ports.presence.seen(NodeId(1), at(3)).await?;
    let after = ports.host.restart().await?;
    assert_eq!(read(&after, done.id).await?, done);
    assert_eq!(read(&after, waiting.id).await?, waiting);
    assert_eq!(after.tasks.get(task.id).await?, Some(task));
    let live = after.sessions.live(session.id, at(1)).await?;
    assert_eq!(live, Some((session, user)));
    assert_eq!(after.settings.get("k").await?.as_deref(), Some("v"));
    assert_eq!(after.presence.last_seen(NodeId(1)).await?, Some(at(3)));
    assert_eq!(after.events.read(EventId(0), 9).await?.len(), 1);
    Ok(())
}

async fn a_lease_survives_a_restart_and_its_fence_too(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 1).await?;
    let after = ports.host.restart().await?;
    let held = Renewal::Held { cancel: false };
    assert_eq!(after.queue.renew(id, Lease(1), at(2)).await?, held);
    after.queue.release(id, Lease(1), at(3)).await?;
    let after = after.host.restart().await?;
    let again = after.queue.claim(NodeId(1), Lane::Work, at(4)).await?;
    assert_eq!(again.map(|command| command.lease), Some(Lease(2)));
    let late = after.queue.finish(id, Lease(1), &Outcome::Cancelled, at(5));
    assert_eq!(late.await?, Guarded::LeaseLost);
    let command = after.queue.get(id).await?.expect("nothing is lost");
    assert_eq!(command.state, CommandState::Claimed);
    Ok(())
}

async fn calls_on_a_closed_store_say_that_a_retry_helps(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    ports.host.restart().await?;
    let read = ports.tasks.get(task.id).await;
    let write = ports.settings.set("k", "v").await;
    for error in [read.err(), write.err()] {
        let error = error.expect("the store is closed");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.is_retryable());
    }
    Ok(())
}

async fn a_call_that_was_dropped_half_way_leaves_the_store_usable(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    for polls in 1..40 {
        let record = crate::samples::run_of(&task, at(polls));
        let mut call = Box::pin(ports.records.add(record));
        for _ in 0..polls {
            if futures::poll!(&mut call).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        ports.settings.set("k", &polls.to_string()).await?;
    }
    let value = ports.settings.get("k").await?;
    assert_eq!(value.as_deref(), Some("39"));
    let unfinished = ports
        .records
        .unfinished(backupx_core::domain::id::RecordId(0), 100)
        .await?;
    assert!(unfinished.len() <= 1);
    for record in unfinished {
        assert_eq!(record.copies.len(), 2, "half a record was written");
        assert!(record.location.as_str().len() > 1);
    }
    Ok(())
}
