//! A real PostgreSQL server, as the tests reach it.

use crate::support::{Heard, open};
use backupx_core::Result;
use backupx_core::domain::database::{PostgresqlFormat, PostgresqlSource, Selection, Server};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DumpSource, PutBack};
use backupx_core::ports::source::StopFlag;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server: which, and where.
#[derive(Debug, Clone)]
pub(crate) struct Bed {
    pub(crate) major: u32,
    pub(crate) port: u16,
    pub(crate) tools: PathBuf,
}

/// Who may everything on the servers of the tests.
pub(crate) const SUPERUSER: &str = "backupx";

impl Bed {
    /// The server of that version, or why it is not there.
    pub(crate) fn new(major: u32) -> Result<Self, String> {
        let name = format!("BACKUPX_TEST_POSTGRESQL_{major}");
        let text = std::env::var(&name).map_err(|_| format!("{name} is not set, see tests/run"))?;
        let (port, tools) = text
            .split_once(':')
            .and_then(|(port, tools)| Some((port.parse().ok()?, tools.into())))
            .ok_or_else(|| format!("{name} is not PORT:TOOLS"))?;
        Ok(Self { major, port, tools })
    }

    /// How a task reaches it.
    pub(crate) fn spec(&self) -> PostgresqlSource {
        PostgresqlSource {
            server: Server {
                host: Some("127.0.0.1".to_owned()),
                port: Some(self.port),
                user: Some(SUPERUSER.to_owned()),
                ..Server::default()
            },
            databases: Selection::default(),
            accounts: true,
            format: PostgresqlFormat::Custom,
            tools: Some(self.tools.display().to_string()),
            wal_archive: None,
        }
    }

    /// What psql answers in `database`; it has to.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        self.run(
            "psql",
            database,
            &["-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql],
        )
    }

    /// Makes `database` of everything, with the number of rows that is asked for.
    pub(crate) fn fill(&self, database: &str) {
        self.make(database);
        let rows = std::env::var("BACKUPX_TEST_ROWS").unwrap_or_else(|_| "200000".to_owned());
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/postgresql/everything.sql"
        );
        let rows = format!("rows={rows}");
        let arguments = ["-Xqw", "-v", "ON_ERROR_STOP=1", "-v", &rows, "-f", script];
        self.run("psql", database, &arguments);
    }

    /// Makes an empty `database`.
    pub(crate) fn make(&self, database: &str) {
        self.drop(database);
        self.psql("postgres", &format!("create database {}", quoted(database)));
    }

    pub(crate) fn drop(&self, database: &str) {
        let force = if self.major >= 13 {
            " with (force)"
        } else {
            ""
        };
        let sql = format!("drop database if exists {}{force}", quoted(database));
        self.psql("postgres", &sql);
    }

    /// All that `database` is, as text, without what differs from run to run.
    pub(crate) fn text_of(&self, database: &str) -> String {
        let text = self.run("pg_dump", database, &["-Fp", "-w"]);
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A checksum of the rows of each table, and of what the database is set to.
    pub(crate) fn checksums(&self, database: &str) -> String {
        let tables = self.psql(
            database,
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1",
        );
        let mut sums = String::new();
        for table in tables.lines() {
            let sum = self.psql(
                database,
                &format!("select count(*), md5(string_agg(md5(t::text), '' order by t::text)) from {table} t"),
            );
            sums.push_str(&format!("{table} {sum}\n"));
        }
        sums + &self.psql(
            database,
            "select md5(string_agg(loid || ' ' || pageno || ' ' || encode(data, 'hex'), ',' order by loid, pageno)) from pg_largeobject",
        ) + &self.psql(
            "postgres",
            &format!(
                "select pg_encoding_to_char(encoding), datcollate, datctype, shobj_description(oid, 'pg_database'), \
                 (select setconfig from pg_db_role_setting where setdatabase = d.oid and setrole = 0) \
                 from pg_database d where datname = '{}'",
                database.replace('\'', "''")
            ),
        )
    }

    fn run(&self, tool: &str, database: &str, arguments: &[&str]) -> String {
        let output = Command::new(self.tools.join(tool))
            .args(arguments)
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", SUPERUSER)
            .env("PGDATABASE", database)
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(Stdio::null())
            .output()
            .expect("the tool starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tool} {arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("it speaks UTF-8")
    }
}

/// A task on a server, with a folder for its files.
pub(crate) struct Task {
    pub(crate) source: Box<dyn DumpSource>,
    pub(crate) heard: Heard,
    pub(crate) temp: TempDir,
}

impl Task {
    pub(crate) fn new(spec: PostgresqlSource) -> Self {
        Self::with_password(spec, None)
    }

    pub(crate) fn with_password(spec: PostgresqlSource, password: Option<&str>) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        Self {
            source: open(SourceSpec::Postgresql(spec), password, temp.path()),
            heard: Heard::default(),
            temp,
        }
    }

    /// The dump of `database`, whole.
    pub(crate) fn dump(&self, dump: &Dump) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.source
            .read(dump, &mut out, &self.heard, &StopFlag::default())?;
        Ok(out)
    }

    /// Puts `bytes` back.
    pub(crate) fn put_back(&self, dump: &Dump, bytes: &[u8], how: &PutBack) -> Result<()> {
        let mut input = bytes;
        let outcome =
            self.source
                .put_back(dump, &mut input, how, &self.heard, &StopFlag::default());
        let left = std::fs::read_dir(self.temp.path()).expect("there").count();
        assert_eq!(left, 0, "temporary files are left");
        outcome
    }
}

/// The dump of `database` in the custom format.
pub(crate) fn custom(database: &str) -> Dump {
    Dump::database(database, DumpFormat::PostgresqlCustom)
}

/// A restore under another name.
pub(crate) fn under(name: &str) -> PutBack {
    PutBack {
        name: name.to_owned(),
        jobs: 1,
        ..PutBack::default()
    }
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
