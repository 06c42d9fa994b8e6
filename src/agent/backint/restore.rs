//! `restore`: hands one object back, and says `#RESTORED` when all of it was written as it was saved.

use super::channel::{Output, PartialFile, PipeWriter, output_at};
use super::protocol::{Answer, Wanted};
use super::run::{Outcome, Running};
use backupx_core::domain::backint::{BackintObject, Ebid, Form};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use backupx_engine::backint::{find, put_back};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) async fn one(running: &Running, wanted: Wanted) -> Outcome {
    let Wanted { ebid, name, to } = wanted;
    let object = match meant(running, ebid.as_deref(), &name).await {
        Ok(Some(object)) => object,
        Ok(None) => {
            let which = ebid.map_or_else(String::new, |id| format!(" with the id {id:?}"));
            running.log.error(format!(
                "{name:?} is not restored: there is no such object{which}"
            ));
            running.answers.say(&Answer::NotFound(None, Some(&name)));
            return Outcome::Badly;
        }
        Err(error) => return failed(running, &name, &error.chain()),
    };
    if object.name != name {
        running.log.warn(format!(
            "{} was saved as {:?} and is asked for as {name:?}",
            object.ebid, object.name
        ));
    }
    let path = PathBuf::from(to.as_deref().unwrap_or(&name));
    match hand_back(running, &object, &path).await {
        Ok(size) => {
            running.log.info(format!(
                "restored {} to {}: {size} bytes",
                object.ebid,
                path.display()
            ));
            running
                .answers
                .say(&Answer::Restored(object.ebid.as_str(), &name));
            Outcome::Well
        }
        Err(error) => failed(running, &name, &error.chain()),
    }
}

fn failed(running: &Running, name: &str, why: &str) -> Outcome {
    running
        .log
        .error(format!("{name:?} is not restored: {why}"));
    running.answers.say(&Answer::Failed(None, Some(name)));
    Outcome::Badly
}

/// The object with this id, or the newest of this name.
async fn meant(running: &Running, ebid: Option<&str>, name: &str) -> Result<Option<BackintObject>> {
    running.goes_on()?;
    let Some(text) = ebid else {
        let newest = running
            .shelf
            .ours()
            .await?
            .iter()
            .find(|entry| entry.name == name);
        return match newest {
            Some(entry) => find(running.shelf.store(), &entry.location).await,
            None => Ok(None),
        };
    };
    match Ebid::parse(text) {
        Ok(ebid) => running.shelf.by_id(&ebid).await,
        Err(_) => Ok(None),
    }
}

/// Writes the object into the pipe or the file at `path`. A pipe is waited for before anything is read: that costs nothing while the
/// database is busy with others.
async fn hand_back(running: &Running, object: &BackintObject, path: &Path) -> Result<u64> {
    let needs_pipe = object.form == Form::Pipe;
    let (its, stop) = (path.to_owned(), running.stop.clone());
    let opening = tokio::task::spawn_blocking(move || open(&its, needs_pipe, &stop));
    let (output, file) = opening.await.map_err(|error| {
        Error::internal("opening a pipe or file ended unexpectedly").with_source(error)
    })??;
    let observer = Arc::clone(&running.log);
    let (source, stop) = (&running.shelf.destination, &running.stop);
    let size = put_back(object, output, source, observer, stop).await?;
    if let Some(file) = file {
        file.finish()?;
    }
    Ok(size)
}

type Opened = (Box<dyn Write + Send>, Option<PartialFile>);

/// Opens what is to be written; a file gets its name later.
fn open(path: &Path, needs_pipe: bool, stop: &StopFlag) -> Result<Opened> {
    match output_at(path, needs_pipe, stop)? {
        Output::Pipe => Ok((Box::new(PipeWriter::open(path, stop)?), None)),
        Output::File => {
            let file = PartialFile::beside(path)?;
            Ok((Box::new(file.create()?), Some(file)))
        }
    }
}
