//! Settings.

use crate::case::cases;
use crate::ports::Ports;
use anyhow::Result;

cases!(
    a_setting_is_kept_replaced_and_removed,
    the_first_value_is_the_one_that_all_agree_on,
    never_29_a_one_time_code_works_once,
);

async fn a_setting_is_kept_replaced_and_removed(ports: &Ports) -> Result<()> {
    assert_eq!(ports.settings.get("k").await?, None);
    for value in ["one", "two", ""] {
        ports.settings.set("k", value).await?;
        assert_eq!(ports.settings.get("k").await?.as_deref(), Some(value));
    }
    ports.settings.set("other", "x").await?;
    ports.settings.remove("k").await?;
    ports.settings.remove("k").await?;
    assert_eq!(ports.settings.get("k").await?, None);
    assert_eq!(ports.settings.get("other").await?.as_deref(), Some("x"));
    Ok(())
}

async fn the_first_value_is_the_one_that_all_agree_on(ports: &Ports) -> Result<()> {
    assert_eq!(ports.settings.get_or_set("k", "first").await?, "first");
    assert_eq!(ports.settings.get_or_set("k", "second").await?, "first");
    let (one, two) = tokio::join!(
        ports.settings.get_or_set("race", "one"),
        ports.settings.get_or_set("race", "two")
    );
    let agreed = ports.settings.get("race").await?;
    assert_eq!((Some(one?), Some(two?)), (agreed.clone(), agreed));
    Ok(())
}

async fn never_29_a_one_time_code_works_once(ports: &Ports) -> Result<()> {
    ports.settings.set("code", "abc").await?;
    assert!(!ports.settings.take("code", "wrong").await?);
    assert_eq!(ports.settings.get("code").await?.as_deref(), Some("abc"));
    assert!(ports.settings.take("code", "abc").await?);
    assert!(!ports.settings.take("code", "abc").await?);
    assert_eq!(ports.settings.get("code").await?, None);
    Ok(())
}
