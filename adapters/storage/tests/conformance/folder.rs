//! What a folder promises beyond that.

use crate::backends::{Fresh, key};
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

fn io(error: std::io::Error) -> Error {
    Error::internal("the test's own file failed").with_source(error)
}

fn block() -> Bytes {
    Bytes::from(vec![7; 1 << 20])
}

pub(crate) async fn a_file_in_the_making_is_not_visible(fresh: &Fresh) -> Result<()> {
    let mut writer = fresh.store.begin(&key("a/1/data")).await?;
    writer.write(block()).await?;
    assert_eq!(fresh.store.stat(&key("a/1/data")).await?, None);
    let partial = fresh.store.list(&key("a/1")).await?;
    assert_eq!(partial.len(), 1, "the sweep must find it");
    assert!(partial[0].key.as_str().ends_with(".partial"), "{partial:?}");
    for _ in 0..40 {
        writer.write(block()).await?;
    }
    writer.finish().await?;
    let found = fresh.store.list(&key("a/1")).await?;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].key.as_str(), found[0].size),
        ("a/1/data", 41 << 20)
    );
    Ok(())
}

pub(crate) async fn never_24_a_writer_that_is_dropped_leaves_no_file(fresh: &Fresh) -> Result<()> {
    let mut writer = fresh.store.begin(&key("a/1/data")).await?;
    writer.write(block()).await?;
    drop(writer);
    // Its own thread removes it; that takes a moment.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !fresh.store.list(&key("a/1")).await?.is_empty() {
        assert!(Instant::now() < deadline, "the file stays");
        tokio::task::yield_now().await;
    }
    Ok(())
}

pub(crate) async fn a_finished_file_replaces_nothing(fresh: &Fresh) -> Result<()> {
    let late = fresh.store.begin(&key("a/1/data")).await?;
    fresh
        .store
        .create(&key("a/1/data"), vec![Bytes::from_static(b"first")])
        .await?;
    let refused = late.finish().await.expect_err("it exists by now");
    assert_eq!(refused.code(), "object_exists");
    assert_eq!(fresh.store.read(&key("a/1/data"), 0..5).await?, "first");
    assert_eq!(
        fresh.store.list(&key("a/1")).await?.len(),
        1,
        "no temporary file stays"
    );
    Ok(())
}

pub(crate) async fn links_in_the_folder_are_not_followed(fresh: &Fresh) -> Result<()> {
    let outside = fresh.outside().join("outside");
    fs::create_dir_all(&outside).map_err(io)?;
    fs::write(outside.join("secret"), "s").map_err(io)?;
    fs::create_dir_all(fresh.root()).map_err(io)?;
    std::os::unix::fs::symlink(&outside, fresh.root().join("a")).map_err(io)?;
    let created = fresh.store.create(&key("a/new"), vec![block()]).await;
    assert_eq!(
        created.expect_err("not through a link").code(),
        "not_a_folder"
    );
    let read = fresh.store.read(&key("a/secret"), 0..1).await;
    assert_eq!(read.expect_err("not through a link").code(), "not_a_folder");
    fs::remove_file(fresh.root().join("a")).map_err(io)?;
    std::os::unix::fs::symlink(outside.join("secret"), fresh.root().join("b")).map_err(io)?;
    assert_eq!(fresh.store.stat(&key("b")).await?, None);
    assert!(fresh.store.read(&key("b"), 0..1).await.is_err());
    fs::remove_file(fresh.root().join("b")).map_err(io)?;
    assert!(outside.join("secret").exists());
    assert!(!outside.join("new").exists());
    Ok(())
}

pub(crate) async fn a_folder_is_there_once_something_was_kept(fresh: &Fresh) -> Result<()> {
    assert!(!fresh.store.is_there().await?);
    assert!(!fresh.root().exists(), "the question made the folder");
    fresh.store.create(&key("a/1/data"), vec![block()]).await?;
    assert!(fresh.store.is_there().await?);
    Ok(())
}

pub(crate) async fn removing_takes_empty_parents_and_never_the_root(fresh: &Fresh) -> Result<()> {
    fresh
        .store
        .create(&key("t/2026/01/7/data"), vec![block()])
        .await?;
    fresh
        .store
        .create(&key("t/2026/02/8/data"), vec![block()])
        .await?;
    fresh.store.remove_all(&key("t/2026/01/7")).await?;
    assert!(!fresh.root().join("t/2026/01").exists());
    assert!(fresh.root().join("t/2026/02").exists());
    fresh.store.remove_all(&key("t/2026/02/8")).await?;
    assert!(!fresh.root().join("t").exists());
    assert!(fresh.root().exists());
    Ok(())
}

pub(crate) async fn a_full_disk_is_said_as_such(fresh: &Fresh) -> Result<()> {
    fs::create_dir_all(fresh.root()).map_err(io)?;
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(fresh.root())
        .output()
        .map_err(io)?;
    if !mounted.status.success() {
        // Without the right to mount, a full disk can't be had.
        return Ok(());
    }
    let mut writer = fresh.store.begin(&key("a/1/data")).await?;
    let mut written = Ok(());
    for _ in 0..8 {
        written = written.and(writer.write(block()).await);
    }
    let outcome = match written {
        Ok(()) => writer.finish().await,
        failed => failed.and(writer.abort().await),
    };
    let created = fresh.store.create(&key("a/2"), vec![block(); 8]).await;
    let left = fresh.store.list(&key("a")).await;
    Command::new("umount")
        .arg(fresh.root())
        .output()
        .map_err(io)?;
    assert_eq!(outcome.expect_err("4 MiB are full").code(), "disk_full");
    assert_eq!(created.expect_err("4 MiB are full").code(), "disk_full");
    let complete = left?
        .iter()
        .filter(|info| !info.key.as_str().ends_with(".partial"))
        .count();
    assert_eq!(complete, 0);
    Ok(())
}

pub(crate) async fn a_file_where_the_folder_should_be_is_said_as_such(fresh: &Fresh) -> Result<()> {
    fs::write(fresh.root(), "not a folder").map_err(io)?;
    let created = fresh.store.create(&key("a/1"), vec![block()]).await;
    assert_eq!(created.expect_err("no folder").code(), "not_a_folder");
    fs::remove_file(fresh.root()).map_err(io)
}
