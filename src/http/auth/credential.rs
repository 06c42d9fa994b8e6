//! Credentials: what a request shows to prove who asks.

use crate::auth::cookie;
use crate::state::Http;
use axum::http::{HeaderMap, header};
use backupx_core::domain::account::Principal;
use backupx_core::{Error, Result};
use secrecy::{ExposeSecret, SecretString};

/// What a request showed.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// A session token in the Authorization header.
    Session(SecretString),
    /// A session token in a browser's cookie, which the browser adds by itself whoever made the request.
    Cookie(SecretString),
    /// An API key.
    ApiKey(SecretString),
}

impl Credential {
    /// What a request shows; nothing when it shows nothing that could prove anything.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        match bearer(headers) {
            Some(token) if token.starts_with("bxk_") => Some(Self::ApiKey(token.into())),
            Some(token) => Some(Self::Session(token.into())),
            None => cookie::session_token(headers).map(|token| Self::Cookie(token.into())),
        }
    }

    /// Who it proves, as of now.
    pub(crate) async fn prove(&self, http: &Http) -> Result<Principal> {
        match self {
            Self::Session(token) | Self::Cookie(token) => {
                let session = http.tokens.read(token.expose_secret(), http.app.now())?;
                http.app.principal_of_session(session).await
            }
            Self::ApiKey(key) => http.app.principal_of_api_key(key.expose_secret()).await,
        }
    }
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The refusal of a request that shows nothing.
pub(crate) fn nothing_shown() -> Error {
    Error::unauthenticated("sign in, or send an API key as Authorization: Bearer bxk_…")
}
