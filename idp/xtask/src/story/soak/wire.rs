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
