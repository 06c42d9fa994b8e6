//! End to end: the built program as master, agent and command line, over real storage. `tests/run e2e` starts what it needs.

#[path = "../support/mod.rs"]
mod support;

mod smoke;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials: Vec<Trial> = [smoke::trials()].into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
