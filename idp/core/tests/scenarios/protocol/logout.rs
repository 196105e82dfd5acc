//! RP-initiated logout: nobody is signed out by somebody else, and nobody is sent where they shouldn't be.

use super::*;
use gait_core::logout::{Logout, SignedOut};

const BYE: &str = "https://app.example/bye";

async fn id_token(world: &World, client: &str) -> String {
    text(&world.tokens(client, &[]).await, "id_token").to_owned()
}

async fn end(world: &World, params: &[(&str, &str)]) -> Logout {
    world.idp.end_session(&pairs(params), &world.caller()).await.unwrap()
}

async fn is_signed_in(world: &World) -> bool {
    world.store.session(&world.sid).await.unwrap().unwrap().ended.is_none()
}

fn redirect(logout: Logout) -> String {
    match logout {
        Logout::Redirect(to, SignedOut { cookies, .. }) => {
            assert!(
                matches!(cookies[..], [gait_core::visit::Cookie::Session(None)]),
                "the cookie goes"
            );
            to
        }
        other => panic!("no redirect, but {other:?}"),
    }
}

#[tokio::test]
async fn with_a_hint_of_this_session_the_person_is_signed_out_and_sent_back() {
    for (uri, state, expected) in [
        (BYE, "", BYE.to_owned()),
        (BYE, "a b&c", format!("{BYE}?state=a+b%26c")),
        (
            "https://app.example/bye?x=1",
            "s",
            "https://app.example/bye?x=1&state=s".to_owned(),
        ),
    ] {
        let world = World::new().await;
        world
            .change_client("app", |client| {
                client
                    .post_logout_redirect_uris
                    .push("https://app.example/bye?x=1".to_owned())
            })
            .await;
        let hint = id_token(&world, "app").await;
        world.advance(2 * 3600);
        let logout = end(
            &world,
            &[("id_token_hint", &hint), ("post_logout_redirect_uri", uri), ("state", state)],
        )
        .await;
        assert_eq!(redirect(logout), expected, "an expired hint will do");
        assert!(!is_signed_in(&world).await);
        let ended = What::SessionEnded {
            reason: EndReason::SignedOut,
            reasons: Vec::new(),
        };
        assert!(world.events().await.contains(&ended));
        assert_eq!(world.ports.bell.rung(), 1, "the outbox is told");
    }
}

#[tokio::test]
async fn signing_out_again_is_fine() {
    let world = World::new().await;
    let hint = id_token(&world, "app").await;
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
    redirect(end(&world, &params).await);
    assert_eq!(redirect(end(&world, &params).await), BYE);
    assert!(matches!(end(&world, &[]).await, Logout::Page(_)));
    let nobody = world.idp.end_session(&[], &stranger()).await.unwrap();
    assert!(matches!(nobody, Logout::Page(_)));
}

#[tokio::test]
async fn without_a_hint_of_this_session_the_person_is_asked() {
    let world = World::new().await;
    let own = id_token(&world, "app").await;
    let access = {
        world
            .change_client("other", |client| client.access_token = AccessTokenFormat::Jwt)
            .await;
        text(&world.tokens("other", &[]).await, "access_token").to_owned()
    };
    let later = Secret::new(SecretKind::Session, &world.ports.ports());
    world.sign_in(&SessionId::from("another"), &later).await;
    let elsewhere = Caller {
        session: Some(later),
        ..stranger()
    };
    let other_session = world
        .idp
        .end_session(&pairs(&[("id_token_hint", &own)]), &elsewhere)
        .await
        .unwrap();
    assert!(matches!(other_session, Logout::Confirm { .. }), "{other_session:?}");
    let forged = own.replace('.', ".e");
    for params in [
        vec![],
        vec![("state", "s")],
        vec![("id_token_hint", "garbage")],
        vec![("id_token_hint", forged.as_str())],
        vec![("id_token_hint", access.as_str())],
        vec![("client_id", "app")],
        vec![("client_id", "app"), ("post_logout_redirect_uri", BYE)],
        vec![("logout_hint", "alice"), ("ui_locales", "de")],
    ] {
        let logout = end(&world, &params).await;
        let Logout::Confirm {
            account, params: again, ..
        } = &logout
        else {
            panic!("{params:?}: {logout:?}")
        };
        assert_eq!((account.as_str(), again), ("alice", &pairs(&params)));
        assert!(is_signed_in(&world).await);
    }
}

#[tokio::test]
async fn only_the_page_of_this_browser_confirms() {
    let world = World::new().await;
    let params = pairs(&[("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", "s")]);
    let logout = world.idp.end_session(&params, &world.caller()).await.unwrap();
    let Logout::Confirm { csrf, params, .. } = logout else {
        panic!("{logout:?}")
    };
    for wrong in ["", "x", &csrf[1..], &format!("{csrf}x"), world.sid.as_str()] {
        let logout = world.idp.confirm_end_session(wrong, &params, &world.caller()).await.unwrap();
        assert!(matches!(logout, Logout::Confirm { .. }), "{wrong:?}: {logout:?}");
        assert!(is_signed_in(&world).await);
    }
    let cookie = Secret::new(SecretKind::Session, &world.ports.ports());
    world.sign_in(&SessionId::from("of-another-browser"), &cookie).await;
    let other_browser = Caller {
        session: Some(cookie),
        ..stranger()
    };
    let logout = world.idp.confirm_end_session(&csrf, &params, &other_browser).await.unwrap();
    assert!(matches!(logout, Logout::Confirm { .. }), "another browser's page");
    let logout = world.idp.confirm_end_session(&csrf, &params, &world.caller()).await.unwrap();
    assert_eq!(redirect(logout), format!("{BYE}?state=s"));
    assert!(!is_signed_in(&world).await);
}

#[tokio::test]
async fn a_mistake_is_shown_on_a_page_and_signs_nobody_out() {
    let world = World::new().await;
    let hint = id_token(&world, "app").await;
    let long = "x".repeat(9000);
    let with_hint = |uri: &'static str| vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", uri)];
    let mut wrong = vec![
        vec![("post_logout_redirect_uri", BYE)],
        vec![("id_token_hint", "garbage"), ("post_logout_redirect_uri", BYE)],
        vec![("client_id", "nobody")],
        vec![("client_id", "nobody"), ("post_logout_redirect_uri", BYE)],
        vec![("id_token_hint", hint.as_str()), ("client_id", "other")],
        vec![("client_id", "other"), ("post_logout_redirect_uri", BYE)],
        vec![("id_token_hint", hint.as_str()), ("id_token_hint", hint.as_str())],
        vec![("state", &long)],
    ];
    wrong.extend(
        [
            "https://app.example/bye?x=1",
            "https://app.example/bye/",
            "https://app.example/BYE",
            "https://app.example/bye#x",
            "https://evil.example/bye",
            "https://app.example@evil.example/bye",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://app.example/bye\\@evil.example",
            "javascript:alert(1)",
            "https://app.example/cb",
            "https://app.example/bye\r\nX: y",
        ]
        .map(with_hint),
    );
    for params in wrong {
        for _ in 0..2 {
            let logout = end(&world, &params).await;
            assert!(matches!(logout, Logout::Refused(_)), "{params:?}: {logout:?}");
        }
        let confirmed = world
            .idp
            .confirm_end_session("x", &pairs(&params), &world.caller())
            .await
            .unwrap();
        assert!(matches!(confirmed, Logout::Refused(_)), "{params:?}: {confirmed:?}");
        assert!(is_signed_in(&world).await);
    }
}
