//! A PostgreSQL server for one drill: in a folder of its own, by a socket there alone, with nothing that reaches out of it.

use super::server::{Reached, SignIn, ident};
use super::tools::{self, Set};
use crate::home::Home;
use crate::tool::Tool;
use backupx_core::domain::database::{PostgresqlFormat, PostgresqlSource, Server, Tls};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DataFolder, DatabaseAccess, Scratch, Throwaway};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::remove_file;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The superuser of a fresh server: owners of most dumps are called so.
const SUPERUSER: &str = "postgres";
/// Who asks.
const READER: &str = "backupx_drill_reader";
/// Since this version there is a role that reads everything.
const READS_ALL: u32 = 14;
/// Settings that a drill wants: nothing has to last, nothing listens, nothing is archived, replicated or loaded.
const SETTINGS: [&str; 15] = [
    "jit=off",
    "listen_addresses=",
    "port=5432",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "archive_mode=off",
    "max_wal_senders=0",
    "wal_level=minimal",
    "max_logical_replication_workers=0",
    "max_prepared_transactions=100",
    "shared_preload_libraries=",
    "logging_collector=off",
    "ssl=off",
    "autovacuum=off",
];

/// A server that lives as long as this.
pub(crate) struct PostgresqlThrowaway {
    home: Home,
    set: Set,
    source: PostgresqlSource,
    temp_dir: Option<PathBuf>,
    superuser: String,
}

impl PostgresqlThrowaway {
    /// One that takes what a server of `version` held, not started yet.
    pub(crate) fn new(
        source: &PostgresqlSource,
        access: &DatabaseAccess,
        version: &str,
        stop: &StopFlag,
    ) -> Result<Self> {
        let set = fitting(source, version, stop)?;
        let home = Home::new(access.temp_dir.as_deref(), &["postgres"], Signal::QUIT)?;
        Ok(Self {
            home,
            set,
            source: source.clone(),
            temp_dir: access.temp_dir.clone(),
            superuser: SUPERUSER.to_owned(),
        })
    }

    fn server(&self, user: &str) -> Server {
        Server {
            socket: Some(self.home.folder().to_string_lossy().into_owned()),
            user: Some(user.to_owned()),
            tls: Tls::Off,
            ..Server::default()
        }
    }

    fn reach(&self, user: &str, stop: &StopFlag) -> Result<Reached> {
        SignIn::new(&self.server(user), None)?.reach(&self.set, &[], stop)
    }

    fn access_as(&self, user: &str) -> DatabaseAccess {
        DatabaseAccess {
            spec: SourceSpec::Postgresql(PostgresqlSource {
                server: self.server(user),
                // Those of the same version may not read a newer archive: then others of this host do.
                tools: self.source.tools.clone(),
                ..PostgresqlSource::default()
            }),
            secrets: BTreeMap::new(),
            temp_dir: self.temp_dir.clone(),
        }
    }

    fn make(&self, stop: &StopFlag) -> Result<()> {
        let made_with = |locale: &str| {
            let tool = self
                .home
                .tool(&self.set.path("initdb"))
                .args(["--auth=trust", "--encoding=UTF8", "--no-sync"])
                .arg(format!("--locale={locale}"))
                .arg(format!("--username={SUPERUSER}"))
                .arg("-D")
                .arg(self.home.data());
            self.home.prepare(tool, stop)
        };
        // Not every host knows the first; what the databases had is another matter.
        match made_with("C.UTF-8") {
            Err(error) if error.code() == "throwaway_failed" => made_with("C"),
            made => made,
        }
    }

    /// Takes from a restored cluster what would have its server reach out, or go on as a replica.
    fn tame(&self) -> Result<()> {
        for name in ["standby.signal", "recovery.signal", "postgresql.auto.conf"] {
            let path = self.home.data().join(name);
            match remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::unavailable(
                        "throwaway_failed",
                        format!("{} can't be removed: {error}", path.display()),
                    ));
                }
            }
        }
        Ok(())
    }

    fn program(&self) -> Result<Tool> {
        let folder = self.home.folder();
        for (name, text) in [
            ("postgresql.conf", ""),
            ("pg_hba.conf", "local all all trust\n"),
            ("pg_ident.conf", ""),
        ] {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.join(name);
            // Nobody but its user gets into the folder.
            std::fs::write(&path, text)
                .and_then(|()| {
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))
                })
                .map_err(|error| {
                    Error::unavailable(
                        "temp_failed",
                        format!("{} can't be written: {error}", path.display()),
                    )
                })?;
        }
        let file = |setting: &str, name: &str| format!("{setting}={}", folder.join(name).display());
        let files = [
            file("config_file", "postgresql.conf"),
            file("hba_file", "pg_hba.conf"),
            file("ident_file", "pg_ident.conf"),
            format!("unix_socket_directories={}", folder.display()),
        ];
        let mut tool = self
            .home
            .tool(&self.set.path("postgres"))
            .arg("-D")
            .arg(self.home.data());
        let settings = SETTINGS.iter().map(|setting| (*setting).to_owned());
        for setting in settings.chain(files) {
            tool = tool.arg("-c").arg(setting);
        }
        // Tablespaces come up inside the data folder: the places that they had are others' (see `accounts`).
        Ok(tool.arg("-c").arg("allow_in_place_tablespaces=on"))
    }

    /// A superuser of a restored cluster, whose names are its own.
    fn find_superuser(&self, stop: &StopFlag) -> Result<String> {
        let known = self.source.server.user.as_deref();
        let mut last = None;
        for user in known.into_iter().chain([SUPERUSER]) {
            let sql = "select rolname from pg_roles where rolsuper and rolcanlogin order by oid";
            let rows = self
                .reach(user, stop)
                .and_then(|reached| reached.ask(&self.set, sql, 1, stop));
            match rows {
                Ok(rows) => {
                    if let Some(name) = rows.into_iter().flatten().next() {
                        return Ok(name);
                    }
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::invalid(
                "throwaway_failed",
                "the restored cluster has no superuser that may sign in",
            )
        }))
    }
}

impl Throwaway for PostgresqlThrowaway {
    fn scratch(&self) -> &dyn Scratch {
        self.home.scratch()
    }

    fn data_folder(&self) -> &Path {
        self.home.data()
    }

    fn start(&mut self, data: DataFolder, stop: &StopFlag) -> Result<()> {
        match data {
            DataFolder::Fresh => self.make(stop)?,
            DataFolder::Restored => self.tame()?,
        }
        let program = self.program()?;
        let known = match data {
            DataFolder::Fresh => SUPERUSER,
            DataFolder::Restored => self.source.server.user.as_deref().unwrap_or(SUPERUSER),
        };
        let sign_in = SignIn::new(&self.server(known), None)?;
        let set = self.set.clone();
        let answers = || match sign_in.reach(&set, &[], stop) {
            // Whoever is refused was answered.
            Err(error) if error.code() != "sign_in_failed" => Err(error),
            Ok(_) | Err(_) => Ok(()),
        };
        self.home.start(program, answers, stop)?;
        if data == DataFolder::Restored {
            self.superuser = self.find_superuser(stop)?;
        }
        Ok(())
    }

    fn access(&self) -> DatabaseAccess {
        self.access_as(&self.superuser)
    }

    fn reader(&self, stop: &StopFlag) -> Result<DatabaseAccess> {
        let reached = self.reach(&self.superuser, stop)?;
        if reached.major < READS_ALL {
            return Ok(self.access());
        }
        let run = |sql: &str| reached.ask(&self.set, sql, 1, stop);
        run(&format!(
            "create role {READER} login bypassrls; grant pg_read_all_data to {READER}"
        ))?;
        let names = run("select datname from pg_database where datallowconn")?;
        for name in names.into_iter().flatten() {
            run(&format!(
                "grant connect on database {} to {READER}",
                ident(&name)
            ))?;
        }
        Ok(self.access_as(READER))
    }

    fn describe(&self) -> String {
        format!(
            "PostgreSQL {} from {}",
            self.set.version,
            self.set.folder().display()
        )
    }
}

/// The programs that take what a server of `version` held: of the same version, else for dumps of the next newer one.
fn fitting(source: &PostgresqlSource, version: &str, stop: &StopFlag) -> Result<Set> {
    let major: u32 = version
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0);
    let is_physical = source.format == PostgresqlFormat::Physical;
    let fits = |set: &&Set| match is_physical {
        true => set.major == major,
        false => set.major >= major,
    };
    let sets = tools::sets(source.tools.as_deref(), stop)?;
    let servers: Vec<_> = sets
        .iter()
        .filter(|set| set.path("postgres").is_file() && set.path("initdb").is_file())
        .collect();
    let found = servers.iter().copied().filter(fits);
    found.min_by_key(|set| set.major).cloned().ok_or_else(|| {
        let there: Vec<_> = servers.iter().map(|set| set.version.as_str()).collect();
        let there = match there.is_empty() {
            true => "none".to_owned(),
            false => there.join(", "),
        };
        Error::invalid(
            "server_version_mismatch",
            format!(
                "a throw-away server for what PostgreSQL {version} held needs initdb and postgres of version {major}{} on this host, which has {there}; install them, name their folder (tools), or drill into a server",
                if is_physical { "" } else { " or later" }
            ),
        )
    })
}
