//! The stores of users, sessions, API keys and failed sign-ins.

pub(crate) mod api_keys;
pub(crate) mod sessions;
pub(crate) mod sign_in_guard;
pub(crate) mod users;

use crate::error::store;
use backupx_core::Error;
use backupx_core::domain::id::UserId;

/// A user that is gone gets nothing new: it may have been removed since it was read.
fn user_gone(user: UserId) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match error.as_database_error() {
        Some(database) if database.is_foreign_key_violation() => {
            Error::not_found("user_not_found", format!("there is no user {user}"))
        }
        _ => store(error),
    }
}
