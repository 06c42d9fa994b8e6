//! The stores of users, sessions, API keys and failed sign-ins.

use crate::Result;
use crate::domain::account::{ApiKey, Role, Session, User};
use crate::domain::id::{ApiKeyId, SessionId, UserId};
use crate::domain::name::Name;
use crate::domain::page::{Page, PageRequest};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// What an update of a user changes; absent means unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    /// A new hash.
    pub password_hash: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// On or off.
    pub disabled: Option<bool>,
}

/// Keeps users.
#[async_trait]
pub trait Users: Send + Sync {
    /// Adds a user. `Conflict` (`username_taken`) when the name is in use, whatever its case.
    async fn add(
        &self,
        username: &Name,
        password_hash: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<User>;

    /// Adds the first user. `Conflict` (`already_set_up`) when there is one: of several callers one wins.
    async fn add_first(&self, username: &Name, password_hash: &str, now: Timestamp)
    -> Result<User>;

    /// One user.
    async fn get(&self, id: UserId) -> Result<Option<User>>;

    /// The user of this name, whatever its case.
    async fn by_username(&self, username: &str) -> Result<Option<User>>;

    /// Users by id.
    async fn list(&self, page: PageRequest) -> Result<Page<User>>;

    /// True when there is any.
    async fn any(&self) -> Result<bool>;

    /// Changes a user and, in the same transaction, ends all its sessions (never 28). `Conflict` (`stale_version`) when a version is given
    /// and is not the current one, (`last_admin`) when no enabled administrator would be left, `NotFound` when it is gone.
    async fn update(
        &self,
        id: UserId,
        version: Option<i64>,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<User>;

    /// Removes a user with its sessions and API keys. `Conflict` (`last_admin`) when no enabled administrator would be left. False when there was none.
    async fn remove(&self, id: UserId) -> Result<bool>;
}

/// Keeps sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Adds a session.
    async fn add(&self, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<Session>;

    /// A session that holds at `now`, with its user: not revoked, not expired, the user not disabled.
    async fn live(&self, id: SessionId, now: Timestamp) -> Result<Option<(Session, User)>>;

    /// Ends a session. False when it was ended already.
    async fn revoke(&self, id: SessionId, now: Timestamp) -> Result<bool>;

    /// Removes sessions that ended before `before`.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
}

/// Keeps API keys.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Adds a key. `Conflict` (`api_key_name_taken`) when the name is in use.
    async fn add(
        &self,
        name: &Name,
        key_hash: &str,
        role: Role,
        user: UserId,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<ApiKey>;

    /// A key that holds at `now`, with its user: not expired, the user not disabled. Notes the use, at most once a minute.
    async fn live(&self, key_hash: &str, now: Timestamp) -> Result<Option<(ApiKey, User)>>;

    /// Keys by id.
    async fn list(&self, page: PageRequest) -> Result<Page<ApiKey>>;

    /// Removes a key. False when there was none.
    async fn remove(&self, id: ApiKeyId) -> Result<bool>;
}

/// Counts failed sign-ins, so that guessing is slow on every replica.
#[async_trait]
pub trait SignInGuard: Send + Sync {
    /// Notes a failure for `key` (a username or an address) and answers how many there were since `window_start`, this one included.
    async fn failed(&self, key: &str, now: Timestamp, window_start: Timestamp) -> Result<u32>;

    /// How many failures `key` had since `window_start`, and when the last one was.
    async fn failures(
        &self,
        key: &str,
        window_start: Timestamp,
    ) -> Result<(u32, Option<Timestamp>)>;

    /// Forgets the failures of `key`.
    async fn clear(&self, key: &str) -> Result<()>;

    /// Removes failures before `before`.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
}
