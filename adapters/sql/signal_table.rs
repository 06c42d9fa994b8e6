//! The table of signals: how masters hear each other where nobody can listen. While somebody waits, a master looks into it again and again.
//!
//! A row is a wake-up. Rows may become visible behind others with higher ids, so each look goes back a little and passes over what it
//! has seen. After a look that failed everybody is woken: nobody knows what was missed.

use crate::connections::Connections;
use crate::error::store;
use crate::row::Columns;
use crate::wakers::Wakers;
use backupx_core::Result;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(40);
/// The pause after a look that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long a row may take from its id to being seen by all.
const GRACE: Duration = Duration::from_secs(1);
/// The most rows of one look; where there are more, everybody is woken instead.
const MOST: usize = 1000;
/// So many of the last rows are seen as known by whoever catches up.
const KNOWN: usize = 100;
/// So many of the last rows stay in the table, give or take what is written between two removals. Many more than one look reads: whoever
/// rested finds all that it missed, or so much that it catches up.
const KEPT: i64 = 10_000;
/// One notify in so many removes older rows.
pub(crate) const REMOVE_EVERY: u64 = 100;

/// Leaves wake-ups. Without values, so that it takes one step to the server and back; all texts are the program's own.
pub(crate) async fn leave(
    connections: &Connections,
    sender: &str,
    topics: &BTreeSet<String>,
) -> Result<()> {
    let sender = quoted(sender);
    let rows: Vec<_> = topics
        .iter()
        .map(|topic| format!("({sender}, {})", quoted(topic)))
        .collect();
    let sql = format!(
        "INSERT INTO signals (sender, topic) VALUES {}",
        rows.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connections)
        .await
        .map(drop)
        .map_err(store)
}

/// Removes what nobody is going to look at any more; passes over what somebody else is removing.
pub(crate) async fn remove_old(connections: &Connections) -> Result<()> {
    let sql = format!(
        "DELETE FROM signals WHERE id IN (SELECT id FROM signals WHERE id < (SELECT MAX(id) FROM signals) - {KEPT} ORDER BY id LIMIT {KEPT} FOR UPDATE SKIP LOCKED)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connections)
        .await
        .map(drop)
        .map_err(store)
}

/// Passes what other masters say on to the waiters of this one, for ever. Costs nothing while nobody waits.
pub(crate) async fn watch(connections: Connections, own: String, wakers: Wakers, mut seen: Seen) {
    loop {
        wakers.somebody_waits().await;
        match look(&connections, &own, &mut seen, &wakers).await {
            Ok(()) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!(
                    error = error.chain(),
                    "the signals of other masters can't be read, trying again"
                );
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                seen.is_broken = true;
            }
        }
    }
}

/// Wakes for each row that is new.
async fn look(
    connections: &Connections,
    own: &str,
    seen: &mut Seen,
    wakers: &Wakers,
) -> Result<()> {
    if seen.is_broken {
        return catch_up(connections, seen, wakers).await;
    }
    let sql = format!(
        "SELECT id, sender, topic FROM signals WHERE id > {} ORDER BY id LIMIT {MOST}",
        seen.behind
    );
    let rows = read(connections, sql).await?;
    if rows.len() == MOST {
        return catch_up(connections, seen, wakers).await;
    }
    let now = Instant::now();
    for row in &rows {
        if seen.is_new(row.int("id")?, now)
            && row.text("sender")? != own
            && let Ok(topic) = row.text("topic")?.parse()
        {
            wakers.wake(topic);
        }
    }
    seen.forget_old(now);
    Ok(())
}

/// Starts anew at the end of the table and wakes everybody.
async fn catch_up(connections: &Connections, seen: &mut Seen, wakers: &Wakers) -> Result<()> {
    *seen = last_rows(connections).await?;
    wakers.wake_all();
    Ok(())
}

/// What is in the table now counts as seen.
pub(crate) async fn last_rows(connections: &Connections) -> Result<Seen> {
    let sql = format!("SELECT id FROM signals ORDER BY id DESC LIMIT {KNOWN}");
    let now = Instant::now();
    let mut seen = Seen {
        behind: 0,
        rows: BTreeMap::new(),
        is_broken: false,
    };
    for row in &read(connections, sql).await? {
        seen.is_new(row.int("id")?, now);
    }
    if seen.rows.len() == KNOWN {
        seen.behind = seen.rows.keys().next().map_or(0, |first| first - 1);
    }
    Ok(seen)
}

async fn read(connections: &Connections, sql: String) -> Result<Vec<AnyRow>> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(connections)
        .await
        .map_err(store)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What of the table was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Rows up to this one are not looked at again.
    behind: i64,
    /// Rows behind that one, and when each was seen.
    rows: BTreeMap<i64, Instant>,
    /// Whether the last look failed.
    is_broken: bool,
}

impl Seen {
    /// Notes a row. True when it was not seen before.
    fn is_new(&mut self, id: i64, now: Instant) -> bool {
        let is_new = id > self.behind && !self.rows.contains_key(&id);
        if is_new {
            self.rows.insert(id, now);
        }
        is_new
    }

    /// A row that was seen so long ago has none before it that is still to come.
    fn forget_old(&mut self, now: Instant) {
        let old = |at: &Instant| now.saturating_duration_since(*at) > GRACE;
        let last_old = self.rows.iter().rev().find(|(_, at)| old(at));
        if let Some((id, _)) = last_old {
            self.behind = *id;
            self.rows = self.rows.split_off(&(self.behind + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_becomes_visible_late_is_new_once() {
        let start = Instant::now();
        let mut seen = Seen {
            behind: 3,
            rows: BTreeMap::new(),
            is_broken: false,
        };
        assert!(seen.is_new(5, start));
        seen.forget_old(start);
        assert!(seen.is_new(4, start), "it came behind a higher one");
        assert!(!seen.is_new(4, start) && !seen.is_new(5, start));
        let later = start + GRACE + Duration::from_millis(1);
        assert!(seen.is_new(6, later));
        seen.forget_old(later);
        assert_eq!(seen.behind, 5);
        assert!(!seen.is_new(4, later) && !seen.is_new(6, later));
        assert!(seen.is_new(7, later));
    }
}
