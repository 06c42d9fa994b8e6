//! The long-lived runtime on a server: poll, lanes, leases, worker, policy.
