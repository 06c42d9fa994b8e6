//! What lies in storage, seen from outside: opened by standard tools, on real services, and as it was written once and must stay readable.
//!
//! Services are taken from `BACKUPX_TEST_S3_…` (`tests/run` starts them), tools from the path. What is not there is listed as ignored; with
//! `BACKUPX_TEST_REQUIRE_ALL=1` it fails.

mod golden;
mod place;
mod service;
mod tools;

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
