//! SAP HANA: a stand-in for hdbsql and for the system behind it (`hana.py`), since there is no HANA to be had.

mod backed_up;
mod bed;
mod lies;
mod logs;
mod refused;
mod restored;

use crate::support::trial;
use bed::Bed;
use libtest_mimic::Trial;

/// A case on a system of its own.
type Case = fn(&Bed);

/// Cases by name.
macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), $module::$name as Case)),*]
    };
}

const CASES: &[(&str, Case)] = cases![
    backed_up::every_database_is_one_archive_of_its_files,
    backed_up::what_changed_is_backed_up_on_its_own,
    backed_up::a_tenant_is_backed_up_by_its_own_sign_in,
    backed_up::files_go_where_hana_says_when_the_task_says_nothing,
    backed_up::a_backup_through_backint_leaves_what_the_catalogue_says,
    backed_up::a_backup_that_fails_is_made_again,
    backed_up::what_a_killed_run_left_is_swept_by_the_next_one,
    backed_up::a_connection_is_sealed_as_the_settings_say,
    backed_up::a_key_of_the_user_store_signs_in,
    backed_up::never_30_no_password_is_in_an_argument_or_the_environment,
    lies::never_01_only_the_catalogue_and_whole_files_make_a_backup,
    lies::a_run_that_is_stopped_cancels_the_backup,
    lies::never_31_a_catalogue_names_no_other_file_of_the_host,
    lies::a_user_store_elsewhere_is_not_used,
    logs::log_backups_are_collected_and_stay,
    logs::log_that_is_of_no_use_is_refused,
    refused::what_is_there_is_found_and_chosen,
    refused::a_check_says_that_all_is_well,
    refused::a_sign_in_that_is_refused_is_said_in_plain_words,
    refused::missing_rights_are_named_as_the_statement_that_grants_them,
    refused::an_unreachable_server_is_said_as_such,
    refused::a_folder_that_is_not_there_is_said_as_such,
    restored::a_tenant_comes_back,
    restored::a_tenant_comes_back_under_another_name,
    restored::what_is_there_is_refused_or_replaced,
    restored::what_one_statement_does_not_bring_back_is_said_with_what_does,
    restored::never_04_a_restore_that_fails_is_no_success_and_leaves_nothing,
    restored::a_backup_that_lies_with_backint_comes_back,
];

pub(crate) fn trials() -> Vec<Trial> {
    let missing = bed::missing();
    let trials = CASES.iter().map(|(name, case)| {
        let (name, case) = (format!("saphana::{name}"), *case);
        trial(name, missing.clone(), move || {
            case(&Bed::new());
            Ok(())
        })
    });
    trials.collect()
}
