//! Wire types of REST v1 and of the agent protocol: what the master, its agents, the command line and the console say to each other.
//!
//! JSON in camelCase, times in RFC 3339 UTC, sizes in bytes, ids as numbers. Requests refuse unknown fields; answers may grow new ones.
//! Answers are built from these types alone, and none of them has a field for a secret but the few that are shown once.

mod mirror;

pub mod agent;
pub mod api_keys;
pub mod drills;
pub mod events;
pub mod evidence;
pub mod guard;
pub mod imports;
pub mod logs;
pub mod nodes;
pub mod operations;
pub mod page;
pub mod problem;
pub mod records;
pub mod reports;
pub mod saphana;
pub mod schedules;
pub mod sessions;
pub mod set_up;
pub mod sources;
pub mod target_types;
pub mod targets;
pub mod tasks;
pub mod users;
pub mod verifications;
