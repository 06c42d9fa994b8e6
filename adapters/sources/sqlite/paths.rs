//! Which files a task means: paths as they are, or patterns of some, looked up at each run.

use backupx_core::domain::database::matches;
use backupx_core::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files beside a database that belong to it and are none.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The files of `patterns`, each once, by name. `source_missing` when a path or pattern has none.
pub(super) fn expand(patterns: &[String]) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    for pattern in patterns {
        // What exists under that very name is meant, whatever stars are in it.
        if Path::new(pattern).symlink_metadata().is_ok() || !pattern.contains(['*', '?']) {
            std::fs::metadata(pattern).map_err(|error| missing(pattern, &error.to_string()))?;
            found.insert(pattern.clone());
            continue;
        }
        let files = walk(pattern);
        if files.is_empty() {
            return Err(missing(pattern, "no file is called so"));
        }
        found.extend(files);
    }
    Ok(found.into_iter().collect())
}

fn missing(pattern: &str, why: &str) -> Error {
    Error::not_found(
        "source_missing",
        format!("{pattern} does not exist on this node ({why}); correct the task or create it"),
    )
}

/// The files that a pattern stands for, folder by folder: a star never reaches into another folder.
fn walk(pattern: &str) -> Vec<String> {
    let mut places = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains(['*', '?']) {
            for place in &mut places {
                place.push(part);
            }
            continue;
        }
        let inside = |place: &PathBuf| std::fs::read_dir(place).into_iter().flatten().flatten();
        places = places
            .iter()
            .flat_map(inside)
            .filter(|entry| {
                let name = entry.file_name();
                name.to_str().is_some_and(|name| {
                    matches(part, name) && (part.starts_with('.') || !name.starts_with('.'))
                })
            })
            .map(|entry| entry.path())
            .collect();
    }
    places
        .into_iter()
        .filter(|path| path.is_file())
        .filter_map(|path| path.into_os_string().into_string().ok())
        .filter(|path| !COMPANIONS.iter().any(|end| path.ends_with(end)))
        .collect()
}
