//! How an object passes between the database and this program: named pipes and files. Blocking code that looks at a flag.

mod file;
mod pipe;

pub(super) use file::{PartialFile, read_file};
pub(super) use pipe::{PipeWriter, read_pipe};

use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes that are moved at once, and that a pipe is asked to hold.
const BLOCK: usize = 1 << 20;
/// How often a wait looks whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a pipe may take to appear: the database makes its pipes before it asks.
const APPEARS_WITHIN: Duration = Duration::from_secs(10);

/// What an object is written into.
pub(super) enum Output {
    /// A pipe, as soon as somebody reads it.
    Pipe,
    /// A file.
    File,
}

/// What stands at `path`, where an object that was a pipe needs one.
pub(super) fn output_at(path: &Path, needs_pipe: bool, stop: &StopFlag) -> Result<Output> {
    let since = Instant::now();
    loop {
        match rustix::fs::stat(path).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Fifo) => return Ok(Output::Pipe),
            Ok(FileType::RegularFile) => return Ok(Output::File),
            Ok(_) => return Err(unfit(path, "is neither a pipe nor a file")),
            Err(Errno::NOENT) if !needs_pipe => return Ok(Output::File),
            Err(Errno::NOENT) if since.elapsed() < APPEARS_WITHIN => pause(stop, LOOK_EVERY)?,
            Err(error) => return Err(failed(path, "can't be looked at", error.into())),
        }
    }
}

/// Opens `path` without waiting for its other end, once it is there. `what` it has to be is said when it is something else.
fn opened(path: &Path, flags: OFlags, kind: FileType, what: &str, stop: &StopFlag) -> Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let since = Instant::now();
    loop {
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => {
                let stat = rustix::fs::fstat(&file)
                    .map_err(|error| failed(path, "can't be looked at", error.into()))?;
                if FileType::from_raw_mode(stat.st_mode) == kind {
                    return Ok(File::from(file));
                }
                return Err(unfit(path, what));
            }
            Err(Errno::NOENT) if kind == FileType::Fifo && since.elapsed() < APPEARS_WITHIN => {
                pause(stop, LOOK_EVERY)?;
            }
            // A pipe that nobody reads yet.
            Err(Errno::NXIO) => pause(stop, Duration::from_millis(20))?,
            Err(error) => return Err(failed(path, "can't be opened", error.into())),
        }
    }
}

fn pause(stop: &StopFlag, time: Duration) -> Result<()> {
    if stop.is_stopped() {
        return Err(given_up());
    }
    std::thread::sleep(time);
    Ok(())
}

fn given_up() -> Error {
    Error::conflict("cancelled", "it was given up")
}

fn unfit(path: &Path, what: &str) -> Error {
    Error::invalid("wrong_kind", format!("{} {what}", path.display()))
}

/// The error that a stream carried through `std::io`, or `error` itself as one.
fn failed(path: &Path, what: &str, error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::unavailable(
            "channel_failed",
            format!("{} {what}: {error}", path.display()),
        ),
    }
}

#[cfg(test)]
mod tests;
