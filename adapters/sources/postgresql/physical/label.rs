//! The label of a base backup: where in the log it began.

use super::archive::damaged;
use backupx_core::Result;
use backupx_core::domain::wal::Segment;

/// The label's own name in the archive, where it stands first.
pub(super) const NAME: &str = "backup_label";

/// The segment that a label says the backup began in.
pub(super) fn start(label: &str) -> Result<Segment> {
    label
        .lines()
        .find_map(|line| line.strip_prefix("START WAL LOCATION: "))
        .and_then(|line| line.split_once("(file "))
        .and_then(|(_, file)| file.split(')').next())
        .and_then(|file| file.parse().ok())
        .ok_or_else(|| damaged("its backup_label does not say where it began"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_where_it_began() {
        let label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000080\n";
        assert_eq!(
            start(label).expect("a label").to_string(),
            "000000010000000000000002"
        );
        assert!(start("LABEL: x\n").is_err());
    }
}
