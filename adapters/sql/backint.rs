//! The catalogue of Backint objects: a SQLite file that several processes of one host share, and that may be lost.

use crate::engine::Engine;
use crate::error::store;
use crate::migrate::Migration;
use crate::row::{Columns, count, micros};
use crate::sqlite::{self, Pools};
use async_trait::async_trait;
use backupx_core::domain::backint::Ebid;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::backint::{Catalogue, CatalogueEntry, Writer};
use backupx_core::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use std::path::Path;

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "catalogue",
    sql: include_str!("../../migrations/backint/0001_catalogue.sql"),
}];

const BEGIN: &str = "INSERT INTO begun (place, location, host, process) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (place, location) DO UPDATE SET host = excluded.host, process = excluded.process";
const BEGUN: &str =
    "SELECT location, host, process FROM begun WHERE place = $1 ORDER BY location LIMIT $2";
const KEEP: &str = "INSERT INTO objects (place, location, ebid, user_id, name, size, stored_bytes, sha256, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (place, location) DO NOTHING";
const FIND: &str = "SELECT location, ebid, user_id, name, size, stored_bytes, sha256, created_at FROM objects \
    WHERE place = $1 AND ebid = $2 ORDER BY location LIMIT 1";
const BELOW: &str = "SELECT location, ebid, user_id, name, size, stored_bytes, sha256, created_at FROM objects \
    WHERE place = $1 AND location > $2 AND location < $3 ORDER BY location LIMIT $4";
const FORGET_BEGUN: &str = "DELETE FROM begun WHERE place = $1 AND location = $2";
const FORGET_OBJECT: &str = "DELETE FROM objects WHERE place = $1 AND location = $2";

/// Rows that one question answers.
const PAGE: i64 = 1000;

/// The catalogue of one place of storage.
#[derive(Debug)]
pub struct BackintCatalogue {
    pools: Pools,
    place: String,
}

impl BackintCatalogue {
    /// Opens the file at `path`, makes it when it is missing, and brings its schema up to date. `place` says which storage is meant: a
    /// file may hold the objects of several.
    pub async fn open(path: &Path, place: impl Into<String>) -> Result<Self> {
        sqlx::any::install_default_drivers();
        Ok(Self {
            pools: sqlite::open(path, MIGRATIONS).await?,
            place: place.into(),
        })
    }

    async fn writing(&self) -> Result<Transaction<'_, Any>> {
        let begun = self.pools.writer.begin_with(Engine::Sqlite.begin());
        begun.await.map_err(store)
    }
}

#[async_trait]
impl Catalogue for BackintCatalogue {
    async fn begin(&self, location: &ObjectKey, writer: &Writer) -> Result<()> {
        sqlx::query(BEGIN)
            .bind(&self.place)
            .bind(location.as_str())
            .bind(&writer.host)
            .bind(&writer.process)
            .execute(&self.pools.writer)
            .await
            .map(drop)
            .map_err(store)
    }

    async fn begun(&self) -> Result<Vec<(ObjectKey, Writer)>> {
        let rows = sqlx::query(BEGUN)
            .bind(&self.place)
            .bind(PAGE)
            .fetch_all(&self.pools.reader)
            .await
            .map_err(store)?;
        let begun = |row: &AnyRow| {
            Ok((
                ObjectKey::parse(&row.text("location")?)?,
                Writer {
                    host: row.text("host")?,
                    process: row.text("process")?,
                },
            ))
        };
        rows.iter().map(begun).collect()
    }

    async fn keep(&self, entries: &[CatalogueEntry]) -> Result<()> {
        let mut transaction = self.writing().await?;
        for entry in entries {
            sqlx::query(KEEP)
                .bind(&self.place)
                .bind(entry.location.as_str())
                .bind(entry.ebid.as_str())
                .bind(&entry.user)
                .bind(&entry.name)
                .bind(count(entry.size))
                .bind(count(entry.stored_bytes))
                .bind(&entry.sha256)
                .bind(micros(entry.created_at))
                .execute(&mut *transaction)
                .await
                .map_err(store)?;
            sqlx::query(FORGET_BEGUN)
                .bind(&self.place)
                .bind(entry.location.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(store)?;
        }
        transaction.commit().await.map_err(store)
    }

    async fn find(&self, ebid: &Ebid) -> Result<Option<CatalogueEntry>> {
        let row = sqlx::query(FIND)
            .bind(&self.place)
            .bind(ebid.as_str())
            .fetch_optional(&self.pools.reader)
            .await
            .map_err(store)?;
        row.as_ref().map(entry).transpose()
    }

    async fn below(&self, folder: &ObjectKey) -> Result<Vec<CatalogueEntry>> {
        let mut found: Vec<CatalogueEntry> = Vec::new();
        // The character behind the one that ends a folder's name.
        let end = format!("{folder}0");
        let mut after = format!("{folder}/");
        loop {
            let rows = sqlx::query(BELOW)
                .bind(&self.place)
                .bind(&after)
                .bind(&end)
                .bind(PAGE)
                .fetch_all(&self.pools.reader)
                .await
                .map_err(store)?;
            for row in &rows {
                found.push(entry(row)?);
            }
            match found.last() {
                Some(last) if i64::try_from(rows.len()).is_ok_and(|rows| rows == PAGE) => {
                    after = last.location.to_string();
                }
                Some(_) | None => return Ok(found),
            }
        }
    }

    async fn forget(&self, location: &ObjectKey) -> Result<()> {
        let mut transaction = self.writing().await?;
        for statement in [FORGET_BEGUN, FORGET_OBJECT] {
            sqlx::query(statement)
                .bind(&self.place)
                .bind(location.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(store)?;
        }
        transaction.commit().await.map_err(store)
    }
}

fn entry(row: &AnyRow) -> Result<CatalogueEntry> {
    Ok(CatalogueEntry {
        ebid: Ebid::parse(&row.text("ebid")?).map_err(|error| {
            Error::internal("the catalogue holds an id that can't be read").with_source(error)
        })?,
        location: ObjectKey::parse(&row.text("location")?)?,
        user: row.text("user_id")?,
        name: row.text("name")?,
        size: row.count("size")?,
        stored_bytes: row.count("stored_bytes")?,
        sha256: row.text("sha256")?,
        created_at: row.time("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: u32, name: &str) -> CatalogueEntry {
        let created_at = format!("2026-11-28T06:30:{second:02}Z")
            .parse()
            .expect("an instant");
        let ebid = Ebid::new(created_at, u128::from(second));
        let prefix = ObjectKey::parse("backint").expect("a key");
        CatalogueEntry {
            location: ebid.location(&prefix, "HN1").expect("a place"),
            ebid,
            user: "HN1".to_owned(),
            name: name.to_owned(),
            size: 7,
            stored_bytes: 8,
            sha256: "00".repeat(32),
            created_at,
        }
    }

    fn writer() -> Writer {
        Writer {
            host: "h1/boot".to_owned(),
            process: "7/99".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_is_begun_is_kept_or_forgotten() -> Result<()> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let catalogue = BackintCatalogue::open(&folder.path().join("c.db"), "s3 one").await?;
        let (first, second) = (sample(1, "a"), sample(2, "b"));
        for entry in [&first, &second] {
            catalogue.begin(&entry.location, &writer()).await?;
        }
        assert_eq!(catalogue.begun().await?.len(), 2);
        assert_eq!(catalogue.find(&first.ebid).await?, None, "only begun");

        catalogue.keep(std::slice::from_ref(&first)).await?;
        let begun = catalogue.begun().await?;
        assert_eq!(begun, [(second.location.clone(), writer())]);
        assert_eq!(catalogue.find(&first.ebid).await?, Some(first.clone()));

        catalogue.forget(&second.location).await?;
        assert_eq!(catalogue.begun().await?, []);
        let folder = ObjectKey::parse("backint/HN1")?;
        assert_eq!(catalogue.below(&folder).await?, [first]);
        Ok(())
    }

    #[tokio::test]
    async fn places_are_apart_and_folders_are_whole_names() -> Result<()> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("c.db");
        let one = BackintCatalogue::open(&path, "s3 one").await?;
        let other = BackintCatalogue::open(&path, "s3 other").await?;
        let entry = sample(1, "a");
        one.keep(std::slice::from_ref(&entry)).await?;
        assert_eq!(other.find(&entry.ebid).await?, None);
        let none = ObjectKey::parse("backint/HN")?;
        assert_eq!(one.below(&none).await?, []);
        Ok(())
    }

    #[tokio::test]
    async fn more_than_a_page_comes_whole() -> Result<()> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let catalogue = BackintCatalogue::open(&folder.path().join("c.db"), "s3 one").await?;
        let all = 1003;
        sqlx::query(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
             INSERT INTO objects (place, location, ebid, user_id, name, size, stored_bytes, sha256, created_at) \
             SELECT 's3 one', printf('backint/HN1/%06d', i), printf('20261128T063000Z-%032x', i), 'HN1', 'x', 1, 1, '', 0 FROM n",
        )
        .bind(all)
        .execute(&catalogue.pools.writer)
        .await
        .map_err(store)?;
        let found = catalogue.below(&ObjectKey::parse("backint")?).await?;
        assert_eq!(i64::try_from(found.len()).ok(), Some(all));
        Ok(())
    }
}
