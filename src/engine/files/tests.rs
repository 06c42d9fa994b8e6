//! Listing: folders page by page, also those that have no entry of their own.

use super::*;
use crate::backup;
use crate::testing::{MemorySource, MemoryStore, Run, Watching, location};
use backupx_core::domain::task::Compression;
use backupx_core::ports::objects::Layout;
use backupx_core::ports::source::StopFlag;

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_page_by_page() -> Result<()> {
    let run = Run::new(Compression::Zstd);
    let (store, broken) = (
        MemoryStore::new(Layout::OneObject),
        MemoryStore::new(Layout::OneObject),
    );
    let observer = Arc::new(Watching::default());
    let source = MemorySource::of(&[10; 5]);
    let report = backup(
        run.plan.clone(),
        source,
        vec![store.destination(1)],
        observer,
        StopFlag::default(),
    )
    .await?;
    let keys = run.keys(&report.streams);
    let list = async |path: &str, limit, after: Option<&str>| {
        let sources = vec![broken.destination(1), store.destination(2)];
        let page = list_files(&location(), sources, &keys, path, limit, after).await?;
        let names: Vec<_> = page.entries.into_iter().map(|entry| entry.path).collect();
        Ok::<_, Error>((names, page.next))
    };
    assert_eq!(list("", 10, None).await?, (vec!["home".to_owned()], None));
    assert_eq!(
        list("/home/", 10, None).await?,
        (vec!["home/a".to_owned()], None)
    );
    let (first, next) = list("home/a", 3, None).await?;
    assert_eq!(
        first,
        ["home/a/file-000", "home/a/file-001", "home/a/file-002"]
    );
    let (rest, end) = list("home/a", 3, next.as_deref()).await?;
    assert_eq!(
        (rest, end),
        (
            vec!["home/a/file-003".to_owned(), "home/a/file-004".to_owned()],
            None
        )
    );
    let missing = list("home/b", 3, None)
        .await
        .expect_err("there is no such folder");
    assert_eq!(missing.code(), "path_not_found");
    Ok(())
}
