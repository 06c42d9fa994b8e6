//! The copies that one run makes: one per destination, each succeeding or failing by itself.

use crate::confirm::{ManifestOwner, confirm, discard};
use crate::stream::{Budget, GIVEN_UP, Pieces, lay_down, queue};
use crate::{Destination, manifest};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::log::Level;
use backupx_core::domain::manifest::{Manifest, StoredObject, StoredStream};
use backupx_core::domain::report::{CopyReport, Failure};
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use futures::future::{join_all, try_join_all};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long leftovers may take to be removed after a failure, and after a stop that somebody waits for.
const DISCARD_LIMIT: Duration = Duration::from_secs(300);
const DISCARD_LIMIT_STOPPED: Duration = Duration::from_secs(15);

/// The objects of each stream, in the order of the streams.
type Objects = Vec<Vec<StoredObject>>;

/// The copies of one run.
pub(crate) struct Copies {
    location: ObjectKey,
    copies: Vec<Copy>,
    observer: Arc<dyn Observer>,
    storing: JoinSet<(usize, Result<Objects>)>,
}

/// One copy in the making.
struct Copy {
    destination: Destination,
    state: State,
}

enum State {
    /// Nothing was written yet.
    Untouched,
    /// Objects are being written.
    Storing,
    /// All streams are laid down.
    Stored(Objects),
    /// Confirmed, its manifest written.
    Good {
        manifest: Box<Manifest>,
        size: u64,
        sha256: String,
    },
    /// It came to nothing.
    Failed { error: Error, leftovers: Leftovers },
}

/// What a failed copy may have left in storage.
#[derive(Clone, Copy)]
enum Leftovers {
    None,
    Objects,
    ObjectsAndManifest,
}

impl Copies {
    /// A copy for each destination. There must be at least one.
    pub(crate) fn new(
        location: &ObjectKey,
        destinations: Vec<Destination>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self> {
        if destinations.is_empty() {
            return Err(Error::invalid("no_targets", "the run names no target"));
        }
        let copies = destinations
            .into_iter()
            .map(|destination| Copy {
                destination,
                state: State::Untouched,
            })
            .collect();
        Ok(Self {
            location: location.clone(),
            copies,
            observer,
            storing: JoinSet::new(),
        })
    }

    /// Asks every destination whether its place is free: what can't be reached or is taken fails here, before anything is read.
    pub(crate) async fn prepare(&mut self) -> Result<()> {
        let key = self.location.join(Manifest::FILE_NAME)?;
        let answers = join_all(
            self.copies
                .iter()
                .map(|copy| copy.destination.store.stat(&key)),
        )
        .await;
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(None) => {}
                Ok(Some(_)) => {
                    let taken = Error::conflict(
                        "object_exists",
                        format!("{key} is there already: this backup was finished before"),
                    );
                    self.fail(index, taken, Leftovers::None);
                }
                Err(error) => self.fail(index, error, Leftovers::None),
            }
        }
        self.any_left()
    }

    /// Removes what a failed run left at the destinations that are left.
    pub(crate) async fn clear(&mut self) -> Result<()> {
        let location = &self.location;
        let cleared = join_all(self.copies.iter().map(|copy| async move {
            match &copy.state {
                State::Untouched => copy.destination.store.remove_all(location).await.map(drop),
                State::Storing | State::Stored(_) | State::Good { .. } | State::Failed { .. } => {
                    Ok(())
                }
            }
        }))
        .await;
        for (index, outcome) in cleared.into_iter().enumerate() {
            if let Err(error) = outcome {
                self.fail(index, error, Leftovers::Objects);
            }
        }
        self.any_left()
    }

    /// Starts to store `names` (one object name a stream), behind what was stored before, at every destination that is left. Answers the
    /// queues of each stream. Not before [`Copies::stored`] when something is under way.
    pub(crate) fn start(&mut self, names: &[String]) -> Vec<Vec<Pieces>> {
        let mut queues: Vec<Vec<Pieces>> = names.iter().map(|_| Vec::new()).collect();
        let budget = Budget::share(self.copies.len());
        for (index, copy) in self.copies.iter_mut().enumerate() {
            let mut objects = match std::mem::replace(&mut copy.state, State::Storing) {
                State::Untouched => Objects::new(),
                State::Stored(objects) => objects,
                other => {
                    copy.state = other;
                    continue;
                }
            };
            let mut streams = Vec::new();
            for (name, queues) in names.iter().zip(&mut queues) {
                let (pieces_in, pieces) = queue();
                queues.push(pieces_in);
                let store = Arc::clone(&copy.destination.store);
                let (location, name) = (self.location.clone(), name.clone());
                streams
                    .push(async move { lay_down(store, &location, &name, pieces, budget).await });
            }
            self.storing.spawn(async move {
                let stored = try_join_all(streams).await.map(|more| {
                    objects.extend(more);
                    objects
                });
                (index, stored)
            });
        }
        queues
    }

    /// Waits until every destination has stored its streams or failed.
    pub(crate) async fn stored(&mut self) {
        while let Some(done) = self.storing.join_next().await {
            match done {
                Ok((index, Ok(objects))) => self.copies[index].state = State::Stored(objects),
                Ok((index, Err(error))) => self.fail(index, error, Leftovers::Objects),
                Err(error) => {
                    // Which one it was is not known; it is found by its state.
                    tracing::error!(error = %error, "storing a copy ended unexpectedly");
                }
            }
        }
        for index in 0..self.copies.len() {
            if matches!(self.copies[index].state, State::Storing) {
                let error = Error::internal("storing the copy ended unexpectedly");
                self.fail(index, error, Leftovers::Objects);
            }
        }
    }

    /// True when every destination failed by itself, not because the run was given up.
    pub(crate) fn all_failed_alone(&self) -> bool {
        self.copies.iter().all(
            |copy| matches!(&copy.state, State::Failed { error, .. } if error.code() != GIVEN_UP),
        )
    }

    /// Confirms every object and writes each manifest. `manifest` has the streams without their objects, which differ by destination.
    pub(crate) async fn finish(&mut self, manifest: &Manifest) -> Result<()> {
        let location = &self.location;
        let finished = join_all(self.copies.iter_mut().map(|copy| async move {
            match std::mem::replace(&mut copy.state, State::Storing) {
                State::Stored(objects) => {
                    Some(seal_copy(&copy.destination, location, manifest, objects).await)
                }
                other => {
                    copy.state = other;
                    None
                }
            }
        }))
        .await;
        for (index, outcome) in finished.into_iter().enumerate() {
            match outcome {
                None => {}
                Some(Ok(good)) => {
                    let name = &self.copies[index].destination.name;
                    self.observer.log(
                        Level::Info,
                        format!("target {name:?}: every object is confirmed"),
                    );
                    self.copies[index].state = good;
                }
                Some(Err((error, leftovers))) => self.fail(index, error, leftovers),
            }
        }
        self.any_left()
    }

    /// Stops whatever is under way and removes what copies without a manifest left behind. What is not removed in time stays
    /// for the sweep: a run that was stopped must not hang on a target that does.
    pub(crate) async fn discard_unfinished(&mut self, stop: &StopFlag) {
        self.storing.shutdown().await;
        let limit = if stop.is_stopped() {
            DISCARD_LIMIT_STOPPED
        } else {
            DISCARD_LIMIT
        };
        let location = &self.location;
        let observer = &self.observer;
        join_all(self.copies.iter().map(|copy| async move {
            let owner = match &copy.state {
                State::Untouched | State::Good { .. } => return,
                State::Failed { leftovers: Leftovers::None, .. } => return,
                State::Storing | State::Stored(_) | State::Failed { leftovers: Leftovers::Objects, .. } => ManifestOwner::Another,
                State::Failed { leftovers: Leftovers::ObjectsAndManifest, .. } => ManifestOwner::ThisRun,
            };
            let Destination { name, store, .. } = &copy.destination;
            let discarded = tokio::time::timeout(limit, discard(store.as_ref(), location, owner));
            let outcome = discarded.await.unwrap_or_else(|_| {
                Err(Error::unavailable("storage_stalled", "it did not answer in time"))
            });
            if let Err(error) = outcome {
                observer.log(
                    Level::Warn,
                    format!("target {name:?}: what the failed run wrote could not be removed and stays until the next sweep: {}", error.chain()),
                );
            }
        }))
        .await;
    }

    /// Per destination, in their order.
    pub(crate) fn reports(&self) -> Vec<CopyReport> {
        self.copies.iter().map(Copy::report).collect()
    }

    /// The streams as they lie on the first good destination.
    pub(crate) fn streams(&self) -> Vec<StoredStream> {
        let good = self.copies.iter().find_map(|copy| match &copy.state {
            State::Good { manifest, .. } => Some(manifest.streams.clone()),
            State::Untouched | State::Storing | State::Stored(_) | State::Failed { .. } => None,
        });
        good.unwrap_or_default()
    }

    fn fail(&mut self, index: usize, error: Error, leftovers: Leftovers) {
        let copy = &mut self.copies[index];
        if error.code() != GIVEN_UP {
            let name = &copy.destination.name;
            self.observer.log(
                Level::Error,
                format!("target {name:?} gets no copy: {}", error.chain()),
            );
        }
        copy.state = State::Failed { error, leftovers };
    }

    /// An error that names every failure when no destination is left.
    pub(crate) fn any_left(&self) -> Result<()> {
        let mut failures = Vec::new();
        for copy in &self.copies {
            match &copy.state {
                State::Failed { error, .. } => failures.push((copy, error)),
                State::Untouched | State::Storing | State::Stored(_) | State::Good { .. } => {
                    return Ok(());
                }
            }
        }
        let Some((_, first)) = failures.first() else {
            return Ok(());
        };
        let each: Vec<_> = failures
            .iter()
            .map(|(copy, error)| format!("{:?}: {}", copy.destination.name, error.chain()))
            .collect();
        Err(Error::new(
            first.kind(),
            first.code(),
            format!("no target has a copy: {}", each.join("; ")),
        ))
    }
}

impl Copy {
    fn report(&self) -> CopyReport {
        let target_id = self.destination.target_id;
        match &self.state {
            State::Good {
                manifest,
                size,
                sha256,
            } => CopyReport {
                target_id,
                stored_bytes: size
                    + manifest
                        .streams
                        .iter()
                        .map(|stream| stream.stored_bytes)
                        .sum::<u64>(),
                manifest_sha256: Some(sha256.clone()),
                failure: None,
            },
            State::Failed { error, .. } => CopyReport {
                target_id,
                stored_bytes: 0,
                manifest_sha256: None,
                failure: Some(Failure::new(
                    error.code(),
                    format!("target {:?}: {}", self.destination.name, error.chain()),
                )),
            },
            State::Untouched | State::Storing | State::Stored(_) => CopyReport {
                target_id,
                stored_bytes: 0,
                manifest_sha256: None,
                failure: Some(Failure::new(
                    "unfinished",
                    "the run ended before this copy was finished",
                )),
            },
        }
    }
}

/// Confirms the objects of one copy and writes its manifest.
async fn seal_copy(
    destination: &Destination,
    location: &ObjectKey,
    manifest: &Manifest,
    objects: Objects,
) -> Result<State, (Error, Leftovers)> {
    let mut manifest = manifest.clone();
    for (stream, objects) in manifest.streams.iter_mut().zip(objects) {
        stream.objects = objects;
    }
    let store = destination.store.as_ref();
    confirm(store, location, &manifest.streams)
        .await
        .map_err(|error| (error, Leftovers::Objects))?;
    let key = location
        .join(Manifest::FILE_NAME)
        .map_err(|error| (error, Leftovers::Objects))?;
    let (size, sha256) = manifest::write(store, &key, &manifest)
        .await
        .map_err(|error| {
            let leftovers = if error.code() == "object_exists" {
                Leftovers::Objects
            } else {
                Leftovers::ObjectsAndManifest
            };
            (error, leftovers)
        })?;
    Ok(State::Good {
        manifest: Box::new(manifest),
        size,
        sha256,
    })
}
