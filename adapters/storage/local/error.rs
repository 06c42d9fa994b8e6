//! What a disk's refusal means for a person.

use backupx_core::{Error, ErrorKind};
use rustix::io::Errno;

/// The error of a call on `what` (a full path, for the person who looks there).
pub(super) fn disk_error(what: &str, error: Errno) -> Error {
    let answer = match error {
        Errno::NOSPC | Errno::DQUOT => Error::conflict(
            "disk_full",
            format!(
                "no space is left for {what}: free some, or shorten the retention of what is kept there"
            ),
        ),
        Errno::FBIG => Error::conflict(
            "file_too_large",
            format!("{what} is larger than its file system allows: use another file system"),
        ),
        Errno::ACCESS | Errno::PERM => Error::forbidden(
            "access_denied",
            format!(
                "access to {what} is denied: give the user that BackupX runs as the right to write there"
            ),
        ),
        Errno::ROFS => Error::forbidden(
            "read_only",
            format!("{what} is on a file system that is mounted read-only: mount it for writing"),
        ),
        Errno::EXIST => Error::conflict("object_exists", format!("{what} exists already")),
        Errno::NOTDIR | Errno::LOOP => Error::invalid(
            "not_a_folder",
            format!("a part of {what} is a file or a symbolic link where a folder must be"),
        ),
        Errno::NAMETOOLONG => Error::invalid(
            "name_too_long",
            format!("a name in {what} is too long for its file system"),
        ),
        Errno::NOENT => Error::not_found("object_not_found", format!("{what} is not there")),
        Errno::MFILE | Errno::NFILE => Error::unavailable(
            "too_many_files",
            format!(
                "{what} can't be opened because too many files are open: raise the limit (ulimit -n)"
            ),
        ),
        Errno::IO | Errno::STALE | Errno::TIMEDOUT | Errno::HOSTDOWN | Errno::NOTCONN => {
            Error::unavailable(
                "disk_error",
                format!("the disk or mount failed at {what}: check it"),
            )
        }
        _ => Error::new(
            ErrorKind::Unavailable,
            "disk_error",
            format!("the system refused {what}"),
        ),
    };
    answer.with_source(std::io::Error::from(error))
}
