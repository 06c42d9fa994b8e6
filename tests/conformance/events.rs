//! Events.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::at;
use anyhow::Result;
use backupx_core::domain::event::{Event, EventKind};
use backupx_core::domain::id::{EventId, NodeId};

cases!(
    events_are_read_in_order_behind_a_place,
    the_last_event_is_known,
    events_are_taken_in_order_by_one_caller_at_a_time,
    an_event_that_was_not_handled_in_time_is_taken_again,
    a_handled_event_is_not_taken_again,
    only_handled_events_are_purged,
);

async fn told(ports: &Ports, count: i64) -> Result<Vec<EventId>> {
    let mut ids = Vec::new();
    for number in 0..count {
        let kind = EventKind::NodeOffline {
            node_id: NodeId(number),
        };
        ids.push(ports.events.add(&kind, at(number)).await?);
    }
    Ok(ids)
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

async fn events_are_read_in_order_behind_a_place(ports: &Ports) -> Result<()> {
    let all = told(ports, 4).await?;
    assert!(all.is_sorted());
    let read = ports.events.read(EventId(0), 10).await?;
    assert_eq!(ids(&read), all);
    assert_eq!(read[2].at, at(2));
    assert_eq!(read[2].kind, EventKind::NodeOffline { node_id: NodeId(2) });
    assert_eq!(ids(&ports.events.read(all[1], 1).await?), all[2..3]);
    assert!(ports.events.read(all[3], 10).await?.is_empty());
    Ok(())
}

async fn the_last_event_is_known(ports: &Ports) -> Result<()> {
    assert_eq!(ports.events.last().await?, EventId(0));
    let all = told(ports, 2).await?;
    assert_eq!(ports.events.last().await?, all[1]);
    Ok(())
}

async fn events_are_taken_in_order_by_one_caller_at_a_time(ports: &Ports) -> Result<()> {
    let all = told(ports, 3).await?;
    let first = ports.events.take(2, at(10), at(20)).await?;
    assert_eq!(ids(&first), all[..2]);
    let rest = ports.events.take(2, at(10), at(20)).await?;
    assert_eq!(ids(&rest), all[2..]);
    assert!(ports.events.take(2, at(19), at(30)).await?.is_empty());
    Ok(())
}

async fn an_event_that_was_not_handled_in_time_is_taken_again(ports: &Ports) -> Result<()> {
    let all = told(ports, 2).await?;
    ports.events.take(2, at(10), at(20)).await?;
    let again = ports.events.take(2, at(20), at(30)).await?;
    assert_eq!(ids(&again), all);
    Ok(())
}

async fn a_handled_event_is_not_taken_again(ports: &Ports) -> Result<()> {
    let all = told(ports, 2).await?;
    ports.events.take(2, at(10), at(20)).await?;
    ports.events.handled(all[0], at(11)).await?;
    ports.events.handled(all[0], at(12)).await?;
    let again = ports.events.take(2, at(99), at(100)).await?;
    assert_eq!(ids(&again), all[1..]);
    assert_eq!(ids(&ports.events.read(EventId(0), 9).await?), all);
    Ok(())
}

async fn only_handled_events_are_purged(ports: &Ports) -> Result<()> {
    let all = told(ports, 3).await?;
    ports.events.handled(all[0], at(10)).await?;
    ports.events.handled(all[2], at(10)).await?;
    assert_eq!(ports.events.purge(at(0)).await?, 0);
    assert_eq!(ports.events.purge(at(2)).await?, 1);
    assert_eq!(ids(&ports.events.read(EventId(0), 9).await?), all[1..]);
    assert_eq!(ports.events.purge(at(3)).await?, 1);
    assert_eq!(ids(&ports.events.read(EventId(0), 9).await?), all[1..2]);
    Ok(())
}
