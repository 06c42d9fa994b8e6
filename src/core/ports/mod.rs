//! What the inside asks of the outside. Small, object-safe, named in the core's words; each doc comment is the contract that the
//! conformance suite holds every adapter to.
//!
//! Rules for all state ports: every call is one statement or one transaction; ids are given by the store; times are arguments;
//! a guarded update that changes no row says so in its answer instead of passing silently.

pub mod accounts;
pub mod backint;
pub mod clock;
pub mod dumps;
pub mod events;
pub mod keys;
pub mod logs;
pub mod master;
pub mod nodes;
pub mod objects;
pub mod observer;
pub mod operations;
pub mod presence;
pub mod queue;
pub mod records;
pub mod settings;
pub mod signals;
pub mod source;
pub mod targets;
pub mod tasks;
pub mod wal;
