//! Download: the stored bytes of a record, for whoever wants them outside of any target.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::RecordId;
use backupx_core::{Error, Result};
use bytes::Bytes;
use futures::stream::BoxStream;

/// A record's data stream as it is stored: one file, sealed and compressed as its name says.
pub struct Download {
    /// What to call it, as `web-7.tar.zst.age`.
    pub file_name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its bytes, in order. An error ends it.
    pub body: BoxStream<'static, Result<Bytes>>,
}

impl App {
    /// Opens the data stream of a record on a target that the master itself reaches. `Conflict` (`download_unreachable`) when only
    /// another node reaches its copies. Needs `operator`.
    pub async fn download_record(&self, principal: &Principal, id: RecordId) -> Result<Download> {
        Err(Error::internal("not built yet"))
    }
}
