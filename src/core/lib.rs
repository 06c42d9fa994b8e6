//! The inside of BackupX: the nouns with their rules (`domain`) and what is asked of the outside (`ports`).
//!
//! Nothing here does I/O, owns a thread or knows a driver. Use-cases (`backupx-app`), the data path (`backupx-engine`), the agent
//! and every adapter speak in these words, so a new database or a new kind of storage changes none of them.

pub mod domain;
mod error;
pub mod ports;

pub use error::{Error, ErrorKind, FieldError, Result};
