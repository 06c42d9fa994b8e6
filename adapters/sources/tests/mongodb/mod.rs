//! MongoDB: a server that speaks its protocol (SecantusDB, no mongod) with the official tools, and tools that lie.

mod bed;
mod fake;
mod refused;
mod restored;

use crate::support::trial;
use bed::Bed;
use libtest_mimic::Trial;

/// A case on a server.
type Case = fn(&Bed);

/// Cases by name.
macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), $module::$name as Case)),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    restored::everything_comes_back_under_another_name,
    restored::a_database_that_is_there_is_refused_or_replaced,
    restored::single_collections_come_back_alone,
    restored::a_replica_set_is_one_dump_of_one_moment,
    restored::never_04_a_dump_that_is_cut_is_no_success,
    refused::what_is_there_is_found_and_chosen,
    refused::a_database_that_is_not_there_fails_the_run,
    refused::a_check_says_that_all_is_well,
    refused::a_wrong_password_is_said_as_such,
    refused::an_unreachable_server_is_said_as_such,
    refused::a_connection_string_is_a_sign_in,
    refused::a_connection_is_sealed_as_the_settings_say,
    refused::a_password_of_any_letters_signs_in,
    refused::a_run_that_is_stopped_ends,
    refused::never_30_no_password_is_seen,
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = fake::trials();
    for (name, case) in CASES {
        let (name, case) = (format!("mongodb::{name}"), *case);
        trials.push(match Bed::new() {
            Ok(bed) => trial(name, None, move || {
                case(&bed);
                Ok(())
            }),
            Err(missing) => trial(name, Some(missing), || Ok(())),
        });
    }
    trials
}
