//! Checks: whether targets still hold what the records say, every day, by listings that nodes make.
//!
//! A check is questions to nodes, one after the other, each about some hundred copies. Where it stands is kept with the target, so any
//! replica takes the next step, and a question whose answer got lost is asked again.

use crate::App;
use crate::app::span;
use backupx_core::Result;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::check::{CheckPart, CheckReport, TargetCheck};
use backupx_core::domain::command::{CommandSpec, Lane, Lease, Subject};
use backupx_core::domain::id::{NodeId, RequestId, TargetId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::report::{Outcome, Report, VerifiedCopy};
use backupx_core::domain::target::{Reach, Target};
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::work::CheckWork;
use backupx_core::ports::queue::NewCommand;
use backupx_core::ports::signals::Topic;
use std::time::Duration;

/// How long after the end of a check the next one begins.
const EVERY: chrono::Duration = chrono::Duration::days(1);
/// The same after one that could not be made.
const AGAIN: chrono::Duration = chrono::Duration::hours(1);
/// Copies of one question.
const AT_ONCE: u32 = 500;
/// How long a question waits for its answer.
const LIMIT: Duration = Duration::from_secs(150);
/// Times that a question is asked.
const MOST_TRIES: u32 = 3;

impl App {
    /// Begins the check of a target now, unless one is under way. Needs `operator`.
    pub async fn check_target(&self, principal: &Principal, id: TargetId) -> Result<()> {
        principal.require(Role::Operator)?;
        let target = self.known_target(id).await?;
        if target
            .check
            .as_ref()
            .is_none_or(|check| check.left.is_empty())
        {
            self.begin_check(&target).await?;
            tracing::info!(
                target.id = id.0,
                by = principal.username,
                "a check was begun"
            );
        }
        Ok(())
    }

    /// Takes the next step of each check that is due or under way. Answers how many were taken.
    pub(crate) async fn go_on_checking(&self) -> Result<u64> {
        let mut steps = 0;
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT);
        loop {
            let targets = self.ports.targets.list(page).await?;
            for target in &targets.items {
                match self.check_step(target).await {
                    Ok(taken) => steps += u64::from(taken),
                    Err(error) => tracing::warn!(
                        target.id = target.id.0,
                        error = error.chain(),
                        "the check of a target could not go on"
                    ),
                }
            }
            match targets.next {
                Some(after) => page.after = Some(after),
                None => return Ok(steps),
            }
        }
    }

    /// Which copies a question is about, with the access to look for them.
    pub(crate) async fn check_work(
        &self,
        id: TargetId,
        part: &CheckPart,
        node: NodeId,
    ) -> Result<CheckWork> {
        let target = self.known_target(id).await?;
        let mut copies = self
            .ports
            .records
            .good_copies_on(id, part.node, part.after.as_ref(), AT_ONCE + 1)
            .await?;
        let more = copies.len() > AT_ONCE as usize;
        copies.truncate(AT_ONCE as usize);
        Ok(CheckWork {
            target: self.access_of(&target, node)?,
            copies,
            more,
        })
    }

    async fn check_step(&self, target: &Target) -> Result<bool> {
        let now = self.now();
        let due_at = match &target.check {
            Some(check) if !check.left.is_empty() => return self.go_on(target, check, now).await,
            Some(check) => check.next_at,
            None => target.created_at + EVERY,
        };
        if now < due_at {
            return Ok(false);
        }
        self.begin_check(target).await
    }

    /// Puts down that a check begins. False when somebody else did.
    async fn begin_check(&self, target: &Target) -> Result<bool> {
        let now = self.now();
        let nodes = self.ports.records.nodes_with_copies_on(target.id).await?;
        let part = |node| CheckPart {
            node,
            after: None,
            asked: None,
        };
        let left: Vec<_> = match target.reach() {
            // Each node has a folder of its own.
            Reach::OwnNode => nodes.into_iter().map(|node| part(Some(node))).collect(),
            Reach::Everywhere | Reach::Master if nodes.is_empty() => Vec::new(),
            Reach::Everywhere | Reach::Master => vec![part(None)],
        };
        let check = TargetCheck {
            started_at: now,
            finished_at: left.is_empty().then_some(now),
            checked: 0,
            lost: 0,
            unreached: Vec::new(),
            failure: None,
            next_at: now + EVERY,
            left,
            tries: 0,
        };
        self.put_check(target, &check).await
    }

    async fn put_check(&self, target: &Target, check: &TargetCheck) -> Result<bool> {
        let expected = target.check.as_ref();
        self.ports
            .targets
            .set_check(target.id, expected, check)
            .await
    }

    /// Asks the next question, or takes the answer of the one that is under way.
    async fn go_on(&self, target: &Target, check: &TargetCheck, now: Timestamp) -> Result<bool> {
        let Some(part) = check.left.first() else {
            return Ok(false);
        };
        let mut next = check.clone();
        let Some(request) = part.asked else {
            let Some(node) = self.checker_of(target, part.node).await? else {
                let why = match part.node {
                    Some(node) => {
                        next.unreached.push(node);
                        None
                    }
                    None => Some("no node is there that could look at the target".to_owned()),
                };
                end_part(&mut next, why, now);
                return self.put_check(target, &next).await;
            };
            let request = RequestId(rand::random::<i64>() & ((1 << 53) - 1));
            next.left[0].asked = Some(request);
            if self.put_check(target, &next).await? {
                self.ask_part(target, part, request, node, now).await?;
            }
            return Ok(true);
        };
        let Some(command) = self.ports.queue.find(Subject::Request(request)).await? else {
            // It was put down and never put in, or the queue forgot it.
            next.left[0].asked = None;
            return self.put_check(target, &next).await;
        };
        if !command.state.is_final() {
            return Ok(false);
        }
        match command.outcome {
            Some(Outcome::Succeeded {
                report: Report::CheckTarget(report),
            }) => {
                self.apply_check(&report, now).await?;
                let lost = report.looked_at.iter().filter(|looked| looked.copy.damaged);
                next.lost += lost.count() as u64;
                next.checked += report.checked;
                if next.tries > 0 {
                    next.tries = 0;
                    next.failure = None;
                }
                next.failure = not_seen(&report).or(next.failure.take());
                match report.next {
                    Some(after) => {
                        next.left[0].after = Some(after);
                        next.left[0].asked = None;
                    }
                    None => end_part(&mut next, None, now),
                }
            }
            outcome => {
                let why = match outcome {
                    Some(Outcome::Failed { failure, .. }) => failure.message,
                    _ => format!("node {} did not answer", command.node_id),
                };
                next.tries += 1;
                next.left[0].asked = None;
                if next.tries >= MOST_TRIES {
                    next.unreached.extend(part.node);
                    end_part(&mut next, Some(why), now);
                } else {
                    next.failure = Some(why);
                }
            }
        }
        self.put_check(target, &next).await
    }

    /// Who can look at a target now: the node whose folder it is, the master's own for its folder, else any; nothing when nobody is there.
    async fn checker_of(&self, target: &Target, node: Option<NodeId>) -> Result<Option<NodeId>> {
        let mut online = self.online().await?.into_iter();
        Ok(match (node, target.reach()) {
            (Some(node), _) => online.find(|one| *one == node),
            (None, Reach::Master) => online.find(|one| one.is_local()),
            (None, Reach::Everywhere | Reach::OwnNode) => online.min(),
        })
    }

    async fn ask_part(
        &self,
        target: &Target,
        part: &CheckPart,
        request: RequestId,
        node: NodeId,
        now: Timestamp,
    ) -> Result<()> {
        let command = NewCommand {
            subject: Subject::Request(request),
            node_id: node,
            lane: Lane::Short,
            spec: CommandSpec::CheckTarget {
                target_id: target.id,
                part: part.clone(),
            },
            after: Lease::NONE,
            not_before: now,
            expires_at: Some(now + span(LIMIT)),
        };
        self.ports.queue.enqueue(command, now).await?;
        self.notify(Topic::Node(node)).await;
        Ok(())
    }

    async fn apply_check(&self, report: &CheckReport, now: Timestamp) -> Result<()> {
        for looked in &report.looked_at {
            if let Some(record) = self.ports.records.get(looked.record_id).await? {
                self.apply_verified(&record, &looked.copy, Some(now))
                    .await?;
            }
        }
        Ok(())
    }
}

/// What nobody can tell of some copies, when it is so.
fn not_seen(report: &CheckReport) -> Option<String> {
    let unknown = |copy: &VerifiedCopy| !copy.ok && !copy.damaged;
    let mut unseen = report.looked_at.iter().map(|looked| &looked.copy);
    let first = unseen.find(|copy| unknown(copy))?;
    let others = unseen.filter(|copy| unknown(copy)).count();
    Some(format!(
        "{} copies could not be looked at: {}",
        others + 1,
        first.problems.join("; ")
    ))
}

/// The first part is over, for a reason when it could not be done.
fn end_part(check: &mut TargetCheck, why: Option<String>, now: Timestamp) {
    check.left.remove(0);
    check.tries = 0;
    check.failure = why.or(check.failure.take());
    if check.left.is_empty() {
        check.finished_at = Some(now);
        check.next_at = match check.failure {
            Some(_) => now + AGAIN,
            None => now + EVERY,
        };
    }
}
