//! Who called: a process that has gone wants nothing any more.

use backupx_core::{Error, Result};
use rustix::process::{Pid, getppid};

/// The process that started this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller(Option<Pid>);

impl Caller {
    /// Whoever it is now.
    pub(super) fn now() -> Self {
        Self(getppid())
    }

    /// An error when it has gone. The end of a pipe looks the same whether its writer was done or died: a database that went down with all of
    /// its processes is told by this from one that was done.
    pub(super) fn still_there(self) -> Result<()> {
        if getppid() == self.0 {
            return Ok(());
        }
        Err(Error::unavailable(
            "caller_gone",
            "the process that asked for this has ended, so what came out of the pipe may be a part",
        ))
    }
}
