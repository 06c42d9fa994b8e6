//! Accounts: users, as administrators see and change them.

use crate::App;
use backupx_core::domain::account::{Principal, Role, User};
use backupx_core::domain::id::UserId;
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// A user without what only the master may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// What the person types to sign in.
    pub username: Name,
    /// What it may do.
    pub role: Role,
    /// A disabled user has no sessions and gets none.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change.
    pub version: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            role: user.role,
            disabled: user.disabled,
            created_at: user.created_at,
            version: user.version,
        }
    }
}

/// A user to be made.
#[derive(Debug)]
pub struct NewUser {
    /// Unique name.
    pub username: String,
    /// 10 to 1024 bytes.
    pub password: SecretString,
    /// What it may do.
    pub role: Role,
}

/// What changes of a user; absent means unchanged. Any change ends all its sessions.
#[derive(Debug, Default)]
pub struct ChangedUser {
    /// A new password.
    pub password: Option<SecretString>,
    /// A new role.
    pub role: Option<Role>,
    /// On or off.
    pub disabled: Option<bool>,
}

impl App {
    /// The account behind the principal; `NotFound` for the host itself.
    pub async fn me(&self, principal: &Principal) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Users by id. Needs `admin`.
    pub async fn users(&self, principal: &Principal, page: PageRequest) -> Result<Page<UserView>> {
        Err(Error::internal("not built yet"))
    }

    /// One user. Needs `admin`.
    pub async fn user(&self, principal: &Principal, id: UserId) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Adds a user. Needs `admin`.
    pub async fn add_user(&self, principal: &Principal, new: NewUser) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Changes a user and ends all its sessions. Needs `admin`.
    pub async fn change_user(
        &self,
        principal: &Principal,
        id: UserId,
        version: Option<i64>,
        change: ChangedUser,
    ) -> Result<UserView> {
        Err(Error::internal("not built yet"))
    }

    /// Sets one's own password, given the one before. Ends all sessions, this one included.
    pub async fn change_own_password(
        &self,
        principal: &Principal,
        current: &SecretString,
        new: &SecretString,
        remote_addr: &str,
    ) -> Result<()> {
        Err(Error::internal("not built yet"))
    }

    /// Removes a user with its sessions and API keys. Needs `admin`.
    pub async fn remove_user(&self, principal: &Principal, id: UserId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
