//! Verification: damage is found, and told apart from not being able to look.

use super::*;
use crate::backup;
use crate::testing::{MemorySource, MemoryStore, Run, Watching, location, small_volumes};
use backupx_core::domain::report::BackupReport;
use backupx_core::domain::task::Compression;
use backupx_core::ports::objects::Layout;

async fn stored(
    layout: Layout,
    compression: Compression,
) -> Result<(MemoryStore, Vec<StreamKey>, BackupReport)> {
    let run = Run::new(compression);
    let store = MemoryStore::new(layout);
    let source = MemorySource::of(&[900_000, 5, 70_000]);
    let observer = Arc::new(Watching::default());
    let report = backup(
        run.plan.clone(),
        source,
        vec![store.destination(1)],
        observer,
        StopFlag::default(),
    )
    .await?;
    Ok((store, run.keys(&report.streams), report))
}

async fn check(store: &MemoryStore, keys: &[StreamKey], mode: VerifyMode) -> Result<VerifiedCopy> {
    let observer = Arc::new(Watching::default());
    verify(
        &location(),
        keys,
        mode,
        &store.destination(1),
        observer,
        StopFlag::default(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_copy_holds() -> Result<()> {
    let (store, keys, report) = stored(small_volumes(), Compression::Zstd).await?;
    let quick = check(&store, &[], VerifyMode::Quick).await?;
    assert!(quick.ok && !quick.damaged, "{quick:?}");
    let full = check(&store, &keys, VerifyMode::Full).await?;
    assert!(full.ok, "{full:?}");
    assert_eq!(full.objects as usize, store.names().len());
    assert_eq!(full.bytes_read, report.copies[0].stored_bytes);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_is_found() -> Result<()> {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        let (store, keys, _) = stored(Layout::OneObject, compression).await?;
        let whole = store.objects().clone();
        for (key, body) in whole
            .iter()
            .filter(|(key, _)| key.file_name() != Manifest::FILE_NAME)
        {
            for place in [0, 200, body.len() / 2, body.len() - 1] {
                let mut bytes = body.to_vec();
                bytes[place] ^= 1;
                store.objects().insert(key.clone(), bytes.into());
                let full = check(&store, &keys, VerifyMode::Full).await?;
                assert!(!full.ok && full.damaged, "byte {place} of {key}: {full:?}");
            }
            store.objects().insert(key.clone(), body.clone());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_cut_is_found_at_once() -> Result<()> {
    let (store, keys, _) = stored(small_volumes(), Compression::Zstd).await?;
    let whole = store.objects().clone();
    for (key, body) in &whole {
        store.objects().remove(key);
        for mode in [VerifyMode::Quick, VerifyMode::Full] {
            let found = check(&store, &keys, mode).await?;
            assert!(!found.ok && found.damaged, "{key} is missing: {found:?}");
        }
        store.objects().insert(key.clone(), body.slice(1..));
        let found = check(&store, &keys, VerifyMode::Quick).await?;
        assert!(!found.ok && found.damaged, "{key} is cut: {found:?}");
        store.objects().insert(key.clone(), body.clone());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_does_not_answer_proves_no_damage() -> Result<()> {
    let (store, keys, _) = stored(Layout::OneObject, Compression::Zstd).await?;
    store.faults().unreadable = true;
    for mode in [VerifyMode::Quick, VerifyMode::Full] {
        let found = check(&store, &keys, mode).await?;
        assert!(!found.ok && !found.damaged, "{found:?}");
    }
    store.faults().unreadable = false;
    let found = check(&store, &[], VerifyMode::Full).await?;
    assert!(
        !found.ok && !found.damaged,
        "without a key nothing is proven: {found:?}"
    );
    Ok(())
}
