//! Passwords of database servers: from the task's secrets, or from a file that stays on the node.

use backupx_core::domain::database::Server;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::dumps::DatabaseAccess;
use backupx_core::{Error, Result};

/// The password for `server`, if it has one.
pub(crate) fn password(access: &DatabaseAccess, server: &Server) -> Result<Option<WireSecret>> {
    if let Some(secret) = access.secrets.get("password") {
        return Ok(Some(secret.clone()).filter(|secret| !secret.expose().is_empty()));
    }
    let Some(path) = &server.password_file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::invalid(
            "sign_in_failed",
            format!("the password file {path} can't be read by the agent's user: {error}"),
        )
        .with_source(error)
    })?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Some(WireSecret::new(line)).filter(|secret| !secret.expose().is_empty()))
}
