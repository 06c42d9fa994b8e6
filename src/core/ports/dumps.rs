//! Database servers: what they hold, read as complete dumps and put back. Blocking code, called from threads that may block.

use crate::domain::dump::Dump;
use crate::domain::log::Level;
use crate::domain::report::{FoundDatabase, TestStep};
use crate::domain::secret::WireSecret;
use crate::domain::source::SourceSpec;
use crate::domain::wal::RecoveryTarget;
use crate::ports::source::StopFlag;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

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
    /// The name that the database gets; for SQLite the path of its file, for a whole cluster that of its data folder.
    pub name: String,
    /// What happens when there is something of that name.
    pub existing: Existing,
    /// Tables out of it, as `table` or `schema.table`; empty means everything.
    pub tables: Vec<String>,
    /// How many connections restore at once, where the tool can; at least one.
    pub jobs: u16,
    /// For a whole cluster: how far its server goes on with log from an archive.
    pub until: Option<RecoveryTarget>,
    /// The settings file of that archive on this host; absent means the one that the source names.
    pub wal_archive: Option<String>,
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

    /// The first value of the first row that `query`, one statement, answers in `database`, as text; nothing when there is no row or the
    /// value is null. It is asked where nothing can be changed, as far as the server has such a thing. `query_failed` with the server's own
    /// words; `unsupported` where nobody can be asked.
    fn ask(&self, database: &str, query: &str, stop: &StopFlag) -> Result<Option<String>> {
        let _ = (database, query, stop);
        Err(no_answers())
    }

    /// How many rows `table` (or `schema.table`) of `database` has now. Errors as of [`DumpSource::ask`].
    fn count(&self, database: &str, table: &str, stop: &StopFlag) -> Result<u64> {
        let _ = (database, table, stop);
        Err(no_answers())
    }

    /// Drops the database `name`, whoever uses it; one that is not there is as good as dropped.
    fn drop_database(&self, name: &str, stop: &StopFlag) -> Result<()> {
        let _ = (name, stop);
        Err(Error::invalid(
            "unsupported",
            "databases of this type can't be dropped from here",
        ))
    }
}

fn no_answers() -> Error {
    Error::invalid(
        "unsupported",
        "databases of this type answer no questions here",
    )
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

    /// A new empty folder of a drill below `temp_dir`, or where the host keeps such files; mode 0700, gone when the value is.
    fn scratch(&self, temp_dir: Option<&Path>) -> Result<Box<dyn Scratch>> {
        let _ = temp_dir;
        Err(Error::internal("this host makes no scratch folders"))
    }

    /// A throw-away server for dumps of `like.spec`'s kind, which a server of this version made, not started yet. `unsupported` for kinds
    /// without one, `tool_missing` and `server_version_mismatch` when this host can't start a fitting one.
    fn throwaway(
        &self,
        like: &DatabaseAccess,
        version: &str,
        stop: &StopFlag,
    ) -> Result<Box<dyn Throwaway>> {
        let _ = (like, version, stop);
        Err(Error::invalid(
            "unsupported",
            "no throw-away server of this type can be started",
        ))
    }

    /// Clears away what drills left that did not live to do it: their servers, their databases, their folders.
    fn sweep(&self, temp_dir: Option<&Path>, stop: &StopFlag) {
        let _ = (temp_dir, stop);
    }
}

/// A folder of a drill. It goes with this value, and with the next sweep when the process does not live to do it.
pub trait Scratch: Send + Sync {
    /// Where it is.
    fn path(&self) -> &Path;

    /// How many bytes can be written there.
    fn room(&self) -> Result<u64>;

    /// Notes which databases of a server are to be dropped when this process does not live to do it. The note is mode 0600 and goes with
    /// the folder.
    fn note(&self, server: &DatabaseAccess, names: &[String]) -> Result<()>;
}

/// A server that lives for one drill. Dropped, it is stopped by its process id and its folder is removed.
pub trait Throwaway: Send + Sync {
    /// The folder that holds all of it.
    fn scratch(&self) -> &dyn Scratch;

    /// The empty folder that the files of a whole cluster go into before it is started.
    fn data_folder(&self) -> &Path;

    /// Starts it, and returns when it answers. `throwaway_failed` with its last words when it does not.
    fn start(&mut self, data: DataFolder, stop: &StopFlag) -> Result<()>;

    /// The server for who restores, with every right.
    fn access(&self) -> DatabaseAccess;

    /// The server for who asks what was restored by now, with no more rights than that takes, where the kind has such a thing.
    fn reader(&self, stop: &StopFlag) -> Result<DatabaseAccess>;

    /// Which programs it is made of, for people.
    fn describe(&self) -> String;
}

/// What a throw-away server begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFolder {
    /// Nothing: its data folder is made.
    Fresh,
    /// The files that were restored into its data folder.
    Restored,
}
