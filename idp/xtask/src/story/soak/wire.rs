//! A wire between two programs, which can be cut: a TCP proxy.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes that are carried at once.
const BUFFER: usize = 16 * 1024;

/// What a wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Everything comes through.
    Open,
    /// Connections are reset, and new ones at once.
    Cut,
    /// Nothing comes through, and nobody is told; later it does, as if it had been sent again and again.
    Silent,
}

/// The wire. It lies as long as this program lives.
pub struct Wire {
    /// Where its near end is.
    pub port: u16,
    line: watch::Sender<Line>,
}

impl Wire {
    /// Lays one to the program at a port, or to several that do the same: each connection goes to the next one that takes it.
    ///
    /// # Errors
    /// No port is free.
    pub async fn to(ends: &[u16]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (line, seen) = watch::channel(Line::Open);
        tokio::spawn(carry_all(listener, ends.into(), seen));
        Ok(Self { port, line })
    }

    /// Changes what it does.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn carry_all(listener: TcpListener, ends: Arc<[u16]>, line: watch::Receiver<Line>) {
    let turn = AtomicUsize::new(0);
    while let Ok((near, _)) = listener.accept().await {
        let (ends, line, turn) = (ends.clone(), line.clone(), turn.fetch_add(1, Ordering::Relaxed));
        tokio::spawn(async move { carry(near, &ends, turn, line).await });
    }
}

/// One connection, until it ends or is cut.
async fn carry(mut near: TcpStream, ends: &[u16], turn: usize, line: watch::Receiver<Line>) -> std::io::Result<()> {
    let mut watched = line.clone();
    let cut = watched.wait_for(|line| *line == Line::Cut);
    let over = tokio::select! {
        _ = cut => Err(std::io::ErrorKind::ConnectionReset.into()),
        over = talk(&mut near, ends, turn, line) => over,
    };
    if over.is_err() {
        // What ends otherwise than in order is reset, as by a network.
        near.set_zero_linger()?;
    }
    over
}

async fn talk(near: &mut TcpStream, ends: &[u16], turn: usize, line: watch::Receiver<Line>) -> std::io::Result<()> {
    until_heard(&mut line.clone()).await;
    let mut far = connect(ends, turn).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_reader, near_writer) = near.split();
    let (far_reader, far_writer) = far.split();
    tokio::try_join!(
        pass(near_reader, far_writer, line.clone()),
        pass(far_reader, near_writer, line)
    )?;
    Ok(())
}

async fn until_heard(line: &mut watch::Receiver<Line>) {
    let _heard = line.wait_for(|line| *line != Line::Silent).await;
}

/// To the end whose turn it is, or to another if that one is down.
async fn connect(ends: &[u16], turn: usize) -> std::io::Result<TcpStream> {
    let mut last = Err(std::io::ErrorKind::ConnectionRefused.into());
    for offset in 0..ends.len() {
        let port = ends[(turn + offset) % ends.len()];
        last = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        if last.is_ok() {
            break;
        }
    }
    last
}

/// One direction.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        until_heard(&mut line).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    /// A wire to somebody who says back what they hear.
    async fn echo() -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        Wire::to(&[port]).await.unwrap()
    }

    async fn says(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<()> {
        stream.write_all(word).await?;
        let mut heard = vec![0; word.len()];
        stream.read_exact(&mut heard).await?;
        assert_eq!(heard, word);
        Ok(())
    }

    async fn call(wire: &Wire) -> std::io::Result<TcpStream> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, wire.port)).await
    }

    #[tokio::test]
    async fn a_cut_wire_resets_who_talks_and_who_calls_until_it_is_healed() {
        let wire = echo().await;
        let mut before = call(&wire).await.unwrap();
        says(&mut before, b"hello").await.unwrap();
        wire.set(Line::Cut);
        says(&mut before, b"hello").await.unwrap_err();
        let during = async { says(&mut call(&wire).await?, b"hello").await };
        during.await.unwrap_err();
        wire.set(Line::Open);
        says(&mut call(&wire).await.unwrap(), b"hello").await.unwrap();
    }

    #[tokio::test]
    async fn a_silent_wire_brings_nothing_and_later_all_of_it() {
        let wire = echo().await;
        let mut stream = call(&wire).await.unwrap();
        says(&mut stream, b"hello").await.unwrap();
        wire.set(Line::Silent);
        stream.write_all(b"late").await.unwrap();
        let mut heard = [0; 4];
        let in_time = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut heard));
        in_time.await.unwrap_err();
        wire.set(Line::Open);
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"late");
    }
}
