//! What the master shows: reachable, ready, with which clock, and what it knows of nodes and targets.

use super::Finding;
use crate::cmd::client::Client;
use crate::cmd::client::credentials::Credentials;
use crate::cmd::output::span;
use anyhow::Result;
use backupx_api::nodes::{Node, NodeStatus};
use backupx_api::page::Page;
use backupx_api::sessions::CurrentSession;
use backupx_api::targets::Target;
use backupx_core::ports::clock::{Clock, SystemClock};
use chrono::DateTime;
use reqwest::Method;
use reqwest::header::DATE;
use std::time::Duration;

/// A clock that is off by more confuses people who read times; leases and schedules go by the master's own.
const TOLERANCE_SECS: i64 = 60;
const LIMIT: Duration = Duration::from_secs(15);

/// Looks at the master, as far as it can be reached.
pub(super) async fn look() -> Vec<Finding> {
    let client = match Credentials::find().and_then(Client::with) {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::warning(
                "master",
                format!("{error}; sign in with `backupx login --master URL`"),
            )];
        }
    };
    let mut findings = Vec::new();
    match health(&client).await {
        Ok(found) => findings.extend(found),
        Err(error) => {
            findings.push(Finding::failed("master", error.to_string()));
            return findings;
        }
    }
    match client.get::<CurrentSession>("/sessions/current").await {
        Ok(who) => findings.push(Finding::ok(
            "sign-in",
            format!("{} with the role {}", who.username, who.role),
        )),
        Err(error) => {
            findings.push(Finding::failed("sign-in", error.to_string()));
            return findings;
        }
    }
    findings.extend(nodes(&client).await);
    findings.push(targets(&client).await);
    findings
}

async fn health(client: &Client) -> Result<Vec<Finding>> {
    let begun = tokio::time::Instant::now();
    let response = client
        .send(client.raw(Method::GET, "/health").timeout(LIMIT))
        .await?;
    let took = span(begun.elapsed());
    let mut findings = vec![Finding::ok(
        "master",
        format!("{} answers in {took}", client.master()),
    )];
    let date = response
        .headers()
        .get(DATE)
        .and_then(|value| value.to_str().ok());
    let date = date.and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    if let Some(date) = date {
        let off = SystemClock.now().signed_duration_since(date).num_seconds();
        findings.push(if off.abs() > TOLERANCE_SECS {
            Finding::warning(
                "clock",
                format!("this host's clock is {off} s away from the master's: set up NTP"),
            )
        } else {
            Finding::ok("clock", "agrees with the master's")
        });
    }
    findings.push(
        match client
            .send(client.raw(Method::GET, "/ready").timeout(LIMIT))
            .await
        {
            Ok(_) => Finding::ok("state store", "the master reaches it"),
            Err(error) => Finding::failed("state store", error.to_string()),
        },
    );
    Ok(findings)
}

async fn nodes(client: &Client) -> Vec<Finding> {
    let nodes = match client.list::<Node>("/nodes", &[], usize::MAX).await {
        Ok(nodes) => nodes.items,
        Err(error) => return vec![Finding::failed("nodes", error.to_string())],
    };
    let silent = names(
        nodes
            .iter()
            .filter(|node| node.status == NodeStatus::Offline),
    );
    let own = env!("CARGO_PKG_VERSION");
    let other = names(nodes.iter().filter(|node| {
        node.facts
            .as_ref()
            .is_some_and(|facts| facts.version != own)
    }));
    vec![
        match silent.as_str() {
            "" => Finding::ok("nodes", format!("{}, none is offline", nodes.len())),
            silent => Finding::warning("nodes", format!("offline: {silent}")),
        },
        match other.as_str() {
            "" => Finding::ok("versions", format!("all nodes run {own}")),
            other => Finding::warning(
                "versions",
                format!("this is {own}; of another version: {other}"),
            ),
        },
    ]
}

fn names<'a>(nodes: impl Iterator<Item = &'a Node>) -> String {
    nodes
        .map(|node| node.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

async fn targets(client: &Client) -> Finding {
    match client.list::<Target>("/targets", &[], usize::MAX).await {
        Ok(Page { items: targets, .. }) => {
            let failed = targets
                .iter()
                .filter(|target| target.last_test.as_ref().is_some_and(|test| !test.ok));
            let failed: Vec<_> = failed.map(|target| target.name.as_str()).collect();
            match failed.as_slice() {
                [] => Finding::ok(
                    "targets",
                    format!("{}, none failed its last test", targets.len()),
                ),
                names => Finding::warning(
                    "targets",
                    format!("failed their last test: {}", names.join(", ")),
                ),
            }
        }
        Err(error) => Finding::failed("targets", error.to_string()),
    }
}
