//! Saving one object: read once, laid down, confirmed, and described last.

use super::remove;
use crate::backup::{ended, head};
use crate::confirm::confirm;
use crate::stop::unless_stopped;
use crate::stream::{
    self, Budget, Compressors, GIVEN_UP, RawWriter, StreamPlan, lay_down, object_name, queue,
};
use crate::{Destination, manifest};
use backupx_core::domain::backint::{BackintObject, Ebid, Form};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::StoredStream;
use backupx_core::domain::task::Compression;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long what a failed run wrote may take to be removed.
const DISCARD_LIMIT: Duration = Duration::from_secs(15);

/// Writes the whole of an object into what it is given, on a thread of its own that may block, and answers once nothing more can come and
/// all of it was right. The flag asks it to end early.
pub type Feed = Box<dyn FnOnce(&mut dyn Write, &StopFlag) -> Result<()> + Send>;

/// What is known of an object before it is read.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// Its id, which nothing else has.
    pub ebid: Ebid,
    /// Its folder, which holds nothing yet.
    pub location: ObjectKey,
    /// Whose it is.
    pub user: String,
    /// What the database calls it.
    pub name: String,
    /// How it is handed over.
    pub form: Form,
    /// The database's own id of the backup that it belongs to.
    pub backup_id: Option<String>,
    /// Of which level that backup is.
    pub level: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// The host.
    pub hostname: String,
    /// How it is compressed.
    pub compression: Compression,
}

/// What one object may use of the host while others are saved beside it.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Threads that compress.
    pub cores: usize,
    /// How many objects are saved at the same time.
    pub streams: usize,
}

/// Saves what `feed` gives. The answer means that storage confirmed every byte and that the object can be found from now on. After an error
/// nothing can be found, and what was written is removed as far as that is possible. `still_wanted` is asked at the last moment before
/// the object begins to exist: an error there is the end of it as well.
pub async fn save(
    object: NewObject,
    feed: Feed,
    destination: &Destination,
    share: Share,
    observer: Arc<dyn Observer>,
    stop: &StopFlag,
    still_wanted: impl FnOnce() -> Result<()>,
) -> Result<BackintObject> {
    let location = object.location.clone();
    let laid = lay(&object, feed, destination, share, &observer);
    let laid = unless_stopped(stop, laid).await;
    let outcome = match laid.and_then(|stream| still_wanted().map(|()| stream)) {
        // Not stopped any more: a description that is on its way could arrive after what it describes was removed.
        Ok(stream) => describe(object, stream, destination).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        discard(destination, &location, observer.as_ref()).await;
    }
    outcome
}

/// Lays the content down.
async fn lay(
    object: &NewObject,
    feed: Feed,
    destination: &Destination,
    share: Share,
    observer: &Arc<dyn Observer>,
) -> Result<StoredStream> {
    let plan = StreamPlan {
        stream: BackintObject::STREAM.to_owned(),
        compression: object.compression,
        recipients: Vec::new(),
    };
    let compressors = Compressors::start(share.cores)?;
    let (pieces_in, pieces) = queue();
    let (writer, summary) =
        stream::start(&plan, &compressors, vec![pieces_in], Arc::clone(observer))?;
    let (fed_in, fed) = oneshot::channel();
    // Raised when this is given up, so that the thread does not stay behind with the database's pipe in its hand.
    let leaving = Leaving(StopFlag::default());
    let (leave, watching) = (leaving.0.clone(), Arc::clone(observer));
    stream::spawn("backint-read".to_owned(), move || {
        // Whoever gave up wants no outcome.
        let _ = fed_in.send(read(feed, writer, watching.as_ref(), &leave));
    })?;
    let stored = lay_down(
        Arc::clone(&destination.store),
        &object.location,
        &object_name(&plan),
        pieces,
        Budget::share(share.streams),
    )
    .await;
    let objects = match stored {
        Ok(objects) => objects,
        Err(error) if error.code() == GIVEN_UP => {
            fed.await.map_err(|_| broke_down())??;
            ended(summary).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    fed.await.map_err(|_| broke_down())??;
    let stored = StoredStream {
        objects,
        ..head(&plan, None, ended(summary).await?)
    };
    let streams = std::slice::from_ref(&stored);
    confirm(destination.store.as_ref(), &object.location, streams).await?;
    Ok(stored)
}

/// Writes the description, with which the object begins to exist.
async fn describe(
    object: NewObject,
    stream: StoredStream,
    destination: &Destination,
) -> Result<BackintObject> {
    let saved = BackintObject {
        format_version: BackintObject::FORMAT_VERSION,
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
        ebid: object.ebid,
        location: object.location,
        user: object.user,
        name: object.name,
        form: object.form,
        backup_id: object.backup_id,
        level: object.level,
        created_at: object.created_at,
        hostname: object.hostname,
        stream,
    };
    let key = saved.location.join(BackintObject::FILE_NAME)?;
    manifest::write(destination.store.as_ref(), &key, &saved).await?;
    Ok(saved)
}

async fn discard(destination: &Destination, location: &ObjectKey, observer: &dyn Observer) {
    let removing = remove(destination.store.as_ref(), location);
    let removed = tokio::time::timeout(DISCARD_LIMIT, removing).await;
    let why = match removed {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.chain(),
        Err(_) => "storage did not answer in time".to_owned(),
    };
    observer.log(
        Level::Warn,
        format!(
            "what was written of {location} could not be removed and stays for a later run: {why}"
        ),
    );
}

/// Raises its flag when it goes.
struct Leaving(StopFlag);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn broke_down() -> Error {
    Error::internal("reading an object ended unexpectedly")
}

/// Reads everything. The stream ends only when the feed says that it is whole.
fn read(feed: Feed, writer: RawWriter, observer: &dyn Observer, leave: &StopFlag) -> Result<()> {
    let mut counted = Counted { writer, observer };
    feed(&mut counted, leave)?;
    counted.writer.finish()
}

/// A writer that counts what goes by.
struct Counted<'a> {
    writer: RawWriter,
    observer: &'a dyn Observer,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write_all(bytes)?;
        let counters = self.observer.counters();
        let size = bytes.len() as u64;
        counters.bytes.fetch_add(size, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
