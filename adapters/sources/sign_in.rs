//! Passwords of database servers: from the task's secrets, or from a file that stays on the node.

use backupx_core::domain::database::Server;
use backupx_core::domain::secret::WireSecret;
use backupx_core::{Error, Result};

/// The task's password, or else the first line of its file. Nothing when neither says one.
pub(crate) fn password(secret: Option<&WireSecret>, server: &Server) -> Result<Option<WireSecret>> {
    let password = match (secret, &server.password_file) {
        (Some(secret), _) => Some(secret.clone()),
        (None, Some(file)) => Some(first_line(file)?),
        (None, None) => None,
    };
    Ok(password.filter(|password| !password.expose().is_empty()))
}

fn first_line(file: &str) -> Result<WireSecret> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Error::invalid(
            "password_file_unreadable",
            format!("the password file {file} can't be read: {error}"),
        )
        .with_source(error)
    })?;
    Ok(WireSecret::new(text.lines().next().unwrap_or_default()))
}
