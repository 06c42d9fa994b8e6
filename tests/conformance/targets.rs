//! Targets.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, bucket, ended, kind, name, refused, target, task};
use anyhow::Result;
use backupx_core::domain::check::{CheckPart, TargetCheck};
use backupx_core::domain::id::{NodeId, RequestId, TargetId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, RecordState};
use backupx_core::domain::secret::Sealed;
use backupx_core::domain::target::{TargetKind, TargetTest};
use backupx_core::ports::targets::Usage;

cases!(
    a_target_comes_back_as_it_was_added,
    a_name_is_given_once,
    secrets_are_kept_sealed_and_are_no_edit,
    never_17_an_editor_with_an_old_version_changes_nothing,
    what_a_test_found_is_kept,
    a_check_goes_on_from_where_it_was,
    targets_are_listed_by_id_in_pages,
    usage_counts_good_copies_only,
    never_19_a_target_stays_until_its_last_copy_is_confirmed_gone,
    what_is_not_there_says_so,
);

async fn a_target_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    let added = ports
        .targets
        .add(&name("t"), kind(TargetKind::S3), &bucket(), at(3))
        .await?;
    assert_eq!(
        (added.kind, &added.config),
        (kind(TargetKind::S3), &bucket())
    );
    assert_eq!((added.created_at, added.version), (at(3), 1));
    assert!(added.secrets.is_none() && added.last_test.is_none());
    assert_eq!(ports.targets.get(added.id).await?, Some(added.clone()));
    assert_eq!(ports.targets.by_name("t").await?, Some(added));
    assert_eq!(ports.targets.by_name("u").await?, None);
    Ok(())
}

async fn a_name_is_given_once(ports: &Ports) -> Result<()> {
    target(ports, "one").await?;
    let two = target(ports, "two").await?;
    refused(
        ports
            .targets
            .add(&name("one"), kind(TargetKind::S3), &bucket(), at(0))
            .await,
        "target_name_taken",
    );
    refused(
        ports
            .targets
            .update(two.id, 1, &name("one"), &bucket(), None)
            .await,
        "target_name_taken",
    );
    Ok(())
}

async fn secrets_are_kept_sealed_and_are_no_edit(ports: &Ports) -> Result<()> {
    let added = target(ports, "t").await?;
    let sealed = Sealed("v1.k.abc".to_owned());
    ports.targets.set_secrets(added.id, Some(&sealed)).await?;
    let read = ports.targets.get(added.id).await?;
    let read = read.expect("the target was just added");
    assert_eq!((read.secrets, read.version), (Some(sealed), 1));
    ports.targets.set_secrets(added.id, None).await?;
    assert_eq!(ports.targets.get(added.id).await?, Some(added));
    Ok(())
}

async fn never_17_an_editor_with_an_old_version_changes_nothing(ports: &Ports) -> Result<()> {
    let added = target(ports, "t").await?;
    let sealed = Sealed("v1.k.abc".to_owned());
    let updated = ports
        .targets
        .update(added.id, 1, &name("u"), &bucket(), Some(&sealed))
        .await?;
    assert_eq!((updated.version, updated.name.as_str()), (2, "u"));
    assert_eq!(updated.secrets, Some(sealed));
    refused(
        ports
            .targets
            .update(added.id, 1, &name("late"), &bucket(), None)
            .await,
        "stale_version",
    );
    assert_eq!(ports.targets.get(added.id).await?, Some(updated));
    Ok(())
}

async fn what_a_test_found_is_kept(ports: &Ports) -> Result<()> {
    let added = target(ports, "t").await?;
    let test = TargetTest {
        at: at(9),
        ok: false,
        message: "no such bucket".to_owned(),
        steps: Vec::new(),
    };
    ports.targets.set_test(added.id, &test).await?;
    let read = ports.targets.get(added.id).await?;
    let read = read.expect("the target was just added");
    assert_eq!((read.last_test, read.version), (Some(test), 1));
    Ok(())
}

async fn targets_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    for number in 0..3 {
        target(ports, &format!("t{number}")).await?;
    }
    let first = ports.targets.list(PageRequest::first(2)).await?;
    assert_eq!(
        (first.items.len(), first.next),
        (2, Some(first.items[1].id.0))
    );
    let rest = PageRequest {
        limit: 2,
        after: first.next,
    };
    let rest = ports.targets.list(rest).await?;
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert!(rest.items[0].id > first.items[1].id);
    Ok(())
}

async fn a_check_goes_on_from_where_it_was(ports: &Ports) -> Result<()> {
    let target = target(ports, "t").await?;
    assert_eq!(target.check, None);
    let begun = TargetCheck {
        started_at: at(1),
        finished_at: None,
        checked: 7,
        lost: 1,
        unreached: vec![NodeId(3)],
        failure: Some("nobody answered".to_owned()),
        next_at: at(9),
        left: vec![CheckPart {
            node: Some(NodeId(4)),
            after: Some(ObjectKey::parse("t/2026/09/1-a").expect("a key")),
            asked: Some(RequestId(5)),
        }],
        tries: 2,
    };
    let set = |expected, check| ports.targets.set_check(target.id, expected, check);
    assert!(set(None, &begun).await?);
    let kept = ports.targets.get(target.id).await?.expect("it is there");
    assert_eq!(kept.check.as_ref(), Some(&begun));
    assert_eq!(kept.version, target.version, "no person changed it");
    // Of two who go on from the same place one does.
    let mut ended = begun.clone();
    ended.left.clear();
    assert!(!set(None, &ended).await?);
    assert!(set(Some(&begun), &ended).await?);
    assert!(!set(Some(&begun), &ended).await?);
    assert!(!ports.targets.set_check(TargetId(99), None, &begun).await?);
    Ok(())
}

async fn usage_counts_good_copies_only(ports: &Ports) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    assert_eq!(ports.targets.usage(target).await?, Usage::default());
    ended(ports, &task, 1, RecordState::Success, CopyState::Good).await?;
    ended(ports, &task, 2, RecordState::Success, CopyState::Good).await?;
    ended(ports, &task, 3, RecordState::Failed, CopyState::Failed).await?;
    let usage = Usage {
        copies: 2,
        stored_bytes: 200,
    };
    assert_eq!(ports.targets.usage(target).await?, usage);
    Ok(())
}

async fn never_19_a_target_stays_until_its_last_copy_is_confirmed_gone(
    ports: &Ports,
) -> Result<()> {
    let task = task(ports, "t").await?;
    let target = task.spec.target_ids[0];
    refused(ports.targets.remove(target).await, "target_in_use");
    let record = ended(ports, &task, 1, RecordState::Failed, CopyState::Failed).await?;
    ports.tasks.remove(task.id).await?;
    let mut copy = record.copies[0].clone();
    for state in [
        CopyState::Good,
        CopyState::Lost,
        CopyState::Deleting,
        CopyState::Deleted,
    ] {
        refused(ports.targets.remove(target).await, "target_in_use");
        let before = copy.state;
        copy.state = state;
        assert!(
            ports
                .records
                .set_copy(record.id, before, &copy, None)
                .await?
        );
    }
    assert!(ports.targets.remove(target).await?);
    assert!(!ports.targets.remove(target).await?);
    Ok(())
}

async fn what_is_not_there_says_so(ports: &Ports) -> Result<()> {
    let nobody = TargetId(99);
    let test = TargetTest {
        at: at(0),
        ok: true,
        message: String::new(),
        steps: Vec::new(),
    };
    assert_eq!(ports.targets.get(nobody).await?, None);
    refused(
        ports.targets.set_secrets(nobody, None).await,
        "target_not_found",
    );
    refused(
        ports.targets.set_test(nobody, &test).await,
        "target_not_found",
    );
    refused(
        ports
            .targets
            .update(nobody, 1, &name("x"), &bucket(), None)
            .await,
        "target_not_found",
    );
    Ok(())
}
