//! The host's policy between a master that asks for too much and the data path.

use crate::config::AgentConfig;
use crate::policy::Policy;
use crate::runtime::{Agent, AgentDeps};
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::command::Lane;
use backupx_core::domain::report::{Listing, Outcome};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{Abilities, DatabaseAccess, DumpOpener, DumpSource};
use backupx_core::ports::objects::{ObjectStore, StoreOpener};
use backupx_core::ports::source::{EntrySource, SourceOpener};
use backupx_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// A host that counts what is opened on it.
#[derive(Default)]
struct Host(AtomicUsize);

impl StoreOpener for Host {
    fn open(&self, _access: &TargetAccess) -> Result<Arc<dyn ObjectStore>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::internal("no stores in this test"))
    }
}

impl DumpOpener for Host {
    fn open(&self, _access: &DatabaseAccess) -> Result<Box<dyn DumpSource>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::internal("no databases in this test"))
    }

    fn abilities(&self) -> Abilities {
        Abilities::default()
    }
}

impl SourceOpener for Host {
    fn open(&self, _spec: &SourceSpec) -> Result<Box<dyn EntrySource>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::internal("no sources in this test"))
    }

    fn browse(&self, path: &str) -> Result<Listing> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Listing {
            path: path.to_owned(),
            ..Listing::default()
        })
    }
}

async fn browse(policy: Policy) -> (Outcome, usize) {
    let master = Arc::new(super::master::Master::default());
    let host = Arc::new(Host::default());
    let deps = AgentDeps {
        opener: Arc::<Host>::clone(&host),
        sources: Arc::<Host>::clone(&host),
        databases: Arc::<Host>::clone(&host),
    };
    let config = AgentConfig {
        policy: Arc::new(policy),
        ..AgentConfig::default()
    };
    let shutdown = CancellationToken::new();
    let agent = Agent::new(Arc::<super::master::Master>::clone(&master), deps, config);
    let running = tokio::spawn(agent.run(shutdown.clone()));
    // The scripted command 7 asks for the folder `/7`.
    master.give(7, 1, Lane::Short);
    master
        .until("an answer", |state| !state.results.is_empty())
        .await;
    shutdown.cancel();
    running.await.expect("no panic").expect("a good end");
    let outcome = master.state().results[0].1.outcome.clone();
    (outcome, host.0.load(Ordering::Relaxed))
}

#[tokio::test]
async fn never_31_nothing_is_opened_that_the_policy_denies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "allowedRoots: [/srv]").expect("a policy file");
    let (outcome, opened) = browse(Policy::read(&file).expect("a good policy")).await;
    let Outcome::Failed { failure, .. } = outcome else {
        panic!("{outcome:?} is no failure")
    };
    assert_eq!(failure.code, "policy_denied");
    for part in ["/7 ", "policy.yaml", "allowed are /srv"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    assert_eq!(opened, 0);
}

#[tokio::test]
async fn without_a_policy_the_folder_is_listed() {
    let (outcome, opened) = browse(Policy::default()).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    assert_eq!(opened, 1);
}
