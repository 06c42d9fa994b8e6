//! Leases: who may report on a command, and until when.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{ask, asked, at, claimed};
use anyhow::Result;
use backupx_core::domain::command::{Command, CommandState, Lane, Lease};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::report::Outcome;
use backupx_core::ports::queue::{Cancelled, Guarded, NewCommand, Renewal};

cases!(
    a_sign_of_life_is_noted_and_acknowledges,
    a_sign_of_life_that_comes_late_does_not_turn_the_clock_back,
    only_the_current_lease_renews,
    never_09_stale_lease_cannot_finish,
    a_released_command_is_handed_out_again_under_a_higher_lease,
    only_the_current_lease_releases,
    a_held_command_is_told_to_stop,
    a_heartbeat_renews_what_the_node_really_holds,
    never_10_a_command_that_gives_signs_of_life_does_not_expire,
    never_12_a_silent_command_expires,
    a_command_that_nobody_took_expires,
    expiry_has_a_limit_and_leaves_the_rest,
    all_that_is_claimed_is_read_in_pages,
    nodes_that_did_not_confirm_are_named,
);

const NODE: NodeId = NodeId(1);
const HELD: Renewal = Renewal::Held { cancel: false };

async fn read(ports: &Ports, id: CommandId) -> Result<Command> {
    let command = ports.queue.get(id).await?;
    Ok(command.expect("the command is there"))
}

fn ids(commands: &[Command]) -> Vec<CommandId> {
    commands.iter().map(|command| command.id).collect()
}

async fn a_sign_of_life_is_noted_and_acknowledges(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 5).await?;
    assert_eq!(ports.queue.renew(id, Lease(1), at(8)).await?, HELD);
    let command = read(ports, id).await?;
    assert_eq!(
        (command.seen_at, command.claimed_at),
        (Some(at(8)), Some(at(5)))
    );
    assert!(command.acknowledged);
    Ok(())
}

async fn a_sign_of_life_that_comes_late_does_not_turn_the_clock_back(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 5).await?;
    ports.queue.renew(id, Lease(1), at(20)).await?;
    assert_eq!(ports.queue.renew(id, Lease(1), at(10)).await?, HELD);
    assert_eq!(read(ports, id).await?.seen_at, Some(at(20)));
    Ok(())
}

async fn only_the_current_lease_renews(ports: &Ports) -> Result<()> {
    let waiting = asked(ports, 2).await?;
    let lost = Renewal::LeaseLost;
    assert_eq!(ports.queue.renew(waiting, Lease(0), at(1)).await?, lost);
    ports.queue.cancel(waiting, at(1)).await?;
    let id = claimed(ports, 1, 5).await?;
    let before = read(ports, id).await?;
    for lease in [Lease(0), Lease(2)] {
        assert_eq!(ports.queue.renew(id, lease, at(8)).await?, lost);
    }
    assert_eq!(
        ports.queue.renew(CommandId(99), Lease(1), at(8)).await?,
        lost
    );
    assert_eq!(read(ports, id).await?, before);
    ports
        .queue
        .finish(id, Lease(1), &Outcome::Cancelled, at(9))
        .await?;
    assert_eq!(ports.queue.renew(id, Lease(1), at(10)).await?, lost);
    Ok(())
}

async fn never_09_stale_lease_cannot_finish(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 1).await?;
    ports.queue.release(id, Lease(1), at(2)).await?;
    let finish = |lease, second| {
        ports
            .queue
            .finish(id, lease, &Outcome::Cancelled, at(second))
    };
    assert_eq!(finish(Lease(1), 3).await?, Guarded::LeaseLost);
    ports.queue.claim(NODE, Lane::Work, at(4)).await?;
    let before = read(ports, id).await?;
    assert_eq!(before.lease, Lease(2));
    assert_eq!(finish(Lease(1), 5).await?, Guarded::LeaseLost);
    assert_eq!(read(ports, id).await?, before);
    assert_eq!(finish(Lease(2), 6).await?, Guarded::Done);
    Ok(())
}

async fn a_released_command_is_handed_out_again_under_a_higher_lease(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 1).await?;
    ports.queue.renew(id, Lease(1), at(2)).await?;
    assert_eq!(
        ports.queue.release(id, Lease(1), at(10)).await?,
        Guarded::Done
    );
    let waiting = read(ports, id).await?;
    assert_eq!(
        (waiting.state, waiting.lease),
        (CommandState::Pending, Lease(1))
    );
    assert_eq!(waiting.not_before, at(10));
    assert_eq!(ports.queue.claim(NODE, Lane::Work, at(9)).await?, None);
    let again = ports.queue.claim(NODE, Lane::Work, at(10)).await?;
    let again = again.expect("it is due again");
    assert_eq!((again.id, again.lease), (id, Lease(2)));
    assert_eq!((again.seen_at, again.acknowledged), (None, false));
    Ok(())
}

async fn only_the_current_lease_releases(ports: &Ports) -> Result<()> {
    let waiting = asked(ports, 2).await?;
    let lost = Guarded::LeaseLost;
    assert_eq!(ports.queue.release(waiting, Lease(0), at(9)).await?, lost);
    ports.queue.cancel(waiting, at(1)).await?;
    assert_eq!(ports.queue.release(waiting, Lease(0), at(9)).await?, lost);
    let id = claimed(ports, 1, 1).await?;
    assert_eq!(ports.queue.release(id, Lease(2), at(9)).await?, lost);
    assert_eq!(read(ports, id).await?.state, CommandState::Claimed);
    Ok(())
}

async fn a_held_command_is_told_to_stop(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 1).await?;
    assert_eq!(ports.queue.cancel(id, at(2)).await?, Cancelled::Requested);
    let told = Renewal::Held { cancel: true };
    assert_eq!(ports.queue.renew(id, Lease(1), at(3)).await?, told);
    let held = HeldLease {
        command_id: id,
        lease: Lease(1),
    };
    let renewed = ports.queue.renew_all(NODE, &[held], at(4)).await?;
    assert_eq!(renewed, [(held, true)]);
    Ok(())
}

async fn a_heartbeat_renews_what_the_node_really_holds(ports: &Ports) -> Result<()> {
    let mine = claimed(ports, 1, 1).await?;
    let ended = claimed(ports, 2, 1).await?;
    ports.queue.close(ended, at(2)).await?;
    let waiting = asked(ports, 3).await?;
    let foreign = NewCommand {
        node_id: NodeId(2),
        ..ask(4)
    };
    let foreign = ports.queue.enqueue(foreign, at(0)).await?;
    ports.queue.claim(NodeId(2), Lane::Work, at(1)).await?;
    let held = |command_id, lease| HeldLease {
        command_id,
        lease: Lease(lease),
    };
    let said = [
        held(mine, 1),
        held(mine, 2),
        held(ended, 1),
        held(waiting, 0),
        held(foreign, 1),
        held(CommandId(99), 1),
    ];
    let renewed = ports.queue.renew_all(NODE, &said, at(9)).await?;
    assert_eq!(renewed, [(held(mine, 1), false)]);
    let command = read(ports, mine).await?;
    assert_eq!((command.seen_at, command.acknowledged), (Some(at(9)), true));
    assert_eq!(read(ports, foreign).await?.seen_at, None);
    assert!(ports.queue.renew_all(NODE, &[], at(9)).await?.is_empty());
    Ok(())
}

async fn never_10_a_command_that_gives_signs_of_life_does_not_expire(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 0).await?;
    for hour in 1..24 {
        let now = hour * 3600;
        ports.queue.renew(id, Lease(1), at(now)).await?;
        let expired = ports.queue.expire(at(now - 600), at(now), 10).await?;
        assert!(expired.is_empty());
    }
    Ok(())
}

async fn never_12_a_silent_command_expires(ports: &Ports) -> Result<()> {
    let unheard = claimed(ports, 1, 100).await?;
    let heard = claimed(ports, 2, 50).await?;
    ports.queue.renew(heard, Lease(1), at(101)).await?;
    let expire = |silent_since| ports.queue.expire(at(silent_since), at(700), 10);
    assert!(expire(100).await?.is_empty());
    let expired = expire(101).await?;
    assert_eq!(ids(&expired), [unheard]);
    assert_eq!(expired[0].state, CommandState::Timeout);
    assert_eq!(expired[0].finished_at, Some(at(700)));
    assert_eq!(read(ports, unheard).await?, expired[0]);
    assert_eq!(ids(&expire(102).await?), [heard]);
    assert!(expire(500).await?.is_empty());
    let late = ports
        .queue
        .finish(heard, Lease(1), &Outcome::Cancelled, at(800));
    assert_eq!(late.await?, Guarded::LeaseLost);
    Ok(())
}

async fn a_command_that_nobody_took_expires(ports: &Ports) -> Result<()> {
    let patient = asked(ports, 1).await?;
    let urgent = NewCommand {
        expires_at: Some(at(10)),
        ..ask(2)
    };
    let urgent = ports.queue.enqueue(urgent, at(0)).await?;
    let expire = |now| ports.queue.expire(at(-600), at(now), 10);
    assert!(expire(9).await?.is_empty());
    let expired = expire(10).await?;
    assert_eq!(ids(&expired), [urgent]);
    assert_eq!(expired[0].state, CommandState::Timeout);
    assert_eq!(expired[0].lease, Lease::NONE);
    assert_eq!(read(ports, patient).await?.state, CommandState::Pending);
    Ok(())
}

async fn expiry_has_a_limit_and_leaves_the_rest(ports: &Ports) -> Result<()> {
    for subject in 1..=3 {
        claimed(ports, subject, subject).await?;
    }
    for subject in 4..=6 {
        let put = NewCommand {
            expires_at: Some(at(subject)),
            ..ask(subject)
        };
        ports.queue.enqueue(put, at(0)).await?;
    }
    let mut sizes = Vec::new();
    let mut all = Vec::new();
    for _ in 0..3 {
        let expired = ports.queue.expire(at(50), at(100), 4).await?;
        sizes.push(expired.len());
        all.extend(ids(&expired));
    }
    assert_eq!(sizes, [4, 2, 0]);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
    Ok(())
}

async fn all_that_is_claimed_is_read_in_pages(ports: &Ports) -> Result<()> {
    assert!(ports.queue.claimed(None, 10).await?.is_empty());
    let mut expected = Vec::new();
    for (subject, node) in [(1, 12), (2, 3), (3, 0), (4, 3), (5, 3)] {
        let put = NewCommand {
            node_id: NodeId(node),
            ..ask(subject)
        };
        let id = ports.queue.enqueue(put, at(0)).await?;
        // A sign of life changes nothing about the order.
        let claimed_at = at(10 - subject);
        ports
            .queue
            .claim(NodeId(node), Lane::Work, claimed_at)
            .await?;
        expected.push((NodeId(node), id));
    }
    let (node, ended) = expected.remove(3);
    assert_eq!(node, NodeId(3));
    ports
        .queue
        .finish(ended, Lease(1), &Outcome::Cancelled, at(20))
        .await?;
    expected.sort();
    for limit in [1, 2, 10] {
        let mut read = Vec::new();
        loop {
            let page = ports.queue.claimed(read.last().copied(), limit).await?;
            assert!(page.iter().all(|c| c.state == CommandState::Claimed));
            read.extend(page.iter().map(|command| (command.node_id, command.id)));
            if page.len() < limit as usize {
                break;
            }
        }
        assert_eq!(read, expected);
    }
    Ok(())
}

async fn nodes_that_did_not_confirm_are_named(ports: &Ports) -> Result<()> {
    let confirmed = claimed(ports, 1, 5).await?;
    ports.queue.renew(confirmed, Lease(1), at(6)).await?;
    assert!(ports.queue.unconfirmed(at(100)).await?.is_empty());
    for subject in [2, 3] {
        claimed(ports, subject, 7).await?;
    }
    assert!(ports.queue.unconfirmed(at(7)).await?.is_empty());
    assert_eq!(ports.queue.unconfirmed(at(8)).await?, [NODE]);
    let held = ports.queue.claimed_by(NODE).await?;
    for command in held.iter().filter(|command| !command.acknowledged) {
        ports.queue.release(command.id, Lease(1), at(9)).await?;
    }
    assert!(ports.queue.unconfirmed(at(100)).await?.is_empty());
    Ok(())
}
