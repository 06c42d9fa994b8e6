//! The catalogue of objects that databases handed over through Backint. Storage is the truth; the catalogue saves asking it.

use crate::Result;
use crate::domain::backint::{BackintObject, Ebid};
use crate::domain::key::ObjectKey;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// What the catalogue knows of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// Its id.
    pub ebid: Ebid,
    /// Its folder.
    pub location: ObjectKey,
    /// Whose it is.
    pub user: String,
    /// What the database calls it.
    pub name: String,
    /// Its size in bytes as the database handed it over.
    pub size: u64,
    /// Its size in bytes in storage.
    pub stored_bytes: u64,
    /// SHA-256 of what is stored, lower-case hex.
    pub sha256: String,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl From<&BackintObject> for CatalogueEntry {
    fn from(object: &BackintObject) -> Self {
        Self {
            ebid: object.ebid.clone(),
            location: object.location.clone(),
            user: object.user.clone(),
            name: object.name.clone(),
            size: object.stream.raw_bytes,
            stored_bytes: object.stream.stored_bytes,
            sha256: object.stream.sha256.clone(),
            created_at: object.created_at,
        }
    }
}

/// A process that writes objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// The host that it runs on.
    pub host: String,
    /// Which process there, with what tells it from a later one of the same number.
    pub process: String,
}

/// The objects of one place of storage. Several processes may use it at the same time.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Notes that `writer` is about to write below `location`.
    async fn begin(&self, location: &ObjectKey, writer: &Writer) -> Result<()>;

    /// What was begun and neither kept nor forgotten.
    async fn begun(&self) -> Result<Vec<(ObjectKey, Writer)>>;

    /// Keeps finished objects, whether they were begun here or not: all of them or none. Once kept, one stays as it is.
    async fn keep(&self, entries: &[CatalogueEntry]) -> Result<()>;

    /// The object with this id.
    async fn find(&self, ebid: &Ebid) -> Result<Option<CatalogueEntry>>;

    /// Everything kept below `folder`, by location.
    async fn below(&self, folder: &ObjectKey) -> Result<Vec<CatalogueEntry>>;

    /// Forgets whatever is known of `location`.
    async fn forget(&self, location: &ObjectKey) -> Result<()>;
}
