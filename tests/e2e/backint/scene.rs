//! A host with a Backint program: its parameter file, its catalogue, its log, pipes, and calls.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::Trial;
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::json;
use tempfile::TempDir;

use super::super::storage::Place;
use super::super::support::cli::{Ended, finish};
use super::super::support::process::{Process, backupx};
use super::super::support::servers::{S3, s3_trial, trial};

/// No call of these tests takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(240);

/// The host.
pub(super) struct Scene {
    folder: TempDir,
    /// What lies in storage, seen past the program.
    pub(super) place: Place,
    calls: AtomicU32,
}

/// A case on a folder and on S3.
pub(super) fn on_both(name: &str, body: fn(&Scene) -> Result<()>) -> [Trial; 2] {
    let on_s3 = move |s3: S3| body(&Scene::on_s3(s3)?);
    let s3 = s3_trial(&format!("{name}_on_s3"), on_s3);
    let folder = folder_trial(&format!("{name}_in_a_folder"), body);
    [folder, s3]
}

/// A case on a folder.
pub(super) fn folder_trial(name: &str, body: fn(&Scene) -> Result<()>) -> Trial {
    trial(name, move || body(&Scene::in_folder()?))
}

impl Scene {
    pub(super) fn in_folder() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("storage");
        fs::create_dir(&root)?;
        let scene = Self {
            place: Place::Folder(root),
            folder,
            calls: AtomicU32::new(0),
        };
        scene.set(&[])?;
        Ok(scene)
    }

    pub(super) fn on_s3(s3: S3) -> Result<Self> {
        let prefix = format!("backint-{:016x}", rand::random::<u64>());
        let scene = Self {
            place: Place::Bucket(s3, prefix),
            folder: tempfile::tempdir()?,
            calls: AtomicU32::new(0),
        };
        scene.set(&[])?;
        Ok(scene)
    }

    /// A path on the host.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the parameter file anew, with these lines besides.
    pub(super) fn set(&self, more: &[(&str, &str)]) -> Result<()> {
        self.set_storage(&self.storage(), more)
    }

    /// The storage's settings as they stand in a parameter file.
    pub(super) fn storage(&self) -> serde_json::Value {
        match &self.place {
            Place::Folder(root) => json!({"path": root}),
            Place::Bucket(s3, prefix) => json!({
                "endpoint": s3.endpoint, "region": s3.region, "bucket": s3.bucket,
                "accessKeyId": s3.key, "secretAccessKey": s3.secret, "prefix": prefix,
            }),
        }
    }

    /// The same with other settings of the storage.
    pub(super) fn set_storage(
        &self,
        storage: &serde_json::Value,
        more: &[(&str, &str)],
    ) -> Result<()> {
        let kind = match self.place {
            Place::Folder(_) => "local",
            Place::Bucket(..) => "s3",
        };
        let mut text = format!(
            "STORAGE_TYPE = {kind}\nSTORAGE_CONFIG_JSON = {storage}\nCATALOG_DB = {}\nLOG_FILE = {}\n",
            self.path("catalogue.db").display(),
            self.path("backint.log").display(),
        );
        for (key, value) in more {
            text.push_str(&format!("{key} = {value}\n"));
        }
        let path = self.path("backint.ini");
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    /// What the log holds.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("backint.log")).unwrap_or_default()
    }

    /// The options of a call with this input, and where its answers go.
    pub(super) fn options(&self, function: &str, input: &str) -> Result<(Vec<String>, PathBuf)> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let (asked, answered) = (
            self.path(&format!("{number}.in")),
            self.path(&format!("{number}.out")),
        );
        fs::write(&asked, input)?;
        // A database makes both files.
        fs::write(&answered, "what stood there before\n")?;
        let options = [
            "-u",
            "DB1@HN1",
            "-f",
            function,
            "-s",
            "1785200000000",
            "-l",
            "COMPLETE",
            "-i",
            &asked.display().to_string(),
            "-o",
            &answered.display().to_string(),
            "-p",
            &self.path("backint.ini").display().to_string(),
        ];
        Ok((options.map(str::to_owned).to_vec(), answered))
    }

    /// Starts a call.
    pub(super) fn start(&self, function: &str, input: &str) -> Result<Running> {
        let (options, answers) = self.options(function, input)?;
        let mut command = backupx();
        command.arg("backint").args(options);
        let process = Process::start(&mut command, &answers.with_extension("said"))?;
        Ok(Running { process, answers })
    }

    /// Makes a call to its end.
    pub(super) fn call(&self, function: &str, input: &str) -> Result<Called> {
        self.start(function, input)?.end()
    }

    /// Makes a call that must come to what it should.
    pub(super) fn call_well(&self, function: &str, input: &str) -> Result<Called> {
        let called = self.call(function, input)?;
        ensure!(called.code == Some(0), "{called:?}");
        Ok(called)
    }

    /// A named pipe on the host.
    pub(super) fn pipe(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)?;
        Ok(path)
    }

    /// Objects in storage that are no part of a finished one.
    pub(super) fn leftovers(&self) -> Result<Vec<String>> {
        let objects = self.place.objects()?;
        let folder = |key: &str| key.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let finished: Vec<_> = objects
            .keys()
            .filter(|key| key.ends_with("/backint.json"))
            .filter_map(|key| folder(key))
            .collect();
        let mut left: Vec<_> = objects.into_keys().collect();
        left.retain(|key| folder(key).is_none_or(|folder| !finished.contains(&folder)));
        Ok(left)
    }
}

/// A call that is under way.
pub(super) struct Running {
    pub(super) process: Process,
    pub(super) answers: PathBuf,
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) code: Option<i32>,
    /// The answers, line by line, without who answers.
    pub(super) answers: Vec<String>,
    /// What it said beside.
    pub(super) said: String,
}

impl Running {
    pub(super) fn end(mut self) -> Result<Called> {
        let status = self
            .process
            .wait_for_end(LIMIT)
            .with_context(|| self.process.last_words())?;
        let text = fs::read_to_string(&self.answers)?;
        let mut answers: Vec<_> = text.lines().map(str::to_owned).collect();
        answers.retain(|line| !line.starts_with("#SOFTWAREID "));
        Ok(Called {
            code: status.code(),
            answers,
            said: self.process.printed(),
        })
    }

    /// The most memory that it had at once, in bytes.
    pub(super) fn peak_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("no peak of memory")?.trim().parse()?;
        Ok(kib << 10)
    }
}

impl Called {
    /// The parameters of every answer with this keyword.
    pub(super) fn all(&self, keyword: &str) -> Vec<Vec<String>> {
        let begins = format!("{keyword} ");
        self.answers
            .iter()
            .filter(|line| line.starts_with(&begins) || *line == keyword)
            .map(|line| parts(&line[keyword.len()..]))
            .collect()
    }

    /// The id under which `name` was saved.
    pub(super) fn ebid_of(&self, name: &Path) -> Result<String> {
        let name = name.display().to_string();
        self.all("#SAVED")
            .into_iter()
            .find(|saved| saved.get(1) == Some(&name))
            .and_then(|saved| saved.into_iter().next())
            .with_context(|| format!("{name} is not saved: {self:?}"))
    }
}

/// Parts a line of answer as a database does.
fn parts(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(' ').unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
            continue;
        };
        let mut part = String::new();
        let mut end = quoted.len();
        for (at, c) in quoted.char_indices() {
            match c {
                '"' if part.ends_with('\\') => {
                    part.pop();
                    part.push('"');
                }
                '"' => {
                    end = at + 1;
                    break;
                }
                c => part.push(c),
            }
        }
        found.push(part);
        rest = quoted[end..].trim_start();
    }
    found
}

/// A line of input.
pub(super) fn line(keyword: &str, parameters: &[&str]) -> String {
    let mut line = keyword.to_owned();
    for parameter in parameters {
        line.push_str(&format!(" \"{}\"", parameter.replace('"', "\\\"")));
    }
    line.push('\n');
    line
}

/// A line of input about a path.
pub(super) fn about(keyword: &str, path: &Path) -> String {
    line(keyword, &[&path.display().to_string()])
}

/// A line of input about an object and where it is to go.
pub(super) fn back(ebid: &str, name: &Path, to: &Path) -> String {
    let (name, to) = (name.display().to_string(), to.display().to_string());
    line("#EBID", &[ebid, &name, &to])
}

/// Writes `content` into a pipe on a thread of its own.
pub(super) fn pour(pipe: &Path, content: Vec<u8>) -> JoinHandle<Result<()>> {
    let pipe = pipe.to_owned();
    std::thread::spawn(move || {
        File::options()
            .write(true)
            .open(&pipe)?
            .write_all(&content)?;
        Ok(())
    })
}

/// What a thread came to.
pub(super) fn joined<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    match thread.join() {
        Ok(outcome) => outcome,
        Err(_) => bail!("a thread of the test broke down"),
    }
}

/// Runs the program with these arguments alone, called as `name`.
pub(super) fn called_as(name: &Path, arguments: &[&str]) -> Result<Ended> {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null());
    finish(&mut command)
}
