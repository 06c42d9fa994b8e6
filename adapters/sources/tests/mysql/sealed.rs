//! Connections by socket and address, sealed and checked; secrets that nobody sees; runs that are stopped.

use super::bed::{Bed, PASSWORD, Task, sql_of};
use crate::support::{Heard, Spy};
use backupx_core::domain::database::Tls;
use backupx_core::ports::source::StopFlag;
use std::io::Write;

pub(crate) fn it_is_reached_by_socket_and_address_sealed_or_not(bed: &Bed) {
    bed.sql("CREATE OR REPLACE USER sealed_user IDENTIFIED BY 'x' REQUIRE SSL; GRANT SELECT ON *.* TO sealed_user");
    let authority = bed.folder.join("ca.pem").display().to_string();
    let other = tempfile::NamedTempFile::new().expect("a file");
    writeln!(other.as_file(), "no certificate").expect("written");
    let other = other.path().display().to_string();
    for (tls, ca, user, expected) in [
        (Tls::Off, None, "backupx", Ok(())),
        (Tls::Prefer, None, "backupx", Ok(())),
        (Tls::Require, None, "backupx", Ok(())),
        (Tls::Verify, Some(&authority), "backupx", Ok(())),
        // The host does not know the authority.
        (Tls::Verify, None, "backupx", Err("database_unreachable")),
        (
            Tls::Verify,
            Some(&other),
            "backupx",
            Err("database_unreachable"),
        ),
        // Only sealed connections are let in.
        (Tls::Off, None, "sealed_user", Err("sign_in_failed")),
        (Tls::Prefer, None, "sealed_user", Ok(())),
        (Tls::Require, None, "sealed_user", Ok(())),
    ] {
        let mut spec = bed.spec();
        spec.server.tls = tls;
        spec.server.tls_ca = ca.cloned();
        spec.server.user = Some(user.to_owned());
        let password = if user == "backupx" { PASSWORD } else { "x" };
        let task = Task::with_password(spec, Some(password));
        let outcome = task.source.discover(&StopFlag::default());
        let outcome = outcome.map(drop).map_err(|error| error.code());
        assert_eq!(outcome, expected, "{tls:?} {ca:?} {user}");
    }
    let mut spec = bed.spec();
    spec.server.host = None;
    spec.server.port = None;
    spec.server.socket = Some(bed.folder.join("mariadb.sock").display().to_string());
    Task::new(spec)
        .source
        .discover(&StopFlag::default())
        .expect("the socket is there");
    bed.sql("DROP USER sealed_user");
}

const SPIED: &str = "spied-pässword";

pub(crate) fn never_30_no_password_is_seen(bed: &Bed) {
    bed.make("spied");
    bed.script(
        "spied",
        "CREATE TABLE t AS SELECT MD5(seq) FROM seq_1_to_100000",
    );
    bed.sql(&format!(
        "CREATE OR REPLACE USER spied_user IDENTIFIED BY '{SPIED}'; GRANT ALL ON spied.* TO spied_user"
    ));
    let mut spec = bed.only("spied");
    spec.server.user = Some("spied_user".to_owned());
    let task = Task::with_password(spec, Some(SPIED));
    let mut spy = Spy::new(SPIED, "mariadb-dump");
    let heard = Heard::default();
    task.source
        .read(&sql_of("spied"), &mut spy, &heard, &StopFlag::default())
        .expect("it is dumped");
    spy.saw_the_tool();
    bed.drop("spied");
    bed.sql("DROP USER spied_user");
}

/// Stops the run when some rows of a table have come.
struct Stopper<'a>(usize, &'a StopFlag);

impl Write for Stopper<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > 1 << 20 {
            self.1.stop();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn a_run_that_is_stopped_ends_its_tool(bed: &Bed) {
    bed.make("stopped");
    bed.script(
        "stopped",
        "CREATE TABLE t AS SELECT MD5(seq) FROM seq_1_to_300000",
    );
    let task = Task::new(bed.only("stopped"));
    let stop = StopFlag::default();
    let error = task
        .source
        .read(
            &sql_of("stopped"),
            &mut Stopper(0, &stop),
            &task.heard,
            &stop,
        )
        .expect_err("it was stopped");
    assert_eq!(error.code(), "cancelled");
    let left = std::fs::read_dir("/proc")
        .expect("there")
        .flatten()
        .any(|process| {
            std::fs::read(process.path().join("cmdline"))
                .is_ok_and(|arguments| String::from_utf8_lossy(&arguments).contains("--\0stopped"))
        });
    assert!(!left, "the tool runs on");
    // Nothing of a restore that was stopped stays either.
    let bytes = task.dump(&sql_of("stopped")).expect("it is dumped");
    let stop = StopFlag::default();
    let mut input = Stopping(&bytes, &stop);
    let how = super::bed::under("stopped_2");
    let error = task
        .source
        .put_back(&sql_of("stopped"), &mut input, &how, &task.heard, &stop)
        .expect_err("it was stopped");
    assert_eq!(error.code(), "cancelled");
    assert_eq!(bed.sql("SHOW DATABASES LIKE 'stopped\\_2'"), "");
    bed.drop("stopped");
}

/// Stops the run when half of it was read.
struct Stopping<'a>(&'a [u8], &'a StopFlag);

impl std::io::Read for Stopping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = std::io::Read::read(&mut self.0, buffer)?;
        if self.0.len() < 5_000_000 {
            self.1.stop();
        }
        Ok(count)
    }
}
