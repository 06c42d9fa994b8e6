//! Values on their way in and out of columns: integers, text, instants and JSON.

use crate::error::{store, unreadable};
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use chrono::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Reads columns by name as what the domain calls them.
pub(crate) trait Columns {
    /// An integer.
    fn int(&self, column: &str) -> Result<i64>;
    /// A text.
    fn text(&self, column: &str) -> Result<String>;
    /// An integer that may be absent.
    fn optional_int(&self, column: &str) -> Result<Option<i64>>;
    /// A text that may be absent.
    fn optional_text(&self, column: &str) -> Result<Option<String>>;

    /// A count.
    fn count(&self, column: &str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(|why| unreadable(column, why))
    }

    /// Zero or one.
    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// An instant.
    fn time(&self, column: &str) -> Result<Timestamp> {
        instant(column, self.int(column)?)
    }

    /// An instant that may be absent.
    fn optional_time(&self, column: &str) -> Result<Option<Timestamp>> {
        self.optional_int(column)?
            .map(|micros| instant(column, micros))
            .transpose()
    }

    /// A value that is stored as JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        parse(column, &self.text(column)?)
    }

    /// A value that is stored as JSON and may be absent.
    fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        self.optional_text(column)?
            .map(|text| parse(column, &text))
            .transpose()
    }
}

impl Columns for AnyRow {
    fn int(&self, column: &str) -> Result<i64> {
        self.try_get(column).map_err(store)
    }

    fn text(&self, column: &str) -> Result<String> {
        self.try_get(column).map_err(store)
    }

    fn optional_int(&self, column: &str) -> Result<Option<i64>> {
        self.try_get(column).map_err(store)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>> {
        self.try_get(column).map_err(store)
    }
}

/// An instant as it is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// An instant that may be absent, as it is stored.
pub(crate) fn optional_micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(micros)
}

/// A value as it is stored.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|why| Error::internal("a value can't be written as JSON").with_source(why))
}

/// A value that may be absent, as it is stored.
pub(crate) fn optional_json<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value.map(json).transpose()
}

/// A count as it is stored; more than a database can count is the most that it can.
pub(crate) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn instant(column: &str, micros: i64) -> Result<Timestamp> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| unreadable(column, "it is no instant"))
}

fn parse<T: DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|why| unreadable(column, why))
}
