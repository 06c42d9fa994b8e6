//! What is in a backup: the direct children of one of its folders, from the index.

use crate::archive::{IndexEntry, IndexReader};
use crate::stream::{self, INDEX, RawStream};
use crate::{Destination, manifest};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::entry::{EntryKind, display_bytes};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::report::{FilePage, ListedEntry};
use backupx_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::sync::Arc;

/// Lists up to `limit` direct children of `path` (empty means the top) by path, behind the path `after`.
/// Takes the first of `sources` that answers. `NotFound` (`path_not_found`) when nothing in the backup has this path.
pub async fn list_files(
    location: &ObjectKey,
    sources: Vec<Destination>,
    keys: &[StreamKey],
    path: &str,
    limit: u32,
    after: Option<&str>,
) -> Result<FilePage> {
    let mut failure = Error::invalid("no_targets", "no target with a copy was named");
    for source in &sources {
        let page = Page::new(path, limit, after);
        match list_from(source, location, keys, page).await {
            Ok(page) => return Ok(page),
            Err(error) if error.code() == "path_not_found" => return Err(error),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn list_from(
    source: &Destination,
    location: &ObjectKey,
    keys: &[StreamKey],
    page: Page,
) -> Result<FilePage> {
    let manifest = manifest::read_manifest(source.store.as_ref(), location).await?;
    let index = stream::open(source, location, &manifest, INDEX, keys).await?;
    tokio::task::spawn_blocking(move || read(&index, page))
        .await
        .map_err(|error| {
            Error::internal("reading the index ended unexpectedly").with_source(error)
        })?
}

fn read(index: &Arc<dyn RawStream>, mut page: Page) -> Result<FilePage> {
    let mut entries = IndexReader::new(BufReader::with_capacity(1 << 20, index.open_at(0)?));
    while let Some(entry) = entries.next_entry()? {
        page.take(&entry);
    }
    page.finish()
}

/// A page in the making: the smallest paths behind `after`, one more than asked for.
struct Page {
    folder: String,
    prefix: String,
    limit: usize,
    after: Option<String>,
    found: BTreeMap<String, ListedEntry>,
    folder_seen: bool,
}

impl Page {
    fn new(path: &str, limit: u32, after: Option<&str>) -> Self {
        let folder = path.trim_matches('/').to_owned();
        Self {
            prefix: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            folder_seen: folder.is_empty(),
            folder,
            limit: limit.max(1) as usize,
            after: after.map(|path| path.trim_matches('/').to_owned()),
            found: BTreeMap::new(),
        }
    }

    fn take(&mut self, entry: &IndexEntry) {
        let path = display_bytes(&entry.path);
        let Some(name) = path.strip_prefix(&self.prefix) else {
            self.folder_seen |= path == self.folder;
            return;
        };
        self.folder_seen = true;
        match name.split_once('/') {
            None => self.insert(ListedEntry {
                name: name.to_owned(),
                kind: entry.kind,
                size: entry.size,
                mtime: entry.mtime.0,
                path,
            }),
            // A folder above what was asked to be backed up has no entry of its own.
            Some((child, _)) => {
                let path = format!("{}{child}", self.prefix);
                if !self.found.contains_key(&path) {
                    self.insert(ListedEntry {
                        name: child.to_owned(),
                        path,
                        kind: EntryKind::Dir,
                        size: 0,
                        mtime: 0,
                    });
                }
            }
        }
    }

    fn insert(&mut self, entry: ListedEntry) {
        if self
            .after
            .as_ref()
            .is_some_and(|after| entry.path <= *after)
        {
            return;
        }
        self.found.insert(entry.path.clone(), entry);
        if self.found.len() > self.limit + 1 {
            self.found.pop_last();
        }
    }

    fn finish(mut self) -> Result<FilePage> {
        if !self.folder_seen {
            return Err(Error::not_found(
                "path_not_found",
                format!("the backup has no {:?}", self.folder),
            ));
        }
        let more = self.found.len() > self.limit;
        if more {
            self.found.pop_last();
        }
        let next = if more {
            self.found.last_key_value().map(|(path, _)| path.clone())
        } else {
            None
        };
        Ok(FilePage {
            path: self.folder,
            entries: self.found.into_values().collect(),
            next,
        })
    }
}

#[cfg(test)]
mod tests;
