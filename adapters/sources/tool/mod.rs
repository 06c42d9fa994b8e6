//! Tools: programs of the host that read and write databases, run so that none outlives its run, none fails unheard, and none shows a
//! secret.
//!
//! A tool gets an environment of its own, so that what the agent was started with changes nothing, and a process group of its own, which
//! ends as a whole when the run is stopped.

mod child;
mod ends;
mod find;
#[cfg(test)]
mod tests;

pub(crate) use ends::Ends;
pub(crate) use find::{find, version_of};

use backupx_core::domain::secret::WireSecret;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use child::Child;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Bytes that are moved at once.
const BLOCK: usize = 256 << 10;
/// Most bytes of an answer.
const MOST_ANSWER: usize = 64 << 20;
/// What a tool finds in its environment besides what it is given.
const KEPT: [&str; 4] = ["HOME", "PATH", "TMPDIR", "LD_LIBRARY_PATH"];

/// A tool about to be run.
pub(crate) struct Tool {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    secrets: Vec<WireSecret>,
    place: Option<(Option<RunAs>, PathBuf)>,
}

/// Who a program runs as instead of root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunAs {
    /// User.
    pub(crate) uid: u32,
    /// Group.
    pub(crate) gid: u32,
}

/// How a tool ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code or signal.
    pub(crate) status: ExitStatus,
    /// The last lines that it said on stderr, without secrets.
    pub(crate) last_words: Vec<String>,
}

/// A short answer of a tool.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What it printed.
    pub(crate) text: String,
    /// How it ended.
    pub(crate) ended: Ended,
}

impl Tool {
    /// The tool at `path`.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            secrets: Vec::new(),
            place: None,
        }
    }

    /// Has it run in `folder`, as somebody else when that is said, and find its home there.
    pub(crate) fn within(mut self, folder: &Path, user: Option<RunAs>) -> Self {
        self.place = Some((user, folder.to_owned()));
        self
    }

    /// One more argument. Never a secret: everybody on the host can read arguments.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// A variable of its environment, which only its own user and root can read.
    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// A text that is hidden wherever the tool says it.
    pub(crate) fn secret(mut self, secret: &WireSecret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Its name, for messages.
    pub(crate) fn name(&self) -> String {
        name_of(&self.path)
    }

    /// Runs it, and moves what it prints into `out`. `said` hears each line of its stderr. An error of `out` ends the tool and comes out
    /// as it went in.
    pub(crate) fn read(
        self,
        out: &mut dyn Write,
        said: &(dyn Fn(&str) + Sync),
        stop: &StopFlag,
    ) -> Result<Ended> {
        let mut child = self.start(Stdio::null(), Stdio::piped())?;
        let mut printed = child.stdout()?;
        child.attend(said, stop, |child| {
            let mut block = vec![0; BLOCK];
            loop {
                let count = match printed.read(&mut block) {
                    Ok(0) => return Ok(()),
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(child.io_failed("could not be read from", error)),
                };
                out.write_all(&block[..count])
                    .map_err(|error| lift(error, "what it printed could not be kept"))?;
            }
        })
    }

    /// Runs it, and moves `input` to its end into its stdin. `said` hears each line that it prints or says. An error of `input` kills the
    /// tool before it can take what it got for the whole.
    pub(crate) fn write(
        self,
        input: &mut dyn Read,
        said: &(dyn Fn(&str) + Sync),
        stop: &StopFlag,
    ) -> Result<Ended> {
        let mut child = self.start(Stdio::piped(), Stdio::piped())?;
        let mut taken = Some(child.stdin()?);
        child.attend(said, stop, |child| {
            let mut block = vec![0; BLOCK];
            loop {
                let count = match input.read(&mut block) {
                    Ok(0) => {
                        taken = None;
                        return Ok(());
                    }
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(lift(error, "the dump could not be read")),
                };
                match taken.as_mut().map(|stdin| stdin.write_all(&block[..count])) {
                    Some(Ok(())) => {}
                    // It ended early: how is for its exit code to say, and nothing is a success that did not take everything.
                    Some(Err(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                        child.stopped_reading();
                        return Ok(());
                    }
                    Some(Err(error)) => {
                        return Err(child.io_failed("could not be written to", error));
                    }
                    None => return Ok(()),
                }
            }
        })
    }

    /// Runs it for a short answer, for at most `limit`.
    pub(crate) fn ask(self, stop: &StopFlag, limit: Duration) -> Result<Answer> {
        let mut text = Limited(Vec::new());
        let ended = self.read_within(&mut text, &|_| {}, stop, limit)?;
        Ok(Answer {
            text: String::from_utf8_lossy(&text.0).into_owned(),
            ended,
        })
    }

    /// Runs it as [`Tool::read`] does, for at most `limit`; `tool_timeout` when that is over.
    pub(crate) fn read_within(
        self,
        out: &mut dyn Write,
        said: &(dyn Fn(&str) + Sync),
        stop: &StopFlag,
        limit: Duration,
    ) -> Result<Ended> {
        within(&self.name(), stop, limit, |flag| self.read(out, said, flag))
    }

    /// Runs it as [`Tool::write`] does, for at most `limit`; `tool_timeout` when that is over.
    pub(crate) fn write_within(
        self,
        input: &mut dyn Read,
        said: &(dyn Fn(&str) + Sync),
        stop: &StopFlag,
        limit: Duration,
    ) -> Result<Ended> {
        within(&self.name(), stop, limit, |flag| {
            self.write(input, said, flag)
        })
    }

    fn start(self, stdin: Stdio, stdout: Stdio) -> Result<Child> {
        let name = self.name();
        let secrets = self.secrets.clone();
        let mut command = self.command();
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        Child::start(command, name, secrets)
    }

    /// It as a command, with what it finds in its environment and none of its streams.
    pub(crate) fn command(self) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(
                KEPT.iter()
                    .filter_map(|name| Some((*name, std::env::var_os(name)?))),
            )
            .env("LC_ALL", "C.UTF-8")
            .envs(self.environment);
        if let Some((user, folder)) = self.place {
            command.env("HOME", &folder).current_dir(folder);
            if let Some(user) = user {
                command.uid(user.uid).gid(user.gid);
            }
        }
        command
    }
}

impl Ended {
    /// Nothing when it ended well; otherwise an error with what it said last.
    pub(crate) fn well(&self, name: &str, code: &'static str) -> Result<()> {
        if self.status.success() {
            return Ok(());
        }
        Err(Error::invalid(code, self.failure(name)))
    }

    /// How it failed, as a sentence.
    pub(crate) fn failure(&self, name: &str) -> String {
        use std::os::unix::process::ExitStatusExt;
        let how = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("{name} ended with exit code {code}"),
            (None, Some(signal)) => format!("{name} was killed by signal {signal}"),
            (None, None) => format!("{name} ended"),
        };
        if self.last_words.is_empty() {
            format!("{how} and said nothing")
        } else {
            format!("{how}: {}", self.last_words.join("; "))
        }
    }
}

/// Runs the tool `name` with a flag that is raised by the run's own one or when `limit` is over.
fn within(
    name: &str,
    stop: &StopFlag,
    limit: Duration,
    run: impl FnOnce(&StopFlag) -> Result<Ended>,
) -> Result<Ended> {
    let deadline = StopFlag::default();
    let over = Instant::now() + limit;
    let ended = std::thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        scope.spawn({
            let deadline = &deadline;
            move || {
                while is_done.recv_timeout(child::LOOK_EVERY)
                    == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    if stop.is_stopped() || Instant::now() > over {
                        deadline.stop();
                        return;
                    }
                }
            }
        });
        let ended = run(&deadline);
        drop(done);
        ended
    });
    ended.map_err(|error| match error.code() {
        "cancelled" if !stop.is_stopped() => Error::unavailable(
            "tool_timeout",
            format!(
                "{name} did not answer within {} s; the server may hang or be out of reach",
                limit.as_secs()
            ),
        ),
        _ => error,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The error that went through `std::io`, or `error` itself as one.
pub(crate) fn lift(error: std::io::Error, what: &str) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => {
            Error::unavailable("dump_failed", format!("{what}: {error}")).with_source(error)
        }
    }
}

/// Memory up to a limit.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_ANSWER {
            return Err(std::io::Error::other("the answer is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
