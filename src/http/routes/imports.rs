//! Imports: backups that lie on a target, taken over, and the keys that open them.

use crate::auth::caller::{Admin, Viewer};
use crate::extract::{Json, OptionalJson, Path};
use crate::problem::Answer;
use crate::state::Http;
use axum::extract::State;
use backupx_api::imports::{
    ImportRequest, ImportStep, RecoveryKey, RecoveryKeyCreate, SkippedFolder,
};
use backupx_api::page::Page;
use backupx_app::App;
use backupx_core::domain::id::{NodeId, TargetId};
use secrecy::SecretString;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default()
        .routes(routes!(import))
        .routes(routes!(list_keys, add_key))
}

/// Takes over up to 500 backups that lie on a target. To be repeated with `next` until there is none.
#[utoipa::path(post, path = "/api/v1/targets/{id}/import", tag = "targets", request_body = Option<ImportRequest>, security(("bearer" = ["admin"])), responses((status = 200, body = ImportStep)))]
async fn import(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    OptionalJson(input): OptionalJson<ImportRequest>,
) -> Answer<Json<ImportStep>> {
    let node = input.node_id.map(NodeId);
    let step = app
        .import_step(&principal, TargetId(id), node, input.after, input.dry_run)
        .await?;
    Ok(Json(presented(step)))
}

/// Public keys of what this master can open: its own, and those that were added.
#[utoipa::path(get, path = "/api/v1/recovery-keys", tag = "recovery-keys", security(("bearer" = ["viewer"])), responses((status = 200, body = Page<RecoveryKey>)))]
async fn list_keys(
    State(app): State<Arc<App>>,
    Viewer(principal): Viewer,
) -> Answer<Json<Page<RecoveryKey>>> {
    let known = app.recipients_known(&principal).await?;
    let items = known
        .into_iter()
        .enumerate()
        .map(|(at, recipient)| RecoveryKey {
            recipient,
            own: at == 0,
        });
    Ok(Json(Page {
        items: items.collect(),
        next_cursor: None,
    }))
}

/// Adds the key of another master, so that its backups open here. It goes in and never comes out, but in the recovery kit.
#[utoipa::path(post, path = "/api/v1/recovery-keys", tag = "recovery-keys", security(("bearer" = ["admin"])), responses((status = 200, body = RecoveryKey)))]
async fn add_key(
    State(app): State<Arc<App>>,
    Admin(principal): Admin,
    Json(input): Json<RecoveryKeyCreate>,
) -> Answer<Json<RecoveryKey>> {
    let identity = SecretString::from(input.identity);
    let recipient = app.add_key(&principal, &identity).await?;
    let own = app.organisation_recipient().await? == recipient;
    Ok(Json(RecoveryKey { recipient, own }))
}

fn presented(step: backupx_app::ImportStep) -> ImportStep {
    let adopted = step.adopted;
    let skipped = step.skipped.into_iter().map(|skipped| SkippedFolder {
        location: skipped.location.into(),
        reason: skipped.reason,
    });
    ImportStep {
        found: step.found,
        records: adopted.records,
        copies: adopted.copies,
        known: adopted.known,
        tasks: adopted.tasks,
        nodes: adopted.nodes,
        skipped: skipped.collect(),
        unknown_keys: step.unknown_keys.into_iter().collect(),
        next: step.next.map(Into::into),
    }
}
