//! Throw-away servers: what a real one of each version held comes up in one of the same version, is asked by somebody who only reads, and goes.

use super::bed::{Bed, Task, custom, under};
use crate::support::Heard;
use backupx_core::domain::dump::{Dump, DumpFormat};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::dumps::{DataFolder, DatabaseAccess, DumpOpener};
use backupx_core::ports::source::StopFlag;
use backupx_sources::Databases;
use std::collections::BTreeMap;

fn access(bed: &Bed) -> DatabaseAccess {
    DatabaseAccess {
        spec: SourceSpec::Postgresql(bed.spec()),
        secrets: BTreeMap::new(),
        temp_dir: None,
    }
}

pub(super) fn a_throwaway_server_takes_what_this_one_held(bed: &Bed) {
    bed.fill("thrown");
    // Granted by the superuser that made the cluster, whose name is not the throw-away's.
    bed.psql(
        "postgres",
        "drop role if exists thrown_reader; create role thrown_reader; grant pg_read_all_data to thrown_reader",
    );
    let stop = StopFlag::default();
    let mut spec = bed.spec();
    spec.databases.only = vec!["thrown".to_owned()];
    let task = Task::new(spec);
    let plan = task.source.plan(&stop).expect("a plan");
    let globals = Dump::accounts("globals", DumpFormat::PostgresqlSql);
    let dumps: Vec<_> = [globals, custom("thrown")]
        .into_iter()
        .map(|dump| {
            let bytes = task.dump(&dump).expect("dumped");
            (dump, bytes)
        })
        .collect();

    let opener = Databases::default();
    let mut server = opener
        .throwaway(&access(bed), &plan.tools["server"], &stop)
        .expect("there are programs of this version");
    let begin = format!("PostgreSQL {}", bed.major);
    assert!(
        server.describe().starts_with(&begin),
        "{}",
        server.describe()
    );
    server.start(DataFolder::Fresh, &stop).expect("it starts");
    let folder = server.scratch().path().to_owned();
    let restoring = opener.open(&server.access()).expect("settings");
    for (dump, bytes) in &dumps {
        let (mut input, heard) = (bytes.as_slice(), Heard::default());
        restoring
            .put_back(dump, &mut input, &under(&dump.name), &heard, &stop)
            .expect("put back");
        assert_eq!(heard.warnings(), Vec::<String>::new());
    }
    let reader = server.reader(&stop).expect("a reader");
    let asked = opener.open(&reader).expect("settings");
    let question = "select count(*) || ' ' || md5(string_agg(c.relname, ',' order by c.oid)) from pg_class c join pg_namespace n \
                    on n.oid = c.relnamespace where relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
    let question = question.replace("order by c.oid", "order by n.nspname, c.relname");
    let ask = |query: &str| asked.ask("thrown", query, &stop);
    assert_eq!(
        ask(&question).expect("it answers").as_deref(),
        Some(bed.psql("thrown", &question).trim())
    );
    // Every table of the restored database can be counted by whoever asks, and has its rows.
    let tables = "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                  where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and position('.' in n.nspname) = 0";
    let tables = bed.psql("thrown", tables);
    assert!(tables.lines().count() > 2, "{tables}");
    for table in tables.lines() {
        let before = task.source.count("thrown", table, &stop);
        let after = asked.count("thrown", table, &stop);
        assert_eq!(after.expect("counted"), before.expect("counted"), "{table}");
    }
    assert_eq!(ask("select null").expect("it answers"), None);
    assert_eq!(ask("select 1 where false").expect("it answers"), None);
    assert_eq!(ask("select ''").expect("it answers").as_deref(), Some(""));
    for refused in [
        "select pg_read_file('/etc/hostname')",
        "with x as (select 1) select lo_import('/etc/hostname')",
        "select nextval('no_such_sequence')",
    ] {
        let error = ask(refused).expect_err("it may not");
        assert!(
            matches!(error.code(), "rights_missing" | "query_failed"),
            "{error}"
        );
    }
    assert!(
        restoring.drop_database("not there", &stop).is_ok(),
        "what is not there is as good as dropped"
    );
    restoring.drop_database("thrown", &stop).expect("dropped");
    drop((restoring, asked, server));
    assert!(!folder.exists());
    bed.drop("thrown");
    bed.psql("postgres", "drop role thrown_reader");
}

pub(super) fn what_a_newer_server_held_is_refused_in_plain_words(bed: &Bed) {
    let version = format!("{}.1", bed.major + 1);
    let refused = Databases::default().throwaway(&access(bed), &version, &StopFlag::default());
    let Err(error) = refused else {
        panic!("it is too old for {version}");
    };
    assert_eq!(error.code(), "server_version_mismatch");
    for part in [version.as_str(), "initdb", "tools"] {
        assert!(error.message().contains(part), "{error}");
    }
}
