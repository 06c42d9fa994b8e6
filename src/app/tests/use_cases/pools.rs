//! Pools: the least busy node that is there takes a run, no two ever have it, and one that was lost before it began is taken again.

use crate::bed::{Bed, code, hello, spec, take, well};
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::name::Name;
use backupx_core::domain::node::NodeFacts;
use backupx_core::domain::protocol::{Hello, ResultReport};
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::task::Task;
use backupx_core::domain::work::Work;
use backupx_core::ports::records::Records;
use chrono::Duration;

fn facts() -> NodeFacts {
    NodeFacts {
        task_types: vec!["file".to_owned()],
        ..NodeFacts::default()
    }
}

/// A node with these labels that knows how to back files up.
async fn member(bed: &Bed, name: &str, labels: &[&str]) -> Result<NodeId> {
    let labels: Vec<_> = labels.iter().map(|label| (*label).to_owned()).collect();
    let node = bed
        .app
        .add_node(&bed.who, name, &labels)
        .await?
        .node
        .node
        .id;
    let hello = Hello {
        facts: facts(),
        ..Hello::default()
    };
    bed.app.hello(node, hello).await?;
    Ok(node)
}

async fn pooled(bed: &Bed, name: &str) -> Result<Task> {
    let target = bed.bucket(name).await?;
    let mut spec = spec(name, NodeId::NONE, &[target])?;
    spec.pool = Name::parse("pool", "db").ok();
    bed.app.add_task(&bed.who, spec).await
}

async fn run(bed: &Bed, name: &str) -> Result<Record> {
    let task = pooled(bed, name).await?;
    bed.app.run_task(&bed.who, task.id).await
}

async fn place(bed: &Bed, record: &Record) -> Result<(RecordState, NodeId)> {
    let record = bed.record(record.id).await?;
    Ok((record.state, record.node_id))
}

#[tokio::test]
async fn the_least_busy_node_takes_a_run_and_the_task_does_not_know() -> Result<()> {
    let bed = Bed::new().await?;
    let busy = member(&bed, "busy", &["db"]).await?;
    let idle = member(&bed, "idle", &["web", "db"]).await?;
    let stranger = member(&bed, "stranger", &["web"]).await?;
    let own = bed.task(busy, &[bed.bucket("own").await?]).await?;
    bed.app.run_task(&bed.who, own.id).await?;
    bed.take_one(busy).await?;

    let task = pooled(&bed, "pooled").await?;
    let record = bed.app.run_task(&bed.who, task.id).await?;
    assert_eq!(
        place(&bed, &record).await?,
        (RecordState::Queued, NodeId::NONE)
    );
    bed.app.sweep().await?;
    assert!(bed.take(stranger).await?.is_empty());
    assert!(bed.take(busy).await?.is_empty());
    let work = bed.take_one(idle).await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Running, idle));
    let Work::Backup(backup) = &work.work else {
        return Err(backupx_core::Error::internal("it is a backup"));
    };
    assert_eq!((backup.node_id, backup.task.node_id), (idle, idle));
    assert_eq!(backup.task.pool, None, "an agent knows of no pools");
    bed.end(idle, &work, well(&work)).await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Success, idle));
    assert_eq!(bed.app.task(&bed.who, task.id).await?.spec, task.spec);
    Ok(())
}

#[tokio::test]
async fn runs_spread_over_the_nodes_of_a_pool() -> Result<()> {
    let bed = Bed::new().await?;
    let one = member(&bed, "one", &["db"]).await?;
    let two = member(&bed, "two", &["db"]).await?;
    for number in 0..4 {
        run(&bed, &format!("t{number}")).await?;
    }
    // Each could take all of them, and stops as soon as the other has less to do.
    let taken = [
        bed.take(one).await?.len(),
        bed.take(two).await?.len(),
        bed.take(one).await?.len(),
    ];
    assert_eq!(taken, [1, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn two_replicas_never_give_one_run_to_two_nodes() -> Result<()> {
    let bed = Bed::new().await?;
    let nodes = [
        member(&bed, "one", &["db"]).await?,
        member(&bed, "two", &["db"]).await?,
        member(&bed, "three", &["db"]).await?,
    ];
    let replicas = [bed.replica(), bed.replica(), bed.replica()];
    for number in 0..12 {
        let record = run(&bed, &format!("t{number}")).await?;
        bed.pass(Duration::seconds(1));
        let asks = nodes
            .iter()
            .zip(&replicas)
            .map(|(node, app)| take(app, *node));
        let answers = futures::future::try_join_all(asks).await?;
        let mut taken = Vec::new();
        for (node, works) in nodes.iter().zip(answers) {
            taken.extend(works.into_iter().map(|work| (*node, work)));
        }
        assert_eq!(taken.len(), 1, "round {number}");
        let (node, work) = &taken[0];
        assert_eq!(place(&bed, &record).await?, (RecordState::Running, *node));
        bed.end(*node, work, well(work)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn who_is_away_or_cannot_do_it_keeps_nobody_waiting() -> Result<()> {
    let bed = Bed::new().await?;
    let away = member(&bed, "away", &["db"]).await?;
    bed.pass(Duration::seconds(60));
    let unable = member(&bed, "unable", &["db"]).await?;
    bed.app.hello(unable, Hello::default()).await?;
    let here = member(&bed, "here", &["db"]).await?;
    let own = bed.task(here, &[bed.bucket("own").await?]).await?;
    bed.app.run_task(&bed.who, own.id).await?;
    bed.take_one(here).await?;
    let record = run(&bed, "pooled").await?;
    assert!(bed.take(unable).await?.is_empty());
    bed.take_one(here).await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Running, here));
    assert!(bed.take(away).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_node_that_does_not_ask_is_not_waited_for_for_ever() -> Result<()> {
    let bed = Bed::new().await?;
    let mute = member(&bed, "mute", &["db"]).await?;
    let busy = member(&bed, "busy", &["db"]).await?;
    let own = bed.task(busy, &[bed.bucket("own").await?]).await?;
    bed.app.run_task(&bed.who, own.id).await?;
    bed.take_one(busy).await?;
    run(&bed, "pooled").await?;
    bed.pass(Duration::seconds(29));
    bed.app.heartbeat(mute, Default::default()).await?;
    assert!(bed.take(busy).await?.is_empty());
    bed.pass(Duration::seconds(2));
    assert_eq!(bed.take(busy).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_hand_out_that_got_lost_is_taken_by_another_node() -> Result<()> {
    let bed = Bed::new().await?;
    let first = member(&bed, "first", &["db"]).await?;
    let record = run(&bed, "pooled").await?;
    let lost = bed.take_one(first).await?;
    let second = member(&bed, "second", &["db"]).await?;
    bed.app
        .hello(
            first,
            Hello {
                facts: facts(),
                ..hello(&[])
            },
        )
        .await?;
    assert_eq!(
        place(&bed, &record).await?,
        (RecordState::Queued, NodeId::NONE)
    );
    bed.pass(Duration::seconds(1));
    let work = bed.take_one(second).await?;
    assert_eq!((work.subject, work.lease), (lost.subject, Lease(2)));
    assert!(bed.take(first).await?.is_empty());
    // Whatever the first node still says of it counts no more.
    let late = ResultReport {
        lease: lost.lease,
        log: Vec::new(),
        outcome: well(&lost),
    };
    assert_eq!(
        code(bed.app.result(first, lost.command_id, late).await),
        "lease_lost"
    );
    bed.end(second, &work, well(&work)).await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Success, second));
    Ok(())
}

#[tokio::test]
async fn never_09_a_run_that_was_begun_does_not_go_back() -> Result<()> {
    let bed = Bed::new().await?;
    let first = member(&bed, "first", &["db"]).await?;
    let second = member(&bed, "second", &["db"]).await?;
    let record = run(&bed, "pooled").await?;
    let work = bed.take_one(first).await?;
    bed.progress(first, &work).await?;
    bed.app
        .hello(
            first,
            Hello {
                facts: facts(),
                ..hello(&[])
            },
        )
        .await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Failed, first));
    bed.pass(Duration::minutes(1));
    assert!(bed.take(second).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_node_that_went_away_before_it_began_loses_the_run() -> Result<()> {
    let bed = Bed::new().await?;
    let first = member(&bed, "first", &["db"]).await?;
    let record = run(&bed, "pooled").await?;
    // The process died between giving the run to the node and putting the command in.
    assert!(bed.stores.assign(record.id, NodeId::NONE, first).await?);
    assert_eq!(bed.app.sweep().await?.enqueued, 1);
    bed.pass(Duration::seconds(60));
    let second = member(&bed, "second", &["db"]).await?;
    bed.app.sweep().await?;
    assert_eq!(
        place(&bed, &record).await?,
        (RecordState::Queued, NodeId::NONE)
    );
    let work = bed.take_one(second).await?;
    assert!(bed.take(first).await?.is_empty());
    bed.end(second, &work, well(&work)).await?;
    assert_eq!(place(&bed, &record).await?, (RecordState::Success, second));
    Ok(())
}

#[tokio::test]
async fn a_run_in_a_pool_can_be_stopped_and_missed() -> Result<()> {
    let bed = Bed::new().await?;
    let record = run(&bed, "stopped").await?;
    let stopped = bed.app.cancel_record(&bed.who, record.id).await?;
    assert_eq!(
        (stopped.state, stopped.node_id),
        (RecordState::Cancelled, NodeId::NONE)
    );

    let mut spec = pooled(&bed, "missed").await?.spec;
    spec.name = Name::parse("name", "at three")?;
    spec.schedule = Some(backupx_core::domain::schedule::Schedule::new(
        "0 3 1 * *",
        "UTC",
    ));
    bed.app.add_task(&bed.who, spec).await?;
    bed.pass(Duration::days(8));
    let queued = bed.app.tick().await?.queued;
    bed.pass(Duration::hours(25));
    assert_eq!(bed.app.sweep().await?.missed, 1);
    let missed = bed.record(queued[0]).await?;
    assert!(
        missed
            .failure
            .is_some_and(|failure| failure.message.contains("pool db"))
    );
    assert_eq!(
        missed.copies[0].state,
        CopyState::Deleted,
        "nothing is left to be removed"
    );
    Ok(())
}

#[tokio::test]
async fn a_task_names_a_node_or_a_pool() -> Result<()> {
    let bed = Bed::new().await?;
    let target = bed.bucket("b").await?;
    let mut both = spec("both", NodeId::LOCAL, &[target])?;
    both.pool = Name::parse("pool", "db").ok();
    let neither = spec("neither", NodeId::NONE, &[target])?;
    for spec in [both, neither] {
        assert_eq!(
            code(bed.app.add_task(&bed.who, spec).await),
            "invalid_input"
        );
    }
    Ok(())
}
