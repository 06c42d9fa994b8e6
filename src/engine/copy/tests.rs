//! Copies: the same bytes in another place and another layout, and never from a damaged source.

use super::*;
use crate::testing::{Faults, MemorySource, MemoryStore, Run, Watching, location, small_volumes};
use crate::{backup, verify};
use backupx_core::domain::operation::VerifyMode;
use backupx_core::domain::task::Compression;
use backupx_core::ports::objects::Layout;

async fn stored(store: &MemoryStore) -> Result<Run> {
    let run = Run::new(Compression::Zstd);
    let source = MemorySource::of(&[3_000_000, 5, 70_000]);
    let observer = Arc::new(Watching::default());
    backup(
        run.plan.clone(),
        source,
        vec![store.destination(1)],
        observer,
        StopFlag::default(),
    )
    .await?;
    Ok(run)
}

async fn copy_to(sources: &[&MemoryStore], to: &[&MemoryStore]) -> Result<Vec<CopyReport>> {
    let numbered = |stores: &[&MemoryStore], first| {
        stores
            .iter()
            .zip(first..)
            .map(|(s, id)| s.destination(id))
            .collect()
    };
    let observer = Arc::new(Watching::default());
    copy(
        &location(),
        numbered(sources, 1),
        numbered(to, 11),
        observer,
        StopFlag::default(),
    )
    .await
}

async fn assert_whole(store: &MemoryStore, run: &Run) -> Result<()> {
    let manifest = manifest::read_manifest(&store.clone(), &location()).await?;
    let keys = run.keys(&manifest.streams);
    let observer = Arc::new(Watching::default());
    let found = verify(
        &location(),
        &keys,
        VerifyMode::Full,
        &store.destination(1),
        observer,
        StopFlag::default(),
    )
    .await?;
    assert!(found.ok, "{found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_follows_the_layout_of_its_place() -> Result<()> {
    for (from, to) in [
        (Layout::OneObject, small_volumes()),
        (small_volumes(), Layout::OneObject),
    ] {
        let (source, target) = (MemoryStore::new(from), MemoryStore::new(to));
        let run = stored(&source).await?;
        let reports = copy_to(&[&source], &[&target]).await?;
        assert!(reports[0].manifest_sha256.is_some(), "{reports:?}");
        assert_eq!(source.joined("data"), target.joined("data"));
        assert_whole(&target, &run).await?;
        // And back again, over what a failed run left there.
        source
            .objects()
            .retain(|key, _| key.file_name() != Manifest::FILE_NAME);
        copy_to(&[&target], &[&source]).await?;
        assert_whole(&source, &run).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_source_is_passed_over() -> Result<()> {
    let (bad, good) = (
        MemoryStore::new(Layout::OneObject),
        MemoryStore::new(small_volumes()),
    );
    let run = stored(&bad).await?;
    copy_to(&[&bad], &[&good]).await?;
    flip_data(&bad);
    let target = MemoryStore::new(Layout::OneObject);
    let reports = copy_to(&[&bad, &good], &[&target]).await?;
    assert!(reports[0].manifest_sha256.is_some(), "{reports:?}");
    assert_whole(&target, &run).await?;
    let nowhere = MemoryStore::new(Layout::OneObject);
    let error = copy_to(&[&bad], &[&nowhere])
        .await
        .expect_err("its only source is damaged");
    assert_eq!(error.code(), "no_source");
    assert_eq!(nowhere.names(), [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_02_one_failed_place_does_not_keep_the_other_from_its_copy() -> Result<()> {
    let source = MemoryStore::new(Layout::OneObject);
    let run = stored(&source).await?;
    let refused = Faults {
        refused: true,
        ..Faults::default()
    };
    let (bad, good) = (
        MemoryStore::faulty(small_volumes(), refused),
        MemoryStore::new(small_volumes()),
    );
    let reports = copy_to(&[&source], &[&bad, &good]).await?;
    assert_eq!(
        reports[0]
            .failure
            .as_ref()
            .map(|failure| failure.code.as_str()),
        Some("access_denied")
    );
    assert_whole(&good, &run).await?;
    let error = copy_to(&[&source], &[&bad])
        .await
        .expect_err("no place takes it");
    assert_eq!(error.code(), "access_denied");
    Ok(())
}

fn flip_data(store: &MemoryStore) {
    let mut objects = store.objects();
    let data = objects
        .iter_mut()
        .find(|(key, _)| key.file_name().starts_with("data"));
    let (_, body) = data.expect("it is stored");
    let mut bytes = body.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *body = bytes.into();
}
