//! Where a browser's request comes from: a write that is signed in by cookie must come from the console itself.

use crate::HttpOptions;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use backupx_core::{Error, Result};

/// Refuses a write that another site made a browser send. `Sec-Fetch-Site` decides where a browser sends it, else `Origin`.
pub(crate) fn check(method: &Method, headers: &HeaderMap, options: &HttpOptions) -> Result<()> {
    if method.is_safe() || comes_from_here(headers, options) {
        return Ok(());
    }
    Err(Error::forbidden(
        "wrong_origin",
        "a request that is signed in by cookie must come from the console itself; scripts send an API key",
    ))
}

/// Refuses a sign-in that another site made a browser send: it would put its own session into that browser.
pub(crate) fn check_sign_in(headers: &HeaderMap) -> Result<()> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Error::forbidden(
            "wrong_origin",
            "sign in from the console itself",
        )),
    }
}

fn comes_from_here(headers: &HeaderMap, options: &HttpOptions) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_own(origin, text(header::HOST.as_str()), options),
        (None, None) => false,
    }
}

fn is_own(origin: &str, host: Option<&str>, options: &HttpOptions) -> bool {
    let external = options
        .external_url
        .as_deref()
        .map(|url| url.trim_end_matches('/'));
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    external.is_some_and(|url| url == origin || url.starts_with(&format!("{origin}/")))
        || (authority.is_some() && authority == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)]) -> bool {
        let options = HttpOptions {
            external_url: Some("https://backup.example/".to_owned()),
            ..HttpOptions::default()
        };
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        check(&Method::POST, &headers, &options).is_ok()
    }

    #[test]
    fn writes_by_cookie_come_from_the_console_alone() {
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "https://backup.example")]));
        assert!(allowed(&[
            ("origin", "http://10.0.0.1:8340"),
            ("host", "10.0.0.1:8340")
        ]));
        assert!(!allowed(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://backup.example")
        ]));
        assert!(!allowed(&[("sec-fetch-site", "same-site")]));
        assert!(!allowed(&[
            ("origin", "https://evil.example"),
            ("host", "10.0.0.1:8340")
        ]));
        assert!(!allowed(&[(
            "origin",
            "https://backup.example.evil.example"
        )]));
        assert!(!allowed(&[("origin", "null"), ("host", "10.0.0.1:8340")]));
        assert!(!allowed(&[]));
    }
}
