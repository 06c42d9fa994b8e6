//! What this host shows by itself: variables, folders, room on the disk.

use super::Finding;
use crate::cmd::client::credentials::Credentials;
use crate::cmd::output::bytes;
use crate::environment;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Below this much room a master or an agent soon stands still.
const LITTLE_ROOM: u64 = 1 << 30;

/// Looks at the host.
pub(super) fn look() -> Vec<Finding> {
    let mut findings = vec![variables()];
    findings.extend(login_file());
    let data_dir = std::env::var_os("BACKUPX_DATA_DIR")
        .map_or_else(|| PathBuf::from("./backupx-data"), PathBuf::from);
    if data_dir.is_dir() {
        findings.push(data_dir_is_private(&data_dir));
        findings.push(room("disk of the data dir", &data_dir));
    }
    findings.push(room("disk for temporary files", &std::env::temp_dir()));
    findings
}

fn variables() -> Finding {
    let unknown = environment::unknown_variables();
    if unknown.is_empty() {
        return Finding::ok("environment", "every BACKUPX_ variable is known");
    }
    Finding::warning(
        "environment",
        format!("{} is not known: a typing error?", unknown.join(", ")),
    )
}

fn login_file() -> Option<Finding> {
    let path = Credentials::path().ok()?;
    let meta = std::fs::metadata(&path).ok()?;
    let shown = path.display();
    Some(match meta.mode() & 0o077 {
        0 => Finding::ok("login file", format!("{shown} is private")),
        _ => Finding::failed(
            "login file",
            format!("others can read the key in {shown}: chmod 600 {shown}"),
        ),
    })
}

fn data_dir_is_private(path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(meta) if meta.mode() & 0o007 == 0 => {
            Finding::ok("data dir", format!("{shown} is private"))
        }
        Ok(_) => Finding::warning(
            "data dir",
            format!("everybody can look into {shown}: chmod 700 {shown}"),
        ),
        Err(error) => Finding::failed("data dir", format!("{shown} can't be looked at: {error}")),
    }
}

fn room(check: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    match rustix::fs::statvfs(path) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{} free at {shown}", bytes(free));
            if free < LITTLE_ROOM {
                Finding::warning(check, text)
            } else {
                Finding::ok(check, text)
            }
        }
        Err(error) => Finding::failed(check, format!("{shown} can't be looked at: {error}")),
    }
}
