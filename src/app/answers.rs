//! Answers kept for repeated requests: an idempotency key of one user belongs to one request for a day.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::ports::settings::KeptAnswer;
use backupx_core::{Error, Result};

/// How long an answer is kept.
pub(crate) const KEPT_FOR: chrono::Duration = chrono::Duration::hours(24);

impl App {
    /// Claims a key for a request. Nothing when the caller is the first: it must call [`App::keep_answer`] or [`App::forget_answer`].
    /// Otherwise the kept answer; one with status zero is still under way. `request_hash` is SHA-256 of method, path and body, hex;
    /// the caller refuses a kept answer of another hash. `Invalid` for a key that is empty or longer than 200 bytes.
    pub async fn begin_answer(
        &self,
        principal: &Principal,
        key: &str,
        request_hash: &str,
    ) -> Result<Option<KeptAnswer>> {
        if key.is_empty() || key.len() > 200 {
            return Err(Error::field("Idempotency-Key", "must have 1 to 200 bytes"));
        }
        let now = self.now();
        self.ports
            .answers
            .begin(&of_user(principal, key), request_hash, now, now - KEPT_FOR)
            .await
    }

    /// Keeps the answer to a claimed key.
    pub async fn keep_answer(
        &self,
        principal: &Principal,
        key: &str,
        status: u16,
        body: &str,
    ) -> Result<()> {
        self.ports
            .answers
            .keep(&of_user(principal, key), status, body)
            .await
    }

    /// Gives a claimed key free again: the request failed without effect.
    pub async fn forget_answer(&self, principal: &Principal, key: &str) -> Result<()> {
        self.ports.answers.forget(&of_user(principal, key)).await
    }
}

fn of_user(principal: &Principal, key: &str) -> String {
    format!("{}:{key}", principal.user_id)
}
