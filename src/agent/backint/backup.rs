//! `backup`: takes one object, and says `#SAVED` when storage confirmed it.

use super::channel::{read_file, read_pipe};
use super::protocol::{Answer, Handed};
use super::run::{Outcome, Running};
use super::writer;
use crate::facts::hostname;
use backupx_core::Result;
use backupx_core::domain::backint::{BackintObject, Ebid, Form};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::backint::CatalogueEntry;
use backupx_engine::backint::{Feed, NewObject, Share, is_clear, save};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a look at what a failed object left may take: the database waits for the end.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn one(running: &Running, Handed { form, name }: Handed) -> Outcome {
    match take(running, &name, form).await {
        Ok(object) => {
            let (size, stored) = (object.stream.raw_bytes, object.stream.stored_bytes);
            running.log.info(format!(
                "saved {name:?} as {}: {size} bytes, {stored} in storage",
                object.ebid
            ));
            running
                .answers
                .say(&Answer::Saved(object.ebid.as_str(), &name, size));
            Outcome::Well
        }
        Err(error) => failed(running, &name, &error.chain()),
    }
}

fn failed(running: &Running, name: &str, why: &str) -> Outcome {
    running.log.error(format!("{name:?} is not saved: {why}"));
    running.answers.say(&Answer::Failed(None, Some(name)));
    Outcome::Badly
}

async fn take(running: &Running, name: &str, form: Form) -> Result<BackintObject> {
    running.goes_on()?;
    let created_at = running.clock.now();
    let ebid = Ebid::new(created_at, rand::random());
    // Without a master the program itself gives objects their place; the id in it is what nothing else has.
    let location = ebid.location(&running.shelf.prefix, &running.call.user)?;
    running.shelf.begin(&location, &writer::ourselves()).await;
    let object = NewObject {
        ebid,
        location: location.clone(),
        user: running.call.user.clone(),
        name: name.to_owned(),
        form,
        backup_id: running.call.backup_id.clone(),
        level: running.call.level.clone(),
        created_at,
        hostname: hostname(),
        compression: running.parameters.compression,
    };
    let share = Share {
        cores: running.cores,
        streams: running.parallel,
    };
    let observer = Arc::clone(&running.log);
    let caller = running.caller;
    let saved = save(
        object,
        feed(name, form),
        &running.shelf.destination,
        share,
        observer,
        &running.stop,
        move || caller.still_there(),
    );
    match saved.await {
        Ok(object) => {
            running.shelf.keep(&[CatalogueEntry::from(&object)]).await;
            Ok(object)
        }
        Err(error) => {
            forget_if_clear(running, &location).await;
            Err(error)
        }
    }
}

/// Forgets what was begun when nothing of it is left. What could not be removed now is found again by what was begun.
async fn forget_if_clear(running: &Running, location: &ObjectKey) {
    let looking = is_clear(running.shelf.store(), location);
    if let Ok(Ok(true)) = tokio::time::timeout(LOOK_LIMIT, looking).await {
        running.shelf.forget(location).await;
    }
}

fn feed(name: &str, form: Form) -> Feed {
    let path = PathBuf::from(name);
    match form {
        Form::Pipe => Box::new(move |out, stop| read_pipe(&path, out, stop)),
        Form::File => Box::new(move |out, stop| read_file(&path, out, stop)),
    }
}
