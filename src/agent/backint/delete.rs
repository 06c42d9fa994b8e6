//! `delete`: removes one object, and says `#DELETED` when storage has it no more.

use super::protocol::{Answer, Unwanted};
use super::run::{Outcome, Running};
use backupx_core::domain::backint::Ebid;
use backupx_core::{Error, Result};
use backupx_engine::backint::{find, remove};

pub(super) async fn one(running: &Running, unwanted: Unwanted) -> Outcome {
    let (ebid, name) = (unwanted.ebid.as_str(), unwanted.name.as_str());
    match gone(running, ebid, name).await {
        Ok(true) => {
            running
                .log
                .info(format!("deleted {name:?} with the id {ebid}"));
            running.answers.say(&Answer::Deleted(ebid, name));
            Outcome::Well
        }
        // Whoever wants it gone has what he wants.
        Ok(false) => {
            running.log.info(format!(
                "there is no {name:?} with the id {ebid:?} to delete"
            ));
            running
                .answers
                .say(&Answer::NotFound(Some(ebid), Some(name)));
            Outcome::Well
        }
        Err(error) => {
            running.log.error(format!(
                "{name:?} with the id {ebid:?} is not deleted: {}",
                error.chain()
            ));
            running.answers.say(&Answer::Failed(Some(ebid), Some(name)));
            Outcome::Badly
        }
    }
}

/// Removes the object of this id and name. False when there is none: an id that belongs to another name means something else.
async fn gone(running: &Running, ebid: &str, name: &str) -> Result<bool> {
    running.goes_on()?;
    let Ok(ebid) = Ebid::parse(ebid) else {
        return Ok(false);
    };
    let Some(object) = running
        .shelf
        .by_id(&ebid)
        .await?
        .filter(|object| object.name == name)
    else {
        return Ok(false);
    };
    let store = running.shelf.store();
    remove(store, &object.location).await?;
    if find(store, &object.location).await?.is_some() {
        return Err(Error::unavailable(
            "not_removed",
            format!("{} is still there after it was removed", object.location),
        ));
    }
    running.shelf.forget(&object.location).await;
    Ok(true)
}
