//! Handing one object back: every stored byte read once and compared with its checksum on the way.

use crate::Destination;
use crate::archive::lift;
use crate::pass::{self, Rest};
use crate::stop::{cancelled, unless_stopped};
use crate::stream::{Opened, RawStream};
use backupx_core::domain::backint::BackintObject;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bytes that are handed on at once.
const BLOCK: usize = 1 << 20;

/// Writes `object` into `output`, on a thread that may block, and answers how many bytes that were. The answer means that all of them came
/// out of storage as they were saved. After an error some may have been written already.
pub async fn put_back(
    object: &BackintObject,
    output: impl Write + Send + 'static,
    source: &Destination,
    observer: Arc<dyn Observer>,
    stop: &StopFlag,
) -> Result<u64> {
    let (leave, watching) = (stop.clone(), Arc::clone(&observer));
    let passing = async {
        let (location, stored) = (&object.location, &object.stream);
        let opened = Opened::of(source, location, stored, &[]).await?;
        let whole = opened.raw_len();
        let passed = pass::run(
            source,
            location,
            &opened,
            stored.clone(),
            &observer,
            Rest::Left,
            move |raw| copy(raw, output, watching.as_ref(), &leave),
        )
        .await?;
        if passed.taken == whole {
            return Ok(whole);
        }
        Err(Error::invalid(
            "stream_damaged",
            format!("{} of {whole} bytes came out of storage", passed.taken),
        ))
    };
    unless_stopped(stop, passing).await
}

fn copy(
    raw: &mut dyn Read,
    mut output: impl Write,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut written = 0;
    loop {
        if stop.is_stopped() {
            return Err(cancelled());
        }
        let count = read(raw, &mut block)?;
        if count == 0 {
            break;
        }
        output.write_all(&block[..count]).map_err(not_taken)?;
        written += count as u64;
        let counters = observer.counters();
        counters.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
    output.flush().map_err(not_taken)?;
    Ok(written)
}

fn read(raw: &mut dyn Read, block: &mut [u8]) -> Result<usize> {
    loop {
        match raw.read(block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(lift(error, "stream_damaged", "the object can't be read")),
            Ok(count) => return Ok(count),
        }
    }
}

fn not_taken(error: std::io::Error) -> Error {
    lift(error, "not_taken", "the object can't be written")
}
