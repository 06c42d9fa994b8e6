//! The schema: the migrations of both engines carry the same numbers and lead to the same tables, columns, keys and indexes.
//!
//! Nothing here names a table. Each engine is asked what it has, in words that both share, and the two answers are compared. The question
//! is put by a last migration that leaves its answer in the settings, since the stores run no statement for a stranger.

use crate::case::block_on;
use crate::postgres;
use anyhow::{Context, Result, ensure};
use backupx_core::ports::settings::Settings;
use backupx_sql::SqlStores;
use backupx_sql::migrate::{Migration, POSTGRES, SQLITE};
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What is asked of both engines together.
pub(crate) fn trials() -> Vec<Trial> {
    let ignored = postgres::server().is_none() && !crate::backend::is_required();
    let why = if ignored {
        "BACKUPX_TEST_POSTGRES_URL is not set"
    } else {
        ""
    };
    vec![
        Trial::test("schema::migrations_are_numbered_alike", || {
            block_on(async { migrations_are_numbered_alike() })
        }),
        Trial::test("schema::both_engines_come_to_the_same_schema", || {
            block_on(both_engines_come_to_the_same_schema())
        })
        .with_ignored_flag(ignored)
        .with_kind(why),
        Trial::test("schema::a_difference_between_the_engines_is_seen", || {
            block_on(a_difference_between_the_engines_is_seen())
        })
        .with_ignored_flag(ignored)
        .with_kind(why),
    ]
}

/// What an engine has, one fact a line.
type Facts = BTreeSet<String>;

/// `column TABLE.COLUMN KIND`, `given`, `key`, `unique`, `index` and `foreign key` of everything in a SQLite file.
const OF_SQLITE: &str = r#"
INSERT INTO settings (key, value) SELECT 'schema', group_concat(fact, char(10)) FROM (
  SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || CASE WHEN c."notnull" OR c.pk > 0 THEN ' not null' ELSE '' END
      || COALESCE(' default ' || c.dflt_value, '') AS fact
    FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
  UNION ALL
  SELECT 'given ' || t.name || '.' || c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND c.pk > 0 AND t.sql LIKE '%AUTOINCREMENT%'
  UNION ALL
  SELECT 'key ' || t.name || ' (' || group_concat(c.name, ', ' ORDER BY c.pk) || ')'
    FROM sqlite_master AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND c.pk > 0 AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' GROUP BY t.name
  UNION ALL
  SELECT CASE i.origin WHEN 'c' THEN 'index ' || i.name || CASE WHEN i."unique" THEN ' unique' ELSE '' END ELSE 'unique' END
      || ' on ' || t.name || ' (' || group_concat(c.name || CASE WHEN c.desc THEN ' desc' ELSE '' END, ', ' ORDER BY c.seqno) || ')'
      || CASE WHEN i.partial THEN (SELECT ' where ' || substr(sql, instr(upper(sql), ' WHERE ') + 7) FROM sqlite_master WHERE name = i.name)
         ELSE '' END
    FROM sqlite_master AS t, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS c
    WHERE t.type = 'table' AND i.origin <> 'pk' AND c.key GROUP BY t.name, i.name
  UNION ALL
  SELECT 'foreign key ' || t.name || ' (' || group_concat(f."from", ', ' ORDER BY f.seq) || ') to ' || f."table" || ' ('
      || group_concat(f."to", ', ' ORDER BY f.seq) || ') on delete ' || f.on_delete || ' on update ' || f.on_update
    FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' GROUP BY t.name, f.id
  UNION ALL
  SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('view', 'trigger')
)"#;

/// The same of the current schema of a Postgres server.
const OF_POSTGRES: &str = r"
INSERT INTO settings (key, value) SELECT 'schema', string_agg(fact, chr(10)) FROM (
  SELECT 'column ' || c.table_name || '.' || c.column_name || ' ' || c.data_type || CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
      || COALESCE(' default ' || c.column_default, '') AS fact
    FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
  UNION ALL
  SELECT 'given ' || table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES'
  UNION ALL
  SELECT CASE k.contype WHEN 'p' THEN 'key ' WHEN 'u' THEN 'unique on '
        ELSE 'index ' || i.relname || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || ' on ' END
      || t.relname || ' (' || (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true)
          || CASE WHEN x.indoption[n - 1] & 1 = 1 THEN ' desc' ELSE '' END, ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) AS n) || ')'
      || COALESCE(' where ' || pg_get_expr(x.indpred, x.indrelid), '')
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
    LEFT JOIN pg_constraint AS k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u')
    WHERE t.relnamespace = CAST(current_schema() AS regnamespace)
  UNION ALL
  SELECT 'foreign key ' || t.relname || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY p.n)
          FROM unnest(f.conkey) WITH ORDINALITY AS p (col, n) JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = p.col)
      || ') to ' || o.relname || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY p.n)
          FROM unnest(f.confkey) WITH ORDINALITY AS p (col, n) JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = p.col)
      || ') on delete ' || r.delete_rule || ' on update ' || r.update_rule
    FROM pg_constraint AS f JOIN pg_class AS t ON t.oid = f.conrelid JOIN pg_class AS o ON o.oid = f.confrelid
    JOIN information_schema.referential_constraints AS r ON r.constraint_name = f.conname AND r.constraint_schema = current_schema()
    WHERE f.contype = 'f' AND t.relnamespace = CAST(current_schema() AS regnamespace)
  UNION ALL
  SELECT 'view ' || table_name FROM information_schema.views WHERE table_schema = current_schema()
  UNION ALL
  SELECT 'trigger ' || trigger_name FROM information_schema.triggers WHERE trigger_schema = current_schema()
) AS facts";

/// The facts after these migrations.
async fn facts(url: &str, migrations: &[Migration], question: &'static str) -> Result<Facts> {
    let mut migrations = migrations.to_vec();
    migrations.push(Migration {
        number: i64::MAX,
        name: "question",
        sql: question,
    });
    let stores = SqlStores::connect_with(url, &migrations).await?;
    let answer = stores.get("schema").await?;
    stores.close().await;
    let answer = answer.context("the engine answered nothing")?;
    Ok(answer.lines().map(shared).collect())
}

/// A fact in the words of both: whole numbers have one kind, and what Postgres adds to an expression is left away.
fn shared(fact: &str) -> String {
    let fact = fact.to_lowercase().replace("bigint", "integer");
    let fact = fact.replace("::text", "").replace("::integer", "");
    let (before, condition) = fact.split_once(" where ").unwrap_or((&fact, ""));
    let condition = condition.replace(['(', ')'], "");
    let fact = match condition.is_empty() {
        true => before.to_owned(),
        false => format!("{before} where {condition}"),
    };
    fact.replace('"', "")
}

async fn of_sqlite(migrations: &[Migration]) -> Result<Facts> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    facts(&url, migrations, OF_SQLITE).await
}

async fn of_postgres(migrations: &[Migration]) -> Result<Facts> {
    facts(&postgres::schema().await?, migrations, OF_POSTGRES).await
}

/// The facts that only one of two engines has.
fn differences(sqlite: &Facts, postgres: &Facts) -> Vec<String> {
    let only = |here: &Facts, there: &Facts, name: &str| {
        here.difference(there)
            .map(|fact| format!("only {name}: {fact}"))
            .collect::<Vec<_>>()
    };
    let mut all = only(sqlite, postgres, "SQLite");
    all.extend(only(postgres, sqlite, "Postgres"));
    all
}

async fn both_engines_come_to_the_same_schema() -> Result<()> {
    let (sqlite, postgres) = (of_sqlite(SQLITE).await?, of_postgres(POSTGRES).await?);
    let different = differences(&sqlite, &postgres);
    ensure!(different.is_empty(), "{}", different.join("\n"));
    for kind in ["column", "given", "key", "unique", "index", "foreign key"] {
        let seen = sqlite.iter().any(|fact| fact.starts_with(kind));
        ensure!(seen, "no {kind} was seen: the question misses it");
    }
    Ok(())
}

/// Each pair leads to schemas that differ in one thing, and that is told.
async fn a_difference_between_the_engines_is_seen() -> Result<()> {
    let pairs = [
        (
            "ALTER TABLE nodes ADD COLUMN x INTEGER",
            "ALTER TABLE nodes ADD COLUMN x TEXT",
            "nodes.x",
        ),
        (
            "ALTER TABLE nodes ADD COLUMN x INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE nodes ADD COLUMN x BIGINT DEFAULT 0",
            "nodes.x",
        ),
        (
            "CREATE INDEX nodes_x ON nodes (created_at) WHERE token_hash IS NOT NULL",
            "CREATE INDEX nodes_x ON nodes (created_at) WHERE token_hash IS NULL",
            "nodes_x",
        ),
        (
            "CREATE UNIQUE INDEX nodes_x ON nodes (created_at)",
            "CREATE INDEX nodes_x ON nodes (created_at)",
            "nodes_x",
        ),
        (
            "CREATE TABLE x (id INTEGER PRIMARY KEY, node_id INTEGER REFERENCES nodes (id) ON DELETE CASCADE) STRICT",
            "CREATE TABLE x (id BIGINT PRIMARY KEY, node_id BIGINT REFERENCES nodes (id))",
            "foreign key x (node_id)",
        ),
    ];
    for (sqlite, postgres, name) in pairs {
        let (sqlite, postgres) = (with(SQLITE, sqlite), with(POSTGRES, postgres));
        let different = differences(&of_sqlite(&sqlite).await?, &of_postgres(&postgres).await?);
        let told = different.len() == 2 && different.iter().all(|line| line.contains(name));
        ensure!(told, "expected {name} twice, got {different:#?}");
    }
    Ok(())
}

/// The same migrations and one more.
fn with(migrations: &[Migration], sql: &'static str) -> Vec<Migration> {
    let mut migrations = migrations.to_vec();
    migrations.push(Migration {
        number: i64::MAX - 1,
        name: "later",
        sql,
    });
    migrations
}

/// The program applies every file that is there, both engines have the same ones, and they are in order.
fn migrations_are_numbered_alike() -> Result<()> {
    for (engine, migrations) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files = Vec::new();
        for entry in fs::read_dir(folder.join(engine))? {
            files.push(entry?.file_name().to_string_lossy().into_owned());
        }
        files.sort();
        let known: Vec<_> = migrations
            .iter()
            .map(|migration| format!("{:04}_{}.sql", migration.number, migration.name))
            .collect();
        ensure!(files == known, "{engine}: {files:?} is not {known:?}");
    }
    let names = |migrations: &[Migration]| -> Vec<_> {
        let numbered = migrations.iter();
        numbered.map(|one| (one.number, one.name)).collect()
    };
    ensure!(names(SQLITE) == names(POSTGRES));
    Ok(())
}
