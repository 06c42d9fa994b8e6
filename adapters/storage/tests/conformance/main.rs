//! One suite over every kind of storage: what the port `ObjectStore` promises, on a fresh place each time.
//!
//! Servers are taken from `BACKUPX_TEST_…` (`tests/run storage` starts them). Without these their cases are listed as ignored; with `BACKUPX_TEST_REQUIRE_ALL=1` they fail.

mod any;
mod backends;
mod bridge;
mod faults;
mod folder;
mod service;

#[path = "../../../../tests/support/proxy.rs"]
#[allow(dead_code, reason = "other test binaries use the rest of it")]
mod proxy;

use backends::{Backend, Fresh};
use backupx_core::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use std::future::Future;
use std::pin::Pin;

/// A case: what it does with a fresh place.
type Case = for<'a> fn(&'a Fresh) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Cases by name.
macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), (|fresh| Box::pin($module::$name(fresh))) as Case)),*]
    };
}

const ANY: &[(&str, Case)] = cases![
    any::what_is_created_reads_back,
    any::what_is_not_there_is_told_apart_from_failure,
    any::an_object_without_bytes_exists,
    any::a_range_behind_the_end_is_an_error,
    any::a_list_has_what_is_below_and_nothing_else,
    any::folders_are_told_one_step_at_a_time,
    any::removing_a_folder_leaves_its_neighbours,
    any::large_objects_survive,
    any::volumes_of_every_size_survive,
];
/// What a service that ignores conditions can't promise.
const STRONG: &[(&str, Case)] = cases![
    any::a_second_create_is_refused,
    any::of_many_creators_one_wins,
];
/// What is promised where a look before each create has to do.
const UNIQUE: &[(&str, Case)] = cases![any::a_second_create_is_refused];
const BRIDGE: &[(&str, Case)] = cases![
    bridge::a_server_that_is_away_is_said_as_such,
    bridge::never_30_no_password_is_seen,
    bridge::a_child_that_died_is_started_again,
    bridge::what_reaches_around_the_policy_is_refused,
];
const FOLDER: &[(&str, Case)] = cases![
    folder::a_file_in_the_making_is_not_visible,
    folder::never_24_a_writer_that_is_dropped_leaves_no_file,
    folder::a_finished_file_replaces_nothing,
    folder::links_in_the_folder_are_not_followed,
    folder::a_folder_is_there_once_something_was_kept,
    folder::removing_takes_empty_parents_and_never_the_root,
    folder::a_full_disk_is_said_as_such,
    folder::a_file_where_the_folder_should_be_is_said_as_such,
];
/// What is promised where the test bed can do it on that server.
const MANY: &[(&str, Case)] = cases![any::lists_go_on_over_pages];
const FOREIGN: &[(&str, Case)] = cases![any::never_19_what_could_not_be_removed_is_no_success];
/// On a bad way.
const FAULTS: &[(&str, Case)] = cases![
    faults::a_slow_server_is_no_failure,
    faults::never_26_a_stall_ends_and_is_said_as_such,
    faults::what_fails_for_the_moment_is_tried_again,
    faults::a_server_that_fails_for_ever_is_said_as_such,
    faults::a_connection_that_breaks_leaves_nothing,
    faults::never_24_a_create_that_is_given_up_leaves_nothing,
];
/// What a server without checksums can't promise.
const CHECKED: &[(&str, Case)] = cases![faults::a_byte_that_changed_on_the_way_up_is_found];
const SECRET: &[(&str, Case)] = cases![service::a_wrong_secret_is_said_as_such];
const READER: &[(&str, Case)] = cases![service::an_identity_that_may_not_write_is_said_as_such];
const SMALL: &[(&str, Case)] = cases![service::a_full_disk_leaves_no_half_object];
const SIGNATURE: &[(&str, Case)] = cases![service::a_signature_does_instead_of_a_key];
const BUCKET: &[(&str, Case)] = cases![service::a_missing_bucket_is_said_as_such];
const PREFIX: &[(&str, Case)] = cases![service::a_prefix_keeps_targets_apart];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (backend, suites) in [
        (Backend::Folder, [ANY, STRONG, FOLDER, MANY].as_slice()),
        (
            Backend::S3,
            // It makes buckets by itself.
            [ANY, STRONG, MANY, SECRET, READER, PREFIX, FAULTS, CHECKED].as_slice(),
        ),
        (
            Backend::WeakS3,
            [ANY, SECRET, SMALL, BUCKET, PREFIX].as_slice(),
        ),
        (
            Backend::Azblob,
            [
                ANY, STRONG, MANY, SECRET, READER, SIGNATURE, BUCKET, PREFIX, FAULTS, CHECKED,
            ]
            .as_slice(),
        ),
        // Its server takes every token.
        (
            Backend::Gcs,
            [ANY, STRONG, MANY, BUCKET, PREFIX, FAULTS, CHECKED].as_slice(),
        ),
        (
            Backend::Webdav,
            [ANY, UNIQUE, BRIDGE, SECRET, FAULTS].as_slice(),
        ),
        (Backend::Sftp, [ANY, UNIQUE, BRIDGE, SECRET].as_slice()),
        (
            Backend::Dav,
            [ANY, UNIQUE, MANY, FOREIGN, SECRET, READER, SMALL].as_slice(),
        ),
        (
            Backend::Openssh,
            [ANY, UNIQUE, MANY, SECRET, READER, SMALL].as_slice(),
        ),
        (
            Backend::Ftps,
            // With a full disk it falls silent.
            [ANY, UNIQUE, MANY, SECRET, READER].as_slice(),
        ),
    ] {
        for (name, case) in suites.iter().copied().flatten() {
            trials.push(trial(backend, name, *case));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(backend: Backend, name: &str, case: Case) -> Trial {
    let missing = backend.missing();
    let required = std::env::var("BACKUPX_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let ignored = missing.is_some() && !required;
    let kind = match &missing {
        Some(reason) if ignored => format!("{backend}; ignored: {reason}"),
        _ => backend.to_string(),
    };
    Trial::test(name, move || {
        if let Some(reason) = missing {
            return Err(Failed::from(reason));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime
            .block_on(async {
                let fresh = Fresh::new(backend)?;
                let outcome = case(&fresh).await;
                fresh.clean().await?;
                outcome
            })
            .map_err(|error: backupx_core::Error| Failed::from(format!("{error:?}")))
    })
    .with_kind(kind)
    .with_ignored_flag(ignored)
}
