//! Named pipes. Both ends are opened without waiting, so that a call can be stopped whatever the database does.
//!
//! The end of a pipe is all that its reader learns: a writer that closed it because it was done and one that died look alike.

use super::{BLOCK, LOOK_EVERY, failed, given_up, opened};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

const NO_PIPE: &str = "is no pipe";

/// Copies what comes out of the pipe at `path` into `out` until its last writer has closed it. A pipe that was closed before anything came
/// out of it is an error: no backup is empty.
pub(in crate::backint) fn read_pipe(
    path: &Path,
    out: &mut dyn Write,
    stop: &StopFlag,
) -> Result<()> {
    let mut pipe = opened(path, OFlags::RDONLY, FileType::Fifo, NO_PIPE, stop)?;
    widen(&pipe);
    let broken = |error| failed(path, "can't be read", error);
    let mut block = vec![0; BLOCK];
    let mut bytes = 0u64;
    loop {
        // A pipe that had no writer yet is not at its end, and says so only here.
        wait(&pipe, PollFlags::IN, stop).map_err(broken)?;
        match pipe.read(&mut block) {
            Ok(0) if bytes > 0 => return Ok(()),
            Ok(0) => {
                return Err(Error::invalid(
                    "empty_pipe",
                    format!(
                        "{} was closed before anything came out of it",
                        path.display()
                    ),
                ));
            }
            Ok(count) => {
                out.write_all(&block[..count]).map_err(broken)?;
                bytes += count as u64;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(broken(error)),
        }
    }
}

/// The writing end of a pipe.
pub(in crate::backint) struct PipeWriter {
    pipe: File,
    path: PathBuf,
    stop: StopFlag,
}

impl PipeWriter {
    /// Opens the pipe at `path` once somebody reads it.
    pub(in crate::backint) fn open(path: &Path, stop: &StopFlag) -> Result<Self> {
        let pipe = opened(path, OFlags::WRONLY, FileType::Fifo, NO_PIPE, stop)?;
        widen(&pipe);
        Ok(Self {
            pipe,
            path: path.to_owned(),
            stop: stop.clone(),
        })
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.pipe, PollFlags::OUT, &self.stop)?
                }
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    let message = format!(
                        "{} was closed by its reader before the end",
                        self.path.display()
                    );
                    return Err(io::Error::other(Error::unavailable("reader_gone", message)));
                }
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns when the pipe has something to say, be it its end.
fn wait(pipe: &File, what: PollFlags, stop: &StopFlag) -> io::Result<()> {
    let limit = Timespec::try_from(LOOK_EVERY).map_err(io::Error::other)?;
    loop {
        if stop.is_stopped() {
            return Err(io::Error::other(given_up()));
        }
        match poll(&mut [PollFd::new(pipe, what)], Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks for a pipe that holds more than the usual 64 KiB. One that stays as it is works as well.
fn widen(pipe: &File) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, BLOCK);
}
