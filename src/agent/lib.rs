//! The long-lived runtime on a server: it asks its master for work, carries it out, and says what came of it.
//!
//! [`Agent`] is the same on every host. A process of its own reaches the master by [`HttpLink`] with settings that [`settings::load`]
//! reads; the master runs one for node 0 over an in-process link with [`AgentConfig::default`].
//!
//! Four loops live side by side: `greeting` says hello until the master answers and again after every break; `heartbeat` says that the
//! agent is alive; `polling` asks for commands. Each claimed command becomes a `job` with tasks of its own: one carries
//! the work out (`work`), one reports progress and so renews the lease, whatever the first one waits for. `policy` is what the host
//! itself allows.

pub mod backint;
mod config;
mod facts;
mod hooks;
mod link;
mod policy;
mod runtime;
pub mod settings;
mod work;

pub use config::AgentConfig;
pub use link::{HttpLink, LinkSettings, Token};
pub use policy::Policy;
pub use runtime::{Agent, AgentDeps};
pub use work::RelayStore;

#[cfg(test)]
mod testing;
