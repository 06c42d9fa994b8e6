//! Several masters on one Postgres, with and without Redis, behind a real nginx: any of them may get any request, and any of them may die.

mod cluster;
mod draining;
mod folders;
mod keys;
mod played;
mod requests;
mod storm;
mod supervisor;
mod tally;

use libtest_mimic::Trial;

use cluster::Stores;

/// Every trial of the part `replicas`.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for stores in [Stores::Postgres, Stores::PostgresAndRedis] {
        trials.extend(requests::trials(stores));
        trials.extend(draining::trials(stores));
        trials.extend(storm::trials(stores));
    }
    trials.extend(folders::trials());
    trials.extend(keys::trials());
    trials
}
