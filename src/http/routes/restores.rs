//! Restores: getting files back.

use super::replies::accepted;
use crate::auth::caller::Operator;
use crate::extract::Json;
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use axum::response::Response;
use backupx_api::operations::{Operation, RestoreRequest};
use backupx_app::{App, WithSecrets};
use backupx_core::domain::id::{NodeId, RecordId};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(restore))
}

/// Has files of a record put back on a node. The answer's operation tells how it goes.
#[utoipa::path(post, path = "/api/v1/restores", tag = "restores", security(("bearer" = ["operator"])), responses((status = 202, body = Operation)))]
async fn restore(
    State(app): State<Arc<App>>,
    Operator(principal): Operator,
    Json(input): Json<RestoreRequest>,
) -> Answer<Response> {
    let record = RecordId(input.record_id);
    let node = input.node_id.map(NodeId);
    let wanted = WithSecrets {
        secrets: input.secrets.0.clone(),
        spec: input.spec(),
    };
    let operation = app.restore_record(&principal, record, node, wanted).await?;
    let location = format!("/api/v1/operations/{}", operation.id);
    Ok(accepted(location, Operation::from(operation)))
}
