//! Pages: limits and cursors as they come in.

use crate::problem::{Answer, Failure};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::{ErrorKind, Result};

/// The page that a query asks for; the cursor is the id of the last item of the page before.
pub(crate) fn page_request(limit: Option<u32>, cursor: Option<&str>) -> Answer<PageRequest> {
    Ok(PageRequest {
        limit: page_limit(limit)?,
        after: cursor.map(id_cursor).transpose()?,
    })
}

/// How many items a query asks for.
pub(crate) fn page_limit(limit: Option<u32>) -> Answer<u32> {
    let limit = limit.unwrap_or(PageRequest::DEFAULT_LIMIT);
    if (1..=PageRequest::MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Failure::field(
        "limit",
        format!("must be 1 to {}", PageRequest::MAX_LIMIT),
    ))
}

/// A cursor that is an id.
pub(crate) fn id_cursor(cursor: &str) -> Answer<i64> {
    cursor
        .parse()
        .ok()
        .filter(|id| *id >= 0)
        .ok_or_else(|| Failure::field("cursor", "must be the nextCursor of a page before"))
}

/// The list of things of one name: one or none.
pub(crate) fn named_page<T>(found: Result<T>) -> Result<Page<T>> {
    let items = match found {
        Ok(item) => vec![item],
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(Page { items, next: None })
}
