//! What every handler can reach: the use-cases, the settings, the keys and the counters.

use crate::HttpOptions;
use crate::auth::tokens::SessionTokens;
use crate::metrics::Metrics;
use axum::extract::FromRef;
use backupx_app::App;
use std::sync::Arc;

/// The shared state of the router.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: Arc<App>,
    pub(crate) options: HttpOptions,
    pub(crate) tokens: SessionTokens,
    pub(crate) metrics: Metrics,
}

impl Http {
    pub(crate) fn new(app: Arc<App>, options: HttpOptions) -> Self {
        let tokens = SessionTokens::new(&app, options.jwt_secret.as_ref());
        Self(Arc::new(Inner {
            app,
            options,
            tokens,
            metrics: Metrics::default(),
        }))
    }
}

impl std::ops::Deref for Http {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl FromRef<Http> for Arc<App> {
    fn from_ref(http: &Http) -> Self {
        Arc::clone(&http.app)
    }
}
