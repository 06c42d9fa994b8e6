//! Kinds of storage and their settings.

use crate::auth::caller::Viewer;
use crate::extract::Json;
use crate::state::Http;
use backupx_api::page::Page;
use backupx_api::target_types::TargetType;
use backupx_core::domain::target::TargetKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::default().routes(routes!(list_target_types))
}

/// Kinds of storage and what can be set of them.
#[utoipa::path(get, path = "/api/v1/target-types", tag = "targets", security(("bearer" = ["viewer"])), responses((status = 200, body = Page<TargetType>)))]
async fn list_target_types(_viewer: Viewer) -> Json<Page<TargetType>> {
    // Few enough to stand on one page.
    Json(Page {
        items: TargetKind::all().map(Into::into).collect(),
        next_cursor: None,
    })
}
