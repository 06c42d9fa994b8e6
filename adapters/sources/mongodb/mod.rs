//! MongoDB, by mongodump and mongorestore: a replica set as one dump of one moment, other servers database by database.
//!
//! A dump is complete when mongodump ended well and its archive says so itself: each collection that its head names has its last block
//! ([`archive`]).

mod archive;
mod bson;
mod check;
mod drop;
mod list;
mod probe;
mod put_back;
mod read;
mod server;
mod tools;
mod uri;

use crate::temp::Temp;
use backupx_core::Result;
use backupx_core::domain::database::MongodbSource;
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::report::{FoundDatabase, TestStep};
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::dumps::{DatabaseAccess, DumpPlan, DumpSource, Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use server::SignIn;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use tools::Tools;

/// The name of the dump that holds a whole server. No database can be called so, with a space in its name.
const WHOLE: &str = "all databases";

/// A MongoDB server.
#[derive(Debug)]
pub(crate) struct Mongodb {
    source: MongodbSource,
    password: Option<WireSecret>,
    uri: Option<WireSecret>,
    temp_dir: Option<PathBuf>,
}

impl Mongodb {
    pub(crate) fn new(source: &MongodbSource, access: &DatabaseAccess) -> Self {
        Self {
            source: source.clone(),
            password: access.secrets.get("password").cloned(),
            uri: access.secrets.get("uri").cloned(),
            temp_dir: access.temp_dir.clone(),
        }
    }

    fn tools(&self, stop: &StopFlag) -> Result<Tools> {
        tools::tools(self.source.tools.as_deref(), stop)
    }

    fn temp(&self) -> Result<Temp> {
        Temp::new(self.temp_dir.as_deref())
    }
}

impl DumpSource for Mongodb {
    fn check(&self, stop: &StopFlag) -> Vec<TestStep> {
        check::check(self, stop)
    }

    fn discover(&self, stop: &StopFlag) -> Result<Vec<FoundDatabase>> {
        let tools = self.tools(stop)?;
        let found = list::found(&SignIn::new(self)?, &tools, stop)?;
        let found = found.into_iter().map(|name| FoundDatabase {
            name,
            size_bytes: None,
        });
        Ok(found.collect())
    }

    fn plan(&self, stop: &StopFlag) -> Result<DumpPlan> {
        let tools = self.tools(stop)?;
        let taken = list::taken(self, &SignIn::new(self)?, &tools, stop)?;
        let names = if taken.is_whole {
            vec![WHOLE.to_owned()]
        } else {
            taken.databases
        };
        let dump = |name| Dump::database(name, DumpFormat::MongodbArchive);
        Ok(DumpPlan {
            dumps: names.into_iter().map(dump).collect(),
            tools: BTreeMap::from([
                ("mongodump".to_owned(), tools.version),
                ("server".to_owned(), taken.server),
            ]),
            warnings: taken.warnings,
        })
    }

    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        read::read(self, dump, out, notes, stop)
    }

    fn put_back(
        &self,
        dump: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()> {
        put_back::put_back(self, dump, input, how, notes, stop)
    }

    fn drop_database(&self, name: &str, stop: &StopFlag) -> Result<()> {
        drop::drop_database(self, name, stop)
    }
}

/// The version of mongodump on this host, when the tools are there.
pub(crate) fn found_tools() -> Option<(String, String)> {
    let tools = tools::tools(None, &StopFlag::default()).ok()?;
    Some(("mongodump".to_owned(), tools.version))
}
