//! A person's mail.

use anyhow::bail;
use gait::mail::Catcher;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(20);
const POLLS: u32 = 500;

/// The mails to one address.
pub struct Mailbox {
    catcher: Catcher,
    address: &'static str,
    /// Everything up to this mail was read.
    read: u64,
}

impl Mailbox {
    /// The mails that `catcher` has for `address`.
    pub fn new(catcher: Catcher, address: &'static str) -> Self {
        Self {
            catcher,
            address,
            read: 0,
        }
    }

    /// The six digits of the newest unread mail that has some.
    ///
    /// # Errors
    /// No such mail came within ten seconds.
    pub async fn code(&mut self) -> anyhow::Result<String> {
        self.wait_for("a code", |text| {
            let mut numbers = text.split(|c: char| !c.is_ascii_digit());
            numbers.find(|number| number.len() == 6).map(str::to_owned)
        })
        .await
    }

    /// The link below `start` in the newest unread mail that has one.
    ///
    /// # Errors
    /// As for [`Mailbox::code`].
    pub async fn link(&mut self, start: &str) -> anyhow::Result<String> {
        self.wait_for("a link", |text| {
            text.split_whitespace()
                .find(|word| word.starts_with(start))
                .map(str::to_owned)
        })
        .await
    }

    async fn wait_for(&mut self, what: &str, find: impl Fn(&str) -> Option<String>) -> anyhow::Result<String> {
        for _ in 0..POLLS {
            let mails = self.catcher.mails(Some(self.address));
            let mut unread = mails.iter().filter(|mail| mail.id > self.read);
            if let Some((id, found)) = unread.find_map(|mail| Some((mail.id, find(&mail.text)?))) {
                self.read = id;
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("no mail with {what} came to {}", self.address)
    }
}
