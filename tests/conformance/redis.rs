//! The Redis backend: queue, presence and signals behind a prefix of their own for every case, in a server that is thrown away; all else
//! in a SQLite file. What is asked of Redis alone follows below: that one that comes back empty costs no run.

use crate::case::block_on;
use crate::control_plane::{app, failure, poll};
use crate::ports::{Host, Ports};
use crate::samples::{ask, at, queued, read, task};
use anyhow::{Context, Result, ensure};
use backupx_core::ErrorKind;
use backupx_core::domain::command::{Lane, Lease};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::protocol::{HeldLease, Hello};
use backupx_core::domain::record::RecordState;
use backupx_core::domain::report::Outcome;
use backupx_core::ports::queue::Guarded;
use backupx_core::ports::signals::Topic;
use backupx_redis::RedisStores;
use backupx_sql::SqlStores;
use futures::FutureExt;
use futures::future::BoxFuture;
use libtest_mimic::Trial;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// The server, when there is one.
pub(crate) fn server() -> Option<String> {
    std::env::var("BACKUPX_TEST_REDIS_URL")
        .ok()
        .filter(|url| !url.is_empty())
}

/// A store behind a prefix that nobody had before, for a user of that name.
pub(crate) async fn fresh() -> Result<Ports> {
    let server = server().context("BACKUPX_TEST_REDIS_URL is not set")?;
    let prefix = prefix();
    tell(
        &server,
        &format!("ACL SETUSER {prefix} on nopass ~* &* +@all"),
    )
    .await?;
    let url = server.replace("://", &format!("://{prefix}:any@"));
    RedisHost::open(url, prefix, Arc::new(tempfile::tempdir()?)).await
}

fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("case-{}-{number}", std::process::id())
}

/// Says one line to the server and hears one.
async fn tell(server: &str, line: &str) -> Result<()> {
    let (_, address) = server.split_once("://").context("the URL has no scheme")?;
    let mut connection = BufStream::new(TcpStream::connect(address).await?);
    connection
        .write_all(format!("{line}\r\n").as_bytes())
        .await?;
    connection.flush().await?;
    let mut answer = String::new();
    connection.read_line(&mut answer).await?;
    ensure!(answer.starts_with(['+', ':']), "{line}: {answer}");
    Ok(())
}

struct RedisHost {
    url: String,
    prefix: String,
    folder: Arc<TempDir>,
    redis: RedisStores,
    sql: SqlStores,
}

impl RedisHost {
    async fn open(url: String, prefix: String, folder: Arc<TempDir>) -> Result<Ports> {
        let file = format!("sqlite://{}", folder.path().join("state.db").display());
        let sql = SqlStores::connect(&file).await?;
        let redis = RedisStores::connect(&url, &prefix).await?;
        let stores = Arc::new(redis.clone());
        let host = Arc::new(Self {
            url,
            prefix,
            folder,
            redis,
            sql: sql.clone(),
        });
        Ok(Ports {
            queue: stores.clone(),
            presence: stores.clone(),
            signals: stores,
            ..Ports::of_sql(&sql, host)
        })
    }

    fn again(&self) -> BoxFuture<'_, Result<Ports>> {
        let folder = Arc::clone(&self.folder);
        Self::open(self.url.clone(), self.prefix.clone(), folder).boxed()
    }
}

impl Host for RedisHost {
    fn is_shared(&self) -> bool {
        true
    }

    fn restart(&self) -> BoxFuture<'_, Result<Ports>> {
        async move {
            self.redis.close();
            self.sql.close().await;
            self.again().await
        }
        .boxed()
    }

    fn replica(&self) -> BoxFuture<'_, Result<Ports>> {
        self.again()
    }

    fn cut(&self) -> BoxFuture<'_, Result<()>> {
        async move {
            let server = server().context("BACKUPX_TEST_REDIS_URL is not set")?;
            tell(&server, &format!("CLIENT KILL USER {}", self.prefix)).await
        }
        .boxed()
    }
}

/// What is asked of this backend alone. The cases start servers of their own, to stop them.
pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),+ $(,)?) => {
            vec![$(Trial::test(concat!("redis_server::", stringify!($name)), || block_on($name()))),+]
        };
    }
    let ignored = server().is_none() && !crate::backend::is_required();
    trials!(
        redis_that_restarts_empty_loses_no_run,
        never_09_a_late_report_on_a_forgotten_command_meets_no_other_one,
        waiters_hear_again_after_redis_was_away,
        never_30_errors_do_not_show_the_password,
    )
    .into_iter()
    .map(|trial| {
        trial.with_ignored_flag(ignored).with_kind(if ignored {
            "BACKUPX_TEST_REDIS_URL is not set"
        } else {
            ""
        })
    })
    .collect()
}

/// A server that keeps nothing, with a password.
struct Server {
    port: u16,
    folder: TempDir,
    process: Child,
}

const PASSWORD: &str = "hunter2";

impl Server {
    async fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let process = Self::spawn(port, &folder)?;
        let server = Self {
            port,
            folder,
            process,
        };
        server.answers().await?;
        Ok(server)
    }

    fn spawn(port: u16, folder: &TempDir) -> Result<Child> {
        Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &port.to_string(), "--requirepass", PASSWORD])
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("redis-server can't be started")
    }

    fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    async fn answers(&self) -> Result<()> {
        let waiting = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting)
            .await
            .context("redis-server does not answer")
    }

    fn stop(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// The same server again, with nothing in it.
    async fn come_back_empty(&mut self) -> Result<()> {
        self.stop()?;
        self.process = Self::spawn(self.port, &self.folder)?;
        self.answers().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been stopped already.
        self.stop().ok();
    }
}

async fn on(server: &Server) -> Result<Ports> {
    RedisHost::open(server.url(), prefix(), Arc::new(tempfile::tempdir()?)).await
}

/// One run waits again after a hand-out that got lost, one is under way. The first is made again under a lease that the records have not
/// seen and comes to its end, the second ends as failed: nobody knows any more who has it.
async fn redis_that_restarts_empty_loses_no_run() -> Result<()> {
    let mut server = Server::start().await?;
    let ports = on(&server).await?;
    let app = app(&ports);
    app.prepare().await?;
    let (one, two) = (task(&ports, "one").await?, task(&ports, "two").await?);
    let (waits, runs) = (
        queued(&ports, &one, 1).await?,
        queued(&ports, &two, 1).await?,
    );
    assert_eq!(app.sweep().await?.enqueued, 2);
    let lost = poll(&app, waits.node_id).await?;
    let forgotten = poll(&app, runs.node_id).await?;
    app.hello(waits.node_id, Hello::default()).await?;
    assert_eq!(
        read(&ports, waits.id).await?.state,
        RecordState::Queued,
        "the agent never got it"
    );

    server.come_back_empty().await?;
    let swept = app.sweep().await?;
    assert_eq!((swept.enqueued, swept.finished, swept.failed), (1, 1, 0));
    let again = poll(&app, waits.node_id).await?;
    assert_eq!((lost.lease, again.lease), (Lease(1), Lease(2)));
    for (node, late) in [(waits.node_id, &lost), (runs.node_id, &forgotten)] {
        let refused = app.result(node, late.command_id, failure(late.lease)).await;
        crate::samples::refused(refused, "lease_lost");
    }
    app.result(waits.node_id, again.command_id, failure(again.lease))
        .await?;
    for (record, code) in [(&waits, "disk_full"), (&runs, "command_lost")] {
        let ended = read(&ports, record.id).await?;
        assert_eq!(ended.state, RecordState::Failed);
        assert_eq!(
            ended.failure.map(|failure| failure.code).as_deref(),
            Some(code)
        );
    }
    Ok(())
}

async fn never_09_a_late_report_on_a_forgotten_command_meets_no_other_one() -> Result<()> {
    let mut server = Server::start().await?;
    let ports = on(&server).await?;
    let forgotten = crate::samples::claimed(&ports, 1, 1).await?;
    server.come_back_empty().await?;
    let id = ports.queue.enqueue(ask(2), at(2)).await?;
    let other = ports.queue.claim(NodeId(1), Lane::Work, at(3)).await?;
    let other = other.context("it is due")?;
    ensure!(
        other.id == id && id != forgotten,
        "the id {id} was given twice"
    );
    let held = HeldLease {
        command_id: forgotten,
        lease: Lease(1),
    };
    ensure!(
        ports
            .queue
            .renew_all(NodeId(1), &[held], at(4))
            .await?
            .is_empty()
    );
    let late = ports
        .queue
        .finish(forgotten, Lease(1), &Outcome::Cancelled, at(4));
    assert_eq!(late.await?, Guarded::LeaseLost);
    assert_eq!(ports.queue.get(id).await?, Some(other));
    Ok(())
}

async fn waiters_hear_again_after_redis_was_away() -> Result<()> {
    let mut server = Server::start().await?;
    let ports = on(&server).await?;
    let replica = ports.host.replica().await?;
    let mut waiter = replica.signals.subscribe(Topic::Events).await?;
    server.stop()?;
    let error = ports
        .signals
        .notify(Topic::Events)
        .await
        .err()
        .context("nobody is there")?;
    ensure!(error.kind() == ErrorKind::Unavailable, "{error:?}");
    let error = app(&ports).ready().await.err();
    let error = error.context("a master without its queue is not ready")?;
    ensure!(error.kind() == ErrorKind::Unavailable, "{error:?}");
    server.come_back_empty().await?;
    // First the catch-up: what was said meanwhile is lost. Then wake-ups come through as before.
    let limit = Duration::from_secs(3600);
    for _ in 0..2 {
        tokio::time::timeout(Duration::from_secs(30), waiter.wait(limit))
            .await
            .context("the wake-up was lost")?;
        ports.signals.notify(Topic::Events).await?;
    }
    Ok(())
}

async fn never_30_errors_do_not_show_the_password() -> Result<()> {
    let mut server = Server::start().await?;
    let good = server.url();
    let wrong = good.replace(PASSWORD, "letmein");
    let nonsense = good.replace("redis://", "redis//");
    let mut errors = Vec::new();
    for (url, kind) in [
        (&wrong, ErrorKind::Unavailable),
        (&nonsense, ErrorKind::Invalid),
    ] {
        errors.push((RedisStores::connect(url, "p").await.err(), kind));
    }
    server.stop()?;
    errors.push((
        RedisStores::connect(&good, "p").await.err(),
        ErrorKind::Unavailable,
    ));
    for (error, kind) in errors {
        let error = error.context("it was not refused")?;
        ensure!(error.kind() == kind, "{error:?}");
        let text = format!("{error:?} {}", error.chain());
        ensure!(
            !text.contains(PASSWORD) && !text.contains("letmein"),
            "{text}"
        );
    }
    Ok(())
}
