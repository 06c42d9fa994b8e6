//! Places of drills: a folder with a note of what else is to be cleared away, so that nothing outlives a process that was killed.

use crate::temp::{TAKES_MORE, Temp, left_behind};
use backupx_core::domain::drill::is_scratch;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener, Scratch};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long programs have to end that are asked to.
const GRACE: Duration = Duration::from_secs(10);
/// Between two looks whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The folder of a drill.
#[derive(Debug)]
pub(crate) struct Place(Temp);

/// What is to be cleared away beside the folder and the programs that run in it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// The server that has scratch databases.
    server: Option<SourceSpec>,
    /// Its secrets: whoever clears away signs in as whoever made them.
    secrets: BTreeMap<String, WireSecret>,
    /// Their names.
    databases: Vec<String>,
}

impl Place {
    /// A new one in `parent`, or where the host keeps such files.
    pub(crate) fn new(parent: Option<&Path>) -> Result<Self> {
        let place = Self(Temp::new(parent)?);
        place.write(&Note::default())?;
        Ok(place)
    }

    fn write(&self, note: &Note) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::unavailable("temp_failed", format!("a note can't be written: {error}"))
                .with_source(error)
        };
        let text = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
        let next = format!("{TAKES_MORE}.next");
        let mut file = self.0.create(&next)?;
        file.write_all(&text).map_err(failed)?;
        std::fs::rename(self.0.path(&next), self.0.path(TAKES_MORE)).map_err(failed)
    }
}

impl Scratch for Place {
    fn path(&self) -> &Path {
        self.0.folder()
    }

    fn room(&self) -> Result<u64> {
        room(self.0.folder())
    }

    fn note(&self, server: &DatabaseAccess, names: &[String]) -> Result<()> {
        self.write(&Note {
            server: Some(server.spec.clone()),
            secrets: server.secrets.clone(),
            databases: names.to_vec(),
        })
    }
}

fn room(folder: &Path) -> Result<u64> {
    let system = rustix::fs::statvfs(folder).map_err(|error| {
        Error::unavailable(
            "temp_failed",
            format!("{} does not say its room: {error}", folder.display()),
        )
    })?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Clears away what drills left in `temp_dir`, or where the host keeps such files, that did not live to do it.
pub(crate) fn sweep(opener: &dyn DumpOpener, temp_dir: Option<&Path>, stop: &StopFlag) {
    // A throw-away server may have found its place there, whatever folder is set.
    let parents: BTreeSet<PathBuf> = temp_dir
        .map(Path::to_owned)
        .into_iter()
        .chain([std::env::temp_dir()])
        .collect();
    for left in parents.iter().flat_map(|parent| left_behind(parent)) {
        tracing::info!(path = %left.path.display(), "a drill did not live to clear its place away");
        end_all(&left.path);
        let note = std::fs::read(left.path.join(TAKES_MORE))
            .ok()
            .and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let Some(Note {
            server: Some(spec),
            secrets,
            databases,
        }) = note
        else {
            continue;
        };
        let access = DatabaseAccess {
            spec,
            secrets,
            temp_dir: temp_dir.map(Path::to_owned),
        };
        for name in databases.iter().filter(|name| is_scratch(name)) {
            let dropped = opener
                .open(&access)
                .and_then(|server| server.drop_database(name, stop));
            match dropped {
                Ok(()) => tracing::info!(database = name, "a scratch database was dropped"),
                Err(error) => tracing::warn!(
                    database = name,
                    error = error.chain(),
                    "a scratch database could not be dropped; drop it by hand"
                ),
            }
        }
    }
}

/// Ends every program that works in `folder`: those that have it in their arguments.
pub(crate) fn end_all(folder: &Path) {
    let began = Instant::now();
    let mut asked = Vec::new();
    loop {
        let working = working_in(folder);
        if working.is_empty() {
            return;
        }
        let is_over = began.elapsed() > GRACE;
        for pid in working {
            // PostgreSQL drops everything and cleans up behind itself at the first; nothing survives the second.
            let signal = match is_over {
                true => Signal::KILL,
                false if asked.contains(&pid) => continue,
                false => Signal::QUIT,
            };
            asked.push(pid);
            // One that is gone by now needs none.
            let _ = kill_process(pid, signal);
        }
        if began.elapsed() > GRACE * 2 {
            tracing::warn!(path = %folder.display(), "a throw-away server does not end");
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn working_in(folder: &Path) -> Vec<Pid> {
    use std::os::unix::ffi::OsStrExt;
    let needle = folder.as_os_str().as_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let own = std::process::id();
    let mut working = Vec::new();
    for process in processes.flatten() {
        let id = process.file_name().to_str().and_then(|id| id.parse().ok());
        let Some(id) = id.filter(|id: &i32| u32::try_from(*id) != Ok(own)) else {
            continue;
        };
        // One that ended has none any more.
        let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let names_it = arguments
            .windows(needle.len())
            .enumerate()
            .any(|(at, part)| {
                // The folder itself or something in it, not another one whose name begins alike.
                let behind = arguments.get(at + needle.len());
                part == needle && matches!(behind, None | Some(b'/' | 0))
            });
        if names_it {
            working.extend(Pid::from_raw(id));
        }
    }
    working
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Databases;
    use std::process::{Command, Stdio};

    #[test]
    fn never_24_what_a_killed_drill_left_goes_with_its_programs_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let mut programs = Vec::new();
        for name in ["backupx-dump-1-0", "backupx-dump-1-01"] {
            let left = parent.path().join(name);
            std::fs::create_dir(&left).expect("made");
            std::fs::write(left.join(TAKES_MORE), b"{}").expect("written");
            let program = Command::new("tail")
                .arg("-f")
                .arg(left.join(TAKES_MORE))
                .stdout(Stdio::null())
                .spawn()
                .expect("tail starts");
            programs.push(program);
        }
        // The second one is in use.
        let used = parent.path().join("backupx-dump-1-01");
        let held = std::fs::File::open(&used).expect("opened");
        rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).expect("held");
        let place = Place::new(Some(parent.path())).expect("a place");
        assert!(parent.path().join("backupx-dump-1-0").exists());

        // Its parent reaps a program here, which a killed agent's has no more; until then it is gone in all but name.
        let first = programs.remove(0);
        let reaper = std::thread::spawn(move || {
            let mut first = first;
            first.wait().expect("it ends")
        });
        sweep(
            &Databases::default(),
            Some(parent.path()),
            &StopFlag::default(),
        );
        assert!(!reaper.join().expect("no panic").success());
        assert!(!parent.path().join("backupx-dump-1-0").exists());
        assert!(used.exists() && place.path().exists());
        let mut second = programs.remove(0);
        assert!(second.try_wait().expect("asked").is_none(), "it still runs");
        second.kill().expect("killed");
        second.wait().expect("reaped");
        assert!(place.room().expect("room") > 0);
    }
}
