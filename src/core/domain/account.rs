//! Who may do what: users, their sessions, and API keys.

use super::id::{ApiKeyId, SessionId, UserId};
use super::name::Name;
use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What somebody may do. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Sees everything but secrets, changes nothing.
    Viewer,
    /// Runs, cancels, verifies and restores.
    Operator,
    /// Changes everything, accounts included.
    Admin,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The role's name as it stands in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Parses a role's name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                Error::field(
                    "role",
                    format!("{text:?} is not one of viewer, operator, admin"),
                )
            })
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What the person types to sign in; unique, compared without case.
    pub username: Name,
    /// The Argon2id hash as a PHC string. Never leaves the master.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
    /// A disabled user has no sessions and gets none.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change; an update names the one that it read.
    pub version: i64,
}

/// A signed-in browser or terminal. The row is what makes a signed token good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, the `jti` of the token.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended by somebody.
    pub revoked_at: Option<Timestamp>,
}

/// A key for scripts: shown once, kept as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Unique name.
    pub name: Name,
    /// SHA-256 of the whole key, as lower-case hex.
    pub key_hash: String,
    /// What it may do.
    pub role: Role,
    /// Who made it; its end is the key's end.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last shown to the master, coarse to a minute.
    pub last_used_at: Option<Timestamp>,
}

/// Who asks, proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user behind the session or key.
    pub user_id: UserId,
    /// The user's name, for the log.
    pub username: String,
    /// What it may do now: the lower of the user's and the key's role.
    pub role: Role,
    /// The session it came with, when it is not an API key.
    pub session_id: Option<SessionId>,
}

impl Principal {
    /// Refuses whoever has less than `role`.
    pub fn require(&self, role: Role) -> Result<()> {
        if self.role >= role {
            return Ok(());
        }
        Err(Error::forbidden(
            "forbidden",
            format!(
                "this needs the role {}, you have {}",
                role.as_str(),
                self.role.as_str()
            ),
        ))
    }
}
