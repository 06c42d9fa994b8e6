//! Entity tags: two editors can't overwrite each other unseen.

use crate::problem::{Answer, Failure};
use axum::extract::FromRequestParts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};

/// The version that an update was made from, out of `If-Match`.
pub(crate) struct IfMatch(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(tag) = parts.headers.get(header::IF_MATCH) else {
            return Err(Failure::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if_match_required",
                "read the thing first and send its ETag as If-Match, so that nobody's change is overwritten unseen",
            ));
        };
        version(tag).map(Self)
    }
}

fn version(tag: &HeaderValue) -> Answer<i64> {
    let text = tag.to_str().unwrap_or_default().trim();
    text.strip_prefix("W/")
        .unwrap_or(text)
        .trim_matches('"')
        .parse()
        .map_err(|_| {
            Failure::new(
                StatusCode::PRECONDITION_FAILED,
                "stale_version",
                "If-Match is not an ETag of this thing; read it again and send the ETag that it has now",
            )
        })
}

/// The `ETag` header of a version.
pub(crate) fn etag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    let tag = HeaderValue::try_from(format!("\"{version}\""))
        .expect("a number in quotes is a valid header");
    [(header::ETAG, tag)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_survive_the_way_out_and_in() {
        let [(_, tag)] = etag(42);
        assert_eq!(version(&tag).expect("a tag"), 42);
        assert!(version(&HeaderValue::from_static("\"abc\"")).is_err());
        assert!(version(&HeaderValue::from_static("*")).is_err());
    }
}
