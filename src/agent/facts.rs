//! What an agent says of its host and itself.

use backupx_core::domain::node::NodeFacts;

/// The facts of this host.
pub(crate) fn facts() -> NodeFacts {
    NodeFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: hostname(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        task_types: vec!["file".to_owned()],
        tools: Vec::new(),
    }
}

/// The host's own name; `unknown` on a host that has none.
pub(crate) fn hostname() -> String {
    hostname::get().map_or_else(
        |_| "unknown".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
