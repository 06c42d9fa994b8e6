//! End to end: the built program as master, agent and command line, over real storage. `tests/run e2e` starts what it needs.

#[path = "../support/mod.rs"]
mod support;

mod backint;
mod bad_input;
mod databases;
mod drills;
mod guard;
mod hooks;
mod imports;
mod kill;
mod kinds;
mod lambda;
mod life;
mod mongodb;
mod mysql;
mod pitr;
mod replicas;
mod road;
mod saphana;
mod scene;
mod schedules;
mod storage;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials: Vec<Trial> = [
        road::trials(),
        databases::trials(),
        drills::trials(),
        mongodb::trials(),
        mysql::trials(),
        saphana::trials(),
        guard::trials(),
        hooks::trials(),
        imports::trials(),
        pitr::trials(),
        life::trials(),
        schedules::trials(),
        bad_input::trials(),
        backint::trials(),
        kill::trials(),
        kinds::trials(),
        lambda::trials(),
        replicas::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
