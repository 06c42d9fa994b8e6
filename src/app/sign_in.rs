//! Sign-in: proving who asks, by password, session or API key.

use crate::app::span;
use crate::vault::token_hash;
use crate::{App, UserView};
use backupx_core::domain::account::{Principal, Session};
use backupx_core::domain::id::SessionId;
use backupx_core::domain::name::Name;
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
        let by_user = guard_of_user(username);
        let by_address = format!("address:{remote_addr}");
        self.check_guard(&[&by_user, &by_address]).await?;
        self.count_try(&by_user).await?;
        let user = self.ports.users.by_username(username).await?;
        let hash = user
            .as_ref()
            .filter(|user| !user.disabled)
            .map(|user| user.password_hash.clone());
        let matches = self.passwords.matches(password, hash).await?;
        let Some(user) = user.filter(|_| matches) else {
            self.count_try(&by_address).await?;
            tracing::warn!(remote_addr, "a sign-in was refused");
            return Err(Error::unauthenticated(
                "the username or the password is wrong",
            ));
        };
        self.clear_guard(&by_user).await?;
        let now = self.now();
        let session = self
            .ports
            .sessions
            .add(user.id, now, now + span(self.settings.session_ttl))
            .await?;
        tracing::info!(user.id = user.id.0, remote_addr, "signed in");
        Ok(SignedIn {
            session,
            user: user.into(),
        })
    }

    /// Who is behind a session; `Unauthenticated` when it does not hold.
    pub async fn principal_of_session(&self, id: SessionId) -> Result<Principal> {
        let (session, user) = self
            .ports
            .sessions
            .live(id, self.now())
            .await?
            .ok_or_else(|| Error::unauthenticated("the session has ended; sign in again"))?;
        Ok(Principal {
            user_id: user.id,
            username: user.username.into(),
            role: user.role,
            session_id: Some(session.id),
        })
    }

    /// Who is behind an API key (`bxk_…`); `Unauthenticated` when it does not hold.
    pub async fn principal_of_api_key(&self, key: &str) -> Result<Principal> {
        let (key, user) = self
            .ports
            .api_keys
            .live(&token_hash(key), self.now())
            .await?
            .ok_or_else(|| Error::unauthenticated("the API key is not (or no longer) good"))?;
        Ok(Principal {
            user_id: user.id,
            username: user.username.into(),
            role: user.role.min(key.role),
            session_id: None,
        })
    }

    /// Ends the session that the principal came with; nothing to do for an API key.
    pub async fn sign_out(&self, principal: &Principal) -> Result<()> {
        if let Some(session) = principal.session_id {
            // A session that was ended already is what was asked for.
            self.ports.sessions.revoke(session, self.now()).await?;
        }
        Ok(())
    }
}

/// The guard's key of a username: compared without case, as the name is, and cut so that nobody fills the store with it.
pub(crate) fn guard_of_user(username: &str) -> String {
    let name: String = username.chars().take(Name::MAX_CHARS).collect();
    format!("user:{}", name.to_lowercase())
}
