//! Set-up: the first administrator, the organisation's key, and what only the master's host may ask for.

use crate::{AddedApiKey, App, UserView};
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// What opens every sealed backup without BackupX. To be kept away from the master.
pub struct RecoveryKit {
    /// The organisation's identity, `AGE-SECRET-KEY-1…`.
    pub identity: SecretString,
    /// Its public key, `age1…`.
    pub recipient: String,
}

impl App {
    /// True once there is a user.
    pub async fn is_set_up(&self) -> Result<bool> {
        self.ports.users.any().await
    }

    /// The one-time code of the set-up, to be printed on the host; nothing once there is a user. All replicas and all starts answer the same code.
    pub async fn begin_set_up(&self) -> Result<Option<SecretString>> {
        Err(Error::internal("not built yet"))
    }

    /// Makes the first administrator for whoever knows the code. `Forbidden` (`wrong_set_up_code`), `Conflict` (`already_set_up`),
    /// `TooManyRequests` after five wrong codes from one address.
    pub async fn set_up(
        &self,
        code: &str,
        username: &str,
        password: &SecretString,
        remote_addr: &str,
    ) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Makes an administrator without a code. Only for the master's host.
    pub async fn create_admin(&self, username: &str, password: &SecretString) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Makes an API key of the user's role for a user of this name. Only for the master's host.
    pub async fn create_host_api_key(&self, username: &str, name: &str) -> Result<AddedApiKey> {
        Err(Error::internal("not built yet"))
    }

    /// Sets a new password, enables the user and ends all its sessions. Only for the master's host.
    pub async fn reset_password(
        &self,
        username: &str,
        password: &SecretString,
    ) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Makes the organisation's key pair unless there is one, and answers its public key. All replicas agree on one.
    pub async fn ensure_organisation_key(&self) -> Result<String> {
        Err(Error::internal("not built yet"))
    }

    /// The organisation's public key, `age1…`.
    pub async fn organisation_recipient(&self) -> Result<String> {
        self.ensure_organisation_key().await
    }

    /// The recovery kit. Only for the master's host.
    pub async fn export_key(&self) -> Result<RecoveryKit> {
        Err(Error::internal("not built yet"))
    }
}
