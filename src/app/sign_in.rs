//! Sign-in: proving who asks, by password, session or API key.

use crate::{App, UserView};
use backupx_core::domain::account::{Principal, Session};
use backupx_core::domain::id::SessionId;
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// A sign-in that held.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session; its id goes into the token.
    pub session: Session,
    /// Whose it is.
    pub user: UserView,
}

impl App {
    /// Signs in. `Unauthenticated` for a wrong name or password alike, `TooManyRequests` (`too_many_sign_ins`) after five failures in
    /// 15 minutes of one name or one address.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &SecretString,
        remote_addr: &str,
    ) -> Result<SignedIn> {
        Err(Error::internal("not built yet"))
    }

    /// Who is behind a session; `Unauthenticated` when it does not hold.
    pub async fn principal_of_session(&self, id: SessionId) -> Result<Principal> {
        Err(Error::internal("not built yet"))
    }

    /// Who is behind an API key (`bxk_…`); `Unauthenticated` when it does not hold.
    pub async fn principal_of_api_key(&self, key: &str) -> Result<Principal> {
        Err(Error::internal("not built yet"))
    }

    /// Ends the session that the principal came with; nothing to do for an API key.
    pub async fn sign_out(&self, principal: &Principal) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
