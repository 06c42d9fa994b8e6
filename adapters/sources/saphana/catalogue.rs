//! HANA's own catalogue of backups: what it says of one, which is the only proof that there is.

use super::entry::{Entry, Part};
use super::session::{Row, Session};
use super::sql;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};

/// The catalogue of one database: its own, or as the system database sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Catalogue<'a> {
    session: &'a Session,
    database: &'a str,
}

impl<'a> Catalogue<'a> {
    pub(super) fn new(session: &'a Session, database: &'a str) -> Self {
        Self { session, database }
    }

    /// Whose it is.
    pub(super) fn database(&self) -> &str {
        self.database
    }

    /// Whether it is that of another database than the one that is signed in to.
    pub(super) fn is_of_tenant(&self) -> bool {
        self.database != self.session.server.database
    }

    fn view(&self, name: &str) -> String {
        let schema = if self.is_of_tenant() {
            "SYS_DATABASES"
        } else {
            "SYS"
        };
        format!("{schema}.{name}")
    }

    /// Restricts a view that has rows of all databases to those of this one.
    fn its_own(&self, column: &str) -> String {
        match self.is_of_tenant() {
            true => format!("{column} = {} AND ", sql::text(self.database)),
            false => String::new(),
        }
    }

    /// The backup that was begun with `comment`.
    pub(super) fn commented(&self, comment: &str, stop: &StopFlag) -> Result<Option<Entry>> {
        self.first(&format!("\"COMMENT\" = {}", sql::text(comment)), stop)
    }

    /// The last full backup that is whole.
    pub(super) fn last_full(&self, stop: &StopFlag) -> Result<Option<Entry>> {
        self.first(
            "ENTRY_TYPE_NAME = 'complete data backup' AND STATE_NAME = 'successful'",
            stop,
        )
    }

    fn first(&self, condition: &str, stop: &StopFlag) -> Result<Option<Entry>> {
        let question = format!(
            "SELECT BACKUP_ID, STATE_NAME, MESSAGE, UTC_START_TIME, UTC_END_TIME FROM {} WHERE {}{condition} ORDER BY BACKUP_ID DESC LIMIT 1",
            self.view("M_BACKUP_CATALOG"),
            self.its_own("DATABASE_NAME"),
        );
        let rows = self.session.ask(&question, stop)?;
        rows.into_iter().next().map(entry).transpose()
    }

    /// The parts of a backup.
    pub(super) fn parts(&self, backup: u64, stop: &StopFlag) -> Result<Vec<Part>> {
        let question = format!(
            "SELECT DESTINATION_PATH, BACKUP_SIZE, SOURCE_TYPE_NAME, SERVICE_TYPE_NAME, DESTINATION_TYPE_NAME, EXTERNAL_BACKUP_ID FROM {} \
             WHERE {}BACKUP_ID = {backup} ORDER BY DESTINATION_PATH",
            self.view("M_BACKUP_CATALOG_FILES"),
            self.its_own("DATABASE_NAME"),
        );
        let rows = self.session.ask(&question, stop)?;
        rows.into_iter().map(part).collect()
    }

    /// The parts of all log backups that are whole and were made since the backup `since` began.
    pub(super) fn logs(&self, since: u64, stop: &StopFlag) -> Result<Vec<Part>> {
        let same = match self.is_of_tenant() {
            true => " AND C.DATABASE_NAME = F.DATABASE_NAME",
            false => "",
        };
        let question = format!(
            "SELECT F.DESTINATION_PATH, F.BACKUP_SIZE, F.SOURCE_TYPE_NAME, F.SERVICE_TYPE_NAME, F.DESTINATION_TYPE_NAME, F.EXTERNAL_BACKUP_ID \
             FROM {} C JOIN {} F ON C.BACKUP_ID = F.BACKUP_ID{same} \
             WHERE {}C.ENTRY_TYPE_NAME = 'log backup' AND C.STATE_NAME = 'successful' AND C.BACKUP_ID >= {since} ORDER BY F.DESTINATION_PATH",
            self.view("M_BACKUP_CATALOG"),
            self.view("M_BACKUP_CATALOG_FILES"),
            self.its_own("C.DATABASE_NAME"),
        );
        let rows = self.session.ask(&question, stop)?;
        let mut parts = rows.into_iter().map(part).collect::<Result<Vec<_>>>()?;
        parts.dedup_by(|one, other| one.path == other.path);
        Ok(parts)
    }

    /// Asks HANA to end a backup that is being made.
    pub(super) fn cancel(&self, backup: u64, stop: &StopFlag) -> Result<()> {
        let alone = format!("BACKUP CANCEL {backup}");
        if !self.is_of_tenant() {
            return self.session.ask(&alone, stop).map(drop);
        }
        let of_tenant = format!("BACKUP CANCEL FOR {} {backup}", sql::name(self.database));
        self.session
            .ask(&of_tenant, stop)
            .or_else(|_| self.session.ask(&alone, stop))
            .map(drop)
    }
}

fn entry(row: Row) -> Result<Entry> {
    let Ok([id, state, message, begun_at, ended_at]) = <[_; 5]>::try_from(row) else {
        return Err(strange());
    };
    Ok(Entry {
        id: number(id)?,
        state: state.unwrap_or_default(),
        message: message.unwrap_or_default(),
        begun_at,
        ended_at,
    })
}

fn part(row: Row) -> Result<Part> {
    let Ok([path, size, source, service, destination, external_id]) = <[_; 6]>::try_from(row)
    else {
        return Err(strange());
    };
    Ok(Part {
        path: path.unwrap_or_default(),
        size_bytes: number(size)?,
        source: source.unwrap_or_default(),
        service,
        destination: destination.unwrap_or_default(),
        external_id: external_id.filter(|id| !id.is_empty()),
    })
}

fn number(value: Option<String>) -> Result<u64> {
    value
        .and_then(|value| value.trim().parse().ok())
        .ok_or_else(strange)
}

fn strange() -> Error {
    Error::invalid(
        "dump_failed",
        "HANA's catalogue of backups answers something that is no entry: is hdbsql of another kind than what is known?",
    )
}
