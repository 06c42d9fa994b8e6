//! Object stores: a local folder, the services of S3's protocol, Azure and Google, and whatever the host's rclone reaches.
//!
//! [`Opener`] makes a store of a target's settings; what it answers keeps the contract of
//! [`ObjectStore`](backupx_core::ports::objects::ObjectStore).

mod limits;
mod local;
mod ranges;
mod rclone;
mod service;
mod volumes;

pub use limits::Limits;
pub use local::LocalStore;
pub use rclone::{Bridge, RcloneStore};
pub use service::ServiceStore;

use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::{Error, Result};
use service::{Prepared, azblob, gcs, s3};
use std::sync::Arc;

/// Opens every kind of storage that this crate knows.
#[derive(Debug, Clone)]
pub struct Opener {
    rclone: Arc<Bridge>,
    services: Limits,
}

impl Default for Opener {
    fn default() -> Self {
        Self {
            rclone: Arc::default(),
            services: limits::SERVICE,
        }
    }
}

impl Opener {
    /// One whose stores give up after these limits, whatever they are.
    pub fn within(limits: Limits) -> Self {
        Self {
            rclone: Arc::new(Bridge::within(limits)),
            services: limits,
        }
    }

    fn service(&self, prepared: Prepared) -> Result<Arc<dyn ObjectStore>> {
        Ok(Arc::new(ServiceStore::within(prepared, self.services)?))
    }
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
            Driver::S3 => self.service(s3::prepare(access)?),
            Driver::Azblob => self.service(azblob::prepare(access)?),
            Driver::Gcs => self.service(gcs::prepare(access)?),
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
