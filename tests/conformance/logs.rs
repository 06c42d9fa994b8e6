//! Logs.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::at;
use anyhow::Result;
use backupx_core::domain::command::{Lease, Subject};
use backupx_core::domain::id::{OperationId, RecordId};
use backupx_core::domain::log::{Level, LogLine, StoredLine};

cases!(
    lines_are_read_in_the_order_in_which_they_were_appended,
    a_line_that_is_sent_again_is_stored_once,
    each_lease_counts_its_own_lines,
    subjects_do_not_mix,
    a_log_is_read_in_pages,
    a_line_may_hold_any_character,
);

const SUBJECT: Subject = Subject::Record(RecordId(1));

fn line(seq: i64) -> LogLine {
    LogLine {
        seq,
        at: at(seq),
        level: Level::ALL[usize::try_from(seq % 4).expect("a remainder of four is small")],
        message: format!("line {seq}"),
    }
}

fn lines(seqs: std::ops::Range<i64>) -> Vec<LogLine> {
    seqs.map(line).collect()
}

fn said(stored: Vec<StoredLine>) -> Vec<LogLine> {
    stored.into_iter().map(|stored| stored.line).collect()
}

async fn lines_are_read_in_the_order_in_which_they_were_appended(ports: &Ports) -> Result<()> {
    ports.logs.append(SUBJECT, Lease(1), &lines(1..4)).await?;
    ports.logs.append(SUBJECT, Lease(1), &lines(4..6)).await?;
    ports.logs.append(SUBJECT, Lease(1), &[]).await?;
    let read = ports.logs.read(SUBJECT, 0, 100).await?;
    assert!(read.is_sorted_by(|one, two| one.id < two.id));
    assert_eq!(said(read), lines(1..6));
    Ok(())
}

async fn a_line_that_is_sent_again_is_stored_once(ports: &Ports) -> Result<()> {
    ports.logs.append(SUBJECT, Lease(1), &lines(1..4)).await?;
    let mut again = lines(2..6);
    again[0].message = "not what was said first".to_owned();
    ports.logs.append(SUBJECT, Lease(1), &again).await?;
    assert_eq!(said(ports.logs.read(SUBJECT, 0, 100).await?), lines(1..6));
    Ok(())
}

async fn each_lease_counts_its_own_lines(ports: &Ports) -> Result<()> {
    ports.logs.append(SUBJECT, Lease(1), &lines(1..3)).await?;
    ports.logs.append(SUBJECT, Lease(2), &lines(1..3)).await?;
    let both = [lines(1..3), lines(1..3)].concat();
    assert_eq!(said(ports.logs.read(SUBJECT, 0, 100).await?), both);
    Ok(())
}

async fn subjects_do_not_mix(ports: &Ports) -> Result<()> {
    let other = Subject::Operation(OperationId(1));
    ports.logs.append(SUBJECT, Lease(1), &lines(1..3)).await?;
    ports.logs.append(other, Lease(1), &lines(5..6)).await?;
    assert_eq!(said(ports.logs.read(SUBJECT, 0, 100).await?), lines(1..3));
    assert_eq!(said(ports.logs.read(other, 0, 100).await?), lines(5..6));
    let nobody = Subject::Record(RecordId(2));
    assert!(ports.logs.read(nobody, 0, 100).await?.is_empty());
    Ok(())
}

async fn a_log_is_read_in_pages(ports: &Ports) -> Result<()> {
    ports.logs.append(SUBJECT, Lease(1), &lines(1..6)).await?;
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = ports.logs.read(SUBJECT, after, 2).await?;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = last.id;
        all.extend(said(page));
    }
    assert_eq!(all, lines(1..6));
    Ok(())
}

async fn a_line_may_hold_any_character(ports: &Ports) -> Result<()> {
    let mut odd = line(1);
    odd.message = "zero \0, quote ' and \u{1f980}\r\n".to_owned();
    ports.logs.append(SUBJECT, Lease(1), &[odd]).await?;
    let read = said(ports.logs.read(SUBJECT, 0, 1).await?);
    assert_eq!(read[0].message, "zero \u{fffd}, quote ' and \u{1f980}\r\n");
    Ok(())
}
