//! Settings of the master, from flags and environment: one struct per group, read by clap and by envy alike.
//!
//! | Variable | Default |
//! |---|---|
//! | `BACKUPX_LISTEN` | `0.0.0.0:8340` |
//! | `BACKUPX_DATA_DIR` | `./backupx-data` |
//! | `BACKUPX_DATABASE_URL` (`_FILE`) | `sqlite://$BACKUPX_DATA_DIR/backupx.db` |
//! | `BACKUPX_DATABASE_CONNECTIONS` | `10`, in a function `2` |
//! | `BACKUPX_REDIS_URL` (`_FILE`) | none: queue, presence and signals are in the database |
//! | `BACKUPX_SECRET_KEY` (`_FILE`) | generated into the data dir |
//! | `BACKUPX_JWT_SECRET` (`_FILE`) | derived from the secret key |
//! | `BACKUPX_EXTERNAL_URL` | none |
//! | `BACKUPX_TRUSTED_PROXIES` | none: those on this host alone |
//! | `BACKUPX_LOCAL_NODE` | `true` with SQLite, `false` otherwise |
//! | `BACKUPX_LONG_POLL_MAX` | `25s`, in a function `0s` |
//! | `BACKUPX_DRAIN_NOTICE` | `300ms` |
//! | `BACKUPX_NODE_OFFLINE_AFTER` | `45s` |
//! | `BACKUPX_COMMAND_TIMEOUT` | `10m` |
//! | `BACKUPX_LOG`, `BACKUPX_LOG_FORMAT` | `info`, `text` |
//!
//! A flag wins over its variable. An empty variable counts as absent. A bad value is an error that names where it came from, the
//! value (unless it is a secret) and what is accepted.

use crate::environment::{Environment, PREFIX, plain_or_file, secret_or_file};
use crate::private_file;
use anyhow::{Context, Result, anyhow, bail};
use backupx_core::domain::duration;
use backupx_http::TrustedProxies;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What holds where nobody says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// Longest wait of one poll.
    pub(crate) long_poll_max: Duration,
    /// Most connections to a database server at once.
    pub(crate) database_connections: u32,
}

/// A host serves many at once.
const HOST: Defaults = Defaults {
    long_poll_max: Duration::from_secs(25),
    database_connections: 10,
};

/// Where the master listens and how it is reached.
#[derive(Debug, Clone, Default, Args, Deserialize)]
pub(crate) struct NetworkArgs {
    /// Address to listen on [default: 0.0.0.0:8340]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// URL that agents and browsers use, as https://backup.example
    #[arg(long, value_name = "URL")]
    external_url: Option<String>,
    /// Proxies on other hosts that say who really asks: addresses or networks, as 10.0.0.5,172.30.84.0/24
    #[arg(long, value_name = "LIST")]
    trusted_proxies: Option<String>,
    /// Longest wait of one poll [default: 25s]
    #[arg(long, value_name = "DURATION")]
    long_poll_max: Option<String>,
    /// On the way to its end, how long /ready says no before new connections are refused [default: 300ms]
    #[arg(long, value_name = "DURATION")]
    drain_notice: Option<String>,
}

/// Where state and keys are.
#[derive(Debug, Clone, Default, Args, Deserialize)]
pub(crate) struct StateArgs {
    /// Folder of the embedded defaults [default: ./backupx-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// sqlite://PATH or postgres://… [default: a SQLite file in the data dir]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// File that holds the database URL
    #[arg(long, value_name = "FILE")]
    database_url_file: Option<String>,
    /// Most connections to a Postgres server at once [default: 10]
    #[arg(long, value_name = "NUMBER")]
    database_connections: Option<String>,
    #[arg(skip)]
    redis_url: Option<String>,
    /// File that holds the Redis URL
    #[arg(long, value_name = "FILE")]
    redis_url_file: Option<String>,
    #[arg(skip)]
    secret_key: Option<SecretString>,
    /// File that holds the root key: 32 bytes, base64 [default: generated into the data dir]
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<String>,
    #[arg(skip)]
    jwt_secret: Option<SecretString>,
    /// File that holds the secret that signs sessions [default: derived from the root key]
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<String>,
}

/// How nodes and their commands are judged.
#[derive(Debug, Clone, Default, Args, Deserialize)]
pub(crate) struct FleetArgs {
    /// Run tasks of node 0 in this process [default: true with SQLite]
    #[arg(long, value_name = "BOOL")]
    local_node: Option<String>,
    /// A node that was not heard for this long is offline [default: 45s]
    #[arg(long, value_name = "DURATION")]
    node_offline_after: Option<String>,
    /// A claimed command without a sign of life for this long is given up [default: 10m]
    #[arg(long, value_name = "DURATION")]
    command_timeout: Option<String>,
}

/// How the process logs.
#[derive(Debug, Clone, Default, Args, Deserialize)]
pub(crate) struct LogArgs {
    /// What is logged: error, warn, info, debug, trace, or a filter as info,backupx_http=debug [default: info]
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT", global = true)]
    log_format: Option<String>,
}

/// All settings of a master, as flags.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServerArgs {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    fleet: FleetArgs,
    #[arg(skip)]
    environment: Environment,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone)]
pub(crate) struct LogSettings {
    /// A tracing filter.
    pub(crate) filter: String,
    /// How lines look.
    pub(crate) format: LogFormat,
    /// Whether a person chose the filter.
    pub(crate) is_chosen: bool,
}

/// Where a master keeps its state on this host.
#[derive(Debug)]
pub(crate) struct StorePlace {
    /// The data dir.
    pub(crate) data_dir: PathBuf,
    /// The SQLite database's file.
    pub(crate) database: PathBuf,
    /// The root key's file, unless the settings give the key or another file.
    pub(crate) root_key: Option<PathBuf>,
}

/// The master's settings, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// `sqlite://…` or `postgres://…`; may hold a password.
    pub(crate) database_url: SecretString,
    /// Most connections to a database server at once.
    pub(crate) database_connections: u32,
    /// `redis://…` or `rediss://…` when queue, presence and signals are kept there; may hold a password.
    pub(crate) redis_url: Option<SecretString>,
    /// 32 bytes that all sealing keys are derived from.
    pub(crate) root_key: RootKey,
    /// What signs sessions, when it was given.
    pub(crate) jwt_secret: Option<SecretString>,
    /// How the outside reaches it.
    pub(crate) external_url: Option<String>,
    /// Who is believed about where a request comes from.
    pub(crate) trusted_proxies: TrustedProxies,
    /// Whether node 0 lives in this process.
    pub(crate) local_node: bool,
    /// Longest wait of one poll.
    pub(crate) long_poll_max: Duration,
    /// How long `/ready` says no before the listener closes.
    pub(crate) drain_notice: Duration,
    /// Silence after which a node is offline.
    pub(crate) node_offline_after: Duration,
    /// Silence after which a claimed command is given up.
    pub(crate) command_timeout: Duration,
}

/// The root key; never printed.
pub(crate) struct RootKey(pub(crate) [u8; 32]);

impl RootKey {
    /// As it stands in its file and in a recovery kit.
    pub(crate) fn to_text(&self) -> String {
        BASE64.encode(self.0)
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// A value and the names under which a person may have set it.
struct Setting {
    name: &'static str,
    value: Option<String>,
}

impl Setting {
    /// The flag's value, else the variable's; empty ones count as absent.
    fn of(name: &'static str, flag: Option<&String>, env: Option<&String>) -> Self {
        Self {
            name,
            value: flag
                .or(env)
                .filter(|value| !value.trim().is_empty())
                .cloned(),
        }
    }

    fn parse<T>(&self, default: T, accepted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        match &self.value {
            None => Ok(default),
            Some(value) => parse(value.trim()).ok_or_else(|| {
                anyhow!(
                    "{}{}={value:?} is not accepted: give {accepted}",
                    PREFIX,
                    self.name
                )
            }),
        }
    }

    fn duration(&self, default: Duration) -> Result<Duration> {
        self.parse(default, duration::ACCEPTED, duration::parse)
    }

    fn duration_of_at_least(&self, least: Duration, default: Duration) -> Result<Duration> {
        let accepted = format!("{}, {} s at least", duration::ACCEPTED, least.as_secs());
        self.parse(default, &accepted, |text| {
            duration::parse(text).filter(|given| *given >= least)
        })
    }
}

impl LogArgs {
    /// The log settings from these flags and the environment.
    pub(crate) fn settle(&self) -> Result<LogSettings> {
        let env: Self = Environment::Process.read()?;
        let filter = Setting::of("LOG", self.log.as_ref(), env.log.as_ref());
        let format = Setting::of(
            "LOG_FORMAT",
            self.log_format.as_ref(),
            env.log_format.as_ref(),
        );
        Ok(LogSettings {
            is_chosen: filter.value.is_some(),
            filter: filter.parse(
                "info".to_owned(),
                "a level or a tracing filter as info,backupx_http=debug",
                |text| {
                    let is_understood = text.split(',').all(is_directive)
                        && tracing_subscriber::EnvFilter::try_new(text).is_ok();
                    is_understood.then(|| text.to_owned())
                },
            )?,
            format: format.parse(LogFormat::Text, "text or json", |text| match text {
                "text" => Some(LogFormat::Text),
                "json" => Some(LogFormat::Json),
                _ => None,
            })?,
        })
    }
}

/// A level, or something about a part of the program. A filter takes any other word for the name of a part that it does not know, and
/// then nothing would be logged at all.
fn is_directive(text: &str) -> bool {
    let text = text.trim();
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    text.contains(['=', '[']) || levels.contains(&text.to_ascii_lowercase().as_str())
}

impl ServerArgs {
    /// Settings for a master in `data_dir` on a port of its own choice, all else default: the process's variables are for other masters.
    pub(crate) fn embedded(data_dir: &Path, listen: &str) -> Self {
        Self {
            network: NetworkArgs {
                listen: Some(listen.to_owned()),
                ..NetworkArgs::default()
            },
            state: StateArgs {
                data_dir: Some(data_dir.display().to_string()),
                ..StateArgs::default()
            },
            fleet: FleetArgs::default(),
            environment: Environment::Empty,
        }
    }

    /// The settings of a master on this host. Makes the data dir and the root key when they are needed and missing.
    pub(crate) fn settle(&self) -> Result<Settings> {
        self.settle_with(HOST)
    }

    /// Where a master on this host would keep its SQLite database and its root key. Makes nothing.
    pub(crate) fn store_place(&self) -> Result<StorePlace> {
        let state: StateArgs = self.environment.read()?;
        let (data_dir, given_url) = self.data_dir_and_database(&state)?;
        let database = match given_url.as_deref() {
            None => data_dir.join("backupx.db"),
            Some(url) => {
                let path = url
                    .strip_prefix("sqlite://")
                    .or_else(|| url.strip_prefix("sqlite:"));
                let path = path.and_then(|path| path.split('?').next());
                PathBuf::from(path.ok_or_else(|| {
                    anyhow!("only an SQLite database can be begun from a backup of it; bring a Postgres database back with its own tools")
                })?)
            }
        };
        let has_key = [&self.state.secret_key_file, &state.secret_key_file]
            .iter()
            .any(|given| given.is_some())
            || state.secret_key.is_some();
        Ok(StorePlace {
            root_key: (!has_key).then(|| data_dir.join("secret.key")),
            database,
            data_dir,
        })
    }

    /// The data dir, and the database's URL where one is given.
    fn data_dir_and_database(&self, state: &StateArgs) -> Result<(PathBuf, Option<String>)> {
        let data_dir = Setting::of(
            "DATA_DIR",
            self.state.data_dir.as_ref(),
            state.data_dir.as_ref(),
        );
        let data_dir = data_dir.value;
        let data_dir = data_dir.unwrap_or_else(|| "./backupx-data".to_owned());
        let given = &self.state;
        let url = plain_or_file(
            "DATABASE_URL",
            given.database_url.clone().or(state.database_url.clone()),
            given
                .database_url_file
                .clone()
                .or(state.database_url_file.clone()),
        )?;
        Ok((PathBuf::from(data_dir), url))
    }

    /// The same with other defaults.
    pub(crate) fn settle_with(&self, defaults: Defaults) -> Result<Settings> {
        let network: NetworkArgs = self.environment.read()?;
        let state: StateArgs = self.environment.read()?;
        let fleet: FleetArgs = self.environment.read()?;

        let (data_dir, given_url) = self.data_dir_and_database(&state)?;
        let redis_url = plain_or_file(
            "REDIS_URL",
            state.redis_url,
            self.state.redis_url_file.clone().or(state.redis_url_file),
        )?;
        if redis_url.as_deref().is_some_and(|url| !is_redis(url)) {
            bail!(
                "{PREFIX}REDIS_URL is not accepted: give redis://USER:PASSWORD@HOST:PORT/DB, or rediss://… for TLS"
            );
        }
        let database_url = match given_url {
            Some(url) => url,
            None => {
                make_private_folder(&data_dir)?;
                format!("sqlite://{}", data_dir.join("backupx.db").display())
            }
        };
        let is_sqlite = database_url.starts_with("sqlite:");
        if !is_sqlite
            && !database_url.starts_with("postgres://")
            && !database_url.starts_with("postgresql://")
        {
            bail!(
                "{PREFIX}DATABASE_URL is not accepted: give sqlite://PATH or postgres://USER@HOST/DATABASE"
            );
        }
        let root_key = root_key(
            &data_dir,
            secret_or_file(
                "SECRET_KEY",
                state.secret_key,
                self.state.secret_key_file.clone().or(state.secret_key_file),
            )?,
        )?;
        let jwt_secret = secret_or_file(
            "JWT_SECRET",
            state.jwt_secret,
            self.state.jwt_secret_file.clone().or(state.jwt_secret_file),
        )?;
        if jwt_secret
            .as_ref()
            .is_some_and(|secret| secret.expose_secret().len() < 32)
        {
            bail!(
                "{PREFIX}JWT_SECRET is too short: give at least 32 characters, as `openssl rand -base64 32` makes"
            );
        }
        let listen = Setting::of(
            "LISTEN",
            self.network.listen.as_ref(),
            network.listen.as_ref(),
        );
        let external_url = Setting::of(
            "EXTERNAL_URL",
            self.network.external_url.as_ref(),
            network.external_url.as_ref(),
        );
        let trusted_proxies = Setting::of(
            "TRUSTED_PROXIES",
            self.network.trusted_proxies.as_ref(),
            network.trusted_proxies.as_ref(),
        );
        let long_poll_max = Setting::of(
            "LONG_POLL_MAX",
            self.network.long_poll_max.as_ref(),
            network.long_poll_max.as_ref(),
        );
        let connections = Setting::of(
            "DATABASE_CONNECTIONS",
            self.state.database_connections.as_ref(),
            state.database_connections.as_ref(),
        );
        let drain_notice = Setting::of(
            "DRAIN_NOTICE",
            self.network.drain_notice.as_ref(),
            network.drain_notice.as_ref(),
        );
        let local_node = Setting::of(
            "LOCAL_NODE",
            self.fleet.local_node.as_ref(),
            fleet.local_node.as_ref(),
        );
        let offline = Setting::of(
            "NODE_OFFLINE_AFTER",
            self.fleet.node_offline_after.as_ref(),
            fleet.node_offline_after.as_ref(),
        );
        let timeout = Setting::of(
            "COMMAND_TIMEOUT",
            self.fleet.command_timeout.as_ref(),
            fleet.command_timeout.as_ref(),
        );
        Ok(Settings {
            listen: listen.parse(
                SocketAddr::from(([0, 0, 0, 0], 8340)),
                "an address and port as 0.0.0.0:8340",
                |text| text.parse().ok(),
            )?,
            database_url: SecretString::from(database_url),
            database_connections: connections.parse(
                defaults.database_connections,
                "a number from 1 up",
                |text| Some(text.parse::<std::num::NonZero<u32>>().ok()?.get()),
            )?,
            redis_url: redis_url.map(SecretString::from),
            root_key,
            jwt_secret,
            external_url: external_url.parse(None, "an http:// or https:// URL", |text| {
                let host = text
                    .strip_prefix("http://")
                    .or_else(|| text.strip_prefix("https://"))?;
                (!host.is_empty() && !host.starts_with('/'))
                    .then(|| Some(text.trim_end_matches('/').to_owned()))
            })?,
            trusted_proxies: trusted_proxies.parse(
                TrustedProxies::default(),
                "addresses or networks with commas between, as 10.0.0.5,172.30.84.0/24",
                TrustedProxies::parse,
            )?,
            local_node: local_node.parse(is_sqlite, "true or false", |text| text.parse().ok())?,
            long_poll_max: long_poll_max.duration(defaults.long_poll_max)?,
            drain_notice: drain_notice.duration(Duration::from_millis(300))?,
            node_offline_after: offline
                .duration_of_at_least(Duration::from_secs(1), Duration::from_secs(45))?,
            command_timeout: timeout
                .duration_of_at_least(Duration::from_secs(1), Duration::from_secs(600))?,
        })
    }
}

fn is_redis(url: &str) -> bool {
    url.starts_with("redis://") || url.starts_with("rediss://")
}

/// The given root key, else the one in the data dir, else a new one that is kept there for its owner alone.
fn root_key(data_dir: &Path, given: Option<SecretString>) -> Result<RootKey> {
    const ACCEPTED: &str = "give 32 bytes in base64, as `openssl rand -base64 32` makes";
    let decode =
        |text: &str| -> Option<[u8; 32]> { BASE64.decode(text.trim()).ok()?.try_into().ok() };
    if let Some(given) = given {
        let key = decode(given.expose_secret())
            .ok_or_else(|| anyhow!("{PREFIX}SECRET_KEY is not accepted: {ACCEPTED}"))?;
        return Ok(RootKey(key));
    }
    let path = data_dir.join("secret.key");
    make_private_folder(data_dir)?;
    match private_file::create(&path, BASE64.encode(rand::random::<[u8; 32]>()).as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("the root key can't be written to {}", path.display()));
        }
    }
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("the root key in {} can't be read", path.display()))?;
    decode(&text)
        .map(RootKey)
        .ok_or_else(|| anyhow!("the root key in {} is damaged: {ACCEPTED}", path.display()))
}

/// Makes a folder that only its owner may enter; one that exists is left as it is.
pub(crate) fn make_private_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the data dir {} can't be made", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = root_key(folder.path(), None).expect("made");
        let second = root_key(folder.path(), None).expect("read");
        assert_eq!(first.0, second.0);
        let mode = std::fs::metadata(folder.path().join("secret.key"))
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn bad_values_name_the_variable_and_what_is_accepted() {
        let setting = Setting {
            name: "COMMAND_TIMEOUT",
            value: Some("soon".to_owned()),
        };
        let error = setting
            .duration(Duration::ZERO)
            .expect_err("must be refused")
            .to_string();
        assert!(
            error.contains("BACKUPX_COMMAND_TIMEOUT=\"soon\"") && error.contains("10m"),
            "{error}"
        );
    }

    #[test]
    fn a_filter_that_would_log_nothing_is_refused() {
        assert!(is_directive("info") && is_directive(" backupx_http=debug"));
        assert!(!is_directive("verbose"));
    }

    #[test]
    fn never_30_a_bad_secret_is_not_repeated() {
        let error = root_key(
            Path::new("."),
            Some(SecretString::from("hunter2".to_owned())),
        )
        .expect_err("must be refused");
        assert!(!format!("{error:#}").contains("hunter2"));
    }
}
