//! What every kind of storage promises.

use crate::backends::{Fresh, key};
use backupx_core::{ErrorKind, Result};
use bytes::Bytes;
use futures::future::join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

pub(crate) async fn what_is_created_reads_back(fresh: &Fresh) -> Result<()> {
    let object = key("a/1/data");
    let body = vec![Bytes::from_static(b"hello "), Bytes::from_static(b"world")];
    fresh.store.create(&object, body).await?;
    let info = fresh.store.stat(&object).await?.expect("it is there");
    assert_eq!((info.key.clone(), info.size), (object.clone(), 11));
    assert_eq!(fresh.store.read(&object, 0..11).await?, "hello world");
    assert_eq!(fresh.store.read(&object, 4..8).await?, "o wo");
    assert_eq!(fresh.store.read(&object, 3..3).await?, "");
    Ok(())
}

pub(crate) async fn what_is_not_there_is_told_apart_from_failure(fresh: &Fresh) -> Result<()> {
    let object = key("a/none/data");
    assert_eq!(fresh.store.stat(&object).await?, None);
    let read = fresh
        .store
        .read(&object, 0..1)
        .await
        .expect_err("nothing is there");
    assert_eq!(read.kind(), ErrorKind::NotFound, "{read:?}");
    assert_eq!(fresh.store.list(&key("a/none")).await?, []);
    fresh.store.remove(&object).await?;
    assert_eq!(fresh.store.remove_all(&key("a/none")).await?, (0, 0));
    Ok(())
}

pub(crate) async fn an_object_without_bytes_exists(fresh: &Fresh) -> Result<()> {
    fresh.store.create(&key("a/empty"), Vec::new()).await?;
    assert_eq!(
        fresh
            .store
            .stat(&key("a/empty"))
            .await?
            .map(|info| info.size),
        Some(0)
    );
    Ok(())
}

pub(crate) async fn a_range_behind_the_end_is_an_error(fresh: &Fresh) -> Result<()> {
    fresh
        .store
        .create(&key("a/1"), vec![Bytes::from_static(b"12345")])
        .await?;
    for range in [0..6, 4..6, 5..6, 70..80] {
        let read = fresh
            .store
            .read(&key("a/1"), range)
            .await
            .expect_err("it is shorter");
        assert_eq!(read.code(), "object_too_short", "{read:?}");
    }
    Ok(())
}

pub(crate) async fn a_list_has_what_is_below_and_nothing_else(fresh: &Fresh) -> Result<()> {
    for object in ["a/1/data", "a/1/deep/er", "a/10/data", "b/1"] {
        fresh
            .store
            .create(&key(object), vec![Bytes::from_static(b"xy")])
            .await?;
    }
    let mut found = fresh.store.list(&key("a/1")).await?;
    found.sort_by(|one, other| one.key.cmp(&other.key));
    let found: Vec<_> = found
        .iter()
        .map(|info| (info.key.as_str(), info.size))
        .collect();
    assert_eq!(found, [("a/1/data", 2), ("a/1/deep/er", 2)]);
    Ok(())
}

pub(crate) async fn folders_are_told_one_step_at_a_time(fresh: &Fresh) -> Result<()> {
    assert_eq!(fresh.store.folders(None).await?, []);
    for object in ["a/1/data", "a/10/deep/er", "a-2/1/data", "top"] {
        fresh
            .store
            .create(&key(object), vec![Bytes::from_static(b"xy")])
            .await?;
    }
    for (folder, expected) in [
        (None, vec!["a", "a-2"]),
        (Some("a"), vec!["a/1", "a/10"]),
        (Some("a/10"), vec!["a/10/deep"]),
        (Some("a/1"), vec![]),
        (Some("a/2"), vec![]),
    ] {
        let mut found = fresh.store.folders(folder.map(key).as_ref()).await?;
        found.sort();
        let found: Vec<_> = found.iter().map(|key| key.as_str()).collect();
        assert_eq!(found, expected, "below {folder:?}");
    }
    Ok(())
}

pub(crate) async fn removing_a_folder_leaves_its_neighbours(fresh: &Fresh) -> Result<()> {
    for object in ["a/1/data", "a/1/manifest.json", "a/10/data"] {
        fresh
            .store
            .create(&key(object), vec![Bytes::from_static(b"xyz")])
            .await?;
    }
    assert_eq!(fresh.store.remove_all(&key("a/1")).await?, (2, 6));
    assert_eq!(fresh.store.stat(&key("a/1/data")).await?, None);
    assert!(fresh.store.stat(&key("a/10/data")).await?.is_some());
    fresh.store.remove(&key("a/10/data")).await?;
    assert_eq!(fresh.store.stat(&key("a/10/data")).await?, None);
    Ok(())
}

pub(crate) async fn large_objects_survive(fresh: &Fresh) -> Result<()> {
    let blocks: Vec<Bytes> = (0..20u8)
        .map(|number| Bytes::from(vec![number; 1 << 20]))
        .collect();
    fresh.store.create(&key("a/large"), blocks).await?;
    let size = 20 << 20;
    assert_eq!(
        fresh
            .store
            .stat(&key("a/large"))
            .await?
            .map(|info| info.size),
        Some(size)
    );
    let border = fresh
        .store
        .read(&key("a/large"), (7 << 20) - 1..(7 << 20) + 1)
        .await?;
    assert_eq!(border.as_ref(), [6, 7]);
    assert_eq!(
        fresh.store.read(&key("a/large"), 0..size).await?.len() as u64,
        size
    );
    Ok(())
}

pub(crate) async fn volumes_of_every_size_survive(fresh: &Fresh) -> Result<()> {
    // Around the pieces in which services and their libraries cut, and the largest volume that there is.
    for size in [1, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 64 << 20] {
        let object = key(&format!("a/{size}"));
        let block: Vec<u8> = (0..251u8).cycle().take(1 << 20).collect();
        let blocks = size / block.len();
        let block = Bytes::from(block);
        let mut body = vec![block.clone(); blocks];
        body.push(block.slice(..size - blocks * block.len()));
        fresh.store.create(&object, body.clone()).await?;
        let read = fresh.store.read(&object, 0..size as u64).await?;
        assert!(read == body.concat(), "{size} bytes read back differently");
    }
    Ok(())
}

pub(crate) async fn a_second_create_is_refused(fresh: &Fresh) -> Result<()> {
    fresh
        .store
        .create(&key("a/1"), vec![Bytes::from_static(b"first")])
        .await?;
    let second = fresh
        .store
        .create(&key("a/1"), vec![Bytes::from_static(b"other")])
        .await;
    let second = second.expect_err("it exists");
    assert_eq!(
        (second.kind(), second.code()),
        (ErrorKind::Conflict, "object_exists")
    );
    assert_eq!(fresh.store.read(&key("a/1"), 0..5).await?, "first");
    Ok(())
}

pub(crate) async fn of_many_creators_one_wins(fresh: &Fresh) -> Result<()> {
    let object = key("a/race");
    let bodies: Vec<_> = (0..8u8)
        .map(|number| Bytes::from(vec![number; 1000]))
        .collect();
    let created = join_all(
        bodies
            .iter()
            .map(|body| fresh.store.create(&object, vec![body.clone()])),
    )
    .await;
    let winners: Vec<_> = (0..8).filter(|index| created[*index].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{created:?}");
    assert_eq!(
        fresh.store.read(&object, 0..1000).await?,
        bodies[winners[0]]
    );
    Ok(())
}

/// More than any service puts into one page.
const MANY: usize = 5_001;

pub(crate) async fn lists_go_on_over_pages(fresh: &Fresh) -> Result<()> {
    let names = (0..MANY).map(|number| key(&format!("a/{number:04}")));
    match fresh.files() {
        // By hand where that is quicker: the list is what is asked for.
        Some(folder) => {
            let top = folder.join("a");
            std::fs::create_dir_all(&top).map_err(disk)?;
            // Its server may be somebody else.
            std::fs::set_permissions(&top, Permissions::from_mode(0o777)).map_err(disk)?;
            for name in names {
                std::fs::write(folder.join(name.as_str()), "xy").map_err(disk)?;
            }
        }
        None => {
            let created = names.map(|name| async move {
                let body = vec![Bytes::from_static(b"xy")];
                fresh.store.create(&name, body).await
            });
            let created = stream::iter(created).buffer_unordered(32);
            created.try_collect::<Vec<()>>().await?;
        }
    }
    let mut found: Vec<_> = fresh.store.list(&key("a")).await?;
    found.sort_by(|one, other| one.key.cmp(&other.key));
    found.dedup_by(|one, other| one.key == other.key);
    assert_eq!(found.len(), MANY);
    assert_eq!(found[MANY - 1].key.as_str(), "a/5000");
    assert!(found.iter().all(|info| info.size == 2));
    let removed = fresh.store.remove_all(&key("a")).await?;
    assert_eq!(removed, (MANY as u64, 2 * MANY as u64));
    assert_eq!(fresh.store.list(&key("a")).await?, []);
    Ok(())
}

pub(crate) async fn never_19_what_could_not_be_removed_is_no_success(fresh: &Fresh) -> Result<()> {
    let folder = fresh.files().expect("a server with a folder");
    let top = folder.join("a");
    std::fs::create_dir_all(&top).map_err(disk)?;
    std::fs::write(top.join("1"), "xy").map_err(disk)?;
    let refused = fresh.store.remove_all(&key("a")).await;
    let left = fresh.store.list(&key("a")).await?;
    std::fs::remove_dir_all(&top).map_err(disk)?;
    let refused = refused.expect_err("its folder belongs to root");
    assert_eq!(refused.code(), "access_denied", "{refused:?}");
    assert_eq!(left.len(), 1);
    Ok(())
}

fn disk(error: std::io::Error) -> backupx_core::Error {
    backupx_core::Error::internal("the test's own file could not be written").with_source(error)
}
