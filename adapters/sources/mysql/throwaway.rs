//! A MySQL or MariaDB server for one drill: in a folder of its own, by a socket there alone.

use super::session::Session;
use super::tools::{ELSEWHERE, Maker, Version};
use crate::home::Home;
use crate::tool::{Tool, find, version_of};
use backupx_core::domain::database::{MysqlSource, Server, Tls};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DataFolder, DatabaseAccess, Scratch, Throwaway};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where hosts keep servers when they are not on the path.
const SERVERS_IN: [&str; 4] = [
    "/usr/sbin",
    "/usr/libexec",
    "/usr/local/libexec",
    "/usr/local/mysql/scripts",
];
/// Who restores: nobody else gets to the socket.
const SUPERUSER: &str = "root";
/// Who asks.
const READER: &str = "backupx_drill_reader";

/// A server that lives as long as this.
pub(crate) struct MysqlThrowaway {
    home: Home,
    program: PathBuf,
    /// What makes the data folder of MariaDB; MySQL's server does it itself.
    install: Option<PathBuf>,
    version: Version,
    tools: Option<String>,
    temp_dir: Option<PathBuf>,
}

impl MysqlThrowaway {
    /// One that takes what a server of `version` held, not started yet.
    pub(crate) fn new(
        source: &MysqlSource,
        access: &DatabaseAccess,
        version: &str,
        stop: &StopFlag,
    ) -> Result<Self> {
        let wanted = Version::parse(
            version
                .rsplit_once(' ')
                .map_or(version, |(_, number)| number),
        );
        let wanted = Version {
            maker: match version.starts_with(Maker::Mariadb.as_str()) {
                true => Maker::Mariadb,
                false => wanted.maker,
            },
            ..wanted
        };
        let folder = source.tools.as_deref();
        let (program, version) = server(&wanted, folder, stop)?;
        let install = match version.maker {
            Maker::Mysql => None,
            Maker::Mariadb => Some(install(folder)?),
        };
        // It has nothing to write out in order.
        let home = Home::new(access.temp_dir.as_deref(), &["mysql"], Signal::KILL)?;
        Ok(Self {
            home,
            program,
            install,
            version,
            tools: source.tools.clone(),
            temp_dir: access.temp_dir.clone(),
        })
    }

    fn socket(&self) -> PathBuf {
        self.home.folder().join("mysqld.sock")
    }

    fn access_as(&self, user: &str) -> DatabaseAccess {
        DatabaseAccess {
            spec: SourceSpec::Mysql(self.source(user)),
            secrets: BTreeMap::new(),
            temp_dir: self.temp_dir.clone(),
        }
    }

    fn source(&self, user: &str) -> MysqlSource {
        MysqlSource {
            server: Server {
                socket: Some(self.socket().to_string_lossy().into_owned()),
                user: Some(user.to_owned()),
                tls: Tls::Off,
                ..Server::default()
            },
            tools: self.tools.clone(),
            ..MysqlSource::default()
        }
    }

    fn session(&self, stop: &StopFlag) -> Result<Session> {
        Session::open(&self.source(SUPERUSER), &self.access(), stop)
    }

    fn make(&self, stop: &StopFlag) -> Result<()> {
        let data = format!("--datadir={}", self.home.data().display());
        let tool = match &self.install {
            Some(install) => self.home.tool(install).args([
                "--no-defaults",
                &data,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]),
            None => self.home.tool(&self.program).args([
                "--no-defaults",
                "--initialize-insecure",
                &data,
                "--secure-file-priv=NULL",
            ]),
        };
        let temp = self.home.folder().to_path_buf();
        self.home.prepare(tool.env("TMPDIR", temp), stop)
    }

    fn server(&self) -> Tool {
        let folder = self.home.folder();
        let tool = self
            .home
            .tool(&self.program)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.home.data().display()))
            .arg(format!("--tmpdir={}", folder.display()))
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .args([
                "--skip-networking",
                "--skip-name-resolve",
                // Events that were restored have nothing to do here.
                "--event-scheduler=OFF",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
                "--max-allowed-packet=1G",
            ]);
        match self.version.maker {
            // A folder in which nothing of anybody lies.
            Maker::Mariadb => tool.arg(format!("--secure-file-priv={}", folder.display())),
            Maker::Mysql => tool.args([
                "--secure-file-priv=NULL",
                "--mysqlx=OFF",
                "--disable-log-bin",
            ]),
        }
    }
}

impl Throwaway for MysqlThrowaway {
    fn scratch(&self) -> &dyn Scratch {
        self.home.scratch()
    }

    fn data_folder(&self) -> &Path {
        self.home.data()
    }

    fn start(&mut self, data: DataFolder, stop: &StopFlag) -> Result<()> {
        match data {
            DataFolder::Fresh => self.make(stop)?,
            DataFolder::Restored => {
                return Err(Error::invalid(
                    "unsupported",
                    "no server of MySQL is restored as its files",
                ));
            }
        }
        let program = self.server();
        let (source, access) = (self.source(SUPERUSER), self.access());
        let answers = || Session::open(&source, &access, stop).map(drop);
        self.home.start(program, answers, stop)
    }

    fn access(&self) -> DatabaseAccess {
        self.access_as(SUPERUSER)
    }

    fn reader(&self, stop: &StopFlag) -> Result<DatabaseAccess> {
        let session = self.session(stop)?;
        session.ask(
            &format!(
                "CREATE USER {READER}@localhost; GRANT SELECT, SHOW VIEW, EXECUTE ON *.* TO {READER}@localhost"
            ),
            stop,
        )?;
        Ok(self.access_as(READER))
    }

    fn describe(&self) -> String {
        format!(
            "{} {} from {}",
            self.version.maker.as_str(),
            self.version.text,
            self.program.display()
        )
    }
}

/// The server of the wanted maker, not older than what it is to take.
fn server(wanted: &Version, folder: Option<&str>, stop: &StopFlag) -> Result<(PathBuf, Version)> {
    let places: Vec<_> = SERVERS_IN.iter().chain(&ELSEWHERE).copied().collect();
    let mut there = Vec::new();
    for name in ["mariadbd", "mysqld"] {
        let Some(path) = find(name, folder, &places) else {
            continue;
        };
        let version = Version::parse(&version_of(&path, stop)?);
        if version.maker == wanted.maker && version.number >= wanted.number {
            return Ok((path, version));
        }
        there.push(format!("{} {}", version.maker.as_str(), version.text));
    }
    let there = match there.is_empty() {
        true => "none".to_owned(),
        false => there.join(", "),
    };
    Err(Error::invalid(
        "server_version_mismatch",
        format!(
            "a throw-away server for what {} {} held needs the server program of {} of that version or later on this host, which has {there}; install it, name its folder (tools), or drill into a server",
            wanted.maker.as_str(),
            wanted.text,
            wanted.maker.as_str()
        ),
    ))
}

/// What makes a data folder of MariaDB.
fn install(folder: Option<&str>) -> Result<PathBuf> {
    let places: Vec<_> = SERVERS_IN.iter().chain(&ELSEWHERE).copied().collect();
    ["mariadb-install-db", "mysql_install_db"]
        .iter()
        .find_map(|name| find(name, folder, &places).or_else(|| find(name, None, &places)))
        .ok_or_else(|| {
            Error::invalid(
                "tool_missing",
                "mariadb-install-db is not on this host; install the server package of MariaDB, or drill into a server",
            )
        })
}
