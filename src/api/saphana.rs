//! SAP HANA as a source, as it stands on the wire.

use crate::mirror::{alike, mirrored};
use crate::sources::{Selection, Server};
use backupx_core::domain::saphana;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// SAP HANA, by `hdbsql`: the database itself makes the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SaphanaSource {
    /// How it is reached; with a `userStoreKey` only whether the connection is sealed.
    #[serde(default)]
    pub server: Server,
    /// A key of the user store (`hdbuserstore`) of the agent's user, which says where the server is and who signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_store_key: Option<String>,
    /// The database that is signed in to; absent means the one that listens at the port. From the system database tenants are backed up too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// Which databases: `SYSTEMDB` and names of tenants.
    #[serde(default)]
    pub databases: Selection,
    /// What of them is backed up.
    #[serde(default)]
    pub level: SaphanaLevel,
    /// Where HANA writes its backup.
    #[serde(default)]
    pub via: SaphanaVia,
    /// Streams to the Backint tool at once, 1 to 32; absent leaves HANA as it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// Folder on the database's host that its backup is written to before it is read; for logs the one where HANA lays them down. Absent
    /// means HANA's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// How often a backup that failed is tried again within a run, at most 10.
    #[serde(default = "retries")]
    pub retries: u8,
    /// Seconds before the first retry, at most 3600; each further one waits twice as long.
    #[serde(default = "retry_wait_secs")]
    pub retry_wait_secs: u32,
    /// Folder on the node with `hdbsql` and `hdbuserstore`; absent means that they are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
}
alike!(
    SaphanaSource,
    saphana::SaphanaSource,
    server,
    user_store_key,
    connect_to,
    databases,
    level,
    via,
    channels,
    folder,
    retries,
    retry_wait_secs,
    tools
);

impl Default for SaphanaSource {
    fn default() -> Self {
        saphana::SaphanaSource::default().into()
    }
}

fn retries() -> u8 {
    SaphanaSource::default().retries
}

fn retry_wait_secs() -> u32 {
    SaphanaSource::default().retry_wait_secs
}

mirrored! {
    /// What of a HANA database is backed up.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    SaphanaLevel = saphana::SaphanaLevel {
        /// All of its data.
        #[default]
        Full = "full",
        /// What changed since the last data backup of any level.
        Incremental = "incremental",
        /// What changed since the last full backup.
        Differential = "differential",
        /// The log backups that HANA made by itself since the last full backup.
        Log = "log",
    }
}

mirrored! {
    /// Where HANA writes a backup.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    SaphanaVia = saphana::SaphanaVia {
        /// Into files on its host, which are read and then removed.
        #[default]
        File = "file",
        /// To its Backint tool, which keeps it by itself.
        Backint = "backint",
    }
}
