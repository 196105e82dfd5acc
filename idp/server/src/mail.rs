//! Mail: accepted into a bounded queue in constant time, given words by the theme, and sent with lettre; or caught, in dev mode.

use crate::config::{MailTls, SmtpConfig};
use crate::metrics::Metrics;
use crate::theme::{Locale, Themes};
use async_trait::async_trait;
use gait_core::ports::{MailError, Mailer, OutgoingMail};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Mails that may wait; beyond it the person reads "we couldn't send it".
const QUEUE: usize = 1000;
/// Mails that the catcher keeps.
const CAUGHT: usize = 200;
/// Deadline of one attempt.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts, with a growing pause between them.
const ATTEMPTS: u32 = 3;

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

/// How mails leave.
pub enum Outlet {
    /// To a mail server.
    Smtp {
        /// The pool of connections.
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// The sender.
        from: Mailbox,
    },
    /// To the catcher.
    Catch(Catcher),
}

impl Outlet {
    /// Connects to a mail server (on first use).
    ///
    /// # Errors
    /// The configuration is wrong.
    pub fn smtp(config: &SmtpConfig) -> anyhow::Result<Self> {
        let builder = match config.tls {
            MailTls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&config.host)?,
            MailTls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&config.host)?,
            MailTls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host),
        };
        let builder = config
            .port
            .map_or(builder.clone(), |port| builder.port(port))
            .timeout(Some(TIMEOUT));
        let builder = match (&config.username, &config.password) {
            (Some(username), Some(password)) => {
                builder.credentials(Credentials::new(username.clone(), password.expose().to_owned()))
            }
            _ => builder,
        };
        Ok(Self::Smtp {
            transport: builder.build(),
            from: config.from.parse()?,
        })
    }

    /// Says hello to the mail server, signs in there if a user is configured, and sends nothing.
    ///
    /// # Errors
    /// It doesn't answer, or refuses.
    pub async fn greet(&self) -> anyhow::Result<()> {
        if let Self::Smtp { transport, .. } = self
            && !transport.test_connection().await?
        {
            anyhow::bail!("it hangs up");
        }
        Ok(())
    }

    /// Sends a mail of an operator's, which no theme has words for.
    ///
    /// # Errors
    /// The address is none, or the server refuses.
    pub async fn send_plain(&self, to: &str, subject: &str, text: String) -> anyhow::Result<()> {
        match self {
            Self::Catch(catcher) => catcher.catch(to, subject.to_owned(), text, String::new()),
            Self::Smtp { transport, from } => {
                let message = Message::builder().from(from.clone()).to(to.parse()?).subject(subject);
                transport.send(message.body(text)?).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, mail: &OutgoingMail, themes: &Themes, theme: Option<&str>) -> anyhow::Result<()> {
        let locale = Locale::parse(&mail.locale).unwrap_or_else(Locale::english);
        let words = themes.mail(theme, &locale, &mail.template, &mail.args)?;
        match self {
            Self::Catch(catcher) => catcher.catch(&mail.to, words.subject, words.text, words.html),
            Self::Smtp { transport, from } => {
                let message = Message::builder()
                    .from(from.clone())
                    .to(mail.to.parse()?)
                    .subject(words.subject)
                    .multipart(MultiPart::alternative_plain_html(words.text, words.html))?;
                transport.send(message).await?;
            }
        }
        Ok(())
    }
}

/// The queue's end that the core holds.
pub struct QueuedMailer {
    queue: mpsc::Sender<OutgoingMail>,
    metrics: Arc<Metrics>,
}

impl QueuedMailer {
    /// Starts the sending task; `theme_of` names the theme of a mail's client.
    pub fn start(
        outlet: Outlet,
        themes: Arc<Themes>,
        metrics: Arc<Metrics>,
        theme_of: impl Fn(&OutgoingMail) -> Option<String> + Send + 'static,
    ) -> Self {
        let (sender, mut queue) = mpsc::channel::<OutgoingMail>(QUEUE);
        let counted = metrics.clone();
        tokio::spawn(async move {
            while let Some(mail) = queue.recv().await {
                counted.mails_waiting.dec();
                deliver(&outlet, &mail, &themes, theme_of(&mail).as_deref(), &counted).await;
            }
        });
        Self { queue: sender, metrics }
    }
}

async fn deliver(outlet: &Outlet, mail: &OutgoingMail, themes: &Themes, theme: Option<&str>, metrics: &Metrics) {
    for attempt in 1..=ATTEMPTS {
        match outlet.send(mail, themes, theme).await {
            Ok(()) => return metrics.mail("sent"),
            Err(error) => tracing::warn!(template = mail.template, attempt, %error, "mail could not be sent"),
        }
        metrics.mail(if attempt < ATTEMPTS { "failed" } else { "lost" });
        if attempt < ATTEMPTS {
            tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
        }
    }
}

#[async_trait]
impl Mailer for QueuedMailer {
    async fn post(&self, mail: OutgoingMail) -> Result<(), MailError> {
        self.metrics.mails_waiting.inc();
        self.queue.try_send(mail).map_err(|error| {
            self.metrics.mails_waiting.dec();
            self.metrics.mail("refused");
            MailError(error.to_string())
        })
    }
}
