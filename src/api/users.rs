//! Users: people who sign in.

use crate::mirror::mirrored;
use backupx_core::domain::account;
use backupx_core::domain::secret::WireSecret;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirrored! {
    /// What somebody may do. Each role may do all that the ones before it may.
    #[serde(rename_all = "camelCase")]
    Role = account::Role {
        /// Sees everything but secrets, changes nothing.
        Viewer = "viewer",
        /// Runs, cancels, verifies and restores.
        Operator = "operator",
        /// Changes everything, accounts included.
        Admin = "admin",
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id.
    pub id: i64,
    /// What the person types to sign in.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// A disabled user has no sessions and gets none.
    pub disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the entity tag of an update.
    pub version: i64,
}

/// A user to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserCreate {
    /// What the person types to sign in; unique, compared without case.
    pub username: String,
    /// 10 to 1024 bytes.
    #[schema(value_type = String, format = Password)]
    pub password: WireSecret,
    /// What it may do.
    pub role: Role,
}

/// What is changed of a user; what is absent stays. Ends the user's sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserUpdate {
    /// A new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Password)]
    pub password: Option<WireSecret>,
    /// A new role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// On or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A new password for oneself. Ends all of one's sessions, this one included.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, format = Password)]
    pub current: WireSecret,
    /// The password from now on: 10 to 1024 bytes.
    #[schema(value_type = String, format = Password)]
    pub new: WireSecret,
}
