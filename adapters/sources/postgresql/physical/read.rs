//! Reading a cluster: pg_basebackup's archive handed on, and proved on its way.

use super::super::server::{Reached, refused};
use super::super::tools::Set;
use super::archive::Walker;
use super::proof::Proof;
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;

/// Writes the cluster's archive into `out`; `Ok` only when all of it was there.
pub(in crate::postgresql) fn read(
    reached: &Reached,
    set: &Set,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let tool = reached
        .sign_in
        .tool(&set.path("pg_basebackup"), &reached.common)
        .args(["--pgdata=-", "--format=tar", "--wal-method=fetch"])
        .args(["--checkpoint=fast", "--label=backupx", "--no-password"])
        .arg("--manifest-checksums=CRC32C");
    let name = tool.name();
    let mut proved = Proved {
        out,
        walker: Walker::new(),
        proof: Proof::new(),
    };
    let said = |line: &str| {
        if line.contains("error:") {
            notes.log(Level::Error, line.to_owned());
        } else {
            notes.warn(line.to_owned());
        }
    };
    let ended = tool.read(&mut proved, &said, stop)?;
    if !ended.status.success() {
        return Err(failed(&ended.failure(&name), reached));
    }
    proved.walker.finish()?;
    let files = proved.proof.finish()?;
    notes.log(
        Level::Info,
        format!("{files} files are as the server's backup manifest says"),
    );
    Ok(())
}

fn failed(failure: &str, reached: &Reached) -> Error {
    if failure.contains("connection to server") {
        return refused(failure, Some(2), &reached.sign_in);
    }
    let hint = if failure.contains("has already been removed") {
        "; the server threw log away that the copy needs: raise wal_keep_size, or give it a replication slot"
    } else if failure.contains("tablespace") {
        "; a cluster with tablespaces can't be copied as one stream: back its databases up one by one"
    } else {
        ""
    };
    Error::invalid("dump_failed", format!("{failure}{hint}"))
}

/// Hands on what passes, and looks at it.
struct Proved<'a> {
    out: &'a mut dyn Write,
    walker: Walker,
    proof: Proof,
}

impl Write for Proved<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.walker
            .feed(bytes, &mut self.proof)
            .map_err(std::io::Error::other)?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
