//! What an agent says of its host and itself.

use crate::policy::Policy;
use backupx_core::domain::node::{NodeFacts, Tool};
use backupx_core::ports::dumps::Abilities;

/// The facts of this host.
pub(crate) fn facts(abilities: Abilities, policy: &Policy) -> NodeFacts {
    let files = std::iter::once("file".to_owned());
    NodeFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: hostname(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        task_types: files.chain(abilities.task_types).collect(),
        tools: abilities
            .tools
            .into_iter()
            .map(|(name, version)| Tool { name, version })
            .collect(),
        hooks: policy.hook_names(),
    }
}

/// The host's own name; `unknown` on a host that has none.
pub(crate) fn hostname() -> String {
    hostname::get().map_or_else(
        |_| "unknown".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
