//! The console's files, out of the binary.

use crate::problem::{Answer, Failure};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

/// `web/dist` as it was when this crate was built; `build.rs` makes sure that there is one.
#[derive(Embed)]
#[folder = "../../web/dist"]
struct Assets;

/// What the console's pages may do: load from here, talk to here, be framed by nobody.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Answers a file of the console, or its page for addresses that the page itself routes.
pub(crate) fn serve(request: &Request) -> Answer<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "the console's files can only be read",
        ));
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(file) = Assets::get(path) {
        return Ok(answer(request, path, &file));
    }
    let is_page = !path.rsplit('/').next().unwrap_or(path).contains('.');
    match Assets::get("index.html") {
        Some(page) if is_page => Ok(answer(request, "index.html", &page)),
        _ => Err(Failure::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "the console has no such file",
        )),
    }
}

fn answer(request: &Request, path: &str, file: &EmbeddedFile) -> Response {
    let hash = hex::encode(file.metadata.sha256_hash());
    let tag = format!("\"{}\"", &hash[..32]);
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.contains(&tag));
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(file.data.clone().into_owned()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type(file));
    headers.insert(header::CACHE_CONTROL, caching(path));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn media_type(file: &EmbeddedFile) -> HeaderValue {
    let text = match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Files below `assets/` carry their hash in their name and never change.
fn caching(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Answer<Response> {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        serve(&request)
    }

    #[test]
    fn addresses_of_the_console_get_its_page() {
        for path in ["/", "/nodes", "/records/7"] {
            let response = get(path).expect("the page");
            assert_eq!(
                response.headers()[header::CONTENT_TYPE],
                "text/html; charset=utf-8"
            );
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        }
    }

    #[test]
    fn missing_files_are_no_page() {
        assert!(get("/assets/nothing.js").is_err());
        assert!(get("/../Cargo.toml").is_err());
    }

    #[test]
    fn a_known_page_is_not_sent_again() {
        let tag = get("/").expect("the page").headers()[header::ETAG].clone();
        let request = Request::get("/")
            .header(header::IF_NONE_MATCH, tag)
            .body(Body::empty())
            .expect("a request");
        assert_eq!(
            serve(&request).expect("an answer").status(),
            StatusCode::NOT_MODIFIED
        );
    }
}
