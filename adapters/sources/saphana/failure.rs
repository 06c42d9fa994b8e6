//! What a failed statement means, by the numbers that HANA and its client give their errors.

use backupx_core::{Error, ErrorKind};

/// The number of the first error in what was said, as in `* 10: authentication failed SQLSTATE: 28000`. A tool's own words may stand before it.
pub(super) fn number(said: &str) -> Option<i32> {
    said.match_indices("* ").find_map(|(at, mark)| {
        let (number, _) = said[at + mark.len()..].split_once(':')?;
        number.trim().parse().ok()
    })
}

/// Whether a line that hdbsql printed among rows is an error.
pub(super) fn is_error(line: &str) -> bool {
    line.starts_with("* ") && line.contains("SQLSTATE") && number(line).is_some()
}

/// What a failure means and what to do about it. `code` is for what says nothing known.
pub(super) fn refused(failure: &str, code: &'static str) -> Error {
    let (kind, code, advice) = match number(failure) {
        Some(10) => (
            ErrorKind::Invalid,
            "sign_in_failed",
            "; HANA takes neither this user nor this password: check both, and that the user is one of the database that is signed in to",
        ),
        Some(414) => (
            ErrorKind::Invalid,
            "sign_in_failed",
            "; HANA wants a new password of this user before anything else: set one, and ALTER USER … DISABLE PASSWORD LIFETIME so that it does not run out again",
        ),
        Some(415 | 416) => (
            ErrorKind::Invalid,
            "sign_in_failed",
            "; the user is locked or deactivated: ALTER USER … RESET CONNECT ATTEMPTS, or ALTER USER … ACTIVATE USER NOW",
        ),
        Some(-10104) => (
            ErrorKind::Invalid,
            "sign_in_failed",
            "; the user store of the agent's user has no such key: hdbuserstore LIST shows those that it has",
        ),
        Some(258) => (
            ErrorKind::Forbidden,
            "rights_missing",
            "; the user lacks a right for this: GRANT CATALOG READ, BACKUP OPERATOR and, for tenants from the system database, DATABASE BACKUP OPERATOR to it; for a restore DATABASE ADMIN, or DATABASE RECOVERY OPERATOR with DATABASE START and DATABASE STOP",
        ),
        Some(-10709) => (
            ErrorKind::Unavailable,
            "database_unreachable",
            "; nothing answers there as HANA does: check that the database is started, and its host and port (3NN13 is the system database of instance NN) and the tls setting",
        ),
        // The client's own numbers for connections that break.
        Some(..=-10000) => (
            ErrorKind::Unavailable,
            "database_unreachable",
            "; the connection was lost, or could not be made: check that the database runs, and the task's tls settings",
        ),
        Some(447) => (
            ErrorKind::Invalid,
            "dump_failed",
            "; HANA could not finish its backup: backup.log of the database says more",
        ),
        Some(448) => (
            ErrorKind::Invalid,
            "restore_failed",
            "; HANA could not finish its recovery: backup.log of the database says more",
        ),
        _ => (ErrorKind::Invalid, code, ""),
    };
    Error::new(kind, code, format!("{failure}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hdbsql_says_has_its_code() {
        for (failure, code) in [
            (
                "hdbsql ended with exit code 3: * 10: authentication failed SQLSTATE: 28000",
                "sign_in_failed",
            ),
            (
                "* 258: insufficient privilege: Not authorized SQLSTATE: HY000",
                "rights_missing",
            ),
            (
                "hdbsql ended with exit code 1: * -10709: Connection failed (RTE:[89006] System call 'connect' failed, rc=111:Connection refused)",
                "database_unreachable",
            ),
            (
                "* -10807: System call recv failed SQLSTATE: 08000",
                "database_unreachable",
            ),
            (
                "* 447: backup could not be completed: [2001003] full SQLSTATE: HY000",
                "dump_failed",
            ),
            (
                "* 448: recovery could not be completed SQLSTATE: HY000",
                "restore_failed",
            ),
            (
                "hdbsql was killed by signal 9 and said nothing",
                "query_failed",
            ),
            ("* 257: sql syntax error SQLSTATE: HY000", "query_failed"),
        ] {
            assert_eq!(refused(failure, "query_failed").code(), code, "{failure}");
        }
        assert!(is_error("* 257: sql syntax error SQLSTATE: HY000"));
        assert!(!is_error("\"* 257: in a text\",1"));
    }
}
