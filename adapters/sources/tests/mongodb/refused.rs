//! What can't be read is said in plain words, and no secret is.

use super::bed::{Bed, PASSWORD, Task, USER, archive};
use backupx_core::domain::database::Tls;
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DatabaseAccess, DumpOpener};
use backupx_core::ports::source::StopFlag;
use backupx_sources::Databases;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

pub(super) fn what_is_there_is_found_and_chosen(bed: &Bed) {
    let (_own, bed) = bed.own();
    for name in ["shop", "test_1", "blög"] {
        bed.python(&["insert", name, "a", "{}"]);
    }
    let task = bed.task(&[]);
    let found = task.source.discover(&StopFlag::default()).expect("a list");
    let names: Vec<_> = found.into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["blög", "shop", "test_1"]);

    let mut spec = bed.spec();
    spec.databases.except = vec!["test_*".to_owned()];
    let task = Task::with_password(spec.clone(), None);
    let plan = task.source.plan(&StopFlag::default()).expect("a plan");
    assert_eq!(plan.dumps, [archive("blög"), archive("shop")]);
    assert!(plan.tools["mongodump"].starts_with("100."));
    for dump in &plan.dumps {
        task.dump(dump).expect("each is a dump");
    }
    spec.databases.except = vec!["*".to_owned()];
    let error = Task::with_password(spec, None)
        .source
        .plan(&StopFlag::default())
        .expect_err("nothing is left");
    assert_eq!(error.code(), "nothing_selected");
    task.nothing_is_left();
}

pub(super) fn a_database_that_is_not_there_fails_the_run(bed: &Bed) {
    let task = bed.task(&["t_never_was"]);
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("it is not there");
    assert_eq!(error.code(), "source_missing");
    assert!(error.message().contains("t_never_was"));
    // Gone between the plan and the dump: mongodump ends well and writes an archive of nothing.
    let error = task
        .dump(&archive("t_never_was"))
        .expect_err("there is nothing");
    assert_eq!(error.code(), "dump_incomplete");
    let steps = task.source.check(&StopFlag::default());
    let last = steps.last().expect("steps");
    assert_eq!((last.name.as_str(), last.ok), ("rights", false));
}

pub(super) fn a_check_says_that_all_is_well(bed: &Bed) {
    bed.python(&["insert", "t_check", "a", "{}"]);
    let steps = bed.task(&["t_check"]).source.check(&StopFlag::default());
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["tools", "connect", "version", "rights", "databases"]
    );
    assert!(steps.iter().all(|step| step.ok), "{steps:?}");
    bed.drop("t_check");
}

pub(super) fn a_wrong_password_is_said_as_such(bed: &Bed) {
    for password in [Some("wrong"), Some(""), None] {
        let task = Task::with_password(bed.spec(), password);
        let error = task
            .source
            .plan(&StopFlag::default())
            .expect_err("it is wrong");
        assert_eq!(error.code(), "sign_in_failed", "{}", error.message());
        let steps = task.source.check(&StopFlag::default());
        let last = steps.last().expect("steps");
        assert_eq!((last.name.as_str(), last.ok), ("connect", false));
        task.nothing_is_left();
    }
    // Nobody at all, on a server that asks.
    let mut spec = bed.spec();
    spec.server.user = None;
    let error = Task::with_password(spec, None)
        .source
        .plan(&StopFlag::default())
        .expect_err("it asks");
    assert_eq!(error.code(), "sign_in_failed", "{}", error.message());
}

pub(super) fn an_unreachable_server_is_said_as_such(bed: &Bed) {
    let mut spec = bed.spec();
    spec.server.port = Some(1);
    let task = Task::with_password(spec.clone(), Some(PASSWORD));
    let error = task
        .source
        .plan(&StopFlag::default())
        .expect_err("nobody listens");
    assert_eq!(error.code(), "database_unreachable", "{}", error.message());
    assert!(error.message().contains("127.0.0.1:1"));
    // By a connection string the tool itself finds out.
    let uri = "mongodb://someone:hunter2@127.0.0.1:1/?directConnection=true";
    let temp = tempfile::tempdir().expect("a folder");
    let error = by_uri(uri, &spec, &temp)
        .plan(&StopFlag::default())
        .expect_err("nobody listens");
    assert_eq!(error.code(), "database_unreachable", "{}", error.message());
    assert!(!error.message().contains("hunter2"));
}

pub(super) fn a_connection_string_is_a_sign_in(bed: &Bed) {
    bed.python(&["insert", "t_uri", "a", "{}"]);
    let temp = tempfile::tempdir().expect("a folder");
    let source = by_uri(&bed.uri(), &bed.only(&["t_uri"]), &temp);
    let plan = source.plan(&StopFlag::default()).expect("a plan");
    assert_eq!(plan.dumps, [archive("t_uri")]);
    bed.drop("t_uri");
}

pub(super) fn a_connection_is_sealed_as_the_settings_say(bed: &Bed) {
    let (_own, bed, certificate) = bed.own_with_tls();
    let mut spec = bed.spec();
    let mut plan = |tls, file: Option<&std::path::Path>| {
        spec.server.tls = tls;
        spec.server.tls_ca = file.map(|file| file.display().to_string());
        let task = Task::with_password(spec.clone(), None);
        let outcome = task.source.plan(&StopFlag::default());
        outcome.map_err(|error| error.code())
    };
    // An empty server: whoever hears that has come through.
    for (tls, file, code) in [
        (Tls::Prefer, None, "nothing_selected"),
        (Tls::Require, None, "nothing_selected"),
        (Tls::Verify, Some(certificate.as_path()), "nothing_selected"),
        (Tls::Verify, None, "database_unreachable"),
        (Tls::Off, None, "database_unreachable"),
    ] {
        assert_eq!(plan(tls, file), Err(code), "{tls:?} {file:?}");
    }
}

fn by_uri(
    uri: &str,
    spec: &backupx_core::domain::database::MongodbSource,
    temp: &tempfile::TempDir,
) -> Box<dyn backupx_core::ports::dumps::DumpSource> {
    let access = DatabaseAccess {
        spec: SourceSpec::Mongodb(spec.clone()),
        secrets: BTreeMap::from([("uri".to_owned(), WireSecret::new(uri))]),
        temp_dir: Some(temp.path().to_owned()),
    };
    Databases::default()
        .open(&access)
        .expect("settings that are right")
}

pub(super) fn never_30_no_password_is_seen(bed: &Bed) {
    let name = "t_unseen";
    bed.fill(name, "2000");
    let task = bed.task(&[name]);
    // Looks about at each piece of the stream, while the tool runs.
    struct Looks<'a>(&'a Task, usize);
    impl Write for Looks<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            for process in std::fs::read_dir("/proc")?.flatten() {
                let read = |name| std::fs::read(process.path().join(name)).unwrap_or_default();
                let arguments = String::from_utf8_lossy(&read("cmdline")).into_owned();
                if !arguments.contains("mongodump") || !arguments.contains(name_of(self.0)) {
                    continue;
                }
                self.1 += 1;
                assert!(!arguments.contains(PASSWORD), "{arguments}");
                assert!(!String::from_utf8_lossy(&read("environ")).contains(PASSWORD));
            }
            for folder in std::fs::read_dir(self.0.temp.path())?.flatten() {
                assert_eq!(folder.metadata()?.permissions().mode() & 0o777, 0o700);
                for file in std::fs::read_dir(folder.path())?.flatten() {
                    assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o600);
                }
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    fn name_of(task: &Task) -> &str {
        task.temp.path().to_str().expect("a plain path")
    }
    let mut looks = Looks(&task, 0);
    task.source
        .read(
            &archive(name),
            &mut looks,
            &task.heard,
            &StopFlag::default(),
        )
        .expect("a dump");
    assert!(looks.1 > 0, "the tool was never seen");
    for line in task.heard.lines().into_iter().chain(task.heard.warnings()) {
        assert!(!line.contains(PASSWORD), "{line}");
    }
    task.nothing_is_left();
    bed.drop(name);
}

pub(super) fn a_password_of_any_letters_signs_in(bed: &Bed) {
    let (name, password) = ("t_letters", "p:/@ü%'\"\\ #{}");
    bed.python(&["insert", name, "a", "{}"]);
    bed.python(&["limited", name, "t_letters_user", password]);
    let mut spec = bed.only(&[name]);
    assert_ne!(spec.server.user.as_deref(), None, "{USER}");
    spec.server.user = Some("t_letters_user".to_owned());
    let task = Task::with_password(spec, Some(password));
    task.dump(&archive(name)).expect("it may read that one");
    bed.drop(name);
}

pub(super) fn a_run_that_is_stopped_ends(bed: &Bed) {
    let name = "t_stopped";
    bed.fill(name, "20000");
    let task = bed.task(&[name]);
    let stop = StopFlag::default();
    struct Stops<'a>(&'a StopFlag);
    impl Write for Stops<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.stop();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = task
        .source
        .read(&archive(name), &mut Stops(&stop), &task.heard, &stop)
        .expect_err("it was stopped");
    assert_eq!(error.code(), "cancelled");
    task.nothing_is_left();
    bed.drop(name);
}
