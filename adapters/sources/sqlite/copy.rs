//! One database, copied as it is at one moment and checked before the first byte goes out.

use super::connection::{copy_into, unsound};
use super::header;
use crate::refusals::cancelled;
use crate::temp::Temp;
use crate::tool::lift;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{Read, Write};
use std::path::Path;

const BLOCK: usize = 256 << 10;

/// Writes a copy of the database at `path` into `out`.
pub(super) fn copy(
    path: &Path,
    temp_dir: Option<&Path>,
    out: &mut dyn Write,
    stop: &StopFlag,
) -> Result<()> {
    header::check(path)?;
    let temp = Temp::new(temp_dir)?;
    // Made here, so that nobody else may ever read it; SQLite takes a file that is empty.
    let mut file = temp.create("copy")?;
    let copied = temp.path("copy");
    copy_into(path, &copied, stop)?;
    let wrong = unsound(&copied, stop)?;
    if !wrong.is_empty() {
        return Err(Error::invalid(
            "database_damaged",
            format!(
                "the copy of {} did not pass SQLite's integrity check, so the database is damaged: {}",
                path.display(),
                wrong.join("; ")
            ),
        ));
    }
    let size = file
        .metadata()
        .map_err(|error| lift(error, "the copy can't be read"))?
        .len();
    let written = pour(&mut file, out, stop)?;
    if written == 0 || written != size {
        return Err(Error::invalid(
            "dump_incomplete",
            format!("the copy has {size} bytes, and {written} of them could be read"),
        ));
    }
    Ok(())
}

/// Moves everything from `input` into `out`, and counts it.
pub(super) fn pour(input: &mut dyn Read, out: &mut dyn Write, stop: &StopFlag) -> Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut moved = 0;
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let count = match input.read(&mut block) {
            Ok(0) => return Ok(moved),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(lift(error, "the dump could not be read")),
        };
        out.write_all(&block[..count])
            .map_err(|error| lift(error, "the dump could not be written"))?;
        moved += count as u64;
    }
}
