//! Relational state, command queue, presence and signals on a SQL database, behind the ports of `backupx_core`.
//!
//! [`SqlStores`] implements every state port. A statement that all engines can run stands once, in the file that is named like its
//! port; what an engine does its own way is in [`engine`] and in the file named like the engine. Columns are integers and text only
//! (instants are microseconds, JSON is text, booleans are 0 and 1), so that one driver interface serves all engines. A pooler in
//! transaction mode may stand before Postgres: [`connections`] is how statements get through it, [`signal_table`] how masters hear each other.
//!
//! ```no_run
//! # async fn open() -> backupx_core::Result<()> {
//! use backupx_core::ports::nodes::Nodes;
//! let stores = backupx_sql::SqlStores::connect("sqlite:///var/lib/backupx/backupx.db").await?;
//! let nodes: std::sync::Arc<dyn Nodes> = std::sync::Arc::new(stores.clone());
//! # drop(nodes);
//! # Ok(())
//! # }
//! ```

mod accounts;
mod anew;
mod answers;
mod backint;
mod batch;
mod connections;
mod engine;
mod error;
mod events;
mod filter;
mod listening;
mod logs;
pub mod migrate;
mod nodes;
mod operations;
mod postgres;
mod presence;
mod queue;
mod records;
mod row;
mod settings;
mod signal_table;
mod signals;
mod sqlite;
mod stores;
mod targets;
mod tasks;
mod telling;
mod upstreams;
mod wakers;

#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod plans;

pub use backint::BackintCatalogue;
pub use stores::SqlStores;
