//! PostgreSQL: real servers of several versions, and tools that lie.

mod accounts;
mod bed;
mod fake;
mod physical;
mod refused;
mod restored;
mod throwaway;

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

const VERSIONS: [u32; 4] = [15, 16, 17, 18];
/// Servers that come without tools: those of version 15 dump them.
const OLD: [u32; 3] = [12, 13, 14];
/// On an old server.
const DUMPED: &[(&str, Case)] = cases![
    restored::everything_comes_back_under_another_name,
    restored::sql_text_comes_back_under_another_name,
    restored::single_tables_come_back_with_all_that_hangs_on_them,
    restored::nasty_names_are_names,
    accounts::roles_come_with_their_passwords_and_leave_those_that_are_there,
    refused::what_is_there_is_found_and_chosen,
    refused::a_check_says_that_all_is_well,
    refused::missing_rights_are_named,
];
/// On every version.
const EVERY: &[(&str, Case)] = cases![
    restored::everything_comes_back_under_another_name,
    restored::sql_text_comes_back_under_another_name,
    restored::several_connections_restore_the_same,
    restored::single_tables_come_back_with_all_that_hangs_on_them,
    restored::nasty_names_are_names,
    restored::a_database_that_is_there_is_refused_or_replaced,
    restored::never_04_a_restore_that_fails_leaves_nothing_and_no_success,
    restored::an_empty_database_is_restored_into_as_it_is,
    restored::what_roles_are_missing_is_said,
    physical::a_cluster_comes_back_as_its_server_made_it,
    throwaway::a_throwaway_server_takes_what_this_one_held,
    throwaway::what_a_newer_server_held_is_refused_in_plain_words,
    accounts::roles_come_with_their_passwords_and_leave_those_that_are_there,
    refused::what_is_there_is_found_and_chosen,
    refused::a_database_that_is_not_there_fails_the_run,
    refused::a_check_says_that_all_is_well,
    refused::an_unreachable_server_is_said_as_such,
];
/// On a server of the tests' own, where users need passwords.
const OWN: &[(&str, Case)] = cases![
    refused::never_30_no_password_is_seen,
    refused::a_wrong_password_is_said_as_such,
    refused::missing_rights_are_named,
    refused::older_tools_than_the_server_are_refused_in_plain_words,
    restored::the_database_postgres_is_emptied_and_restored,
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = fake::trials();
    trials.extend(physical::fakes());
    for major in OLD.into_iter().chain(VERSIONS) {
        // The server of version 15 is shared with other suites and lets everybody in.
        let suites = match major {
            15 => [EVERY, &[]],
            _ if OLD.contains(&major) => [DUMPED, &[]],
            _ => [EVERY, OWN],
        };
        for (name, case) in suites.into_iter().flatten() {
            let (bed, name, case) = (
                Bed::new(major),
                format!("postgresql_{major}::{name}"),
                *case,
            );
            trials.push(match bed {
                Ok(bed) => trial(name, None, move || {
                    case(&bed);
                    Ok(())
                }),
                Err(missing) => trial(name, Some(missing), || Ok(())),
            });
        }
    }
    trials
}
