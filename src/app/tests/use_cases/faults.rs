//! Faults: ports that fail between two calls, as a store, a network or a whole master does. What stands behind them is real.

use async_trait::async_trait;
use backupx_app::Ports;
use backupx_core::domain::command::{Command, Lane, Lease, Subject};
use backupx_core::domain::event::{Event, EventKind};
use backupx_core::domain::evidence::Evidence;
use backupx_core::domain::guard::{Acceptance, Past};
use backupx_core::domain::id::{
    CommandId, EventId, NodeId, OperationId, RecordId, TargetId, TaskId,
};
use backupx_core::domain::log::{LogLine, StoredLine};
use backupx_core::domain::operation::{Operation, OperationSpec};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::progress::Progress;
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::record::{CopyState, Lock, Record, RecordCopy, RecordState};
use backupx_core::domain::report::Outcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::events::Events;
use backupx_core::ports::logs::Logs;
use backupx_core::ports::operations::{OperationEnd, OperationFilter, Operations};
use backupx_core::ports::presence::Presence;
use backupx_core::ports::queue::{Cancelled, CommandQueue, Guarded, NewCommand, Renewal, Wanted};
use backupx_core::ports::records::{
    AdoptedRecord, Adoption, NewRecord, RecordEnd, RecordFilter, Records,
};
use backupx_core::ports::signals::{Signals, Subscription, Topic};
use backupx_core::{Error, Result};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The call never reaches the store.
    Refused,
    /// The store does what it was asked to, and its answer gets lost.
    AnswerLost,
    /// The master dies before the call.
    DiesBefore,
    /// The master dies after the store did what it was asked to.
    DiesAfter,
}

/// A fault at the call after the next `after` ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) after: usize,
    pub(crate) kind: Kind,
}

/// What is about to go wrong for one master.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    next: Arc<Mutex<Option<Fault>>>,
    death: Arc<Notify>,
}

impl Faults {
    /// What `call` answers when this goes wrong meanwhile; nothing when its master dies of it.
    pub(crate) async fn during<T>(
        &self,
        fault: Option<Fault>,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        *self.next() = fault;
        let done = tokio::select! {
            done = call => Some(done),
            () = self.death.notified() => None,
        };
        *self.next() = None;
        done
    }

    async fn step<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let now = self.take_step();
        match now {
            None => call.await,
            Some(Kind::Refused) => Err(away()),
            Some(Kind::AnswerLost) => call.await.and_then(|_| Err(away())),
            Some(Kind::DiesBefore) => self.die().await,
            Some(Kind::DiesAfter) => {
                call.await?;
                self.die().await
            }
        }
    }

    /// What goes wrong at this step.
    fn take_step(&self) -> Option<Kind> {
        let mut next = self.next();
        let fault = next.take()?;
        match fault.after {
            0 => Some(fault.kind),
            after => {
                *next = Some(Fault {
                    after: after - 1,
                    ..fault
                });
                None
            }
        }
    }

    /// Never returns: whoever made the call goes away.
    async fn die<T>(&self) -> T {
        self.death.notify_one();
        std::future::pending().await
    }

    fn next(&self) -> MutexGuard<'_, Option<Fault>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn away() -> Error {
    Error::unavailable("store_unavailable", "the store does not answer")
}

/// A port that fails when it is told to.
struct Faulty<P: ?Sized> {
    port: Arc<P>,
    faults: Faults,
}

/// The same ports, those that the life of a command goes through with these faults.
pub(crate) fn with(faults: &Faults, ports: Ports) -> Ports {
    fn faulty<P: ?Sized>(faults: &Faults, port: Arc<P>) -> Arc<Faulty<P>> {
        let faults = faults.clone();
        Arc::new(Faulty { port, faults })
    }
    Ports {
        records: faulty(faults, ports.records),
        operations: faulty(faults, ports.operations),
        queue: faulty(faults, ports.queue),
        events: faulty(faults, ports.events),
        logs: faulty(faults, ports.logs),
        presence: faulty(faults, ports.presence),
        signals: faulty(faults, ports.signals),
        ..ports
    }
}

/// Every method of a port as one step.
macro_rules! faulty {
    ($($port:ident { $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+ })+) => {
        $(#[async_trait]
        impl $port for Faulty<dyn $port> {
            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                self.faults.step(self.port.$name($($argument),*)).await
            })+
        })+
    };
}

faulty! {
    CommandQueue {
        fn enqueue(command: NewCommand, now: Timestamp) -> CommandId;
        fn claim(node: NodeId, lane: Lane, now: Timestamp) -> Option<Command>;
        fn claim_some(node: NodeId, wanted: Wanted, now: Timestamp) -> Vec<Command>;
        fn due(now: Timestamp, after: NodeId, limit: u32) -> Vec<NodeId>;
        fn claimed(after: Option<(NodeId, CommandId)>, limit: u32) -> Vec<Command>;
        fn unconfirmed(before: Timestamp) -> Vec<NodeId>;
        fn renew(id: CommandId, lease: Lease, now: Timestamp) -> Renewal;
        fn finish(id: CommandId, lease: Lease, outcome: &Outcome, now: Timestamp) -> Guarded;
        fn release(id: CommandId, lease: Lease, not_before: Timestamp) -> Guarded;
        fn withdraw(id: CommandId, lease: Lease) -> Guarded;
        fn cancel(id: CommandId, now: Timestamp) -> Cancelled;
        fn close(id: CommandId, now: Timestamp) -> Guarded;
        fn expire(silent_since: Timestamp, now: Timestamp, limit: u32) -> Vec<Command>;
        fn claimed_by(node: NodeId) -> Vec<Command>;
        fn get(id: CommandId) -> Option<Command>;
        fn find(subject: Subject) -> Option<Command>;
        fn find_all(subjects: &[Subject]) -> Vec<Command>;
        fn renew_all(node: NodeId, leases: &[HeldLease], now: Timestamp) -> Vec<(HeldLease, bool)>;
        fn purge(before: Timestamp, limit: u32) -> u64;
        fn depth() -> (u64, u64);
    }
    Records {
        fn add(record: NewRecord) -> std::result::Result<Record, RecordId>;
        fn adopt(on: TargetId, found: &[AdoptedRecord]) -> Vec<Adoption>;
        fn get(id: RecordId) -> Option<Record>;
        fn list(filter: RecordFilter, page: PageRequest) -> Page<Record>;
        fn start(id: RecordId, lease: Lease, now: Timestamp) -> bool;
        fn progress(id: RecordId, lease: Lease, progress: &Progress) -> bool;
        fn finish(id: RecordId, lease: Lease, end: &RecordEnd, now: Timestamp) -> bool;
        fn requeue(id: RecordId, lease: Lease) -> bool;
        fn assign(id: RecordId, from: NodeId, to: NodeId) -> bool;
        fn in_pools(limit: u32) -> Vec<Record>;
        fn load() -> Vec<(NodeId, u64)>;
        fn request_cancel(id: RecordId, now: Timestamp) -> bool;
        fn unfinished(after: RecordId, limit: u32) -> Vec<Record>;
        fn set_lock(id: RecordId, lock: Option<&Lock>) -> bool;
        fn accept(id: RecordId, acceptance: &Acceptance) -> bool;
        fn history(task: TaskId) -> Vec<Past>;
        fn set_history(task: TaskId, history: &[Past]) -> ();
        fn set_evidence(id: RecordId, evidence: &Evidence, pinned: Option<RecordId>) -> bool;
        fn set_copy(id: RecordId, expected: CopyState, copy: &RecordCopy, state: Option<RecordState>) -> bool;
        fn with_copies(task: TaskId) -> Vec<Record>;
        fn tasks_with_copies() -> Vec<TaskId>;
        fn to_be_removed(limit: u32) -> Vec<(RecordId, TargetId)>;
        fn remove(id: RecordId) -> bool;
    }
    Operations {
        fn add(record: RecordId, node: NodeId, spec: &OperationSpec, now: Timestamp) -> Operation;
        fn get(id: OperationId) -> Option<Operation>;
        fn list(filter: OperationFilter, page: PageRequest) -> Page<Operation>;
        fn start(id: OperationId, lease: Lease, now: Timestamp) -> bool;
        fn progress(id: OperationId, lease: Lease, progress: &Progress) -> bool;
        fn finish(id: OperationId, lease: Lease, end: &OperationEnd, now: Timestamp) -> bool;
        fn requeue(id: OperationId, lease: Lease) -> bool;
        fn request_cancel(id: OperationId, now: Timestamp) -> bool;
        fn unfinished(after: OperationId, limit: u32) -> Vec<Operation>;
    }
    Events {
        fn add(kind: &EventKind, now: Timestamp) -> EventId;
        fn read(after: EventId, limit: u32) -> Vec<Event>;
        fn last() -> EventId;
        fn take(limit: u32, now: Timestamp, until: Timestamp) -> Vec<Event>;
        fn handled(id: EventId, now: Timestamp) -> ();
        fn purge(before: Timestamp) -> u64;
    }
    Logs {
        fn append(subject: Subject, lease: Lease, lines: &[LogLine]) -> ();
        fn read(subject: Subject, after: i64, limit: u32) -> Vec<StoredLine>;
    }
    Presence {
        fn seen(node: NodeId, now: Timestamp) -> bool;
        fn seen_all(heard: &[(NodeId, Timestamp)]) -> Vec<NodeId>;
        fn all() -> Vec<(NodeId, Timestamp)>;
        fn last_seen(node: NodeId) -> Option<Timestamp>;
        fn take_offline(before: Timestamp) -> Vec<NodeId>;
        fn forget(node: NodeId) -> ();
    }
}

#[async_trait]
impl Signals for Faulty<dyn Signals> {
    async fn notify(&self, topic: Topic) -> Result<()> {
        self.faults.step(self.port.notify(topic)).await
    }

    fn wake(&self, topic: Topic) {
        self.port.wake(topic);
    }

    async fn subscribe(&self, topic: Topic) -> Result<Box<dyn Subscription>> {
        self.faults.step(self.port.subscribe(topic)).await
    }
}
