//! SQLite files, backed up while they are written and put back elsewhere.

use crate::support::{Heard, open, trial};
use backupx_core::Result;
use backupx_core::domain::database::SqliteSource;
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{Existing, PutBack};
use backupx_core::ports::source::StopFlag;
use libtest_mimic::Trial;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use tempfile::TempDir;

pub(crate) fn trials() -> Vec<Trial> {
    let cases: [(&str, fn()); 10] = [
        (
            "everything_comes_back_elsewhere",
            everything_comes_back_elsewhere,
        ),
        (
            "never_06_a_copy_under_write_load_is_one_moment",
            never_06_a_copy_under_write_load_is_one_moment,
        ),
        (
            "patterns_mean_the_files_that_are_there",
            patterns_mean_the_files_that_are_there,
        ),
        (
            "what_is_no_database_is_said_as_such",
            what_is_no_database_is_said_as_such,
        ),
        (
            "never_01_a_damaged_database_is_never_green",
            never_01_a_damaged_database_is_never_green,
        ),
        (
            "a_file_that_is_there_is_refused_or_replaced",
            a_file_that_is_there_is_refused_or_replaced,
        ),
        (
            "a_file_that_is_open_is_never_replaced",
            a_file_that_is_open_is_never_replaced,
        ),
        (
            "never_04_half_a_file_is_never_put_in_place",
            never_04_half_a_file_is_never_put_in_place,
        ),
        (
            "a_copy_ends_when_the_run_is_stopped",
            a_copy_ends_when_the_run_is_stopped,
        ),
        ("a_check_says_what_is_there", a_check_says_what_is_there),
    ];
    let run = |case: fn()| {
        move || {
            case();
            Ok(())
        }
    };
    cases
        .into_iter()
        .map(|(name, case)| trial(format!("sqlite::{name}"), None, run(case)))
        .collect()
}

/// A folder with databases, and the task that reads them.
struct Bed {
    folder: TempDir,
    temp: TempDir,
    heard: Heard,
}

impl Bed {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        Self {
            folder: folder(),
            temp: folder(),
            heard: Heard::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self, paths: &[&Path]) -> Box<dyn backupx_core::ports::dumps::DumpSource> {
        let paths = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        open(
            SourceSpec::Sqlite(SqliteSource { paths }),
            None,
            self.temp.path(),
        )
    }

    fn dump(&self, path: &Path) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let outcome =
            self.source(&[path])
                .read(&dump(path), &mut out, &self.heard, &StopFlag::default());
        assert_eq!(files_in(self.temp.path()), Vec::<String>::new());
        outcome.map(|()| out)
    }

    fn put_back(&self, bytes: &[u8], path: &Path, existing: Existing) -> Result<()> {
        let how = PutBack {
            name: path.display().to_string(),
            existing,
            jobs: 1,
            ..PutBack::default()
        };
        let mut input = bytes;
        self.source(&[path]).put_back(
            &dump(path),
            &mut input,
            &how,
            &self.heard,
            &StopFlag::default(),
        )
    }
}

fn dump(path: &Path) -> Dump {
    Dump::database(path.display().to_string(), DumpFormat::Sqlite)
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("there")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A connection of an application.
struct App {
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
}

impl App {
    fn new(path: &Path) -> Self {
        Self::with(SqliteConnectOptions::new().filename(path))
    }

    fn wal(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path);
        Self::with(options.journal_mode(SqliteJournalMode::Wal))
    }

    fn with(options: SqliteConnectOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let connection = runtime
            .block_on(options.create_if_missing(true).connect())
            .expect("it opens");
        Self {
            runtime,
            connection,
        }
    }

    fn run(&mut self, sql: &str) {
        self.runtime
            .block_on(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection))
            .expect("it runs");
    }

    fn ask(&mut self, sql: &str) -> Vec<String> {
        let rows = self
            .runtime
            .block_on(sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection))
            .expect("it answers");
        rows.iter()
            .map(|row| {
                row.try_get::<String, _>(0)
                    .unwrap_or_else(|_| row.get::<i64, _>(0).to_string())
            })
            .collect()
    }

    fn close(self) {
        self.runtime
            .block_on(self.connection.close())
            .expect("it closes");
    }
}

const EVERYTHING: &str = r#"
pragma page_size = 8192; pragma auto_vacuum = 2; pragma encoding = 'UTF-16le';
pragma user_version = 77; pragma application_id = 305419896; pragma foreign_keys = on;
create table types (id integer primary key autoincrement, i integer, r real, t text, b blob, n numeric, g text generated always as (t || '!') stored);
insert into types (i, r, t, b, n) values (9223372036854775807, 1e308, 'ünï 日本', x'00ff00', 3.14), (null, null, '', x'', null), (-1, -0.5, 'a''b"c', zeroblob(100000), '12');
create table "Tåble "" ' x" ("cöl 1" text primary key, "-x" any) without rowid;
insert into "Tåble "" ' x" values ('k', 1), ('ü', 'two');
create table strict_one (a int, b text) strict;
insert into strict_one values (1, 'x');
create table no_key (word text);
insert into no_key values ('a'), ('b'), ('c'); delete from no_key where word = 'b';
create table child (id integer primary key, p integer references types(id) on delete cascade);
insert into child values (1, 1);
create view seen as select t from types where i is not null;
create trigger guarded before delete on child begin select raise(abort, 'no'); end;
create unique index types_t on types (t) where t <> '';
create virtual table words using fts5 (body);
insert into words values ('quick brown fox'), ('lazy dog');
create virtual table boxes using rtree (id, x0, x1);
insert into boxes values (1, 0, 2);
analyze;
"#;

/// All that a database is: settings, schema, rows with their hidden numbers.
fn text_of(path: &Path) -> Vec<String> {
    let mut app = App::new(path);
    let mut text = Vec::new();
    for setting in [
        "user_version",
        "application_id",
        "encoding",
        "page_size",
        "auto_vacuum",
        "integrity_check",
        "foreign_key_check",
    ] {
        text.extend(app.ask(&format!("pragma {setting}")));
    }
    text.extend(app.ask("select type || name || tbl_name || coalesce(sql, '') from sqlite_schema order by type, name"));
    for table in app.ask("select name from sqlite_schema where type = 'table' and sql not like 'create virtual%' order by name") {
        let quoted = table.replace('"', "\"\"");
        let columns = app.ask(&format!("select 'quote(\"' || replace(name, '\"', '\"\"') || '\")' from pragma_table_xinfo('{}')", table.replace('\'', "''")));
        text.extend(app.ask(&format!("select {} from \"{quoted}\" order by 1", columns.join(" || ',' || "))));
    }
    text.extend(app.ask("select rowid || word from no_key order by rowid"));
    text.extend(app.ask("select body from words where words match 'fox'"));
    app.close();
    text
}

fn everything_comes_back_elsewhere() {
    let bed = Bed::new();
    let path = bed.path("öl 100%?#.db");
    let mut app = App::new(&path);
    app.run(EVERYTHING);
    let rows = std::env::var("BACKUPX_TEST_ROWS").unwrap_or_else(|_| "200000".to_owned());
    app.run(&format!("create table big (id integer primary key, word text, number real);
        with recursive n(n) as (select 1 union all select n + 1 from n where n < {rows}) insert into big select n, hex(n * 7919), n / 7.0 from n;
        create index big_word on big (word);"));
    app.close();
    let bytes = bed.dump(&path).expect("it is copied");
    let copy = bed.path("below/elsewhere.db");
    bed.put_back(&bytes, &copy, Existing::Refuse)
        .expect("it is put back");
    let (before, after) = (text_of(&path), text_of(&copy));
    assert_eq!(before.len(), after.len());
    assert!(before == after, "the databases differ");
    assert!(
        after.contains(&"77".to_owned())
            && after.contains(&"UTF-16le".to_owned())
            && after.contains(&"8192".to_owned())
    );
    assert_eq!(
        std::fs::metadata(&copy).expect("there").len(),
        bytes.len() as u64
    );
}

fn never_06_a_copy_under_write_load_is_one_moment() {
    let bed = Bed::new();
    let path = bed.path("busy.db");
    let mut app = App::wal(&path);
    app.run("create table log (n integer primary key, half integer, filler blob)");
    let (over, committed) = (AtomicBool::new(false), AtomicI64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !over.load(Ordering::Relaxed) {
                // Both or none.
                app.run(&format!("begin immediate; insert into log values ({}, 1, randomblob(3000)); insert into log values ({}, 2, randomblob(3000)); commit", n + 1, n + 2));
                n += 2;
                committed.store(n, Ordering::Release);
            }
        });
        for round in 0..5_i64 {
            while committed.load(Ordering::Acquire) < (round + 1) * 100 {
                std::thread::yield_now();
            }
            let before = committed.load(Ordering::Acquire);
            let bytes = bed.dump(&path).expect("it is copied");
            let after = committed.load(Ordering::Acquire) + 2;
            let copy = bed.path(&format!("copy {round}.db"));
            bed.put_back(&bytes, &copy, Existing::Refuse)
                .expect("it is put back");
            let mut copied = App::new(&copy);
            let count: i64 = copied.ask("select count(*) from log")[0]
                .parse()
                .expect("a number");
            assert_eq!(copied.ask("select max(n) from log"), [count.to_string()]);
            assert!(
                count % 2 == 0 && (before..=after).contains(&count),
                "{before} {count} {after}"
            );
            assert_eq!(copied.ask("pragma integrity_check"), ["ok"]);
            assert_eq!(copied.ask("pragma journal_mode"), ["delete"]);
            copied.close();
        }
        over.store(true, Ordering::Relaxed);
    });
}

fn small(path: &Path, word: &str) {
    let mut app = App::new(path);
    app.run(&format!(
        "create table t (word text); insert into t values ('{word}')"
    ));
    app.close();
}

fn word_in(path: &Path) -> Vec<String> {
    let mut app = App::new(path);
    let words = app.ask("select word from t");
    // A connection that is only dropped closes its file some time later.
    app.close();
    words
}

fn patterns_mean_the_files_that_are_there() {
    let bed = Bed::new();
    for name in [
        "a.db",
        "b.db",
        "c.txt",
        ".hidden.db",
        "*.db",
        "x/data.db",
        "y/data.db",
    ] {
        let path = bed.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        small(&path, "x");
    }
    std::fs::write(bed.path("a.db-wal"), b"").expect("written");
    let names = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns.iter().map(|pattern| bed.path(pattern)).collect();
        let patterns: Vec<_> = patterns.iter().map(PathBuf::as_path).collect();
        let source = bed.source(&patterns);
        let plan = source.plan(&StopFlag::default());
        let short = |name: &str| name.replace(&format!("{}/", bed.folder.path().display()), "");
        plan.map(|plan| {
            plan.dumps
                .iter()
                .map(|dump| short(&dump.name))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(names(&["?.db"]).expect("found"), ["*.db", "a.db", "b.db"]);
    assert_eq!(
        names(&["*/data.db", "a.db"]).expect("found"),
        ["a.db", "x/data.db", "y/data.db"]
    );
    // A file of that very name.
    assert_eq!(names(&["*.db"]).expect("found"), ["*.db"]);
    assert_eq!(names(&["a.db*"]).expect("found"), ["a.db"]);
    assert_eq!(
        names(&["none*"]).expect_err("there is none").code(),
        "source_missing"
    );
    assert_eq!(
        names(&["a.db", "gone.db"]).expect_err("it is gone").code(),
        "source_missing"
    );
    small(&bed.path("d.db"), "new");
    assert_eq!(names(&["?.db"]).expect("found").len(), 4);
}

fn what_is_no_database_is_said_as_such() {
    let bed = Bed::new();
    let text = bed.path("text.db");
    std::fs::write(&text, "not a database").expect("written");
    for path in [text.as_path(), bed.folder.path()] {
        let source = bed.source(&[path]);
        assert_eq!(
            source
                .plan(&StopFlag::default())
                .expect_err("it is none")
                .code(),
            "not_a_database"
        );
        assert_eq!(
            bed.dump(path).expect_err("it is none").code(),
            "not_a_database"
        );
    }
    assert_eq!(
        bed.dump(&bed.path("gone")).expect_err("it is gone").code(),
        "source_missing"
    );
}

fn never_01_a_damaged_database_is_never_green() {
    let bed = Bed::new();
    let path = bed.path("damaged.db");
    let mut app = App::new(&path);
    app.run("pragma page_size = 4096; create table t (a integer primary key, b text); create index i on t (b);
        with recursive n(n) as (select 1 union all select n + 1 from n where n < 20000) insert into t select n, hex(n * 7919) from n");
    app.close();
    let whole = std::fs::read(&path).expect("there");
    let mut torn = whole.clone();
    torn[40 * 4096..44 * 4096].fill(0x5a);
    for bytes in [&torn[..], &whole[..whole.len() / 2]] {
        std::fs::write(&path, bytes).expect("written");
        let error = bed.dump(&path).expect_err("it is damaged");
        assert_eq!(error.code(), "database_damaged", "{}", error.message());
    }
}

fn a_file_that_is_there_is_refused_or_replaced() {
    let bed = Bed::new();
    let (from, to) = (bed.path("from.db"), bed.path("to.db"));
    small(&from, "new");
    small(&to, "old");
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o640)).expect("set");
    std::fs::write(bed.path("to.db-wal"), b"left over").expect("written");
    let bytes = bed.dump(&from).expect("it is copied");
    let error = bed
        .put_back(&bytes, &to, Existing::Refuse)
        .expect_err("it is there");
    assert_eq!(error.code(), "database_exists");
    bed.put_back(&bytes, &to, Existing::Replace)
        .expect("it is replaced");
    assert_eq!(word_in(&to), ["new"]);
    let mode = std::fs::metadata(&to).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(files_in(bed.folder.path()), ["from.db", "to.db"]);
    let new = bed.path("new.db");
    bed.put_back(&bytes, &new, Existing::Refuse)
        .expect("it is put back");
    let mode = std::fs::metadata(&new).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn a_file_that_is_open_is_never_replaced() {
    let bed = Bed::new();
    let (from, to) = (bed.path("from.db"), bed.path("to.db"));
    small(&from, "new");
    small(&to, "old");
    let bytes = bed.dump(&from).expect("it is copied");
    let app = App::new(&to);
    let error = bed
        .put_back(&bytes, &to, Existing::Replace)
        .expect_err("it is open");
    assert_eq!(error.code(), "database_in_use");
    assert!(
        error
            .message()
            .contains(&format!("process {} (", std::process::id())),
        "{}",
        error.message()
    );
    app.close();
    bed.put_back(&bytes, &to, Existing::Replace)
        .expect("it is closed");
}

fn never_04_half_a_file_is_never_put_in_place() {
    let bed = Bed::new();
    let (from, to) = (bed.path("from.db"), bed.path("to.db"));
    small(&from, "new");
    small(&to, "old");
    let bytes = bed.dump(&from).expect("it is copied");
    for broken in [
        &bytes[..0],
        &bytes[..100],
        &bytes[..bytes.len() - 4096],
        b"no database",
    ] {
        let error = bed
            .put_back(broken, &to, Existing::Replace)
            .expect_err("it is broken");
        assert_eq!(error.code(), "restore_failed", "{}", error.message());
        assert_eq!(word_in(&to), ["old"]);
        assert_eq!(files_in(bed.folder.path()), ["from.db", "to.db"]);
    }
}

fn a_copy_ends_when_the_run_is_stopped() {
    let bed = Bed::new();
    let path = bed.path("locked.db");
    small(&path, "x");
    let mut app = App::new(&path);
    // As an application in exclusive mode.
    app.run("begin exclusive");
    let stop = StopFlag::default();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let source = bed.source(&[&path]);
            source.read(&dump(&path), &mut Vec::new(), &bed.heard, &stop)
        });
        while files_in(bed.temp.path()).is_empty() && !reading.is_finished() {
            std::thread::yield_now();
        }
        stop.stop();
        let error = reading
            .join()
            .expect("no panic")
            .expect_err("it was stopped");
        assert_eq!(error.code(), "cancelled");
    });
    assert_eq!(files_in(bed.temp.path()), Vec::<String>::new());
    app.run("rollback");
    bed.dump(&path).expect("it is free");
}

fn a_check_says_what_is_there() {
    let bed = Bed::new();
    let (path, gone) = (bed.path("a.db"), bed.path("gone.db"));
    small(&path, "x");
    let steps = bed.source(&[&path]).check(&StopFlag::default());
    assert!(
        steps.len() == 2 && steps.iter().all(|step| step.ok),
        "{steps:?}"
    );
    let steps = bed.source(&[&path, &gone]).check(&StopFlag::default());
    let last = steps.last().expect("a step");
    assert!(!last.ok && last.message.contains("gone.db"), "{steps:?}");
    let found = bed
        .source(&[&path])
        .discover(&StopFlag::default())
        .expect("found");
    assert!(found[0].size_bytes.is_some_and(|size| size > 0));
}
