//! Skew: the clocks of masters and of their store differ. Times are what the caller says; a lease is fenced by its number, never by a time.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{ask, at, claimed, name};
use anyhow::{Context, Result, ensure};
use backupx_core::domain::account::Role;
use backupx_core::domain::command::{CommandState, Lane, Lease};
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::report::Outcome;
use backupx_core::ports::queue::{Guarded, NewCommand, Renewal};

cases!(
    the_clock_of_the_store_decides_nothing,
    a_master_behind_takes_no_life_from_a_lease,
    never_09_a_master_ahead_gives_up_early_and_doubles_nothing,
    a_command_handed_back_by_a_master_ahead_waits_for_the_others_clocks,
);

const NODE: NodeId = NodeId(1);
/// How far the clocks are apart, in seconds.
const APART: i64 = 600;

/// Thirty years before the store's own time and thirty after it, everything is as it always is.
async fn the_clock_of_the_store_decides_nothing(ports: &Ports) -> Result<()> {
    let user = ports
        .users
        .add(&name("ada"), "hash", Role::Admin, at(0))
        .await?;
    for base in [-1_000_000_000_i64, 1_000_000_000] {
        let now = |second| at(base + second);
        let node = NodeId(base.signum() + 5);
        let put = NewCommand {
            node_id: node,
            not_before: now(10),
            expires_at: Some(now(20)),
            ..ask(base)
        };
        let id = ports.queue.enqueue(put, now(0)).await?;
        ensure!(ports.queue.expire(now(0), now(19), 9).await?.is_empty());
        let claim = |second| ports.queue.claim(node, Lane::Work, now(second));
        ensure!(claim(9).await?.is_none() && claim(20).await?.is_none());
        ensure!(claim(10).await?.context("it is due")?.id == id);
        ports.queue.renew(id, Lease(1), now(11)).await?;
        ensure!(ports.queue.expire(now(11), now(99), 9).await?.is_empty());
        ensure!(ports.queue.expire(now(12), now(99), 9).await?.len() == 1);
        ensure!(ports.queue.purge(now(99), 9).await? == 0);
        ensure!(ports.queue.purge(now(100), 9).await? == 1);

        ports.presence.seen(node, now(1)).await?;
        ensure!(ports.presence.take_offline(now(1)).await?.is_empty());
        ensure!(ports.presence.take_offline(now(2)).await? == [node]);

        let session = ports.sessions.add(user.id, now(0), now(10)).await?;
        ensure!(ports.sessions.live(session.id, now(9)).await?.is_some());
        ensure!(ports.sessions.live(session.id, now(10)).await?.is_none());

        let event = ports
            .events
            .add(&EventKind::NodeOnline { node_id: node }, now(0))
            .await?;
        ensure!(ports.events.take(9, now(1), now(5)).await?.len() == 1);
        ensure!(ports.events.take(9, now(4), now(9)).await?.is_empty());
        ensure!(ports.events.take(9, now(5), now(9)).await?.len() == 1);
        ports.events.handled(event, now(6)).await?;
    }
    Ok(())
}

async fn a_master_behind_takes_no_life_from_a_lease(ports: &Ports) -> Result<()> {
    let ahead = ports.host.replica().await?;
    let id = claimed(ports, 1, 0).await?;
    let held = Renewal::Held { cancel: false };
    assert_eq!(ahead.queue.renew(id, Lease(1), at(APART)).await?, held);
    assert_eq!(ports.queue.renew(id, Lease(1), at(5)).await?, held);
    let command = ports.queue.get(id).await?.context("it is claimed")?;
    assert_eq!(command.seen_at, Some(at(APART)));
    ports.presence.seen(NODE, at(5)).await?;
    ahead.presence.seen(NODE, at(APART)).await?;
    ensure!(!ports.presence.seen(NODE, at(6)).await?);
    assert_eq!(ports.presence.last_seen(NODE).await?, Some(at(APART)));
    Ok(())
}

async fn never_09_a_master_ahead_gives_up_early_and_doubles_nothing(ports: &Ports) -> Result<()> {
    let ahead = ports.host.replica().await?;
    let id = claimed(ports, 1, 0).await?;
    // Ten minutes of silence by a clock that is ten minutes ahead: none by the clock of the master that hears the agent.
    let expired = ahead.queue.expire(at(APART - 599), at(APART), 9).await?;
    ensure!(expired.len() == 1);
    let late = ports
        .queue
        .finish(id, Lease(1), &Outcome::Cancelled, at(10));
    assert_eq!(late.await?, Guarded::LeaseLost);
    let renewed = ports.queue.renew(id, Lease(1), at(10)).await?;
    assert_eq!(renewed, Renewal::LeaseLost);
    ensure!(ports.queue.claim(NODE, Lane::Work, at(10)).await?.is_none());
    let command = ports.queue.get(id).await?.context("it is kept")?;
    assert_eq!(command.state, CommandState::Timeout);
    Ok(())
}

async fn a_command_handed_back_by_a_master_ahead_waits_for_the_others_clocks(
    ports: &Ports,
) -> Result<()> {
    let ahead = ports.host.replica().await?;
    let id = claimed(ports, 1, 0).await?;
    ahead.queue.release(id, Lease(1), at(APART + 30)).await?;
    ensure!(ports.queue.claim(NODE, Lane::Work, at(31)).await?.is_none());
    let again = ahead.queue.claim(NODE, Lane::Work, at(APART + 30)).await?;
    assert_eq!(again.map(|command| command.lease), Some(Lease(2)));
    ensure!(
        ports
            .queue
            .claim(NODE, Lane::Work, at(APART + 31))
            .await?
            .is_none()
    );
    Ok(())
}
