//! A backup as version 1 of the storage format wrote it, kept beside this file: it must open for ever.

use crate::place::{Outcome, back_up, folder, keys, location, make_tree, prove};
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_engine::stream::{self, DATA, INDEX};
use backupx_engine::{AgeKeys, list_files, read_manifest};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A key of this test alone.
const IDENTITY: &str = "AGE-SECRET-KEY-1NXWJN0KNE923A3HNFQQCGAPTZQWMX3KHR9ZQG07GYLU85562350QVUFSUS";
/// SHA-256 of the raw streams.
const RAW: [(&str, &str); 2] = [
    (
        DATA,
        "ff5cc5fb381a3feec08f7d3328bee189c0def5c3c658bb048caa1743748fee8f",
    ),
    (
        INDEX,
        "a236626a573a198652713d01bafcdf0f0c7c283c2396d05a129203cf1c62c910",
    ),
];

pub(crate) async fn what_was_written_once_stays_readable() -> Outcome {
    let pair = pair()?;
    if std::env::var("BACKUPX_MAKE_GOLDEN").is_ok() {
        make(&pair).await?;
    }
    let kept = folder(1, &kept())?;
    let proven = prove(&kept, &pair).await?;
    assert!(proven.ok, "{proven:?}");
    let manifest = read_manifest(kept.store.as_ref(), &location()).await?;
    assert_eq!(manifest.format_version, 1);
    let keys = keys(&manifest, &pair)?;
    for (name, sha256) in RAW {
        let stream = stream::open(&kept, &location(), &manifest, name, &keys).await?;
        let raw = tokio::task::spawn_blocking(move || {
            let mut raw = Vec::new();
            std::io::Read::read_to_end(&mut stream.open_at(0)?, &mut raw)?;
            Outcome::Ok(raw)
        })
        .await??;
        assert_eq!(
            hex::encode(Sha256::digest(&raw)),
            sha256,
            "the {name} stream"
        );
    }
    let page = list_files(
        &location(),
        vec![kept],
        &keys,
        "tmp/backupx-golden",
        10,
        None,
    )
    .await?;
    let names: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.size))
        .collect();
    assert_eq!(names, [("deep", 0), ("hello", 0), ("noise", 3000)]);
    Ok(())
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/storage/golden")
}

fn pair() -> Outcome<KeyPair> {
    let identity = SecretString::from(IDENTITY);
    Ok(KeyPair {
        recipient: AgeKeys.recipient_of(&identity)?,
        identity,
    })
}

/// Writes the backup anew. Only for a new version of the format, beside the old one.
async fn make(pair: &KeyPair) -> Outcome {
    let tree = Path::new("/tmp/backupx-golden");
    make_tree(tree, 3000)?;
    back_up(tree, pair, vec![folder(1, &kept())?]).await?;
    std::fs::remove_dir_all(tree)?;
    Ok(())
}
