//! API keys: for scripts, shown once, kept as hashes.

use crate::App;
use backupx_core::domain::account::{ApiKey, Principal, Role};
use backupx_core::domain::id::{ApiKeyId, UserId};
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// An API key without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// Unique name.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, coarse to a minute.
    pub last_used_at: Option<Timestamp>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            role: key.role,
            user_id: key.user_id,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A key that was just made, with its plain text: the only time that it is shown.
#[derive(Debug)]
pub struct AddedApiKey {
    /// The key.
    pub key: ApiKeyView,
    /// `bxk_` and 64 hex digits.
    pub plain: SecretString,
}

impl App {
    /// Keys by id. Needs `admin`.
    pub async fn api_keys(
        &self,
        principal: &Principal,
        page: PageRequest,
    ) -> Result<Page<ApiKeyView>> {
        Err(Error::internal("not built yet"))
    }

    /// Makes a key of the caller, of at most the caller's role. Any role may make keys for itself.
    pub async fn add_api_key(
        &self,
        principal: &Principal,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<AddedApiKey> {
        Err(Error::internal("not built yet"))
    }

    /// Removes a key. Needs `admin`.
    pub async fn remove_api_key(&self, principal: &Principal, id: ApiKeyId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
