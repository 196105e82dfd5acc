//! The door: takes connections up to a number, and closes those that don't say in time what they want.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;

/// Most connections at once; further ones wait in the system's queue. Below the usual limit of 1024 open files, so that the
/// database, mail and callbacks still find theirs.
const CONNECTIONS: usize = 900;
/// Time for a request's line and headers, and for the next request of a connection that is kept open.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Bytes that are read ahead; a request's line and headers can't be much longer.
const READ_AHEAD: usize = 64 * 1024;
/// Pause after the system refused a connection (it has no more files).
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `shutdown` resolves; requests in progress are finished.
pub async fn serve(listener: TcpListener, routes: Router, shutdown: impl Future<Output = ()> + Send) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer, slot)) => attend(stream, peer, slot, &routes, &open).await,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    open.shutdown().await;
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, slot))
}

async fn attend(stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit, routes: &Router, open: &GracefulShutdown) {
    let mut service = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
    let Ok(service) = service.call(peer).await;
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(READ_AHEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = open.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(slot);
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn open() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(serve(listener, routes, std::future::pending()));
        address
    }

    async fn answer_to(request: &[u8]) -> String {
        let mut stream = TcpStream::connect(open().await).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The clock of these stories jumps ahead whenever everybody waits, so a connection that is never closed would hang here.
    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        assert_eq!(answer_to(b"").await, "");
        assert!(!answer_to(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.contains("here"));
    }

    #[tokio::test]
    async fn who_asks_is_answered() {
        let answer = answer_to(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
    }
}
