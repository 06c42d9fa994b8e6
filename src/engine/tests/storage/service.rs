//! Runs over several places of which some are real services, and some fail.

use crate::place::{Outcome, Silent, back_up, folder, keys, location, make_tree, prove, service};
use backupx_core::ports::keys::SealKeys;
use backupx_core::ports::source::StopFlag;
use backupx_engine::{AgeKeys, copy, list_files, read_manifest, remove, test_target};
use std::process::Command;
use std::sync::Arc;

pub(crate) async fn a_backup_goes_to_a_folder_and_a_service_at_once() -> Outcome {
    let place = tempfile::tempdir()?;
    let tree = place.path().join("tree");
    make_tree(&tree, 40 << 20)?;
    let pair = AgeKeys.generate();
    let endpoint = std::env::var("BACKUPX_TEST_S3_ENDPOINT")?;
    let (here, there) = (
        folder(1, &place.path().join("store"))?,
        service(2, &endpoint, "both")?,
    );
    let report = back_up(&tree, &pair, vec![here.clone(), there.clone()]).await?;
    assert!(
        report.copies.iter().all(|copy| copy.failure.is_none()),
        "{report:?}"
    );
    for target in [&here, &there] {
        let proven = prove(target, &pair).await?;
        assert!(proven.ok, "{proven:?}");
        let tested = test_target(target.store.as_ref()).await;
        assert!(tested.ok && tested.conditional_create, "{tested:?}");
    }
    let manifest = read_manifest(there.store.as_ref(), &location()).await?;
    let top = tree.to_str().ok_or("a plain path")?;
    let page = list_files(
        &location(),
        vec![there.clone()],
        &keys(&manifest, &pair)?,
        top,
        10,
        None,
    )
    .await?;
    assert_eq!(page.entries.len(), 3, "{page:?}");
    // The folder's copy gets lost and is made anew from the service, over the leftovers.
    remove(here.store.as_ref(), &location()).await?;
    let again = copy(
        &location(),
        vec![there.clone()],
        vec![here.clone()],
        Arc::new(Silent::default()),
        StopFlag::default(),
    )
    .await?;
    assert!(again[0].failure.is_none(), "{again:?}");
    assert!(prove(&here, &pair).await?.ok);
    let removed = remove(there.store.as_ref(), &location()).await?;
    assert!(removed.objects >= 3, "{removed:?}");
    assert_eq!(there.store.list(&location()).await?, []);
    Ok(())
}

pub(crate) async fn a_service_that_is_not_there_fails_alone() -> Outcome {
    let place = tempfile::tempdir()?;
    let tree = place.path().join("tree");
    make_tree(&tree, 1000)?;
    let pair = AgeKeys.generate();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (here, there) = (
        folder(1, &place.path().join("store"))?,
        service(2, &format!("http://{nobody}"), "nobody")?,
    );
    let report = back_up(&tree, &pair, vec![here.clone(), there.clone()]).await?;
    assert!(report.copies[0].failure.is_none());
    let failure = report.copies[1].failure.as_ref().ok_or("it must fail")?;
    assert_eq!(failure.code, "storage_unreachable", "{failure:?}");
    assert!(prove(&here, &pair).await?.ok);
    let tested = test_target(there.store.as_ref()).await;
    assert_eq!(tested.steps.len(), 1, "{tested:?}");
    Ok(())
}

pub(crate) async fn a_full_disk_fails_alone() -> Outcome {
    let place = tempfile::tempdir()?;
    let (tree, small) = (place.path().join("tree"), place.path().join("small"));
    make_tree(&tree, 40 << 20)?;
    std::fs::create_dir(&small)?;
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(&small)
        .output()?;
    if !mounted.status.success() {
        // Without the right to mount, a full disk can't be had.
        return Ok(());
    }
    let pair = AgeKeys.generate();
    let targets = vec![
        folder(1, &small.join("store"))?,
        folder(2, &place.path().join("store"))?,
    ];
    let report = back_up(&tree, &pair, targets.clone()).await;
    let left = targets[0].store.list(&location()).await;
    Command::new("umount").arg(&small).output()?;
    let report = report?;
    let failure = report.copies[0]
        .failure
        .as_ref()
        .ok_or("8 MiB are not enough")?;
    assert_eq!(failure.code, "disk_full", "{failure:?}");
    assert!(failure.message.contains("no space"), "{failure:?}");
    assert_eq!(left?, [], "what was written there is removed again");
    assert!(prove(&targets[1], &pair).await?.ok);
    Ok(())
}
