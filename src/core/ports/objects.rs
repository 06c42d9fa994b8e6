//! Objects: what the data path asks of a place that keeps backups.

use crate::Result;
use crate::domain::access::TargetAccess;
use crate::domain::key::ObjectKey;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// How streams are laid down in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One object per stream, written as it comes (a folder).
    OneObject,
    /// A series of volumes, each created at once from memory (services).
    Volumes {
        /// Bytes of the first volumes. Longer streams use larger ones.
        volume_bytes: u64,
        /// How many may be under way at once.
        parallel: usize,
    },
}

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 as lower-case hex, when the service states one by itself.
    pub sha256: Option<String>,
}

/// A place that keeps objects. Every call ends within a limit of the adapter's own: no progress for some minutes is an error
/// (never 26). Errors are `Unavailable` when a retry may help, `NotFound`, `Conflict` (`object_exists`), `Forbidden` (wrong
/// key, no right), `Invalid` (wrong settings) or `Internal`; their messages name the target's own words and what to do, never a secret.
#[async_trait]
pub trait ObjectStore: Send + Sync + Debug {
    /// How streams are laid down here.
    fn layout(&self) -> Layout;

    /// True when the place itself is there: a folder that exists; a service always is. Makes nothing.
    async fn is_there(&self) -> Result<bool> {
        Ok(true)
    }

    /// Begins an object whose length is not known. Nothing is visible under `key` before [`ObjectWriter::finish`].
    /// Only for [`Layout::OneObject`]; others answer `Invalid`.
    async fn begin(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>>;

    /// Creates an object at once. Never replaces: an object that exists is a `Conflict` where the service can tell.
    /// When this returns, the object is durable.
    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()>;

    /// What is known of an object, nothing when it is not there.
    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>>;

    /// Reads bytes `range` of an object, exactly; an object that is shorter is an error.
    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes>;

    /// Objects below `folder`, in any order, temporary ones of interrupted writes included.
    async fn list(&self, folder: &ObjectKey) -> Result<Vec<ObjectInfo>>;

    /// The folders right below `folder`, or of the whole place, in any order. In a service a folder is what keys have before a `/`.
    async fn folders(&self, folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>>;

    /// Removes an object. One that is not there is no error.
    async fn remove(&self, key: &ObjectKey) -> Result<()>;

    /// Removes everything below `folder`, unfinished writes and multipart uploads included, and the folder itself where there are folders.
    /// Answers how many objects and bytes went.
    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)>;
}

/// An object being written. Dropping it without [`ObjectWriter::finish`] leaves nothing visible and removes what it can.
#[async_trait]
pub trait ObjectWriter: Send {
    /// Appends a block. May return before it is on disk; then a later call or `finish` says what went wrong.
    async fn write(&mut self, block: Bytes) -> Result<()>;

    /// Makes all of it durable and then visible under its key, atomically. Never replaces: `Conflict` when the key exists.
    async fn finish(self: Box<Self>) -> Result<()>;

    /// Gives up and removes what was written.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// Opens targets.
pub trait StoreOpener: Send + Sync {
    /// A store for `access`. Checks the settings, does not call the service.
    fn open(&self, access: &TargetAccess) -> Result<Arc<dyn ObjectStore>>;
}
