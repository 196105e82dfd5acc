//! Codes, grants, tokens, OAuth consent.

use super::given::*;
use gait_core::grant::{Grant, Standing, Token, TokenKind};
use gait_core::session::{EndReason, Session};
use gait_core::store::{Redeemed, Rotated, StoreError, Which};
use gait_sdk::Timestamp;
use serde_json::json;

contract!(
    a_grant_is_read_as_it_was_written,
    of_many_who_redeem_a_code_one_wins,
    a_code_of_the_dead_is_spent_and_gives_nothing,
    a_redemption_that_fails_leaves_the_code_unspent,
    who_fails_takes_nothing_from_those_who_write_at_the_same_time,
    of_many_who_rotate_a_token_one_wins,
    what_is_no_living_refresh_token_is_not_rotated,
    a_rotation_that_fails_leaves_the_token_unspent,
    a_replay_is_seen_only_in_a_living_family,
    a_standing_shows_all_that_a_token_hangs_on,
    a_grant_is_revoked_once,
    one_token_can_be_revoked,
    of_many_tokens_that_are_issued_at_once_each_is_told_of_by_itself,
    grants_come_by_account_and_by_session,
    disconnecting_forgets_grants_and_consent,
    an_oauth_consent_is_remembered,
    purging_takes_the_dead_and_leaves_the_living,
    access_tokens_go_once_they_expired_and_leave_the_rest,
    however_much_has_died_it_goes_a_few_rows_at_a_time,
    a_session_is_kept_while_an_offline_grant_names_it,
    what_died_of_age_is_purged_with_its_session,
);

async fn a_grant_is_read_as_it_was_written(store: TheStore) {
    let given = signed_in(&store).await;
    let mut written = offline(grant(&given.session, "app", "whole"));
    written.claims = Some(json!({"id_token": {"acr": {"essential": true}}}));
    written.nonce = Some("n-0S6_WzA2Mj".to_owned());
    written.auth_time = NOW.plus(-9);
    issue(&store, &written, "whole").await;
    assert_eq!(store.grant(written.id).await.unwrap(), Some(written));
    assert_eq!(store.grant(gait_core::ids::GrantId(uuid("no"))).await.unwrap(), None);
}

/// Every seventh is of a client that is gone, and every eleventh was there before.
async fn of_many_tokens_that_are_issued_at_once_each_is_told_of_by_itself(store: TheStore) {
    let given = signed_in(&store).await;
    let machine = |number: usize| {
        let mut token = token(&given.online, TokenKind::Access, &format!("machine {number}"));
        token.grant = None;
        if number.is_multiple_of(7) {
            token.client = gait_core::ids::ClientId::from("gone");
        }
        token
    };
    for number in (0..50).filter(|number| number % 11 == 0 && number % 7 != 0) {
        store.add_tokens(&[machine(number)]).await.unwrap();
    }
    let answers = at_once(|number| {
        let (store, token) = (store.clone(), machine(number));
        async move { (number, store.add_tokens(&[token]).await) }
    })
    .await;
    for (number, answer) in answers {
        let there = store.standing(&machine(number).hash).await.unwrap().is_some();
        match (number % 7, number % 11) {
            (0, _) => assert!(answer.is_err() && !there, "{number}: {answer:?}"),
            (_, 0) => assert!(matches!(answer, Err(StoreError::Taken(_))) && there, "{number}: {answer:?}"),
            _ => assert!(answer.is_ok() && there, "{number}: {answer:?}"),
        }
    }
}

async fn of_many_who_redeem_a_code_one_wins(store: TheStore) {
    let given = signed_in(&store).await;
    let answers = at_once(|number| {
        let (store, told) = (store.clone(), event(&given.alice, &format!("issued {number}")));
        let new = grant(&given.session, "app", &format!("grant {number}"));
        let token = refresh(&new, &format!("token {number}"));
        async move {
            (
                new.id,
                store.redeem_code(&hash("code"), &new, &[token], Some(&told)).await.unwrap(),
            )
        }
    })
    .await;
    let winners: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Redeemed::First).collect();
    assert_eq!(winners.len(), 1);
    let winner = winners[0].0;
    for (id, answer) in &answers {
        let won = *id == winner;
        assert_eq!(*answer, if won { Redeemed::First } else { Redeemed::Replayed(winner) });
        assert_eq!(store.grant(*id).await.unwrap().is_some(), won);
    }
    assert_eq!(store.spent_code(&hash("code")).await.unwrap(), Some(winner));
    assert_eq!(told(&store, &given.alice).await.len(), 1);
    let mut stored = 0;
    for number in 0..50 {
        stored += usize::from(store.standing(&hash(&format!("token {number}"))).await.unwrap().is_some());
    }
    assert_eq!(stored, 1);
}

async fn is_dead(store: &TheStore, new: &Grant, name: &str) {
    let tokens = [refresh(new, name)];
    let redeemed = store
        .redeem_code(&hash(name), new, &tokens, Some(&event(&account("alice"), name)))
        .await
        .unwrap();
    assert_eq!(redeemed, Redeemed::Dead, "{name}");
    assert_eq!(store.grant(new.id).await.unwrap(), None, "{name}");
    assert_eq!(store.standing(&hash(name)).await.unwrap(), None, "{name}");
    assert!(store.spent_code(&hash(name)).await.unwrap().is_some(), "{name}");
    let again = store.redeem_code(&hash(name), new, &tokens, None).await.unwrap();
    assert_eq!(again, Redeemed::Replayed(new.id), "{name}");
}

async fn a_code_of_the_dead_is_spent_and_gives_nothing(store: TheStore) {
    let given = signed_in(&store).await;
    let alice = &given.alice;
    is_dead(&store, &grant(&given.session, "no client", "1"), "client is gone").await;
    is_dead(&store, &grant(&session(alice, "no session"), "app", "2"), "session is gone").await;
    is_dead(
        &store,
        &grant(&session(&account("nobody"), "sid"), "app", "3"),
        "account is gone",
    )
    .await;
    let bob = add(&store, "bob").await;
    is_dead(&store, &grant(&session(&bob, "sid"), "app", "4"), "session is another's").await;
    let second = begin(&store, alice, "second").await;
    store
        .end_sessions(&Which::One("second".into()), NOW, EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    is_dead(&store, &offline(grant(&second, "app", "5")), "session ended").await;
    store
        .end_sessions(&Which::AllOf(alice.id), NOW.plus(1), EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    let third = gait_core::session::Session {
        created_at: NOW.plus(1),
        ..session(alice, "third")
    };
    store.begin_session(&third, &hash("third"), &[]).await.unwrap();
    is_dead(&store, &grant(&third, "app", "6"), "revoked before").await;
    store.set_disabled(alice.id, Some(NOW.plus(1)), &[]).await.unwrap();
    let late = Grant {
        created_at: NOW.plus(9),
        ..grant(&third, "app", "7")
    };
    is_dead(&store, &late, "account is disabled").await;
    assert_eq!(told(&store, alice).await, Vec::<String>::new());
}

async fn a_redemption_that_fails_leaves_the_code_unspent(store: TheStore) {
    let given = signed_in(&store).await;
    let new = grant(&given.session, "app", "new");
    let clash = [refresh(&new, "fresh"), refresh(&new, "online refresh")];
    let failed = store
        .redeem_code(&hash("code"), &new, &clash, Some(&event(&given.alice, "never")))
        .await;
    assert!(matches!(failed, Err(StoreError::Taken(_))), "{failed:?}");
    assert_eq!(store.spent_code(&hash("code")).await.unwrap(), None);
    assert_eq!(store.grant(new.id).await.unwrap(), None);
    assert_eq!(store.standing(&hash("fresh")).await.unwrap(), None);
    assert_eq!(told(&store, &given.alice).await, Vec::<String>::new());
    assert_eq!(
        store.redeem_code(&hash("code"), &new, &[], None).await.unwrap(),
        Redeemed::First
    );
}

/// Half of them come with a token that is there already.
async fn who_fails_takes_nothing_from_those_who_write_at_the_same_time(store: TheStore) {
    let given = signed_in(&store).await;
    let answers = at_once(|number| {
        let (store, told) = (store.clone(), event(&given.alice, &format!("issued {number}")));
        let new = grant(&given.session, "app", &format!("grant {number}"));
        let name = if number % 2 == 0 {
            format!("token {number}")
        } else {
            "online refresh".to_owned()
        };
        let token = refresh(&new, &name);
        async move {
            let code = hash(&format!("code {number}"));
            (number, new.id, store.redeem_code(&code, &new, &[token], Some(&told)).await)
        }
    })
    .await;
    for (number, id, answer) in answers {
        let spent = store.spent_code(&hash(&format!("code {number}"))).await.unwrap();
        match number % 2 {
            0 => assert_eq!((answer.unwrap(), spent), (Redeemed::First, Some(id)), "{number}"),
            _ => {
                assert!(matches!(answer, Err(StoreError::Taken(_))), "{number}: {answer:?}");
                assert_eq!(spent, None, "{number}");
            }
        }
        assert_eq!(store.grant(id).await.unwrap().is_some(), number % 2 == 0, "{number}");
    }
    assert_eq!(told(&store, &given.alice).await.len(), 25);
}

async fn of_many_who_rotate_a_token_one_wins(store: TheStore) {
    let given = signed_in(&store).await;
    let answers = at_once(|number| {
        let (store, next) = (store.clone(), refresh(&given.online, &format!("next {number}")));
        async move {
            store
                .rotate_refresh(&hash("online refresh"), NOW.plus(1), &[next])
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(count(&answers, &Rotated::First), 1);
    assert_eq!(count(&answers, &Rotated::Replayed), 49);
    for (number, answer) in answers.iter().enumerate() {
        let next = store.standing(&hash(&format!("next {number}"))).await.unwrap();
        assert_eq!(next.is_some(), *answer == Rotated::First, "{number}");
    }
    let old = store.standing(&hash("online refresh")).await.unwrap().unwrap();
    assert_eq!(old.token.spent_at, Some(NOW.plus(1)));
}

async fn rotate(store: &TheStore, old: &str, at: Timestamp, next: Token) -> Rotated {
    let rotated = store
        .rotate_refresh(&hash(old), at, std::slice::from_ref(&next))
        .await
        .unwrap();
    let stored = store.standing(&next.hash).await.unwrap().is_some();
    assert_eq!(stored, rotated == Rotated::First, "{old}");
    rotated
}

async fn what_is_no_living_refresh_token_is_not_rotated(store: TheStore) {
    let given = signed_in(&store).await;
    let next = || refresh(&given.online, "next");
    assert_eq!(rotate(&store, "nothing", NOW, next()).await, Rotated::Dead);
    assert_eq!(
        rotate(&store, "online access", NOW, next()).await,
        Rotated::Dead,
        "an access token"
    );
    assert_eq!(rotate(&store, "online", NOW, next()).await, Rotated::Dead, "a code");
    assert_eq!(
        rotate(&store, "online refresh", NOW.plus(600), next()).await,
        Rotated::Dead,
        "expired"
    );
    let orphan = Token {
        grant: None,
        ..refresh(&given.online, "orphan")
    };
    store.add_tokens(&[orphan]).await.unwrap();
    assert_eq!(rotate(&store, "orphan", NOW, next()).await, Rotated::Dead, "without a grant");
    assert_eq!(rotate(&store, "online refresh", NOW.plus(599), next()).await, Rotated::First);
    store
        .end_sessions(&Which::AllOf(given.alice.id), NOW.plus(1), EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    assert_eq!(
        rotate(&store, "next", NOW.plus(1), refresh(&given.online, "after")).await,
        Rotated::Dead,
        "session ended"
    );
    let after = refresh(&given.offline, "after");
    assert_eq!(
        rotate(&store, "offline refresh", NOW.plus(1), after).await,
        Rotated::Dead,
        "revoked before"
    );
}

async fn a_rotation_that_fails_leaves_the_token_unspent(store: TheStore) {
    let given = signed_in(&store).await;
    let clash = [refresh(&given.online, "fresh"), refresh(&given.online, "offline refresh")];
    let failed = store.rotate_refresh(&hash("online refresh"), NOW, &clash).await;
    assert!(matches!(failed, Err(StoreError::Taken(_))), "{failed:?}");
    assert!(lives(&store, "online").await);
    assert_eq!(store.standing(&hash("fresh")).await.unwrap(), None);
}

async fn a_replay_is_seen_only_in_a_living_family(store: TheStore) {
    let given = signed_in(&store).await;
    assert_eq!(
        rotate(&store, "online refresh", NOW, refresh(&given.online, "next")).await,
        Rotated::First
    );
    let replay = || refresh(&given.online, "forged");
    assert_eq!(rotate(&store, "online refresh", NOW, replay()).await, Rotated::Replayed);
    assert_eq!(
        rotate(&store, "online refresh", NOW.plus(9999), replay()).await,
        Rotated::Replayed,
        "after it expired"
    );
    store.revoke_grant(given.online.id, NOW, &[]).await.unwrap();
    for old in ["online refresh", "next"] {
        assert_eq!(rotate(&store, old, NOW, replay()).await, Rotated::Dead);
    }
}

async fn a_standing_shows_all_that_a_token_hangs_on(store: TheStore) {
    let given = signed_in(&store).await;
    let standing = store.standing(&hash("offline access")).await.unwrap().unwrap();
    let expected = Standing {
        token: token(&given.offline, TokenKind::Access, "offline access"),
        grant: Some(given.offline.clone()),
        session: Some(given.session.clone()),
        account: Some(given.alice.clone()),
    };
    assert_eq!(standing, expected);
    let machine = Token {
        grant: None,
        ..token(&given.online, TokenKind::Access, "machine")
    };
    store.add_tokens(&[machine.clone()]).await.unwrap();
    let standing = store.standing(&machine.hash).await.unwrap();
    assert_eq!(
        standing,
        Some(Standing {
            token: machine,
            grant: None,
            session: None,
            account: None
        })
    );
    assert_eq!(store.standing(&hash("nothing")).await.unwrap(), None);
    store
        .end_sessions(&Which::AllOf(given.alice.id), NOW.plus(5), EndReason::Disowned, SILENTLY)
        .await
        .unwrap();
    let standing = store.standing(&hash("offline access")).await.unwrap().unwrap();
    assert_eq!(standing.token.spent_at, Some(NOW.plus(5)));
    assert_eq!(standing.grant.unwrap().revoked_at, Some(NOW.plus(5)));
    assert_eq!(standing.session.unwrap().ended.unwrap().at, NOW.plus(5));
    assert_eq!(standing.account.unwrap().revoked_before, Some(NOW.plus(5)));
}

async fn a_grant_is_revoked_once(store: TheStore) {
    let given = signed_in(&store).await;
    at_once(|number| {
        let (store, id, told) = (
            store.clone(),
            given.online.id,
            event(&given.alice, &format!("revoked {number}")),
        );
        async move { store.revoke_grant(id, NOW.plus(number as i64), &[told]).await.unwrap() }
    })
    .await;
    assert!(!lives(&store, "online").await);
    assert!(lives(&store, "offline").await);
    assert_eq!(told(&store, &given.alice).await.len(), 1);
    let nothing = gait_core::ids::GrantId(uuid("nothing"));
    store
        .revoke_grant(nothing, NOW, &[event(&given.alice, "never")])
        .await
        .unwrap();
    assert_eq!(told(&store, &given.alice).await.len(), 1);
}

async fn one_token_can_be_revoked(store: TheStore) {
    signed_in(&store).await;
    store.revoke_token(&hash("online access"), NOW.plus(3)).await.unwrap();
    store.revoke_token(&hash("online access"), NOW.plus(5)).await.unwrap();
    store.revoke_token(&hash("nothing"), NOW).await.unwrap();
    let revoked = store.standing(&hash("online access")).await.unwrap().unwrap();
    assert_eq!(revoked.token.spent_at, Some(NOW.plus(3)));
    assert_eq!(revoked.grant.unwrap().revoked_at, None);
    let other = store.standing(&hash("online refresh")).await.unwrap().unwrap();
    assert_eq!(other.token.spent_at, None);
}

async fn grants_come_by_account_and_by_session(store: TheStore) {
    let given = signed_in(&store).await;
    let newest = Grant {
        created_at: NOW.plus(9),
        ..grant(&given.session, "app", "newest")
    };
    issue(&store, &newest, "newest").await;
    store.revoke_grant(given.online.id, NOW, &[]).await.unwrap();
    assert_eq!(store.grants_of(given.alice.id).await.unwrap(), [newest, given.offline]);
    let of_session = store.grants_of_session(&given.session.id).await.unwrap();
    assert_eq!(
        of_session.len(),
        3,
        "a logout must reach clients whose grant was revoked, too"
    );
    assert_eq!(store.grants_of_session(&"other".into()).await.unwrap(), []);
}

async fn disconnecting_forgets_grants_and_consent(store: TheStore) {
    let given = signed_in(&store).await;
    let (alice, app) = (&given.alice, &"app".into());
    store.put_client(&client("other")).await.unwrap();
    issue(&store, &grant(&given.session, "other", "other"), "other").await;
    store
        .put_consent(alice.id, app, &["openid".to_owned()].into(), NOW)
        .await
        .unwrap();
    store
        .disconnect(alice.id, app, NOW.plus(1), &[event(alice, "gone")])
        .await
        .unwrap();
    store
        .disconnect(alice.id, app, NOW.plus(2), &[event(alice, "gone again")])
        .await
        .unwrap();
    for (name, spared) in [("online", false), ("offline", false), ("other", true)] {
        assert_eq!(lives(&store, name).await, spared, "{name}");
    }
    assert_eq!(store.consent(alice.id, app).await.unwrap(), None);
    assert_eq!(told(&store, alice).await, ["gone"]);
}

async fn an_oauth_consent_is_remembered(store: TheStore) {
    let given = signed_in(&store).await;
    let (alice, app) = (given.alice.id, &"app".into());
    assert_eq!(store.consent(alice, app).await.unwrap(), None);
    for scopes in [vec!["openid"], vec!["openid", "email"], vec![]] {
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        store.put_consent(alice, app, &scopes, NOW).await.unwrap();
        assert_eq!(store.consent(alice, app).await.unwrap(), Some(scopes));
    }
    let nobodys = store.put_consent(alice, &"no client".into(), &[].into(), NOW).await;
    assert!(matches!(nobodys, Err(StoreError::Stale(_))), "{nobodys:?}");
}

async fn purge(store: &TheStore, before: Timestamp) -> u64 {
    let dead = store.purge(before, MOST).await.unwrap();
    dead + store.purge_sessions(before, MOST).await.unwrap()
}

async fn purging_takes_the_dead_and_leaves_the_living(store: TheStore) {
    let given = signed_in(&store).await;
    store.count_attempt("old", NOW, 60).await.unwrap();
    store.count_attempt("young", NOW, 6000).await.unwrap();
    let machine = Token {
        grant: None,
        ..token(&given.online, TokenKind::Access, "machine")
    };
    store
        .add_tokens(&[Token {
            expires_at: NOW.plus(6000),
            ..machine
        }])
        .await
        .unwrap();
    assert_eq!(purge(&store, NOW).await, 0);
    store
        .end_sessions(&Which::One("sid".into()), NOW.plus(100), EndReason::Disowned, SILENTLY)
        .await
        .unwrap();
    let gone = purge(&store, NOW.plus(700)).await;
    assert_eq!(gone, 10, "four tokens, two grants, two tombstones, an attempt, a session");
    assert_eq!(store.session(&given.session.id).await.unwrap(), None);
    assert_eq!(store.spent_code(&hash("online")).await.unwrap(), None);
    assert_eq!(store.count_attempt("young", NOW.plus(700), 60).await.unwrap(), 2);
    assert!(store.standing(&hash("machine")).await.unwrap().is_some());
    assert_eq!(purge(&store, NOW.plus(700)).await, 0);
}

async fn access_tokens_go_once_they_expired_and_leave_the_rest(store: TheStore) {
    let given = signed_in(&store).await;
    let machine = |name: &str, life| Token {
        grant: None,
        expires_at: NOW.plus(life),
        ..token(&given.online, TokenKind::Access, name)
    };
    let machines = [machine("first", 10), machine("second", 20), machine("third", 1000)];
    store.add_tokens(&machines).await.unwrap();
    // Two of the machine, and two of people.
    let gone = batches(3, async || store.purge_access(NOW.plus(700), 3).await).await;
    assert_eq!(gone, [3, 1]);
    assert!(store.standing(&hash("third")).await.unwrap().is_some());
    assert!(store.standing(&hash("offline refresh")).await.unwrap().is_some());
    assert!(store.grant(given.online.id).await.unwrap().is_some());
    assert_eq!(store.purge_access(NOW.plus(700), MOST).await.unwrap(), 0);
}

async fn however_much_has_died_it_goes_a_few_rows_at_a_time(store: TheStore) {
    let given = signed_in(&store).await;
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        let grant = grant(&given.session, "app", name);
        let long = Token {
            expires_at: NOW.plus(9_999_999),
            ..refresh(&grant, &format!("{name} long"))
        };
        let tokens = [long, token(&grant, TokenKind::Access, &format!("{name} access"))];
        store.redeem_code(&hash(name), &grant, &tokens, None).await.unwrap();
    }
    let (at, which) = (NOW.plus(100), Which::One("sid".into()));
    store.end_sessions(&which, at, EndReason::Disowned, SILENTLY).await.unwrap();
    let bob = add(&store, "bob").await;
    let others = begin(&store, &bob, "another").await;
    let unused = Session {
        last_seen_at: NOW.plus(50),
        ..session(&bob, "unused")
    };
    store.begin_session(&unused, &hash("unused"), &[]).await.unwrap();
    issue(&store, &grant(&unused, "app", "aged"), "aged").await;
    store.touch_session(&others.id, NOW.plus(900)).await.unwrap();
    let living = offline(grant(&others, "app", "living"));
    let long = Token {
        expires_at: NOW.plus(9_999_999),
        ..refresh(&living, "living")
    };
    store.redeem_code(&hash("living"), &living, &[long], None).await.unwrap();
    let gone = batches(5, async || store.purge(NOW.plus(700), 5).await).await;
    // Of ten grants two tokens and a tombstone each, the tombstone of the living one, and the nine grants that were revoked.
    assert_eq!(gone, [5, 5, 5, 5, 5, 5, 5, 5, 0]);
    let gone = batches(2, async || store.purge_sessions(NOW.plus(700), 2).await).await;
    assert_eq!(gone, [2, 1], "a grant that has no token any more, and two sessions");
    assert_eq!(purge(&store, NOW.plus(700)).await, 0);
    assert_eq!(store.grants_of_session(&given.session.id).await.unwrap(), []);
    assert!(store.session(&others.id).await.unwrap().is_some());
    let next = refresh(&living, "next");
    assert_eq!(rotate(&store, "living", NOW.plus(700), next).await, Rotated::First);
}

async fn a_session_is_kept_while_an_offline_grant_names_it(store: TheStore) {
    let given = signed_in(&store).await;
    store
        .end_sessions(&Which::One("sid".into()), NOW, EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    let long = Token {
        expires_at: NOW.plus(9_999_999),
        ..refresh(&given.offline, "long")
    };
    assert_eq!(rotate(&store, "offline refresh", NOW, long).await, Rotated::First);
    purge(&store, NOW.plus(999_999)).await;
    let standing = store.standing(&hash("long")).await.unwrap().unwrap();
    assert_eq!(standing.session.unwrap().ended.unwrap().reason, EndReason::SignedOut);
    let next = refresh(&given.offline, "next");
    assert_eq!(rotate(&store, "long", NOW.plus(999_999), next).await, Rotated::First);
}

async fn what_died_of_age_is_purged_with_its_session(store: TheStore) {
    let given = signed_in(&store).await;
    assert_eq!(purge(&store, NOW).await, 0);
    purge(&store, NOW.plus(9_999_999)).await;
    assert_eq!(
        store.grants_of_session(&given.session.id).await.unwrap(),
        [],
        "no token is left of them"
    );
    assert_eq!(
        store.session(&given.session.id).await.unwrap(),
        None,
        "nobody used it for so long"
    );
}
