//! Pages: how every list is asked for and answered.

use serde::{Deserialize, Serialize};

/// Which part of a list: at most `limit` items behind the key `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most, 1 to 500.
    pub limit: u32,
    /// The id of the last item of the page before; the list's own order decides what "behind" means.
    pub after: Option<i64>,
}

impl PageRequest {
    /// Items of a page when nobody says.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// Most items of a page.
    pub const MAX_LIMIT: u32 = 500;

    /// The first page of at most `limit` items.
    pub fn first(limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, Self::MAX_LIMIT),
            after: None,
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first(Self::DEFAULT_LIMIT)
    }
}

/// A part of a list and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The key to ask behind for more; nothing when this was the last page.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` rows that were read: the row too many only says that there is more.
    pub fn from_rows(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> i64) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }

    /// The same page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}
