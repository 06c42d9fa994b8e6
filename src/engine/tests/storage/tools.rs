//! `cat | age -d | zstd -d | tar x` opens what was stored: no backup needs BackupX to be read.

use crate::place::{Outcome, back_up, folder, location, make_tree, service};
use backupx_core::domain::manifest::Manifest;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_engine::{AgeKeys, Destination, read_manifest};
use secrecy::ExposeSecret;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Enough for more than one volume of 16 MiB.
const LARGE: usize = 20 << 20;

pub(crate) async fn standard_tools_open_one_object() -> Outcome {
    let place = tempfile::tempdir()?;
    let tree = place.path().join("tree");
    make_tree(&tree, LARGE)?;
    let pair = AgeKeys.generate();
    back_up(&tree, &pair, vec![folder(1, &place.path().join("store"))?]).await?;
    let stored = place.path().join("store").join(location().as_str());
    assert_opens(&stored, &pair, &tree)
}

pub(crate) async fn standard_tools_open_a_series_of_volumes() -> Outcome {
    let place = tempfile::tempdir()?;
    let tree = place.path().join("tree");
    make_tree(&tree, LARGE)?;
    let pair = AgeKeys.generate();
    let endpoint = std::env::var("BACKUPX_TEST_S3_ENDPOINT")?;
    let target = service(1, &endpoint, "tools")?;
    back_up(&tree, &pair, vec![target.clone()]).await?;
    let manifest = read_manifest(target.store.as_ref(), &location()).await?;
    let fetched = place.path().join("fetched");
    fetch(&target, &manifest, &fetched).await?;
    assert!(fetched.join("data.tar.zst.age.000002").exists());
    assert_opens(&fetched, &pair, &tree)?;
    target.store.remove_all(&location()).await?;
    Ok(())
}

async fn fetch(target: &Destination, manifest: &Manifest, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    for object in manifest.streams.iter().flat_map(|stream| &stream.objects) {
        let bytes = target
            .store
            .read(&location().join(&object.name)?, 0..object.size)
            .await?;
        fs::write(to.join(&object.name), bytes)?;
    }
    Ok(())
}

/// Opens the stored objects with a shell, tests the frames and compares what comes out with the tree.
fn assert_opens(stored: &Path, pair: &KeyPair, tree: &Path) -> Outcome {
    let work = tempfile::tempdir()?;
    let key = work.path().join("key.txt");
    fs::write(&key, pair.identity.expose_secret())?;
    let script = "set -eo pipefail
        cat \"$STORED\"/data.tar.zst.age* | age -d -i \"$KEY\" >data.tar.zst
        zstd -q -t data.tar.zst
        cat \"$STORED\"/data.tar.zst.age* | age -d -i \"$KEY\" | zstd -d | tar x
        cat \"$STORED\"/index.jsonl.zst.age* | age -d -i \"$KEY\" | zstd -d | grep -c '\"path\"' >count
        diff -r --no-dereference \"$TREE\" \".$TREE\"";
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(work.path())
        .env("STORED", stored)
        .env("KEY", &key)
        .env("TREE", tree)
        .output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The tree itself, three folders' worth of entries in it, and its five files and two links.
    assert_eq!(fs::read_to_string(work.path().join("count"))?.trim(), "9");
    Ok(())
}
