//! Assertions: what has to hold of what was restored, asked one after the other.

use super::{Names, since};
use crate::work::broke_down;
use backupx_core::domain::drill::{Assertion, DrillAnswer, RowCount, holds};
use backupx_core::domain::log::Level;
use backupx_core::ports::dumps::DumpSource;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Who is asked, and about what.
pub(super) struct Asking<'a> {
    /// Who answers; nobody for files.
    pub(super) server: Option<Arc<dyn DumpSource>>,
    /// What databases are called now by what they were called.
    pub(super) names: Names,
    /// Whether all databases of a server are there under their own names.
    pub(super) is_own_server: bool,
    /// Where files lie.
    pub(super) folder: Option<PathBuf>,
    /// Rows at the backup.
    pub(super) counts: &'a [RowCount],
    pub(super) stop: &'a StopFlag,
    pub(super) observer: &'a Arc<dyn Observer>,
}

/// What was answered, and what it was compared with.
struct Answer {
    ok: bool,
    text: String,
    expected: Option<String>,
}

impl Asking<'_> {
    /// Asks all of them, whatever the others say.
    pub(super) async fn all(
        &self,
        assertions: &[Assertion],
        answers: &mut Vec<DrillAnswer>,
    ) -> Result<()> {
        for assertion in assertions {
            let began = Instant::now();
            let answer = self.one(assertion).await;
            if self.stop.is_stopped() {
                return Err(Error::conflict("cancelled", "the drill was stopped"));
            }
            let answer = answer.unwrap_or_else(|error| Answer {
                ok: false,
                text: error.chain(),
                expected: None,
            });
            let (level, how) = match answer.ok {
                true => (Level::Info, "holds"),
                false => (Level::Error, "does not hold"),
            };
            let mut kept = DrillAnswer::new(assertion, answer.ok, &answer.text, since(began));
            kept.expected = answer.expected;
            self.observer
                .log(level, format!("{} {how}: {}", kept.assertion, kept.answer));
            answers.push(kept);
        }
        Ok(())
    }

    async fn one(&self, assertion: &Assertion) -> Result<Answer> {
        match assertion {
            Assertion::Path { path } => self.path(path),
            Assertion::Sql {
                database, query, ..
            } => {
                let query = query.clone();
                let answered = self.asked(database, move |server, name, stop| {
                    server.ask(name, &query, stop)
                });
                let value = answered.await?;
                Ok(Answer {
                    ok: value.as_deref().is_some_and(holds),
                    text: value.unwrap_or_else(|| "nothing".to_owned()),
                    expected: None,
                })
            }
            Assertion::Rows {
                database,
                table,
                within,
            } => self.rows(database, table, *within).await,
        }
    }

    async fn rows(&self, database: &str, table: &str, within: u16) -> Result<Answer> {
        let asked = table.to_owned();
        let counted = self.asked(database, move |server, name, stop| {
            server.count(name, &asked, stop)
        });
        let rows = counted.await?;
        let before = self
            .counts
            .iter()
            .find(|count| count.database == database && count.table == table);
        let Some(before) = before else {
            return Ok(Answer {
                ok: false,
                text: format!(
                    "{rows}, and this backup has no count to compare it with: rows are counted at a backup when its task's drill asks for them, so backups of the runs from then on have one"
                ),
                expected: None,
            });
        };
        let apart = u128::from(rows.abs_diff(before.rows)) * 100;
        Ok(Answer {
            ok: apart <= u128::from(before.rows) * u128::from(within),
            text: rows.to_string(),
            expected: Some(format!("{} within {within} %", before.rows)),
        })
    }

    /// What the restored database says that was called so.
    async fn asked<T: Send + 'static>(
        &self,
        database: &str,
        ask: impl FnOnce(&dyn DumpSource, &str, &StopFlag) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let name = match self.names.get(database) {
            Some(name) => name.clone(),
            None if self.is_own_server => database.to_owned(),
            None => {
                return Err(Error::not_found(
                    "source_missing",
                    format!("no database {database} was restored"),
                ));
            }
        };
        let server = self
            .server
            .clone()
            .ok_or_else(|| Error::invalid("unsupported", "files answer no questions"))?;
        let stop = self.stop.clone();
        tokio::task::spawn_blocking(move || ask(server.as_ref(), &name, &stop))
            .await
            .map_err(broke_down)?
    }

    fn path(&self, path: &str) -> Result<Answer> {
        let folder = self
            .folder
            .as_deref()
            .ok_or_else(|| Error::invalid("unsupported", "databases have no paths"))?;
        let found = is_there(folder, path);
        Ok(Answer {
            ok: found.is_ok(),
            text: match found {
                Ok(what) => what,
                Err(why) => why,
            },
            expected: None,
        })
    }
}

/// What is at `path` below `folder`, never looked for through a link: what that leads to was not restored.
fn is_there(folder: &Path, path: &str) -> std::result::Result<String, String> {
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
    let mut at = folder.to_owned();
    let mut what = String::new();
    for (number, name) in names.iter().enumerate() {
        if what == "a link" {
            return Err(format!("{} is a link", names[..number].join("/")));
        }
        at.push(name);
        let data = at.symlink_metadata().map_err(|error| {
            let upto = names[..=number].join("/");
            match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no {upto}"),
                _ => format!("{upto} can't be looked at: {error}"),
            }
        })?;
        what = match (data.is_dir(), data.is_symlink()) {
            (true, _) => "a folder".to_owned(),
            (false, true) => "a link".to_owned(),
            (false, false) => format!("{} bytes", data.len()),
        };
    }
    Ok(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_looked_for_in_what_was_restored_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("etc")).expect("made");
        std::fs::write(folder.path().join("etc/hosts"), b"12345").expect("written");
        std::os::unix::fs::symlink("/", folder.path().join("root")).expect("linked");
        let there = |path| is_there(folder.path(), path);
        assert_eq!(there("/etc/hosts"), Ok("5 bytes".to_owned()));
        assert_eq!(there("etc"), Ok("a folder".to_owned()));
        assert_eq!(there("root"), Ok("a link".to_owned()));
        assert!(there("root/etc").is_err());
        assert!(there("etc/hosts/x").is_err());
        assert!(there("/etc/passwd").is_err_and(|why| why.contains("etc/passwd")));
    }
}
