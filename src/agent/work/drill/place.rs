//! The place of a drill: what was made for it, and that all of it goes again.

use super::Names;
use crate::work::broke_down;
use backupx_core::domain::drill::{is_scratch, scratch_begin, scratch_names};
use backupx_core::domain::id::OperationId;
use backupx_core::ports::dumps::{
    DataFolder, DatabaseAccess, DumpOpener, DumpSource, Scratch, Throwaway,
};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The folder below the scratch folder that is restored into.
const RESTORED: &str = "restored";

/// A place, cleared away by [`Place::clear`], or by a thread of its own when nobody waits for that.
pub(super) struct Place(Option<Made>);

/// What was made for a drill.
pub(super) enum Made {
    /// A folder.
    Folder {
        scratch: Box<dyn Scratch>,
        /// Who reads database files that lie there.
        server: Option<Arc<dyn DumpSource>>,
        names: Names,
    },
    /// Databases on a server that goes on.
    Server {
        scratch: Box<dyn Scratch>,
        server: Arc<dyn DumpSource>,
        names: Names,
        place: String,
    },
    /// A server that ends with the drill.
    Throwaway {
        server: Arc<Mutex<Box<dyn Throwaway>>>,
        opener: Arc<dyn DumpOpener>,
        data: DataFolder,
        names: Names,
        said: String,
        folder: PathBuf,
    },
}

impl Made {
    /// A folder for files, or for database files that `server` reads.
    pub(super) fn folder(
        scratch: Box<dyn Scratch>,
        server: Option<Arc<dyn DumpSource>>,
        databases: &[String],
    ) -> Self {
        let folder = scratch.path().join(RESTORED);
        let named = databases.iter().enumerate().map(|(number, name)| {
            let file = folder.join(format!("{number}.db"));
            (name.clone(), file.to_string_lossy().into_owned())
        });
        Self::Folder {
            names: named.collect(),
            scratch,
            server,
        }
    }

    /// Names for databases on a server. What an earlier try of the same drill left there is dropped.
    pub(super) fn server(
        scratch: Box<dyn Scratch>,
        server: Arc<dyn DumpSource>,
        access: &DatabaseAccess,
        operation: OperationId,
        databases: &[String],
        stop: &StopFlag,
    ) -> Result<Self> {
        let scratch_names = scratch_names(operation, databases.iter().map(String::as_str));
        scratch.note(access, &scratch_names)?;
        let begin = scratch_begin(operation);
        let found = server.discover(stop)?.into_iter().map(|found| found.name);
        let left = found.filter(|name| name.starts_with(&begin));
        // Its own names also when nothing is there: nothing is made where it could not be dropped again.
        let mut names: BTreeSet<String> = left.chain(scratch_names.iter().cloned()).collect();
        names.retain(|name| is_scratch(name));
        for name in &names {
            server.drop_database(name, stop)?;
        }
        Ok(Self::Server {
            scratch,
            server,
            names: databases.iter().cloned().zip(scratch_names).collect(),
            place: access.spec.place(),
        })
    }

    /// A server of our own, not started yet. One that holds a whole cluster begins with its files.
    pub(super) fn throwaway(
        server: Box<dyn Throwaway>,
        opener: Arc<dyn DumpOpener>,
        cluster: Option<&str>,
    ) -> Self {
        let data = server.data_folder().to_string_lossy().into_owned();
        Self::Throwaway {
            data: match cluster {
                Some(_) => DataFolder::Restored,
                None => DataFolder::Fresh,
            },
            names: cluster
                .map(|cluster| (cluster.to_owned(), data))
                .into_iter()
                .collect(),
            said: server.describe(),
            folder: server.scratch().path().to_owned(),
            server: Arc::new(Mutex::new(server)),
            opener,
        }
    }

    /// Takes all of it away again; answers what stayed.
    fn clear(self) -> Vec<String> {
        match self {
            Self::Folder { .. } => Vec::new(),
            Self::Throwaway { server, .. } => {
                drop(server);
                Vec::new()
            }
            Self::Server {
                scratch,
                server,
                names,
                place,
            } => {
                // Also when the drill was stopped.
                let stop = StopFlag::default();
                let mut left = Vec::new();
                for name in names.values().filter(|name| is_scratch(name)) {
                    if let Err(error) = server.drop_database(name, &stop) {
                        left.push(format!(
                            "the scratch database {name} of {place} could not be dropped; drop it by hand: {}",
                            error.chain()
                        ));
                    }
                }
                drop(scratch);
                left
            }
        }
    }
}

impl Place {
    pub(super) fn new(made: Made) -> Self {
        Self(Some(made))
    }

    fn made(&self) -> Result<&Made> {
        self.0
            .as_ref()
            .ok_or_else(|| Error::internal("the place of a drill is cleared away already"))
    }

    /// Takes all of it away again; answers what stayed.
    pub(super) async fn clear(mut self) -> Result<Vec<String>> {
        let Some(made) = self.0.take() else {
            return Ok(Vec::new());
        };
        tokio::task::spawn_blocking(move || made.clear())
            .await
            .map_err(broke_down)
    }

    /// Starts what has to be started.
    pub(super) async fn start(&self, stop: &StopFlag) -> Result<()> {
        let Made::Throwaway { server, data, .. } = self.made()? else {
            return Ok(());
        };
        let (server, data, stop) = (Arc::clone(server), *data, stop.clone());
        let started = tokio::task::spawn_blocking(move || locked(&server).start(data, &stop));
        started.await.map_err(broke_down)?
    }

    /// The server, for people.
    pub(super) fn describe(&self) -> Option<String> {
        match self.0.as_ref()? {
            Made::Folder { .. } => None,
            Made::Server { place, .. } => Some(place.clone()),
            Made::Throwaway { said, .. } => Some(said.clone()),
        }
    }

    /// The names that databases get by those that they had.
    pub(super) fn names(&self) -> Names {
        match &self.0 {
            Some(
                Made::Folder { names, .. }
                | Made::Server { names, .. }
                | Made::Throwaway { names, .. },
            ) => names.clone(),
            None => Names::new(),
        }
    }

    /// Whether databases keep their own names there, all of a server's.
    pub(super) fn is_own_server(&self) -> bool {
        matches!(&self.0, Some(Made::Throwaway { .. }))
    }

    /// The folder that files are restored into.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self.0.as_ref()? {
            Made::Folder { scratch, .. } => Some(scratch.path().join(RESTORED)),
            Made::Server { .. } | Made::Throwaway { .. } => None,
        }
    }

    /// A folder of this host that is filled, and the bytes that are free there.
    pub(super) fn room(&self) -> Result<Option<(PathBuf, u64)>> {
        Ok(match self.made()? {
            Made::Folder { scratch, .. } => Some((scratch.path().to_owned(), scratch.room()?)),
            Made::Throwaway { server, folder, .. } => {
                let room = locked(server).scratch().room()?;
                Some((folder.clone(), room))
            }
            Made::Server { .. } => None,
        })
    }

    /// The server that is restored into.
    pub(super) fn restoring(&self) -> Result<Arc<dyn DumpSource>> {
        match self.made()? {
            Made::Folder { server, .. } => server
                .clone()
                .ok_or_else(|| Error::internal("files are restored into no server")),
            Made::Server { server, .. } => Ok(Arc::clone(server)),
            Made::Throwaway { server, opener, .. } => {
                let access = locked(server).access();
                opener.open(&access).map(Arc::from)
            }
        }
    }

    /// The server that is asked.
    pub(super) async fn answering(&self, stop: &StopFlag) -> Result<Arc<dyn DumpSource>> {
        let Made::Throwaway { server, opener, .. } = self.made()? else {
            return self.restoring();
        };
        let (server, opener, stop) = (Arc::clone(server), Arc::clone(opener), stop.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let access = locked(&server).reader(&stop)?;
            opener.open(&access).map(Arc::from)
        });
        opened.await.map_err(broke_down)?
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The work was dropped midway. Nobody waits for this; when the process does not either, its next start does it.
        if let Some(made) = self.0.take() {
            std::thread::spawn(move || {
                for left in made.clear() {
                    tracing::warn!("{left}");
                }
            });
        }
    }
}

fn locked(server: &Mutex<Box<dyn Throwaway>>) -> std::sync::MutexGuard<'_, Box<dyn Throwaway>> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}
