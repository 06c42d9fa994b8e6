//! Problem details (RFC 9457): how every failure is answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A failure as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Always `about:blank`: `code` says which problem it is.
    #[serde(rename = "type", default = "about_blank")]
    pub type_: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable code for programs, as `task_not_found`, `lease_lost`.
    pub code: String,
    /// What happened and what to do, in plain language.
    pub detail: String,
    /// The wrong fields, when it is about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Names the request in the master's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One wrong field of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldProblem {
    /// The field as it was sent, nested ones with dots: `retention.keepLast`.
    pub field: String,
    /// What is wrong and what is accepted.
    pub message: String,
}

impl Problem {
    /// The media type of a problem.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";
}

fn about_blank() -> String {
    "about:blank".to_owned()
}
