//! When backups are proven by themselves, as it is said on the command line.

use crate::cmd::failure::usage;
use crate::cmd::record::by_name;
use anyhow::Result;
use backupx_api::operations::VerifyMode;
use backupx_api::verifications::VerifyPlan;

/// When the newest backup is proven by itself.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct VerifyFlags {
    /// Prove the newest backup by a timetable: how deep, and a cron expression, as full='0 4 * * 0'; may be repeated
    #[arg(long = "verify", value_name = "MODE=CRON", value_parser = plan)]
    plans: Vec<(VerifyMode, String)>,
    /// IANA zone of --verify [default: UTC]
    #[arg(long, value_name = "TZ")]
    verify_timezone: Option<String>,
}

impl VerifyFlags {
    /// Replaces the plans when some were named.
    pub(crate) fn apply(&self, plans: &mut Vec<VerifyPlan>) -> Result<()> {
        if !self.plans.is_empty() {
            let named = self.plans.iter().map(|(mode, cron)| VerifyPlan {
                mode: *mode,
                cron: cron.clone(),
                timezone: "UTC".to_owned(),
            });
            *plans = named.collect();
        }
        if let Some(zone) = &self.verify_timezone {
            if plans.is_empty() {
                return Err(usage("--verify-timezone needs --verify"));
            }
            for plan in plans {
                plan.timezone.clone_from(zone);
            }
        }
        Ok(())
    }
}

/// Plans as people read them.
pub(crate) fn shown(plans: &[VerifyPlan]) -> String {
    let lines = plans
        .iter()
        .map(|plan| format!("{} at {} ({})", plan.mode, plan.cron, plan.timezone));
    lines.collect::<Vec<_>>().join("\n")
}

fn plan(text: &str) -> Result<(VerifyMode, String), String> {
    let (mode, cron) = text
        .split_once('=')
        .ok_or_else(|| "use MODE=CRON, as full='0 4 * * 0'".to_owned())?;
    let mode = by_name(VerifyMode::ALL, VerifyMode::as_str, mode)?;
    Ok((mode, cron.to_owned()))
}
