//! Archives in a folder: what is pushed comes back, what is not there is told from what can't be asked.

use super::*;
use crate::AgeKeys;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::wal::Segment;
use backupx_core::ports::keys::SealKeys;
use backupx_core::ports::objects::StoreOpener;
use chrono::DateTime;
use std::collections::BTreeMap;
use std::path::Path;

const SEGMENT: usize = 1 << 20;

/// A segment of the cluster `system`, as far as an archive looks at it.
fn segment(system: u64, filling: u8) -> Vec<u8> {
    let mut bytes = vec![filling; SEGMENT];
    bytes[2..4].copy_from_slice(&2_u16.to_ne_bytes());
    bytes[24..32].copy_from_slice(&system.to_ne_bytes());
    bytes[32..36].copy_from_slice(&u32::try_from(SEGMENT).expect("small").to_ne_bytes());
    bytes
}

fn archive(folder: &Path, recipients: Vec<String>, identities: Vec<SecretString>) -> Archive {
    let config = BTreeMap::from([("path".to_owned(), folder.display().to_string())]);
    let access = TargetAccess {
        id: TargetId(0),
        name: "kept".to_owned(),
        kind: Driver::Local,
        config,
        secrets: BTreeMap::new(),
        relay: false,
    };
    let store = backupx_storage::Opener::default()
        .open(&access)
        .expect("a folder");
    let prefix = ObjectKey::parse("wal/main").expect("a key");
    Archive::new(store, prefix, recipients, identities).expect("an archive")
}

fn file(number: u64) -> WalFile {
    WalFile::Segment(Segment::numbered(1, number, SEGMENT as u64))
}

#[tokio::test]
async fn what_is_pushed_comes_back_and_only_with_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = AgeKeys.generate();
    let pushing = archive(folder.path(), vec![keys.recipient], Vec::new());
    let raw = segment(7, 1);
    let at = DateTime::UNIX_EPOCH;
    let first = pushing.push(file(3), raw.clone(), at).await;
    assert!(matches!(first.expect("pushed"), Pushed::Stored(_)));
    let again = pushing.push(file(3), raw.clone(), at).await;
    assert_eq!(again.expect("known"), Pushed::Known);

    let refused = pushing.fetch(file(3)).await.expect_err("no key");
    assert_eq!(refused.code(), "key_missing");
    let fetching = archive(folder.path(), Vec::new(), vec![keys.identity]);
    let fetched = fetching.fetch(file(3)).await.expect("fetched");
    assert_eq!(fetched, Fetched::Found(raw));
    let absent = fetching.fetch(file(4)).await.expect("asked");
    assert_eq!(absent, Fetched::Absent);
    let holdings = pushing.holdings().await.expect("listed without a key");
    assert_eq!(
        (holdings.system.as_str(), holdings.segments.len()),
        ("7", 1)
    );
}

#[tokio::test]
async fn an_archive_is_never_spoilt_by_a_second_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path(), Vec::new(), Vec::new());
    let at = DateTime::UNIX_EPOCH;
    archive
        .push(file(3), segment(7, 1), at)
        .await
        .expect("pushed");
    let other = archive.push(file(4), segment(8, 1), at).await;
    assert_eq!(other.expect_err("another's").code(), "wrong_cluster");
    let changed = archive.push(file(3), segment(7, 2), at).await;
    assert_eq!(changed.expect_err("another").code(), "wal_conflict");
    let cut = archive.push(file(5), vec![0; 100], at).await;
    assert_eq!(cut.expect_err("no segment").code(), "bad_wal_segment");
}

#[tokio::test]
async fn never_4_an_archive_that_is_not_there_is_no_end_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = archive(folder.path(), Vec::new(), Vec::new());
    let error = empty.fetch(file(3)).await.expect_err("nothing there");
    assert_eq!(error.code(), "wal_archive_empty");
}

#[tokio::test]
async fn damage_in_storage_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path(), Vec::new(), Vec::new());
    archive
        .push(file(3), segment(7, 1), DateTime::UNIX_EPOCH)
        .await
        .expect("pushed");
    let object = archive.objects_of(file(3)).await.expect("listed").remove(0);
    let path = folder.path().join(object.key.as_str());
    let other = seal::close(&segment(7, 2), &[]).expect("closed");
    std::fs::write(&path, other).expect("changed");
    let error = archive.fetch(file(3)).await.expect_err("another content");
    assert_eq!(error.code(), "wal_damaged");
}

#[tokio::test]
async fn what_lies_before_the_oldest_base_that_is_needed_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path(), Vec::new(), Vec::new());
    let hour = |hours: i64| DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hours);
    for number in 1..=6 {
        let at = hour(i64::try_from(number).expect("small"));
        let bytes = segment(7, u8::try_from(number).expect("small"));
        archive.push(file(number), bytes, at).await.expect("pushed");
    }
    for number in [2, 4] {
        let WalFile::Segment(start) = file(number) else {
            panic!("a segment")
        };
        let label = WalFile::Label(start, 40);
        let at = hour(i64::try_from(number).expect("small"));
        archive
            .push(label, b"label".to_vec(), at)
            .await
            .expect("pushed");
    }
    let none = archive
        .prune(hour(1), Prune::Remove)
        .await
        .expect("nothing");
    assert_eq!(none, Pruned::default());
    let said = archive.prune(hour(3), Prune::Say).await.expect("said");
    assert_eq!(said.objects, 1, "segment 1 alone lies before the base at 2");
    let done = archive.prune(hour(5), Prune::Remove).await.expect("done");
    assert_eq!(done.objects, 4, "segments 1 to 3 and the label of 2");
    let holdings = archive.holdings().await.expect("listed");
    assert_eq!((holdings.segments.len(), holdings.bases.len()), (3, 1));
}
