//! A mail server that takes every mail and sends none.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Grows by one.
    pub id: u64,
    /// The recipient.
    pub to: String,
    /// Its words; line breaks of quoted-printable are undone.
    pub text: String,
}

/// The mails that came.
#[derive(Clone, Default)]
pub struct Sink {
    letters: Arc<Mutex<Vec<Letter>>>,
    loud: bool,
}

impl Sink {
    /// Listens on a free port, which is returned, until this program ends. If `loud`, it prints what comes.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(loud: bool) -> anyhow::Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let sink = Self { loud, ..Self::default() };
        let taken = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = taken.clone();
                tokio::spawn(async move { sink.talk(stream).await });
            }
        });
        Ok((sink, port))
    }

    /// Mails to an address, newest first.
    pub fn mails(&self, to: &str) -> Vec<Letter> {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().rev().filter(|letter| letter.to == to).cloned().collect()
    }

    /// One connection (RFC 5321), as far as a client needs it.
    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut to = String::new();
        writer.write_all(b"220 sink\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer: &[u8] = match verb.as_str() {
                "EHLO" | "HELO" => b"250 sink\r\n",
                "RCPT" => {
                    to = between(&line).to_owned();
                    b"250 ok\r\n"
                }
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        match line.strip_suffix('=') {
                            Some(cut) => text.push_str(cut),
                            None => text.extend([line.as_str(), "\n"]),
                        }
                    }
                    self.keep(&to, text);
                    b"250 ok\r\n"
                }
                "QUIT" => return writer.write_all(b"221 bye\r\n").await,
                _ => b"250 ok\r\n",
            };
            writer.write_all(answer).await?;
        }
        Ok(())
    }

    fn keep(&self, to: &str, text: String) {
        if self.loud {
            let words = text.split("Content-Type: text/html").next().unwrap_or_default();
            println!("-- mail to {to} --\n{words}");
        }
        // Numbers in headers and boundaries are nobody's code: the words begin after the mail's headers and those of its first part.
        let text = text.splitn(3, "\n\n").last().unwrap_or_default().to_owned();
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let id = letters.len() as u64 + 1;
        let to = to.to_owned();
        letters.push(Letter { id, to, text });
    }
}

/// What stands between angle brackets.
fn between(line: &str) -> &str {
    let rest = line.split_once('<').map_or(line, |(_, rest)| rest);
    rest.split_once('>').map_or(rest, |(address, _)| address)
}
