//! What an archive holds, from one list of it.

use super::object::Object;
use super::{Archive, Fetched};
use backupx_core::Result;
use backupx_core::domain::wal::{Holdings, Kept, WalFile, switches};
use std::collections::BTreeSet;

impl Archive {
    /// What it holds now. A segment of which there are two different ones counts as missing: nobody can say which is right.
    pub async fn holdings(&self) -> Result<Holdings> {
        let cluster = self.its_cluster().await?;
        let mut holdings = Holdings {
            system: cluster.system_id,
            segment_bytes: cluster.segment_bytes,
            ..Holdings::default()
        };
        let mut doubtful = BTreeSet::new();
        let listed = self.store.list(&self.prefix).await?;
        for object in listed.into_iter().filter_map(Object::parse) {
            match object.file {
                WalFile::Segment(segment) => {
                    let kept = Kept {
                        filled_at: object.filled_at,
                    };
                    if holdings.segments.insert(segment, kept).is_some() {
                        doubtful.insert(segment);
                    }
                }
                WalFile::Label(start, _) => {
                    holdings.bases.insert(start, object.filled_at);
                }
                WalFile::History(timeline) => {
                    if let Fetched::Found(text) = self.fetch(object.file).await? {
                        let history = switches(&String::from_utf8_lossy(&text))?;
                        holdings.histories.insert(timeline, history);
                    }
                }
                WalFile::Partial(_) => {}
            }
        }
        holdings
            .segments
            .retain(|segment, _| !doubtful.contains(segment));
        Ok(holdings)
    }
}
