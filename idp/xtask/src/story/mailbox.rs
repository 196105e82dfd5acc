//! A person's mail.

use crate::cluster::Sink;
use anyhow::bail;
use gait::mail::Catcher;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(20);
const POLLS: u32 = 500;

/// Where mail comes to.
enum Source {
    /// The story's provider keeps it.
    Catcher(Catcher),
    /// The cluster's mail server.
    Sink(Sink),
}

impl Source {
    /// Ids and texts of the mails to an address, newest first.
    fn mails(&self, address: &str) -> Vec<(u64, String)> {
        match self {
            Self::Catcher(catcher) => {
                let mails = catcher.mails(Some(address)).into_iter();
                mails.map(|mail| (mail.id, mail.text)).collect()
            }
            Self::Sink(sink) => {
                let mails = sink.mails(address).into_iter();
                mails.map(|mail| (mail.id, mail.text)).collect()
            }
        }
    }
}

/// The mails to one address.
pub struct Mailbox {
    source: Source,
    address: String,
    /// Everything up to this mail was read.
    read: u64,
}

impl Mailbox {
    /// The mails that `catcher` has for `address`.
    pub fn new(catcher: Catcher, address: &str) -> Self {
        Self {
            source: Source::Catcher(catcher),
            address: address.to_owned(),
            read: 0,
        }
    }

    /// The mails that `sink` has for `address`.
    pub fn at_sink(sink: Sink, address: &str) -> Self {
        Self {
            source: Source::Sink(sink),
            address: address.to_owned(),
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
            let mails = self.source.mails(&self.address);
            let mut unread = mails.iter().filter(|(id, _)| *id > self.read);
            if let Some((id, found)) = unread.find_map(|(id, text)| Some((*id, find(text)?))) {
                self.read = id;
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("no mail with {what} came to {}", self.address)
    }
}
