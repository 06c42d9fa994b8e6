//! Records: one run of one task. The record is the truth; whatever a queue carries only follows it.

use super::command::Lease;
use super::evidence::Evidence;
use super::guard::Alarm;
use super::id::{NodeId, RecordId, TargetId, TaskId};
use super::key::ObjectKey;
use super::manifest::StoredStream;
use super::progress::Progress;
use super::report::{Counts, Failure};
use super::task::TaskSpec;
use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// One run of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id, part of its path in storage.
    pub id: RecordId,
    /// The task that it is a run of; the task may be gone.
    pub task_id: TaskId,
    /// The task as it was when the run was made.
    pub task: TaskSpec,
    /// The node that runs it; [`NodeId::NONE`] while no node of its pool has taken it.
    pub node_id: NodeId,
    /// What made it run.
    pub trigger: Trigger,
    /// Where it is in its life.
    pub state: RecordState,
    /// The lease under which it runs or ran; zero before the first claim.
    pub lease: Lease,
    /// Its folder on every target. Made by the master, never by an agent.
    pub location: ObjectKey,
    /// How far it is, as the agent last said.
    pub progress: Progress,
    /// What was read; known when it ended.
    pub counts: Counts,
    /// Why it did not end in `success`, when it did not.
    pub failure: Option<Failure>,
    /// Why retention and people must leave it alone.
    pub lock: Option<Lock>,
    /// What is odd about it, when something is.
    pub alarm: Option<Alarm>,
    /// What its last drill came to.
    pub drill: Option<Box<Evidence>>,
    /// The streams that it consists of, with what is needed to unwrap their keys; empty until it ended well somewhere.
    pub streams: Vec<StreamHead>,
    /// One per target of the task.
    pub copies: Vec<RecordCopy>,
    /// When it was made, by the master's clock.
    pub created_at: Timestamp,
    /// When a node took it.
    pub started_at: Option<Timestamp>,
    /// When the master heard of its end.
    pub finished_at: Option<Timestamp>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<Timestamp>,
}

impl Record {
    /// Whether something is odd about it and nobody said yet that it is right.
    pub fn is_suspicious(&self) -> bool {
        self.alarm.as_ref().is_some_and(Alarm::is_open)
    }

    /// Whether one of its copies is in this state.
    pub fn has_copy(&self, state: CopyState) -> bool {
        self.copies.iter().any(|copy| copy.state == state)
    }
}

/// A reason to keep a record whatever the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Why, in a person's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What made a run start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// A person or a script.
    Manual,
    /// The task's schedule.
    Schedule,
    /// The success of the tasks that it waits for.
    After,
    /// Nothing here: another master ran it, and this one found it in storage.
    Import,
}

impl Trigger {
    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::After => "after",
            Self::Import => "import",
        }
    }

    /// Parses what [`Trigger::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self> {
        [Self::Manual, Self::Schedule, Self::After, Self::Import]
            .into_iter()
            .find(|t| t.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown trigger {text:?}")))
    }
}

/// Where a record is in its life: `queued → running → success | degraded | failed | cancelled | missed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecordState {
    /// Waiting for a node.
    Queued,
    /// A node holds its lease.
    Running,
    /// Every target has a confirmed copy.
    Success,
    /// At least one target has a confirmed copy, not all.
    Degraded,
    /// No target has one.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// The schedule fired and no node took the run in time. Counts as a failure.
    Missed,
}

impl RecordState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::Success,
        Self::Degraded,
        Self::Failed,
        Self::Cancelled,
        Self::Missed,
    ];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
        }
    }

    /// Parses a state's name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| Error::field("status", format!("{text:?} is not a state of a record")))
    }

    /// True when nothing may change it any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Success | Self::Degraded | Self::Failed | Self::Cancelled | Self::Missed => true,
        }
    }

    /// True when there is something to restore.
    pub fn has_copies(self) -> bool {
        matches!(self, Self::Success | Self::Degraded)
    }

    /// The state of a run whose copies ended like this: never better than its worst copy.
    pub fn roll_up(copies: impl IntoIterator<Item = CopyState>) -> Self {
        let (mut good, mut bad) = (0, 0);
        for copy in copies {
            match copy {
                CopyState::Good => good += 1,
                CopyState::Pending
                | CopyState::Failed
                | CopyState::Deleting
                | CopyState::Deleted
                | CopyState::Lost => bad += 1,
            }
        }
        match (good, bad) {
            (0, _) => Self::Failed,
            (_, 0) => Self::Success,
            _ => Self::Degraded,
        }
    }
}

/// One record on one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordCopy {
    /// Where.
    pub target_id: TargetId,
    /// The target's name when the run was made.
    pub target_name: String,
    /// What is known of it.
    pub state: CopyState,
    /// Bytes in storage, manifest included.
    pub stored_bytes: u64,
    /// SHA-256 of its manifest, lower-case hex, once it is good.
    pub manifest_sha256: Option<String>,
    /// Why it failed or is lost.
    pub error: Option<String>,
    /// When its bytes were last proven.
    pub verified_at: Option<Timestamp>,
}

impl RecordCopy {
    /// A copy that is still to be made.
    pub fn pending(target_id: TargetId, target_name: impl Into<String>) -> Self {
        Self {
            target_id,
            target_name: target_name.into(),
            state: CopyState::Pending,
            stored_bytes: 0,
            manifest_sha256: None,
            error: None,
            verified_at: None,
        }
    }
}

/// What is known of one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CopyState {
    /// Not there yet.
    Pending,
    /// Confirmed, its manifest written last.
    Good,
    /// It did not come about; leftovers are to be removed.
    Failed,
    /// Its removal is on its way.
    Deleting,
    /// It is confirmed gone.
    Deleted,
    /// It was good and storage no longer has it whole.
    Lost,
}

impl CopyState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Good,
        Self::Failed,
        Self::Deleting,
        Self::Deleted,
        Self::Lost,
    ];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Good => "good",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Lost => "lost",
        }
    }

    /// Parses what [`CopyState::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown copy state {text:?}")))
    }
}

/// What the master keeps of a stream: enough to unwrap its file key for a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamHead {
    /// `data` or `index`.
    pub stream: String,
    /// The age header and payload nonce, base64, when the stream is sealed. Holds no secret.
    pub age_header: Option<String>,
    /// Size of the stream as stored.
    pub stored_bytes: u64,
    /// SHA-256 of the stream as stored, lower-case hex.
    pub sha256: String,
}

impl From<&StoredStream> for StreamHead {
    fn from(stream: &StoredStream) -> Self {
        Self {
            stream: stream.stream.clone(),
            age_header: stream.age_header.clone(),
            stored_bytes: stream.stored_bytes,
            sha256: stream.sha256.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_05_a_run_is_never_better_than_its_worst_copy(states in proptest::collection::vec(proptest::sample::select(&CopyState::ALL[..]), 1..9)) {
            let all_good = states.iter().all(|s| *s == CopyState::Good);
            let any_good = states.contains(&CopyState::Good);
            let rolled = RecordState::roll_up(states);
            prop_assert_eq!(rolled == RecordState::Success, all_good);
            prop_assert_eq!(rolled == RecordState::Failed, !any_good);
        }
    }

    #[test]
    fn a_run_without_copies_is_no_success() {
        assert_eq!(RecordState::roll_up([]), RecordState::Failed);
    }
}
