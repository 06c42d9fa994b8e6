//! Streams whose length nobody knows before: up to each kind of server and back, byte for byte.

use crate::backends::{Backend, Fresh};
use crate::place::{Outcome, Silent};
use crate::proxy::{Fault, Then, Way};
use backupx_core::domain::backint::{BackintObject, Ebid, Form};
use backupx_core::domain::id::TargetId;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::task::Compression;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::source::StopFlag;
use backupx_engine::Destination;
use backupx_engine::backint::{Feed, NewObject, Share, put_back, remove, save};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What the first volumes of services hold.
const VOLUME: u64 = 16 << 20;

/// Noise of that length, and the hash of it once it is written.
struct Noise {
    left: u64,
    state: u64,
    hash: Arc<Mutex<Sha256>>,
}

impl Noise {
    fn feed(mut self) -> Feed {
        Box::new(move |out, _| {
            let mut block = vec![0; 1 << 20];
            while self.left > 0 {
                for word in block.chunks_exact_mut(8) {
                    self.state ^= self.state << 13;
                    self.state ^= self.state >> 7;
                    self.state ^= self.state << 17;
                    word.copy_from_slice(&self.state.to_le_bytes());
                }
                let size = self.left.min(block.len() as u64);
                let part = &block[..usize::try_from(size).unwrap_or_default()];
                hashed(&self.hash, part);
                out.write_all(part).map_err(|error| {
                    backupx_core::Error::internal("nobody takes it").with_source(error)
                })?;
                self.left -= size;
            }
            Ok(())
        })
    }
}

fn hashed(hash: &Mutex<Sha256>, bytes: &[u8]) {
    let mut hash = hash.lock().unwrap_or_else(PoisonError::into_inner);
    hash.update(bytes);
}

fn sum(hash: &Mutex<Sha256>) -> String {
    let hash = hash.lock().unwrap_or_else(PoisonError::into_inner);
    hex::encode(hash.clone().finalize())
}

/// Takes bytes and keeps their hash.
struct Sink(Arc<Mutex<Sha256>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hashed(&self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn new(number: u128) -> Outcome<NewObject> {
    let created_at: Timestamp = "2026-11-28T06:30:00Z".parse()?;
    let ebid = Ebid::new(created_at, number);
    Ok(NewObject {
        location: ebid.location(&ObjectKey::parse("a")?, "HN1")?,
        ebid,
        user: "HN1".to_owned(),
        name: "/a pipe".to_owned(),
        form: Form::Pipe,
        backup_id: None,
        level: None,
        created_at,
        hostname: "here".to_owned(),
        compression: Compression::None,
    })
}

fn destination(fresh: &Fresh) -> Destination {
    Destination {
        target_id: TargetId(1),
        name: "there".to_owned(),
        store: Arc::clone(&fresh.store),
    }
}

/// Lays a stream of that length down; answers what came of it and its hash.
async fn saved(to: &Destination, length: u64) -> Outcome<(BackintObject, String)> {
    let hash = Arc::new(Mutex::new(Sha256::new()));
    let noise = Noise {
        left: length,
        state: length | 1,
        hash: Arc::clone(&hash),
    };
    let share = Share {
        cores: 1,
        streams: 1,
    };
    let (silent, stop) = (Arc::new(Silent::default()), StopFlag::default());
    let object = new(u128::from(length))?;
    let object = save(object, noise.feed(), to, share, silent, &stop, || Ok(())).await?;
    Ok((object, sum(&hash)))
}

async fn back(object: &BackintObject, from: &Destination) -> Outcome<String> {
    let hash = Arc::new(Mutex::new(Sha256::new()));
    let sink = Sink(Arc::clone(&hash));
    let silent = Arc::new(Silent::default());
    put_back(object, sink, from, silent, &StopFlag::default()).await?;
    Ok(sum(&hash))
}

pub(crate) async fn streams_of_every_length_go_round(backend: Backend) -> Outcome {
    let fresh = Fresh::new(backend)?;
    let there = destination(&fresh);
    for length in [0, 1, VOLUME - 1, VOLUME, VOLUME + 1, 2 * VOLUME + 12_345] {
        let (object, sent) = saved(&there, length).await?;
        let stored: u64 = object.stream.objects.iter().map(|part| part.size).sum();
        assert_eq!(stored, length);
        assert_eq!(back(&object, &there).await?, sent, "{length} bytes");
        remove(there.store.as_ref(), &object.location).await?;
    }
    assert_eq!(there.store.list(&ObjectKey::parse("a")?).await?, []);
    Ok(())
}

/// `BACKUPX_TEST_STREAM_BYTES` says how long; 5 GB take a minute and as much disk.
pub(crate) async fn a_long_stream_goes_round() -> Outcome {
    let length = match std::env::var("BACKUPX_TEST_STREAM_BYTES") {
        Ok(bytes) => bytes.parse()?,
        Err(_) => 200_000_000,
    };
    let fresh = Fresh::new(Backend::S3)?;
    let there = destination(&fresh);
    let (object, sent) = saved(&there, length).await?;
    assert_eq!(object.stream.stored_bytes, length);
    assert_eq!(back(&object, &there).await?, sent);
    remove(there.store.as_ref(), &object.location).await?;
    Ok(())
}

pub(crate) async fn a_byte_that_changed_on_the_way_down_is_found(backend: Backend) -> Outcome {
    let fresh = Fresh::new(backend)?;
    let (object, sent) = saved(&destination(&fresh), 3 << 20).await?;
    let (proxy, store) = fresh.behind_a_proxy()?;
    let behind = Destination {
        store,
        ..destination(&fresh)
    };
    proxy.set_for(Fault::Behind(Way::Down, 1 << 20, Then::Flip), 1);
    let changed = back(&object, &behind).await;
    let changed = changed.expect_err("it has another checksum").to_string();
    assert!(
        changed.contains("SHA-256") || changed.contains("checksum"),
        "{changed}"
    );
    assert_eq!(back(&object, &behind).await?, sent);
    remove(fresh.store.as_ref(), &object.location).await?;
    Ok(())
}
