//! A state that begins anew out of a copy of itself.

use crate::SqlStores;
use crate::error::store;
use backupx_core::Result;

/// Far more than any master gives between two backups of itself.
const STEP: i64 = 10_000_000;
/// Ids by which the outside holds on to something: a signed session, a claimed command, the place in a stream of events.
const HELD: &str = "UPDATE sqlite_sequence SET seq = seq + $1 WHERE name IN ('sessions', 'commands', 'events', 'log_lines')";

impl SqlStores {
    /// Makes sure that no id which was given behind the moment of the copy is given again: an agent that still carries a command out, or a
    /// session that was signed since, must not meet another one under its number. For SQLite alone.
    pub async fn begin_anew(&self) -> Result<()> {
        sqlx::query(HELD)
            .bind(STEP)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(())
    }
}
