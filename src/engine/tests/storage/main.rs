//! What lies in storage, seen from outside: opened by standard tools, on real services, and as it was written once and must stay readable.
//!
//! Servers are taken from `BACKUPX_TEST_…` (`tests/run storage` starts them), tools from the path. What is not there is listed as ignored; with
//! `BACKUPX_TEST_REQUIRE_ALL=1` it fails.

mod golden;
mod place;
mod service;
mod streams;
mod tools;

#[path = "../../../../adapters/storage/tests/conformance/backends.rs"]
#[allow(dead_code, reason = "the suite of the adapter uses the rest of it")]
mod backends;
#[path = "../../../../tests/support/proxy.rs"]
#[allow(dead_code, reason = "other test binaries use the rest of it")]
mod proxy;

use backends::Backend;
use libtest_mimic::{Arguments, Failed, Trial};
use place::Outcome;
use std::future::Future;
use std::pin::Pin;
use std::process::Command;

/// A case and what it needs.
struct Case {
    name: &'static str,
    needs: &'static [Need],
    run: fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

/// Something that may be missing on a host.
#[derive(Clone, Copy)]
enum Need {
    /// A program on the path.
    Program(&'static str),
    /// An environment variable.
    Variable(&'static str),
}

impl Need {
    fn missing(self) -> Option<String> {
        match self {
            Self::Program(name) => {
                let found = Command::new(name).arg("--version").output().is_ok();
                (!found).then(|| format!("{name} is not installed"))
            }
            Self::Variable(name) => {
                let missing = std::env::var(name).is_err();
                missing.then(|| format!("{name} is not set, see tests/run"))
            }
        }
    }
}

macro_rules! case {
    ($module:ident :: $name:ident, $needs:expr) => {
        Case {
            name: stringify!($name),
            needs: $needs,
            run: || Box::pin($module::$name()),
        }
    };
}

/// Streams to and from one kind of server.
macro_rules! streams {
    ($case:ident, $backend:ident, $variable:literal) => {
        Case {
            name: concat!(stringify!($backend), "::", stringify!($case)),
            needs: &[Need::Variable($variable)],
            run: || Box::pin(streams::$case(Backend::$backend)),
        }
    };
}

const TOOLS: &[Need] = &[
    Need::Program("age"),
    Need::Program("zstd"),
    Need::Program("tar"),
];
const S3: &[Need] = &[Need::Variable("BACKUPX_TEST_S3_ENDPOINT")];
const S3_AND_TOOLS: &[Need] = &[
    Need::Variable("BACKUPX_TEST_S3_ENDPOINT"),
    Need::Program("age"),
    Need::Program("zstd"),
    Need::Program("tar"),
];

fn main() {
    let arguments = Arguments::from_args();
    let cases = [
        case!(golden::what_was_written_once_stays_readable, &[]),
        case!(tools::standard_tools_open_one_object, TOOLS),
        case!(tools::standard_tools_open_a_series_of_volumes, S3_AND_TOOLS),
        case!(service::a_backup_goes_to_a_folder_and_a_service_at_once, S3),
        case!(service::a_service_that_is_not_there_fails_alone, &[]),
        case!(service::a_full_disk_fails_alone, &[]),
        case!(streams::a_long_stream_goes_round, S3),
        streams!(streams_of_every_length_go_round, Folder, "PATH"),
        streams!(
            streams_of_every_length_go_round,
            S3,
            "BACKUPX_TEST_S3_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            WeakS3,
            "BACKUPX_TEST_WEAK_S3_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Azblob,
            "BACKUPX_TEST_AZBLOB_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Gcs,
            "BACKUPX_TEST_GCS_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Webdav,
            "BACKUPX_TEST_WEBDAV_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Sftp,
            "BACKUPX_TEST_SFTP_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Dav,
            "BACKUPX_TEST_DAV_ENDPOINT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Openssh,
            "BACKUPX_TEST_OPENSSH_PORT"
        ),
        streams!(
            streams_of_every_length_go_round,
            Ftps,
            "BACKUPX_TEST_FTPS_PORT"
        ),
        streams!(
            a_byte_that_changed_on_the_way_down_is_found,
            S3,
            "BACKUPX_TEST_S3_ENDPOINT"
        ),
        streams!(
            a_byte_that_changed_on_the_way_down_is_found,
            Azblob,
            "BACKUPX_TEST_AZBLOB_ENDPOINT"
        ),
        streams!(
            a_byte_that_changed_on_the_way_down_is_found,
            Gcs,
            "BACKUPX_TEST_GCS_ENDPOINT"
        ),
        streams!(
            a_byte_that_changed_on_the_way_down_is_found,
            Webdav,
            "BACKUPX_TEST_WEBDAV_ENDPOINT"
        ),
    ];
    libtest_mimic::run(&arguments, cases.into_iter().map(trial).collect()).exit();
}

fn trial(case: Case) -> Trial {
    let missing = case.needs.iter().find_map(|need| need.missing());
    let required = std::env::var("BACKUPX_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let ignored = missing.is_some() && !required;
    let kind = match &missing {
        Some(reason) if ignored => format!("ignored: {reason}"),
        _ => String::new(),
    };
    Trial::test(case.name, move || {
        if let Some(reason) = missing {
            return Err(Failed::from(reason));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime
            .block_on((case.run)())
            .map_err(|error| Failed::from(format!("{error:?}")))
    })
    .with_kind(kind)
    .with_ignored_flag(ignored)
}
