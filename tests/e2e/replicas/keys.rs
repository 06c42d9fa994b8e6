//! The root key: one for all masters of a database.

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use super::cluster::{Cluster, Stores, cluster_trial, new_root_key};
use crate::support::cli::finish;
use crate::support::process::backupx;

pub(super) fn trials() -> Vec<Trial> {
    vec![cluster_trial(
        "never_23_a_master_with_another_root_key_does_not_start",
        Stores::Postgres,
        never_23_a_master_with_another_root_key_does_not_start,
    )]
}

fn never_23_a_master_with_another_root_key_does_not_start(stores: Stores) -> Result<()> {
    let cluster = Cluster::start(stores)?;
    let mut stranger = backupx();
    stranger
        .arg("server")
        .env("BACKUPX_LISTEN", "127.0.0.1:0")
        .env("BACKUPX_DATA_DIR", cluster.path("stranger"))
        .env("BACKUPX_DATABASE_URL", cluster.postgres.url())
        .env("BACKUPX_SECRET_KEY", new_root_key());

    let ended = finish(&mut stranger)?;

    ensure!(
        ended.code == Some(1) && ended.stderr.contains("BACKUPX_SECRET_KEY"),
        "exit code {:?}: {}",
        ended.code,
        ended.stderr
    );
    Ok(())
}
