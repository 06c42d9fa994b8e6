//! Records as people see them.

use crate::cmd::output::{between, bytes, instant, instant_or_dash, key_values, or_dash, table};
use backupx_api::evidence::Evidence;
use backupx_api::guard::Acceptance;
use backupx_api::page::Page;
use backupx_api::records::{Counts, Record};

/// A list of records.
pub(crate) fn list(page: &Page<Record>) -> String {
    table(
        [
            "id", "task", "node", "status", "begun", "took", "read", "stored", "copies",
        ],
        &["id", "took", "read", "stored", "copies"],
        page.items.iter().map(|record| {
            let good = record
                .copies
                .iter()
                .filter(|copy| copy.manifest_sha256.is_some())
                .count();
            [
                record.id.to_string(),
                record.task_name.clone(),
                node(record),
                status(record),
                instant(record.started_at.unwrap_or(record.created_at)),
                between(record.started_at, record.finished_at),
                bytes(record.raw_bytes),
                bytes(record.stored_bytes),
                format!("{good}/{}", record.copies.len()),
            ]
        }),
    )
}

/// One record.
pub(crate) fn one(record: &Record) -> String {
    let mut pairs = vec![
        ("id", record.id.to_string()),
        ("task", record.task_name.clone()),
        ("node", node(record)),
        ("status", status(record)),
        ("begun by", record.trigger.to_string()),
        ("made", instant(record.created_at)),
        ("started", instant_or_dash(record.started_at)),
        ("finished", instant_or_dash(record.finished_at)),
        ("took", between(record.started_at, record.finished_at)),
        ("read", read(record)),
        ("stored", bytes(record.stored_bytes)),
        ("speed", speed(record)),
        ("changed", changed(record)),
        ("location", record.location.clone()),
    ];
    let problems = problems(&record.counts);
    if !problems.is_empty() {
        pairs.push(("not as it should be", problems));
    }
    if let Some(alarm) = &record.alarm {
        let findings: Vec<_> = alarm.findings.iter().map(|f| f.message.as_str()).collect();
        pairs.push(("odd", findings.join("\n")));
        pairs.push(match &alarm.accepted {
            None => (
                "",
                format!(
                    "retention of the task rests until `backupx record accept {}`",
                    record.id
                ),
            ),
            Some(word) => ("accepted", accepted(word)),
        });
    }
    if let Some(evidence) = &record.drill {
        pairs.push(("drilled", drilled(evidence)));
    }
    if let Some(lock) = &record.lock {
        pairs.push((
            "locked",
            format!("{} (since {})", lock.reason, instant(lock.since)),
        ));
    }
    if let Some(error) = &record.error {
        pairs.push(("error", error.message.clone()));
    }
    let copies = table(
        ["target", "copy", "stored", "verified", "error"],
        &["stored"],
        record.copies.iter().map(|copy| {
            [
                copy.target_name.clone(),
                copy.status.to_string(),
                bytes(copy.stored_bytes),
                instant_or_dash(copy.verified_at),
                or_dash(copy.error.clone().unwrap_or_default()),
            ]
        }),
    );
    format!("{}\n\n{copies}", key_values(&pairs))
}

/// A run that is odd shows it where people look first.
fn status(record: &Record) -> String {
    match &record.alarm {
        Some(alarm) if alarm.accepted.is_none() => format!("{} (odd)", record.status),
        _ => record.status.to_string(),
    }
}

fn accepted(word: &Acceptance) -> String {
    let said = format!("by {} at {}", word.by, instant(word.at));
    match word.reason.as_str() {
        "" => said,
        reason => format!("{said}: {reason}"),
    }
}

fn drilled(evidence: &Evidence) -> String {
    let at = instant(evidence.at);
    let mut lines = vec![match &evidence.error {
        None => format!("held at {at} (operation {})", evidence.operation_id),
        Some(error) => format!(
            "failed at {at} (operation {}): {}",
            evidence.operation_id, error.message
        ),
    }];
    let answers = evidence.report.iter().flat_map(|report| &report.answers);
    lines.extend(answers.map(|answer| {
        let mark = if answer.ok { "holds" } else { "FAILS" };
        format!("{mark}: {} -> {}", answer.assertion, answer.answer)
    }));
    lines.join("\n")
}

fn speed(record: &Record) -> String {
    let speed = record.statistics.map(|run| run.bytes_per_second);
    or_dash(speed.map_or_else(String::new, |speed| format!("{}/s", bytes(speed))))
}

fn changed(record: &Record) -> String {
    let share = record.statistics.and_then(|run| run.changed_share);
    or_dash(share.map_or_else(String::new, |share| {
        format!("{:.0} % of its files since the run before", share * 100.0)
    }))
}

fn node(record: &Record) -> String {
    match (&record.node_name, record.node_id) {
        (Some(name), _) => name.clone(),
        (None, Some(id)) => format!("#{id}"),
        (None, None) => "-".to_owned(),
    }
}

fn read(record: &Record) -> String {
    let files = if record.status.is_final() {
        record.counts.files
    } else {
        record.progress.files
    };
    format!("{} in {files} files", bytes(record.raw_bytes))
}

fn problems(counts: &Counts) -> String {
    let problems = [
        (counts.changed, "changed while they were read"),
        (counts.unreadable, "could not be read"),
        (counts.vanished, "vanished"),
        (counts.skipped, "can't be archived"),
    ];
    let problems: Vec<_> = problems
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    problems.join(", ")
}
