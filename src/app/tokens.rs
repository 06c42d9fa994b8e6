//! Tokens: whose a node's token is, remembered for a moment, so that not each request of a fleet asks the store.

use crate::App;
use crate::vault::token_hash;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a token is taken without asking: as long may another master take the token of a node that was removed here.
const REMEMBERED: chrono::Duration = chrono::Duration::seconds(30);
/// More tokens than any fleet has are forgotten all at once.
const MOST: usize = 100_000;

/// Tokens that were good when they were last asked for, by their hash.
#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<HashMap<String, Known>>);

#[derive(Clone, Copy)]
struct Known {
    node: NodeId,
    asked_at: Timestamp,
}

impl KnownTokens {
    fn node(&self, hash: &str, now: Timestamp) -> Option<NodeId> {
        let known = self.known().get(hash).copied()?;
        let fresh = known.asked_at <= now && now - known.asked_at < REMEMBERED;
        fresh.then_some(known.node)
    }

    fn remember(&self, hash: String, node: NodeId, now: Timestamp) {
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        let asked_at = now;
        known.insert(hash, Known { node, asked_at });
    }

    /// Forgets the tokens of a node.
    pub(crate) fn forget(&self, node: NodeId) {
        self.known().retain(|_, known| known.node != node);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The node that a token proves; `Unauthenticated` when it proves none.
    pub async fn node_of_token(&self, token: &str) -> Result<NodeId> {
        let now = self.now();
        let hash = token_hash(token);
        if let Some(node) = self.tokens.node(&hash, now) {
            return Ok(node);
        }
        let Some(node) = self.ports.nodes.by_token(&hash, now).await? else {
            return Err(Error::unauthenticated(
                "the node token is not (or no longer) good; `backupx node rotate-token` makes a new one",
            ));
        };
        self.tokens.remember(hash, node.id, now);
        Ok(node.id)
    }
}
