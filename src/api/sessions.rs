//! Sessions: signing in and out.

use crate::users::User;
use backupx_core::domain::secret::WireSecret;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who signs in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignIn {
    /// The user's name.
    pub username: String,
    /// The user's password.
    #[schema(value_type = String, format = Password)]
    pub password: WireSecret,
}

/// A session that was just opened. Browsers get the token as a cookie as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// For `Authorization: Bearer …`.
    pub token: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Who is signed in.
    pub user: User,
}

/// Who asks, as the master knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentSession {
    /// The user's id.
    pub user_id: i64,
    /// The user's name.
    pub username: String,
    /// What may be done with this session or key.
    pub role: crate::users::Role,
    /// The session; `null` for an API key.
    pub session_id: Option<i64>,
}

impl From<&backupx_core::domain::account::Principal> for CurrentSession {
    fn from(principal: &backupx_core::domain::account::Principal) -> Self {
        Self {
            user_id: principal.user_id.0,
            username: principal.username.clone(),
            role: principal.role.into(),
            session_id: principal.session_id.map(|id| id.0),
        }
    }
}
