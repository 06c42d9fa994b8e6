//! API keys: how scripts sign in.

use crate::users::Role;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key for scripts. The key itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Its id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it; its end is the key's end.
    pub user_id: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, coarse to a minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A key to make. Its role can't be more than its maker's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKeyCreate {
    /// Unique name: 1 to 100 characters, no `/` or `\`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends by itself.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was just made, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewApiKey {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends by itself, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// `bxk_…`. It is not kept and can't be shown again.
    pub key: String,
}
