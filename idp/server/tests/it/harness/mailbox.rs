//! Where the stories' people read their mail.

use super::mail_server::MailServer;
use super::provider::client;
use gait::mail::Catcher;
use serde::Deserialize;
use std::time::Duration;

/// A mail.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    pub subject: String,
    pub text: String,
}

/// A mailbox.
#[derive(Clone)]
pub enum Mailbox {
    /// In this process.
    Here(Catcher),
    /// Of the development mode with this issuer.
    At(String),
    /// At a mail server.
    Server(MailServer),
}

impl Mailbox {
    /// Mails to an address, newest first.
    async fn mails(&self, to: &str) -> Vec<Mail> {
        match self {
            Self::Here(catcher) => {
                let mails = catcher.mails(Some(to)).into_iter();
                mails
                    .map(|mail| Mail {
                        subject: mail.subject,
                        text: mail.text,
                    })
                    .collect()
            }
            Self::Server(server) => server.mails(to),
            Self::At(issuer) => {
                let answer = client()
                    .get(format!("{issuer}/dev/mail.json"))
                    .query(&[("to", to)])
                    .send()
                    .await;
                answer.expect("an answer").json().await.expect("mails")
            }
        }
    }

    /// Waits for the newest mail that `is` wanted.
    pub async fn wait(&self, to: &str, is: impl Fn(&Mail) -> bool) -> Mail {
        for _ in 0..200 {
            if let Some(mail) = self.mails(to).await.into_iter().find(|mail| is(mail)) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let subjects: Vec<_> = self.mails(to).await.into_iter().map(|mail| mail.subject).collect();
        panic!("no such mail came to {to}, only {subjects:?}")
    }
}
