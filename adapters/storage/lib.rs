//! Object stores: a local folder, the services of S3's protocol, Azure and Google, and whatever the host's rclone reaches.
//!
//! [`Opener`] makes a store of a target's settings; what it answers keeps the contract of
//! [`ObjectStore`](backupx_core::ports::objects::ObjectStore).

mod local;
mod rclone;
mod service;
mod volumes;

pub use local::LocalStore;
pub use rclone::{Bridge, RcloneStore};
pub use service::ServiceStore;

use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::{Error, Result};
use service::{azblob, gcs, s3};
use std::sync::Arc;

/// Opens every kind of storage that this crate knows.
#[derive(Debug, Clone, Default)]
pub struct Opener {
    rclone: Arc<Bridge>,
}

impl StoreOpener for Opener {
    fn open(&self, access: &TargetAccess) -> Result<Arc<dyn ObjectStore>> {
        if access.relay {
            return Err(Error::invalid(
                "relay_only",
                format!(
                    "target {:?} is reached through the master only",
                    access.name
                ),
            ));
        }
        match access.kind {
            Driver::Local => Ok(Arc::new(LocalStore::open(access)?)),
            Driver::S3 => Ok(Arc::new(ServiceStore::new(s3::prepare(access)?)?)),
            Driver::Azblob => Ok(Arc::new(ServiceStore::new(azblob::prepare(access)?)?)),
            Driver::Gcs => Ok(Arc::new(ServiceStore::new(gcs::prepare(access)?)?)),
            Driver::Rclone => {
                let bridge = Arc::clone(&self.rclone);
                Ok(Arc::new(RcloneStore::open(access, bridge)?))
            }
            Driver::Unknown => Err(Error::invalid(
                "unknown_storage",
                format!(
                    "target {:?} is of a kind that this version of BackupX does not know: update it on this host",
                    access.name
                ),
            )),
        }
    }
}

/// A setting that must be there.
fn required<'a>(access: &'a TargetAccess, field: &str) -> Result<&'a str> {
    access
        .config
        .get(field)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            Error::field(
                format!("config.{field}"),
                format!("is required by target {:?}", access.name),
            )
        })
}
