//! Callers: the middleware that proves them, and the extractors by which a handler says what it needs.
//!
//! Every route of a group behind [`person`] or [`agent`] is closed to whoever proves nothing, whatever its handler asks for; and a
//! handler gets a principal only through an extractor that names a role.

use crate::auth::credential::{Credential, bearer, nothing_shown};
use crate::auth::origin;
use crate::problem::{Answer, Failure};
use crate::state::Http;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use backupx_core::Error;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::NodeId;

/// A person or script that was proven, with what proved it.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) principal: Principal,
    pub(crate) credential: Credential,
}

/// Proves the person behind a request.
pub(crate) async fn person(
    State(http): State<Http>,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    let credential = Credential::of(request.headers()).ok_or_else(nothing_shown)?;
    if matches!(credential, Credential::Cookie(_)) {
        origin::check(request.method(), request.headers(), &http.options)?;
    }
    let principal = credential.prove(&http).await?;
    tracing::Span::current().record("user", principal.username.as_str());
    request.extensions_mut().insert(Person {
        principal,
        credential,
    });
    Ok(next.run(request).await)
}

/// Proves the node behind a request.
pub(crate) async fn agent(
    State(http): State<Http>,
    mut request: Request,
    next: Next,
) -> Answer<Response> {
    let token = bearer(request.headers()).ok_or_else(|| {
        Error::unauthenticated("send the node's token as Authorization: Bearer …")
    })?;
    let node = http.app.node_of_token(token).await?;
    tracing::Span::current().record("node.id", node.0);
    request.extensions_mut().insert(AgentNode(node));
    Ok(next.run(request).await)
}

/// The agent of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentNode(pub(crate) NodeId);

impl<S: Send + Sync> FromRequestParts<S> for AgentNode {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let node = parts.extensions.get::<Self>().copied();
        node.ok_or_else(|| Error::unauthenticated("only agents may ask this").into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let person = parts.extensions.get::<Self>().cloned();
        person.ok_or_else(|| nothing_shown().into())
    }
}

/// Makes an extractor for callers of at least one role.
macro_rules! caller {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub(crate) Principal);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Failure;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
                let person = Person::from_request_parts(parts, state).await?;
                person.principal.require($role)?;
                Ok(Self(person.principal))
            }
        }
    };
}

caller!(
    /// Somebody who may see.
    Viewer,
    Role::Viewer
);
caller!(
    /// Somebody who may run, cancel, verify and restore.
    Operator,
    Role::Operator
);
caller!(
    /// Somebody who may change everything.
    Admin,
    Role::Admin
);
