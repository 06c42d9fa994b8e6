//! The description of the API, from the same list that routes requests.

use axum::extract::Request;
use axum::http::header;
use axum::response::IntoResponse;
use backupx_api::problem::{FieldProblem, Problem};
use std::future::{Ready, ready};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, Required, ResponseBuilder};

/// Where it is served.
pub(crate) const PATH: &str = "/api/v1/openapi.json";

/// What stands above the routes.
pub(crate) fn head() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(
        info(
            title = "BackupX",
            version = "1",
            description = "REST v1 for people and scripts, and the protocol of agents. JSON in camelCase, times in RFC 3339 UTC, sizes in bytes. Each operation names the role that it needs as the scope of `bearer`; agents sign in with their node's token. Failures are problem details (RFC 9457) with a stable `code`.",
            license(name = "Apache-2.0", identifier = "Apache-2.0"),
        ),
        components(schemas(Problem, FieldProblem))
    )]
    struct Head;
    <Head as utoipa::OpenApi>::openapi()
}

/// Adds what holds for all operations: how they fail, and which headers they take.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    for (name, what) in [
        (
            "bearer",
            "A session token or an API key `bxk_…`. Browsers send the session as a cookie.",
        ),
        ("node", "A node's token."),
    ] {
        let scheme = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(what))
            .build();
        components.add_security_scheme(name, SecurityScheme::Http(scheme));
    }
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.head, &mut item.delete] {
            operation.iter_mut().for_each(add_problem);
        }
        for operation in [&mut item.put, &mut item.patch] {
            operation.iter_mut().for_each(|operation| {
                add_problem(operation);
                add_if_match(operation);
            });
        }
        for operation in item.post.iter_mut() {
            add_problem(operation);
            add_idempotency_key(operation);
        }
    }
    document
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let response = ResponseBuilder::new()
        .description("What went wrong, as problem details.")
        .content(Problem::MEDIA_TYPE, content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), response.into());
}

/// Updates answer 412 when they are late; that is how those are told that need the header.
fn add_if_match(operation: &mut Operation) {
    if operation.responses.responses.contains_key("412") {
        let what = "The ETag of the thing as it was read.";
        add_header(operation, "If-Match", what, Required::True);
    }
}

fn add_idempotency_key(operation: &mut Operation) {
    if is_for_people(operation) {
        let what = "1 to 200 characters. The same request under the same key is carried out once.";
        add_header(operation, "Idempotency-Key", what, Required::False);
    }
}

fn is_for_people(operation: &Operation) -> bool {
    let text = serde_json::to_string(&operation.security).unwrap_or_default();
    text.contains("\"bearer\"")
}

fn add_header(operation: &mut Operation, name: &str, what: &str, required: Required) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(what))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(parameter.into());
}

/// The description as text, as it is kept beside the console.
pub fn openapi_json() -> String {
    text(&crate::router::described())
}

fn text(document: &OpenApi) -> String {
    let mut text = document
        .to_pretty_json()
        .expect("the description is made of strings and maps");
    text.push('\n');
    text
}

/// A handler that answers the description.
pub(crate) fn serve(
    document: OpenApi,
) -> impl Fn(Request) -> Ready<axum::response::Response> + Clone + Send + Sync + 'static {
    let text: axum::body::Bytes = text(&document).into();
    move |_| ready(([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response())
}
