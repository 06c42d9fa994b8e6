//! Session tokens: a JWT that names a session row. The signature keeps guesses off the store; the row decides.

use backupx_app::App;
use backupx_core::domain::account::Session;
use backupx_core::domain::id::SessionId;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Signs and reads session tokens.
pub(crate) struct SessionTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    /// The user's id.
    sub: String,
    /// The session's id.
    jti: String,
    /// When it was made, in seconds since 1970.
    iat: i64,
    /// When it ends by itself, in seconds since 1970.
    exp: i64,
}

impl SessionTokens {
    /// Signs with `secret`, or with a key derived from the root key.
    pub(crate) fn new(app: &App, secret: Option<&SecretString>) -> Self {
        match secret {
            Some(secret) => Self::with_key(secret.expose_secret().as_bytes()),
            None => Self::with_key(&app.session_key()[..]),
        }
    }

    fn with_key(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock is a port: `read` compares by it, and the session's row has the last word.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
        }
    }

    /// The token of a session.
    pub(crate) fn sign(&self, session: &Session) -> Result<String> {
        let claims = Claims {
            sub: session.user_id.to_string(),
            jti: session.id.to_string(),
            iat: session.created_at.timestamp(),
            exp: session.expires_at.timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(
            |error| Error::internal("a session token could not be signed").with_source(error),
        )
    }

    /// The session that a token names, if it was signed here and is not over.
    pub(crate) fn read(&self, token: &str, now: Timestamp) -> Result<SessionId> {
        let refused = || Error::unauthenticated("the session is over or not known; sign in again");
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| refused())?
            .claims;
        if claims.exp <= now.timestamp() {
            return Err(refused());
        }
        claims.jti.parse().map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backupx_core::domain::id::UserId;
    use chrono::{DateTime, Duration};

    fn session() -> Session {
        let now = DateTime::UNIX_EPOCH;
        Session {
            id: SessionId(7),
            user_id: UserId(3),
            created_at: now,
            expires_at: now + Duration::hours(12),
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_opens_only_with_its_key_and_before_its_end() {
        let tokens = SessionTokens::with_key(&[7; 32]);
        let session = session();
        let token = tokens.sign(&session).expect("signs");
        let now = session.created_at;
        assert_eq!(tokens.read(&token, now).expect("opens"), session.id);
        assert!(tokens.read(&token, session.expires_at).is_err());
        assert!(SessionTokens::with_key(&[8; 32]).read(&token, now).is_err());
    }

    #[test]
    fn unsigned_and_broken_tokens_are_refused() {
        let tokens = SessionTokens::with_key(&[7; 32]);
        let now = DateTime::UNIX_EPOCH;
        // Header {"alg":"none"} and a body that names session 7, without a signature.
        let unsigned =
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIzIiwianRpIjoiNyIsImlhdCI6MCwiZXhwIjo5OTk5OTk5OTk5fQ.";
        for token in [unsigned, "", "a.b.c", &"x".repeat(10_000)] {
            assert!(tokens.read(token, now).is_err(), "{token}");
        }
    }
}
