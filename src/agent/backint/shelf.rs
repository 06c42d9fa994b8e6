//! The shelf: which objects there are. Storage is asked, and the catalogue saves asking it for what it told before.

use super::log::Log;
use super::parameters::Parameters;
use super::run::Host;
use super::writer::has_ended;
use backupx_core::Result;
use backupx_core::domain::backint::{BackintObject, Ebid, folder_of};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::backint::{Catalogue, CatalogueEntry, Writer};
use backupx_core::ports::objects::ObjectStore;
use backupx_engine::Destination;
use backupx_engine::backint::{self as objects, Place};
use futures::stream::{self, StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Descriptions that are read at the same time, and that the catalogue keeps in one go.
const PARALLEL: usize = 8;
const AT_ONCE: usize = 500;

/// The objects of one storage, as a call sees them.
pub(super) struct Shelf {
    pub(super) destination: Destination,
    /// None when it can't be used: then everything is asked of storage.
    catalogue: Option<Arc<dyn Catalogue>>,
    pub(super) prefix: ObjectKey,
    user: String,
    log: Arc<Log>,
    everywhere: OnceCell<Vec<Place>>,
    ours: OnceCell<Vec<CatalogueEntry>>,
}

impl Shelf {
    /// The shelf of what the parameters name, for one user.
    pub(super) fn open(
        parameters: &Parameters,
        user: &str,
        host: &Host,
        log: &Arc<Log>,
    ) -> Result<Self> {
        Ok(Self {
            destination: Destination {
                target_id: host.access.id,
                name: host.access.name.clone(),
                store: host.opener.open(&host.access)?,
            },
            catalogue: host.catalogue.clone(),
            prefix: parameters.key_prefix.clone(),
            user: user.to_owned(),
            log: Arc::clone(log),
            everywhere: OnceCell::new(),
            ours: OnceCell::new(),
        })
    }

    /// The object with this id, whose ever it is.
    pub(super) async fn by_id(&self, ebid: &Ebid) -> Result<Option<BackintObject>> {
        let own = ebid.location(&self.prefix, &self.user)?;
        let mut looked_at = vec![own];
        if let Some(known) = self.known(ebid).await
            && !looked_at.contains(&known)
        {
            looked_at.insert(0, known);
        }
        for location in &looked_at {
            if let Some(object) = objects::find(self.store(), location).await? {
                return Ok(Some(object));
            }
            self.forget(location).await;
        }
        let everywhere = self
            .everywhere
            .get_or_try_init(|| objects::list(self.store(), &self.prefix))
            .await?;
        let place = everywhere
            .iter()
            .find(|place| place.ebid == *ebid && place.is_finished);
        match place {
            Some(place) => objects::find(self.store(), &place.location).await,
            None => Ok(None),
        }
    }

    /// All of the user's objects, the newest first, as they were at the first question of this call.
    pub(super) async fn ours(&self) -> Result<&[CatalogueEntry]> {
        let ours = self.ours.get_or_try_init(|| async {
            let folder = folder_of(&self.prefix, &self.user)?;
            let (mut found, _) = self.refresh(&folder).await?;
            found.retain(|entry| entry.user == self.user);
            found.sort_by(|a, b| (b.created_at, &b.ebid).cmp(&(a.created_at, &a.ebid)));
            Ok(found)
        });
        ours.await.map(Vec::as_slice)
    }

    /// What is below `folder`, with the catalogue brought to the same; and the places of what is not finished.
    pub(super) async fn refresh(
        &self,
        folder: &ObjectKey,
    ) -> Result<(Vec<CatalogueEntry>, Vec<Place>)> {
        let (finished, unfinished): (Vec<_>, Vec<_>) = objects::list(self.store(), folder)
            .await?
            .into_iter()
            .partition(|place| place.is_finished);
        let mut known = self.all_known(folder).await;
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        for place in finished {
            match known.remove(&place.location) {
                Some(entry) => found.push(entry),
                None => unknown.push(place.location),
            }
        }
        for gone in known.keys() {
            self.forget(gone).await;
        }
        for some in unknown.chunks(AT_ONCE) {
            let read: Vec<_> = stream::iter(some)
                .map(|location| self.read(location))
                .buffer_unordered(PARALLEL)
                .try_collect()
                .await?;
            let read: Vec<_> = read.into_iter().flatten().collect();
            self.keep(&read).await;
            found.extend(read);
        }
        Ok((found, unfinished))
    }

    /// Reads one description. What can't be understood is said and left out: it must not hide the others.
    async fn read(&self, location: &ObjectKey) -> Result<Option<CatalogueEntry>> {
        match objects::find(self.store(), location).await {
            Ok(found) => Ok(found.as_ref().map(CatalogueEntry::from)),
            Err(error) if matches!(error.code(), "manifest_unreadable" | "format_too_new") => {
                self.log
                    .warn(format!("{location} is left out: {}", error.chain()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes that something is about to be written below `location`.
    pub(super) async fn begin(&self, location: &ObjectKey, writer: &Writer) {
        if let Some(catalogue) = &self.catalogue {
            self.noted(catalogue.begin(location, writer).await);
        }
    }

    /// Notes that objects are finished.
    pub(super) async fn keep(&self, entries: &[CatalogueEntry]) {
        if let Some(catalogue) = &self.catalogue {
            self.noted(catalogue.keep(entries).await);
        }
    }

    /// Notes that nothing lies at `location`.
    pub(super) async fn forget(&self, location: &ObjectKey) {
        if let Some(catalogue) = &self.catalogue {
            self.noted(catalogue.forget(location).await);
        }
    }

    /// Removes what calls that were killed left behind on this host. What can't be looked at now is left to a later call.
    pub(super) async fn sweep(&self) {
        let Some(catalogue) = &self.catalogue else {
            return;
        };
        for (location, writer) in self.noted(catalogue.begun().await).unwrap_or_default() {
            if !has_ended(&writer) {
                continue;
            }
            match self.clear(&location).await {
                Ok(()) => {}
                Err(error) => self.log.warn(format!(
                    "what an earlier call left at {location} stays for now: {}",
                    error.chain()
                )),
            }
        }
    }

    async fn clear(&self, location: &ObjectKey) -> Result<()> {
        if let Some(object) = objects::find(self.store(), location).await? {
            // It was finished and only not told any more.
            self.keep(&[CatalogueEntry::from(&object)]).await;
            return Ok(());
        }
        let gone = objects::remove(self.store(), location).await?;
        self.forget(location).await;
        self.log.info(format!(
            "removed what an earlier call that was killed left at {location}: {} bytes",
            gone.bytes
        ));
        Ok(())
    }

    async fn known(&self, ebid: &Ebid) -> Option<ObjectKey> {
        let catalogue = self.catalogue.as_ref()?;
        let entry = self.noted(catalogue.find(ebid).await)??;
        Some(entry.location)
    }

    async fn all_known(&self, folder: &ObjectKey) -> BTreeMap<ObjectKey, CatalogueEntry> {
        let Some(catalogue) = &self.catalogue else {
            return BTreeMap::new();
        };
        let known = self
            .noted(catalogue.below(folder).await)
            .unwrap_or_default();
        known
            .into_iter()
            .map(|entry| (entry.location.clone(), entry))
            .collect()
    }

    pub(super) fn store(&self) -> &dyn ObjectStore {
        self.destination.store.as_ref()
    }

    /// What the catalogue answered. One that fails fails nothing else: storage knows all that it knows.
    fn noted<T>(&self, outcome: Result<T>) -> Option<T> {
        outcome
            .map_err(|error| {
                self.log
                    .warn(format!("the catalogue can't be used: {}", error.chain()))
            })
            .ok()
    }
}
