//! A cluster put back: the archive into an empty data folder, proved, with what its server needs to go on to a moment.

use super::archive::{Entry, Kind, Visitor, Walker};
use super::folder::Folder;
use super::proof::Proof;
use super::{label, recovery};
use crate::refusals::{cancelled, unsupported};
use crate::tool::lift;
use backupx_core::domain::log::Level;
use backupx_core::domain::wal::{Coverage, RecoveryTarget};
use backupx_core::ports::dumps::{Notes, PutBack};
use backupx_core::ports::source::StopFlag;
use backupx_core::ports::wal::WalArchive;
use backupx_core::{Error, Result};
use std::io::Read;
use std::path::Path;

const BLOCK: usize = 256 << 10;
/// A label has some 200 bytes.
const MOST_LABEL: u64 = 1 << 20;

/// How a server goes on from a copy.
pub(in crate::postgresql) struct GoOn<'a> {
    pub(in crate::postgresql) archive: &'a dyn WalArchive,
    pub(in crate::postgresql) target: &'a RecoveryTarget,
}

/// Fills the data folder `how.name` from `input`. What `go_on` asks for is looked up in the archive before anything is written.
pub(in crate::postgresql) fn put_back(
    input: &mut dyn Read,
    how: &PutBack,
    go_on: Option<&GoOn<'_>>,
    notes: &dyn Notes,
    stop: &StopFlag,
) -> Result<()> {
    if !how.tables.is_empty() {
        return Err(unsupported(
            "a copy of a whole cluster is restored as a whole; single tables come out of dumps (format custom)"
                .to_owned(),
        ));
    }
    let mut laid = Laid {
        path: Path::new(&how.name),
        go_on,
        notes,
        label: None,
        folder: None,
        proof: Proof::new(),
    };
    let mut walker = Walker::new();
    let mut block = vec![0; BLOCK];
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        match input.read(&mut block) {
            Ok(0) => break,
            Ok(count) => walker.feed(&block[..count], &mut laid)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(lift(error, "the copy could not be read")),
        }
    }
    walker.finish()?;
    let files = laid.proof.finish()?;
    let (folder, label) = laid
        .folder
        .zip(laid.label)
        .ok_or_else(|| Error::invalid("dump_incomplete", "the copy is empty"))?;
    if let Some(go_on) = go_on {
        folder.append("recovery.signal", "", &label.0)?;
        let settings = recovery::settings(&go_on.archive.restore_command(), go_on.target);
        folder.append("postgresql.auto.conf", &settings, &label.0)?;
    }
    folder.finish()?;
    notes.log(
        Level::Info,
        format!("{files} files are as the server's backup manifest says; start a server on {} to open the cluster", how.name),
    );
    Ok(())
}

/// An archive on its way into a folder.
struct Laid<'a> {
    path: &'a Path,
    go_on: Option<&'a GoOn<'a>>,
    notes: &'a dyn Notes,
    /// The label's entry and text: it stands first.
    label: Option<(Entry, Vec<u8>)>,
    folder: Option<Folder>,
    proof: Proof,
}

impl Laid<'_> {
    /// Looks whether the moment can be reached, and only then makes the folder.
    fn begin_folder(&mut self, entry: &Entry, label: &[u8]) -> Result<()> {
        if let Some(go_on) = self.go_on {
            let start = label::start(&String::from_utf8_lossy(label))?;
            let coverage = go_on.archive.holdings()?.coverage(start);
            coverage.reaches(go_on.target)?;
            self.notes.log(Level::Info, reach(&coverage));
        }
        let mut folder = Folder::new(self.path)?;
        folder.begin(entry)?;
        folder.data(label)?;
        folder.end()?;
        self.folder = Some(folder);
        Ok(())
    }

    fn folder(&mut self) -> Result<&mut Folder> {
        self.folder.as_mut().ok_or_else(|| {
            Error::invalid(
                "dump_incomplete",
                "the copy does not begin with its backup_label",
            )
        })
    }
}

impl Visitor for Laid<'_> {
    fn begin(&mut self, entry: &Entry) -> Result<()> {
        self.proof.begin(entry)?;
        if self.label.is_none() {
            let is_label = entry.path == label::NAME
                && entry.kind == Kind::File
                && (1..=MOST_LABEL).contains(&entry.size);
            if is_label {
                self.label = Some((entry.clone(), Vec::new()));
            }
            return match is_label {
                true => Ok(()),
                false => self.folder().map(drop),
            };
        }
        self.folder()?.begin(entry)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.proof.data(bytes)?;
        match (&mut self.folder, &mut self.label) {
            (None, Some((_, text))) => {
                text.extend_from_slice(bytes);
                Ok(())
            }
            _ => self.folder()?.data(bytes),
        }
    }

    fn end(&mut self) -> Result<()> {
        self.proof.end()?;
        if self.folder.is_none()
            && let Some((entry, text)) = self.label.clone()
        {
            return self.begin_folder(&entry, &text);
        }
        self.folder()?.end()
    }
}

fn reach(coverage: &Coverage) -> String {
    match (coverage.last, coverage.until) {
        (Some(last), Some(until)) => format!(
            "the archive has the log up to {last}, with everything that was committed until {}",
            until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        ),
        _ => "the archive has no log for this copy".to_owned(),
    }
}
