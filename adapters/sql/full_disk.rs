//! A full disk: writes say so, reads go on, and nothing that was stored is lost.

use crate::SqlStores;
use anyhow::{Context, Result, ensure};
use backupx_core::ErrorKind;
use backupx_core::ports::settings::Settings;

async fn limit_pages(stores: &SqlStores, pages: &'static str) -> Result<()> {
    sqlx::query(pages).fetch_all(stores.writer()).await?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_lost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let stores = SqlStores::connect(&url).await?;
    stores.set("kept", "v").await?;
    // The engine answers the same code for its own limit as for a disk without room.
    limit_pages(&stores, "PRAGMA max_page_count = 1").await?;
    let large = "x".repeat(1 << 20);
    let error = stores.set("large", &large).await;
    let error = error.err().context("there was room")?;
    ensure!(error.kind() == ErrorKind::Unavailable, "{error:?}");
    ensure!(error.code() == "store_full", "{error:?}");
    ensure!(stores.get("kept").await?.as_deref() == Some("v"));
    ensure!(stores.get("large").await?.is_none());
    limit_pages(&stores, "PRAGMA max_page_count = 1000000").await?;
    stores.set("large", &large).await?;
    Ok(())
}

/// The engine ends a transaction by itself when the disk is full; the one connection that writes must not stay broken.
#[tokio::test]
async fn writing_goes_on_after_a_transaction_met_a_full_disk() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let stores = SqlStores::connect(&url).await?;
    limit_pages(&stores, "PRAGMA max_page_count = 1").await?;
    let mut transaction = stores.begin().await?;
    let written = sqlx::query("INSERT INTO settings (key, value) VALUES ('large', $1)")
        .bind("x".repeat(1 << 20))
        .execute(&mut *transaction)
        .await;
    ensure!(written.is_err(), "there was room");
    drop(transaction);

    limit_pages(&stores, "PRAGMA max_page_count = 1000000").await?;
    let transaction = stores.begin().await?;
    crate::stores::commit(transaction).await?;
    stores.set("kept", "v").await?;
    Ok(())
}
