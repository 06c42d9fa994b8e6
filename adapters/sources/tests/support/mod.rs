//! What the tests of every kind share: cases and why they can't run, notes that are heard, sources opened by their settings.

use backupx_core::Result;
use backupx_core::domain::log::Level;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener, DumpSource, Notes};
use backupx_sources::Databases;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// What a case comes to.
pub(crate) type Outcome = Result<(), Failed>;

/// A case under `name`; with a reason it can't run here.
pub(crate) fn trial(
    name: String,
    missing: Option<String>,
    case: impl FnOnce() -> Outcome + Send + 'static,
) -> Trial {
    let required = std::env::var("BACKUPX_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let ignored = missing.is_some() && !required;
    let kind = match &missing {
        Some(reason) if ignored => format!("ignored: {reason}"),
        _ => String::new(),
    };
    Trial::test(name, move || match missing {
        Some(reason) => Err(Failed::from(reason)),
        None => case(),
    })
    .with_kind(kind)
    .with_ignored_flag(ignored)
}

/// Notes of a run.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) lines: Mutex<Vec<String>>,
    pub(crate) warnings: Mutex<Vec<String>>,
}

impl Heard {
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().expect("nobody panics").clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics").clone()
    }
}

impl Notes for Heard {
    fn log(&self, _level: Level, message: String) {
        self.lines.lock().expect("nobody panics").push(message);
    }

    fn warn(&self, message: String) {
        self.warnings.lock().expect("nobody panics").push(message);
    }
}

/// The source of `spec`, with its password, laying files down in `temp_dir`.
pub(crate) fn open(
    spec: SourceSpec,
    password: Option<&str>,
    temp_dir: &Path,
) -> Box<dyn DumpSource> {
    let secrets = password.map(|password| ("password".to_owned(), WireSecret::new(password)));
    let access = DatabaseAccess {
        spec,
        secrets: BTreeMap::from_iter(secrets),
        temp_dir: Some(temp_dir.to_owned()),
    };
    Databases.open(&access).expect("settings that are right")
}
