//! Nodes: servers that run work.

use super::replies::{created, tagged};
use crate::auth::caller::{Admin, Operator, Viewer};
use crate::extract::{Json, Path, Query};
use crate::idempotency::ShownOnce;
use crate::page::{named_page, page_request};
use crate::precondition::IfMatch;
use crate::present;
use crate::problem::Answer;
use crate::state::Http;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use backupx_api::nodes::{BrowseQuery, Node, NodeInput, NodeToken};
use backupx_api::page::{NamedQuery, Page};
use backupx_api::reports::Listing;
use backupx_app::{AddedNode, App};
use backupx_core::domain::id::NodeId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(list_nodes, add_node))
        .routes(routes!(show_node, update_node, remove_node))
        .routes(routes!(rotate_node_token))
        .routes(routes!(browse_node))
}

/// Nodes by id.
#[utoipa::path(get, path = "/api/v1/nodes", tag = "nodes", params(NamedQuery), security(("bearer" = ["viewer"])), responses((status = 200, body = Page<Node>)))]
async fn list_nodes(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Query(query): Query<NamedQuery>,
) -> Answer<Json<Page<Node>>> {
    let page = page_request(query.limit, query.cursor.as_deref())?;
    let nodes = match &query.name {
        Some(name) => named_page(app.node_named(&principal, name).await)?,
        None => app.nodes(&principal, page).await?,
    };
    Ok(Json(Page::of(nodes, present::node)))
}

/// Adds a node. The answer shows its token this once.
#[utoipa::path(post, path = "/api/v1/nodes", tag = "nodes", security(("bearer" = ["admin"])), responses((status = 201, body = NodeToken)))]
async fn add_node(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Json(input): Json<NodeInput>,
) -> Answer<Response> {
    let added = app.add_node(&principal, &input.name, &input.labels).await?;
    let location = format!("/api/v1/nodes/{}", added.node.node.id);
    let reply = created(location, present::added_node(&added));
    Ok((Extension(ShownOnce), reply).into_response())
}

/// One node.
#[utoipa::path(get, path = "/api/v1/nodes/{id}", tag = "nodes", security(("bearer" = ["viewer"])), responses((status = 200, body = Node)))]
async fn show_node(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let view = app.node(&principal, NodeId(id)).await?;
    Ok(tagged(view.node.version, present::node(view)))
}

/// Changes name and labels.
#[utoipa::path(put, path = "/api/v1/nodes/{id}", tag = "nodes", security(("bearer" = ["admin"])), responses((status = 200, body = Node), (status = 412, description = "Somebody else changed it first.")))]
async fn update_node(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(input): Json<NodeInput>,
) -> Answer<Response> {
    let view = app
        .update_node(&principal, NodeId(id), version, &input.name, &input.labels)
        .await?;
    Ok(tagged(view.node.version, present::node(view)))
}

/// Removes a node that nothing hangs on.
#[utoipa::path(delete, path = "/api/v1/nodes/{id}", tag = "nodes", security(("bearer" = ["admin"])), responses((status = 204)))]
async fn remove_node(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<StatusCode> {
    app.remove_node(&principal, NodeId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a node a new token, shown this once. The one before is taken for 24 hours more.
#[utoipa::path(post, path = "/api/v1/nodes/{id}/rotate-token", tag = "nodes", security(("bearer" = ["admin"])), responses((status = 200, body = NodeToken)))]
async fn rotate_node_token(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Answer<Response> {
    let node = app.node(&principal, NodeId(id)).await?;
    let token = app.rotate_node_token(&principal, NodeId(id)).await?;
    let reply = Json(present::added_node(&AddedNode { node, token }));
    Ok((Extension(ShownOnce), reply).into_response())
}

/// Lists a folder of a node.
#[utoipa::path(get, path = "/api/v1/nodes/{id}/browse", tag = "nodes", params(BrowseQuery), security(("bearer" = ["operator"])), responses((status = 200, body = Listing)))]
async fn browse_node(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Path(id): Path<i64>,
    Query(query): Query<BrowseQuery>,
) -> Answer<Json<Listing>> {
    let path = query.path.as_deref().unwrap_or("/");
    let listing = app.browse(&principal, NodeId(id), path).await?;
    Ok(Json(listing.into()))
}
