//! Accounts: users, as administrators see and change them.

use crate::App;
use backupx_core::domain::account::{Principal, Role, User};
use backupx_core::domain::id::UserId;
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::UserChange;
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
        self.ports
            .users
            .get(principal.user_id)
            .await?
            .map(UserView::from)
            .ok_or_else(|| no_user(principal.user_id))
    }

    /// Users by id. Needs `admin`.
    pub async fn users(&self, principal: &Principal, page: PageRequest) -> Result<Page<UserView>> {
        principal.require(Role::Admin)?;
        Ok(self.ports.users.list(page).await?.map(UserView::from))
    }

    /// One user. Needs `admin`.
    pub async fn user(&self, principal: &Principal, id: UserId) -> Result<UserView> {
        principal.require(Role::Admin)?;
        self.ports
            .users
            .get(id)
            .await?
            .map(UserView::from)
            .ok_or_else(|| no_user(id))
    }

    /// Adds a user. Needs `admin`.
    pub async fn add_user(&self, principal: &Principal, new: NewUser) -> Result<UserView> {
        principal.require(Role::Admin)?;
        let username = Name::parse("username", &new.username)?;
        let hash = self.passwords.hash(&new.password).await?;
        let user = self
            .ports
            .users
            .add(&username, &hash, new.role, self.now())
            .await?;
        tracing::info!(
            user.id = user.id.0,
            by = principal.username,
            "a user was added"
        );
        Ok(user.into())
    }

    /// Changes a user and ends all its sessions. Needs `admin`.
    pub async fn change_user(
        &self,
        principal: &Principal,
        id: UserId,
        version: Option<i64>,
        change: ChangedUser,
    ) -> Result<UserView> {
        principal.require(Role::Admin)?;
        let password_hash = match &change.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let change = UserChange {
            password_hash,
            role: change.role,
            disabled: change.disabled,
        };
        let user = self
            .ports
            .users
            .update(id, version, &change, self.now())
            .await?;
        tracing::info!(
            user.id = id.0,
            by = principal.username,
            "a user was changed"
        );
        Ok(user.into())
    }

    /// Sets one's own password, given the one before. Ends all sessions, this one included.
    pub async fn change_own_password(
        &self,
        principal: &Principal,
        current: &SecretString,
        new: &SecretString,
        remote_addr: &str,
    ) -> Result<()> {
        let guard = format!("own-password:{}", principal.user_id);
        let by_address = format!("address:{remote_addr}");
        self.check_guard(&[&guard, &by_address]).await?;
        self.count_try(&guard).await?;
        let user = self
            .ports
            .users
            .get(principal.user_id)
            .await?
            .ok_or_else(|| no_user(principal.user_id))?;
        if !self
            .passwords
            .matches(current, Some(user.password_hash))
            .await?
        {
            return Err(Error::field("current", "is not your password"));
        }
        self.clear_guard(&guard).await?;
        let change = UserChange {
            password_hash: Some(self.passwords.hash(new).await?),
            ..UserChange::default()
        };
        self.ports
            .users
            .update(user.id, None, &change, self.now())
            .await?;
        tracing::info!(user.id = user.id.0, "a password was changed");
        Ok(())
    }

    /// Removes a user with its sessions and API keys. Needs `admin`.
    pub async fn remove_user(&self, principal: &Principal, id: UserId) -> Result<()> {
        principal.require(Role::Admin)?;
        if !self.ports.users.remove(id).await? {
            return Err(no_user(id));
        }
        tracing::info!(
            user.id = id.0,
            by = principal.username,
            "a user was removed"
        );
        Ok(())
    }
}

fn no_user(id: UserId) -> Error {
    Error::not_found("user_not_found", format!("there is no user {id}"))
}
