//! Claims: what is handed out, to whom, in which order.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{ask, asked, at, claimed};
use anyhow::Result;
use backupx_core::domain::command::{CommandSpec, CommandState, Lane, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId, RequestId, TargetId};
use backupx_core::ports::queue::{NewCommand, Wanted};
use std::collections::BTreeMap;

cases!(
    a_command_waits_as_it_was_put_in,
    a_command_made_again_is_claimed_behind_the_lease_that_was_reached,
    never_08_putting_in_twice_makes_one_command,
    an_ended_command_is_not_put_in_again,
    the_oldest_due_command_is_claimed,
    a_command_is_claimed_once,
    a_claim_raises_the_lease_and_waits_for_a_sign_of_life,
    a_command_is_not_handed_out_before_its_time,
    a_command_that_waited_too_long_is_not_handed_out,
    nodes_get_their_own_commands,
    never_11_a_full_lane_does_not_block_the_other,
    never_11_a_node_with_much_to_do_does_not_delay_another,
    each_node_and_lane_is_served_in_its_own_order,
    commands_are_found_by_subject,
    many_commands_are_found_at_once,
    depth_counts_what_waits_and_what_runs,
    several_are_claimed_at_once_as_one_by_one,
    never_11_both_lanes_are_claimed_in_one_step,
    nodes_with_something_due_are_named,
    a_node_is_named_until_its_last_due_command_is_claimed,
);

const WORK: Lane = Lane::Work;
const NODE: NodeId = NodeId(1);

async fn a_command_waits_as_it_was_put_in(ports: &Ports) -> Result<()> {
    let put = NewCommand {
        spec: CommandSpec::TestTarget {
            target_id: TargetId(4),
        },
        lane: Lane::Short,
        not_before: at(5),
        expires_at: Some(at(9)),
        ..ask(3)
    };
    let id = ports.queue.enqueue(put.clone(), at(1)).await?;
    let command = ports.queue.get(id).await?.expect("it was just put in");
    assert_eq!(
        (command.state, command.lease),
        (CommandState::Pending, Lease::NONE)
    );
    assert_eq!((command.subject, command.spec), (put.subject, put.spec));
    assert_eq!((command.node_id, command.lane), (put.node_id, put.lane));
    assert_eq!((command.created_at, command.not_before), (at(1), at(5)));
    assert_eq!(command.expires_at, Some(at(9)));
    assert!(!command.acknowledged && command.outcome.is_none());
    assert_eq!(ports.queue.get(CommandId(99)).await?, None);
    Ok(())
}

async fn a_command_made_again_is_claimed_behind_the_lease_that_was_reached(
    ports: &Ports,
) -> Result<()> {
    let put = NewCommand {
        after: Lease(2),
        ..ask(1)
    };
    let id = ports.queue.enqueue(put, at(0)).await?;
    let command = ports.queue.get(id).await?.expect("it was just put in");
    assert_eq!(
        (command.state, command.lease),
        (CommandState::Pending, Lease(2))
    );
    let claimed = ports.queue.claim(NODE, WORK, at(1)).await?;
    assert_eq!(claimed.map(|command| command.lease), Some(Lease(3)));
    Ok(())
}

async fn never_08_putting_in_twice_makes_one_command(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    let before = ports.queue.get(id).await?;
    let again = NewCommand {
        node_id: NodeId(2),
        ..ask(1)
    };
    assert_eq!(ports.queue.enqueue(again.clone(), at(9)).await?, id);
    assert_eq!(ports.queue.get(id).await?, before);
    assert!(ports.queue.claim(NODE, WORK, at(9)).await?.is_some());
    assert_eq!(ports.queue.enqueue(again, at(10)).await?, id);
    assert_eq!(ports.queue.claim(NODE, WORK, at(10)).await?, None);
    assert_eq!(ports.queue.claim(NodeId(2), WORK, at(10)).await?, None);
    Ok(())
}

async fn an_ended_command_is_not_put_in_again(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    ports.queue.cancel(id, at(1)).await?;
    assert_eq!(asked(ports, 1).await?, id);
    assert_eq!(ports.queue.claim(NODE, WORK, at(2)).await?, None);
    Ok(())
}

async fn the_oldest_due_command_is_claimed(ports: &Ports) -> Result<()> {
    let later = NewCommand {
        not_before: at(50),
        ..ask(1)
    };
    let later = ports.queue.enqueue(later, at(0)).await?;
    let two = asked(ports, 2).await?;
    let three = asked(ports, 3).await?;
    let mut order = Vec::new();
    for second in [10, 50, 50] {
        let command = ports.queue.claim(NODE, WORK, at(second)).await?;
        order.push(command.expect("something is due").id);
    }
    assert_eq!(order, [two, later, three]);
    Ok(())
}

async fn a_command_is_claimed_once(ports: &Ports) -> Result<()> {
    claimed(ports, 1, 5).await?;
    assert_eq!(ports.queue.claim(NODE, WORK, at(500)).await?, None);
    Ok(())
}

async fn a_claim_raises_the_lease_and_waits_for_a_sign_of_life(ports: &Ports) -> Result<()> {
    let id = asked(ports, 1).await?;
    let command = ports.queue.claim(NODE, WORK, at(5)).await?;
    let command = command.expect("it is due");
    assert_eq!(
        (command.state, command.lease),
        (CommandState::Claimed, Lease(1))
    );
    assert_eq!((command.claimed_at, command.seen_at), (Some(at(5)), None));
    assert!(!command.acknowledged);
    assert_eq!(ports.queue.get(id).await?, Some(command));
    Ok(())
}

async fn a_command_is_not_handed_out_before_its_time(ports: &Ports) -> Result<()> {
    let put = NewCommand {
        not_before: at(10),
        ..ask(1)
    };
    ports.queue.enqueue(put, at(0)).await?;
    assert_eq!(ports.queue.claim(NODE, WORK, at(9)).await?, None);
    assert!(ports.queue.claim(NODE, WORK, at(10)).await?.is_some());
    Ok(())
}

async fn a_command_that_waited_too_long_is_not_handed_out(ports: &Ports) -> Result<()> {
    for subject in [1, 2] {
        let put = NewCommand {
            expires_at: Some(at(10)),
            ..ask(subject)
        };
        ports.queue.enqueue(put, at(0)).await?;
    }
    assert!(ports.queue.claim(NODE, WORK, at(9)).await?.is_some());
    assert_eq!(ports.queue.claim(NODE, WORK, at(10)).await?, None);
    Ok(())
}

async fn nodes_get_their_own_commands(ports: &Ports) -> Result<()> {
    let one = asked(ports, 1).await?;
    let two = NewCommand {
        node_id: NodeId(2),
        ..ask(2)
    };
    let two = ports.queue.enqueue(two, at(0)).await?;
    for (node, id) in [(2, two), (1, one)] {
        let command = ports.queue.claim(NodeId(node), WORK, at(1)).await?;
        assert_eq!(command.expect("it is due").id, id);
    }
    assert_eq!(ports.queue.claim(NodeId(3), WORK, at(1)).await?, None);
    let of_one = ports.queue.claimed_by(NODE).await?;
    assert_eq!(of_one.iter().map(|c| c.id).collect::<Vec<_>>(), [one]);
    Ok(())
}

async fn never_11_a_full_lane_does_not_block_the_other(ports: &Ports) -> Result<()> {
    for subject in 1..=50 {
        claimed(ports, subject, 1).await?;
    }
    asked(ports, 51).await?;
    let short = NewCommand {
        lane: Lane::Short,
        ..ask(100)
    };
    let short = ports.queue.enqueue(short, at(2)).await?;
    let command = ports.queue.claim(NODE, Lane::Short, at(3)).await?;
    assert_eq!(command.expect("the short lane is free").id, short);
    assert_eq!(ports.queue.claim(NODE, Lane::Short, at(3)).await?, None);
    Ok(())
}

async fn never_11_a_node_with_much_to_do_does_not_delay_another(ports: &Ports) -> Result<()> {
    for subject in 1..=200 {
        asked(ports, subject).await?;
    }
    let other = NewCommand {
        node_id: NodeId(2),
        ..ask(1000)
    };
    let other = ports.queue.enqueue(other, at(0)).await?;
    let busy = (0..16).map(|_| ports.queue.claim(NODE, WORK, at(1)));
    let (busy, one) = tokio::join!(
        futures::future::try_join_all(busy),
        ports.queue.claim(NodeId(2), WORK, at(1)),
    );
    assert!(busy?.iter().all(Option::is_some));
    assert_eq!(one?.map(|command| command.id), Some(other));
    Ok(())
}

async fn each_node_and_lane_is_served_in_its_own_order(ports: &Ports) -> Result<()> {
    let replica = ports.host.replica().await?;
    let of = |subject: i64| {
        let lane = match subject % 3 {
            0 => Lane::Short,
            _ => WORK,
        };
        (NodeId(subject % 4 + 1), lane)
    };
    let mut put = BTreeMap::new();
    for subject in 0..120 {
        let (node_id, lane) = of(subject);
        let command = NewCommand {
            node_id,
            lane,
            ..ask(subject)
        };
        let id = ports.queue.enqueue(command, at(0)).await?;
        put.entry((node_id, lane)).or_insert_with(Vec::new).push(id);
    }
    let mut got = BTreeMap::new();
    // Each asks in turn, now at one master and now at the other.
    for subject in 0..120 {
        let (node, lane) = of(subject * 7);
        let queue = match subject % 2 {
            0 => &ports.queue,
            _ => &replica.queue,
        };
        if let Some(command) = queue.claim(node, lane, at(1)).await? {
            got.entry((node, lane))
                .or_insert_with(Vec::new)
                .push(command.id);
        }
    }
    assert_eq!(got, put);
    Ok(())
}

async fn commands_are_found_by_subject(ports: &Ports) -> Result<()> {
    let id = asked(ports, 7).await?;
    let found = ports.queue.find(Subject::Request(RequestId(7))).await?;
    assert_eq!(found.expect("it was put in").id, id);
    assert_eq!(
        ports.queue.find(Subject::Request(RequestId(8))).await?,
        None
    );
    Ok(())
}

async fn many_commands_are_found_at_once(ports: &Ports) -> Result<()> {
    let mut put = Vec::new();
    for subject in 1..=300 {
        put.push(asked(ports, subject).await?);
    }
    let subjects: Vec<_> = (101..=400)
        .map(|number| Subject::Request(RequestId(number)))
        .collect();
    let mut found = ports.queue.find_all(&subjects).await?;
    found.sort_by_key(|command| command.id);
    let ids: Vec<_> = found.iter().map(|command| command.id).collect();
    assert_eq!(ids, put[100..]);
    assert_eq!(found[0].subject, subjects[0]);
    assert_eq!(ports.queue.find_all(&[]).await?, []);
    Ok(())
}

async fn depth_counts_what_waits_and_what_runs(ports: &Ports) -> Result<()> {
    assert_eq!(ports.queue.depth().await?, (0, 0));
    claimed(ports, 1, 1).await?;
    asked(ports, 2).await?;
    let ended = asked(ports, 3).await?;
    ports.queue.cancel(ended, at(2)).await?;
    assert_eq!(ports.queue.depth().await?, (1, 1));
    Ok(())
}

async fn several_are_claimed_at_once_as_one_by_one(ports: &Ports) -> Result<()> {
    let mut ids = Vec::new();
    for subject in 1..=250 {
        ids.push(asked(ports, subject).await?);
    }
    let late = NewCommand {
        not_before: at(50),
        ..ask(300)
    };
    ports.queue.enqueue(late, at(0)).await?;
    let of_another = NewCommand {
        node_id: NodeId(2),
        ..ask(301)
    };
    ports.queue.enqueue(of_another, at(0)).await?;
    let mut claimed = Vec::new();
    for limit in [1, 3, 120, 200] {
        let some = ports
            .queue
            .claim_some(NODE, Wanted::only(WORK, limit), at(5))
            .await?;
        assert!(some.len() == limit as usize || limit == 200);
        assert!(some.iter().all(|c| c.lease == Lease(1) && !c.acknowledged));
        claimed.extend(some.iter().map(|command| command.id));
    }
    assert_eq!(claimed, ids);
    assert!(
        ports
            .queue
            .claim_some(NODE, Wanted::only(WORK, 9), at(5))
            .await?
            .is_empty()
    );
    assert_eq!(
        ports
            .queue
            .claim_some(NODE, Wanted::only(WORK, 9), at(50))
            .await?
            .len(),
        1
    );
    Ok(())
}

async fn never_11_both_lanes_are_claimed_in_one_step(ports: &Ports) -> Result<()> {
    let mut ids = Vec::new();
    for subject in 1..=12 {
        let lane = match subject % 2 {
            0 => Lane::Short,
            _ => WORK,
        };
        let command = NewCommand {
            lane,
            ..ask(subject)
        };
        ids.push((lane, ports.queue.enqueue(command, at(0)).await?));
    }
    let of = |lane: Lane, from: usize, count: usize| {
        let ids = ids.iter().filter(move |(of, _)| *of == lane);
        ids.map(|(_, id)| *id).skip(from).take(count)
    };
    let mut taken = (0, 0);
    for (short, work) in [(1, 3), (0, 2), (5, 0), (9, 9)] {
        let wanted = Wanted { short, work };
        let claimed = ports.queue.claim_some(NODE, wanted, at(1)).await?;
        let got: Vec<_> = claimed.iter().map(|command| command.id).collect();
        let mut expected: Vec<_> = of(Lane::Short, taken.0, short as usize)
            .chain(of(WORK, taken.1, work as usize))
            .collect();
        expected.sort_unstable();
        assert_eq!(got, expected, "{wanted:?}");
        taken = (taken.0 + short as usize, taken.1 + work as usize);
    }
    Ok(())
}

async fn due(ports: &Ports, second: i64) -> Result<Vec<i64>> {
    let nodes = ports.queue.due(at(second), NodeId(-1), 100).await?;
    Ok(nodes.into_iter().map(|node| node.0).collect())
}

async fn nodes_with_something_due_are_named(ports: &Ports) -> Result<()> {
    assert!(due(ports, 1).await?.is_empty());
    for (subject, node, not_before, lane) in [
        (1, 12, 0, WORK),
        (2, 12, 5, Lane::Short),
        (3, 3, 0, Lane::Short),
        (4, 0, 5, WORK),
        (5, 7, 9, WORK),
    ] {
        let put = NewCommand {
            node_id: NodeId(node),
            not_before: at(not_before),
            lane,
            ..ask(subject)
        };
        ports.queue.enqueue(put, at(0)).await?;
    }
    assert_eq!(due(ports, 4).await?, [3, 12]);
    assert_eq!(due(ports, 8).await?, [0, 3, 12]);
    assert_eq!(due(ports, 9).await?, [0, 3, 7, 12]);
    let after = ports.queue.due(at(9), NodeId(0), 2).await?;
    assert_eq!(after, [NodeId(3), NodeId(7)]);
    assert!(ports.queue.due(at(9), NodeId(12), 2).await?.is_empty());
    Ok(())
}

async fn a_node_is_named_until_its_last_due_command_is_claimed(ports: &Ports) -> Result<()> {
    let one = asked(ports, 1).await?;
    let two = asked(ports, 2).await?;
    assert!(ports.queue.claim(NODE, WORK, at(1)).await?.is_some());
    assert_eq!(due(ports, 1).await?, [NODE.0]);
    ports.queue.cancel(two, at(1)).await?;
    assert!(due(ports, 1).await?.is_empty());
    // What is put back is due again at its time, without anybody ringing.
    ports.queue.release(one, Lease(1), at(9)).await?;
    assert!(due(ports, 8).await?.is_empty());
    assert_eq!(due(ports, 9).await?, [NODE.0]);
    Ok(())
}
