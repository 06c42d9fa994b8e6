//! The home of a throw-away server: its folder, who it runs as, its process, and the end of all three.

use crate::refusals::cancelled;
use crate::scratch::{Place, end_all};
use crate::tool::{RunAs, Tool};
use backupx_core::ports::dumps::Scratch;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers: one that was killed midway goes through its log first.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How long it has to end by itself.
const GRACE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest path of a socket.
const MOST_SOCKET: usize = 107;
/// Room for the name of a socket behind its folder.
const SOCKET_NAME: usize = 24;
/// Lines of a log that an error shows.
const LAST_WORDS: usize = 8;

/// A folder with a server in it. Dropped, the server is stopped by its process id, and then the folder goes.
pub(crate) struct Home {
    process: Option<Child>,
    /// How it is told to end.
    end: Signal,
    user: Option<RunAs>,
    folder: PathBuf,
    data: PathBuf,
    // Last: it is removed when nobody works in it any more.
    place: Place,
}

impl Home {
    /// A new one below `temp_dir`, or where the host keeps such files. Servers refuse to run as root: one of these users runs it then.
    pub(crate) fn new(temp_dir: Option<&Path>, users: &[&str], end: Signal) -> Result<Self> {
        let user = match geteuid().is_root() {
            true => Some(somebody(users)?),
            false => None,
        };
        let place = Place::new(Some(&parent(temp_dir, user)?))?;
        let folder = place.path().join("server");
        let data = folder.join("data");
        let failed = |error: std::io::Error| {
            Error::unavailable(
                "temp_failed",
                format!("{} can't be made: {error}", folder.display()),
            )
            .with_source(error)
        };
        for part in [&folder, &data] {
            DirBuilder::new().mode(0o700).create(part).map_err(failed)?;
            if let Some(user) = user {
                chown(part, Some(user.uid), Some(user.gid)).map_err(failed)?;
            }
        }
        if user.is_some() {
            // Its user finds its own folder in it and sees nothing else.
            std::fs::set_permissions(place.path(), Permissions::from_mode(0o711))
                .map_err(failed)?;
        }
        Ok(Self {
            process: None,
            end,
            user,
            folder,
            data,
            place,
        })
    }

    pub(crate) fn scratch(&self) -> &dyn Scratch {
        &self.place
    }

    /// Where its socket and its log are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The program at `path`, run by the server's user in the server's folder.
    pub(crate) fn tool(&self, path: &Path) -> Tool {
        Tool::new(path).within(&self.folder, self.user)
    }

    /// Runs a program that makes the data folder.
    pub(crate) fn prepare(&self, tool: Tool, stop: &StopFlag) -> Result<()> {
        let name = tool.name();
        let answer = tool.ask(stop, PATIENCE)?;
        if answer.ended.status.success() {
            return Ok(());
        }
        // Some say what is wrong where others print.
        let printed: Vec<_> = answer.text.lines().rev().take(LAST_WORDS).collect();
        let printed: Vec<_> = printed.into_iter().rev().collect();
        Err(Error::invalid(
            "throwaway_failed",
            format!("{}; {}", answer.ended.failure(&name), printed.join("; ")),
        ))
    }

    /// Starts the server, and returns when `answers` says that it does.
    pub(crate) fn start(
        &mut self,
        server: Tool,
        answers: impl Fn() -> Result<()>,
        stop: &StopFlag,
    ) -> Result<()> {
        let name = server.name();
        let log = self.place.path().join("server.log");
        let failed = |error: std::io::Error| {
            Error::unavailable(
                "throwaway_failed",
                format!("{name} can't be started: {error}"),
            )
        };
        let out = File::create(&log).map_err(failed)?;
        let mut command = server.command();
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone().map_err(failed)?)
            .stderr(out)
            // What ends the agent by its terminal is no word to it: the agent ends it.
            .process_group(0);
        self.process = Some(command.spawn().map_err(failed)?);
        let began = Instant::now();
        loop {
            if stop.is_stopped() {
                return Err(cancelled());
            }
            let ended = match &mut self.process {
                Some(process) => process.try_wait().map_err(failed)?,
                None => None,
            };
            let why = match (ended, answers()) {
                (None, Ok(())) => return Ok(()),
                (None, Err(_)) if began.elapsed() < PATIENCE => None,
                (None, Err(error)) => Some(format!("does not answer: {}", error.chain())),
                (Some(status), _) => Some(format!("ended with {status}")),
            };
            if let Some(why) = why {
                return Err(Error::invalid(
                    "throwaway_failed",
                    format!("the throw-away {name} {why}: {}", last_words(&log)),
                ));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
            let began = Instant::now();
            let mut asked = false;
            // Not reaped before, so that the id is still its own.
            while let Ok(None) = process.try_wait() {
                match id {
                    Some(id) if !asked => {
                        // One that is gone by now needs none.
                        let _ = kill_process(id, self.end);
                        asked = true;
                    }
                    Some(_) if began.elapsed() < GRACE => {}
                    Some(_) | None => {
                        let _ = process.kill();
                    }
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
        // Whatever still works in it, as a program that was to make the data folder.
        end_all(self.place.path());
    }
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_WORDS)..].join("; ")
}

fn somebody(users: &[&str]) -> Result<RunAs> {
    let found = users
        .iter()
        .chain(&["nobody"])
        .find_map(uzers::get_user_by_name);
    let user = found.ok_or_else(|| {
        Error::invalid(
            "throwaway_failed",
            format!(
                "a throw-away server does not run as root, and this host has no user {} or nobody",
                users.join(", ")
            ),
        )
    })?;
    Ok(RunAs {
        uid: user.uid(),
        gid: user.primary_group_id(),
    })
}

/// The folder that the home is made in: the agent's own, unless the server's user gets nowhere there or the path of a socket would be too long.
fn parent(temp_dir: Option<&Path>, user: Option<RunAs>) -> Result<PathBuf> {
    let host = std::env::temp_dir();
    let candidates: Vec<_> = temp_dir.into_iter().chain([host.as_path()]).collect();
    let fits = |folder: &Path| {
        let longest = "backupx-dump-4194304-999/server".len() + SOCKET_NAME;
        let is_short = folder.as_os_str().len() + longest <= MOST_SOCKET;
        is_short && user.is_none_or(|user| lets_in(folder, user))
    };
    let found = candidates.iter().find(|folder| fits(folder));
    found.map(|folder| (*folder).to_owned()).ok_or_else(|| {
        let names: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        Error::invalid(
            "throwaway_failed",
            format!(
                "a throw-away server finds no place: {} have too long a path for its socket, or do not let its user in; give the agent another tempDir",
                names.join(" and ")
            ),
        )
    })
}

/// Whether `user` gets to what lies in `folder`.
fn lets_in(folder: &Path, user: RunAs) -> bool {
    folder.ancestors().all(|part| {
        part.metadata().is_ok_and(|data| {
            let bit = match (data.uid() == user.uid, data.gid() == user.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            data.mode() & bit != 0
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lets_in_whom_all_above_it_let_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).expect("made");
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).expect("set");
        let other = RunAs {
            uid: u32::MAX - 1,
            gid: u32::MAX - 1,
        };
        assert!(!lets_in(&inner, other));
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).expect("set");
        std::fs::set_permissions(&inner, Permissions::from_mode(0o711)).expect("set");
        assert!(lets_in(&inner, other));
        assert!(!lets_in(&folder.path().join("none"), other));
        let long = folder.path().join("x".repeat(80));
        let chosen = parent(Some(&long), None).expect("the host's own fits");
        assert_eq!(chosen, std::env::temp_dir());
    }
}
