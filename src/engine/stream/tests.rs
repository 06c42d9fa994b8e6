//! Streams as a whole: what is written comes back from any place, and damage never goes unseen.

use super::*;
use crate::keys::{encode_header, parse_recipients};
use crate::testing::{MemoryStore, Watching, bytes, small_volumes};
use crate::{AgeKeys, Destination};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::manifest::{ManifestNode, ManifestTask, StoredStream};
use backupx_core::domain::report::Counts;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::Compression;
use backupx_core::ports::keys::{KeyPair, SealKeys};
use backupx_core::ports::objects::Layout;
use proptest::prelude::*;
use std::io::Write;

fn location() -> ObjectKey {
    ObjectKey::parse("t/1").expect("a valid key")
}

/// One stored stream with what is needed to read it.
struct Stored {
    store: MemoryStore,
    manifest: Manifest,
    keys: Vec<StreamKey>,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    compression: Compression,
    sealed: bool,
    layout: Layout,
}

impl Stored {
    fn destination(&self) -> Destination {
        self.store.destination(1)
    }

    async fn open(&self) -> Result<Arc<dyn RawStream>> {
        open(
            &self.destination(),
            &location(),
            &self.manifest,
            DATA,
            &self.keys,
        )
        .await
    }

    /// Everything from `offset` on, read on a thread that may block.
    async fn read_from(&self, offset: u64) -> Result<Vec<u8>> {
        let stream = self.open().await?;
        tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            stream
                .open_at(offset)?
                .read_to_end(&mut all)
                .map_err(|error| crate::archive::lift(error, "read_failed", "reading"))?;
            Ok(all)
        })
        .await
        .expect("reading does not panic")
    }
}

async fn store(raw: Vec<u8>, case: Case) -> Result<Stored> {
    let KeyPair {
        identity,
        recipient,
    } = AgeKeys.generate();
    let recipients = if case.sealed {
        vec![recipient]
    } else {
        Vec::new()
    };
    let plan = StreamPlan {
        stream: DATA.to_owned(),
        compression: case.compression,
        recipients: parse_recipients(&recipients)?,
    };
    let store = MemoryStore::new(case.layout);
    let (pieces_in, pieces) = queue();
    let compressors = Compressors::start(2)?;
    let (mut writer, summary) = start(
        &plan,
        &compressors,
        vec![pieces_in],
        Arc::new(Watching::default()),
    )?;
    let writing = tokio::task::spawn_blocking(move || {
        writer.write_all(&raw).expect("the stream takes everything");
        writer.finish()
    });
    let name = object_name(&plan);
    let objects = lay_down(
        Arc::new(store.clone()),
        &location(),
        &name,
        pieces,
        Budget::share(1),
    )
    .await?;
    writing.await.expect("writing does not panic")?;
    let summary = summary.await.expect("the stream says how it ended")?;
    let age_header = summary.age_header.as_deref().map(encode_header);
    let keys = match &age_header {
        Some(header) => vec![AgeKeys.unwrap(&identity, DATA, header)?],
        None => Vec::new(),
    };
    let stream = StoredStream {
        stream: DATA.to_owned(),
        dump: None,
        compression: case.compression,
        raw_bytes: summary.raw_bytes,
        stored_bytes: summary.stored_bytes,
        sha256: summary.sha256,
        age_header,
        objects,
    };
    Ok(Stored {
        store,
        manifest: manifest(stream),
        keys,
    })
}

fn manifest(stream: StoredStream) -> Manifest {
    Manifest {
        format_version: 1,
        product_version: "0".to_owned(),
        record_id: RecordId(1),
        location: location(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        task: ManifestTask {
            id: TaskId(1),
            name: "t".to_owned(),
            source: SourceSpec::File {
                paths: vec!["/x".to_owned()],
                excludes: Vec::new(),
                one_file_system: false,
                skip_cache_dirs: true,
            },
        },
        node: ManifestNode {
            id: NodeId(0),
            name: "n".to_owned(),
            hostname: "h".to_owned(),
        },
        counts: Counts::default(),
        warnings: Vec::new(),
        recipients: Vec::new(),
        tools: Default::default(),
        row_counts: Vec::new(),
        streams: vec![stream],
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}

fn cases() -> impl Strategy<Value = Case> {
    let compressions = [Compression::Zstd, Compression::Gzip, Compression::None];
    let layouts = [Layout::OneObject, small_volumes()];
    (
        prop::sample::select(compressions.to_vec()),
        any::<bool>(),
        prop::sample::select(layouts.to_vec()),
    )
        .prop_map(|(compression, sealed, layout)| Case {
            compression,
            sealed,
            layout,
        })
}

/// Sizes around the borders of chunks, volumes and frames.
fn sizes() -> impl Strategy<Value = usize> {
    let borders = [0, 65_536, 100_000, 2 << 20];
    (prop::sample::select(borders.to_vec()), -17i64..18)
        .prop_map(|(border, near)| usize::try_from(border as i64 + near).unwrap_or(0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_was_stored_comes_back_from_any_place(case in cases(), size in sizes(), seed: u64, part in 0.0..1.0f64) {
        let raw = bytes(size, seed);
        let offset = (size as f64 * part) as usize;
        run(async {
            let stored = store(raw.clone(), case).await.expect("stores");
            prop_assert_eq!(stored.read_from(0).await.expect("reads"), raw.clone());
            prop_assert_eq!(stored.read_from(offset as u64).await.expect("reads"), &raw[offset..]);
            prop_assert_eq!(stored.read_from(size as u64 + 5).await.map(|rest| rest.len()).unwrap_or(0), 0);
            Ok(())
        })?;
    }

    #[test]
    fn a_flipped_bit_is_seen(case in cases(), place in 0.0..1.0f64, bit in 0u8..8) {
        // Without compression and seal nothing but the checksum of the object can tell; a full verification reads that.
        prop_assume!(case.sealed || case.compression == Compression::Zstd);
        let raw = bytes(300_000, 5);
        run(async {
            let stored = store(raw.clone(), case).await.expect("stores");
            flip(&stored.store, place, bit);
            let read = stored.read_from(0).await;
            // A flip in a part that nothing reads (age's own header stands in the manifest too) harms nobody.
            prop_assert!(read.as_ref().map_or(true, |bytes| *bytes == raw), "damage went unseen");
            if let Err(error) = read {
                prop_assert!(["stream_damaged", "object_too_short"].contains(&error.code()), "{:?}", error);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_cut_stream_is_seen(case in cases(), cut in 1usize..70_000) {
        run(async {
            let stored = store(bytes(300_000, 9), case).await.expect("stores");
            {
                let mut objects = stored.store.objects();
                let last = objects.last_entry().expect("an object").into_mut();
                last.truncate(last.len().saturating_sub(cut));
            }
            prop_assert!(stored.read_from(0).await.is_err());
            Ok(())
        })?;
    }
}

fn flip(store: &MemoryStore, place: f64, bit: u8) {
    let mut objects = store.objects();
    let index = (objects.len() as f64 * place) as usize;
    let body = objects.values_mut().nth(index).expect("an object");
    let mut bytes = body.to_vec();
    let at = (bytes.len() as f64 * place) as usize;
    bytes[at] ^= 1 << bit;
    *body = bytes.into();
}

#[test]
fn a_short_stream_gets_no_number_and_a_long_one_gets_them_in_order() {
    run(async {
        let case = Case {
            compression: Compression::None,
            sealed: false,
            layout: small_volumes(),
        };
        let one = store(bytes(100_000, 1), case).await.expect("stores");
        assert_eq!(one.store.names(), ["data.tar"]);
        let three = store(bytes(200_001, 1), case).await.expect("stores");
        assert_eq!(
            three.store.names(),
            ["data.tar.000001", "data.tar.000002", "data.tar.000003"]
        );
        let named: Vec<_> = three.manifest.streams[0]
            .objects
            .iter()
            .map(|o| o.name.clone())
            .collect();
        assert_eq!(named, three.store.names());
        assert_eq!(three.store.joined("data.tar"), bytes(200_001, 1));
    });
}

#[test]
fn one_place_is_read_without_reading_the_rest() {
    run(async {
        let case = Case {
            compression: Compression::Zstd,
            sealed: true,
            layout: Layout::OneObject,
        };
        let stored = store(bytes(64 << 20, 3), case).await.expect("stores");
        let stream = stored.open().await.expect("opens");
        let all = stored.manifest.streams[0].stored_bytes;
        let reading = Arc::clone(&stream);
        tokio::task::spawn_blocking(move || {
            let mut some = [0; 100];
            let mut reader = reading.open_at(33 << 20).expect("opens there");
            reader.read_exact(&mut some).expect("reads");
            assert_eq!(some, bytes(64 << 20, 3)[33 << 20..][..100]);
        })
        .await
        .expect("reading does not panic");
        assert!(
            stream.stored_bytes_read() < all / 12,
            "{} of {all}",
            stream.stored_bytes_read()
        );
    });
}

#[test]
fn a_stream_does_not_open_with_the_key_of_another() {
    run(async {
        let case = Case {
            compression: Compression::Zstd,
            sealed: true,
            layout: Layout::OneObject,
        };
        let one = store(bytes(1000, 1), case).await.expect("stores");
        let other = store(bytes(1000, 1), case).await.expect("stores");
        let opened = open(
            &one.destination(),
            &location(),
            &one.manifest,
            DATA,
            &other.keys,
        )
        .await;
        assert_eq!(
            opened.err().map(|error| error.code()),
            Some("stream_damaged")
        );
        let opened = open(&one.destination(), &location(), &one.manifest, DATA, &[]).await;
        assert_eq!(opened.err().map(|error| error.code()), Some("key_missing"));
    });
}
