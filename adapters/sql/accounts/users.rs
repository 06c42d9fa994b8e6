//! The store of users.

use crate::SqlStores;
use crate::connections::Transaction;
use crate::error::{store, taken, unreadable};
use crate::row::{Columns, micros};
use crate::stores::{certain, commit, returning};
use async_trait::async_trait;
use backupx_core::domain::account::{Role, User};
use backupx_core::domain::id::UserId;
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::{UserChange, Users};
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;

macro_rules! columns {
    () => {
        "id, username, password_hash, role, disabled, created_at, version"
    };
}

const GET: &str = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
const BY_KEY: &str = concat!("SELECT ", columns!(), " FROM users WHERE username_key = $1");
const ADD: &str = concat!(
    "INSERT INTO users (username, username_key, password_hash, role, disabled, created_at, version) VALUES ($1, $2, $3, $4, 0, $5, 1) RETURNING ",
    columns!()
);
const ANY: &str = "SELECT id FROM users LIMIT 1";
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM users WHERE id > $1 ORDER BY id LIMIT $2"
);
const UPDATE: &str = concat!(
    "UPDATE users SET password_hash = COALESCE($2, password_hash), role = COALESCE($3, role), disabled = COALESCE($4, disabled), version = version + 1 WHERE id = $1 RETURNING ",
    columns!()
);
const OTHER_ADMINS: &str =
    "SELECT COUNT(*) AS admins FROM users WHERE role = 'admin' AND disabled = 0 AND id <> $1";
const END_SESSIONS: &str =
    "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";

#[async_trait]
impl Users for SqlStores {
    async fn add(
        &self,
        username: &Name,
        password_hash: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<User> {
        let mut transaction = self.begin_alone("accounts").await?;
        let user = insert(&mut transaction, username, password_hash, role, now).await?;
        commit(transaction).await?;
        Ok(user)
    }

    async fn add_first(
        &self,
        username: &Name,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<User> {
        let mut transaction = self.begin_alone("accounts").await?;
        let there = sqlx::query(ANY)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(store)?;
        if there.is_some() {
            return Err(Error::conflict(
                "already_set_up",
                "there is an administrator already: sign in instead",
            ));
        }
        let user = insert(&mut transaction, username, password_hash, Role::Admin, now).await?;
        commit(transaction).await?;
        Ok(user)
    }

    async fn get(&self, id: UserId) -> Result<Option<User>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(user).transpose()
    }

    async fn by_username(&self, username: &str) -> Result<Option<User>> {
        let row = sqlx::query(BY_KEY)
            .bind(key(username))
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(user).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Page<User>> {
        let rows = sqlx::query(LIST)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let users = rows.iter().map(user).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(users, page.limit, |user| user.id.0))
    }

    async fn any(&self) -> Result<bool> {
        let row = sqlx::query(ANY)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        Ok(row.is_some())
    }

    async fn update(
        &self,
        id: UserId,
        version: Option<i64>,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<User> {
        let mut transaction = self.begin_alone("accounts").await?;
        let Some(before) = read(&mut transaction, id).await? else {
            return Err(Error::not_found(
                "user_not_found",
                format!("there is no user {id}"),
            ));
        };
        if let Some(version) = version
            && version != before.version
        {
            return Err(Error::conflict(
                "stale_version",
                format!(
                    "user {id} is at version {}, not {version}: somebody else changed it",
                    before.version
                ),
            ));
        }
        let statement = sqlx::query(UPDATE)
            .bind(id.0)
            .bind(change.password_hash.as_deref())
            .bind(change.role.map(Role::as_str))
            .bind(change.disabled.map(i64::from));
        let row = returning(statement, &mut *transaction)
            .await
            .map_err(store)?;
        let after = user(&certain(row)?)?;
        if governs(&before) && !governs(&after) {
            refuse_last_admin(&mut transaction, id).await?;
        }
        sqlx::query(END_SESSIONS)
            .bind(id.0)
            .bind(micros(now))
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        commit(transaction).await?;
        Ok(after)
    }

    async fn remove(&self, id: UserId) -> Result<bool> {
        let mut transaction = self.begin_alone("accounts").await?;
        let Some(before) = read(&mut transaction, id).await? else {
            return Ok(false);
        };
        if governs(&before) {
            refuse_last_admin(&mut transaction, id).await?;
        }
        for statement in [
            "DELETE FROM sessions WHERE user_id = $1",
            "DELETE FROM api_keys WHERE user_id = $1",
            "DELETE FROM users WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.0)
                .execute(&mut *transaction)
                .await
                .map_err(store)?;
        }
        commit(transaction).await?;
        Ok(true)
    }
}

async fn insert(
    transaction: &mut Transaction,
    username: &Name,
    password_hash: &str,
    role: Role,
    now: Timestamp,
) -> Result<User> {
    let statement = sqlx::query(ADD)
        .bind(username.as_str())
        .bind(key(username.as_str()))
        .bind(password_hash)
        .bind(role.as_str())
        .bind(micros(now));
    let row = returning(statement, &mut **transaction)
        .await
        .map_err(taken("username_taken", || {
            format!("there is a user called {username} already")
        }))?;
    user(&certain(row)?)
}

async fn read(transaction: &mut Transaction, id: UserId) -> Result<Option<User>> {
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(store)?;
    row.as_ref().map(user).transpose()
}

async fn refuse_last_admin(transaction: &mut Transaction, id: UserId) -> Result<()> {
    let others = sqlx::query(OTHER_ADMINS)
        .bind(id.0)
        .fetch_one(&mut **transaction)
        .await
        .map_err(store)?
        .int("admins")?;
    if others == 0 {
        return Err(Error::conflict(
            "last_admin",
            format!("user {id} is the last administrator: make another one first"),
        ));
    }
    Ok(())
}

fn governs(user: &User) -> bool {
    user.role == Role::Admin && !user.disabled
}

/// The form in which usernames are compared.
fn key(username: &str) -> String {
    username.to_lowercase()
}

fn user(row: &AnyRow) -> Result<User> {
    Ok(User {
        id: UserId(row.int("id")?),
        username: Name::parse("username", &row.text("username")?)
            .map_err(|why| unreadable("username", why))?,
        password_hash: row.text("password_hash")?,
        role: role(row, "role")?,
        disabled: row.flag("disabled")?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

/// A user in a row of a join, its columns with the prefix `user_` (`user_id` is the id).
pub(super) fn joined_user(row: &AnyRow) -> Result<User> {
    Ok(User {
        id: UserId(row.int("user_id")?),
        username: Name::parse("username", &row.text("user_username")?)
            .map_err(|why| unreadable("username", why))?,
        password_hash: row.text("user_password_hash")?,
        role: role(row, "user_role")?,
        disabled: row.flag("user_disabled")?,
        created_at: row.time("user_created_at")?,
        version: row.int("user_version")?,
    })
}

/// The columns that [`joined_user`] reads, of the table `users` as `u`; `user_id` is in the other table.
macro_rules! joined_columns {
    () => {
        "u.username AS user_username, u.password_hash AS user_password_hash, u.role AS user_role, u.disabled AS user_disabled, u.created_at AS user_created_at, u.version AS user_version"
    };
}
pub(super) use joined_columns;

pub(super) fn role(row: &AnyRow, column: &str) -> Result<Role> {
    Role::parse(&row.text(column)?).map_err(|why| unreadable(column, why))
}
