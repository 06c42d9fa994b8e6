//! `backupx server --restore-from`: a master's own database out of a backup of it, before the master starts.

use crate::cmd::extract::place::Place;
use crate::cmd::extract::{keys, watcher::Watcher};
use crate::cmd::failure::{Hint, say, usage};
use crate::config::{ServerArgs, StorePlace, make_private_folder};
use crate::{private_file, wire};
use anyhow::{Context, Result, bail, ensure};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::source::StopFlag;
use backupx_engine::Destination;
use backupx_engine::dumps::{self, DumpRestorePlan};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Backups of one look at a target.
const AT_ONCE: usize = 500;
/// How long one look may take before it says how far it came.
const LOOK: Duration = Duration::from_secs(60);
/// What an SQLite database is called that nobody gave another name.
const DATABASE: &str = "backupx.db";

/// Where the backup lies, and what opens it.
#[derive(Debug, clap::Args)]
pub(crate) struct Beginning {
    /// Begin with the state out of a backup of a master's own database: the target that holds it (a folder, or s3://BUCKET/PREFIX with
    /// AWS_… in the environment), where the newest one is taken, or the folder of one backup. The data dir must have no database yet
    #[arg(long, value_name = "PLACE")]
    restore_from: Option<String>,
    /// The recovery kit, as `backupx key export` printed it
    #[arg(long, value_name = "FILE", requires = "restore_from")]
    identity: Option<PathBuf>,
}

/// Brings the database back, and the root key that the kit has, when it is asked for. Nothing is there before all of it is.
pub(crate) async fn restore(args: &Beginning, server: &ServerArgs) -> Result<()> {
    let Some(from) = &args.restore_from else {
        return Ok(());
    };
    let store = server.store_place()?;
    if store.database.exists() {
        return Err(Hint::error(
            format!("{} is there already", store.database.display()),
            "--restore-from begins a master anew: start without it, or move that file and those beside it away first",
        ));
    }
    let found = find(from).await?;
    let keys = keys::unwrap(&found.manifest, args.identity.as_deref())?;
    let kit = args.identity.as_deref().map(fs::read_to_string).transpose();
    let root_key = kit.context("the recovery kit can't be read")?;
    let root_key = root_key.as_deref().and_then(root_key_of);

    make_private_folder(&store.data_dir)?;
    let beside = tempfile::Builder::new()
        .prefix("restoring-")
        .tempdir_in(&store.data_dir)?;
    let made_at = found.manifest.created_at;
    let restored = put_back(found, keys, beside.path()).await?;
    wire::begin_state_anew(&restored)
        .await
        .context("what was restored is no state store of BackupX")?;
    take_root_key(&store, root_key)?;
    File::open(&restored)?.sync_all()?;
    fs::rename(&restored, &store.database)?;
    File::open(&store.data_dir)?.sync_all()?;
    say(&format!(
        "The state of {} is back. Runs that were made since lie in storage and are not in it: `backupx import TARGET` takes them over.",
        made_at.format("%Y-%m-%d %H:%M:%S UTC")
    ));
    Ok(())
}

/// A backup of a master's database.
struct Found {
    destination: Destination,
    location: ObjectKey,
    manifest: Manifest,
}

/// The backup that lies at `from` itself, or the newest of a master's database below it.
async fn find(from: &str) -> Result<Found> {
    if let Ok(place) = Place::parse(from) {
        let destination = place.open()?;
        match backupx_engine::read_manifest(destination.store.as_ref(), &place.location).await {
            Ok(manifest) => {
                ensure!(
                    is_state(&manifest),
                    "the backup at {from} is none of a master's SQLite database"
                );
                return Ok(Found {
                    destination,
                    location: place.location,
                    manifest,
                });
            }
            Err(error) if error.code() == "manifest_not_found" => {}
            Err(error) => return Err(error).context(format!("{from} can't be read")),
        }
    }
    let destination = Place::whole(from)?;
    let store = destination.store.as_ref();
    let (mut newest, mut after) = (None::<(_, ObjectKey)>, None);
    loop {
        let until = Instant::now() + LOOK;
        let page = backupx_engine::inventory(store, after.as_ref(), AT_ONCE, until).await?;
        for found in page.found {
            let manifest = found.manifest.filter(|_| found.problem.is_none());
            let Some(manifest) = manifest.filter(|manifest| is_state(manifest)) else {
                continue;
            };
            if newest
                .as_ref()
                .is_none_or(|(at, _)| *at < manifest.created_at)
            {
                newest = Some((manifest.created_at, found.location));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let Some((_, location)) = newest else {
        bail!(
            "{from} holds no backup of a master's database: of a task of type sqlite that reads {DATABASE}"
        );
    };
    let manifest = backupx_engine::read_manifest(store, &location).await?;
    Ok(Found {
        destination,
        location,
        manifest,
    })
}

/// Whether a backup is one of a master's own database.
fn is_state(manifest: &Manifest) -> bool {
    let of_sqlite = matches!(manifest.task.source, SourceSpec::Sqlite(_));
    let mut dumps = manifest.dumps();
    of_sqlite && dumps.any(|(dump, _, _)| is_database(&dump.name))
}

fn is_database(path: &str) -> bool {
    Path::new(path)
        .file_name()
        .is_some_and(|name| name == DATABASE)
}

/// Lays the database down in `folder` and answers its file.
async fn put_back(
    found: Found,
    keys: Vec<backupx_core::domain::access::StreamKey>,
    folder: &Path,
) -> Result<PathBuf> {
    let wanted = found
        .manifest
        .dumps()
        .find(|(dump, _, _)| is_database(&dump.name))
        .map(|(dump, _, file)| (dump.name.clone(), file.to_owned()));
    let (name, file) = wanted.context("the backup holds no state store")?;
    let to = folder.to_str().context("the data dir is no valid UTF-8")?;
    let plan = DumpRestorePlan {
        names: Default::default(),
        location: found.location,
        keys,
        spec: RestoreSpec {
            to: Some(to.to_owned()),
            include: vec![name],
            overwrite: Overwrite::Never,
            dry_run: false,
            database: None,
        },
        server: None,
        server_name: String::new(),
    };
    let stop = StopFlag::default();
    let watcher = Watcher::start(stop.clone());
    let report = dumps::restore(plan, vec![found.destination], watcher.observer(), stop).await;
    watcher.end().await;
    let report = report.context("the database could not be put back")?;
    ensure!(
        report.failed_entries == 0 && report.restored_entries == 1,
        "the database did not come back whole"
    );
    Ok(folder.join(file))
}

/// The root key as a recovery kit has it.
fn root_key_of(kit: &str) -> Option<String> {
    let line = kit
        .lines()
        .find_map(|line| line.split_once(super::super::key::ROOT_KEY))?;
    Some(line.1.trim().to_owned())
}

/// Puts the root key where the master looks for it, unless the settings have it.
fn take_root_key(store: &StorePlace, root_key: Option<String>) -> Result<()> {
    let Some(path) = &store.root_key else {
        return Ok(());
    };
    match root_key {
        Some(key) => match private_file::create(path, key.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            done => done.with_context(|| format!("{} can't be written", path.display())),
        },
        None if path.exists() => Ok(()),
        None => Err(usage(
            "the recovery kit has no root key, without which the passwords in the database stay closed: set BACKUPX_SECRET_KEY (or BACKUPX_SECRET_KEY_FILE) as the old master had it",
        )),
    }
}
