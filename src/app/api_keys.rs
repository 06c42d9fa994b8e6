//! API keys: for scripts, shown once, kept as hashes.

use crate::App;
use crate::vault::token_hash;
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
    /// Keys by id: all for an administrator, one's own for others; so a page may hold fewer than asked.
    pub async fn api_keys(
        &self,
        principal: &Principal,
        page: PageRequest,
    ) -> Result<Page<ApiKeyView>> {
        let keys = self.ports.api_keys.list(page).await?.map(ApiKeyView::from);
        Ok(Page {
            items: keys
                .items
                .into_iter()
                .filter(|key| may_see(principal, key.user_id))
                .collect(),
            next: keys.next,
        })
    }

    /// Makes a key of the caller, of at most the caller's role. Any role may make keys for itself.
    pub async fn add_api_key(
        &self,
        principal: &Principal,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<AddedApiKey> {
        principal.require(role)?;
        if principal.user_id == UserId(0) {
            return Err(Error::conflict(
                "no_account",
                "the host itself has no account; name a user for the key",
            ));
        }
        if expires_at.is_some_and(|at| at <= self.now()) {
            return Err(Error::field("expiresAt", "lies in the past"));
        }
        let added = self
            .new_api_key(principal.user_id, name, role, expires_at)
            .await?;
        tracing::info!(
            api_key.id = added.key.id.0,
            by = principal.username,
            "an API key was made"
        );
        Ok(added)
    }

    /// Removes a key: any for an administrator, one's own for others.
    pub async fn remove_api_key(&self, principal: &Principal, id: ApiKeyId) -> Result<()> {
        let gone = || Error::not_found("api_key_not_found", format!("there is no API key {id}"));
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let keys = self.ports.api_keys.list(page).await?;
            if let Some(key) = keys.items.iter().find(|key| key.id == id) {
                // Somebody else's key is answered like one that is not there.
                if !may_see(principal, key.user_id) || !self.ports.api_keys.remove(id).await? {
                    return Err(gone());
                }
                tracing::info!(
                    api_key.id = id.0,
                    by = principal.username,
                    "an API key was removed"
                );
                return Ok(());
            }
            page.after = Some(keys.next.ok_or_else(gone)?);
        }
    }

    pub(crate) async fn new_api_key(
        &self,
        user: UserId,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<AddedApiKey> {
        let name = Name::parse("name", name)?;
        let random: [u8; 32] = rand::random();
        let plain = format!("bxk_{}", hex::encode(random));
        let key = self
            .ports
            .api_keys
            .add(
                &name,
                &token_hash(&plain),
                role,
                user,
                expires_at,
                self.now(),
            )
            .await?;
        Ok(AddedApiKey {
            key: key.into(),
            plain: SecretString::from(plain),
        })
    }
}

fn may_see(principal: &Principal, owner: UserId) -> bool {
    principal.role == Role::Admin || principal.user_id == owner
}
