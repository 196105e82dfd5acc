//! Mails of the core's own: to an account's own address, and saying who, when, from where and with what.

use crate::Idp;
use crate::account::Account;
use crate::client::Client;
use crate::error::Result;
use crate::flow::words;
use crate::ids::MailId;
use crate::ports::{MailTrouble, OutgoingMail};
use crate::visit::Caller;
use gait_sdk::{Manifest, Text, Timestamp};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Seconds for which it is tried to tell somebody what has happened.
pub(crate) const NOTICE_LIFE_S: u32 = 86_400;

impl Idp {
    /// A mail to an account's own address, worth sending for `life_s` seconds; `None` if it has none.
    pub(crate) fn own_mail(
        &self,
        account: &Account,
        template: &str,
        args: BTreeMap<String, String>,
        caller: &Caller,
        client: Option<&Client>,
        life_s: u32,
    ) -> Option<OutgoingMail> {
        Some(OutgoingMail {
            to: account.email.as_ref()?.as_str().to_owned(),
            template: template.to_owned(),
            args,
            locale: caller.locale.clone(),
            client: client.map(|client| client.id.clone()),
            expires_at: self.ports.now().plus(i64::from(life_s)),
        })
    }

    /// What every mail of the core's own says: who, when, from where, with what.
    pub(crate) fn mail_args(&self, account: &Account, caller: &Caller) -> BTreeMap<String, String> {
        let address = address_of(caller).unwrap_or_else(|| "unknown".to_owned());
        [
            ("account", account.username.as_str().to_owned()),
            ("when", when(self.ports.now())),
            ("address", address),
            ("browser", caller.visitor.user_agent.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Tells an account's owner that a credential has changed.
    pub(crate) fn credential_notice(
        &self,
        account: &Account,
        plugin: &Manifest,
        change: &str,
        caller: &Caller,
    ) -> Option<OutgoingMail> {
        let mut args = self.mail_args(account, caller);
        args.insert("plugin".to_owned(), plugin.id.to_string());
        args.insert("kind".to_owned(), plugin.label.fallback.clone());
        args.insert("change".to_owned(), change.to_owned());
        args.insert("link".to_owned(), format!("{}/account", self.issuer));
        self.own_mail(account, "credential-changed", args, caller, None, NOTICE_LIFE_S)
    }

    /// Sends a notice of what has happened already; a mailer that is away doesn't undo it.
    pub(crate) async fn post_notice(&self, notice: OutgoingMail) {
        let template = notice.template.clone();
        if let Err(error) = self.ports.mailer.post(notice).await {
            tracing::error!(%error, template, "a notice could not be mailed");
        }
    }

    /// What somebody who waits for a mail reads if it was not sent so far. That no mail can be sent at all is no secret. What is wrong
    /// with one mail tells that there is an account with an address, so it is for whoever has proven to be its owner.
    pub(crate) async fn mail_notice(&self, mail: Option<MailId>, is_proven: bool) -> Result<Option<Text>> {
        let state = self.ports.mailer.state(mail).await?;
        Ok(match state.trouble.filter(|_| is_proven) {
            Some(MailTrouble::Refused) => Some(words::mail_refused()),
            Some(_) => Some(words::mail_delayed()),
            None => state.is_service_out.then(words::mail_delayed),
        })
    }
}

/// The visitor's address, for the audit event.
pub(crate) fn address_of(caller: &Caller) -> Option<String> {
    caller.visitor.address.map(|address| address.to_canonical().to_string())
}

/// A moment for people, in UTC.
fn when(at: Timestamp) -> String {
    OffsetDateTime::from_unix_timestamp(at.0).map_or_else(
        |_| String::new(),
        |at| {
            let (date, time) = (at.date(), at.time());
            let (month, day) = (u8::from(date.month()), date.day());
            format!(
                "{}-{month:02}-{day:02} {:02}:{:02} UTC",
                date.year(),
                time.hour(),
                time.minute()
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(when(Timestamp(1_893_456_000)), "2030-01-01 00:00 UTC");
        assert_eq!(when(Timestamp(i64::MAX)), "");
    }
}
