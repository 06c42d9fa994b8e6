//! Database servers: what they hold, read as complete dumps and put back. Blocking code, called from threads that may block.

use crate::Result;
use crate::domain::dump::Dump;
use crate::domain::log::Level;
use crate::domain::report::{FoundDatabase, TestStep};
use crate::domain::secret::WireSecret;
use crate::domain::source::SourceSpec;
use crate::ports::source::StopFlag;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

/// What it takes to open a database server.
#[derive(Debug, Clone)]
pub struct DatabaseAccess {
    /// Which one, and what of it. Of a kind that is a database.
    pub spec: SourceSpec,
    /// Its secrets by name: `password`, and for MongoDB `uri`.
    pub secrets: BTreeMap<String, WireSecret>,
    /// Where a file may be laid down for a moment, mode 0600; absent means the host's own place.
    pub temp_dir: Option<PathBuf>,
}

/// What a run of a task makes of a server as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DumpPlan {
    /// The dumps, in the order in which they are made. Never empty.
    pub dumps: Vec<Dump>,
    /// What makes them and what it talks to, by name with its version, as `pg_dump` and `server`.
    pub tools: BTreeMap<String, String>,
    /// What a person should know and what makes no run fail, as accounts that the sign-in may not read.
    pub warnings: Vec<String>,
}

/// Who is told what tools say on the way.
pub trait Notes: Sync {
    /// A line for the run's log. Never a secret.
    fn log(&self, level: Level, message: String);

    /// A warning that also belongs in the manifest: the dump is complete, and a person should know this about it.
    fn warn(&self, message: String);
}

/// How one dump is put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutBack {
    /// The name that the database gets; for SQLite the path of its file.
    pub name: String,
    /// What happens when there is something of that name.
    pub existing: Existing,
    /// Tables out of it, as `table` or `schema.table`; empty means everything.
    pub tables: Vec<String>,
    /// How many connections restore at once, where the tool can; at least one.
    pub jobs: u16,
}

/// What happens to a database of the same name that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It stays as it is and the restore is refused (`database_exists`), unless it is empty.
    #[default]
    Refuse,
    /// It is replaced.
    Replace,
}

/// A database server, or for SQLite the files of a host.
///
/// Every call ends soon after `stop` is raised, with `cancelled`, and leaves no process behind. No call hands a secret to a tool in its
/// arguments or says one in an error or a note.
pub trait DumpSource: Send + Sync {
    /// Tries what a run needs, in order, up to the step that fails: `tools`, `connect`, `version`, `rights`, `databases`.
    /// What it finds wrong is in the steps, with what to do about it.
    fn check(&self, stop: &StopFlag) -> Vec<TestStep>;

    /// Every database of the server but its own, by name, whether or not the task takes it.
    fn discover(&self, stop: &StopFlag) -> Result<Vec<FoundDatabase>>;

    /// What a run makes now. `source_missing` when a database that the task names is not there, `nothing_selected` when none is
    /// left, `tool_missing`, `server_version_mismatch`, `sign_in_failed`, `database_unreachable`, `rights_missing` when it would fail.
    fn plan(&self, stop: &StopFlag) -> Result<DumpPlan>;

    /// Writes one dump of the plan into `out`, from its beginning to its end. `Ok` means complete, by what the tool said and by how the
    /// stream ends; anything else is an error (`dump_failed`, `dump_incomplete`), whatever was written by then.
    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()>;

    /// Reads one dump from `input`, to its end, and puts it back. `Ok` means that all of it is there; the first error of the server
    /// ends it (`restore_failed`). `database_exists` as `existing` says, before anything is changed; `unsupported` for what this
    /// format can't do.
    fn put_back(
        &self,
        dump: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        notes: &dyn Notes,
        stop: &StopFlag,
    ) -> Result<()>;
}

/// What a host can read and write with the tools that it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Types of tasks, as they stand in JSON.
    pub task_types: Vec<String>,
    /// Tools by name, with what they say of their version.
    pub tools: BTreeMap<String, String>,
}

/// Opens database servers from this host.
pub trait DumpOpener: Send + Sync {
    /// The server behind `access`. Checks the settings, calls nobody yet.
    fn open(&self, access: &DatabaseAccess) -> Result<Box<dyn DumpSource>>;

    /// What this host can read and write. Asks the tools for their versions, so it takes a moment.
    fn abilities(&self) -> Abilities;
}
