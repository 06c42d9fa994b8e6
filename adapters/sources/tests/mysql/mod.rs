//! MySQL and MariaDB: a real server, and tools that lie.

mod accounts;
mod bed;
mod fake;
mod refused;
mod restored;
mod sealed;

use crate::support::trial;
use bed::Bed;
use libtest_mimic::Trial;

/// A case on the server.
type Case = fn(&Bed);

/// Cases by name.
macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), $module::$name as Case)),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    restored::everything_comes_back_under_another_name,
    restored::single_tables_come_back_with_all_that_hangs_on_them,
    restored::nasty_names_are_names,
    restored::a_database_that_is_there_is_refused_or_replaced,
    restored::never_04_a_restore_that_fails_leaves_nothing_and_no_success,
    restored::an_empty_database_is_restored_into,
    restored::never_01_what_can_not_be_dumped_whole_is_no_dump,
    accounts::users_come_with_their_passwords_and_leave_those_that_are_there,
    refused::what_is_there_is_found_and_chosen,
    refused::a_database_that_is_not_there_fails_the_run,
    refused::a_check_says_that_all_is_well,
    refused::an_unreachable_server_is_said_as_such,
    refused::a_wrong_password_is_said_as_such,
    refused::missing_rights_are_named_as_the_statements_that_grant_them,
    refused::tables_without_transactions_are_warned_of,
    sealed::it_is_reached_by_socket_and_address_sealed_or_not,
    sealed::never_30_no_password_is_seen,
    sealed::a_run_that_is_stopped_ends_its_tool,
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = fake::trials();
    for (name, case) in CASES {
        let (bed, name, case) = (Bed::new(), format!("mysql_mariadb::{name}"), *case);
        trials.push(match bed {
            Ok(bed) => trial(name, None, move || {
                case(&bed);
                Ok(())
            }),
            Err(missing) => trial(name, Some(missing), || Ok(())),
        });
    }
    trials
}
