//! Users.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, name, refused};
use anyhow::Result;
use backupx_core::domain::account::{Role, User};
use backupx_core::domain::id::UserId;
use backupx_core::domain::page::PageRequest;
use backupx_core::ports::accounts::UserChange;

cases!(
    a_user_comes_back_as_it_was_added,
    a_username_is_given_once_whatever_its_case,
    never_29_of_several_first_administrators_one_wins,
    users_are_listed_by_id_in_pages,
    a_change_touches_what_it_names,
    never_17_an_editor_with_an_old_version_changes_nothing,
    never_28_every_change_ends_the_sessions,
    the_last_administrator_stays,
    of_two_administrators_who_resign_at_once_one_stays,
    a_removed_user_leaves_nothing_behind,
);

async fn admin(ports: &Ports, called: &str) -> Result<User> {
    Ok(ports
        .users
        .add(&name(called), "hash", Role::Admin, at(0))
        .await?)
}

fn role(role: Role) -> UserChange {
    UserChange {
        role: Some(role),
        ..UserChange::default()
    }
}

fn disabled() -> UserChange {
    UserChange {
        disabled: Some(true),
        ..UserChange::default()
    }
}

async fn a_user_comes_back_as_it_was_added(ports: &Ports) -> Result<()> {
    assert!(!ports.users.any().await?);
    let added = ports
        .users
        .add(&name("Ada"), "$argon2id$x", Role::Viewer, at(3))
        .await?;
    assert_eq!((added.role, added.disabled), (Role::Viewer, false));
    assert_eq!((added.created_at, added.version), (at(3), 1));
    assert_eq!(added.password_hash, "$argon2id$x");
    assert!(ports.users.any().await?);
    assert_eq!(ports.users.get(added.id).await?, Some(added));
    assert_eq!(ports.users.get(UserId(99)).await?, None);
    Ok(())
}

async fn a_username_is_given_once_whatever_its_case(ports: &Ports) -> Result<()> {
    let added = admin(ports, "Änne").await?;
    for called in ["Änne", "änne", "ÄNNE"] {
        refused(
            ports
                .users
                .add(&name(called), "h", Role::Viewer, at(0))
                .await,
            "username_taken",
        );
        let found = ports.users.by_username(called).await?;
        assert_eq!(found.as_ref(), Some(&added), "{called}");
    }
    assert_eq!(ports.users.by_username("anne").await?, None);
    Ok(())
}

async fn never_29_of_several_first_administrators_one_wins(ports: &Ports) -> Result<()> {
    let names: Vec<_> = (0..16).map(|number| name(&format!("u{number}"))).collect();
    let tries = names
        .iter()
        .map(|name| ports.users.add_first(name, "hash", at(1)));
    let results = futures::future::join_all(tries).await;
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(|result| result.is_ok());
    assert_eq!(won.len(), 1);
    for result in lost {
        refused(result, "already_set_up");
    }
    let all = ports.users.list(PageRequest::default()).await?;
    assert_eq!(all.items.len(), 1);
    assert_eq!(all.items[0].role, Role::Admin);
    Ok(())
}

async fn users_are_listed_by_id_in_pages(ports: &Ports) -> Result<()> {
    for number in 0..3 {
        admin(ports, &format!("u{number}")).await?;
    }
    let first = ports.users.list(PageRequest::first(2)).await?;
    let rest = PageRequest {
        limit: 2,
        after: first.next,
    };
    let rest = ports.users.list(rest).await?;
    assert_eq!(
        (first.items.len(), rest.items.len(), rest.next),
        (2, 1, None)
    );
    assert!(first.items[0].id < first.items[1].id && first.items[1].id < rest.items[0].id);
    Ok(())
}

async fn a_change_touches_what_it_names(ports: &Ports) -> Result<()> {
    admin(ports, "root").await?;
    let added = admin(ports, "ada").await?;
    let password = UserChange {
        password_hash: Some("new".to_owned()),
        ..UserChange::default()
    };
    let changed = ports.users.update(added.id, None, &password, at(1)).await?;
    assert_eq!(changed.password_hash, "new");
    assert_eq!((changed.role, changed.disabled), (Role::Admin, false));
    assert_eq!(changed.version, 2);
    let lower = role(Role::Operator);
    let changed = ports.users.update(added.id, Some(2), &lower, at(1)).await?;
    assert_eq!((changed.role, changed.version), (Role::Operator, 3));
    assert_eq!(changed.password_hash, "new");
    let off = ports
        .users
        .update(added.id, None, &disabled(), at(1))
        .await?;
    assert!(off.disabled);
    assert_eq!(ports.users.get(added.id).await?, Some(off));
    Ok(())
}

async fn never_17_an_editor_with_an_old_version_changes_nothing(ports: &Ports) -> Result<()> {
    admin(ports, "root").await?;
    let added = admin(ports, "ada").await?;
    let viewer = role(Role::Viewer);
    let changed = ports
        .users
        .update(added.id, Some(1), &viewer, at(1))
        .await?;
    let operator = role(Role::Operator);
    refused(
        ports
            .users
            .update(added.id, Some(1), &operator, at(2))
            .await,
        "stale_version",
    );
    assert_eq!(ports.users.get(added.id).await?, Some(changed));
    refused(
        ports.users.update(UserId(99), None, &operator, at(2)).await,
        "user_not_found",
    );
    Ok(())
}

async fn never_28_every_change_ends_the_sessions(ports: &Ports) -> Result<()> {
    let root = admin(ports, "root").await?;
    let other = ports.sessions.add(root.id, at(0), at(1000)).await?;
    let user = admin(ports, "ada").await?;
    let enabled = UserChange {
        disabled: Some(false),
        ..UserChange::default()
    };
    let password = UserChange {
        password_hash: Some("new".to_owned()),
        ..UserChange::default()
    };
    let changes = [password, role(Role::Viewer), disabled(), enabled];
    for change in changes {
        let session = ports.sessions.add(user.id, at(0), at(1000)).await?;
        ports.users.update(user.id, None, &change, at(5)).await?;
        assert_eq!(ports.sessions.live(session.id, at(5)).await?, None);
        assert!(!ports.sessions.revoke(session.id, at(6)).await?);
    }
    assert!(ports.sessions.live(other.id, at(5)).await?.is_some());
    Ok(())
}

async fn the_last_administrator_stays(ports: &Ports) -> Result<()> {
    let only = admin(ports, "ada").await?;
    let (operator, off) = (role(Role::Operator), disabled());
    let change = |change| ports.users.update(only.id, None, change, at(1));
    let session = ports.sessions.add(only.id, at(0), at(9)).await?;
    refused(change(&operator).await, "last_admin");
    refused(change(&off).await, "last_admin");
    refused(ports.users.remove(only.id).await, "last_admin");
    assert_eq!(ports.users.get(only.id).await?, Some(only.clone()));
    assert!(ports.sessions.live(session.id, at(1)).await?.is_some());
    // A disabled administrator is none.
    let second = admin(ports, "bob").await?;
    ports
        .users
        .update(second.id, None, &disabled(), at(1))
        .await?;
    refused(change(&operator).await, "last_admin");
    assert!(ports.users.remove(second.id).await?);
    Ok(())
}

async fn of_two_administrators_who_resign_at_once_one_stays(ports: &Ports) -> Result<()> {
    let one = admin(ports, "one").await?;
    let two = admin(ports, "two").await?;
    let viewer = role(Role::Viewer);
    let (first, second) = tokio::join!(
        ports.users.update(one.id, None, &viewer, at(1)),
        ports.users.update(two.id, None, &viewer, at(1)),
    );
    assert_ne!(first.is_ok(), second.is_ok());
    Ok(())
}

async fn a_removed_user_leaves_nothing_behind(ports: &Ports) -> Result<()> {
    admin(ports, "root").await?;
    let user = admin(ports, "ada").await?;
    let session = ports.sessions.add(user.id, at(0), at(1000)).await?;
    ports
        .api_keys
        .add(&name("k"), "hash", Role::Admin, user.id, None, at(0))
        .await?;
    assert!(ports.users.remove(user.id).await?);
    assert!(!ports.users.remove(user.id).await?);
    assert_eq!(ports.sessions.live(session.id, at(1)).await?, None);
    assert_eq!(ports.api_keys.live("hash", at(1)).await?, None);
    refused(
        ports.sessions.add(user.id, at(0), at(9)).await,
        "user_not_found",
    );
    assert!(admin(ports, "ada").await?.id > user.id);
    Ok(())
}
