//! The HTTP face of the master: REST v1, the agent protocol, live streams, metrics and the console.
//!
//! The only crate that knows axum. [`router`] builds everything that is served; [`serve`] listens, and with the feature `lambda` a
//! function answers with the same router. A handler extracts, calls one use-case of `backupx-app` and answers; who asks is proven before
//! any handler runs, and every failure becomes problem details in one place.

mod auth;
mod console;
mod extract;
mod idempotency;
#[cfg(feature = "lambda")]
mod lambda;
mod live;
mod metrics;
mod openapi;
mod options;
mod page;
mod precondition;
mod present;
mod problem;
mod remote;
mod request;
mod router;
mod routes;
mod serve;
mod state;

#[cfg(feature = "lambda")]
pub use lambda::serve_function;
pub use openapi::openapi_json;
pub use options::{Door, HttpOptions};
pub use remote::TrustedProxies;
pub use router::router;
pub use serve::serve;
