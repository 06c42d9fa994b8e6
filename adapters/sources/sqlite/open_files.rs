//! Who has a file open, as the kernel tells.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The processes that have `path` open, as `PID (NAME)`; those of other users only when this one may see them.
pub(super) fn holders(path: &Path) -> Vec<String> {
    let Ok(wanted) = path.metadata() else {
        return Vec::new();
    };
    let is_it = |data: &std::fs::Metadata| data.ino() == wanted.ino() && data.dev() == wanted.dev();
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = process.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let open = std::fs::read_dir(process.path().join("fd"));
        // What ends meanwhile has nothing open.
        let holds = open
            .into_iter()
            .flatten()
            .flatten()
            .any(|fd| std::fs::metadata(fd.path()).is_ok_and(|data| is_it(&data)));
        if holds {
            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            found.push(format!("{pid} ({})", command.trim()));
        }
    }
    found
}
