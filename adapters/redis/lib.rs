//! Command queue, presence and signals on Redis 6.2 or later, behind the ports of `backupx_core`.
//!
//! [`RedisStores`] implements the three ports. All keys begin with one prefix, in braces so that a cluster keeps them in one slot. Every
//! change is one Lua script (`scripts/`), so it happens whole or not at all, whoever else calls at the same time. Times are arguments: the
//! clock of Redis decides nothing. Instants are microseconds.
//!
//! | Key behind the prefix | Holds |
//! |---|---|
//! | `last` | the last command id |
//! | `command:ID` | a command, as a hash |
//! | `subject:SUBJECT` | the id of the command of a subject |
//! | `waiting:NODE:LANE` | pending commands of a node in a lane, by id |
//! | `due` | the lanes of nodes that have pending commands, by the earliest time of one |
//! | `pending`, `expiring` | all pending commands by id, those with a limit by it |
//! | `held:NODE`, `claimed` | claimed commands of a node by id, all of them by their last sign of life |
//! | `ended` | ended commands by their end |
//! | `heard`, `online` | when each node was last heard; those that are noted as online, by it |
//! | `signals` | the channel of wake-ups |
//!
//! What Redis holds can be made again from the records: a Redis that comes back empty costs the runs that were under way, which end as
//! failed, and loses none. For that, ids are never given twice: each is at least the time of its making, so that an agent that still
//! works for a forgotten command holds no lease on a new one. Redis must not evict keys (`maxmemory-policy noeviction`, its default).
//!
//! ```no_run
//! # async fn open() -> backupx_core::Result<()> {
//! use backupx_core::ports::queue::CommandQueue;
//! let stores = backupx_redis::RedisStores::connect("redis://127.0.0.1:6379", "backupx").await?;
//! let queue: std::sync::Arc<dyn CommandQueue> = std::sync::Arc::new(stores.clone());
//! # drop(queue);
//! # Ok(())
//! # }
//! ```

mod command;
mod connection;
mod error;
mod presence;
mod queue;
mod scripts;
mod signals;
mod stores;
mod wakers;

pub use stores::RedisStores;
