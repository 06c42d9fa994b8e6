//! What a target is seen to hold, page after page, in one order.

use super::*;
use crate::testing::{laid_down, location};
use std::time::Duration;

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).expect("a key")
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

#[tokio::test]
async fn pages_of_any_size_hold_everything_once_and_in_order() -> Result<()> {
    // In the order of names: `etc` before `etc-2`, whatever is below.
    let places = [
        "etc/2025/12/9-a",
        "etc/2026/01/10-b",
        "etc/2026/01/11-c",
        "etc/2026/02/12-d",
        "etc-2/2026/01/13-e",
        "web/2026/01/14-f",
    ];
    let store = laid_down(&places).await?;
    for foreign in [
        "web/2026/01/file",
        "photos/holiday/1.jpg",
        "backint/HN1/2026/01/x/backint.json",
        "notes.txt",
    ] {
        store.objects().insert(key(foreign), "x".into());
    }
    for limit in 1..=7 {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = inventory(&store, after.as_ref(), limit, later()).await?;
            assert!(page.found.len() <= limit);
            assert!(page.found.iter().all(|found| found.problem.is_none()));
            found.extend(page.found.into_iter().map(|found| found.location));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, places.map(key), "{limit} at once");
    }
    // Whoever has no time left still comes further with each page.
    let page = inventory(&store, None, 100, Instant::now()).await?;
    assert_eq!(page.found.len(), 1);
    assert_eq!(page.next, Some(key(places[0])));
    Ok(())
}

#[tokio::test]
async fn a_backup_is_told_with_what_its_manifest_says() -> Result<()> {
    let place = location();
    let store = laid_down(&[place.as_str()]).await?;
    let page = inventory(&store, None, 10, later()).await?;
    let found = page.found.first().expect("it is there");
    let bytes: usize = store.objects().values().map(|bytes| bytes.len()).sum();
    assert_eq!(found.stored_bytes, bytes as u64);
    let kept = store.objects()[&place.join(Manifest::FILE_NAME)?].clone();
    assert_eq!(found.manifest_sha256, hex::encode(Sha256::digest(&kept)));
    let manifest = found.manifest.as_ref().expect("it is read");
    let whole = manifest::read_manifest(&store, &place).await?;
    assert_eq!(manifest.task, whole.task);
    assert_eq!(manifest.streams.len(), whole.streams.len());
    assert!(
        manifest
            .streams
            .iter()
            .all(|stream| stream.objects.is_empty())
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_whole_says_why() -> Result<()> {
    let store = laid_down(&[
        "t/2026/01/1-a",
        "t/2026/01/2-b",
        "t/2026/01/3-c",
        "t/2026/01/4-d",
    ])
    .await?;
    {
        let mut objects = store.objects();
        objects.remove(&key("t/2026/01/1-a/manifest.json"));
        let volume = objects
            .keys()
            .find(|key| key.as_str().contains("2-b/data"))
            .cloned();
        objects.remove(&volume.expect("a volume"));
        let index = objects
            .keys()
            .find(|key| key.as_str().contains("3-c/index"))
            .cloned();
        objects.insert(index.expect("an index"), "short".into());
        objects.insert(key("t/2026/01/4-d/manifest.json"), "no JSON".into());
    }
    let page = inventory(&store, None, 10, later()).await?;
    let problems: Vec<_> = page
        .found
        .iter()
        .filter_map(|found| found.problem.as_deref())
        .collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    for (problem, part) in problems.iter().zip([
        "no manifest",
        "is missing",
        "has 5 bytes instead of",
        "is no manifest",
    ]) {
        assert!(problem.contains(part), "{part}: {problem}");
    }
    Ok(())
}

#[tokio::test]
async fn storage_that_does_not_answer_is_no_empty_storage() -> Result<()> {
    let store = laid_down(&["t/2026/01/1-a"]).await?;
    store.faults().unreadable = true;
    let refused = inventory(&store, None, 10, later())
        .await
        .expect_err("no answer");
    assert!(refused.is_retryable());
    Ok(())
}
