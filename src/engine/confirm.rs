//! Confirmation: what storage itself says of the objects that should be there.

use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, StoredObject, StoredStream};
use backupx_core::ports::objects::{Layout, ObjectStore};
use backupx_core::{Error, Result};
use futures::future::BoxFuture;
use futures::stream;
use futures::{FutureExt, StreamExt};

/// How many objects are asked for at the same time.
const PARALLEL: usize = 8;

/// What storage says of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is there, with its size and, where storage states one, its checksum.
    Holds,
    /// It is not there, or differs; a sentence that says how.
    Damaged(String),
    /// Storage did not answer.
    Unknown(String),
}

/// Asks storage for every object of a manifest. Findings come in the order of the objects.
pub(crate) async fn look_at_all(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    streams: &[StoredStream],
) -> Vec<Finding> {
    let objects: Vec<_> = streams.iter().flat_map(|stream| &stream.objects).collect();
    let looks: Vec<BoxFuture<'_, _>> = objects
        .iter()
        .map(|object| look_at(store, location, object).boxed())
        .collect();
    let answers: Vec<_> = stream::iter(looks).buffered(PARALLEL).collect().await;
    // Asked once, however much is missing.
    let vouched = match answers.iter().any(Option::is_none) {
        true => vouches_for_loss(store, location).await,
        false => Ok(()),
    };
    let absent = |name: &str| match &vouched {
        Ok(()) => Finding::Damaged(format!("{name} is not there")),
        Err(error) => Finding::Unknown(format!("{name} was not found: {}", error.chain())),
    };
    let named = answers.into_iter().zip(objects);
    named
        .map(|(answer, object)| answer.unwrap_or_else(|| absent(&object.name)))
        .collect()
}

/// Confirms every object, or says which one is not as it should be.
pub(crate) async fn confirm(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    streams: &[StoredStream],
) -> Result<()> {
    for finding in look_at_all(store, location, streams).await {
        match finding {
            Finding::Holds => {}
            Finding::Damaged(how) | Finding::Unknown(how) => {
                return Err(Error::unavailable("not_confirmed", how));
            }
        }
    }
    Ok(())
}

/// Whether storage vouches for what it does not have: the place is there, and it lists what the folder holds. A proxy's error page, a disk
/// that is not mounted and a bucket that was renamed all answer "not found" to a question for one object.
pub(crate) async fn vouches_for_absence(
    store: &dyn ObjectStore,
    location: &ObjectKey,
) -> Result<()> {
    if !store.is_there().await? {
        return Err(Error::unavailable(
            "place_missing",
            "the folder of the target itself is not there: is its disk mounted?",
        ));
    }
    store.list(location).await.map(drop)
}

/// Whether storage vouches for the loss of what it once had. A mount point that nothing is mounted on is a folder too, and holds nothing.
pub(crate) async fn vouches_for_loss(store: &dyn ObjectStore, location: &ObjectKey) -> Result<()> {
    vouches_for_absence(store, location).await?;
    if store.layout() == Layout::OneObject && store.folders(None).await?.is_empty() {
        return Err(Error::unavailable(
            "place_empty",
            "the folder of the target holds nothing at all: is its disk mounted?",
        ));
    }
    Ok(())
}

/// What storage says of one object; nothing when it says that it is not there.
async fn look_at(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    object: &StoredObject,
) -> Option<Finding> {
    let name = &object.name;
    let answer = match location.join(name) {
        Ok(key) => store.stat(&key).await,
        Err(error) => Err(error),
    };
    Some(match answer {
        Err(error) => Finding::Unknown(format!("{name} could not be looked at: {}", error.chain())),
        Ok(None) => return None,
        Ok(Some(info)) if info.size != object.size => Finding::Damaged(format!(
            "{name} has {} bytes, {} were stored",
            info.size, object.size
        )),
        Ok(Some(info)) => match info.sha256 {
            Some(stated) if stated != object.sha256 => Finding::Damaged(format!(
                "{name} has the checksum {stated}, {} was stored",
                object.sha256
            )),
            Some(_) | None => Finding::Holds,
        },
    })
}

/// Removes what was written below `location`, as far as that is possible, unless a finished backup lies there that is not ours.
/// What stays is found later by its missing manifest. Says why when something stayed.
pub(crate) async fn discard(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    ownership: ManifestOwner,
) -> Result<()> {
    let manifest = location.join(Manifest::FILE_NAME)?;
    match ownership {
        ManifestOwner::ThisRun => store.remove(&manifest).await?,
        ManifestOwner::Another => {
            if store.stat(&manifest).await?.is_some() {
                return Ok(());
            }
        }
    }
    store.remove_all(location).await.map(drop)
}

/// Whose manifest may lie in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestOwner {
    /// This run may have written it.
    ThisRun,
    /// If there is one, it is not ours and must stay.
    Another,
}
