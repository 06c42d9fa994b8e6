//! The support itself: servers as the environment names them.

use anyhow::Result;
use libtest_mimic::Trial;

use super::support::servers::{S3, s3_trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![s3_trial("smoke::s3", |s3: S3| -> Result<()> {
        anyhow::ensure!(!s3.endpoint.is_empty(), "empty");
        Ok(())
    })]
}
