//! Mails that wait to be sent.

use super::given::*;
use gait_core::ids::MailId;
use gait_core::ports::{MailState, MailTrouble};
use gait_core::seal::Sealed;
use gait_core::store::{StoreError, StoredMail};
use gait_sdk::Timestamp;

contract!(
    a_mail_waits_until_it_is_sent,
    a_mail_is_claimed_by_one,
    a_claim_that_was_lost_comes_again,
    the_most_overdue_come_first_and_only_so_many,
    a_mail_that_failed_waits_and_is_known_to_be_late,
    a_mail_that_is_refused_is_erased_and_known_to_be_refused,
    what_waits_for_the_mail_server_is_due_when_it_is_back,
    what_has_expired_is_neither_sent_nor_kept,
    only_what_was_waiting_is_told_of_when_it_is_deleted,
    so_many_are_kept_and_no_more,
);

fn mail(name: &str) -> StoredMail {
    StoredMail {
        id: MailId(uuid(name)),
        sealed: Sealed(name.as_bytes().to_vec()),
        attempts: 0,
        expires_at: NOW.plus(600),
    }
}

async fn queue(store: &TheStore, name: &str, at: Timestamp) -> StoredMail {
    let mail = mail(name);
    assert!(store.queue_mail(&mail, at, 100).await.unwrap());
    mail
}

/// Claims for a minute.
async fn claim(store: &TheStore, at: Timestamp) -> Vec<StoredMail> {
    store.claim_mails(at, at.plus(60), 9).await.unwrap()
}

async fn state(store: &TheStore, mail: &StoredMail) -> MailState {
    store.mail_state(Some(mail.id), NOW).await.unwrap()
}

fn is(trouble: Option<MailTrouble>, is_service_out: bool) -> MailState {
    MailState { trouble, is_service_out }
}

async fn a_mail_waits_until_it_is_sent(store: TheStore) {
    assert!(!store.has_due_mail(NOW).await.unwrap());
    let mail = queue(&store, "mail", NOW).await;
    assert!(store.has_due_mail(NOW).await.unwrap());
    assert_eq!(store.mails_waiting().await.unwrap(), 1);
    assert!(matches!(store.queue_mail(&mail, NOW, 100).await, Err(StoreError::Taken(_))));
    assert_eq!(claim(&store, NOW).await, [mail.clone()]);
    assert_eq!(state(&store, &mail).await, is(None, false));
    assert!(!store.has_due_mail(NOW).await.unwrap(), "it is under way");
    store.forget_mail(mail.id).await.unwrap();
    assert_eq!(claim(&store, NOW.plus(599)).await, []);
    assert_eq!(state(&store, &mail).await, is(None, false));
}

async fn a_mail_is_claimed_by_one(store: TheStore) {
    queue(&store, "mail", NOW).await;
    let answers = at_once(|_| {
        let store = store.clone();
        async move { claim(&store, NOW).await.len() }
    })
    .await;
    assert_eq!(count(&answers, &1), 1);
    assert_eq!(count(&answers, &0), 49);
}

async fn a_claim_that_was_lost_comes_again(store: TheStore) {
    let mail = queue(&store, "mail", NOW).await;
    claim(&store, NOW).await;
    assert_eq!(claim(&store, NOW.plus(59)).await, []);
    assert_eq!(claim(&store, NOW.plus(60)).await, [mail]);
}

async fn the_most_overdue_come_first_and_only_so_many(store: TheStore) {
    queue(&store, "late", NOW.plus(2)).await;
    let early = queue(&store, "early", NOW).await;
    let middle = queue(&store, "middle", NOW.plus(1)).await;
    let mut claimed = store.claim_mails(NOW.plus(9), NOW.plus(99), 2).await.unwrap();
    claimed.sort_by_key(|mail| mail.sealed.0.clone());
    assert_eq!(claimed, [early, middle]);
}

async fn a_mail_that_failed_waits_and_is_known_to_be_late(store: TheStore) {
    let (mail, other) = (queue(&store, "mail", NOW).await, queue(&store, "other", NOW).await);
    claim(&store, NOW).await;
    store.mail_failed(mail.id, MailTrouble::Delayed, NOW.plus(20)).await.unwrap();
    assert_eq!(state(&store, &mail).await, is(Some(MailTrouble::Delayed), false));
    assert_eq!(state(&store, &other).await, is(None, false), "nobody else's");
    assert_eq!(claim(&store, NOW.plus(19)).await, []);
    let again = claim(&store, NOW.plus(20)).await;
    assert_eq!(again, [StoredMail { attempts: 1, ..mail }]);
}

async fn a_mail_that_is_refused_is_erased_and_known_to_be_refused(store: TheStore) {
    let mail = queue(&store, "mail", NOW).await;
    claim(&store, NOW).await;
    store.mail_refused(mail.id).await.unwrap();
    assert_eq!(store.mails_waiting().await.unwrap(), 0);
    assert_eq!(state(&store, &mail).await, is(Some(MailTrouble::Refused), false));
    assert!(!store.has_due_mail(NOW.plus(599)).await.unwrap());
    assert_eq!(claim(&store, NOW.plus(599)).await, []);
    let expired = store.mail_state(Some(mail.id), NOW.plus(600)).await.unwrap();
    assert_eq!(expired, is(None, false));
}

async fn what_waits_for_the_mail_server_is_due_when_it_is_back(store: TheStore) {
    let (mail, other) = (queue(&store, "mail", NOW).await, queue(&store, "other", NOW).await);
    claim(&store, NOW).await;
    store.mail_failed(mail.id, MailTrouble::Service, NOW.plus(99)).await.unwrap();
    store.mail_failed(other.id, MailTrouble::Delayed, NOW.plus(99)).await.unwrap();
    assert_eq!(state(&store, &mail).await, is(Some(MailTrouble::Service), true));
    assert_eq!(state(&store, &other).await, is(Some(MailTrouble::Delayed), true));
    assert_eq!(store.mail_state(None, NOW).await.unwrap(), is(None, true));
    store.mail_service_works(NOW.plus(1)).await.unwrap();
    assert_eq!(state(&store, &mail).await, is(None, false));
    assert_eq!(state(&store, &other).await, is(Some(MailTrouble::Delayed), false));
    assert_eq!(claim(&store, NOW.plus(1)).await, [StoredMail { attempts: 1, ..mail }]);
}

async fn what_has_expired_is_neither_sent_nor_kept(store: TheStore) {
    let mail = queue(&store, "mail", NOW).await;
    store.mail_failed(mail.id, MailTrouble::Service, NOW).await.unwrap();
    let later = NOW.plus(600);
    assert_eq!(claim(&store, later).await, []);
    assert_eq!(store.mail_state(None, later).await.unwrap(), is(None, false));
    assert!(store.has_due_mail(later).await.unwrap(), "it is to be deleted");
    assert_eq!(store.purge_mails(NOW.plus(599), MOST).await.unwrap(), []);
    assert_eq!(
        store.purge_mails(later, MOST).await.unwrap(),
        [StoredMail { attempts: 1, ..mail }]
    );
    assert!(!store.has_due_mail(later).await.unwrap());
}

async fn only_what_was_waiting_is_told_of_when_it_is_deleted(store: TheStore) {
    for name in ["waits", "refused", "waits too"] {
        queue(&store, name, NOW).await;
    }
    store.mail_refused(mail("refused").id).await.unwrap();
    let later = NOW.plus(600);
    let mut gone = Vec::new();
    for _ in 0..3 {
        assert!(store.has_due_mail(later).await.unwrap());
        gone.extend(store.purge_mails(later, 1).await.unwrap());
    }
    gone.sort_by(|one, other| other.sealed.0.cmp(&one.sealed.0));
    assert_eq!(gone, [mail("waits too"), mail("waits")]);
    assert!(!store.has_due_mail(later).await.unwrap());
}

async fn so_many_are_kept_and_no_more(store: TheStore) {
    assert!(store.queue_mail(&mail("first"), NOW, 2).await.unwrap());
    assert!(store.queue_mail(&mail("second"), NOW, 2).await.unwrap());
    assert!(!store.queue_mail(&mail("third"), NOW, 2).await.unwrap());
    store.forget_mail(mail("first").id).await.unwrap();
    assert!(store.queue_mail(&mail("third"), NOW, 2).await.unwrap());
}
