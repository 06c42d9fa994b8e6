//! The flags of `task add` and `task edit`, and what they make of a task.

use super::guard::GuardFlags;
use super::source::{self, Kind, Named};
use super::timing::Timing;
use super::verify::VerifyFlags;
use crate::cmd::client::{Client, resolve};
use crate::cmd::drill;
use crate::cmd::failure::usage;
use crate::cmd::settings;
use anyhow::Result;
use backupx_api::guard::Guard;
use backupx_api::nodes::Node;
use backupx_api::sources::{Secrets, Source};
use backupx_api::targets::Target;
use backupx_api::tasks::{After, AfterWhen, Compression, Hooks, Retention, Task, TaskInput};
use backupx_core::domain::duration;
use std::time::Duration;

/// A task to make.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Unique name
    name: String,
    /// What is backed up: file, postgresql, sqlite
    #[arg(
        long = "type",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    kind: Kind,
    #[command(flatten)]
    what: What,
}

/// A task to change.
#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    /// Id or name
    pub(crate) task: String,
    /// A new name
    #[arg(long)]
    name: Option<String>,
    /// Run by hand only
    #[arg(long, conflicts_with_all = ["cron", "timezone", "catch_up", "jitter", "maintenance"])]
    no_cron: bool,
    /// Run after no other task
    #[arg(long, conflicts_with_all = ["after", "after_when"])]
    no_after: bool,
    /// Begin runs at any time
    #[arg(long, conflicts_with = "maintenance")]
    no_maintenance: bool,
    /// Run nothing around it
    #[arg(long, conflicts_with = "hooks")]
    no_hooks: bool,
    /// Prove backups only when asked to
    #[arg(long, conflicts_with = "plans")]
    no_verify: bool,
    /// Drill its backups as is usual, with nothing asked
    #[arg(long)]
    no_drill: bool,
    /// Leave nothing out
    #[arg(long, conflicts_with = "exclude")]
    no_exclude: bool,
    #[command(flatten)]
    what: What,
}

/// What both set; in an edit, lists replace the ones before.
#[derive(Debug, Default, clap::Args)]
struct What {
    /// Where copies go: id or name; may be repeated
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    /// The node that runs it: id or name; `local` is the master itself [default: local]
    #[arg(long)]
    node: Option<String>,
    /// Instead of a node, a label: each run goes to the least busy node with it that is there
    #[arg(long, value_name = "LABEL", conflicts_with = "node")]
    pool: Option<String>,
    /// A file or folder on the node, or the name of a database [default for databases: all]; may be repeated
    #[arg(long, visible_alias = "database", value_name = "PATH")]
    source: Vec<String>,
    /// A pattern in gitignore syntax of what is left out, or of names of databases; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// A setting of a database: host, port, socket, user, password, passwordFile, tls, tlsCa, accounts, tools, for MongoDB uri and authDatabase
    /// …; files have none. A value may come from a file (password=@FILE) or the environment (password=env:NAME)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Stay on the file systems of the sources
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    one_file_system: Option<bool>,
    /// Leave out folders that say by a CACHEDIR.TAG that they are caches [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    skip_cache_dirs: Option<bool>,
    #[command(flatten)]
    timing: Timing,
    /// Run when this task succeeded, by itself or beside a schedule: id or name; may be repeated
    #[arg(long, value_name = "TASK")]
    after: Vec<String>,
    /// With several of --after: run when all of them succeeded, or whenever any does [default: all]
    #[arg(long, value_name = "WHICH", value_parser = after_when)]
    after_when: Option<AfterWhen>,
    /// zstd, gzip or none [default: zstd]
    #[arg(long, value_name = "KIND", value_parser = compression)]
    compression: Option<Compression>,
    /// Seal it to the organisation's key; this is the default
    #[arg(long, overrides_with = "no_encrypt")]
    encrypt: bool,
    /// Store it readable for everyone who reads the target
    #[arg(long, overrides_with = "encrypt")]
    no_encrypt: bool,
    /// A further age recipient (age1…) that may open it; may be repeated
    #[arg(long = "recipient", value_name = "AGE1")]
    recipients: Vec<String>,
    /// How many unreadable or vanished files fail the run [default: 100]
    #[arg(long, value_name = "N")]
    max_unreadable: Option<u64>,
    /// Most processor cores that a run uses; 0 means all
    #[arg(long, value_name = "N")]
    max_cores: Option<u16>,
    /// What the node runs around a backup: before, after, on-success, on-failure or always, and the name of a hook in its policy file; may be
    /// repeated
    #[arg(long = "hook", value_name = "MOMENT=NAME", value_parser = hook)]
    hooks: Vec<(String, String)>,
    /// How long a run may take before it is ended as failed, as 90m or 12h; 0 means the default, which is a day for databases and none for files
    #[arg(long, value_name = "DURATION", value_parser = time_limit)]
    time_limit: Option<Duration>,
    #[command(flatten)]
    verify: VerifyFlags,
    #[command(flatten)]
    guard: GuardFlags,
    #[command(flatten)]
    drill: drill::Always,
    #[command(flatten)]
    keep: Keep,
}

/// How many copies are kept; without any of these all of them are.
#[derive(Debug, Default, clap::Args)]
struct Keep {
    /// Keep the newest N
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep the newest of each of N days
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the newest of each of N weeks
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the newest of each of N months
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Keep the newest of each of N years
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
}

impl Add {
    /// The task as it is sent to the master.
    pub(crate) async fn input(&self, client: &Client) -> Result<TaskInput> {
        if self.kind == Kind::File && self.what.source.is_empty() {
            return Err(usage("name what is backed up: --source PATH"));
        }
        if self.what.targets.is_empty() {
            return Err(usage(
                "name where it goes: --target NAME (`backupx target ls` lists them)",
            ));
        }
        let empty = TaskInput {
            name: self.name.clone(),
            node_id: None,
            pool: None,
            source: self.kind.empty(),
            target_ids: Vec::new(),
            schedule: None,
            after: None,
            compression: Compression::default(),
            encrypt: true,
            extra_recipients: Vec::new(),
            retention: Retention::default(),
            max_unreadable: 100,
            max_cores: None,
            time_limit_secs: None,
            drill: None,
            hooks: Hooks::default(),
            guard: Guard::default(),
            verify: Vec::new(),
            secrets: Secrets::default(),
        };
        self.what.apply(client, empty).await
    }
}

impl Edit {
    /// The task with the changes.
    pub(crate) async fn apply(&self, client: &Client, mut task: TaskInput) -> Result<TaskInput> {
        if let Some(name) = &self.name {
            task.name.clone_from(name);
        }
        if self.no_cron {
            task.schedule = None;
        }
        if self.no_after {
            task.after = None;
        }
        if self.no_verify {
            task.verify.clear();
        }
        if self.no_hooks {
            task.hooks = Hooks::default();
        }
        if self.no_drill {
            task.drill = None;
        }
        if let Some(schedule) = task.schedule.as_mut().filter(|_| self.no_maintenance) {
            schedule.maintenance.clear();
        }
        if self.no_exclude {
            match &mut task.source {
                Source::File { excludes, .. } => excludes.clear(),
                Source::Mysql(source) => source.databases.except.clear(),
                Source::Postgresql(source) => source.databases.except.clear(),
                Source::Mongodb(source) => source.databases.except.clear(),
                Source::Saphana(source) => source.databases.except.clear(),
                Source::Sqlite(_) => {}
            }
        }
        self.what.apply(client, task).await
    }
}

impl What {
    async fn apply(&self, client: &Client, mut task: TaskInput) -> Result<TaskInput> {
        self.apply_source(&mut task)?;
        if !self.targets.is_empty() {
            task.target_ids = resolve::ids::<Target>(client, &self.targets).await?;
        }
        if let Some(node) = &self.node {
            task.node_id = Some(resolve::find::<Node>(client, node).await?.id);
            task.pool = None;
        }
        if let Some(pool) = &self.pool {
            task.node_id = None;
            task.pool = Some(pool.clone());
        }
        self.timing.apply(&mut task.schedule)?;
        self.apply_after(client, &mut task.after).await?;
        set(&mut task.compression, self.compression);
        if self.encrypt || self.no_encrypt {
            task.encrypt = self.encrypt;
        }
        if !self.recipients.is_empty() {
            task.extra_recipients.clone_from(&self.recipients);
        }
        set(&mut task.max_unreadable, self.max_unreadable);
        if let Some(cores) = self.max_cores {
            task.max_cores = (cores > 0).then_some(cores);
        }
        if !self.hooks.is_empty() {
            task.hooks = picked(&self.hooks);
        }
        if let Some(limit) = self.time_limit {
            task.time_limit_secs = Some(limit.as_secs()).filter(|seconds| *seconds > 0);
        }
        self.verify.apply(&mut task.verify)?;
        self.guard.apply(&mut task.guard);
        let secrets = &mut task.secrets;
        self.drill.apply(client, &mut task.drill, secrets).await?;
        self.keep.apply(&mut task.retention);
        Ok(task)
    }

    async fn apply_after(&self, client: &Client, after: &mut Option<After>) -> Result<()> {
        if !self.after.is_empty() {
            *after = Some(After {
                task_ids: resolve::ids::<Task>(client, &self.after).await?,
                when: after.take().map(|before| before.when).unwrap_or_default(),
            });
        }
        match (after, self.after_when) {
            (Some(after), Some(when)) => after.when = when,
            (None, Some(_)) => return Err(usage("--after-when needs --after")),
            (_, None) => {}
        }
        Ok(())
    }

    fn apply_source(&self, task: &mut TaskInput) -> Result<()> {
        let named = Named {
            sources: &self.source,
            excludes: &self.exclude,
            one_file_system: self.one_file_system,
            skip_cache_dirs: self.skip_cache_dirs,
        };
        let settings = settings::parse(&self.set)?;
        source::apply(&mut task.source, &mut task.secrets, &named, settings)
    }
}

impl Keep {
    fn apply(&self, retention: &mut Retention) {
        set(&mut retention.keep_last, self.keep_last);
        set(&mut retention.keep_daily, self.keep_daily);
        set(&mut retention.keep_weekly, self.keep_weekly);
        set(&mut retention.keep_monthly, self.keep_monthly);
        set(&mut retention.keep_yearly, self.keep_yearly);
    }
}

pub(super) fn set<T: Copy>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn compression(text: &str) -> Result<Compression, String> {
    Compression::ALL
        .iter()
        .copied()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| "use zstd, gzip or none".to_owned())
}

fn hook(text: &str) -> Result<(String, String), String> {
    let moments = ["before", "after", "on-success", "on-failure", "always"];
    match text.split_once('=') {
        Some((moment, name)) if moments.contains(&moment) && !name.is_empty() => {
            Ok((moment.to_owned(), name.to_owned()))
        }
        _ => Err(format!(
            "use MOMENT=NAME, where the moment is one of {}",
            moments.join(", ")
        )),
    }
}

fn picked(hooks: &[(String, String)]) -> Hooks {
    let at = |moment: &str| {
        let those = hooks.iter().filter(|(at, _)| at == moment);
        those.map(|(_, name)| name.clone()).collect()
    };
    Hooks {
        before: at("before"),
        after: at("after"),
        on_success: at("on-success"),
        on_failure: at("on-failure"),
        always: at("always"),
    }
}

fn time_limit(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| format!("use {}", duration::ACCEPTED))
}

fn after_when(text: &str) -> Result<AfterWhen, String> {
    AfterWhen::ALL
        .iter()
        .copied()
        .find(|when| when.as_str() == text)
        .ok_or_else(|| "use all or any".to_owned())
}
