//! What the tests of every kind share: cases and why they can't run, notes that are heard, sources opened by their settings.

use backupx_core::Result;
use backupx_core::domain::log::Level;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener, DumpSource, Notes};
use backupx_sources::Databases;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
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
    Databases::default()
        .open(&access)
        .expect("settings that are right")
}

/// Lays down a tool called `name` that is a shell script: it says `version` when it is asked for that, and does `script` otherwise.
pub(crate) fn tool(folder: &Path, name: &str, version: &str, script: &str) {
    let path = folder.join(name);
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) echo \"{name} {version}\"; exit ;; esac\n{script}\n"
    );
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it may run");
}

/// Looks at the arguments of every process whenever bytes arrive, while the tool that writes them runs.
pub(crate) struct Spy {
    secret: &'static str,
    tool: &'static str,
    looked: usize,
    tools: usize,
}

impl Spy {
    /// One that knows the secret and the tool that has it.
    pub(crate) fn new(secret: &'static str, tool: &'static str) -> Self {
        Self {
            secret,
            tool,
            looked: 0,
            tools: 0,
        }
    }

    /// Fails when it never saw the tool run.
    pub(crate) fn saw_the_tool(&self) {
        let (looked, tools) = (self.looked, self.tools);
        assert!(looked > 3 && tools > 0, "{looked} looks, {tools} tools");
    }
}

impl Write for Spy {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.looked += 1;
        for process in std::fs::read_dir("/proc")?.flatten() {
            let Ok(arguments) = std::fs::read(process.path().join("cmdline")) else {
                continue;
            };
            let arguments = String::from_utf8_lossy(&arguments).into_owned();
            assert!(!arguments.contains(self.secret), "{arguments:?}");
            self.tools += usize::from(arguments.contains(self.tool));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
