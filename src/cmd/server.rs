//! `backupx server`: the master.

mod restore_from;

use crate::config::ServerArgs;
use crate::{shutdown, wire};
use anyhow::{Context, Result};
use backupx_agent::{Agent, AgentConfig};
use backupx_app::{App, InProcessLink};
use backupx_core::domain::id::NodeId;
use backupx_http::HttpOptions;
use rustix::process::{Resource, getrlimit, setrlimit};
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between two passes of scheduler and sweeper.
const PASS_INTERVAL: Duration = Duration::from_secs(1);
/// Connections that may wait to be accepted; the kernel may allow fewer.
const BACKLOG: u32 = 4096;

/// A master that is ready to run.
pub(crate) struct Master {
    /// Its control plane.
    pub(crate) app: Arc<App>,
    listener: TcpListener,
    options: HttpOptions,
    drain_notice: Duration,
}

impl Master {
    /// Opens the stores and the port.
    pub(crate) async fn open(args: &ServerArgs) -> Result<Self> {
        let settings = args.settle()?;
        let app = wire::control_plane(&settings).await?;
        raise_file_limit();
        let listener = listen(settings.listen)
            .with_context(|| format!("BACKUPX_LISTEN={} can't be listened on", settings.listen))?;
        let options = HttpOptions {
            jwt_secret: settings.jwt_secret,
            external_url: settings.external_url,
            trusted_proxies: settings.trusted_proxies,
            ..HttpOptions::default()
        };
        Ok(Self {
            app,
            listener,
            options,
            drain_notice: settings.drain_notice,
        })
    }

    /// The address that it listens on, as a URL for this host.
    pub(crate) fn url(&self) -> Result<String> {
        let address = self.listener.local_addr()?;
        let host = if address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            address.ip().to_string()
        };
        Ok(format!("http://{host}:{}", address.port()))
    }

    /// Serves, schedules and sweeps, and runs node 0 when it lives here, until `shutdown`; then drains.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let mut parts = JoinSet::new();
        parts.spawn(passes(self.app.clone(), shutdown.clone()));
        if self.app.settings().local_node {
            parts.spawn(local_node(self.app.clone(), shutdown.clone()));
        }
        let options = HttpOptions {
            shutdown: shutdown.clone(),
            ..self.options
        };
        let served = backupx_http::serve(
            self.listener,
            backupx_http::router(self.app, options),
            shutdown.clone(),
            self.drain_notice,
        )
        .await;
        shutdown.cancel();
        while let Some(part) = parts.join_next().await {
            part.context("a part of the master panicked")?;
        }
        served.context("the listener failed")
    }
}

/// A listener with room for a whole fleet that comes back at once.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Every agent holds up to three connections: as many files as the host allows may be open.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files can't be raised");
    }
}

/// How a master runs, and what it begins with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    begin: restore_from::Beginning,
}

/// Runs the master until it is asked to stop.
pub(crate) async fn run(args: &Args) -> Result<ExitCode> {
    restore_from::restore(&args.begin, &args.server).await?;
    let master = Master::open(&args.server).await?;
    if let Some(code) = master.app.begin_set_up().await? {
        super::failure::say(&format!(
            "Nobody has an account yet. Open {} and enter this one-time code: {}\n\
             Or make the first administrator here: backupx admin create --username NAME --password-file FILE",
            master.url()?,
            code.expose_secret()
        ));
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        url = master.url()?,
        "the master is ready"
    );
    master.run(shutdown::on_signal()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Scheduler and sweeper, each pass with a little jitter so that replicas do not march in step.
async fn passes(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        let jitter = Duration::from_millis(rand::random_range(0..200));
        // Cancel-safe: a sleep and a flag.
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PASS_INTERVAL + jitter) => {}
        }
        pass(&app).await;
    }
}

/// One pass of both. Failures are logged and met again by the next pass.
pub(super) async fn pass(app: &App) -> bool {
    let ticked = app
        .tick()
        .await
        .inspect_err(|error| tracing::error!(error = error.chain(), "the scheduler's pass failed"));
    let swept = app
        .sweep()
        .await
        .inspect_err(|error| tracing::error!(error = error.chain(), "the sweeper's pass failed"));
    ticked.is_ok() && swept.is_ok()
}

async fn local_node(app: Arc<App>, shutdown: CancellationToken) {
    let link = Arc::new(InProcessLink::new(app, NodeId::LOCAL));
    // A report is a call within the process, and whoever started a quickstart watches it.
    let config = AgentConfig {
        progress_interval: Duration::from_millis(500),
        ..AgentConfig::default()
    };
    let agent = Agent::new(link, wire::agent_deps(), config);
    if let Err(error) = agent.run(shutdown).await {
        tracing::error!(error = error.chain(), "node 0 stopped");
    }
}
