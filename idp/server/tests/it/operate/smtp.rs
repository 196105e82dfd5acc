//! A mail server that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Default)]
pub struct Sink(Arc<AtomicUsize>);

impl Sink {
    /// Listens on a port of its own.
    pub async fn start() -> (Self, u16) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sink = Self::default();
        let talking = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, talking.clone()));
            }
        });
        (sink, port)
    }

    /// How many mails came.
    pub fn taken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

async fn talk(stream: TcpStream, sink: Sink) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 sink\r\n").await?;
    let mut in_mail = false;
    while let Some(line) = lines.next_line().await? {
        if in_mail && line != "." {
            continue;
        }
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "DATA" => b"354 go on\r\n",
            "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        if in_mail {
            sink.0.fetch_add(1, Ordering::SeqCst);
        }
        in_mail = line == "DATA";
        writer.write_all(answer).await?;
    }
    Ok(())
}
