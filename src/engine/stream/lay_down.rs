//! Laying a stream down at one destination: as one object, or as volumes that are created in parallel.

use super::fan_out::Piece;
use super::volumes::{Budget, volume_bytes, volume_name};
use crate::create::create_surely;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredObject;
use backupx_core::ports::objects::{Layout, ObjectStore};
use backupx_core::{Error, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinError, JoinSet};

/// Stores everything that comes out of `pieces` below `location` under `base`, and says which objects hold it. When the stream is
/// given up or storage fails, what was written may be left behind for the caller to remove.
pub(crate) async fn lay_down(
    store: Arc<dyn ObjectStore>,
    location: &ObjectKey,
    base: &str,
    pieces: Receiver<Piece>,
    budget: Budget,
) -> Result<Vec<StoredObject>> {
    match store.layout() {
        Layout::OneObject => one_object(store.as_ref(), location, base, pieces).await,
        Layout::Volumes {
            volume_bytes,
            parallel,
        } => {
            let series = Series {
                store,
                location: location.clone(),
                base: base.to_owned(),
                first_bytes: volume_bytes,
                parallel,
                budget,
                number: 1,
                filling: Vec::new(),
                filled: 0,
                under_way: JoinSet::new(),
                stored: Vec::new(),
            };
            series.run(pieces).await
        }
    }
}

async fn one_object(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    base: &str,
    mut pieces: Receiver<Piece>,
) -> Result<Vec<StoredObject>> {
    let mut writer = store.begin(&location.join(base)?).await?;
    let failure = loop {
        match pieces.recv().await {
            Some(Piece::Block(block)) => {
                if let Err(error) = writer.write(block).await {
                    break error;
                }
            }
            Some(Piece::End {
                stored_bytes,
                sha256,
            }) => {
                writer.finish().await?;
                return Ok(vec![StoredObject {
                    name: base.to_owned(),
                    size: stored_bytes,
                    sha256,
                }]);
            }
            None => break given_up(),
        }
    };
    // What is left is found by its missing manifest; the failure itself matters more.
    let _ = writer.abort().await;
    Err(failure)
}

/// A series of volumes in the making.
struct Series {
    store: Arc<dyn ObjectStore>,
    location: ObjectKey,
    base: String,
    first_bytes: u64,
    parallel: usize,
    budget: Budget,
    /// Number of the volume that is being filled.
    number: u64,
    filling: Vec<Bytes>,
    filled: u64,
    under_way: JoinSet<Result<(u64, StoredObject)>>,
    stored: Vec<(u64, StoredObject)>,
}

impl Series {
    async fn run(mut self, mut pieces: Receiver<Piece>) -> Result<Vec<StoredObject>> {
        loop {
            // Cancel-safe: a piece or a finished volume that is not taken stays where it is.
            tokio::select! {
                piece = pieces.recv() => match piece {
                    Some(Piece::Block(block)) => self.fill(block).await?,
                    Some(Piece::End { .. }) => break,
                    None => return Err(given_up()),
                },
                Some(done) = self.under_way.join_next() => self.keep(done)?,
            }
        }
        let name = if self.number == 1 {
            self.base.clone()
        } else {
            volume_name(&self.base, self.number)?
        };
        self.send(name).await?;
        while let Some(done) = self.under_way.join_next().await {
            self.keep(done)?;
        }
        self.stored.sort_by_key(|(number, _)| *number);
        Ok(self.stored.into_iter().map(|(_, object)| object).collect())
    }

    /// Adds a block, cut where a volume ends. A full volume is sent when more comes, so that a stream of one volume gets no number.
    async fn fill(&mut self, mut block: Bytes) -> Result<()> {
        while !block.is_empty() {
            let size = volume_bytes(self.first_bytes, self.number);
            if self.filled == size {
                let name = volume_name(&self.base, self.number)?;
                self.send(name).await?;
                self.number += 1;
                continue;
            }
            let room = usize::try_from(size - self.filled).unwrap_or(usize::MAX);
            let part = block.split_to(room.min(block.len()));
            self.filled += part.len() as u64;
            self.filling.push(part);
        }
        Ok(())
    }

    /// Sends the volume that was filled on its way, as soon as the budget allows.
    async fn send(&mut self, name: String) -> Result<()> {
        let parallel = self.budget.parallel(self.filled, self.parallel);
        while self.under_way.len() >= parallel {
            match self.under_way.join_next().await {
                Some(done) => self.keep(done)?,
                None => break,
            }
        }
        let body = std::mem::take(&mut self.filling);
        let size = std::mem::take(&mut self.filled);
        let key = self.location.join(&name)?;
        let store = Arc::clone(&self.store);
        let number = self.number;
        self.under_way.spawn(async move {
            let (body, sha256) = hashed(body).await?;
            create_surely(store.as_ref(), &key, &body, &sha256).await?;
            let object = StoredObject { name, size, sha256 };
            Ok((number, object))
        });
        Ok(())
    }

    fn keep(&mut self, done: Result<Result<(u64, StoredObject)>, JoinError>) -> Result<()> {
        let stored = done.map_err(|error| {
            Error::internal("the upload of a volume ended unexpectedly").with_source(error)
        })??;
        self.stored.push(stored);
        Ok(())
    }
}

async fn hashed(body: Vec<Bytes>) -> Result<(Vec<Bytes>, String)> {
    tokio::task::spawn_blocking(move || {
        let mut hash = Sha256::new();
        for block in &body {
            hash.update(block);
        }
        (body, hex::encode(hash.finalize()))
    })
    .await
    .map_err(|error| Error::internal("a volume could not be hashed").with_source(error))
}

/// The code of a destination that did not fail by itself: the stream ended before its end.
pub(crate) const GIVEN_UP: &str = "stream_given_up";

fn given_up() -> Error {
    Error::unavailable(GIVEN_UP, "the stream was given up before its end")
}

#[cfg(test)]
mod tests;
