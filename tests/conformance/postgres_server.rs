//! The Postgres server: what happens when it is killed and comes back, directly and behind a pooler, and when several masters start at
//! once. Each case has a server of its own, to stop it.

use crate::case::{block_on, patiently};
use crate::control_plane::{app, failure, poll};
use crate::ports::Ports;
use crate::postgres::{self, PostgresHost};
use crate::samples::{queued, read, task};
use anyhow::{Context, Result, ensure};
use backupx_core::ErrorKind;
use backupx_core::domain::command::Lease;
use backupx_core::domain::progress::Progress;
use backupx_core::domain::protocol::ProgressReport;
use backupx_core::domain::record::RecordState;
use backupx_core::ports::signals::Topic;
use backupx_sql::SqlStores;
use futures::future::try_join_all;
use libtest_mimic::Trial;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// What is asked of this engine alone.
pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),+ $(,)?) => {
            vec![$(Trial::test(concat!("postgres_server::", stringify!($name)), || block_on($name()))),+]
        };
    }
    let ignored = postgres::pooler().is_none() && !crate::backend::is_required();
    let why = match ignored {
        true => "BACKUPX_TEST_POOLER_URL is not set",
        false => "",
    };
    trials!(
        postgres_that_is_killed_and_comes_back_loses_nothing,
        postgres_that_is_killed_behind_a_pooler_loses_nothing,
        a_pooler_that_is_killed_and_comes_back_loses_nothing,
        masters_that_start_together_migrate_once,
        a_pooler_that_refuses_what_the_driver_asks_for_is_explained,
        never_30_errors_do_not_show_the_password,
    )
    .into_iter()
    .map(|trial| trial.with_ignored_flag(ignored).with_kind(why))
    .collect()
}

/// A program that runs on a port of its own, and can be stopped and started again.
struct Program {
    port: u16,
    command: Vec<String>,
    process: Child,
}

impl Program {
    fn start(port: u16, command: Vec<String>) -> Result<Self> {
        let process = spawn(&command)?;
        Ok(Self {
            port,
            command,
            process,
        })
    }

    fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Starts it again. Postgres refuses as long as a part of it is still going away.
    async fn come_back(&mut self) -> Result<()> {
        let starting = async {
            loop {
                self.process = spawn(&self.command)?;
                while self.process.try_wait()?.is_none() {
                    if answers(self.port).await {
                        return anyhow::Ok(());
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), starting)
            .await
            .context("it does not come back")?
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Told to stop, Postgres takes its parts along; it may have been killed already.
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-QUIT", &pid]).status().ok();
        self.process.wait().ok();
    }
}

fn spawn(command: &[String]) -> Result<Child> {
    let (program, arguments) = command.split_first().context("a command has a name")?;
    Command::new(program)
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{program} can't be started"))
}

async fn answers(port: u16) -> bool {
    let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    connected.is_ok()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A folder and the words that begin a command there: neither program runs as root.
struct Place {
    folder: TempDir,
    runs_as: Vec<String>,
}

impl Place {
    fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut runs_as = Vec::new();
        if fs::metadata("/proc/self")?.uid() == 0 {
            let user = "setpriv --reuid=postgres --regid=postgres --init-groups";
            runs_as.extend(user.split(' ').map(str::to_owned));
        }
        let place = Self { folder, runs_as };
        place.own()?;
        Ok(place)
    }

    /// Gives what is in the folder to who works there.
    fn own(&self) -> Result<()> {
        if self.runs_as.is_empty() {
            return Ok(());
        }
        let done = Command::new("chown")
            .args(["-R", "postgres"])
            .arg(self.folder.path())
            .status()?;
        ensure!(done.success(), "the folder can't be given away");
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Vec<String> {
        let mut command = self.runs_as.clone();
        command.push(program.display().to_string());
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        command
    }
}

/// A Postgres server, and perhaps a pooler before it.
struct Server {
    postgres: Program,
    pooler: Option<Program>,
    _place: Place,
}

impl Server {
    async fn start() -> Result<Self> {
        let (place, tools, port) = (Place::make()?, tools()?, free_port()?);
        let data = place.path("data");
        let init = [
            "-D",
            &data,
            "-U",
            "backupx",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ];
        let made = spawn(&place.command(&tools.join("initdb"), &init))?.wait()?;
        ensure!(made.success(), "initdb failed");
        let sockets = place.path("");
        let number = port.to_string();
        let options = [
            "-D",
            &data,
            "-p",
            &number,
            "-k",
            &sockets,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
        ];
        let command = place.command(&tools.join("postgres"), &options);
        let server = Self {
            postgres: Program::start(port, command)?,
            pooler: None,
            _place: place,
        };
        let url = server.url();
        patiently(|| SqlStores::connect(&url)).await?;
        Ok(server)
    }

    /// With a pooler whose file of settings ends with `more`.
    async fn start_pooled(more: &str) -> Result<Self> {
        let mut server = Self::start().await?;
        let (place, port) = (&server._place, free_port()?);
        fs::write(place.path("users.txt"), "\"backupx\" \"\"\n")?;
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 3\nserver_login_retry = 0.1\n{more}\n",
            server.postgres.port,
            place.path("users.txt"),
        );
        fs::write(place.path("pgbouncer.ini"), settings)?;
        place.own()?;
        let command = place.command(&pgbouncer()?, &[&place.path("pgbouncer.ini")]);
        let pooler = Program::start(port, command)?;
        let waiting = async {
            while !answers(port).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .context("the pooler does not answer")?;
        server.pooler = Some(pooler);
        Ok(server)
    }

    /// The door for masters: the pooler where there is one.
    fn url(&self) -> String {
        match &self.pooler {
            None => format!(
                "postgres://backupx@127.0.0.1:{}/postgres",
                self.postgres.port
            ),
            Some(pooler) => format!(
                "postgres://backupx@127.0.0.1:{}/postgres?pooler=transaction",
                pooler.port
            ),
        }
    }

    async fn ports(&self) -> Result<Ports> {
        let url = self.url();
        PostgresHost::open(&url, "backupx".to_owned(), &url).await
    }
}

/// The newest ones of Debian.
fn tools() -> Result<PathBuf> {
    let mut versions = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql")? {
        let path = entry?.path();
        let version = path.file_name().and_then(|name| name.to_str());
        if let Some(version) = version.and_then(|name| name.parse::<u32>().ok()) {
            versions.push((version, path.join("bin")));
        }
    }
    versions.sort();
    let (_, newest) = versions.pop().context("there is no PostgreSQL")?;
    Ok(newest)
}

/// Debian puts it where only root looks.
fn pgbouncer() -> Result<PathBuf> {
    ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .context("there is no PgBouncer")
}

const POOLED: &str = "ignore_startup_parameters = extra_float_digits";

/// Which part of the server goes away.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Postgres,
    Pooler,
}

async fn postgres_that_is_killed_and_comes_back_loses_nothing() -> Result<()> {
    Box::pin(survives(Server::start().await?, Victim::Postgres)).await
}

async fn postgres_that_is_killed_behind_a_pooler_loses_nothing() -> Result<()> {
    Box::pin(survives(
        Server::start_pooled(POOLED).await?,
        Victim::Postgres,
    ))
    .await
}

async fn a_pooler_that_is_killed_and_comes_back_loses_nothing() -> Result<()> {
    Box::pin(survives(
        Server::start_pooled(POOLED).await?,
        Victim::Pooler,
    ))
    .await
}

/// A run is under way, another one waits, and somebody waits for a wake-up on another master. All three go on when the server is back.
async fn survives(mut server: Server, victim: Victim) -> Result<()> {
    let ports = server.ports().await?;
    let replica = ports.host.replica().await?;
    let (here, there) = (app(&ports), app(&replica));
    here.prepare().await?;
    let (one, two) = (task(&ports, "one").await?, task(&ports, "two").await?);
    let (runs, waits) = (
        queued(&ports, &one, 1).await?,
        queued(&ports, &two, 1).await?,
    );
    ensure!(here.sweep().await?.enqueued == 2);
    let work = poll(&here, runs.node_id).await?;
    let topic = Topic::Node(waits.node_id);
    let mut waiter = replica.signals.subscribe(topic).await?;

    match victim {
        Victim::Postgres => server.postgres.kill()?,
        Victim::Pooler => server.pooler.as_mut().context("there is one")?.kill()?,
    }
    let error = here.ready().await.err();
    let error = error.context("a master without its store is not ready")?;
    ensure!(error.kind() == ErrorKind::Unavailable, "{error:?}");
    let error = here.poll(waits.node_id, crate::control_plane::now()).await;
    let error = error.err().context("nothing can be handed out")?;
    ensure!(error.kind() == ErrorKind::Unavailable, "{error:?}");
    match victim {
        Victim::Postgres => server.postgres.come_back().await?,
        Victim::Pooler => {
            let pooler = server.pooler.as_mut().context("there is one")?;
            pooler.come_back().await?;
        }
    }

    let report = || ProgressReport {
        lease: work.lease,
        progress: Progress::default(),
        log: Vec::new(),
    };
    patiently(|| there.progress(runs.node_id, work.command_id, report())).await?;
    let result = || here.result(runs.node_id, work.command_id, failure(work.lease));
    patiently(result).await?;
    ensure!(read(&ports, runs.id).await?.state == RecordState::Failed);
    let next = poll(&there, waits.node_id).await?;
    ensure!(next.lease == Lease(1), "it was handed out once");

    // First the catch-up: what was said meanwhile is lost. Then wake-ups come through as before.
    for round in 0..2 {
        patiently(|| ports.signals.notify(topic)).await?;
        let long = Duration::from_secs(3600);
        tokio::time::timeout(Duration::from_secs(30), waiter.wait(long))
            .await
            .with_context(|| format!("wake-up {round} was lost"))?;
    }
    Ok(())
}

async fn masters_that_start_together_migrate_once() -> Result<()> {
    let direct = postgres::schema().await?;
    let pooled = postgres::pooler().context("BACKUPX_TEST_POOLER_URL is not set")?;
    let user = postgres::user_of(&postgres::schema().await?)?;
    for url in [direct, postgres::as_user(&pooled, &user)?] {
        let starting = (0..8).map(|_| SqlStores::connect(&url));
        let started = try_join_all(starting).await?;
        for stores in started {
            stores.check().await?;
            stores.close().await;
        }
    }
    Ok(())
}

async fn a_pooler_that_refuses_what_the_driver_asks_for_is_explained() -> Result<()> {
    let server = Server::start_pooled("").await?;
    let error = SqlStores::connect(&server.url()).await.err();
    let error = error.context("it was let in")?;
    ensure!(error.code() == "pooler_refused", "{error:?}");
    ensure!(
        error.message().contains("ignore_startup_parameters"),
        "{error}"
    );
    Ok(())
}

async fn never_30_errors_do_not_show_the_password() -> Result<()> {
    let nobody = free_port()?;
    for url in [
        format!("postgres://u:hunter2@127.0.0.1:{nobody}/d"),
        "postgres://u:hunter2@127.0.0.1:99999/d".to_owned(),
        format!("postgres://u:hunter2@127.0.0.1:{nobody}/d?pooler=session"),
    ] {
        let error = SqlStores::connect(&url).await.err();
        let error = error.context("it was not refused")?;
        let text = format!("{error:?} {}", error.chain());
        ensure!(!text.contains("hunter2"), "{text}");
    }
    Ok(())
}
