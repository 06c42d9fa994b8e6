//! A system of the stand-in, and tasks that read it.

use crate::support::{Heard, open};
use backupx_core::Result;
use backupx_core::domain::database::{Server, Tls};
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::saphana::SaphanaSource;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DumpSource, Existing, PutBack};
use backupx_core::ports::source::StopFlag;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The password of the stand-in's user.
pub(super) const PASSWORD: &str = "testsecret";

/// A system with SYSTEMDB and the tenants T1 and T2.
pub(crate) struct Bed {
    folder: TempDir,
}

/// Why the stand-in can't run here.
pub(super) fn missing() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|folder| folder.join("python3").exists());
    (!is_there).then(|| "the stand-in for hdbsql needs python3".to_owned())
}

impl Bed {
    /// A new one.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/saphana/hana.py");
        let installed = Command::new("python3")
            .arg(script)
            .arg("install")
            .arg(folder.path())
            .output()
            .expect("python3 runs");
        assert!(installed.status.success(), "{installed:?}");
        std::fs::create_dir(folder.path().join("temp")).expect("made");
        Self { folder }
    }

    /// A path in its folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that backups of data are written to.
    pub(super) fn data(&self) -> PathBuf {
        self.path("backups/data")
    }

    /// A task that signs in to the system database by a password, without retries.
    pub(super) fn spec(&self) -> SaphanaSource {
        SaphanaSource {
            server: Server {
                host: Some("127.0.0.1".to_owned()),
                port: Some(30013),
                user: Some("BACKUP".to_owned()),
                tls: Tls::Require,
                ..Server::default()
            },
            folder: Some(self.data().display().to_string()),
            tools: Some(self.folder.path().display().to_string()),
            retries: 0,
            retry_wait_secs: 0,
            ..SaphanaSource::default()
        }
    }

    /// The task `spec`.
    pub(super) fn task(&self, spec: SaphanaSource) -> Task {
        self.signed_in(spec, Some(PASSWORD))
    }

    /// The task `spec` with this password.
    pub(super) fn signed_in(&self, spec: SaphanaSource, password: Option<&str>) -> Task {
        Task {
            source: open(SourceSpec::Saphana(spec), password, &self.path("temp")),
            heard: Heard::default(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path("world").join(name)
    }

    /// What the stand-in keeps of its system.
    pub(super) fn world(&self) -> Value {
        json(&self.file("world.json"))
    }

    /// Its catalogue of backups.
    pub(super) fn catalogue(&self) -> Vec<Value> {
        serde_json::from_value(json(&self.file("catalogue.json"))).expect("a list")
    }

    /// Changes what the stand-in keeps of its system.
    pub(super) fn change(&self, pointer: &str, value: impl Into<Value>) {
        let mut world = self.world();
        let (holder, key) = pointer.rsplit_once('/').expect("a pointer");
        world.pointer_mut(holder).expect("it is there")[key] = value.into();
        std::fs::write(self.file("world.json"), world.to_string()).expect("written");
    }

    /// Puts entries into its catalogue.
    pub(super) fn catalogued(&self, entries: Vec<Value>) {
        let mut catalogue = self.catalogue();
        catalogue.extend(entries);
        let text = Value::from(catalogue).to_string();
        std::fs::write(self.file("catalogue.json"), text).expect("written");
    }

    /// Every call of a tool so far.
    pub(super) fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("calls.log")).unwrap_or_default();
        let calls = text.lines().map(serde_json::from_str);
        calls.collect::<std::result::Result<_, _>>().expect("JSON")
    }

    /// Every statement so far that is no question.
    pub(super) fn orders(&self) -> Vec<String> {
        let statements = self.calls().into_iter().filter_map(|call| {
            let statement = call["statement"].as_str()?.to_owned();
            (!statement.starts_with("SELECT")).then_some(statement)
        });
        statements.collect()
    }

    /// What is in the folder of backups.
    pub(super) fn left(&self) -> Vec<String> {
        names(&self.data())
    }

    /// Nothing of a run is left: no file of a backup and no file with a password.
    pub(super) fn nothing_is_left(&self) {
        assert_eq!(self.left(), [""; 0]);
        assert_eq!(names(&self.path("temp")), [""; 0]);
    }
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("it is there");
    serde_json::from_str(&text).expect("JSON")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A task, and what it said.
pub(super) struct Task {
    pub(super) source: Box<dyn DumpSource>,
    pub(super) heard: Heard,
}

impl Task {
    /// The dump of a database, as a run makes it.
    pub(super) fn dump(&self, database: &str) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.source.read(
            &dump_of(database),
            &mut out,
            &self.heard,
            &StopFlag::default(),
        )?;
        Ok(out)
    }

    /// Restores a dump of `database`.
    pub(super) fn put_back(&self, database: &str, bytes: &[u8], how: &PutBack) -> Result<()> {
        self.source.put_back(
            &dump_of(database),
            &mut &bytes[..],
            how,
            &self.heard,
            &StopFlag::default(),
        )
    }
}

/// What a plan has for a database.
pub(super) fn dump_of(database: &str) -> Dump {
    Dump::database(database, DumpFormat::SaphanaBackup)
}

/// A restore under this name, beside what is there.
pub(super) fn under(name: &str) -> PutBack {
    PutBack {
        name: name.to_owned(),
        jobs: 1,
        ..PutBack::default()
    }
}

/// A restore in the place of what is there.
pub(super) fn in_place_of(name: &str) -> PutBack {
    PutBack {
        existing: Existing::Replace,
        ..under(name)
    }
}

/// The files of an archive by name.
pub(super) fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().expect("an archive").map(|entry| {
        let mut entry = entry.expect("whole");
        let name = entry.path().expect("a name").display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("whole");
        (name, content)
    });
    entries.collect()
}

/// What an archive says that it is.
pub(super) fn described(archive: &[u8]) -> Value {
    serde_json::from_slice(&files(archive)["backup.json"]).expect("JSON")
}
