//! The host's own policy: what this server lets its master ask for. Enforced here, before anything is opened (never 31).

use crate::hooks::Hook;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::catalogue::Driver;
use backupx_core::domain::drill::DrillPlace;
use backupx_core::domain::name::Name;
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::domain::saphana::{SaphanaSource, SaphanaVia};
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::work::{DrillWork, Work};
use backupx_core::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// What a host allows. A list that is not given allows everything, an empty one nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    file: PathBuf,
    rules: Rules,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Rules {
    /// Folders below which may be read: backups and browsing.
    allowed_roots: Option<Vec<PathBuf>>,
    /// Folders below which restores may write.
    allowed_restore_roots: Option<Vec<PathBuf>>,
    /// Folders below which backups may be kept.
    allowed_target_roots: Option<Vec<PathBuf>>,
    /// Kinds of tasks that may run beside files.
    allowed_task_types: Option<Vec<String>>,
    /// Folders in which tools of databases may lie when a task names one; the host's own places are always right.
    allowed_tool_roots: Option<Vec<PathBuf>>,
    /// Folders below which files with passwords and certificates for databases may lie; without it what may be read.
    allowed_secret_files: Option<Vec<PathBuf>>,
    /// Where drills may restore into, as `folder`, `server`, `throwaway`.
    allowed_drill_places: Option<Vec<String>>,
    /// Programs that tasks may have run around their backups, by the name under which they pick them. None without this.
    hooks: BTreeMap<String, Hook>,
    /// Most works at once.
    max_concurrent: Option<usize>,
}

impl Policy {
    /// Reads a policy file. One that is named and can't be read is an error, never an open door.
    pub fn read(file: &Path) -> Result<Self> {
        // Whoever reads of it in a message should find it, wherever they are.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let shown = file.display();
        let bad = |why: String| {
            Error::invalid(
                "bad_setting",
                format!("the policy file {shown} {why}; nothing runs without it"),
            )
        };
        let text = std::fs::read_to_string(&file)
            .map_err(|cause| bad(format!("can't be read: {cause}")))?;
        let rules: Option<Rules> =
            serde_norway::from_str(&text).map_err(|cause| bad(format!("is not right: {cause}")))?;
        let rules = rules.unwrap_or_default();
        for root in [
            &rules.allowed_roots,
            &rules.allowed_restore_roots,
            &rules.allowed_target_roots,
            &rules.allowed_tool_roots,
            &rules.allowed_secret_files,
        ]
        .into_iter()
        .flatten()
        .flatten()
        {
            if !root.is_absolute() || root.components().any(|part| part == Component::ParentDir) {
                return Err(bad(format!(
                    "names {}, which is not an absolute path without '..'",
                    root.display()
                )));
            }
        }
        for (name, hook) in &rules.hooks {
            if let Some(why) = hook.wrong() {
                return Err(bad(format!("names the hook {name}, which {why}")));
            }
        }
        if rules.max_concurrent == Some(0) {
            return Err(bad("has maxConcurrent 0; 1 is the least".to_owned()));
        }
        Ok(Self { file, rules })
    }

    /// The lower of `wanted` and what the policy allows at once.
    pub fn cap(&self, wanted: usize) -> usize {
        self.rules
            .max_concurrent
            .map_or(wanted, |most| most.min(wanted))
    }

    /// What a hook runs. `Forbidden` (`policy_denied`) when this host knows none of that name.
    pub(crate) fn hook(&self, name: &Name) -> Result<&Hook> {
        self.rules.hooks.get(name.as_str()).ok_or_else(|| {
            if self.file.as_os_str().is_empty() {
                return Error::forbidden(
                    "policy_denied",
                    format!("hook {name} can't run: this agent has no policy file, which would say what it is"),
                );
            }
            let known = self.hook_names().join(", ");
            let advice = if known.is_empty() {
                "it allows none".to_owned()
            } else {
                format!("it allows {known}")
            };
            self.denied(format!("hook {name} may not run on this host"), &advice)
        })
    }

    /// Names of the hooks that this host allows.
    pub(crate) fn hook_names(&self) -> Vec<String> {
        self.rules.hooks.keys().cloned().collect()
    }

    /// Refuses `work` that this host does not allow (`policy_denied`), and replaces paths of its target folder by what they lead to,
    /// so that a link changed later leads nowhere else. Asks the file system: call it where blocking is allowed.
    pub fn admit(&self, work: &mut Work) -> Result<()> {
        match work {
            Work::Backup(work) => {
                self.may_open(&work.task.source)?;
                work.task
                    .hooks
                    .names()
                    .try_for_each(|name| self.hook(name).map(drop))?;
                self.may_use(work.targets.iter())
            }
            Work::Restore(work) => {
                match &work.database {
                    Some(database) => {
                        self.may_open(&database.source)?;
                        self.may_put_back(&database.source, &work.spec)?;
                    }
                    None => self.may_restore(&mut work.spec.to)?,
                }
                self.may_use(work.sources.iter())
            }
            Work::Verify(work) => self.may_use(work.targets.iter()),
            Work::Drill(work) => {
                self.may_drill(work)?;
                self.may_use(work.sources.iter())
            }
            Work::Copy(work) => self.may_use(work.sources.iter().chain(&work.targets)),
            Work::Delete(work) => self.may_use([&work.target]),
            Work::Browse { path } => self.may_read(path),
            Work::TestTarget { target } => self.may_use([&*target]),
            Work::TestSource(work) => self.may_open(&work.source),
            Work::CheckTarget(work) => self.may_use([&work.target]),
            Work::Inventory(work) => self.may_use([&work.target]),
            Work::ListFiles(work) => self.may_use(work.sources.iter()),
            Work::Unknown => Ok(()),
        }
    }

    /// Whether a source may be read, with all that it names of this host: a tool is a program that runs with the agent's rights, and the
    /// first line of a password file goes to a server that the master names.
    fn may_open(&self, source: &SourceSpec) -> Result<()> {
        self.may_run(source)?;
        let (server, tools) = match source {
            SourceSpec::File { paths, .. } => {
                return paths.iter().try_for_each(|path| self.may_read(path));
            }
            SourceSpec::Sqlite(source) => {
                return source
                    .paths
                    .iter()
                    .try_for_each(|path| self.may_read(still(path)));
            }
            SourceSpec::Mysql(source) => (&source.server, &source.tools),
            SourceSpec::Postgresql(source) => (&source.server, &source.tools),
            SourceSpec::Mongodb(source) => (&source.server, &source.tools),
            SourceSpec::Saphana(source) => {
                self.may_use_folder_of_hana(source)?;
                (&source.server, &source.tools)
            }
        };
        let archive = match source {
            SourceSpec::Postgresql(source) => source.wal_archive.as_ref(),
            _ => None,
        };
        for file in server
            .password_file
            .iter()
            .chain(&server.tls_ca)
            .chain(archive)
        {
            self.may_read_secret(file)?;
        }
        match (tools, &self.rules.allowed_tool_roots) {
            (Some(folder), Some(roots)) => {
                self.below(folder, roots, "used for its tools").map(drop)
            }
            (Some(_), None) | (None, _) => Ok(()),
        }
    }

    /// HANA's backups are files that are read, and its own catalogue says where: only below what may be read, so that a server that the
    /// master names can't name other files of this host.
    fn may_use_folder_of_hana(&self, source: &SaphanaSource) -> Result<()> {
        match (source.via, &source.folder, &self.rules.allowed_roots) {
            (SaphanaVia::Backint, _, _) | (SaphanaVia::File, None, None) => Ok(()),
            (SaphanaVia::File, Some(folder), _) => self.may_read(folder),
            (SaphanaVia::File, None, Some(roots)) => Err(self.denied(
                "HANA's own folder for backups may not be read on this host".to_owned(),
                &format!("name a folder below {} in the task", list(roots)),
            )),
        }
    }

    /// Whether tasks of the source's kind may run at all.
    fn may_run(&self, source: &SourceSpec) -> Result<()> {
        let allowed = self.rules.allowed_task_types.as_ref();
        if source.is_database()
            && allowed.is_some_and(|types| !types.iter().any(|kind| kind == source.type_name()))
        {
            return Err(self.denied(
                format!(
                    "tasks of type {} may not run on this host",
                    source.type_name()
                ),
                "add the type to allowedTaskTypes",
            ));
        }
        Ok(())
    }

    fn may_read_secret(&self, file: &str) -> Result<()> {
        match &self.rules.allowed_secret_files {
            Some(roots) => self.below(file, roots, "read for a sign-in").map(drop),
            None => self.may_read(file),
        }
    }

    /// Whether databases may be put back. A SQLite database is a file like any other, and a whole cluster is a folder.
    fn may_put_back(&self, source: &SourceSpec, spec: &RestoreSpec) -> Result<()> {
        let how = spec.database.as_deref();
        if let Some(file) = how.and_then(|how| how.wal_archive.as_ref()) {
            self.may_read_secret(file)?;
        }
        if let (SourceSpec::Postgresql(_), Some(path), Some(roots)) = (
            source,
            how.and_then(|how| how.rename.as_ref()),
            &self.rules.allowed_restore_roots,
        ) && path.starts_with('/')
        {
            return self.below(path, roots, "written to").map(drop);
        }
        if let (SourceSpec::Saphana(source), Some(roots)) =
            (source, &self.rules.allowed_restore_roots)
            && source.via == SaphanaVia::File
        {
            // Its files are laid down there for HANA to read.
            let folder = source.folder.as_deref().unwrap_or("/");
            return self.below(folder, roots, "written to").map(drop);
        }
        let (SourceSpec::Sqlite(source), Some(roots)) = (source, &self.rules.allowed_restore_roots)
        else {
            return Ok(());
        };
        let named = spec
            .database
            .as_ref()
            .and_then(|database| database.rename.as_ref());
        match named {
            Some(path) => self.below(path, roots, "written to").map(drop),
            None => source
                .paths
                .iter()
                .try_for_each(|path| self.below(still(path), roots, "written to").map(drop)),
        }
    }

    /// Whether a drill may have its place. A folder is one of the agent's own, so no root has to allow it; a server and the programs of a
    /// throw-away one are what a backup or a restore would use.
    fn may_drill(&self, work: &DrillWork) -> Result<()> {
        let place = work
            .spec
            .place
            .as_ref()
            .map_or("folder", DrillPlace::type_name);
        let allowed = self.rules.allowed_drill_places.as_ref();
        if allowed.is_some_and(|places| !places.iter().any(|allowed| allowed == place)) {
            return Err(self.denied(
                format!("drills may not restore into a place of type {place} on this host"),
                "add the type to allowedDrillPlaces",
            ));
        }
        match (&work.database, &work.spec.place) {
            (Some(database), Some(DrillPlace::Folder) | None) => self.may_run(&database.source),
            (Some(database), Some(_)) => self.may_open(&database.source),
            (None, _) => Ok(()),
        }
    }

    fn may_read(&self, path: &str) -> Result<()> {
        match &self.rules.allowed_roots {
            None => Ok(()),
            Some(roots) => self.below(path, roots, "read").map(drop),
        }
    }

    fn may_restore(&self, to: &mut Option<String>) -> Result<()> {
        let Some(roots) = &self.rules.allowed_restore_roots else {
            return Ok(());
        };
        // Where everything came from is decided by the archive: allowed only to those who may write everywhere.
        let wanted = to.as_deref().unwrap_or("/");
        let resolved = self.below(wanted, roots, "written to").map_err(|error| {
            if to.is_some() {
                error
            } else {
                self.denied(
                    "a restore to where the files came from may write anywhere on this host"
                        .to_owned(),
                    &format!("name a folder below {} to restore to", list(roots)),
                )
            }
        })?;
        if to.is_some() {
            *to = Some(resolved);
        }
        Ok(())
    }

    /// Whether this host takes these places.
    pub(crate) fn may_use<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a TargetAccess>,
    ) -> Result<()> {
        for target in targets.into_iter().filter(|target| !target.relay) {
            match target.kind {
                Driver::Local => {
                    if let Some(roots) = &self.rules.allowed_target_roots {
                        let path = target.config.get("path").map_or("", String::as_str);
                        self.below(path, roots, "used as a target")?;
                    }
                }
                Driver::S3 | Driver::Azblob | Driver::Gcs | Driver::Unknown => {}
                Driver::Rclone => {
                    for file in target.config.iter().filter_map(names_a_file) {
                        self.may_read_secret(file)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What `path` leads to, when that is one of `roots` or below one.
    fn below(&self, path: &str, roots: &[PathBuf], purpose: &str) -> Result<String> {
        let advice = if roots.is_empty() {
            "no folder is allowed for this".to_owned()
        } else {
            format!("allowed are {}", list(roots))
        };
        let resolved = resolve(Path::new(path)).map_err(|why| {
            self.denied(
                format!("{path} may not be {purpose} on this host: {why}"),
                &advice,
            )
        })?;
        let allowed = roots.iter().any(|root| {
            // A root that leads nowhere allows nothing.
            resolve(root).is_ok_and(|root| resolved.starts_with(root))
        });
        let text = resolved.to_str().filter(|_| allowed);
        text.map(str::to_owned).ok_or_else(|| {
            let leads = if resolved == Path::new(path) {
                String::new()
            } else {
                format!(" (it leads to {})", resolved.display())
            };
            self.denied(
                format!("{path}{leads} may not be {purpose} on this host"),
                &advice,
            )
        })
    }

    fn denied(&self, what: String, advice: &str) -> Error {
        Error::forbidden(
            "policy_denied",
            format!(
                "{what}, says its policy file {}; {advice}",
                self.file.display()
            ),
        )
    }
}

/// The folder above the first name of a path that is a pattern, or the path itself.
fn still(path: &str) -> &str {
    match path.find(['*', '?', '[', '{']) {
        None => path,
        Some(at) => match path[..at].rfind('/') {
            None | Some(0) => "/",
            Some(slash) => &path[..slash],
        },
    }
}

fn list(roots: &[PathBuf]) -> String {
    roots
        .iter()
        .map(|root| root.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The path without links: the part that exists is resolved, the rest is appended as it is.
fn resolve(path: &Path) -> Result<PathBuf, String> {
    if !path.is_absolute() {
        return Err("it is not an absolute path".to_owned());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err("it contains '..'".to_owned());
    }
    let mut rest = Vec::new();
    let mut existing = path;
    loop {
        match existing.canonicalize() {
            Ok(mut resolved) => {
                resolved.extend(rest.iter().rev());
                return Ok(resolved);
            }
            Err(cause)
                if matches!(
                    cause.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(cause) => return Err(cause.to_string()),
        }
        // A link to nothing could lead anywhere by the time it is used.
        if existing.symlink_metadata().is_ok() {
            return Err(format!(
                "{} is a link that leads nowhere",
                existing.display()
            ));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name.to_owned());
                existing = parent;
            }
            _ => return Err("it has no existing part".to_owned()),
        }
    }
}

/// The file of this host that an option of rclone names, as `key_file` and `service_account_file` do.
fn names_a_file<'a>((name, value): (&String, &'a String)) -> Option<&'a str> {
    let is_file = name.ends_with("_file") || name.ends_with("_path");
    (is_file && !value.is_empty()).then_some(value.as_str())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
