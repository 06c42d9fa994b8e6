//! A real MariaDB server, as the tests reach it.

use crate::support::{Heard, open};
use backupx_core::Result;
use backupx_core::domain::database::{MysqlSource, Selection, Server};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DumpSource, PutBack};
use backupx_core::ports::source::StopFlag;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A server, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Bed {
    pub(crate) port: u16,
    /// Holds its socket and the certificate of its authority.
    pub(crate) folder: PathBuf,
    pub(crate) tools: PathBuf,
}

/// Who may everything on the server of the tests, and its password.
pub(crate) const SUPERUSER: &str = "backupx";
pub(crate) const PASSWORD: &str = "testsecret";

/// How many rows a large table has: a million, when nothing else is said.
pub(crate) fn rows() -> String {
    std::env::var("BACKUPX_TEST_ROWS").unwrap_or_else(|_| "1000000".to_owned())
}

impl Bed {
    /// The server, or why it is not there.
    pub(crate) fn new() -> Result<Self, String> {
        let name = "BACKUPX_TEST_MARIADB";
        let text = std::env::var(name).map_err(|_| format!("{name} is not set, see tests/run"))?;
        let mut parts = text.splitn(3, ':');
        (|| {
            Some(Self {
                port: parts.next()?.parse().ok()?,
                folder: parts.next()?.into(),
                tools: parts.next()?.into(),
            })
        })()
        .ok_or_else(|| format!("{name} is not PORT:FOLDER:TOOLS"))
    }

    /// How a task reaches it.
    pub(crate) fn spec(&self) -> MysqlSource {
        MysqlSource {
            server: Server {
                host: Some("127.0.0.1".to_owned()),
                port: Some(self.port),
                user: Some(SUPERUSER.to_owned()),
                ..Server::default()
            },
            databases: Selection::default(),
            accounts: false,
            tools: Some(self.tools.display().to_string()),
        }
    }

    /// One that takes this database alone.
    pub(crate) fn only(&self, name: &str) -> MysqlSource {
        let mut spec = self.spec();
        spec.databases.only = vec![name.to_owned()];
        spec
    }

    /// What the client answers; it has to.
    pub(crate) fn sql(&self, text: &str) -> String {
        self.run("mariadb", &["-BN", "--comments", "-e", text], "")
    }

    /// Runs a script in `database`.
    pub(crate) fn script(&self, database: &str, text: &str) {
        let database = format!("--database={database}");
        self.run("mariadb", &["--binary-mode", "--comments", &database], text);
    }

    /// Makes `database` of everything, with that many rows in its large table.
    pub(crate) fn fill(&self, database: &str, rows: &str) {
        self.make(database);
        let script = include_str!("everything.sql");
        self.script(database, &format!("SET @rows = {rows};\n{script}"));
        // What was made before this is of another collation than its database.
        let name = quoted(database);
        self.sql(&format!(
            "ALTER DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        ));
    }

    /// Makes an empty `database`.
    pub(crate) fn make(&self, database: &str) {
        self.drop(database);
        self.sql(&format!(
            "CREATE DATABASE {} CHARACTER SET latin1",
            quoted(database)
        ));
    }

    pub(crate) fn drop(&self, database: &str) {
        self.sql(&format!("DROP DATABASE IF EXISTS {}", quoted(database)));
    }

    /// All that `database` is, as text, without what differs by its name and the time.
    pub(crate) fn text_of(&self, database: &str) -> String {
        let options = [
            "--single-transaction",
            "--routines",
            "--events",
            "--hex-blob",
            "--skip-comments",
            "--dump-history",
            "--",
            database,
        ];
        let text = self.run("mariadb-dump", &options, "");
        text.replace(&quoted(database), "`it`")
    }

    /// A checksum of each table, and what the database is set to.
    pub(crate) fn checksums(&self, database: &str) -> String {
        let name = literal(database);
        let tables = self.sql(&format!(
            "SELECT CONCAT('CHECKSUM TABLE ', GROUP_CONCAT(CONCAT('`', REPLACE(TABLE_NAME, '`', '``'), '`') ORDER BY TABLE_NAME)) \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA = {name} AND TABLE_TYPE NOT IN ('VIEW', 'SEQUENCE')"
        ));
        let script = format!("USE {}; {}", quoted(database), unescaped(tables.trim_end()));
        let sums = self.sql(&script).replace(&format!("{database}."), "");
        let set = self.sql(&format!(
            "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {name}"
        ));
        sums + &set
    }

    fn run(&self, tool: &str, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new(self.tools.join(tool))
            .args(["--no-defaults", "--host=127.0.0.1", "--skip-ssl"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--user={SUPERUSER}"))
            .arg("--default-character-set=utf8mb4")
            .args(arguments)
            .env("MYSQL_PWD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // The rest is said by how it ends.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
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
    pub(crate) fn new(spec: MysqlSource) -> Self {
        Self::with_password(spec, Some(PASSWORD))
    }

    pub(crate) fn with_password(spec: MysqlSource, password: Option<&str>) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        Self {
            source: open(SourceSpec::Mysql(spec), password, temp.path()),
            heard: Heard::default(),
            temp,
        }
    }

    /// The names of the dumps that a run makes now.
    pub(crate) fn plan(&self) -> Result<Vec<String>> {
        let plan = self.source.plan(&StopFlag::default())?;
        Ok(plan.dumps.into_iter().map(|dump| dump.name).collect())
    }

    /// The dump, whole.
    pub(crate) fn dump(&self, dump: &Dump) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let outcome = self
            .source
            .read(dump, &mut out, &self.heard, &StopFlag::default());
        self.is_clean();
        outcome.map(|()| out)
    }

    /// Puts `bytes` back.
    pub(crate) fn put_back(&self, dump: &Dump, bytes: &[u8], how: &PutBack) -> Result<()> {
        let mut input = bytes;
        let outcome =
            self.source
                .put_back(dump, &mut input, how, &self.heard, &StopFlag::default());
        self.is_clean();
        outcome
    }

    /// No file with a password is left.
    fn is_clean(&self) {
        let left = std::fs::read_dir(self.temp.path()).expect("there").count();
        assert_eq!(left, 0, "temporary files are left");
    }
}

/// The dump of `database`.
pub(crate) fn sql_of(database: &str) -> Dump {
    Dump::database(database, DumpFormat::MysqlSql)
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
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL writes it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A field as the client prints it.
fn unescaped(field: &str) -> String {
    field.replace("\\\\", "\\")
}
