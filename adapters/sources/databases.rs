//! Databases of a host: which kind opens which.

use crate::tool::{find, version_of};
use backupx_core::Result;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{Abilities, DatabaseAccess, DumpOpener, DumpSource};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, ErrorKind};
use std::collections::BTreeMap;

/// A tool that a host may have.
struct KnownTool {
    name: &'static str,
    /// The type of tasks that it makes possible.
    task_type: &'static str,
    /// Where it may lie when it is not on the path.
    elsewhere: &'static [&'static str],
}

const TOOLS: [KnownTool; 4] = [
    KnownTool {
        name: "pg_dump",
        task_type: "postgresql",
        elsewhere: &[],
    },
    KnownTool {
        name: "mariadb-dump",
        task_type: "mysql",
        elsewhere: &["/usr/local/mysql/bin"],
    },
    KnownTool {
        name: "mysqldump",
        task_type: "mysql",
        elsewhere: &["/usr/local/mysql/bin"],
    },
    KnownTool {
        name: "mongodump",
        task_type: "mongodb",
        elsewhere: &[],
    },
];

/// Opens the databases that this host reaches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Databases;

impl DumpOpener for Databases {
    fn open(&self, access: &DatabaseAccess) -> Result<Box<dyn DumpSource>> {
        match &access.spec {
            SourceSpec::File { .. } => Err(Error::internal("a tree of files is no database")),
            SourceSpec::Mysql(_)
            | SourceSpec::Postgresql(_)
            | SourceSpec::Sqlite(_)
            | SourceSpec::Mongodb(_) => Err(Error::new(
                ErrorKind::Invalid,
                "unsupported",
                format!("this agent reads no {}", access.spec.type_name()),
            )),
        }
    }

    fn abilities(&self) -> Abilities {
        let stop = StopFlag::default();
        let tools: BTreeMap<_, _> = TOOLS
            .iter()
            .filter_map(|tool| {
                let version = version_of(&find(tool.name, None, tool.elsewhere)?, &stop).ok()?;
                Some((tool.name.to_owned(), version))
            })
            .collect();
        // SQLite needs no tool.
        let mut task_types = vec!["sqlite".to_owned()];
        for tool in TOOLS.iter().filter(|tool| tools.contains_key(tool.name)) {
            if !task_types.iter().any(|known| known == tool.task_type) {
                task_types.push(tool.task_type.to_owned());
            }
        }
        Abilities { task_types, tools }
    }
}
