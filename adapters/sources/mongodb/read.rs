//! Reading one dump: mongodump's stream handed on, and watched for its own end.

use super::archive::Archive;
use super::server::{SignIn, failure, without_time};
use super::{Mongodb, WHOLE};
use crate::refusals::unsupported;
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;

/// Reads `dump` into `out`; `Ok` only when it is whole.
pub(super) fn read(
    source: &Mongodb,
    dump: &Dump,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    supported(dump)?;
    let tools = source.tools(stop)?;
    let sign_in = SignIn::new(source)?;
    let is_whole = dump.name == WHOLE;
    // It is compressed on the way to storage, all of it alike.
    let tool = sign_in.tool(&tools.dump).arg("--archive").arg(if is_whole {
        "--oplog".to_owned()
    } else {
        format!("--db={}", dump.name)
    });
    let mut watched = Watched {
        out,
        archive: Archive::new(),
    };
    let mut ended = tool.read(&mut watched, &|line| hear(line, notes), stop)?;
    if !ended.status.success() {
        return Err(sign_in.refused(&failure(&mut ended, "mongodump"), "dump_failed"));
    }
    let archive = watched.archive;
    let whole = archive.finish().and_then(|()| match archive.head() {
        Some(head) if head.collections.is_empty() => {
            Err("it has no collection: is the database gone?".to_owned())
        }
        Some(head) if head.has_oplog != is_whole => {
            Err("it has not what was written meanwhile".to_owned())
        }
        Some(_) => Ok(()),
        None => Err("it has no head".to_owned()),
    });
    whole.map_err(|why| {
        Error::invalid(
            "dump_incomplete",
            format!("mongodump ended with exit code 0, but its dump is not whole: {why}"),
        )
    })
}

/// `unsupported` for what is no archive of a database.
pub(super) fn supported(dump: &Dump) -> Result<()> {
    match (dump.kind, dump.format) {
        (DumpKind::Database, DumpFormat::MongodbArchive) => Ok(()),
        (kind, format) => Err(unsupported(format!(
            "MongoDB has no dump of {kind:?} as {format:?}"
        ))),
    }
}

/// A line that a tool says, without the bars that show its progress.
pub(super) fn hear(line: &str, notes: &dyn Notes) {
    let text = without_time(line);
    let lower = text.to_lowercase();
    if lower.contains("warning") {
        notes.warn(text.to_owned());
    } else if text.starts_with("Failed") || lower.contains("error") {
        notes.log(Level::Error, text.to_owned());
    } else if text.starts_with("done dumping") || text.starts_with("finished restoring") {
        notes.log(Level::Debug, text.to_owned());
    }
}

struct Watched<'a> {
    out: &'a mut dyn Write,
    archive: Archive,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.archive.feed(bytes).map_err(|why| {
            std::io::Error::other(Error::invalid(
                "dump_incomplete",
                format!("what mongodump writes is no archive: {why}"),
            ))
        })?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
