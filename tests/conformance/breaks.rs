//! Breaks: every connection to the store is cut in the middle, again and again. A call may fail then and says that a retry helps; what
//! was asked for is done once or not at all, and nobody goes deaf.

use crate::case::{cases, patiently};
use crate::ports::Ports;
use crate::samples::{ask, asked, at, queued, run_of, task};
use anyhow::{Context, Result, ensure};
use backupx_core::domain::command::{Command, CommandState, Lane, Lease};
use backupx_core::domain::id::{EventId, NodeId, RecordId};
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::report::Outcome;
use backupx_core::ports::signals::Topic;
use futures::future::try_join_all;
use std::collections::BTreeSet;
use std::time::Duration;

cases!(
    calls_go_on_after_every_connection_was_cut,
    never_08_commands_are_handed_out_once_while_connections_break,
    a_run_is_written_and_ended_once_while_connections_break,
    what_is_said_during_a_break_is_heard_after_it,
);

async fn calls_go_on_after_every_connection_was_cut(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let record = queued(ports, &task, 1).await?;
    let id = asked(ports, 1).await?;
    for round in 0..3 {
        ports.host.cut().await?;
        patiently(|| ports.presence.seen(NodeId(1), at(round))).await?;
        let text = round.to_string();
        patiently(|| ports.settings.set("round", &text)).await?;
        let found = patiently(|| ports.records.get(record.id)).await?;
        ensure!(found.as_ref() == Some(&record), "{found:?}");
        let command = patiently(|| ports.queue.get(id)).await?;
        ensure!(command.is_some_and(|command| command.state == CommandState::Pending));
    }
    assert_eq!(ports.presence.last_seen(NodeId(1)).await?, Some(at(2)));
    Ok(())
}

async fn never_08_commands_are_handed_out_once_while_connections_break(
    ports: &Ports,
) -> Result<()> {
    const COMMANDS: i64 = 60;
    let replica = ports.host.replica().await?;
    let masters = [ports, &replica];
    let putting = (0..4).map(|caller| async move {
        for subject in 0..COMMANDS {
            if subject % 20 == caller {
                ports.host.cut().await?;
            }
            let queue = &masters[usize::try_from(caller)? % 2].queue;
            patiently(|| queue.enqueue(ask(subject), at(0))).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(putting).await?;
    let all = (u64::try_from(COMMANDS)?, 0);
    assert_eq!(patiently(|| ports.queue.depth()).await?, all);

    let claiming = (0..8usize).map(|caller| async move {
        let queue = &masters[caller % 2].queue;
        let mut won: Vec<Command> = Vec::new();
        loop {
            if won.len() % 5 == 3 {
                ports.host.cut().await?;
            }
            let claim = || queue.claim(NodeId(1), Lane::Work, at(1));
            match patiently(claim).await? {
                Some(command) => won.push(command),
                None => return anyhow::Ok(won),
            }
        }
    });
    let won = try_join_all(claiming).await?.concat();
    let ids: BTreeSet<_> = won.iter().map(|command| command.id).collect();
    assert_eq!(ids.len(), won.len(), "a command was handed out twice");
    assert!(won.iter().all(|command| command.lease == Lease(1)));
    // An answer that got lost is a command that is claimed and that nobody has: its lease runs out.
    let all = (0, u64::try_from(COMMANDS)?);
    assert_eq!(patiently(|| ports.queue.depth()).await?, all);

    for (number, command) in won.iter().enumerate() {
        if number % 10 == 0 {
            ports.host.cut().await?;
        }
        let outcome = Outcome::Cancelled;
        patiently(|| ports.queue.finish(command.id, Lease(1), &outcome, at(2))).await?;
        let ended = patiently(|| replica.queue.get(command.id)).await?;
        let ended = ended.context("an ended command is kept")?;
        assert_eq!(ended.state, CommandState::Cancelled);
        assert_eq!(ended.finished_at, Some(at(2)));
    }
    Ok(())
}

async fn a_run_is_written_and_ended_once_while_connections_break(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let task = task(ports, "t").await?;
    for second in 0..5 {
        let callers = (0..6).map(|caller| {
            let (task, replica) = (&task, &replica);
            async move {
                let records = &[ports, replica][caller % 2].records;
                if caller == 2 {
                    ports.host.cut().await?;
                }
                let added = patiently(|| records.add(run_of(task, at(second)))).await?;
                anyhow::Ok(added.map_or_else(|waiting| waiting, |record| record.id))
            }
        });
        let ids: BTreeSet<RecordId> = try_join_all(callers).await?.into_iter().collect();
        assert_eq!(ids.len(), 1, "two runs of one task wait");
        let id = *ids.first().context("a run waits")?;
        let record = patiently(|| ports.records.get(id)).await?;
        let record = record.context("it was written")?;
        patiently(|| ports.records.start(id, Lease(1), at(second))).await?;
        let end = crate::samples::end(&record, RecordState::Success, CopyState::Good);
        let callers = (0..6).map(|caller| {
            let (replica, end) = (&replica, &end);
            async move {
                let records = &[ports, replica][caller % 2].records;
                if caller == 3 {
                    ports.host.cut().await?;
                }
                patiently(|| records.finish(id, Lease(1), end, at(second))).await
            }
        });
        try_join_all(callers).await?;
        let ended = patiently(|| ports.records.get(id)).await?;
        let ended = ended.context("it was written")?;
        assert_eq!(ended.state, RecordState::Success);
    }
    let events = patiently(|| ports.events.read(EventId(0), 100)).await?;
    assert_eq!(events.len(), 5, "each end is told of once");
    Ok(())
}

async fn what_is_said_during_a_break_is_heard_after_it(ports: &Ports) -> Result<()> {
    let topic = Topic::Node(NodeId(1));
    let replica = ports.host.replica().await?;
    let listening = match ports.host.is_shared() {
        true => &replica,
        false => ports,
    };
    let mut waiter = listening.signals.subscribe(topic).await?;
    for round in 0..10 {
        if round % 2 == 0 {
            ports.host.cut().await?;
        }
        patiently(|| ports.signals.notify(topic)).await?;
        let long = Duration::from_secs(3600);
        tokio::time::timeout(Duration::from_secs(30), waiter.wait(long))
            .await
            .with_context(|| format!("the wake-up of round {round} was lost"))?;
    }
    Ok(())
}
