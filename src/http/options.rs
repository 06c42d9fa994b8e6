//! What the host decides about the HTTP face.

use crate::TrustedProxies;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

/// The door that requests come in by, which decides how long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// A listener of this process: an answer may stay open, as live streams do.
    #[default]
    Listener,
    /// A function that lives for one request: an answer says what there is and ends.
    Function,
}

/// Settings of the HTTP face.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Signs session tokens; nothing means a key derived from the root key.
    pub jwt_secret: Option<SecretString>,
    /// The URL that browsers and agents use. With `https:` cookies are sent over TLS alone.
    pub external_url: Option<String>,
    /// The door that requests come in by.
    pub door: Door,
    /// Who is believed about where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// Whether agents may stream objects through this process.
    pub relay: bool,
    /// Cancelled when the process begins to stop: polls answer at once, live streams end, `/ready` says no.
    pub shutdown: CancellationToken,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            jwt_secret: None,
            external_url: None,
            door: Door::default(),
            trusted_proxies: TrustedProxies::default(),
            relay: true,
            shutdown: CancellationToken::new(),
        }
    }
}

impl HttpOptions {
    /// True when browsers come over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.external_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https:"))
    }
}
