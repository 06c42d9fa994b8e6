//! Set-up: how the first administrator comes to be.

use backupx_core::domain::secret::WireSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether there is anybody yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetUpState {
    /// True while there is no user.
    pub needed: bool,
}

/// The first administrator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUp {
    /// The one-time code that the master printed on its host.
    #[schema(value_type = String)]
    pub code: WireSecret,
    /// What the person types to sign in.
    pub username: String,
    /// 10 to 1024 bytes.
    #[schema(value_type = String, format = Password)]
    pub password: WireSecret,
}
