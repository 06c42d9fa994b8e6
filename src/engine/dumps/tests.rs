//! Backups and restores of databases: what is whole, and what is left when it is not.

use super::*;
use crate::testing::{MemoryStore, Run, Watching, location, small_volumes};
use crate::{Destination, verify};
use backupx_core::domain::dump::{DatabaseRestore, Dump, DumpFormat};
use backupx_core::domain::operation::{Overwrite, RestoreSpec, VerifyMode};
use backupx_core::domain::report::{BackupReport, FoundDatabase, TestStep};
use backupx_core::domain::task::Compression;
use backupx_core::ports::dumps::{DumpPlan, DumpSource, PutBack};
use backupx_core::ports::objects::Layout;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

const END: &str = "\n-- Dump completed on a day\n";

/// How the server of a test misbehaves while it dumps its last database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Whole,
    /// It writes nothing and says that all is well.
    Nothing,
    /// It stops half way and says that all is well.
    Half,
    /// It writes everything and then fails.
    Fails,
}

/// A server with databases of these names and contents.
struct Server {
    databases: Vec<(&'static str, String)>,
    manner: Manner,
    put_back: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Server {
    fn with(databases: &[(&'static str, usize)], manner: Manner) -> Arc<Self> {
        let databases = databases
            .iter()
            .map(|(name, lines)| {
                let rows = (0..*lines).map(|n| format!("INSERT INTO {name} VALUES ({n});\n"));
                (*name, rows.collect::<String>() + END)
            })
            .collect();
        Arc::new(Self {
            databases,
            manner,
            put_back: Mutex::default(),
        })
    }

    fn taken(&self) -> BTreeMap<String, Vec<u8>> {
        self.put_back.lock().expect("nobody panics").clone()
    }
}

impl DumpSource for Server {
    fn check(&self, _: &StopFlag) -> Vec<TestStep> {
        Vec::new()
    }

    fn discover(&self, _: &StopFlag) -> Result<Vec<FoundDatabase>> {
        Ok(Vec::new())
    }

    fn plan(&self, _: &StopFlag) -> Result<DumpPlan> {
        let dump = |(name, _): &(&str, String)| Dump::database(*name, DumpFormat::MysqlSql);
        Ok(DumpPlan {
            dumps: self.databases.iter().map(dump).collect(),
            tools: [("dumper".to_owned(), "1.0".to_owned())].into(),
            warnings: vec!["accounts can't be read".to_owned()],
        })
    }

    fn read(
        &self,
        dump: &Dump,
        out: &mut dyn Write,
        notes: &dyn Notes,
        _: &StopFlag,
    ) -> Result<()> {
        let (last, _) = self.databases.last().expect("there is one");
        let (name, content) = self
            .databases
            .iter()
            .find(|(name, _)| *name == dump.name)
            .expect("it was planned");
        let manner = if name == last {
            self.manner
        } else {
            Manner::Whole
        };
        notes.warn(format!("{name} has a table without a key"));
        let bytes = match manner {
            Manner::Nothing => &[],
            Manner::Half => &content.as_bytes()[..content.len() / 2],
            Manner::Whole | Manner::Fails => content.as_bytes(),
        };
        out.write_all(bytes)
            .map_err(|error| crate::archive::lift(error, "dump_failed", "writing"))?;
        match manner {
            Manner::Fails => Err(Error::invalid(
                "dump_failed",
                "dumper ended with exit code 1",
            )),
            Manner::Whole | Manner::Nothing | Manner::Half => Ok(()),
        }
    }

    fn put_back(
        &self,
        _: &Dump,
        input: &mut dyn Read,
        how: &PutBack,
        _: &dyn Notes,
        _: &StopFlag,
    ) -> Result<()> {
        let mut content = Vec::new();
        input
            .read_to_end(&mut content)
            .map_err(|error| crate::archive::lift(error, "restore_failed", "reading"))?;
        self.put_back
            .lock()
            .expect("nobody panics")
            .insert(how.name.clone(), content);
        Ok(())
    }
}

async fn back_up(run: &Run, server: &Arc<Server>, stores: &[&MemoryStore]) -> Result<BackupReport> {
    let destinations = stores
        .iter()
        .zip(1..)
        .map(|(store, id)| store.destination(id))
        .collect();
    let server: Arc<dyn DumpSource> = Arc::<Server>::clone(server);
    backup(
        run.plan.clone(),
        server,
        destinations,
        Arc::new(Watching::default()),
        StopFlag::default(),
    )
    .await
}

fn everything() -> RestoreSpec {
    RestoreSpec {
        to: None,
        include: Vec::new(),
        overwrite: Overwrite::IfChanged,
        dry_run: false,
        database: None,
    }
}

async fn put_back(
    run: &Run,
    report: &BackupReport,
    sources: Vec<Destination>,
    server: &Arc<Server>,
    spec: RestoreSpec,
) -> Result<backupx_core::domain::report::RestoreReport> {
    let plan = DumpRestorePlan {
        location: location(),
        keys: run.keys(&report.streams),
        spec,
        server: Some(Arc::<Server>::clone(server)),
        server_name: "a server".to_owned(),
        names: BTreeMap::new(),
    };
    restore(
        plan,
        sources,
        Arc::new(Watching::default()),
        StopFlag::default(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn dumps_are_whole_on_every_kind_of_destination_and_come_back() -> Result<()> {
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        let run = Run::new(compression);
        let server = Server::with(
            &[("orders", 200_000), ("empty", 0), ("a/b", 3)],
            Manner::Whole,
        );
        let (one, many) = (
            MemoryStore::new(Layout::OneObject),
            MemoryStore::new(small_volumes()),
        );
        let report = back_up(&run, &server, &[&one, &many]).await?;
        assert!(
            report.copies.iter().all(|copy| copy.failure.is_none()),
            "{:?}",
            report.copies
        );
        assert_eq!((report.counts.entries, report.counts.warnings), (3, 4));
        let names: Vec<_> = report
            .streams
            .iter()
            .map(|stream| stream.stream.as_str())
            .collect();
        assert_eq!(
            names,
            ["data.orders.sql", "data.empty.sql", "data.a_b.sql", "index"]
        );
        for store in [&one, &many] {
            let copy = verify(
                &location(),
                &run.keys(&report.streams),
                VerifyMode::Full,
                &store.destination(1),
                Arc::new(Watching::default()),
                StopFlag::default(),
            )
            .await?;
            assert!(copy.ok, "{:?}", copy.problems);
            assert_eq!(copy.entries, 3);
        }
        put_back(
            &run,
            &report,
            vec![many.destination(2)],
            &server,
            everything(),
        )
        .await?;
        let taken = server.taken();
        assert_eq!(taken.len(), 3);
        for (name, content) in &server.databases {
            assert!(taken[*name] == content.as_bytes(), "{name} differs");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn never_01_a_dump_that_is_not_whole_is_no_backup() {
    for (manner, code) in [
        (Manner::Nothing, "dump_incomplete"),
        (Manner::Half, "dump_incomplete"),
        (Manner::Fails, "dump_failed"),
    ] {
        let run = Run::new(Compression::Zstd);
        let server = Server::with(&[("good", 10), ("bad", 100_000)], manner);
        let store = MemoryStore::new(small_volumes());
        let error = back_up(&run, &server, &[&store])
            .await
            .expect_err("it is not whole");
        assert_eq!(error.code(), code);
        let left = crate::read_manifest(store.destination(1).store.as_ref(), &location()).await;
        assert_eq!(left.expect_err("no manifest").code(), "manifest_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_of_many_comes_back_alone_and_under_another_name() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let server = Server::with(&[("a", 5), ("b", 6), ("c", 7)], Manner::Whole);
    let store = MemoryStore::new(small_volumes());
    let report = back_up(&run, &server, &[&store]).await?;
    let mut spec = everything();
    spec.database = Some(Box::new(DatabaseRestore {
        rename: Some("b_again".to_owned()),
        ..DatabaseRestore::default()
    }));
    let many = put_back(
        &run,
        &report,
        vec![store.destination(1)],
        &server,
        spec.clone(),
    )
    .await;
    assert_eq!(
        many.expect_err("one name for three").code(),
        "invalid_input"
    );
    spec.include = vec!["b".to_owned()];
    let done = put_back(
        &run,
        &report,
        vec![store.destination(1)],
        &server,
        spec.clone(),
    )
    .await?;
    assert_eq!((done.selected_entries, done.restored_entries), (1, 1));
    assert_eq!(server.taken().into_keys().collect::<Vec<_>>(), ["b_again"]);
    spec.include = vec!["nothing".to_owned()];
    let none = put_back(&run, &report, vec![store.destination(1)], &server, spec).await;
    assert_eq!(none.expect_err("there is none").code(), "nothing_selected");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dumps_become_files_and_stay_when_they_are_there() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let server = Server::with(&[("a", 5), ("b", 60_000)], Manner::Whole);
    let store = MemoryStore::new(Layout::OneObject);
    let report = back_up(&run, &server, &[&store]).await?;
    let folder = tempfile::tempdir().expect("a folder");
    let mut spec = everything();
    spec.to = Some(folder.path().join("deep").display().to_string());
    let first = put_back(
        &run,
        &report,
        vec![store.destination(1)],
        &server,
        spec.clone(),
    )
    .await?;
    assert_eq!((first.restored_entries, first.kept_entries), (2, 0));
    let content = |name: &str| {
        std::fs::read(Path::new(&folder.path().join("deep")).join(name)).expect("it is there")
    };
    assert!(content("a.sql") == server.databases[0].1.as_bytes());
    assert!(content("b.sql") == server.databases[1].1.as_bytes());
    std::fs::write(folder.path().join("deep/a.sql"), "changed").expect("writes");
    let again = put_back(
        &run,
        &report,
        vec![store.destination(1)],
        &server,
        spec.clone(),
    )
    .await?;
    assert_eq!((again.restored_entries, again.kept_entries), (1, 1));
    spec.overwrite = Overwrite::Never;
    std::fs::write(folder.path().join("deep/a.sql"), "changed").expect("writes");
    let never = put_back(&run, &report, vec![store.destination(1)], &server, spec).await?;
    assert_eq!((never.restored_entries, never.kept_entries), (0, 2));
    assert_eq!(content("a.sql"), b"changed");
    assert_eq!(
        std::fs::read_dir(folder.path().join("deep"))
            .expect("reads")
            .count(),
        2
    );
    assert!(server.taken().is_empty());
    Ok(())
}

#[test]
fn marks_know_each_format() {
    let whole = |format, content: &[u8]| {
        let mut marks = Marks::new();
        // In pieces of odd sizes, as a pipe gives them.
        content.chunks(7).for_each(|piece| marks.see(piece));
        marks.whole(&Dump::database("x", format)).is_ok()
    };
    let mut sqlite = b"SQLite format 3\0\x10\x00".to_vec();
    sqlite.resize(28, 0);
    sqlite.extend([0, 0, 0, 2]);
    sqlite.resize(8192, 0);
    assert!(whole(DumpFormat::Sqlite, &sqlite));
    assert!(!whole(DumpFormat::Sqlite, &sqlite[..8191]));
    assert!(whole(DumpFormat::PostgresqlCustom, b"PGDMP\x01\x0e"));
    assert!(!whole(DumpFormat::PostgresqlCustom, b"pg_dump: error"));
    let long = "x\n".repeat(9000);
    assert!(whole(
        DumpFormat::PostgresqlSql,
        format!("{long}--\n-- PostgreSQL database dump complete\n--\n").as_bytes()
    ));
    assert!(!whole(
        DumpFormat::PostgresqlSql,
        format!("-- PostgreSQL database dump complete\n{long}").as_bytes()
    ));
    assert!(whole(
        DumpFormat::MongodbArchive,
        b"\x6d\xe2\x99\x81 body \xff\xff\xff\xff"
    ));
    assert!(!whole(DumpFormat::MongodbArchive, b"\x6d\xe2\x99\x81 body"));
    let mut tar = b"backup.json\0".to_vec();
    tar.resize(4096, 0);
    assert!(whole(DumpFormat::SaphanaBackup, &tar));
    assert!(!whole(DumpFormat::SaphanaBackup, &tar[..4095]));
    assert!(!whole(DumpFormat::PostgresqlBase, &tar));
    assert!(!whole(DumpFormat::MysqlSql, b""));
}
