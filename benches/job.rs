//! One backup, restore or walk by the engine alone, in a process of its own, so that its time and memory can be measured from outside.
//!
//! ```text
//! job keygen FILE                                             writes an identity, prints its recipient
//! job backup --to FOLDER --id N [--recipient R] PATH…         prints the backup's location
//! job restore --from FOLDER --location L [--identity FILE] --to FOLDER [--include GLOB]…
//! job walk PATH…                                              looks at everything, keeps nothing
//! ```

use anyhow::{Context, Result, bail};
use backupx_core::domain::access::{StreamKey, TargetAccess};
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::entry::Entry;
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::operation::{Overwrite, RestoreSpec};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::keys::SealKeys;
use backupx_core::ports::objects::StoreOpener;
use backupx_core::ports::observer::{Counters, Observer};
use backupx_core::ports::source::{EntrySink, SourceOpener, StopFlag};
use backupx_engine::restore::{RestorePlan, restore};
use backupx_engine::{AgeKeys, BackupPlan, Destination, backup, read_manifest};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

#[derive(Default)]
struct Quiet(Counters);

impl Observer for Quiet {
    fn counters(&self) -> &Counters {
        &self.0
    }

    fn log(&self, level: Level, message: String) {
        if level >= Level::Warn {
            say(&mut std::io::stderr(), &message);
        }
    }
}

/// The command line: named values, which may come several times, and the rest.
struct Arguments {
    named: BTreeMap<String, Vec<String>>,
    rest: Vec<String>,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let (mut named, mut rest) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                Some(name) => {
                    let value = words.next().context("a named value is missing")?;
                    named.entry(name.to_owned()).or_default().push(value);
                }
                None => rest.push(word),
            }
        }
        Ok(Self { named, rest })
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.named.get(name).cloned().unwrap_or_default()
    }

    fn one(&self, name: &str) -> Result<String> {
        let found = self.all(name).pop();
        found.with_context(|| format!("--{name} is missing"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let command = words.next().unwrap_or_default();
    let arguments = Arguments::read(words)?;
    match &command[..] {
        "keygen" => keygen(&arguments),
        "backup" => make_backup(&arguments).await,
        "restore" => make_restore(&arguments).await,
        "walk" => walk(arguments.rest),
        // `cargo bench` without arguments: the table is made by benches/run.
        "" => Ok(()),
        other => bail!("{other:?} is no command"),
    }
}

fn keygen(arguments: &Arguments) -> Result<()> {
    let pair = AgeKeys.generate();
    let path = arguments.rest.first().context("a file is missing")?;
    std::fs::write(path, format!("{}\n", pair.identity.expose_secret()))?;
    say(&mut std::io::stdout(), &pair.recipient);
    Ok(())
}

async fn make_backup(arguments: &Arguments) -> Result<()> {
    let recipients = arguments.all("recipient");
    let task: TaskSpec = serde_json::from_value(serde_json::json!({
        "name": "bench",
        "source": {"type": "file", "paths": arguments.rest},
        "targetIds": [1],
        "encrypt": !recipients.is_empty(),
    }))?;
    let cores = std::thread::available_parallelism()?.get();
    let source = backupx_sources::Files::new(cores).open(&task.source)?;
    let record_id = RecordId(arguments.one("id")?.parse()?);
    let created_at = chrono::DateTime::UNIX_EPOCH;
    let location = ObjectKey::of_record("bench", record_id, created_at)?;
    let work = BackupWork {
        secrets: Default::default(),
        record_id,
        task_id: TaskId(1),
        previous_run: None,
        task,
        location: location.clone(),
        created_at,
        node_id: NodeId(0),
        node_name: "local".to_owned(),
        targets: Vec::new(),
        recipients,
    };
    let plan = BackupPlan {
        work,
        hostname: "bench".to_owned(),
        cores,
    };
    let destinations = vec![folder(arguments.one("to")?)?];
    let observer = Arc::new(Quiet::default());
    let report = backup(plan, source, destinations, observer, StopFlag::default()).await?;
    if let Some(failure) = report.copies.iter().find_map(|copy| copy.failure.as_ref()) {
        bail!("{}", failure.message);
    }
    say(&mut std::io::stdout(), location.as_str());
    Ok(())
}

async fn make_restore(arguments: &Arguments) -> Result<()> {
    let location = ObjectKey::parse(&arguments.one("location")?)?;
    let source = folder(arguments.one("from")?)?;
    let keys = match arguments.all("identity").pop() {
        Some(path) => {
            let text = std::fs::read_to_string(path)?;
            let identity = SecretString::from(text.trim().to_owned());
            let manifest = read_manifest(&*source.store, &location).await?;
            let sealed = manifest.streams.iter();
            let keys = sealed.filter_map(|stream| {
                let header = stream.age_header.as_ref()?;
                Some(AgeKeys.unwrap(&identity, &stream.stream, header))
            });
            keys.collect::<Result<Vec<StreamKey>, _>>()?
        }
        None => Vec::new(),
    };
    let spec = RestoreSpec {
        database: None,
        to: Some(arguments.one("to")?),
        include: arguments.all("include"),
        overwrite: Overwrite::IfChanged,
        dry_run: false,
    };
    let plan = RestorePlan {
        location,
        keys,
        spec,
    };
    let observer = Arc::new(Quiet::default());
    let report = restore(plan, vec![source], observer, StopFlag::default()).await?;
    if report.failed_entries > 0 {
        bail!(
            "{} entries failed: {:?}",
            report.failed_entries,
            report.warnings
        );
    }
    say(
        &mut std::io::stdout(),
        &report.stored_bytes_read.to_string(),
    );
    Ok(())
}

fn walk(paths: Vec<String>) -> Result<()> {
    struct Nothing;
    impl EntrySink for Nothing {
        fn entry(&mut self, _: &Entry, _: &mut dyn Read) -> backupx_core::Result<()> {
            Ok(())
        }
        fn warn(&mut self, message: String) {
            say(&mut std::io::stderr(), &message);
        }
    }
    let spec = SourceSpec::File {
        paths,
        excludes: Vec::new(),
        one_file_system: false,
        skip_cache_dirs: true,
    };
    let cores = std::thread::available_parallelism()?.get();
    let source = backupx_sources::Files::new(cores).open(&spec)?;
    let counts = source.read(&mut Nothing, &StopFlag::default())?;
    say(&mut std::io::stdout(), &counts.entries.to_string());
    Ok(())
}

fn folder(path: String) -> Result<Destination> {
    let access = TargetAccess {
        id: TargetId(1),
        name: "folder".to_owned(),
        kind: Driver::Local,
        config: [("path".to_owned(), path)].into(),
        secrets: BTreeMap::new(),
        relay: false,
    };
    Ok(Destination {
        target_id: TargetId(1),
        name: "folder".to_owned(),
        store: backupx_storage::Opener::default().open(&access)?,
    })
}

fn say(output: &mut dyn Write, line: &str) {
    // Nobody is left to tell when the reader has gone.
    let _told = writeln!(output, "{line}");
}
