//! Mail: kept until it is sent, given words by the theme, and sent with lettre; or caught, in dev mode.

mod outlet;
mod queue;
mod sender;

pub use outlet::Outlet;
pub use queue::MailQueue;
pub use sender::Sender;

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Mails that the catcher keeps.
const CAUGHT: usize = 200;
/// A mail that was caught instead of sent.
#[derive(Clone, Debug, Serialize)]
pub struct CaughtMail {
    /// Grows by one.
    pub id: u64,
    /// The address.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
    /// Seconds since the epoch.
    pub at: u64,
}

/// Keeps mails for `/dev/mail`.
#[derive(Clone, Default)]
pub struct Catcher(Arc<Mutex<(u64, VecDeque<CaughtMail>)>>);

impl Catcher {
    fn catch(&self, to: &str, subject: String, text: String, html: String) {
        let mut caught = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught.0 += 1;
        #[allow(clippy::disallowed_methods, reason = "shown beside a caught mail, decides nothing")]
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mail = CaughtMail {
            id: caught.0,
            to: to.to_owned(),
            subject,
            text,
            html,
            at,
        };
        caught.1.push_front(mail);
        caught.1.truncate(CAUGHT);
    }

    /// Caught mails, newest first; of one address if `to` is given.
    pub fn mails(&self, to: Option<&str>) -> Vec<CaughtMail> {
        let caught = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught
            .1
            .iter()
            .filter(|mail| to.is_none_or(|to| mail.to.eq_ignore_ascii_case(to)))
            .cloned()
            .collect()
    }
}
