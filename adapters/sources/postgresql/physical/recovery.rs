//! Settings with which a restored cluster goes on to a moment.

use backupx_core::domain::wal::RecoveryTarget;

/// Settings of which a server takes one at most.
const TARGETS: [&str; 5] = [
    "recovery_target",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
];

/// The lines for `postgresql.auto.conf`; the last value of a setting counts there. The server opens for writing once it is there.
pub(super) fn settings(restore_command: &str, target: &RecoveryTarget) -> String {
    let aim = match target {
        RecoveryTarget::Latest => None,
        RecoveryTarget::Time(time) => Some((
            "recovery_target_time",
            time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string(),
        )),
        RecoveryTarget::Lsn(lsn) => Some(("recovery_target_lsn", lsn.to_string())),
        RecoveryTarget::Name(name) => Some(("recovery_target_name", name.clone())),
    };
    let mut lines = vec![
        "# Written by a restore of backupx.".to_owned(),
        line("restore_command", restore_command),
        line("recovery_target_timeline", "latest"),
        line("recovery_target_action", "promote"),
    ];
    // What an earlier restore of this cluster aimed at is none of this one's aims; the aim comes last, since there may be only one at a time.
    for name in TARGETS {
        lines.push(line(name, ""));
    }
    if let Some((name, value)) = aim {
        lines.push(line(name, &value));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'", value.replace('\'', "''"))
}
