//! The database tools of MongoDB on a host.

use crate::tool::{find, version_of};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::PathBuf;

/// Where they may be besides the path.
pub(super) const ELSEWHERE: [&str; 4] = [
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/mongodb-database-tools/bin",
    "/opt/bitnami/mongodb/bin",
];

/// mongodump and mongorestore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tools {
    pub(super) dump: PathBuf,
    pub(super) restore: PathBuf,
    /// The version of mongodump.
    pub(super) version: String,
}

/// Those in `folder`, or those that are found.
pub(super) fn tools(folder: Option<&str>, stop: &StopFlag) -> Result<Tools> {
    let tool = |name: &str| {
        find(name, folder, &ELSEWHERE).ok_or_else(|| {
            let place = folder.map_or_else(|| "on this host".to_owned(), |at| format!("in {at}"));
            Error::invalid(
                "tool_missing",
                format!(
                    "there is no {name} {place}; install the MongoDB Database Tools (package mongodb-database-tools), or name the folder that holds them"
                ),
            )
        })
    };
    let (dump, restore) = (tool("mongodump")?, tool("mongorestore")?);
    let said = version_of(&dump, stop)?;
    let Some(version) = said.strip_prefix("mongodump version: ") else {
        return Err(Error::invalid(
            "tool_missing",
            format!(
                "{} says {said:?} when it is asked for its version",
                dump.display()
            ),
        ));
    };
    Ok(Tools {
        version: version.to_owned(),
        dump,
        restore,
    })
}
