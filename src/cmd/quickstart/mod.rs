//! `backupx quickstart`: the main job in one step - back up, verify, restore beside, compare - on the embedded defaults.

mod compare;
mod report;
mod sample;
mod steps;

use super::failure::say;
use super::output::OutputFormat;
use super::server::Master;
use crate::config::{ServerArgs, make_private_folder};
use crate::shutdown;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use steps::Journey;
use tokio_util::sync::CancellationToken;

/// What `quickstart` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files or folders to back up [default: a small tree that is made for it]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder for the master's state, the stored backup and the restored copy
    #[arg(long, value_name = "DIR", default_value = "./backupx-data")]
    data_dir: PathBuf,
    /// Stop after the report instead of going on serving
    #[arg(long)]
    exit: bool,
}

/// Where the console is found when nothing else has the port.
const USUAL_ADDRESS: &str = "127.0.0.1:8340";
/// A port that the system picks.
const ANY_ADDRESS: &str = "127.0.0.1:0";

/// Runs the main job and reports; then serves on, unless `--exit`.
pub(crate) async fn run(args: &Args, output: OutputFormat) -> Result<ExitCode> {
    make_private_folder(&args.data_dir)?;
    let data_dir = args
        .data_dir
        .canonicalize()
        .with_context(|| format!("the folder {} can't be opened", args.data_dir.display()))?;
    let paths = if args.paths.is_empty() {
        vec![sample::make(&data_dir)?]
    } else {
        absolute(&args.paths)?
    };
    let master = open_master(&data_dir).await?;
    let url = master.url()?;
    let stop = CancellationToken::new();
    let app = master.app.clone();
    let serving = tokio::spawn(master.run(stop.clone()));

    let interrupted = shutdown::on_signal()?;
    let journey = Journey::new(app, data_dir, paths);
    // Dropping the journey loses nothing: the run belongs to the master, which drains below.
    let outcome = tokio::select! {
        outcome = journey.travel() => outcome,
        () = interrupted.cancelled() => Err(anyhow::anyhow!("stopped before the end")),
    };
    let ended = match outcome {
        Ok(found) => {
            let report = report::Report::new(found, url);
            output.print(&report, report::Report::text)?;
            Ok(report.holds())
        }
        Err(error) => Err(error),
    };
    if ended.is_ok() && !args.exit {
        say("Serving on; stop with Ctrl-C.");
        interrupted.cancelled().await;
    }
    stop.cancel();
    serving.await.context("the master panicked")??;
    Ok(if ended? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A master in `data_dir`, on the usual port or, when that is taken, on a free one.
async fn open_master(data_dir: &Path) -> Result<Master> {
    let address = if std::net::TcpListener::bind(USUAL_ADDRESS).is_ok() {
        USUAL_ADDRESS
    } else {
        ANY_ADDRESS
    };
    Master::open(&ServerArgs::embedded(data_dir, address)).await
}

fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        let absolute = path
            .canonicalize()
            .with_context(|| format!("{} can't be backed up", path.display()))?;
        if absolute.to_str().is_none() {
            bail!(
                "{} can't be named in a task: its path is no UTF-8; name the folder above it",
                path.display()
            );
        }
        found.push(absolute);
    }
    Ok(found)
}
