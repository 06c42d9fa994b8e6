//! Nodes.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, ended, folder, kind, name, node, queued, refused, spec};
use anyhow::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::node::{NodeFacts, Tool};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::target::TargetKind;

cases!(
    a_node_comes_back_as_it_was_added,
    a_name_is_given_once,
    the_local_node_is_made_once_under_a_free_name,
    nodes_are_listed_by_id_in_pages,
    never_17_an_editor_with_an_old_version_changes_nothing,
    facts_are_kept_and_no_edit,
    both_tokens_are_good_until_the_old_one_ends,
    a_token_nobody_has_belongs_to_no_node,
    a_node_that_a_task_names_stays,
    a_node_stays_while_a_copy_lies_in_its_own_folder,
    copies_on_a_service_do_not_hold_a_node,
    a_node_is_removed_once,
    an_id_is_never_given_twice,
);

async fn a_node_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    let labels = ["web".to_owned(), "eu".to_owned()];
    let added = ports.nodes.add(&name("Wéb 1"), &labels, "h", at(5)).await?;
    assert_eq!(added.labels, labels);
    assert_eq!((added.created_at, added.version), (at(5), 1));
    assert!(added.id.0 > 0 && added.facts.is_none());
    assert_eq!(ports.nodes.get(added.id).await?, Some(added.clone()));
    assert_eq!(ports.nodes.by_name("Wéb 1").await?, Some(added));
    assert_eq!(ports.nodes.by_name("web 2").await?, None);
    assert_eq!(ports.nodes.get(NodeId(99)).await?, None);
    Ok(())
}

async fn a_name_is_given_once(ports: &Ports) -> Result<()> {
    let one = node(ports, "one").await?;
    let two = node(ports, "two").await?;
    refused(
        ports.nodes.add(&name("one"), &[], "h", at(0)).await,
        "node_name_taken",
    );
    refused(
        ports.nodes.update(two.id, 1, &name("one"), &[]).await,
        "node_name_taken",
    );
    assert_eq!(
        ports
            .nodes
            .update(one.id, 1, &name("one"), &[])
            .await?
            .version,
        2
    );
    Ok(())
}

async fn the_local_node_is_made_once_under_a_free_name(ports: &Ports) -> Result<()> {
    node(ports, "host").await?;
    let local = ports.nodes.ensure_local(&name("host"), at(1)).await?;
    assert_eq!((local.id, local.name.as_str()), (NodeId::LOCAL, "host-2"));
    assert_eq!(ports.nodes.ensure_local(&name("x"), at(2)).await?, local);
    assert_eq!(ports.nodes.token(NodeId::LOCAL).await?, None);
    assert_eq!(node(ports, "next").await?.id, NodeId(2));
    Ok(())
}

async fn nodes_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    ports.nodes.ensure_local(&name("local"), at(0)).await?;
    for number in 1..=4 {
        node(ports, &format!("n{number}")).await?;
    }
    let first = ports.nodes.list(PageRequest::first(2)).await?;
    let ids = |nodes: &[backupx_core::domain::node::Node]| {
        nodes.iter().map(|n| n.id.0).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first.items), first.next), (vec![0, 1], Some(1)));
    let after = |after| PageRequest {
        limit: 2,
        after: Some(after),
    };
    let second = ports.nodes.list(after(1)).await?;
    assert_eq!((ids(&second.items), second.next), (vec![2, 3], Some(3)));
    let last = ports.nodes.list(after(3)).await?;
    assert_eq!((ids(&last.items), last.next), (vec![4], None));
    assert!(ports.nodes.list(after(4)).await?.items.is_empty());
    Ok(())
}

async fn never_17_an_editor_with_an_old_version_changes_nothing(ports: &Ports) -> Result<()> {
    let added = node(ports, "n").await?;
    let labels = ["a".to_owned()];
    let updated = ports.nodes.update(added.id, 1, &name("m"), &labels).await?;
    assert_eq!((updated.version, updated.name.as_str()), (2, "m"));
    refused(
        ports.nodes.update(added.id, 1, &name("late"), &[]).await,
        "stale_version",
    );
    assert_eq!(ports.nodes.get(added.id).await?, Some(updated));
    refused(
        ports.nodes.update(NodeId(99), 1, &name("x"), &[]).await,
        "node_not_found",
    );
    Ok(())
}

async fn facts_are_kept_and_no_edit(ports: &Ports) -> Result<()> {
    let added = node(ports, "n").await?;
    let facts = NodeFacts {
        version: "1.2.3".to_owned(),
        hostname: "h".to_owned(),
        tools: vec![Tool {
            name: "pg_dump".to_owned(),
            version: "15".to_owned(),
        }],
        ..NodeFacts::default()
    };
    ports.nodes.set_facts(added.id, &facts).await?;
    let read = ports.nodes.get(added.id).await?;
    let read = read.expect("the node was just added");
    assert_eq!((read.facts, read.version), (Some(facts.clone()), 1));
    refused(
        ports.nodes.set_facts(NodeId(99), &facts).await,
        "node_not_found",
    );
    Ok(())
}

async fn both_tokens_are_good_until_the_old_one_ends(ports: &Ports) -> Result<()> {
    let added = ports.nodes.add(&name("n"), &[], "old", at(0)).await?;
    assert!(ports.nodes.rotate_token(added.id, "new", at(100)).await?);
    for (hash, second, good) in [
        ("old", 99, true),
        ("old", 100, false),
        ("new", 99, true),
        ("new", 1000, true),
    ] {
        let found = ports.nodes.by_token(hash, at(second)).await?;
        assert_eq!(found.is_some(), good, "{hash} at {second}");
    }
    let token = ports.nodes.token(added.id).await?;
    let token = token.expect("the node has a token");
    assert_eq!(token.hash, "new");
    assert_eq!(token.previous_hash.as_deref(), Some("old"));
    assert_eq!(token.previous_until, Some(at(100)));
    assert!(ports.nodes.rotate_token(added.id, "newer", at(200)).await?);
    assert!(ports.nodes.by_token("old", at(50)).await?.is_none());
    assert!(!ports.nodes.rotate_token(NodeId(99), "x", at(1)).await?);
    Ok(())
}

async fn a_token_nobody_has_belongs_to_no_node(ports: &Ports) -> Result<()> {
    ports.nodes.ensure_local(&name("local"), at(0)).await?;
    node(ports, "n").await?;
    for hash in ["", "no such hash"] {
        assert_eq!(ports.nodes.by_token(hash, at(0)).await?, None);
    }
    Ok(())
}

async fn a_node_that_a_task_names_stays(ports: &Ports) -> Result<()> {
    let task = crate::samples::task(ports, "t").await?;
    let node = task.spec.node_id;
    refused(ports.nodes.remove(node).await, "node_in_use");
    assert!(ports.tasks.remove(task.id).await?);
    assert!(ports.nodes.remove(node).await?);
    Ok(())
}

async fn a_node_stays_while_a_copy_lies_in_its_own_folder(ports: &Ports) -> Result<()> {
    let node = node(ports, "n").await?;
    let target = ports
        .targets
        .add(&name("f"), kind(TargetKind::LOCAL), &folder(), at(0))
        .await?;
    let task = ports
        .tasks
        .add(&spec("t", node.id, &[target.id]), None, at(0))
        .await?;
    let record = ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    ports.tasks.remove(task.id).await?;
    refused(ports.nodes.remove(node.id).await, "node_in_use");
    let mut copy = record.copies[0].clone();
    for state in [CopyState::Deleting, CopyState::Deleted] {
        refused(ports.nodes.remove(node.id).await, "node_in_use");
        let before = copy.state;
        copy.state = state;
        assert!(
            ports
                .records
                .set_copy(record.id, before, &copy, None)
                .await?
        );
    }
    assert!(ports.nodes.remove(node.id).await?);
    Ok(())
}

async fn copies_on_a_service_do_not_hold_a_node(ports: &Ports) -> Result<()> {
    let task = crate::samples::task(ports, "t").await?;
    queued(ports, &task, 1).await?;
    ports.tasks.remove(task.id).await?;
    assert!(ports.nodes.remove(task.spec.node_id).await?);
    Ok(())
}

async fn a_node_is_removed_once(ports: &Ports) -> Result<()> {
    let added = node(ports, "n").await?;
    assert!(ports.nodes.remove(added.id).await?);
    assert!(!ports.nodes.remove(added.id).await?);
    assert_eq!(ports.nodes.by_token("hash of n", at(0)).await?, None);
    Ok(())
}

async fn an_id_is_never_given_twice(ports: &Ports) -> Result<()> {
    let first = node(ports, "n").await?;
    ports.nodes.remove(first.id).await?;
    assert!(node(ports, "n").await?.id > first.id);
    Ok(())
}
