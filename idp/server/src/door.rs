//! The door: takes connections up to a number, of which nobody gets more than half, and closes those that don't say in time what they
//! want, or don't take the answer.

mod crowd;
mod stall;

use axum::Router;
use crowd::{Crowd, Place};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use stall::Unstalled;
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
/// Most connections from one address (an IPv6 /64) that isn't a trusted proxy's: one alone can't keep all others out.
const PER_ADDRESS: usize = CONNECTIONS / 8;
/// Time for a request's line and headers, and for the next request of a connection that is kept open.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Time for the other side to take what was written.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// Bytes that are read ahead; a request's line and headers can't be much longer (431).
const READ_AHEAD: usize = 64 * 1024;
/// Most headers of a request (431).
const HEADERS: usize = 100;
/// Pause after the system refused a connection (it has no more files).
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `shutdown` resolves; requests in progress are finished. Connections of `proxies` are not counted by address.
pub async fn serve(listener: TcpListener, routes: Router, proxies: Arc<[IpNet]>, shutdown: impl Future<Output = ()> + Send) {
    serve_crowd(listener, routes, Crowd::new(PER_ADDRESS, proxies), shutdown).await;
}

async fn serve_crowd(listener: TcpListener, routes: Router, crowd: Crowd, shutdown: impl Future<Output = ()> + Send) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer, slot)) => match crowd.admit(peer.ip()) {
                Some(place) => attend(stream, peer, (slot, place), &routes, &open).await,
                None => tracing::debug!("an address has too many connections; this one is closed"),
            },
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

async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    held: (OwnedSemaphorePermit, Place),
    routes: &Router,
    open: &GracefulShutdown,
) {
    let mut service = routes.clone().into_make_service_with_connect_info::<SocketAddr>();
    let Ok(service) = service.call(peer).await;
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(READ_AHEAD);
    let stream = TokioIo::new(Unstalled::new(stream, TAKEN_WITHIN));
    let connection = builder.serve_connection(stream, TowerToHyperService::new(service));
    let connection = open.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(held);
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use axum::body::Bytes;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Larger than what the system takes for a client that doesn't read.
    const LARGE: usize = 32 * 1024 * 1024;

    async fn open_to(crowd: Crowd) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/large", get(|| async { vec![b'x'; LARGE] }))
            .route("/body", post(|body: Bytes| async move { body }));
        let routes = crate::http::bounded(routes);
        tokio::spawn(serve_crowd(listener, routes, crowd, std::future::pending()));
        address
    }

    async fn open() -> SocketAddr {
        open_to(Crowd::new(PER_ADDRESS, Arc::default())).await
    }

    /// What comes until the other side closes, in order or not.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn answer_to(request: &[u8]) -> String {
        let mut stream = TcpStream::connect(open().await).await.unwrap();
        stream.write_all(request).await.unwrap();
        rest(&mut stream).await
    }

    /// The clock of these stories jumps ahead whenever everybody waits, so a connection that is never closed would hang here.
    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        assert_eq!(answer_to(b"").await, "");
        assert!(!answer_to(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.contains("here"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_a_connection_and_asks_no_more_is_not_waited_for() {
        let answer = answer_to(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let answer = answer_to(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        let answer = answer_to(b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf").await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_the_answer_is_not_waited_for() {
        let mut stream = TcpStream::connect(open().await).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(TAKEN_WITHIN * 3).await;
        let came = rest(&mut stream).await.len();
        assert!(came < LARGE, "only what the system had taken: {came}");
    }

    #[tokio::test]
    async fn who_asks_is_answered() {
        let answer = answer_to(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.ends_with("here"), "{answer}");
    }

    #[tokio::test]
    async fn too_many_or_too_long_headers_are_refused_as_what_they_are() {
        let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-a: b\r\n".repeat(2 * HEADERS));
        let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n", "b".repeat(2 * READ_AHEAD));
        for request in [many, long] {
            let answer = answer_to(request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        }
    }

    #[tokio::test]
    async fn one_address_does_not_get_all_connections() {
        let address = open_to(Crowd::new(2, Arc::default())).await;
        let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(ask).await.unwrap();
            assert!(stream.read_u8().await.is_ok());
            kept.push(stream);
        }
        let mut third = TcpStream::connect(address).await.unwrap();
        let _broken = third.write_all(ask).await;
        assert_eq!(rest(&mut third).await, "", "closed without an answer");
        drop(kept);
        for _ in 0..100 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _broken = stream.write_all(ask).await;
            if stream.read_u8().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("places are not given back");
    }
}
