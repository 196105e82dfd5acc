//! How a mail leaves: by SMTP, or to the catcher.

use super::Catcher;
use crate::config::{MailTls, SmtpConfig};
use crate::outbound::innermost;
use crate::theme::RenderedMail;
use anyhow::Context as _;
use gait_core::ids::MailId;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);
/// Replies that say that the server takes nobody's mail now, or none from us: shutting down (RFC 5321 §3.8), and what is about signing
/// in and TLS (RFC 4954 §6, RFC 3207 §4).
const OF_SERVICE: [u16; 8] = [421, 432, 454, 500, 530, 534, 535, 538];

/// Why a mail was not sent. None of the reasons names who it was for.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The mail server can't be reached, or takes nobody's mail.
    #[error("the mail server is out of order: {0}")]
    Service(String),
    /// The mail server doesn't take this one now.
    #[error("the mail server puts it off: {0}")]
    Later(String),
    /// The mail server will not take this one, or there is no such mail.
    #[error("refused: {0}")]
    Refused(String),
}

/// How mails leave.
pub enum Outlet {
    /// To a mail server.
    Smtp {
        /// The pool of connections.
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// The sender.
        from: Mailbox,
        /// Connections at once.
        connections: u32,
        /// Mails in a minute at most.
        per_minute: u32,
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
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host);
        let (tls, port) = match config.tls {
            MailTls::Starttls => (Tls::Required(parameters(config)?), 587),
            MailTls::Tls => (Tls::Wrapper(parameters(config)?), 465),
            MailTls::None => (Tls::None, 25),
        };
        if let (Some(username), Some(password)) = (&config.username, &config.password) {
            builder = builder.credentials(Credentials::new(username.clone(), password.expose().to_owned()));
        }
        let pool = PoolConfig::new().max_size(config.connections).idle_timeout(IDLE);
        let builder = builder.tls(tls).port(config.port.unwrap_or(port)).pool_config(pool);
        Ok(Self::Smtp {
            transport: builder.timeout(Some(config.timeout())).build(),
            from: config.from.parse().context("smtp.from")?,
            connections: config.connections,
            per_minute: config.per_minute,
        })
    }

    /// Mails that may be under way at once.
    pub(super) fn at_once(&self) -> usize {
        match self {
            Self::Smtp { connections, .. } => usize::try_from(*connections).unwrap_or(1),
            Self::Catch(_) => 1,
        }
    }

    /// Mails in a minute at most.
    pub(super) fn per_minute(&self) -> u32 {
        match self {
            Self::Smtp { per_minute, .. } => *per_minute,
            Self::Catch(_) => u32::MAX,
        }
    }

    /// Sends a mail. A second try has the same `Message-ID`, so that one that arrived twice is known.
    pub(super) async fn send(&self, id: MailId, to: &str, words: RenderedMail) -> Result<(), SendError> {
        match self {
            Self::Catch(catcher) => {
                catcher.catch(to, words.subject, words.text, words.html);
                Ok(())
            }
            Self::Smtp { transport, from, .. } => {
                let message = message(id, from, to, words).map_err(SendError::Refused)?;
                transport.send(message).await.map(drop).map_err(|error| trouble(&error))
            }
        }
    }

    /// Sends a mail of an operator's, which no theme has words for.
    ///
    /// # Errors
    /// The address is none, or the server refuses.
    pub async fn send_plain(&self, to: &str, subject: &str, text: String) -> anyhow::Result<()> {
        match self {
            Self::Catch(catcher) => catcher.catch(to, subject.to_owned(), text, String::new()),
            Self::Smtp { transport, from, .. } => {
                let message = Message::builder().from(from.clone()).to(to.parse()?).subject(subject);
                transport.send(message.body(text)?).await?;
            }
        }
        Ok(())
    }

    /// Says hello to the mail server, signs in there if a user is configured, and sends nothing.
    ///
    /// # Errors
    /// It doesn't answer, or refuses.
    pub async fn greet(&self) -> anyhow::Result<()> {
        Ok(self.look().await?)
    }

    pub(super) async fn look(&self) -> Result<(), SendError> {
        match self {
            Self::Catch(_) => Ok(()),
            Self::Smtp { transport, .. } => match transport.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(SendError::Service("it hung up".to_owned())),
                Err(error) => Err(SendError::Service(reason(&error))),
            },
        }
    }
}

fn parameters(config: &SmtpConfig) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.ca_file {
        let pem = std::fs::read(file).with_context(|| format!("smtp.ca_file {}", file.display()))?;
        let certificate = Certificate::from_pem(&pem).with_context(|| format!("smtp.ca_file {}", file.display()))?;
        builder = builder.add_root_certificate(certificate);
    }
    Ok(builder.build()?)
}

fn message(id: MailId, from: &Mailbox, to: &str, words: RenderedMail) -> Result<Message, String> {
    let to: Address = to.parse().map_err(|_| "the address is none".to_owned())?;
    // No human asked for it, so no machine should answer (RFC 3834 §5).
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&words.subject))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(automatic)
        .multipart(MultiPart::alternative_plain_html(words.text, words.html))
        .map_err(|error| error.to_string())
}

/// A header's text: whatever a name in it says, it begins no other header.
fn one_line(text: &str) -> String {
    let visible = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    visible.collect::<String>().trim().to_owned()
}

/// What an error of the conversation means. A reply is told by its number: its words may name who the mail was for.
fn trouble(error: &lettre::transport::smtp::Error) -> SendError {
    let why = reason(error);
    match error.status().map(u16::from) {
        None => SendError::Service(why),
        Some(status) if OF_SERVICE.contains(&status) => SendError::Service(why),
        Some(_) if error.is_permanent() => SendError::Refused(why),
        Some(_) => SendError::Later(why),
    }
}

fn reason(error: &lettre::transport::smtp::Error) -> String {
    if let Some(status) = error.status() {
        return format!("status {}", u16::from(status));
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    innermost(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use uuid::Uuid;

    fn words(subject: &str) -> RenderedMail {
        RenderedMail {
            subject: subject.to_owned(),
            text: "a\r\n.\r\nb".to_owned(),
            html: "<p>a</p>".to_owned(),
        }
    }

    fn headers(subject: &str) -> String {
        let from = "Example <no-reply@example.test>".parse().unwrap();
        let message = message(MailId(Uuid::nil()), &from, "bob@example.test", words(subject)).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        text.split("\r\n\r\n").next().unwrap().to_owned()
    }

    #[test]
    fn a_mail_has_the_headers_that_it_needs() {
        let headers = headers("Your code");
        for line in [
            "From: Example <no-reply@example.test>",
            "To: bob@example.test",
            "Subject: Your code",
            "Message-ID: <00000000-0000-0000-0000-000000000000@example.test>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(headers.lines().any(|header| header == line), "{line} is not in\n{headers}");
        }
        assert!(headers.contains("\r\nDate: "), "{headers}");
    }

    #[test]
    fn no_name_begins_another_header() {
        for subject in [
            "a\r\nBcc: eve@example.test",
            "a\nBcc: eve@example.test",
            "a\u{85}Bcc: x",
            "ä\r\nBcc: eve@example.test",
        ] {
            let headers = headers(subject);
            assert!(
                !headers.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")),
                "{headers}"
            );
        }
        for to in [
            "bob@example.test\r\nRCPT TO:<eve@example.test>",
            "a, b@example.test",
            "",
            "<bob@example.test>",
        ] {
            let from = "no-reply@example.test".parse().unwrap();
            assert!(message(MailId(Uuid::nil()), &from, to, words("a")).is_err(), "{to}");
        }
    }
}
