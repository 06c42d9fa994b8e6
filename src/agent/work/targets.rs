//! Targets of one command, opened. One that can't be opened takes no other down.

use super::relay::RelayStore;
use crate::runtime::Job;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::id::TargetId;
use backupx_core::domain::log::Level;
use backupx_core::domain::report::{CopyReport, Failure, VerifiedCopy};
use backupx_core::ports::master::MasterLink;
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use backupx_engine::Destination;
use std::sync::Arc;

/// Opens the targets of one job.
pub(super) struct Targets {
    pub(super) opener: Arc<dyn StoreOpener>,
    pub(super) link: Arc<dyn MasterLink>,
    pub(super) job: Arc<Job>,
}

/// Targets that could not be opened.
pub(super) type Failed = Vec<(TargetId, Error)>;

impl Targets {
    /// Opens one.
    pub(super) fn open(&self, access: &TargetAccess) -> Result<Destination> {
        let store: Arc<dyn ObjectStore> = if access.relay {
            let job = Arc::clone(&self.job);
            Arc::new(RelayStore::new(
                Arc::clone(&self.link),
                self.job.command(),
                Arc::new(move || job.lease()),
                access.id,
            ))
        } else {
            self.opener.open(access)?
        };
        Ok(Destination {
            target_id: access.id,
            name: access.name.clone(),
            store,
        })
    }

    /// Opens all; what can't be opened is logged and answered beside.
    pub(super) fn open_all(&self, accesses: &[TargetAccess]) -> (Vec<Destination>, Failed) {
        let mut destinations = Vec::new();
        let mut failed = Vec::new();
        for access in accesses {
            match self.open(access) {
                Ok(destination) => destinations.push(destination),
                Err(error) => {
                    let message =
                        format!("target {} can't be opened: {}", access.name, error.chain());
                    self.job.log(Level::Error, message);
                    failed.push((access.id, error));
                }
            }
        }
        (destinations, failed)
    }

    /// Opens those that can be opened, in their order; an error when there is none.
    pub(super) fn open_some(&self, accesses: &[TargetAccess]) -> Result<Vec<Destination>> {
        let (destinations, failed) = self.open_all(accesses);
        match (destinations.is_empty(), failed.into_iter().next()) {
            (false, _) => Ok(destinations),
            (true, Some((_, error))) => Err(error),
            (true, None) => Err(Error::conflict(
                "no_good_copy",
                "there is no good copy of this backup to read from",
            )),
        }
    }
}

/// Reports of targets that could not be opened.
pub(super) fn failed_copies(failed: Failed) -> impl Iterator<Item = CopyReport> {
    failed.into_iter().map(|(target_id, error)| CopyReport {
        target_id,
        stored_bytes: 0,
        manifest_sha256: None,
        failure: Some(Failure::from(&error)),
    })
}

/// The finding about a copy that could not be looked at. Says nothing about the copy itself.
pub(super) fn unverified(target_id: TargetId, error: &Error) -> VerifiedCopy {
    VerifiedCopy {
        target_id,
        ok: false,
        objects: 0,
        bytes_read: 0,
        entries: 0,
        problems: vec![error.chain()],
        damaged: false,
    }
}
