//! `backupx extract`: opens a stored backup without any master.

pub(crate) mod keys;
pub(crate) mod place;
pub(crate) mod watcher;

use super::failure::{FAILED, Hint};
use super::operation::restored;
use super::output::{OutputFormat, key_values};
use super::record::by_name;
use anyhow::{Context, Result};
use backupx_api::operations::Overwrite;
use backupx_api::reports::RestoreReport;
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::ports::source::StopFlag;
use backupx_engine::dumps::{self, DumpRestorePlan};
use backupx_engine::restore::{RestorePlan, restore};
use place::Place;
use std::path::PathBuf;
use std::process::ExitCode;
use watcher::Watcher;

/// What, with which key, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The backup's folder, its data object or its manifest: a path, or s3://BUCKET/KEY with AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL in the environment
    object: String,
    /// File with the age identity that opens it (AGE-SECRET-KEY-1…), as `backupx key export` prints it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Folder below which everything is written
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only what matches: a folder's path means all below it, `*` stops at `/`, `**` does not. May be repeated
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// What happens to files that are there already: never, if-changed, always
    #[arg(long, value_parser = overwrite, default_value = "if-changed")]
    overwrite: Overwrite,
    /// Only say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Opens the backup and writes its files.
pub(crate) async fn run(args: Args, output: OutputFormat) -> Result<ExitCode> {
    let place = Place::parse(&args.object)?;
    let destination = place.open()?;
    let manifest = backupx_engine::read_manifest(destination.store.as_ref(), &place.location)
        .await
        .map_err(|error| explain(&args.object, error))?;
    let keys = keys::unwrap(&manifest, args.identity.as_deref())?;
    let to = std::path::absolute(&args.to)
        .with_context(|| format!("--to {} can't be made absolute", args.to.display()))?;
    let to = to
        .into_os_string()
        .into_string()
        .map_err(|_| super::failure::usage("--to is not valid UTF-8"))?;
    let spec = RestoreSpec {
        database: None,
        to: Some(to),
        include: args.include,
        overwrite: args.overwrite.into(),
        dry_run: args.dry_run,
    };
    let (location, holds_dumps) = (place.location, manifest.dumps().next().is_some());
    let stop = StopFlag::default();
    let watcher = Watcher::start(stop.clone());
    let (sources, observer) = (vec![destination], watcher.observer());
    let report = if holds_dumps {
        let plan = DumpRestorePlan {
            names: Default::default(),
            location,
            keys,
            spec,
            server: None,
            server_name: String::new(),
        };
        dumps::restore(plan, sources, observer, stop).await
    } else {
        let plan = RestorePlan {
            location,
            keys,
            spec,
        };
        restore(plan, sources, observer, stop).await
    };
    watcher.end().await;
    let report = RestoreReport::from(report.context("the backup could not be put back")?);
    let whole = report.failed_entries == 0;
    output.print(&report, |report| key_values(&restored(report)))?;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// A lone object, as `record download` fetches it, has no manifest beside it: standard tools open that one.
fn explain(object: &str, error: backupx_core::Error) -> anyhow::Error {
    if error.code() != "manifest_not_found" {
        return anyhow::Error::new(error).context(format!("{object} can't be opened"));
    }
    Hint::error(
        format!("{object} can't be opened: {}", error.message()),
        format!(
            "extract needs the whole folder of a backup; a data object alone opens with: cat {object} | age -d -i KEY | zstd -d | tar -x (leave out what its name does not end in)"
        ),
    )
}

fn overwrite(text: &str) -> Result<Overwrite, String> {
    by_name(Overwrite::ALL, Overwrite::as_str, text)
}
