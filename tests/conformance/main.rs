//! Conformance: what the ports of the core promise, asked of every store that claims to keep them.
//!
//! A case is a function over [`ports::Ports`] and is listed once, in its module. It runs on a fresh store of every backend in
//! [`backend::ALL`]; a backend that is not there is listed as ignored with the reason. Time is an argument: nothing sleeps.

mod answers;
mod api_keys;
mod backend;
mod breaks;
mod case;
mod claims;
mod contention;
mod control_plane;
mod copies;
mod endings;
mod events;
mod followers;
mod leases;
mod logs;
mod nodes;
mod operations;
mod pools;
mod ports;
mod postgres;
mod postgres_server;
mod presence;
mod records;
mod redis;
mod restart;
mod runs;
mod samples;
mod schema;
mod sessions;
mod settings;
mod sign_in_guard;
mod signals;
mod skew;
mod sqlite_file;
mod targets;
mod tasks;
mod users;
mod verifications;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let cases: Vec<case::Case> = [
        nodes::cases(),
        targets::cases(),
        tasks::cases(),
        followers::cases(),
        records::cases(),
        runs::cases(),
        copies::cases(),
        operations::cases(),
        logs::cases(),
        events::cases(),
        settings::cases(),
        answers::cases(),
        users::cases(),
        verifications::cases(),
        sessions::cases(),
        api_keys::cases(),
        sign_in_guard::cases(),
        pools::cases(),
        claims::cases(),
        leases::cases(),
        endings::cases(),
        contention::cases(),
        presence::cases(),
        signals::cases(),
        restart::cases(),
        breaks::cases(),
        skew::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut trials: Vec<_> = backend::ALL
        .iter()
        .flat_map(|backend| cases.iter().map(|case| backend.trial(*case)))
        .collect();
    trials.extend(sqlite_file::trials());
    trials.extend(redis::trials());
    trials.extend(postgres_server::trials());
    trials.extend(schema::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}
