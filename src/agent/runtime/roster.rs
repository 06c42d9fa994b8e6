//! The roster: which commands this agent holds, from their claim until the master knows their end.

use super::job::{Job, Stop};
use backupx_core::domain::id::CommandId;
use backupx_core::domain::protocol::HeldLease;
use backupx_core::domain::work::Assignment;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Held commands.
#[derive(Default)]
pub(super) struct Roster(Mutex<BTreeMap<CommandId, Arc<Job>>>);

/// What becomes of a command that was handed out.
pub(super) enum Admission {
    /// It is to be carried out.
    New(Arc<Job>),
    /// It runs already, under this lease from now on.
    Known,
}

impl Roster {
    /// Takes a command in. One that was handed out again while it runs goes on under its new lease, so that nothing is done twice
    /// (never 8); one whose older run lost its lease begins anew when that run is at its end.
    pub(super) fn admit(&self, assignment: &Assignment) -> Admission {
        let mut jobs = self.jobs();
        let former = match jobs.get(&assignment.command_id) {
            Some(job) if job.renew(assignment.lease) => return Admission::Known,
            Some(job) => Some(job.ended()),
            None => None,
        };
        let job = Arc::new(Job::new(assignment, former));
        jobs.insert(assignment.command_id, Arc::clone(&job));
        Admission::New(job)
    }

    /// Forgets `job`, unless another one has taken its place.
    pub(super) fn remove(&self, job: &Arc<Job>) {
        let mut jobs = self.jobs();
        if jobs
            .get(&job.command())
            .is_some_and(|held| Arc::ptr_eq(held, job))
        {
            jobs.remove(&job.command());
        }
    }

    /// The leases that this agent believes it holds.
    pub(super) fn held(&self) -> Vec<HeldLease> {
        self.jobs()
            .values()
            .filter(|job| !job.is_lost())
            .map(|job| HeldLease {
                command_id: job.command(),
                lease: job.lease(),
            })
            .collect()
    }

    /// Stops the job that holds exactly this lease, if there is one.
    pub(super) fn stop(&self, lease: HeldLease, reason: Stop) {
        let job = self.jobs().get(&lease.command_id).cloned();
        if let Some(job) = job.filter(|job| job.lease() == lease.lease) {
            job.stop(reason);
        }
    }

    /// Stops everything whose work is still under way; answers how many that were.
    pub(super) fn stop_all(&self, reason: Stop) -> usize {
        let jobs: Vec<_> = self.jobs().values().cloned().collect();
        jobs.iter().filter(|job| job.stop(reason)).count()
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<CommandId, Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
