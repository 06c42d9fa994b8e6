//! Backint: SAP's interface by which a HANA database hands its backups over, one call of the program after the other.
//!
//! The database starts the program with a file of requests ([`protocol`]), hands data through named pipes that it made (`channel`), and reads
//! the answers from another file. Objects lie in storage as `backupx_engine::backint` describes; `shelf` finds them there, with a
//! catalogue that saves asking storage and may be lost. A line that says `#SAVED` or `#RESTORED` is written when it is true, not before.

mod answers;
mod backup;
mod caller;
mod channel;
mod delete;
mod inquire;
mod log;
mod parameters;
pub mod protocol;
mod rebuild;
mod restore;
mod run;
mod shelf;
mod stall;
mod storage;
mod writer;

pub use log::Log;
pub use parameters::Parameters;
pub use rebuild::{Rebuilt, rebuild};
pub use run::{Call, Host, run};
pub use storage::place;
