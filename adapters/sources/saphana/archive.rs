//! The stream of a backup: a tar archive that begins with what HANA's catalogue says of it (`backup.json`), then the files, by their names.

use super::entry::Part;
use super::files::{self, incomplete};
use super::session::Server;
use crate::refusals::cancelled;
use crate::returning::not_whole;
use crate::tool::lift;
use backupx_core::domain::saphana::{SaphanaLevel, SaphanaVia};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};

/// The entry that stands first.
const DESCRIPTION: &str = "backup.json";
/// How many bytes it has at most.
const MOST_DESCRIPTION: u64 = 64 << 20;
/// The version of this archive.
const VERSION: u32 = 1;

/// What a backup is. Part of the storage format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    pub(super) format_version: u32,
    /// The database.
    pub(super) database: String,
    /// The system that it belongs to.
    pub(super) sid: String,
    /// The version of HANA.
    pub(super) version: String,
    pub(super) level: SaphanaLevel,
    pub(super) via: SaphanaVia,
    /// The backup in HANA's catalogue; for logs the full one that they go on from.
    pub(super) backup_id: u64,
    /// How its files begin; logs have HANA's own names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<String>,
    /// What the catalogue says that it is made of.
    pub(super) parts: Vec<Part>,
}

impl Description {
    pub(super) fn new(
        server: &Server,
        database: &str,
        (level, via): (SaphanaLevel, SaphanaVia),
        backup_id: u64,
        parts: Vec<Part>,
    ) -> Self {
        Self {
            format_version: VERSION,
            database: database.to_owned(),
            sid: server.sid.clone(),
            version: server.version.clone(),
            level,
            via,
            backup_id,
            prefix: None,
            begun_at: None,
            ended_at: None,
            parts,
        }
    }
}

/// Writes the archive, with the files when they lie on this host.
pub(super) fn write(description: &Description, out: &mut dyn Write, stop: &StopFlag) -> Result<()> {
    let text = serde_json::to_vec_pretty(description)
        .map_err(|error| Error::internal("a backup can't be described").with_source(error))?;
    let mut archive = tar::Builder::new(out);
    let mut append = |name: &str, size: u64, content: &mut dyn Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_entry_type(tar::EntryType::Regular);
        archive
            .append_data(&mut header, name, content)
            .map_err(|error| lift(error, &format!("{name} can't be read to its end")))
    };
    append(DESCRIPTION, text.len() as u64, &mut &text[..])?;
    if description.via == SaphanaVia::File {
        for part in &description.parts {
            let (file, size) = files::open(part)?;
            let mut exactly = Exactly {
                name: part.name(),
                file,
                left: size,
                stop,
            };
            append(part.name(), size, &mut exactly)?;
        }
    }
    archive
        .finish()
        .map_err(|error| lift(error, "the end of the archive can't be written"))
}

/// A file of which all the bytes that were announced have to come.
struct Exactly<'a> {
    name: &'a str,
    file: File,
    left: u64,
    stop: &'a StopFlag,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.is_stopped() {
            return Err(std::io::Error::other(cancelled()));
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            let why = format!("{} became shorter while it was read", self.name);
            return Err(std::io::Error::other(incomplete(why)));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Reads an archive: what it is of, which `known` may refuse, then each file, which goes where `place` says. `restore_failed` when a part of it
/// is missing.
pub(super) fn unpack<T>(
    input: &mut dyn Read,
    known: impl FnOnce(&Description) -> Result<T>,
    place: impl Fn(&T, &Part) -> Result<File>,
    stop: &StopFlag,
) -> Result<(Description, T)> {
    let mut archive = tar::Archive::new(input);
    let mut entries = archive
        .entries()
        .map_err(|error| lift(error, "the backup can't be read"))?;
    let mut next = || {
        let entry = entries.next().transpose();
        entry.map_err(|error| lift(error, "the backup can't be read"))
    };
    let first = next()?.ok_or_else(|| not_whole("it is empty"))?;
    if first.path_bytes().as_ref() != DESCRIPTION.as_bytes() {
        return Err(not_whole("it does not say what it is of"));
    }
    let description = described(first)?;
    let place_of = known(&description)?;
    if description.via == SaphanaVia::File {
        for part in &description.parts {
            let mut entry =
                next()?.ok_or_else(|| not_whole(&format!("{} is missing", part.name())))?;
            let is_it = entry.path_bytes().as_ref() == part.name().as_bytes()
                && entry.header().entry_type() == tar::EntryType::Regular
                && entry.size() >= part.size_bytes;
            if !is_it {
                return Err(not_whole(&format!(
                    "{} is not where it should be",
                    part.name()
                )));
            }
            let mut file = place(&place_of, part)?;
            pour(&mut entry, &mut file, stop)?;
        }
    }
    if next()?.is_some() {
        return Err(not_whole("it has more than it says"));
    }
    Ok((description, place_of))
}

fn described(entry: impl Read) -> Result<Description> {
    let mut text = Vec::new();
    entry
        .take(MOST_DESCRIPTION)
        .read_to_end(&mut text)
        .map_err(|error| lift(error, "the backup can't be read"))?;
    let description: Description = serde_json::from_slice(&text)
        .map_err(|error| not_whole(&format!("what it is of can't be understood: {error}")))?;
    if description.format_version != VERSION {
        return Err(not_whole(&format!(
            "it is of version {}, and this program knows {VERSION}",
            description.format_version
        )));
    }
    Ok(description)
}

fn pour(entry: &mut tar::Entry<'_, impl Read>, file: &mut File, stop: &StopFlag) -> Result<()> {
    let size = entry.size();
    let mut block = vec![0; 1 << 20];
    let mut poured = 0;
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let count = match entry.read(&mut block) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(lift(error, "the backup can't be read")),
        };
        file.write_all(&block[..count]).map_err(|error| {
            restore_failed(format!("a file of the backup can't be written: {error}"))
        })?;
        poured += count as u64;
    }
    if poured < size {
        return Err(not_whole("it breaks off within a file"));
    }
    file.sync_all()
        .map_err(|error| restore_failed(format!("a file of the backup can't be written: {error}")))
}

fn restore_failed(message: String) -> Error {
    Error::invalid("restore_failed", message)
}
