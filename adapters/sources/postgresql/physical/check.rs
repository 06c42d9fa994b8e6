//! What a copy of a whole cluster needs, tried before the first one.

use super::super::server::{Reached, refused};
use super::super::tools::Set;
use super::FIRST_WITH_MANIFEST;
use backupx_core::ports::source::StopFlag;
use backupx_core::ports::wal::WalArchive;
use backupx_core::{Error, Result};
use std::time::Duration;

/// How long a server may think about one question.
const LIMIT: Duration = Duration::from_secs(60);

/// `rights_missing`, `server_version_mismatch`, `tool_missing` or `unsupported` when the cluster can't be copied. Answers its size in bytes.
pub(in crate::postgresql) fn copyable(
    reached: &Reached,
    set: &Set,
    stop: &StopFlag,
) -> Result<Option<u64>> {
    if !set.path("pg_basebackup").is_file() {
        return Err(Error::invalid(
            "tool_missing",
            format!(
                "there is no pg_basebackup beside pg_dump {}; install the whole PostgreSQL client",
                set.version
            ),
        ));
    }
    if reached.major < FIRST_WITH_MANIFEST {
        return Err(Error::invalid(
            "server_version_mismatch",
            format!(
                "the server is PostgreSQL {}: copies of whole clusters are made from version {FIRST_WITH_MANIFEST} on, which says what they consist of",
                reached.version
            ),
        ));
    }
    let sql = "select (select rolreplication or rolsuper from pg_roles where rolname = current_user), current_setting('wal_level'), \
               (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global')), \
               (select sum(pg_database_size(oid)) from pg_database where has_database_privilege(oid, 'CONNECT'))";
    let rows = reached.ask(set, sql, 4, stop)?;
    let row = rows
        .first()
        .ok_or_else(|| Error::invalid("dump_failed", "the server does not say what it is"))?;
    if row[0] != "t" {
        return Err(Error::forbidden(
            "rights_missing",
            "the sign-in may not copy the cluster; run: ALTER ROLE … REPLICATION",
        ));
    }
    if row[1] == "minimal" {
        return Err(Error::invalid(
            "unsupported",
            "the server has wal_level = minimal, with which it can't be copied while it runs; set it to replica",
        ));
    }
    if row[2] != "0" {
        return Err(Error::invalid(
            "unsupported",
            format!(
                "the cluster has {} tablespaces of its own, and what lies in several places can't be copied as one stream; back its databases up one by one (format custom)",
                row[2]
            ),
        ));
    }
    connects(reached, set, stop)?;
    Ok(row[3].parse().ok())
}

/// A sign-in for copies has lines of its own in pg_hba.conf.
fn connects(reached: &Reached, set: &Set, stop: &StopFlag) -> Result<()> {
    let answer = reached
        .sign_in
        .tool(&set.path("psql"), &reached.common)
        .args(["-XAtqw", "-d", "replication=true", "-c", "IDENTIFY_SYSTEM"])
        .ask(stop, LIMIT)?;
    if answer.ended.status.success() {
        return Ok(());
    }
    let failure = answer.ended.failure("psql");
    if failure.contains("no pg_hba.conf entry") {
        return Err(Error::forbidden(
            "rights_missing",
            format!(
                "the server lets the sign-in in, but not for copies: add a line for the database \"replication\" to its pg_hba.conf: {failure}"
            ),
        ));
    }
    Err(refused(
        &failure,
        answer.ended.status.code(),
        &reached.sign_in,
    ))
}

/// Whether the server's log comes into `archive`, in a sentence. An error says what is wrong.
pub(in crate::postgresql) fn archived(
    reached: &Reached,
    set: &Set,
    archive: &dyn WalArchive,
    stop: &StopFlag,
) -> Result<String> {
    let sql = "select current_setting('archive_mode'), (select system_identifier from pg_control_system()), \
               coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false), coalesce(last_failed_wal, ''), \
               coalesce(last_archived_wal, '') from pg_stat_archiver";
    let rows = reached.ask(set, sql, 5, stop)?;
    let row = rows
        .first()
        .ok_or_else(|| Error::invalid("dump_failed", "the server does not say what it archives"))?;
    if row[0] == "off" {
        return Err(Error::invalid(
            "wal_not_archived",
            "the server has archive_mode = off: set it to on, with archive_command = 'backupx wal push %p', and restart it",
        ));
    }
    if row[2] == "t" {
        return Err(Error::invalid(
            "wal_not_archived",
            format!(
                "the server could not archive {} and goes on trying; its log says why",
                row[3]
            ),
        ));
    }
    let holdings = archive.holdings()?;
    if holdings.system != row[1] {
        return Err(Error::conflict(
            "wrong_cluster",
            format!(
                "the archive belongs to the cluster {}, and the server is {}",
                holdings.system, row[1]
            ),
        ));
    }
    Ok(format!("the log is archived, {} the last", row[4]))
}
