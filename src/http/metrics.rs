//! Metrics in the text format of Prometheus: counters of requests, and figures of the installation at the time of asking.

use backupx_app::Figures;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the classes of durations, in seconds.
const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counters of this process. Labels are bounded: routes come from the router, never from the request.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Labels, Histogram>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts one request.
    pub(crate) fn count(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let labels = Labels {
            method,
            route: route.to_owned(),
            status,
        };
        let seconds = took.as_secs_f64();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = requests.entry(labels).or_default();
        histogram.count += 1;
        histogram.seconds += seconds;
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Everything as text. Without figures the state stores could not be reached.
    pub(crate) fn render(&self, figures: Option<Figures>) -> String {
        let mut text = String::new();
        self.write(&mut text, figures)
            .expect("writing to a string does not fail");
        text
    }

    fn write(&self, out: &mut String, figures: Option<Figures>) -> std::fmt::Result {
        let version = env!("CARGO_PKG_VERSION");
        gauge(out, "backupx_build_info", "The version that runs.")?;
        writeln!(out, "backupx_build_info{{version=\"{version}\"}} 1")?;
        gauge(
            out,
            "backupx_state_store_up",
            "1 while the state stores can be reached.",
        )?;
        writeln!(
            out,
            "backupx_state_store_up {}",
            u8::from(figures.is_some())
        )?;
        if let Some(figures) = figures {
            gauge(out, "backupx_nodes", "Nodes by status.")?;
            writeln!(
                out,
                "backupx_nodes{{status=\"online\"}} {}",
                figures.nodes_online
            )?;
            writeln!(
                out,
                "backupx_nodes{{status=\"offline\"}} {}",
                figures.nodes_offline
            )?;
            gauge(
                out,
                "backupx_commands",
                "Commands that are not at their end, by state.",
            )?;
            writeln!(
                out,
                "backupx_commands{{state=\"pending\"}} {}",
                figures.commands_pending
            )?;
            writeln!(
                out,
                "backupx_commands{{state=\"claimed\"}} {}",
                figures.commands_claimed
            )?;
        }
        self.write_requests(out)
    }

    fn write_requests(&self, out: &mut String) -> std::fmt::Result {
        let name = "backupx_http_request_duration_seconds";
        writeln!(out, "# HELP {name} How long requests took to answer.")?;
        writeln!(out, "# TYPE {name} histogram")?;
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (labels, histogram) in requests.iter() {
            let Labels {
                method,
                route,
                status,
            } = labels;
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            for (bucket, bound) in histogram.buckets.iter().zip(BOUNDS) {
                writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {bucket}")?;
            }
            writeln!(
                out,
                "{name}_bucket{{{labels},le=\"+Inf\"}} {}",
                histogram.count
            )?;
            writeln!(out, "{name}_sum{{{labels}}} {}", histogram.seconds)?;
            writeln!(out, "{name}_count{{{labels}}} {}", histogram.count)?;
        }
        Ok(())
    }
}

fn gauge(out: &mut String, name: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}")?;
    writeln!(out, "# TYPE {name} gauge")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_in_every_class_that_holds_them() {
        let metrics = Metrics::default();
        metrics.count("GET", "/health", 200, Duration::from_millis(20));
        metrics.count("GET", "/health", 200, Duration::from_secs(40));
        let text = metrics.render(Some(Figures::default()));
        let labels = r#"method="GET",route="/health",status="200""#;
        let expect = |line: String| assert!(text.contains(&line), "{line}\n{text}");
        expect(format!("_bucket{{{labels},le=\"0.01\"}} 0\n"));
        expect(format!("_bucket{{{labels},le=\"0.025\"}} 1\n"));
        expect(format!("_bucket{{{labels},le=\"+Inf\"}} 2\n"));
        expect(format!("_count{{{labels}}} 2\n"));
        expect("backupx_state_store_up 1\n".to_owned());
    }
}
