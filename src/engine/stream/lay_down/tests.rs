//! A stream of nine terabytes, with a byte for each MiB of it: as many volumes with the same names, and no more of them in memory.

use super::*;
use crate::stream::queue;
use async_trait::async_trait;
use backupx_core::ports::objects::{ObjectInfo, ObjectWriter};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// 9 TB and the volumes of services, in MiB.
const STREAM: u64 = 9_000_000_000_000 >> 20;
const FIRST_VOLUME: u64 = 16;
const LAST_VOLUMES: u64 = 64;
const PARALLEL: usize = 4;

/// A store that keeps nothing but how much there is.
#[derive(Debug, Default)]
struct Counting {
    stored: Mutex<Vec<(String, u64)>>,
    under_way: AtomicU64,
    most_under_way: AtomicU64,
}

fn not_asked<T>() -> Result<T> {
    Err(Error::internal("laying a stream down does not ask for it"))
}

#[async_trait]
impl ObjectStore for Counting {
    fn layout(&self) -> Layout {
        Layout::Volumes {
            volume_bytes: FIRST_VOLUME,
            parallel: PARALLEL,
        }
    }

    async fn begin(&self, _key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        not_asked()
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        let size: u64 = body.iter().map(|block| block.len() as u64).sum();
        let now = self.under_way.fetch_add(size, Ordering::Relaxed) + size;
        self.most_under_way.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.under_way.fetch_sub(size, Ordering::Relaxed);
        let mut stored = self.stored.lock().expect("nobody panics");
        stored.push((key.file_name().to_owned(), size));
        Ok(())
    }

    async fn stat(&self, _key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        not_asked()
    }

    async fn read(&self, _key: &ObjectKey, _range: Range<u64>) -> Result<Bytes> {
        not_asked()
    }

    async fn list(&self, _folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        not_asked()
    }

    async fn folders(&self, _folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        not_asked()
    }

    async fn remove(&self, _key: &ObjectKey) -> Result<()> {
        not_asked()
    }

    async fn remove_all(&self, _folder: &ObjectKey) -> Result<(u64, u64)> {
        not_asked()
    }
}

#[tokio::test]
async fn never_25_nine_terabytes_are_laid_down_in_bounded_memory() {
    let store = Arc::new(Counting::default());
    let (pieces, queued) = queue();
    let feeding = tokio::spawn(async move {
        let block = Bytes::from_static(b"of a length that is no part of a volume");
        let mut left = usize::try_from(STREAM).expect("it is small");
        while left > 0 {
            let size = block.len().min(left);
            let piece = Piece::Block(block.slice(..size));
            pieces.send(piece).await.expect("it is taken");
            left -= size;
        }
        let end = Piece::End {
            stored_bytes: STREAM,
            sha256: String::new(),
        };
        pieces.send(end).await.expect("it is taken");
    });
    let location = ObjectKey::parse("t/1").expect("a key");
    let laid = lay_down(
        Arc::clone(&store) as Arc<dyn ObjectStore>,
        &location,
        "data.tar.zst.age",
        queued,
        Budget::share(1),
    );
    let objects = laid.await.expect("it is laid down");
    feeding.await.expect("it was fed");

    assert_eq!(objects.iter().map(|part| part.size).sum::<u64>(), STREAM);
    let in_order = objects.windows(2).all(|pair| pair[0].name < pair[1].name);
    assert!(in_order, "a name is not behind the one before it");
    assert!(objects.len() < 200_000, "{} volumes", objects.len());
    let mut stored = store.stored.lock().expect("nobody panics").clone();
    stored.sort();
    let named = objects.iter().map(|part| (part.name.clone(), part.size));
    assert!(
        stored.into_iter().eq(named),
        "other objects are stored than are named"
    );
    let most = store.most_under_way.load(Ordering::Relaxed);
    assert!(most <= PARALLEL as u64 * LAST_VOLUMES, "{most} MiB at once");
}
