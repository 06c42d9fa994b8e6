//! Set-up: the first administrator, and what only the master's host may ask for.

use crate::sign_in::guard_of_user;
use crate::{AddedApiKey, App, UserView};
use backupx_core::domain::account::{Role, User};
use backupx_core::domain::name::Name;
use backupx_core::ports::accounts::UserChange;
use backupx_core::{Error, Result};
use secrecy::SecretString;
use subtle::ConstantTimeEq;

/// Setting: the salt of the set-up code. The code itself hangs on the root key, so the database alone does not tell it.
const SET_UP: &str = "set_up.salt";

impl App {
    /// True once there is a user.
    pub async fn is_set_up(&self) -> Result<bool> {
        self.ports.users.any().await
    }

    /// The one-time code of the set-up, to be printed on the host; nothing once there is a user. All replicas and all starts answer the same code.
    pub async fn begin_set_up(&self) -> Result<Option<SecretString>> {
        if self.is_set_up().await? {
            return Ok(None);
        }
        let random: [u8; 16] = rand::random();
        let salt = self
            .ports
            .settings
            .get_or_set(SET_UP, &hex::encode(random))
            .await?;
        Ok(Some(SecretString::from(self.set_up_code(&salt))))
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
        if self.is_set_up().await? {
            return Err(already_set_up());
        }
        let guard = format!("set-up:{remote_addr}");
        self.check_guard(&[&guard]).await?;
        let wrong = || {
            Error::forbidden(
                "wrong_set_up_code",
                "this is not the set-up code; the server prints it at its start on the host",
            )
        };
        let salt = self.ports.settings.get(SET_UP).await?.ok_or_else(wrong)?;
        let right = self.set_up_code(&salt);
        if !bool::from(plain_code(&right).ct_eq(&plain_code(code))) {
            self.count_try(&guard).await?;
            return Err(wrong());
        }
        let username = Name::parse("username", username)?;
        let hash = self.passwords.hash(password).await?;
        let user = self
            .ports
            .users
            .add_first(&username, &hash, self.now())
            .await?;
        // From here on the first user exists and the code is worth nothing; removing it is tidiness.
        self.ports.settings.take(SET_UP, &salt).await?;
        self.ensure_organisation_key().await?;
        tracing::info!(user.id = user.id.0, "the first administrator was made");
        Ok(user.into())
    }

    /// Makes an administrator without a code. Only for the master's host.
    pub async fn create_admin(&self, username: &str, password: &SecretString) -> Result<UserView> {
        let username = Name::parse("username", username)?;
        let hash = self.passwords.hash(password).await?;
        let user = self
            .ports
            .users
            .add(&username, &hash, Role::Admin, self.now())
            .await?;
        self.ports.settings.remove(SET_UP).await?;
        self.ensure_organisation_key().await?;
        tracing::info!(user.id = user.id.0, "an administrator was made on the host");
        Ok(user.into())
    }

    /// Makes an API key of the user's role for a user of this name. Only for the master's host.
    pub async fn create_host_api_key(&self, username: &str, name: &str) -> Result<AddedApiKey> {
        let user = self.user_named(username).await?;
        self.new_api_key(user.id, name, user.role, None).await
    }

    /// Sets a new password, enables the user and ends all its sessions. Only for the master's host.
    pub async fn reset_password(
        &self,
        username: &str,
        password: &SecretString,
    ) -> Result<UserView> {
        let user = self.user_named(username).await?;
        let change = UserChange {
            password_hash: Some(self.passwords.hash(password).await?),
            role: None,
            disabled: Some(false),
        };
        let user = self
            .ports
            .users
            .update(user.id, None, &change, self.now())
            .await?;
        self.clear_guard(&guard_of_user(username)).await?;
        tracing::info!(user.id = user.id.0, "a password was reset on the host");
        Ok(user.into())
    }

    /// A replica with a root key of its own would seal what no other opens, and sign sessions that no other knows.
    pub(crate) async fn prove_root_key(&self) -> Result<()> {
        let opened = self.organisation_identity().await;
        opened.map(drop).map_err(|error| {
            if error.is_retryable() {
                return error;
            }
            Error::conflict(
                "other_root_key",
                "the root key is not the one that this database was set up with: give all masters of one database the same BACKUPX_SECRET_KEY (or BACKUPX_SECRET_KEY_FILE)",
            )
            .with_source(error)
        })
    }

    async fn user_named(&self, username: &str) -> Result<User> {
        self.ports
            .users
            .by_username(username)
            .await?
            .ok_or_else(|| {
                Error::not_found("user_not_found", format!("there is no user {username:?}"))
            })
    }

    /// 25 characters in groups of five, of an alphabet without look-alikes: 125 bits of a key that only this salt and root key give.
    fn set_up_code(&self, salt: &str) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let key = self.vault.derive(&format!("set-up code {salt}"));
        let mut code = String::new();
        for (position, byte) in key.iter().take(25).enumerate() {
            if position > 0 && position % 5 == 0 {
                code.push('-');
            }
            code.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        code
    }
}

/// The code's characters alone: people type it without dashes or in small letters.
fn plain_code(code: &str) -> Vec<u8> {
    code.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_uppercase())
        .collect()
}

fn already_set_up() -> Error {
    Error::conflict(
        "already_set_up",
        "this installation is set up already; sign in",
    )
}
