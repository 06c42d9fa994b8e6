//! Who may do what, and how it is proven.

use crate::bed::{Bed, code};
use backupx_app::{AppSettings, ChangedUser, NewUser};
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::NodeId;
use backupx_core::ports::nodes::Nodes;
use backupx_core::ports::settings::Settings;
use backupx_core::{ErrorKind, Result};
use chrono::Duration;
use secrecy::{ExposeSecret, SecretString};

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

const PASSWORD: &str = "correct horse battery";

async fn user(bed: &Bed, name: &str, role: Role) -> Result<Principal> {
    let new = NewUser {
        username: name.to_owned(),
        password: secret(PASSWORD),
        role,
    };
    bed.app.add_user(&bed.who, new).await?;
    sign_in(bed, name).await
}

async fn sign_in(bed: &Bed, name: &str) -> Result<Principal> {
    let signed = bed
        .app
        .sign_in(name, &secret(PASSWORD), "192.0.2.1")
        .await?;
    bed.app.principal_of_session(signed.session.id).await
}

#[tokio::test]
async fn never_29_the_first_administrator_needs_the_code_from_the_host() -> Result<()> {
    let bed = Bed::new().await?;
    let Some(shown) = bed.app.begin_set_up().await? else {
        return Err(backupx_core::Error::internal("there is no code"));
    };
    let again = bed.replica().begin_set_up().await?;
    assert_eq!(
        again.map(|c| c.expose_secret().to_owned()).as_deref(),
        Some(shown.expose_secret())
    );
    let wrong = bed
        .app
        .set_up("AAAAA-BBBBB", "root", &secret(PASSWORD), "192.0.2.9")
        .await;
    assert_eq!(code(wrong), "wrong_set_up_code");
    let empty = bed
        .app
        .set_up("", "root", &secret(PASSWORD), "192.0.2.9")
        .await;
    assert_eq!(code(empty), "wrong_set_up_code");
    // People type small letters and forget the dashes.
    let typed = shown.expose_secret().to_lowercase().replace('-', " ");
    let user = bed
        .app
        .set_up(&typed, "root", &secret(PASSWORD), "192.0.2.1")
        .await?;
    assert_eq!(user.role, Role::Admin);
    let twice = bed
        .app
        .set_up(&typed, "eve", &secret(PASSWORD), "192.0.2.1")
        .await;
    assert_eq!(code(twice), "already_set_up");
    assert!(bed.app.begin_set_up().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn never_29_the_code_is_not_in_the_database_and_not_to_be_guessed() -> Result<()> {
    let bed = Bed::new().await?;
    let shown = bed
        .app
        .begin_set_up()
        .await?
        .map(|c| c.expose_secret().replace('-', ""));
    let stored = Settings::get(&*bed.stores, "set_up.salt").await?;
    assert!(stored.is_some());
    assert_ne!(stored.map(|salt| salt.to_uppercase()), shown);
    for _ in 0..5 {
        let guess = bed
            .app
            .set_up("guess", "eve", &secret(PASSWORD), "192.0.2.9")
            .await;
        assert_eq!(code(guess), "wrong_set_up_code");
    }
    let guess = bed
        .app
        .set_up("guess", "eve", &secret(PASSWORD), "192.0.2.9")
        .await;
    assert_eq!(
        guess.err().map(|e| e.kind()),
        Some(ErrorKind::TooManyRequests)
    );
    Ok(())
}

#[tokio::test]
async fn never_28_a_new_password_role_or_lock_ends_all_sessions() -> Result<()> {
    let bed = Bed::new().await?;
    user(&bed, "boss", Role::Admin).await?;
    let changes: [fn() -> ChangedUser; 3] = [
        || ChangedUser {
            password: Some(secret(PASSWORD)),
            ..ChangedUser::default()
        },
        || ChangedUser {
            role: Some(Role::Operator),
            ..ChangedUser::default()
        },
        || ChangedUser {
            disabled: Some(true),
            ..ChangedUser::default()
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let who = user(&bed, &format!("user{number}"), Role::Viewer).await?;
        let session = who
            .session_id
            .unwrap_or(backupx_core::domain::id::SessionId(0));
        bed.app
            .change_user(&bed.who, who.user_id, None, change())
            .await?;
        let live = bed.app.principal_of_session(session).await;
        assert_eq!(code(live), "unauthenticated", "{number}");
    }
    assert_eq!(
        code(
            bed.app
                .sign_in("user2", &secret(PASSWORD), "192.0.2.1")
                .await
        ),
        "unauthenticated"
    );
    Ok(())
}

#[tokio::test]
async fn never_28_signing_out_and_time_end_a_session() -> Result<()> {
    let bed = Bed::new().await?;
    let who = user(&bed, "ann", Role::Viewer).await?;
    let id = who
        .session_id
        .unwrap_or(backupx_core::domain::id::SessionId(0));
    bed.app.sign_out(&who).await?;
    assert_eq!(
        code(bed.app.principal_of_session(id).await),
        "unauthenticated"
    );
    let who = sign_in(&bed, "ann").await?;
    let id = who
        .session_id
        .unwrap_or(backupx_core::domain::id::SessionId(0));
    bed.pass(Duration::hours(13));
    assert_eq!(
        code(bed.app.principal_of_session(id).await),
        "unauthenticated"
    );
    Ok(())
}

#[tokio::test]
async fn guessing_a_password_is_slow_for_name_and_address() -> Result<()> {
    let bed = Bed::new().await?;
    user(&bed, "ann", Role::Viewer).await?;
    for _ in 0..5 {
        let guess = bed
            .app
            .sign_in("ANN", &secret("guess guess"), "192.0.2.9")
            .await;
        assert_eq!(code(guess), "unauthenticated");
    }
    let by_name = bed.app.sign_in("ann", &secret(PASSWORD), "192.0.2.1").await;
    assert_eq!(
        by_name.as_ref().err().and_then(|e| e.retry_after()),
        Some(900)
    );
    assert_eq!(code(by_name), "too_many_sign_ins");
    let by_address = bed
        .app
        .sign_in("nobody", &secret("guess guess"), "192.0.2.9")
        .await;
    assert_eq!(code(by_address), "too_many_sign_ins");
    bed.pass(Duration::minutes(16));
    sign_in(&bed, "ann").await.map(drop)
}

#[tokio::test]
async fn one_s_own_password_needs_the_one_before() -> Result<()> {
    let bed = Bed::new().await?;
    let who = user(&bed, "ann", Role::Viewer).await?;
    let new = secret("another long one");
    let wrong = bed
        .app
        .change_own_password(&who, &secret("guess guess"), &new, "192.0.2.1")
        .await;
    assert_eq!(code(wrong), "invalid_input");
    bed.app
        .change_own_password(&who, &secret(PASSWORD), &new, "192.0.2.1")
        .await?;
    bed.app.sign_in("ann", &new, "192.0.2.1").await.map(drop)
}

#[tokio::test]
async fn an_api_key_may_do_no_more_than_its_maker_may_now() -> Result<()> {
    let bed = Bed::new().await?;
    user(&bed, "boss", Role::Admin).await?;
    let ann = user(&bed, "ann", Role::Operator).await?;
    let too_much = bed.app.add_api_key(&ann, "ci", Role::Admin, None).await;
    assert_eq!(code(too_much), "forbidden");
    let key = bed
        .app
        .add_api_key(&ann, "ci", Role::Operator, None)
        .await?;
    assert!(key.plain.expose_secret().starts_with("bxk_"));
    let who = bed
        .app
        .principal_of_api_key(key.plain.expose_secret())
        .await?;
    assert_eq!(who.role, Role::Operator);
    let change = ChangedUser {
        role: Some(Role::Viewer),
        ..ChangedUser::default()
    };
    bed.app
        .change_user(&bed.who, ann.user_id, None, change)
        .await?;
    let who = bed
        .app
        .principal_of_api_key(key.plain.expose_secret())
        .await?;
    assert_eq!(who.role, Role::Viewer);
    let bob = user(&bed, "bob", Role::Operator).await?;
    assert!(
        bed.app
            .api_keys(&bob, Default::default())
            .await?
            .items
            .is_empty()
    );
    assert_eq!(
        code(bed.app.remove_api_key(&bob, key.key.id).await),
        "api_key_not_found"
    );
    bed.app.remove_api_key(&who, key.key.id).await?;
    assert_eq!(
        code(
            bed.app
                .principal_of_api_key(key.plain.expose_secret())
                .await
        ),
        "unauthenticated"
    );
    Ok(())
}

#[tokio::test]
async fn a_host_makes_an_administrator_and_a_key_without_a_code() -> Result<()> {
    let bed = Bed::new().await?;
    bed.app.create_admin("root", &secret(PASSWORD)).await?;
    let key = bed.app.create_host_api_key("root", "root-host").await?;
    let who = bed
        .app
        .principal_of_api_key(key.plain.expose_secret())
        .await?;
    assert_eq!((who.role, who.username.as_str()), (Role::Admin, "root"));
    bed.app
        .reset_password("root", &secret("another long one"))
        .await?;
    bed.app
        .sign_in("root", &secret("another long one"), "192.0.2.1")
        .await
        .map(drop)
}

#[tokio::test]
async fn viewers_change_nothing_and_operators_no_settings() -> Result<()> {
    let bed = Bed::new().await?;
    let node = bed.node("web").await?;
    let task = bed.task(node, &[bed.bucket("b").await?]).await?;
    let viewer = user(&bed, "vera", Role::Viewer).await?;
    let operator = user(&bed, "otto", Role::Operator).await?;
    let record = bed.app.run_task(&operator, task.id).await?;
    let refused = [
        code(bed.app.run_task(&viewer, task.id).await),
        code(bed.app.cancel_record(&viewer, record.id).await),
        code(bed.app.browse(&viewer, node, "/").await),
        code(bed.app.record_files(&viewer, record.id, "", 10, None).await),
        code(bed.app.download_record(&viewer, record.id).await),
        code(bed.app.add_node(&operator, "x", &[]).await),
        code(bed.app.rotate_node_token(&operator, node).await),
        code(bed.app.remove_task(&operator, task.id).await),
        code(bed.app.remove_record(&operator, record.id).await),
        code(bed.app.unlock_record(&operator, record.id).await),
        code(bed.app.users(&operator, Default::default()).await),
    ];
    assert!(
        refused.iter().all(|code| *code == "forbidden"),
        "{refused:?}"
    );
    bed.app.cancel_record(&operator, record.id).await.map(drop)
}

#[tokio::test]
async fn never_23_node_tokens_are_stored_as_hashes_and_rotate_with_an_overlap() -> Result<()> {
    let bed = Bed::new().await?;
    let added = bed.app.add_node(&bed.who, "web", &[]).await?;
    let (id, old) = (added.node.node.id, added.token);
    assert_eq!(old.expose_secret().len(), 64);
    let stored = bed.stores.token(id).await?.unwrap_or_default();
    assert_ne!(stored.hash, old.expose_secret());
    let new = bed.app.rotate_node_token(&bed.who, id).await?;
    assert_eq!(bed.app.node_of_token(old.expose_secret()).await?, id);
    assert_eq!(bed.app.node_of_token(new.expose_secret()).await?, id);
    bed.pass(Duration::hours(25));
    assert_eq!(
        code(bed.app.node_of_token(old.expose_secret()).await),
        "unauthenticated"
    );
    assert_eq!(bed.app.node_of_token(new.expose_secret()).await?, id);
    assert_eq!(
        code(bed.app.rotate_node_token(&bed.who, NodeId::LOCAL).await),
        "local_node"
    );
    Ok(())
}

#[tokio::test]
async fn never_23_a_replica_with_another_root_key_does_not_start() -> Result<()> {
    let bed = Bed::new().await?;
    let stranger = bed.replica_with(AppSettings::new([8; 32]));
    assert_eq!(code(stranger.prepare().await), "other_root_key");
    bed.replica().prepare().await
}

#[tokio::test]
async fn never_23_the_organisation_s_key_is_sealed_and_all_replicas_agree_on_it() -> Result<()> {
    let bed = Bed::new().await?;
    let other = bed.replica().ensure_organisation_key().await?;
    assert_eq!(bed.app.organisation_recipient().await?, other);
    let kit = bed.app.export_key().await?;
    assert_eq!(kit.own.identity.expose_secret(), "identity-7");
    let stored = Settings::get(&*bed.stores, "organisation.key")
        .await?
        .unwrap_or_default();
    assert!(
        stored.contains("recipient-7") && !stored.contains("identity-7"),
        "{stored}"
    );
    Ok(())
}
