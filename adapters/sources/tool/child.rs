//! A running tool: heard, watched, and ended with all that it started.

use super::Ended;
use crate::refusals::cancelled;
use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, ChildStdout, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody looks whether the run was stopped.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a tool has to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(5);
/// Lines of stderr that an error shows.
const LAST_WORDS: usize = 8;
/// Bytes of one line that are kept.
const MOST_LINE: u64 = 4096;

/// A running tool.
pub(super) struct Child {
    name: String,
    secrets: Vec<WireSecret>,
    process: std::process::Child,
    group: Pid,
    stopped_reading: AtomicBool,
}

impl Child {
    pub(super) fn start(
        mut command: Command,
        name: String,
        secrets: Vec<WireSecret>,
    ) -> Result<Self> {
        let process = command
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Error::invalid(
                    "tool_missing",
                    format!(
                        "{} is not on this host; install it",
                        command.get_program().to_string_lossy()
                    ),
                ),
                _ => Error::unavailable(
                    "tool_failed",
                    format!(
                        "{} can't be started: {error}",
                        command.get_program().to_string_lossy()
                    ),
                ),
            })?;
        let group = i32::try_from(process.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| Error::internal("a process has no id"))?;
        Ok(Self {
            name,
            secrets,
            process,
            group,
            stopped_reading: AtomicBool::new(false),
        })
    }

    pub(super) fn stdin(&mut self) -> Result<ChildStdin> {
        self.process
            .stdin
            .take()
            .ok_or_else(|| Error::internal("a tool has no stdin"))
    }

    pub(super) fn stdout(&mut self) -> Result<ChildStdout> {
        self.process
            .stdout
            .take()
            .ok_or_else(|| Error::internal("a tool has no stdout"))
    }

    /// It closed its stdin before it had everything.
    pub(super) fn stopped_reading(&self) {
        self.stopped_reading.store(true, Ordering::Relaxed);
    }

    pub(super) fn io_failed(&self, what: &str, error: std::io::Error) -> Error {
        Error::unavailable("tool_failed", format!("{} {what}: {error}", self.name))
            .with_source(error)
    }

    /// Does `work` while the tool runs, then waits for its end. When `work` fails or the run is stopped, the tool is ended first.
    pub(super) fn attend(
        mut self,
        said: &(dyn Fn(&str) + Sync),
        stop: &StopFlag,
        work: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<Ended> {
        let words = Mutex::new(Vec::new());
        let hear = |line: &str| {
            let line = hide(line, &self.secrets);
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            if words.len() == LAST_WORDS {
                words.remove(0);
            }
            words.push(line.clone());
            drop(words);
            said(&line);
        };
        let stderr = self.process.stderr.take();
        // Only there when nobody else reads it.
        let stdout = self.process.stdout.take();
        let (done, is_done) = mpsc::channel::<()>();
        let child = &self;
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| lines(stderr, &hear));
            scope.spawn(|| lines(stdout, &hear));
            scope.spawn(move || child.watch(stop, &is_done));
            let outcome = work(child);
            if outcome.is_err() {
                child.signal(Signal::KILL);
            }
            child.wait_for_end();
            // Whatever it left behind holds its pipes open, and its leader is not reaped yet: the group's id is still its own.
            child.signal(Signal::KILL);
            drop(done);
            outcome
        });
        let status = self
            .process
            .wait()
            .map_err(|error| self.io_failed("can't be waited for", error))?;
        if stop.is_stopped() {
            return Err(cancelled());
        }
        outcome?;
        let last_words = words.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = Ended { status, last_words };
        if self.stopped_reading.load(Ordering::Relaxed) && status.success() {
            return Err(Error::invalid(
                "restore_failed",
                format!("{} ended before it had read everything", self.name),
            ));
        }
        Ok(ended)
    }

    /// Ends the tool when the run is stopped: politely first.
    fn watch(&self, stop: &StopFlag, is_done: &mpsc::Receiver<()>) {
        let mut asked: Option<Instant> = None;
        while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if !stop.is_stopped() {
                continue;
            }
            match asked {
                None => {
                    self.signal(Signal::TERM);
                    asked = Some(Instant::now());
                }
                Some(at) if at.elapsed() > GRACE => self.signal(Signal::KILL),
                Some(_) => {}
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // A group that is gone needs none.
        let _ = kill_process_group(self.group, signal);
    }

    /// Returns when the tool has ended, without reaping it.
    fn wait_for_end(&self) {
        let ends = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(self.group), ends) {}
    }
}

/// Hands on each line of what a tool says.
fn lines(stream: Option<impl Read>, hear: &(dyn Fn(&str) + Sync)) {
    let Some(stream) = stream else { return };
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stream.by_ref().take(MOST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                if !text.is_empty() {
                    hear(text);
                }
            }
        }
    }
}

fn hide(line: &str, secrets: &[WireSecret]) -> String {
    secrets
        .iter()
        .map(WireSecret::expose)
        .filter(|secret| !secret.is_empty())
        .fold(line.to_owned(), |line, secret| {
            line.replace(secret, "[secret]")
        })
}
