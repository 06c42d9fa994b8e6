//! Which process writes an object, and whether it still runs.

use crate::facts::hostname;
use backupx_core::ports::backint::Writer;
use std::fs;

/// This process.
pub(super) fn ourselves() -> Writer {
    let process = std::process::id();
    Writer {
        host: hostname(),
        process: format!(
            "{} {process} {}",
            boot(),
            started(process).unwrap_or_default()
        ),
    }
}

/// Whether `writer` is a process of this host that has ended. Nothing is known of other hosts.
pub(super) fn has_ended(writer: &Writer) -> bool {
    if writer.host != hostname() {
        return false;
    }
    let parts: Vec<_> = writer.process.split(' ').collect();
    let [its_boot, process, its_start] = parts[..] else {
        return false;
    };
    let now = process.parse().ok().and_then(started);
    its_boot != boot() || now.as_deref() != Some(its_start)
}

/// A name of the time since the host was started.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// When a process was started, in the kernel's ticks; nothing when there is none of this number.
fn started(process: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in brackets may hold anything; the start is the twentieth field behind it.
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_ended_when_its_number_means_another() {
        let writer = ourselves();
        assert!(!has_ended(&writer), "{writer:?} runs");
        let earlier = |process: String| Writer {
            process,
            ..writer.clone()
        };
        assert!(has_ended(&earlier(format!(
            "{} {} 1",
            boot(),
            std::process::id()
        ))));
        assert!(has_ended(&earlier(format!(
            "another {} 1",
            std::process::id()
        ))));
        let elsewhere = Writer {
            host: format!("not-{}", writer.host),
            process: "x 1 1".to_owned(),
        };
        assert!(!has_ended(&elsewhere), "nothing is known of it");
    }
}
