//! Many nodes at once: what is asked of the stores for all together, and what must not get lost over it.

use crate::bed::{Bed, hello};
use backupx_core::Result;
use backupx_core::domain::command::{CommandSpec, Lane, Lease, Subject};
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{EventId, NodeId, RequestId};
use backupx_core::domain::protocol::{Heartbeat, Poll};
use backupx_core::ports::events::Events;
use backupx_core::ports::nodes::Nodes;
use backupx_core::ports::presence::Presence;
use backupx_core::ports::queue::{CommandQueue, NewCommand};
use chrono::Duration;
use futures::future::{join, try_join_all};

fn held_poll() -> Poll {
    Poll {
        wait_secs: 25,
        free: 4,
        lane: Some(Lane::Short),
    }
}

/// A question that is put in while nobody rings: its wake-up got lost.
async fn put_in_silently(bed: &Bed, node: NodeId, number: i64) -> Result<()> {
    let command = NewCommand {
        subject: Subject::Request(RequestId(number)),
        node_id: node,
        lane: Lane::Short,
        spec: CommandSpec::Browse {
            path: "/".to_owned(),
        },
        after: Lease::NONE,
        not_before: bed.now(),
        expires_at: None,
    };
    CommandQueue::enqueue(&*bed.stores, command, bed.now())
        .await
        .map(drop)
}

#[tokio::test]
async fn a_lost_wake_up_is_made_up_for_whichever_poll_waits() -> Result<()> {
    let bed = Bed::new().await?;
    let mut nodes = Vec::new();
    for number in 0..5 {
        nodes.push(bed.node(&format!("node-{number}")).await?);
    }
    let polls = nodes.iter().map(|node| bed.app.poll(*node, held_poll()));
    // The one that looks for all may be any of them, and goes when it is served.
    let polls = polls.map(Box::pin).collect::<Vec<_>>();
    let silent = async {
        for (number, node) in nodes.iter().enumerate() {
            put_in_silently(&bed, *node, number as i64).await?;
        }
        Ok(())
    };
    let (served, put_in) = join(try_join_all(polls), silent).await;
    put_in?;
    assert!(served?.iter().all(|answer| answer.commands.len() == 1));
    Ok(())
}

#[tokio::test]
async fn a_command_is_handed_out_when_its_time_comes_without_a_wake_up() -> Result<()> {
    let bed = Bed::new().await?;
    let (one, two) = (bed.node("one").await?, bed.node("two").await?);
    put_in_silently(&bed, two, 1).await?;
    let lost = bed.app.poll(two, held_poll()).await?;
    assert_eq!(lost.commands.len(), 1);
    let command = &lost.commands[0];
    let due = bed.now() + Duration::seconds(30);
    CommandQueue::release(&*bed.stores, command.command_id, command.lease, due).await?;
    let waiting = async {
        // The first looks for both, and has nothing to do itself.
        tokio::select! {
            biased;
            nothing = bed.app.poll(one, held_poll()) => nothing,
            served = bed.app.poll(two, held_poll()) => served,
        }
    };
    let time = async {
        tokio::task::yield_now().await;
        bed.pass(Duration::seconds(30));
    };
    let (served, ()) = Box::pin(join(waiting, time)).await;
    assert_eq!(served?.commands.len(), 1);
    Ok(())
}

#[tokio::test]
async fn signs_of_life_are_noted_together_and_within_a_moment() -> Result<()> {
    let bed = Bed::new().await?;
    let (one, two) = (bed.node("one").await?, bed.node("two").await?);
    for node in [one, two] {
        bed.app.hello(node, hello(&[])).await?;
        // A node that was not there is noted at once.
        assert_eq!(bed.stores.last_seen(node).await?, Some(bed.now()));
    }
    let first = bed.now();
    bed.app.heartbeat(one, Heartbeat::default()).await?;
    bed.pass(Duration::milliseconds(500));
    bed.app.heartbeat(two, Heartbeat::default()).await?;
    assert_eq!(bed.stores.last_seen(two).await?, Some(first));
    let gathered = bed.now();
    bed.pass(Duration::milliseconds(600));
    bed.app.heartbeat(one, Heartbeat::default()).await?;
    assert_eq!(bed.stores.last_seen(one).await?, Some(bed.now()));
    assert_eq!(bed.stores.last_seen(two).await?, Some(gathered));
    // The sweep notes what nobody else did.
    bed.pass(Duration::milliseconds(100));
    bed.app.heartbeat(two, Heartbeat::default()).await?;
    bed.app.sweep().await?;
    assert_eq!(bed.stores.last_seen(two).await?, Some(bed.now()));
    Ok(())
}

#[tokio::test]
async fn a_node_that_another_master_called_offline_is_told_of_when_it_is_heard() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("one").await?;
    bed.app.hello(node, hello(&[])).await?;
    bed.pass(Duration::seconds(10));
    let gone = bed.stores.take_offline(bed.now()).await?;
    assert_eq!(gone, [node]);
    bed.app.heartbeat(node, Heartbeat::default()).await?;
    let events = Events::read(&*bed.stores, EventId(0), 10).await?;
    let online = EventKind::NodeOnline { node_id: node };
    assert_eq!(
        events.iter().filter(|event| event.kind == online).count(),
        2
    );
    Ok(())
}

#[tokio::test]
async fn a_token_that_was_remembered_is_refused_once_its_node_is_gone() -> Result<()> {
    let bed = Bed::new().await?;
    let added = bed.app.add_node(&bed.who, "web", &[]).await?;
    let (node, token) = (added.node.node.id, added.token);
    let token = secrecy::ExposeSecret::expose_secret(&token);
    let other = bed.replica();
    for app in [&bed.app, &other] {
        assert_eq!(app.node_of_token(token).await?, node);
    }
    bed.app.remove_node(&bed.who, node).await?;
    assert!(bed.app.node_of_token(token).await.is_err());
    // Another master learns of it within half a minute.
    bed.pass(Duration::seconds(30));
    assert!(other.node_of_token(token).await.is_err());
    assert!(Nodes::get(&*bed.stores, node).await?.is_none());
    Ok(())
}
