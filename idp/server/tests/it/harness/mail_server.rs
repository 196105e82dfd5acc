//! A mail server that does what a story says. It speaks enough of SMTP (RFC 5321) to be sent to, and believes one password.

use super::mailbox::Mail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A mail that came.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub from: String,
    pub to: String,
    /// Headers and body, as they came.
    pub raw: String,
    /// Which connection it came on, counted from 1.
    pub connection: usize,
    /// It came encrypted.
    pub encrypted: bool,
    /// Who sent it, if they signed in.
    pub login: Option<String>,
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    connections: usize,
    /// What RCPT is answered, by address; so often.
    replies: HashMap<String, (String, usize)>,
    hangs_up: usize,
    silent: bool,
    slow: bool,
}

/// How it is encrypted.
#[derive(Clone)]
pub enum Encryption {
    None,
    Starttls(TlsAcceptor),
    Tls(TlsAcceptor),
}

/// The server. Clones are the same one.
#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    state: Arc<Mutex<State>>,
    serving: Arc<Mutex<JoinSet<()>>>,
    encryption: Encryption,
}

/// The password that it believes, in the form of AUTH PLAIN.
pub const LOGIN: (&str, &str) = ("gait", "mail password");

impl MailServer {
    pub async fn start() -> Self {
        Self::with(Encryption::None).await
    }

    pub async fn with(encryption: Encryption) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            state: Arc::default(),
            serving: Arc::default(),
            encryption,
        };
        server.serve(listener);
        server
    }

    /// The configuration that leads to it.
    pub fn config(&self) -> String {
        let port = self.port;
        format!(
            "[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"Gait <no-reply@id.example>\"\ntimeout_s = 2\n"
        )
    }

    /// It speaks TLS from the first byte.
    pub fn is_wrapped(&self) -> bool {
        matches!(self.encryption, Encryption::Tls(_))
    }

    fn serve(&self, listener: TcpListener) {
        let server = self.clone();
        let mut serving = self.serving.lock().expect("no panic");
        serving.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                talks.spawn(server.clone().talk(stream));
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Stops listening, and hangs up on everybody.
    pub async fn down(&self) {
        let mut serving = std::mem::take(&mut *self.serving.lock().expect("no panic"));
        serving.shutdown().await;
    }

    /// Listens again.
    pub async fn up(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.expect("the same port");
        self.serve(listener);
    }

    /// Answers RCPT for `to` like this, so often.
    pub fn replies(&self, to: &str, reply: &str, times: usize) {
        self.state().replies.insert(to.to_owned(), (reply.to_owned(), times));
    }

    /// Hangs up in the middle of the next mails.
    pub fn hangs_up(&self, times: usize) {
        self.state().hangs_up = times;
    }

    /// Takes connections, and says nothing.
    pub fn is_silent(&self, yes: bool) {
        self.state().silent = yes;
    }

    /// Keeps the next mails, and doesn't say so until it is told to be quick again.
    pub fn is_slow(&self, yes: bool) {
        self.state().slow = yes;
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.state().arrived.clone()
    }

    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Mails to an address, newest first.
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        let arrived = self.arrived();
        let mails = arrived.iter().rev().filter(|mail| mail.to == to);
        mails.map(|mail| read(&mail.raw)).collect()
    }

    async fn talk(self, stream: TcpStream) {
        let connection = {
            let mut state = self.state();
            state.connections += 1;
            state.connections
        };
        while self.state().silent {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut talk = Talk {
            server: self.clone(),
            connection,
            encrypted: false,
            login: None,
        };
        // Whoever hangs up has said what they had to say.
        let _ended = match self.encryption.clone() {
            Encryption::None => talk.run(stream, true, None).await.map(drop),
            Encryption::Tls(acceptor) => talk.run_encrypted(acceptor, stream, true).await,
            Encryption::Starttls(acceptor) => talk.run(stream, true, Some(acceptor)).await.map(drop),
        };
    }
}

struct Talk {
    server: MailServer,
    connection: usize,
    encrypted: bool,
    login: Option<String>,
}

impl Talk {
    async fn run_encrypted(&mut self, acceptor: TlsAcceptor, stream: TcpStream, greets: bool) -> std::io::Result<()> {
        let stream = acceptor.accept(stream).await?;
        self.encrypted = true;
        self.run_on(stream, greets, false).await.map(drop)
    }

    async fn run(&mut self, stream: TcpStream, greets: bool, starttls: Option<TlsAcceptor>) -> std::io::Result<()> {
        let stream = self.run_on(stream, greets, starttls.is_some()).await?;
        match (stream, starttls) {
            (Some(stream), Some(acceptor)) => self.run_encrypted(acceptor, stream, false).await,
            _ => Ok(()),
        }
    }

    /// The conversation; returns the stream if it is to go on encrypted.
    async fn run_on<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: S,
        greets: bool,
        offers_tls: bool,
    ) -> std::io::Result<Option<S>> {
        let mut stream = BufStream::new(stream);
        if greets {
            say(&mut stream, "220 mail.example ESMTP").await?;
        }
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let line = line.trim_end();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" if offers_tls => say(&mut stream, "250-mail.example\r\n250 STARTTLS").await?,
                "EHLO" => say(&mut stream, "250-mail.example\r\n250 AUTH PLAIN").await?,
                "STARTTLS" if offers_tls => {
                    say(&mut stream, "220 go on").await?;
                    return Ok(Some(stream.into_inner()));
                }
                "AUTH" => match self.sign_in(line) {
                    true => say(&mut stream, "235 welcome").await?,
                    false => say(&mut stream, "535 5.7.8 who are you?").await?,
                },
                "MAIL" => {
                    from = address(line);
                    say(&mut stream, "250 ok").await?;
                }
                "RCPT" => {
                    to = address(line);
                    let reply = self.reply(&to);
                    say(&mut stream, &reply).await?;
                }
                "DATA" => {
                    say(&mut stream, "354 go ahead").await?;
                    let raw = data(&mut stream).await?;
                    if self.hangs_up() {
                        return Ok(None);
                    }
                    self.keep(&from, &to, raw);
                    while self.server.state().slow {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    say(&mut stream, "250 taken").await?;
                }
                "NOOP" | "RSET" => say(&mut stream, "250 ok").await?,
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return Ok(None);
                }
                _ => say(&mut stream, "502 what?").await?,
            }
        }
    }

    fn sign_in(&mut self, line: &str) -> bool {
        let given = line.split(' ').nth(2).and_then(|text| STANDARD.decode(text).ok());
        let right = format!("\0{}\0{}", LOGIN.0, LOGIN.1);
        let is_right = given.as_deref() == Some(right.as_bytes());
        self.login = is_right.then(|| LOGIN.0.to_owned());
        is_right
    }

    fn reply(&self, to: &str) -> String {
        match self.server.state().replies.get_mut(to) {
            Some((reply, times)) if *times > 0 => {
                *times -= 1;
                reply.clone()
            }
            _ => "250 ok".to_owned(),
        }
    }

    fn hangs_up(&self) -> bool {
        let mut state = self.server.state();
        let hangs_up = state.hangs_up > 0;
        state.hangs_up = state.hangs_up.saturating_sub(1);
        hangs_up
    }

    fn keep(&self, from: &str, to: &str, raw: String) {
        self.server.state().arrived.push(Arrived {
            from: from.to_owned(),
            to: to.to_owned(),
            raw,
            connection: self.connection,
            encrypted: self.encrypted,
            login: self.login.clone(),
        });
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, words: &str) -> std::io::Result<()> {
    stream.write_all(format!("{words}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// What stands between `<` and `>`.
fn address(line: &str) -> String {
    let (_, rest) = line.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}

/// A mail's lines up to the lone dot, without their transparency (RFC 5321 §4.5.2).
async fn data<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Subject and plain text of a mail as we write them: two alternatives, the plain one first.
fn read(raw: &str) -> Mail {
    let (head, body) = raw.split_once("\r\n\r\n").expect("a body");
    let subject = head
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .expect("a subject");
    let (part_head, rest) = body.split_once("\r\n\r\n").expect("a part");
    let boundary = part_head.lines().find(|line| line.starts_with("--")).expect("a boundary");
    let text = rest.split(boundary).next().expect("its end");
    let text = match part_head.to_ascii_lowercase().contains("quoted-printable") {
        true => unquoted(text),
        false => text.to_owned(),
    };
    Mail {
        subject: subject.to_owned(),
        text,
    }
}

/// Quoted-printable (RFC 2045 §6.7).
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.expect("two digits"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("UTF-8")
}
