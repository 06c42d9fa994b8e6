//! The session cookie of browsers: out of reach for scripts, never sent along from other sites.

use crate::HttpOptions;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use backupx_core::{Error, Result};

const NAME: &str = "backupx_session";

/// The session token in a request's cookies.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == NAME && !value.is_empty())
        .map(|(_, value)| value)
}

/// The header that stores a token in the browser for so long.
pub(crate) fn store(
    options: &HttpOptions,
    token: &str,
    max_age_secs: i64,
) -> Result<[(HeaderName, HeaderValue); 1]> {
    let secure = if options.is_secure() { "; Secure" } else { "" };
    let text = format!(
        "{NAME}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_secs}{secure}"
    );
    let mut value = HeaderValue::try_from(text)
        .map_err(|error| Error::internal("a token does not fit a cookie").with_source(error))?;
    value.set_sensitive(true);
    Ok([(header::SET_COOKIE, value)])
}

/// The header that makes the browser forget the token.
pub(crate) fn forget(options: &HttpOptions) -> Result<[(HeaderName, HeaderValue); 1]> {
    store(options, "", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("theme=dark; backupx_session=abc"),
        );
        assert_eq!(session_token(&headers), Some("abc"));
        headers.clear();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("x_backupx_session=abc; backupx_session="),
        );
        assert_eq!(session_token(&headers), None);
    }

    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites() {
        let text = |options: &HttpOptions| {
            let [(_, value)] = store(options, "abc", 60).expect("a header");
            value.to_str().expect("text").to_owned()
        };
        let plain = text(&HttpOptions::default());
        assert!(plain.contains("HttpOnly; SameSite=Strict") && !plain.contains("Secure"));
        let secure = HttpOptions {
            external_url: Some("https://backup.example".to_owned()),
            ..HttpOptions::default()
        };
        assert!(text(&secure).ends_with("; Secure"));
    }
}
