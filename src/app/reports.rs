//! Reports judged: what a node says of its work becomes an end only when it fits what it was asked to do.

use backupx_core::domain::id::TargetId;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::domain::operation::{
    Operation, OperationSpec, OperationState, RestoreSpec, VerifyMode,
};
use backupx_core::domain::record::{CopyState, Record, RecordCopy, RecordState, StreamHead};
use backupx_core::domain::report::{
    BackupReport, CopyReport, Failure, Outcome, Report, RestoreReport, VerifyReport,
};
use backupx_core::ports::operations::OperationEnd;
use backupx_core::ports::records::RecordEnd;
use std::collections::BTreeSet;

/// A report that cannot be the truth about its command, and why.
#[derive(Debug)]
pub(crate) struct BadReport(pub(crate) String);

/// More than storage services hold in one stream; a figure beyond it is no figure.
const MAX_BYTES: u64 = 1 << 60;

/// The end of a run whose node carried it out. The state is what the copies roll up to, never better.
pub(crate) fn backup_end(record: &Record, report: &Report) -> Result<RecordEnd, BadReport> {
    let Report::Backup(report) = report else {
        return Err(BadReport(
            "the node reported something else than a backup".to_owned(),
        ));
    };
    check_targets(
        record.copies.iter().map(|copy| copy.target_id),
        &report.copies,
    )?;
    let good = report.copies.iter().any(is_good);
    if good {
        check_streams(record, report)?;
    }
    let lost = report.counts.unreadable + report.counts.vanished;
    let too_many = (lost > record.task.max_unreadable).then(|| {
        Failure::new(
            "too_many_unreadable",
            format!(
                "{lost} files could not be read or vanished, {} are accepted",
                record.task.max_unreadable
            ),
        )
    });
    let copies: Vec<RecordCopy> = record
        .copies
        .iter()
        .map(|copy| {
            let told = report
                .copies
                .iter()
                .find(|told| told.target_id == copy.target_id);
            settled(copy, told, too_many.as_ref())
        })
        .collect();
    let state = RecordState::roll_up(copies.iter().map(|copy| copy.state));
    let failure = too_many.or_else(|| failure_of(state, &copies));
    let streams = match state.has_copies() {
        true => report.streams.iter().map(StreamHead::from).collect(),
        false => Vec::new(),
    };
    Ok(RecordEnd {
        state,
        counts: report.counts,
        failure,
        streams,
        copies,
        alarm: None,
        history: None,
    })
}

fn settled(copy: &RecordCopy, told: Option<&CopyReport>, too_many: Option<&Failure>) -> RecordCopy {
    let mut copy = copy.clone();
    match told {
        Some(told) if is_good(told) && too_many.is_none() => {
            copy.state = CopyState::Good;
            copy.stored_bytes = told.stored_bytes;
            copy.manifest_sha256.clone_from(&told.manifest_sha256);
            copy.error = None;
        }
        Some(_) | None => {
            let why = told.and_then(|told| told.failure.as_ref()).or(too_many);
            copy.state = CopyState::Failed;
            copy.error = Some(why.map_or_else(
                || "the node confirmed no manifest".to_owned(),
                |failure| failure.message.clone(),
            ));
        }
    }
    copy
}

/// True when a target's manifest was written and confirmed, and nothing speaks against it.
pub(crate) fn is_good(report: &CopyReport) -> bool {
    report.failure.is_none()
        && report.stored_bytes > 0
        && report.stored_bytes < MAX_BYTES
        && report.manifest_sha256.as_deref().is_some_and(is_sha256)
}

fn failure_of(state: RecordState, copies: &[RecordCopy]) -> Option<Failure> {
    let bad: Vec<String> = copies
        .iter()
        .filter(|copy| copy.state != CopyState::Good)
        .map(|copy| {
            let why = copy.error.as_deref().unwrap_or("it has no copy");
            format!("{}: {why}", copy.target_name)
        })
        .collect();
    match state {
        RecordState::Degraded => Some(Failure::new(
            "target_failed",
            format!(
                "{} of {} targets failed: {}",
                bad.len(),
                copies.len(),
                bad.join("; ")
            ),
        )),
        RecordState::Failed => Some(Failure::new(
            "all_targets_failed",
            format!("no target has a copy: {}", bad.join("; ")),
        )),
        RecordState::Queued
        | RecordState::Running
        | RecordState::Success
        | RecordState::Cancelled
        | RecordState::Missed => None,
    }
}

/// A report names exactly the targets of its command: a node never speaks of others (never 20).
fn check_targets(
    asked: impl Iterator<Item = TargetId>,
    told: &[CopyReport],
) -> Result<(), BadReport> {
    let asked: BTreeSet<_> = asked.collect();
    let named: BTreeSet<_> = told.iter().map(|copy| copy.target_id).collect();
    if named != asked || named.len() != told.len() {
        return Err(BadReport(
            "the node's report does not name exactly the targets of this run".to_owned(),
        ));
    }
    Ok(())
}

fn check_streams(record: &Record, report: &BackupReport) -> Result<(), BadReport> {
    let names: BTreeSet<_> = report.streams.iter().map(|s| s.stream.as_str()).collect();
    let told_once = names.len() == report.streams.len();
    let fits = if record.task.source.is_database() {
        let dumps = report
            .streams
            .iter()
            .filter(|stream| stream.stream != "index");
        let mut kinds = dumps.map(|stream| {
            stream.dump.is_some() && stream.stream.starts_with(Manifest::DUMP_PREFIX)
        });
        names.contains("index") && names.len() > 1 && kinds.all(|is_dump| is_dump)
    } else {
        names == BTreeSet::from(["data", "index"])
    };
    if !fits || !told_once {
        let expected = if record.task.source.is_database() {
            "an index and dumps"
        } else {
            "data and index"
        };
        return Err(BadReport(format!(
            "the node's report does not name exactly the streams that such a run makes: {expected}"
        )));
    }
    for stream in &report.streams {
        check_stream(record, stream)?;
    }
    Ok(())
}

fn check_stream(record: &Record, stream: &StoredStream) -> Result<(), BadReport> {
    let bad = |why: &str| {
        let name = &stream.stream;
        Err(BadReport(format!(
            "the node's report of stream {name} {why}"
        )))
    };
    if !is_sha256(&stream.sha256) {
        return bad("has no SHA-256");
    }
    if stream.stored_bytes == 0 || stream.stored_bytes > MAX_BYTES || stream.raw_bytes > MAX_BYTES {
        return bad("has an impossible size");
    }
    if stream.objects.is_empty() {
        return bad("names no object");
    }
    let mut sum: u64 = 0;
    for object in &stream.objects {
        if object.name.contains('/') || record.location.join(&object.name).is_err() {
            return bad("names an object outside the record's folder");
        }
        sum = sum.saturating_add(object.size);
    }
    if sum != stream.stored_bytes {
        return bad("has objects whose sizes do not add up");
    }
    if stream.age_header.is_some() != record.task.encrypt {
        return bad("is not sealed as the task asks");
    }
    if stream.age_header.as_ref().is_some_and(|h| h.len() > 65_536) {
        return bad("has an endless header");
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The end of an operation with this outcome.
pub(crate) fn operation_end(operation: &Operation, outcome: &Outcome) -> OperationEnd {
    match outcome {
        Outcome::Cancelled => OperationEnd {
            state: OperationState::Cancelled,
            report: None,
            failure: None,
        },
        Outcome::Failed { failure, report } => OperationEnd {
            state: OperationState::Failed,
            report: report.clone().filter(|r| fits(operation, r)),
            failure: Some(failure.clone()),
        },
        Outcome::Succeeded { report } if !fits(operation, report) => OperationEnd {
            state: OperationState::Failed,
            report: None,
            failure: Some(Failure::new(
                "bad_report",
                "the node's report is not about what it was asked to do",
            )),
        },
        Outcome::Succeeded { report } => {
            let failure = shortfall(operation, report);
            OperationEnd {
                state: match failure {
                    None => OperationState::Success,
                    Some(_) => OperationState::Failed,
                },
                report: Some(report.clone()),
                failure,
            }
        }
    }
}

/// True when a report is of the operation's kind and names no target that the operation did not.
fn fits(operation: &Operation, report: &Report) -> bool {
    match (&operation.spec, report) {
        (OperationSpec::Restore(_), Report::Restore(_))
        | (OperationSpec::Delete { .. }, Report::Delete(_)) => true,
        (OperationSpec::Verify { target_ids, .. }, Report::Verify(report)) => report
            .copies
            .iter()
            .all(|copy| target_ids.is_empty() || target_ids.contains(&copy.target_id)),
        (OperationSpec::Verify { mode, .. }, Report::Drill(_)) => *mode == VerifyMode::Drill,
        (OperationSpec::Copy { target_ids }, Report::Copy { copies }) => {
            check_targets(target_ids.iter().copied(), copies).is_ok()
        }
        (
            OperationSpec::Restore(_)
            | OperationSpec::Verify { .. }
            | OperationSpec::Copy { .. }
            | OperationSpec::Delete { .. },
            _,
        ) => false,
    }
}

/// Why an operation that was carried out is no success all the same.
fn shortfall(operation: &Operation, report: &Report) -> Option<Failure> {
    match (&operation.spec, report) {
        (OperationSpec::Restore(spec), Report::Restore(report)) => restore_shortfall(spec, report),
        (OperationSpec::Verify { .. }, Report::Verify(report)) => verify_shortfall(report),
        (OperationSpec::Verify { .. }, Report::Drill(report)) => report.failure(),
        (OperationSpec::Copy { .. }, Report::Copy { copies }) => {
            let bad: Vec<_> = copies.iter().filter(|copy| !is_good(copy)).collect();
            let why = bad.first()?.failure.as_ref();
            let why = why.map_or("the node confirmed no manifest", |f| f.message.as_str());
            Some(Failure::new(
                "target_failed",
                format!("{} of {} targets failed: {why}", bad.len(), copies.len()),
            ))
        }
        (
            OperationSpec::Restore(_)
            | OperationSpec::Verify { .. }
            | OperationSpec::Copy { .. }
            | OperationSpec::Delete { .. },
            _,
        ) => None,
    }
}

/// A restore that put nothing back, or not all of it, is a failure (never 4).
fn restore_shortfall(spec: &RestoreSpec, report: &RestoreReport) -> Option<Failure> {
    let done = report.restored_entries + report.kept_entries;
    if report.selected_entries == 0 {
        return (!spec.include.is_empty()).then(|| {
            Failure::new(
                "nothing_selected",
                format!("nothing in the backup matches {}", spec.include.join(", ")),
            )
        });
    }
    let first = report.warnings.first().map_or("", String::as_str);
    if done == 0 {
        return Some(Failure::new(
            "nothing_restored",
            format!(
                "none of {} entries was restored; {first}",
                report.selected_entries
            ),
        ));
    }
    if report.failed_entries > 0 || done < report.selected_entries {
        let missing = report
            .failed_entries
            .max(report.selected_entries.saturating_sub(done));
        return Some(Failure::new(
            "restore_incomplete",
            format!(
                "{missing} of {} entries were not restored whole; the first: {first}",
                report.selected_entries
            ),
        ));
    }
    None
}

fn verify_shortfall(report: &VerifyReport) -> Option<Failure> {
    if report.copies.is_empty() {
        return Some(Failure::new("nothing_verified", "no copy was looked at"));
    }
    let bad: Vec<_> = report.copies.iter().filter(|copy| !copy.ok).collect();
    let first = bad.first()?;
    let damaged = bad.iter().filter(|copy| copy.damaged).count();
    let why = first
        .problems
        .first()
        .map_or("it did not hold", String::as_str);
    let (code, what) = match damaged {
        0 => ("verify_failed", "could not be looked at"),
        _ => ("copy_damaged", "did not hold"),
    };
    Some(Failure::new(
        code,
        format!(
            "{} of {} copies {what}: {why}",
            bad.len(),
            report.copies.len()
        ),
    ))
}
