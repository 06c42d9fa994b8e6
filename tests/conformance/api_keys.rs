//! API keys.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, name, refused};
use anyhow::Result;
use backupx_core::domain::account::{Role, User};
use backupx_core::domain::id::{ApiKeyId, UserId};
use backupx_core::domain::page::PageRequest;
use backupx_core::ports::accounts::UserChange;

cases!(
    a_key_is_found_by_its_hash_with_its_user,
    a_name_is_given_once,
    a_key_ends_when_it_expires,
    the_key_of_a_disabled_user_is_not_good,
    its_use_is_noted_once_a_minute,
    keys_are_listed_by_id_in_pages,
    a_key_is_removed_once,
);

async fn user(ports: &Ports) -> Result<User> {
    Ok(ports
        .users
        .add(&name("ada"), "hash", Role::Admin, at(0))
        .await?)
}

async fn a_key_is_found_by_its_hash_with_its_user(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    let key = ports
        .api_keys
        .add(&name("ci"), "h1", Role::Viewer, user.id, None, at(1))
        .await?;
    assert_eq!((key.role, key.user_id), (Role::Viewer, user.id));
    assert_eq!((key.created_at, key.last_used_at), (at(1), None));
    let live = ports.api_keys.live("h1", at(2)).await?;
    let (found, owner) = live.expect("the key is good");
    assert_eq!((found.id, owner), (key.id, user));
    assert_eq!(found.last_used_at, Some(at(2)));
    assert_eq!(ports.api_keys.live("h2", at(2)).await?, None);
    Ok(())
}

async fn a_name_is_given_once(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    let add = |hash, user| {
        ports
            .api_keys
            .add(&KEY_NAME, hash, Role::Viewer, user, None, at(1))
    };
    add("h1", user.id).await?;
    refused(add("h2", user.id).await, "api_key_name_taken");
    ports.api_keys.live("h1", at(1)).await?;
    let other = name("other");
    let nobody = ports
        .api_keys
        .add(&other, "h3", Role::Viewer, UserId(99), None, at(1));
    refused(nobody.await, "user_not_found");
    Ok(())
}

static KEY_NAME: std::sync::LazyLock<backupx_core::domain::name::Name> =
    std::sync::LazyLock::new(|| name("ci"));

async fn a_key_ends_when_it_expires(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    ports
        .api_keys
        .add(&KEY_NAME, "h", Role::Viewer, user.id, Some(at(10)), at(1))
        .await?;
    assert!(ports.api_keys.live("h", at(9)).await?.is_some());
    assert_eq!(ports.api_keys.live("h", at(10)).await?, None);
    Ok(())
}

async fn the_key_of_a_disabled_user_is_not_good(ports: &Ports) -> Result<()> {
    let root = ports
        .users
        .add(&name("root"), "hash", Role::Admin, at(0))
        .await?;
    let user = user(ports).await?;
    for (owner, hash) in [(&root, "h1"), (&user, "h2")] {
        ports
            .api_keys
            .add(&name(hash), hash, Role::Admin, owner.id, None, at(1))
            .await?;
    }
    let off = |off| UserChange {
        disabled: Some(off),
        ..UserChange::default()
    };
    ports.users.update(user.id, None, &off(true), at(2)).await?;
    assert_eq!(ports.api_keys.live("h2", at(3)).await?, None);
    assert!(ports.api_keys.live("h1", at(3)).await?.is_some());
    ports
        .users
        .update(user.id, None, &off(false), at(4))
        .await?;
    assert!(ports.api_keys.live("h2", at(5)).await?.is_some());
    Ok(())
}

async fn its_use_is_noted_once_a_minute(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    ports
        .api_keys
        .add(&KEY_NAME, "h", Role::Viewer, user.id, None, at(1))
        .await?;
    for (second, noted) in [(10, 10), (69, 10), (70, 70), (80, 70)] {
        ports.api_keys.live("h", at(second)).await?;
        let all = ports.api_keys.list(PageRequest::default()).await?;
        assert_eq!(all.items[0].last_used_at, Some(at(noted)), "{second}");
    }
    Ok(())
}

async fn keys_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    for called in ["a", "b", "c"] {
        ports
            .api_keys
            .add(&name(called), called, Role::Viewer, user.id, None, at(1))
            .await?;
    }
    let first = ports.api_keys.list(PageRequest::first(2)).await?;
    let rest = PageRequest {
        limit: 2,
        after: first.next,
    };
    let rest = ports.api_keys.list(rest).await?;
    let names: Vec<_> = first
        .items
        .iter()
        .chain(&rest.items)
        .map(|key| key.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(rest.next, None);
    Ok(())
}

async fn a_key_is_removed_once(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    let key = ports
        .api_keys
        .add(&KEY_NAME, "h", Role::Viewer, user.id, None, at(1))
        .await?;
    assert!(ports.api_keys.remove(key.id).await?);
    assert!(!ports.api_keys.remove(key.id).await?);
    assert!(!ports.api_keys.remove(ApiKeyId(99)).await?);
    assert_eq!(ports.api_keys.live("h", at(2)).await?, None);
    Ok(())
}
