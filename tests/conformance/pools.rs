//! Pools: runs that wait for any of several nodes, and commands that are taken back before a node has them.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{ask, asked, at, ended, ids, queued, read, task};
use anyhow::Result;
use backupx_core::domain::command::{CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId, RequestId};
use backupx_core::domain::name::Name;
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::task::{Task, TaskSpec};
use backupx_core::ports::queue::{Guarded, NewCommand};

cases!(
    a_task_with_a_pool_holds_on_to_no_node,
    a_task_moves_between_a_node_and_a_pool,
    runs_in_pools_are_listed_oldest_first,
    a_run_leaves_its_pool_once,
    only_a_queued_run_changes_its_node,
    load_counts_what_is_not_at_its_end,
    a_withdrawn_command_is_as_if_it_had_never_been,
    only_a_pending_command_of_its_lease_is_withdrawn,
    a_command_that_was_put_back_can_be_withdrawn,
);

fn in_pool(spec: &TaskSpec) -> TaskSpec {
    TaskSpec {
        node_id: NodeId::NONE,
        pool: Name::parse("pool", "db").ok(),
        ..spec.clone()
    }
}

/// A task of the pool `db`.
async fn pooled(ports: &Ports, called: &str) -> Result<Task> {
    let task = task(ports, called).await?;
    let spec = in_pool(&task.spec);
    Ok(ports.tasks.update(task.id, 1, &spec, None, at(0)).await?)
}

async fn a_task_with_a_pool_holds_on_to_no_node(ports: &Ports) -> Result<()> {
    let before = task(ports, "t").await?;
    let pooled = ports
        .tasks
        .update(before.id, 1, &in_pool(&before.spec), None, at(1))
        .await?;
    assert_eq!(ports.tasks.get(before.id).await?, Some(pooled.clone()));
    assert!(ports.nodes.remove(before.spec.node_id).await?);
    let mut spec = pooled.spec;
    spec.name = crate::samples::name("another");
    let added = ports.tasks.add(&spec, None, at(2)).await?;
    assert_eq!(added.spec, spec);
    Ok(())
}

async fn a_task_moves_between_a_node_and_a_pool(ports: &Ports) -> Result<()> {
    let before = task(ports, "t").await?;
    let tasks = &ports.tasks;
    let pool = in_pool(&before.spec);
    let pooled = tasks.update(before.id, 1, &pool, None, at(1)).await?;
    let back = tasks.update(before.id, pooled.version, &before.spec, None, at(2));
    assert_eq!(back.await?.spec, before.spec);
    crate::samples::refused(ports.nodes.remove(before.spec.node_id).await, "node_in_use");
    Ok(())
}

async fn runs_in_pools_are_listed_oldest_first(ports: &Ports) -> Result<()> {
    let mut waiting = Vec::new();
    for number in 0..3 {
        let task = pooled(ports, &format!("t{number}")).await?;
        waiting.push(queued(ports, &task, number).await?.id);
    }
    queued(ports, &task(ports, "of a node").await?, 9).await?;
    assert_eq!(ids(&ports.records.in_pools(2).await?), waiting[..2]);
    assert_eq!(ids(&ports.records.in_pools(9).await?), waiting);
    Ok(())
}

async fn a_run_leaves_its_pool_once(ports: &Ports) -> Result<()> {
    let record = queued(ports, &pooled(ports, "t").await?, 1).await?;
    let takers = (1..=16).map(|node| {
        let records = ports.records.clone();
        async move { records.assign(record.id, NodeId::NONE, NodeId(node)).await }
    });
    let taken = futures::future::try_join_all(takers).await?;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    let node = taken
        .iter()
        .position(|taken| *taken)
        .map_or(0, |place| place + 1);
    assert_eq!(
        read(ports, record.id).await?.node_id,
        NodeId(i64::try_from(node)?)
    );
    assert!(ports.records.in_pools(9).await?.is_empty());
    Ok(())
}

async fn only_a_queued_run_changes_its_node(ports: &Ports) -> Result<()> {
    let record = queued(ports, &pooled(ports, "t").await?, 1).await?;
    let assign = |from, to| ports.records.assign(record.id, from, to);
    assert!(assign(NodeId::NONE, NodeId(7)).await?);
    assert!(!assign(NodeId(8), NodeId(9)).await?);
    ports.records.start(record.id, Lease(1), at(2)).await?;
    assert!(!assign(NodeId(7), NodeId(8)).await?);
    ports.records.requeue(record.id, Lease(1)).await?;
    assert!(assign(NodeId(7), NodeId::NONE).await?);
    let waiting = ports.records.in_pools(9).await?;
    assert_eq!(
        (ids(&waiting), waiting[0].lease),
        (vec![record.id], Lease(1))
    );
    Ok(())
}

async fn load_counts_what_is_not_at_its_end(ports: &Ports) -> Result<()> {
    assert!(ports.records.load().await?.is_empty());
    let (one, two) = (task(ports, "one").await?, task(ports, "two").await?);
    queued(ports, &pooled(ports, "three").await?, 1).await?;
    let running = queued(ports, &one, 1).await?;
    ports.records.start(running.id, Lease(1), at(2)).await?;
    queued(ports, &one, 3).await?;
    ended(ports, &two, 4, RecordState::Success, CopyState::Good).await?;
    assert_eq!(ports.records.load().await?, [(one.spec.node_id, 2)]);
    Ok(())
}

/// The same request for another node, behind a lease.
fn anew(subject: i64, after: Lease) -> NewCommand {
    NewCommand {
        node_id: NodeId(2),
        after,
        ..ask(subject)
    }
}

async fn claim(ports: &Ports, node: i64) -> Result<Option<(CommandId, Lease)>> {
    let claimed = ports.queue.claim(NodeId(node), Lane::Work, at(5)).await?;
    Ok(claimed.map(|command| (command.id, command.lease)))
}

async fn a_withdrawn_command_is_as_if_it_had_never_been(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    assert_eq!(ports.queue.withdraw(id, Lease::NONE).await?, Guarded::Done);
    assert_eq!(
        ports.queue.withdraw(id, Lease::NONE).await?,
        Guarded::LeaseLost
    );
    assert_eq!(ports.queue.get(id).await?, None);
    assert_eq!(
        ports.queue.find(Subject::Request(RequestId(1))).await?,
        None
    );
    assert_eq!(
        (claim(ports, 1).await?, ports.queue.depth().await?),
        (None, (0, 0))
    );
    let again = ports.queue.enqueue(anew(1, Lease::NONE), at(1)).await?;
    assert_ne!(again, id, "an id is never given twice");
    assert_eq!(claim(ports, 1).await?, None);
    assert_eq!(claim(ports, 2).await?, Some((again, Lease(1))));
    Ok(())
}

async fn only_a_pending_command_of_its_lease_is_withdrawn(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    assert_eq!(
        ports.queue.withdraw(id, Lease(1)).await?,
        Guarded::LeaseLost
    );
    assert_eq!(claim(ports, 1).await?, Some((id, Lease(1))));
    assert_eq!(
        ports.queue.withdraw(id, Lease(1)).await?,
        Guarded::LeaseLost
    );
    let command = ports.queue.get(id).await?;
    assert_eq!(
        command.map(|command| command.state),
        Some(CommandState::Claimed)
    );
    ports.queue.close(id, at(6)).await?;
    assert_eq!(
        ports.queue.withdraw(id, Lease(1)).await?,
        Guarded::LeaseLost
    );
    assert_eq!(
        ports.queue.withdraw(CommandId(99), Lease::NONE).await?,
        Guarded::LeaseLost
    );
    Ok(())
}

async fn a_command_that_was_put_back_can_be_withdrawn(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    claim(ports, 1).await?;
    ports.queue.release(id, Lease(1), at(60)).await?;
    assert_eq!(
        ports.queue.withdraw(id, Lease::NONE).await?,
        Guarded::LeaseLost
    );
    assert_eq!(ports.queue.withdraw(id, Lease(1)).await?, Guarded::Done);
    let again = ports.queue.enqueue(anew(1, Lease(1)), at(2)).await?;
    assert_eq!(claim(ports, 2).await?, Some((again, Lease(2))));
    Ok(())
}
