//! Proof that a service received the bytes that were sent, where the request can't carry a checksum that it would compare by itself.

use super::ServiceStore;
use super::error::Sums;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use opendal::{Buffer, Metadata};

impl ServiceStore {
    /// Compares what the service says that it received with what was sent. An object with other bytes is removed again, so that the next
    /// attempt may take its name.
    pub(super) async fn prove(
        &self,
        key: &ObjectKey,
        body: Buffer,
        metadata: &Metadata,
    ) -> Result<()> {
        if self.service.sums() == Sums::Compared {
            return Ok(());
        }
        let sent = md5_of(body).await?;
        let received = match metadata.content_md5() {
            Some(sum) => Some(sum.to_owned()),
            None => {
                let asked = self.again.stat(key.as_str()).await;
                let metadata = asked.map_err(|error| self.service.error(key.as_str(), error))?;
                metadata.content_md5().map(str::to_owned)
            }
        };
        match received {
            Some(received) if received != sent => {
                if let Err(error) = self.remove(key).await {
                    tracing::debug!(%key, error = error.chain(), "an object with wrong bytes stays");
                }
                Err(self.service.changed())
            }
            // One that says nothing of its bytes is taken on its word; verification reads them.
            Some(_) | None => Ok(()),
        }
    }
}

async fn md5_of(body: Buffer) -> Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hash = Md5::new();
        for block in body {
            hash.update(&block);
        }
        BASE64_STANDARD.encode(hash.finalize())
    });
    hashed
        .await
        .map_err(|error| Error::internal("a volume could not be hashed").with_source(error))
}
