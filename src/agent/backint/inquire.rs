//! `inquire`: says which objects there are, the newest first.

use super::protocol::{Answer, Asked, TELLS_TIME};
use super::run::{Outcome, Running};
use backupx_core::Result;
use backupx_core::domain::backint::Ebid;
use backupx_core::ports::backint::CatalogueEntry;

pub(super) async fn one(running: &Running, asked: Asked) -> Outcome {
    let (ebid, name) = (asked.ebid.as_deref(), asked.name.as_deref());
    match found(running, ebid, name).await {
        Ok(found) => {
            for entry in &found {
                let made = (running.version >= TELLS_TIME).then(|| {
                    entry
                        .created_at
                        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
                        .to_string()
                });
                running
                    .answers
                    .say(&Answer::Backup(entry.ebid.as_str(), &entry.name, made));
            }
            if found.is_empty() {
                running.answers.say(&Answer::NotFound(ebid, name));
            }
            Outcome::Well
        }
        Err(error) => {
            running
                .log
                .error(format!("what there is can't be said: {}", error.chain()));
            running.answers.say(&Answer::Failed(ebid, name));
            Outcome::Badly
        }
    }
}

async fn found(
    running: &Running,
    ebid: Option<&str>,
    name: Option<&str>,
) -> Result<Vec<CatalogueEntry>> {
    running.goes_on()?;
    if let Some(text) = ebid {
        let Ok(ebid) = Ebid::parse(text) else {
            return Ok(Vec::new());
        };
        let object = running.shelf.by_id(&ebid).await?;
        let named = object.filter(|object| name.is_none_or(|name| object.name == name));
        return Ok(named.iter().map(CatalogueEntry::from).collect());
    }
    let ours = running.shelf.ours().await?;
    Ok(ours
        .iter()
        .filter(|entry| name.is_none_or(|name| entry.name == name))
        .cloned()
        .collect())
}
