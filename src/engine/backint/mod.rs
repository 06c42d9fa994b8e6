//! Objects that a database hands over by itself: one stream each, with its description written last.
//!
//! ```text
//! <location>/data.hana.zst          the content, or a series of volumes data.hana.zst.000001 …
//! <location>/backint.json           what it is; its presence is what makes the object exist
//! ```
//!
//! [`save`] makes one, [`find`] and [`list`] look what is there, [`put_back`] hands one back, [`remove`] removes one.

mod look;
mod put_back;
mod save;
#[cfg(test)]
mod tests;

pub use look::{Place, find, is_clear, list};
pub use put_back::put_back;
pub use save::{Feed, NewObject, Share, save};

use crate::remove::remove_described;
use backupx_core::Result;
use backupx_core::domain::backint::BackintObject;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::report::DeleteReport;
use backupx_core::ports::objects::ObjectStore;

/// Removes the object at `location`, its description first, or what an interrupted [`save`] left there.
pub async fn remove(store: &dyn ObjectStore, location: &ObjectKey) -> Result<DeleteReport> {
    remove_described(store, location, BackintObject::FILE_NAME).await
}
