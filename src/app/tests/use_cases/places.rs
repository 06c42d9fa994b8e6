//! Places: targets with their secrets, who reaches them, and what a task may name.

use crate::bed::{Bed, NOWHERE, backup_report, code, spec, well};
use backupx_app::{App, AppSettings, ChangedTarget};
use backupx_core::domain::command::{CommandSpec, Lane, Subject};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::manifest::{Manifest, ManifestNode, ManifestTask};
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::domain::protocol::Poll;
use backupx_core::domain::record::Record;
use backupx_core::domain::report::{Outcome, Report, TestReport, TestStep};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::TargetKind;
use backupx_core::domain::work::{Assignment, Work};
use backupx_core::ports::queue::CommandQueue;
use backupx_core::ports::targets::Targets;
use backupx_core::{Error, Result};
use bytes::Bytes;
use futures::StreamExt;

fn change(pairs: &[(&str, &str)]) -> ChangedTarget {
    ChangedTarget {
        name: None,
        settings: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn backup(work: &Assignment) -> Result<&backupx_core::domain::work::BackupWork> {
    match &work.work {
        Work::Backup(backup) => Ok(backup),
        _ => Err(Error::internal("it is no backup")),
    }
}

#[tokio::test]
async fn never_30_secrets_travel_only_in_the_claimed_command_that_needs_them() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let (mine, other) = (bed.bucket("mine").await?, bed.bucket("other").await?);
    let task = bed.task(node, &[mine]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let queued = bed.stores.find(Subject::Record(record.id)).await?;
    assert!(queued.is_some_and(|command| command.spec == CommandSpec::Backup));
    assert!(!format!("{:?}", bed.app.target(&bed.who, mine).await?).contains("hunter2"));
    let stored = Targets::get(&*bed.stores, mine)
        .await?
        .and_then(|target| target.secrets);
    assert!(stored.is_some_and(|sealed| !sealed.0.contains("hunter2")));

    let work = bed.take_one(node).await?;
    let given = backup(&work)?;
    assert_eq!(
        given.targets.len(),
        1,
        "target {other} is none of its business"
    );
    assert_eq!(
        given.targets[0].secrets["secretAccessKey"].expose(),
        "hunter2-secret"
    );
    assert_eq!(given.recipients, ["recipient-7"]);
    assert!(!format!("{work:?}").contains("hunter2"));
    Ok(())
}

#[tokio::test]
async fn a_changed_target_keeps_the_secrets_that_nobody_named() -> Result<()> {
    let bed = Bed::new().await?;
    let id = bed.bucket("b").await?;
    let target = bed.app.target(&bed.who, id).await?;
    assert_eq!(target.secrets_set, ["secretAccessKey"]);
    let region = change(&[("region", "eu-west-1")]);
    let target = bed
        .app
        .update_target(&bed.who, id, target.version, region)
        .await?;
    assert_eq!(target.secrets_set, ["secretAccessKey"]);
    let none = change(&[("secretAccessKey", "")]);
    let target = bed
        .app
        .update_target(&bed.who, id, target.version, none)
        .await?;
    assert!(target.secrets_set.is_empty());
    Ok(())
}

#[tokio::test]
async fn never_17_the_second_of_two_editors_is_told() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let id = bed.bucket("b").await?;
    let target = bed.app.target(&bed.who, id).await?;
    let first = change(&[("region", "eu-west-1")]);
    bed.app
        .update_target(&bed.who, id, target.version, first)
        .await?;
    let second = change(&[("region", "eu-west-2")]);
    assert_eq!(
        code(
            bed.app
                .update_target(&bed.who, id, target.version, second)
                .await
        ),
        "stale_version"
    );
    let task = bed.task(node, &[id]).await?;
    bed.app
        .update_task(&bed.who, task.id, task.version, task.spec.clone())
        .await?;
    let stale = bed
        .app
        .update_task(&bed.who, task.id, task.version, task.spec)
        .await;
    assert_eq!(code(stale), "stale_version");
    Ok(())
}

#[tokio::test]
async fn never_19_a_target_that_holds_copies_does_not_move() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let id = bed.bucket("b").await?;
    let task = bed.task(node, &[id]).await?;
    bed.run_well(node, task.id).await?;
    let version = bed.app.target(&bed.who, id).await?.version;
    let moved = bed
        .app
        .update_target(&bed.who, id, version, change(&[("bucket", "c")]))
        .await;
    assert_eq!(code(moved), "target_holds_copies");
    let same_place = change(&[("region", "eu-west-1")]);
    bed.app
        .update_target(&bed.who, id, version, same_place)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_task_that_cannot_work_names_every_wrong_field() -> Result<()> {
    let bed = Bed::new().await?;
    let inside = [("path", "/srv/data/backup")];
    let folder = bed.target("disk", TargetKind::LOCAL, &inside).await?;
    let twin = bed.target("twin", TargetKind::LOCAL, &inside).await?;
    let mut wrong = spec("web", NodeId(99), &[folder, twin])?;
    wrong.extra_recipients = vec!["nonsense".to_owned()];
    let error = match bed.app.add_task(&bed.who, wrong).await {
        Err(error) => error,
        Ok(_) => return Err(Error::internal("it was taken")),
    };
    let fields: Vec<_> = error
        .field_errors()
        .iter()
        .map(|f| f.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "nodeId",
            "targetIds",
            "source.paths",
            "source.paths",
            "extraRecipients"
        ]
    );

    let mut excluded = spec("web", NodeId::LOCAL, &[folder])?;
    let SourceSpec::File { excludes, .. } = &mut excluded.source else {
        panic!("the sample reads files");
    };
    excludes.push("/srv/data/backup".to_owned());
    bed.app.add_task(&bed.who, excluded).await.map(drop)
}

fn everything() -> RestoreSpec {
    RestoreSpec {
        database: None,
        to: Some("/tmp/back".to_owned()),
        include: Vec::new(),
        overwrite: Default::default(),
        dry_run: false,
    }
}

#[tokio::test]
async fn a_copy_in_a_node_s_own_folder_is_restored_there_alone() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, other) = (bed.node("web").await?, bed.node("db").await?);
    let folder = bed
        .target("disk", TargetKind::LOCAL, &[("path", "/backup")])
        .await?;
    let task = bed.task(node, &[folder]).await?;
    let record = bed.run_well(node, task.id).await?;
    let there = bed
        .app
        .restore_record(&bed.who, record.id, Some(other), everything())
        .await;
    assert_eq!(code(there), "copy_unreachable");
    bed.app
        .restore_record(&bed.who, record.id, None, everything())
        .await?;
    let work = bed.take_one(node).await?;
    let Work::Restore(restore) = &work.work else {
        return Err(Error::internal("it is no restore"));
    };
    assert_eq!(restore.sources.len(), 1);
    assert_eq!(restore.keys.len(), 2);
    assert_eq!(restore.keys[0].file_key.expose(), "key of header-7-data");
    Ok(())
}

#[tokio::test]
async fn bad_restores_are_refused_where_a_person_meets_them() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let running = bed.app.run_task(&bed.who, task.id).await?;
    let early = bed
        .app
        .restore_record(&bed.who, running.id, None, everything())
        .await;
    assert_eq!(code(early), "record_running");
    let work = bed.take_one(node).await?;
    bed.end(node, &work, well(&work)).await?;
    let relative = RestoreSpec {
        database: None,
        to: Some("back".to_owned()),
        ..everything()
    };
    assert_eq!(
        code(
            bed.app
                .restore_record(&bed.who, running.id, None, relative)
                .await
        ),
        "invalid_input"
    );
    let nowhere = bed
        .app
        .restore_record(&bed.who, running.id, Some(NodeId(77)), everything())
        .await;
    assert_eq!(code(nowhere), "node_not_found");
    Ok(())
}

/// A run of `web` onto a folder that only the master reaches, claimed by its node.
async fn relayed(bed: &Bed) -> Result<(NodeId, Assignment, Record)> {
    relayed_to(bed, "/backup").await
}

async fn relayed_to(bed: &Bed, path: &str) -> Result<(NodeId, Assignment, Record)> {
    let node = bed.node("web").await?;
    let settings = [("path", path), ("at", "master")];
    let folder = bed.target("vault", TargetKind::LOCAL, &settings).await?;
    let task = bed.task(node, &[folder, bed.bucket("b").await?]).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    let work = bed.take_one(node).await?;
    Ok((node, work, record))
}

async fn put(app: &App, node: NodeId, work: &Assignment, target: usize, name: &str) -> Result<()> {
    let target = backup(work)?.targets[target].id;
    let body = vec![Bytes::from_static(b"0123456789")];
    app.relay_create(node, work.command_id, work.lease, target, name, body)
        .await
}

#[tokio::test]
async fn never_20_the_relay_serves_one_s_own_run_and_nothing_else() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, work, _) = relayed(&bed).await?;
    let stranger = bed.node("db").await?;
    let given = backup(&work)?;
    assert!(given.targets[0].relay && given.targets[0].config.is_empty());
    let vault = given.targets[0].id;
    put(&bed.app, node, &work, 0, "data.tar.zst.age.000001").await?;
    let size = bed
        .app
        .relay_stat(
            node,
            work.command_id,
            work.lease,
            vault,
            "data.tar.zst.age.000001",
        )
        .await?;
    assert_eq!(size, Some(10));
    let part = bed
        .app
        .relay_read(
            node,
            work.command_id,
            work.lease,
            vault,
            "data.tar.zst.age.000001",
            2..5,
        )
        .await?;
    assert_eq!(part, "234");

    for name in ["../x", "a/b", "", "..", "a\0b", &"x".repeat(300)] {
        assert!(
            put(&bed.app, node, &work, 0, name).await.is_err(),
            "{name:?}"
        );
    }
    assert_eq!(
        code(put(&bed.app, node, &work, 1, "x").await),
        "relay_refused"
    );
    assert_eq!(
        code(put(&bed.app, stranger, &work, 0, "x").await),
        "lease_lost"
    );
    let huge = bed
        .app
        .relay_read(node, work.command_id, work.lease, vault, "x", 0..u64::MAX)
        .await;
    assert_eq!(code(huge), "invalid_input");
    bed.end(node, &work, well(&work)).await?;
    assert_eq!(
        code(put(&bed.app, node, &work, 0, "late").await),
        "lease_lost"
    );
    Ok(())
}

#[tokio::test]
async fn the_relay_is_refused_where_a_replica_has_no_such_folder() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, work, _) = relayed_to(&bed, NOWHERE).await?;
    let vault = backup(&work)?.targets[0].id;
    let elsewhere = bed.replica_with(AppSettings {
        local_node: false,
        ..bed.app.settings().clone()
    });

    let put_there = put(&elsewhere, node, &work, 0, "data.000001").await;
    assert_eq!(code(put_there), "relay_folder_missing");
    let asked = elsewhere.relay_stat(node, work.command_id, work.lease, vault, "data.000001");
    let refused = asked
        .await
        .expect_err("it is not known whether it is there");
    assert!(refused.is_retryable() && refused.message().contains(NOWHERE));
    // Where node 0 lives the folder is made.
    put(&bed.app, node, &work, 0, "data.000001").await
}

#[tokio::test]
async fn a_folder_of_the_master_needs_a_master_with_the_local_node() -> Result<()> {
    let bed = Bed::without_local_node().await?;
    let settings = [("path", "/backup"), ("at", "master")];
    let refused = bed.target("vault", TargetKind::LOCAL, &settings).await;
    assert_eq!(code(refused), "invalid_input");
    let own = bed
        .target("own", TargetKind::LOCAL, &[("path", "/backup")])
        .await?;
    // And nobody tests anything without a node that is named.
    let nobody = bed.app.test_target(&bed.who, own, None).await;
    assert_eq!(code(nobody), "invalid_input");
    Ok(())
}

#[tokio::test]
async fn a_record_is_downloaded_from_what_the_master_reaches() -> Result<()> {
    let bed = Bed::new().await?;
    let (node, work, record) = relayed(&bed).await?;
    let given = backup(&work)?;
    let mut streams = backup_report(given.targets.iter().map(|t| t.id), &[]).streams;
    let volumes = ["data.tar.zst.age.000001", "data.tar.zst.age.000002"];
    for name in volumes {
        put(&bed.app, node, &work, 0, name).await?;
    }
    let object = streams[0].objects[0].clone();
    streams[0].objects = volumes
        .map(|name| backupx_core::domain::manifest::StoredObject {
            name: name.to_owned(),
            size: 10,
            ..object.clone()
        })
        .to_vec();
    let manifest = Manifest {
        format_version: Manifest::FORMAT_VERSION,
        product_version: "0".to_owned(),
        record_id: record.id,
        location: record.location.clone(),
        created_at: record.created_at,
        task: ManifestTask {
            id: record.task_id,
            name: "web".to_owned(),
            source: record.task.source.clone(),
        },
        node: ManifestNode {
            id: node,
            name: "web".to_owned(),
            hostname: "web".to_owned(),
        },
        counts: Default::default(),
        warnings: Vec::new(),
        recipients: Vec::new(),
        tools: Default::default(),
        row_counts: Vec::new(),
        streams,
    };
    let body =
        serde_json::to_vec(&manifest).map_err(|e| Error::internal("no manifest").with_source(e))?;
    bed.app
        .relay_create(
            node,
            work.command_id,
            work.lease,
            given.targets[0].id,
            "manifest.json",
            vec![body.into()],
        )
        .await?;
    bed.end(node, &work, well(&work)).await?;

    let download = bed.app.download_record(&bed.who, record.id).await?;
    assert_eq!(download.file_name, format!("web-{}.tar.zst.age", record.id));
    assert_eq!(download.size_bytes, 20);
    let blocks: Vec<_> = download.body.collect().await;
    let blocks: Result<Vec<_>> = blocks.into_iter().collect();
    assert_eq!(blocks?.concat(), b"01234567890123456789");
    Ok(())
}

#[tokio::test]
async fn a_test_of_a_target_is_kept_with_it() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let target = bed.bucket("b").await?;
    let answer = async {
        let poll = Poll {
            wait_secs: 20,
            free: 1,
            lane: Some(Lane::Short),
        };
        for work in bed.app.poll(node, poll).await?.commands {
            let report = Report::TestTarget(TestReport {
                ok: false,
                steps: vec![TestStep {
                    name: "write".to_owned(),
                    ok: false,
                    message: "the bucket does not exist".to_owned(),
                    duration_ms: 4,
                }],
                conditional_create: false,
            });
            bed.end(node, &work, Outcome::Succeeded { report }).await?;
        }
        Ok::<_, Error>(())
    };
    let (tested, answered) =
        tokio::join!(bed.app.test_target(&bed.who, target, Some(node)), answer);
    answered?;
    assert!(!tested?.ok);
    let kept = bed.app.target(&bed.who, target).await?.last_test;
    assert_eq!(
        kept.map(|test| test.message).as_deref(),
        Some("write: the bucket does not exist")
    );
    Ok(())
}

#[tokio::test]
async fn a_broken_secret_fails_the_run_with_the_reason_and_never_loses_it() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let (a, b) = (bed.bucket("a").await?, bed.bucket("b").await?);
    let task = bed.task(node, &[a]).await?;
    // A ciphertext moved from another row does not open (never 23).
    let moved = Targets::get(&*bed.stores, b)
        .await?
        .and_then(|target| target.secrets);
    bed.stores.set_secrets(a, moved.as_ref()).await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    assert!(bed.take(node).await?.is_empty());
    let record = bed.record(record.id).await?;
    let why = record.failure.map(|f| f.message).unwrap_or_default();
    assert!(why.contains("does not open"), "{why}");
    Ok(())
}

#[tokio::test]
async fn repeated_requests_get_the_first_answer() -> Result<()> {
    let bed = Bed::new().await?;
    assert_eq!(bed.app.begin_answer(&bed.who, "k", "h").await?, None);
    let under_way = bed.app.begin_answer(&bed.who, "k", "h").await?;
    assert_eq!(under_way.map(|kept| kept.status), Some(0));
    bed.app.keep_answer(&bed.who, "k", 201, "{}").await?;
    let kept = bed.app.begin_answer(&bed.who, "k", "h").await?;
    assert_eq!(
        kept.map(|kept| (kept.status, kept.body)),
        Some((201, "{}".to_owned()))
    );
    bed.pass(chrono::Duration::hours(25));
    assert_eq!(bed.app.begin_answer(&bed.who, "k", "h").await?, None);
    Ok(())
}
