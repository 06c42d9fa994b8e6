//! Reading one dump: pg_dump's stream handed on, and watched for its own end.

use super::archive::Archive;
use super::plain::{End, Tail};
use super::server::refused;
use super::{Postgresql, check, physical, tools};
use crate::refusals::unsupported;
use crate::returning::{self, Watch as _};
use crate::tool::Tool;
use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::Notes;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::Write;

/// Reads `dump` into `out`; `Ok` only when it is whole.
pub(super) fn read(
    source: &Postgresql,
    dump: &Dump,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    let sets = source.sets(stop)?;
    let reached = source.reach(&sets, stop)?;
    let set = tools::fit_to_dump(&sets, reached.major, &reached.version)?;
    if dump.kind == DumpKind::Cluster {
        return physical::read(&reached, set, out, notes, stop);
    }
    let (tool, watch) = match (dump.kind, dump.format) {
        (DumpKind::Accounts, DumpFormat::PostgresqlSql) => {
            let tool = reached
                .sign_in
                .tool(&set.path("pg_dumpall"), &reached.common)
                .args(["--globals-only", "--no-password"])
                .arg("--database")
                .arg(super::server::connection_to(&reached.common));
            let tool = if check::may_read_passwords(&reached, set, stop)? {
                tool
            } else {
                tool.arg("--no-role-passwords")
            };
            (tool, Watch::Text(Tail::default(), End::Cluster))
        }
        (DumpKind::Database, DumpFormat::PostgresqlSql) => {
            let tool = reached.sign_in.tool(&set.path("pg_dump"), &dump.name);
            let tool = tool.args(["--format=plain", "--no-password"]);
            (tool, Watch::Text(Tail::default(), End::Database))
        }
        (DumpKind::Database, DumpFormat::PostgresqlCustom) => {
            let tool = reached.sign_in.tool(&set.path("pg_dump"), &dump.name);
            // It is compressed on the way to storage, all of it alike.
            let tool = tool.args(["--format=custom", "--compress=0", "--no-password"]);
            (tool, Watch::Archive(Archive::new()))
        }
        (kind, format) => {
            return Err(unsupported(format!(
                "PostgreSQL has no dump of {kind:?} as {format:?}"
            )));
        }
    };
    run(tool, watch, out, notes, stop, |failure| {
        // What failed before the first byte may be the server's doing.
        match refused(failure, Some(2), &reached.sign_in) {
            error if failure.contains("connection to server") => error,
            _ if failure.contains("permission denied") => {
                Error::forbidden("rights_missing", failure.to_owned())
            }
            _ => Error::invalid("dump_failed", failure.to_owned()),
        }
    })
}

fn run(
    tool: Tool,
    watch: Watch,
    out: &mut dyn Write,
    notes: &dyn Notes,
    stop: &StopFlag,
    failed: impl FnOnce(&str) -> Error,
) -> Result<()> {
    let name = tool.name();
    let mut watched = Watched { out, watch };
    let said = |line: &str| {
        if line.contains(" error: ") {
            notes.log(Level::Error, line.to_owned());
        } else {
            notes.warn(line.to_owned());
        }
    };
    let ended = tool.read(&mut watched, &said, stop)?;
    if !ended.status.success() {
        return Err(failed(&ended.failure(&name)));
    }
    watched.watch.finish().map_err(|why| {
        Error::invalid(
            "dump_incomplete",
            format!("{name} ended with exit code 0, but its dump is not whole: {why}"),
        )
    })
}

/// What tells whether a stream is whole.
pub(super) enum Watch {
    Archive(Archive),
    Text(Tail, End),
}

impl returning::Watch for Watch {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Archive(archive) => archive.feed(bytes),
            Self::Text(tail, _) => {
                tail.feed(bytes);
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        match self {
            Self::Archive(archive) => archive.finish(),
            Self::Text(tail, end) => tail.finish(*end),
        }
    }
}

struct Watched<'a> {
    out: &'a mut dyn Write,
    watch: Watch,
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.watch.feed(bytes).map_err(|why| {
            std::io::Error::other(Error::invalid(
                "dump_incomplete",
                format!("what pg_dump writes is no archive: {why}"),
            ))
        })?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
