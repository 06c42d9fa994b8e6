//! Sessions.

use crate::case::cases;
use crate::ports::Ports;
use crate::samples::{at, name};
use anyhow::Result;
use backupx_core::domain::account::{Role, User};
use backupx_core::domain::id::SessionId;

cases!(
    a_session_holds_until_it_expires,
    never_28_a_revoked_session_is_over,
    sessions_that_are_over_are_purged_and_their_ids_never_come_back,
);

async fn user(ports: &Ports) -> Result<User> {
    Ok(ports
        .users
        .add(&name("ada"), "hash", Role::Operator, at(0))
        .await?)
}

async fn a_session_holds_until_it_expires(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    let session = ports.sessions.add(user.id, at(1), at(10)).await?;
    assert_eq!((session.created_at, session.expires_at), (at(1), at(10)));
    assert_eq!((session.user_id, session.revoked_at), (user.id, None));
    let live = |second| ports.sessions.live(session.id, at(second));
    assert_eq!(live(9).await?, Some((session.clone(), user.clone())));
    assert_eq!(live(10).await?, None);
    assert_eq!(ports.sessions.live(SessionId(99), at(1)).await?, None);
    Ok(())
}

async fn never_28_a_revoked_session_is_over(ports: &Ports) -> Result<()> {
    let user = user(ports).await?;
    let one = ports.sessions.add(user.id, at(1), at(10)).await?;
    let two = ports.sessions.add(user.id, at(1), at(10)).await?;
    assert!(ports.sessions.revoke(one.id, at(2)).await?);
    assert!(!ports.sessions.revoke(one.id, at(3)).await?);
    assert!(!ports.sessions.revoke(SessionId(99), at(3)).await?);
    assert_eq!(ports.sessions.live(one.id, at(2)).await?, None);
    assert!(ports.sessions.live(two.id, at(2)).await?.is_some());
    Ok(())
}

async fn sessions_that_are_over_are_purged_and_their_ids_never_come_back(
    ports: &Ports,
) -> Result<()> {
    let user = user(ports).await?;
    let expired = ports.sessions.add(user.id, at(1), at(10)).await?;
    let good = ports.sessions.add(user.id, at(1), at(90)).await?;
    let revoked = ports.sessions.add(user.id, at(1), at(90)).await?;
    ports.sessions.revoke(revoked.id, at(20)).await?;
    assert_eq!(ports.sessions.purge(at(10)).await?, 0);
    assert_eq!(ports.sessions.purge(at(20)).await?, 1);
    assert_eq!(ports.sessions.purge(at(21)).await?, 1);
    assert!(ports.sessions.live(good.id, at(21)).await?.is_some());
    let next = ports.sessions.add(user.id, at(30), at(90)).await?;
    assert!(next.id > revoked.id && next.id > expired.id);
    Ok(())
}
