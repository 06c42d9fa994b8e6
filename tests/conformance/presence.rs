//! Presence.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::at;
use anyhow::Result;
use backupx_core::domain::id::NodeId;
use futures::future::try_join_all;

cases!(
    a_node_is_new_once,
    an_older_time_is_ignored,
    a_node_is_offline_when_it_was_last_heard_before_the_limit,
    a_microsecond_decides_at_the_boundary,
    an_absence_is_told_once_to_one_caller,
    a_node_that_returns_is_told_of_once,
    a_late_message_does_not_bring_a_node_back,
    a_forgotten_node_was_never_heard,
    many_nodes_are_noted_at_once_as_one_by_one,
    masters_that_note_the_same_nodes_do_not_stop_each_other,
);

const NODE: NodeId = NodeId(7);

async fn a_node_is_new_once(ports: &Ports) -> Result<()> {
    assert_eq!(ports.presence.last_seen(NODE).await?, None);
    assert!(ports.presence.all().await?.is_empty());
    assert!(ports.presence.seen(NODE, at(1)).await?);
    assert!(!ports.presence.seen(NODE, at(2)).await?);
    assert!(ports.presence.seen(NodeId(0), at(3)).await?);
    assert_eq!(ports.presence.last_seen(NODE).await?, Some(at(2)));
    let mut all = ports.presence.all().await?;
    all.sort();
    assert_eq!(all, [(NodeId(0), at(3)), (NODE, at(2))]);
    Ok(())
}

async fn an_older_time_is_ignored(ports: &Ports) -> Result<()> {
    ports.presence.seen(NODE, at(10)).await?;
    assert!(!ports.presence.seen(NODE, at(5)).await?);
    assert_eq!(ports.presence.last_seen(NODE).await?, Some(at(10)));
    Ok(())
}

async fn a_node_is_offline_when_it_was_last_heard_before_the_limit(ports: &Ports) -> Result<()> {
    ports.presence.seen(NODE, at(10)).await?;
    assert!(ports.presence.take_offline(at(10)).await?.is_empty());
    assert_eq!(ports.presence.take_offline(at(11)).await?, [NODE]);
    assert_eq!(ports.presence.last_seen(NODE).await?, Some(at(10)));
    Ok(())
}

async fn a_microsecond_decides_at_the_boundary(ports: &Ports) -> Result<()> {
    let moment = chrono::Duration::microseconds(1);
    ports.presence.seen(NODE, at(10)).await?;
    assert!(
        ports
            .presence
            .take_offline(at(10) - moment)
            .await?
            .is_empty()
    );
    assert!(ports.presence.take_offline(at(10)).await?.is_empty());
    assert_eq!(ports.presence.take_offline(at(10) + moment).await?, [NODE]);
    assert!(!ports.presence.seen(NODE, at(10) - moment).await?);
    assert!(ports.presence.seen(NODE, at(10) + moment).await?);
    Ok(())
}

async fn an_absence_is_told_once_to_one_caller(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    for node in 0..20 {
        ports.presence.seen(NodeId(node), at(1)).await?;
    }
    let masters = (0..16).map(|number| {
        let presence = if number % 2 == 0 {
            &ports.presence
        } else {
            &replica.presence
        };
        presence.take_offline(at(100))
    });
    let mut told = try_join_all(masters).await?.concat();
    told.sort();
    assert_eq!(told, (0..20).map(NodeId).collect::<Vec<_>>());
    assert!(ports.presence.take_offline(at(1000)).await?.is_empty());
    Ok(())
}

async fn a_node_that_returns_is_told_of_once(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    ports.presence.seen(NODE, at(1)).await?;
    ports.presence.take_offline(at(100)).await?;
    let (one, two) = tokio::join!(
        ports.presence.seen(NODE, at(200)),
        replica.presence.seen(NODE, at(200)),
    );
    assert_ne!(one?, two?);
    assert_eq!(ports.presence.take_offline(at(201)).await?, [NODE]);
    assert!(ports.presence.seen(NODE, at(300)).await?);
    Ok(())
}

async fn a_late_message_does_not_bring_a_node_back(ports: &Ports) -> Result<()> {
    ports.presence.seen(NODE, at(50)).await?;
    ports.presence.take_offline(at(100)).await?;
    assert!(!ports.presence.seen(NODE, at(40)).await?);
    assert!(ports.presence.take_offline(at(1000)).await?.is_empty());
    assert!(ports.presence.seen(NODE, at(101)).await?);
    Ok(())
}

async fn a_forgotten_node_was_never_heard(ports: &Ports) -> Result<()> {
    ports.presence.seen(NODE, at(1)).await?;
    ports.presence.forget(NODE).await?;
    ports.presence.forget(NODE).await?;
    assert_eq!(ports.presence.last_seen(NODE).await?, None);
    assert!(ports.presence.take_offline(at(100)).await?.is_empty());
    assert!(ports.presence.seen(NODE, at(2)).await?);
    Ok(())
}

async fn many_nodes_are_noted_at_once_as_one_by_one(ports: &Ports) -> Result<()> {
    assert!(ports.presence.seen_all(&[]).await?.is_empty());
    ports.presence.seen(NodeId(1), at(50)).await?;
    ports.presence.seen(NodeId(2), at(50)).await?;
    ports.presence.seen(NodeId(3), at(10)).await?;
    ports.presence.seen(NodeId(4), at(20)).await?;
    ports.presence.take_offline(at(50)).await?;
    let heard = [(1, 60), (2, 40), (3, 60), (4, 15), (5, 60)];
    let heard = heard.map(|(node, second)| (NodeId(node), at(second)));
    let mut returned = ports.presence.seen_all(&heard).await?;
    returned.sort();
    // The second was heard later already, the fourth is offline and what came is older than that.
    assert_eq!(returned, [NodeId(3), NodeId(5)]);
    let mut all = ports.presence.all().await?;
    all.sort();
    let expected = [(1, 60), (2, 50), (3, 60), (4, 20), (5, 60)];
    assert_eq!(
        all,
        expected.map(|(node, second)| (NodeId(node), at(second)))
    );
    assert!(ports.presence.seen_all(&heard).await?.is_empty());
    let gone = ports.presence.take_offline(at(60)).await?;
    assert_eq!(gone, [NodeId(2)]);
    Ok(())
}

async fn masters_that_note_the_same_nodes_do_not_stop_each_other(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let nodes: Vec<_> = (0..500).map(NodeId).collect();
    for second in 1..20 {
        let heard: Vec<_> = nodes.iter().map(|node| (*node, at(second))).collect();
        let backwards: Vec<_> = heard.iter().rev().copied().collect();
        let (one, two) = tokio::join!(
            ports.presence.seen_all(&heard),
            replica.presence.seen_all(&backwards),
        );
        let mut returned = [one?, two?].concat();
        returned.sort();
        // Each return is told of once, to one of them.
        assert_eq!(
            returned,
            if second == 1 {
                nodes.clone()
            } else {
                Vec::new()
            }
        );
    }
    let all = ports.presence.all().await?;
    assert!(all.len() == nodes.len() && all.iter().all(|(_, seen)| *seen == at(19)));
    Ok(())
}
