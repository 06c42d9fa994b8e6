//! `backupx target`: places where backups are kept.

use super::client::resolve::Named;
use super::client::{Client, resolve};
use super::failure::{FAILED, usage};
use super::output::{OutputFormat, bytes, instant, key_values, or_dash, table, yes_no};
use super::settings;
use anyhow::Result;
use backupx_api::nodes::Node;
use backupx_api::page::Page;
use backupx_api::reports::{TestReport, TestStep};
use backupx_api::target_types::TargetType;
use backupx_api::targets::{Target, TargetCheck, TargetCreate, TargetTestRequest, Usage};
use backupx_core::domain::target::TargetKind;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// How often the end of a check is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What to do with targets.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List kinds of storage, or the settings of one
    Types {
        /// The kind whose settings are listed
        #[arg(value_name = "TYPE")]
        kind: Option<String>,
    },
    /// Make a target
    Add {
        /// Unique name
        name: String,
        /// Kind of storage; `backupx target types` lists them
        #[arg(long = "type", value_name = "TYPE")]
        kind: String,
        /// A setting; secrets as key=@FILE or key=env:NAME. May be repeated
        #[arg(long = "set", value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// List targets
    Ls,
    /// Show a target; secrets are never shown
    Show {
        /// Id or name
        target: String,
    },
    /// Write, read, list and delete on a target
    Test {
        /// Id or name
        target: String,
        /// The node that tries it: id or name [default: the master]
        #[arg(long)]
        node: Option<String>,
    },
    /// Look whether a target still holds what the records say; what is lost is made again from another copy
    Check {
        /// Id or name
        target: String,
        /// Wait for the end
        #[arg(long)]
        wait: bool,
    },
    /// Show how much a target holds
    Usage {
        /// Id or name
        target: String,
    },
    /// Remove a target that holds nothing
    Rm {
        /// Id or name
        target: String,
    },
}

/// Carries it out.
pub(crate) async fn run(command: Command, output: OutputFormat) -> Result<ExitCode> {
    let client = Client::signed_in()?;
    match command {
        Command::Types { kind } => {
            let types: Page<TargetType> = client.get("/target-types").await?;
            let Some(kind) = kind else {
                output.print(&types, |types| types_view(&types.items))?;
                return Ok(ExitCode::SUCCESS);
            };
            let found = types.items.into_iter().find(|known| known.kind == kind);
            let found = match found {
                Some(found) => found,
                // Says which one may be meant.
                None => TargetKind::parse(&kind)
                    .map(Into::into)
                    .map_err(|error| usage(error.message()))?,
            };
            output.print(&found, type_view)?;
        }
        Command::Add { name, kind, set } => {
            let kind = TargetKind::parse(&kind).map_err(|error| usage(error.message()))?;
            let create = TargetCreate {
                name,
                kind: kind.to_string(),
                config: settings::parse(&set)?,
            };
            let target: Target = client.post("/targets", &create).await?;
            output.print(&target, view)?;
        }
        Command::Ls => {
            let page: Page<Target> = client.list(Target::LIST, &[], usize::MAX).await?;
            output.print(&page, list_view)?;
        }
        Command::Show { target } => {
            let target: Target = resolve::find(&client, &target).await?;
            output.print(&target, view)?;
        }
        Command::Test { target, node } => {
            let path = resolve::path::<Target>(&client, &target).await?;
            let node_id = match node {
                Some(node) => Some(resolve::find::<Node>(&client, &node).await?.id),
                None => None,
            };
            let report: TestReport = client
                .post(&format!("{path}/test"), &TargetTestRequest { node_id })
                .await?;
            output.print(&report, test_view)?;
            if !report.ok {
                return Ok(ExitCode::from(FAILED));
            }
        }
        Command::Check { target, wait } => {
            let path = resolve::path::<Target>(&client, &target).await?;
            let mut target: Target = client.post(&format!("{path}/check"), &json!({})).await?;
            let is_over = |target: &Target| {
                let check = target.last_check.as_ref();
                check.is_some_and(|check| check.finished_at.is_some())
            };
            while wait && !is_over(&target) {
                tokio::time::sleep(LOOK_AGAIN).await;
                target = client.get(&path).await?;
            }
            output.print(&target, view)?;
            let check = target.last_check.as_ref().filter(|_| wait);
            if check.is_some_and(|check| !is_clean(check)) {
                return Ok(ExitCode::from(FAILED));
            }
        }
        Command::Usage { target } => {
            let path = resolve::path::<Target>(&client, &target).await?;
            let usage: Usage = client.get(&format!("{path}/usage")).await?;
            output.print(&usage, |usage| {
                key_values(&[
                    ("copies", usage.copies.to_string()),
                    ("stored", bytes(usage.stored_bytes)),
                ])
            })?;
        }
        Command::Rm { target } => {
            let target: Target = resolve::find(&client, &target).await?;
            client
                .delete(&format!("/targets/{}", target.id), &[])
                .await?;
            output.done(
                &json!({ "id": target.id, "name": target.name, "removed": true }),
                &format!("target {:?} was removed", target.name),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn types_view(types: &[TargetType]) -> String {
    let rows = types.iter().map(|kind| {
        [
            kind.kind.clone(),
            kind.title.clone(),
            kind.group.clone(),
            kind.driver.clone(),
        ]
    });
    format!(
        "{}\n\n`backupx target types TYPE` lists the settings of one. Those that rclone carries out need it on the nodes that use them.",
        table(["type", "title", "group", "driver"], &[], rows)
    )
}

fn type_view(kind: &TargetType) -> String {
    let fields = table(
        ["setting", "required", "secret", "default", "meaning"],
        &[],
        kind.fields.iter().map(|field| {
            let help = match field.options.is_empty() {
                true => field.help.clone(),
                false => format!("{} (one of {})", field.help, field.options.join(", ")),
            };
            [
                field.name.clone(),
                yes_no(field.required),
                yes_no(field.secret),
                or_dash(field.default.clone().unwrap_or_default()),
                help,
            ]
        }),
    );
    let more = match kind.options {
        true => {
            "\nFurther options of rclone's backend go as option.NAME, secret ones as secret.NAME."
        }
        false => "",
    };
    format!("{}: {}\n{fields}{more}", kind.kind, kind.title)
}

/// Whether everything was looked at and is there.
fn is_clean(check: &TargetCheck) -> bool {
    check.lost == 0 && check.unreached.is_empty() && check.failure.is_none()
}

fn check_words(check: &TargetCheck) -> String {
    let when = match check.finished_at {
        Some(at) => instant(at),
        None => format!("under way since {}", instant(check.started_at)),
    };
    let mut words = format!("{when}: {} copies looked for", check.checked);
    match check.lost {
        0 => words.push_str(", all there"),
        lost => words.push_str(&format!(", {lost} LOST")),
    }
    if !check.unreached.is_empty() {
        let nodes: Vec<_> = check.unreached.iter().map(i64::to_string).collect();
        words.push_str(&format!("; not looked at on nodes {}", nodes.join(", ")));
    }
    if let Some(failure) = &check.failure {
        words.push_str(&format!("; {failure}"));
    }
    words
}

fn list_view(page: &Page<Target>) -> String {
    table(
        ["id", "name", "type", "where", "last test"],
        &["id"],
        page.items.iter().map(|target| {
            let test = match &target.last_test {
                None => "-".to_owned(),
                Some(test) if test.ok => format!("ok {}", instant(test.at)),
                Some(test) => format!("FAILED {}", instant(test.at)),
            };
            [
                target.id.to_string(),
                target.name.clone(),
                target.kind.to_string(),
                place(target),
                test,
            ]
        }),
    )
}

/// Where a target is, in a word.
fn place(target: &Target) -> String {
    let setting = |name: &str| target.config.get(name).cloned().unwrap_or_default();
    let parts = match target.kind.as_str() {
        TargetKind::LOCAL if setting("at") == "master" => {
            return format!("{} (of the master)", setting("path"));
        }
        _ => [
            "endpoint",
            "url",
            "host",
            "bucket",
            "share_name",
            "prefix",
            "path",
        ]
        .map(setting),
    };
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    or_dash(parts.join("/"))
}

fn view(target: &Target) -> String {
    let mut pairs = vec![
        ("id", target.id.to_string()),
        ("name", target.name.clone()),
        ("type", target.kind.to_string()),
    ];
    pairs.extend(
        target
            .config
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone())),
    );
    pairs.extend(
        target
            .secrets_set
            .iter()
            .map(|name| (name.as_str(), "(set, never shown)".to_owned())),
    );
    pairs.push(("created", instant(target.created_at)));
    if let Some(test) = &target.last_test {
        pairs.push((
            "last test",
            format!("{}: {}", instant(test.at), test.message),
        ));
    }
    if let Some(check) = &target.last_check {
        pairs.push(("last check", check_words(check)));
    }
    let steps = target.last_test.iter().flat_map(|test| &test.steps);
    match target
        .last_test
        .as_ref()
        .is_some_and(|test| !test.steps.is_empty())
    {
        true => format!("{}\n\n{}", key_values(&pairs), steps_view(steps)),
        false => key_values(&pairs),
    }
}

fn steps_view<'a>(steps: impl Iterator<Item = &'a TestStep>) -> String {
    table(
        ["step", "held", "took", "what was found"],
        &["took"],
        steps.map(|step| {
            [
                step.name.clone(),
                yes_no(step.ok),
                format!("{} ms", step.duration_ms),
                step.message.clone(),
            ]
        }),
    )
}

fn test_view(report: &TestReport) -> String {
    let steps = steps_view(report.steps.iter());
    let conclusion = if report.ok {
        "The target works."
    } else {
        "The target does NOT work."
    };
    format!("{steps}\n\n{conclusion}")
}
