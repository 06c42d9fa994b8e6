//! Databases backed up and put back for real, one module a kind.
//!
//! Servers are taken from `BACKUPX_TEST_…` (`tests/run sources` starts them). A test whose server is not there is listed as ignored, with the
//! reason; with `BACKUPX_TEST_REQUIRE_ALL=1` it fails.

mod mongodb;
mod mysql;
mod postgresql;
mod saphana;
mod sqlite;
mod support;

use libtest_mimic::Arguments;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    trials.extend(mongodb::trials());
    trials.extend(mysql::trials());
    trials.extend(postgresql::trials());
    trials.extend(saphana::trials());
    trials.extend(sqlite::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
