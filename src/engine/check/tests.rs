//! What listings tell of copies, and what only a closer look may call lost.

use super::*;
use crate::testing::{MemoryStore, Watching, laid_down};
use backupx_core::domain::id::RecordId;
use std::time::Duration;

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).expect("a key")
}

/// A store with one backup laid down in these folders, and what a master knows of them.
async fn kept(places: &[&str]) -> Result<(MemoryStore, Vec<KeptCopy>)> {
    let store = laid_down(places).await?;
    let copies = places.iter().zip(1..).map(|(place, number)| {
        let location = key(place);
        let objects = store.objects();
        let own = objects.iter().filter(|(key, _)| key.is_below(&location));
        KeptCopy {
            record_id: RecordId(number),
            stored_bytes: own.map(|(_, bytes)| bytes.len() as u64).sum(),
            location,
        }
    });
    let copies = copies.collect();
    Ok((store, copies))
}

async fn checked(store: &MemoryStore, copies: &[KeptCopy], until: Instant) -> Result<CheckReport> {
    let observer = Arc::new(Watching::default());
    check(
        &store.destination(1),
        copies,
        false,
        until,
        observer,
        StopFlag::default(),
    )
    .await
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

const PLACES: [&str; 4] = [
    "a/2026/01/1-x",
    "a/2026/01/2-x",
    "a/2026/02/3-x",
    "b/2026/01/4-x",
];

#[tokio::test]
async fn what_is_whole_is_told_by_listings() -> Result<()> {
    let (store, copies) = kept(&PLACES).await?;
    // No object is read: whoever reads gets no answer.
    store.faults().unreadable = true;
    let report = checked(&store, &copies, later()).await?;
    assert_eq!((report.checked, report.next), (4, None));
    assert_eq!(report.looked_at, []);
    Ok(())
}

#[tokio::test]
async fn any_object_that_is_missing_or_cut_off_is_found() -> Result<()> {
    let (whole, _) = kept(&PLACES).await?;
    let all: Vec<_> = whole.objects().keys().cloned().collect();
    for object in all {
        let (store, copies) = kept(&PLACES).await?;
        let bytes = store.objects().remove(&object).expect("it is there");
        let of = copies.iter().find(|copy| object.is_below(&copy.location));
        let of = of.expect("each object is of a copy").record_id;
        for cut in [None, Some(bytes.slice(1..))] {
            if let Some(cut) = cut {
                store.objects().insert(object.clone(), cut);
            }
            let report = checked(&store, &copies, later()).await?;
            let [looked] = &report.looked_at[..] else {
                panic!("{object}: {report:?}");
            };
            assert_eq!(looked.record_id, of, "{object}");
            assert!(
                looked.copy.damaged && !looked.copy.ok,
                "{object}: {looked:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_lies_beside_a_whole_copy_is_no_loss() -> Result<()> {
    let (store, copies) = kept(&PLACES).await?;
    let beside = key("a/2026/01/1-x/data.part");
    store.objects().insert(beside, "a temporary file".into());
    let report = checked(&store, &copies, later()).await?;
    assert!(
        report.looked_at.iter().all(|looked| looked.copy.ok),
        "{report:?}"
    );
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_time_left_says_up_to_where_it_came() -> Result<()> {
    let (store, copies) = kept(&PLACES).await?;
    let mut seen = 0;
    let mut left = &copies[..];
    while !left.is_empty() {
        let report = checked(&store, left, Instant::now()).await?;
        assert_eq!(report.checked, 1);
        seen += 1;
        left = &left[1..];
        assert_eq!(
            report.next,
            (!left.is_empty()).then(|| copies[seen - 1].location.clone())
        );
    }
    assert_eq!(seen, copies.len());
    Ok(())
}

#[tokio::test]
async fn more_behind_the_last_copy_is_told() -> Result<()> {
    let (store, copies) = kept(&PLACES).await?;
    let observer = Arc::new(Watching::default());
    let place = store.destination(1);
    let report = check(
        &place,
        &copies,
        true,
        later(),
        observer,
        StopFlag::default(),
    )
    .await?;
    assert_eq!(report.next, Some(key(PLACES[3])));
    Ok(())
}
