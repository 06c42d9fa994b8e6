//! The architecture, held by a test: who may depend on whom, which crate may know which driver, and how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// One row of the table in ARCHITECTURE.md.
struct Row {
    name: &'static str,
    /// The crates of this workspace that it may import.
    inside: &'static [&'static str],
    /// The crates of `HEAVY` that it may import; the rest of `HEAVY` is forbidden, small pure crates are free.
    heavy: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row {
        name: "backupx-core",
        inside: &[],
        heavy: &[],
    },
    Row {
        name: "backupx-api",
        inside: &["backupx-core"],
        heavy: &["utoipa"],
    },
    Row {
        name: "backupx-app",
        inside: &["backupx-core"],
        heavy: &["age", "argon2", "tokio"],
    },
    Row {
        name: "backupx-engine",
        inside: &["backupx-core"],
        heavy: &["age", "flate2", "rustix", "tar", "tokio", "xattr", "zstd"],
    },
    Row {
        name: "backupx-http",
        inside: &["backupx-api", "backupx-app", "backupx-core"],
        heavy: &[
            "axum",
            "axum-extra",
            "jsonwebtoken",
            "lambda_http",
            "metrics-exporter-prometheus",
            "rust-embed",
            "tokio",
            "tokio-stream",
            "tokio-util",
            "tower",
            "tower-http",
            "utoipa",
            "utoipa-axum",
        ],
    },
    Row {
        name: "backupx-agent",
        inside: &["backupx-api", "backupx-core", "backupx-engine"],
        heavy: &["reqwest", "rustix", "rustls", "tokio", "tokio-util"],
    },
    Row {
        name: "backupx-sql",
        inside: &["backupx-core"],
        heavy: &["sqlx", "tokio"],
    },
    Row {
        name: "backupx-redis",
        inside: &["backupx-core"],
        heavy: &["deadpool-redis", "tokio"],
    },
    Row {
        name: "backupx-storage",
        inside: &["backupx-core"],
        heavy: &["opendal", "reqwest", "rustix", "tokio", "tokio-util"],
    },
    Row {
        name: "backupx-sources",
        inside: &["backupx-core"],
        heavy: &["ignore", "rustix", "sqlx", "tokio", "xattr"],
    },
    Row {
        name: "backupx-notify",
        inside: &["backupx-core"],
        heavy: &["lettre", "reqwest", "tokio"],
    },
];

/// Crates that bring I/O, a runtime, a driver, a protocol or a codec. A new one of this kind belongs here.
const HEAVY: &[&str] = &[
    "age",
    "argon2",
    "async-std",
    "aws-sdk-s3",
    "axum",
    "axum-extra",
    "clap",
    "clap_complete",
    "comfy-table",
    "crossterm",
    "deadpool-redis",
    "dialoguer",
    "flate2",
    "hyper",
    "ignore",
    "indicatif",
    "jsonwebtoken",
    "lambda_http",
    "lettre",
    "lz4_flex",
    "metrics-exporter-prometheus",
    "mongodb",
    "mysql_async",
    "nix",
    "notify",
    "opendal",
    "openssl",
    "postgres",
    "redis",
    "reqwest",
    "ring",
    "rusqlite",
    "rust-embed",
    "rustix",
    "rustls",
    "smol",
    "sqlx",
    "tar",
    "tokio",
    "tokio-postgres",
    "tokio-stream",
    "tokio-util",
    "tonic",
    "tower",
    "tower-http",
    "tracing-subscriber",
    "ureq",
    "utoipa",
    "utoipa-axum",
    "xattr",
    "zstd",
];

/// A file may be this long; a longer one gives its reason (a line with "600 lines") at its head.
const LINES: usize = 600;
const HEAD: usize = 12;

/// The rules of what must never happen that this release keeps, each by a test named `never_NN_what_it_keeps`.
const RULES: &[u8] = &[
    1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29, 30, 32, 33,
];

#[test]
fn every_crate_has_a_row_in_the_table() -> Result<()> {
    let known: BTreeSet<_> = TABLE
        .iter()
        .map(|row| row.name)
        .chain(["backupx"])
        .collect();
    let unknown: Vec<_> = workspace()?
        .iter()
        .map(|package| package.name.to_string())
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    ensure!(
        unknown.is_empty(),
        "crates without a row in tests/arch.rs: {unknown:?}"
    );
    Ok(())
}

#[test]
fn crates_depend_inward_only() -> Result<()> {
    let packages = workspace()?;
    let inside: BTreeSet<_> = packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    forbidden(&packages, |row, name| {
        inside.contains(name) && !row.inside.contains(&name)
    })
}

#[test]
fn drivers_and_codecs_stay_in_the_crates_that_may_know_them() -> Result<()> {
    forbidden(&workspace()?, |row, name| {
        HEAVY.contains(&name) && !row.heavy.contains(&name)
    })
}

#[test]
fn heavy_crates_of_the_table_are_all_named_as_heavy() -> Result<()> {
    let missing: Vec<_> = TABLE
        .iter()
        .flat_map(|row| row.heavy)
        .filter(|name| !HEAVY.contains(name))
        .collect();
    ensure!(
        missing.is_empty(),
        "allowed somewhere but missing in HEAVY, so allowed everywhere: {missing:?}"
    );
    Ok(())
}

#[test]
fn only_the_composition_root_names_adapters() -> Result<()> {
    let adapters = [
        "backupx_sql",
        "backupx_redis",
        "backupx_storage",
        "backupx_sources",
        "backupx_notify",
    ];
    let mut found = Vec::new();
    for path in binary_sources()? {
        if path.ends_with("src/wire.rs") || path.starts_with(root().join("src/wire")) {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let named = adapters
            .iter()
            .filter(|name| code_lines(&text).any(|line| line.contains(*name)));
        found.extend(named.map(|name| format!("{} names {name}", shown(&path))));
    }
    ensure!(
        found.is_empty(),
        "adapters are named in src/wire.rs alone:\n{}",
        found.join("\n")
    );
    Ok(())
}

#[test]
fn every_source_file_says_what_it_is_in_its_first_line() -> Result<()> {
    let mut silent = Vec::new();
    for path in sources(&["src", "adapters", "tests", "benches"])? {
        let text = fs::read_to_string(&path)?;
        if text
            .lines()
            .next()
            .is_none_or(|line| !line.starts_with("//! "))
        {
            silent.push(shown(&path));
        }
    }
    ensure!(
        silent.is_empty(),
        "these files do not start with a `//! ` line:\n{}",
        silent.join("\n")
    );
    Ok(())
}

#[test]
fn a_long_source_file_gives_its_reason() -> Result<()> {
    let mut long = Vec::new();
    for path in sources(&["src", "adapters", "tests"])? {
        let text = fs::read_to_string(&path)?;
        let reason = text
            .lines()
            .take(HEAD)
            .any(|line| line.starts_with("//!") && line.contains("600 lines"));
        if text.lines().count() > LINES && !reason {
            long.push(format!(
                "{} has {} lines",
                shown(&path),
                text.lines().count()
            ));
        }
    }
    ensure!(
        long.is_empty(),
        "over {LINES} lines without a reason at the head (a `//!` line with \"600 lines\"):\n{}",
        long.join("\n")
    );
    Ok(())
}

#[test]
fn every_rule_that_is_kept_has_its_test() -> Result<()> {
    let mut tested = BTreeSet::new();
    for path in sources(&["src", "adapters", "tests"])? {
        let text = fs::read_to_string(&path)?;
        for (at, mark) in text.match_indices("never_") {
            if let Some(rule) = text.get(at + mark.len()..at + mark.len() + 3)
                && let Some(rule) = rule.strip_suffix('_')
                && let Ok(rule) = rule.parse::<u8>()
            {
                tested.insert(rule);
            }
        }
    }
    let missing: Vec<_> = RULES.iter().filter(|rule| !tested.contains(rule)).collect();
    ensure!(
        missing.is_empty(),
        "rules without a test named never_NN_…: {missing:?}"
    );
    Ok(())
}

/// Fails with each normal or build dependency that `is_forbidden` for its crate's row; what only tests use is free.
fn forbidden(packages: &[Package], is_forbidden: impl Fn(&Row, &str) -> bool) -> Result<()> {
    let table: BTreeMap<_, _> = TABLE.iter().map(|row| (row.name, row)).collect();
    let mut found = Vec::new();
    for package in packages {
        let Some(row) = table.get(package.name.as_str()) else {
            continue;
        };
        let shipped = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development);
        found.extend(
            shipped
                .filter(|dependency| is_forbidden(row, &dependency.name))
                .map(|dependency| format!("{} -> {}", package.name, dependency.name)),
        );
    }
    ensure!(
        found.is_empty(),
        "dependencies that the table in tests/arch.rs forbids:\n{}",
        found.join("\n")
    );
    Ok(())
}

fn workspace() -> Result<Vec<Package>> {
    let metadata: Metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()?;
    Ok(metadata.packages)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The sources of the root package: the files of src/ and the folders in it that are no crates of their own.
fn binary_sources() -> Result<Vec<PathBuf>> {
    let in_a_crate = |path: &Path| {
        path.ancestors()
            .take_while(|folder| *folder != root())
            .any(|folder| folder.join("Cargo.toml").exists())
    };
    Ok(sources(&["src"])?
        .into_iter()
        .filter(|path| !in_a_crate(path))
        .collect())
}

fn sources(folders: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.exists())
        .collect();
    while let Some(folder) = waiting.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
        {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "found no source file under {folders:?}");
    Ok(found)
}

/// Lines that are no comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}
