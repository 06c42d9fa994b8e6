//! The store of log lines.

use crate::SqlStores;
use crate::error::store;
use crate::row::{Columns, micros};
use crate::stores::commit;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::command::{Lease, Subject};
use backupx_core::domain::log::{Level, LogLine, StoredLine};
use backupx_core::ports::logs::Logs;
use sqlx::any::AnyRow;

const APPEND: &str = "INSERT INTO log_lines (subject, lease, seq, said_at, level, message) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject, lease, seq) DO NOTHING";
pub(crate) const READ: &str = "SELECT id, seq, said_at, level, message FROM log_lines WHERE subject = $1 AND id > $2 ORDER BY id LIMIT $3";

#[async_trait]
impl Logs for SqlStores {
    async fn append(&self, subject: Subject, lease: Lease, lines: &[LogLine]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let subject = subject.to_string();
        let mut transaction = self.begin_alone(&subject).await?;
        for line in lines {
            sqlx::query(APPEND)
                .bind(subject.as_str())
                .bind(lease.0)
                .bind(line.seq)
                .bind(micros(line.at))
                .bind(line.level.as_str())
                .bind(storable(&line.message))
                .execute(&mut *transaction)
                .await
                .map_err(store)?;
        }
        commit(transaction).await
    }

    async fn read(&self, subject: Subject, after: i64, limit: u32) -> Result<Vec<StoredLine>> {
        let rows = sqlx::query(READ)
            .bind(subject.to_string())
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(line).collect()
    }
}

/// Not every engine can keep a zero character in a text.
fn storable(message: &str) -> String {
    message.replace('\0', "\u{fffd}")
}

fn line(row: &AnyRow) -> Result<StoredLine> {
    Ok(StoredLine {
        id: row.int("id")?,
        line: LogLine {
            seq: row.int("seq")?,
            at: row.time("said_at")?,
            level: Level::parse(&row.text("level")?)?,
            message: row.text("message")?,
        },
    })
}
