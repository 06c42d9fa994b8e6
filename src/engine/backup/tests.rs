//! Backups as a whole: what counts as a copy, and what is left when there is none.

use super::*;
use crate::testing::{Faults, MemorySource, MemoryStore, Run, Watching, location, small_volumes};
use crate::verify;
use backupx_core::domain::operation::VerifyMode;
use backupx_core::ports::objects::Layout;

const SIZES: [usize; 4] = [3_000_000, 17, 0, 900_000];

async fn backup_to(
    stores: &[&MemoryStore],
    run: &Run,
    source: Box<MemorySource>,
) -> Result<BackupReport> {
    let destinations = stores
        .iter()
        .zip(1..)
        .map(|(store, id)| store.destination(id))
        .collect();
    let observer = Arc::new(Watching::default());
    backup(
        run.plan.clone(),
        source,
        destinations,
        observer,
        StopFlag::default(),
    )
    .await
}

async fn assert_whole(store: &MemoryStore, run: &Run, report: &BackupReport) -> Result<()> {
    let keys = run.keys(&report.streams);
    let observer = Arc::new(Watching::default());
    let copy = verify(
        &location(),
        &keys,
        VerifyMode::Full,
        &store.destination(1),
        observer,
        StopFlag::default(),
    )
    .await?;
    assert!(copy.ok, "{:?}", copy.problems);
    assert_eq!(copy.entries, report.counts.entries);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_on_every_kind_of_destination() -> Result<()> {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        let run = Run::new(compression);
        let (one, many) = (
            MemoryStore::new(Layout::OneObject),
            MemoryStore::new(small_volumes()),
        );
        let report = backup_to(&[&one, &many], &run, MemorySource::of(&SIZES)).await?;
        assert!(
            report
                .copies
                .iter()
                .all(|copy| copy.manifest_sha256.is_some())
        );
        assert_eq!(
            one.joined("data"),
            many.joined("data"),
            "both hold the same stream"
        );
        assert_whole(&one, &run, &report).await?;
        assert_whole(&many, &run, &report).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_02_one_failed_target_is_said_and_the_others_are_whole() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let refused = Faults {
        refused: true,
        ..Faults::default()
    };
    let (bad, good) = (
        MemoryStore::faulty(small_volumes(), refused),
        MemoryStore::new(Layout::OneObject),
    );
    let report = backup_to(&[&bad, &good], &run, MemorySource::of(&SIZES)).await?;
    let failure = report.copies[0].failure.as_ref().expect("it failed");
    assert_eq!(failure.code, "access_denied");
    assert!(failure.message.contains("target-1"), "{}", failure.message);
    assert_eq!(report.copies[1].failure, None);
    assert_eq!(bad.names(), [""; 0]);
    assert_whole(&good, &run, &report).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_every_target_refuses_reads_no_further() -> Result<()> {
    let run = Run::new(Compression::None);
    let refused = Faults {
        refused: true,
        ..Faults::default()
    };
    let stores = [
        MemoryStore::faulty(small_volumes(), refused.clone()),
        MemoryStore::faulty(Layout::OneObject, refused),
    ];
    let (told_in, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut source = MemorySource::of(&[4 << 20; 60]);
    source.told = Some(told_in);
    let error = backup_to(&[&stores[0], &stores[1]], &run, source)
        .await
        .expect_err("no target is left");
    assert_eq!(error.code(), "access_denied");
    assert!(
        error.message().contains("target-1") && error.message().contains("target-2"),
        "{error}"
    );
    let mut read = 0;
    while told.recv().await.is_some() {
        read += 1;
    }
    assert!(read < 60, "everything was read for nobody");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_26_a_target_that_hangs_does_not_keep_the_others_from_ending() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let (hung, good) = (
        MemoryStore::hung(Layout::OneObject),
        MemoryStore::new(Layout::OneObject),
    );
    let (told_in, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut source = MemorySource::of(&[2 << 20; 20]);
    source.told = Some(told_in);
    let released = hung.clone();
    tokio::spawn(async move {
        // The first files go on their way although the other target takes nothing; then its own limit ends its wait.
        let mut taken = 0;
        while taken < 5 && told.recv().await.is_some() {
            taken += 1;
        }
        released.fail_hung();
    });
    let report = backup_to(&[&hung, &good], &run, source).await?;
    assert_eq!(
        report.copies[0]
            .failure
            .as_ref()
            .map(|failure| failure.code.as_str()),
        Some("storage_stalled")
    );
    assert_whole(&good, &run, &report).await
}

#[tokio::test(flavor = "multi_thread")]
async fn never_24_a_run_that_fails_leaves_nothing() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let stores = [
        MemoryStore::new(small_volumes()),
        MemoryStore::new(Layout::OneObject),
    ];
    let mut source = MemorySource::of(&SIZES);
    source.fails = true;
    let error = backup_to(&[&stores[0], &stores[1]], &run, source)
        .await
        .expect_err("the source failed");
    assert_eq!(error.code(), "source_missing");
    assert!(stores.iter().all(|store| store.names().is_empty()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_07_more_unreadable_files_than_accepted_fail_the_run() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let store = MemoryStore::new(Layout::OneObject);
    let mut source = MemorySource::of(&SIZES);
    source.unreadable = 4;
    let error = backup_to(&[&store], &run, source)
        .await
        .expect_err("three are accepted");
    assert_eq!(error.code(), "too_many_unreadable");
    assert!(error.message().contains("home/a/secret"), "{error}");
    assert_eq!(store.names(), [""; 0]);
    let mut source = MemorySource::of(&SIZES);
    source.unreadable = 3;
    let report = backup_to(&[&store], &run, source).await?;
    assert_eq!(report.counts.unreadable, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_is_cancelled_and_leaves_nothing() -> Result<()> {
    let run = Run::new(Compression::None);
    let (hung, stop) = (MemoryStore::hung(small_volumes()), StopFlag::default());
    let (told_in, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut source = MemorySource::of(&[1 << 20; 50]);
    source.told = Some(told_in);
    let asked = stop.clone();
    tokio::spawn(async move {
        told.recv().await;
        asked.stop();
    });
    let observer = Arc::new(Watching::default());
    let outcome = backup(
        run.plan.clone(),
        source,
        vec![hung.destination(1)],
        observer,
        stop,
    )
    .await;
    assert_eq!(outcome.expect_err("it was stopped").code(), "cancelled");
    assert_eq!(hung.names(), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_get_lost_are_sorted_out() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let faults = Faults {
        lost_answers: 2,
        lost_creates: 2,
        ..Faults::default()
    };
    let store = MemoryStore::faulty(small_volumes(), faults);
    let report = backup_to(&[&store], &run, MemorySource::of(&SIZES)).await?;
    assert_whole(&store, &run, &report).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_backup_in_the_same_place_is_left_alone() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let store = MemoryStore::new(Layout::OneObject);
    let report = backup_to(&[&store], &run, MemorySource::of(&SIZES)).await?;
    let again = backup_to(&[&store], &run, MemorySource::of(&[1])).await;
    assert_eq!(again.expect_err("it is there").code(), "object_exists");
    assert_whole(&store, &run, &report).await
}

#[tokio::test]
async fn an_encrypted_task_without_recipients_writes_nothing() {
    let mut run = Run::new(Compression::Zstd);
    run.plan.work.recipients.clear();
    let store = MemoryStore::new(Layout::OneObject);
    let error = backup_to(&[&store], &run, MemorySource::of(&[1]))
        .await
        .expect_err("nobody could read it");
    assert_eq!(error.code(), "no_recipients");
}
