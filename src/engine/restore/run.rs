//! A restore under way: what is chosen, where it goes, how far it is.

use super::attributes::Rights;
use super::place::Manner;
use super::select::{Chosen, Patterns};
use super::tally::Tally;
use super::tree::Tree;
use super::writers::Writers;
use super::{RestorePlan, dry_run, stopped};
use crate::archive::ArchiveReader;
use crate::stream::RawStream;
use backupx_core::domain::entry::display_bytes;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::progress::Phase;
use backupx_core::domain::report::RestoreReport;
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why a restore did not come to its end.
pub(super) enum Failed {
    /// The copy could not be read; another may do.
    Reading(Error),
    /// Nothing that another copy would help with.
    Writing(Error),
}

/// A restore with all that it keeps from one source to the next.
pub(super) struct Restoration {
    plan: Arc<RestorePlan>,
    pub(super) patterns: Patterns,
    observer: Arc<dyn Observer>,
    pub(super) stop: StopFlag,
    pub(super) tally: Arc<Tally>,
    pub(super) manner: Manner,
    pub(super) trees: Vec<Tree>,
    chosen: Option<Chosen>,
    /// Where the first entry begins that is not done.
    position: u64,
    met_entries: u64,
    met_bytes: u64,
    stored_bytes: u64,
    would_write: Vec<String>,
}

impl Restoration {
    /// A restore of what `plan` says, with nothing done yet.
    pub(super) fn new(
        plan: Arc<RestorePlan>,
        observer: Arc<dyn Observer>,
        stop: StopFlag,
    ) -> Result<Self> {
        if let Some(to) = plan.spec.to.as_deref().filter(|to| !to.starts_with('/')) {
            return Err(Error::field(
                "to",
                format!("{to:?} is not an absolute path"),
            ));
        }
        Ok(Self {
            patterns: Patterns::new(&plan.spec.include)?,
            manner: Manner {
                overwrite: plan.spec.overwrite,
                rights: Rights::of_process(),
            },
            plan,
            observer,
            stop,
            tally: Arc::default(),
            trees: Vec::new(),
            chosen: None,
            position: 0,
            met_entries: 0,
            met_bytes: 0,
            stored_bytes: 0,
            would_write: Vec::new(),
        })
    }

    /// Adds bytes that were read from storage.
    pub(super) fn add_stored_bytes(&mut self, count: u64) {
        self.stored_bytes += count;
    }

    /// Goes on until everything is done. Blocking.
    pub(super) fn go(
        &mut self,
        manifest: &Manifest,
        index: &dyn RawStream,
        data: &dyn RawStream,
    ) -> Result<(), Failed> {
        if self.plan.spec.dry_run {
            return self.rehearse(manifest, index, data);
        }
        let chosen = match self.chosen.take() {
            Some(chosen) => chosen,
            None => self
                .choose(manifest, index, data)
                .map_err(Failed::Reading)?,
        };
        let observer = Arc::clone(&self.observer);
        let counters = observer.counters();
        counters
            .total_files
            .store(chosen.entries, Ordering::Relaxed);
        counters.total_bytes.store(chosen.bytes, Ordering::Relaxed);
        counters.enter(Phase::Transferring);
        let gone = if chosen.entries == 0 {
            Ok(())
        } else {
            self.open_trees(manifest)
                .and_then(|()| self.transfer(&chosen, data))
        };
        self.chosen = Some(chosen);
        gone?;
        counters.enter(Phase::Done);
        Ok(())
    }

    /// What came of it.
    pub(super) fn finish(self) -> Result<RestoreReport> {
        let chosen = self.chosen.unwrap_or_default();
        if chosen.entries == 0 {
            return Err(Error::not_found(
                "nothing_selected",
                format!(
                    "nothing in the backup matches {}",
                    self.plan.spec.include.join(", ")
                ),
            ));
        }
        let get = Tally::get;
        let mut warnings = self.tally.warnings();
        let (restored, kept) = (get(&self.tally.restored), get(&self.tally.kept));
        if restored + kept == 0 {
            let why = warnings
                .first()
                .map_or("no reason is known", String::as_str);
            return Err(Error::invalid(
                "nothing_restored",
                format!(
                    "none of {} entries could be restored: {why}",
                    chosen.entries
                ),
            ));
        }
        let met = (self.met_entries, self.met_bytes);
        if met != (chosen.entries, chosen.bytes)
            || restored + kept + get(&self.tally.missing) != chosen.entries
        {
            return Err(Error::invalid(
                "counts_differ",
                format!(
                    "the archive holds {} entries with {} bytes of the selection, the index says {} with {}",
                    met.0, met.1, chosen.entries, chosen.bytes
                ),
            ));
        }
        let not_owned = get(&self.tally.not_owned);
        if not_owned > 0 {
            warnings.push(format!(
                "{not_owned} entries belong to the user of this restore: only root can set other owners"
            ));
        }
        Ok(RestoreReport {
            selected_entries: chosen.entries,
            selected_bytes: chosen.bytes,
            restored_entries: restored,
            restored_bytes: get(&self.tally.bytes),
            kept_entries: kept,
            failed_entries: get(&self.tally.failed),
            warnings,
            would_write: self.would_write,
            stored_bytes_read: self.stored_bytes,
            to: self.plan.spec.to.clone().unwrap_or_else(|| "/".to_owned()),
        })
    }

    fn choose(
        &self,
        manifest: &Manifest,
        index: &dyn RawStream,
        data: &dyn RawStream,
    ) -> Result<Chosen> {
        if self.patterns.is_everything() {
            return Ok(Chosen {
                entries: manifest.counts.entries,
                bytes: manifest.counts.bytes,
                ranges: std::iter::once(0..data.raw_len()).collect(),
                ..Chosen::default()
            });
        }
        let open = || Ok::<_, Error>(BufReader::with_capacity(64 << 10, index.open_at(0)?));
        let mut chosen = Chosen::read(open()?, data.raw_len(), &self.patterns, |_| {
            if self.stop.is_stopped() {
                return Err(stopped());
            }
            Ok(())
        })?;
        if !chosen.orphans.is_empty() {
            chosen.read_orphans(open()?, data.raw_len())?;
        }
        Ok(chosen)
    }

    /// Looks at what is there without writing anything.
    fn rehearse(
        &mut self,
        manifest: &Manifest,
        index: &dyn RawStream,
        data: &dyn RawStream,
    ) -> Result<(), Failed> {
        // What an earlier source may have said is said again.
        self.tally = Arc::default();
        self.would_write.clear();
        let bases = self.bases(manifest);
        let trees = dry_run::Rehearsal::new(&bases, self.manner, &self.tally);
        let mut trees = trees.map_err(Failed::Writing)?;
        let open = || {
            index
                .open_at(0)
                .map(|index| BufReader::with_capacity(64 << 10, index))
        };
        let mut read = || {
            Chosen::read(open()?, data.raw_len(), &self.patterns, |entry| {
                if self.stop.is_stopped() {
                    return Err(stopped());
                }
                if trees.would_write(entry) && self.would_write.len() < dry_run::MOST_SHOWN {
                    self.would_write.push(display_bytes(&entry.path));
                }
                Ok(())
            })
        };
        let chosen = read().map_err(Failed::Reading)?;
        (self.met_entries, self.met_bytes) = (chosen.entries, chosen.bytes);
        self.chosen = Some(chosen);
        Ok(())
    }

    /// Folders on disk and the archive paths that stand for them: the folder that was asked for; or, back to where it came from, the
    /// folders that hold the paths which the task named. Those were named by a person, so links in them are followed.
    fn bases(&self, manifest: &Manifest) -> Vec<(String, Vec<u8>)> {
        if let Some(to) = &self.plan.spec.to {
            return vec![(to.clone(), Vec::new())];
        }
        let paths: &[String] = match &manifest.task.source {
            SourceSpec::File { paths, .. } => paths,
            SourceSpec::Mysql(_)
            | SourceSpec::Postgresql(_)
            | SourceSpec::Sqlite(_)
            | SourceSpec::Mongodb(_)
            | SourceSpec::Saphana(_) => &[],
        };
        let mut bases: Vec<_> = paths
            .iter()
            .filter_map(|path| {
                let holder = Path::new(path).parent()?.to_str()?.to_owned();
                let prefix = holder.trim_matches('/').as_bytes().to_vec();
                Some((holder, prefix)).filter(|(_, prefix)| !prefix.is_empty())
            })
            .collect();
        bases.push(("/".to_owned(), Vec::new()));
        bases.sort_by_key(|(_, prefix)| std::cmp::Reverse(prefix.len()));
        bases.dedup();
        bases
    }

    fn open_trees(&mut self, manifest: &Manifest) -> Result<(), Failed> {
        if !self.trees.is_empty() {
            return Ok(());
        }
        for (path, prefix) in self.bases(manifest) {
            let tree = Tree::make_base(
                Path::new(&path),
                self.manner.rights,
                Arc::clone(&self.tally),
            );
            self.trees
                .push(tree.map_err(Failed::Writing)?.at_prefix(prefix));
        }
        Ok(())
    }

    fn transfer(&mut self, chosen: &Chosen, data: &dyn RawStream) -> Result<(), Failed> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let tally = Arc::clone(&self.tally);
        let read = std::thread::scope(|scope| {
            let mut writers = Writers::start(scope, threads.clamp(2, 4), self.manner, &tally);
            let mut transfer = || {
                for range in &chosen.ranges {
                    if range.end > self.position {
                        let start = range.start.max(self.position);
                        self.read_range(start..range.end, chosen, data, &mut writers)?;
                    }
                }
                Ok(())
            };
            let read = transfer();
            writers.settle();
            read
        });
        // The last things in them are written: folders get their own attributes now.
        for tree in &mut self.trees {
            tree.leave_all();
        }
        match self.tally.take_fatal() {
            Some(error) => Err(Failed::Writing(error)),
            None => read,
        }
    }

    fn read_range(
        &mut self,
        range: std::ops::Range<u64>,
        chosen: &Chosen,
        data: &dyn RawStream,
        writers: &mut Writers,
    ) -> Result<(), Failed> {
        let input = data.open_at(range.start).map_err(Failed::Reading)?;
        let mut archive = ArchiveReader::new(input, range.start);
        let observer = Arc::clone(&self.observer);
        let counters = observer.counters();
        while archive.next_offset() < range.end {
            if self.stop.is_stopped() {
                return Err(Failed::Writing(stopped()));
            }
            if self.tally.is_over() {
                return Ok(());
            }
            let Some(located) = archive.next_entry().map_err(Failed::Reading)? else {
                break;
            };
            let entry = located.entry;
            let size = entry.size;
            let count = self.meet(entry, chosen, &mut archive, writers)?;
            self.position = archive.next_offset();
            if count > 0 {
                self.met_entries += count;
                self.met_bytes += size;
                counters.files.fetch_add(count, Ordering::Relaxed);
                counters.bytes.fetch_add(size, Ordering::Relaxed);
            }
            counters.stored_bytes.store(
                self.stored_bytes + data.stored_bytes_read(),
                Ordering::Relaxed,
            );
        }
        Ok(())
    }
}
