//! Endings: how a command comes to its end, and that it stays there.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{asked, at, claimed};
use anyhow::Result;
use backupx_core::domain::command::{Command, CommandState, Lane, Lease};
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::report::{DeleteReport, Failure, Listing, Outcome, Report};
use backupx_core::ports::queue::{Cancelled, Guarded, Renewal};
use std::collections::BTreeMap;

cases!(
    a_command_ends_with_what_its_node_reported,
    a_result_is_taken_once,
    a_command_that_waits_can_not_be_finished,
    never_12_cancel_is_legal_in_every_state,
    never_12_cancel_changes_no_end,
    a_command_is_closed_in_every_state_before_its_end,
    never_09_terminal_is_final,
    ended_commands_are_purged_when_they_are_old,
);

const NODE: NodeId = NodeId(1);

async fn read(ports: &Ports, id: CommandId) -> Result<Command> {
    let command = ports.queue.get(id).await?;
    Ok(command.expect("the command is there"))
}

async fn a_command_ends_with_what_its_node_reported(ports: &Ports) -> Result<()> {
    let succeeded = Outcome::Succeeded {
        report: Report::Browse(Listing::default()),
    };
    let failed = Outcome::Failed {
        failure: Failure::new("no_such_folder", "there is no \"/x\""),
        report: Some(Report::Delete(DeleteReport::default())),
    };
    let ends = [
        (succeeded, CommandState::Succeeded),
        (failed, CommandState::Failed),
        (Outcome::Cancelled, CommandState::Cancelled),
    ];
    for (subject, (outcome, state)) in (1..).zip(ends) {
        let id = claimed(ports, subject, 1).await?;
        let done = ports.queue.finish(id, Lease(1), &outcome, at(9)).await?;
        assert_eq!(done, Guarded::Done);
        let command = read(ports, id).await?;
        assert_eq!((command.state, command.finished_at), (state, Some(at(9))));
        assert_eq!(command.outcome, Some(outcome));
    }
    assert!(ports.queue.claimed_by(NODE).await?.is_empty());
    Ok(())
}

async fn a_result_is_taken_once(ports: &Ports) -> Result<()> {
    let id = claimed(ports, 1, 1).await?;
    ports
        .queue
        .finish(id, Lease(1), &Outcome::Cancelled, at(2))
        .await?;
    let before = read(ports, id).await?;
    let again = ports.queue.finish(id, Lease(1), &Outcome::Cancelled, at(3));
    assert_eq!(again.await?, Guarded::LeaseLost);
    assert_eq!(read(ports, id).await?, before);
    Ok(())
}

async fn a_command_that_waits_can_not_be_finished(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    for id in [id, CommandId(99)] {
        let done = ports.queue.finish(id, Lease(0), &Outcome::Cancelled, at(3));
        assert_eq!(done.await?, Guarded::LeaseLost);
    }
    assert_eq!(read(ports, id).await?.state, CommandState::Pending);
    Ok(())
}

async fn never_12_cancel_is_legal_in_every_state(ports: &Ports) -> Result<()> {
    let running = claimed(ports, 1, 1).await?;
    let waiting = asked(ports, 2).await?;
    let cancel = |id, second| ports.queue.cancel(id, at(second));
    assert_eq!(cancel(waiting, 2).await?, Cancelled::BeforeStart);
    let command = read(ports, waiting).await?;
    assert_eq!(command.state, CommandState::Cancelled);
    assert_eq!(command.finished_at, Some(at(2)));
    assert_eq!(ports.queue.claim(NODE, Lane::Work, at(3)).await?, None);
    assert_eq!(cancel(running, 3).await?, Cancelled::Requested);
    assert_eq!(cancel(running, 4).await?, Cancelled::Requested);
    let command = read(ports, running).await?;
    assert_eq!(command.state, CommandState::Claimed);
    assert_eq!(command.cancel_requested_at, Some(at(3)));
    assert_eq!(command.finished_at, None);
    ports
        .queue
        .finish(running, Lease(1), &Outcome::Cancelled, at(5))
        .await?;
    for id in [running, waiting, CommandId(99)] {
        assert_eq!(cancel(id, 6).await?, Cancelled::TooLate);
    }
    Ok(())
}

/// One command in each state that is an end.
async fn never_12_cancel_changes_no_end(ports: &Ports) -> Result<()> {
    let succeeded = Outcome::Succeeded {
        report: Report::Browse(Listing::default()),
    };
    let failed = Outcome::Failed {
        failure: Failure::new("disk_full", "the disk is full"),
        report: None,
    };
    let mut ends = BTreeMap::new();
    for (subject, outcome) in (1..).zip([succeeded, failed, Outcome::Cancelled]) {
        let id = claimed(ports, subject, 1).await?;
        ports.queue.finish(id, Lease(1), &outcome, at(2)).await?;
        ends.insert(read(ports, id).await?.state.as_str(), id);
    }
    let silent = claimed(ports, 9, 1).await?;
    ports.queue.expire(at(2), at(3), 10).await?;
    ends.insert(read(ports, silent).await?.state.as_str(), silent);
    let states: Vec<_> = ends.keys().copied().collect();
    assert_eq!(states, ["cancelled", "failed", "succeeded", "timeout"]);
    for id in ends.into_values() {
        let before = read(ports, id).await?;
        assert_eq!(ports.queue.cancel(id, at(9)).await?, Cancelled::TooLate);
        assert_eq!(read(ports, id).await?, before);
    }
    Ok(())
}

async fn a_command_is_closed_in_every_state_before_its_end(ports: &Ports) -> Result<()> {
    let running = claimed(ports, 1, 1).await?;
    let waiting = asked(ports, 2).await?;
    for id in [running, waiting] {
        assert_eq!(ports.queue.close(id, at(5)).await?, Guarded::Done);
        let command = read(ports, id).await?;
        assert_eq!(command.state, CommandState::Cancelled);
        assert_eq!(command.finished_at, Some(at(5)));
        assert_eq!(ports.queue.close(id, at(6)).await?, Guarded::LeaseLost);
    }
    let nobody = ports.queue.close(CommandId(99), at(6)).await?;
    assert_eq!(nobody, Guarded::LeaseLost);
    Ok(())
}

async fn never_09_terminal_is_final(ports: &Ports) -> Result<()> {
    let finished = claimed(ports, 1, 1).await?;
    let outcome = Outcome::Succeeded {
        report: Report::Browse(Listing::default()),
    };
    ports
        .queue
        .finish(finished, Lease(1), &outcome, at(2))
        .await?;
    let closed = claimed(ports, 2, 2).await?;
    ports.queue.close(closed, at(3)).await?;
    let silent = claimed(ports, 3, 3).await?;
    ports.queue.expire(at(4), at(5), 10).await?;
    for id in [finished, closed, silent] {
        let before = read(ports, id).await?;
        assert!(before.state.is_final());
        let lost = Guarded::LeaseLost;
        let late = ports.queue.finish(id, Lease(1), &Outcome::Cancelled, at(9));
        assert_eq!(late.await?, lost);
        assert_eq!(ports.queue.release(id, Lease(1), at(9)).await?, lost);
        assert_eq!(ports.queue.close(id, at(9)).await?, lost);
        let renewed = ports.queue.renew(id, Lease(1), at(9)).await?;
        assert_eq!(renewed, Renewal::LeaseLost);
        assert_eq!(ports.queue.cancel(id, at(9)).await?, Cancelled::TooLate);
        assert!(ports.queue.expire(at(99), at(99), 10).await?.is_empty());
        assert_eq!(ports.queue.claim(NODE, Lane::Work, at(99)).await?, None);
        assert_eq!(read(ports, id).await?, before);
    }
    Ok(())
}

async fn ended_commands_are_purged_when_they_are_old(ports: &Ports) -> Result<()> {
    let running = claimed(ports, 1, 1).await?;
    let waiting = asked(ports, 2).await?;
    for (subject, second) in [(3, 10), (4, 20), (5, 30)] {
        let id = asked(ports, subject).await?;
        ports.queue.cancel(id, at(second)).await?;
    }
    assert_eq!(ports.queue.purge(at(10), 10).await?, 0);
    assert_eq!(ports.queue.purge(at(30), 1).await?, 1);
    assert_eq!(ports.queue.purge(at(30), 10).await?, 1);
    assert_eq!(ports.queue.purge(at(1000), 10).await?, 1);
    assert_eq!(ports.queue.purge(at(1000), 10).await?, 0);
    assert_eq!(read(ports, running).await?.state, CommandState::Claimed);
    assert_eq!(read(ports, waiting).await?.state, CommandState::Pending);
    Ok(())
}
