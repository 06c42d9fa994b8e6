//! Heard: signs of life of nodes, gathered for a moment and noted together, so that a fleet costs one statement a second.
//!
//! What is gathered here is only a delay: a process that dies with it is heard of by the next sign of life that another one gets.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::signals::Topic;
use futures::future::try_join_all;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long signs of life are gathered.
const GATHER: chrono::Duration = chrono::Duration::seconds(1);

/// What this process heard.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When nodes were last heard, as it was noted by this process.
    noted: HashMap<NodeId, Timestamp>,
    /// What is not noted yet.
    gathered: BTreeMap<NodeId, Timestamp>,
    /// When what was gathered was last noted.
    noted_at: Option<Timestamp>,
}

/// What is to be done about a sign of life.
enum Next {
    /// The node may not be noted as online: at once.
    Note,
    /// It was gathered; somebody notes it soon.
    Nothing,
    /// It was gathered, and it is time to note all of it.
    NoteAll(Vec<(NodeId, Timestamp)>),
}

impl Heard {
    fn hear(&self, node: NodeId, now: Timestamp, offline_after: chrono::Duration) -> Next {
        let mut state = self.state();
        let known = state
            .noted
            .get(&node)
            .is_some_and(|noted| *noted <= now && now - *noted < offline_after / 2);
        if !known {
            return Next::Note;
        }
        state.gathered.insert(node, now);
        let gathering = state
            .noted_at
            .is_some_and(|noted_at| noted_at <= now && now - noted_at < GATHER);
        if gathering {
            return Next::Nothing;
        }
        state.noted_at = Some(now);
        Next::NoteAll(state.take())
    }

    fn noted(&self, nodes: &[(NodeId, Timestamp)]) {
        self.state().noted.extend(nodes.iter().copied());
    }

    /// Gathers again what could not be noted.
    fn put_back(&self, nodes: Vec<(NodeId, Timestamp)>) {
        let mut state = self.state();
        for (node, at) in nodes {
            let gathered = state.gathered.entry(node).or_insert(at);
            *gathered = at.max(*gathered);
        }
    }

    /// Forgets a node that was removed.
    pub(crate) fn forget(&self, node: NodeId) {
        let mut state = self.state();
        state.noted.remove(&node);
        state.gathered.remove(&node);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Vec<(NodeId, Timestamp)> {
        std::mem::take(&mut self.gathered).into_iter().collect()
    }
}

impl App {
    /// Notes that a node is there, and tells the world when it was not before.
    pub(crate) async fn heard(&self, node: NodeId) -> Result<()> {
        let now = self.now();
        match self.heard.hear(node, now, self.offline_after()) {
            Next::Note => {
                if self.ports.presence.seen(node, now).await? {
                    self.tell_online(node).await?;
                }
                self.heard.noted(&[(node, now)]);
                Ok(())
            }
            Next::Nothing => Ok(()),
            Next::NoteAll(nodes) => self.note(nodes).await,
        }
    }

    /// Notes what was gathered.
    pub(crate) async fn note_heard(&self) -> Result<()> {
        let gathered = self.heard.state().take();
        match gathered.is_empty() {
            true => Ok(()),
            false => self.note(gathered).await,
        }
    }

    async fn note(&self, nodes: Vec<(NodeId, Timestamp)>) -> Result<()> {
        let returned = match self.ports.presence.seen_all(&nodes).await {
            Ok(returned) => returned,
            Err(error) => {
                self.heard.put_back(nodes);
                return Err(error);
            }
        };
        self.heard.noted(&nodes);
        try_join_all(returned.into_iter().map(|node| self.tell_online(node)))
            .await
            .map(drop)
    }

    async fn tell_online(&self, node: NodeId) -> Result<()> {
        tracing::info!(node.id = node.0, "a node is online");
        self.ports
            .events
            .add(&EventKind::NodeOnline { node_id: node }, self.now())
            .await?;
        self.notify(Topic::Events).await;
        Ok(())
    }
}
