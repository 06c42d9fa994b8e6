//! Finding tools: in a named folder or where hosts keep them, and which version they are.

use super::Tool;
use backupx_core::Result;
use backupx_core::ports::source::StopFlag;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a tool may take to say its version.
const LIMIT: Duration = Duration::from_secs(10);

/// The tool called `name`: in `folder` alone when one is named, else the first on the path or in one of `elsewhere`.
pub(crate) fn find(name: &str, folder: Option<&str>, elsewhere: &[&str]) -> Option<PathBuf> {
    let is_tool = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    if let Some(folder) = folder {
        return Some(Path::new(folder).join(name)).filter(is_tool);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(elsewhere.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(is_tool)
}

/// The first line that the tool prints for `--version`.
pub(crate) fn version_of(path: &Path, stop: &StopFlag) -> Result<String> {
    let tool = Tool::new(path).arg("--version");
    let name = tool.name();
    let answer = tool.ask(stop, LIMIT)?;
    answer.ended.well(&name, "tool_failed")?;
    Ok(answer
        .text
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned())
}
