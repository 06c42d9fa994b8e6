//! Targets: places where backups are kept, with secrets that go in and never come out.

use crate::App;
use crate::requests::unexpected;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::command::CommandSpec;
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::report::{Report, TestReport};
use backupx_core::domain::target::{Reach, Settings, Target, TargetKind, TargetTest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::targets::Usage;
use backupx_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a test may take: it writes, reads, lists and deletes at a service that may be far away.
const TEST_LIMIT: Duration = Duration::from_secs(45);

/// A target without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetView {
    /// Its id.
    pub id: TargetId,
    /// Unique name.
    pub name: Name,
    /// Its kind of storage.
    pub kind: TargetKind,
    /// The settings that are no secrets.
    pub config: BTreeMap<String, String>,
    /// Names of the secret settings that are set.
    pub secrets_set: Vec<String>,
    /// Who can reach it.
    pub reach: Reach,
    /// What the last test found.
    pub last_test: Option<TargetTest>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change that a person makes.
    pub version: i64,
}

/// A target to be made. Not `Debug`: settings hold secrets.
pub struct NewTarget {
    /// Unique name.
    pub name: String,
    /// Its kind of storage.
    pub kind: TargetKind,
    /// Plain and secret settings together, by field name.
    pub settings: BTreeMap<String, String>,
}

/// What changes of a target; absent means unchanged. Not `Debug`: settings hold secrets.
#[derive(Default)]
pub struct ChangedTarget {
    /// A new name.
    pub name: Option<String>,
    /// Settings that replace those of the same name; an empty value removes one. Others, secrets included, stay.
    pub settings: BTreeMap<String, String>,
}

impl App {
    /// Adds a target. Needs `admin`.
    pub async fn add_target(&self, principal: &Principal, new: NewTarget) -> Result<TargetView> {
        principal.require(Role::Admin)?;
        let name = Name::parse("name", &new.name)?;
        let settled = new.kind.settle(new.settings)?;
        self.require_master_node(new.kind, &settled.config).await?;
        self.try_settings(&name, new.kind, &settled)?;
        let mut target = self
            .ports
            .targets
            .add(&name, new.kind, &settled.config, self.now())
            .await?;
        // Sealing needs the id, so the secrets follow. A crash between the two leaves a target that says it has none.
        target.secrets = self.vault.seal_target(target.id, &settled.secrets)?;
        if target.secrets.is_some() {
            self.ports
                .targets
                .set_secrets(target.id, target.secrets.as_ref())
                .await?;
        }
        tracing::info!(
            target.id = target.id.0,
            by = principal.username,
            "a target was added"
        );
        self.target_view(target)
    }

    /// Targets by id.
    pub async fn targets(
        &self,
        principal: &Principal,
        page: PageRequest,
    ) -> Result<Page<TargetView>> {
        principal.require(Role::Viewer)?;
        let page = self.ports.targets.list(page).await?;
        let views: Result<Vec<_>> = page
            .items
            .into_iter()
            .map(|target| self.target_view(target))
            .collect();
        Ok(Page {
            items: views?,
            next: page.next,
        })
    }

    /// One target.
    pub async fn target(&self, principal: &Principal, id: TargetId) -> Result<TargetView> {
        principal.require(Role::Viewer)?;
        self.target_view(self.known_target(id).await?)
    }

    /// The target of this name.
    pub async fn target_named(&self, principal: &Principal, name: &str) -> Result<TargetView> {
        principal.require(Role::Viewer)?;
        let target = self.ports.targets.by_name(name).await?.ok_or_else(|| {
            Error::not_found("target_not_found", format!("there is no target {name:?}"))
        })?;
        self.target_view(target)
    }

    /// Changes a target. Needs `admin`.
    pub async fn update_target(
        &self,
        principal: &Principal,
        id: TargetId,
        version: i64,
        change: ChangedTarget,
    ) -> Result<TargetView> {
        principal.require(Role::Admin)?;
        let target = self.known_target(id).await?;
        let name = match &change.name {
            Some(name) => Name::parse("name", name)?,
            None => target.name.clone(),
        };
        let mut settings = target.config.clone();
        settings.extend(self.vault.open_target(id, target.secrets.as_ref())?);
        // `settle` takes an empty value for one that is not given.
        settings.extend(change.settings);
        let settled = target.kind.settle(settings)?;
        self.require_master_node(target.kind, &settled.config)
            .await?;
        self.refuse_moving(&target, &settled.config).await?;
        self.try_settings(&name, target.kind, &settled)?;
        let secrets = self.vault.seal_target(id, &settled.secrets)?;
        let target = self
            .ports
            .targets
            .update(id, version, &name, &settled.config, secrets.as_ref())
            .await?;
        tracing::info!(
            target.id = id.0,
            by = principal.username,
            "a target was changed"
        );
        self.target_view(target)
    }

    /// Writes, reads, lists and deletes on a target from `node` (node 0 when none is named), and keeps what came of it. Needs `operator`.
    pub async fn test_target(
        &self,
        principal: &Principal,
        id: TargetId,
        node: Option<NodeId>,
    ) -> Result<TestReport> {
        principal.require(Role::Operator)?;
        let target = self.known_target(id).await?;
        let node = match target.reach() {
            // An agent would only test the relay; the folder is the master's.
            Reach::Master => NodeId::LOCAL,
            Reach::Everywhere | Reach::OwnNode => self.named_or_local(node).await?,
        };
        let spec = CommandSpec::TestTarget { target_id: id };
        let report = match self.ask(node, spec, TEST_LIMIT).await? {
            Report::TestTarget(report) => report,
            other => return Err(unexpected(&other)),
        };
        let message = match report.steps.iter().find(|step| !step.ok) {
            Some(step) => format!("{}: {}", step.name, step.message),
            None => "every step held".to_owned(),
        };
        let test = TargetTest {
            at: self.now(),
            ok: report.ok,
            message,
            steps: report.steps.clone(),
        };
        self.ports.targets.set_test(id, &test).await?;
        Ok(report)
    }

    /// Opens the place without calling it, so that settings that make no sense are refused where a person gives them.
    fn try_settings(&self, name: &Name, kind: TargetKind, settled: &Settings) -> Result<()> {
        let access = TargetAccess::without_master(name.to_string(), kind, settled.clone());
        match self.ports.opener.open(&access) {
            Err(error) if error.kind() == ErrorKind::Invalid => Err(error),
            // What only this process can't open is no matter of the settings.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(crate) async fn named_or_local(&self, node: Option<NodeId>) -> Result<NodeId> {
        match node {
            Some(node) => Ok(node),
            None if self.ports.nodes.get(NodeId::LOCAL).await?.is_some() => Ok(NodeId::LOCAL),
            None => Err(Error::field(
                "nodeId",
                "is required: no master here runs the local node, so name the node that tests it",
            )),
        }
    }

    /// How much a target holds.
    pub async fn target_usage(&self, principal: &Principal, id: TargetId) -> Result<Usage> {
        principal.require(Role::Viewer)?;
        self.known_target(id).await?;
        self.ports.targets.usage(id).await
    }

    /// Removes a target. `Conflict` (`target_in_use`) while a task names it or a copy on it is not confirmed gone. Needs `admin`.
    pub async fn remove_target(&self, principal: &Principal, id: TargetId) -> Result<()> {
        principal.require(Role::Admin)?;
        if !self.ports.targets.remove(id).await? {
            return Err(Error::not_found(
                "target_not_found",
                format!("there is no target {id}"),
            ));
        }
        tracing::info!(
            target.id = id.0,
            by = principal.username,
            "a target was removed"
        );
        Ok(())
    }

    fn target_view(&self, target: Target) -> Result<TargetView> {
        let secrets = self.vault.open_target(target.id, target.secrets.as_ref())?;
        Ok(TargetView {
            reach: target.reach(),
            id: target.id,
            name: target.name,
            kind: target.kind,
            config: target.config,
            secrets_set: secrets.into_keys().collect(),
            last_test: target.last_test,
            created_at: target.created_at,
            version: target.version,
        })
    }

    /// A folder of the master is tested and cleared by node 0: without one nothing would ever be removed from it.
    async fn require_master_node(
        &self,
        kind: TargetKind,
        config: &BTreeMap<String, String>,
    ) -> Result<()> {
        let is_masters = kind.reach(config) == Reach::Master;
        if is_masters && self.ports.nodes.get(NodeId::LOCAL).await?.is_none() {
            return Err(Error::field(
                "config.at",
                "a folder of the master needs a master that runs the local node (BACKUPX_LOCAL_NODE=true), and there is none",
            ));
        }
        Ok(())
    }

    /// A target that holds copies stays where it is: moving it would turn every copy into a claim about another place (never 19).
    async fn refuse_moving(
        &self,
        target: &Target,
        config: &BTreeMap<String, String>,
    ) -> Result<()> {
        let moved = place_of(target.kind, &target.config) != place_of(target.kind, config);
        if moved && self.ports.targets.usage(target.id).await?.copies > 0 {
            return Err(Error::conflict(
                "target_holds_copies",
                format!(
                    "target {} holds copies, so its place cannot change; add another target",
                    target.name
                ),
            ));
        }
        Ok(())
    }
}

/// What decides where objects of a target lie: two targets with the same place are the same place.
pub(crate) fn place_of(kind: TargetKind, config: &BTreeMap<String, String>) -> Vec<String> {
    let settings = Settings {
        config: config.clone(),
        ..Settings::default()
    };
    let driven = kind.entry().for_driver(&settings).config;
    let decides = |name: &str| match kind.driver() {
        Driver::Local => matches!(name, "path" | "at"),
        Driver::S3 => matches!(name, "endpoint" | "bucket" | "prefix"),
        Driver::Azblob => matches!(name, "endpoint" | "account" | "container" | "prefix"),
        Driver::Gcs => matches!(name, "endpoint" | "bucket" | "prefix"),
        // Whose account it is decides too, so every option counts.
        Driver::Rclone | Driver::Unknown => true,
    };
    let parts = driven.iter().filter(|(name, _)| decides(name));
    let parts = parts.map(|(name, value)| format!("{name}={}", value.trim_matches('/')));
    std::iter::once(kind.driver().as_str().to_owned())
        .chain(parts.filter(|part| !part.ends_with('=')))
        .collect()
}
