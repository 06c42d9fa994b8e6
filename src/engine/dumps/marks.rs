//! Marks: how a whole dump begins and ends. What lacks them was cut off, whatever its tool said (never 1).

use backupx_core::domain::dump::{Dump, DumpFormat, DumpKind};
use backupx_core::{Error, Result};

/// Bytes of a dump's beginning that are looked at.
const HEAD: usize = 4096;
/// Bytes of a dump's end that are looked at.
const TAIL: usize = 4096;

/// What was seen of a dump that goes by.
pub(crate) struct Marks {
    head: Vec<u8>,
    tail: Vec<u8>,
    bytes: u64,
}

impl Marks {
    pub(crate) fn new() -> Self {
        Self {
            head: Vec::with_capacity(HEAD),
            tail: Vec::with_capacity(2 * TAIL),
            bytes: 0,
        }
    }

    /// Sees the next bytes.
    pub(crate) fn see(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let missing = HEAD - self.head.len();
        self.head
            .extend_from_slice(&bytes[..missing.min(bytes.len())]);
        if bytes.len() >= TAIL {
            self.tail.clear();
            self.tail.extend_from_slice(&bytes[bytes.len() - TAIL..]);
        } else {
            self.tail.extend_from_slice(bytes);
            let spare = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..spare);
        }
    }

    /// How many bytes went by.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether that was a whole dump. `Invalid` (`dump_incomplete`) with what is missing.
    pub(crate) fn whole(&self, dump: &Dump) -> Result<()> {
        let missing = match (self.bytes, dump.kind, dump.format) {
            (0, _, _) => Some("it is empty"),
            // Each kind has its own end for accounts, which the source has looked at.
            (_, DumpKind::Accounts, _) => None,
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::MysqlSql) => {
                self.ends_with_line("-- Dump completed")
            }
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::PostgresqlSql) => {
                self.ends_with_line("-- PostgreSQL database dump complete")
            }
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::PostgresqlCustom) => {
                (!self.head.starts_with(b"PGDMP"))
                    .then_some("it does not begin as an archive of pg_dump")
            }
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::PostgresqlBase) => {
                self.not_tar(b"backup_label\0", "it does not begin with a backup_label")
            }
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::SaphanaBackup) => self.not_tar(
                b"backup.json\0",
                "it does not begin with what HANA's catalogue says of it",
            ),
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::Sqlite) => self.not_sqlite(),
            (_, DumpKind::Database | DumpKind::Cluster, DumpFormat::MongodbArchive) => {
                if self.head.starts_with(&0x8199_e26d_u32.to_le_bytes()) {
                    (!self.tail.ends_with(&[0xff; 4]))
                        .then_some("the end of the archive is missing")
                } else {
                    Some("it does not begin as an archive of mongodump")
                }
            }
        };
        match missing {
            None => Ok(()),
            Some(why) => Err(Error::invalid(
                "dump_incomplete",
                format!("the dump of {} is not whole: {why}", dump.name),
            )),
        }
    }

    fn ends_with_line(&self, mark: &str) -> Option<&'static str> {
        let tail = String::from_utf8_lossy(&self.tail);
        let marked = tail.lines().any(|line| line.starts_with(mark));
        (!marked).then_some("the line that its tool writes at the end is missing")
    }

    /// The archive ends in two empty blocks and begins with the entry `first`. What is between them the source has proved against what the
    /// server itself says of its backup.
    fn not_tar(&self, first: &[u8], otherwise: &'static str) -> Option<&'static str> {
        if !self.head.starts_with(first) {
            return Some(otherwise);
        }
        let is_ended = self.bytes.is_multiple_of(512) && self.tail.ends_with(&[0; 1024]);
        (!is_ended).then_some("the end of the archive is missing")
    }

    /// The file format keeps the size of a page at 16 and their number at 28: <https://sqlite.org/fileformat.html>.
    fn not_sqlite(&self) -> Option<&'static str> {
        if !self.head.starts_with(b"SQLite format 3\0") || self.head.len() < 32 {
            return Some("it is no SQLite file");
        }
        let page = match u64::from(u16::from_be_bytes([self.head[16], self.head[17]])) {
            1 => 65_536,
            size => size,
        };
        let pages =
            u32::from_be_bytes([self.head[28], self.head[29], self.head[30], self.head[31]]);
        (page * u64::from(pages) != self.bytes)
            .then_some("its size is not what its first page says")
    }
}
