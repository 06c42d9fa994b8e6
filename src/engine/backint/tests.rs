//! Objects that are saved, found and handed back; and what is left of those that failed.

use super::*;
use crate::Destination;
use crate::testing::{MemoryStore, Watching, bytes, small_volumes};
use backupx_core::domain::backint::{Ebid, Form};
use backupx_core::domain::task::Compression;
use backupx_core::ports::objects::Layout;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

fn new(number: u128, compression: Compression) -> NewObject {
    let created_at = "2026-11-28T06:30:00Z".parse().expect("an instant");
    let ebid = Ebid::new(created_at, number);
    let prefix = ObjectKey::parse("backint").expect("a key");
    NewObject {
        location: ebid.location(&prefix, "HN1").expect("a place"),
        ebid,
        user: "HN1".to_owned(),
        name: "/a pipe".to_owned(),
        form: Form::Pipe,
        backup_id: None,
        level: None,
        created_at,
        hostname: "here".to_owned(),
        compression,
    }
}

fn feed(content: Vec<u8>, end: Result<()>) -> Feed {
    Box::new(move |out, _| {
        out.write_all(&content)
            .map_err(|error| Error::internal("not taken").with_source(error))?;
        end
    })
}

async fn saved(
    object: NewObject,
    feed: Feed,
    destination: &Destination,
    wanted: Result<()>,
) -> Result<BackintObject> {
    let share = Share {
        cores: 2,
        streams: 3,
    };
    let (watching, stop) = (Arc::new(Watching::default()), StopFlag::default());
    save(
        object,
        feed,
        destination,
        share,
        watching,
        &stop,
        move || wanted,
    )
    .await
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panics").clone()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panics")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn handed_back(object: &BackintObject, source: &Destination) -> Result<(u64, Vec<u8>)> {
    let kept = Kept::default();
    let its = kept.clone();
    let watching = Arc::new(Watching::default());
    let stop = StopFlag::default();
    let size = put_back(object, its, source, watching, &stop).await?;
    Ok((size, kept.bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_found_and_comes_back() -> Result<()> {
    for layout in [Layout::OneObject, small_volumes()] {
        for compression in [Compression::Zstd, Compression::None] {
            for size in [0, 1, 5_000_001] {
                let store = MemoryStore::new(layout);
                let destination = store.destination(1);
                let content = bytes(size, 7);
                let object = new(1, compression);
                let location = object.location.clone();
                let saved =
                    saved(object, feed(content.clone(), Ok(())), &destination, Ok(())).await?;
                assert_eq!(saved.stream.raw_bytes, size as u64);
                let found = find(&store, &location).await?;
                assert_eq!(found.as_ref(), Some(&saved));
                let (count, came) = handed_back(&saved, &destination).await?;
                assert_eq!(count, size as u64);
                assert!(came == content, "{layout:?} {compression:?} {size}");
                remove(&store, &location).await?;
                assert!(is_clear(&store, &location).await?);
                assert_eq!(find(&store, &location).await?, None);
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_01_an_object_that_ended_badly_does_not_exist() -> Result<()> {
    for layout in [Layout::OneObject, small_volumes()] {
        let store = MemoryStore::new(layout);
        let destination = store.destination(1);
        let bad = || Err(Error::unavailable("broke_off", "it broke off"));
        let content = bytes(3_000_000, 3);

        let feed_failed = saved(
            new(1, Compression::Zstd),
            feed(content.clone(), bad()),
            &destination,
            Ok(()),
        );
        assert_eq!(feed_failed.await.expect_err("failed").code(), "broke_off");

        let unwanted = saved(
            new(2, Compression::Zstd),
            feed(content.clone(), Ok(())),
            &destination,
            bad(),
        );
        assert_eq!(unwanted.await.expect_err("failed").code(), "broke_off");

        store.faults().refused = true;
        let refused = saved(
            new(3, Compression::Zstd),
            feed(content, Ok(())),
            &destination,
            Ok(()),
        );
        assert_eq!(refused.await.expect_err("failed").code(), "access_denied");
        assert_eq!(store.names(), Vec::<String>::new(), "{layout:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_storage_is_not_handed_back_as_whole() -> Result<()> {
    for compression in [Compression::Zstd, Compression::None] {
        let store = MemoryStore::new(small_volumes());
        let destination = store.destination(1);
        let fed = feed(bytes(1_000_000, 5), Ok(()));
        let object = saved(new(1, compression), fed, &destination, Ok(())).await?;
        let (key, whole) = store
            .objects()
            .iter()
            .find(|(key, _)| key.as_str().ends_with("000002"))
            .map(|(key, bytes)| (key.clone(), bytes.to_vec()))
            .expect("a second volume");
        let mut changed = whole.clone();
        changed[1000] ^= 1;
        store.objects().insert(key.clone(), Bytes::from(changed));
        let error = handed_back(&object, &destination)
            .await
            .expect_err("damaged");
        assert_eq!(error.code(), "stream_damaged");

        store
            .objects()
            .insert(key.clone(), Bytes::from(whole[..1000].to_vec()));
        let error = handed_back(&object, &destination).await.expect_err("cut");
        assert_eq!(error.code(), "object_too_short");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taker_that_goes_ends_the_reading() -> Result<()> {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other(Error::unavailable("reader_gone", "gone")))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let store = MemoryStore::new(small_volumes());
    let destination = store.destination(1);
    let fed = feed(bytes(8_000_000, 5), Ok(()));
    let object = saved(new(1, Compression::None), fed, &destination, Ok(())).await?;
    let watching = Arc::new(Watching::default());
    let (observer, stop) = (Arc::clone(&watching), StopFlag::default());
    let error = put_back(&object, Gone, &destination, observer, &stop)
        .await
        .expect_err("gone");
    assert_eq!(error.code(), "reader_gone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_finished_from_unfinished() -> Result<()> {
    let store = MemoryStore::new(small_volumes());
    let destination = store.destination(1);
    let fed = feed(b"content".to_vec(), Ok(()));
    let object = saved(new(1, Compression::Zstd), fed, &destination, Ok(())).await?;
    let half = new(2, Compression::Zstd);
    let key = half.location.join("data.hana.zst.000001")?;
    store.objects().insert(key, Bytes::from_static(b"half"));
    let foreign = ObjectKey::parse("backint/HN1/2026/11/notes/backint.json")?;
    store.objects().insert(foreign, Bytes::from_static(b"{}"));

    let prefix = ObjectKey::parse("backint")?;
    let listed: Vec<_> = list(&store, &prefix)
        .await?
        .into_iter()
        .map(|place| (place.ebid, place.is_finished))
        .collect();
    assert_eq!(listed, [(object.ebid, true), (half.ebid, false)]);
    Ok(())
}
